#include "plan/fixed_answer.h"

#include "base/num.h"
#include "plan/annotations.h"
#include "plan/build.h"

#define OWN "sluice.io/"

struct reading {
	const struct object *ingress;
	struct arena *arena;
	struct findings *findings;
};

#define note(r, at, ...)                                                              \
	do {                                                                          \
		struct finding where_ = build_warning((r)->ingress, at, "bad-value"); \
		findings_add((r)->findings, &where_, __VA_ARGS__);                    \
	} while (0)

/* Visible ASCII: nothing that ends a header, or that a client reads in a way of its own. */
static bool is_visible(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < 0x21 || text.p[i] > 0x7e) {
			return false;
		}
	}
	return text.n != 0 && text.n <= FIXED_ANSWER_TEXT_MAX;
}

/* An address of the web, or a path of the same host. */
static bool is_location(struct bytes text)
{
	return is_visible(text) &&
		(bytes_starts(text, BYTES("/")) ||
			(bytes_starts(text, BYTES("http://")) && text.n > 7) ||
			(bytes_starts(text, BYTES("https://")) && text.n > 8));
}

/* "text/html; charset=utf-8": a slash, and blanks inside. */
static bool is_media_type(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < 0x20 || text.p[i] > 0x7e) {
			return false;
		}
	}
	return text.n <= FIXED_ANSWER_TEXT_MAX && text.n > 2 &&
		memchr(text.p + 1, '/', text.n - 2) != NULL;
}

/* --- redirections ------------------------------------------------------------------------------- */

static struct bytes read_location(const struct reading *r, const char *key)
{
	struct place at = {0};
	struct bytes text = annotation_get(r->ingress, key, ANNOTATION_EITHER, &at);

	if (text.n != 0 && !is_location(text)) {
		note(r, at,
			"%s is an address with http:// or https://, or a path that begins with /, in "
			"visible ASCII of at most %u characters; it counts as not said",
			key, FIXED_ANSWER_TEXT_MAX);
		return BYTES("");
	}
	return text;
}

static bool is_redirect(uint64_t status)
{
	return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

static uint16_t read_code(const struct reading *r)
{
	struct place at = {0};
	struct bytes text =
		annotation_get(r->ingress, "permanent-redirect-code", ANNOTATION_EITHER, &at);
	uint64_t status = 301;

	if (text.n != 0 && (!num_parse_u64(text, UINT16_MAX, &status) || !is_redirect(status))) {
		note(r, at,
			"permanent-redirect-code is 301, 302, 303, 307 or 308; it counts as not said");
		return 301;
	}
	return (uint16_t)status;
}

static bool read_redirect(const struct reading *r, struct fixed_answer *out)
{
	struct bytes temporal = read_location(r, "temporal-redirect");
	struct bytes permanent = read_location(r, "permanent-redirect");
	uint16_t code = read_code(r);

	if (temporal.n == 0 && permanent.n == 0) {
		return false;
	}
	out->status = temporal.n != 0 ? 302 : code;
	out->location = build_text(r->arena, temporal.n != 0 ? temporal : permanent);
	return true;
}

/* --- mock answers ------------------------------------------------------------------------------- */

static const char *const mock_keys[] = {"mock-status", "mock-type", "mock-body"};

bool fixed_answer_is_key(struct bytes key)
{
	for (size_t i = 0; i < ARRAY_LEN(mock_keys); i++) {
		if (bytes_eq(key, bytes_str(mock_keys[i]))) {
			return true;
		}
	}
	return false;
}

static const struct pair *find(const struct reading *r, const char *key)
{
	return pairs_find(&r->ingress->meta.annotations, bytes_str(key));
}

static struct bytes read_type(const struct reading *r)
{
	const struct pair *p = find(r, OWN "mock-type");
	struct bytes text = p != NULL ? build_trim(p->value) : BYTES("");

	if (text.n != 0 && !is_media_type(text)) {
		note(r, p->at,
			OWN "mock-type is a media type, as application/json; text/plain is said");
		return BYTES("text/plain");
	}
	return text.n != 0 ? build_text(r->arena, text) : BYTES("text/plain");
}

/* What these say is said without a body. */
static bool has_no_body(uint16_t status)
{
	return status == 204 || status == 205 || status == 304;
}

/* As it stands there: blanks at its ends are a part of it. */
static struct bytes read_body(const struct reading *r, uint16_t status)
{
	const struct pair *p = find(r, OWN "mock-body");

	if (p == NULL || p->value.n == 0) {
		return BYTES("");
	}
	if (has_no_body(status)) {
		note(r, p->at, "an answer with status %u has no body; " OWN "mock-body is left out",
			status);
		return BYTES("");
	}
	if (p->value.n > FIXED_ANSWER_BODY_MAX) {
		note(r, p->at, OWN "mock-body is longer than %u bytes; it is left out",
			FIXED_ANSWER_BODY_MAX);
		return BYTES("");
	}
	return build_text(r->arena, p->value);
}

static bool read_mock(const struct reading *r, struct fixed_answer *out)
{
	const struct pair *p = find(r, OWN "mock-status");
	struct bytes text = p != NULL ? build_trim(p->value) : BYTES("");
	uint64_t status;

	if (text.n == 0) {
		p = p == NULL ? find(r, OWN "mock-body") : p;
		if (p != NULL) {
			note(r, p->at,
				"there is no mock answer without " OWN
				"mock-status; the destinations are asked");
		}
		return false;
	}
	if (!num_parse_u64(text, 599, &status) || status < 200) {
		note(r, p->at,
			OWN
			"mock-status is a status from 200 to 599; it counts as not said, and the "
			"destinations are asked");
		return false;
	}
	out->status = (uint16_t)status;
	out->type = read_type(r);
	out->body = read_body(r, out->status);
	return true;
}

/* --- both --------------------------------------------------------------------------------------- */

const struct fixed_answer *fixed_answer_read(
	const struct object *ingress, struct arena *a, struct findings *f)
{
	const struct reading r = {ingress, a, f};
	struct fixed_answer got = {.type = BYTES("text/plain")};
	struct fixed_answer *out;

	if (read_redirect(&r, &got)) {
		const struct pair *mock = find(&r, OWN "mock-status");

		if (mock != NULL) {
			note(&r, mock->at,
				"the route is redirected; " OWN "mock-status has no effect");
		}
	} else if (!read_mock(&r, &got)) {
		return NULL;
	}
	out = arena_must(a, sizeof(*out));
	*out = got;
	return out;
}

const char *fixed_answer_reason(const struct fixed_answer *a)
{
	return a->location.n != 0 ? "route.redirect" : "route.mock";
}
