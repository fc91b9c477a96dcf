/*
 * What a draft would lead to, without a file: a snapshot to be compiled, for previews, for what is served but never
 * written, and for objects of others. Pure.
 */
#ifndef RESOURCE_DRAFT_APPLY_H
#define RESOURCE_DRAFT_APPLY_H

#include "resource/draft.h"

/*
 * The draft's base with its changes, each read as it would be from its file; *out is the caller's reference. Returns how
 * many would be no object: those are missing in it. *why (initialised) gets what is to be said of any of them. After
 * draft_finish. A full arena is to be looked for by who owns it.
 */
MUST_CHECK size_t draft_apply(
	const struct draft *d, struct arena *a, struct findings *why, struct snapshot **out);

#endif
