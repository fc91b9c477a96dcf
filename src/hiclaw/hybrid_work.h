/*
 * A working copy of the AI routes while a change is planned (hiclaw/hybrid.h): questions to it as the gateway
 * would answer them, edits, and what has to be written at the end. Pure; everything is in the plan's arena.
 */
#ifndef HICLAW_HYBRID_WORK_H
#define HICLAW_HYBRID_WORK_H

#include "hiclaw/hybrid.h"

#define HYBRID_DEFAULT BYTES("default-ai-route")

struct hybrid_entry {
	struct bytes name;
	const struct doc *stored; /* NULL: it is new */
	struct doc *route;        /* as it shall be */
	bool gone;
	bool edited;    /* route is a copy of ours */
	unsigned order; /* of the first edit */
};

struct hybrid_work {
	const struct hybrid_world *world;
	struct hybrid_plan *plan;
	struct arena *arena;
	struct ops_item *items; /* the plan's */
	struct hybrid_entry *entries;
	size_t n, room;
	unsigned edits;
};

/* further: routes that may be added. *plan is emptied. */
void hybrid_work_init(struct hybrid_work *w, const struct hybrid_world *world,
	struct hybrid_plan *plan, size_t further);
/* Items of the routes that differ, the default one last. */
void hybrid_work_routes(struct hybrid_work *w);
/* Settles what the plan says of itself; without items when it is refused. */
void hybrid_work_done(struct hybrid_work *w);

void hybrid_work_refuse(struct hybrid_work *w, enum hybrid_rc rc, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void hybrid_work_warn(struct hybrid_work *w, const char *code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
struct bytes hybrid_work_textf(struct hybrid_work *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
void hybrid_work_item(
	struct hybrid_work *w, enum ops_noun noun, enum ops_verb verb, struct doc *body);
void hybrid_work_remove(struct hybrid_work *w, enum ops_noun noun, struct bytes name);

/* The object of that name in the world; NULL: none. */
struct doc *hybrid_work_object(const struct hybrid_work *w, enum ops_noun noun, struct bytes name);

/* NULL: no such route. */
struct hybrid_entry *hybrid_work_find(const struct hybrid_work *w, struct bytes name);
struct hybrid_entry *hybrid_work_default(const struct hybrid_work *w);
/* "<provider>-ai-route", whether it is there or not. */
struct bytes hybrid_work_name(struct hybrid_work *w, struct bytes provider);
/* Whether the name is that of a provider's own route. */
bool hybrid_work_is_own(struct bytes route);
/* A copy that may be changed. */
struct doc *hybrid_work_edit(struct hybrid_work *w, struct hybrid_entry *e);
struct hybrid_entry *hybrid_work_add(struct hybrid_work *w, struct bytes name, struct doc *route);

void hybrid_work_drop(struct hybrid_work *w, struct hybrid_entry *e);

/* The route that takes a model, of the default one and those with conditions on it; NULL: none. */
struct hybrid_entry *hybrid_work_taker(const struct hybrid_work *w, struct bytes model);
/* How closely the nearest of the other routes describes it. */
size_t hybrid_work_rank_else(
	const struct hybrid_work *w, const struct hybrid_entry *but, struct bytes model);
/* Conditions on the model; NULL: none. */
struct doc *hybrid_work_predicates(const struct hybrid_work *w, const struct hybrid_entry *e);
/* Whether requests of the route may go to the provider, or to no other one. */
bool hybrid_work_serves(
	const struct hybrid_work *w, const struct hybrid_entry *e, struct bytes provider);
bool hybrid_work_serves_only(
	const struct hybrid_work *w, const struct hybrid_entry *e, struct bytes provider);
/* [{provider, weight: 100, modelMapping: {}}] */
struct doc *hybrid_work_upstreams(struct arena *a, struct bytes provider);

#endif
