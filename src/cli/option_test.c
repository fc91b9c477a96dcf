#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/option.h"

struct target {
	char *word, *path;
	struct option_addresses listen;
	uint32_t small;
	uint64_t count, size, wait;
	unsigned mode;
	bool quiet;
	uint64_t cap;
};

static const struct option rows[] = {
	{.name = "word",
		.env = "OT_WORD",
		.type = OPTION_STRING,
		.arg = "W",
		.fallback = "plain",
		.help = "A word.",
		OPTION_MEMBER(struct target, word)},
	{.name = "path",
		.type = OPTION_PATH,
		.arg = "P",
		.computed = "none",
		.help = "A path.",
		OPTION_MEMBER(struct target, path)},
	{.name = "listen",
		.env = "OT_LISTEN",
		.type = OPTION_ADDRESSES,
		.arg = "A",
		.fallback = "127.0.0.1:1",
		.help = "Addresses.",
		OPTION_MEMBER(struct target, listen)},
	{.name = "small",
		.type = OPTION_NUMBER,
		.arg = "N",
		.min = 2,
		.max = 9,
		.fallback = "5",
		.help = "A digit.",
		OPTION_MEMBER(struct target, small)},
	{.name = "count",
		.env = "OT_COUNT",
		.type = OPTION_NUMBER,
		.arg = "N",
		.min = 0,
		.max = UINT64_MAX,
		.help = "A count.",
		OPTION_MEMBER(struct target, count)},
	{.name = "size",
		.type = OPTION_BYTES,
		.arg = "B",
		.min = 1024,
		.max = 1u << 30,
		.fallback = "64K",
		.help = "A size.",
		OPTION_MEMBER(struct target, size)},
	{.name = "wait",
		.type = OPTION_DURATION,
		.arg = "T",
		.min = 0,
		.max = 60000,
		.fallback = "30s",
		.help = "A wait.",
		OPTION_MEMBER(struct target, wait)},
	{.name = "mode",
		.type = OPTION_ENUM,
		.arg = "M",
		.choices = "slow|fast|odd",
		.fallback = "slow",
		.help = "A mode.",
		OPTION_MEMBER(struct target, mode)},
	{.name = "quiet",
		.env = "OT_QUIET",
		.type = OPTION_BOOL,
		.help = "Be quiet.",
		OPTION_MEMBER(struct target, quiet)},
	{.name = "once",
		.type = OPTION_BOOL,
		.flag_only = true,
		.help = "Only here.",
		OPTION_MEMBER(struct target, quiet)},
	{.name = "cap",
		.type = OPTION_BYTES,
		.is_limit = true,
		.arg = "B",
		.min = 0,
		.max = 1u << 30,
		.fallback = "1M",
		.help = "A limit.",
		OPTION_MEMBER(struct target, cap)},
};
static const struct option_table table = {"trial", rows, ARRAY_LEN(rows)};

/* What one run reads: words of the command line, variables, the text of a file (NULL: none). */
struct run {
	const char *words[6];
	const char *env[4];
	const char *file;
};

struct result {
	struct target target;
	struct options options;
	int rc;
	char *said; /* on err */
};

static const char *const variables[] = {"OT_WORD", "OT_LISTEN", "OT_COUNT", "OT_QUIET"};

static void set_env(const struct run *run)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		unsetenv(variables[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(run->env) && run->env[i] != NULL; i++) {
		char *pair = must_strdup(run->env[i]);
		char *value = strchr(pair, '=');

		*value = '\0';
		setenv(pair, value + 1, 1);
		free(pair);
	}
}

static int read_text(struct options *o, const char *text)
{
	char path[] = "/tmp/option_test.XXXXXX";
	int fd = mkstemp(path);
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	rc = options_read_file(o, path);
	unlink(path);
	return rc;
}

static void read_all(const struct run *run, struct result *out)
{
	char *argv[ARRAY_LEN(run->words) + 1] = {must_strdup("trial")};
	size_t size;
	FILE *err = open_memstream(&out->said, &size);
	int argc = 1;

	for (size_t i = 0; i < ARRAY_LEN(run->words) && run->words[i] != NULL; i++) {
		argv[argc++] = must_strdup(run->words[i]);
	}
	set_env(run);
	out->target = (struct target){.word = NULL};
	options_init(&out->options, &table, &out->target, err);
	out->rc = options_read_flags(&out->options, argc, argv);
	out->rc = out->rc == 0 ? options_read_env(&out->options) : out->rc;
	if (out->rc == 0 && run->file != NULL) {
		out->rc = read_text(&out->options, run->file);
	}
	out->rc = out->rc == 0 ? options_read_defaults(&out->options) : out->rc;
	fclose(err);
	for (int i = 0; i < argc; i++) {
		free(argv[i]);
	}
}

static void result_done(struct result *r)
{
	options_done(&table, &r->target);
	free(r->said);
}

/* The effective settings as options_print shows them. */
static char *printed(const struct options *o)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	options_print(o, out);
	fclose(out);
	return text;
}

static const struct {
	struct run run;
	const char *expect; /* a line of what is in force */
	const char *reason;
} good[] = {
	{{{NULL}, {NULL}, NULL}, "word: \"plain\" # default\n", "the default of the row"},
	{{{NULL}, {NULL}, "word: file\n"}, "word: \"file\" # file\n", "file over default"},
	{{{NULL}, {"OT_WORD=env"}, "word: file\n"}, "word: \"env\" # environment\n",
		"environment over file"},
	{{{"--word", "flag"}, {"OT_WORD=env"}, "word: file\n"}, "word: \"flag\" # flag\n",
		"flag over all"},
	{{{NULL}, {"OT_WORD="}, "word: file\n"}, "word: \"file\" # file\n",
		"an empty variable is an unset one"},
	{{{"--word=a=b"}, {NULL}, NULL}, "word: \"a=b\" # flag\n", "only the first = splits"},
	{{{"--word="}, {NULL}, NULL}, "word: \"\" # flag\n", "an empty string is a value"},
	{{{"--word=--x"}, {NULL}, NULL}, "word: \"--x\" # flag\n", "dashes behind = are a value"},
	{{{"--word", "-"}, {NULL}, NULL}, "word: \"-\" # flag\n", "one dash is a value"},
	{{{"--word", "a", "--word", "b"}, {NULL}, NULL}, "word: \"b\" # flag\n",
		"the last of two flags counts"},
	{{{NULL}, {NULL}, "word: off\n"}, "word: \"off\" # file\n",
		"a string stays as written, whatever YAML takes it for"},
	{{{"--listen", "1.2.3.4:5", "--listen", "[::1]:6"}, {NULL}, NULL},
		"listen: \"1.2.3.4:5,[::1]:6\" # flag\n", "a list grows with each flag"},
	{{{"--listen", "1.2.3.4:5"}, {"OT_LISTEN=1.1.1.1:1"}, "listen: [2.2.2.2:2]\n"},
		"listen: \"1.2.3.4:5\" # flag\n", "lists of lesser sources are not added"},
	{{{NULL}, {"OT_LISTEN=1.1.1.1:1, 2.2.2.2:2"}, NULL},
		"listen: \"1.1.1.1:1,2.2.2.2:2\" # environment\n", "commas separate"},
	{{{NULL}, {NULL}, "listen:\n- 1.1.1.1:1\n- '[::]:0'\n"},
		"listen: \"1.1.1.1:1,[::]:0\" # file\n", "a YAML list"},
	{{{"--small", "9"}, {NULL}, NULL}, "small: 9 # flag\n", "the range is inclusive above"},
	{{{"--small", "2"}, {NULL}, NULL}, "small: 2 # flag\n", "the range is inclusive below"},
	{{{"--count", "18446744073709551615"}, {NULL}, NULL},
		"count: 18446744073709551615 # flag\n", "64 bits are whole"},
	{{{NULL}, {NULL}, NULL}, "count: 0 # default\n", "no fallback: what the target holds"},
	{{{"--size", "1024"}, {NULL}, NULL}, "size: 1K # flag\n", "printed with its unit"},
	{{{"--size", "1m"}, {NULL}, NULL}, "size: 1M # flag\n", "units in any case"},
	{{{"--size", "1025"}, {NULL}, NULL}, "size: 1025 # flag\n", "no unit divides it"},
	{{{"--wait", "1500ms"}, {NULL}, NULL}, "wait: 1500ms # flag\n", "milliseconds"},
	{{{"--wait", "2000ms"}, {NULL}, NULL}, "wait: 2s # flag\n", "whole seconds"},
	{{{"--wait", "0"}, {NULL}, NULL}, "wait: 0 # flag\n", "0 needs no unit"},
	{{{"--mode", "FAST"}, {NULL}, NULL}, "mode: fast # flag\n", "choices in any case"},
	{{{"--quiet"}, {NULL}, NULL}, "quiet: true # flag\n", "a switch needs no value"},
	{{{"--quiet=no"}, {"OT_QUIET=1"}, NULL}, "quiet: false # flag\n",
		"a switch can be switched off"},
	{{{NULL}, {NULL}, "quiet: yes\n"}, "quiet: true # file\n", "the words of YAML 1.1"},
	{{{"--limit", "cap=2M"}, {NULL}, "limits:\n  cap: 3M\n"}, "  cap: 2M # flag\n",
		"limits have one flag for all"},
	{{{NULL}, {NULL}, "limits: {cap: 3M}\n"}, "  cap: 3M # file\n", "limits in the file"},
	{{{NULL}, {NULL}, ""}, "word: \"plain\" # default\n", "an empty file says nothing"},
	{{{NULL}, {NULL}, "# nothing\n"}, "word: \"plain\" # default\n", "a file of comments"},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct result r;
		char *text;

		read_all(&good[i].run, &r);
		if (r.rc != 0) {
			fail_msg("%s: refused: %s", good[i].reason, r.said);
		}
		text = printed(&r.options);
		if (strstr(text, good[i].expect) == NULL) {
			fail_msg("%s: no '%s' in '%s'", good[i].reason, good[i].expect, text);
		}
		assert_string_equal(r.said, "");
		free(text);
		result_done(&r);
	}
}

static const struct {
	struct run run;
	const char *expect; /* part of the sentence */
	const char *reason;
} bad[] = {
	{{{"--wrod", "x"}, {NULL}, NULL}, "unknown option --wrod, did you mean --word?",
		"the nearest option is named"},
	{{{"--@@@@@@"}, {NULL}, NULL}, "unknown option --@@@@@@ (sluice trial --help",
		"nothing is near: only the way to help"},
	{{{"--limit", "cup=1"}, {NULL}, NULL}, "--limit: unknown limit cup, did you mean cap?",
		"the nearest limit is named"},
	{{{"--cap", "1"}, {NULL}, NULL}, "cap is a limit: --limit cap=VALUE",
		"a limit that is given like an option"},
	{{{"--limit", "cap"}, {NULL}, NULL}, "cap needs a value: --limit cap=B", "no value"},
	{{{"--limit", "cap=x"}, {NULL}, NULL}, "--limit: cap: \"x\" is no number of bytes",
		"the limit is named with its value"},
	{{{"--word"}, {NULL}, NULL}, "--word: needs a value: W", "the line ends"},
	{{{"--word", "--quiet"}, {NULL}, NULL}, "--word: needs a value: W",
		"the next flag is not taken for a value"},
	{{{"word"}, {NULL}, NULL}, "\"word\" is no option", "a bare word"},
	{{{"-w"}, {NULL}, NULL}, "\"-w\" is no option", "there are no short options"},
	{{{"--"}, {NULL}, NULL}, "\"--\" is no option", "nothing follows options"},
	{{{"--path="}, {NULL}, NULL}, "--path: \"\" is no path", "an empty path"},
	{{{"--small", "1"}, {NULL}, NULL}, "--small: \"1\" is no whole number from 2 to 9",
		"below the range"},
	{{{"--small", "10"}, {NULL}, NULL}, "from 2 to 9", "above the range"},
	{{{"--small", "3x"}, {NULL}, NULL}, "from 2 to 9", "a unit where none belongs"},
	{{{"--small", "-3"}, {NULL}, NULL}, "from 2 to 9", "a sign"},
	{{{"--small", ""}, {NULL}, NULL}, "\"\" is no whole number", "an empty number"},
	{{{"--count", "18446744073709551616"}, {NULL}, NULL}, "is no whole number", "2^64"},
	{{{"--size", "18446744073709551615G"}, {NULL}, NULL}, "from 1K to 1G",
		"overflow by the unit"},
	{{{"--size", "2G"}, {NULL}, NULL}, "from 1K to 1G", "above after the unit"},
	{{{"--size", "0"}, {NULL}, NULL}, "from 1K to 1G", "0 below the least"},
	{{{"--size", "1MB"}, {NULL}, NULL}, "from 1K to 1G", "a unit nobody defined"},
	{{{"--wait", "30"}, {NULL}, NULL}, "is no duration (250ms, 30s) from 0 to 60s",
		"a duration without unit could be either"},
	{{{"--wait", "61s"}, {NULL}, NULL}, "from 0 to 60s", "above after the unit"},
	{{{"--mode", "quick"}, {NULL}, NULL}, "\"quick\" is none of slow|fast|odd",
		"choices are listed"},
	{{{"--quiet=maybe"}, {NULL}, NULL}, "is neither true nor false", "not a boolean"},
	{{{"--listen", "localhost:80"}, {NULL}, NULL}, "is no ADDRESS:PORT", "a name"},
	{{{"--listen", "1.2.3.4"}, {NULL}, NULL}, "is no ADDRESS:PORT", "no port"},
	{{{"--listen", ":80"}, {NULL}, NULL}, "is no ADDRESS:PORT", "no address"},
	{{{"--listen", "1.2.3.4:65536"}, {NULL}, NULL}, "is no ADDRESS:PORT", "port too large"},
	{{{"--listen", "::1:80"}, {NULL}, NULL}, "is no ADDRESS:PORT",
		"IPv6 without brackets is ambiguous"},
	{{{"--listen", "1.2.3.4:80,"}, {NULL}, NULL}, "is no ADDRESS:PORT", "an empty item"},
	{{{NULL}, {"OT_COUNT=many"}, NULL}, "sluice trial: OT_COUNT: \"many\" is no whole number",
		"the variable is named"},
	{{{"--count", "1"}, {"OT_COUNT=many"}, NULL}, "OT_COUNT",
		"a wrong value is told even when another wins"},
	{{{NULL}, {NULL}, "word: a\nsmal: 3\n"}, ":2: unknown key smal, did you mean small?",
		"line of the unknown key"},
	{{{NULL}, {NULL}, "word: a\nsmall: 33\n"}, ":2: small: \"33\" is no whole number",
		"line of the bad value"},
	{{{NULL}, {NULL}, "limits:\n  cop: 3\n"}, ":2: unknown limit cop, did you mean cap?",
		"unknown limit in the file"},
	{{{NULL}, {NULL}, "limits: 3\n"}, ":1: limits needs a map", "limits is no value"},
	{{{NULL}, {NULL}, "cap: 3M\n"}, ":1: cap is a limit: put cap below limits",
		"a limit at the top"},
	{{{NULL}, {NULL}, "word: [a]\n"}, ":1: word needs one plain value", "a list for a word"},
	{{{NULL}, {NULL}, "word:\n"}, ":1: word needs one plain value", "no value at all"},
	{{{NULL}, {NULL}, "listen: {a: b}\n"}, ":1: listen needs an address or a list of them",
		"a map for a list"},
	{{{NULL}, {NULL}, "listen:\n- 1.1.1.1:1\n- [x]\n"}, ":3: listen: an item is no address",
		"line of the item"},
	{{{NULL}, {NULL}, "once: true\n"}, ":1: once is for the command line only",
		"what a file must not say"},
	{{{NULL}, {NULL}, "- word\n"}, ":1: the file must hold a map", "a list at the top"},
	{{{NULL}, {NULL}, "word: a\n---\nword: b\n"}, "a second document begins here",
		"two documents"},
	{{{NULL}, {NULL}, "word: \"a\\0b\"\n"}, "holds a NUL character", "no string of the system"},
	{{{NULL}, {NULL}, "word: [a\n"}, ":2: ", "YAML that breaks is told with its line"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct result r;

		read_all(&bad[i].run, &r);
		if (r.rc == 0) {
			fail_msg("%s: accepted", bad[i].reason);
		}
		if (strstr(r.said, bad[i].expect) == NULL) {
			fail_msg("%s: no '%s' in '%s'", bad[i].reason, bad[i].expect, r.said);
		}
		/* One sentence on one line. */
		assert_ptr_equal(strchr(r.said, '\n'), r.said + strlen(r.said) - 1);
		result_done(&r);
	}
}

static void test_missing_file(void **state)
{
	struct target target = {.word = NULL};
	struct options o;

	(void)state;
	options_init(&o, &table, &target, NULL);
	assert_int_not_equal(options_read_file(&o, "/nonexistent/option_test.yaml"), 0);
	options_done(&table, &target);
}

/* What is printed can be given back as the file and means the same. */
static void test_round_trip(void **state)
{
	const struct run first = {{"--word", "a \"b\" # c: d\\", "--listen", "[::1]:80",
					  "--wait=1500ms", "--mode=odd"},
		{NULL}, "limits: {cap: 1025}\n"};
	struct run second = {{NULL}, {NULL}, NULL};
	struct result a, b;
	char *text_a, *text_b;

	(void)state;
	read_all(&first, &a);
	assert_int_equal(a.rc, 0);
	text_a = printed(&a.options);
	second.file = text_a;
	read_all(&second, &b);
	if (b.rc != 0) {
		fail_msg("%s", b.said);
	}
	assert_string_equal(b.target.word, a.target.word);
	assert_int_equal(b.target.listen.n, 1);
	assert_int_equal(b.target.wait, 1500);
	assert_int_equal(b.target.mode, 2);
	assert_int_equal(b.target.cap, 1025);
	text_b = printed(&b.options);
	assert_non_null(strstr(text_b, "  cap: 1025 # file\n"));
	free(text_a);
	free(text_b);
	result_done(&a);
	result_done(&b);
}

static void test_help(void **state)
{
	const struct target defaults = {.count = 7};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_help(&table, &defaults, out);
	fclose(out);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strstr(text, rows[i].name) == NULL || strstr(text, rows[i].help) == NULL) {
			fail_msg("%s is not in the help", rows[i].name);
		}
	}
	assert_non_null(strstr(text,
		"  --word W\n      A word. Default: plain. "
		"Environment: OT_WORD.\n"));
	assert_non_null(strstr(text, "A count. Default: 7."));
	assert_non_null(strstr(text, "A path. Default: none."));
	assert_non_null(strstr(text, "  --limit cap=B\n"));
	assert_non_null(strstr(text, "One of slow|fast|odd. Default: slow."));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
