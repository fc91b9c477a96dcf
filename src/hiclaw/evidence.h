/*
 * Which Workers there are, and what HiClaw's files say about them (hiclaw-integration.md 12): the sources R, L, T,
 * M and P of hiclaw/state.h. Everything in the files is optional and may be wrong; nothing outside of the
 * directories is opened, whatever links stand in them.
 *
 * A value of one thread: made and filled on a jobs thread, then given away with its arena.
 */
#ifndef HICLAW_EVIDENCE_H
#define HICLAW_EVIDENCE_H

#include "hiclaw/env.h"
#include "hiclaw/state.h"
#include "wire/json.h"

/* HiClaw has some ten; a list of thousands is an accident, and would be walked every few seconds. */
#define EVIDENCE_WORKERS_MAX 1000u
/* Of a registry: a Worker's entry has some 500 bytes. */
#define EVIDENCE_FILE_MAX ((size_t)4 << 20)
/* Of a task's files. */
#define EVIDENCE_TASK_FILE_MAX ((size_t)64 << 10)
/* Finished tasks stay there; two small files of each are looked at. */
#define EVIDENCE_TASKS_MAX 20000u
/* What reading one file may take, in bytes: a million empty lists are no registry. */
#define EVIDENCE_PARSE_MAX ((size_t)64 << 20)
#define EVIDENCE_WARNINGS_MAX 8u
/* What the list may take in all: names and texts of as many Workers. */
#define EVIDENCE_ARENA_MAX ((size_t)4 << 20)
/* Of a runtime, a room …; longer ones are left out. */
#define EVIDENCE_TEXT_MAX 255u

struct evidence_worker {
	struct bytes name;
	struct state_evidence e; /* G, C and D are the caller's */
	/* of workers-registry.json; unknown: empty */
	struct bytes runtime, deployment, room, team;
	bool has_config; /* <agents>/<name>/openclaw.json */
	bool has_record; /* <agents>/<name>/model.json */
};

struct evidence {
	struct arena *arena;
	struct evidence_worker **v; /* by name, in order of bytes */
	size_t n;
	bool cut; /* there are more than EVIDENCE_WORKERS_MAX */
	/* Sentences for people: files that are there and cannot be used. */
	struct bytes warnings[EVIDENCE_WARNINGS_MAX];
	size_t n_warnings;
};

struct evidence_dirs { /* NULL: there is none */
	const char *
		workspace; /* the Manager's: workers-registry.json, state.json, worker-lifecycle.json */
	const char *agents; /* a directory for each agent */
	const char *shared; /* tasks/<id>/ */
};

/* Where they are: the workspace beside the Manager's configuration, `shared` beside the agents. Blocks. */
void evidence_dirs(struct arena *a, const struct env *e, struct evidence_dirs *out);

/* Everything lives in the arena, which may hand out EVIDENCE_ARENA_MAX. */
void evidence_init(struct evidence *ev, struct arena *a);
/* The Worker of that name, made when it is new; NULL: it is no name of a Worker, or there are too many. For
 * names of the controller, of storage, of assignments; those of consumers: evidence_add_consumer. */
struct evidence_worker *evidence_add(struct evidence *ev, struct bytes name);
struct evidence_worker *evidence_add_consumer(struct evidence *ev, struct bytes consumer);
/* NULL: there is none. */
struct evidence_worker *evidence_find(const struct evidence *ev, struct bytes name);

/* A task's meta.json: whom it is assigned to; empty: nobody, or it is done. */
struct bytes evidence_task_assigned(const struct json_value *root);
/* A task's .processing: who works at it, until then; empty: nobody says so. */
struct bytes evidence_task_lease(const struct json_value *root, uint64_t *until_ms_out);

/* Blocks. Adds the Workers of the registry and of the agents' directories, then fills in what the files say about
 * those that are in the list. */
void evidence_read(struct evidence *ev, const struct evidence_dirs *dirs);

#endif
