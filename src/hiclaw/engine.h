/*
 * Workers' containers as the container engine has them, asked through its socket (hiclaw-integration.md 12, source D;
 * HICLAW_CONTAINER_SOCKET): only read, every ENGINE_MS: the list, then each container whose start or end is not known
 * yet, one after the other. What was said last holds for ENGINE_STALE_MS while the engine does not answer: it may be
 * restarting, and its containers go on. Control's.
 */
#ifndef HICLAW_ENGINE_H
#define HICLAW_ENGINE_H

#include "base/base.h"
#include "hiclaw/engine_list.h"
#include "http/fetch.h"

#define ENGINE_MS 15000u
#define ENGINE_STALE_MS 60000u
#define ENGINE_CONNECT_MS 2000u
#define ENGINE_TOTAL_MS 5000u
/* Attack: an answer without end. 1000 containers with ports and mounts fit. */
#define ENGINE_LIST_MAX ((size_t)4 << 20)
#define ENGINE_ONE_MAX ((size_t)512 << 10)
/* Of one round: a machine that has just started has as many new ones. */
#define ENGINE_ASKS_MAX 64u

struct engine;

struct engine_opts {
	struct loop *loop;
	struct fetcher *fetcher;
	struct bytes socket;         /* a path, "unix://" in front of it is allowed; copied */
	struct bytes prefix;         /* of Workers' containers' names; copied */
	uint64_t every_ms, stale_ms; /* 0: ENGINE_MS, ENGINE_STALE_MS */
};

struct engine_worker {
	struct bytes name;
	char id[ENGINE_ID_MAX + 1];
	enum state_container state; /* NOT_FOUND: it was there, and is no more */
	uint64_t since_ms;          /* start or end; 0: unknown */
	bool asked;                 /* for since_ms */
};

enum engine_answer {
	ENGINE_SILENT, /* not asked yet */
	ENGINE_OK,
	ENGINE_DOWN
};

/* Asks at once, then again and again. */
struct engine *engine_new(const struct engine_opts *o);
/* NULL is allowed. */
void engine_free(struct engine *e);
/* The last question; why_out: a sentence of ENGINE_DOWN, until the next turn. */
enum engine_answer engine_state(const struct engine *e, struct bytes *why_out);
/* What it says of the Worker; NULL: it never had a container of it, or has not said anything for too long. Until the
 * next turn of the loop. */
const struct engine_worker *engine_find(const struct engine *e, struct bytes worker);
/* Whether it has said which containers there are, and not too long ago. */
bool engine_knows(const struct engine *e);

#endif
