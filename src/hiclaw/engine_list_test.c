#include "hiclaw/engine_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"

#define PREFIX BYTES("hiclaw-worker-")
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CONTAINER(name, state)                                                                \
	"{\"Id\":\"" ID "\",\"Names\":[\"" name                                               \
	"\"],\"Image\":\"hiclaw/worker:1.1\",\"Command\":"                                    \
	"\"/bin/sh -c \\\"run\\\"\",\"Created\":1764000000,\"Ports\":[{\"PrivatePort\":80}]," \
	"\"Labels\":{},\"State\":\"" state "\",\"Status\":\"Up 2 hours (healthy)\",\"Mounts\":[]}"

/* "alice:running bob:stopped" */
static void show(const struct engine_list *l, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < l->n; i++) {
		const char *state = state_container_text(l->v[i].state);

		n += (size_t)snprintf(out + n, size - n, "%s" BYTES_FMT ":%s", i != 0 ? " " : "",
			BYTES_ARG(l->v[i].worker), state != NULL ? state : "?");
	}
}

static void test_lists(void **state)
{
	static const struct {
		const char *in, *want, *reason; /* want NULL: refused */
	} rows[] = {
		{"[]", "", "no containers"},
		{"[" CONTAINER("/hiclaw-worker-bob", "exited") "," CONTAINER(
			 "/hiclaw-worker-alice", "running") "]",
			"alice:running bob:stopped", "by name, in the state's words"},
		{"[" CONTAINER("hiclaw-worker-alice", "running") "]", "alice:running",
			"Podman's names have no slash"},
		{"[" CONTAINER("/hiclaw-manager", "running") "," CONTAINER("/x-hiclaw-worker-a",
			 "running") "," CONTAINER("/db/hiclaw-worker-a", "running") "]",
			"", "containers of others, and their names for ours"},
		{"[{\"Id\":\"" ID "\",\"Names\":[\"/db/w\",\"/hiclaw-worker-alice\"],"
		 "\"State\":\"running\"}]",
			"alice:running", "any of its names"},
		{"[" CONTAINER("/hiclaw-worker-", "running") "," CONTAINER(
			 "/hiclaw-worker-manager", "running") "," CONTAINER("/hiclaw-worker-A",
			 "running") "," CONTAINER("/hiclaw-worker-../x", "running") "]",
			"", "what is no name of a Worker"},
		{"[" CONTAINER("/hiclaw-worker-a", "created") "," CONTAINER(
			 "/hiclaw-worker-b", "restarting") "," CONTAINER("/hiclaw-worker-c",
			 "paused") "," CONTAINER("/hiclaw-worker-d",
			 "dead") "," CONTAINER("/hiclaw-worker-e",
			 "removing") "," CONTAINER("/hiclaw-worker-f", "flying") "]",
			"a:starting b:starting c:stopped d:not_found e:not_found f:?",
			"all states, and one of later years"},
		{"[{\"Names\":[\"/other\"]}]", "", "what others lack is nothing to us"},
		{"{\"message\":\"client version 1.10 is too old\"}", NULL, "an error's object"},
		{"[1]", NULL, "no object"},
		{"[{}]", NULL, "no names"},
		{"[{\"Names\":null,\"Id\":\"" ID "\",\"State\":\"running\"}]", NULL,
			"names that are no list"},
		{"[{\"Id\":\"" ID "\",\"Names\":[\"/hiclaw-worker-alice\"]}]", NULL, "no state"},
		{"[{\"Id\":\"" ID "\",\"Names\":[\"/hiclaw-worker-alice\"],\"State\":{}}]", NULL,
			"a state of one container's answer"},
		{"[{\"Id\":\"../images\",\"Names\":[\"/hiclaw-worker-alice\"],\"State\":"
		 "\"running\"}]",
			NULL, "an id that would lead elsewhere"},
		{"[{\"Id\":\"0123\",\"Names\":[\"/hiclaw-worker-alice\"],\"State\":\"running\"}]",
			NULL, "an id of four digits"},
		{"", NULL, "nothing"},
		{"<html>", NULL, "no JSON"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct engine_list l = {.n = 77};
		struct fault fault = {0};
		struct arena a;
		char shown[512];
		int rc;

		arena_init(&a, ENGINE_TREE_MAX);
		rc = engine_list_read(&a, bytes_str(rows[i].in), PREFIX, &l, &fault);
		if (rows[i].want == NULL) {
			if (rc != ERR_SYNTAX || fault.text[0] == '\0' || l.n != 77) {
				fail_msg("%s: %d, %s", rows[i].reason, rc, fault.text);
			}
		} else {
			if (rc != 0) {
				fail_msg("%s: %s", rows[i].reason, fault.text);
			}
			show(&l, shown, sizeof(shown));
			assert_string_equal(shown, rows[i].want);
		}
		arena_done(&a);
	}
}

/* A list that ends anywhere is no list; one that came whole is the same however it came. */
static void test_cut_anywhere(void **state)
{
	const char *whole = "[" CONTAINER("/hiclaw-worker-alice", "running") "]";

	(void)state;
	for (size_t n = 0; n <= strlen(whole); n++) {
		struct engine_list l = {.n = 0};
		struct fault fault = {0};
		struct arena a;
		struct text t;
		int rc;

		arena_init(&a, ENGINE_TREE_MAX);
		text_init(&t, 4096);
		for (size_t i = 0; i < n; i++) { /* a byte at a time into memory of just its size */
			text_add(&t, whole + i, 1);
		}
		rc = engine_list_read(&a, text_bytes(&t), PREFIX, &l, &fault);
		assert_int_equal(rc, n == strlen(whole) ? 0 : ERR_SYNTAX);
		assert_int_equal(l.n, n == strlen(whole));
		text_done(&t);
		arena_done(&a);
	}
}

static void test_too_many(void **state)
{
	struct engine_list l = {.n = 77};
	struct fault fault = {0};
	struct arena a;
	struct text t;

	(void)state;
	arena_init(&a, (size_t)64 << 20);
	text_init(&t, (size_t)16 << 20);
	for (unsigned i = 0; i <= ENGINE_CONTAINERS_MAX; i++) {
		text_addf(&t,
			"%s{\"Id\":\"" ID
			"\",\"Names\":[\"/hiclaw-worker-w%u\"],\"State\":\"running\"}",
			i == 0 ? "[" : ",", i);
	}
	text_add_str(&t, "]");
	assert_int_equal(engine_list_read(&a, text_bytes(&t), PREFIX, &l, &fault), ERR_LIMIT);
	assert_int_equal(l.n, 77);
	text_done(&t);
	arena_done(&a);
}

static void test_times(void **state)
{
	static const struct {
		const char *in;
		uint64_t want; /* UINT64_MAX: refused */
		const char *reason;
	} rows[] = {
		{"{\"Id\":\"" ID
		 "\",\"State\":{\"Status\":\"running\",\"Running\":true,\"StartedAt\":"
		 "\"2026-01-01T00:00:00.123456789Z\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"}}",
			UINT64_C(1767225600123), "runs since"},
		{"{\"Id\":\"" ID "\",\"State\":{\"Status\":\"exited\",\"StartedAt\":"
		 "\"2026-01-01T00:00:00Z\",\"FinishedAt\":\"2026-01-01T00:01:00Z\"}}",
			UINT64_C(1767225660000), "ended"},
		{"{\"Id\":\"" ID "\",\"State\":{\"Status\":\"created\",\"StartedAt\":"
		 "\"0001-01-01T00:00:00Z\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"}}",
			0, "never started"},
		{"{\"Id\":\"" ID "\",\"State\":{}}", 0, "says nothing"},
		{"{\"Id\":\"" ID "\",\"State\":\"running\"}", UINT64_MAX, "the list's word"},
		{"{\"Id\":\"ffffffffffff\",\"State\":{\"Status\":\"running\"}}", UINT64_MAX,
			"another container's"},
		{"[]", UINT64_MAX, "a list"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t since = 77;
		struct fault fault = {0};
		struct arena a;
		int rc;

		arena_init(&a, ENGINE_TREE_MAX);
		rc = engine_since_read(&a, bytes_str(rows[i].in), BYTES(ID), &since, &fault);
		if ((rc == 0) != (rows[i].want != UINT64_MAX) ||
			since != (rc == 0 ? rows[i].want : 77)) {
			fail_msg("%s: %d, %llu, %s", rows[i].reason, rc, (unsigned long long)since,
				fault.text);
		}
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
