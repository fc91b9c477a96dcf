/*
 * The library's own functions and not its EVP ones: these look for a provider, which reads the
 * library's configuration and costs a process that does no TLS a megabyte and a third of its start.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

static_assert(
	DIGEST_SHA256_SIZE == SHA256_DIGEST_LENGTH, "the header names it without the library");
static_assert(DIGEST_MD5_SIZE == MD5_DIGEST_LENGTH, "the same");

void digest_sha256(unsigned char out[DIGEST_SHA256_SIZE], struct bytes text)
{
	SHA256_CTX c;
	bool ok = SHA256_Init(&c) == 1;

	ok = ok && (text.n == 0 || SHA256_Update(&c, text.p, text.n) == 1);
	ok = ok && SHA256_Final(out, &c) == 1;
	ASSERT(ok);
}

void digest_md5(unsigned char out[DIGEST_MD5_SIZE], struct bytes text)
{
	MD5_CTX c;
	bool ok = MD5_Init(&c) == 1;

	ok = ok && (text.n == 0 || MD5_Update(&c, text.p, text.n) == 1);
	ok = ok && MD5_Final(out, &c) == 1;
	ASSERT(ok);
}

#define BLOCK 64u

void digest_hmac_sha256(unsigned char out[DIGEST_SHA256_SIZE], struct bytes key, struct bytes text)
{
	unsigned char block[BLOCK] = {0};
	unsigned char inner[BLOCK], outer[BLOCK];
	SHA256_CTX c;
	bool ok;

	if (key.n > BLOCK) {
		digest_sha256(block, key);
	} else if (key.n != 0) {
		memcpy(block, key.p, key.n);
	}
	for (size_t i = 0; i < BLOCK; i++) {
		inner[i] = block[i] ^ 0x36;
		outer[i] = block[i] ^ 0x5c;
	}
	ok = SHA256_Init(&c) == 1 && SHA256_Update(&c, inner, BLOCK) == 1;
	ok = ok && (text.n == 0 || SHA256_Update(&c, text.p, text.n) == 1);
	ok = ok && SHA256_Final(out, &c) == 1;
	ok = ok && SHA256_Init(&c) == 1 && SHA256_Update(&c, outer, BLOCK) == 1;
	ok = ok && SHA256_Update(&c, out, DIGEST_SHA256_SIZE) == 1 && SHA256_Final(out, &c) == 1;
	ASSERT(ok);
}

void digest_hex(char out[DIGEST_HEX_SIZE], const unsigned char digest[DIGEST_SHA256_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SHA256_SIZE; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
}

bool digest_is_hex(const unsigned char digest[DIGEST_SHA256_SIZE], struct bytes text)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(hex, digest);
	return bytes_eq_secret(text, bytes_of(hex, sizeof(hex)));
}
