#include "base/recent.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static bool reads(const struct recent *r, uint64_t n, const char *want)
{
	struct text t;
	bool same;

	text_init(&t, 8192);
	same = recent_get(r, n, &t) && bytes_eq(text_bytes(&t), bytes_str(want));
	text_done(&t);
	return same;
}

static bool is_gone(const struct recent *r, uint64_t n)
{
	struct text t;
	bool gone;

	text_init(&t, 8192);
	gone = !recent_get(r, n, &t) && t.n == 0;
	text_done(&t);
	return gone;
}

static void the_last_lines_are_there(void **state)
{
	struct recent *r = recent_new(3);
	static const char *const lines[] = {"one", "", "exactly8", "ninebytes", "five"};

	(void)state;
	assert_true(is_gone(r, 0));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		recent_put(r, bytes_str(lines[i]));
		assert_int_equal(recent_end(r), i + 1);
	}
	assert_true(is_gone(r, 0) && is_gone(r, 1));
	for (size_t i = 2; i < ARRAY_LEN(lines); i++) {
		assert_true(reads(r, i, lines[i]));
	}
	assert_true(is_gone(r, 5));
	recent_free(r);
	recent_free(NULL);
}

static void long_lines_are_cut(void **state)
{
	struct recent *r = recent_new(1);
	char line[RECENT_LINE_MAX + 2];

	(void)state;
	memset(line, 'x', sizeof(line));
	recent_put(r, bytes_of(line, sizeof(line)));
	line[RECENT_LINE_MAX] = '\0';
	assert_true(reads(r, 0, line));
	recent_free(r);
}

#define LINES 20000u

static void *put_many(void *arg)
{
	char line[200];

	for (unsigned i = 0; i < LINES; i++) {
		memset(line, 'a' + (int)(i % 26), sizeof(line));
		recent_put(arg, bytes_of(line, 1 + i % sizeof(line)));
	}
	return NULL;
}

/* A line is one letter again and again: a torn one would have two. */
static void a_line_that_is_overwritten_is_left_out(void **state)
{
	struct recent *r = recent_new(4);
	pthread_t writers[2];
	struct text t;

	(void)state;
	text_init(&t, 8192);
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		assert_int_equal(pthread_create(&writers[i], NULL, put_many, r), 0);
	}
	while (recent_end(r) < LINES) {
		uint64_t end = recent_end(r);

		text_clear(&t);
		if (end == 0 || !recent_get(r, end - 1, &t)) {
			continue;
		}
		for (size_t i = 1; i < t.n; i++) {
			assert_int_equal(t.p[i], t.p[0]);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		pthread_join(writers[i], NULL);
	}
	text_done(&t);
	recent_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_lines_are_there),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(a_line_that_is_overwritten_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
