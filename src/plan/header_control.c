#include "plan/header_control.h"

#include <stdio.h>

#include "plan/annotations.h"
#include "plan/build.h"
#include "wire/field.h"

struct reading {
	const struct object *ingress;
	struct arena *arena;
	struct findings *findings;
	const char *key;
	struct place at;
};

static void refuse(const struct reading *r, struct bytes name, const char *why)
{
	struct finding at = build_error(r->ingress, r->at, "header-refused");

	findings_add(r->findings, &at, "%s: " BYTES_FMT " %s; the line has no effect", r->key,
		BYTES_ARG(bytes_of(name.p, MIN(name.n, 100))), why);
}

/* --- names -------------------------------------------------------------------------------------- */

static bool is_token(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = ascii_lower(name.p[i]);

		if (!(c >= 'a' && c <= 'z') && !ascii_digit(c) &&
			memchr("!#$%&'*+-.^_`|~", c, 15) == NULL) {
			return false;
		}
	}
	return name.n != 0;
}

/* What frames a message or belongs to one connection is nobody's to change: two readers would disagree
 * about where the message ends. The Host has an annotation of its own. */
static bool is_framing(enum field_id id)
{
	static const enum field_id framing[] = {FIELD_HOST, FIELD_CONTENT_LENGTH,
		FIELD_TRANSFER_ENCODING, FIELD_CONNECTION, FIELD_KEEP_ALIVE, FIELD_PROXY_CONNECTION,
		FIELD_TE, FIELD_TRAILER, FIELD_UPGRADE, FIELD_EXPECT};

	for (size_t i = 0; i < ARRAY_LEN(framing); i++) {
		if (framing[i] == id) {
			return true;
		}
	}
	return false;
}

static bool check_name(const struct reading *r, struct bytes name)
{
	if (!is_token(name)) {
		refuse(r, name, "is no header name");
		return false;
	}
	if (is_framing(field_id_of(name))) {
		refuse(r, name,
			bytes_eq_nocase(name, BYTES("host"))
				? "is set by upstream-vhost only"
				: "belongs to the connection and is the gateway's to send");
		return false;
	}
	return true;
}

/* --- values ------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum header_part part;
} variables[] = {
	{"${consumer}", HEADER_CONSUMER},
	{"${model}", HEADER_MODEL},
	{"${request_id}", HEADER_REQUEST_ID},
};

/* A variable at the beginning, or text up to the next one. */
static size_t read_piece(struct bytes rest, struct header_piece *out)
{
	size_t n = 0;

	for (; n < rest.n; n++) {
		for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
			struct bytes name = bytes_str(variables[i].name);

			if (!bytes_starts(bytes_of(rest.p + n, rest.n - n), name)) {
				continue;
			}
			if (n != 0) {
				*out = (struct header_piece){HEADER_TEXT, bytes_of(rest.p, n)};
				return n;
			}
			*out = (struct header_piece){.part = variables[i].part};
			return name.n;
		}
	}
	*out = (struct header_piece){HEADER_TEXT, rest};
	return n;
}

/* RFC 9110 §5.5: visible characters, blanks between them, and bytes above. */
static bool is_value(struct bytes value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

static bool read_value(const struct reading *r, struct bytes value, struct header_edit *out)
{
	struct bytes rest = build_text(r->arena, value);

	if (!is_value(value)) {
		refuse(r, out->name, "has a value with control characters");
		return false;
	}
	out->v = arena_must(r->arena, HEADER_PIECES_MAX * sizeof(*out->v));
	while (rest.n != 0) {
		size_t n;

		if (out->n == HEADER_PIECES_MAX) {
			refuse(r, out->name, "has a value with too many variables");
			return false;
		}
		n = read_piece(rest, &out->v[out->n++]);
		rest = bytes_of(rest.p + n, rest.n - n);
	}
	return true;
}

/* --- annotations -------------------------------------------------------------------------------- */

static struct bytes without_quotes(struct bytes b)
{
	bool quoted = b.n >= 2 && (b.p[0] == '"' || b.p[0] == '\'') && b.p[b.n - 1] == b.p[0];

	return quoted ? bytes_of(b.p + 1, b.n - 2) : b;
}

/* "name value": two fields, the second may be quoted to keep its blanks or to be empty. */
static bool read_line(const struct reading *r, struct bytes line, struct header_edit *out)
{
	size_t n = 0;

	while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t') {
		n++;
	}
	*out = (struct header_edit){
		.name = build_text(r->arena, without_quotes(bytes_of(line.p, n)))};
	if (!check_name(r, out->name)) {
		return false;
	}
	if (n == line.n) {
		struct finding at = build_warning(r->ingress, r->at, "header-without-value");

		findings_add(r->findings, &at,
			"%s: " BYTES_FMT
			" has no value, so the line has no effect; write \"\" for an empty one",
			r->key, BYTES_ARG(out->name));
		return false;
	}
	return read_value(r, without_quotes(bytes_trim(bytes_of(line.p + n, line.n - n))), out);
}

static bool has_room(const struct reading *r, size_t n, struct bytes name)
{
	if (n < HEADER_EDITS_MAX) {
		return true;
	}
	refuse(r, name, "is one too many");
	return false;
}

/* Of the same name twice the last line wins. */
static void put_edit(struct header_edit *v, size_t *n, const struct header_edit *e)
{
	for (size_t i = 0; i < *n; i++) {
		if (bytes_eq_nocase(v[i].name, e->name)) {
			v[i] = *e;
			return;
		}
	}
	v[(*n)++] = *e;
}

static struct header_edit *read_lines(struct reading *r, const char *key, size_t *n)
{
	struct bytes rest;
	struct header_edit *v;

	r->key = key;
	rest = annotation_get(r->ingress, key, ANNOTATION_HIGRESS, &r->at);
	*n = 0;
	if (rest.n == 0) {
		return NULL;
	}
	v = arena_must(r->arena, HEADER_EDITS_MAX * sizeof(*v));
	while (rest.p != NULL) {
		struct bytes line = build_trim(bytes_cut(&rest, '\n'));
		struct header_edit e;

		if (line.n != 0 && has_room(r, *n, line) && read_line(r, line, &e)) {
			put_edit(v, n, &e);
		}
	}
	return v;
}

static struct bytes *read_names(struct reading *r, const char *key, size_t *n)
{
	struct bytes rest;
	struct bytes *v;

	r->key = key;
	rest = annotation_get(r->ingress, key, ANNOTATION_HIGRESS, &r->at);
	*n = 0;
	if (rest.n == 0) {
		return NULL;
	}
	v = arena_must(r->arena, HEADER_EDITS_MAX * sizeof(*v));
	while (rest.p != NULL) {
		struct bytes name = build_trim(bytes_cut(&rest, ','));

		if (name.n != 0 && has_room(r, *n, name) && check_name(r, name)) {
			v[(*n)++] = build_text(r->arena, name);
		}
	}
	return v;
}

const struct header_control *header_control_read(
	const struct object *ingress, struct arena *a, struct findings *f)
{
	struct reading r = {.ingress = ingress, .arena = a, .findings = f};
	struct header_edits *q, *s;
	struct header_control made, *out;

	q = &made.request;
	s = &made.answer;
	q->remove = read_names(&r, "request-header-control-remove", &q->n_remove);
	q->set = read_lines(&r, "request-header-control-update", &q->n_set);
	q->add = read_lines(&r, "request-header-control-add", &q->n_add);
	s->remove = read_names(&r, "response-header-control-remove", &s->n_remove);
	s->set = read_lines(&r, "response-header-control-update", &s->n_set);
	s->add = read_lines(&r, "response-header-control-add", &s->n_add);
	if (!header_edits_any(q) && !header_edits_any(s)) {
		return NULL;
	}
	out = arena_must(a, sizeof(*out));
	*out = made;
	return out;
}
