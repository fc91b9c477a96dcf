/* What a reload says again and what it does not. */
#include "resource/finding_news.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct finding about(enum finding_level level, const char *file, uint32_t line)
{
	return (struct finding){.level = level,
		.file = bytes_str(file),
		.line = line,
		.column = 1,
		.code = "odd",
		.text = BYTES("a sentence")};
}

static void only_what_the_round_before_lacked_is_new(void **state)
{
	static const struct {
		struct finding second;
		bool is_new;
		const char *reason;
	} rows[] = {
		{{.level = FINDING_WARNING, .line = 3}, false, "the same warning"},
		{{.level = FINDING_WARNING, .line = 9}, false,
			"the same one, moved by an edit above"},
		{{.level = FINDING_WARNING, .line = 3, .code = "other"}, true, "another code"},
		{{.level = FINDING_WARNING, .line = 3, .text = {"else", 4}}, true, "another text"},
		{{.level = FINDING_WARNING, .line = 3, .file = {"c", 1}}, true, "another file"},
		{{.level = FINDING_ERROR, .line = 5}, false, "the same error"},
		{{.level = FINDING_ERROR, .line = 6}, true, "an error at another place"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct finding_news n = {0};
		struct finding warning = about(FINDING_WARNING, "a", 3);
		struct finding error = about(FINDING_ERROR, "a", 5);
		struct finding second = rows[i].second;

		second.column = 1;
		second.file = second.file.p != NULL ? second.file : BYTES("a");
		second.code = second.code != NULL ? second.code : "odd";
		second.text = second.text.p != NULL ? second.text : BYTES("a sentence");
		finding_news_begin(&n);
		assert_true(finding_news_add(&n, &warning));
		assert_true(finding_news_add(&n, &error));
		finding_news_begin(&n);
		if (finding_news_add(&n, &second) != rows[i].is_new) {
			fail_msg("%s", rows[i].reason);
		}
		finding_news_done(&n);
	}
}

static void what_was_mended_and_broke_again_is_new(void **state)
{
	struct finding_news n = {0};
	struct finding f = about(FINDING_ERROR, "a", 1);

	(void)state;
	for (int i = 0; i < 2; i++) {
		finding_news_begin(&n);
		assert_true(finding_news_add(&n, &f));
		finding_news_begin(&n);
		assert_false(finding_news_add(&n, &f));
		finding_news_begin(&n); /* a round without it */
	}
	finding_news_done(&n);
}

static void many(void **state)
{
	struct finding_news n = {0};

	(void)state;
	for (int round = 0; round < 2; round++) {
		finding_news_begin(&n);
		for (uint32_t i = 1000; i > 0; i--) {
			struct finding f = about(FINDING_ERROR, "a", i);

			assert_int_equal(finding_news_add(&n, &f), round == 0);
		}
	}
	finding_news_done(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_round_before_lacked_is_new),
		cmocka_unit_test(what_was_mended_and_broke_again_is_new),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("resource/finding_news", tests, NULL, NULL);
}
