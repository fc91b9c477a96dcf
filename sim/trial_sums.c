/* Counters against what happened, budgets, caps, and credentials that were told to wait. */
#include "sim/trial_court.h"

#define BUDGET 10u
#define BUDGET_SHARE 5u

static bool equal(struct court *c, const char *what, uint64_t counted, uint64_t expected)
{
	if (counted == expected) {
		return true;
	}
	text_addf(c->failure, "%s: %llu counted, %llu happened", what, (unsigned long long)counted,
		(unsigned long long)expected);
	return false;
}

static bool check_failures(struct court *c)
{
	for (unsigned k = 1; k < FAILURE_CLASSES; k++) {
		const char *name = failure_class_name((enum failure_class)k);
		uint64_t n = 0;

		for (unsigned i = 0; i < c->t->n_requests; i++) {
			for (unsigned j = 0; j < c->courses[i].n; j++) {
				n += strcmp(c->courses[i].v[j].class, name) == 0;
			}
		}
		if (!equal(c, name, c->s->counts.failed[k], n)) {
			return false;
		}
	}
	return true;
}

static bool check_counts(struct court *c)
{
	uint64_t exchanges = 0, retries = 0, fallbacks = 0, aborts = 0;
	const struct trial_counts *n = &c->s->counts;

	for (unsigned i = 0; i < c->t->n_requests; i++) {
		exchanges += c->s->callers[i].far != NULL;
		retries += c->told[i].n_tries;
		aborts += c->told[i].aborted;
		for (unsigned j = 0; j < c->courses[i].n; j++) {
			fallbacks += c->courses[i].v[j].provider >= TRIAL_UPSTREAMS;
		}
	}
	return equal(c, "exchanges", n->exchanges, exchanges) &&
		equal(c, "retries", n->retries, retries) &&
		equal(c, "clients that left", n->client_aborts, aborts) &&
		(n->fallbacks <= fallbacks + aborts ||
			equal(c, "fallbacks", n->fallbacks, fallbacks)) &&
		(n->fallbacks >= fallbacks || equal(c, "fallbacks", n->fallbacks, fallbacks)) &&
		equal(c, "places that are held", n->in_use, 0) &&
		equal(c, "places that are waited for", n->waiting, 0) && check_failures(c);
}

/* Retries of an upstream: ten in a row, one a second, and one for every five first attempts. */
static bool check_budget(struct court *c)
{
	for (unsigned p = 0; p < TRIAL_PROVIDERS; p++) {
		uint64_t firsts = 0, again = 0;

		for (unsigned i = 0; i < c->t->n_requests; i++) {
			for (unsigned j = 0; j < c->courses[i].n; j++) {
				const struct trial_tried *v = &c->courses[i].v[j];
				bool same = j != 0 && v[-1].provider == v->provider;

				again += same && v->provider == p;
				firsts += !same && v->provider == p;
			}
		}
		if (again > BUDGET + c->s->ended_ms / 1000 + 1 + firsts / BUDGET_SHARE) {
			text_addf(c->failure,
				"p%u was asked again %llu times by %llu requests in %llu ms", p,
				(unsigned long long)again, (unsigned long long)firsts,
				(unsigned long long)c->s->ended_ms);
			return false;
		}
	}
	return true;
}

static bool check_caps(struct court *c)
{
	for (unsigned p = 0; p < TRIAL_PROVIDERS; p++) {
		unsigned cap = c->t->epochs[0].providers[p].cap;

		if (cap != 0 && c->s->most_at_once[p] > cap) {
			text_addf(c->failure, "p%u had %u requests at once, and its cap is %u", p,
				c->s->most_at_once[p], cap);
			return false;
		}
	}
	return true;
}

/* Its choice was made when the attempt before it had failed; then it paused. */
static bool had_chosen(const struct court *c, const struct trial_attempt *a, unsigned moment)
{
	for (unsigned i = 0; i < c->s->n_attempts; i++) {
		const struct trial_attempt *b = &c->s->attempts[i];

		if (b->request == a->request && b->k < a->k && b->provider == a->provider &&
			b->moment <= moment) {
			return true;
		}
	}
	return false;
}

/* When the gateway knew: a body that stalls is waited for, as long as its client is there. */
static uint64_t known_ms(const struct trial_attempt *told)
{
	if (told->step->does != BEHAVE_STATUS_STALLS) {
		return told->sent_ms;
	}
	return told->left_ms >= told->sent_ms + TRIAL_ERROR_BODY_MS ? told->left_ms : UINT64_MAX;
}

/* What was told to wait is not asked before its time while another credential was never blamed; but for who had chosen it
 * already, and paused. */
static bool check_wait(struct court *c, const struct trial_attempt *told)
{
	const struct trial_provider *p = &c->t->epochs[0].providers[told->provider];
	unsigned failed = c->courses[0].failed_keys[told->provider];
	uint64_t until = told->sent_ms + court_wait_of(told);

	if (c->t->n_epochs != 1 || !p->failover || told->step->status != 429 ||
		court_wait_of(told) == 0 || told->done == 0 || p->key_cap != 0 || p->cap != 0 ||
		(failed & ((1u << p->n_keys) - 1)) == (1u << p->n_keys) - 1) {
		return true;
	}
	for (unsigned i = 0; i < c->s->n_attempts; i++) {
		const struct trial_attempt *a = &c->s->attempts[i];

		if (a->provider == told->provider && a->key == told->key &&
			a->moment > told->moment + 2 && a->at_ms > known_ms(told) &&
			a->at_ms < until && !had_chosen(c, a, told->moment + 2)) {
			c->request = a->request;
			return court_wrong(c, "a credential was used that had been told to wait");
		}
	}
	return true;
}

/* The first failure of a credential is told by itself: what came before may have put it out of service already. */
static bool check_waits(struct court *c)
{
	unsigned seen[TRIAL_PROVIDERS] = {0};

	for (unsigned i = 0; i < c->s->n_attempts; i++) {
		const struct trial_attempt *a = &c->s->attempts[i];
		bool first = (seen[a->provider] >> a->key & 1) == 0;

		if (court_fault_of(c, a).class[0] == '\0') {
			continue;
		}
		seen[a->provider] |= 1u << a->key;
		if (first && !check_wait(c, a)) {
			return false;
		}
	}
	return true;
}
bool court_sums(struct court *c)
{
	return check_counts(c) && check_budget(c) && check_caps(c) && check_waits(c);
}
