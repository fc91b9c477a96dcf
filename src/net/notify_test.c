/* What a service manager receives, on real sockets: by path and by abstract name. */
#define _GNU_SOURCE
#include "net/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* len: bytes of the name that count; abstract names have no zero behind them. */
static int listen_at(const char *name, size_t len)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(a.sun_path, name, len);
	assert_int_equal(bind(fd, (struct sockaddr *)&a,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	return fd;
}

static void assert_received(int fd, const char *expected)
{
	char got[4096];
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, expected);
}

static void it_is_heard_at(const char *env, int fd)
{
	struct notify n;
	char long_one[3000];

	setenv("NOTIFY_SOCKET", env, 1);
	notify_init(&n);
	assert_true(notify_is_heard(&n));
	notify_send(&n, "READY=1\nSTATUS=%d routes", 3);
	assert_received(fd, "READY=1\nSTATUS=3 routes");
	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	notify_send(&n, "%s", long_one);
	long_one[1023] = '\0';
	assert_received(fd, long_one);
	close(fd);
	notify_send(&n, "nobody hears it"); /* and nothing breaks */
	notify_done(&n);
	assert_false(notify_is_heard(&n));
	notify_done(&n);
	unsetenv("NOTIFY_SOCKET");
}

static void a_path_is_heard(void **state)
{
	char dir[] = "/tmp/sluice-notify-XXXXXX";
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	it_is_heard_at(path, listen_at(path, strlen(path) + 1));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void an_abstract_name_is_heard(void **state)
{
	char env[64];
	char name[64];

	(void)state;
	snprintf(env, sizeof(env), "@sluice-notify-%d", (int)getpid());
	memcpy(name, env, sizeof(name));
	name[0] = '\0';
	it_is_heard_at(env, listen_at(name, strlen(env)));
}

static void other_addresses_are_nobody(void **state)
{
	static const char *const rows[] = {"", "/", "@", "relative", "vsock:2:1234", NULL};
	char too_long[120];

	(void)state;
	memset(too_long, '/', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *address = rows[i] != NULL ? rows[i] : too_long;
		struct notify n;

		setenv("NOTIFY_SOCKET", address, 1);
		notify_init(&n);
		if (notify_is_heard(&n)) {
			fail_msg("%s is an address", address);
		}
		notify_send(&n, "READY=1");
		notify_done(&n);
	}
	unsetenv("NOTIFY_SOCKET");
}

static void signs_of_life_are_for_whom_they_were_asked(void **state)
{
	char pid[32];
	char other[32];
	const struct {
		const char *us, *pid;
		uint64_t expected;
		const char *why;
	} rows[] = {
		{NULL, NULL, 0, "nobody asks"},
		{"30000000", NULL, 30000000, "whoever it is"},
		{"30000000", pid, 30000000, "this very process"},
		{"30000000", other, 0, "the one that started us"},
		{"30000000", "me", 0, "no process"},
		{"soon", pid, 0, "no number"},
		{"-1", NULL, 0, "no number either"},
	};

	(void)state;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(other, sizeof(other), "%d", (int)getppid());
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (rows[i].us != NULL) {
			setenv("WATCHDOG_USEC", rows[i].us, 1);
		}
		if (rows[i].pid != NULL) {
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		}
		if (notify_watchdog_us() != rows[i].expected) {
			fail_msg("%s: %llu", rows[i].why, (unsigned long long)notify_watchdog_us());
		}
	}
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_heard),
		cmocka_unit_test(an_abstract_name_is_heard),
		cmocka_unit_test(other_addresses_are_nobody),
		cmocka_unit_test(signs_of_life_are_for_whom_they_were_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
