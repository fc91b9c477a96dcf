/*
 * Settings of the listener that the ConfigMap higress-config holds, as Higress reads them there: the text
 * `higress` is YAML with `downstream` in it (console-api.md §3.1.2).
 */
#ifndef PLAN_GLOBAL_CONFIG_H
#define PLAN_GLOBAL_CONFIG_H

#include "base/arena.h"
#include "resource/object.h"

/* Longest deadline that a listener can be given: a day. */
#define GLOBAL_CONFIG_SECONDS_MAX 86400u

struct global_config {
	bool has_idle;
	uint32_t idle_ms; /* then: of a client's connection between two requests; 0: none */
};

/* What is no number of seconds is left out and said. */
void global_config_read(struct global_config *out, const struct snapshot *s, struct findings *f);

#endif
