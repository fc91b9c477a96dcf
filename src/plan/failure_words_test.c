/* Words of policies to statuses and events. */
#include "plan/failure_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* 404 and so on: what must and what must not be in it; events as bits. */
static const struct {
	const char *word;
	int rc;
	unsigned in, out, n, events;
	const char *reason;
} rows[] = {
	{"503", 0, 503, 500, 1, 0, "a status"},
	{"5xx", 0, 599, 499, 100, 0, "a class"},
	{"4XX", 0, 400, 500, 100, 0, "classes have no case"},
	{"5..", 0, 500, 400, 100, 0, "an expression"},
	{"4.*", 0, 404, 204, 100, 0, "expressions are anchored: 4.* does not stand in 204"},
	{"40[13]", 0, 403, 402, 2, 0, "alternatives"},
	{"429|5..", 0, 429, 428, 101, 0, "the whole of each alternative"},
	{".*", 0, 200, 99, 500, 0, "everything"},
	{"50", ERR_NOT_FOUND, 0, 0, 0, 0, "part of a status"},
	{"600", ERR_NOT_FOUND, 0, 0, 0, 0, "no status"},
	{"099", ERR_NOT_FOUND, 0, 0, 0, 0, "no status"},
	{"6xx", ERR_NOT_FOUND, 0, 0, 0, 0, "no class"},
	{"conect-failure", ERR_NOT_FOUND, 0, 0, 0, 0, "a typing error"},
	{"", ERR_NOT_FOUND, 0, 0, 0, 0, "nothing"},
	{"5(", ERR_SYNTAX, 0, 0, 0, 0, "no expression"},
	{"connect-failure", 0, 0, 0, 0,
		FAILURE_ON_CONNECT | FAILURE_ON_CONNECT_TIMEOUT | FAILURE_ON_RESET,
		"no connection"},
	{"timeout", 0, 0, 0, 0, FAILURE_ON_CONNECT_TIMEOUT | FAILURE_ON_FIRST_BYTE, "both of them"},
	{"first-byte-timeout", 0, 0, 0, 0, FAILURE_ON_FIRST_BYTE, "one of them"},
	{"Content-Filter", 0, 0, 0, 0, FAILURE_ON_FILTERED, "words have no case"},
	{"invalid", 0, 0, 0, 0, FAILURE_ON_INVALID, "no answer behind a 200"},
	{"reset", 0, 0, 0, 0, FAILURE_ON_RESET, "a broken connection"},
};

static unsigned count(const struct failure_set *s)
{
	unsigned n = 0;

	for (unsigned status = 0; status <= 1000; status++) {
		n += failure_set_has_status(s, status);
	}
	return n;
}

static void words_mean_something(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct failure_set s = {.events = 0};
		struct fault f = {0};
		int rc = failure_words_add(&s, bytes_str(rows[i].word), &f);

		if (rc != rows[i].rc || s.events != rows[i].events || count(&s) != rows[i].n ||
			(rows[i].n != 0 &&
				(!failure_set_has_status(&s, rows[i].in) ||
					failure_set_has_status(&s, rows[i].out))) ||
			(rc != 0 && f.text[0] == '\0')) {
			fail_msg("'%s' (%s): %d, %u statuses, events %u", rows[i].word,
				rows[i].reason, rc, count(&s), s.events);
		}
	}
}

static void a_long_word_is_refused(void **state)
{
	char word[FAILURE_WORD_MAX + 1];
	struct failure_set s = {.events = 0};
	struct fault f = {0};

	(void)state;
	memset(word, '4', sizeof(word));
	assert_int_equal(failure_words_add(&s, bytes_of(word, sizeof(word)), &f), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_mean_something),
		cmocka_unit_test(a_long_word_is_refused),
	};

	return cmocka_run_group_tests_name("failure_words", tests, NULL, NULL);
}
