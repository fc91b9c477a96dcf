#include "hiclaw/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* For tables. */
#define TXT(lit)                        \
	{                               \
		"" lit, sizeof(lit) - 1 \
	}
#define DASHES_15 "---------------"
#define N63 "a" DASHES_15 DASHES_15 DASHES_15 DASHES_15 "-9"

/* Names as they stand in a path: /ni_status/assignment/workers/<segment>. */
static const struct segment_row {
	struct bytes raw;
	const char *worker; /* NULL: refused */
	const char *reason;
} segments[] = {
	{TXT("alice"), "alice", "a name"},
	{TXT("a"), "a", "one letter"},
	{TXT("0-9"), "0-9", "digits"},
	{TXT(N63), N63, "63 characters"},
	{TXT("%61lice"), "alice", "an escape that was not needed"},
	{TXT("worker-1"), "worker-1", "a Worker may be called so"},
	{TXT("manager1"), "manager1", "begins with a reserved name"},
	{TXT(""), NULL, "HI-23: empty"},
	{TXT(".."), NULL, "M-26: the directory above"},
	{TXT("."), NULL, "the directory itself"},
	{TXT("../x"), NULL, "HI-23: a path"},
	{TXT("a/b"), NULL, "HI-23: a path"},
	{TXT("%2e%2e"), NULL, "HI-23: escaped dots"},
	{TXT("%2E."), NULL, "half escaped"},
	{TXT("a%2fb"), NULL, "M-26: an escaped slash"},
	{TXT("a%2Fb"), NULL, "an escaped slash in upper case"},
	{TXT("%252e%252e"), NULL, "escaped twice is decoded once"},
	{TXT("a%5cb"), NULL, "a backslash"},
	{TXT("a%00b"), NULL, "NUL would end the path"},
	{TXT("a%0ab"), NULL, "a line end"},
	{TXT("a%7f"), NULL, "delete"},
	{TXT("a%"), NULL, "half an escape"},
	{TXT("a%2"), NULL, "half an escape"},
	{TXT("a%zz"), NULL, "an escape of no digits"},
	{TXT("A"), NULL, "M-26: upper case"},
	{TXT("aliceA"), NULL, "upper case behind"},
	{TXT("-a"), NULL, "a dash in front is an option to a command"},
	{TXT("a_b"), NULL, "no character of a label"},
	{TXT("a.b"), NULL, "a dot"},
	{TXT("a+b"), NULL, "a plus is no blank in a path"},
	{TXT("a b"), NULL, "a blank"},
	{TXT("%c3%a4"), NULL, "other letters"},
	{TXT("%ff"), NULL, "no UTF-8"},
	{TXT(N63 "x"), NULL, "HI-23: 64 characters"},
	{TXT("manager"), NULL, "HI-23: reserved"},
	{TXT("%6danager"), NULL, "reserved, escaped"},
	{TXT("default"), NULL, "reserved"},
	{TXT("shared"), NULL, "reserved"},
	{TXT("workers"), NULL, "reserved"},
};

static void workers_in_paths(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(segments); i++) {
		const struct segment_row *r = &segments[i];
		struct names_room room;
		struct bytes name = BYTES("");
		struct fault f = {0};
		int rc = names_segment(r->raw, &room, &name, &f);
		bool taken = rc == 0 && names_is_worker(name);

		if (taken != (r->worker != NULL) || (rc == 0) != (f.text[0] == '\0') ||
			(taken && !bytes_eq(name, bytes_str(r->worker)))) {
			print_message("%s: %d %s\n", r->reason, rc, f.text);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void segments_have_a_limit(void **state)
{
	char raw[NAMES_SEGMENT_MAX + 1];
	struct names_room room;
	struct bytes name = {0};
	struct fault f = {0};

	(void)state;
	memset(raw, 'a', sizeof(raw));
	assert_int_equal(names_segment(bytes_of(raw, sizeof(raw) - 1), &room, &name, &f), 0);
	assert_int_equal(name.n, NAMES_SEGMENT_MAX);
	assert_int_equal(names_segment(bytes_of(raw, sizeof(raw)), &room, &name, &f), ERR_LIMIT);
	assert_int_equal(f.status, 400);
}

static const struct target_row {
	const char *text;
	const char *worker; /* "": the Manager; NULL: refused */
	const char *reason;
} targets[] = {
	{"manager", "", "the Manager"},
	{"worker:alice", "alice", "M-28: with its kind"},
	{"alice", "alice", "M-28: bare"},
	{"worker", "worker", "a Worker of that name"},
	{"worker-1", "worker-1", "not a prefix here"},
	{"", NULL, "nothing"},
	{"worker:", NULL, "no name"},
	{"worker:manager", NULL, "the Manager is no Worker"},
	{"worker:worker:a", NULL, "a colon is in no name"},
	{"Worker:alice", NULL, "another spelling"},
	{"MANAGER", NULL, "another spelling"},
	{"manager ", NULL, "a blank behind it"},
	{"../../etc", NULL, "M-27: a path"},
	{"worker:../../etc", NULL, "M-27: a path behind the kind"},
	{"worker:%2e%2e", NULL, "a body is not decoded"},
	{"default", NULL, "reserved"},
	{"alice\n", NULL, "a line end"},
};

static void targets_of_requests(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		const struct target_row *r = &targets[i];
		struct names_target t = {.kind = NAMES_MANAGER};
		struct fault f = {0};
		int rc = names_target(bytes_str(r->text), &t, &f);
		bool ok = (rc == 0) == (r->worker != NULL) && (rc == 0 || f.status == 400);

		if (ok && rc == 0) {
			ok = (t.kind == NAMES_MANAGER) == (r->worker[0] == '\0') &&
				bytes_eq(t.worker, bytes_str(r->worker));
		}
		if (!ok) {
			print_message("%s: %d %s\n", r->reason, rc, f.text);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void consumers_of_workers(void **state)
{
	static const struct {
		const char *consumer, *worker;
	} rows[] = {{"worker-alice", "alice"}, {"worker-worker-1", "worker-1"}, {"manager", NULL},
		{"alice", NULL}, {"worker-", NULL}, {"worker-manager", NULL}, {"worker-A", NULL},
		{"worker-a/b", NULL}, {"Worker-a", NULL}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes worker = {0};

		assert_int_equal(names_of_consumer(bytes_str(rows[i].consumer), &worker),
			rows[i].worker != NULL);
		assert_true(bytes_eq(worker, bytes_str(rows[i].worker)));
	}
}

static void providers(void **state)
{
	static const struct {
		struct bytes name;
		bool fine;
		const char *reason;
	} rows[] = {
		{TXT("qwen"), true, "a name"},
		{TXT("MiniMax_2.7-x"), true, "all kinds of characters"},
		{TXT("9"), true, "one digit"},
		{TXT(N63), true, "63 characters"},
		{TXT("a'; touch x; '"), false, "M-43: a command"},
		{TXT("a\"b"), false, "M-43: a quote"},
		{TXT("../a"), false, "M-43: a path"},
		{TXT(N63 "x"), false, "M-43: 64 characters"},
		{TXT(""), false, "nothing"},
		{TXT(".a"), false, "a dot in front"},
		{TXT("-a"), false, "a dash in front"},
		{TXT("_a"), false, "an underscore in front"},
		{TXT("a/b"), false, "a slash"},
		{TXT("a b"), false, "a blank"},
		{TXT("a\0b"), false, "NUL"},
		{TXT("a\n"), false, "a line end"},
		{TXT("\xc3\xa4"), false, "other letters"},
		{TXT("x.dns"), false, "a registry's name"},
		{TXT("x.static"), false, "a registry's name"},
		{TXT("dns"), true, "no ending"},
		{TXT("x.dnsx"), true, "another ending"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (names_is_provider(rows[i].name) != rows[i].fine) {
			fail_msg("%s", rows[i].reason);
		}
	}
}

static void models(void **state)
{
	static const struct {
		struct bytes id;
		const char *bare; /* NULL: INVALID_MODEL */
		const char *reason;
	} rows[] = {
		{TXT("qwen3.5-plus"), "qwen3.5-plus", "an id"},
		{TXT("hiclaw-gateway/qwen3.5-plus"), "qwen3.5-plus", "as OpenClaw has it"},
		{TXT("openai/gpt-5:free@1"), "openai/gpt-5:free@1", "other vendors' signs stay"},
		{TXT("m'$(id)"), NULL, "M-44: a command"},
		{TXT("m\"x"), NULL, "M-44: a quote"},
		{TXT("m\nx"), NULL, "M-44: a line end"},
		{TXT("m`id`"), NULL, "a quote of shells"},
		{TXT("m x"), NULL, "a blank"},
		{TXT("m\0x"), NULL, "NUL"},
		{TXT("\xff"), NULL, "no UTF-8"},
		{TXT(""), NULL, "nothing"},
		{TXT("hiclaw-gateway/"), NULL, "a prefix alone"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes bare = {0};
		struct fault f = {0};
		int rc = names_model(rows[i].id, &bare, &f);

		if ((rc == 0) != (rows[i].bare != NULL) || (rc == 0) != (f.text[0] == '\0') ||
			!bytes_eq(bare, bytes_str(rows[i].bare))) {
			fail_msg("%s", rows[i].reason);
		}
	}
}

/* What names of backups and providers rely on too, which have no rule against a slash behind it. */
static void segments_alone(void **state)
{
	static const struct {
		struct bytes raw;
		const char *name; /* NULL: refused */
		const char *reason;
	} rows[] = {
		{TXT("a%20b"), "a b", "a blank is a character"},
		{TXT("x.y_z"), "x.y_z", "dots and underscores"},
		{TXT("a%2fb"), NULL, "an escaped slash leads to another place"},
		{TXT("%2F"), NULL, "nothing but a slash"},
		{TXT("a%00"), NULL, "NUL would end the path"},
		{TXT("a%7F"), NULL, "delete"},
		{TXT("%"), NULL, "half an escape"},
		{TXT(""), NULL, "no name at all"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct names_room room;
		struct fault f = {0};
		struct bytes out;
		int rc = names_segment(rows[i].raw, &room, &out, &f);

		if ((rc == 0) != (rows[i].name != NULL) ||
			(rc == 0 && !bytes_eq(out, bytes_str(rows[i].name)))) {
			fail_msg("%s: %d %s", rows[i].reason, rc, f.text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_in_paths),
		cmocka_unit_test(segments_alone),
		cmocka_unit_test(segments_have_a_limit),
		cmocka_unit_test(targets_of_requests),
		cmocka_unit_test(consumers_of_workers),
		cmocka_unit_test(providers),
		cmocka_unit_test(models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
