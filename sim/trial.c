/* Trials one after the other. One that fails is played again without each of its requests, and with each step of what is left made good,
 * as long as it still fails. */
#include "sim/trial.h"

#include <stdio.h>
#include <stdlib.h>

#define FAILURE_MAX 4096u

static bool fails(const struct trial *t)
{
	struct text failure;
	bool good;

	text_init(&failure, FAILURE_MAX);
	good = trial_play(t, trial_judge, &failure);
	text_done(&failure);
	return !good;
}

static bool still_fails_without(struct trial *t, unsigned request)
{
	t->requests[request].left_out = true;
	if (fails(t)) {
		return true;
	}
	t->requests[request].left_out = false;
	return false;
}

static void try_good_steps(struct trial *t, struct trial_request *r)
{
	for (unsigned k = 0; k < TRIAL_SCRIPT; k++) {
		struct trial_step before = r->script[k];

		r->script[k] = (struct trial_step){.does = BEHAVE_GOOD, .pieces = 1};
		if (!fails(t)) {
			r->script[k] = before;
		}
	}
}

static void shorten(struct trial *t)
{
	unsigned outages = t->n_outages;
	unsigned epochs = t->n_epochs;

	for (unsigned i = 0; i < t->n_requests; i++) {
		IGNORE(still_fails_without(t, i)); /* or it stays */
	}
	t->n_outages = 0;
	t->n_outages = fails(t) ? 0 : outages;
	t->n_epochs = 1;
	t->n_epochs = fails(t) ? 1 : epochs;
	for (unsigned i = 0; i < t->n_requests; i++) {
		if (!t->requests[i].left_out) {
			try_good_steps(t, &t->requests[i]);
		}
	}
}

/* --- as text ---------------------------------------------------------------------------------------- */

static void tell_provider(const struct trial_provider *p, unsigned i)
{
	printf("      p%u: %u endpoints, %u keys, weight %u; failover %s after %u%s; %u retries of %u ms; caps %u, %u "
	       "with a queue of %u for %u ms; first byte %u, idle %u ms\n",
		i, p->n_endpoints, p->n_keys, p->weight, p->failover ? "on" : "off", p->threshold,
		p->checked ? ", checked" : "", p->retries, p->retry_ms, p->cap, p->key_cap,
		p->queue, p->queue_ms, p->first_byte_ms, p->idle_ms);
}

static void tell_policy(const struct trial_policy *p)
{
	static const char *const next[] = {
		"off", "errors", "errors, not of a POST", "errors and statuses"};
	static const char *const fall[] = {"off", "default", "4xx,5xx", "timeout"};

	printf("    next upstream: %s, %u tries of %u s; fallback: %s, %s%s; timeout %u s, routeTimeout %u s\n",
		next[p->next], p->tries, p->next_s, fall[p->fall], p->in_order ? "SEQ" : "RAND",
		p->own_rate ? ", on own 429" : "", p->timeout_s, p->whole_s);
	for (unsigned i = 0; i < p->n_upstreams; i++) {
		tell_provider(&p->providers[i], i);
	}
	for (unsigned i = 0; i < p->n_fallbacks; i++) {
		tell_provider(&p->providers[TRIAL_UPSTREAMS + i], TRIAL_UPSTREAMS + i);
	}
}

static void tell_request(const struct trial_request *r, unsigned i)
{
	printf("    %llu ms: request %u%s, %zu bytes", (unsigned long long)r->at_ms, i,
		r->stream ? " for a stream" : "", r->prompt);
	if (r->leaves_ms != 0) {
		printf(", leaves after %llu ms", (unsigned long long)r->leaves_ms);
	}
	printf(":");
	for (unsigned k = 0; k < TRIAL_SCRIPT; k++) {
		const struct trial_step *s = &r->script[k];

		printf(" %s", trial_behaviour_name(s->does));
		if (s->does >= BEHAVE_STATUS && s->does <= BEHAVE_STATUS_EARLY) {
			printf("-%u", s->status);
		}
		if (s->retry_after_s != 0) {
			printf("(%u s)", s->retry_after_s);
		}
	}
	printf("\n");
}

static void tell(const struct trial *t)
{
	for (unsigned e = 0; e < t->n_epochs; e++) {
		printf("    %s, %u workers\n", e == 0 ? "at first" : "after a reload", t->workers);
		if (e != 0) {
			printf("    %llu ms: reload\n", (unsigned long long)t->reload_ms);
		}
		tell_policy(&t->epochs[e]);
	}
	for (unsigned i = 0; i < t->n_outages; i++) {
		const struct trial_outage *o = &t->outages[i];

		printf("    %llu to %llu ms: endpoint %u of p%u is %s%s\n",
			(unsigned long long)o->from_ms, (unsigned long long)o->to_ms, o->endpoint,
			o->provider, o->silent ? "silent" : "refusing",
			o->resets ? ", what is connected is reset" : "");
	}
	for (unsigned i = 0; i < t->n_requests; i++) {
		if (!t->requests[i].left_out) {
			tell_request(&t->requests[i], i);
		}
	}
}

static void tell_seen(const struct trial_seen *s)
{
	for (unsigned i = 0; i < s->n_attempts; i++) {
		const struct trial_attempt *a = &s->attempts[i];

		printf("    %llu ms: p%u, endpoint %u, key %u: attempt %u of request %u: %s, %u of %u acts%s\n",
			(unsigned long long)a->at_ms, a->provider, a->endpoint, a->key, a->k + 1,
			a->request, trial_behaviour_name(a->step->does), a->done, a->n_acts,
			a->struck                     ? ", struck"
				: a->left_moment != 0 ? ", left"
						      : "");
	}
	printf(BYTES_FMT, BYTES_ARG(s->log));
}

static bool judge_aloud(const struct trial *t, const struct trial_seen *s, struct text *failure)
{
	tell_seen(s);
	return trial_judge(t, s, failure);
}

/* --- one after the other ------------------------------------------------------------------------------ */

/* Failures in a row that are made short, and after which no more is looked for: they have one reason, as a rule. */
#define SHORTENED_MAX 2u
#define FAILED_MAX 8u

static bool run_one(uint64_t seed, bool verbose, bool shortest)
{
	struct trial *t = must_alloc(sizeof(*t));
	struct text failure;
	bool good;

	text_init(&failure, FAILURE_MAX);
	trial_make(seed, t);
	good = trial_play(t, verbose ? judge_aloud : trial_judge, &failure);
	if (!good) {
		printf("trial %llu: %s\n", (unsigned long long)seed, text_cstr(&failure));
		fflush(stdout);
		if (shortest) {
			shorten(t);
		}
		text_clear(&failure);
		IGNORE(trial_play(t, trial_judge, &failure)); /* it fails */
		printf("  shortest: %s (sluice-sim --trial %llu)\n", text_cstr(&failure),
			(unsigned long long)seed);
	}
	if (!good || verbose) {
		tell(t);
	}
	text_done(&failure);
	free(t);
	return good;
}

unsigned trial_run(uint64_t seed, unsigned n, bool verbose)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < n && failed < FAILED_MAX; i++) {
		failed += !run_one(seed + i, verbose, failed < SHORTENED_MAX);
	}
	return failed;
}
