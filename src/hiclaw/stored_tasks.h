/*
 * Tasks as the object storage has them (hiclaw-integration.md 7.1, 12: the sources M and P): shared/tasks/<id>/meta.json
 * says to whom a task is assigned, .processing who works at it and until when. Listed every STORED_TASKS_MS; a file is
 * read again when its ETag is another one. Control's.
 */
#ifndef HICLAW_STORED_TASKS_H
#define HICLAW_STORED_TASKS_H

#include "hiclaw/s3.h"

#define STORED_TASKS_MS 60000u
/* Finished tasks stay there. Above it those whose names come last count: HiClaw's names begin with their time. */
#define STORED_TASKS_MAX 20000u
/* Files that are read in one round: a bucket of years must not keep its server busy at the start. */
#define STORED_TASKS_READS_MAX 200u

struct stored_tasks;

struct stored_tasks_opts {
	struct loop *loop;
	struct s3 *s3;
	struct bytes key_prefix; /* the place's, which keys of lists have in front; stays */
	uint64_t every_ms;       /* 0: STORED_TASKS_MS */
};

/* Looks at once, then again and again. */
struct stored_tasks *stored_tasks_new(const struct stored_tasks_opts *o);
/* NULL is allowed. */
void stored_tasks_free(struct stored_tasks *s);

struct stored_tasks_of {
	unsigned assigned;
	uint64_t until; /* of the longest lease, wall ms; 0: none */
};
/* False: the storage says nothing of tasks: there is none (NULL), it has no task, or was never asked in full. */
bool stored_tasks_of(
	const struct stored_tasks *s, struct bytes worker, struct stored_tasks_of *out);
/* Why the last round came to nothing; empty: it did not. Until the next turn. */
struct bytes stored_tasks_why(const struct stored_tasks *s);

#endif
