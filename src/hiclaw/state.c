#include "hiclaw/state.h"

/* What the rules look at. */
struct view {
	const struct state_evidence *e;
	uint64_t now_ms, idle_timeout_ms;
	enum state_container container;
	unsigned container_from; /* the source of it */
	bool starting;           /* it is being made, or made anew */
};

/* --- words ---------------------------------------------------------------------------------------- */

static const char *const phases[] = {
	NULL, "Pending", "Running", "Ready", "Sleeping", "Updating", "Stopped", "Failed"};
static const char *const containers[] = {
	NULL, "running", "ready", "starting", "stopped", "not_found", "remote"};
static const char *const wishes[] = {NULL, "Running", "Sleeping", "Stopped"};

static unsigned find(struct bytes text, const char *const *words, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		if (bytes_eq_nocase(text, bytes_str(words[i]))) {
			return i;
		}
	}
	return 0;
}

enum state_phase state_phase_of(struct bytes text)
{
	return (enum state_phase)find(text, phases, ARRAY_LEN(phases));
}

enum state_container state_container_of(struct bytes text)
{
	if (bytes_eq(text, BYTES("exited"))) { /* as the engine calls it */
		return STATE_CONTAINER_STOPPED;
	}
	return (enum state_container)find(text, containers, ARRAY_LEN(containers));
}

enum state_wish state_wish_of(struct bytes text)
{
	return (enum state_wish)find(text, wishes, ARRAY_LEN(wishes));
}

const char *state_phase_text(enum state_phase phase)
{
	return phases[phase];
}

const char *state_container_text(enum state_container container)
{
	return containers[container];
}

const char *state_text(enum state_name name)
{
	static const char *const names[] = {"busy", "idle", "sleeping", "offline"};

	return names[name];
}

char state_code(enum state_source source)
{
	static const char codes[STATE_SOURCES + 1] = "GCDLTMPR";
	unsigned i = 0;

	while (i + 1 < STATE_SOURCES && (1u << i) != (unsigned)source) {
		i++;
	}
	return codes[i];
}

/* --- the view --------------------------------------------------------------------------------------- */

/* The controller knows best, then the engine, then the Manager's notes. A controller that says no more than
 * that it runs is believed. */
static void look_at_container(struct view *v)
{
	const struct state_evidence *e = v->e;

	if (e->c.container != STATE_CONTAINER_UNKNOWN) {
		v->container = e->c.container;
		v->container_from = STATE_C;
	} else if (e->d.container != STATE_CONTAINER_UNKNOWN) {
		v->container = e->d.container;
		v->container_from = STATE_D;
	} else if (e->l.container != STATE_CONTAINER_UNKNOWN) {
		v->container = e->l.container;
		v->container_from = STATE_L;
	} else if (e->c.phase == STATE_PHASE_RUNNING || e->c.phase == STATE_PHASE_READY) {
		v->container = STATE_CONTAINER_RUNNING;
		v->container_from = STATE_C;
	}
}

static bool is_remade(const struct view *v)
{
	return v->e->c.phase == STATE_PHASE_PENDING || v->e->c.phase == STATE_PHASE_UPDATING;
}

static bool is_awake(const struct view *v)
{
	return v->container == STATE_CONTAINER_RUNNING || v->container == STATE_CONTAINER_READY ||
		v->container == STATE_CONTAINER_REMOTE;
}

/* Asked to sleep, or told by its phase that it does. */
static bool is_to_sleep(const struct view *v)
{
	enum state_phase phase = v->e->c.phase;

	return v->e->c.wish == STATE_WISH_SLEEPING || v->e->c.wish == STATE_WISH_STOPPED ||
		phase == STATE_PHASE_SLEEPING || phase == STATE_PHASE_STOPPED;
}

static uint64_t since_last(const struct view *v)
{
	return v->now_ms > v->e->g.last ? v->now_ms - v->e->g.last : 0;
}

/* --- the rules: true when it is this one, with name, reason, evidence and since ----------------------- */

static bool say(struct state *s, enum state_name name, const char *reason, unsigned evidence,
	uint64_t since)
{
	s->name = name;
	s->reason = reason;
	s->evidence = evidence;
	s->since = since;
	return true;
}

static bool by_requests(const struct view *v, struct state *s)
{
	if (v->e->g.in_flight != 0) {
		return say(s, STATE_BUSY, "request_in_flight", STATE_G, v->e->g.in_flight_since);
	}
	return v->e->g.last != 0 && since_last(v) <= STATE_BUSY_MS &&
		say(s, STATE_BUSY, "recent_request", STATE_G, v->e->g.last);
}

static bool by_absence(const struct view *v, struct state *s)
{
	if (v->e->c.phase == STATE_PHASE_FAILED) {
		return say(s, STATE_OFFLINE, "failed", STATE_C, 0);
	}
	return v->container == STATE_CONTAINER_NOT_FOUND && !is_to_sleep(v) && !is_remade(v) &&
		say(s, STATE_OFFLINE, "not_found", v->container_from, 0);
}

static bool by_sleep(const struct view *v, struct state *s)
{
	const struct state_evidence *e = v->e;
	uint64_t since = e->d.container == STATE_CONTAINER_STOPPED ? e->d.since : e->l.stopped_at;

	if (is_to_sleep(v)) {
		return say(s, STATE_SLEEPING, "asleep", STATE_C, since);
	}
	return v->container == STATE_CONTAINER_STOPPED && !is_remade(v) &&
		say(s, STATE_SLEEPING, "container_stopped", v->container_from, since);
}

static bool by_tasks(const struct view *v, struct state *s)
{
	unsigned source = (v->e->known & STATE_T) != 0 ? STATE_T : STATE_M;

	if (v->e->p.until > v->now_ms) {
		return say(s, STATE_BUSY, "task_lease", STATE_P, 0);
	}
	return s->finite != 0 && is_awake(v) &&
		say(s, STATE_BUSY, "task", source | v->container_from, 0);
}

static bool by_container(const struct view *v, struct state *s)
{
	const struct state_evidence *e = v->e;
	uint64_t started = e->d.container == STATE_CONTAINER_RUNNING ? e->d.since : 0;
	uint64_t since = MAX(MAX(e->l.idle_since, MAX(e->l.started_at, started)), e->g.last);

	if (v->starting) {
		return say(
			s, STATE_IDLE, "starting", is_remade(v) ? STATE_C : v->container_from, 0);
	}
	return is_awake(v) &&
		say(s, STATE_IDLE, v->container == STATE_CONTAINER_REMOTE ? "remote" : "running",
			v->container_from, since);
}

static bool by_old_requests(const struct view *v, struct state *s)
{
	uint64_t last = v->e->g.last;

	if (last == 0) {
		return false;
	}
	if (since_last(v) <= STATE_AWAKE_MS) {
		return say(s, STATE_IDLE, "requests", STATE_G, last);
	}
	if (since_last(v) <= v->idle_timeout_ms) {
		return say(s, STATE_SLEEPING, "no_requests", STATE_G, last + STATE_AWAKE_MS);
	}
	return say(s, STATE_OFFLINE, "no_requests", STATE_G,
		last + MAX(v->idle_timeout_ms, STATE_AWAKE_MS));
}

struct state state_decide(const struct state_evidence *e, uint64_t idle_timeout_ms, uint64_t now_ms)
{
	static bool (*const rules[])(const struct view *v, struct state *s) = {
		by_requests, by_absence, by_sleep, by_tasks, by_container, by_old_requests};
	struct view v = {.e = e, .now_ms = now_ms, .idle_timeout_ms = idle_timeout_ms};
	struct state s = {.name = STATE_OFFLINE};

	look_at_container(&v);
	v.starting = is_remade(&v) || v.container == STATE_CONTAINER_STARTING;
	s.container = v.container;
	s.finite = (e->known & STATE_T) != 0 ? e->t.finite : e->m.assigned;
	s.infinite = e->t.infinite;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i](&v, &s)) {
			s.starting =
				v.starting && s.name != STATE_OFFLINE && s.name != STATE_SLEEPING;
			s.since = MIN(s.since, now_ms);
			return s;
		}
	}
	s.reason = "no_signal";
	return s;
}

void state_follow(struct state *s, const struct state *before, uint64_t now_ms)
{
	if (s->evidence == 0) {
		s->since = 0;
	} else if (before != NULL && before->name == s->name && before->since != 0) {
		s->since = before->since;
	} else if (s->since == 0) {
		s->since = now_ms;
	}
}
