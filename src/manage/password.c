#define _GNU_SOURCE
#include "manage/password.h"

#include <crypt.h>
#include <stdlib.h>

/* What is hashed where there is nobody, so that an answer does not tell. */
#define NOBODY "$y$j9T$sluice.nobody.salt0$"

static_assert(PASSWORD_MAX == CRYPT_MAX_PASSPHRASE_SIZE - 1, "the NUL counts in crypt(3)");
static_assert(PASSWORD_HASH_MAX >= CRYPT_OUTPUT_SIZE, "a hash fits");

static bool is_usable(struct bytes plain)
{
	return plain.n != 0 && plain.n <= PASSWORD_MAX && memchr(plain.p, '\0', plain.n) == NULL;
}

/* out untouched and false when crypt(3) refuses. */
static bool run(struct bytes plain, const char *setting, char out[PASSWORD_HASH_MAX])
{
	struct crypt_data *data = must_alloc(sizeof(*data));
	char phrase[PASSWORD_MAX + 1] = {0};
	const char *hash;

	memcpy(phrase, plain.p, plain.n);
	hash = crypt_r(phrase, setting, data);
	explicit_bzero(phrase, sizeof(phrase));
	if (hash != NULL && hash[0] != '*') {
		memcpy(out, hash, strlen(hash) + 1);
	} else {
		hash = NULL;
	}
	explicit_bzero(data, sizeof(*data));
	free(data);
	return hash != NULL;
}

bool password_hash(struct bytes plain, char out[PASSWORD_HASH_MAX])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	if (!is_usable(plain) ||
		crypt_gensalt_rn("$y$", 0, NULL, 0, setting, (int)sizeof(setting)) == NULL) {
		return false;
	}
	return run(plain, setting, out);
}

bool password_is(struct bytes plain, struct bytes hash)
{
	char setting[PASSWORD_HASH_MAX] = NOBODY;
	char got[PASSWORD_HASH_MAX];
	bool known = hash.n != 0 && hash.n < sizeof(setting);

	if (!is_usable(plain)) {
		return false;
	}
	if (known) {
		memcpy(setting, hash.p, hash.n);
		setting[hash.n] = '\0';
	}
	return run(plain, setting, got) && known && bytes_eq_secret(bytes_str(got), hash);
}
