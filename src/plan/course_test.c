/*
 * Where attempts go. Rows tell single decisions; then worlds, policies and failures are made up, and each course is held
 * to what the policies say, by a judge that knows nothing of how a course is searched. A course under another policy than
 * the judge's must be rejected, else the judge is blind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/random.h"
#include "plan/course.h"

#define DESTINATIONS 4u
#define PARTS 3u /* endpoints, and credentials, of one */

/* A route with destinations, and a fallback with others. */
struct town {
	struct route route, refuge;
	struct fallback fallback;
	struct destination to[2][DESTINATIONS];
	struct service services[2][DESTINATIONS];
	struct provider providers[2][DESTINATIONS];
	struct endpoint endpoints[2][DESTINATIONS][PARTS];
	struct endpoint_cell cells[2][DESTINATIONS][PARTS];
	struct lane_slot slots[2][DESTINATIONS][PARTS];
	struct lane lanes[2][DESTINATIONS][PARTS];
	struct bytes tokens[PARTS];
	struct random random;
	struct course_env env;
};

static void build_destination(struct town *t, unsigned list, unsigned i)
{
	struct provider *p = &t->providers[list][i];
	struct service *s = &t->services[list][i];

	*p = (struct provider){.failover = failover_default,
		.retry = retry_default,
		.tokens = {.v = t->tokens, .n = 1},
		.credentials = t->slots[list][i]};
	*s = (struct service){.endpoints = t->endpoints[list][i], .n_endpoints = 1};
	for (unsigned k = 0; k < PARTS; k++) {
		t->slots[list][i][k].lane = &t->lanes[list][i][k];
		t->endpoints[list][i][k].cell = &t->cells[list][i][k];
	}
	t->to[list][i] = (struct destination){.service = s, .provider = p, .weight = 1};
}

/* One destination each, nothing is allowed. */
static struct town *town_new(void)
{
	struct town *t = must_alloc(sizeof(*t));

	random_init(&t->random);
	for (unsigned list = 0; list < 2; list++) {
		for (unsigned i = 0; i < DESTINATIONS; i++) {
			build_destination(t, list, i);
		}
	}
	t->route = (struct route){.name = BYTES("a"),
		.destinations = t->to[0],
		.n_destinations = 1,
		.next = next_default};
	t->refuge =
		(struct route){.name = BYTES("b"), .destinations = t->to[1], .n_destinations = 1};
	t->fallback = (struct fallback){
		.to = &t->refuge, .candidates = t->to[1], .n_candidates = 1, .in_order = true};
	t->env = (struct course_env){.now_ms = 1000, .random = &t->random};
	return t;
}

static void begin(struct town *t, struct course *c)
{
	*c = (struct course){.repeats = true};
	assert_int_equal(course_begin(c, &t->route, &t->to[0][0], &t->env), COURSE_FIRST);
}

static enum course_move fail_with(struct town *t, struct course *c, struct failure f)
{
	IGNORE(course_bad(c, &f, t->env.now_ms)); /* whether somebody is out now, health says */
	return course_next(c, &f, &t->env);
}

static const struct failure overload = {.class = FAILURE_OVERLOAD, .status = 503};
static const struct failure limited = {.class = FAILURE_RATE, .status = 429};
static const struct failure refused = {.class = FAILURE_CONNECT, .connecting = true};
static const struct failure broken = {.class = FAILURE_RESET};
static const struct failure too_long = {.class = FAILURE_CONTEXT, .status = 400};
static const struct failure mistake = {.class = FAILURE_CLIENT, .status = 404};

/* --- single decisions --------------------------------------------------------------------------- */

static void retries_at_one_upstream(void **state)
{
	struct town *t = town_new();
	struct provider *p = &t->providers[0][0];
	struct course c;
	unsigned first;

	(void)state;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, overload), COURSE_END); /* nothing is configured */
	p->retry.enabled = true;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, overload), COURSE_RETRY); /* G118: the only credential */
	assert_in_range(c.pause_ms, COURSE_PAUSE_MIN_MS, COURSE_PAUSE_MAX_MS);
	assert_int_equal(fail_with(t, &c, overload), COURSE_END); /* maxRetries 1 */
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, limited), COURSE_END); /* not when it is to blame */
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, mistake), COURSE_END); /* the caller's own */
	p->tokens.n = 2;
	begin(t, &c);
	first = c.credential;
	assert_int_equal(fail_with(t, &c, limited), COURSE_RETRY); /* G117: another credential */
	assert_int_not_equal(c.credential, first);
	p->retry.max = 5;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, overload), COURSE_RETRY);
	assert_int_equal(fail_with(t, &c, overload), COURSE_END); /* each credential once */
	t->env.ends_ms = t->env.now_ms + 20;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, overload),
		COURSE_END); /* the pause is longer than the time left */
	free(t);
}

static void waits_as_long_as_it_is_told_to(void **state)
{
	struct town *t = town_new();
	struct course c;
	struct failure f = {.class = FAILURE_OVERLOAD, .status = 503, .retry_after_ms = 1500};

	(void)state;
	t->providers[0][0].retry.enabled = true;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, f), COURSE_RETRY);
	assert_int_equal(c.pause_ms, 1500);
	f.retry_after_ms = COURSE_WAIT_MAX_MS + 1;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, f), COURSE_END); /* longer than a client should wait */
	t->providers[0][0].tokens.n = 2;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, f), COURSE_RETRY);
	assert_int_equal(c.pause_ms, 0); /* another credential was not told to wait */
	free(t);
}

static void moves_within_the_route(void **state)
{
	struct town *t = town_new();
	struct course c;

	(void)state;
	t->route.next = next_console;
	t->route.n_destinations = 2;
	t->to[0][1].weight = 0;
	t->services[0][0].n_endpoints = 2;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, refused), COURSE_ENDPOINT);
	assert_ptr_equal(c.to, &t->to[0][0]);
	assert_int_equal(
		fail_with(t, &c, refused), COURSE_NEXT); /* weight 0 is for those that failed */
	assert_ptr_equal(c.to, &t->to[0][1]);
	assert_int_equal(fail_with(t, &c, refused), COURSE_END);
	begin(t, &c);
	c.repeats = false;
	assert_int_equal(fail_with(t, &c, broken), COURSE_END); /* a POST, and nobody allowed it */
	t->route.next.attempts = 1;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, refused), COURSE_ENDPOINT);
	assert_int_equal(fail_with(t, &c, refused), COURSE_END);
	t->env.now_ms += 60000; /* all are in service again */
	begin(t, &c);
	c.repeats = false;
	assert_int_equal(fail_with(t, &c, refused), COURSE_ENDPOINT); /* nothing was sent */
	free(t);
}

/* What a vendor says of a credential it says at each of its addresses. */
static void who_was_told_to_wait_waits_at_every_endpoint(void **state)
{
	struct town *t = town_new();
	struct provider *p = &t->providers[0][0];
	struct failure wait = {.class = FAILURE_RATE, .status = 429, .retry_after_ms = 30000};
	struct course c;

	(void)state;
	t->route.next = next_console;
	failure_set_add(&t->route.next.on, 429, 429);
	t->services[0][0].n_endpoints = 3;
	p->failover.enabled = true;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, limited), COURSE_ENDPOINT); /* it may be the endpoint's */
	assert_int_equal(fail_with(t, &c, wait), COURSE_END);
	t->env.now_ms += 40000;
	p->tokens.n = 2;
	t->env.sticky = true; /* begins with the first one */
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, wait), COURSE_ENDPOINT);
	assert_int_equal(c.credential, 1);
	free(t);
}

static void a_larger_window(void **state)
{
	struct town *t = town_new();
	struct course c;

	(void)state;
	t->route.next = next_console;
	t->route.n_destinations = 3;
	t->to[0][0].window = 8000;
	t->to[0][1].window = 8000;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, too_long), COURSE_END);
	t->to[0][2].window = 128000;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, too_long), COURSE_NEXT);
	assert_ptr_equal(c.to, &t->to[0][2]);
	assert_true(health_is_quiet(&t->cells[0][0][0].health)); /* and nobody is blamed */
	free(t);
}

static void falls_back_in_order_and_never_in_circles(void **state)
{
	struct town *t = town_new();
	struct course c;

	(void)state;
	failure_set_add(&t->fallback.on, 500, 599);
	t->fallback.n_candidates = 3;
	t->route.fallback = &t->fallback;
	t->refuge.fallback = &t->fallback; /* a circle: lint refuses it */
	begin(t, &c);
	for (unsigned i = 0; i < 3; i++) { /* G121: SEQ walks the whole list */
		assert_int_equal(
			fail_with(t, &c, overload), i == 0 ? COURSE_FALLBACK : COURSE_NEXT);
		assert_ptr_equal(c.to, &t->to[1][i]);
		assert_ptr_equal(course_route(&c), &t->refuge);
		assert_int_equal(c.fallen, i + 1);
	}
	assert_int_equal(fail_with(t, &c, overload), COURSE_END);
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, mistake), COURSE_END); /* not of its classes */
	free(t);
}

/* a to b, b to c, c to b: whoever falls back to b a second time, and b is also where a began. */
static void a_circle_of_routes_is_walked_once(void **state)
{
	struct town *t = town_new();
	struct route c_route = {.name = BYTES("c"), .destinations = t->to[1], .n_destinations = 2};
	struct fallback to_c = {.to = &c_route, .candidates = &t->to[1][1], .n_candidates = 1};
	struct fallback back = t->fallback, home = t->fallback;
	struct course c;

	(void)state;
	failure_set_add(&t->fallback.on, 500, 599);
	to_c.on = back.on = home.on = t->fallback.on;
	home.to = &t->route;
	home.candidates = t->to[0];
	t->route.fallback = &t->fallback;
	t->refuge.fallback = &to_c;
	for (unsigned i = 0; i < 2; i++) { /* the end of the chain: back to b, back to a */
		c_route.fallback = i == 0 ? &back : &home;
		begin(t, &c);
		assert_int_equal(fail_with(t, &c, overload), COURSE_FALLBACK);
		assert_ptr_equal(c.to, &t->to[1][0]);
		assert_int_equal(fail_with(t, &c, overload), COURSE_FALLBACK);
		assert_ptr_equal(c.to, &t->to[1][1]);
		assert_int_equal(fail_with(t, &c, overload), COURSE_END);
		t->env.now_ms += 60000;
	}
	free(t);
}

static void what_is_out_of_service_drops_out(void **state)
{
	struct town *t = town_new();
	struct course c;

	(void)state;
	t->route.n_destinations = 2;
	for (unsigned i = 0; i < COURSE_ENDPOINT_FAILURES; i++) {
		begin(t, &c);
		assert_ptr_equal(c.to, &t->to[0][0]);
		assert_int_equal(fail_with(t, &c, refused), COURSE_END);
	}
	begin(t, &c);
	assert_ptr_equal(c.to, &t->to[0][1]); /* although the other was picked */
	t->to[0][1].weight = 0;
	begin(t, &c);
	assert_ptr_equal(c.to, &t->to[0][0]); /* all are out that have weight: use all */
	free(t);
}

static void credentials_fail_over(void **state)
{
	struct town *t = town_new();
	struct provider *p = &t->providers[0][0];
	struct course c;
	unsigned seen = 0;

	(void)state;
	p->failover.enabled = true;
	p->failover.probe_model = BYTES("m");
	p->tokens.n = 3;
	for (unsigned i = 0; i < 3; i++) { /* G115: three 500 of one credential */
		do {
			begin(t, &c);
		} while (c.credential != 1);
		IGNORE(course_bad(&c, &overload, 1000));
	}
	for (unsigned i = 0; i < 200; i++) {
		begin(t, &c);
		seen |= 1u << c.credential;
		course_good(&c, 1000);
	}
	assert_int_equal(seen, 1u << 0 | 1u << 2);
	assert_true(health_is_quiet(&t->cells[0][0][0].health)); /* the endpoint answers */
	free(t);
}

/* failoverOnStatus ["4.."] is about statuses; a prompt that is too long, or filtered, is no credential's fault. */
static void nobody_is_blamed_for_a_prompt(void **state)
{
	struct failure filtered = {.class = FAILURE_FILTERED, .status = 400};
	struct town *t = town_new();
	struct provider *p = &t->providers[0][0];
	struct course c;

	(void)state;
	p->failover.enabled = true;
	p->failover.failure_threshold = 1;
	failure_set_add(&p->failover.on, 400, 499);
	begin(t, &c);
	assert_false(course_bad(&c, &too_long, 1000));
	begin(t, &c);
	assert_false(course_bad(&c, &filtered, 1000));
	begin(t, &c);
	assert_true(course_bad(&c, &mistake, 1000)); /* as the list says (data-plane.md 9.2) */
	free(t);
}

static void a_credential_that_was_told_to_wait_waits(void **state)
{
	struct town *t = town_new();
	struct provider *p = &t->providers[0][0];
	struct failure f = limited;
	struct course c;

	(void)state;
	f.retry_after_ms = 30000;
	p->failover.enabled = true;
	p->tokens.n = 2;
	begin(t, &c);
	assert_true(course_bad(&c, &f, 1000));
	for (unsigned i = 0; i < 50; i++) {
		unsigned out = c.credential;
		struct course d;

		begin(t, &d);
		assert_int_not_equal(d.credential, out);
	}
	t->env.now_ms = 31000;
	begin(t, &c); /* and in again without a probe: both can be had */
	assert_true(health_is_up(&t->lanes[0][0][0].health, 31000));
	assert_true(health_is_up(&t->lanes[0][0][1].health, 31000));
	free(t);
}

static void the_same_consumer_the_same_credential(void **state)
{
	struct town *t = town_new();
	struct provider *p = &t->providers[0][0];
	struct course c;
	unsigned home;

	(void)state;
	assert_int_equal(course_affinity(BYTES("")), 2166136261u);
	assert_int_equal(
		course_affinity(BYTES("a")), 0xe40c292cu); /* of the algorithm's own page */
	t->env.sticky = true;
	t->env.affinity = course_affinity(BYTES("c"));
	p->tokens.n = 3;
	p->failover.enabled = true;
	p->failover.failure_threshold = 1;
	home = t->env.affinity % 3;
	for (unsigned i = 0; i < 20; i++) {
		begin(t, &c);
		assert_int_equal(c.credential, home); /* G125 */
	}
	IGNORE(course_bad(&c, &overload, 1000));
	for (unsigned i = 0; i < 20; i++) {
		begin(t, &c);
		assert_int_equal(c.credential, (home + 1) % 3); /* it yields to health */
	}
	free(t);
}

static void no_storm(void **state)
{
	struct town *t = town_new();
	struct lane lane = {.used = 0};
	struct lane_slot slot = {.lane = &lane};
	struct course c;
	unsigned n = 0;

	(void)state;
	t->to[0][0].upstream = &slot;
	t->providers[0][0].retry.enabled = true;
	for (unsigned i = 0; i < 100; i++) {
		begin(t, &c);
		n += fail_with(t, &c, overload) == COURSE_RETRY;
	}
	assert_in_range(n, LANE_RETRIES, LANE_RETRIES + 1);
	assert_int_equal(lane_retries_left(&lane, t->env.now_ms), 0);
	assert_int_equal(lane_retries_left(&lane, t->env.now_ms + 3000), 3);
	assert_int_equal(lane_retries_left(&lane, t->env.now_ms + 600000), LANE_RETRIES);
	for (unsigned i = 0; i < LANE_RETRY_SHARE; i++) {
		lane_earn(&lane);
	}
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, overload), COURSE_RETRY); /* one in five requests */
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, overload), COURSE_END);
	t->env.now_ms += 1000;
	begin(t, &c);
	assert_int_equal(fail_with(t, &c, overload), COURSE_RETRY); /* and one a second */
	free(t);
}

static bool take_none(void *of, const struct destination *to, struct lane *credential)
{
	(void)credential;
	return to != of;
}

static void what_is_full_is_passed_over(void **state)
{
	struct town *t = town_new();
	struct course c = {.repeats = true};

	(void)state;
	t->providers[0][0].is_capped = t->providers[0][1].is_capped = true;
	t->env.take = take_none;
	t->env.of = &t->to[0][0];
	assert_int_equal(course_begin(&c, &t->route, &t->to[0][0], &t->env), COURSE_FULL);
	t->route.n_destinations = 2;
	assert_int_equal(course_begin(&c, &t->route, &t->to[0][0], &t->env), COURSE_FIRST);
	assert_ptr_equal(c.to, &t->to[0][1]);
	free(t);
}

/* Who waits waits for a place: at one that has caps and is in service, not at the one that was picked. */
static void what_is_waited_for_is_what_is_full(void **state)
{
	struct town *t = town_new();
	struct course c = {.repeats = true};
	struct health_pass pass;

	(void)state;
	t->route.n_destinations = 2;
	t->to[0][0].provider = NULL;
	health_force(&t->cells[0][0][0].health, &pass);
	assert_true(health_bad(&t->cells[0][0][0].health, &pass, 1, 9000, FAILURE_CONNECT));
	t->providers[0][1].is_capped = true;
	t->env.take = take_none;
	t->env.of = &t->to[0][1];
	assert_int_equal(course_begin(&c, &t->route, &t->to[0][0], &t->env), COURSE_FULL);
	assert_ptr_equal(c.to, &t->to[0][1]);
	free(t);
}

/* A request that would be the probe of a half open endpoint and finds no place there is none: the next one is. */
static void a_probe_without_a_place_is_none(void **state)
{
	struct town *t = town_new();
	struct course c = {.repeats = true};
	struct health *h = &t->cells[0][0][0].health;
	struct health_pass pass;

	(void)state;
	health_force(h, &pass);
	assert_true(health_bad(h, &pass, 1, t->env.now_ms, FAILURE_CONNECT));
	t->providers[0][0].is_capped = true;
	t->env.take = take_none;
	t->env.of = &t->to[0][0];
	assert_int_equal(course_begin(&c, &t->route, &t->to[0][0], &t->env), COURSE_FULL);
	assert_int_equal(health_look(h).state, HEALTH_OPEN);
	t->env.take = NULL;
	begin(t, &c);
	assert_true(c.on_endpoint.probe);
	course_good(&c, t->env.now_ms);
	assert_int_equal(health_look(h).state, HEALTH_CLOSED);
	free(t);
}

/* --- generated ---------------------------------------------------------------------------------- */

static const struct failure *const kinds[] = {
	&overload,
	&limited,
	&refused,
	&mistake,
	&too_long,
	&(const struct failure){.class = FAILURE_RESET},
	&(const struct failure){.class = FAILURE_TIMEOUT},
	&(const struct failure){.class = FAILURE_CREDENTIAL, .status = 401},
	&(const struct failure){.class = FAILURE_SERVER, .status = 200}, /* an error event */
	&(const struct failure){.class = FAILURE_INVALID, .status = 200},
};

static struct failure_set set_by_chance(struct random *r)
{
	struct failure_set s = {.events = (unsigned)random_below(r, 128)};

	if (random_below(r, 2) == 0) {
		failure_set_add(&s, 500, 599);
	}
	if (random_below(r, 2) == 0) {
		failure_set_add(&s, 400, 499);
	}
	return s;
}

static void town_by_chance(struct town *t)
{
	struct random *r = &t->random;

	for (unsigned list = 0; list < 2; list++) {
		for (unsigned i = 0; i < DESTINATIONS; i++) {
			struct provider *p = &t->providers[list][i];

			p->tokens.n = random_below(r, PARTS + 1);
			t->services[list][i].n_endpoints = 1 + random_below(r, PARTS);
			t->to[list][i].weight = (unsigned)random_below(r, 3);
			t->to[list][i].window = (unsigned)random_below(r, 3) * 1000;
			p->retry.enabled = random_below(r, 2) == 0;
			p->retry.max = 1 + (unsigned)random_below(r, 3);
			p->retry.on = set_by_chance(r);
			p->failover.enabled = random_below(r, 2) == 0;
		}
	}
	t->to[0][0].weight = 1;
	t->route.n_destinations = 1 + random_below(r, DESTINATIONS);
	t->route.next = (struct next_policy){
		.attempts = (unsigned)random_below(r, 4), .on = set_by_chance(r)};
	t->fallback.n_candidates = 1 + random_below(r, DESTINATIONS);
	t->fallback.on = set_by_chance(r);
	t->fallback.in_order = random_below(r, 2) == 0;
	t->route.fallback = random_below(r, 3) != 0 ? &t->fallback : NULL;
}

/* The policies as they were meant, whatever the course is given. */
struct law {
	struct retry_policy retry[2][DESTINATIONS];
	unsigned window[2][DESTINATIONS];
	struct next_policy next;
	struct failure_set fallback;
	bool has_fallback, in_order;
	size_t n[2];
};

static struct law law_of(const struct town *t)
{
	struct law l = {.next = t->route.next,
		.fallback = t->fallback.on,
		.has_fallback = t->route.fallback != NULL,
		.in_order = t->fallback.in_order,
		.n = {t->route.n_destinations, t->fallback.n_candidates}};

	for (unsigned list = 0; list < 2; list++) {
		for (unsigned i = 0; i < DESTINATIONS; i++) {
			l.retry[list][i] = t->providers[list][i].retry;
			l.window[list][i] = t->to[list][i].window;
		}
	}
	return l;
}

/* What the judge remembers, by its own means. */
struct judge {
	const struct town *t;
	const struct law *law;
	bool tried[2][DESTINATIONS];
	unsigned retries, moves, attempts, list, at;
	const char *wrong;
};

static void want(struct judge *j, bool good, const char *what)
{
	if (!good && j->wrong == NULL) {
		j->wrong = what;
	}
}

static bool larger(const struct judge *j, const struct failure *f, unsigned list, unsigned i)
{
	return f->class != FAILURE_CONTEXT ||
		j->law->window[list][i] > j->law->window[j->list][j->at];
}

/* Somebody who was not asked, and may be. */
static bool is_left(const struct judge *j, const struct failure *f, unsigned list)
{
	for (unsigned i = 0; i < j->law->n[list]; i++) {
		if (!j->tried[list][i] && larger(j, f, list, i)) {
			return true;
		}
	}
	return false;
}

static void judge_end(struct judge *j, const struct failure *f)
{
	const struct law *l = j->law;

	if (j->attempts == COURSE_ATTEMPTS_MAX) {
		return;
	}
	want(j,
		j->list == 1 || j->moves >= l->next.attempts ||
			!failure_set_matches(&l->next.on, f) || !is_left(j, f, 0),
		"another destination was left");
	want(j, !l->has_fallback || !failure_set_matches(&l->fallback, f) || !is_left(j, f, 1),
		"a fallback was left");
}

static void judge_way(struct judge *j, enum course_move m, unsigned list, const struct failure *f)
{
	const struct law *l = j->law;
	const struct retry_policy *retry = &l->retry[j->list][j->at];

	if (m == COURSE_RETRY) {
		want(j, retry->enabled && failure_set_matches(&retry->on, f),
			"a retry nobody wants");
		want(j, ++j->retries <= retry->max, "more retries than maxRetries");
	} else if (list == 0) {
		want(j, failure_set_matches(&l->next.on, f), "a move nobody wants");
		want(j, ++j->moves <= l->next.attempts, "more moves than attempts");
	} else {
		want(j, l->has_fallback && failure_set_matches(&l->fallback, f),
			"a fallback nobody wants");
	}
}

static void judge_move(
	struct judge *j, enum course_move m, const struct course *c, const struct failure *f)
{
	unsigned list = c->to >= j->t->to[1] ? 1 : 0;
	unsigned at = (unsigned)(c->to - j->t->to[list]);

	judge_way(j, m, list, f);
	if (m == COURSE_NEXT || m == COURSE_FALLBACK) {
		want(j, !j->tried[list][at], "a destination twice");
		want(j, larger(j, f, list, at), "no larger window");
		for (unsigned i = 0; list == 1 && j->law->in_order && i < at; i++) {
			want(j, j->tried[1][i] || !larger(j, f, 1, i), "out of order");
		}
		j->retries = 0;
	} else {
		want(j, list == j->list && at == j->at, "somewhere else");
	}
	j->list = list;
	j->at = at;
	j->tried[list][at] = true;
	want(j, ++j->attempts <= COURSE_ATTEMPTS_MAX, "attempts without end");
	want(j, c->pause_ms <= COURSE_WAIT_MAX_MS, "a long pause");
}

/* One request. */
static const char *run(struct town *t, const struct law *law)
{
	struct judge j = {.t = t, .law = law, .attempts = 1};
	struct course c;

	begin(t, &c);
	j.tried[0][0] = true;
	while (j.wrong == NULL) {
		const struct failure *f = kinds[random_below(&t->random, ARRAY_LEN(kinds))];
		enum course_move m;

		if (random_below(&t->random, 8) == 0) {
			course_good(&c, t->env.now_ms);
			break;
		}
		m = fail_with(t, &c, *f);
		if (m == COURSE_END) {
			judge_end(&j, f);
			break;
		}
		judge_move(&j, m, &c, f);
	}
	want(&j, c.attempts == j.attempts, "attempts were miscounted");
	want(&j, !c.on_credential.taken && !c.on_endpoint.taken, "a pass was kept");
	return j.wrong;
}

#define RUNS 4000u

/* Of so many courses under what plant makes of their policies. */
static unsigned rejected(void (*plant)(struct town *t), const char **why)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RUNS; i++) {
		struct town *t = town_new();
		struct law law;
		const char *wrong;

		town_by_chance(t);
		law = law_of(t);
		if (plant != NULL) {
			plant(t);
		}
		wrong = run(t, &law);
		free(t);
		*why = wrong != NULL ? wrong : *why;
		n += wrong != NULL;
	}
	return n;
}

static void courses_keep_to_policies(void **state)
{
	const char *why = NULL;

	(void)state;
	if (rejected(NULL, &why) != 0) {
		fail_msg("%s", why);
	}
}

static void plant_everything_is_retried(struct town *t)
{
	for (unsigned i = 0; i < DESTINATIONS; i++) {
		failure_set_add(&t->providers[0][i].retry.on, 400, 599);
	}
}

static void plant_one_move_more(struct town *t)
{
	t->route.next.attempts++;
}

static void plant_no_fallback(struct town *t)
{
	t->route.fallback = NULL;
}

static void plant_any_order(struct town *t)
{
	t->fallback.in_order = false;
}

static void plant_no_windows(struct town *t)
{
	for (unsigned i = 0; i < DESTINATIONS; i++) {
		t->to[0][i].window = i;
		t->to[1][i].window = 10 + i;
	}
}

static void other_policies_are_rejected(void **state)
{
	static void (*const plants[])(struct town *) = {plant_everything_is_retried,
		plant_one_move_more, plant_no_fallback, plant_any_order, plant_no_windows};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plants); i++) {
		const char *why = NULL;

		if (rejected(plants[i], &why) == 0) {
			fail_msg("the judge did not see plant %zu", i);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retries_at_one_upstream),
		cmocka_unit_test(waits_as_long_as_it_is_told_to),
		cmocka_unit_test(moves_within_the_route),
		cmocka_unit_test(who_was_told_to_wait_waits_at_every_endpoint),
		cmocka_unit_test(a_larger_window),
		cmocka_unit_test(falls_back_in_order_and_never_in_circles),
		cmocka_unit_test(a_circle_of_routes_is_walked_once),
		cmocka_unit_test(what_is_out_of_service_drops_out),
		cmocka_unit_test(credentials_fail_over),
		cmocka_unit_test(nobody_is_blamed_for_a_prompt),
		cmocka_unit_test(a_credential_that_was_told_to_wait_waits),
		cmocka_unit_test(the_same_consumer_the_same_credential),
		cmocka_unit_test(no_storm),
		cmocka_unit_test(what_is_full_is_passed_over),
		cmocka_unit_test(what_is_waited_for_is_what_is_full),
		cmocka_unit_test(a_probe_without_a_place_is_none),
		cmocka_unit_test(courses_keep_to_policies),
		cmocka_unit_test(other_policies_are_rejected),
	};

	return cmocka_run_group_tests_name("plan/course", tests, NULL, NULL);
}
