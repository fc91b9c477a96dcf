#define _DEFAULT_SOURCE /* mincore */
#include "base/seg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define SLAB 32u /* segments of one mapping */

static void the_budget_has_three_marks(void **state)
{
	struct segpool p;
	struct seg *segs[120];
	size_t n = 0;

	(void)state;
	segpool_init(&p, 100 * SEG_SIZE);
	while (n < ARRAY_LEN(segs) && (segs[n] = seg_take(&p)) != NULL) {
		n++;
		assert_int_equal(segpool_tight(&p), n >= 80);
		assert_int_equal(segpool_spent(&p), n >= 100);
	}
	assert_int_equal(n, 120); /* a fifth more, so that what runs can finish */
	assert_null(seg_take(&p));
	seg_give(&p, segs[--n]);
	segs[n] = seg_take(&p);
	assert_non_null(segs[n++]);
	while (n != 0) {
		seg_give(&p, segs[--n]);
	}
	seg_give(&p, NULL);
	assert_int_equal(p.lent, 0);
	assert_int_equal(p.high, 120);
	segpool_done(&p);
}

static bool is_resident(const char *page)
{
	unsigned char there;

	assert_int_equal(mincore((void *)(uintptr_t)page, 4096, &there), 0);
	return (there & 1) != 0;
}

/* What a large body needed is given back although the slab stays. */
static void pages_go_after_a_second_of_rest(void **state)
{
	struct segpool p;
	struct seg *s;
	struct seg *small;
	struct seg *lent;

	(void)state;
	segpool_init(&p, 100 * SEG_SIZE);
	s = seg_take(&p);
	small = seg_take(&p);
	lent = seg_take(&p);
	lent->data[SEG_ROOM - 1] = 'l';
	memset(s->data, 'x', SEG_ROOM);
	s->end = SEG_ROOM;
	memset(small->data, 'x', 1000);
	small->end = 1000;
	seg_give(&p, small);
	seg_give(&p, s);
	segpool_trim(&p, 1000);
	assert_true(is_resident(s->data + SEG_SIZE / 2));
	segpool_trim(&p, 1999);
	assert_true(is_resident(s->data + SEG_SIZE / 2));
	segpool_trim(&p, 2000);
	assert_false(is_resident(s->data + SEG_SIZE / 2));
	assert_true(is_resident(s->data));
	assert_true(is_resident(small->data));
	assert_ptr_equal(seg_take(&p), s); /* it is as good as before */
	assert_int_equal(s->end, 0);
	assert_int_equal(s->data[SEG_ROOM - 1], 0);
	seg_give(&p, s);
	/* nothing is lent any more: the first pages go as well */
	segpool_trim(&p, 3000);
	assert_true(is_resident(s->data));
	assert_int_equal(lent->data[SEG_ROOM - 1], 'l');
	seg_give(&p, lent);
	segpool_trim(&p, 4000);
	assert_false(is_resident(s->data));
	assert_false(is_resident(lent->data + SEG_SIZE - 4096));
	assert_int_equal(p.free, SLAB);
	for (unsigned i = 0; i < SLAB; i++) {
		struct seg *again = seg_take(&p);

		assert_int_equal(again->end + again->beg + again->wide, 0);
		again->data[0] = 'x';
		seg_give(&p, again);
	}
	segpool_done(&p);
}

static void segments_are_empty_and_apart(void **state)
{
	struct segpool p;
	struct seg *segs[3 * SLAB];

	(void)state;
	segpool_init(&p, 1000 * SEG_SIZE);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(segs); i++) {
			segs[i] = seg_take(&p);
			assert_true(
				segs[i]->beg == 0 && segs[i]->end == 0 && segs[i]->next == NULL);
			memset(segs[i]->data, (int)i, SEG_ROOM);
			segs[i]->end = SEG_ROOM;
		}
		for (size_t i = 0; i < ARRAY_LEN(segs); i++) {
			assert_int_equal((unsigned char)segs[i]->data[0], i);
			assert_int_equal((unsigned char)segs[i]->data[SEG_ROOM - 1], i);
			seg_give(&p, segs[i]);
		}
	}
	assert_int_equal(p.free, 3 * SLAB); /* the second round needed no new memory */
	segpool_done(&p);
}

static void memory_goes_back_after_a_second_of_quiet(void **state)
{
	static const struct {
		uint64_t now_ms;
		size_t free;
		const char *reason;
	} rows[] = {
		{5000, 10 * SLAB - 1, "it has only just become quiet"},
		{5999, 10 * SLAB - 1, "not yet a second"},
		{6000, SLAB - 1, "all but the slab that is in use"},
		{9000, SLAB - 1, "nothing more to give"},
	};
	struct segpool p;
	struct seg *segs[10 * SLAB];

	(void)state;
	segpool_init(&p, 1000 * SEG_SIZE);
	for (size_t i = 0; i < ARRAY_LEN(segs); i++) {
		segs[i] = seg_take(&p);
	}
	segpool_trim(&p, 1000); /* everything is lent: nothing to give */
	for (size_t i = 1; i < ARRAY_LEN(segs); i++) {
		seg_give(&p, segs[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		segpool_trim(&p, rows[i].now_ms);
		if (p.free != rows[i].free) {
			fail_msg("%zu free: %s", p.free, rows[i].reason);
		}
	}
	seg_give(&p, segs[0]);
	segpool_done(&p);
}

static void a_burst_in_between_starts_the_second_anew(void **state)
{
	struct segpool p;
	struct seg *segs[4 * SLAB];

	(void)state;
	segpool_init(&p, 1000 * SEG_SIZE);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(segs); i++) {
			segs[i] = seg_take(&p);
		}
		segpool_trim(&p, (uint64_t)round * 800 + 900);
		for (size_t i = 0; i < ARRAY_LEN(segs); i++) {
			seg_give(&p, segs[i]);
		}
		segpool_trim(&p, (uint64_t)round * 800 + 1000);
	}
	segpool_trim(&p, 2100); /* more than a second after the first quiet, not after the second */
	assert_int_equal(p.free, 4 * SLAB);
	segpool_trim(&p, 2800);
	assert_int_equal(p.free, SLAB);
	segpool_done(&p);
}

/* --- chains ------------------------------------------------------------------------------------- */

static void a_chain_is_a_queue_of_bytes(void **state)
{
	const size_t all = 5 * SEG_ROOM + 77;
	char *in = malloc(all);
	char *out = malloc(all);
	struct chain c = {NULL, NULL, 0};
	struct segpool p;
	uint64_t seed = 3;
	size_t added = 0;
	size_t dropped = 0;

	(void)state;
	assert_true(in != NULL && out != NULL);
	for (size_t i = 0; i < all; i++) {
		in[i] = (char)(i * 7 + (i >> 9));
	}
	segpool_init(&p, 100 * SEG_SIZE);
	while (dropped < all) {
		size_t n;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		n = (size_t)(seed >> 33) % 20000;
		if (seed >> 63 != 0 && added < all) {
			n = MIN(n, all - added);
			assert_true(chain_add(&p, &c, in + added, n));
			added += n;
		} else {
			n = MIN(n, c.n);
			chain_copy(&c, 0, c.n, out);
			assert_memory_equal(out, in + dropped, c.n);
			chain_copy(&c, n, c.n - n, out);
			assert_memory_equal(out, in + dropped + n, c.n - n);
			chain_drop(&p, &c, n);
			dropped += n;
		}
		assert_int_equal(c.n, added - dropped);
		assert_true(p.lent <=
			c.n / SEG_ROOM + 2); /* segments are filled before another is lent */
	}
	assert_int_equal(p.lent, 0);
	assert_true(c.head == NULL && c.tail == NULL);
	segpool_done(&p);
	free(in);
	free(out);
}

static void chains_join(void **state)
{
	struct chain a = {NULL, NULL, 0};
	struct chain b = {NULL, NULL, 0};
	struct segpool p;
	char out[8];

	(void)state;
	segpool_init(&p, 100 * SEG_SIZE);
	chain_move(&a, &b);
	assert_int_equal(a.n, 0);
	assert_true(chain_add(&p, &b, "abc", 3));
	chain_move(&a, &b); /* to an empty one */
	assert_true(chain_add(&p, &b, "def", 3));
	chain_move(&a, &b);
	assert_true(b.head == NULL && b.tail == NULL && b.n == 0);
	assert_true(chain_add(&p, &a, "g", 1));
	assert_int_equal(a.n, 7);
	chain_copy(&a, 2, 5, out);
	assert_memory_equal(out, "cdefg", 5);
	chain_append(&a, seg_take(&p)); /* an empty one goes with the last byte before it */
	chain_drop(&p, &a, 7);
	assert_int_equal(p.lent, 0);
	chain_give(&p, &a);
	segpool_done(&p);
}

static void adding_stops_where_the_pool_ends(void **state)
{
	struct chain c = {NULL, NULL, 0};
	struct segpool p;
	char *bytes = calloc(1, 20 * SEG_SIZE);

	(void)state;
	assert_non_null(bytes);
	segpool_init(&p, 10 * SEG_SIZE);
	assert_false(chain_add(&p, &c, bytes, 20 * SEG_SIZE));
	assert_int_equal(c.n, 12 * SEG_ROOM);
	assert_int_equal(p.lent, 12);
	chain_give(&p, &c);
	segpool_done(&p);
	free(bytes);
}

static void what_is_held_counts_as_lent(void **state)
{
	struct segpool p;
	struct seg *s;

	(void)state;
	segpool_init(&p, 10u * SEG_SIZE);
	assert_true(segpool_hold(&p, 8));
	assert_true(segpool_tight(&p));
	assert_true(segpool_hold(&p, 2));
	assert_true(segpool_spent(&p));
	assert_false(segpool_hold(&p, 2)); /* nothing new from 100 % on */
	assert_int_equal(p.lent, 10);
	assert_null(seg_take_input(&p));
	segpool_release(&p, 10);
	s = seg_take_input(&p);
	assert_non_null(s);
	seg_give(&p, s);
	assert_int_equal(p.lent, 0);
	assert_int_equal(p.high, 10);
	segpool_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_held_counts_as_lent),
		cmocka_unit_test(the_budget_has_three_marks),
		cmocka_unit_test(pages_go_after_a_second_of_rest),
		cmocka_unit_test(segments_are_empty_and_apart),
		cmocka_unit_test(memory_goes_back_after_a_second_of_quiet),
		cmocka_unit_test(a_burst_in_between_starts_the_second_anew),
		cmocka_unit_test(a_chain_is_a_queue_of_bytes),
		cmocka_unit_test(chains_join),
		cmocka_unit_test(adding_stops_where_the_pool_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
