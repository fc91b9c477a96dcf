/*
 * Texts that control fetches for the workers, in cells that outlive plans: files that providers put in front of
 * chats (proxy/contexts.h), their lists of models (proxy/model_list.c). Control fetches and replaces; workers
 * read, and ask when a cell is cold or old.
 */
#ifndef PROXY_FETCHED_H
#define PROXY_FETCHED_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/text.h"

/* How long a text is used before it is asked for again. */
#define FETCHED_TTL_MS 300000u

struct fetched;
struct fetched_cell;
struct gateway;
struct plan;
struct worker;

/* Immutable. */
struct fetched_text {
	atomic_uint refs;
	size_t n;
	char text[];
};

/* What is particular to a kind of them. */
struct fetched_form {
	const char *what, *without, *advice; /* for the log: parts of one sentence */
	const char *accept;
	bool has_fields;   /* keys name header fields (plan/fetched_source.h) */
	bool ahead;        /* fetched when a plan goes live; else when somebody asks */
	uint32_t retry_ms; /* how soon after a failure it is asked for again */
	size_t answer_max; /* bytes of an answer */
	size_t text_max;   /* bytes of what is made of it */
	/* Appends what workers get of an answer's body; else the last one stays. On control: quickly. */
	int (*make)(struct bytes answer, struct text *out, struct fault *why);
};

/* Any thread; NULL is allowed. */
void fetched_text_unref(struct fetched_text *t);

/* Control. */
struct fetched *fetched_new(struct gateway *g);
/* The end: what is being fetched is given up, and nothing is fetched any more. No loop runs. */
void fetched_stop(struct fetched *c);
void fetched_free(struct fetched *c);
/* A plan goes live: finds or makes the cells of its sources. */
void fetched_bind(struct fetched *c, struct plan *p);
/* It is about to be freed. */
void fetched_unbind(struct fetched *c, struct plan *p);
/* Now and then: forgets what no plan has asked for in a while. */
void fetched_tidy(struct fetched *c);

/* Worker: what there is; NULL: nothing. Valid until the callback ends, longer with a count of refs. Has it fetched
 * when that is due. False: nothing was had yet, and it is worth waiting: the worker's waiting exchanges are woken
 * when that changes. */
bool fetched_get(struct worker *w, struct fetched_cell *c, struct fetched_text **out);
/* Worker: who waited has waited long enough, and nobody else does. */
void fetched_give_up(struct fetched_cell *c);

#endif
