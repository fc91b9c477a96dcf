/*
 * The attempts of an exchange: where the first one goes, what a failure means, and whether another one follows. The
 * decisions are plan/course.h's; here is what they need to know and what they cause. A step that finds out that its
 * attempt failed says with reply_set what the client gets if nothing better follows, and returns attempts_failed.
 */
#ifndef PROXY_ATTEMPTS_H
#define PROXY_ATTEMPTS_H

#include "proxy/exchange.h"

/* What the access line says of attempts that another one followed, at most; the last ones are left out then. */
#define ATTEMPTS_TRIES_MAX 2048u

/* Step choose: the first destination, or the pause before another attempt. */
enum verdict step_choose(struct exchange *x);
/* Step judge: an answer whose status is an error is read as far as it says why. */
enum verdict step_judge(struct exchange *x);
/* Nothing of the attempt has reached the client, and reply_set was called. VERDICT_RETRY, or VERDICT_REPLY. */
enum verdict attempts_failed(struct exchange *x, enum failure_class class);
/* The stream's first event, or the beginning of another 2xx answer, looks like an error. VERDICT_RETRY; VERDICT_NEXT: it
 * is none, or there is nothing better. */
enum verdict attempts_doubt(
	struct exchange *x, struct bytes body, bool event, struct bytes event_name);
/* An answer that begins like that, or may yet: whether what there is of it is too little to say more, and the rest is worth
 * waiting for. */
bool attempts_wait_for_why(struct exchange *x, struct bytes begin);
/* Whether it does. */
bool attempts_look_twice(struct bytes body, struct bytes event_name);
/* Nearly every answer begins with {"id" or {"object". */
static inline bool attempts_is_usual(struct bytes body)
{
	return body.n > 2 && body.p[0] == '{' && body.p[1] == '"' &&
		(body.p[2] == 'i' || body.p[2] == 'o');
}
static inline bool attempts_is_doubtful(struct bytes body, struct bytes event_name)
{
	return !(event_name.n == 0 && attempts_is_usual(body)) &&
		attempts_look_twice(body, event_name);
}
/* A content filter that speaks first is a reason to go on. */
static inline bool attempts_want_filtered(const struct request *rq)
{
	const struct fallback *f = rq->at.route->fallback;

	return f != NULL && (f->on.events & FAILURE_ON_FILTERED) != 0;
}
/* The answer goes to the client: no attempt follows. */
void attempts_commit(struct exchange *x);
/* The exchange ends, perhaps before anything was known of its attempt. */
void attempts_leave(struct exchange *x);
/* Fields of the answer that say what it took; digits: room for them. */
#define ATTEMPTS_DIGITS 16u
void attempts_add_more(struct exchange *x, struct head_out *out, char digits[ATTEMPTS_DIGITS]);
static inline void attempts_add(
	struct exchange *x, struct head_out *out, char digits[ATTEMPTS_DIGITS])
{
	if (x->rec.attempts > 1 || (x->rq->chosen && x->rq->course.fallback != NULL)) {
		attempts_add_more(x, out, digits);
	}
}

#endif
