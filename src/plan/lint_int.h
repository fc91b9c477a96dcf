/*
 * Inside the room only: names that the rules of lint look up, gathered once.
 */
#ifndef PLAN_LINT_INT_H
#define PLAN_LINT_INT_H

#include "plan/build.h"
#include "plan/destination.h"
#include "plan/lint.h"

struct lint {
	const struct snapshot *snapshot;
	const struct plan *plan;
	struct findings *findings;
	struct arena arena;   /* of the names, until the end */
	struct map ingresses; /* name to struct object */
	struct map hosts;     /* of rules of Ingresses, lower case; "*" for none */
	struct map services;  /* <name>.<type> of registries to struct registry */
	struct bytes *sorted; /* their names in order */
	size_t n_sorted;
	struct map targets;    /* services that a destination names */
	struct map providers;  /* ids of ai-proxy's entries to their node */
	struct map bound;      /* ids that a rule of ai-proxy, or its default, names */
	struct map used;       /* ids that a rule for a service that is a target names */
	struct map consumers;  /* names of key-auth's consumers to their node */
	struct map domains;    /* names of domain records to struct object */
	struct map ai_records; /* names of AI routes with a record, without "ai-route-" */
};

/* lint_records.c: what the Console keeps beside the resources. */
void lint_records(struct lint *l);
/* lint_unused.c: what nothing refers to. */
void lint_unused(struct lint *l);
/* lint_destinations.c: what was probably meant, and weights. */
void lint_destinations(struct lint *l);
/* lint_objects.c: objects that count for nothing, or under another name. */
void lint_objects(struct lint *l);
/* lint_shadow.c: routes that are never chosen. */
void lint_shadow(struct lint *l);

/* The object of a plugin that counts, NULL without one. */
const struct object *lint_plugin(const struct lint *l, const char *plugin);
struct finding lint_info(const struct object *o, struct place at, const char *code);

/* Of "fqdn:port", as rules may name services, the name; not of use for one without a port. */
struct bytes lint_without_port(struct bytes service);
/* The lines of an Ingress's destination annotation, in the arena of l; *at is the annotation. 0 when it
 * has none that can be read, which is said where routes are compiled. */
size_t lint_destination(struct lint *l, const struct object *ingress,
	struct destination_line **lines, const struct pair **at);

#endif
