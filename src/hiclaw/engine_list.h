/*
 * What a container engine says of its containers, in the words of Docker's API, which Podman speaks too: the list of
 * /containers/json and one container of /containers/ID/json. Pure. Strict: an answer that is not as it is documented
 * is refused as a whole, because what is missing in it would be taken for what is gone.
 */
#ifndef HICLAW_ENGINE_LIST_H
#define HICLAW_ENGINE_LIST_H

#include "base/arena.h"
#include "base/err.h"
#include "hiclaw/state.h"

/* Attack: a list that makes work without end. HiClaw has some ten Workers. */
#define ENGINE_CONTAINERS_MAX 1000u
/* A SHA-256 in hexadecimal; short ones have 12 digits. */
#define ENGINE_ID_MIN 12u
#define ENGINE_ID_MAX 64u
/* What a tree of an answer may take. */
#define ENGINE_TREE_MAX ((size_t)16 << 20)

struct engine_container {
	struct bytes worker; /* its name, without the prefix of containers */
	struct bytes id;     /* hexadecimal: may become part of a path */
	enum state_container state;
};

struct engine_list {
	struct engine_container *v; /* by name */
	size_t n;
};

/*
 * prefix: what names of Workers' containers begin with, "hiclaw-worker-". Containers of others are passed over; what is
 * behind the prefix has to be the name of a Worker. Texts of *out stay in the arena or the input. ERR_SYNTAX: no such
 * document; ERR_LIMIT: more than ENGINE_CONTAINERS_MAX Workers.
 */
MUST_CHECK int engine_list_read(struct arena *a, struct bytes text, struct bytes prefix,
	struct engine_list *out, struct fault *fault);

/* Milliseconds since 1970: when the container began to be what it is, started or ended; 0: it does not say. ERR_SYNTAX:
 * no such document, or another container's. */
MUST_CHECK int engine_since_read(struct arena *a, struct bytes text, struct bytes id,
	uint64_t *since_ms_out, struct fault *fault);

#endif
