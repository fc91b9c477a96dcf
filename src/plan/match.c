/*
 * Hosts are in one table: "a.com" for itself, ".a.com" for "*.a.com". Below a host, paths are in four
 * tables by type and case; each entry is the list of routes with that path, best first. Because the
 * order inside a host goes by type and then by length (higress-resources.md §5.3), walking the tables
 * and ever shorter prefixes, then the expressions one by one, then what takes every path, meets routes in
 * their order, and stops at the first that holds whatever the model is. The lists have one route of
 * each group (plan/groups.h). So the cost of a lookup follows the number of different prefix lengths that
 * the request's path has a border at, and the groups of these paths.
 */
#include "plan/match.h"

#include <stdlib.h>

#include "plan/condition.h"
#include "plan/groups.h"
#include "plan/inside.h"
#include "plan/rewrite.h"

struct entry { /* a route of a path; the list is in the order of their ranks */
	const struct route *route;
	struct entry *next;
	struct bytes beginning; /* of an expression: what paths begin with that match */
};

struct path_list {
	struct entry *first, *last;
};

struct paths {
	struct map by_case, nocase; /* path to struct path_list */
};

struct host_index {
	struct paths exact, prefix;
	size_t *lengths; /* of the prefixes, longest first */
	size_t n_lengths;
	struct path_list patterns, catch_all;
	const struct host_index *also; /* looked at behind it; NULL: none */
	struct host_index *next;
};

struct plan_index {
	struct map hosts; /* to struct host_index */
	struct host_index *any;
	struct host_index *first; /* all of them */
	struct map names;         /* of routes */
};

/* --- building ----------------------------------------------------------------------------------- */

static void append(struct path_list *list, const struct route *r, struct arena *a)
{
	struct entry *e = arena_must(a, sizeof(*e));

	e->route = r;
	e->beginning = r->pattern != NULL ? r->pattern->beginning : BYTES("");
	if (list->first == NULL) {
		list->first = e;
	} else {
		list->last->next = e;
	}
	list->last = e;
}

static void add_route(struct host_index *h, const struct route *r, struct arena *a)
{
	struct paths *p = r->path_type == PATH_EXACT ? &h->exact : &h->prefix;
	struct map *m = r->path_nocase ? &p->nocase : &p->by_case;
	struct path_list *list;

	if (r->path_type == PATH_REGEX || routes_is_catch_all(r)) {
		append(r->path_type == PATH_REGEX ? &h->patterns : &h->catch_all, r, a);
		return;
	}
	list = map_get(m, r->path);
	if (list == NULL) {
		list = arena_must(a, sizeof(*list));
		map_put(m, r->path, list);
	}
	append(list, r, a);
	/* Prefixes come by their length, the longest first. */
	if (r->path_type == PATH_PREFIX &&
		(h->n_lengths == 0 || h->lengths[h->n_lengths - 1] != r->path.n)) {
		h->lengths[h->n_lengths++] = r->path.n;
	}
}

static struct host_index *new_host(
	struct plan_index *x, size_t n_routes, const struct hash_seed *seed, struct arena *a)
{
	struct host_index *h = arena_must(a, sizeof(*h));

	map_init(&h->exact.by_case, seed);
	map_init(&h->exact.nocase, seed);
	map_init(&h->prefix.by_case, seed);
	map_init(&h->prefix.nocase, seed);
	h->lengths = arena_must(a, n_routes * sizeof(*h->lengths));
	h->next = x->first;
	x->first = h;
	return h;
}

static void add_host(
	struct plan_index *x, const struct routes *all, size_t from, size_t to, struct arena *a)
{
	struct host_index *h = new_host(x, to - from, &x->hosts.seed, a);
	struct bytes host = all->v[from]->host;

	for (size_t i = from; i < to; i++) {
		if (group_is_leader(all->v[i])) { /* it finds the others */
			add_route(h, all->v[i], a);
		}
	}
	if (bytes_eq(host, BYTES("*"))) {
		x->any = h;
		return;
	}
	if (host.p[0] == '*') {
		host = bytes_of(host.p + 1, host.n - 1);
	}
	map_put(&x->hosts, host, h);
}

/* Before any request, so that no lookup of another host does more. */
static void add_alias(struct plan_index *x, const struct plan_alias *alias)
{
	struct host_index *own = map_get(&x->hosts, alias->name);
	struct host_index *other = map_get(&x->hosts, alias->of);

	if (other == NULL || own == other) {
		return;
	}
	if (own != NULL) {
		own->also = other;
	} else {
		map_put(&x->hosts, alias->name, other);
	}
}

struct plan_index *match_index_new(const struct routes *routes, const struct plan_alias *alias,
	const struct hash_seed *seed, struct arena *a)
{
	struct plan_index *x = arena_must(a, sizeof(*x));
	size_t from = 0;

	map_init(&x->hosts, seed);
	map_init(&x->names, seed);
	for (size_t i = 0; i < routes->n; i++) {
		map_put(&x->names, routes->v[i]->name, routes->v[i]);
	}
	while (from < routes->n) {
		size_t to = from + 1;

		while (to < routes->n && bytes_eq(routes->v[to]->host, routes->v[from]->host)) {
			to++;
		}
		add_host(x, routes, from, to, a);
		from = to;
	}
	if (alias->name.n != 0) {
		add_alias(x, alias);
	}
	return x;
}

void match_index_free(struct plan_index *x)
{
	if (x == NULL) {
		return;
	}
	for (struct host_index *h = x->first; h != NULL; h = h->next) {
		map_done(&h->exact.by_case);
		map_done(&h->exact.nocase);
		map_done(&h->prefix.by_case);
		map_done(&h->prefix.nocase);
	}
	map_done(&x->hosts);
	map_done(&x->names);
}

/* --- one route --------------------------------------------------------------------------------- */

bool match_method(const struct route *r, enum method m)
{
	return r->methods == 0 || (r->methods >> m & 1u) != 0;
}

static bool same(struct bytes a, struct bytes b, bool nocase)
{
	return nocase ? bytes_eq_nocase(a, b) : bytes_eq(a, b);
}

bool match_path(const struct route *r, struct bytes path)
{
	size_t n = r->path.n;

	if (r->pattern != NULL || routes_is_catch_all(r)) {
		return bytes_starts(path, BYTES("/")) &&
			(r->pattern == NULL || regex_matches(r->pattern->regex, path));
	}
	if (r->path_nocase && n > ROUTES_NOCASE_MAX) {
		return false;
	}
	if (r->path_type == PATH_EXACT) {
		return same(r->path, path, r->path_nocase);
	}
	return n <= path.n && same(r->path, bytes_of(path.p, n), r->path_nocase) &&
		(n == 1 || n == path.n || path.p[n] == '/');
}

/* --- looking up --------------------------------------------------------------------------------- */

struct lookup {
	const struct route_query *q;
	struct bytes path;
	struct bytes lowered; /* its beginning, in lower case; made when a host asks for it */
	bool is_lowered;
	bool complete; /* nothing later can be preferred */
	const struct route **out;
	size_t n, max;
	char room[ROUTES_NOCASE_MAX];
};

static void offer(struct lookup *l, const struct route *r)
{
	if (!match_method(r, l->q->method)) {
		return;
	}
	if (r->n_conditions != 0 && conditions_refusing(r, l->q) != NULL) {
		return;
	}
	if (l->n < l->max) {
		l->out[l->n] = r;
	}
	l->n++;
	l->complete = !r->asks_model;
}

static struct bytes lowered(struct lookup *l)
{
	if (!l->is_lowered) {
		size_t n = MIN(l->path.n, sizeof(l->room));

		for (size_t i = 0; i < n; i++) {
			l->room[i] = ascii_lower(l->path.p[i]);
		}
		l->lowered = bytes_of(l->room, n);
		l->is_lowered = true;
	}
	return l->lowered;
}

static const struct entry *first_of(const struct map *m, struct bytes path)
{
	const struct path_list *list = m->n != 0 ? map_get(m, path) : NULL;

	return list != NULL ? list->first : NULL;
}

/* Those of both tables for the first n bytes of the path, in the order of their ranks. */
static void find_path(const struct paths *p, struct lookup *l, size_t n)
{
	const struct entry *a = first_of(&p->by_case, bytes_of(l->path.p, n));
	const struct entry *b = NULL;

	if (p->nocase.n != 0 && n <= ROUTES_NOCASE_MAX) {
		b = first_of(&p->nocase, bytes_of(lowered(l).p, n));
	}
	while (!l->complete && (a != NULL || b != NULL)) {
		if (b == NULL || (a != NULL && a->route->rank < b->route->rank)) {
			offer(l, a->route);
			a = a->next;
		} else {
			offer(l, b->route);
			b = b->next;
		}
	}
}

static void offer_all(const struct path_list *list, struct lookup *l)
{
	for (const struct entry *e = list->first; e != NULL && !l->complete; e = e->next) {
		const struct condition *pattern = e->route->pattern;

		if (!bytes_starts(l->path, e->beginning)) {
			continue;
		}
		if (pattern == NULL || regex_matches(pattern->regex, l->path)) {
			offer(l, e->route);
		}
	}
}

static void find_in_host(const struct host_index *h, struct lookup *l)
{
	find_path(&h->exact, l, l->path.n);
	for (size_t i = 0; !l->complete && i < h->n_lengths; i++) {
		size_t n = h->lengths[i];

		/* "/" is a border by itself. */
		if (n <= l->path.n && (n == 1 || n == l->path.n || l->path.p[n] == '/')) {
			find_path(&h->prefix, l, n);
		}
	}
	if (bytes_starts(l->path, BYTES("/"))) { /* "*" is no path */
		offer_all(&h->patterns, l);
		offer_all(&h->catch_all, l);
	}
}

static void find_by_name(const struct plan_index *x, struct bytes name, struct lookup *l)
{
	const struct host_index *h = map_get(&x->hosts, name);

	if (h != NULL) {
		find_in_host(h, l);
		if (h->also != NULL && !l->complete) {
			find_in_host(h->also, l);
		}
	}
}

/* The exact host, then "*." and ever shorter endings, then "*". */
static void find_in_scopes(const struct plan_index *x, struct bytes host, struct lookup *l)
{
	if (host.n != 0 && host.p[0] != '.') {
		find_by_name(x, host, l);
	}
	for (size_t i = 1; !l->complete && i < host.n; i++) {
		if (host.p[i] == '.') {
			find_by_name(x, bytes_of(host.p + i, host.n - i), l);
		}
	}
	if (!l->complete && x->any != NULL) {
		find_in_host(x->any, l);
	}
}

size_t plan_leaders(
	const struct plan *p, const struct route_query *q, const struct route **out, size_t max)
{
	struct lookup l;
	char host[MATCH_HOST_MAX];
	size_t n = q->host.n <= MATCH_HOST_MAX ? q->host.n : 0; /* no longer one is configured */

	if (inside_takes(p, q->host, q->path)) {
		if (max != 0) {
			out[0] = p->inside;
		}
		return 1;
	}
	l.q = q;
	l.path = q->path;
	l.is_lowered = false;
	l.complete = false;
	l.out = out;
	l.n = 0;
	l.max = max;
	for (size_t i = 0; i < n; i++) {
		host[i] = ascii_lower(q->host.p[i]);
	}
	find_in_scopes(p->index, bytes_of(host, n), &l);
	return l.n;
}

static int by_rank(const void *a, const void *b)
{
	const struct route *x = *(const struct route *const *)a;
	const struct route *y = *(const struct route *const *)b;

	return (x->rank > y->rank) - (x->rank < y->rank);
}

static size_t add_members(const struct route **out, const struct route *leader)
{
	const struct route_group *g = leader->group;

	if (g == NULL) {
		*out = leader;
		return 1;
	}
	memcpy(out, g->routes, g->n * sizeof(*out));
	return g->n;
}

/* Leaders to all: those of one host, which stand together, in the order of their ranks. */
static void list_all(
	const struct route *const *leaders, size_t n, const struct route **out, size_t n_out)
{
	size_t from = 0;
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		to += add_members(out + to, leaders[i]);
		if (i + 1 == n || !bytes_eq(leaders[i]->host, leaders[i + 1]->host)) {
			qsort(out + from, to - from, sizeof(*out), by_rank);
			from = to;
		}
	}
	ASSERT(to == n_out);
}

size_t plan_members(
	const struct route *const *leaders, size_t n_leaders, const struct route **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < n_leaders; i++) {
		n += leaders[i]->group != NULL ? leaders[i]->group->n : 1;
	}
	if (n <= max) {
		list_all(leaders, n_leaders, out, n);
	}
	return n;
}

size_t plan_candidates(
	const struct plan *p, const struct route_query *q, const struct route **out, size_t max)
{
	size_t n_leaders = plan_leaders(p, q, NULL, 0);
	const struct route **leaders = must_alloc((n_leaders + 1) * sizeof(*leaders));
	const struct route **all;
	size_t n;

	plan_leaders(p, q, leaders, n_leaders);
	n = plan_members(leaders, n_leaders, NULL, 0);
	all = must_alloc((n + 1) * sizeof(*all));
	plan_members(leaders, n_leaders, all, n);
	for (size_t i = 0; i < MIN(n, max); i++) {
		out[i] = all[i];
	}
	free(all);
	free(leaders);
	return n;
}

/* --- using a route ------------------------------------------------------------------------------ */

const struct destination *route_pick(const struct route *r, unsigned pick)
{
	for (size_t i = 0; i < r->n_destinations; i++) {
		if (pick < r->destinations[i].weight) {
			return &r->destinations[i];
		}
		pick -= r->destinations[i].weight;
	}
	return NULL;
}

bool route_rewrites_path(const struct route *r)
{
	return r->rewrite.path.n != 0 || r->rewrite.target != NULL;
}

void route_rewrite_path(const struct route *r, struct bytes path, struct text *out)
{
	struct bytes to = r->rewrite.path;
	size_t cut = r->path.n > 1 ? MIN(r->path.n, path.n) : 0;

	if (r->rewrite.target != NULL) {
		rewrite_put(r->rewrite.target, r->pattern->regex, path, out);
		return;
	}
	if (to.n == 0) {
		text_add_bytes(out, path);
		return;
	}
	text_add_bytes(out, to);
	if (r->path_type != PATH_PREFIX) {
		return;
	}
	if (bytes_ends(to, BYTES("/")) && cut < path.n && path.p[cut] == '/') {
		cut++;
	}
	text_add(out, path.p + cut, path.n - cut);
}

bool plan_has_route(const struct plan *p, struct bytes name)
{
	return map_get(&p->index->names, name) != NULL;
}
