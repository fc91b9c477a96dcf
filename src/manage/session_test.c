/* Sessions, Basic, passwords, throttling: what decides who may ask, without connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "manage/password.h"
#include "manage/session.h"
#include "manage/throttle.h"

static struct account *admin(struct account *before, const char *name)
{
	struct account *a =
		account_with_admin(before, bytes_str(name), BYTES("The Admin"), BYTES("hash"));

	account_unref(before);
	return a;
}

static void test_tokens(void **state)
{
	struct account *a = admin(account_new(), "admin");
	struct account *other = admin(account_new(), "admin");
	struct account *next;
	struct text t;

	(void)state;
	text_init(&t, SESSION_TOKEN_MAX);
	session_token(a, 1700000000, &t);
	assert_true(session_token_is_good(a, text_bytes(&t)));
	assert_false(session_token_is_good(other, text_bytes(&t))); /* another key */
	for (size_t i = 0; i < t.n; i++) {
		t.p[i] ^= 1;
		assert_false(session_token_is_good(a, text_bytes(&t)));
		t.p[i] ^= 1;
		assert_false(session_token_is_good(a, bytes_of(t.p, i)));
	}
	next = account_with_config(a, BYTES("k"), BYTES(" v "));
	assert_true(session_token_is_good(next, text_bytes(&t)));
	assert_true(bytes_eq(pairs_get(&next->configs, "k"), BYTES("v")));
	next = admin(next, "admin"); /* the password has changed */
	assert_false(session_token_is_good(next, text_bytes(&t)));
	account_unref(next);
	account_unref(other);
	other = account_new(); /* nobody */
	text_clear(&t);
	session_token(other, 1, &t);
	assert_false(session_token_is_good(other, text_bytes(&t)));
	text_done(&t);
	account_unref(other);
	account_unref(a);
}

static void test_basic(void **state)
{
	static const struct {
		const char *header, *name, *password, *why;
	} rows[] = {
		{"Basic YWRtaW46cHc=", "admin", "pw", "as clients send it"},
		{"bAsIc  YWRtaW46cHc= ", "admin", "pw", "any case, blanks"},
		{"Basic YTpiOmM=", "a", "b:c", "D2: only the first colon parts"},
		{"Basic Og==", "", "", "nothing and nothing"},
		{"Basic %%%", NULL, NULL, "no base64"},
		{"Basic YWRtaW4=", NULL, NULL, "no colon"},
		{"Bearer YWRtaW46cHc=", NULL, NULL, "another scheme"},
		{"Basic", NULL, NULL, "nothing behind it"},
		{"", NULL, NULL, "no header"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char room[SESSION_BASIC_MAX];
		struct bytes name = {NULL, 0};
		struct bytes password = {NULL, 0};
		bool good = session_basic(bytes_str(rows[i].header), room, &name, &password);

		if (good != (rows[i].name != NULL) ||
			(good &&
				(!bytes_eq(name, bytes_str(rows[i].name)) ||
					!bytes_eq(password, bytes_str(rows[i].password))))) {
			fail_msg("%s: %s", rows[i].header, rows[i].why);
		}
	}
}

static void test_cookies(void **state)
{
	static const struct {
		const char *header, *value, *why;
	} rows[] = {
		{"_hi_sess=abc", "abc", "alone"},
		{"a=1; _hi_sess=abc; b=2", "abc", "among others"},
		{"_hi_sess=\"abc\"", "abc", "quoted"},
		{"x_hi_sess=abc", NULL, "a longer name"},
		{"_hi_sess", NULL, "no value"},
		{"_hi_sess=", "", "an empty one, as after a log-out"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char base[128];
		struct text t;
		struct field f;
		struct head h = {.n_fields = 1, .fields = &f};
		struct bytes got;

		text_init_fixed(&t, base, sizeof(base));
		text_addf(&t, "Cookie%s", rows[i].header);
		f = (struct field){.name = 0,
			.name_n = 6,
			.value = 6,
			.value_n = (uint16_t)(t.n - 6),
			.id = FIELD_OTHER};
		h.base = base;
		got = session_cookie_of(&h);
		if ((got.p == NULL) != (rows[i].value == NULL) ||
			!bytes_eq(got, bytes_str(rows[i].value))) {
			fail_msg("%s: %s", rows[i].header, rows[i].why);
		}
	}
}

static void test_passwords(void **state)
{
	char hash[PASSWORD_HASH_MAX], again[PASSWORD_HASH_MAX], long_one[PASSWORD_MAX + 1];

	(void)state;
	assert_true(password_hash(BYTES("a:b \xc3\xa9"), hash));
	assert_memory_equal(hash, "$y$", 3);
	assert_true(password_is(BYTES("a:b \xc3\xa9"), bytes_str(hash)));
	assert_false(password_is(BYTES("a:b"), bytes_str(hash)));
	assert_false(password_is(BYTES(""), bytes_str(hash)));
	assert_false(password_is(BYTES("anything"), BYTES(""))); /* nobody's */
	assert_false(password_is(BYTES("anything"), BYTES("not a hash")));
	assert_true(password_hash(BYTES("a:b \xc3\xa9"), again));
	assert_string_not_equal(hash, again); /* a salt of its own */
	memset(long_one, 'x', sizeof(long_one));
	assert_false(password_hash(bytes_of(long_one, sizeof(long_one)), hash));
	assert_false(password_hash(bytes_of("a\0b", 3), hash)); /* crypt(3) would see only "a" */
	assert_false(password_hash(BYTES(""), hash));
}

/* Tries n times and is wrong; how many of them were let through. */
static unsigned fail_from(struct throttle *t, const char *peer, unsigned n, uint64_t now)
{
	unsigned wait_s, let = 0;

	for (unsigned i = 0; i < n; i++) {
		let += throttle_take(t, peer, now, &wait_s);
	}
	return let;
}

/* A flood from n networks, each of which fails once. */
static unsigned flood(struct throttle *t, unsigned n, uint64_t now)
{
	unsigned let = 0;

	for (unsigned i = 0; i < n; i++) {
		char peer[64];
		struct text p;

		text_init_fixed(&p, peer, sizeof(peer));
		text_addf(&p, "[2001:db8:%x:%x::1]:1", i / 250, i % 250);
		text_add_char(&p, '\0');
		let += fail_from(t, peer, 1, now);
	}
	return let;
}

static void test_throttle(void **state)
{
	static struct throttle t;
	unsigned wait_s = 0;
	uint64_t now = 1000000;

	(void)state;
	assert_int_equal(fail_from(&t, "10.0.0.1:1", THROTTLE_BURST - 1, now), THROTTLE_BURST - 1);
	assert_true(throttle_take(&t, "10.0.0.1:2", now, &wait_s));
	assert_false(throttle_take(&t, "10.0.0.1:3", now, &wait_s)); /* another port is the same */
	assert_int_equal(wait_s, 60);
	assert_true(throttle_take(&t, "10.0.0.2:1", now, &wait_s));
	assert_false(throttle_take(&t, "10.0.0.1:1", now + 59999, &wait_s)); /* for a minute */
	assert_int_equal(wait_s, 1);
	assert_true(throttle_take(&t, "10.0.0.1:1", now + 60000, &wait_s));
	t = (struct throttle){.all = {0}};
	for (unsigned i = 0; i < 10 * THROTTLE_BURST; i++) { /* a boot script tries every 2 s */
		assert_true(throttle_take(&t, "10.0.0.4:1", now + i * 2000, &wait_s));
	}
	t = (struct throttle){.all = {0}};
	assert_int_equal(fail_from(&t, "10.0.0.5:1", 29, now), 29);
	assert_true(throttle_take(&t, "10.0.0.5:1", now + 59999, &wait_s));
	assert_true(throttle_take(
		&t, "10.0.0.5:1", now + 60000, &wait_s)); /* the first are forgotten */
	t = (struct throttle){.all = {0}};
	for (unsigned i = 0; i < 5 * THROTTLE_BURST; i++) { /* what was right counts nothing */
		assert_true(throttle_take(&t, "10.0.0.3:1", now, &wait_s));
		throttle_right(&t, "10.0.0.3:1", now);
	}
	assert_int_equal(fail_from(&t, "10.0.0.3:1", 2 * THROTTLE_BURST, now), THROTTLE_BURST);
}

static void test_throttle_networks(void **state)
{
	static const struct {
		const char *x, *y;
		bool same;
		const char *reason;
	} rows[] = {
		{"[2001:db8:1:2::1]:1", "[2001:db8:1:2:3:4:5:6]:9", true, "one network of 64 bits"},
		{"[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1", false, "the next network"},
		{"[2001:db8::1]:1", "[2001:db8::2]:1", true, "zeros left out in the network"},
		{"[2001:db8::1:0:0:1]:1", "[2001:db8::2:0:0:1]:1", true,
			"and in what is behind it"},
		{"[2001:db8:1:0:5:6:7:8]:1", "[2001:db8:1::9]:1", true, "one zero is written"},
		{"10.0.0.1:80", "10.0.0.1:81", true, "ports do not matter"},
		{"10.0.0.1:80", "10.0.0.11:80", false, "another address"},
		{"0.0.0.1:80", "[::1:0:0:0]:80", false, "bytes of the other family"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct throttle t;
		unsigned wait_s;

		t = (struct throttle){.all = {0}};
		assert_int_equal(fail_from(&t, rows[i].x, THROTTLE_BURST, 1000), THROTTLE_BURST);
		if (throttle_take(&t, rows[i].y, 1000, &wait_s) == rows[i].same) {
			fail_msg("%s, %s: %s", rows[i].x, rows[i].y, rows[i].reason);
		}
	}
}

/* A flood of strangers keeps those out whom nobody knows, and them only. */
static void test_throttle_flood(void **state)
{
	static struct throttle t;
	uint64_t now = 1000000;
	unsigned wait_s;

	(void)state;
	assert_true(throttle_take(&t, "10.5.0.1:1", now, &wait_s));
	throttle_right(&t, "10.5.0.1:1", now);
	assert_int_equal(flood(&t, 2 * THROTTLE_ALL_BURST, now), THROTTLE_ALL_BURST);
	assert_false(throttle_take(&t, "10.9.9.9:1", now, &wait_s));
	assert_true(throttle_take(&t, "10.5.0.1:1", now, &wait_s)); /* has logged in before */
	assert_true(throttle_take(&t, "127.0.0.1:1", now, &wait_s));
	assert_true(throttle_take(&t, "[::1]:1", now, &wait_s));
	assert_int_equal(fail_from(&t, "127.0.0.1:1", 100, now), THROTTLE_BURST - 1); /* its own */
	assert_true(throttle_take(&t, "10.9.9.9:1", now + 120000, &wait_s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_basic),
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_throttle),
		cmocka_unit_test(test_throttle_networks),
		cmocka_unit_test(test_throttle_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
