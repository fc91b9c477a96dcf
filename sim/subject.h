/*
 * What a scenario is about: the program, or a part of it, that stands between the scripted clients and
 * upstreams. The player turns its loops by hand.
 *
 *   echo     sends back what it receives, on net/loop and net/sock: tests the simulated world
 *   relay    http/server and http/client joined by the shortest possible relay: tests http
 *   gateway  the whole data path
 */
#ifndef SIM_SUBJECT_H
#define SIM_SUBJECT_H

#include "base/text.h"
#include "net/loop.h"

#define SUBJECT_LOOPS_MAX 8u
#define SETTINGS_MAX 16u

/* Where every subject listens, and where echo and relay find their upstream. */
#define SUBJECT_ADDRESS "127.0.0.1"
#define SUBJECT_PORT 8080

/* set NAME = VALUE */
struct settings {
	struct {
		char name[32];
		uint64_t value;
	} v[SETTINGS_MAX];
	unsigned n;
};
uint64_t setting(const struct settings *s, const char *name, uint64_t otherwise);

struct gateway;
struct subject_ops;

struct subject {
	const struct subject_ops *ops;
	struct loop *loops[SUBJECT_LOOPS_MAX];
	unsigned n_loops;
};

struct subject_ops {
	const char *name;
	struct subject *(*start)(const struct settings *s, struct fault *f);
	/* Work outside of loops (a job, the log): does one piece; false when there is none. */
	bool (*work)(struct subject *s);
	/* Resources have changed. NULL: it has none. */
	void (*reload)(struct subject *s);
	void (*drain)(struct subject *s);
	/* NULL: it is none. */
	struct gateway *(*gateway)(struct subject *s);
	/* Segments that are lent now. */
	size_t (*lent)(struct subject *s);
	/* False: there is no such number. */
	bool (*count)(struct subject *s, struct bytes name, uint64_t *out);
	/* What it has logged so far. */
	struct bytes (*log)(struct subject *s);
	void (*stop)(struct subject *s);
};

extern const struct subject_ops subject_echo, subject_relay, subject_gateway;

#endif
