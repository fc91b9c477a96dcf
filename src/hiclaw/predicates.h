/*
 * Which models belong to which provider: the conditions that a route of a provider of its own carries, as
 * `modelPredicates` of the Console (hiclaw-integration.md 9.2). Pure; lists are maps of matchType and matchValue.
 */
#ifndef HICLAW_PREDICATES_H
#define HICLAW_PREDICATES_H

#include "wire/doc.h"

/* How closely a list describes a model: the closest of a list counts, as in the gateway (data-plane.md 14.1). */
#define PREDICATES_NONE 0u
#define PREDICATES_EQUAL SIZE_MAX

/* The type by its right name: "zhipu" is zhipuai, "kimi" moonshot, "custom" openai. */
struct bytes predicates_type(struct bytes type);

/* PREDICATES_NONE, PREDICATES_EQUAL, or one more than the length of the longest prefix of the model. */
size_t predicates_rank(struct arena *a, const struct doc *list, struct bytes model);

/* Appends what is not there yet; a prefix that another one of the list covers is left out. */
void predicates_add_prefix(struct arena *a, struct doc *list, struct bytes prefix);
void predicates_add_model(struct arena *a, struct doc *list, struct bytes model);
/* Takes EQUAL of that model out. Whether it was there. */
bool predicates_drop_model(struct arena *a, struct doc *list, struct bytes model);
/* Whether the list holds exactly this prefix, so that another list should not. */
bool predicates_claim(struct arena *a, const struct doc *list, struct bytes prefix);

/* The list of a new route: the provider's name, then the main prefixes of its type that none of the others
 * claims. */
struct doc *predicates_new(struct arena *a, struct bytes provider, struct bytes type,
	const struct doc *const *others, size_t n_others);
/* The longest prefix of the type, those written only on demand among them, that a model begins with; empty:
 * none. */
struct bytes predicates_prefix_of(struct bytes type, struct bytes model);

#endif
