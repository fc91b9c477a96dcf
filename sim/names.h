/* The resolver of the simulated world: what each name answers, and when. */
#ifndef SIM_NAMES_H
#define SIM_NAMES_H

#include "base/bytes.h"
#include "net/sys.h"

struct names;

struct name_answer {
	int err; /* 0, or an enum err */
	bool silent;
	unsigned after_ms; /* 0: in the next turn */
	unsigned ttl_s;
	unsigned n;
	struct sys_addr addrs[4];
};

struct names *names_new(void);
void names_free(struct names *n);
/* Replaces what the name answered before. */
void names_set(struct names *n, struct bytes host, const struct name_answer *a);
/* How often it was asked for. */
unsigned names_asked(const struct names *n, struct bytes host);

/* For dns.c: counts the question; NULL: nobody has heard of that name. */
const struct name_answer *names_ask(struct names *n, struct bytes host);

#endif
