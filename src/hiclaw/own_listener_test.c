#include "hiclaw/own_listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The machine has 172.17.0.2. */
static bool is_here(const struct sys_addr *addr)
{
	struct sys_addr mine;

	assert_int_equal(sys_addr_parse(&mine, "172.17.0.2", 10, 1), 0);
	return addr->len == mine.len && memcmp(addr->u.room, mine.u.room, addr->len) == 0;
}

static const struct own_listener own = {
	.lists = {{"\"0.0.0.0:8080\",\"[::]:8443\"", 26}, {"\"127.0.0.1:8001\"", 16},
		{"\"10.1.2.3:18080\"", 16}},
	.domain = {"aigw-local.hiclaw.io", 20},
	.is_here = is_here};

static const struct row {
	const char *host;
	unsigned port;
	bool ours;
	const char *reason;
} rows[] = {
	{"127.0.0.1", 8080, true, "all addresses"},
	{"127.9.9.9", 8080, true, "all of loopback"},
	{"::1", 8443, true, "the other family"},
	{"::ffff:127.0.0.1", 8080, true, "mapped"},
	{"0.0.0.0", 8080, true, "the system takes it for loopback"},
	{"0.0.0.0", 8001, true, "also where loopback alone listens"},
	{"localhost", 8080, true, "by name"},
	{"LOCALHOST.", 8001, true, "written otherwise"},
	{"x.localhost", 8080, true, "below it"},
	{"aigw-local.hiclaw.io", 8080, true, "the gateway's domain"},
	{"AI-gateway.hiclaw.io", 8080, true, "its old name"},
	{"10.1.2.3", 18080, true, "one address"},
	{"127.0.0.1", 18080, false, "nobody of ours is there"},
	{"localhost", 18080, false, "nor by name"},
	{"127.0.0.1", 9090, false, "a model at home"},
	{"10.0.0.5", 8080, false, "another machine"},
	{"172.17.0.2", 8080, true, "an address of the machine, where all of them listen"},
	{"172.17.0.2", 8001, false, "where loopback alone listens"},
	{"api.deepseek.com", 8080, false, "a vendor"},
	{"", 8080, false, "nothing"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (own_listener_is(&own, bytes_str(rows[i].host), rows[i].port) != rows[i].ours) {
			fail_msg("%s:%u: %s", rows[i].host, rows[i].port, rows[i].reason);
		}
	}
	assert_false(own_listener_is(
		&(struct own_listener){.domain = BYTES("")}, BYTES("localhost"), 1));
}

/* The real question: loopback is the machine's, an address for documents is nobody's. */
static void test_machine(void **state)
{
	static const struct {
		const char *address;
		bool here;
	} addresses[] = {{"127.0.0.1", true}, {"127.3.4.5", true}, {"203.0.113.7", false},
		{"198.51.100.1", false}, {"2001:db8::7", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct sys_addr a;

		assert_int_equal(sys_addr_parse(&a, addresses[i].address,
					 strlen(addresses[i].address), 8080),
			0);
		if (sys_addr_is_here(&a) != addresses[i].here) {
			fail_msg("%s", addresses[i].address);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_machine)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
