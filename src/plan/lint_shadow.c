/*
 * A route is never chosen when another one of the same host comes before it and takes every request that
 * it would take. Compared are routes with the same path, so that the work stays within groups: a prefix
 * never precedes a longer one, and an exact path takes nothing from others. The order of a host knows
 * conditions as well as paths, so routes of one path need not stand together in it and are put together
 * first.
 */
#include <stdlib.h>

#include "plan/condition.h"
#include "plan/lint_int.h"

/* Routes of one path that are compared with each other: beyond it they are not looked at. */
#define GROUP_MAX 512u

/* Whether what b demands is at least what a does, for values that a compares with alternatives. */
static bool alternatives_within(const struct condition *a, const struct condition *b)
{
	for (size_t i = 0; i < b->n_any; i++) {
		const struct alternative *y = &b->any[i];
		bool covered = false;

		for (size_t k = 0; k < a->n_any && !covered; k++) {
			const struct alternative *x = &a->any[k];

			covered = x->prefix ? bytes_starts(y->text, x->text)
					    : !y->prefix && bytes_eq(x->text, y->text);
		}
		if (!covered) {
			return false;
		}
	}
	return b->n_any != 0;
}

static bool implies(const struct condition *a, const struct condition *b)
{
	if (a->on != b->on || !bytes_eq(a->name, b->name)) {
		return false;
	}
	if (a->how == b->how && bytes_eq(a->raw, b->raw)) {
		return true;
	}
	return a->regex == NULL && b->regex == NULL && alternatives_within(a, b);
}

/* Every request that b's conditions let pass, a's let pass too. */
static bool conditions_cover(const struct route *a, const struct route *b)
{
	for (size_t i = 0; i < a->n_conditions; i++) {
		bool found = false;

		for (size_t k = 0; k < b->n_conditions && !found; k++) {
			found = implies(a->conditions[i], b->conditions[k]);
		}
		if (!found) {
			return false;
		}
	}
	return true;
}

static bool methods_cover(const struct route *a, const struct route *b)
{
	return a->methods == 0 || (b->methods != 0 && (b->methods & ~a->methods) == 0);
}

static bool hides(const struct route *a, const struct route *b)
{
	/* Of those that differ in their model only, the closest one is chosen whatever the order. */
	bool by_model = a->group != NULL && a->group == b->group;

	return !by_model && a->path_nocase == b->path_nocase && methods_cover(a, b) &&
		conditions_cover(a, b);
}

static bool same_path(const struct route *a, const struct route *b)
{
	return bytes_eq(a->host, b->host) && a->path_type == b->path_type &&
		bytes_eq(a->path, b->path);
}

static int by_path(const void *a, const void *b)
{
	const struct route *x = *(const struct route *const *)a;
	const struct route *y = *(const struct route *const *)b;
	int c = bytes_cmp(x->host, y->host);

	if (c == 0) {
		c = (int)x->path_type - (int)y->path_type;
	}
	if (c == 0) {
		c = bytes_cmp(x->path, y->path);
	}
	return c != 0 ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

static struct bytes without_slash(struct bytes path)
{
	while (path.n > 1 && path.p[path.n - 1] == '/') {
		path.n--;
	}
	return path;
}

/* Where the Ingress says the path of a route. */
static struct place place_of(const struct object *o, const struct route *r)
{
	for (size_t i = 0; i < o->u.ingress.n_rules; i++) {
		const struct ingress_rule *rule = &o->u.ingress.rules[i];
		struct bytes host = rule->host.n != 0 ? rule->host : BYTES("*");

		for (size_t k = 0; bytes_eq_nocase(host, r->host) && k < rule->n_paths; k++) {
			if (bytes_eq_nocase(without_slash(rule->paths[k].path), r->path)) {
				return rule->paths[k].at;
			}
		}
	}
	return build_place(o->root);
}

static void check(const struct lint *l, const struct route *hidden, const struct route *by)
{
	const struct object *o = map_get(&l->ingresses, hidden->name);
	struct finding at;

	if (o == NULL) {
		return;
	}
	at = build_warning(o, place_of(o, hidden), "route-shadowed");
	findings_add(l->findings, &at,
		"no request reaches this route for " BYTES_FMT BYTES_FMT ": " BYTES_FMT
		" comes before it and takes them all; remove one of the two or give this one a "
		"condition that the other has not",
		BYTES_ARG(hidden->host), BYTES_ARG(hidden->path), BYTES_ARG(by->name));
}

static void check_group(const struct lint *l, const struct route *const *v, size_t n)
{
	for (size_t b = 1; b < n && b < GROUP_MAX; b++) {
		for (size_t a = 0; a < b; a++) {
			if (hides(v[a], v[b])) {
				check(l, v[b], v[a]);
				break;
			}
		}
	}
}

void lint_shadow(struct lint *l)
{
	size_t size = l->plan->n_routes * sizeof(const struct route *);
	const struct route **v = arena_must(&l->arena, size + 1);
	size_t from = 0;

	if (l->plan->n_routes == 0) {
		return;
	}
	memcpy(v, l->plan->routes, size);
	qsort(v, l->plan->n_routes, sizeof(*v), by_path);
	for (size_t i = 1; i <= l->plan->n_routes; i++) {
		if (i == l->plan->n_routes || !same_path(v[i], v[from])) {
			check_group(l, v + from, i - from);
			from = i;
		}
	}
}
