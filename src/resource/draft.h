/*
 * A change set on its way: documents of a snapshot's objects, opened for editing, made and removed. What
 * an operation (resource/op_<noun>.c) leaves behind is what the store commits. Pure: no file is touched.
 */
#ifndef RESOURCE_DRAFT_H
#define RESOURCE_DRAFT_H

#include "resource/object.h"
#include "wire/doc.h"

#define NAMESPACE "higress-system"

enum change_what { CHANGE_CREATE, CHANGE_UPDATE, CHANGE_REMOVE };

struct change {
	enum change_what what;
	enum resource_kind kind;
	struct bytes name;
	struct doc *root; /* the whole object as it shall be; NULL: removed */
	struct object
		*before; /* what the snapshot has; NULL: made. Not counted: the snapshot holds it */
	struct change *next; /* in the order of first touch, which is the order of writing */
	bool touched;        /* of drafts: opened for writing */
	struct change *prev, *same_bucket; /* of drafts */
};

struct draft {
	const struct snapshot *base; /* the caller's, outlives the draft */
	struct arena *arena;         /* of documents and texts, the caller's */
	/* Changes; until draft_finish also what was only looked at. */
	struct change *first, *last;
	size_t n;
	/* By kind and name, made with the first of them; n_buckets is a power of two. */
	struct change **buckets;
	size_t n_buckets;
};

/* base NULL: nothing is there. Names and texts that are given must live as long as the arena. */
void draft_init(struct draft *d, const struct snapshot *base, struct arena *arena);

/* To look at: the object as the draft has it by now; NULL: there is none. Must not be changed. */
const struct doc *draft_look(struct draft *d, enum resource_kind kind, struct bytes name);
/* To change; NULL: there is none. */
struct doc *draft_open(struct draft *d, enum resource_kind kind, struct bytes name);
/* The same, made when there is none: apiVersion, kind, metadata.name and .namespace are filled. */
struct doc *draft_need(struct draft *d, enum resource_kind kind, struct bytes name);
/* Another content for an object that may exist. Members of its metadata that the new one does not name
 * stay (creationTimestamp, managedFields, finalizers …), but not labels and annotations: there root says
 * all. root is a map and is the draft's afterwards. */
void draft_replace(struct draft *d, enum resource_kind kind, struct bytes name, struct doc *root);
/* Whether it was there. */
bool draft_remove(struct draft *d, enum resource_kind kind, struct bytes name);
/* resourceVersion of the object in the draft's base; "" when there is none. */
struct bytes draft_version(const struct draft *d, enum resource_kind kind, struct bytes name);

/* All objects of one kind as the draft has them: base order, made ones behind. Returns false at the end.
 * Begin with a zeroed walk; what was returned may be opened, replaced and removed meanwhile. */
struct draft_walk {
	size_t at;
	const struct change *made;
};
bool draft_next(struct draft *d, struct draft_walk *w, enum resource_kind kind, struct bytes *name,
	const struct doc **root);

/*
 * Ends the drafting: objects whose document equals what is there are dropped from the list (unless
 * `again`: a write of the same raises the version, as the file store does); of the others the version is
 * counted up, of new ones it is "1" and creationTimestamp is now (UTC seconds). creationTimestamp of
 * existing ones stays (higress-resources.md §1.4).
 * ERR_LIMIT: the arena was full at some time (arena_full), so the documents may lack something and nothing
 * of the draft may be written.
 */
MUST_CHECK int draft_finish(struct draft *d, int64_t now_s, bool again);

#endif
