#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/help.h"

static int run_echo(int argc, char **argv)
{
	return argc * 10 + (strcmp(argv[0], "echo") == 0 ? 1 : 0);
}

static int run_never(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fail_msg("this command is only asked for its help");
	return 0;
}

static void details(FILE *out)
{
	fputs("Options:\n  --loud\n", out);
}

static const struct command commands[] = {
	{"echo", "say it again", "sluice echo WORD...", "sluice echo hello", NULL, run_echo},
	{"serve", "run it", "sluice serve", "sluice serve --loud", details, run_never},
	{"version", "print versions", "sluice version", "sluice version", NULL, run_echo},
};
static const struct command_table table = {commands, ARRAY_LEN(commands)};

static int dispatch(const char *a, const char *b)
{
	char *argv[] = {must_strdup("sluice"), a != NULL ? must_strdup(a) : NULL,
		b != NULL ? must_strdup(b) : NULL, NULL};
	int rc = command_dispatch(&table, 1 + (a != NULL) + (b != NULL), argv);

	for (size_t i = 0; i < ARRAY_LEN(argv); i++) {
		free(argv[i]);
	}
	return rc;
}

static void test_dispatch(void **state)
{
	(void)state;
	assert_int_equal(dispatch("echo", NULL), 11); /* argv[0] is the command */
	assert_int_equal(dispatch("echo", "x"), 21);
	assert_int_equal(dispatch("version", NULL), 10);
	assert_int_equal(dispatch("--version", NULL), 10);
	assert_int_equal(dispatch("serve", "--help"), COMMAND_DONE);
	assert_int_equal(dispatch("serve", "-h"), COMMAND_DONE);
	assert_int_equal(dispatch("--help", NULL), COMMAND_DONE);
	assert_int_equal(dispatch("srve", NULL), COMMAND_USAGE);
	assert_int_equal(dispatch("srve", "--help"), COMMAND_USAGE);
	assert_int_equal(dispatch(NULL, NULL), COMMAND_USAGE);
}

static void test_unknown(void **state)
{
	char *said;
	size_t size;
	FILE *err = open_memstream(&said, &size);

	(void)state;
	assert_int_equal(command_unknown(&table, "srve", err), COMMAND_USAGE);
	fclose(err);
	assert_string_equal(said,
		"sluice: there is no command \"srve\", did you mean serve? "
		"(sluice help lists all)\n");
	free(said);
}

/* Every command is in the overview; its help has usage, example and options. */
static void test_help(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	help_overview(&table, out);
	fputs("====\n", out);
	help_command(&commands[1], out);
	fputs("====\n", out);
	help_markdown(&table, out);
	help_man(&table, out);
	fclose(out);
	assert_non_null(strstr(text, "  serve      run it\n"));
	assert_non_null(strstr(text,
		"====\nserve: run it\n\nUsage: sluice serve\nExample: sluice "
		"serve --loud\n\nOptions:\n  --loud\n===="));
	assert_non_null(strstr(text,
		".SH \"sluice serve\"\n.nf\nserve: run it\n\nUsage: sluice serve\n"
		"Example: sluice serve \\-\\-loud\n"));
	assert_non_null(strstr(text, "## sluice echo\n\n```text\necho: say it again\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dispatch),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
