#include "net/tls_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

/* A session that could be resumed, recognised by nr. */
static SSL_SESSION *session(int version, unsigned char nr)
{
	SSL_SESSION *s = SSL_SESSION_new();

	assert_non_null(s);
	SSL_SESSION_set1_id(s, &nr, 1);
	SSL_SESSION_set_protocol_version(s, version);
	SSL_SESSION_set_time(s, (long)time(NULL));
	SSL_SESSION_set_timeout(s, 300);
	return s;
}

/* The number of the session that is taken, -1 for none. */
static int take(struct tls_cache *c, const char *key)
{
	SSL_SESSION *s = tls_cache_take(c, key);
	unsigned n;
	int nr = s != NULL ? SSL_SESSION_get_id(s, &n)[0] : -1;

	SSL_SESSION_free(s);
	return nr;
}

static void tickets_of_1_3_leave_newest_first(void **state)
{
	struct tls_cache c;

	(void)state;
	tls_cache_init(&c);
	for (unsigned char nr = 1; nr <= 3; nr++) {
		tls_cache_put(&c, "a:443", session(TLS1_3_VERSION, nr));
	}
	assert_int_equal(take(&c, "b:443"), -1);
	assert_int_equal(take(&c, "a:443"), 3);
	assert_int_equal(take(&c, "a:443"), 2);
	assert_int_equal(take(&c, "a:443"), -1); /* 1 made room for 3 */
	tls_cache_done(&c);
}

static void sessions_of_1_2_stay(void **state)
{
	struct tls_cache c;

	(void)state;
	tls_cache_init(&c);
	tls_cache_put(&c, "a:443", session(TLS1_2_VERSION, 1));
	assert_int_equal(take(&c, "a:443"), 1);
	assert_int_equal(take(&c, "a:443"), 1);
	tls_cache_done(&c);
}

static void what_is_too_old_is_not_offered(void **state)
{
	struct tls_cache c;
	SSL_SESSION *s = session(TLS1_2_VERSION, 2);

	(void)state;
	tls_cache_init(&c);
	SSL_SESSION_set_time(s, (long)time(NULL) - 301);
	tls_cache_put(&c, "a:443", session(TLS1_2_VERSION, 1));
	tls_cache_put(&c, "a:443", s);
	assert_int_equal(take(&c, "a:443"), 1);
	tls_cache_done(&c);
}

static void the_least_recently_used_name_is_forgotten(void **state)
{
	struct tls_cache c;
	char key[32];

	(void)state;
	tls_cache_init(&c);
	for (unsigned i = 0; i < TLS_CACHE_KEYS_MAX; i++) {
		snprintf(key, sizeof(key), "host-%u:443", i);
		tls_cache_put(&c, key, session(TLS1_2_VERSION, (unsigned char)i));
	}
	assert_int_equal(take(&c, "host-0:443"), 0); /* now the newest */
	tls_cache_put(&c, "another:443", session(TLS1_2_VERSION, 77));
	assert_int_equal(c.by_key.n, TLS_CACHE_KEYS_MAX);
	assert_int_equal(take(&c, "another:443"), 77);
	assert_int_equal(take(&c, "host-0:443"), 0);
	assert_int_equal(take(&c, "host-1:443"), -1);
	assert_int_equal(take(&c, "host-2:443"), 2);
	tls_cache_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tickets_of_1_3_leave_newest_first),
		cmocka_unit_test(sessions_of_1_2_stay),
		cmocka_unit_test(what_is_too_old_is_not_offered),
		cmocka_unit_test(the_least_recently_used_name_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
