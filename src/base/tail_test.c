#include "base/tail.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEPT 100000u

static void put(struct tail *t, const char *a, size_t a_n, const char *b, size_t b_n)
{
	const struct iovec v[2] = {{(void *)(uintptr_t)a, a_n}, {(void *)(uintptr_t)b, b_n}};

	tail_put(t, v, b != NULL ? 2 : 1);
}

static void put_str(struct tail *t, const char *s)
{
	put(t, s, strlen(s), NULL, 0);
}

static bool reads(struct tail *t, uint64_t *before, const char *want)
{
	struct text line;
	bool same;

	text_init(&line, TAIL_LINE_MAX);
	same = tail_get(t, *before, &line, before) && bytes_eq(text_bytes(&line), bytes_str(want));
	text_done(&line);
	return same;
}

static void lines_are_read_from_the_last_one_on(void **state)
{
	struct tail *t = tail_new(KEPT);
	uint64_t at = UINT64_MAX;

	(void)state;
	assert_false(reads(t, &at, ""));
	put_str(t, "one\n\n");
	put(t, "thr", 3, "ee\nfour\nfi", 10); /* pieces end anywhere */
	assert_int_equal(tail_end(t), 16);
	assert_true(reads(t, &at, "four") && at == 11);
	put_str(t, "ve\n");
	at = tail_end(t);
	assert_true(reads(t, &at, "five") && reads(t, &at, "four") && reads(t, &at, "three"));
	assert_true(reads(t, &at, "") && reads(t, &at, "one"));
	assert_int_equal(at, 0);
	assert_false(reads(t, &at, ""));
	tail_free(t);
	tail_free(NULL);
}

/* Lines of all lengths, in pieces of all lengths: those that are there are whole, and enough of them. */
static void the_last_lines_are_kept_over_many_blocks(void **state)
{
	struct tail *t = tail_new(KEPT);
	uint64_t at = UINT64_MAX;
	struct text line;
	unsigned n = 0;
	size_t sum = 0;
	unsigned last = 0;

	(void)state;
	for (unsigned i = 1; i <= 5000; i++) {
		char all[600];
		int len = snprintf(all, sizeof(all), "%u %0*d\n", i, (int)(i * 7 % 500) + 1, 0);
		size_t cut = i * 13 % (unsigned)len;

		put(t, all, cut, all + cut, (size_t)len - cut);
	}
	text_init(&line, TAIL_LINE_MAX);
	while (tail_get(t, at, &line, &at)) {
		unsigned number = (unsigned)strtoul(text_cstr(&line), NULL, 10);

		assert_true(n == 0 ? number == 5000 : number == last - 1);
		last = number;
		sum += line.n + 1;
		n++;
		text_clear(&line);
	}
	assert_in_range(sum, KEPT, KEPT + 3 * (TAIL_LINE_MAX + 1));
	text_done(&line);
	tail_free(t);
}

static void a_line_that_is_too_long_is_left_out(void **state)
{
	static char longest[TAIL_LINE_MAX + 2];
	struct tail *t = tail_new(KEPT);
	uint64_t at = UINT64_MAX;
	struct text line;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	put_str(t, "before\n");
	put(t, longest, sizeof(longest), longest, 100);
	put_str(t, "x\nbehind\n");
	assert_true(reads(t, &at, "behind") && reads(t, &at, "before"));
	assert_int_equal(at, 0);
	longest[TAIL_LINE_MAX] = '\n'; /* with its end it fills a block */
	put(t, longest, TAIL_LINE_MAX + 1, NULL, 0);
	put_str(t, "last\n");
	at = UINT64_MAX;
	assert_true(reads(t, &at, "last"));
	text_init(&line, TAIL_LINE_MAX);
	assert_true(tail_get(t, at, &line, &at));
	assert_int_equal(line.n, TAIL_LINE_MAX);
	text_done(&line);
	tail_free(t);
}

#define LINES 200000u

struct writing {
	struct tail *t;
	atomic_bool ended;
};

static void *put_many(void *arg)
{
	struct writing *w = arg;
	char line[200];

	for (unsigned i = 0; i < LINES; i++) {
		size_t n = 1 + i % (sizeof(line) - 1);

		memset(line, 'a' + (int)(i % 26), n);
		line[n] = '\n';
		put(w->t, line, n + 1, NULL, 0);
	}
	atomic_store(&w->ended, true);
	return NULL;
}

/* A line is one letter again and again: one that was written while it was read would have two. */
static void nothing_is_written_while_it_is_read(void **state)
{
	struct writing w = {.t = tail_new(KEPT)};
	pthread_t writer;
	struct text line;
	bool ended;

	(void)state;
	text_init(&line, TAIL_LINE_MAX);
	assert_int_equal(pthread_create(&writer, NULL, put_many, &w), 0);
	do {
		uint64_t at = UINT64_MAX;

		ended = atomic_load(&w.ended);
		text_clear(&line);
		while (tail_get(w.t, at, &line, &at)) {
			for (size_t i = 1; i < line.n; i++) {
				assert_int_equal(line.p[i], line.p[0]);
			}
			text_clear(&line);
		}
	} while (!ended);
	pthread_join(writer, NULL);
	text_done(&line);
	tail_free(w.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_from_the_last_one_on),
		cmocka_unit_test(the_last_lines_are_kept_over_many_blocks),
		cmocka_unit_test(a_line_that_is_too_long_is_left_out),
		cmocka_unit_test(nothing_is_written_while_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
