/*
 * Header control of an Ingress (higress-resources.md §5.6, data-plane.md §14.5): fields of requests and of
 * answers that a route takes away, sets and adds, in this order.
 */
#ifndef PLAN_HEADER_CONTROL_H
#define PLAN_HEADER_CONTROL_H

#include "resource/object.h"

/* Names and lines of one annotation: a head has room for little more (http/head.h). */
#define HEADER_EDITS_MAX 32u
/* Texts and variables of one value. */
#define HEADER_PIECES_MAX 16u

enum header_part { HEADER_TEXT, HEADER_CONSUMER, HEADER_MODEL, HEADER_REQUEST_ID };

struct header_piece {
	enum header_part part;
	struct bytes text; /* of HEADER_TEXT */
};

struct header_edit {
	struct bytes name;
	struct header_piece *v; /* the value; one text, or with variables */
	size_t n;               /* 0: an empty value */
};

struct header_edits {
	struct bytes *remove; /* names, any case */
	size_t n_remove;
	struct header_edit *set, *add;
	size_t n_set, n_add;
};

struct header_control {
	struct header_edits request, answer;
};

/* NULL: the Ingress has none. What cannot be used is said in findings and left out. */
const struct header_control *header_control_read(
	const struct object *ingress, struct arena *a, struct findings *f);

/* Whether there is something to do. */
static inline bool header_edits_any(const struct header_edits *e)
{
	return e->n_remove + e->n_set + e->n_add != 0;
}

#endif
