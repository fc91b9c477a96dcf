#include "plan/auth.h"

#include "plan/plugin_rules.h"
#include <stdlib.h>

#include "wire/base64.h"
#include "wire/field.h"
#include "wire/url.h"

struct bytes auth_normal(struct bytes value, bool strict)
{
	const struct bytes scheme = BYTES("Bearer");
	const size_t n = scheme.n;

	if (strict) {
		return value;
	}
	value = bytes_trim(value);
	if (value.n > n && (value.p[n] == ' ' || value.p[n] == '\t') &&
		bytes_starts_nocase(value, scheme)) {
		value = bytes_trim(bytes_of(value.p + n, value.n - n));
	}
	return value;
}

/* The table's own walk would compare keys with memcmp; of what passes the keyed hash, at most one
 * entry, the comparison here does not tell by its time where a secret differs. */
static const struct consumer *find_secret(const struct map *m, struct bytes key)
{
	uint64_t hash;

	if (m->n == 0) {
		return NULL;
	}
	hash = hash_bytes(&m->seed, key);
	for (size_t i = (size_t)hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		const struct map_slot *s = &m->slots[i];

		if (s->value == NULL) {
			return NULL;
		}
		if (s->hash == hash && bytes_eq_secret(s->key, key)) {
			return s->value;
		}
	}
}

static const struct consumer *find_normal(
	const struct consumers *c, size_t place, struct bytes value)
{
	char key[1 + AUTH_VALUE_MAX];

	if (value.n == 0 || value.n > AUTH_VALUE_MAX) {
		return NULL;
	}
	key[0] = (char)place;
	memcpy(key + 1, value.p, value.n);
	return find_secret(&c->by_key, bytes_of(key, value.n + 1));
}

static const struct consumer *find_at_place(
	const struct consumers *c, size_t place, struct bytes value)
{
	return find_normal(c, place, auth_normal(value, c->strict));
}

/* Index of the first header of that name, n_headers when there is none. */
static size_t find_header(const struct auth_query *q, const struct key_name *k)
{
	size_t i = 0;

	while (i < q->n_headers &&
		(q->headers[i].id != k->field_id ||
			!bytes_eq_nocase(q->headers[i].name, k->name))) {
		i++;
	}
	return i;
}

static bool try_header(
	const struct consumers *c, size_t place, const struct auth_query *q, struct auth_hit *out)
{
	size_t i = find_header(q, &c->places[place]);

	if (i == q->n_headers) {
		return false;
	}
	out->consumer = find_at_place(c, place, q->headers[i].value);
	out->source = KEY_IN_HEADER;
	out->header = i;
	return out->consumer != NULL;
}

static bool try_query(
	const struct consumers *c, size_t place, const struct auth_query *q, struct auth_hit *out)
{
	char decoded[3 * AUTH_VALUE_MAX];
	struct bytes raw;
	ptrdiff_t n;

	if (q->query.n == 0 || !url_query_get(q->query, c->places[place].name, &raw, &out->whole) ||
		raw.n > sizeof(decoded)) {
		return false;
	}
	n = url_decode(decoded, raw, false, false);
	if (n < 0) {
		return false;
	}
	out->consumer = find_at_place(c, place, bytes_of(decoded, (size_t)n));
	out->source = KEY_IN_QUERY;
	return out->consumer != NULL;
}

/* What the SDKs of the vendors send their key in. */
static const struct key_name sdk_places[] = {
	{KEY_IN_HEADER, {"authorization", 13}, FIELD_AUTHORIZATION},
	{KEY_IN_HEADER, {"x-api-key", 9}, FIELD_X_API_KEY},
	{KEY_IN_HEADER, {"api-key", 7}, FIELD_API_KEY},
	{KEY_IN_HEADER, {"x-goog-api-key", 14}, FIELD_X_GOOG_API_KEY},
};

static bool try_bearer(const struct consumers *c, const struct auth_query *q, struct auth_hit *out)
{
	for (size_t i = 0; i < ARRAY_LEN(sdk_places); i++) {
		size_t at = find_header(q, &sdk_places[i]);

		if (at == q->n_headers) {
			continue;
		}
		out->consumer = find_normal(
			c, (size_t)c->bearer_place, auth_normal(q->headers[at].value, false));
		out->source = KEY_IN_HEADER;
		out->header = at;
		if (out->consumer != NULL) {
			return true;
		}
	}
	return false;
}

/* --- basic-auth --------------------------------------------------------------------------------- */

struct bytes auth_basic_text(struct bytes value)
{
	const struct bytes scheme = BYTES("Basic ");

	value = bytes_trim(value);
	return bytes_starts_nocase(value, scheme)
		? bytes_trim(bytes_of(value.p + scheme.n, value.n - scheme.n))
		: (struct bytes){NULL, 0};
}

const struct consumer *auth_find_user(const struct consumers *c, struct bytes pair)
{
	return find_normal(c, 0, pair);
}

/* A line break is no part of a header, so the decoder's indulgence for them is never asked for. */
static bool try_user(const struct consumers *c, const struct auth_query *q, struct auth_hit *out)
{
	char room[AUTH_VALUE_MAX / 3 * 4 + 8];
	size_t at = find_header(q, &sdk_places[0]);
	struct bytes text;
	ptrdiff_t n;

	if (at == q->n_headers) {
		return false;
	}
	text = auth_basic_text(q->headers[at].value);
	if (text.p == NULL || text.n == 0 || text.n > sizeof(room) - 4) {
		return false;
	}
	memcpy(room, text.p, text.n);
	while (text.n % 4 != 0) {
		room[text.n++] = '=';
	}
	n = base64_decode(room, bytes_of(room, text.n));
	out->consumer = n > 0 ? auth_find_user(c, bytes_of(room, (size_t)n)) : NULL;
	out->source = KEY_IN_HEADER;
	out->header = at;
	return out->consumer != NULL;
}

const struct auth_rule *auth_rule_of(const struct route *r, enum auth_plugin plugin)
{
	return plugin == AUTH_BASIC ? &r->basic : &r->auth;
}

const char *auth_plugin_name(enum auth_plugin plugin)
{
	return plugin == AUTH_BASIC ? "basic-auth" : "key-auth";
}

/* --- both --------------------------------------------------------------------------------------- */

static bool try_key(const struct consumers *c, const struct auth_query *q, struct auth_hit *out)
{
	bool found = false;

	for (size_t i = 0; i < c->n_places && !found; i++) {
		found = c->places[i].source == KEY_IN_HEADER ? try_header(c, i, q, out)
							     : try_query(c, i, q, out);
	}
	if (!found && !c->strict && c->bearer_place >= 0) {
		found = try_bearer(c, q, out);
	}
	return found;
}

bool auth_identify(const struct consumers *c, const struct auth_query *q, struct auth_hit *out)
{
	struct auth_hit hit = {0};
	bool found = c->plugin == AUTH_BASIC ? try_user(c, q, &hit) : try_key(c, q, &hit);

	if (found) {
		*out = hit;
	}
	return found;
}

static int by_address(const void *a, const void *b)
{
	const struct consumer *x = *(const struct consumer *const *)a;
	const struct consumer *y = *(const struct consumer *const *)b;

	return (x > y) - (x < y);
}

const struct auth_rule *auth_rule_for(const struct auth_rule *rule, struct bytes host)
{
	for (size_t i = 0; i < rule->n_cases; i++) {
		const struct auth_case *c = &rule->cases[i];

		if (c->domains == NULL || plugin_domain_is_any(c->domains, host)) {
			return &c->rule;
		}
	}
	return rule;
}

enum auth_verdict auth_verdict(const struct auth_rule *rule, const struct consumer *consumer)
{
	switch (rule->need) {
	case AUTH_PASS:
		return AUTH_OK;
	case AUTH_BROKEN:
	case AUTH_BY_HOST:
		return AUTH_UNUSABLE;
	case AUTH_ANY_CONSUMER:
		return consumer != NULL ? AUTH_OK : AUTH_UNKNOWN;
	case AUTH_ALLOW_LIST:
		break;
	}
	if (consumer == NULL) {
		return AUTH_UNKNOWN;
	}
	return rule->n_allow != 0 &&
			bsearch(&consumer, rule->allow, rule->n_allow, sizeof(struct consumer *),
				by_address) != NULL
		? AUTH_OK
		: AUTH_REFUSED;
}
