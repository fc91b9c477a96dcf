#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/args.h"

static const struct arg_row first_rows[] = {
	{"--name", "NAME", "A name.", false}, {"--quiet", NULL, "Says less.", false}};
static const struct arg_row second_rows[] = {
	{"--key", "KEY", "A key.", true}, {"-f", "FILE", "A file.", false}};
static const struct arg_table first = {first_rows, ARRAY_LEN(first_rows)};
static const struct arg_table second = {second_rows, ARRAY_LEN(second_rows)};

static const struct {
	const char *reason;
	const char *argv[8];
	const char *want; /* words, then options; or what the sentence has, behind '!' */
} rows[] = {
	{"words and options in any order", {"a", "--quiet", "b", "--name", "n"},
		"a b|--quiet --name=n"},
	{"a value behind '='", {"--name=n=m"}, "|--name=n=m"},
	{"an empty value is one", {"--name="}, "|--name="},
	{"a value may begin with a dash: keys do", {"--key", "-----BEGIN"}, "|--key=-----BEGIN"},
	{"options of every table, the short one too", {"-f", "x", "--key", "1", "--key=2"},
		"|-f=x --key=1 --key=2"},
	{"a single dash is standard input", {"-f", "-", "-"}, "-|-f=-"},
	{"behind -- everything is a word", {"--", "--name", "-x"}, "--name -x|"},
	{"an unknown one is named, with the nearest", {"--nmae", "x"},
		"!--nmae\" is no option of it, did you mean --name?"},
	{"a short one that is none", {"-x"}, "!-x"},
	{"a value is missing", {"--name"}, "!--name needs a value: NAME"},
	{"a switch with a value", {"--quiet=1"}, "!--quiet takes no value"},
	{"an abbreviation is none", {"--nam", "x"}, "!did you mean --name?"},
};

static void show(const struct args *a, FILE *out)
{
	for (size_t i = 0; i < a->n_words; i++) {
		fprintf(out, "%s%s", i != 0 ? " " : "", a->words[i]);
	}
	fputc('|', out);
	for (size_t i = 0; i < a->n_given; i++) {
		const char *value = a->given[i].value;

		fprintf(out, "%s%s%s%s", i != 0 ? " " : "", a->given[i].row->name,
			value != NULL ? "=" : "", value != NULL ? value : "");
	}
}

static void test_rows(void **state)
{
	const struct arg_table *tables[] = {&first, &second, NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *argv[9] = {(char *)(uintptr_t) "x"};
		char *said = NULL;
		size_t n;
		FILE *err = open_memstream(&said, &n);
		struct args a;
		int argc = 1;

		while (argc < 9 && rows[i].argv[argc - 1] != NULL) {
			argv[argc] = (char *)(uintptr_t)rows[i].argv[argc - 1];
			argc++;
		}
		if (args_read(&a, "cmd verb", tables, argc, argv, err) == 0) {
			show(&a, err);
			args_done(&a);
			fclose(err);
			assert_string_equal(said, rows[i].want);
		} else {
			fclose(err);
			assert_int_equal(rows[i].want[0], '!');
			assert_non_null(strstr(said, rows[i].want + 1));
			assert_ptr_equal(strchr(said, '\n'), said + n - 1);
		}
		free(said);
	}
}

static void test_values(void **state)
{
	const struct arg_table *tables[] = {&first, &second, NULL};
	char *argv[] = {(char *)(uintptr_t) "x", (char *)(uintptr_t) "--key",
		(char *)(uintptr_t) "1", (char *)(uintptr_t) "--name=a",
		(char *)(uintptr_t) "--key=2", (char *)(uintptr_t) "--name=b"};
	struct args a;
	size_t at = 0;

	(void)state;
	assert_int_equal(args_read(&a, "x", tables, (int)ARRAY_LEN(argv), argv, stderr), 0);
	assert_string_equal(args_value(&a, "--name"), "b");
	assert_int_equal(args_count(&a, "--key"), 2);
	assert_false(args_has(&a, "--quiet"));
	assert_null(args_value(&a, "-f"));
	assert_string_equal(args_next(&a, "--key", &at), "1");
	assert_string_equal(args_next(&a, "--key", &at), "2");
	assert_null(args_next(&a, "--key", &at));
	args_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_values)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
