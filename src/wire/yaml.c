/*
 * libyaml's events, one after the other, into the tree. Open collections are frames of a fixed stack,
 * so depth costs no recursion and is bounded before anything deep exists.
 *
 * An alias is a copy of one node that shares its children; what a reader would walk is counted
 * (weight) and bounded instead of being built, and so is how deep it would go (height). Marks of
 * libyaml count characters: `cursor` follows them through the bytes.
 */
#include "wire/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "base/hash.h"
#include "base/random.h"

/* Attack: libyaml compares each % directive with all before it. */
#define DIRECTIVES_MAX 16u
/* Maps with more members than this are searched through a hash table. */
#define INDEX_FROM 12u
/* Keys repeat: the last ones seen are kept to share their text. */
#define KEYS_KEPT 64u

struct extent {
	size_t weight;   /* nodes below and with a node, aliases expanded */
	unsigned height; /* collections on the longest way down, itself included */
};

struct anchor {
	struct yaml_node node;
	struct extent extent;
	bool open; /* its collection has not ended: an alias to it would be a ring */
};

struct frame {
	struct yaml_node *node;
	struct yaml_node **tail;   /* where the next item goes */
	size_t end;                /* of the last item's bytes */
	struct yaml_node *key;     /* of a map: waits for its value */
	struct yaml_node *sources; /* of a map: values of merge keys, linked by next */
	struct yaml_node *last_source;
	struct extent extent;
	struct anchor *anchor;
	struct map index; /* members by key, once there are many */
	bool flow;
};

struct builder {
	yaml_parser_t parser;
	struct arena *arena;
	struct bytes text; /* without byte order mark */
	size_t skipped;    /* its length */
	bool ascii;
	size_t cursor_index, cursor_byte;
	struct frame frames[YAML_DEPTH_MAX];
	unsigned depth;
	size_t weight; /* of the document so far */
	struct map anchors;
	struct bytes keys[KEYS_KEPT];
	struct yaml_doc doc;
	bool done;
	struct fault *fault;
};

static int PRINTF_LIKE(4, 5)
	fail(const struct builder *b, enum err err, yaml_mark_t at, const char *fmt, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return fault_set(b->fault, err, 0, at.line + 1, "%s, column %zu", what, at.column + 1);
}

/* libyaml's mark as an offset in bytes. Neighbouring marks are near: the cursor walks both ways. */
static size_t byte_of(struct builder *b, yaml_mark_t mark)
{
	if (b->ascii) {
		return MIN(mark.index, b->text.n);
	}
	while (b->cursor_index < mark.index && b->cursor_byte < b->text.n) {
		do {
			b->cursor_byte++;
		} while (b->cursor_byte < b->text.n &&
			((unsigned char)b->text.p[b->cursor_byte] & 0xc0) == 0x80);
		b->cursor_index++;
	}
	while (b->cursor_index > mark.index) {
		do {
			b->cursor_byte--;
		} while (((unsigned char)b->text.p[b->cursor_byte] & 0xc0) == 0x80);
		b->cursor_index--;
	}
	return b->cursor_byte;
}

static int fail_memory(const struct builder *b, yaml_mark_t at)
{
	return fail(b, ERR_LIMIT, at, "the document needs too much memory");
}

/* NULL: the fault is set and the caller returns ERR_LIMIT. */
static void *grab(struct builder *b, size_t size, yaml_mark_t at)
{
	void *p = arena_alloc(b->arena, size);

	if (p == NULL) {
		IGNORE(fail_memory(b, at)); /* said by returning NULL */
	}
	return p;
}

static yaml_mark_t mark_of(const struct yaml_node *n)
{
	return (yaml_mark_t){.line = n->line - 1, .column = n->column - 1};
}

static struct yaml_node *new_node(struct builder *b, const yaml_event_t *ev)
{
	struct yaml_node *n = grab(b, sizeof(*n), ev->start_mark);

	if (n != NULL) {
		n->line = (uint32_t)ev->start_mark.line + 1;
		n->column = (uint32_t)ev->start_mark.column + 1;
		n->beg = b->skipped + byte_of(b, ev->start_mark);
		n->end = b->skipped + byte_of(b, ev->end_mark);
	}
	return n;
}

static int add_weight(struct builder *b, size_t weight, yaml_mark_t at)
{
	b->weight += weight;
	return b->weight <= YAML_NODES_MAX
		? 0
		: fail(b, ERR_LIMIT, at, "the document has more than %u values", YAML_NODES_MAX);
}

/* Keys of the file's common members are the same few words over and over. */
static struct bytes keep_key(struct builder *b, struct bytes key)
{
	struct bytes *kept = &b->keys[key.n % KEYS_KEPT];

	if (key.n != 0) {
		unsigned char first = (unsigned char)key.p[0],
			      last = (unsigned char)key.p[key.n - 1];

		kept = &b->keys[(key.n * 31u + first * 7u + last) % KEYS_KEPT];
	}
	if (kept->p == NULL || !bytes_eq(*kept, key)) {
		struct bytes copy = arena_copy(b->arena, key);

		if (copy.p == NULL) {
			return copy;
		}
		*kept = copy;
	}
	return *kept;
}

/* ---- maps ---- */

static struct yaml_node *find_member(const struct frame *f, struct bytes key)
{
	if (f->index.n != 0) {
		return map_get(&f->index, key);
	}
	for (struct yaml_node *v = f->node->items; v != NULL; v = v->next) {
		if (bytes_eq(v->key->text, key)) {
			return v;
		}
	}
	return NULL;
}

static void append(struct frame *f, struct yaml_node *n)
{
	*f->tail = n;
	f->tail = &n->next;
	f->node->n++;
}

static void append_member(struct frame *f, struct yaml_node *value)
{
	append(f, value);
	if (f->node->n < INDEX_FROM) {
		return;
	}
	if (f->index.n == 0) {
		struct hash_seed seed;

		random_secret(&seed, sizeof(seed));
		map_init(&f->index, &seed);
		for (struct yaml_node *v = f->node->items; v != NULL; v = v->next) {
			IGNORE(map_put(&f->index, v->key->text, v)); /* they differ */
		}
	} else {
		IGNORE(map_put(&f->index, value->key->text, value)); /* it was not there */
	}
}

static void put_member(struct builder *b, struct frame *f, struct yaml_node *value)
{
	struct yaml_node *before = find_member(f, value->key->text);

	if (before == NULL) {
		append_member(f, value);
		return;
	}
	if (b->doc.duplicate == NULL) {
		b->doc.duplicate = value->key;
	}
	value->next = before->next;
	*before = *value;
}

static bool is_merge(const struct yaml_node *key)
{
	return !key->quoted && bytes_eq(key->text, BYTES("<<"));
}

static bool can_merge(const struct yaml_node *source)
{
	if (source->type != YAML_SEQ) {
		return source->type == YAML_MAP;
	}
	for (const struct yaml_node *m = source->items; m != NULL; m = m->next) {
		if (m->type != YAML_MAP) {
			return false;
		}
	}
	return true;
}

static int merge_map(struct builder *b, struct frame *f, const struct yaml_node *source)
{
	for (const struct yaml_node *v = source->items; v != NULL; v = v->next) {
		struct yaml_node *copy;

		if (find_member(f, v->key->text) != NULL) {
			continue;
		}
		copy = grab(b, sizeof(*copy), mark_of(v));
		if (copy == NULL) {
			return ERR_LIMIT;
		}
		*copy = *v;
		copy->next = NULL;
		append_member(f, copy);
	}
	return 0;
}

/* Own members are complete now and win; earlier sources win over later ones. */
static int merge_sources(struct builder *b, struct frame *f)
{
	int rc = 0;

	for (struct yaml_node *s = f->sources; s != NULL && rc == 0; s = s->next) {
		if (s->type == YAML_MAP) {
			rc = merge_map(b, f, s);
			continue;
		}
		for (struct yaml_node *m = s->items; m != NULL && rc == 0; m = m->next) {
			rc = merge_map(b, f, m);
		}
	}
	return rc;
}

static int add_member(struct builder *b, struct frame *f, struct yaml_node *n)
{
	if (f->key == NULL) {
		f->key = n;
		return 0;
	}
	n->key = f->key;
	f->key = NULL;
	if (!is_merge(n->key)) {
		put_member(b, f, n);
		return 0;
	}
	if (!can_merge(n)) {
		return fail(b, ERR_SYNTAX, mark_of(n),
			"a merge key (<<) needs a mapping or a list of mappings");
	}
	*(f->last_source != NULL ? &f->last_source->next : &f->sources) = n;
	f->last_source = n;
	return 0;
}

/* ---- events ---- */

static bool expects_key(const struct builder *b)
{
	const struct frame *f = b->depth != 0 ? &b->frames[b->depth - 1] : NULL;

	return f != NULL && f->node->type == YAML_MAP && f->key == NULL;
}

/* The node is complete: it goes into the open collection, or is the root. */
static int place_node(struct builder *b, struct yaml_node *n, struct extent e)
{
	struct frame *f;

	if (b->depth == 0) {
		b->doc.root = n;
		return 0;
	}
	f = &b->frames[b->depth - 1];
	f->end = MAX(f->end, n->end);
	f->extent.weight += e.weight;
	f->extent.height = MAX(f->extent.height, e.height + 1);
	if (f->node->type == YAML_MAP) {
		return add_member(b, f, n);
	}
	append(f, n);
	return 0;
}

static int new_anchor(
	struct builder *b, const unsigned char *name, yaml_mark_t at, struct anchor **out)
{
	struct bytes key;

	*out = NULL;
	if (name == NULL) {
		return 0;
	}
	key = arena_copy(b->arena, bytes_str((const char *)name));
	*out = arena_alloc(b->arena, sizeof(**out));
	if (key.p == NULL || *out == NULL) {
		return fail_memory(b, at);
	}
	(*out)->open = true;
	if (b->anchors.cap == 0) {
		struct hash_seed seed;

		random_secret(&seed, sizeof(seed));
		map_init(&b->anchors, &seed);
	}
	IGNORE(map_put(&b->anchors, key, *out)); /* an anchor may be defined anew */
	return 0;
}

static void close_anchor(struct anchor *a, const struct yaml_node *n, struct extent e)
{
	if (a != NULL) {
		*a = (struct anchor){.node = *n, .extent = e};
	}
}

/* The value of the anchor at the place of the alias; the children are shared. */
static void become_copy(struct yaml_node *alias, const struct yaml_node *anchored)
{
	struct yaml_node here = *alias;

	*alias = *anchored;
	alias->line = here.line;
	alias->column = here.column;
	alias->beg = here.beg;
	alias->end = here.end;
	alias->key = alias->next = NULL;
}

static int on_alias(struct builder *b, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	const struct anchor *a = map_get(&b->anchors, bytes_str(name));
	struct yaml_node *n;

	if (a == NULL || a->open) {
		return fail(b, ERR_SYNTAX, ev->start_mark,
			a == NULL ? "the alias names no anchor before it"
				  : "the alias stands inside of its own anchor");
	}
	if (b->depth + a->extent.height > YAML_DEPTH_MAX) {
		return fail(b, ERR_LIMIT, ev->start_mark, "nested deeper than %u", YAML_DEPTH_MAX);
	}
	if (expects_key(b) && a->extent.height != 0) {
		return fail(b, ERR_SYNTAX, ev->start_mark, "a key must be a plain text");
	}
	if (add_weight(b, a->extent.weight, ev->start_mark) != 0 || (n = new_node(b, ev)) == NULL) {
		return ERR_LIMIT;
	}
	become_copy(n, &a->node);
	return place_node(b, n, a->extent);
}

/* What a tag of YAML's own makes of a scalar; tags of others do not change the text. */
static int apply_tag(struct builder *b, struct yaml_node *n, const yaml_event_t *ev)
{
	struct bytes tag = bytes_str((const char *)ev->data.scalar.tag);

	if (bytes_eq(tag, BYTES("tag:yaml.org,2002:binary"))) {
		return fail(b, ERR_SYNTAX, ev->start_mark, "!!binary is not supported");
	}
	if (bytes_eq(tag, BYTES(YAML_INT_TAG)) || bytes_eq(tag, BYTES(YAML_FLOAT_TAG)) ||
		bytes_eq(tag, BYTES(YAML_BOOL_TAG)) || bytes_eq(tag, BYTES(YAML_NULL_TAG))) {
		n->quoted = false;
		yaml_resolve(n->text, n);
		return 0;
	}
	n->quoted = true;
	return 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *ev)
{
	struct bytes text = {(const char *)ev->data.scalar.value, ev->data.scalar.length};
	struct yaml_node *n = new_node(b, ev);
	struct anchor *anchor;

	if (n == NULL || add_weight(b, 1, ev->start_mark) != 0 ||
		new_anchor(b, ev->data.scalar.anchor, ev->start_mark, &anchor) != 0) {
		return ERR_LIMIT;
	}
	n->text = expects_key(b) ? keep_key(b, text) : arena_copy(b->arena, text);
	if (n->text.p == NULL) {
		return fail_memory(b, ev->start_mark);
	}
	n->type = YAML_STRING;
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (ev->data.scalar.tag != NULL) {
		int rc = apply_tag(b, n, ev);

		if (rc != 0) {
			return rc;
		}
	} else if (!n->quoted) {
		yaml_resolve(n->text, n);
	}
	close_anchor(anchor, n, (struct extent){1, 0});
	return place_node(b, n, (struct extent){1, 0});
}

static int on_start(
	struct builder *b, const yaml_event_t *ev, enum yaml_type type, const unsigned char *anchor)
{
	struct frame *f;

	if (b->depth == YAML_DEPTH_MAX) {
		return fail(b, ERR_LIMIT, ev->start_mark, "nested deeper than %u", YAML_DEPTH_MAX);
	}
	if (expects_key(b)) {
		return fail(b, ERR_SYNTAX, ev->start_mark, "a key must be a plain text");
	}
	f = &b->frames[b->depth];
	*f = (struct frame){.node = new_node(b, ev), .extent = {1, 1}};
	if (f->node == NULL || add_weight(b, 1, ev->start_mark) != 0 ||
		new_anchor(b, anchor, ev->start_mark, &f->anchor) != 0) {
		return ERR_LIMIT;
	}
	f->node->type = type;
	f->tail = &f->node->items;
	f->flow = type == YAML_SEQ ? ev->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
				   : ev->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	b->depth++;
	return 0;
}

/* Where a block collection ends is only known by what follows it; its own end is its last item's. */
static size_t end_of(struct builder *b, const struct frame *f, const yaml_event_t *ev)
{
	if (f->flow) {
		return b->skipped + byte_of(b, ev->end_mark);
	}
	return MAX(f->end, f->node->beg);
}

static int on_end(struct builder *b, const yaml_event_t *ev)
{
	struct frame *f = &b->frames[b->depth - 1];
	int rc;

	f->node->end = end_of(b, f, ev);
	rc = merge_sources(b, f);
	if (rc != 0) {
		return rc;
	}
	map_done(&f->index);
	b->depth--;
	close_anchor(f->anchor, f->node, f->extent);
	return place_node(b, f->node, f->extent);
}

/* What stands behind the first document: nothing, a further document (left unread, so that it need not
 * even be YAML), or text that was meant to belong to the first. */
static int on_document_end(struct builder *b, const yaml_event_t *ev)
{
	const char *p = b->text.p + byte_of(b, ev->end_mark);
	const char *end = b->text.p + b->text.n;
	yaml_mark_t at = ev->end_mark;
	bool closed = ev->data.document_end.implicit == 0;

	b->done = true;
	for (; p < end; p++) {
		bool first = p == b->text.p || p[-1] == '\n' || p[-1] == '\r';

		if (*p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'))) {
			at.line++;
		} else if (*p == '#') {
			while (p + 1 < end && p[1] != '\n' && p[1] != '\r') {
				p++;
			}
		} else if (first && end - p >= 3 && memcmp(p, "...", 3) == 0) {
			closed = true;
			p += 2;
		} else if (*p != ' ' && *p != '\t' && *p != '\r') {
			b->doc.more = closed || (first && (*p == '-' || *p == '%'));
			b->doc.more_line = (uint32_t)at.line + 1;
			return b->doc.more
				? 0
				: fail(b, ERR_SYNTAX, at, "text follows the end of the document");
		}
	}
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return on_alias(b, ev);
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, ev, YAML_SEQ, ev->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, ev, YAML_MAP, ev->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(b, ev);
	case YAML_DOCUMENT_END_EVENT:
		return on_document_end(b, ev);
	case YAML_STREAM_END_EVENT:
		b->done = true;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		break;
	}
	return 0;
}

/* libyaml's reader knows the byte, its scanner and parser know line and column. */
static int parser_fault(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	const char *what = p->problem != NULL ? p->problem : "not YAML";
	yaml_mark_t at = p->problem_mark;

	if (p->error == YAML_MEMORY_ERROR) {
		return fail_memory(b, at);
	}
	if (p->error == YAML_READER_ERROR) {
		size_t n = MIN(p->problem_offset, b->text.n);

		at = (yaml_mark_t){0};
		for (size_t i = 0; i < n; i++) {
			at.column += ((unsigned char)b->text.p[i] & 0xc0) != 0x80;
			if (b->text.p[i] == '\n') {
				at = (yaml_mark_t){.line = at.line + 1};
			}
		}
	}
	return fail(b, ERR_SYNTAX, at, "%s", what);
}

static int run(struct builder *b)
{
	int rc = 0;

	while (rc == 0 && !b->done) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&b->parser, &ev)) {
			return parser_fault(b);
		}
		rc = on_event(b, &ev);
		yaml_event_delete(&ev);
	}
	return rc;
}

static bool too_many_directives(struct bytes text)
{
	size_t n = 0;

	while (text.p != NULL && n <= DIRECTIVES_MAX) {
		struct bytes line = bytes_cut(&text, '\n');
		struct bytes inside = bytes_trim(line);

		if (line.n != 0 && line.p[0] == '%') {
			n++;
		} else if (inside.n != 0 && inside.p[0] != '#' && inside.p[0] != '\r') {
			break;
		}
	}
	return n > DIRECTIVES_MAX;
}

static bool is_ascii(struct bytes text)
{
	unsigned char any = 0;

	for (size_t i = 0; i < text.n; i++) {
		any |= (unsigned char)text.p[i];
	}
	return any < 0x80;
}

int yaml_parse(struct arena *a, struct bytes text, struct yaml_doc *out, struct fault *fault)
{
	struct builder *b;
	int rc;

	if (text.n > UINT32_MAX || too_many_directives(text)) {
		return fault_set(
			fault, ERR_LIMIT, 0, 1, "too large or too many %% directives, column 1");
	}
	b = must_alloc(sizeof(*b));
	b->arena = a;
	b->fault = fault;
	b->skipped = bytes_starts(text, BYTES("\xef\xbb\xbf")) ? 3 : 0;
	b->text = text.n != 0 ? bytes_of(text.p + b->skipped, text.n - b->skipped) : BYTES("");
	b->ascii = is_ascii(b->text);
	if (!yaml_parser_initialize(&b->parser)) {
		free(b);
		return fault_set(fault, ERR_LIMIT, 0, 1, "no memory, column 1");
	}
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)b->text.p, b->text.n);
	rc = run(b);
	if (rc == 0) {
		*out = b->doc;
	}
	for (unsigned i = 0; i < b->depth; i++) {
		map_done(&b->frames[i].index);
	}
	map_done(&b->anchors);
	yaml_parser_delete(&b->parser);
	free(b);
	return rc;
}
