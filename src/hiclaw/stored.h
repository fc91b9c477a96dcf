/*
 * What the object storage knows of agents (hiclaw-integration.md 6.2, 7.1, 12): Workers are the prefixes below agents/
 * in which there is an openclaw.json, and a model.json there may have been written by others. Listed every STORED_MS,
 * a prefix at a time; a record is read again when its ETag is another one. Control's.
 */
#ifndef HICLAW_STORED_H
#define HICLAW_STORED_H

#include "hiclaw/record.h"
#include "hiclaw/s3.h"

#define STORED_MS 60000u
/* Accident: a bucket in which everything has a prefix. */
#define STORED_AGENTS_MAX 1000u

struct stored;

struct stored_opts {
	struct loop *loop;
	struct s3 *s3;
	struct bytes key_prefix; /* the place's, which keys of lists have in front; stays */
	/* Of each agent with a record that can be read, after every round; target may be "manager". */
	void (*on_record)(void *arg, struct bytes target, const struct record *r);
	void *arg;
	uint64_t every_ms; /* 0: STORED_MS */
};

/* Looks at once, then again and again. */
struct stored *stored_new(const struct stored_opts *o);
/* NULL is allowed. */
void stored_free(struct stored *s);
/* Agents of the last whole round, and their names where they are Workers with a configuration (else empty), until the
 * next turn of the loop. NULL is allowed: there is no storage. */
size_t stored_count(const struct stored *s);
struct bytes stored_at(const struct stored *s, size_t i);
bool stored_has(const struct stored *s, struct bytes worker);
/* The agent's record is being removed, or was just now: what the round under way has read of it is not told. NULL is
 * allowed. */
void stored_forget(struct stored *s, struct bytes target);
/* Why the last round came to nothing; empty: it did not. */
struct bytes stored_why(const struct stored *s);

#endif
