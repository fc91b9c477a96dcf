#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mock/mock_script.h"

#define MEMBER(m) offsetof(struct mock_script, m)

static const struct {
	const char *model;
	size_t member;
	uint64_t expect;
	const char *reason;
} good[] = {
	{"mock", MEMBER(cut), MOCK_SCRIPT_UNSET, "the plain name asks for nothing"},
	{"gpt-4o", MEMBER(cut), MOCK_SCRIPT_UNSET, "a real model asks for nothing"},
	{"", MEMBER(cut), MOCK_SCRIPT_UNSET, "no model asks for nothing"},
	{"mockingbird-cut-3", MEMBER(cut), MOCK_SCRIPT_UNSET, "mock must be a word of its own"},
	{"benchmark-1", MEMBER(bench), MOCK_SCRIPT_UNSET, "bench must be a word of its own"},
	{"mock-cut", MEMBER(cut), 0, "a number that may be left out has its default"},
	{"mock-cut-3", MEMBER(cut), 3, "the number behind the word"},
	{"mock-cut-0", MEMBER(cut), 0, "0 is a number"},
	{"mock-error-event", MEMBER(error_event), 0, "a word with a dash"},
	{"mock-error-event-3", MEMBER(error_event), 3, "a word with a dash and a number"},
	{"mock-usage-in-choices", MEMBER(usage_in_choices), 1, "a word with two dashes"},
	{"mock-status-503", MEMBER(status), 503, "a status"},
	{"mock-open", MEMBER(stall), 1, "open is a stall after one event"},
	{"mock-crlf+chunks-5", MEMBER(chunks), 5, "the second word of a sum"},
	{"mock-crlf+chunks-5", MEMBER(crlf), 1, "the first word of a sum"},
	{"mock+crlf", MEMBER(crlf), 1, "a plus behind the family"},
	{"mock-chunks-1+chunks-2", MEMBER(chunks), 2, "the last of two counts"},
	{"mock-short", MEMBER(short_body), 1, "a flag"},
	{"mock-no-retry-after", MEMBER(no_retry_after), 1, "a word that ends like another one"},
	{"mock-retry-after-18446744073709551614", MEMBER(retry_after), UINT64_MAX - 1,
		"an absurd time"},
	{"mock-halt", MEMBER(halt), 1, "after one event"},
	{"bench", MEMBER(bench), 1, "the fast path"},
	{"bench-sse-100", MEMBER(bench_sse), 100, "events of the fast path"},
	{"bench-sse-100", MEMBER(bench), 1, "it is the fast path"},
	{"bench-sse-100+slow-20", MEMBER(slow), 20, "paced events of the fast path"},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct mock_script s;
		struct fault f = {0};
		uint64_t v;

		if (mock_script_parse(bytes_str(good[i].model), &s, &f) != 0) {
			fail_msg("%s: %s", good[i].model, f.text);
		}
		memcpy(&v, (const char *)&s + good[i].member, sizeof(v));
		if (v != good[i].expect) {
			fail_msg("%s: %llu (%s)", good[i].model, (unsigned long long)v,
				good[i].reason);
		}
	}
}

static const struct {
	const char *model;
	const char *expect;
	const char *reason;
} bad[] = {
	{"mock-", "unknown word", "an empty word"},
	{"mock-crlf+", "unknown word", "an empty word behind a plus"},
	{"mock-cutt", "unknown word", "a word that only begins like one"},
	{"mock-cut-", "unknown word", "a dash without number"},
	{"mock-cut-x", "unknown word", "letters instead of a number"},
	{"mock-cut-3x", "too large", "letters behind the number"},
	{"mock-chunks", "chunks needs a number", "a number that must be there"},
	{"mock-html-3", "html takes no number", "a number nobody wants"},
	{"mock-chunks-10000001", "chunks has too large", "days of events"},
	{"mock-status-600", "status has too large", "no status"},
	{"mock-status-200", "from 400", "no error"},
	{"mock-delay-99999999999999999999", "delay has too large", "over 64 bits"},
	{"bench-3", "unknown word", "bench has words of its own"},
	{"bench-sse", "sse needs a number", "how many events"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct mock_script s = {.cut = 77};
		struct fault f = {0};

		if (mock_script_parse(bytes_str(bad[i].model), &s, &f) == 0 ||
			strstr(f.text, bad[i].expect) == NULL) {
			fail_msg("%s: '%s' (%s)", bad[i].model, f.text, bad[i].reason);
		}
		assert_int_equal(s.cut, 77); /* untouched on failure */
	}
}

static void test_help(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	mock_script_help(out);
	fclose(out);
	assert_non_null(strstr(text, "  cut[-N]          head with status 200"));
	assert_non_null(strstr(text, "  status-N         an error object"));
	assert_non_null(strstr(text, "  html             an HTML page"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests_name("mock_script", tests, NULL, NULL);
}
