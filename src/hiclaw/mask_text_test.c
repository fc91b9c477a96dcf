#include "hiclaw/mask_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *reason, *text, *expect;
} rows[] = {
	{"nothing to hide", "The model `gpt-5.4-mini` does not exist.",
		"The model `gpt-5.4-mini` does not exist."},
	{"the key itself, as OpenAI quotes it", "Incorrect API key provided: tok.en/1+x=.",
		"Incorrect API key provided: ***."},
	{"inside of a word", "key=tok.en/1+x=&b", "key=***&b"},
	{"the longer of two that begin alike", "abcd-longer.", "***."},
	{"a secret of three bytes is a word like others", "abc is no key", "abc is no key"},
	{"a key by its beginning", "not sk-live1 and AIzaSyXX1", "not sk-*** and AIz***"},
	{"a beginning alone is none", "keys begin with sk-", "keys begin with sk-"},
	{"letters and digits mixed", "id 0a1b2c3d4e5f6a7b8c.", "id 0a1***."},
	{"a UUID", "key 123e4567-e89b-12d3-a456-426614174000", "key 123***"},
	{"a date is in pieces", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20241022"},
	{"a long word of letters", "antidisestablishmentarianism-and-so-on",
		"antidisestablishmentarianism-and-so-on"},
	{"the model that was asked for", "no model m0d3lm0d3lm0d3lm0d3l here",
		"no model m0d3lm0d3lm0d3lm0d3l here"},
	{"a header", "Authorization: bearer abc/def+gh= was sent",
		"Authorization: bearer *** was sent"},
	{"not every bearer bears one", "Bearer token", "Bearer token"},
	{"one that the provider cut itself", "provided: sk-12***90.", "provided: sk-***."},
	{"nothing", "", ""},
};

static void test_rows(void **state)
{
	struct bytes v[] = {
		BYTES("tok.en/1+x="), BYTES("abcd"), BYTES("abcd-longer"), BYTES("abc")};
	const struct strings secrets = {.v = v, .n = ARRAY_LEN(v)};
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text got;

		text_init(&got, 4096);
		mask_text(bytes_str(rows[i].text), &secrets, BYTES("m0d3lm0d3lm0d3lm0d3l"), &got);
		if (strcmp(text_cstr(&got), rows[i].expect) != 0) {
			print_error("%s: got \"%s\"\n", rows[i].reason, text_cstr(&got));
			failed++;
		}
		text_done(&got);
	}
	assert_int_equal(failed, 0);
}

static void test_without_secrets(void **state)
{
	struct text got;

	(void)state;
	text_init(&got, 100);
	mask_text(BYTES("tok.en and sk-12345678"), NULL, BYTES(""), &got);
	assert_string_equal(text_cstr(&got), "tok.en and sk-***");
	text_done(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_without_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
