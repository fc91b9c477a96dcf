/*
 * Walks the routes of the request's host in the order in which the lookup offers them, and says of each what it came to;
 * the candidates themselves are those of the lookup, so that a route is never called refused which was asked.
 */
#include "plan/explain_int.h"
#include "plan/groups.h"
#include "plan/match.h"

#define NEAR_CHOSEN SIZE_MAX
#define NEAR_CANDIDATE (SIZE_MAX - 1)
#define NEAR_PATH (SIZE_MAX - 2) /* its path is the request's */

struct walk {
	const struct explain_decided *d;
	size_t seen; /* routes so far */
	size_t next; /* candidate */
	size_t left; /* other routes that may be looked at */
	struct explain_routes *out;
};

const char *explain_why_name(enum explain_why w)
{
	static const char *const names[] = {[EXPLAIN_CHOSEN] = "chosen",
		[EXPLAIN_PATH] = "path",
		[EXPLAIN_METHOD] = "method",
		[EXPLAIN_HEADER] = "header",
		[EXPLAIN_QUERY] = "query",
		[EXPLAIN_MODEL] = "model",
		[EXPLAIN_CLOSER] = "closer",
		[EXPLAIN_LATER] = "later",
		[EXPLAIN_UNREAD] = "unread"};

	return names[w];
}

/* --- one route ---------------------------------------------------------------------------------- */

enum auth_verdict explain_judge_auth(
	const struct explain_decided *d, const struct route *r, enum auth_plugin *by)
{
	enum auth_verdict v = decide_verdict(AUTH_BASIC, r, &d->caller);

	*by = v != AUTH_OK ? AUTH_BASIC : AUTH_KEY;
	return v != AUTH_OK ? v : decide_verdict(AUTH_KEY, r, &d->caller);
}

static void judge_candidate(const struct explain_decided *d, struct explain_route *e)
{
	const struct route *r = e->route;

	e->candidate = true;
	e->nearness = r == d->route ? NEAR_CHOSEN : NEAR_CANDIDATE;
	e->auth = explain_judge_auth(d, r, &e->auth_by);
	if (r == d->route) {
		e->why = EXPLAIN_CHOSEN;
		return;
	}
	if (d->model == NULL) {
		e->why = EXPLAIN_UNREAD;
		return;
	}
	e->condition = conditions_refusing_model(r, d->model);
	if (e->condition != NULL) {
		e->why = EXPLAIN_MODEL;
		e->value = condition_model(e->condition, d->model);
	} else {
		e->why = d->route != NULL && r->group != NULL && r->group == d->route->group
			? EXPLAIN_CLOSER
			: EXPLAIN_LATER;
	}
}

static size_t common(struct bytes a, struct bytes b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n]) {
		n++;
	}
	return n;
}

static void judge_other(const struct explain_decided *d, struct explain_route *e)
{
	const struct route_query *q = d->query;

	if (!match_path(e->route, q->path)) {
		e->why = EXPLAIN_PATH;
		e->nearness = common(e->route->path, q->path);
		return;
	}
	e->nearness = NEAR_PATH;
	if (!match_method(e->route, q->method)) {
		e->why = EXPLAIN_METHOD;
		return;
	}
	e->condition = conditions_refusing(e->route, q);
	if (e->condition == NULL) {
		e->why = EXPLAIN_LATER;
		return;
	}
	e->why = e->condition->on == ON_QUERY ? EXPLAIN_QUERY : EXPLAIN_HEADER;
	e->value = condition_value(e->condition, q);
}

/* --- all of them -------------------------------------------------------------------------------- */

/* Keeps it if there is room, or it is nearer than one that is kept; their order is that of the walk. */
static void keep(struct walk *w, const struct explain_route *e)
{
	struct explain_routes *out = w->out;
	size_t worst = 0;

	if (out->n < EXPLAIN_ROUTES_MAX) {
		out->v[out->n++] = *e;
		return;
	}
	out->n_further++;
	for (size_t i = 1; i < out->n; i++) { /* of equal ones the last goes */
		worst = out->v[i].nearness <= out->v[worst].nearness ? i : worst;
	}
	if (e->nearness > out->v[worst].nearness) {
		memmove(&out->v[worst], &out->v[worst + 1], (out->n - worst - 1) * sizeof(*out->v));
		out->v[out->n - 1] = *e;
	}
}

static void visit(struct walk *w, const struct route *r)
{
	struct explain_route e = {.route = r};
	const struct explain_decided *d = w->d;

	w->seen++;
	if (w->next < d->n_candidates && d->candidates[w->next] == r) {
		w->next++;
		judge_candidate(d, &e);
	} else if (w->left != 0) {
		w->left--;
		judge_other(d, &e);
	} else {
		w->out->n_further++;
		return;
	}
	keep(w, &e);
}

/* The first route whose host is not before `host`, or behind it. */
static size_t find_host(const struct plan *p, struct bytes host, bool behind)
{
	size_t from = 0;
	size_t to = p->n_routes;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (bytes_cmp(p->routes[mid]->host, host) < (int)behind) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	return from;
}

static void walk_scope(const struct plan *p, struct bytes host, struct walk *w)
{
	size_t i = find_host(p, host, false);
	size_t end = find_host(p, host, true);

	for (; i < end && (w->left != 0 || w->next < w->d->n_candidates); i++) {
		visit(w, p->routes[i]);
	}
	w->seen += end - i;
	w->out->n_further += end - i;
}

/* The exact host, then "*." and ever shorter endings, then "*" (higress-resources.md §5.2). */
static void walk_scopes(const struct plan *p, struct bytes asked, struct walk *w)
{
	char room[1 + MATCH_HOST_MAX];
	size_t n = asked.n <= MATCH_HOST_MAX ? asked.n : 0;
	char *host = room + 1;

	for (size_t i = 0; i < n; i++) {
		host[i] = ascii_lower(asked.p[i]);
	}
	if (n != 0 && host[0] != '.') {
		walk_scope(p, bytes_of(host, n), w);
		if (bytes_eq(bytes_of(host, n), p->alias.name) &&
			!bytes_eq(p->alias.name, p->alias.of)) {
			walk_scope(p, p->alias.of, w);
		}
	}
	for (size_t i = 1; i < n; i++) {
		if (host[i] == '.') {
			char before = host[i - 1];

			host[i - 1] = '*';
			walk_scope(p, bytes_of(host + i - 1, n - i + 1), w);
			host[i - 1] = before;
		}
	}
	walk_scope(p, BYTES("*"), w);
}

bool explain_routes(const struct plan *p, const struct explain_decided *d, size_t look_max,
	struct arena *a, struct explain_routes *out)
{
	struct explain_routes made = {.n = 0};
	struct walk w = {.d = d, .left = look_max, .out = &made};

	made.v = arena_alloc(a, EXPLAIN_ROUTES_MAX * sizeof(*made.v));
	if (made.v == NULL) {
		return false;
	}
	walk_scopes(p, d->query->host, &w);
	made.n_other = p->n_routes - w.seen;
	*out = made;
	return true;
}
