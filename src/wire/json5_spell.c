/*
 * A value is spelled like its pattern: the node in whose place it comes, or the last item of its kind
 * beside it, and inside of it like the pattern's member of the same name. That gives an array of two words
 * on one line in a file where its siblings have it so, and over four lines in a file of jq's.
 */
#include "wire/json5_spell.h"

/* --- what the text looks like --------------------------------------------------------------------- */

struct bytes json5_spell_between(struct bytes text, size_t beg, size_t end)
{
	return bytes_of(text.p + beg, end - beg);
}

bool json5_spell_has_line_end(struct bytes s)
{
	return memchr(s.p, '\n', s.n) != NULL || memchr(s.p, '\r', s.n) != NULL;
}

bool json5_spell_is_container(const struct json_value *v)
{
	return v->type == JSON_OBJECT || v->type == JSON_ARRAY;
}

static bool is_flat(struct bytes text, const struct json_value *v)
{
	return !json5_spell_has_line_end(json5_spell_between(text, v->beg, v->end));
}

size_t json5_spell_start(const struct json_value *v)
{
	return v->key_end != 0 ? v->key_beg : v->beg;
}

struct bytes json5_spell_indent(struct bytes text, size_t at)
{
	size_t beg = at, end;

	while (beg != 0 && text.p[beg - 1] != '\n' && text.p[beg - 1] != '\r') {
		beg--;
	}
	if (beg == 0 && bytes_starts(text, BYTES("\xef\xbb\xbf"))) {
		beg = 3;
	}
	for (end = beg; end < at && (text.p[end] == ' ' || text.p[end] == '\t'); end++) {}
	return json5_spell_between(text, beg, end);
}

/* Looks at nothing but blanks: the line may be all of the file. */
bool json5_spell_starts_line(struct bytes text, size_t at)
{
	while (at != 0 && (text.p[at - 1] == ' ' || text.p[at - 1] == '\t')) {
		at--;
	}
	return at == 0 || text.p[at - 1] == '\n' || text.p[at - 1] == '\r' ||
		(at == 3 && bytes_starts(text, BYTES("\xef\xbb\xbf")));
}

/* By how much the item is indented below its container; n 0: it does not tell. */
static struct bytes unit_of(
	struct bytes text, const struct json_value *outer, const struct json_value *item)
{
	struct bytes from, to;

	if (!json5_spell_starts_line(text, json5_spell_start(item))) {
		return bytes_of(NULL, 0);
	}
	from = json5_spell_indent(text, outer->beg);
	to = json5_spell_indent(text, json5_spell_start(item));
	return to.p != from.p && to.n > from.n && bytes_starts(to, from)
		? bytes_of(to.p + from.n, to.n - from.n)
		: bytes_of(NULL, 0);
}

/* The first item on a line of its own tells. */
static struct bytes find_unit(struct bytes text, const struct json_value *v)
{
	struct bytes found = bytes_of(NULL, 0);

	for (const struct json_value *i = v->items; i != NULL && found.n == 0; i = i->next) {
		found = unit_of(text, v, i);
		found = found.n == 0 ? find_unit(text, i) : found;
	}
	return found;
}

static const struct json_value *find_member(const struct json_value *v)
{
	const struct json_value *found = NULL;

	if (v->type == JSON_OBJECT && v->items != NULL) {
		return v->items;
	}
	for (const struct json_value *i = v->items; i != NULL && found == NULL; i = i->next) {
		found = find_member(i);
	}
	return found;
}

/* The first list that has items and no containers among them. */
static const struct json_value *find_list(const struct json_value *v)
{
	const struct json_value *found = NULL;
	bool plain = v->type == JSON_ARRAY && v->items != NULL;

	for (const struct json_value *i = v->items; i != NULL && found == NULL; i = i->next) {
		plain &= !json5_spell_is_container(i);
		found = find_list(i);
	}
	return plain ? v : found;
}

static struct json5_manner manner_of(struct bytes text, const struct json_value *root)
{
	const char *lf = memchr(text.p, '\n', text.n);
	const struct json_value *member = find_member(root), *list = find_list(root);
	struct json5_manner m = {.eol = BYTES("\n"), .unit = find_unit(text, root)};

	if (lf != NULL ? lf != text.p && lf[-1] == '\r' : json5_spell_has_line_end(text)) {
		m.eol = lf != NULL ? BYTES("\r\n") : BYTES("\r");
	}
	if (m.unit.n == 0) {
		m.unit = BYTES("  ");
	}
	m.tight = member != NULL && text.p[member->beg - 1] == ':';
	m.flat_lists = list != NULL && is_flat(text, list);
	return m;
}

void json5_spell_init(struct json5_spell *w, struct arena *a, struct bytes text,
	const struct json_value *root, struct text *out)
{
	*w = (struct json5_spell){a, text, out, manner_of(text, root)};
}

/* --- values ------------------------------------------------------------------------------------------ */

static bool is_collection(const struct doc *d)
{
	return d->type == DOC_MAP || d->type == DOC_LIST;
}

static void put_scalar(struct json5_spell *w, const struct doc *d)
{
	struct json_writer json;

	json_writer_init(&json, w->out);
	doc_put_json(w->arena, &json, d);
}

void json5_spell_key(struct json5_spell *w, struct bytes key)
{
	text_add_char(w->out, '"');
	text_add_json(w->out, key);
	text_add_str(w->out, w->manner.tight ? "\":" : "\": ");
}

void json5_spell_line(struct json5_spell *w, const struct json5_layout *at, unsigned depth)
{
	text_add_bytes(w->out, w->manner.eol);
	text_add_bytes(w->out, at->indent);
	for (unsigned i = 0; i < depth; i++) {
		text_add_bytes(w->out, w->manner.unit);
	}
}

/* The pattern for the item d inside of the pattern of its container (may be NULL). */
static const struct json_value *pattern_of(const struct json_value *outer, const struct doc *d)
{
	enum json_type type = d->type == DOC_MAP ? JSON_OBJECT : JSON_ARRAY;
	const struct json_value *found = NULL;

	if (outer == NULL || !is_collection(d)) {
		return NULL;
	}
	for (const struct json_value *i = outer->items; i != NULL; i = i->next) {
		if (i->type == type && i->items != NULL &&
			(d->key.p == NULL || bytes_eq(i->key, d->key))) {
			found = i;
		}
	}
	return found;
}

/* Whatever its name. */
const struct json_value *json5_spell_sibling(const struct json_value *c, const struct doc *d)
{
	struct doc nameless = *d;

	nameless.key = bytes_of(NULL, 0);
	return pattern_of(c, &nameless);
}

static bool all_scalars(struct arena *a, const struct doc *d)
{
	for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
		if (is_collection(i)) {
			return false;
		}
	}
	return true;
}

bool json5_spell_goes_flat(
	const struct json5_spell *w, const struct json_value *pattern, const struct doc *d)
{
	if (pattern != NULL) {
		return is_flat(w->text, pattern);
	}
	return d->type == DOC_LIST && w->manner.flat_lists && all_scalars(w->arena, d);
}

/* Depth is that of what the program wants to write: a handful. */
void json5_spell_value(struct json5_spell *w, const struct doc *d, const struct json_value *pattern,
	const struct json5_layout *at)
{
	const char *brackets = d->type == DOC_MAP ? "{}" : "[]";
	const struct doc *first = is_collection(d) ? doc_first(w->arena, d) : NULL;
	bool padded = at->flat && pattern != NULL && pattern->items != NULL &&
		w->text.p[pattern->beg + 1] == ' ';

	if (first == NULL) {
		put_scalar(w, d);
		return;
	}
	text_add_char(w->out, brackets[0]);
	for (const struct doc *i = first; i != NULL; i = i->next) {
		const struct json_value *inner = pattern_of(pattern, i);
		struct json5_layout below = {
			at->indent, at->depth + 1, at->flat || json5_spell_goes_flat(w, inner, i)};

		text_add_str(w->out, i != first ? "," : "");
		if (!at->flat) {
			json5_spell_line(w, at, at->depth + 1);
		} else if (padded || (i != first && !w->manner.tight)) {
			text_add_char(w->out, ' ');
		}
		if (d->type == DOC_MAP) {
			json5_spell_key(w, i->key);
		}
		json5_spell_value(w, i, inner, &below);
	}
	if (!at->flat) {
		json5_spell_line(w, at, at->depth);
	} else if (padded) {
		text_add_char(w->out, ' ');
	}
	text_add_char(w->out, brackets[1]);
}
