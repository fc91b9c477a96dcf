/*
 * Wanted paths become a tree of places, so that the scanner follows one number instead of up to 32
 * paths. "[0]" and "[]" may both match an array's first element: the place of a first element is
 * therefore built from both, and one place at a time is enough (a set of places made deterministic).
 */
#include "wire/json_int.h"

#include <stdlib.h>

/* What is left of each want's path at one place; NULL: the want does not pass there. */
struct place {
	const char *rest[JSON_WANTS_MAX];
};

static struct json_node *build(struct json_query *q, const struct place *at, unsigned depth);

static size_t key_length(const char *path)
{
	return strcspn(path, ".[]");
}

/* The key that the path continues with; none when it ends or continues with an element. */
static struct bytes key_of(const char *path)
{
	return path == NULL ? bytes_of(NULL, 0) : bytes_of(path, key_length(path));
}

/* path is behind a key or an element: steps over the dot before a key. */
static const char *next_part(const char *path)
{
	ASSERT(*path == '\0' || *path == '[' || (*path == '.' && key_length(path + 1) != 0));
	return *path == '.' ? path + 1 : path;
}

static const char *behind_element(const char *path, bool first)
{
	if (path == NULL || *path != '[') {
		return NULL;
	}
	if (path[1] == ']') {
		return next_part(path + 2);
	}
	ASSERT(path[1] == '0' && path[2] == ']');
	return first ? next_part(path + 3) : NULL;
}

/* The place of an array's first element, or of the others. */
static struct json_node *build_element(
	struct json_query *q, const struct place *at, bool first, unsigned depth)
{
	struct place inside;

	for (size_t i = 0; i < q->n; i++) {
		inside.rest[i] = behind_element(at->rest[i], first);
	}
	return build(q, &inside, depth + 1);
}

static bool has_first_only(const struct json_query *q, const struct place *at)
{
	for (size_t i = 0; i < q->n; i++) {
		if (at->rest[i] != NULL && strncmp(at->rest[i], "[0", 2) == 0) {
			return true;
		}
	}
	return false;
}

static struct json_node *build_member(
	struct json_query *q, const struct place *at, struct bytes key, unsigned depth)
{
	struct place inside;

	for (size_t i = 0; i < q->n; i++) {
		struct bytes k = key_of(at->rest[i]);

		inside.rest[i] = k.n != 0 && bytes_eq(k, key) ? next_part(k.p + k.n) : NULL;
	}
	return build(q, &inside, depth + 1);
}

static bool has_edge(const struct json_edge *edges, size_t n, struct bytes key)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes_eq(edges[i].key, key)) {
			return true;
		}
	}
	return false;
}

/* Keeps the order by length. */
static void insert_edge(struct json_edge *edges, size_t n, const struct json_edge *e)
{
	while (n > 0 && edges[n - 1].key.n > e->key.n) {
		edges[n] = edges[n - 1];
		n--;
	}
	edges[n] = *e;
}

static void build_members(
	struct json_query *q, const struct place *at, struct json_node *node, unsigned depth)
{
	/* One more, which stays empty, is the end. */
	struct json_edge *edges = must_alloc((q->n + 1) * sizeof(*edges));
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++) {
		struct bytes key = key_of(at->rest[i]);

		if (key.n == 0 || has_edge(edges, n, key)) {
			continue;
		}
		ASSERT(key.n <= JSON_KEY_MAX);
		insert_edge(edges, n,
			&(struct json_edge){.head = json_key_head(key),
				.tail = json_key_tail(key),
				.key = key,
				.node = build_member(q, at, key, depth)});
		n++;
		node->lengths |= 1ull << key.n;
	}
	while (n > 0) {
		n--;
		node->first_of[edges[n].key.n] = (uint8_t)n;
	}
	node->edges = edges;
}

static struct json_node *add_node(struct json_query *q, const struct place *at)
{
	struct json_node *node = must_alloc(sizeof(*node));

	for (size_t i = 0; i < q->n; i++) {
		if (at->rest[i] != NULL && *at->rest[i] == '\0') {
			node->wants |= 1u << i;
			node->literals |= q->equals[i].p != NULL ? 1u << i : 0;
		}
	}
	node->older = q->newest;
	q->newest = node;
	return node;
}

/* Recursion over our own paths, not over input: JSON_PATH_MAX deep. */
static struct json_node *build(struct json_query *q, const struct place *at, unsigned depth)
{
	bool any = false;
	struct json_node *node;

	for (size_t i = 0; i < q->n; i++) {
		any = any || at->rest[i] != NULL;
	}
	if (!any) {
		return NULL;
	}
	ASSERT(depth <= JSON_PATH_MAX);
	node = add_node(q, at);
	build_members(q, at, node, depth);
	node->rest = build_element(q, at, false, depth);
	node->first = has_first_only(q, at) ? build_element(q, at, true, depth) : node->rest;
	return node;
}

struct json_query *json_query_new(const struct json_want *wants, size_t n)
{
	struct json_query *q = must_alloc(sizeof(*q));
	struct place top;
	size_t n_ways;

	ASSERT(n <= JSON_WANTS_MAX);
	q->run = json_runs(&n_ways)->run;
	q->n = n;
	for (size_t i = 0; i < n; i++) {
		ASSERT(wants[i].path[0] == '[' || key_length(wants[i].path) != 0);
		q->paths[i] = must_strdup(wants[i].path);
		top.rest[i] = q->paths[i];
		if (wants[i].equals != NULL) {
			q->equals[i] = bytes_str(must_strdup(wants[i].equals));
			ASSERT(q->equals[i].n <= JSON_KEY_MAX);
		}
	}
	q->top = build(q, &top, 0);
	return q;
}

void json_query_free(struct json_query *q)
{
	if (q == NULL) {
		return;
	}
	while (q->newest != NULL) {
		struct json_node *node = q->newest;

		q->newest = node->older;
		free((void *)(uintptr_t)node->edges);
		free(node);
	}
	for (size_t i = 0; i < q->n; i++) {
		free((void *)(uintptr_t)q->equals[i].p);
		free(q->paths[i]);
	}
	free(q);
}

const struct json_node *json_query_step(const struct json_node *at, struct bytes key)
{
	if (!json_node_has_length(at, key.n)) {
		return NULL;
	}
	for (const struct json_edge *e = &at->edges[at->first_of[key.n]]; e->key.n == key.n; e++) {
		if (bytes_eq(e->key, key)) {
			return e->node;
		}
	}
	return NULL;
}
