/*
 * POST page/try: the playground's requests. The administrator says as whom, to which host and what; the request
 * goes to the gateway's own listener as any client's would, with that consumer's key and the token that asks for
 * the decision (proxy/decision.h), and the answer comes back as it comes, with the gateway's status and decision
 * beside it. No key reaches the page.
 *
 *   {"consumer":"worker-alice","host":"llm.example.com","path":"/v1/chat/completions","body":{...}}
 *
 * consumer and host may be missing or empty, path too. The answer: 200, x-sluice-status, x-sluice-decision, the
 * gateway's Content-Type, and the body.
 */
#ifndef PAGE_TRIAL_H
#define PAGE_TRIAL_H

#include "http/client.h"
#include "manage/manage.h"
#include "store/writer.h"

/* Accident: a page that sends without end. */
#define TRIAL_OPEN_MAX 16u
/* Attack: pictures in questions are allowed, films are not. */
#define TRIAL_BODY_MAX ((size_t)8 << 20)

struct trials;

struct trials_opts {
	struct manage *manage;
	struct sys_addr gateway;     /* a plain listener of ours, to connect to */
	struct bytes explain_token;  /* the caller's, outlives it */
	const struct writer *writer; /* for the snapshot with the consumers' keys */
};

/* Joins the listeners. */
struct trials *trials_new(const struct trials_opts *opts);
/* When all calls have ended (manage_stop) and the jobs too. NULL is allowed. */
void trials_free(struct trials *ts);

#endif
