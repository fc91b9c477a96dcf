/* The resolver with what every machine has: literal addresses, the hosts file, names that do not exist. */
#define _GNU_SOURCE
#include "net/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct asking {
	struct dns_query query;
	struct loop *loop;
	struct dns_answer answer;
	unsigned calls;
};

static void on_answer(struct dns_query *q, const struct dns_answer *a)
{
	struct asking *me = CONTAINER_OF(q, struct asking, query);

	assert_true(q->done);
	me->answer = *a;
	me->calls++;
	loop_stop(me->loop);
}

struct house {
	struct loop *loop;
	struct dns *dns;
	struct asking a;
};

static void house_open(struct house *h)
{
	struct fault fault;

	*h = (struct house){.loop = loop_new()};
	h->dns = dns_new(h->loop, &fault);
	assert_non_null(h->dns);
	h->a.loop = h->loop;
}

static void house_close(struct house *h)
{
	dns_free(h->dns);
	loop_turn(h->loop, 0);
	loop_free(h->loop);
}

static void ask(struct house *h, const char *host, unsigned timeout_ms)
{
	dns_resolve(h->dns, &h->a.query, host, 8080, timeout_ms, on_answer);
	assert_int_equal(h->a.calls, 0); /* never before it returns */
	loop_run(h->loop);
	assert_int_equal(h->a.calls, 1);
}

static void literal_addresses_are_answered_as_they_are(void **state)
{
	static const struct {
		const char *host, *text;
	} rows[] = {{"192.0.2.7", "192.0.2.7:8080"}, {"[2001:db8::1]", "[2001:db8::1]:8080"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[SYS_ADDR_TEXT];
		struct house h;

		house_open(&h);
		ask(&h, rows[i].host, 1000);
		assert_int_equal(h.a.answer.err, 0);
		assert_int_equal(h.a.answer.n, 1);
		sys_addr_format(&h.a.answer.addrs[0], text);
		assert_string_equal(text, rows[i].text);
		house_close(&h);
	}
}

static void localhost_is_in_the_hosts_file(void **state)
{
	struct house h;

	(void)state;
	house_open(&h);
	ask(&h, "localhost", 5000);
	assert_int_equal(h.a.answer.err, 0);
	assert_true(h.a.answer.n >= 1);
	assert_int_equal(h.a.answer.ttl_s, 0);
	for (unsigned i = 0; i < h.a.answer.n; i++) {
		char text[SYS_ADDR_TEXT];

		sys_addr_format(&h.a.answer.addrs[i], text);
		assert_true(strcmp(text, "127.0.0.1:8080") == 0 || strcmp(text, "[::1]:8080") == 0);
	}
	house_close(&h);
}

/* RFC 6761: "invalid" exists nowhere. Without any name server it fails in another way, but it does. */
static void a_name_that_does_not_exist_fails_with_a_reason(void **state)
{
	struct house h;

	(void)state;
	house_open(&h);
	ask(&h, "no-such-host.invalid", 3000);
	assert_true(h.a.answer.err == ERR_NOT_FOUND || h.a.answer.err == ERR_TIMEOUT ||
		h.a.answer.err == ERR_IO);
	assert_int_equal(h.a.answer.n, 0);
	assert_non_null(strstr(h.a.answer.text, "no-such-host.invalid"));
	house_close(&h);
}

static void what_is_no_name_is_not_found(void **state)
{
	char long_label[300];
	const char *const hosts[] = {"", "a..b", long_label, "999.999.999.999"};

	(void)state;
	memset(long_label, 'a', sizeof(long_label) - 1);
	long_label[sizeof(long_label) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct house h;

		house_open(&h);
		ask(&h, hosts[i], 3000);
		assert_int_not_equal(h.a.answer.err, 0);
		assert_int_not_equal(h.a.answer.text[0], '\0');
		house_close(&h);
	}
}

static void a_cancelled_query_hears_nothing(void **state)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "no-such-host.invalid"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct house h;

		house_open(&h);
		dns_resolve(h.dns, &h.a.query, hosts[i], 1, 20, on_answer);
		dns_cancel(h.dns, &h.a.query);
		dns_cancel(h.dns, &h.a.query);
		assert_true(h.a.query.cancelled);
		for (int turn = 0; turn < 5; turn++) {
			loop_turn(h.loop, 10);
		}
		assert_int_equal(h.a.calls, 0);
		house_close(&h);
	}
}

static void the_end_of_the_resolver_is_silent(void **state)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "no-such-host.invalid"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct house h;

		house_open(&h);
		dns_resolve(h.dns, &h.a.query, hosts[i], 1, 1000, on_answer);
		house_close(&h);
		assert_int_equal(h.a.calls, 0);
	}
}

static void many_questions_are_answered_each(void **state)
{
	struct asking many[50];
	struct house h;
	unsigned calls;

	(void)state;
	house_open(&h);
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = (struct asking){.loop = h.loop};
		dns_resolve(h.dns, &many[i].query, i % 2 == 0 ? "localhost" : "10.0.0.1",
			(uint16_t)(1000 + i), 5000, on_answer);
	}
	do {
		loop_turn(h.loop, 100);
		calls = 0;
		for (size_t i = 0; i < ARRAY_LEN(many); i++) {
			assert_true(many[i].calls <= 1);
			calls += many[i].calls;
		}
	} while (calls < ARRAY_LEN(many));
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		assert_int_equal(many[i].answer.err, 0);
		assert_int_equal(sys_addr_port(&many[i].answer.addrs[0]), 1000 + i);
	}
	house_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literal_addresses_are_answered_as_they_are),
		cmocka_unit_test(localhost_is_in_the_hosts_file),
		cmocka_unit_test(a_name_that_does_not_exist_fails_with_a_reason),
		cmocka_unit_test(what_is_no_name_is_not_found),
		cmocka_unit_test(a_cancelled_query_hears_nothing),
		cmocka_unit_test(the_end_of_the_resolver_is_silent),
		cmocka_unit_test(many_questions_are_answered_each),
	};

	alarm(120); /* an answer that never comes must not hang whoever runs this */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
