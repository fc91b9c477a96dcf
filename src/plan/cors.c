#include "plan/cors.h"

#include "base/num.h"
#include "plan/annotations.h"
#include "plan/build.h"
#include "plan/plugin_rules.h"

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
		return BYTES(CORS_MAX_AGE);
	}
	if (!num_parse_u64(text, INT32_MAX, &seconds)) {
		warn(r, at, "cors-max-age", "must be a number of seconds; its default is used");
		return BYTES(CORS_MAX_AGE);
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
		return (struct cors_origin){
			.text = bytes_of(host.p + 1, host.n - 1), .ending = true};
	}
	return (struct cors_origin){.text = text};
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
		.methods = read_list(&r, "cors-allow-methods", CORS_METHODS),
		.headers = read_list(&r, "cors-allow-headers", CORS_HEADERS),
		.expose = read_list(&r, "cors-expose-headers", ""),
		.max_age = read_max_age(&r),
		.credentials = read_credentials(&r),
	};
	read_origins(&r, c);
	return c;
}

/* --- asking ------------------------------------------------------------------------------------- */

const struct cors *cors_for(const struct cors *c, struct bytes host)
{
	for (size_t i = 0; c != NULL && i < c->n_cases; i++) {
		const struct strings *domains = c->cases[i].domains;

		if (domains == NULL || plugin_domain_is_any(domains, host)) {
			return c->cases[i].policy;
		}
	}
	return c;
}

/* Stars stand for any bytes. What was tried at the last star is all that has to be tried again. */
static bool matches(struct bytes pattern, struct bytes text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, behind = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			behind = t;
		} else if (p < pattern.n && ascii_lower(pattern.p[p]) == ascii_lower(text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++behind;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*') {
		p++;
	}
	return p == pattern.n;
}

/* Cuts ":8080" off; empty: there is none. */
static struct bytes cut_port(struct bytes *origin)
{
	size_t n = 0;
	struct bytes port;

	while (n < origin->n && ascii_digit(origin->p[origin->n - 1 - n])) {
		n++;
	}
	if (n == 0 || n == origin->n || origin->p[origin->n - 1 - n] != ':') {
		return BYTES("");
	}
	port = bytes_of(origin->p + origin->n - n, n);
	origin->n -= n + 1;
	return port;
}

static bool is_listed(struct bytes list, struct bytes name)
{
	while (list.p != NULL) {
		if (bytes_eq_nocase(bytes_trim(bytes_cut(&list, ',')), name)) {
			return true;
		}
	}
	return false;
}

static bool is_origin(const struct cors *c, const struct cors_origin *o, struct bytes origin)
{
	struct bytes without = origin;
	struct bytes port;

	if (o->ending) {
		return bytes_ends(origin, o->text);
	}
	if (!o->pattern) {
		return c->refuses ? bytes_eq_nocase(origin, o->text) : bytes_eq(origin, o->text);
	}
	if (origin.n > CORS_ORIGIN_MAX) {
		return false;
	}
	if (o->ports.n == 0) {
		return matches(o->text, origin);
	}
	port = cut_port(&without);
	return matches(o->text, without) &&
		(bytes_eq(o->ports, BYTES("*")) || (port.n != 0 && is_listed(o->ports, port)));
}

bool cors_allows(const struct cors *c, struct bytes origin)
{
	for (size_t i = 0; origin.n != 0 && i < c->n_origins; i++) {
		if (is_origin(c, &c->origins[i], origin)) {
			return true;
		}
	}
	return false;
}

enum cors_verdict cors_judge(
	const struct cors *c, struct bytes origin, struct bytes method, struct bytes fields)
{
	if (!cors_allows(c, origin)) {
		return CORS_ORIGIN;
	}
	if (!bytes_eq(c->methods, BYTES("*")) && !is_listed(c->methods, method)) {
		return CORS_METHOD;
	}
	while (fields.p != NULL && !bytes_eq(c->headers, BYTES("*"))) {
		struct bytes name = bytes_trim(bytes_cut(&fields, ','));

		if (name.n != 0 && !is_listed(c->headers, name)) {
			return CORS_FIELDS;
		}
	}
	return CORS_OK;
}

const char *cors_reason(enum cors_verdict v)
{
	static const char *const reasons[] = {[CORS_OK] = "cors.preflight",
		[CORS_ORIGIN] = "cors.refused_origin",
		[CORS_METHOD] = "cors.refused_method",
		[CORS_FIELDS] = "cors.refused_headers"};

	return reasons[v];
}

bool cors_is_own(struct bytes origin, struct bytes authority)
{
	bool tls = bytes_starts_nocase(origin, BYTES("https://"));
	struct bytes usual = tls ? BYTES("443") : BYTES("80");
	size_t scheme = tls ? sizeof("https://") - 1 : sizeof("http://") - 1;
	struct bytes theirs, ours;

	if (!tls && !bytes_starts_nocase(origin, BYTES("http://"))) {
		return false;
	}
	origin = bytes_of(origin.p + scheme, origin.n - scheme);
	theirs = cut_port(&origin);
	ours = cut_port(&authority);
	return bytes_eq_nocase(origin, authority) &&
		bytes_eq(theirs.n != 0 ? theirs : usual, ours.n != 0 ? ours : usual);
}

bool cors_same(const struct cors *a, const struct cors *b)
{
	bool same = a->n_origins == b->n_origins && a->credentials == b->credentials &&
		a->refuses == b->refuses && a->any_origin == b->any_origin &&
		bytes_eq(a->methods, b->methods) && bytes_eq(a->headers, b->headers) &&
		bytes_eq(a->expose, b->expose) && bytes_eq(a->max_age, b->max_age);

	if (a->n_cases != 0 || b->n_cases != 0) {
		return a == b;
	}
	for (size_t i = 0; same && i < a->n_origins; i++) {
		same = a->origins[i].ending == b->origins[i].ending &&
			a->origins[i].pattern == b->origins[i].pattern &&
			bytes_eq(a->origins[i].ports, b->origins[i].ports) &&
			bytes_eq(a->origins[i].text, b->origins[i].text);
	}
	return same;
}
