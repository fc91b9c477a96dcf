/*
 * Entries of a long list by name: made when somebody lists them for the first time, kept with the object, which
 * never changes, and shared by all who read it.
 */
#ifndef RESOURCE_NAME_INDEX_H
#define RESOURCE_NAME_INDEX_H

#include "resource/object.h"

struct name_entry {
	struct bytes name; /* member "name"; empty when it has none that is a text */
	const struct yaml_node *entry;
};

struct name_index {
	const struct yaml_node *list;
	struct name_entry *v; /* by name; those of one name in the order of the file */
	size_t n;
	struct bytes *shown; /* names of those to be listed, each once, sorted */
	size_t n_shown;
};

/* The name of an entry of a list: its member "name", "" when it has none that is a text. */
struct bytes name_index_name(const struct yaml_node *entry);
/* The index of a list in the tree of o; `shown` says what is listed, and is the same at every call. Lives
 * as long as the object. NULL: the object has an index of another list. Any thread; several may make it at
 * once, one is kept. */
const struct name_index *name_index_need(struct object *o, const struct yaml_node *list,
	bool (*shown)(const struct yaml_node *entry));
/* The first entry of that name; NULL when there is none. By the index when it was made, else one by one:
 * for a single question it is not worth making. o may be NULL. */
const struct yaml_node *name_index_find(
	struct object *o, const struct yaml_node *list, struct bytes name);
/* Of object_unref. */
void name_index_free(struct name_index *x);

#endif
