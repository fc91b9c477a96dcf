#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void published_vectors(void **state)
{
	/* FIPS 180-2, appendix B, and the empty text: first and last bytes. */
	static const struct {
		const char *text;
		unsigned char first[4], last[2];
	} rows[] = {
		{"", {0xe3, 0xb0, 0xc4, 0x42}, {0xb8, 0x55}},
		{"abc", {0xba, 0x78, 0x16, 0xbf}, {0x15, 0xad}},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			{0x24, 0x8d, 0x6a, 0x61}, {0x06, 0xc1}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned char out[DIGEST_SHA256_SIZE];

		digest_sha256(out, bytes_str(rows[i].text));
		assert_memory_equal(out, rows[i].first, 4);
		assert_memory_equal(out + DIGEST_SHA256_SIZE - 2, rows[i].last, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(published_vectors)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
