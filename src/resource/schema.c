#include "resource/schema.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/nearest.h"
#include "base/num.h"

#define NOTE_MAX 320u
/* Names that are shorter are near to too much. */
#define NEAR_MIN 3u

static const struct finding string_expected = {.level = FINDING_WARNING, .code = "string-expected"};
static const struct finding bool_expected = {.level = FINDING_WARNING, .code = "boolean-expected"};
static const struct finding port_range = {.level = FINDING_WARNING, .code = "port-range"};
static const struct finding missing_field = {.level = FINDING_WARNING, .code = "missing-field"};
static const struct finding empty_item = {.level = FINDING_WARNING, .code = "empty-item"};
static const struct finding unknown_field = {.level = FINDING_WARNING, .code = "unknown-field"};
static const struct finding wrong_type = {.level = FINDING_ERROR, .code = "wrong-type"};
static const struct finding too_large = {.level = FINDING_ERROR, .code = "too-large"};

void schema_note(struct schema_reader *r, const struct finding *what, const struct yaml_node *at,
	const char *fmt, ...)
{
	unsigned *left = what->level == FINDING_ERROR ? &r->errors_left : &r->left;
	struct finding here = *what;
	char text[NOTE_MAX];
	va_list ap;

	here.file = r->file;
	here.line = at->line;
	here.column = at->column;
	if (*left == 0) {
		r->findings->n++;
		r->findings->errors += what->level == FINDING_ERROR;
		return;
	}
	--*left;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings_add(r->findings, &here, "%s", text);
	if (*left == 0) {
		here.level = FINDING_INFO;
		here.code = "more-findings";
		findings_add(r->findings, &here,
			"there are more findings in this file: correct these first");
	}
}

static const char *type_name(const struct yaml_node *n)
{
	static const char *const names[] = {
		"nothing", "a boolean", "a number", "a number", "a string", "a list", "a mapping"};

	return names[n->type];
}

static void note_type(
	struct schema_reader *r, const struct yaml_node *n, const char *path, const char *wanted)
{
	schema_note(r, &wrong_type, n, "`%s` must be %s, not %s: correct the value", path, wanted,
		type_name(n));
}

static void *grab(struct schema_reader *r, const struct yaml_node *n, size_t size)
{
	size_t bytes;
	void *p = num_mul(n->n, size, &bytes) ? arena_alloc(r->arena, bytes) : NULL;

	if (p == NULL) {
		schema_note(r, &too_large, n, "the file needs too much memory: split it");
	}
	return p;
}

static struct place place_of(const struct yaml_node *n)
{
	return (struct place){n->line, n->column};
}

/* Null is the empty string, as in a string map that JSON decodes. */
static bool read_string(
	struct schema_reader *r, const struct yaml_node *n, const char *path, struct bytes *out)
{
	if (n->type == YAML_SEQ || n->type == YAML_MAP) {
		note_type(r, n, path, "a string");
		return false;
	}
	if (n->type == YAML_NULL) {
		*out = BYTES("");
		return true;
	}
	if (n->type != YAML_STRING) {
		schema_note(r, &string_expected, n,
			"`%s` is a string but reads as %s: put the value in quotes", path,
			type_name(n));
	}
	*out = n->text;
	return true;
}

static void read_bool(
	struct schema_reader *r, const struct yaml_node *n, const char *path, bool *out)
{
	struct yaml_node quoted = {.type = YAML_STRING};

	if (n->type == YAML_BOOL) {
		*out = n->boolean;
	} else if (n->type == YAML_STRING && yaml_resolve(n->text, &quoted) == YAML_BOOL) {
		schema_note(r, &bool_expected, n,
			"`%s` is a boolean but reads as a string: remove the quotes", path);
		*out = quoted.boolean;
	} else {
		note_type(r, n, path, "true or false");
	}
}

static bool integer_in_quotes(struct bytes text, int64_t *out)
{
	bool minus = text.n != 0 && text.p[0] == '-';
	uint64_t v;

	if (!num_parse_u64(bytes_of(text.p + minus, text.n - minus), INT64_MAX, &v)) {
		return false;
	}
	*out = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

static bool integer_of(const struct yaml_node *n, int64_t *out)
{
	uint64_t v;

	if (n->type == YAML_STRING) {
		return integer_in_quotes(n->text, out);
	}
	if (n->type == YAML_INT) {
		*out = n->integer;
		return true;
	}
	if (!yaml_u64(n, &v) || v > INT64_MAX) {
		return false;
	}
	*out = (int64_t)v;
	return true;
}

static void read_i64(
	struct schema_reader *r, const struct yaml_node *n, const char *path, int64_t *out)
{
	if (!integer_of(n, out)) {
		note_type(r, n, path, "a whole number");
	}
}

static void read_port(
	struct schema_reader *r, const struct yaml_node *n, const char *path, uint64_t *out)
{
	int64_t v;

	if (!integer_of(n, &v)) {
		note_type(r, n, path, "a port number");
	} else if (v < 0 || v > 65535) {
		schema_note(r, &port_range, n,
			"`%s` must be between 1 and 65535: it is taken as not given", path);
	} else {
		*out = (uint64_t)v;
	}
}

static void read_strings(
	struct schema_reader *r, const struct yaml_node *n, const char *path, struct strings *out)
{
	if (n->type != YAML_SEQ) {
		schema_note(r, &wrong_type, n,
			"`%s` must be a list, not %s: write one `- value` per line", path,
			type_name(n));
		return;
	}
	out->v = grab(r, n, sizeof(*out->v));
	out->at = grab(r, n, sizeof(*out->at));
	if (out->v == NULL || out->at == NULL) {
		return;
	}
	for (const struct yaml_node *i = n->items; i != NULL; i = i->next) {
		if (i->type == YAML_NULL) {
			schema_note(
				r, &empty_item, i, "an entry of `%s` is empty: remove it", path);
		} else if (read_string(r, i, path, &out->v[out->n])) {
			out->at[out->n++] = place_of(i);
		}
	}
}

static void read_pairs(
	struct schema_reader *r, const struct yaml_node *n, const char *path, struct pairs *out)
{
	char name[160];

	if (n->type != YAML_MAP) {
		note_type(r, n, path, "a mapping");
		return;
	}
	out->v = grab(r, n, sizeof(*out->v));
	if (out->v == NULL) {
		return;
	}
	for (const struct yaml_node *i = n->items; i != NULL; i = i->next) {
		struct pair *p = &out->v[out->n];

		snprintf(name, sizeof(name), "%s.%s", path, i->key->text.p);
		if (read_string(r, i, name, &p->value)) {
			p->key = i->key->text;
			p->at = place_of(i);
			out->n++;
		}
	}
}

static void read_list(struct schema_reader *r, const struct yaml_node *n,
	const struct schema_row *row, char *base)
{
	const struct schema *s = row->items;
	size_t count = 0;
	char *items;

	if (n->type != YAML_SEQ) {
		note_type(r, n, row->path, "a list");
		return;
	}
	items = grab(r, n, s->size);
	if (items == NULL) {
		return;
	}
	for (const struct yaml_node *i = n->items; i != NULL; i = i->next) {
		char *item = items + count * s->size;

		if (i->type == YAML_NULL) {
			schema_note(r, &empty_item, i, "an entry of `%s` is empty: remove it",
				row->path);
			continue;
		}
		if (i->type != YAML_MAP) {
			note_type(r, i, row->path, "a list of mappings");
			continue;
		}
		if (s->at != SCHEMA_NOWHERE) {
			*(struct place *)(void *)(item + s->at) = place_of(i);
		}
		schema_read(r, s, i, item);
		count++;
	}
	*(void **)(void *)(base + row->offset) = items;
	*(size_t *)(void *)(base + row->also) = count;
}

static void read_mapping(struct schema_reader *r, const struct yaml_node *n,
	const struct schema_row *row, char *base)
{
	if (n->type != YAML_MAP) {
		note_type(r, n, row->path, "a mapping");
	} else if (row->type == SCHEMA_MAP) {
		schema_read(r, row->items, n, base);
	} else {
		*(const struct yaml_node **)(void *)(base + row->offset) = n;
	}
}

/* A value that its row stores nowhere is read into something that is thrown away. */
static void read_value(struct schema_reader *r, const struct yaml_node *n,
	const struct schema_row *row, char *base)
{
	union {
		struct bytes string;
		bool boolean;
		int64_t integer;
		struct strings strings;
		struct pairs pairs;
	} unused = {.strings = {0}};
	void *to = row->offset != SCHEMA_NOWHERE ? (void *)(base + row->offset) : &unused;

	switch (row->type) {
	case SCHEMA_STRING:
		IGNORE(read_string(r, n, row->path, to)); /* it said what was wrong */
		break;
	case SCHEMA_BOOL:
		read_bool(r, n, row->path, to);
		break;
	case SCHEMA_I64:
		read_i64(r, n, row->path, to);
		break;
	case SCHEMA_PORT:
		read_port(r, n, row->path, to);
		break;
	case SCHEMA_STRINGS:
		read_strings(r, n, row->path, to);
		break;
	case SCHEMA_PAIRS:
		read_pairs(r, n, row->path, to);
		break;
	case SCHEMA_PRESENT:
		*(bool *)to = true;
		break;
	case SCHEMA_LIST:
		read_list(r, n, row, base);
		break;
	case SCHEMA_NODE:
	case SCHEMA_MAP:
		read_mapping(r, n, row, base);
		break;
	}
	if (row->place != 0) {
		*(struct place *)(void *)(base + row->place) = place_of(n);
	}
}

/* One letter wrong, missing, too many, or two neighbours exchanged. */
static bool is_near(struct bytes a, struct bytes b)
{
	return b.n >= NEAR_MIN && nearest_distance(a, b) == 1;
}

static const struct schema_row *find_row(const struct schema *s, struct bytes name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (bytes_eq(bytes_str(s->rows[i].path), name)) {
			return &s->rows[i];
		}
	}
	return NULL;
}

/* Members of others are kept and are none of our business; a slip of the pen is worth a word. */
static void note_unknown(
	struct schema_reader *r, const struct schema *s, const struct yaml_node *member)
{
	struct bytes name = member->key->text, near = {NULL, 0};

	for (struct bytes rest = bytes_str(s->known); rest.p != NULL;) {
		struct bytes known = bytes_cut(&rest, ' ');

		if (bytes_eq(known, name)) {
			return;
		}
		near = is_near(name, known) ? known : near;
	}
	for (size_t i = 0; i < s->n; i++) {
		struct bytes path = bytes_str(s->rows[i].path);

		near = is_near(name, path) ? path : near;
	}
	if (near.p != NULL) {
		schema_note(r, &unknown_field, member->key,
			"`" BYTES_FMT "` is no member that is known here: did you mean `" BYTES_FMT
			"`?",
			BYTES_ARG(name), BYTES_ARG(near));
	}
}

void schema_read(
	struct schema_reader *r, const struct schema *s, const struct yaml_node *map, void *out)
{
	uint64_t seen = 0;

	ASSERT(s->n <= SCHEMA_ROWS_MAX);
	for (const struct yaml_node *m = map->items; m != NULL; m = m->next) {
		const struct schema_row *row = find_row(s, m->key->text);

		if (row == NULL) {
			note_unknown(r, s, m);
		} else if (m->type != YAML_NULL) {
			seen |= UINT64_C(1) << (row - s->rows);
			read_value(r, m, row, out);
		}
	}
	for (size_t i = 0; i < s->n; i++) {
		if (s->rows[i].required && (seen >> i & 1) == 0) {
			schema_note(r, &missing_field, map,
				"`%s` is missing: add it, without it this entry has no effect",
				s->rows[i].path);
		}
	}
}
