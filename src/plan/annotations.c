#include "plan/annotations.h"

#include "plan/build.h"
#include "plan/condition.h"

#define HIGRESS "higress.io/"
#define NGINX "nginx.ingress.kubernetes.io/"

/* What a key means to this version. Whatever decides who may pass a route, or which requests it takes,
 * makes the route unusable while it is not evaluated; the rest only goes without effect. OF_HIGRESS: understood
 * with the prefix of Higress only. */
enum meaning { UNDERSTOOD, OF_HIGRESS, CONDITION, NO_EFFECT };

static const struct row {
	const char *key; /* a '*' at its end: a beginning */
	enum meaning meaning;
} rows[] = {
	{"comment", UNDERSTOOD},
	{"cors-allow-credentials", UNDERSTOOD},
	{"cors-allow-headers", UNDERSTOOD},
	{"cors-allow-methods", UNDERSTOOD},
	{"cors-allow-origin", UNDERSTOOD},
	{"cors-expose-headers", UNDERSTOOD},
	{"cors-max-age", UNDERSTOOD},
	{"destination", UNDERSTOOD},
	{"enable-cors", UNDERSTOOD},
	{"enable-header-control", UNDERSTOOD},
	{"enable-proxy-next-upstream", UNDERSTOOD},
	{"enable-rewrite", UNDERSTOOD},
	{"ignore-path-case", UNDERSTOOD},
	{"match-method", UNDERSTOOD},
	{"mcp-server", OF_HIGRESS},
	{"mcp-server-*", OF_HIGRESS},
	{"permanent-redirect", UNDERSTOOD},
	{"permanent-redirect-code", UNDERSTOOD},
	{"proxy-next-upstream", UNDERSTOOD},
	{"proxy-next-upstream-timeout", UNDERSTOOD},
	{"proxy-next-upstream-tries", UNDERSTOOD},
	{"request-header-control-add", OF_HIGRESS},
	{"request-header-control-remove", OF_HIGRESS},
	{"request-header-control-update", OF_HIGRESS},
	{"response-header-control-add", OF_HIGRESS},
	{"response-header-control-remove", OF_HIGRESS},
	{"resource-description", OF_HIGRESS},
	{"response-header-control-update", OF_HIGRESS},
	{"rewrite-path", OF_HIGRESS},
	{"rewrite-target", UNDERSTOOD},
	{"ssl-redirect", UNDERSTOOD},
	{"temporal-redirect", UNDERSTOOD},
	{"timeout", UNDERSTOOD},
	{"upstream-vhost", UNDERSTOOD},
	{"use-regex", UNDERSTOOD},
	{"full-path-regex", UNDERSTOOD},
	{"exact-match-*", CONDITION},
	{"prefix-match-*", CONDITION},
	{"regex-match-*", CONDITION},
	{"whitelist-source-range", CONDITION},
	{"blacklist-source-range", CONDITION},
	{"denylist-source-range", CONDITION},
	{"domain-whitelist-source-range", CONDITION},
	{"domain-blacklist-source-range", CONDITION},
	{"auth-*", CONDITION},
};

static bool is_key(const struct row *r, struct bytes key)
{
	struct bytes name = bytes_str(r->key);

	if (bytes_ends(name, BYTES("*"))) {
		name.n--;
		return bytes_starts(key, name);
	}
	return bytes_eq(key, name);
}

static enum meaning meaning_of(struct bytes key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (is_key(&rows[i], key)) {
			return rows[i].meaning;
		}
	}
	return NO_EFFECT;
}

static const struct pair *find(const struct object *o, const char *prefix, const char *key)
{
	struct bytes first = bytes_str(prefix);
	struct bytes second = bytes_str(key);

	for (size_t i = 0; i < o->meta.annotations.n; i++) {
		const struct pair *p = &o->meta.annotations.v[i];

		if (p->key.n == first.n + second.n && bytes_starts(p->key, first) &&
			bytes_ends(p->key, second)) {
			return bytes_trim(p->value).n != 0 ? p : NULL;
		}
	}
	return NULL;
}

struct bytes annotation_get(
	const struct object *o, const char *key, enum annotation_prefix prefix, struct place *at)
{
	const struct pair *p = prefix == ANNOTATION_EITHER ? find(o, NGINX, key) : NULL;

	if (p == NULL) {
		p = find(o, HIGRESS, key);
	}
	if (p == NULL) {
		return BYTES("");
	}
	if (at != NULL) {
		*at = p->at;
	}
	return build_trim(p->value);
}

/* The spellings of Go's ParseBool. */
static int parse_bool(struct bytes text)
{
	static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
	static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (bytes_eq(text, bytes_str(yes[i]))) {
			return 1;
		}
		if (bytes_eq(text, bytes_str(no[i]))) {
			return 0;
		}
	}
	return -2;
}

int annotation_bool(
	const struct object *o, const char *key, enum annotation_prefix prefix, struct place *at)
{
	struct bytes text = annotation_get(o, key, prefix, at);

	return text.n == 0 ? -1 : parse_bool(text);
}

int annotation_bool_or_unsaid(
	const struct object *o, const char *key, enum annotation_prefix prefix, struct findings *f)
{
	struct place at = {0};
	int said = annotation_bool(o, key, prefix, &at);

	if (said == -2) {
		struct finding where = build_warning(o, at, "boolean-expected");

		findings_add(f, &where, "%s must be true or false; it has no effect as it is", key);
		return -1;
	}
	return said;
}

/* Switches that stand on false ask for nothing. */
static bool says_no(struct bytes value)
{
	value = build_trim(value);
	return value.n == 0 || parse_bool(value) == 0;
}

/* Conditions are read by their Higress names only (plan/condition.h). */
static bool is_read_elsewhere(const struct pair *p, struct bytes key)
{
	return bytes_starts(p->key, BYTES(HIGRESS)) && condition_is_key(key);
}

static bool allows(
	const struct object *o, struct findings *f, const struct pair *p, struct bytes key)
{
	enum meaning meaning = is_read_elsewhere(p, key) ? UNDERSTOOD : meaning_of(key);
	struct finding at = build_error(o, p->at, "unsupported-condition");

	if (meaning == OF_HIGRESS) {
		meaning = bytes_starts(p->key, BYTES(HIGRESS)) ? UNDERSTOOD : NO_EFFECT;
	}
	if (meaning == UNDERSTOOD || build_trim(p->value).n == 0) {
		return true;
	}
	if (meaning == NO_EFFECT) {
		at = build_warning(o, p->at, "unsupported-annotation");
		if (!says_no(p->value)) {
			findings_add(f, &at, BYTES_FMT " has no effect in this version",
				BYTES_ARG(p->key));
		}
		return true;
	}
	findings_add(f, &at,
		"this version does not evaluate " BYTES_FMT
		"; so that no request passes that should not, the routes of the Ingress are left "
		"out: remove the annotation to serve them without it",
		BYTES_ARG(p->key));
	return false;
}

bool annotations_allow(const struct object *o, struct findings *f)
{
	bool all = true;

	for (size_t i = 0; i < o->meta.annotations.n; i++) {
		const struct pair *p = &o->meta.annotations.v[i];
		struct bytes key = p->key;

		if (bytes_starts(key, BYTES(HIGRESS))) {
			key.p += sizeof(HIGRESS) - 1;
			key.n -= sizeof(HIGRESS) - 1;
		} else if (bytes_starts(key, BYTES(NGINX))) {
			key.p += sizeof(NGINX) - 1;
			key.n -= sizeof(NGINX) - 1;
		} else {
			continue;
		}
		all = allows(o, f, p, key) && all;
	}
	return all;
}
