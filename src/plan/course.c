#include "plan/course.h"

#include "base/random.h"

#define TRIED_MAX 64u

static uint64_t bit(size_t i)
{
	return i < TRIED_MAX ? UINT64_C(1) << i : 0;
}

struct list_of {
	const struct destination *v;
	size_t n;
};

static struct list_of candidates(const struct course *c)
{
	return c->fallback != NULL
		? (struct list_of){c->fallback->candidates, c->fallback->n_candidates}
		: (struct list_of){c->route->destinations, c->route->n_destinations};
}

/* --- credentials and endpoints ------------------------------------------------------------------ */

static struct health *health_of_credential(const struct destination *to, unsigned i)
{
	struct lane *l = to->provider->credentials[i].lane;

	return l != NULL && to->provider->failover.enabled ? &l->health : NULL;
}

static struct health *health_of_endpoint(const struct endpoint *e)
{
	return e != NULL && e->cell != NULL ? &e->cell->health : NULL;
}

struct lane *course_lane(const struct course *c)
{
	const struct provider *p = c->to->provider;

	return p != NULL && p->tokens.n != 0 ? p->credentials[c->credential].lane : NULL;
}

static bool enter(struct health *h, uint64_t now_ms, struct health_pass *pass)
{
	*pass = (struct health_pass){.taken = false};
	return h == NULL || health_enter(h, now_ms, pass);
}

static void force(struct health *h, struct health_pass *pass)
{
	*pass = (struct health_pass){.taken = false};
	if (h != NULL) {
		health_force(h, pass);
	}
}

/* Where the search for one of n begins: by affinity, else by chance. */
static unsigned start_of(const struct course_env *env, size_t n)
{
	return n <= 1         ? 0
		: env->sticky ? (unsigned)(env->affinity % n)
			      : (unsigned)random_below(env->random, n);
}

/* The k-th of those that were not looked at. */
static unsigned nth_left(uint64_t left_out, unsigned n, unsigned k)
{
	for (unsigned i = 0; i < n; i++) {
		if ((left_out & bit(i)) == 0 && k-- == 0) {
			return i;
		}
	}
	return 0;
}

/* One that is in service and was not tried: with affinity the first from the one that was hashed on, else each
 * with equal chances. */
static bool enter_credential(struct course *c, const struct course_env *env)
{
	const struct provider *p = c->to->provider;
	unsigned n = p != NULL ? (unsigned)p->tokens.n : 0;
	unsigned start = start_of(env, n);
	uint64_t looked_at = 0;

	if (n <= 1) {
		c->credential = 0;
		return n == 0 ||
			enter(health_of_credential(c->to, 0), env->now_ms, &c->on_credential);
	}
	for (unsigned k = 0; k < n; k++) {
		unsigned at = (start + k) % n;

		if (!env->sticky && k != 0 && n <= TRIED_MAX) {
			at = nth_left(looked_at, n, (unsigned)random_below(env->random, n - k));
		}
		looked_at |= bit(at);
		c->credential = at;
		if ((c->tried_credentials & bit(at)) == 0 &&
			enter(health_of_credential(c->to, at), env->now_ms, &c->on_credential)) {
			return true;
		}
	}
	return false;
}

static bool enter_endpoint(struct course *c, const struct course_env *env, bool other)
{
	const struct service *s = c->to->service;
	unsigned at = s->n_endpoints <= 1 ? 0 : (unsigned)random_below(env->random, s->n_endpoints);

	if (s->n_endpoints == 0) {
		c->endpoint = NULL;
		return !other; /* who makes the attempt says so */
	}
	for (size_t k = 0; k < s->n_endpoints; k++, at = (unsigned)((at + 1) % s->n_endpoints)) {
		c->endpoint = &s->endpoints[at];
		if ((!other || (c->tried_endpoints & bit(at)) == 0) &&
			enter(health_of_endpoint(c->endpoint), env->now_ms, &c->on_endpoint)) {
			return true;
		}
	}
	return false;
}

static void force_credential(struct course *c, const struct course_env *env)
{
	const struct provider *p = c->to->provider;
	size_t n = p != NULL ? p->tokens.n : 0;

	c->credential = start_of(env, n);
	force(n != 0 ? health_of_credential(c->to, c->credential) : NULL, &c->on_credential);
}

static void force_endpoint(struct course *c, const struct course_env *env)
{
	const struct service *s = c->to->service;

	c->endpoint = s->n_endpoints == 0
		? NULL
		: &s->endpoints[s->n_endpoints == 1 ? 0
						    : random_below(env->random, s->n_endpoints)];
	force(health_of_endpoint(c->endpoint), &c->on_endpoint);
}

/* --- a destination ------------------------------------------------------------------------------ */

enum entry { ENTERED, OUT_OF_SERVICE, AT_CAP };

static bool has_room(struct course *c, const struct course_env *env)
{
	if (env->take == NULL || c->to->provider == NULL || !c->to->provider->is_capped ||
		env->take(env->of, c->to, course_lane(c))) {
		return true;
	}
	course_leave(c, env->now_ms);
	return false;
}

static void set_to(struct course *c, const struct destination *to)
{
	c->to = to;
	c->retries = 0;
	c->tried_credentials = c->tried_endpoints = 0;
	c->on_credential = c->on_endpoint = (struct health_pass){.taken = false};
}

static enum entry enter_destination(
	struct course *c, const struct destination *to, const struct course_env *env)
{
	set_to(c, to);
	if (!enter_credential(c, env)) {
		return OUT_OF_SERVICE;
	}
	if (!enter_endpoint(c, env, false)) {
		course_leave(c, env->now_ms);
		return OUT_OF_SERVICE;
	}
	return has_room(c, env) ? ENTERED : AT_CAP;
}

/* An attempt begins there. */
static void mark(struct course *c)
{
	const struct list_of all = candidates(c);
	const struct service *s = c->to->service;

	c->attempts++;
	c->fallen = (uint8_t)(c->fallen + (c->fallback != NULL));
	c->tried_to |= bit((size_t)(c->to - all.v));
	c->tried_credentials |= bit(c->credential);
	c->tried_endpoints |= c->endpoint != NULL ? bit((size_t)(c->endpoint - s->endpoints)) : 0;
}

/* --- among destinations -------------------------------------------------------------------------- */

struct search {
	uint64_t left_out;         /* bits of those that need no look */
	const struct failure *why; /* NULL: the first attempt */
	unsigned window;           /* of what failed */
	bool in_order;
	bool spare;                     /* those without weight too */
	const struct destination *full; /* found: in service, and at its cap; NULL: none */
};

/* Whether it is worth a try: it serves such requests, and has the larger window where the failed one was too small. */
static bool fits(const struct destination *d, const struct search *s, const struct course_env *env)
{
	return (s->why == NULL || s->why->class != FAILURE_CONTEXT || d->window > s->window) &&
		(env->serves == NULL || env->serves(env->of, d));
}

/* The next one to look at: as they stand, or by weight; those without weight when no other is left. */
static size_t pick(const struct list_of *all, const struct search *s, const struct course_env *env)
{
	uint64_t sum = 0;
	size_t spare = all->n;
	size_t n = MIN(all->n, TRIED_MAX);
	uint64_t at;

	for (size_t i = 0; i < n; i++) {
		const struct destination *d = &all->v[i];

		if ((s->left_out & bit(i)) != 0 || !fits(d, s, env)) {
			continue;
		}
		if (s->in_order) {
			return i;
		}
		sum += d->weight;
		spare = d->weight == 0 && s->spare && spare == all->n ? i : spare;
	}
	if (sum == 0) {
		return spare;
	}
	at = random_below(env->random, sum);
	for (size_t i = 0; i < n; i++) {
		const struct destination *d = &all->v[i];

		if ((s->left_out & bit(i)) != 0 || !fits(d, s, env)) {
			continue;
		}
		if (at < d->weight) {
			return i;
		}
		at -= d->weight;
	}
	return all->n;
}

/* ENTERED: c->to is it. OUT_OF_SERVICE: also when nothing is left. */
static enum entry search(struct course *c, struct search *s, const struct course_env *env)
{
	const struct list_of all = candidates(c);
	enum entry worst = OUT_OF_SERVICE;
	size_t i;

	while ((i = pick(&all, s, env)) < all.n) {
		enum entry e = enter_destination(c, &all.v[i], env);

		if (e == ENTERED) {
			return ENTERED;
		}
		if (e == AT_CAP) {
			s->full = &all.v[i];
			worst = AT_CAP;
		}
		s->left_out |= bit(i);
	}
	return worst;
}

/* All but what is valid behind a number. */
static void begin(struct course *c, const struct route *r)
{
	c->route = r;
	c->fallback = NULL;
	c->pause_ms = 0;
	c->attempts = c->retries = c->moves = c->hops = c->fallen = 0;
	c->tried_to = 0;
	c->again = false;
}

bool course_begin_plain(struct course *c, const struct route *r, const struct destination *to)
{
	const struct provider *p = to->provider;
	const struct service *s = to->service;
	struct health *endpoint, *credential;

	if (s->n_endpoints != 1 || (p != NULL && (p->tokens.n > 1 || p->is_capped))) {
		return false;
	}
	begin(c, r);
	c->on_endpoint = c->on_credential = (struct health_pass){.taken = false};
	c->endpoint = &s->endpoints[0];
	endpoint = health_of_endpoint(c->endpoint);
	credential = p != NULL && p->tokens.n != 0 ? health_of_credential(to, 0) : NULL;
	if ((endpoint != NULL && !health_enter_quiet(endpoint, &c->on_endpoint)) ||
		(credential != NULL && !health_enter_quiet(credential, &c->on_credential))) {
		return false;
	}
	c->to = to;
	c->credential = 0;
	c->attempts = 1;
	c->tried_credentials = c->tried_endpoints = 1;
	c->tried_to = bit((size_t)(to - c->route->destinations));
	return true;
}

enum course_move course_begin(struct course *c, const struct route *r,
	const struct destination *picked, const struct course_env *env)
{
	const struct destination *full = picked;
	enum entry e;

	begin(c, r);
	e = enter_destination(c, picked, env);
	if (e != ENTERED && r->n_destinations > 1) {
		struct search s = {.left_out = bit((size_t)(picked - r->destinations))};
		enum entry other = search(c, &s, env);

		full = e == OUT_OF_SERVICE && other == AT_CAP ? s.full : picked;
		e = other == OUT_OF_SERVICE ? e : other;
	}
	if (e == OUT_OF_SERVICE) {
		set_to(c, picked);
		force_credential(c, env);
		force_endpoint(c, env);
		e = has_room(c, env) ? ENTERED : AT_CAP;
	}
	if (e != ENTERED) {
		set_to(c, full);
		return COURSE_FULL;
	}
	mark(c);
	return COURSE_FIRST;
}

/* --- after a failure ---------------------------------------------------------------------------- */

/* §9.3: the only credential is asked again when nobody has blamed it. */
static bool may_repeat(const struct failure *f)
{
	return f->class == FAILURE_SERVER || f->class == FAILURE_OVERLOAD ||
		f->class == FAILURE_CONNECT || f->class == FAILURE_RESET ||
		f->class == FAILURE_INVALID;
}

static uint32_t pause_of(const struct failure *f, bool same_credential, struct random *random)
{
	if (f->retry_after_ms != 0) {
		return same_credential ? (uint32_t)f->retry_after_ms : 0;
	}
	return COURSE_PAUSE_MIN_MS +
		(uint32_t)random_below(random, COURSE_PAUSE_MAX_MS - COURSE_PAUSE_MIN_MS + 1);
}

/* Within what is left of the time, and of what its upstream may be asked again. */
static bool may_pause(struct course *c, const struct course_env *env, uint32_t pause_ms)
{
	const struct lane_slot *up = c->to->upstream;

	if (pause_ms > COURSE_WAIT_MAX_MS ||
		(env->ends_ms != 0 && env->now_ms + pause_ms >= env->ends_ms)) {
		return false;
	}
	return up == NULL || up->lane == NULL || lane_spend(up->lane, env->now_ms);
}

static bool retry(struct course *c, const struct failure *f, const struct course_env *env)
{
	const struct provider *p = c->to->provider;
	bool same = p != NULL && p->tokens.n <= 1;
	uint32_t pause;

	if (p == NULL || !p->retry.enabled || c->retries >= p->retry.max ||
		f->class == FAILURE_CONTEXT || !failure_set_matches(&p->retry.on, f) ||
		(same && !may_repeat(f))) {
		return false;
	}
	pause = pause_of(f, same, env->random);
	if (!same && !enter_credential(c, env)) {
		return false;
	}
	if (same) {
		force_credential(c, env);
	}
	if (!enter_endpoint(c, env, true) && !enter_endpoint(c, env, false)) {
		force_endpoint(c, env);
	}
	if (!may_pause(c, env, pause)) {
		course_leave(c, env->now_ms);
		return false;
	}
	if (!has_room(c, env)) {
		return false;
	}
	c->retries++;
	c->pause_ms = pause;
	return true;
}

/* With the same credential, unless it was put out of service for what was said of it: that holds at every endpoint. */
static bool enter_credential_again(
	struct course *c, const struct failure *f, const struct course_env *env)
{
	const unsigned its_own =
		1u << FAILURE_RATE | 1u << FAILURE_BILLING | 1u << FAILURE_CREDENTIAL;
	struct health *h;

	if (c->to->provider == NULL || c->to->provider->tokens.n == 0) {
		return true;
	}
	h = health_of_credential(c->to, c->credential);
	if ((its_own >> f->class & 1) == 0) {
		force(h, &c->on_credential);
		return true;
	}
	return enter(h, env->now_ms, &c->on_credential) || enter_credential(c, env);
}

/* Another endpoint of the service. */
static bool other_endpoint(struct course *c, const struct failure *f, const struct course_env *env)
{
	if (f->class == FAILURE_CONTEXT || c->to->service->n_endpoints <= 1 ||
		!enter_endpoint(c, env, true)) {
		return false;
	}
	if (!enter_credential_again(c, f, env) || !may_pause(c, env, 0)) {
		course_leave(c, env->now_ms);
		return false;
	}
	return has_room(c, env);
}

static bool other_destination(
	struct course *c, const struct failure *f, const struct course_env *env)
{
	struct search s = {.left_out = c->tried_to,
		.why = f,
		.window = c->to->window,
		.in_order = c->fallback != NULL && c->fallback->in_order,
		.spare = true};

	return search(c, &s, env) == ENTERED;
}

typedef bool way(struct course *c, const struct failure *f, const struct course_env *env);

/* Where it does not lead on, the course stands where it stood. */
static bool go(way *w, struct course *c, const struct failure *f, const struct course_env *env)
{
	struct course before = *c;

	if (w(c, f, env)) {
		return true;
	}
	*c = before;
	return false;
}

static enum course_move within_route(
	struct course *c, const struct failure *f, const struct course_env *env)
{
	const struct next_policy *next = &c->route->next;

	/* What never left may be sent to somebody else, whatever its method (RFC 9110 §9.2.2). */
	if ((!c->repeats && !f->connecting) || c->moves >= next->attempts ||
		!failure_set_matches(&next->on, f)) {
		return COURSE_END;
	}
	if (go(other_endpoint, c, f, env)) {
		c->moves++;
		return COURSE_ENDPOINT;
	}
	if (go(other_destination, c, f, env)) {
		c->moves++;
		return COURSE_NEXT;
	}
	return COURSE_END;
}

/* Whether it leads to where the request has been: several routes, each with a fallback of its own, may lead to one, and the routes of
 * one Ingress have the same destinations. */
static bool was_gone_into(const struct course *c, const struct fallback *f)
{
	if (bytes_eq(f->to->name, c->route->name)) {
		return true;
	}
	for (unsigned i = 0; i < c->hops; i++) {
		if (bytes_eq(f->to->name, c->gone[i]->to->name)) {
			return true;
		}
	}
	return false;
}

/* The one that was noted last. */
static bool into_fallback(struct course *c, const struct failure *f, const struct course_env *env)
{
	c->fallback = c->gone[c->hops - 1];
	c->tried_to = 0;
	return other_destination(c, f, env);
}

/* Into the fallback of where it stands, and on from one that has no candidate now; in a circle never twice. */
static enum course_move fall_back(
	struct course *c, const struct failure *f, const struct course_env *env)
{
	const struct fallback *fb = course_route(c)->fallback;

	while (fb != NULL && c->hops < FALLBACK_HOPS_MAX && !was_gone_into(c, fb) &&
		(f->class == FAILURE_FULL ? fb->on_own_rate : failure_set_matches(&fb->on, f))) {
		c->gone[c->hops++] = fb;
		if (go(into_fallback, c, f, env)) {
			return COURSE_FALLBACK;
		}
		fb = fb->to->fallback;
	}
	return COURSE_END;
}

/* Of a probe that was sent for no credential: one in service by chance, as a client's request would have. */
static unsigned credential_of_anybody(const struct destination *to, const struct course_env *env)
{
	unsigned n = (unsigned)to->provider->tokens.n;
	unsigned start = start_of(env, n);

	for (unsigned k = 0; k < n; k++) {
		const struct health *h = health_of_credential(to, (start + k) % n);

		if (h == NULL || health_is_up(h, env->now_ms)) {
			return (start + k) % n;
		}
	}
	return start;
}

void course_begin_probe(struct course *c, const struct route *r, const struct lane *credential,
	const struct course_env *env)
{
	const struct service *s = r->destinations[0].service;
	const struct provider *p = r->destinations[0].provider;

	begin(c, r);
	c->again = true; /* what nobody asked for earns no retry */
	set_to(c, &r->destinations[0]);
	c->credential = 0;
	for (unsigned i = 0; p != NULL && i < p->tokens.n; i++) {
		if (credential != NULL && p->credentials[i].lane == credential) {
			c->credential = i;
		}
	}
	if (p != NULL && credential == NULL) {
		c->credential = credential_of_anybody(c->to, env);
	}
	c->endpoint = s->n_endpoints == 0
		? NULL
		: &s->endpoints[random_below(env->random, s->n_endpoints)];
	mark(c);
}

enum course_move course_spill(struct course *c, const struct course_env *env)
{
	const struct failure full = {.class = FAILURE_FULL};

	if (fall_back(c, &full, env) == COURSE_END) {
		return COURSE_FULL;
	}
	mark(c);
	return COURSE_FALLBACK;
}

enum course_move course_next(
	struct course *c, const struct failure *f, const struct course_env *env)
{
	enum course_move m = COURSE_END;

	c->pause_ms = 0;
	if (c->attempts >= COURSE_ATTEMPTS_MAX || f->class == FAILURE_NONE ||
		(env->ends_ms != 0 && env->now_ms >= env->ends_ms)) {
		return COURSE_END;
	}
	if (go(retry, c, f, env)) {
		m = COURSE_RETRY;
	} else if (c->fallback == NULL) {
		m = within_route(c, f, env);
	} else if (failure_set_matches(&c->fallback->on, f) && go(other_destination, c, f, env)) {
		m = COURSE_NEXT;
	}
	if (m == COURSE_END) {
		m = fall_back(c, f, env);
	}
	if (m != COURSE_END) {
		c->again = m == COURSE_RETRY || m == COURSE_ENDPOINT;
		mark(c);
	}
	return m;
}

/* --- blame -------------------------------------------------------------------------------------- */

static struct health *of_credential(const struct course *c)
{
	const struct provider *p = c->to->provider;

	return p != NULL && p->tokens.n != 0 ? health_of_credential(c->to, c->credential) : NULL;
}

void course_leave(struct course *c, uint64_t now_ms)
{
	struct health *credential = c->to != NULL ? of_credential(c) : NULL;
	struct health *endpoint = health_of_endpoint(c->endpoint);

	if (credential != NULL) {
		health_leave(credential, &c->on_credential, now_ms);
	}
	if (endpoint != NULL) {
		health_leave(endpoint, &c->on_endpoint, now_ms);
	}
}

void course_good(struct course *c, uint64_t now_ms)
{
	struct health *credential = of_credential(c);
	struct health *endpoint = health_of_endpoint(c->endpoint);
	const struct provider *p = c->to->provider;

	if (credential != NULL) {
		health_good(credential, &c->on_credential, p->failover.success_threshold, now_ms);
	}
	if (endpoint != NULL) {
		health_good(endpoint, &c->on_endpoint, 1, now_ms);
	}
}

static bool blame_credential(
	struct health *h, struct course *c, const struct failure *f, uint64_t now)
{
	const struct failover_policy *p = &c->to->provider->failover;
	bool refused = f->class == FAILURE_CREDENTIAL || f->class == FAILURE_BILLING;
	uint64_t until = p->probe_model.n != 0
		? HEALTH_UNTIL_PROBED
		: now + (refused ? COURSE_REFUSED_MS : COURSE_CREDENTIAL_MS);

	if (f->class == FAILURE_RATE && f->retry_after_ms != 0) {
		return health_bench(h, &c->on_credential, now + f->retry_after_ms, f->class);
	}
	if (f->class == FAILURE_CONTEXT || f->class == FAILURE_FILTERED ||
		!failure_set_matches(&p->on, f)) {
		health_leave(h, &c->on_credential, now);
		return false;
	}
	return health_bad(h, &c->on_credential, p->failure_threshold, until, f->class);
}

/* What has nothing to do with who asks, or what. An upstream that answers at all is there, and where failover is on,
 * its statuses are the credential's. */
static bool blames_endpoint(const struct course *c, const struct failure *f)
{
	const struct provider *p = c->to->provider;
	bool has_failover = p != NULL && p->failover.enabled && p->tokens.n != 0;

	const unsigned always = 1u << FAILURE_CONNECT | 1u << FAILURE_RESET | 1u << FAILURE_TIMEOUT;
	const unsigned alone =
		1u << FAILURE_OVERLOAD | 1u << FAILURE_SERVER | 1u << FAILURE_INVALID;

	return ((always | (has_failover ? 0 : alone)) >> f->class & 1) != 0;
}

bool course_bad(struct course *c, const struct failure *f, uint64_t now_ms)
{
	struct health *credential = of_credential(c);
	struct health *endpoint = health_of_endpoint(c->endpoint);
	bool out = false;

	if (credential != NULL) {
		out = blame_credential(credential, c, f, now_ms);
	}
	if (endpoint != NULL && blames_endpoint(c, f)) {
		out = health_bad(endpoint, &c->on_endpoint, COURSE_ENDPOINT_FAILURES,
			      now_ms + COURSE_ENDPOINT_MS, f->class) ||
			out;
	} else if (endpoint != NULL && f->status != 0) {
		health_good(endpoint, &c->on_endpoint, 1, now_ms); /* it answers */
	} else if (endpoint != NULL) {
		health_leave(endpoint, &c->on_endpoint, now_ms);
	}
	return out;
}

uint32_t course_affinity(struct bytes consumer)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < consumer.n; i++) {
		h = (h ^ (unsigned char)consumer.p[i]) * 16777619u;
	}
	return h;
}
