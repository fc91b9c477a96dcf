/*
 * SHA-256 of a text at hand: for names of what files say, not for secrets. HMAC of it: for what we sign.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/bytes.h"

#define DIGEST_SHA256_SIZE 32u

void digest_sha256(unsigned char out[DIGEST_SHA256_SIZE], struct bytes text);
/* RFC 2104. */
void digest_hmac_sha256(unsigned char out[DIGEST_SHA256_SIZE], struct bytes key, struct bytes text);

#define DIGEST_MD5_SIZE 16u
/* Guards against damage only: what object stores name contents by. */
void digest_md5(unsigned char out[DIGEST_MD5_SIZE], struct bytes text);

#define DIGEST_HEX_SIZE (2 * DIGEST_SHA256_SIZE)
/* Lower case; no NUL. */
void digest_hex(char out[DIGEST_HEX_SIZE], const unsigned char digest[DIGEST_SHA256_SIZE]);
/* Whether text is the spelling that digest_hex has for it. */
bool digest_is_hex(const unsigned char digest[DIGEST_SHA256_SIZE], struct bytes text);

#endif
