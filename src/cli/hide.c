/* Keys are looked at, not paths: the same names hold credentials in API objects, in plugins and in registries. */
#include "cli/hide.h"

#include "base/digest.h"

/* Shown of a longer one: three at each end; of one up to nine characters: the ends. */
#define LONG_N 9u
#define STARS "******"

static const char *const keys[] = {"tokens", "apiTokens", "apiToken", "values", "credentials",
	"credential", "vertexAuthKey", "awsSecretKey", "password", "nacosPassword", "consulToken",
	"apiKey", "secretKey", "token"};

static bool is_secret_key(struct bytes key)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (bytes_eq_nocase(key, bytes_str(keys[i]))) {
			return true;
		}
	}
	return false;
}

struct bytes hide_text(struct arena *a, struct bytes secret, enum hide_how how)
{
	unsigned char digest[DIGEST_SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE];
	size_t ends = secret.n > LONG_N ? 3 : 1;
	struct bytes out;
	struct text t;

	if (secret.n == 0 || bytes_starts(secret, BYTES("${secret."))) {
		return secret;
	}
	text_init(&t, 256);
	if (bytes_starts(secret, BYTES("Bearer "))) {
		text_add_str(&t, "Bearer ");
		secret = bytes_of(secret.p + 7, secret.n - 7);
		ends = secret.n > LONG_N ? 3 : MIN(secret.n, 1);
	}
	text_add(&t, secret.p, ends);
	text_add_str(&t, STARS);
	if (secret.n >= 3) {
		text_add(&t, secret.p + secret.n - ends, ends);
	}
	if (how == HIDE_DIGEST) {
		digest_sha256(digest, secret);
		digest_hex(hex, digest);
		text_addf(&t, " (%.8s)", hex);
	}
	out = arena_copy(a, text_bytes(&t));
	text_done(&t);
	return out.p != NULL ? out : BYTES(STARS);
}

static void hide_all(struct arena *a, struct doc *d, enum hide_how how)
{
	if (d->type == DOC_STRING) {
		d->text = hide_text(a, d->text, how);
	}
	for (struct doc *at = doc_first(a, d); at != NULL; at = at->next) {
		if (at->type == DOC_STRING) {
			hide_all(a, at, how);
		} else {
			hide_secrets(a, at, how);
		}
	}
}

static void hide_everything(struct arena *a, struct doc *map, enum hide_how how)
{
	for (struct doc *at = doc_first(a, map); at != NULL; at = at->next) {
		hide_all(a, at, how);
	}
}

void hide_secrets(struct arena *a, struct doc *d, enum hide_how how)
{
	if (bytes_eq(doc_text(doc_get(a, d, "kind"), BYTES("")), BYTES("Secret"))) {
		hide_everything(a, doc_get(a, d, "data"), how);
		hide_everything(a, doc_get(a, d, "stringData"), how);
	}
	for (struct doc *at = doc_first(a, d); at != NULL; at = at->next) {
		if (d->type == DOC_MAP && is_secret_key(at->key)) {
			hide_all(a, at, how);
		} else {
			hide_secrets(a, at, how);
		}
	}
}
