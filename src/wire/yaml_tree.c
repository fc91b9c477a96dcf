/*
 * Open collections are frames of a fixed stack, so depth costs no recursion and is bounded before
 * anything deep exists.
 *
 * An alias is a copy of one node that shares its children; what a reader would walk is counted
 * (weight) and bounded instead of being built, and so is how deep it would go (height).
 */
#include "wire/yaml_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "base/random.h"

/* Maps with more members than this are searched through a hash table. */
#define INDEX_FROM 12u

struct yaml_anchor {
	struct yaml_node node;
	struct yaml_extent extent;
	bool open; /* its collection has not ended: an alias to it would be a ring */
};

void yaml_tree_init(struct yaml_tree *t, struct arena *a, struct fault *fault)
{
	*t = (struct yaml_tree){.arena = a, .fault = fault, .run_next = 2};
}

void yaml_tree_done(struct yaml_tree *t)
{
	for (unsigned i = 0; i < t->depth; i++) {
		map_done(&t->frames[i].index);
	}
	map_done(&t->anchors);
}

int yaml_tree_fail(
	const struct yaml_tree *t, enum err err, const struct yaml_spot *at, const char *fmt, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return fault_set(t->fault, err, 0, at->line, "%s, column %u", what, at->column);
}

int yaml_tree_no_memory(const struct yaml_tree *t, const struct yaml_spot *at)
{
	return yaml_tree_fail(t, ERR_LIMIT, at, "the document needs too much memory");
}

static struct yaml_spot spot_of(const struct yaml_node *n)
{
	return (struct yaml_spot){n->line, n->column, n->beg, n->end};
}

/* NULL: the fault is set and the caller returns ERR_LIMIT. */
static struct yaml_node *new_node(struct yaml_tree *t, const struct yaml_spot *at)
{
	struct yaml_node *n;

	if (t->run_left == 0) {
		t->run = arena_alloc(t->arena, t->run_next * sizeof(*t->run));
		if (t->run == NULL) {
			IGNORE(yaml_tree_no_memory(t, at)); /* said by returning NULL */
			return NULL;
		}
		t->run_left = t->run_next;
		t->run_next = MIN(t->run_next * 2, YAML_NODES_RUN);
	}
	t->run_left--;
	n = t->run++;
	n->line = at->line;
	n->column = at->column;
	n->beg = at->beg;
	n->end = at->end;
	return n;
}

static int add_weight(struct yaml_tree *t, size_t weight, const struct yaml_spot *at)
{
	t->weight += weight;
	return t->weight <= YAML_NODES_MAX
		? 0
		: yaml_tree_fail(
			  t, ERR_LIMIT, at, "the document has more than %u values", YAML_NODES_MAX);
}

/* Keys of the file's common members are the same few words over and over. */
static struct bytes keep_key(struct yaml_tree *t, struct bytes key)
{
	struct bytes *kept = &t->keys[0];

	if (key.n != 0) {
		unsigned char first = (unsigned char)key.p[0],
			      last = (unsigned char)key.p[key.n - 1];

		kept = &t->keys[(key.n * 31u + first * 7u + last) % YAML_KEYS_KEPT];
	}
	if (kept->p == NULL || !bytes_eq(*kept, key)) {
		struct bytes copy = arena_copy(t->arena, key);

		if (copy.p == NULL) {
			return copy;
		}
		*kept = copy;
	}
	return *kept;
}

/* --- maps --------------------------------------------------------------------------------------- */

static struct yaml_node *find_member(const struct yaml_frame *f, struct bytes key)
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

static void append(struct yaml_frame *f, struct yaml_node *n)
{
	*f->tail = n;
	f->tail = &n->next;
	f->node->n++;
}

static void append_member(struct yaml_frame *f, struct yaml_node *value)
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

static void put_member(struct yaml_tree *t, struct yaml_frame *f, struct yaml_node *value)
{
	struct yaml_node *before = find_member(f, value->key->text);

	if (before == NULL) {
		append_member(f, value);
		return;
	}
	if (t->doc.duplicate == NULL) {
		t->doc.duplicate = value->key;
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

static int merge_map(struct yaml_tree *t, struct yaml_frame *f, const struct yaml_node *source)
{
	for (const struct yaml_node *v = source->items; v != NULL; v = v->next) {
		struct yaml_node *copy;

		if (find_member(f, v->key->text) != NULL) {
			continue;
		}
		copy = arena_alloc(t->arena, sizeof(*copy));
		if (copy == NULL) {
			return yaml_tree_no_memory(
				t, &(struct yaml_spot){v->line, v->column, 0, 0});
		}
		*copy = *v;
		copy->next = NULL;
		append_member(f, copy);
	}
	return 0;
}

/* Own members are complete now and win; earlier sources win over later ones. */
static int merge_sources(struct yaml_tree *t, struct yaml_frame *f)
{
	int rc = 0;

	for (struct yaml_node *s = f->sources; s != NULL && rc == 0; s = s->next) {
		if (s->type == YAML_MAP) {
			rc = merge_map(t, f, s);
			continue;
		}
		for (struct yaml_node *m = s->items; m != NULL && rc == 0; m = m->next) {
			rc = merge_map(t, f, m);
		}
	}
	return rc;
}

static int add_member(struct yaml_tree *t, struct yaml_frame *f, struct yaml_node *n)
{
	if (f->key == NULL) {
		f->key = n;
		return 0;
	}
	n->key = f->key;
	f->key = NULL;
	if (!is_merge(n->key)) {
		put_member(t, f, n);
		return 0;
	}
	if (!can_merge(n)) {
		struct yaml_spot at = spot_of(n);

		return yaml_tree_fail(t, ERR_SYNTAX, &at,
			"a merge key (<<) needs a mapping or a list of mappings");
	}
	*(f->last_source != NULL ? &f->last_source->next : &f->sources) = n;
	f->last_source = n;
	return 0;
}

/* --- nodes -------------------------------------------------------------------------------------- */

static bool expects_key(const struct yaml_tree *t)
{
	const struct yaml_frame *f = t->depth != 0 ? &t->frames[t->depth - 1] : NULL;

	return f != NULL && f->node->type == YAML_MAP && f->key == NULL;
}

/* The node is complete: it goes into the open collection, or is the root. */
static int place_node(struct yaml_tree *t, struct yaml_node *n, struct yaml_extent e)
{
	struct yaml_frame *f;

	if (t->depth == 0) {
		t->doc.root = n;
		return 0;
	}
	f = &t->frames[t->depth - 1];
	f->end = MAX(f->end, n->end);
	f->extent.weight += e.weight;
	f->extent.height = MAX(f->extent.height, e.height + 1);
	if (f->node->type == YAML_MAP) {
		return add_member(t, f, n);
	}
	append(f, n);
	return 0;
}

static int new_anchor(
	struct yaml_tree *t, const char *name, const struct yaml_spot *at, struct yaml_anchor **out)
{
	struct bytes key;

	*out = NULL;
	if (name == NULL) {
		return 0;
	}
	key = arena_copy(t->arena, bytes_str(name));
	*out = arena_alloc(t->arena, sizeof(**out));
	if (key.p == NULL || *out == NULL) {
		return yaml_tree_no_memory(t, at);
	}
	(*out)->open = true;
	if (t->anchors.cap == 0) {
		struct hash_seed seed;

		random_secret(&seed, sizeof(seed));
		map_init(&t->anchors, &seed);
	}
	IGNORE(map_put(&t->anchors, key, *out)); /* an anchor may be defined anew */
	return 0;
}

static void close_anchor(struct yaml_anchor *a, const struct yaml_node *n, struct yaml_extent e)
{
	if (a != NULL) {
		*a = (struct yaml_anchor){.node = *n, .extent = e};
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

int yaml_tree_alias(struct yaml_tree *t, const struct yaml_spot *at, const char *name)
{
	const struct yaml_anchor *a = map_get(&t->anchors, bytes_str(name));
	struct yaml_node *n;

	if (a == NULL || a->open) {
		return yaml_tree_fail(t, ERR_SYNTAX, at,
			a == NULL ? "the alias names no anchor before it"
				  : "the alias stands inside of its own anchor");
	}
	if (t->depth + a->extent.height > YAML_DEPTH_MAX) {
		return yaml_tree_fail(t, ERR_LIMIT, at, "nested deeper than %u", YAML_DEPTH_MAX);
	}
	if (expects_key(t) && a->extent.height != 0) {
		return yaml_tree_fail(t, ERR_SYNTAX, at, "a key must be a plain text");
	}
	if (add_weight(t, a->extent.weight, at) != 0 || (n = new_node(t, at)) == NULL) {
		return ERR_LIMIT;
	}
	become_copy(n, &a->node);
	return place_node(t, n, a->extent);
}

/* What a tag of YAML's own makes of a scalar; tags of others do not change the text. */
static int apply_tag(
	struct yaml_tree *t, struct yaml_node *n, const struct yaml_spot *at, const char *name)
{
	struct bytes tag = bytes_str(name);

	if (bytes_eq(tag, BYTES("tag:yaml.org,2002:binary"))) {
		return yaml_tree_fail(t, ERR_SYNTAX, at, "!!binary is not supported");
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

static struct bytes keep_text(struct yaml_tree *t, const struct yaml_scalar *s)
{
	if (s->kept) {
		return s->text;
	}
	return expects_key(t) ? keep_key(t, s->text) : arena_copy(t->arena, s->text);
}

int yaml_tree_scalar(struct yaml_tree *t, const struct yaml_spot *at, const struct yaml_scalar *s)
{
	struct yaml_node *n = new_node(t, at);
	struct yaml_anchor *anchor;

	if (n == NULL || add_weight(t, 1, at) != 0 || new_anchor(t, s->anchor, at, &anchor) != 0) {
		return ERR_LIMIT;
	}
	n->text = keep_text(t, s);
	if (n->text.p == NULL) {
		return yaml_tree_no_memory(t, at);
	}
	n->type = YAML_STRING;
	n->quoted = !s->plain;
	if (s->tag != NULL) {
		int rc = apply_tag(t, n, at, s->tag);

		if (rc != 0) {
			return rc;
		}
	} else if (s->plain) {
		yaml_resolve(n->text, n);
	}
	close_anchor(anchor, n, (struct yaml_extent){1, 0});
	return place_node(t, n, (struct yaml_extent){1, 0});
}

int yaml_tree_start(
	struct yaml_tree *t, const struct yaml_spot *at, enum yaml_type type, const char *anchor)
{
	struct yaml_frame *f;

	if (t->depth == YAML_DEPTH_MAX) {
		return yaml_tree_fail(t, ERR_LIMIT, at, "nested deeper than %u", YAML_DEPTH_MAX);
	}
	if (expects_key(t)) {
		return yaml_tree_fail(t, ERR_SYNTAX, at, "a key must be a plain text");
	}
	f = &t->frames[t->depth];
	*f = (struct yaml_frame){.node = new_node(t, at), .extent = {1, 1}};
	if (f->node == NULL || add_weight(t, 1, at) != 0 ||
		new_anchor(t, anchor, at, &f->anchor) != 0) {
		return ERR_LIMIT;
	}
	f->node->type = type;
	f->tail = &f->node->items;
	t->depth++;
	return 0;
}

int yaml_tree_end(struct yaml_tree *t, uint32_t end)
{
	struct yaml_frame *f = &t->frames[t->depth - 1];
	int rc;

	f->node->end = end != 0 ? end : MAX(f->end, f->node->beg);
	rc = merge_sources(t, f);
	if (rc != 0) {
		return rc;
	}
	map_done(&f->index);
	t->depth--;
	close_anchor(f->anchor, f->node, f->extent);
	return place_node(t, f->node, f->extent);
}
