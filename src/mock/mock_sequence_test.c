#include "mock/mock_sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* What ten requests get: the status, "o" as their models say. */
static const struct {
	const char *text, *expect, *reason;
} good[] = {
	{"", "o o o o o o o o o o", "nothing is planned"},
	{"status-503", "503 o o o o o o o o o", "one request"},
	{"status-503*3,ok", "503 503 503 o o o o o o o", "first three fail, then all is well"},
	{"ok*2,status-429", "o o 429 o o o o o o o", "the third one"},
	{" status-401 * 2 , ok ", "401 401 o o o o o o o o", "blanks"},
	{"status-500,ok,again", "500 o 500 o 500 o 500 o 500 o", "every other one"},
	{"status-500*2,status-503,again", "500 500 503 500 500 503 500 500 503 500", "rounds"},
	{"status-503+delay-5", "503 o o o o o o o o o", "words as those of model names"},
};

static void requests_take_one_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct mock_sequence s;
		struct fault f = {0};
		char got[64] = "";

		if (mock_sequence_parse(bytes_str(good[i].text), &s, &f) != 0) {
			fail_msg("%s: %s", good[i].text, f.text);
		}
		for (unsigned k = 0; k < 10; k++) {
			struct mock_script script;
			char one[16] = "o";

			if (mock_sequence_next(&s, &script)) {
				snprintf(one, sizeof(one), "%u", (unsigned)script.status);
			}
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s",
				k != 0 ? " " : "", one);
		}
		if (strcmp(got, good[i].expect) != 0) {
			fail_msg("%s (%s): %s", good[i].text, good[i].reason, got);
		}
	}
}

static const struct {
	const char *text, *expect, *reason;
} bad[] = {
	{"nonsense", "unknown word", "no word"},
	{"ok,", NULL, "a comma at the end is no item"},
	{",ok", "unknown word", "an empty item"},
	{"ok*0", "from 1", "no times"},
	{"ok*", "from 1", "no number"},
	{"ok*x", "from 1", "no number"},
	{"ok*1000001", "from 1", "too often"},
	{"again", "unknown word", "nothing to do again"},
	{"again,ok", "unknown word", "only at the end"},
	{"ok+status-500", "unknown word", "ok stands alone"},
};

static void mistakes_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct mock_sequence s = {.n = 77};
		struct fault f = {0};
		int rc = mock_sequence_parse(bytes_str(bad[i].text), &s, &f);

		if (bad[i].expect == NULL
				? rc != 0
				: rc == 0 || strstr(f.text, bad[i].expect) == NULL || s.n != 77) {
			fail_msg("%s: '%s' (%s)", bad[i].text, f.text, bad[i].reason);
		}
	}
}

static void there_is_an_end(void **state)
{
	char text[(MOCK_SEQUENCE_ITEMS_MAX + 1) * 3 + 1] = "";
	struct mock_sequence s;
	struct fault f = {0};

	(void)state;
	for (unsigned i = 0; i < MOCK_SEQUENCE_ITEMS_MAX; i++) {
		strcat(text, i != 0 ? ",ok" : "ok");
	}
	assert_int_equal(mock_sequence_parse(bytes_str(text), &s, &f), 0);
	assert_int_equal(mock_sequence_left(&s), MOCK_SEQUENCE_ITEMS_MAX);
	strcat(text, ",ok");
	assert_int_equal(mock_sequence_parse(bytes_str(text), &s, &f), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_take_one_each),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(there_is_an_end),
	};

	return cmocka_run_group_tests_name("mock_sequence", tests, NULL, NULL);
}
