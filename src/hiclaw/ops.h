/*
 * What can be done with the gateway's objects, as those see it who assign models: all objects of some nouns are
 * read, or several are saved and removed as one change. Two implementations: here (resource/op.h, the queue of
 * writes), or at a Console that is asked over HTTP. Control's; what a call points to stays until on_done.
 */
#ifndef HICLAW_OPS_H
#define HICLAW_OPS_H

#include "http/fetch.h"
#include "resource/op.h"
#include "store/writer.h"

enum ops_noun {
	OPS_PROVIDER,
	OPS_SOURCE,
	OPS_AI_ROUTE,
	OPS_ROUTE,
	OPS_CONSUMER,
	OPS_DOMAIN,
	OPS_CERTIFICATE,
	OPS_HERE,                /* those below are none of a Console that is asked over HTTP */
	OPS_SETTINGS = OPS_HERE, /* resource/op.h says the names of these */
	OPS_MCP_SERVER,
	OPS_PLUGIN,
	OPS_INSTANCE,
	OPS_NOUNS
};

enum ops_verb {
	OPS_SAVE,   /* made or replaced */
	OPS_CREATE, /* refused when it exists */
	OPS_REMOVE  /* what is not there: nothing happens */
};

struct ops_item {
	enum ops_noun noun;
	enum ops_verb verb;
	struct bytes name;
	const struct doc *body; /* the API object (console-api.md §3); its "name" is name */
};

/* Embedded in who asks; zeroed before. */
struct ops_call {
	struct arena *arena; /* of documents; nobody else uses it meanwhile */
	/* read */
	unsigned wanted; /* 1u << noun */
	/* out: of API objects, secrets in clear; NULL: not wanted, or not to be had there */
	struct doc *lists[OPS_NOUNS];
	/* change: all of it or nothing */
	const struct ops_item *items;
	size_t n_items;
	struct bytes actor, peer, what; /* for the journal: "admin", "127.0.0.1:5", "PUT …" */
	char backup[40];                /* out: id; empty: nothing was written, so none was made */
	/* out: 0, or the status that HTTP would have, and one sentence */
	unsigned status;
	struct text why;
	void (*on_done)(struct ops_call *c);
	/* the implementation's */
	struct manage_ops *ops;
	struct job job;
	struct write write;
	struct snapshot *snapshot;
	struct fetch fetch;
	size_t at;
};

struct manage_ops {
	/* Neither calls back before it returns. */
	void (*read)(struct manage_ops *o, struct ops_call *c);
	void (*change)(struct manage_ops *o, struct ops_call *c);
};

/* Texts of an answer. Safe on a zeroed call. */
void ops_call_done(struct ops_call *c);

/* All objects of a noun, in op's arena, secrets in clear; one that cannot be read is left out. Texts may point into op's
 * snapshot. Any thread. */
struct doc *ops_list(struct op *op, enum ops_noun of);

/* --- here ----------------------------------------------------------------------------------------- */

struct ops_local {
	struct manage_ops ops;
	struct loop *loop;
	struct jobs *jobs;
	struct writer writer;
	bool (*address_allowed)(void *arg, struct bytes host, const char **why); /* see struct op */
};

/* The rest of o is filled. */
void ops_local_init(struct ops_local *o);

#endif
