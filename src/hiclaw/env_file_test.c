#include "hiclaw/env_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"

static const struct row {
	const char *text;
	const char *value; /* of K; NULL: the line is no assignment */
	const char *reason;
} rows[] = {
	{"K=v", "v", "the simplest"},
	{"K=v\n", "v", "a line end"},
	{"K=v\r\n", "v", "a line end of Windows"},
	{"  export\t K=v", "v", "exported, blanks before it"},
	{"exportK=v\nK=w", "w", "a name that begins with export"},
	{"K=", "", "nothing"},
	{"K=''", "", "nothing in quotes"},
	{"K=a\nK=b", "b", "the last of two"},
	{"K=v # why", "v", "a comment behind it"},
	{"K=v#w", "v#w", "# inside of a word"},
	{"# K=w\n\n  # K=x\nK=v", "v", "comments and empty lines"},
	{"K='a b'", "a b", "single quotes"},
	{"K='a\\b\"$(id)`id`'", "a\\b\"$(id)`id`", "nothing is run, nothing is an escape"},
	{"K=\"a\\\"b\\\\c\\$d\\`e\\f\"", "a\"b\\c$d`e\\f", "escapes in double quotes"},
	{"K=\"$(id) $HOME ${X}\"", "$(id) $HOME ${X}", "nothing is run or expanded"},
	{"K=$(id)", "$(id)", "nor without quotes"},
	{"K=a'b c'\"d e\"f\\ g", "ab cd ef g", "pieces side by side"},
	{"K=it\\'s", "it's", "an escaped quote"},
	{"K=a=b==", "a=b==", "equals signs, as base64 has"},
	{"K=\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac", "UTF-8"},
	{"K='a\tb'", "a\tb", "a tab in quotes"},
	{"K=v   ", "v", "blanks behind it"},
	{"K=a\\ ", "a ", "a blank that is meant"},
	{"K=a b", NULL, "to a shell b is a command"},
	{"K='a", NULL, "an open quote"},
	{"K=\"a\\\"", NULL, "an open quote behind an escape"},
	{"K=a\\", NULL, "nothing behind the backslash"},
	{"K='a' b", NULL, "a word behind the value"},
	{"K='a\x01'", NULL, "a control character"},
	{"K=a\x7f", NULL, "delete"},
	{"K=a\rb", NULL, "a bare CR"},
	{"K =v", NULL, "a blank before the sign"},
	{"K", NULL, "no sign"},
	{"=v", NULL, "no name"},
	{"1K=v", NULL, "a name that begins with a digit"},
	{"K-2=v", NULL, "a name of other characters"},
	{"unset K", NULL, "a command"},
	{"export K", NULL, "no value"},
	{"K[0]=v", NULL, "a list of bash"},
};

static void lines_are_read(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct env_file f = {.n = 0};
		struct fault fault = {0};
		struct arena a;
		bool ok;

		arena_init(&a, 1 << 20);
		ok = env_file_read(&a, bytes_str(rows[i].text), &f, &fault) == 0;
		if (rows[i].value == NULL) {
			ok = ok && f.n == 0 && f.bad_lines == 1 && f.first_bad == 1;
		} else {
			ok = ok && f.bad_lines == 0 && f.n > 0 &&
				bytes_eq(env_file_get(&f, BYTES("K")), bytes_str(rows[i].value));
		}
		if (!ok) {
			struct bytes got = env_file_get(&f, BYTES("K"));

			print_message("%s: %zu pairs, %zu bad, " BYTES_FMT "\n", rows[i].reason,
				f.n, f.bad_lines, BYTES_ARG(got));
			wrong++;
		}
		arena_done(&a);
	}
	assert_int_equal(wrong, 0);
}

static void a_bad_line_does_not_hide_the_others(void **state)
{
	const struct bytes text = BYTES("A=1\n'\nB=2\nX=(a b)\nC=3\n\0=\n");
	struct env_file f = {.n = 0};
	struct fault fault = {0};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(env_file_read(&a, text, &f, &fault), 0);
	assert_int_equal(f.n, 3);
	assert_int_equal(f.bad_lines, 3);
	assert_int_equal(f.first_bad, 2);
	assert_true(bytes_eq(env_file_get(&f, BYTES("C")), BYTES("3")));
	assert_int_equal(env_file_get(&f, BYTES("D")).n, 0);
	arena_done(&a);
}

/* A file cut at any byte: what stands in whole lines is there, and nothing of a quote that is open. */
static void files_are_cut_anywhere(void **state)
{
	const struct bytes text = BYTES("export A='one two'\nB=\"three\\\" four\"\nC=five\n");
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t n = 0; n <= text.n; n++) {
		struct env_file f = {.n = 0};
		struct fault fault = {0};
		char *part = bytes_dup(bytes_of(text.p, n));

		assert_int_equal(env_file_read(&a, bytes_of(part, n), &f, &fault), 0);
		assert_true(bytes_eq(
			env_file_get(&f, BYTES("A")), n >= 18 ? BYTES("one two") : BYTES("")));
		assert_true(bytes_eq(
			env_file_get(&f, BYTES("B")), n >= 35 ? BYTES("three\" four") : BYTES("")));
		free(part);
	}
	arena_done(&a);
}

static int read_long(const char *prefix, char fill, size_t n, struct env_file *out)
{
	struct fault fault = {0};
	struct text t;
	struct arena a;
	int rc;

	arena_init(&a, 1 << 24);
	text_init(&t, 1 << 24);
	text_add_str(&t, prefix);
	for (size_t i = 0; i < n; i++) {
		text_add_char(&t, fill);
	}
	rc = env_file_read(&a, text_bytes(&t), out, &fault);
	assert_true((rc == 0) == (fault.text[0] == '\0'));
	text_done(&t);
	arena_done(&a);
	return rc;
}

static void limits_hold(void **state)
{
	struct env_file f = {.n = 0};
	struct fault fault = {0};
	struct text many;
	struct arena a;

	(void)state;
	assert_int_equal(read_long("K=", 'a', ENV_FILE_VALUE_MAX, &f), 0);
	assert_int_equal(f.n, 1);
	assert_int_equal(read_long("K=", 'a', ENV_FILE_VALUE_MAX + 1, &f), 0);
	assert_int_equal(f.n, 0);
	assert_int_equal(f.bad_lines, 1);
	assert_int_equal(read_long("#", ' ', ENV_FILE_TEXT_MAX - 1, &f), 0);
	assert_int_equal(read_long("#", ' ', ENV_FILE_TEXT_MAX, &f), ERR_LIMIT);
	arena_init(&a, 1 << 20);
	text_init(&many, 1 << 20);
	for (size_t i = 0; i < ENV_FILE_PAIRS_MAX; i++) {
		text_add_str(&many, "K=v\n");
	}
	assert_int_equal(env_file_read(&a, text_bytes(&many), &f, &fault), 0);
	assert_int_equal(f.n, ENV_FILE_PAIRS_MAX);
	text_add_str(&many, "K=v\n");
	assert_int_equal(env_file_read(&a, text_bytes(&many), &f, &fault), ERR_LIMIT);
	text_done(&many);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(a_bad_line_does_not_hide_the_others),
		cmocka_unit_test(files_are_cut_anywhere),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
