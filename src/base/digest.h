/*
 * SHA-256 of a text at hand. For names of what files say, not for secrets.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/bytes.h"

#define DIGEST_SHA256_SIZE 32u

void digest_sha256(unsigned char out[DIGEST_SHA256_SIZE], struct bytes text);

#endif
