/*
 * The files that providers put in front of chats (data-plane.md §8.7), in cells that outlive plans. Control
 * fetches and replaces; workers read, and ask when a cell is cold or old.
 */
#ifndef PROXY_CONTEXTS_H
#define PROXY_CONTEXTS_H

#include <stdatomic.h>

#include "proxy/dialect.h"

/* Attack, accident: a file that makes every chat huge. */
#define CONTEXT_FILE_MAX ((size_t)1 << 20)
/* How long a file is used before it is asked for again, and how soon after a failure. */
#define CONTEXT_TTL_MS 300000u
#define CONTEXT_RETRY_MS 10000u
/* How long a chat waits for the first answer to the first question. */
#define CONTEXT_WAIT_MS 5000u

struct context_cell;
struct contexts;
struct gateway;

/* A message as JSON, with a comma on both sides: ,{"role":"system","content":"..."}, . Immutable. */
struct context_message {
	atomic_uint refs;
	size_t n;
	char text[];
};

/* Any thread; NULL is allowed. */
void context_message_unref(struct context_message *m);

/* Control. */
struct contexts *contexts_new(struct gateway *g);
/* The end: what is being fetched is given up, and nothing is fetched any more. No loop runs. */
void contexts_stop(struct contexts *c);
void contexts_free(struct contexts *c);
/* A plan goes live: finds or makes the cells of its providers, and fetches what is cold ahead of the first use. */
void contexts_bind(struct contexts *c, struct plan *p);
/* It is about to be freed. */
void contexts_unbind(struct contexts *c, struct plan *p);
/* Now and then: forgets what no plan has asked for in a while. */
void contexts_tidy(struct contexts *c);

/* Worker: a destination is chosen. Takes the message into x->rq->context when the chosen provider has one for
 * this request; waits for it when it is cold. It is never an error: what could not be had is counted. */
enum verdict step_context(struct exchange *x);

#endif
