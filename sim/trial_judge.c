/*
 * What holds of every trial. Three witnesses are compared: what clients got, what upstreams saw, and what the program told of
 * it in its access lines and counters. Where an outage and a deadline meet in one moment either may have come first, and
 * both are believed.
 */
#include <stdlib.h>

#include "sim/trial_court.h"

bool court_wrong(struct court *c, const char *fmt, ...)
{
	va_list ap;

	text_addf(c->failure, "request %u: ", c->request);
	va_start(ap, fmt);
	text_addv(c->failure, fmt, ap);
	va_end(ap);
	return false;
}

/* --- deadlines and pauses --------------------------------------------------------------------------- */

static uint64_t shorter(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

/* From its request to its first byte. */
static uint64_t first_byte_ms(const struct court *c, unsigned j)
{
	const struct trial_policy *p = policy_of(c);
	const struct trial_provider *v = &p->providers[c->courses[c->request].v[j].provider];
	bool stream = request_of(c)->stream;
	uint64_t ms = stream ? (v->first_byte_ms != 0 ? v->first_byte_ms : TRIAL_FIRST_BYTE_MS)
			     : TRIAL_ANSWER_MS;

	if (!stream && j == 0) {
		return ms;
	}
	ms = v->retries != 0 ? shorter(ms, v->retry_ms) : ms;
	return p->next != NEXT_OFF ? shorter(ms, p->next_s * 1000u) : ms;
}

static bool check_deadlines(struct court *c)
{
	const struct trial_course *course = &c->courses[c->request];

	for (unsigned j = 0; j < course->n; j++) {
		const struct trial_tried *v = &course->v[j];
		const struct trial_attempt *a = v->seen;

		if (strcmp(v->class, "timeout") != 0 || has_deadline(policy_of(c)) ||
			(c->told[c->request].aborted && j + 1 == course->n)) {
			continue;
		}
		if (a == NULL && !v->anew && j + 1 < course->n &&
			!is_near(v->ms, TRIAL_CONNECT_MS)) {
			return court_wrong(c, "attempt %u waited %llu ms for a connection", j + 1,
				(unsigned long long)v->ms);
		}
		if (a != NULL && !a->struck &&
			!is_near(a->left_ms - a->at_ms, first_byte_ms(c, j))) {
			return court_wrong(c,
				"attempt %u had %llu ms for its first byte, and took %llu", j + 1,
				(unsigned long long)first_byte_ms(c, j),
				(unsigned long long)(a->left_ms - a->at_ms));
		}
	}
	return true;
}

static void pause_range(
	const struct court *c, const struct trial_tried *v, uint64_t *from, uint64_t *to)
{
	bool same_key = policy_of(c)->providers[v->provider].n_keys == 1;

	*from = *to = 0;
	if (v->way != WAY_RETRY) {
		return;
	}
	if (v[-1].retry_after_ms != 0) {
		*from = *to = same_key ? v[-1].retry_after_ms : 0;
	} else {
		*from = PAUSE_MIN_MS;
		*to = PAUSE_MAX_MS;
	}
}

static bool check_pauses(struct court *c)
{
	const struct trial_course *course = &c->courses[c->request];

	for (unsigned j = 1; j < course->n; j++) {
		const struct trial_attempt *before = course->v[j - 1].seen;
		const struct trial_attempt *a = course->v[j].seen;
		uint64_t from, to, gap;

		if (before == NULL || a == NULL || court_died_idle(before) || !before->direct ||
			!a->direct) {
			continue;
		}
		pause_range(c, &course->v[j], &from, &to);
		gap = a->at_ms - before->at_ms - MIN(course->v[j - 1].ms, a->at_ms - before->at_ms);
		if (gap + SLACK_MS < from || gap > to + SLACK_MS) {
			return court_wrong(c,
				"%llu ms between attempts %u and %u, not %llu to %llu",
				(unsigned long long)gap, j, j + 1, (unsigned long long)from,
				(unsigned long long)to);
		}
	}
	return true;
}

/* All of it together. */
static bool check_whole(struct court *c)
{
	const struct trial_policy *p = policy_of(c);
	const struct trial_caller *w = caller_of(c);
	const struct trial_course *course = &c->courses[c->request];
	uint64_t last = w->left ? w->asked_ms : w->ended_ms;

	if (p->timeout_s != 0 && w->first_ms > w->asked_ms + p->timeout_s * 1000u + SLACK_MS) {
		return court_wrong(c,
			"its answer began after %llu ms, and the route's timeout is %u s",
			(unsigned long long)(w->first_ms - w->asked_ms), p->timeout_s);
	}
	if (p->whole_s != 0 && course->n != 0 && course->v[0].seen != NULL &&
		!court_died_idle(course->v[0].seen) &&
		last > course->v[0].seen->at_ms + p->whole_s * 1000u + SLACK_MS) {
		return court_wrong(
			c, "its answer was not over %u s behind its request", p->whole_s);
	}
	return true;
}

static bool check_idle(struct court *c)
{
	const struct trial_course *course = &c->courses[c->request];
	const struct trial_caller *w = caller_of(c);
	const struct trial_attempt *a = course->n != 0 ? course->v[course->n - 1].seen : NULL;
	const struct trial_provider *p;

	if (a == NULL || a->step->does != BEHAVE_LATE_STALL || a->struck ||
		has_deadline(policy_of(c)) || course->v[course->n - 1].class[0] != '\0') {
		return true;
	}
	p = &policy_of(c)->providers[a->provider];
	return is_near(w->ended_ms - a->sent_ms, p->idle_ms != 0 ? p->idle_ms : TRIAL_IDLE_MS) ||
		court_wrong(c, "silence for %llu ms was borne",
			(unsigned long long)(w->ended_ms - a->sent_ms));
}

/* Nothing is tried again once the client has seen a byte, and nothing for a client that has left. */
static bool check_moments(struct court *c)
{
	const struct trial_caller *w = caller_of(c);

	for (unsigned i = 0; i < c->s->n_attempts; i++) {
		const struct trial_attempt *a = &c->s->attempts[i];

		if (a->request != c->request) {
			continue;
		}
		if (w->first_moment != 0 && a->moment >= w->first_moment) {
			return court_wrong(
				c, "an upstream was asked when the client had its answer");
		}
		if (w->left && a->moment > w->left_moment + 1) {
			return court_wrong(c, "an upstream was asked for a client that had left");
		}
		if (w->left && a->far->end == FAR_OPEN && !a->far->closed && a->done < a->n_acts) {
			return court_wrong(c, "its upstream goes on although its client has left");
		}
		if (a->whole && !a->right) {
			return court_wrong(
				c, "p%u got another body than the client sent", a->provider);
		}
	}
	return true;
}

static bool check_request(struct court *c)
{
	struct trial_course *course = &c->courses[c->request];
	const struct trial_told *told = &c->told[c->request];
	const char *breach;

	course->ended = !told->aborted && !has_deadline(course->policy);
	breach = trial_policy_breach(course);
	if (breach != NULL) {
		return court_wrong(c, "%s", breach);
	}
	return check_moments(c) && check_deadlines(c) && check_pauses(c) && check_whole(c) &&
		(told->aborted || caller_of(c)->left || (court_client(c) && check_idle(c)));
}

static bool judge(struct court *c)
{
	for (c->request = 0; c->request < c->t->n_requests; c->request++) {
		if (c->t->requests[c->request].left_out) {
			continue;
		}
		trial_told(c->s->log, c->request, &c->told[c->request]);
		c->courses[c->request].policy = policy_of(c);
		if (c->told[c->request].there != 1) {
			return court_wrong(c, "%u access lines", c->told[c->request].there);
		}
		if (!court_join(c)) {
			return false;
		}
	}
	court_note_failures(c);
	for (c->request = 0; c->request < c->t->n_requests; c->request++) {
		if (!c->t->requests[c->request].left_out && !check_request(c)) {
			return false;
		}
	}
	return court_sums(c);
}

bool trial_judge(const struct trial *t, const struct trial_seen *s, struct text *failure)
{
	struct court *c = must_alloc(sizeof(*c));
	bool good;

	c->t = t;
	c->s = s;
	c->failure = failure;
	good = judge(c);
	free(c);
	return good;
}
