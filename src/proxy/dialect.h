/*
 * What the exchange asks of those who understand payloads (room ai) and credentials (room filter).
 * registry.c hands the tables over; proxy knows neither room.
 */
#ifndef PROXY_DIALECT_H
#define PROXY_DIALECT_H

#include "http/head.h"
#include "proxy/failure.h"
#include "wire/sse.h"

struct exchange;
struct route;

enum verdict {
	VERDICT_NEXT,
	VERDICT_WAIT,   /* back to the loop; the step runs again when something changed */
	VERDICT_AGAIN,  /* go on in the next turn */
	VERDICT_RETRY,  /* a new attempt, from the choice of its destination on */
	VERDICT_RESEND, /* the same one on another connection */
	VERDICT_REPLY,  /* the gateway answers: reply_set was called */
	VERDICT_END     /* finish */
};

/* EVENT_PUT: answer_put has said what the client gets instead; only of an answer that is rewritten. */
enum event_verdict { EVENT_PASS, EVENT_HIDE, EVENT_PUT };

/*
 * How an answer goes on. What is rewritten or gathered does not reach the client by itself: the dialect puts
 * pieces of it, and texts of its own, behind one another (answer_put, answer_put_held), and only what it
 * has put is sent. So nothing is printed again that stays as it was.
 */
enum answer_way {
	ANSWER_SENT_ON,   /* as it comes; the dialect looks on, and may hide events */
	ANSWER_REWRITTEN, /* a stream whose events are passed, hidden or put, one after the other */
	ANSWER_GATHERED   /* nothing is sent before its end; then whole() puts all of it */
};

/* What a dialect may keep of an answer in the exchange itself. */
#define DIALECT_ROOM 40u

struct dialect {
	/* The body is whole and its hits are in x->rq->hits: reads what routing needs (model, stream).
	 * False: replied (400). */
	bool (*read_request)(struct exchange *x);
	/* A destination with a provider is chosen: a look at the gathered body for it, in slices. */
	enum verdict (*survey)(struct exchange *x);
	/* A destination is chosen: decides path, edits of the body and credential, into x->rq. False:
	 * replied. */
	bool (*prepare)(struct exchange *x);
	/* The model to send to the chosen provider for `model`. */
	struct bytes (*map_model)(const struct exchange *x, struct bytes model);
	/* The destination has no provider, but the gateway has changed rq->model: edits the body, into
	 * x->rq. False: replied. */
	bool (*set_model)(struct exchange *x);
	/* Adds the credential and other fields of its own to the head for the upstream. */
	void (*add_headers)(struct exchange *x, struct head_out *out);
	/* The answer's head is there (2xx) and its body will be read: how it goes on. */
	enum answer_way (*begin_answer)(struct exchange *x, bool stream);
	/* One event of a stream. raw is contiguous. */
	enum event_verdict (*event)(
		struct exchange *x, const struct sse_event *e, struct bytes raw);
	/* The next bytes of an answer that is no stream (last: nothing follows). */
	void (*bytes)(struct exchange *x, struct bytes b, bool last);
	/* ANSWER_GATHERED: all of it was shown, as events or bytes; the latter are still held. Puts the
	 * client's answer, and says of what type it is when that is another one (x->answer.reshape->type). False:
	 * replied. */
	bool (*whole)(struct exchange *x);
	/* The end. ANSWER_REWRITTEN: whole when nothing is missing; then more may be put. */
	void (*end_answer)(struct exchange *x, bool whole);
	/* Why an answer is a failure: any status from 400 on, or the first event, or the beginning of the body, of a
	 * 2xx (then FAILURE_NONE as a rule). Sets class and retry_after_ms; the rest of *out is set already. Pure. */
	void (*classify)(const struct failure_facts *facts, struct failure *out);
	/* Gives back what begin_answer made; called once, on every path. */
	void (*done)(struct exchange *x);
};

/* A filter that knows nothing of what payloads mean. */
struct filter {
	const char *name;
	/* Step identify: who calls? Sets x->rq->consumer; false: replied. May be NULL. */
	bool (*identify)(struct exchange *x);
	/* Whether the caller may use a route; says nothing. May be NULL. */
	bool (*allows)(struct exchange *x, const struct route *r);
	/* Step decide: the verdict for the final route; false: replied. May be NULL. */
	bool (*decide)(struct exchange *x);
	/* Step screen, asked for routes that refuse something (route->blocking): what is known when the route is, up
	 * to the body's bytes, in slices. May be NULL. */
	enum verdict (*screen)(struct exchange *x);
};

struct gateway_opts;
struct plan;
struct text;

/* Counts what exchanges come to. What it keeps belongs to one worker: nobody else looks at it. */
struct observer {
	void *(*start)(const struct gateway_opts *opts);
	void (*stop)(void *kept);
	/* A destination was chosen and prepared: a new attempt. */
	void (*chosen)(void *kept, struct exchange *x);
	/* The record is complete. Called once, on every path. */
	void (*finish)(void *kept, struct exchange *x);
	/* About once a second: a bounded piece of tidying. p: the plan in force, NULL before the first. */
	void (*tidy)(void *kept, const struct plan *p, uint64_t now_ms);
	/* Puts the next piece of all that is kept behind out, as bytes that only the observer's room
	 * reads; *at is 0 at first. False: that was the last; who began goes on until then. */
	bool (*copy)(void *kept, size_t *at, struct text *out);
	/* The same of the little that is asked for every few seconds; its order is the callee's, and who began may
	 * stop. May be NULL. */
	bool (*copy_tally)(void *kept, size_t *at, struct text *out);
};

struct json_query;

struct hooks {
	const struct dialect *dialect;
	/* The dialect's queries, made once at start: of request bodies, of answers and events, of answers
	 * that are changed, and of failures. */
	const struct json_query *request_query, *answer_query, *chat_query, *failure_query;
	const struct filter *const *filters;
	size_t n_filters;
	const struct observer *observer; /* NULL: nobody counts */
};

#endif
