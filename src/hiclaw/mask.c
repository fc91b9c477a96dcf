#include "hiclaw/mask.h"

#include "base/text.h"

#define SHOWN_ENDS 3u
#define SHORT_MAX 9u
#define STARS "******"

struct bytes mask_secret(struct arena *a, struct bytes secret)
{
	struct bytes out;
	struct text t;

	if (secret.n <= SHORT_MAX) {
		return BYTES(STARS);
	}
	text_init(&t, 64);
	text_add(&t, secret.p, SHOWN_ENDS);
	text_add_str(&t, STARS);
	text_add(&t, secret.p + secret.n - SHOWN_ENDS, SHOWN_ENDS);
	out = arena_copy(a, text_bytes(&t));
	text_done(&t);
	return out.p != NULL ? out : BYTES(STARS);
}

static bool holds(struct bytes name, const char *word)
{
	struct bytes w = bytes_str(word);

	for (size_t i = 0; i + w.n <= name.n; i++) {
		if (bytes_same_nocase(name.p + i, w.p, w.n)) {
			return true;
		}
	}
	return false;
}

/* Names that say it, and those of a consumer's credentials. A key whose name ends in "Name", and what says where a
 * credential stands, is none. */
static bool is_secret(struct bytes name)
{
	static const char *const words[] = {"secret", "token", "password", "credential"};
	static const char *const not_secret[] = {
		"allowedCredentialTypes", "tokenFailoverConfig", "maxTokens", "keyName"};

	for (size_t i = 0; i < ARRAY_LEN(not_secret); i++) {
		if (bytes_eq(name, bytes_str(not_secret[i]))) {
			return false;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (holds(name, words[i])) {
			return true;
		}
	}
	return bytes_eq(name, BYTES("values")) ||
		(holds(name, "key") && name.n > 3 && !bytes_ends(name, BYTES("Keys")));
}

/* A private key stands under the name that elsewhere is a header's. */
static bool is_secret_of(const struct doc *map, const struct doc *value)
{
	return map->type == DOC_MAP &&
		(is_secret(value->key) ||
			(bytes_eq(value->key, BYTES("key")) && value->type == DOC_STRING &&
				bytes_starts(value->text, BYTES("-----BEGIN"))));
}

/* --- walking -------------------------------------------------------------------------------------------------- */

enum how { MASK, STRIP };

static void walk(struct arena *a, struct doc *d, enum how how);

/* Texts below a secret's name; what is a map has names of its own. */
static void mask_all(struct arena *a, struct doc *d)
{
	if (d->type == DOC_STRING && d->text.n != 0) {
		d->text = mask_secret(a, d->text);
		return;
	}
	for (struct doc *at = doc_first(a, d); at != NULL; at = at->next) {
		if (at->type == DOC_MAP) {
			walk(a, at, MASK);
		} else {
			mask_all(a, at);
		}
	}
}

static bool is_plain(struct arena *a, const struct doc *d)
{
	if (d->type == DOC_STRING) {
		return true;
	}
	for (const struct doc *at = d->type == DOC_LIST ? doc_first(a, d) : NULL; at != NULL;
		at = at->next) {
		if (at->type == DOC_STRING) {
			return true;
		}
	}
	return false;
}

static void walk(struct arena *a, struct doc *d, enum how how)
{
	struct doc *next;

	for (struct doc *at = doc_first(a, d); at != NULL; at = next) {
		bool secret = is_secret_of(d, at);

		next = at->next;
		if (secret && how == STRIP && is_plain(a, at)) {
			doc_drop_bytes(a, d, at->key);
		} else if (secret && how == MASK) {
			mask_all(a, at);
		} else {
			walk(a, at, how);
		}
	}
}

struct doc *mask_object(struct arena *a, const struct doc *d)
{
	struct doc *copy = doc_copy(a, d);

	if (copy != NULL) {
		walk(a, copy, MASK);
	}
	return copy;
}

struct doc *mask_strip(struct arena *a, const struct doc *d)
{
	struct doc *copy = doc_copy(a, d);

	if (copy != NULL) {
		walk(a, copy, STRIP);
	}
	return copy;
}

/* --- back ------------------------------------------------------------------------------------------------------ */

static void restore_text(struct arena *a, struct doc *given, const struct doc *stored)
{
	if (stored != NULL && stored->type == DOC_STRING && stored->text.n != 0 &&
		bytes_eq(given->text, mask_secret(a, stored->text))) {
		given->text = stored->text;
	}
}

static const struct doc *at_index(struct arena *a, const struct doc *list, size_t i)
{
	const struct doc *at = doc_first(a, list);

	while (at != NULL && i-- > 0) {
		at = at->next;
	}
	return at;
}

/* Of a list: the text in the same place, else any whose mask it is; tokens may have been moved or left out. */
static void restore_item(struct arena *a, struct doc *given, const struct doc *list, size_t i)
{
	struct bytes before = given->text;

	restore_text(a, given, at_index(a, list, i));
	for (const struct doc *s = doc_first(a, list); s != NULL && given->text.p == before.p;
		s = s->next) {
		restore_text(a, given, s);
	}
}

static void restore(struct arena *a, struct doc *given, const struct doc *stored, bool secret)
{
	size_t i = 0;

	for (struct doc *at = doc_first(a, given); at != NULL; at = at->next, i++) {
		bool in_map = given->type == DOC_MAP;
		const struct doc *old =
			in_map ? doc_get_bytes(a, stored, at->key) : at_index(a, stored, i);
		bool is = secret || is_secret_of(given, at) ||
			(in_map && old != NULL && is_secret_of(stored, old));

		if (at->type == DOC_STRING && is && in_map) {
			restore_text(a, at, old);
		} else if (at->type == DOC_STRING && is) {
			restore_item(a, at, stored, i);
		} else {
			restore(a, at, old, is && at->type == DOC_LIST);
		}
	}
}

void mask_restore(struct arena *a, struct doc *given, const struct doc *stored)
{
	restore(a, given, stored, false);
}

static bool is_mask(struct bytes b)
{
	const struct bytes stars = BYTES(STARS);

	return bytes_eq(b, stars) ||
		(b.n == 2 * SHOWN_ENDS + stars.n &&
			memcmp(b.p + SHOWN_ENDS, stars.p, stars.n) == 0);
}

/* Of a private key's mask nothing says any more that it was one. */
static bool may_be_mask(const struct doc *map, const struct doc *value)
{
	return map->type == DOC_MAP &&
		(is_secret(value->key) || bytes_eq(value->key, BYTES("key")));
}

static void forget(struct arena *a, struct doc *given, bool secret)
{
	struct doc *next;

	for (struct doc *at = doc_first(a, given); at != NULL; at = next) {
		bool is = secret || may_be_mask(given, at);

		next = at->next;
		if (at->type == DOC_LIST && is) {
			forget(a, at, true);
		} else if (at->type != DOC_STRING) {
			forget(a, at, false);
		}
		if (!is || (at->type == DOC_STRING && !is_mask(at->text)) ||
			(at->type != DOC_STRING && (at->type != DOC_LIST || at->n != 0))) {
			continue;
		}
		if (given->type == DOC_MAP) {
			doc_drop_bytes(a, given, at->key);
		} else {
			doc_remove(a, given, at);
		}
	}
}

void mask_forget(struct arena *a, struct doc *given)
{
	forget(a, given, false);
}

/* Items of lists have no names: the ones in the same place are taken to be the same, where there are as many. */
static void fill_list(struct arena *a, const struct doc *given, const struct doc *stored)
{
	const struct doc *old = doc_first(a, stored);

	for (struct doc *at = doc_first(a, given); at != NULL && given->n == stored->n;
		at = at->next, old = old->next) {
		mask_fill(a, at, old);
	}
}

void mask_fill(struct arena *a, struct doc *given, const struct doc *stored)
{
	struct doc *mine;

	if (given == NULL || given->type != stored->type) {
		return;
	}
	if (stored->type == DOC_LIST) {
		fill_list(a, given, stored);
		return;
	}
	for (const struct doc *at = stored->type == DOC_MAP ? doc_first(a, stored) : NULL;
		at != NULL; at = at->next) {
		mine = doc_get_bytes(a, given, at->key);
		if (mine == NULL && is_secret_of(stored, at) && is_plain(a, at)) {
			doc_set_bytes(a, given, at->key, doc_copy(a, at));
		} else if (mine != NULL) {
			mask_fill(a, mine, at);
		}
	}
}
