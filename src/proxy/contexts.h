/*
 * The files that providers put in front of chats (data-plane.md §8.7): a message is made of each, and waited for by
 * the first chats.
 */
#ifndef PROXY_CONTEXTS_H
#define PROXY_CONTEXTS_H

#include "proxy/dialect.h"
#include "proxy/fetched.h"

/* Attack, accident: a file that makes every chat huge. */
#define CONTEXT_FILE_MAX ((size_t)1 << 20)
/* How soon after a failure a file is asked for again. */
#define CONTEXT_RETRY_MS 10000u
/* How long a chat waits for the first answer to the first question. */
#define CONTEXT_WAIT_MS 5000u

/* What is made of a file: a message as JSON, with a comma on both sides: ,{"role":"system","content":"..."}, */
extern const struct fetched_form context_form;

/* Worker: a destination is chosen. Takes the message into x->rq->context when the chosen provider has one for
 * this request; waits for it when it is cold. It is never an error: what could not be had is counted. */
enum verdict step_context(struct exchange *x);

#endif
