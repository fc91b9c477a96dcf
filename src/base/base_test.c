/* Lists, faults, dates, chance: what is too small for a test file of its own. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/random.h"

/* --- lists -------------------------------------------------------------------------------------- */

struct item {
	struct list link;
	char letter;
};

static const char *letters(struct list *head, char out[16])
{
	size_t n = 0;

	for (struct list *at = head->next; at != head; at = at->next) {
		assert_ptr_equal(at->next->prev, at);
		out[n++] = CONTAINER_OF(at, struct item, link)->letter;
	}
	out[n] = '\0';
	return out;
}

static void lists_keep_their_order(void **state)
{
	struct item items[4] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = 'c'}, {.letter = 'd'}};
	struct list head;
	char out[16];

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	list_append(&head, &items[1].link);
	list_insert(&head, &items[0].link);
	list_append(&head, &items[3].link);
	list_insert(&items[1].link, &items[2].link);
	assert_string_equal(letters(&head, out), "abcd");
	list_remove(&items[1].link);
	list_remove(&items[1].link); /* twice is fine */
	assert_false(list_linked(&items[1].link));
	assert_true(list_linked(&items[2].link));
	assert_string_equal(letters(&head, out), "acd");
	for (int i = 0; i < 4; i++) {
		list_remove(&items[i].link);
	}
	assert_true(list_empty(&head));
}

static void a_zeroed_node_is_on_no_list(void **state)
{
	struct item it = {.letter = 'x'};

	(void)state;
	assert_false(list_linked(&it.link));
	list_remove(&it.link);
	assert_false(list_linked(&it.link));
}

static void lists_join(void **state)
{
	struct item items[4] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = 'c'}, {.letter = 'd'}};
	struct list a;
	struct list b;
	char out[16];

	(void)state;
	list_init(&a);
	list_init(&b);
	list_splice(&a, &b);
	assert_true(list_empty(&a));
	list_append(&a, &items[0].link);
	list_append(&a, &items[3].link);
	list_append(&b, &items[1].link);
	list_append(&b, &items[2].link);
	list_splice(&items[0].link, &b);
	assert_true(list_empty(&b));
	assert_string_equal(letters(&a, out), "abcd");
	list_splice(b.prev, &a);
	assert_string_equal(letters(&b, out), "abcd");
	assert_true(list_empty(&a));
}

/* --- faults ------------------------------------------------------------------------------------- */

static void a_fault_is_one_sentence_that_fits(void **state)
{
	struct fault f;
	char long_word[300];

	(void)state;
	assert_int_equal(fault_set(&f, ERR_LIMIT, 413, 7, "more than %d bytes", 5), ERR_LIMIT);
	assert_int_equal(f.err, ERR_LIMIT);
	assert_int_equal(f.status, 413);
	assert_int_equal(f.where, 7);
	assert_string_equal(f.text, "more than 5 bytes");
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	fault_set(&f, ERR_IO, 0, 0, "%s", long_word);
	assert_int_equal(strlen(f.text), sizeof(f.text) - 1);
	assert_int_equal(fault_set(NULL, ERR_TLS, 0, 0, "nobody listens"), ERR_TLS);
}

static void every_error_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(err_name(ERR_NONE), "none");
	assert_string_equal(err_name(ERR_SYNTAX), "syntax");
	assert_string_equal(err_name(ERR_AGAIN), "again");
	assert_string_equal(err_name(ERR_UNSUPPORTED), "unsupported");
	assert_string_equal(err_name((enum err) - 99), "unknown");
	assert_string_equal(err_name((enum err)5), "unknown");
}

/* --- dates -------------------------------------------------------------------------------------- */

static void dates_in_utc(void **state)
{
	static const struct {
		uint64_t wall_ms;
		const char *want;
		const char *reason;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z", "the beginning"},
		{951782399999, "2000-02-28T23:59:59.999Z", "before a leap day of a year by 400"},
		{951782400000, "2000-02-29T00:00:00.000Z", "the leap day"},
		{951868800000, "2000-03-01T00:00:00.000Z", "after it"},
		{1709251199001, "2024-02-29T23:59:59.001Z", "an ordinary leap day"},
		{1767225599999, "2025-12-31T23:59:59.999Z", "the last moment of a year"},
		{1767225600000, "2026-01-01T00:00:00.000Z", "the first of the next"},
		{4107542400000, "2100-03-01T00:00:00.000Z", "2100 has no leap day"},
		{4107542399000, "2100-02-28T23:59:59.000Z", "so this is the day before"},
		{253402300799999, "9999-12-31T23:59:59.999Z", "the last with four digits"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[CLOCK_ISO_LEN + 1] = "";

		clock_format_iso(out, rows[i].wall_ms);
		if (strcmp(out, rows[i].want) != 0) {
			fail_msg("%s: %s", out, rows[i].reason);
		}
	}
}

static void clocks_go_forward(void **state)
{
	uint64_t a = clock_mono_ns();

	(void)state;
	assert_true(clock_mono_ns() >= a);
	assert_true(clock_wall_ms() > 1700000000000);
}

/* --- chance ------------------------------------------------------------------------------------- */

static void chance_stays_in_its_range(void **state)
{
	static const uint64_t ranges[] = {1, 2, 10, UINT64_C(1) << 40, UINT64_MAX};
	struct random r;
	unsigned seen[10] = {0};

	(void)state;
	random_init(&r);
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		for (int k = 0; k < 1000; k++) {
			uint64_t v = random_below(&r, ranges[i]);

			assert_true(v < ranges[i]);
			if (ranges[i] == 10) {
				seen[v]++;
			}
		}
	}
	/* 1000 draws miss one of ten with a chance of 10^-45. */
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		assert_int_not_equal(seen[i], 0);
	}
}

static void the_generator_is_xoroshiro128_plus(void **state)
{
	/* By hand from the published step with a = 24, b = 16, c = 37. */
	struct random r = {{1, 2}};

	(void)state;
	assert_true(random_u64(&r) == 3);
	assert_true(r.s[0] == ((UINT64_C(1) << 24) ^ 3 ^ (UINT64_C(3) << 16)));
	assert_true(r.s[1] == UINT64_C(3) << 37);
}

static void secrets_differ(void **state)
{
	char a[48];
	char b[48];

	(void)state;
	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	random_secret(a, 40);
	random_secret(b, 40);
	assert_memory_not_equal(a, b, 40);
	assert_memory_equal(a + 40, "\0\0\0\0\0\0\0\0", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_keep_their_order),
		cmocka_unit_test(a_zeroed_node_is_on_no_list),
		cmocka_unit_test(lists_join),
		cmocka_unit_test(a_fault_is_one_sentence_that_fits),
		cmocka_unit_test(every_error_has_a_name),
		cmocka_unit_test(dates_in_utc),
		cmocka_unit_test(clocks_go_forward),
		cmocka_unit_test(chance_stays_in_its_range),
		cmocka_unit_test(the_generator_is_xoroshiro128_plus),
		cmocka_unit_test(secrets_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
