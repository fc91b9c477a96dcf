#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "cli/machine.h"
#include "cli/settings.h"

static int parse(struct settings *out, char **said, int n, const char *const *words)
{
	char *argv[16] = {must_strdup("serve")};
	size_t size;
	FILE *err = open_memstream(said, &size);
	int rc;

	for (int i = 0; i < n; i++) {
		argv[i + 1] = must_strdup(words[i]);
	}
	rc = settings_parse(n + 1, argv, out, err);
	fclose(err);
	for (int i = 0; i <= n; i++) {
		free(argv[i]);
	}
	return rc;
}

static void clear_env(void)
{
	static const char *const names[] = {"SLUICE_DATA", "SLUICE_RESOURCES", "SLUICE_STATE",
		"SLUICE_GATEWAY", "SLUICE_WORKERS", "SLUICE_MEMORY_MAX", "SLUICE_CONFIG",
		"SLUICE_LOG_LEVEL", "SLUICE_LOG_FORMAT", "SLUICE_LOG_ACCESS", "SLUICE_ERROR_FORMAT",
		"SLUICE_READY_FILE", "SLUICE_BUSY_POLL", "SLUICE_DRAIN_TIMEOUT",
		"SLUICE_UPSTREAM_CA"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unsetenv(names[i]);
	}
}

static void test_defaults(void **state)
{
	static const struct http_limits http = HTTP_LIMITS_DEFAULT;
	struct settings s;
	char *said;

	(void)state;
	clear_env();
	assert_int_equal(parse(&s, &said, 0, NULL), 0);
	assert_string_equal(s.data, "./data");
	assert_string_equal(s.resources, "./data/resources");
	assert_string_equal(s.state, "./data/state");
	assert_int_equal(s.gateway.n, 1);
	assert_int_equal(s.gateway_tls.n, 0);
	assert_int_equal(sys_addr_port(&s.gateway.v[0]), 8080);
	assert_int_equal(s.workers, MIN(machine_cpus(), 4u));
	assert_int_equal(s.memory_max, machine_memory() / 4);
	assert_int_equal(s.log_level, LOG_INFO);
	assert_int_not_equal(s.log_format, SETTINGS_LOG_AUTO);
	assert_string_equal(s.access_log, "-");
	assert_null(s.ready_file);
	assert_null(s.upstream_ca);
	assert_int_equal(s.drain_ms, 30000);
	assert_int_equal(s.error_format, SETTINGS_ERROR_JSON);
	assert_int_equal(s.body_max, 100 * 1024 * 1024);
	assert_int_equal(s.first_byte_ms, 120000);
	assert_int_equal(s.stream_idle_ms, 120000);
	assert_memory_equal(&s.http, &http, sizeof(http));
	settings_done(&s);
	free(said);
}

static void test_given(void **state)
{
	static const char *const words[] = {"--data=/d", "--state", "/elsewhere", "--gateway",
		"127.0.0.1:0", "--gateway-tls", "[::1]:8443,127.0.0.1:443", "--workers=3",
		"--memory-max", "600M", "--log-format=json", "--limit", "connect-timeout=250ms"};
	struct settings s;
	char *said;

	(void)state;
	clear_env();
	setenv("SLUICE_ERROR_FORMAT", "plain", 1);
	assert_int_equal(parse(&s, &said, ARRAY_LEN(words), words), 0);
	assert_string_equal(s.resources, "/d/resources");
	assert_string_equal(s.state, "/elsewhere");
	assert_int_equal(sys_addr_port(&s.gateway.v[0]), 0);
	assert_int_equal(s.gateway_tls.n, 2);
	assert_int_equal(sys_addr_port(&s.gateway_tls.v[1]), 443);
	assert_int_equal(s.error_format, SETTINGS_ERROR_PLAIN);
	assert_int_equal(s.log_format, SETTINGS_LOG_JSON);
	assert_int_equal(s.http.connect_ms, 250);
	assert_int_equal(s.workers, 3);
	/* Three pools that each lend a fifth more than their budget stay within the bound. */
	assert_true(settings_worker_budget(&s) / 5 * 6 * 3 <= s.memory_max);
	assert_true(settings_worker_budget(&s) * 3 >= s.memory_max / 10 * 8);
	settings_done(&s);
	free(said);
	clear_env();
}

static void test_config_from_env(void **state)
{
	static const char text[] =
		"workers: 2\ngateway: [127.0.0.1:1, 127.0.0.1:2]\n"
		"limits:\n  body-max: 5M\n";
	static const char *const words[] = {"--workers", "4"};
	char path[] = "/tmp/settings_test.XXXXXX";
	int fd = mkstemp(path);
	struct settings s;
	char *said;

	(void)state;
	clear_env();
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	setenv("SLUICE_CONFIG", path, 1);
	assert_int_equal(parse(&s, &said, ARRAY_LEN(words), words), 0);
	unlink(path);
	assert_int_equal(s.workers, 4);
	assert_int_equal(s.gateway.n, 2);
	assert_int_equal(s.body_max, 5 * 1024 * 1024);
	settings_done(&s);
	free(said);
	clear_env();
}

static void test_print(void **state)
{
	static const char *const words[] = {
		"--workers=2", "--memory-max=120M", "--metrics-token=0123456789abcdef"};
	struct settings s;
	char *said;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	clear_env();
	assert_int_equal(parse(&s, &said, ARRAY_LEN(words), words), 0);
	settings_print(&s, out);
	fclose(out);
	assert_non_null(strstr(text, "workers: 2 # flag\n"));
	assert_non_null(strstr(text, "resources: \"./data/resources\" # default\n"));
	assert_non_null(strstr(text, "\nlimits:\n"));
	assert_non_null(strstr(text, "  head-timeout: 10s # default\n"));
	assert_non_null(strstr(text, "# memory bound: 125829120 bytes"));
	assert_non_null(strstr(text, "# metrics-token: set, and not shown\n"));
	assert_null(strstr(text, "0123456789abcdef"));
	assert_null(strstr(text, "check:"));
	settings_done(&s);
	free(said);
	free(text);
}

static const struct {
	const char *words[3];
	const char *expect;
	const char *reason;
} bad[] = {
	{{"--gatway", "x"}, "did you mean --gateway?", "unknown flag"},
	{{"--workers", "0"}, "from 1 to 256", "no worker at all"},
	{{"--memory-max", "1M"}, "from 16M to", "too little to hold a body"},
	{{"--config", "/nonexistent/x.yaml"}, "/nonexistent/x.yaml", "a file that is not there"},
	{{"--limit", "body-mx=1M"}, "did you mean body-max?", "unknown limit"},
	{{"--drain-timeout", "30"}, "250ms, 30s", "a duration without unit"},
	{{"--higress-console", "127.0.0.1:8001"}, "higress-console is no URL",
		"an address without a scheme"},
	{{"--metrics-token", "0123456789abcde"}, "at least 16", "a token of 15 characters"},
	{{"--metrics-token", "0123456789 abcdef"}, "without blanks", "a blank ends a credential"},
	{{"--metrics-token",
		 "0123456789\xc3\xa4"
		 "abcdef"},
		"ASCII", "no header can hold it"},
	{{"--log-level", "trace"}, "error|warn|info|debug", "a level nobody has"},
};

static void test_bad(void **state)
{
	(void)state;
	clear_env();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct settings s;
		char *said;
		int rc = parse(&s, &said, 2, bad[i].words);

		if (rc != 2 || strstr(said, bad[i].expect) == NULL) {
			fail_msg("%s: %d, '%s'", bad[i].reason, rc, said);
		}
		free(said);
	}
}

static void test_help(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	settings_help(out);
	fclose(out);
	assert_non_null(strstr(text, "--gateway ADDR:PORT (repeatable)\n"));
	assert_non_null(strstr(text, "Default: DATA/resources."));
	/* A default that is stated in http/limits.h only. */
	assert_non_null(strstr(text, "--limit idle-timeout=TIME\n"));
	assert_non_null(strstr(text, "Default: 180s."));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_config_from_env),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
