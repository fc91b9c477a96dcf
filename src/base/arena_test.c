#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void memory_is_zeroed_and_aligned(void **state)
{
	static const size_t sizes[] = {1, 16, 17, 0, 1000, 3, 100000, 5};
	_Alignas(16) char first[64];
	struct arena a;

	(void)state;
	memset(first, 0xff, sizeof(first));
	arena_init_with(&a, 1 << 20, first, sizeof(first));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		unsigned char *p = arena_alloc(&a, sizes[i]);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t k = 0; k < sizes[i]; k++) {
			assert_int_equal(p[k], 0);
			p[k] = 0xff; /* the next one must not be here */
		}
	}
	arena_done(&a);
}

static void the_callers_block_comes_first(void **state)
{
	_Alignas(16) char first[64];
	struct arena a;

	(void)state;
	arena_init_with(&a, 1000, first, sizeof(first));
	assert_ptr_equal(arena_alloc(&a, 33), first);
	assert_ptr_equal(arena_alloc(&a, 16), first + 48);
	assert_null(a.blocks);
	assert_non_null(arena_alloc(&a, 1));
	assert_non_null(a.blocks);
	arena_done(&a);
	assert_null(a.blocks);
	assert_int_equal(a.total, 0);
	assert_non_null(arena_alloc(&a, 1000 - 8)); /* the same maximum as before */
	arena_done(&a);
}

static void the_maximum_holds(void **state)
{
	static const struct {
		size_t used, size;
		bool fits;
		const char *reason;
	} rows[] = {
		{0, 160, true, "all of it"},
		{0, 161, false, "one byte more"},
		{144, 16, true, "the rest"},
		{144, 17, false, "more than the rest"},
		{160, 0, true, "nothing"},
		{160, 1, false, "it is spent"},
		{16, SIZE_MAX, false, "rounding up would overflow"},
		{16, SIZE_MAX - 15, false, "adding would overflow"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;

		arena_init(&a, 160);
		assert_non_null(arena_must(&a, rows[i].used));
		if ((arena_alloc(&a, rows[i].size) != NULL) != rows[i].fits) {
			fail_msg("%s", rows[i].reason);
		}
		arena_done(&a);
	}
}

static void copies_have_a_nul_behind(void **state)
{
	struct arena a;
	struct bytes b;

	(void)state;
	arena_init(&a, 6);
	b = arena_copy(&a, bytes_of("abcdef", 3));
	assert_int_equal(b.n, 3);
	assert_string_equal(b.p, "abc");
	b = arena_copy(&a, bytes_of(NULL, 0));
	assert_string_equal(b.p, "");
	b = arena_copy(&a, BYTES("x"));
	assert_null(b.p);
	assert_null(arena_copy(&a, bytes_of("x", SIZE_MAX)).p);
	arena_done(&a);
}

static void copies_stand_side_by_side_and_what_follows_is_aligned(void **state)
{
	_Alignas(16) char room[64];
	struct arena a;
	struct bytes b;
	char *p;

	(void)state;
	memset(room, 1, sizeof(room));
	arena_init_with(&a, 1 << 20, room, sizeof(room));
	assert_ptr_equal(arena_copy(&a, BYTES("abc")).p, room);
	b = arena_copy(&a, BYTES("d"));
	assert_ptr_equal(b.p, room + 4);
	p = arena_must(&a, 32);
	assert_ptr_equal(p, room + 16);
	assert_memory_equal(p, (char[32]){0}, 32);
	assert_int_equal(a.total, 48); /* with what lies between */
	/* The gap and the size together do not fit any more: a block of its own, aligned too. */
	IGNORE(arena_copy(&a, BYTES("e")));
	p = arena_must(&a, 15);
	assert_true(p < room || p >= room + sizeof(room));
	assert_int_equal((uintptr_t)p % 16, 0);
	assert_string_equal(b.p, "d");
	arena_done(&a);
}

static void what_came_after_a_mark_goes(void **state)
{
	_Alignas(16) char room[256];
	struct arena a;
	struct arena_mark m;
	char *before;

	(void)state;
	arena_init_with(&a, 1 << 20, room, sizeof(room));
	before = arena_must(&a, 16);
	before[0] = 'x';
	for (unsigned i = 0; i < 3; i++) {
		char *first;

		m = arena_mark(&a);
		first = arena_must(&a, 16);
		assert_ptr_equal(first, before + 16); /* the same place again, in the first block */
		assert_int_equal(first[0], 0);
		memset(first, 1, 16);
		for (unsigned k = 0; k < 100; k++) {
			memset(arena_must(&a, 3000), 1, 3000);
		}
		arena_rewind(&a, &m);
		assert_int_equal(a.total, 16);
	}
	assert_int_equal(before[0], 'x');
	arena_done(&a);
}

static void a_zeroed_arena_ends_quietly(void **state)
{
	struct arena a;

	(void)state;
	memset(&a, 0, sizeof(a));
	arena_done(&a);
	arena_done(&a);
	assert_null(arena_alloc(&a, 1));
}

/* More than what is taken block by block before. */
#define LARGE ((size_t)24 << 20)

static void fill(struct arena *a, struct arena_pool *pool, void **last)
{
	arena_init(a, SIZE_MAX);
	arena_use(a, pool);
	for (size_t i = 0; i < LARGE / 100; i++) {
		unsigned char *p = arena_must(a, 100);

		for (size_t k = 0; k < 100; k++) {
			assert_int_equal(p[k], 0); /* whoever had it before */
		}
		memset(p, 0xa5, 100);
		*last = p;
	}
}

static void what_a_pool_keeps_is_used_again(void **state)
{
	struct arena_pool *pool = arena_pool_new((size_t)64 << 20);
	void *first, *second;
	struct arena a;

	(void)state;
	fill(&a, pool, &first);
	arena_done(&a);
	fill(&a, pool, &second);
	assert_non_null(arena_must(&a, (size_t)5 << 20)); /* larger than its blocks */
	arena_done(&a);
	assert_ptr_equal(first, second);
	arena_pool_free(pool);
}

static void a_pool_may_end_before_its_arenas(void **state)
{
	struct arena_pool *pool = arena_pool_new(0);
	struct arena x, y;
	void *p;

	(void)state;
	fill(&x, pool, &p);
	fill(&y, pool, &p);
	arena_pool_free(pool);
	arena_done(&x);
	memset(p, 1, 100);
	arena_done(&y);
	arena_pool_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(the_callers_block_comes_first),
		cmocka_unit_test(the_maximum_holds),
		cmocka_unit_test(copies_stand_side_by_side_and_what_follows_is_aligned),
		cmocka_unit_test(copies_have_a_nul_behind),
		cmocka_unit_test(what_came_after_a_mark_goes),
		cmocka_unit_test(a_zeroed_arena_ends_quietly),
		cmocka_unit_test(what_a_pool_keeps_is_used_again),
		cmocka_unit_test(a_pool_may_end_before_its_arenas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
