/*
 * A document that can be edited: what YAML and JSON have in common, as a tree in an arena. Management
 * reads requests into it, changes resources in it and writes both formats from it. No data path.
 *
 * A document made of a YAML tree is opened level by level, as far as somebody looks: one entry of a
 * list of 100,000 can be changed without a copy of the others. What was not opened is known to be
 * unchanged (wire/yaml_edit.h).
 */
#ifndef WIRE_DOC_H
#define WIRE_DOC_H

#include "wire/json.h"
#include "wire/yaml.h"

enum doc_type { DOC_NULL, DOC_BOOL, DOC_INT, DOC_FLOAT, DOC_STRING, DOC_LIST, DOC_MAP };

struct doc {
	enum doc_type type : 8;
	bool boolean : 1;
	bool closed : 1; /* items have not been made of the origin's yet: ask doc_first */
	size_t n;        /* of items, also when closed */
	int64_t integer; /* DOC_INT */
	double number;   /* DOC_INT and DOC_FLOAT */
	/* DOC_STRING: the content; numbers: as they were written where JSON would write them so, too;
	 * empty when set by a program. */
	struct bytes text;
	struct bytes key; /* of a map's value */
	struct doc *items, *last, *next;
	/* What it was made of; NULL: of nothing, it is new. What is put in the place of a node has an
	 * origin of its own or none, those above it keep theirs (their spans are where the change is
	 * written). */
	const struct yaml_node *origin;
};

/* --- made; everything lives in the arena, texts are not copied (doc_string_copy does) ---------------
 *
 * When the arena is full, what makes something returns NULL, what is given a NULL does nothing, and what
 * would look into a part that cannot be opened finds nothing: ask arena_full once, at the end. */

struct doc *doc_null(struct arena *a);
struct doc *doc_bool(struct arena *a, bool v);
struct doc *doc_int(struct arena *a, int64_t v);
struct doc *doc_float(struct arena *a, double v);
struct doc *doc_string(struct arena *a, struct bytes s);
struct doc *doc_str(struct arena *a, const char *s);
struct doc *doc_string_copy(struct arena *a, struct bytes s);
struct doc *doc_list(struct arena *a);
struct doc *doc_map(struct arena *a);

/* The tree must outlive the document. Duplicate keys of JSON: the last wins, at the place of the first.
 * NULL gives null. */
struct doc *doc_of_json(struct arena *a, const struct json_value *v);
struct doc *doc_of_yaml(struct arena *a, const struct yaml_node *n);
/* A copy that shares texts and origins. A node has one place: what shall stand in two is copied. */
struct doc *doc_copy(struct arena *a, const struct doc *d);

/* --- read ----------------------------------------------------------------------------------------- */

/* First item of a list or map, opened if need be; then ->next. NULL: d is NULL, scalar or empty. */
struct doc *doc_first(struct arena *a, const struct doc *d);
/* NULL when m is NULL, no map, or has no such key. */
struct doc *doc_get(struct arena *a, const struct doc *m, const char *key);
struct doc *doc_get_bytes(struct arena *a, const struct doc *m, struct bytes key);
/* Text of the string under key, def when there is none. Opens nothing: for a search through a long
 * list of maps. */
struct bytes doc_peek(const struct doc *m, const char *key, struct bytes def);
/* Down a path of keys, ".": "metadata.labels" (for keys that hold no dot). */
struct doc *doc_at(struct arena *a, const struct doc *m, const char *path);
/* NULL and JSON null alike count as absent. */
static inline bool doc_given(const struct doc *d)
{
	return d != NULL && d->type != DOC_NULL;
}
/* Text of a string, def of anything else. */
struct bytes doc_text(const struct doc *d, struct bytes def);
/* Same types and values; 1 and 1.0 are equal; maps whatever their order. Unopened parts of one origin
 * are equal without a look. */
bool doc_equal(struct arena *a, const struct doc *x, const struct doc *y);
/* The same against a tree that was read: for the check of what was written. */
bool doc_is_yaml(struct arena *a, const struct doc *d, const struct yaml_node *n);

/* --- changed -------------------------------------------------------------------------------------- */

/* Puts value under key: in place of the one that is there, else behind the others. A value that equals
 * the one that is there changes nothing (the old node stays). Returns the node that is in the map; NULL
 * when m or value is NULL or m is no map: nothing happened. */
struct doc *doc_set(struct arena *a, struct doc *m, const char *key, struct doc *value);
struct doc *doc_set_bytes(struct arena *a, struct doc *m, struct bytes key, struct doc *value);
/* Whether it was there. */
bool doc_drop(struct arena *a, struct doc *m, const char *key);
bool doc_drop_bytes(struct arena *a, struct doc *m, struct bytes key);
/* The map under key, made when it is absent, null or no map. */
struct doc *doc_need_map(struct arena *a, struct doc *m, const char *key);
struct doc *doc_need_list(struct arena *a, struct doc *m, const char *key);
/* Lists (of what is no list nothing happens). at, old and item stand in the list, at == NULL: in front. */
void doc_append(struct arena *a, struct doc *list, struct doc *item);
void doc_insert_after(struct arena *a, struct doc *list, struct doc *at, struct doc *item);
void doc_replace(struct arena *a, struct doc *list, struct doc *old, struct doc *item);
void doc_remove(struct arena *a, struct doc *list, struct doc *item);

/* --- written -------------------------------------------------------------------------------------- */

/* Compact JSON, members in their order. Numbers as they were written where they were read from JSON;
 * numbers without a fraction carry none; what YAML holds and JSON does not (.inf) becomes null. */
void doc_put_json(struct arena *a, struct json_writer *w, const struct doc *d);
/* A copy that shares nothing with what it was made of, which may go: all of it is opened, and JSON holds it. NULL: no
 * room in the arena. */
struct doc *doc_detached(struct arena *a, const struct doc *d);
/* Compact JSON as Gson writes it (higress-resources.md §2.4): < > & = ' and U+2028/9 as escapes, null
 * members of maps left out. */
void doc_put_gson(struct arena *a, struct text *out, const struct doc *d);

#endif
