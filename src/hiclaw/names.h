/*
 * Names that come from outside: agents, providers, models (hiclaw-integration.md 4, monitor-api.md 1.1, 4.9); those
 * of backups are store/journal.h's. What is checked here may become part of a path, a key of storage, a header or a route; nothing else
 * may. Pure; errors are sentences for the client.
 */
#ifndef HICLAW_NAMES_H
#define HICLAW_NAMES_H

#include "base/bytes.h"
#include "base/err.h"

/* A label of DNS: it becomes a container's and a consumer's name. */
#define NAMES_WORKER_MAX 63u
/* Of a raw segment of a path: three times what the longest name needs, as escapes. */
#define NAMES_SEGMENT_MAX 768u
#define NAMES_CONSUMER_PREFIX BYTES("worker-")

/* [a-z0-9][a-z0-9-]{0,62}, and none of manager, default, shared, workers. */
bool names_is_worker(struct bytes name);
/* The Worker whose consumer it is, "worker-" stripped once; false: it is no Worker's. */
bool names_of_consumer(struct bytes consumer, struct bytes *worker_out);

/* The item of that name among n items of `size` bytes each, which begin with their name (a struct bytes) and are sorted by
 * it, in order of bytes. NULL: none; v may be NULL when n is 0. */
void *names_find(const void *v, size_t n, size_t size, struct bytes name);
/* For qsort: the order of such items. */
int names_order(const void *x, const void *y);

enum names_kind { NAMES_MANAGER, NAMES_WORKER };
struct names_target {
	enum names_kind kind;
	struct bytes worker; /* of a Worker: part of the input */
};
/* "manager", "worker:NAME" or NAME. ERR_SYNTAX: *fault says what a target is. */
MUST_CHECK int names_target(struct bytes text, struct names_target *out, struct fault *fault);

/*
 * A segment of a path, decoded once: ERR_SYNTAX for a bad escape, a slash or a control character in it, and
 * nothing at all; ERR_LIMIT above NAMES_SEGMENT_MAX, or when room is too small. *out is in room.
 */
struct names_room {
	char p[NAMES_SEGMENT_MAX];
};
MUST_CHECK int names_segment(
	struct bytes raw, struct names_room *room, struct bytes *out, struct fault *fault);

/* [A-Za-z0-9][A-Za-z0-9._-]{0,62}, not ending in .dns or .static, which name registries. */
bool names_is_provider(struct bytes name);
/* The model as agents and routes know it: without "hiclaw-gateway/". ERR_SYNTAX: it is no id
 * (hiclaw/model_traits.h); *out is part of id. */
MUST_CHECK int names_model(struct bytes id, struct bytes *out, struct fault *fault);

#endif
