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

static uint16_t build(struct json_query *q, const struct place *at, unsigned depth);

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
static uint16_t build_element(
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

static uint16_t build_member(
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

static void build_members(
	struct json_query *q, const struct place *at, uint16_t node, unsigned depth)
{
	struct json_edge *edges = must_alloc(q->n * sizeof(*edges));
	uint64_t lengths = 0;
	uint16_t n = 0;

	for (size_t i = 0; i < q->n; i++) {
		struct bytes key = key_of(at->rest[i]);

		if (key.n == 0 || has_edge(edges, n, key)) {
			continue;
		}
		ASSERT(key.n <= JSON_KEY_MAX);
		edges[n] = (struct json_edge){key, build_member(q, at, key, depth)};
		lengths |= 1ull << key.n;
		n++;
	}
	q->nodes[node].edges = edges;
	q->nodes[node].n_edges = n;
	q->nodes[node].lengths = lengths;
}

static uint16_t add_node(struct json_query *q, const struct place *at)
{
	struct json_node node = {.first = JSON_NO_NODE, .rest = JSON_NO_NODE};

	for (size_t i = 0; i < q->n; i++) {
		if (at->rest[i] != NULL && *at->rest[i] == '\0') {
			node.wants |= 1u << i;
			node.literals |= q->equals[i].p != NULL ? 1u << i : 0;
		}
	}
	if (q->n_nodes == q->cap_nodes) {
		q->cap_nodes = q->cap_nodes == 0 ? 16 : q->cap_nodes * 2;
		q->nodes = must_realloc(q->nodes, q->cap_nodes * sizeof(*q->nodes));
	}
	ASSERT(q->n_nodes < JSON_NO_NODE);
	q->nodes[q->n_nodes] = node;
	return (uint16_t)q->n_nodes++;
}

/* Recursion over our own paths, not over input: JSON_PATH_MAX deep. */
static uint16_t build(struct json_query *q, const struct place *at, unsigned depth)
{
	bool any = false;
	uint16_t node;
	uint16_t rest;
	uint16_t first;

	for (size_t i = 0; i < q->n; i++) {
		any = any || at->rest[i] != NULL;
	}
	if (!any) {
		return JSON_NO_NODE;
	}
	ASSERT(depth <= JSON_PATH_MAX);
	node = add_node(q, at);
	build_members(q, at, node, depth);
	rest = build_element(q, at, false, depth);
	first = has_first_only(q, at) ? build_element(q, at, true, depth) : rest;
	q->nodes[node].rest = rest;
	q->nodes[node].first = first;
	return node;
}

struct json_query *json_query_new(const struct json_want *wants, size_t n)
{
	struct json_query *q = must_alloc(sizeof(*q));
	struct place top;

	ASSERT(n <= JSON_WANTS_MAX);
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
	build(q, &top, 0);
	return q;
}

void json_query_free(struct json_query *q)
{
	if (q == NULL) {
		return;
	}
	for (size_t i = 0; i < q->n_nodes; i++) {
		free((void *)(uintptr_t)q->nodes[i].edges);
	}
	for (size_t i = 0; i < q->n; i++) {
		free((void *)(uintptr_t)q->equals[i].p);
		free(q->paths[i]);
	}
	free(q->nodes);
	free(q);
}

uint16_t json_query_step(const struct json_query *q, uint16_t node, struct bytes key)
{
	const struct json_node *at = &q->nodes[node];

	if (key.n > JSON_KEY_MAX || (at->lengths >> key.n & 1) == 0) {
		return JSON_NO_NODE;
	}
	for (size_t i = 0; i < at->n_edges; i++) {
		struct bytes edge = at->edges[i].key;

		/* Keys that differ do so in their first byte, as a rule. */
		if (edge.n == key.n && (key.n == 0 || *edge.p == *key.p) && bytes_eq(edge, key)) {
			return at->edges[i].node;
		}
	}
	return JSON_NO_NODE;
}
