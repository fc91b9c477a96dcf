/*
 * Settings of the whole gateway that the ConfigMap higress-config holds, as Higress reads them there: the text
 * `higress` is YAML with `downstream` and `upstream` in it (console-api.md §3.1.2).
 */
#ifndef PLAN_GLOBAL_CONFIG_H
#define PLAN_GLOBAL_CONFIG_H

#include "base/arena.h"
#include "resource/object.h"

/* Longest deadline that a listener can be given: a day. */
#define GLOBAL_CONFIG_SECONDS_MAX 86400u
/* What Envoy takes for maxRequestHeadersKb at most. */
#define GLOBAL_CONFIG_HEADERS_KB_MAX 8192u

struct global_config {
	bool has_idle, has_pool_idle;
	uint32_t idle_ms;      /* then: of a client's connection between two requests; 0: none */
	uint32_t pool_idle_ms; /* then: how long an idle upstream connection is kept; 0: no limit */
	uint32_t route_ms;     /* from a whole request to the end of its answer; 0: none */
	uint32_t head_max;     /* bytes of a request's head; 0: as many as can be read */
};

/* What is no such number is left out and said. */
void global_config_read(struct global_config *out, const struct snapshot *s, struct findings *f);

#endif
