/*
 * Two witnesses of the attempts of a request: the access line tells all of them, upstreams saw those that came to them. An attempt
 * that no upstream saw must be one whose connection failed.
 */
#include "sim/trial_court.h"

/* Further attempts that no budget refuses. */
#define RETRIES_FREE 10u

/* --- what became of an attempt, by what its upstream did ---------------------------------------- */

static bool is_decided(const struct court *c, const struct trial_attempt *a)
{
	return trial_is_decided(a->step, c->t->requests[a->request].stream, a->done);
}

struct trial_fault court_fault_of(const struct court *c, const struct trial_attempt *a)
{
	struct trial_fault f = trial_fault_of(a->step, c->t->requests[a->request].stream);

	if (a->struck && !is_decided(c, a)) {
		f = (struct trial_fault){.class = "reset", .status = a->done != 0 ? 200 : 0};
	}
	return f;
}

bool court_died_idle(const struct trial_attempt *a)
{
	enum trial_behaviour b = a->step->does;

	return !a->first &&
		(b == BEHAVE_RESET || b == BEHAVE_RESET_EARLY || b == BEHAVE_CLOSE ||
			(a->struck && a->done == 0 && a->struck_ms < a->at_ms + TRIAL_CROSSED_MS));
}

static bool had_outage(const struct court *c, unsigned provider, unsigned endpoint)
{
	for (unsigned i = 0; i < c->t->n_outages; i++) {
		const struct trial_outage *o = &c->t->outages[i];

		if (o->provider == provider && o->endpoint == endpoint) {
			return true;
		}
	}
	return false;
}

/* --- the attempts of a request -------------------------------------------------------------------- */

struct told_attempt {
	const char *class;
	unsigned status, provider, endpoint, key;
	uint64_t ms;
	bool last;
};

static struct told_attempt told_attempt(const struct trial_told *told, unsigned j)
{
	if (j < told->n_tries) {
		const struct trial_try *t = &told->tries[j];

		return (struct told_attempt){
			t->class, t->status, t->provider, t->endpoint, t->key, t->ms, false};
	}
	return (struct told_attempt){
		told->class, 0, told->provider, told->endpoint, TRIAL_KEYS, 0, true};
}

static const struct trial_attempt *next_seen(const struct court *c, unsigned *at)
{
	for (; *at < c->s->n_attempts; (*at)++) {
		if (c->s->attempts[*at].request == c->request) {
			return &c->s->attempts[*at];
		}
	}
	return NULL;
}

static bool is_same(const struct told_attempt *t, const struct trial_attempt *a)
{
	return t->provider == a->provider && (t->endpoint == a->endpoint) &&
		(t->last || t->key == a->key);
}

/* Whether the attempt that is told came to an upstream at all. */
static bool was_seen(
	const struct court *c, const struct told_attempt *t, const struct trial_attempt *a)
{
	if (a == NULL || !is_same(t, a) || strcmp(t->class, "connect") == 0) {
		return false;
	}
	/* Its request was lost with a connection that an outage took. */
	if (strcmp(t->class, "reset") == 0 && strcmp(court_fault_of(c, a).class, "reset") != 0 &&
		had_outage(c, t->provider, t->endpoint)) {
		return false;
	}
	if (strcmp(t->class, "timeout") != 0) {
		return true;
	}
	/* Of a connection that was never there, or of an answer that was waited for. */
	return t->status != 0 ||
		(!is_decided(c, a) && (t->last || !is_near(t->ms, TRIAL_CONNECT_MS)));
}

uint64_t court_wait_of(const struct trial_attempt *a)
{
	const struct trial_step *s = a->step;
	bool status = s->does >= BEHAVE_STATUS && s->does <= BEHAVE_STATUS_EARLY;

	return status && (s->status == 429 || s->status == 503) ? s->retry_after_s * 1000u : 0;
}

/* An error behind a 200 that comes in pieces is waited for only where a policy asks why. */
static bool is_nobodys(const struct court *c, const struct trial_attempt *a)
{
	const struct trial_policy *p = policy_of(c);

	return a->step->does == BEHAVE_ERROR_200 && p->next == NEXT_OFF && p->fall == FALL_OFF &&
		p->providers[a->provider].retries == 0 && !p->providers[a->provider].failover;
}

static bool compare_class(
	struct court *c, const struct told_attempt *t, const struct trial_attempt *a, unsigned j)
{
	struct trial_fault f = court_fault_of(c, a);
	const struct trial_told *told = &c->told[c->request];
	/* A deadline of all attempts may end any of them. */
	bool late = strcmp(t->class, "timeout") == 0 && has_deadline(policy_of(c));

	if (t->last && (told->aborted || (t->class[0] == '\0' && is_nobodys(c, a)))) {
		return true;
	}
	if (strcmp(t->class, f.class) != 0 && !late &&
		!(a->struck && strcmp(t->class, "reset") == 0)) {
		return court_wrong(c, "attempt %u did %s, which is \"%s\", and is told as \"%s\"",
			j + 1, trial_behaviour_name(a->step->does), f.class, t->class);
	}
	if (!t->last && t->status != f.status && !late && !a->struck) {
		return court_wrong(c, "attempt %u had status %u, and is told with %u", j + 1,
			f.status, t->status);
	}
	return true;
}

bool court_join(struct court *c)
{
	const struct trial_told *told = &c->told[c->request];
	struct trial_course *course = &c->courses[c->request];
	unsigned at = 0;

	for (unsigned j = 0; j < told->attempts; j++) {
		struct told_attempt t = told_attempt(told, j);
		struct trial_tried *v = &course->v[course->n];
		const struct trial_attempt *a = next_seen(c, &at);
		const struct trial_attempt *again;

		bool anew = false;

		while (a != NULL && court_died_idle(a) && is_same(&t, a)) {
			anew = true;
			at++;
			again = next_seen(c, &at);
			if (again == NULL || !is_same(&t, again)) {
				a = NULL;
				break;
			}
			a = again;
		}
		if (course->n == TRIAL_SCRIPT) {
			return court_wrong(c, "more attempts than can be");
		}
		*v = (struct trial_tried){.provider = t.provider,
			.endpoint = t.endpoint,
			.key = t.key,
			.class = t.class,
			.status = t.status,
			.ms = t.ms,
			.anew = anew};
		if (was_seen(c, &t, a)) {
			at++;
			v->seen = a;
			v->key = a->key;
			v->retry_after_ms = court_wait_of(a);
			v->status = court_fault_of(c, a).status;
			if (!compare_class(c, &t, a, j)) {
				return false;
			}
		} else if (strcmp(t.class, "connect") != 0 && strcmp(t.class, "timeout") != 0 &&
			!(strcmp(t.class, "reset") == 0 && had_outage(c, t.provider, t.endpoint)) &&
			!(t.last && told->aborted)) {
			return court_wrong(c,
				"attempt %u at p%u is told as \"%s\", and nobody saw it", j + 1,
				t.provider, t.class);
		} else {
			v->connecting = true;
		}
		course->n++;
	}
	if (next_seen(c, &at) != NULL) {
		return court_wrong(
			c, "p%u saw an attempt that nobody told of", c->s->attempts[at].provider);
	}
	return true;
}

void court_note_failures(struct court *c)
{
	unsigned providers = 0, keys[TRIAL_PROVIDERS] = {0}, endpoints[TRIAL_PROVIDERS] = {0};
	unsigned all = 0;

	for (unsigned i = 0; i < c->t->n_requests; i++) {
		all += c->told[i].n_tries; /* a client may have left before the next one began */
		for (unsigned j = 0; j < c->courses[i].n; j++) {
			const struct trial_tried *v = &c->courses[i].v[j];

			if (v->class[0] != '\0' || c->told[i].aborted) {
				providers |= 1u << v->provider;
				keys[v->provider] |= 1u << v->key;
				endpoints[v->provider] |= 1u << v->endpoint;
			}
		}
	}
	for (unsigned i = 0; i < c->t->n_requests; i++) {
		struct trial_course *course = &c->courses[i];

		course->failed_providers = providers;
		memcpy(course->failed_keys, keys, sizeof(keys));
		memcpy(course->failed_endpoints, endpoints, sizeof(endpoints));
		course->plenty = all < RETRIES_FREE;
	}
}
