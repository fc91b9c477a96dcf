#define _GNU_SOURCE
#include "base/seal.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>

#include "base/random.h"

#define KEY_SIZE 32u
#define SCRYPT_MEMORY ((uint64_t)64 << 20)
/* One call of EVP takes an int. */
#define PIECE ((size_t)1 << 24)

static void make_key(const struct seal *s, struct bytes passphrase, unsigned char key[KEY_SIZE])
{
	int ok = EVP_PBE_scrypt(passphrase.p, passphrase.n, s->salt, SEAL_SALT_SIZE, SEAL_N, SEAL_R,
		SEAL_P, SCRYPT_MEMORY, key, KEY_SIZE);

	ASSERT(ok == 1); /* it fails for want of memory only */
}

/* Runs all of it through the cipher; room holds in.n bytes. */
static bool update(EVP_CIPHER_CTX *x, struct bytes in, char *room, bool close)
{
	for (size_t at = 0; at < in.n; at += PIECE) {
		const unsigned char *from = (const unsigned char *)in.p + at;
		unsigned char *to = (unsigned char *)room + at;
		int n = (int)MIN(in.n - at, PIECE), got = 0;

		if ((close ? EVP_EncryptUpdate(x, to, &got, from, n)
			   : EVP_DecryptUpdate(x, to, &got, from, n)) != 1 ||
			got != n) {
			return false;
		}
	}
	return true;
}

void seal_close(struct seal *s, struct bytes passphrase, struct bytes plain, struct text *out)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	unsigned char key[KEY_SIZE], tag[SEAL_TAG_SIZE], rest[EVP_MAX_BLOCK_LENGTH];
	char *room = must_alloc(plain.n + 1);
	int n = 0;
	bool ok;

	random_secret(s->salt, sizeof(s->salt));
	random_secret(s->nonce, sizeof(s->nonce));
	make_key(s, passphrase, key);
	ok = x != NULL && EVP_EncryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, s->nonce) == 1 &&
		update(x, plain, room, true) && EVP_EncryptFinal_ex(x, rest, &n) == 1 &&
		EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE, tag) == 1;
	ASSERT(ok);
	text_add(out, room, plain.n);
	text_add(out, (const char *)tag, sizeof(tag));
	explicit_bzero(key, sizeof(key));
	EVP_CIPHER_CTX_free(x);
	free(room);
}

bool seal_open(const struct seal *s, struct bytes passphrase, struct bytes sealed, struct text *out)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	unsigned char key[KEY_SIZE], tag[SEAL_TAG_SIZE], rest[EVP_MAX_BLOCK_LENGTH];
	char *room = must_alloc(sealed.n + 1);
	bool ok = false;
	int n = 0;

	if (sealed.n >= SEAL_TAG_SIZE) {
		struct bytes body = bytes_of(sealed.p, sealed.n - SEAL_TAG_SIZE);

		memcpy(tag, sealed.p + body.n, sizeof(tag));
		make_key(s, passphrase, key);
		ok = x != NULL &&
			EVP_DecryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, s->nonce) == 1 &&
			update(x, body, room, false) &&
			EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_SIZE, tag) == 1 &&
			EVP_DecryptFinal_ex(x, rest, &n) == 1;
		if (ok) {
			text_add(out, room, body.n);
		}
		explicit_bzero(key, sizeof(key));
	}
	explicit_bzero(room, sealed.n);
	EVP_CIPHER_CTX_free(x);
	free(room);
	return ok;
}
