/*
 * The table-driven reader of resources: rows say which members a mapping may have, of which type they
 * are and where they go in a struct. For the kind_<noun>.c files and object.c of this room.
 *
 * Null counts as absent. A scalar of another type where a string is demanded gives its source text and
 * a warning, for a person who writes `enableHttps: off` means the text. Values never appear in findings:
 * they may be secrets.
 */
#ifndef RESOURCE_SCHEMA_H
#define RESOURCE_SCHEMA_H

#include "resource/object.h"

enum schema_type {
	SCHEMA_STRING,  /* struct bytes */
	SCHEMA_BOOL,    /* bool */
	SCHEMA_I64,     /* int64_t; also in quotes */
	SCHEMA_PORT,    /* uint64_t, 0..65535; also in quotes */
	SCHEMA_STRINGS, /* struct strings */
	SCHEMA_PAIRS,   /* struct pairs */
	SCHEMA_NODE,    /* const struct yaml_node *: a free-form mapping */
	SCHEMA_PRESENT, /* bool: the member is there and not null */
	SCHEMA_MAP,     /* a mapping whose members go into the same struct, by `items` */
	SCHEMA_LIST,    /* array of structs, by `items`; its length goes to `also` */
};

/* An offset: the member is checked and stored nowhere. */
#define SCHEMA_NOWHERE SIZE_MAX
/* No more rows than this in one schema: they are ticked off in a word. */
#define SCHEMA_ROWS_MAX 64u

struct schema_row {
	const char *path; /* name of the member in its mapping */
	enum schema_type type;
	bool required; /* a warning when it is absent: what needs it will be left out of the plan */
	size_t offset;
	size_t also;  /* SCHEMA_LIST: of the size_t count */
	size_t place; /* of a struct place that says where the value stands; 0: none */
	const struct schema *items; /* SCHEMA_MAP, SCHEMA_LIST */
};

struct schema {
	const struct schema_row *rows;
	size_t n;
	const char *known; /* legal members that nothing is read from, a blank between */
	size_t size;       /* of the struct of a list's items */
	size_t at;         /* its struct place, or SCHEMA_NOWHERE */
};

#define SCHEMA_OF(rows_, known_)                                                                \
	{                                                                                       \
		.rows = (rows_), .n = ARRAY_LEN(rows_), .known = (known_), .at = SCHEMA_NOWHERE \
	}
#define SCHEMA_ITEM(rows_, known_, type_, at_)                                                    \
	{                                                                                         \
		.rows = (rows_), .n = ARRAY_LEN(rows_), .known = (known_), .size = sizeof(type_), \
		.at = offsetof(type_, at_)                                                        \
	}

struct schema_reader {
	struct arena *arena;
	struct findings *findings;
	struct bytes file;
	/* How many may still be added; the last one says that more follow. Errors have a count of their
	 * own: one behind a thousand warnings must not be lost. */
	unsigned left, errors_left;
};

/* Adds a finding at a node. */
void schema_note(struct schema_reader *r, const struct finding *what, const struct yaml_node *at,
	const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Reads the members of `map` (a mapping) into *out, which is zeroed. Problems are findings. */
void schema_read(
	struct schema_reader *r, const struct schema *s, const struct yaml_node *map, void *out);

/* What a directory of the store holds. */
struct kind {
	const char *dir, *name, *api_version;
	const struct schema *schema;      /* of the whole file, into struct object */
	const struct schema *flat;        /* of the form without apiVersion and kind; NULL: none */
	void (*finish)(struct object *o); /* derived members; NULL: none */
	void (*done)(struct object *o);   /* ends what is not in the arena; NULL: nothing */
};

extern const struct kind kind_configmap, kind_envoyfilter, kind_ingress, kind_mcpbridge,
	kind_wasmplugin, kind_secret;
extern const struct schema schema_meta;

#endif
