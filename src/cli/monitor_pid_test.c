/* What a pid file in a directory of everybody may say, and what is believed of it. */
#define _GNU_SOURCE
#include "cli/monitor_pid.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/monitor-pid-XXXXXX";
static char path[64], other[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	if (mkdtemp(dir) == NULL) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/pid", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(other);
	return rmdir(dir);
}

static void put(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(file, 0600), 0);
}

static const char *content(const char *file)
{
	static char room[64];
	FILE *f = fopen(file, "r");
	size_t n = f != NULL ? fread(room, 1, sizeof(room) - 1, f) : 0;

	room[n] = '\0';
	if (f != NULL) {
		fclose(f);
	}
	return room;
}

/* A child that looks like this program serving; killed at the end. */
static pid_t serve(const char *word)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/proc/self/exe", "test", word, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Until the child has become the program. */
static bool serves_soon(pid_t pid, uint64_t before_ms)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	for (int i = 0; i < 300; i++) {
		if (monitor_pid_serves(pid, before_ms)) {
			return true;
		}
		nanosleep(&pause, NULL);
	}
	return false;
}

static void links_are_refused(void **state)
{
	struct monitor_pid p;
	struct fault f;
	int fd;

	(void)state;
	put(other, "precious");
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(monitor_pid_open(path, true, &p, &f), ERR_REFUSED);
	assert_non_null(strstr(f.text, "symbolic link"));
	assert_int_equal(monitor_pid_open_log(path, &fd, &f), ERR_REFUSED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(other, path), 0);
	assert_int_equal(monitor_pid_open(path, true, &p, &f), ERR_REFUSED);
	assert_string_equal(content(other), "precious");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(monitor_pid_open(path, true, &p, &f), ERR_REFUSED);
}

static void a_new_file_is_ours_alone(void **state)
{
	struct monitor_pid p;
	struct stat st;
	struct fault f;

	(void)state;
	assert_int_equal(monitor_pid_open(path, false, &p, &f), ERR_NOT_FOUND);
	assert_int_equal(monitor_pid_open(path, true, &p, &f), 0);
	assert_int_equal(p.pid, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	monitor_pid_close(&p);
}

static void only_a_server_of_ours_counts(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "nothing"},
		{"1\n", "the first process is nobody's server"},
		{"0\n", "kill would end a whole group"},
		{"-5\n", "kill would end a whole group"},
		{"12x\n", "no number"},
		{"99999999999999\n", "beyond all numbers"},
		{"4194303\n", "a process that is not there"},
	};
	struct monitor_pid p;
	struct fault f;
	char own[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put(path, rows[i].text);
		assert_int_equal(monitor_pid_open(path, false, &p, &f), 0);
		if (p.pid != 0) {
			fail_msg("\"%s\" was believed: %s", rows[i].text, rows[i].why);
		}
		monitor_pid_close(&p);
	}
	snprintf(own, sizeof(own), "%d\n", (int)getppid());
	put(path, own);
	assert_int_equal(monitor_pid_open(path, false, &p, &f), 0);
	assert_int_equal(p.pid, 0); /* another program */
	monitor_pid_close(&p);
}

static void a_server_is_found_again(void **state)
{
	struct monitor_pid p;
	struct fault f;
	pid_t pid = serve("serve");

	(void)state;
	assert_true(serves_soon(pid, 0));
	assert_int_equal(monitor_pid_open(path, true, &p, &f), 0);
	assert_int_equal(monitor_pid_write(&p, pid, &f), 0);
	monitor_pid_close(&p);
	assert_int_equal(monitor_pid_open(path, false, &p, &f), 0);
	assert_int_equal(p.pid, pid);
	monitor_pid_close(&p);
	end(pid);
	assert_int_equal(monitor_pid_open(path, false, &p, &f), 0);
	assert_int_equal(p.pid, 0);
	monitor_pid_close(&p);
	assert_string_equal(content(path), "");
}

/* The number was given to a process that began after the file was written. */
static void a_number_used_again_is_not_believed(void **state)
{
	struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	struct monitor_pid p;
	struct fault f;
	pid_t pid = serve("serve");
	char text[32];

	(void)state;
	assert_true(serves_soon(pid, 0));
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	put(path, text);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(monitor_pid_open(path, false, &p, &f), 0);
	assert_int_equal(p.pid, 0);
	monitor_pid_close(&p);
	end(pid);
}

static void another_command_is_no_server(void **state)
{
	pid_t pid = serve("lint");

	(void)state;
	assert_false(monitor_pid_serves(pid, 0));
	end(pid);
}

static void the_owner_of_a_port(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid = 0;
	uint16_t port;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	port = ntohs(at.sin_port);
	assert_false(monitor_pid_of_port(port, &pid)); /* bound is not listening */
	assert_int_equal(listen(fd, 1), 0);
	assert_true(monitor_pid_of_port(port, &pid));
	assert_int_equal(pid, getpid());
	close(fd);
	assert_false(monitor_pid_of_port(port, NULL));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(links_are_refused, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(a_new_file_is_ours_alone, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(only_a_server_of_ours_counts, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(a_server_is_found_again, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(
			a_number_used_again_is_not_believed, make_dir, drop_dir),
		cmocka_unit_test(another_command_is_no_server),
		cmocka_unit_test(the_owner_of_a_port),
	};

	if (argc > 1) { /* the child of serve() */
		(void)argv;
		for (;;) {
			pause();
		}
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
