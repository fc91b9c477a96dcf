#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Key 00 01 … 0f. Values of an independent implementation that agrees with the published vectors of
 * SipHash-2-4, and for SipHash-1-3 with CPython's hash of bytes. */
static const struct hash_seed key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

static void siphash_1_3(void **state)
{
	static const struct {
		size_t n;
		uint64_t want;
	} rows[] = {
		{0, 0xabac0158050fc4dc},
		{1, 0xc9f49bf37d57ca93},
		{7, 0xd3927d989bb11140},
		{8, 0x369095118d299a8e},
		{9, 0x25a48eb36c063de4},
		{15, 0xd320d86d2a519956},
		{16, 0xcc4fdd1a7d908b66},
		{17, 0x9cf2689063dbd80c},
		{63, 0x9d199062b7bbb3a8},
		{300, 0x4016a23bda5a2224},
	};
	char input[300];

	(void)state;
	for (size_t i = 0; i < sizeof(input); i++) {
		input[i] = (char)i;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		/* At an odd address, too. */
		char *moved = malloc(rows[i].n + 1);

		assert_non_null(moved);
		memcpy(moved + 1, input, rows[i].n);
		assert_true(hash_bytes(&key, bytes_of(input, rows[i].n)) == rows[i].want);
		assert_true(hash_bytes(&key, bytes_of(moved + 1, rows[i].n)) == rows[i].want);
		free(moved);
	}
}

static void another_seed_is_another_hash(void **state)
{
	static const struct hash_seed other = {1, 2};

	(void)state;
	assert_true(hash_bytes(&key, BYTES("abc")) != hash_bytes(&other, BYTES("abc")));
}

/* --- the table ---------------------------------------------------------------------------------- */

static void an_empty_table_has_nothing(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, &key);
	assert_null(map_get(&m, BYTES("a")));
	assert_null(map_remove(&m, BYTES("a")));
	map_done(&m);
	map_done(&m);
}

static void putting_replaces_and_removing_returns(void **state)
{
	int one = 1;
	int two = 2;
	struct map m;

	(void)state;
	map_init(&m, &key);
	assert_null(map_put(&m, BYTES("a"), &one));
	assert_null(map_put(&m, BYTES(""), &two)); /* an empty key is a key */
	assert_ptr_equal(map_put(&m, BYTES("a"), &two), &one);
	assert_int_equal(m.n, 2);
	assert_ptr_equal(map_get_hash(&m, BYTES("a"), hash_bytes(&key, BYTES("a"))), &two);
	assert_ptr_equal(map_remove(&m, BYTES("a")), &two);
	assert_null(map_remove(&m, BYTES("a")));
	assert_null(map_get(&m, BYTES("a")));
	assert_ptr_equal(map_get(&m, BYTES("")), &two);
	map_done(&m);
}

#define KEYS 500

struct pool {
	char names[KEYS][8];
	bool in[KEYS];
};

static struct bytes name_of(struct pool *p, size_t i)
{
	return bytes_str(p->names[i]);
}

/* Against an array of flags; small enough a table that long runs wrap around its end. */
static void reserved_room_is_enough(void **state)
{
	static char keys[1000][8];
	const struct hash_seed seed = {1, 2};
	struct map m;
	const struct map_slot *slots;

	(void)state;
	map_init(&m, &seed);
	map_put(&m, BYTES("before"), &m);
	map_reserve(&m, 1001);
	slots = m.slots;
	for (size_t i = 0; i < 1000; i++) {
		int n = snprintf(keys[i], sizeof(keys[i]), "%zu", i);

		assert_null(map_put(&m, bytes_of(keys[i], (size_t)n), keys[i]));
	}
	assert_ptr_equal(m.slots, slots); /* it has not moved */
	assert_ptr_equal(map_get(&m, BYTES("before")), &m);
	assert_ptr_equal(map_get(&m, BYTES("999")), keys[999]);
	map_reserve(&m, 3); /* less than there is */
	assert_ptr_equal(m.slots, slots);
	map_done(&m);
}

static void a_random_life_equals_the_model(void **state)
{
	struct pool *p = calloc(1, sizeof(*p));
	uint64_t seed = 1;
	size_t n = 0;
	struct map m;

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < KEYS; i++) {
		snprintf(p->names[i], sizeof(p->names[i]), "k%zu", i);
	}
	map_init(&m, &key);
	for (int step = 0; step < 100000; step++) {
		size_t i;
		void *was;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		i = (size_t)(seed >> 33) % KEYS;
		/* Now mostly filling, now mostly emptying. */
		if ((seed >> 20) % 100 < (step / 10000 % 2 == 0 ? 70u : 30u)) {
			was = map_put(&m, name_of(p, i), &p->names[i]);
			assert_ptr_equal(was, p->in[i] ? &p->names[i] : NULL);
			n += !p->in[i];
			p->in[i] = true;
		} else {
			was = map_remove(&m, name_of(p, i));
			assert_ptr_equal(was, p->in[i] ? &p->names[i] : NULL);
			n -= p->in[i];
			p->in[i] = false;
		}
		assert_int_equal(m.n, n);
		if (step % 97 == 0) {
			for (size_t k = 0; k < KEYS; k++) {
				assert_ptr_equal(
					map_get(&m, name_of(p, k)), p->in[k] ? &p->names[k] : NULL);
			}
		}
	}
	map_done(&m);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_1_3),
		cmocka_unit_test(another_seed_is_another_hash),
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(putting_replaces_and_removing_returns),
		cmocka_unit_test(reserved_room_is_enough),
		cmocka_unit_test(a_random_life_equals_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
