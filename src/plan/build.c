#include "plan/build.h"

#include "wire/url.h"

struct bytes build_text(struct arena *a, struct bytes b)
{
	struct bytes copy = arena_copy(a, b);

	ASSERT(copy.p != NULL);
	return copy;
}

struct bytes build_lower(struct arena *a, struct bytes b)
{
	char *p = arena_must(a, b.n + 1);

	for (size_t i = 0; i < b.n; i++) {
		p[i] = ascii_lower(b.p[i]);
	}
	return bytes_of(p, b.n);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct bytes build_trim(struct bytes b)
{
	while (b.n != 0 && is_space(b.p[0])) {
		b.p++;
		b.n--;
	}
	while (b.n != 0 && is_space(b.p[b.n - 1])) {
		b.n--;
	}
	return b;
}

static struct finding finding_at(
	const struct object *o, struct place at, const char *code, enum finding_level level)
{
	return (struct finding){.level = level,
		.file = o->file,
		.line = at.line,
		.column = at.column,
		.code = code};
}

struct finding build_error(const struct object *o, struct place at, const char *code)
{
	return finding_at(o, at, code, FINDING_ERROR);
}

struct finding build_warning(const struct object *o, struct place at, const char *code)
{
	return finding_at(o, at, code, FINDING_WARNING);
}

bool build_scalar(const struct yaml_node *n, const char *what, const struct object *o,
	struct findings *f, struct bytes *out)
{
	struct finding at;

	if (n == NULL || n->type == YAML_NULL) {
		return false;
	}
	if (n->type == YAML_SEQ || n->type == YAML_MAP) {
		at = build_error(o, build_place(n), "string-expected");
		findings_add(f, &at, "%s must be a string, not a %s", what,
			n->type == YAML_SEQ ? "list" : "map");
		return false;
	}
	if (n->type != YAML_STRING) {
		at = build_warning(o, build_place(n), "string-expected");
		findings_add(
			f, &at, "%s must be a string; its text is taken, put it in quotes", what);
	}
	*out = n->text;
	return true;
}

struct place build_place(const struct yaml_node *n)
{
	return n != NULL ? (struct place){n->line, n->column} : (struct place){0, 0};
}

bool build_host(struct arena *a, struct bytes text, struct bytes *out)
{
	struct bytes host = bytes_trim(text);
	struct bytes rest = host;
	struct bytes name;
	uint16_t port;

	if (host.n == 0 || bytes_eq(host, BYTES("*"))) {
		*out = BYTES("*");
		return true;
	}
	if (bytes_starts(host, BYTES("*."))) {
		rest = bytes_of(host.p + 2, host.n - 2);
	}
	if (host.n > 255 || url_parse_authority(rest, &name, &port) != 0 || port != 0) {
		return false;
	}
	*out = build_lower(a, host);
	return true;
}

/* All of them are in one namespace. */
int build_by_age(const void *a, const void *b)
{
	const struct object *x = *(const struct object *const *)a;
	const struct object *y = *(const struct object *const *)b;
	int c = bytes_cmp(x->meta.creation, y->meta.creation);

	return c != 0 ? c : bytes_cmp(x->meta.name, y->meta.name);
}
