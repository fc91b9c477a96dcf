/*
 * Secrets that come back as the mask a page showed of them (console-api.md §4.3, S4): the stored one is meant.
 * Storing the mask would lose the secret.
 */
#include "resource/op_int.h"

#define STARS BYTES("******")
/* Above it a mask shows three characters at both ends. */
#define SHORT_MAX 9u
#define MASK_MAX (3u + 6u + 3u)

/* `ends` characters at both ends of the secret, stars between. */
static bool masks(struct bytes mask, struct bytes secret, size_t head, size_t tail)
{
	return secret.n >= head + tail && mask.n == head + STARS.n + tail &&
		memcmp(mask.p, secret.p, head) == 0 &&
		memcmp(mask.p + head, STARS.p, STARS.n) == 0 &&
		memcmp(mask.p + head + STARS.n, secret.p + secret.n - tail, tail) == 0;
}

/* In the form of the Console's pages or in the program's own. */
static bool is_mask_of(struct bytes mask, struct bytes secret)
{
	if (secret.n > SHORT_MAX) {
		return masks(mask, secret, 3, 3);
	}
	return secret.n > 0 &&
		(bytes_eq(mask, STARS) || masks(mask, secret, 1, secret.n < 3 ? 0 : 1));
}

static const struct doc *at_index(struct op *o, const struct doc *list, size_t index)
{
	const struct doc *v = doc_first(o->arena, list);

	while (v != NULL && index-- > 0) {
		v = v->next;
	}
	return v;
}

static bool holds(struct op *o, const struct doc *list, struct bytes text)
{
	const struct doc *v = doc_first(o->arena, list);

	while (v != NULL && !bytes_eq(v->text, text)) {
		v = v->next;
	}
	return v != NULL;
}

/* The secret that a mask at that index stands for; NULL: none. The one at the same index wins, then the
 * first that is not in the list already. */
static const struct doc *meant(struct op *o, const struct doc *given, const struct doc *stored,
	const struct doc *mask, size_t index)
{
	const struct doc *same = at_index(o, stored, index);

	if (same != NULL && is_mask_of(mask->text, same->text)) {
		return same;
	}
	for (const struct doc *s = doc_first(o->arena, stored); s != NULL; s = s->next) {
		if (is_mask_of(mask->text, s->text) && !holds(o, given, s->text)) {
			return s;
		}
	}
	return NULL;
}

void op_mask_restore_list(struct op *o, struct doc *given, const struct doc *stored)
{
	struct doc *next;
	size_t index = 0;

	if (doc_first(o->arena, stored) == NULL) {
		return;
	}
	for (struct doc *g = doc_first(o->arena, given); g != NULL; g = next, index++) {
		const struct doc *secret;

		next = g->next;
		if (g->text.n < STARS.n || g->text.n > MASK_MAX || holds(o, stored, g->text)) {
			continue; /* no mask, or a secret that looks like one */
		}
		secret = meant(o, given, stored, g, index);
		if (secret != NULL) {
			doc_replace(o->arena, given, g, doc_string(o->arena, secret->text));
		}
	}
}

void op_mask_restore(struct op *o, struct doc *given, const struct doc *stored, const char *key)
{
	struct bytes mask = doc_text(doc_get(o->arena, given, key), BYTES(""));
	struct bytes secret = doc_text(doc_get(o->arena, stored, key), BYTES(""));

	if (secret.n > 0 && !bytes_eq(mask, secret) && is_mask_of(mask, secret)) {
		doc_set(o->arena, given, key, doc_string(o->arena, secret));
	}
}
