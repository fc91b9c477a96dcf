#include "console/veil.h"

#include "base/text.h"

#define STARS "******"
#define SHORT_MAX 9u
#define ENDS 3u

static bool is_secret(struct bytes name)
{
	static const char *const names[] = {"tokens", "apiTokens", "values", "vertexAuthKey",
		"awsAccessKey", "awsSecretKey", "password"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (bytes_eq(name, bytes_str(names[i]))) {
			return true;
		}
	}
	return false;
}

static struct bytes mask(struct arena *a, struct bytes secret)
{
	char shown[2 * ENDS + sizeof(STARS)];
	struct bytes kept;
	struct text t;

	if (secret.n == 0 || bytes_starts(secret, BYTES("${secret"))) {
		return secret;
	}
	if (secret.n <= SHORT_MAX) {
		return BYTES(STARS);
	}
	text_init_fixed(&t, shown, sizeof(shown));
	text_add(&t, secret.p, ENDS);
	text_add_str(&t, STARS);
	text_add(&t, secret.p + secret.n - ENDS, ENDS);
	kept = arena_copy(a, text_bytes(&t));
	return kept.p != NULL ? kept : BYTES(STARS);
}

static void veil(struct arena *a, struct doc *d, bool secret)
{
	if (d == NULL) {
		return;
	}
	if (d->type == DOC_STRING && secret) {
		d->text = mask(a, d->text);
		return;
	}
	if (d->type != DOC_LIST && d->type != DOC_MAP) {
		return;
	}
	for (struct doc *v = doc_first(a, d); v != NULL; v = v->next) {
		veil(a, v, d->type == DOC_MAP ? is_secret(v->key) : secret);
	}
}

void veil_secrets(struct arena *a, struct doc *d)
{
	veil(a, d, false);
}
