/*
 * The dice are this file's own (splitmix64): a seed must give the same trial when the product's randomness changes. Trials are
 * of three kinds by chance: a few requests that meet everything, a few that meet one thing, and a crowd that meets an outage.
 */
#include "sim/trial.h"

#define CROWD 20u

struct dice {
	uint64_t s;
};

static uint64_t roll(struct dice *d)
{
	uint64_t z = d->s += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned below(struct dice *d, unsigned n)
{
	return (unsigned)(roll(d) >> 33) % n;
}

static bool in_hundred(struct dice *d, unsigned n)
{
	return below(d, 100) < n;
}

/* One of them, each as likely; what is there twice is twice as likely. */
#define ONE_OF(d, ...)                          \
	((const unsigned[]){__VA_ARGS__}[below( \
		(d), (unsigned)(sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned)))])

/* --- configuration ------------------------------------------------------------------------------ */

static void make_provider(struct dice *d, struct trial_provider *p)
{
	p->n_endpoints = ONE_OF(d, 1, 1, 1, 2);
	p->n_keys = ONE_OF(d, 1, 1, 2, 3);
	p->weight = ONE_OF(d, 1, 3, 10, 10, 0);
	p->failover = in_hundred(d, 60);
	p->checked = p->failover && in_hundred(d, 35);
	p->threshold = ONE_OF(d, 1, 2, 3, 3);
	p->retries = ONE_OF(d, 0, 0, 1, 1, 2, 3);
	p->retry_ms = ONE_OF(d, 0, 0, 1000, 2000);
	p->first_byte_ms = ONE_OF(d, 0, 0, 0, 1500);
	p->idle_ms = ONE_OF(d, 0, 0, 0, 1200);
	p->cap = ONE_OF(d, 0, 0, 0, 0, 1, 2);
	p->key_cap = ONE_OF(d, 0, 0, 0, 0, 0, 1);
	p->queue = ONE_OF(d, 1, 2, 8);
	p->queue_ms = ONE_OF(d, 500, 3000, 6000);
}

static void make_policy(struct dice *d, struct trial_policy *p)
{
	p->n_upstreams = ONE_OF(d, 1, 1, 2, 2, 3);
	p->n_fallbacks = ONE_OF(d, 0, 1, 2);
	for (unsigned i = 0; i < TRIAL_PROVIDERS; i++) {
		make_provider(d, &p->providers[i]);
	}
	/* Without any weight there would be no route. */
	p->providers[0].weight += p->providers[0].weight == 0;
	p->next = (enum trial_next)ONE_OF(
		d, NEXT_OFF, NEXT_ERRORS, NEXT_ERRORS, NEXT_STATUSES, NEXT_STATUSES, NEXT_SAFE);
	p->tries = 1 + below(d, 4);
	p->next_s = ONE_OF(d, 0, 0, 1, 2);
	p->timeout_s = ONE_OF(d, 0, 0, 0, 0, 0, 2, 4, 12);
	p->whole_s = ONE_OF(d, 0, 0, 0, 0, 5, 15);
	p->fall = p->n_fallbacks == 0 ? FALL_OFF
				      : (enum trial_fall)ONE_OF(d, FALL_DEFAULT, FALL_DEFAULT,
						FALL_CLASSES, FALL_TIMEOUT);
	p->in_order = in_hundred(d, 60);
	p->own_rate = in_hundred(d, 40);
}

/* What a reload brings: never other addresses. */
static void make_reload(struct dice *d, struct trial *t)
{
	struct trial_policy *p = &t->epochs[1];

	*p = t->epochs[0];
	t->n_epochs = 2;
	t->reload_ms = 1000 * (1 + below(d, 12));
	p->turned = in_hundred(d, 50);
	if (in_hundred(d, 40)) {
		p->next = p->next == NEXT_OFF ? NEXT_ERRORS : NEXT_OFF;
		p->fall = p->fall == FALL_OFF && p->n_fallbacks != 0 ? FALL_DEFAULT : FALL_OFF;
	}
	for (unsigned i = 0; i < TRIAL_PROVIDERS && in_hundred(d, 50); i++) {
		p->providers[i].retries = below(d, 3);
		p->providers[i].failover = in_hundred(d, 60);
		p->providers[i].checked = p->providers[i].failover && p->providers[i].checked;
	}
}

/* --- requests ----------------------------------------------------------------------------------- */

static void make_step(struct dice *d, unsigned bad, struct trial_step *s)
{
	s->pieces = 1 + below(d, 4);
	s->status = ONE_OF(d, 500, 502, 503, 503, 529, 429, 429, 401, 403, 402, 408, 404, 400, 422);
	s->retry_after_s =
		(s->status == 429 || s->status == 503) ? ONE_OF(d, 0, 0, 1, 2, 5, 40) : 0;
	s->pause_ms = ONE_OF(d, 0, 0, 40, 300);
	if (!in_hundred(d, bad)) {
		s->does = (enum trial_behaviour)ONE_OF(d, BEHAVE_GOOD, BEHAVE_GOOD, BEHAVE_GOOD,
			BEHAVE_SLOW, BEHAVE_PINGS, BEHAVE_NO_DONE, BEHAVE_MALFORMED);
	} else if (in_hundred(d, 40)) {
		s->does = BEHAVE_STATUS;
	} else {
		s->does = (enum trial_behaviour)(
			BEHAVE_STATUS + below(d, BEHAVE_COUNT - BEHAVE_STATUS));
	}
}

static void make_request(struct dice *d, unsigned bad, uint64_t span_ms, struct trial_request *r)
{
	/* Round numbers: things shall happen at the same time. */
	r->at_ms = (uint64_t)below(d, 1 + (unsigned)(span_ms / 100)) * 100 + 7;
	r->stream = in_hundred(d, 55);
	r->prompt = ONE_OF(d, 10, 10, 10, 300, 40000, 200000);
	if (in_hundred(d, 15)) {
		r->leaves_ms = ONE_OF(d, 1, 43, 300, 1000, 3000, 5000);
		r->leaves_by_reset = in_hundred(d, 50);
	}
	r->piece = ONE_OF(d, 0, 0, 0, 1000);
	r->read_max = ONE_OF(d, 0, 0, 0, 100);
	r->window = ONE_OF(d, 1000000, 1000000, 2000);
	for (unsigned k = 0; k < TRIAL_SCRIPT; k++) {
		make_step(d, bad, &r->script[k]);
	}
}

static void make_outage(struct dice *d, uint64_t span_ms, struct trial *t)
{
	struct trial_outage *o = &t->outages[t->n_outages++];
	const struct trial_policy *p = &t->epochs[0];
	unsigned i = below(d, p->n_upstreams + p->n_fallbacks);

	o->provider = i < p->n_upstreams ? i : TRIAL_UPSTREAMS + i - p->n_upstreams;
	o->endpoint = below(d, p->providers[o->provider].n_endpoints);
	o->from_ms = (uint64_t)below(d, 1 + (unsigned)(span_ms / 100)) * 100;
	o->to_ms = o->from_ms + ONE_OF(d, 300, 3000, 9000, 30000);
	o->silent = in_hundred(d, 30);
	o->resets = in_hundred(d, 60);
}

void trial_make(uint64_t seed, struct trial *out)
{
	struct dice d = {seed * 2654435761u + 1};
	bool crowd = in_hundred(&d, 8);
	uint64_t span_ms = crowd ? ONE_OF(&d, 1000, 8000) : ONE_OF(&d, 0, 3000, 15000);
	unsigned bad = ONE_OF(&d, 15, 50, 50, 80, 97);

	memset(out, 0, sizeof(*out));
	out->seed = seed;
	out->workers = ONE_OF(&d, 1, 2, 2, 3);
	out->upstream_window = ONE_OF(&d, 1000000, 1000000, 3000);
	out->upstream_piece = ONE_OF(&d, 0, 0, 50);
	out->n_epochs = 1;
	make_policy(&d, &out->epochs[0]);
	if (in_hundred(&d, 35)) {
		make_reload(&d, out);
	}
	out->n_requests = crowd ? CROWD + below(&d, TRIAL_REQUESTS - CROWD + 1) : 1 + below(&d, 7);
	for (unsigned i = 0; i < out->n_requests; i++) {
		make_request(&d, bad, span_ms, &out->requests[i]);
	}
	for (unsigned n = ONE_OF(&d, 0, 0, 0, 1, 2, 4); out->n_outages < n;) {
		make_outage(&d, span_ms, out);
	}
}
