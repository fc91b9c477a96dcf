#include "hiclaw/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW UINT64_C(1800000000000)
#define AGO(seconds) (NOW - (seconds)*UINT64_C(1000))
#define IDLE_TIMEOUT (UINT64_C(720) * 60 * 1000)

#define G .known = STATE_G, .g
#define C .known = STATE_C, .c
#define L .known = STATE_L, .l

static const struct row {
	struct state_evidence e;
	enum state_name name;
	const char *reason;
	unsigned evidence;
	uint64_t since;
	bool starting;
	const char *why;
} rows[] = {
	/* 1: requests */
	{{G = {.in_flight = 1, .in_flight_since = AGO(7)}}, STATE_BUSY, "request_in_flight",
		STATE_G, AGO(7), false, "HI-52, M-96: one is under way"},
	{{G = {.in_flight = 1, .last = AGO(3600)}}, STATE_BUSY, "request_in_flight", STATE_G, 0,
		false, "one is under way, the last ended long ago"},
	{{G = {.last = AGO(20)}}, STATE_BUSY, "recent_request", STATE_G, AGO(20), false,
		"20 seconds after the end"},
	{{G = {.last = NOW + 5000}}, STATE_BUSY, "recent_request", STATE_G, NOW, false,
		"the clock was put back"},
	{{.g = {.in_flight = 1}, C = {.phase = STATE_PHASE_FAILED}}, STATE_BUSY,
		"request_in_flight", STATE_G, 0, false, "who asks is there, whatever others say"},
	{{.g = {.in_flight = 1}, C = {.wish = STATE_WISH_SLEEPING}}, STATE_BUSY,
		"request_in_flight", STATE_G, 0, false, "not asleep yet"},
	{{.g = {.in_flight = 1}, C = {.phase = STATE_PHASE_UPDATING}}, STATE_BUSY,
		"request_in_flight", STATE_G, 0, true, "busy while it is to be made anew"},
	/* 2: failed or gone */
	{{C = {.phase = STATE_PHASE_FAILED, .container = STATE_CONTAINER_RUNNING}}, STATE_OFFLINE,
		"failed", STATE_C, 0, false, "failed though its container runs"},
	{{C = {.phase = STATE_PHASE_FAILED, .wish = STATE_WISH_SLEEPING}}, STATE_OFFLINE, "failed",
		STATE_C, 0, false, "failed comes before asleep"},
	{{.g = {.last = AGO(21)}, C = {.container = STATE_CONTAINER_NOT_FOUND}}, STATE_OFFLINE,
		"not_found", STATE_C, 0, false, "gone, 21 seconds after its last request"},
	{{L = {.container = STATE_CONTAINER_NOT_FOUND}}, STATE_OFFLINE, "not_found", STATE_L, 0,
		false, "HI-53: not_found"},
	{{.d = {.container = STATE_CONTAINER_NOT_FOUND},
		 L = {.container = STATE_CONTAINER_RUNNING}},
		STATE_OFFLINE, "not_found", STATE_D, 0, false,
		"the engine knows better than notes"},
	{{C = {.container = STATE_CONTAINER_NOT_FOUND, .wish = STATE_WISH_RUNNING}}, STATE_OFFLINE,
		"not_found", STATE_C, 0, false, "it should run"},
	{{C = {.container = STATE_CONTAINER_NOT_FOUND}, .p = {.until = NOW + 1}}, STATE_OFFLINE,
		"not_found", STATE_C, 0, false, "gone comes before its tasks"},
	{{.known = STATE_D, .d = {.container = STATE_CONTAINER_RUNNING, .since = AGO(90)}},
		STATE_IDLE, "running", STATE_D, AGO(90), false,
		"the engine says since when it runs"},
	{{.known = STATE_D, .d = {.container = STATE_CONTAINER_STOPPED, .since = AGO(90)}},
		STATE_SLEEPING, "container_stopped", STATE_D, AGO(90), false,
		"the engine says when it ended"},
	{{.known = STATE_D, .d = {.container = STATE_CONTAINER_STARTING}}, STATE_IDLE, "starting",
		STATE_D, 0, true, "made, and not started yet"},
	{{C = {.container = STATE_CONTAINER_RUNNING}, .d = {.container = STATE_CONTAINER_STOPPED}},
		STATE_IDLE, "running", STATE_C, 0, false,
		"the controller knows better than the engine"},
	/* 3: asleep */
	{{C = {.container = STATE_CONTAINER_NOT_FOUND, .wish = STATE_WISH_SLEEPING}},
		STATE_SLEEPING, "asleep", STATE_C, 0, false, "not there because it sleeps"},
	{{C = {.container = STATE_CONTAINER_NOT_FOUND, .phase = STATE_PHASE_STOPPED}},
		STATE_SLEEPING, "asleep", STATE_C, 0, false, "not there because it is stopped"},
	{{C = {.container = STATE_CONTAINER_RUNNING, .wish = STATE_WISH_STOPPED}}, STATE_SLEEPING,
		"asleep", STATE_C, 0, false, "it is to stop"},
	{{C = {.phase = STATE_PHASE_SLEEPING}, .l = {.stopped_at = AGO(90)}}, STATE_SLEEPING,
		"asleep", STATE_C, AGO(90), false, "since the Manager stopped it"},
	{{L = {.container = STATE_CONTAINER_STOPPED, .stopped_at = AGO(60)}}, STATE_SLEEPING,
		"container_stopped", STATE_L, AGO(60), false, "HI-53: lifecycle stopped"},
	{{.d = {.container = STATE_CONTAINER_STOPPED, .since = AGO(5)}}, STATE_SLEEPING,
		"container_stopped", STATE_D, AGO(5), false, "the engine says stopped, and when"},
	{{L = {.container = STATE_CONTAINER_STOPPED}, .p = {.until = NOW + 1}}, STATE_SLEEPING,
		"container_stopped", STATE_L, 0, false, "asleep comes before its tasks"},
	{{.g = {.last = AGO(30)}, L = {.container = STATE_CONTAINER_STOPPED}}, STATE_SLEEPING,
		"container_stopped", STATE_L, 0, false, "asleep comes before old requests"},
	/* 4: tasks */
	{{.known = STATE_P, .p = {.until = NOW + 1}}, STATE_BUSY, "task_lease", STATE_P, 0, false,
		"a lease, nothing else"},
	{{L = {.container = STATE_CONTAINER_RUNNING}, .p = {.until = NOW + 1}}, STATE_BUSY,
		"task_lease", STATE_P, 0, false, "a lease comes before idle"},
	{{L = {.container = STATE_CONTAINER_RUNNING}, .p = {.until = NOW}}, STATE_IDLE, "running",
		STATE_L, 0, false, "the lease has run out"},
	{{.known = STATE_T | STATE_L,
		 .t = {.finite = 1},
		 .l = {.container = STATE_CONTAINER_RUNNING}},
		STATE_BUSY, "task", STATE_T | STATE_L, 0, false, "a task and a container"},
	{{.known = STATE_T | STATE_C,
		 .t = {.finite = 1},
		 .c = {.container = STATE_CONTAINER_READY}},
		STATE_BUSY, "task", STATE_T | STATE_C, 0, false, "ready runs"},
	{{.known = STATE_T | STATE_L,
		 .t = {.finite = 1},
		 .l = {.container = STATE_CONTAINER_REMOTE}},
		STATE_BUSY, "task", STATE_T | STATE_L, 0, false, "remote is taken to run"},
	{{.known = STATE_T | STATE_L,
		 .t = {.infinite = 1},
		 .l = {.container = STATE_CONTAINER_RUNNING}},
		STATE_IDLE, "running", STATE_L, 0, false, "a task without an end is no work now"},
	{{.known = STATE_T, .t = {.finite = 1}}, STATE_OFFLINE, "no_signal", 0, 0, false,
		"a task whose container is not known to run"},
	{{.known = STATE_M | STATE_L,
		 .m = {.assigned = 1},
		 .l = {.container = STATE_CONTAINER_RUNNING}},
		STATE_BUSY, "task", STATE_M | STATE_L, 0, false, "no state.json: meta.json"},
	{{.known = STATE_T | STATE_M | STATE_L,
		 .m = {.assigned = 1},
		 .l = {.container = STATE_CONTAINER_RUNNING}},
		STATE_IDLE, "running", STATE_L, 0, false, "state.json knows better than meta.json"},
	/* 5: awake */
	{{.g = {.last = AGO(21)}, L = {.container = STATE_CONTAINER_RUNNING}}, STATE_IDLE,
		"running", STATE_L, AGO(21), false, "HI-52: 21 seconds after the end"},
	{{L = {.container = STATE_CONTAINER_RUNNING, .idle_since = AGO(9), .started_at = AGO(99)}},
		STATE_IDLE, "running", STATE_L, AGO(9), false, "idle since it is"},
	{{.d = {.container = STATE_CONTAINER_RUNNING}}, STATE_IDLE, "running", STATE_D, 0, false,
		"the engine's word"},
	{{L = {.container = STATE_CONTAINER_REMOTE}}, STATE_IDLE, "remote", STATE_L, 0, false,
		"not ours: reachable"},
	{{C = {.phase = STATE_PHASE_RUNNING}}, STATE_IDLE, "running", STATE_C, 0, false,
		"a phase is enough"},
	{{C = {.phase = STATE_PHASE_READY, .container = STATE_CONTAINER_UNKNOWN}}, STATE_IDLE,
		"running", STATE_C, 0, false, "ready as a phase"},
	{{C = {.phase = STATE_PHASE_PENDING}}, STATE_IDLE, "starting", STATE_C, 0, true, "Pending"},
	{{C = {.phase = STATE_PHASE_UPDATING, .container = STATE_CONTAINER_NOT_FOUND}}, STATE_IDLE,
		"starting", STATE_C, 0, true, "its container is being made anew"},
	{{C = {.phase = STATE_PHASE_UPDATING, .container = STATE_CONTAINER_STOPPED}}, STATE_IDLE,
		"starting", STATE_C, 0, true, "the old container has stopped"},
	{{C = {.phase = STATE_PHASE_UPDATING, .wish = STATE_WISH_SLEEPING}}, STATE_SLEEPING,
		"asleep", STATE_C, 0, false, "updated in its sleep"},
	{{.d = {.container = STATE_CONTAINER_STARTING}}, STATE_IDLE, "starting", STATE_D, 0, true,
		"the container starts"},
	{{.g = {.last = AGO(86400)}, L = {.container = STATE_CONTAINER_RUNNING}}, STATE_IDLE,
		"running", STATE_L, AGO(86400), false, "running comes before old requests"},
	/* 6: requests long ago */
	{{G = {.last = AGO(21)}}, STATE_IDLE, "requests", STATE_G, AGO(21), false, "21 seconds"},
	{{G = {.last = AGO(900)}}, STATE_IDLE, "requests", STATE_G, AGO(900), false, "15 minutes"},
	{{G = {.last = AGO(901)}}, STATE_SLEEPING, "no_requests", STATE_G, AGO(1), false,
		"more than 15 minutes"},
	{{G = {.last = AGO(43200)}}, STATE_SLEEPING, "no_requests", STATE_G, AGO(42300), false,
		"the idle timeout"},
	{{G = {.last = AGO(43201)}}, STATE_OFFLINE, "no_requests", STATE_G, AGO(1), false,
		"more than that"},
	/* 7: nothing */
	{{.known = 0}, STATE_OFFLINE, "no_signal", 0, 0, false, "HI-53, M-95: nothing"},
	{{.known = STATE_G}, STATE_OFFLINE, "no_signal", 0, 0, false,
		"a consumer that never asked"},
	{{.known = STATE_R}, STATE_OFFLINE, "no_signal", 0, 0, false, "a name in the registry"},
};

static void rules_and_their_order(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct state s = state_decide(&r->e, IDLE_TIMEOUT, NOW);

		if (s.name != r->name || strcmp(s.reason, r->reason) != 0 ||
			s.evidence != r->evidence || s.since != r->since ||
			s.starting != r->starting) {
			print_message("%s: %s %s %x %d %llu\n", r->why, state_text(s.name),
				s.reason, s.evidence, s.starting, (unsigned long long)s.since);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void a_short_idle_timeout(void **state)
{
	const struct state_evidence e = {.g = {.last = AGO(901)}};
	struct state s = state_decide(&e, 60000, NOW);

	(void)state;
	assert_int_equal(s.name, STATE_OFFLINE);
	assert_int_equal(s.since, AGO(1));
}

static void states_go_on(void **state)
{
	const struct state_evidence in_flight = {.g = {.in_flight = 1}};
	const struct state_evidence recent = {.g = {.last = AGO(2)}};
	const struct state_evidence nothing = {.known = 0};
	struct state first = state_decide(&in_flight, IDLE_TIMEOUT, AGO(9));
	struct state next = state_decide(&recent, IDLE_TIMEOUT, NOW);
	struct state none = state_decide(&nothing, IDLE_TIMEOUT, NOW);

	(void)state;
	state_follow(&first, NULL, AGO(9));
	assert_int_equal(first.since, AGO(9)); /* seen first then */
	state_follow(&next, &first, NOW);
	assert_int_equal(next.since, AGO(9)); /* busy since then, for another reason */
	state_follow(&none, &next, NOW);
	assert_int_equal(none.since, 0); /* M-95: the same whenever it is asked */
	next = state_decide(&recent, IDLE_TIMEOUT, NOW);
	state_follow(&next, &none, NOW);
	assert_int_equal(next.since, AGO(2));
}

static void words(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= STATE_PHASE_FAILED; i++) {
		const char *text = state_phase_text((enum state_phase)i);

		assert_int_equal(state_phase_of(bytes_str(text)), i);
	}
	for (unsigned i = 1; i <= STATE_CONTAINER_REMOTE; i++) {
		const char *text = state_container_text((enum state_container)i);

		assert_int_equal(state_container_of(bytes_str(text)), i);
	}
	assert_int_equal(state_container_of(BYTES("exited")), STATE_CONTAINER_STOPPED);
	assert_int_equal(state_container_of(BYTES("unknown")), STATE_CONTAINER_UNKNOWN);
	assert_int_equal(state_container_of(BYTES("")), STATE_CONTAINER_UNKNOWN);
	assert_int_equal(state_phase_of(BYTES("sleeping ")), STATE_PHASE_UNKNOWN);
	assert_int_equal(state_wish_of(BYTES("Stopped")), STATE_WISH_STOPPED);
	assert_int_equal(state_wish_of(BYTES("running")), STATE_WISH_RUNNING);
	assert_int_equal(state_wish_of(BYTES("?")), STATE_WISH_UNKNOWN);
	assert_null(state_phase_text(STATE_PHASE_UNKNOWN));
	assert_int_equal(state_code(STATE_G), 'G');
	assert_int_equal(state_code(STATE_P), 'P');
	assert_int_equal(state_code(STATE_R), 'R');
	assert_string_equal(state_text(STATE_OFFLINE), "offline");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_and_their_order),
		cmocka_unit_test(a_short_idle_timeout),
		cmocka_unit_test(states_go_on),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
