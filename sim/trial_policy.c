/*
 * The rules of docs/failover.md and docs/configuration.md (When a provider fails), read anew: each attempt behind the first must
 * be one that a policy names, and the last failure must not have been the last when something better was surely there.
 * "Surely" leaves out what depends on the health of others: that is judged where nobody has failed.
 */
#include "sim/trial.h"

#define ATTEMPTS_MAX 12u
#define LONGEST_PAUSE_MS 2000u
#define SHORTEST_PAUSE_MS 50u

static bool is(const struct trial_tried *f, const char *class)
{
	return strcmp(f->class, class) == 0;
}

static bool is_any(const struct trial_tried *f, const char *const *classes)
{
	for (; *classes != NULL; classes++) {
		if (is(f, *classes)) {
			return true;
		}
	}
	return false;
}

/* An error behind a 2xx, or what is no answer at all. */
static bool is_invalid(const struct trial_tried *f)
{
	return is(f, "invalid") ||
		(f->status < 300 && !is(f, "connect") && !is(f, "reset") && !is(f, "timeout"));
}

static bool is_broken(const struct trial_tried *f)
{
	return is(f, "connect") || is(f, "reset");
}

static bool names_retry(const struct trial_tried *f)
{
	return is_broken(f) || is(f, "timeout") || is_invalid(f) || f->status == 401 ||
		f->status == 403 || f->status == 429 || f->status >= 500;
}

static bool names_next(const struct trial_policy *p, const struct trial_tried *f)
{
	switch ((unsigned)p->next) {
	case NEXT_ERRORS:
		return is_broken(f) || is(f, "timeout");
	case NEXT_STATUSES:
		return is_broken(f) || is(f, "timeout") || is_invalid(f) || f->status == 503 ||
			f->status == 429;
	case NEXT_SAFE: /* a POST is not sent twice unless it says so */
		return is(f, "connect") || (is(f, "timeout") && f->connecting);
	default:
		return false;
	}
}

static bool names_fall(const struct trial_policy *p, const struct trial_tried *f)
{
	bool no_connection = is_broken(f) || (is(f, "timeout") && f->connecting);
	/* A list with 502 means what the client would get one for. */
	bool bad = is_invalid(f) || f->status >= 500;

	switch ((unsigned)p->fall) {
	case FALL_DEFAULT:
		return no_connection || is(f, "timeout") || f->status == 429 || bad;
	case FALL_CLASSES:
		return no_connection || bad || f->status >= 400;
	case FALL_TIMEOUT:
		return is(f, "timeout");
	default:
		return false;
	}
}

/* --- the walk ----------------------------------------------------------------------------------- */

struct walk {
	const struct trial_course *c;
	const struct trial_policy *p;
	unsigned retries, moves;
	unsigned tried, tried_keys, tried_endpoints; /* bits; keys and endpoints of this visit */
};

static bool in_fallback(const struct trial_tried *a)
{
	return a->provider >= TRIAL_UPSTREAMS;
}

static void arrive(struct walk *w, const struct trial_tried *a, bool anew)
{
	if (anew) {
		w->retries = w->tried_keys = w->tried_endpoints = 0;
	}
	w->tried |= 1u << a->provider;
	w->tried_keys |= 1u << a->key;
	w->tried_endpoints |= 1u << a->endpoint;
}

/* What the same upstream may be asked again for. */
static bool may_retry(const struct walk *w, const struct trial_tried *f)
{
	static const char *const nobodys[] = {
		"server", "overload", "connect", "reset", "invalid", NULL};
	const struct trial_provider *p = &w->p->providers[f->provider];

	return p->retries != 0 && w->retries < p->retries && names_retry(f) &&
		(p->n_keys > 1 || (is_any(f, nobodys) && f->retry_after_ms <= LONGEST_PAUSE_MS));
}

/* The pause before the same upstream is asked again, its Retry-After or a short one by chance, did not fit into what the route or the
 * whole may take, and was not waited for. */
static bool could_not_wait(
	const struct walk *w, const struct trial_tried *f, const struct trial_tried *a)
{
	uint64_t pause = MAX(f->retry_after_ms, (uint64_t)SHORTEST_PAUSE_MS);

	return (w->p->timeout_s != 0 || w->p->whole_s != 0) &&
		w->p->providers[f->provider].n_keys == 1 && f->seen != NULL && a->seen != NULL &&
		a->seen->at_ms < MAX(f->seen->at_ms, f->seen->sent_ms) + pause;
}

static const char *stay(struct walk *w, const struct trial_tried *f, struct trial_tried *a)
{
	const struct trial_provider *p = &w->p->providers[f->provider];
	bool other_key = p->n_keys > 1 && (w->tried_keys >> a->key & 1) == 0;

	if (may_retry(w, f) && !could_not_wait(w, f, a) && (p->n_keys == 1 || other_key)) {
		w->retries++;
		a->way = WAY_RETRY;
	} else if (w->moves < w->p->tries && !in_fallback(f) && names_next(w->p, f) &&
		(w->tried_endpoints >> a->endpoint & 1) == 0) {
		w->moves++;
		a->way = WAY_MOVE;
	} else {
		return "the same upstream was asked again, and no policy says so";
	}
	arrive(w, a, false);
	return NULL;
}

static const char *go_on(struct walk *w, const struct trial_tried *f, struct trial_tried *a)
{
	a->way = WAY_MOVE;
	if ((w->tried >> a->provider & 1) != 0) {
		return "an upstream was come back to";
	}
	if (in_fallback(a)) {
		if (!names_fall(w->p, f)) {
			return "it fell back, and no policy says so";
		}
	} else if (in_fallback(f)) {
		return "it came back from a fallback";
	} else if (!names_next(w->p, f) || ++w->moves > w->p->tries) {
		return "another upstream was asked, and no policy says so";
	}
	arrive(w, a, true);
	return NULL;
}

/* --- what must have followed -------------------------------------------------------------------- */

static bool is_sound(const struct walk *w, unsigned i)
{
	const struct trial_provider *p = &w->p->providers[i];

	return (w->c->failed_providers >> i & 1) == 0 && p->cap == 0 && p->key_cap == 0;
}

static bool has_untried(const struct walk *w, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++) {
		if ((w->tried >> i & 1) == 0 && is_sound(w, i)) {
			return true;
		}
	}
	return false;
}

static bool retry_was_there(const struct walk *w, const struct trial_tried *f)
{
	const struct trial_provider *p = &w->p->providers[f->provider];
	unsigned out = w->tried_keys | w->c->failed_keys[f->provider];

	/* With which of its credentials the last one was made is told by its upstream alone. */
	if (p->n_keys > 1 && (w->tried_keys >> TRIAL_KEYS & 1) != 0) {
		return false;
	}
	if (!may_retry(w, f) || p->cap != 0 || p->key_cap != 0 || !w->c->plenty) {
		return false;
	}
	return p->n_keys == 1 || (out & ((1u << p->n_keys) - 1)) != (1u << p->n_keys) - 1;
}

static bool endpoint_was_there(const struct walk *w, const struct trial_tried *f)
{
	static const char *const its_own[] = {"rate", "billing", "credential", NULL};
	const struct trial_provider *p = &w->p->providers[f->provider];
	unsigned out = w->tried_endpoints | w->c->failed_endpoints[f->provider];

	return p->n_endpoints == 2 && p->cap == 0 && p->key_cap == 0 && w->c->plenty &&
		!is_any(f, its_own) && out != 3;
}

static const char *better(const struct walk *w, const struct trial_tried *f)
{
	if (retry_was_there(w, f)) {
		return "the same upstream could have been asked again";
	}
	if (!in_fallback(f) && names_next(w->p, f) && w->moves < w->p->tries &&
		(endpoint_was_there(w, f) || has_untried(w, 0, w->p->n_upstreams))) {
		return "another upstream of the route could have been asked";
	}
	if (names_fall(w->p, f) && has_untried(w, TRIAL_UPSTREAMS, w->p->n_fallbacks)) {
		return "it could have fallen back";
	}
	return NULL;
}

/* A destination of weight 0, or a later one of a SEQ list, when there was another. */
static const char *out_of_turn(const struct walk *w, const struct trial_tried *a)
{
	const struct trial_policy *p = w->p;

	if (in_fallback(a)) {
		for (unsigned i = TRIAL_UPSTREAMS; p->in_order && i < a->provider; i++) {
			if ((w->tried >> i & 1) == 0 && is_sound(w, i)) {
				return "a fallback's candidates were not asked in their order";
			}
		}
		return NULL;
	}
	for (unsigned i = 0; i < p->n_upstreams && p->providers[a->provider].weight == 0; i++) {
		if (p->providers[i].weight != 0 && (w->tried >> i & 1) == 0 && is_sound(w, i)) {
			return "a destination without weight was asked before one with weight";
		}
	}
	return NULL;
}

static const char *check_first(const struct walk *w, const struct trial_tried *a)
{
	bool capped = false;

	for (unsigned i = 0; i < w->p->n_upstreams; i++) {
		capped |= w->p->providers[i].cap != 0 || w->p->providers[i].key_cap != 0;
	}
	if (in_fallback(a)) {
		return w->p->own_rate && w->p->fall != FALL_OFF && capped
			? NULL
			: "it fell back before anything was tried";
	}
	return w->p->providers[a->provider].weight == 0
		? "a destination without weight was the first"
		: NULL;
}

const char *trial_policy_breach(struct trial_course *c)
{
	struct walk w = {.c = c, .p = c->policy};
	const char *wrong = NULL;

	if (c->n > ATTEMPTS_MAX) {
		return "more attempts than twelve";
	}
	for (unsigned i = 0; i < c->n && wrong == NULL; i++) {
		struct trial_tried *a = &c->v[i];

		if (i == 0) {
			wrong = check_first(&w, a);
			arrive(&w, a, true);
			continue;
		}
		if (a->provider == a[-1].provider) {
			wrong = stay(&w, a - 1, a);
		} else {
			wrong = out_of_turn(&w, a);
			wrong = wrong != NULL ? wrong : go_on(&w, a - 1, a);
		}
	}
	if (wrong == NULL && c->ended && c->n != 0 && c->n < ATTEMPTS_MAX &&
		c->v[c->n - 1].class[0] != '\0') {
		wrong = better(&w, &c->v[c->n - 1]);
	}
	return wrong;
}
