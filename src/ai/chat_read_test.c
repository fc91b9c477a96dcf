/*
 * What is said by chunks of chats: blanks, insides of strings, and texts that are kept within a bound.
 */
#include "ai/chat_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct {
	const char *inside;
	bool blank;
	const char *reason;
} blanks[] = {
	{"", true, "nothing"},
	{"  ", true, "blanks"},
	{"\\n\\n", true, "line breaks, escaped"},
	{"\\r\\t \\n", true, "any of them"},
	{"a", false, "a letter"},
	{" \\n.", false, "a letter behind them"},
	{"\\\\n", false, "a backslash, and then n"},
	{"\\u0020", false, "what is spelled oddly was meant"},
	{"\\\"", false, "a quote"},
	{"\xc2\xa0", false, "a blank of another alphabet"},
};

static void blanks_say_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blanks); i++) {
		if (chat_is_blank(bytes_str(blanks[i].inside)) != blanks[i].blank) {
			fail_msg("%s: %s", blanks[i].inside, blanks[i].reason);
		}
	}
}

/* Every wanted member is found, in the order of its end, and an element after what is in it. */
static void members_are_found(void **state)
{
	struct bytes data =
		BYTES("{\"id\":\"i\",\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":3,"
		      "\"function\":{\"arguments\":\"x\\\"\"}}],\"content\":\"c\"},\"index\":2}]}");
	static const uint8_t order[] = {CHAT_ID, CHAT_CALL_INDEX, CHAT_CALL_ARGUMENTS, CHAT_CALL,
		CHAT_CONTENT, CHAT_INDEX, CHAT_CHOICE};
	struct json_query *q = chat_query();
	struct json_hit room[CHAT_HITS];
	struct json_hits hits;

	(void)state;
	json_hits_init(&hits, room, CHAT_HITS, CHAT_HITS_MAX);
	assert_int_equal(json_scan_all(q, data, &hits, NULL), 0);
	assert_int_equal(hits.n, ARRAY_LEN(order));
	for (size_t i = 0; i < hits.n; i++) {
		assert_int_equal(hits.v[i].want, order[i]);
	}
	assert_int_equal(chat_number(data, &hits.v[1]), 3);
	assert_int_equal(chat_number(data, &hits.v[0]), 0);
	assert_true(bytes_eq(chat_inside(data, &hits.v[2]), BYTES("x\\\"")));
	assert_int_equal(chat_inside(data, &hits.v[1]).n, 0);
	json_hits_done(&hits);
	json_query_free(q);
}

static void texts_are_bounded(void **state)
{
	static char many[100000];
	struct segpool pool;
	struct text t;
	struct kept k;
	unsigned others = 0;

	(void)state;
	segpool_init(&pool, 4 * SEG_SIZE);
	text_init(&t, SIZE_MAX);
	kept_init(&k, &pool, 150000);
	assert_true(kept_add(&k, &t, bytes_of(many, 10)));
	assert_int_equal(k.segments, 1);
	assert_true(kept_add(&k, &t, bytes_of(many, 90000)));
	assert_int_equal(k.segments, 3);
	assert_false(kept_add(&k, &t, bytes_of(many, 60000))); /* too long */
	while (segpool_hold(&pool, 1)) {
		others++;
	}
	assert_false(kept_add(&k, &t, bytes_of(many, 59990))); /* no memory */
	assert_int_equal(t.n, 90010);
	kept_done(&k);
	assert_true(segpool_hold(&pool, 3));
	segpool_release(&pool, 3 + others);
	text_done(&t);
	segpool_done(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_say_nothing),
		cmocka_unit_test(members_are_found),
		cmocka_unit_test(texts_are_bounded),
	};

	return cmocka_run_group_tests_name("ai/chat_read", tests, NULL, NULL);
}
