#include "wire/zookeeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define IN(lit)                        \
	{                              \
		(lit), sizeof(lit) - 1 \
	}
#define HEAD(code) \
	"\0\0\0\5" \
	"\0\0\0\0\0\0\0\7" code
#define GOOD HEAD("\0\0\0\0")

static void what_is_sent(void **state)
{
	static const char connect[] =
		"\0\0\0\x2d"
		"\0\0\0\0"
		"\0\0\0\0\0\0\0\0"
		"\0\0\x27\x10"
		"\0\0\0\0\0\0\0\0"
		"\0\0\0\x10"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\1";
	static const char children[] =
		"\0\0\0\x0f"
		"\0\0\0\1"
		"\0\0\0\x8"
		"\0\0\0\2"
		"/a"
		"\0";
	static const char end[] =
		"\0\0\0\x8"
		"\0\0\0\2"
		"\xff\xff\xff\xf5";
	struct text t;

	(void)state;
	text_init(&t, 4096);
	zookeeper_put_connect(&t, 10000);
	assert_true(bytes_eq(text_bytes(&t), bytes_of(connect, sizeof(connect) - 1)));
	text_clear(&t);
	zookeeper_put_question(&t, 1, ZOOKEEPER_GET_CHILDREN, BYTES("/a"));
	assert_true(bytes_eq(text_bytes(&t), bytes_of(children, sizeof(children) - 1)));
	text_clear(&t);
	zookeeper_put_end(&t, 2);
	assert_true(bytes_eq(text_bytes(&t), bytes_of(end, sizeof(end) - 1)));
	text_done(&t);
}

static const struct {
	struct bytes in;
	bool good;
	const char *reason;
} sessions[] = {
	{IN("\0\0\0\0"
	    "\0\0\x27\x10"
	    "12345678"
	    "\0\0\0\x10"
	    "0123456789abcdef"
	    "\0"),
		true, "as servers answer since 3.4"},
	{IN("\0\0\0\0"
	    "\0\0\x27\x10"
	    "12345678"
	    "\0\0\0\x10"
	    "0123456789abcdef"),
		true, "as they did before"},
	{IN("\0\0\0\0"
	    "\0\0\0\0"
	    "\0\0\0\0\0\0\0\0"
	    "\0\0\0\x10"
	    "0123456789abcdef"
	    "\0"),
		false, "no session: it has no time"},
	{IN("\0\0\0\0"
	    "\xff\xff\xff\xff"
	    "12345678"
	    "\0\0\0\0"),
		false, "a time below 0"},
	{IN("\0\0\0\0"
	    "\0\0\x27\x10"
	    "12345678"
	    "\0\0\0\x11"
	    "0123456789abcdef"),
		false, "a password that is cut off"},
	{IN(""), false, "nothing"},
};

static void what_begins_a_session(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sessions); i++) {
		struct fault f = {0};
		int rc = zookeeper_read_session(sessions[i].in, &f);

		if ((rc == 0) != sessions[i].good || (rc != 0 && f.text[0] == '\0')) {
			fail_msg("%s: %d %s", sessions[i].reason, rc, f.text);
		}
	}
}

/* Names with '|' behind each, how many; "code N"; NULL: refused. */
static const struct {
	struct bytes in;
	const char *children, *data, *reason;
} answers[] = {
	{IN(GOOD "\0\0\0\2"
		 "\0\0\0\1"
		 "a"
		 "\0\0\0\3"
		 "b-c"),
		"a|b-c|2", "-", "children; the same bytes are no data"},
	{IN(GOOD "\0\0\0\0"), "0", "", "no children; an empty node"},
	{IN(GOOD "\xff\xff\xff\xff"), "0", "", "a list, and data, that are null"},
	{IN(GOOD "\0\0\0\3"
		 "{ }"
		 "stat"),
		NULL, "{ }", "a node, and what is known about it"},
	{IN(GOOD "\0\0\0\4"
		 "{ }"),
		NULL, NULL, "data that are cut off"},
	{IN(GOOD "\xff\xff\xff\xfe"), NULL, NULL, "a length below 0"},
	{IN(GOOD "\x7f\xff\xff\xff"), NULL, NULL, "more than can be"},
	{IN(GOOD "\0\0\0\1"
		 "\0\0\0\3"
		 "a\0b"),
		"0", "-", "no node has such a name"},
	{IN(GOOD "\0\0\0\1"
		 "\0\0\0\0"),
		"0", "-", "nor none"},
	{IN(HEAD("\xff\xff\xff\x9b")), "code -101", "code -101", "there is no such node"},
	{IN(HEAD("\xff\xff\xff")), NULL, NULL, "not even a head"},
};

static void check_answer(size_t i)
{
	struct zookeeper_answer a;
	struct fault f = {0};
	struct bytes data;
	struct text names, node;
	size_t n;

	text_init(&names, 4096);
	text_init(&node, 4096);
	if (zookeeper_read_answer(answers[i].in, &a, &f) == 0) {
		assert_int_equal(a.xid, 5);
		if (a.code != 0) {
			text_addf(&names, "code %d", a.code);
			text_addf(&node, "code %d", a.code);
		} else {
			if (zookeeper_read_children(a.body, 9, &names, &n, &f) == 0) {
				text_addf(&names, "%zu", n);
			}
			if (zookeeper_read_data(a.body, &data, &f) == 0) {
				text_add_bytes(&node, data);
			}
		}
	}
	for (size_t k = 0; k < names.n; k++) {
		names.p[k] = names.p[k] == '\0' ? '|' : names.p[k];
	}
	if (strcmp(text_cstr(&names), answers[i].children != NULL ? answers[i].children : "") !=
			0 ||
		(strcmp(answers[i].data != NULL ? answers[i].data : "", "-") != 0 &&
			strcmp(text_cstr(&node), answers[i].data != NULL ? answers[i].data : "") !=
				0)) {
		fail_msg("%s: %s, %s", answers[i].reason, text_cstr(&names), text_cstr(&node));
	}
	text_done(&names);
	text_done(&node);
}

static void what_is_answered(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		check_answer(i);
	}
}

static void children_have_a_limit(void **state)
{
	static const char body[] =
		"\0\0\0\3"
		"\0\0\0\1"
		"a"
		"\0\0\0\1"
		"b"
		"\0\0\0\1"
		"c";
	struct fault f = {0};
	struct text t;
	size_t n = 0;

	(void)state;
	text_init(&t, 100);
	assert_int_equal(zookeeper_read_children(bytes_of(body, sizeof(body) - 1), 2, &t, &n, &f),
		ERR_LIMIT);
	assert_int_equal(t.n, 0);
	assert_int_equal(
		zookeeper_read_children(bytes_of(body, sizeof(body) - 1), 3, &t, &n, &f), 0);
	assert_int_equal(n, 3);
	text_done(&t);
}

/* Two frames in pieces of every size: each is there with its last byte. */
static void frames_come_in_pieces(void **state)
{
	static const char in[] =
		"\0\0\0\3"
		"abc"
		"\0\0\0\0";
	struct fault f = {0};
	struct bytes frame;
	size_t used = 0;

	(void)state;
	for (size_t n = 0; n < sizeof(in); n++) {
		enum read_rc rc = zookeeper_frame(bytes_of(in, n), &frame, &used, &f);

		assert_int_equal(rc, n < 7 ? READ_MORE : READ_DONE);
		if (rc == READ_DONE) {
			assert_int_equal(used, 7);
			assert_true(bytes_eq(frame, BYTES("abc")));
		}
	}
	assert_int_equal(zookeeper_frame(bytes_of(in + 7, 4), &frame, &used, &f), READ_DONE);
	assert_int_equal(frame.n, 0);
	assert_int_equal(zookeeper_frame(bytes_of("\0\x10\0\0", 4), &frame, &used, &f), READ_MORE);
	assert_int_equal(zookeeper_frame(bytes_of("\0\x10\0\1", 4), &frame, &used, &f), READ_FAIL);
	assert_int_equal(zookeeper_frame(bytes_of("HTTP", 4), &frame, &used, &f), READ_FAIL);
	assert_int_equal(
		zookeeper_frame(bytes_of("\xff\xff\xff\xff", 4), &frame, &used, &f), READ_FAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent),
		cmocka_unit_test(what_begins_a_session),
		cmocka_unit_test(what_is_answered),
		cmocka_unit_test(children_have_a_limit),
		cmocka_unit_test(frames_come_in_pieces),
	};

	return cmocka_run_group_tests_name("wire/zookeeper", tests, NULL, NULL);
}
