#include "base/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void what_was_sealed_opens(void **state)
{
	static const char *const texts[] = {"", "x", "a text of more than one block of the cipher"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct text sealed, plain;
		struct seal s;

		text_init(&sealed, 1000);
		text_init(&plain, 1000);
		seal_close(&s, BYTES("pass phrase"), bytes_str(texts[i]), &sealed);
		assert_int_equal(sealed.n, strlen(texts[i]) + SEAL_TAG_SIZE);
		assert_true(seal_open(&s, BYTES("pass phrase"), text_bytes(&sealed), &plain));
		assert_true(bytes_eq(text_bytes(&plain), bytes_str(texts[i])));
		text_done(&sealed);
		text_done(&plain);
	}
}

static void nothing_else_opens(void **state)
{
	struct text sealed, plain;
	struct seal s;

	(void)state;
	text_init(&sealed, 1000);
	text_init(&plain, 1000);
	seal_close(&s, BYTES("right"), BYTES("text"), &sealed);
	assert_false(seal_open(&s, BYTES("wrong"), text_bytes(&sealed), &plain));
	assert_false(seal_open(&s, BYTES("right"), bytes_of(sealed.p, sealed.n - 1), &plain));
	assert_false(seal_open(&s, BYTES("right"), bytes_of(sealed.p, 3), &plain));
	sealed.p[0] = (char)(sealed.p[0] ^ 1);
	assert_false(seal_open(&s, BYTES("right"), text_bytes(&sealed), &plain));
	sealed.p[0] = (char)(sealed.p[0] ^ 1);
	s.salt[0] ^= 1;
	assert_false(seal_open(&s, BYTES("right"), text_bytes(&sealed), &plain));
	assert_int_equal(plain.n, 0);
	text_done(&sealed);
	text_done(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens),
		cmocka_unit_test(nothing_else_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
