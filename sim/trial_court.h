/* What the judge's files share: the case, and what was made of it so far. */
#ifndef SIM_TRIAL_COURT_H
#define SIM_TRIAL_COURT_H

#include "sim/trial.h"

/* Of any comparison of times. */
#define SLACK_MS 3u
#define PAUSE_MIN_MS 50u
#define PAUSE_MAX_MS 200u

struct court {
	const struct trial *t;
	const struct trial_seen *s;
	struct text *failure;
	unsigned request; /* that is looked at */
	struct trial_told told[TRIAL_REQUESTS];
	struct trial_course courses[TRIAL_REQUESTS];
};

/* Says it of the request that is looked at; returns false. */
bool court_wrong(struct court *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline const struct trial_request *request_of(const struct court *c)
{
	return &c->t->requests[c->request];
}
static inline const struct trial_caller *caller_of(const struct court *c)
{
	return &c->s->callers[c->request];
}
static inline const struct trial_policy *policy_of(const struct court *c)
{
	return &c->t->epochs[caller_of(c)->epoch];
}
static inline bool has_deadline(const struct trial_policy *p)
{
	return p->timeout_s != 0 || p->whole_s != 0;
}
static inline bool is_near(uint64_t a, uint64_t b)
{
	return a <= b + SLACK_MS && b <= a + SLACK_MS;
}

/* --- trial_join.c ----------------------------------------------------------------------------------- */

/* What became of an attempt, by what its upstream did. */
struct trial_fault court_fault_of(const struct court *c, const struct trial_attempt *a);
/* On a connection that idled: it may have been closed before the request came, so it is sent once more (RFC 9112 §9.3.1). */
bool court_died_idle(const struct trial_attempt *a);
/* The Retry-After of its answer. */
uint64_t court_wait_of(const struct trial_attempt *a);
/* Joins what was told of the request with what was seen, to its course. */
bool court_join(struct court *c);
/* Behind all of them: who has seen anything but answers, in the whole trial. */
void court_note_failures(struct court *c);

/* --- trial_client.c --------------------------------------------------------------------------------- */

/* What the client got: the last attempt's answer and nothing else, or an honest error. */
bool court_client(struct court *c);

/* --- trial_sums.c ----------------------------------------------------------------------------------- */

/* What holds of all requests together. */
bool court_sums(struct court *c);

#endif
