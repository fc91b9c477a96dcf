#include "meter/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct hash_seed seed = {1, 2};

static void fill(struct bytes labels[LABELS], const char *route, const char *consumer)
{
	for (unsigned i = 0; i < LABELS; i++) {
		labels[i] = BYTES("x");
	}
	labels[LABEL_ROUTE] = bytes_str(route);
	labels[LABEL_CONSUMER] = bytes_str(consumer);
}

static struct series_row *take(struct series *s, const char *route, const char *consumer)
{
	struct bytes labels[LABELS];

	fill(labels, route, consumer);
	return series_take(s, labels);
}

static void test_same_labels_same_row(void **state)
{
	struct series s;
	struct series_row *r;

	(void)state;
	series_init(&s, &seed, 16, 3);
	r = take(&s, "a", "c");
	assert_ptr_equal(r, take(&s, "a", "c"));
	assert_ptr_not_equal(r, take(&s, "c", "a"));
	/* What is one text when the labels are put together is two rows all the same. */
	assert_ptr_not_equal(take(&s, "ab", ""), take(&s, "a", "b"));
	assert_int_equal(s.n, 4);
	assert_true(bytes_eq(series_label(r, LABEL_ROUTE), BYTES("a")));
	assert_true(bytes_eq(series_label(r, LABEL_CLUSTER), BYTES("x")));
	assert_true(bytes_eq(series_label(r, LABEL_CONSUMER), BYTES("c")));
	assert_int_equal(r->values[0] + r->values[1] + r->values[2], 0);
	series_done(&s);
}

static void test_labels_are_cut(void **state)
{
	static char text[LABEL_MAX * 2];
	struct bytes labels[LABELS];
	struct series_row *r;
	struct series s;

	(void)state;
	memset(text, 'l', sizeof(text));
	series_init(&s, &seed, 16, 1);
	for (unsigned i = 0; i < LABELS; i++) {
		labels[i] = bytes_of(text, sizeof(text));
	}
	r = series_take(&s, labels);
	assert_int_equal(series_label(r, LABEL_OPERATION).n, LABEL_MAX);
	labels[0].n = LABEL_MAX;
	assert_ptr_equal(r, series_take(&s, labels));
	labels[0].n--;
	assert_ptr_not_equal(r, series_take(&s, labels));
	series_done(&s);
}

/* Three quarters for everybody, the rest for consumer "other", then one row for all. */
static void test_bound(void **state)
{
	struct series_row *other;
	struct series_row *last;
	struct series s;
	char name[16];

	(void)state;
	series_init(&s, &seed, 16, 1);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		take(&s, "a", name);
	}
	assert_int_equal(s.overflows, 0);
	other = take(&s, "a", "one too many");
	assert_true(bytes_eq(series_label(other, LABEL_CONSUMER), LABEL_OTHER));
	assert_true(bytes_eq(series_label(other, LABEL_ROUTE), BYTES("a")));
	assert_ptr_equal(other, take(&s, "a", "another"));
	take(&s, "b", "1");
	take(&s, "c", "1");
	take(&s, "d", "1");
	assert_int_equal(s.n, 16);
	last = take(&s, "e", "1");
	assert_ptr_equal(last, s.other);
	assert_true(bytes_eq(series_label(last, LABEL_ROUTE), LABEL_OTHER));
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		assert_ptr_equal(take(&s, name, name), last);
	}
	assert_int_equal(s.n, 16);
	assert_int_equal(s.overflows, 100006);
	take(&s, "a", "c3"); /* those that have a row keep it */
	assert_int_equal(s.overflows, 100006);
	series_done(&s);
}

static void test_drop(void **state)
{
	struct series_row *rows[12];
	struct series s;
	char name[16];

	(void)state;
	series_init(&s, &seed, 16, 1);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		rows[i] = take(&s, name, "c");
		series_values(&s, rows[i])[0] = i;
	}
	series_drop(&s, 3);
	series_drop(&s, 0);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		if (i != 3 && i != 0) {
			assert_ptr_equal(take(&s, name, "c"), rows[i]);
			assert_int_equal(rows[i]->values[0], i);
		}
	}
	assert_int_equal(s.n, 10);
	assert_int_equal(take(&s, "r3", "c")->values[0], 0);
	/* Rows in which nothing was counted share what they show, until one counts. */
	assert_ptr_equal(take(&s, "r3", "c")->values, take(&s, "r0", "c")->values);
	series_values(&s, take(&s, "r3", "c"))[0] = 5;
	assert_int_equal(take(&s, "r3", "c")->values[0], 5);
	assert_int_equal(take(&s, "r0", "c")->values[0], 0);
	assert_ptr_equal(series_values(&s, take(&s, "r3", "c")), take(&s, "r3", "c")->values);
	series_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_labels_same_row),
		cmocka_unit_test(test_labels_are_cut),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
