/*
 * What the doc_*.c files share: nodes of a YAML tree as documents, members by key. Inside the room only.
 */
#ifndef WIRE_DOC_INT_H
#define WIRE_DOC_INT_H

#include "base/hash.h"
#include "wire/doc.h"

/* Maps with more members than this are searched through a hash table. */
#define DOC_INDEX_FROM 16u

/* *d as doc_of_yaml makes it, closed. */
void doc_fill(struct doc *d, const struct yaml_node *n);
/* Whether the text of a number that was read is what a writer may write again, in JSON and in YAML. */
bool doc_literal_stays(const struct doc *d);
/* A scalar of the document against one that was read. */
bool doc_scalar_is(const struct doc *d, const struct yaml_node *n);

/* Members of one map by key. The first look makes the table of a large one. */
struct doc_members {
	struct arena *arena;
	const struct doc *doc; /* one of the two is NULL */
	const struct yaml_node *yaml;
	struct map index;
};

/* NULL when there is none. */
const struct doc *doc_members_doc(struct doc_members *m, struct bytes key);
const struct yaml_node *doc_members_yaml(struct doc_members *m, struct bytes key);
void doc_members_done(struct doc_members *m);

/* Text of a number: shortest that reads back as the same. False in JSON: there is none (.inf). */
MUST_CHECK bool doc_put_number_json(struct text *out, const struct doc *d);
/* As go-yaml writes what went through JSON: whole numbers below 2^64 in digits, others as Go's %g. */
void doc_put_number_yaml(struct text *out, const struct doc *d);

#endif
