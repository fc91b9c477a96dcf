#include "plan/cors.h"

#include "base/num.h"
#include "plan/annotations.h"
#include "plan/build.h"

#define METHODS "GET, PUT, POST, DELETE, PATCH, OPTIONS"
#define HEADERS                                                                              \
	"DNT,X-CustomHeader,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-" \
	"Control,Content-Type,Authorization"
#define MAX_AGE "1728000"

struct reading {
	const struct object *ingress;
	struct arena *arena;
	struct findings *findings;
};

static void warn(const struct reading *r, struct place at, const char *key, const char *what)
{
	struct finding where = build_warning(r->ingress, at, "cors-invalid");

	findings_add(r->findings, &where, "%s %s", key, what);
}

static bool is_text(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] < 0x20 || b.p[i] > 0x7e) {
			return false;
		}
	}
	return b.n <= CORS_LIST_MAX;
}

/* A list as it is to be sent. */
static struct bytes read_list(const struct reading *r, const char *key, const char *otherwise)
{
	struct place at = {0};
	struct bytes text = annotation_get(r->ingress, key, ANNOTATION_EITHER, &at);

	if (text.n == 0) {
		return bytes_str(otherwise);
	}
	if (!is_text(text)) {
		warn(r, at, key, "is no list of names, or too long; its default is used");
		return bytes_str(otherwise);
	}
	return build_text(r->arena, text);
}

static struct bytes read_max_age(const struct reading *r)
{
	struct place at = {0};
	struct bytes text = annotation_get(r->ingress, "cors-max-age", ANNOTATION_EITHER, &at);
	uint64_t seconds;

	if (text.n == 0) {
		return BYTES(MAX_AGE);
	}
	if (!num_parse_u64(text, INT32_MAX, &seconds)) {
		warn(r, at, "cors-max-age", "must be a number of seconds; its default is used");
		return BYTES(MAX_AGE);
	}
	return build_text(r->arena, text);
}

static bool read_credentials(const struct reading *r)
{
	struct place at = {0};
	int value = annotation_bool(r->ingress, "cors-allow-credentials", ANNOTATION_EITHER, &at);

	if (value == -2) {
		warn(r, at, "cors-allow-credentials",
			"must be true or false; without being told, credentials are not allowed");
	}
	return value == 1 || value == -1;
}

/* "https://a.com", or with a host that begins with a star: then what stands behind the star is an ending
 * (of hosts with their port), and the scheme does not matter. */
static struct cors_origin read_origin(struct bytes text)
{
	struct bytes host = text;

	for (size_t i = 0; i + 3 <= text.n; i++) {
		if (memcmp(text.p + i, "://", 3) == 0) {
			host = bytes_of(text.p + i + 3, text.n - i - 3);
			break;
		}
	}
	if (bytes_starts(host, BYTES("*"))) {
		return (struct cors_origin){bytes_of(host.p + 1, host.n - 1), true};
	}
	return (struct cors_origin){text, false};
}

static void read_origins(const struct reading *r, struct cors *c)
{
	struct place at = {0};
	struct bytes text = annotation_get(r->ingress, "cors-allow-origin", ANNOTATION_EITHER, &at);
	struct bytes rest = text.n != 0 ? build_text(r->arena, text) : BYTES("*");
	size_t most = 1;

	for (size_t i = 0; i < rest.n; i++) {
		most += rest.p[i] == ',';
	}
	most = MIN(most, CORS_ORIGINS_MAX);
	c->origins = arena_must(r->arena, most * sizeof(*c->origins));
	while (rest.p != NULL) {
		struct bytes one = build_trim(bytes_cut(&rest, ','));

		if (one.n == 0) {
			continue;
		}
		if (!is_text(one) || c->n_origins == CORS_ORIGINS_MAX) {
			warn(r, at, "cors-allow-origin",
				"has an entry that is no origin, or too many of them; it is left "
				"out");
			continue;
		}
		c->origins[c->n_origins++] = read_origin(one);
	}
}

const struct cors *cors_read(const struct object *ingress, struct arena *a, struct findings *f)
{
	const struct reading r = {ingress, a, f};
	struct place at = {0};
	int on = annotation_bool(ingress, "enable-cors", ANNOTATION_EITHER, &at);
	struct cors *c;

	if (on == -2) {
		warn(&r, at, "enable-cors", "must be true or false; it has no effect as it is");
	}
	if (on != 1) {
		return NULL;
	}
	c = arena_must(a, sizeof(*c));
	*c = (struct cors){
		.methods = read_list(&r, "cors-allow-methods", METHODS),
		.headers = read_list(&r, "cors-allow-headers", HEADERS),
		.expose = read_list(&r, "cors-expose-headers", ""),
		.max_age = read_max_age(&r),
		.credentials = read_credentials(&r),
	};
	read_origins(&r, c);
	return c;
}

bool cors_allows(const struct cors *c, struct bytes origin)
{
	for (size_t i = 0; origin.n != 0 && i < c->n_origins; i++) {
		const struct cors_origin *o = &c->origins[i];

		if (o->ending ? bytes_ends(origin, o->text) : bytes_eq(origin, o->text)) {
			return true;
		}
	}
	return false;
}

bool cors_same(const struct cors *a, const struct cors *b)
{
	bool same = a->n_origins == b->n_origins && a->credentials == b->credentials &&
		bytes_eq(a->methods, b->methods) && bytes_eq(a->headers, b->headers) &&
		bytes_eq(a->expose, b->expose) && bytes_eq(a->max_age, b->max_age);

	for (size_t i = 0; same && i < a->n_origins; i++) {
		same = a->origins[i].ending == b->origins[i].ending &&
			bytes_eq(a->origins[i].text, b->origins[i].text);
	}
	return same;
}
