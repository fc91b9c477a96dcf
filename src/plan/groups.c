/*
 * A condition that is one name, one beginning, or several of these (as Console writes them) puts its texts
 * into two tables, the first route of each text staying there. A model is looked for by itself and by its
 * beginnings, one look for each length that a beginning has. What is left (expressions) is asked one by one.
 * Small groups have no tables: walking them is as fast and costs no memory.
 */
#include "plan/groups.h"

#include <stdlib.h>

#include "plan/auth.h"
#include "plan/condition.h"
#include "plan/cors.h"

#define GROUP_SMALL 8u

struct route_group *groups_add(struct route_group **all, struct arena *a)
{
	struct route_group *g = arena_must(a, sizeof(*g));

	*g = (struct route_group){.next = *all};
	*all = g;
	return g;
}

/* --- what callers have to bring ----------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct consumer *x = *(const struct consumer *const *)a;
	const struct consumer *y = *(const struct consumer *const *)b;

	return (x > y) - (x < y);
}

static void sort_allowed(struct auth_rule *rule)
{
	size_t n = 0;

	if (rule->n_allow == 0) {
		return;
	}
	qsort(rule->allow, rule->n_allow, sizeof(struct consumer *), by_address);
	for (size_t i = 0; i < rule->n_allow; i++) {
		if (n == 0 || rule->allow[n - 1] != rule->allow[i]) {
			rule->allow[n++] = rule->allow[i];
		}
	}
	rule->n_allow = n;
}

static struct auth_rule *rule_like(struct auth_rule *v, size_t n, const struct auth_rule *rule)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].need == rule->need && v[i].consumers == rule->consumers &&
			v[i].cases == rule->cases) {
			return &v[i];
		}
	}
	return NULL;
}

/* One rule for each need and set of consumers; an allow list is that of all routes with one. */
static void join_rules(struct route_group *g, enum auth_plugin plugin, struct arena *a)
{
	struct auth_rule *v = arena_must(a, g->n * sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct auth_rule *rule = auth_rule_of(g->routes[i], plugin);
		struct auth_rule *same = rule_like(v, n, rule);

		if (same == NULL) {
			same = &v[n++];
			*same = *rule;
			same->n_allow = 0;
		}
		same->n_allow += rule->n_allow;
	}
	for (size_t i = 0; i < n; i++) {
		v[i].allow = arena_must(a, (v[i].n_allow + 1) * sizeof(*v[i].allow));
		v[i].n_allow = 0;
	}
	for (size_t i = 0; i < g->n; i++) {
		const struct auth_rule *rule = auth_rule_of(g->routes[i], plugin);
		struct auth_rule *same = rule_like(v, n, rule);

		for (size_t k = 0; k < rule->n_allow; k++) {
			same->allow[same->n_allow++] = rule->allow[k];
		}
	}
	for (size_t i = 0; i < n; i++) {
		sort_allowed(&v[i]);
	}
	g->rules[plugin] = v;
	g->n_rules[plugin] = n;
}

static void join_cors(struct route_group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct cors *c = g->routes[i]->cors;
		size_t k = 0;

		while (c != NULL && k < g->n_cors && !cors_same(g->cors[k], c)) {
			k++;
		}
		if (c != NULL && k == g->n_cors && k < GROUP_CORS_MAX) {
			g->cors[g->n_cors++] = c;
		}
	}
}

/* --- tables ------------------------------------------------------------------------------------- */

/* The one condition on the model that the tables can hold; NULL: the route is to be asked. The whole group
 * has the same conditions on the vendor. */
static const struct condition *plain_condition(const struct route *r)
{
	const struct condition *found = NULL;

	for (size_t i = 0; i < r->n_conditions; i++) {
		const struct condition *c = r->conditions[i];

		if (!condition_asks_model(c) || c->on == ON_VENDOR) {
			continue;
		}
		if (found != NULL || c->on != ON_MODEL || c->regex != NULL) {
			return NULL;
		}
		found = c;
	}
	return found;
}

static void put_alternative(struct route_group *g, const struct alternative *a, struct route *r)
{
	struct map *m = a->prefix ? &g->beginning : &g->exact;

	if (map_get(m, a->text) == NULL) {
		map_put(m, a->text, r);
	}
}

static int longest_first(const void *a, const void *b)
{
	size_t x = *(const size_t *)a;
	size_t y = *(const size_t *)b;

	return (x < y) - (x > y);
}

static void list_lengths(struct route_group *g, struct arena *a)
{
	size_t *all = arena_must(a, (g->beginning.n + 1) * sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < g->beginning.cap; i++) {
		if (g->beginning.slots[i].value != NULL) {
			all[n++] = g->beginning.slots[i].key.n;
		}
	}
	qsort(all, n, sizeof(*all), longest_first);
	for (size_t i = 0; i < n; i++) {
		if (g->n_lengths == 0 || all[g->n_lengths - 1] != all[i]) {
			all[g->n_lengths++] = all[i];
		}
	}
	g->lengths = all;
}

static void make_tables(struct route_group *g, struct arena *a)
{
	size_t n = 0;

	g->others = arena_must(a, g->n * sizeof(*g->others));
	for (size_t i = 0; i < g->n; i++) {
		struct route *r = (struct route *)(uintptr_t)g->routes[i]; /* only kept */
		const struct condition *c = g->n > GROUP_SMALL ? plain_condition(r) : NULL;

		for (size_t k = 0; c != NULL && k < c->n_any; k++) {
			put_alternative(g, &c->any[k], r);
		}
		if (c == NULL) {
			g->others[n++] = r;
		}
	}
	g->n_others = n;
	list_lengths(g, a);
}

void groups_finish(struct route_group *all, struct route **v, size_t n,
	const struct hash_seed *seed, struct arena *a)
{
	for (struct route_group *g = all; g != NULL; g = g->next) {
		g->routes = arena_must(a, g->n * sizeof(*g->routes));
		map_init(&g->exact, seed);
		map_init(&g->beginning, seed);
	}
	for (size_t i = 0; i < n; i++) {
		struct route_group *g = v[i]->group;

		if (g != NULL) {
			g->routes[g->n_placed++] = v[i];
			g->any_ai = g->any_ai || v[i]->is_ai;
		}
	}
	for (struct route_group *g = all; g != NULL; g = g->next) {
		ASSERT(g->n_placed == g->n && g->n != 0);
		join_rules(g, AUTH_KEY, a);
		join_rules(g, AUTH_BASIC, a);
		join_cors(g);
		make_tables(g, a);
	}
}

void groups_done(struct route_group *all)
{
	for (struct route_group *g = all; g != NULL; g = g->next) {
		map_done(&g->exact);
		map_done(&g->beginning);
	}
}

/* --- asking ------------------------------------------------------------------------------------- */

static void consider(struct group_hit *h, const struct route *r, size_t close)
{
	if (r == NULL || close == 0) {
		return;
	}
	if (h->first == NULL || r->rank < h->first->rank) {
		h->first = r;
	}
	if (close > h->close || (close == h->close && r->rank < h->best->rank)) {
		h->best = r;
		h->close = close;
	}
}

struct group_hit group_choose(const struct route_group *g, const struct route_model *m)
{
	struct group_hit h = {.first = NULL};

	if (!conditions_take_vendor(g->routes[0], m)) {
		return h;
	}
	if (m->name.n != 0 && g->exact.n != 0) {
		consider(&h, map_get(&g->exact, m->name), CONDITION_EQUAL);
	}
	for (size_t i = 0; m->name.n != 0 && i < g->n_lengths; i++) {
		size_t n = g->lengths[i];

		if (n <= m->name.n) {
			consider(&h, map_get(&g->beginning, bytes_of(m->name.p, n)),
				condition_beginning(n));
		}
	}
	for (size_t i = 0; i < g->n_others; i++) {
		consider(&h, g->others[i], conditions_fit(g->others[i], m));
	}
	return h;
}

bool group_is_leader(const struct route *r)
{
	return r->group == NULL || r->group->routes[0] == r;
}

const struct cors *group_cors(
	const struct route *const *candidates, size_t n, struct bytes host, struct bytes origin)
{
	const struct cors *any = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct route *r = candidates[i];
		const struct cors *const *v = r->group != NULL ? r->group->cors : &r->cors;
		size_t n_v = r->group != NULL ? r->group->n_cors : r->cors != NULL;

		for (size_t k = 0; k < n_v; k++) {
			const struct cors *c = cors_for(v[k], host);

			if (c != NULL && cors_allows(c, origin)) {
				return c;
			}
			any = c != NULL ? c : any;
		}
	}
	return any;
}
