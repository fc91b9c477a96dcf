#define _GNU_SOURCE
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define LONG 6000

static int saved;

/* stderr becomes a pipe; returns its reading end. */
static int catch_stderr(void)
{
	int fd[2];

	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	saved = dup(STDERR_FILENO);
	dup2(fd[1], STDERR_FILENO);
	close(fd[1]);
	return fd[0];
}

static size_t caught(int fd, char *out, size_t size)
{
	ssize_t n = read(fd, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void release(int fd)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
}

/* A message of any length and of any bytes is one line, which is JSON where that was asked for. */
static void test_any_message_is_one_line(void **state)
{
	static const struct {
		char fill;
		const char *reason;
	} rows[] = {{'x', "plain"}, {'"', "each is two"}, {'\\', "each is two"},
		{'\n', "would be another line"}, {'\x01', "each is six"}, {'\xc3', "no UTF-8"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t n = 1; n < LONG; n += n < 1000 ? 331 : 1) {
			char message[LONG + 1];
			char line[8192];
			size_t len;
			int fd = catch_stderr();

			memset(message, rows[i].fill, n);
			message[n] = '\0';
			log_init(LOG_INFO, i % 2 == 0 ? LOG_JSON : LOG_TEXT);
			log_info("test", "%s", message);
			len = caught(fd, line, sizeof(line));
			release(fd);
			if (len < MIN(n, 900u) || strchr(line, '\n') != line + len - 1) {
				fail_msg("%s, %zu bytes: no line, or several: %s", rows[i].reason,
					n, line);
			}
		}
	}
}

static void test_json_stays_json(void **state)
{
	static const char fills[] = {'x', '"', '\\', '\n', '\x01', '\xc3'};

	(void)state;
	log_init(LOG_INFO, LOG_JSON);
	for (size_t i = 0; i < sizeof(fills); i++) {
		for (size_t n = 900; n < 2200; n++) {
			char message[LONG + 1];
			char line[8192];
			size_t slashes = 0;
			size_t len;
			int fd = catch_stderr();

			memset(message, fills[i], n);
			message[0] = 'a';
			message[n] = '\0';
			log_info(n % 2 == 0 ? "test" : "tests", "%s", message);
			len = caught(fd, line, sizeof(line));
			release(fd);
			assert_true(len > 900 && strcmp(line + len - 3, "\"}\n") == 0);
			/* The quote at the end is not escaped, and no escape is cut. */
			for (size_t k = len - 4; line[k] == '\\'; k--) {
				slashes++;
			}
			assert_int_equal(slashes % 2, 0);
			if (fills[i] == '\x01') {
				assert_memory_equal(line + len - 9, "\\u0001", 6);
			}
		}
	}
}

static void test_nobody_reads(void **state)
{
	char page[4096] = {0};
	char text[70000];
	int fd = catch_stderr();

	(void)state;
	log_init(LOG_INFO, LOG_TEXT);
	while (write(STDERR_FILENO, page, sizeof(page)) > 0) {}
	assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, 0), 0); /* a write would wait now */
	log_info("test", "lost");
	log_info("test", "lost");
	while (caught(fd, text, sizeof(text)) > 0) {}
	log_info("test", "heard");
	caught(fd, text, sizeof(text));
	assert_non_null(strstr(text, "2 lines before this one found no reader"));
	assert_non_null(strstr(text, "heard"));
	log_info("test", "again");
	caught(fd, text, sizeof(text));
	assert_null(strstr(text, "before"));
	release(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_message_is_one_line),
		cmocka_unit_test(test_json_stays_json),
		cmocka_unit_test(test_nobody_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
