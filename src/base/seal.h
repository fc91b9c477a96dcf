/*
 * A text that only a passphrase opens: AES-256-GCM under a key that scrypt makes of the passphrase (RFC 7914). Both
 * directions take some 100 ms and 32 MB, which is the point: a jobs thread.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/text.h"

/* RFC 7914: N = 2^15, r = 8, p = 1. */
#define SEAL_N 32768u
#define SEAL_R 8u
#define SEAL_P 1u
#define SEAL_SALT_SIZE 16u
#define SEAL_NONCE_SIZE 12u
#define SEAL_TAG_SIZE 16u

struct seal {
	unsigned char salt[SEAL_SALT_SIZE], nonce[SEAL_NONCE_SIZE];
};

/* Fills salt and nonce, appends the sealed bytes, the tag behind them. */
void seal_close(struct seal *s, struct bytes passphrase, struct bytes plain, struct text *out);
/* False: another passphrase, or not the bytes that were sealed; nothing is appended then. */
MUST_CHECK bool seal_open(
	const struct seal *s, struct bytes passphrase, struct bytes sealed, struct text *out);

#endif
