/*
 * The library's own functions and not its EVP ones: these look for a provider, which reads the
 * library's configuration and costs a process that does no TLS a megabyte and a third of its start.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include <openssl/sha.h>

static_assert(
	DIGEST_SHA256_SIZE == SHA256_DIGEST_LENGTH, "the header names it without the library");

void digest_sha256(unsigned char out[DIGEST_SHA256_SIZE], struct bytes text)
{
	SHA256_CTX c;
	bool ok = SHA256_Init(&c) == 1;

	ok = ok && (text.n == 0 || SHA256_Update(&c, text.p, text.n) == 1);
	ok = ok && SHA256_Final(out, &c) == 1;
	ASSERT(ok);
}
