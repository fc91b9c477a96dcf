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

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
static void published_macs(void **state)
{
	char long_key[131];
	struct {
		struct bytes key;
		const char *text, *mac;
	} rows[] = {
		{BYTES("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
		       "\x0b"),
			"Hi There",
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{BYTES("Jefe"), "what do ya want for nothing?",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{bytes_of(long_key, sizeof(long_key)),
			"Test Using Larger Than Block-Size Key - Hash Key First",
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	};

	(void)state;
	memset(long_key, 0xaa, sizeof(long_key));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned char out[DIGEST_SHA256_SIZE];

		digest_hmac_sha256(out, rows[i].key, bytes_str(rows[i].text));
		assert_true(digest_is_hex(out, bytes_str(rows[i].mac)));
		out[0] ^= 1;
		assert_false(digest_is_hex(out, bytes_str(rows[i].mac)));
	}
}

/* RFC 1321, A.5. */
static void md5_of_texts(void **state)
{
	static const struct {
		const char *text;
		unsigned char want[DIGEST_MD5_SIZE];
	} rows[] = {
		{"",
			{0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98,
				0xec, 0xf8, 0x42, 0x7e}},
		{"abc",
			{0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d,
				0x28, 0xe1, 0x7f, 0x72}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned char out[DIGEST_MD5_SIZE];

		digest_md5(out, bytes_str(rows[i].text));
		assert_memory_equal(out, rows[i].want, sizeof(out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(published_vectors),
		cmocka_unit_test(published_macs), cmocka_unit_test(md5_of_texts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
