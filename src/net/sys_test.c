#define _GNU_SOURCE
#include "net/sys.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void literal_addresses(void **state)
{
	static const struct {
		const char *host;
		const char *want; /* formatted with port 80; NULL: no literal */
		const char *reason;
	} rows[] = {
		{"127.0.0.1", "127.0.0.1:80", "IPv4"},
		{"255.255.255.255", "255.255.255.255:80", "the longest IPv4"},
		{"::1", "[::1]:80", "IPv6 without brackets"},
		{"[::1]", "[::1]:80", "IPv6 as in a URL"},
		{"[2001:DB8::0:1]", "[2001:db8::1]:80", "the canonical form comes out"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
			"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:80", "the longest IPv6"},
		{"::ffff:1.2.3.4", "[::ffff:1.2.3.4]:80", "a mapped address stays IPv6"},
		{"[127.0.0.1]", NULL, "brackets are for IPv6"},
		{"127.1", NULL, "no shorthand: 127.1 is not what it looks like"},
		{"0x7f.0.0.1", NULL, "no hexadecimal"},
		{"010.0.0.1", NULL, "no octal: 010 might be 8 or 10"},
		{"2130706433", NULL, "no single number"},
		{"1.2.3.4 ", NULL, "blank behind"},
		{"1.2.3.256", NULL, "a byte is at most 255"},
		{"[::1", NULL, "bracket not closed"},
		{"::1]", NULL, "bracket not opened"},
		{"[]", NULL, "nothing inside"},
		{"", NULL, "nothing"},
		{"fe80::1%eth0", NULL, "no zones"},
		{"example.com", NULL, "a name"},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111", NULL, "too long"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[SYS_ADDR_TEXT];
		struct sys_addr a;
		int rc = sys_addr_parse(&a, rows[i].host, strlen(rows[i].host), 80);

		if ((rc == 0) != (rows[i].want != NULL)) {
			fail_msg("%s: %d: %s", rows[i].host, rc, rows[i].reason);
		}
		if (rc == 0) {
			assert_int_equal(sys_addr_format(&a, text), strlen(rows[i].want));
			assert_string_equal(text, rows[i].want);
			sys_addr_set_port(&a, 65535);
			assert_int_equal(sys_addr_port(&a), 65535);
		}
	}
}

static void a_nul_inside_is_no_address(void **state)
{
	struct sys_addr a;

	(void)state;
	assert_int_equal(sys_addr_parse(&a, "1.2.3.4\0.evil", 13, 80), ERR_SYNTAX);
}

static void wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 5000), 1);
}

static int listen_on(const char *host, struct sys_addr *bound)
{
	struct sys_addr addr;

	assert_int_equal(sys_addr_parse(&addr, host, strlen(host), 0), 0);
	return sys_listen(&addr, 16, bound);
}

static void connections_of_both_families(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "::1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct sys_addr bound;
		struct sys_addr peer;
		int listener = listen_on(hosts[i], &bound);
		int client;
		int server;
		char abc[] = "abc";
		char got[8];

		if (listener == ERR_IO && i == 1) {
			print_message("no IPv6 on this machine: %s\n", sys_error_text());
			continue;
		}
		assert_true(listener >= 0);
		assert_int_not_equal(sys_addr_port(&bound), 0);
		assert_int_equal(sys_accept(listener, &peer), ERR_AGAIN);
		client = sys_connect(&bound);
		assert_true(client >= 0);
		wait_readable(listener);
		server = sys_accept(listener, &peer);
		assert_true(server >= 0);
		assert_int_equal(sys_connect_result(client), 0);
		assert_int_equal(sys_recv(client, got, sizeof(got)), ERR_AGAIN);
		assert_int_equal(
			sys_sendv(server, (struct iovec[]){{abc, 2}, {abc, 0}, {abc + 2, 1}}, 3),
			3);
		sys_shutdown_write(server);
		wait_readable(client);
		assert_int_equal(sys_recv(client, got, sizeof(got)), 3);
		assert_memory_equal(got, "abc", 3);
		wait_readable(client);
		assert_int_equal(sys_recv(client, got, sizeof(got)), 0);
		sys_close(client, false);
		sys_close(server, false);
		sys_close(listener, false);
	}
}

static void a_taken_address_exists(void **state)
{
	struct sys_addr bound;
	struct sys_addr again;
	int listener = listen_on("127.0.0.1", &bound);

	(void)state;
	assert_true(listener >= 0);
	assert_int_equal(sys_listen(&bound, 16, &again), ERR_EXISTS);
	assert_string_equal(sys_error_text(), "Address already in use");
	sys_close(listener, false);
}

static void a_reset_is_seen_by_the_peer_and_kills_nobody(void **state)
{
	struct sys_addr bound;
	struct sys_addr peer;
	int listener = listen_on("127.0.0.1", &bound);
	int client = sys_connect(&bound);
	int server;
	char x[] = "x";
	char got[8];

	(void)state;
	/* What a failed send would raise must not be ignored by chance. */
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	wait_readable(listener);
	server = sys_accept(listener, &peer);
	assert_true(client >= 0 && server >= 0);
	sys_close(client, true);
	wait_readable(server);
	assert_int_equal(sys_recv(server, got, sizeof(got)), ERR_RESET);
	assert_int_equal(sys_sendv(server, &(struct iovec){x, 1}, 1), ERR_CLOSED);
	sys_close(server, false);
	sys_close(listener, false);
}

static void nobody_listens(void **state)
{
	struct sys_addr bound;
	int listener = listen_on("127.0.0.1", &bound);
	int client;

	(void)state;
	sys_close(listener, false);
	client = sys_connect(&bound);
	if (client >= 0) {
		wait_readable(client);
		assert_int_equal(sys_connect_result(client), ERR_REFUSED);
		sys_close(client, false);
	} else {
		assert_int_equal(client, ERR_REFUSED);
	}
}

static void a_socket_in_the_file_system(void **state)
{
	char dir[] = "/tmp/sluice-sys-XXXXXX";
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sys_addr a;
	struct sys_addr peer;
	char text[SYS_ADDR_TEXT];
	char hello[] = "hello", got[8];
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client, server;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", dir);
	assert_int_equal(sys_addr_unix(&a, un.sun_path), 0);
	assert_ptr_equal(sys_addr_path(&a), un.sun_path);
	assert_int_equal(sys_addr_format(&a, text), strlen("unix:") + strlen(un.sun_path));
	assert_int_equal(sys_addr_port(&a), 0);
	assert_int_equal(sys_connect(&a), ERR_IO);
	assert_string_equal(sys_error_text(), "No such file or directory");

	assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(sys_connect(&a), ERR_REFUSED); /* nobody listens yet */
	assert_int_equal(listen(listener, 4), 0);
	client = sys_connect(&a);
	assert_true(client >= 0);
	assert_int_equal(sys_connect_result(client), 0);
	server = sys_accept(listener, &peer);
	assert_true(server >= 0);
	assert_int_equal(sys_sendv(client, &(struct iovec){hello, 5}, 1), 5);
	wait_readable(server);
	assert_int_equal(sys_recv(server, got, sizeof(got)), 5);
	sys_close(client, false);
	sys_close(server, false);
	sys_close(listener, false);
	unlink(un.sun_path);
	rmdir(dir);
}

static void paths_that_are_no_sockets(void **state)
{
	char path[200], text[SYS_ADDR_TEXT];
	struct sys_addr a;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	assert_int_equal(
		sys_addr_unix(&a, path), ERR_LIMIT); /* a byte more than there is room for */
	path[107] = '\0';
	assert_int_equal(sys_addr_unix(&a, path), 0);
	assert_int_equal(sys_addr_format(&a, text), SYS_ADDR_TEXT - 1); /* its beginning */
	assert_int_equal(sys_addr_unix(&a, ""), ERR_LIMIT);
	assert_int_equal(sys_addr_parse(&a, "127.0.0.1", 9, 80), 0);
	assert_null(sys_addr_path(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literal_addresses),
		cmocka_unit_test(a_nul_inside_is_no_address),
		cmocka_unit_test(connections_of_both_families),
		cmocka_unit_test(a_taken_address_exists),
		cmocka_unit_test(a_reset_is_seen_by_the_peer_and_kills_nobody),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(a_socket_in_the_file_system),
		cmocka_unit_test(paths_that_are_no_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
