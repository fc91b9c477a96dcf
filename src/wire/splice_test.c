#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "wire/splice.h"

#define EDITS 4

struct row {
	const char *segs[4]; /* the original, as it lies in segments; NULL ends */
	struct splice_edit edits[EDITS];
	size_t n_edits;
	const char *expect;
	const char *reason;
};

#define EDIT(a, c, text)                                                    \
	{                                                                   \
		.at = (a), .cut = (c), .put = { "" text, sizeof(text) - 1 } \
	}

static const struct row rows[] = {
	{{"abcdef"}, {{0}}, 0, "abcdef", "without edits the original goes out"},
	{{""}, {{0}}, 0, "", "an empty original has nothing to send"},
	{{""}, {EDIT(0, 0, "new")}, 1, "new", "an insertion into nothing"},
	{{"abcdef"}, {EDIT(2, 2, "XYZ")}, 1, "abXYZef", "a replacement may be longer"},
	{{"abcdef"}, {EDIT(2, 3, "X")}, 1, "abXf", "a replacement may be shorter"},
	{{"abcdef"}, {EDIT(1, 4, "")}, 1, "af", "a pure cut"},
	{{"abcdef"}, {EDIT(0, 6, "")}, 1, "", "all is cut"},
	{{"abcdef"}, {EDIT(0, 0, "<"), EDIT(6, 0, ">")}, 2, "<abcdef>", "insertions at both ends"},
	{{"abcdef"}, {EDIT(3, 0, "1"), EDIT(3, 0, "2"), EDIT(3, 1, "3")}, 3, "abc123ef",
		"edits at one offset keep their order"},
	{{"abcdef"}, {EDIT(0, 2, "X"), EDIT(2, 2, ""), EDIT(4, 2, "Y")}, 3, "XY",
		"edits that touch leave nothing between"},
	{{"ab", "cd", "ef"}, {EDIT(1, 4, "-")}, 1, "a-f", "a cut over three segments"},
	{{"ab", "cd", "ef"}, {EDIT(2, 2, "--")}, 1, "ab--ef", "a whole segment is replaced"},
	{{"ab", "", "cd"}, {EDIT(2, 0, "+")}, 1, "ab+cd", "an empty segment between"},
	{{"ab", "cd"}, {EDIT(4, 0, "!")}, 1, "abcd!", "an insertion behind the last segment"},
};

static void make_chain(struct segpool *pool, struct chain *c, const char *const *segs)
{
	*c = (struct chain){NULL, NULL, 0};
	for (size_t i = 0; i < 4 && segs[i] != NULL; i++) {
		struct seg *s = seg_take(pool);

		assert_non_null(s);
		/* Real segments often begin behind what was already taken from them. */
		s->beg = 7;
		s->end = 7 + (uint32_t)strlen(segs[i]);
		memcpy(s->data + 7, segs[i], strlen(segs[i]));
		chain_append(c, s);
	}
}

/* Sends `step` bytes at a time, looking at most `iov` runs ahead. */
static void send_all(struct splice *s, struct text *out, size_t step, int iov)
{
	struct iovec v[8];
	int n;

	while ((n = splice_fill(s, v, iov)) != 0) {
		size_t left = step;
		size_t sent = 0;

		assert_in_range(n, 1, iov);
		for (int i = 0; i < n && left != 0; i++) {
			size_t take = MIN(left, v[i].iov_len);

			assert_true(v[i].iov_len != 0);
			text_add(out, v[i].iov_base, take);
			left -= take;
			sent += take;
		}
		splice_sent(s, sent);
	}
}

static void check_row(const struct row *row, struct segpool *pool)
{
	struct chain c;
	struct splice s;
	struct text out;

	make_chain(pool, &c, row->segs);
	splice_init(&s, &c, row->edits, row->n_edits);
	text_init(&out, 1000);
	for (size_t step = 1; step <= 8; step++) {
		for (int iov = 1; iov <= 8; iov++) {
			text_clear(&out);
			send_all(&s, &out, step, iov);
			if (strcmp(text_cstr(&out), row->expect) != 0) {
				fail_msg("%s: \"%s\" in steps of %zu", row->reason, text_cstr(&out),
					step);
			}
			assert_int_equal(s.length, strlen(row->expect));
			assert_int_equal(s.sent, s.length);
			splice_rewind(&s);
		}
	}
	text_done(&out);
	chain_give(pool, &c);
}

static void test_rows(void **state)
{
	struct segpool pool;

	(void)state;
	segpool_init(&pool, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_row(&rows[i], &pool);
	}
	segpool_done(&pool);
}

static void test_rewind_in_the_middle(void **state)
{
	static const char *const segs[4] = {"hello ", "model", " end"};
	static const struct splice_edit edit = EDIT(6, 5, "replacement");
	struct segpool pool;
	struct chain c;
	struct splice s;
	struct text out;

	(void)state;
	segpool_init(&pool, 1 << 20);
	make_chain(&pool, &c, segs);
	splice_init(&s, &c, &edit, 1);
	text_init(&out, 100);
	for (size_t sent = 0; sent <= s.length; sent++) {
		splice_rewind(&s);
		splice_sent(&s, sent);
		splice_rewind(&s);
		text_clear(&out);
		send_all(&s, &out, 100, 8);
		assert_string_equal(text_cstr(&out), "hello replacement end");
	}
	text_done(&out);
	chain_give(&pool, &c);
	segpool_done(&pool);
}

static void test_nothing_is_copied(void **state)
{
	static const char *const segs[4] = {"abc"};
	static const struct splice_edit edit = EDIT(1, 1, "X");
	struct segpool pool;
	struct chain c;
	struct splice s;
	struct iovec v[4];

	(void)state;
	segpool_init(&pool, 1 << 20);
	make_chain(&pool, &c, segs);
	splice_init(&s, &c, &edit, 1);
	assert_int_equal(splice_fill(&s, v, 4), 3);
	assert_ptr_equal(v[0].iov_base, c.head->data + c.head->beg);
	assert_ptr_equal(v[1].iov_base, edit.put.p);
	assert_ptr_equal(v[2].iov_base, c.head->data + c.head->beg + 2);
	chain_give(&pool, &c);
	segpool_done(&pool);
}

static void test_sort_is_stable(void **state)
{
	struct splice_edit e[] = {EDIT(5, 0, "a"), EDIT(1, 0, "b"), EDIT(5, 0, "c"),
		EDIT(0, 0, "d"), EDIT(1, 1, "e")};
	char order[6] = "";

	(void)state;
	splice_sort(e, ARRAY_LEN(e));
	for (size_t i = 0; i < ARRAY_LEN(e); i++) {
		order[i] = e[i].put.p[0];
	}
	assert_string_equal(order, "dbeac");
	splice_sort(e, 0);
}

/* A member that is taken out where another was put in: the other order would overlap. */
static void test_sort_puts_before_it_cuts(void **state)
{
	struct splice_edit e[] = {
		EDIT(1, 9, "a"), EDIT(0, 0, "b"), EDIT(1, 0, "c"), EDIT(1, 0, "d")};
	char order[5] = "";

	(void)state;
	splice_sort(e, ARRAY_LEN(e));
	for (size_t i = 0; i < ARRAY_LEN(e); i++) {
		order[i] = e[i].put.p[0];
	}
	assert_string_equal(order, "bcda");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_rewind_in_the_middle),
		cmocka_unit_test(test_nothing_is_copied),
		cmocka_unit_test(test_sort_is_stable),
		cmocka_unit_test(test_sort_puts_before_it_cuts),
	};

	return cmocka_run_group_tests_name("splice", tests, NULL, NULL);
}
