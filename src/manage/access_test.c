#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "manage/access.h"

struct peer { /* a stream that only knows who is there */
	struct stream stream;
	const char *name;
};

static const char *op_peer(const struct stream *s)
{
	return ((const struct peer *)(const void *)s)->name;
}

static const struct stream_ops ops = {.peer = op_peer};

#define FIELDS_MAX 4u

struct asked {
	struct peer peer;
	struct head head;
	struct field fields[FIELDS_MAX];
	struct call call;
};

/* fields: "Name: value\n"... */
static void ask(struct asked *a, const char *peer, const char *fields)
{
	struct bytes rest = bytes_str(fields);

	*a = (struct asked){.peer = {.stream = {.ops = &ops}, .name = peer}};
	a->head.base = fields;
	a->head.fields = a->fields;
	a->call.stream = &a->peer.stream;
	a->call.head = &a->head;
	while (rest.p != NULL && rest.n != 0) {
		struct bytes value = bytes_cut(&rest, '\n');
		struct bytes name = bytes_cut(&value, ':');

		value = bytes_trim(value);
		assert_true(a->head.n_fields < FIELDS_MAX);
		a->fields[a->head.n_fields++] = (struct field){
			.name = (uint16_t)(name.p - fields),
			.name_n = (uint16_t)name.n,
			.value = (uint16_t)(value.p - fields),
			.value_n = (uint16_t)value.n,
			.id = (uint8_t)field_id_of(name),
		};
	}
}

static void test_local(void **state)
{
	static const struct {
		const char *peer, *fields;
		bool local;
		const char *reason;
	} rows[] = {
		{"127.0.0.1:5", "Host: 127.0.0.1:8001\n", true, "this machine by its address"},
		{"127.9.9.9:5", "Host: localhost:8001\n", true, "all of 127/8, and its own name"},
		{"127.0.0.1:5", "Host: LOCALHOST\n", true, "names have no case"},
		{"[::1]:5", "Host: [::1]:8001\n", true, "IPv6"},
		{"127.0.0.1:5", "Host: 192.168.1.2\n", true, "an address cannot be led elsewhere"},
		{"192.168.1.2:5", "Host: 127.0.0.1\n", false, "another machine"},
		{"[2001:db8::1]:5", "Host: localhost\n", false, "another machine, IPv6"},
		{"1127.0.0.1:5", "Host: localhost\n", false, "only looks like it"},
		{"127.0.0.1:5", "Host: attacker.test:8001\n", false, "DNS rebinding"},
		{"127.0.0.1:5", "Host: localhost.attacker.test\n", false, "a longer name"},
		{"127.0.0.1:5", "Host: 127.0.0.1.attacker.test\n", false, "not an address"},
		{"127.0.0.1:5", "", false, "HTTP/1.0 without a name says nothing"},
		{"127.0.0.1:5", "Host: localhost\nX-Forwarded-For: 8.8.8.8\n", false,
			"through a proxy on this machine"},
		{"127.0.0.1:5", "Host: localhost\nForwarded: for=1.1.1.1\n", false, "RFC 7239"},
		{"127.0.0.1:5", "Host: localhost\nVia: 1.1 x\n", false, "a proxy that says so"},
		{"127.0.0.1:5", "Host: localhost\nX-Real-IP: 8.8.8.8\n", false, "nginx"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked a;

		ask(&a, rows[i].peer, rows[i].fields);
		if (access_is_local(&a.call) != rows[i].local) {
			fail_msg("%s, %s: %s", rows[i].peer, rows[i].fields, rows[i].reason);
		}
	}
}

static void test_other_site(void **state)
{
#define OWN "Host: 10.1.1.1:8001\n"
	static const struct {
		const char *method, *fields;
		bool other;
		const char *reason;
	} rows[] = {
		{"POST", OWN, false, "programs say nothing of pages"},
		{"POST", OWN "Origin: http://10.1.1.1:8001\n", false, "our own page"},
		{"PUT", "Host: Console.test\nOrigin: https://console.TEST\n", false,
			"TLS ends in front of us; names have no case"},
		{"POST", OWN "Origin: http://evil.test\n", true, "a page of somebody else"},
		{"POST", OWN "Origin: http://10.1.1.1\n", true, "another port is another origin"},
		{"POST", OWN "Origin: http://10.1.1.1:80010\n", true, "a longer port"},
		{"POST", OWN "Origin: http://x@10.1.1.1:8001\n", true, "no origin has a user"},
		{"POST", OWN "Origin: null\n", true, "a sandboxed frame"},
		{"POST", OWN "Origin: \n", true, "says nothing, which no browser does"},
		{"POST", OWN "Origin: chrome-extension://10.1.1.1:8001\n", true, "another scheme"},
		{"DELETE", OWN "Sec-Fetch-Site: cross-site\n", true, "the browser says so"},
		{"DELETE", OWN "Sec-Fetch-Site: same-site\n", true, "a neighbour by name"},
		{"PUT", OWN "Sec-Fetch-Site: same-origin\nOrigin: http://name.test\n", false,
			"a proxy wrote Host anew; the browser knows"},
		{"POST", OWN "Sec-Fetch-Site: none\n", false, "typed by a person"},
		{"POST", OWN "Sec-Fetch-Site: cross-site\nOrigin: http://10.1.1.1:8001\n", true,
			"the stronger statement holds"},
		{"POST", OWN "Origin: https://name.test\nX-Forwarded-Host: name.test, b\n", false,
			"a proxy wrote Host anew, and says what it was"},
		{"POST", OWN "Origin: https://evil.test\nX-Forwarded-Host: name.test\n", true,
			"through the same proxy"},
		{"POST", "Origin: http://evil.test\n", true, "no name of ours"},
		{"GET", OWN "Origin: http://evil.test\n", false,
			"browsers keep answers from pages"},
		{"HEAD", OWN "Sec-Fetch-Site: cross-site\n", false, "the same"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked a;

		ask(&a, "10.1.1.2:5", rows[i].fields);
		a.head.method = bytes_str(rows[i].method);
		if (access_is_other_site(&a.call) != rows[i].other) {
			fail_msg("%s, %s: %s", rows[i].method, rows[i].fields, rows[i].reason);
		}
	}
}

static void test_token(void **state)
{
	static const char token[] = "0123456789abcdef";
	static const struct {
		const char *fields;
		bool good;
		const char *reason;
	} rows[] = {
		{"Authorization: Bearer 0123456789abcdef\n", true, "the token"},
		{"Authorization: bearer  0123456789abcdef\n", true, "schemes have no case"},
		{"Authorization: Bearer 0123456789abcdeF\n", false, "tokens have"},
		{"Authorization: Bearer 0123456789abcde\n", false, "a beginning of it"},
		{"Authorization: Bearer 0123456789abcdef0\n", false, "more than it"},
		{"Authorization: Bearer \n", false, "none"},
		{"Authorization: 0123456789abcdef\n", false, "no scheme"},
		{"Authorization: Basic 0123456789abcdef\n", false, "another scheme"},
		{"X-Api-Key: 0123456789abcdef\n", false, "another field"},
		{"", false, "no field"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked a;

		ask(&a, "192.168.1.2:5", rows[i].fields);
		if (access_has_token(&a.call, token) != rows[i].good) {
			fail_msg("%s: %s", rows[i].fields, rows[i].reason);
		}
		assert_false(access_has_token(&a.call, NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_other_site),
		cmocka_unit_test(test_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
