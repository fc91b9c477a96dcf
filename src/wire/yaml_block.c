/*
 * One line after the other. An open collection is a level with its column; a line closes those that
 * stand further right than it and then either goes on with the one in its own column or opens one, as
 * the value of the key before it or, behind "- ", as an entry.
 *
 *   line    = indent ( entry / member ) / indent [ "#" comment ]
 *   entry   = "-" blanks ( entry / member / scalar )
 *   member  = key ":" [ blanks ( scalar / "[]" / "{}" ) ]
 *   scalar  = plain / "'" ... "'" / DQUOTE without backslashes DQUOTE      on this line
 *
 * The text is copied once; scalars point into the copy, where a NUL takes the place of what ended them.
 */
#include "wire/yaml_block.h"

#include <stdlib.h>

#include "wire/yaml_tree.h"

/* libyaml takes no longer ones as keys without a question mark. */
#define KEY_MAX 1000u

struct level {
	uint32_t column; /* 0-based */
	bool seq;
	bool flush;                 /* a list in the column of the key that it belongs to */
	bool pending;               /* a key waits for its value on the lines below */
	struct yaml_spot after_key; /* where the value would be if it is null */
};

struct block {
	const char *text, *line, *end; /* of the document; of the line; of the line's text */
	char *copy;
	uint32_t number; /* of the line, 1-based */
	unsigned depth;
	struct level levels[YAML_DEPTH_MAX];
	struct yaml_tree tree;
};

struct token {
	const char *from, *to; /* with its quotes */
	const char *next;      /* behind it and the blanks that follow */
	struct yaml_scalar scalar;
	bool key; /* next is the colon */
};

/* --- tokens ------------------------------------------------------------------------------------- */

static bool is_simple(struct bytes text)
{
	unsigned char odd = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		odd |= (unsigned char)((c < ' ' && c != '\n') || c > '~');
	}
	return odd == 0;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ') {
		p++;
	}
	return p;
}

static struct yaml_spot spot_of(const struct block *b, const char *from, const char *to)
{
	return (struct yaml_spot){b->number, (uint32_t)(from - b->line) + 1,
		(uint32_t)(from - b->text), (uint32_t)(to - b->text)};
}

static bool ends_key(const struct block *b, const char *p)
{
	return *p == ':' && (p + 1 == b->end || p[1] == ' ');
}

static bool is_alnum(char c)
{
	return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* What is not an indicator of YAML, and not the beginning of one. */
static bool begins_plain(const struct block *b, const char *p)
{
	char next = p + 1 < b->end ? p[1] : '\0';

	if (*p == '-' || *p == '.') {
		return is_alnum(next);
	}
	return is_alnum(*p) || (*p != '\0' && strchr("_/$(+~^;", *p) != NULL);
}

static bool read_plain(const struct block *b, const char *p, struct token *out)
{
	const char *to = p;

	if (!begins_plain(b, p)) {
		return false;
	}
	out->from = p;
	for (; p < b->end && !ends_key(b, p); p++) {
		if (*p != ' ') {
			to = p + 1;
		} else if (p + 1 < b->end && p[1] == '#') {
			return false;
		}
	}
	out->to = to;
	out->next = p;
	b->copy[to - b->text] = '\0';
	out->scalar = (struct yaml_scalar){
		.text = {b->copy + (out->from - b->text), (size_t)(to - out->from)},
		.kept = true,
		.plain = true};
	return true;
}

static bool read_quoted(const struct block *b, const char *p, struct token *out)
{
	char *put = b->copy + (p + 1 - b->text);
	char *begin = put;
	char quote = *p;

	out->from = p;
	for (p++; p < b->end && (*p != quote || (quote == '\'' && p + 1 < b->end && p[1] == quote));
		p++) {
		if (quote == '"' && *p == '\\') {
			return false;
		}
		p += *p == quote; /* two of them are one */
		*put++ = *p;
	}
	if (p == b->end) {
		return false;
	}
	*put = '\0';
	out->to = p + 1;
	out->next = skip_blanks(p + 1, b->end);
	out->scalar = (struct yaml_scalar){
		.text = {begin, (size_t)(put - begin)}, .kept = true, .plain = false};
	return true;
}

static bool read_token(const struct block *b, const char *p, struct token *out)
{
	bool quoted = *p == '\'' || *p == '"';

	if (!(quoted ? read_quoted(b, p, out) : read_plain(b, p, out))) {
		return false;
	}
	out->key = out->next < b->end && ends_key(b, out->next);
	return out->key ? out->next - out->from <= (ptrdiff_t)KEY_MAX : out->next == b->end;
}

/* --- collections -------------------------------------------------------------------------------- */

static struct level *top(struct block *b)
{
	return &b->levels[b->depth - 1];
}

static bool put_null(struct block *b, struct level *l)
{
	static const struct yaml_scalar nothing = {.text = {"", 0}, .kept = true, .plain = true};

	l->pending = false;
	return yaml_tree_scalar(&b->tree, &l->after_key, &nothing) == 0;
}

static bool open_level(struct block *b, const char *p, bool seq, bool flush)
{
	struct yaml_spot at = spot_of(b, p, p);

	if (yaml_tree_start(&b->tree, &at, seq ? YAML_SEQ : YAML_MAP, NULL) != 0) {
		return false;
	}
	if (b->depth != 0) {
		top(b)->pending = false;
	}
	b->levels[b->depth++] =
		(struct level){.column = (uint32_t)(p - b->line), .seq = seq, .flush = flush};
	return true;
}

static bool close_level(struct block *b)
{
	if (top(b)->pending && !put_null(b, top(b))) {
		return false;
	}
	b->depth--;
	return yaml_tree_end(&b->tree, 0) == 0;
}

/* Closes what the line is not part of and opens what it begins. Afterwards the innermost collection is
 * the list, or the mapping, whose next item stands at p. */
static bool settle(struct block *b, const char *p, bool entry)
{
	uint32_t column = (uint32_t)(p - b->line);

	while (b->depth != 0 &&
		(top(b)->column > column ||
			(top(b)->column == column && top(b)->flush && !entry))) {
		if (!close_level(b)) {
			return false;
		}
	}
	if (b->depth == 0) {
		return b->tree.doc.root == NULL && open_level(b, p, entry, false);
	}
	if (top(b)->column < column) {
		return top(b)->pending && open_level(b, p, entry, false);
	}
	if (top(b)->seq) {
		return entry;
	}
	if (entry) {
		return top(b)->pending && open_level(b, p, true, true);
	}
	return !top(b)->pending || put_null(b, top(b));
}

/* --- lines -------------------------------------------------------------------------------------- */

static bool put_token(struct block *b, const struct token *t)
{
	struct yaml_spot at = spot_of(b, t->from, t->to);

	return yaml_tree_scalar(&b->tree, &at, &t->scalar) == 0;
}

static bool read_empty(struct block *b, const char *p)
{
	struct yaml_spot at = spot_of(b, p, p + 2);
	enum yaml_type type = *p == '[' ? YAML_SEQ : YAML_MAP;

	return b->end - p >= 2 && p[1] == (*p == '[' ? ']' : '}') &&
		skip_blanks(p + 2, b->end) == b->end &&
		yaml_tree_start(&b->tree, &at, type, NULL) == 0 &&
		yaml_tree_end(&b->tree, at.end) == 0;
}

/* A key, and what stands behind its colon. The mapping is open. */
static bool read_member(struct block *b, const struct token *key)
{
	const char *p = skip_blanks(key->next + 1, b->end);
	struct token value;

	if (!put_token(b, key)) {
		return false;
	}
	if (p == b->end) {
		top(b)->pending = true;
		top(b)->after_key = spot_of(b, key->next + 1, key->next + 1);
		return true;
	}
	if (*p == '[' || *p == '{') {
		return read_empty(b, p);
	}
	return read_token(b, p, &value) && !value.key && put_token(b, &value);
}

static bool begins_entry(const struct block *b, const char *p)
{
	return *p == '-' && p + 1 < b->end && p[1] == ' ';
}

/* What stands behind a "- ". */
static bool read_entry(struct block *b, const char *p)
{
	struct token t;

	for (p = skip_blanks(p + 1, b->end); p < b->end && begins_entry(b, p);
		p = skip_blanks(p + 1, b->end)) {
		if (!open_level(b, p, true, false)) {
			return false;
		}
	}
	if (p == b->end || !read_token(b, p, &t)) {
		return false;
	}
	if (!t.key) {
		return put_token(b, &t);
	}
	return open_level(b, p, false, false) && read_member(b, &t);
}

static bool read_line(struct block *b)
{
	const char *p = skip_blanks(b->line, b->end);
	struct token key;
	bool entry;

	if (p == b->end || *p == '#') {
		return true;
	}
	entry = begins_entry(b, p);
	if (!settle(b, p, entry)) {
		return false;
	}
	if (entry) {
		return read_entry(b, p);
	}
	return read_token(b, p, &key) && key.key && read_member(b, &key);
}

static bool read_lines(struct block *b, const char *end)
{
	bool good = true;

	for (const char *p = b->text; p < end && good; p = b->end + 1) {
		b->line = p;
		b->end = memchr(p, '\n', (size_t)(end - p));
		b->end = b->end != NULL ? b->end : end;
		b->number++;
		good = read_line(b);
	}
	while (good && b->depth != 0) {
		good = close_level(b);
	}
	return good;
}

bool yaml_block_read(struct arena *a, struct bytes text, struct yaml_doc *out)
{
	struct fault unsaid; /* libyaml's reader will say it */
	struct block *b;
	bool good;

	if (!is_simple(text)) {
		return false;
	}
	b = must_alloc(sizeof(*b));
	yaml_tree_init(&b->tree, a, &unsaid);
	b->text = text.p;
	b->copy = arena_alloc(a, text.n + 1);
	good = b->copy != NULL;
	if (good && text.n != 0) {
		memcpy(b->copy, text.p, text.n);
		good = read_lines(b, text.p + text.n);
	}
	if (good) {
		*out = b->tree.doc;
	}
	yaml_tree_done(&b->tree);
	free(b);
	return good;
}
