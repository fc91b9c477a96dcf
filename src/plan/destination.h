/*
 * The destination annotation (higress-resources.md §2.5.1). Pure; also what a writer's tests read with.
 */
#ifndef PLAN_DESTINATION_H
#define PLAN_DESTINATION_H

#include "base/arena.h"
#include "base/err.h"

/* Attack: none; a typing error should be seen. Sums stay far below 32 bits. */
#define DESTINATION_WEIGHT_MAX 1000000u
#define DESTINATION_MAX 1000u

struct destination_line {
	struct bytes service; /* a part of the text */
	uint16_t port;        /* 0: none given */
	bool weighted;        /* a weight was written */
	unsigned weight;      /* 100 when none is written */
	struct bytes subset;  /* a version, "" when there is none */
};

/* *out is in the arena. ERR_SYNTAX: a weight is no number (then the whole text counts for nothing);
 * fault.where is the line, from 1. No line at all: 0 and *n_out == 0. ERR_LIMIT: too many lines. */
MUST_CHECK int destination_parse(struct bytes text, struct arena *a, struct destination_line **out,
	size_t *n_out, struct fault *fault);

#endif
