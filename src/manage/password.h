/*
 * Passwords: yescrypt by libxcrypt. Takes tens of milliseconds and 16 MB: jobs threads only.
 */
#ifndef MANAGE_PASSWORD_H
#define MANAGE_PASSWORD_H

#include "base/bytes.h"

/* What crypt(3) takes. */
#define PASSWORD_MAX 511u
#define PASSWORD_HASH_MAX 384u

/* Writes the hash with a new salt at out, NUL-terminated. False: empty, too long, or with a NUL in it. */
MUST_CHECK bool password_hash(struct bytes plain, char out[PASSWORD_HASH_MAX]);
/* An empty hash takes as long as any other, and no password is right for it. */
MUST_CHECK bool password_is(struct bytes plain, struct bytes hash);

#endif
