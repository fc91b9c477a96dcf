/*
 * For tests: everything that must hold for any text at all, asked in one call. Included by one unit test
 * and by the fuzz target, so that what a fuzzer finds is a row of the test.
 */
#ifndef WIRE_JSON_AGREE_INT_H
#define WIRE_JSON_AGREE_INT_H

#include <stdlib.h>

#include "wire/json_int.h"

#define AGREE_HITS_MAX 2000u

static const struct json_want agree_wants[] = {{"a", NULL}, {"b", NULL}, {"a.b", NULL},
	{"a.b.a", NULL}, {"a[]", NULL}, {"a[0]", NULL}, {"a[].b", NULL}, {"[]", NULL},
	{"[0]", NULL}, {"[][0]", NULL}, {"[0][]", NULL}, {"[].a", NULL}, {"model", NULL},
	{"model", "x"}, {"a", "\xc3\xa9"}, {"a[].b", "\xf0\x9f\x98\x80"}, {"b", ""}};

struct agree {
	enum read_rc rc;
	struct fault fault;
	struct json_hits hits;
	enum json_type top;
	uint64_t top_at;
	bool top_empty;
};

static uint32_t agree_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

/* Feeds in pieces of at most `piece` bytes (random below it when *seed is not 0), each a block of memory
 * of its own, so that the sanitizer sees every byte read beyond one. */
static void agree_scan(struct agree *r, const struct json_query *q, const struct json_run *way,
	struct bytes text, const size_t piece_seed[2])
{
	uint32_t seed = (uint32_t)piece_seed[1];
	struct json_scan_room room;
	struct json_scan *s;

	*r = (struct agree){.rc = READ_MORE};
	json_hits_init(&r->hits, NULL, 0, AGREE_HITS_MAX);
	s = json_scan_init(&room, q, &r->hits);
	s->run = way->run;
	for (size_t at = 0; at < text.n && r->rc == READ_MORE;) {
		size_t n = piece_seed[0];
		char *copy;

		n = seed != 0 ? 1 + agree_random(&seed) % n : n;
		n = MIN(n, text.n - at);
		copy = malloc(n);
		ASSERT(copy != NULL);
		memcpy(copy, text.p + at, n);
		r->rc = json_scan_feed(s, copy, n, &r->fault);
		free(copy);
		at += n;
	}
	if (r->rc == READ_MORE) {
		r->rc = json_scan_end(s, &r->fault);
	}
	if (r->rc == READ_DONE) {
		r->top = json_scan_top(s);
		r->top_at = json_scan_top_at(s);
		r->top_empty = json_scan_top_empty(s);
	}
}

static bool agree_same_hit(const struct json_hit *a, const struct json_hit *b)
{
	return a->beg == b->beg && a->end == b->end && a->want == b->want && a->type == b->type &&
		a->escaped == b->escaped && a->empty == b->empty;
}

static bool agree_same(const struct agree *a, const struct agree *b)
{
	if (a->rc != b->rc || a->hits.n != b->hits.n || a->top != b->top ||
		a->top_at != b->top_at || a->top_empty != b->top_empty) {
		return false;
	}
	if (a->rc == READ_FAIL &&
		(a->fault.err != b->fault.err || a->fault.where != b->fault.where ||
			strcmp(a->fault.text, b->fault.text) != 0)) {
		return false;
	}
	for (size_t i = 0; i < a->hits.n; i++) {
		if (!agree_same_hit(&a->hits.v[i], &b->hits.v[i])) {
			return false;
		}
	}
	return true;
}

/* --- the same answer from the tree: paths are read as text, without a compiled query ---------------- */

struct agree_found {
	struct bytes text;
	struct json_hits *hits;
	unsigned want;
};

static void agree_find(const struct agree_found *f, const struct json_value *v, const char *path);

static void agree_emit(const struct agree_found *f, const struct json_value *v)
{
	const char *equals = agree_wants[f->want].equals;
	struct json_hit hit = {.beg = v->beg,
		.end = v->end,
		.want = (uint8_t)f->want,
		.type = (uint8_t)v->type,
		.empty = v->type >= JSON_ARRAY && v->n == 0};

	if (v->type == JSON_STRING) {
		hit.escaped = memchr(f->text.p + v->beg, '\\', v->end - v->beg) != NULL;
	}
	if (equals != NULL && (v->type != JSON_STRING || !bytes_eq(v->text, bytes_str(equals)))) {
		return;
	}
	IGNORE(json_hits_add(f->hits, &hit)); /* then the numbers differ */
}

static void agree_find(const struct agree_found *f, const struct json_value *v, const char *path)
{
	size_t key = strcspn(path, ".[");

	if (*path == '\0') {
		agree_emit(f, v);
		return;
	}
	if (*path == '[' && v->type == JSON_ARRAY) {
		const char *rest = strchr(path, ']') + 1;

		rest += *rest == '.';
		for (const struct json_value *i = v->items; i != NULL; i = i->next) {
			if (path[1] == ']' || i == v->items) {
				agree_find(f, i, rest);
			}
		}
		return;
	}
	if (*path == '[' || v->type != JSON_OBJECT) {
		return;
	}
	for (const struct json_value *i = v->items; i != NULL; i = i->next) {
		if (bytes_eq(i->key, bytes_of(path, key))) {
			agree_find(f, i, path + key + (path[key] == '.'));
		}
	}
}

static int agree_order(const void *pa, const void *pb)
{
	const struct json_hit *a = pa;
	const struct json_hit *b = pb;

	if (a->end != b->end) {
		return a->end < b->end ? -1 : 1;
	}
	return (a->want > b->want) - (a->want < b->want);
}

static const char *agree_tree(const struct agree *whole, struct bytes text)
{
	struct arena arena;
	struct json_hits hits;
	struct agree_found f = {.text = text, .hits = &hits};
	const struct json_value *top;
	struct fault fault = {0};
	const char *wrong = NULL;

	if (whole->rc == READ_FAIL && whole->fault.err == ERR_LIMIT &&
		whole->hits.n == AGREE_HITS_MAX) {
		return NULL; /* a tree has no such limit */
	}
	arena_init(&arena, 1u << 30);
	json_hits_init(&hits, NULL, 0, AGREE_HITS_MAX);
	top = json_parse(&arena, text, &fault);
	if ((top != NULL) != (whole->rc == READ_DONE)) {
		wrong = "tree and scan disagree about validity";
	} else if (top == NULL) {
		wrong = fault.where == whole->fault.where ? NULL : "their faults differ";
	} else {
		for (f.want = 0; f.want < ARRAY_LEN(agree_wants); f.want++) {
			agree_find(&f, top, agree_wants[f.want].path);
		}
		if (hits.n != 0) {
			qsort(hits.v, hits.n, sizeof(*hits.v), agree_order);
		}
		wrong = hits.n == whole->hits.n ? NULL : "tree and scan found different numbers";
		for (size_t i = 0; wrong == NULL && i < hits.n; i++) {
			wrong = agree_same_hit(&hits.v[i], &whole->hits.v[i])
				? NULL
				: "tree and scan found different values";
		}
		if (top->type != whole->top || top->beg != whole->top_at) {
			wrong = "the top differs";
		}
	}
	json_hits_done(&hits);
	arena_done(&arena);
	return wrong;
}

/* Never runs: every byte of a string that is not short and plain is looked at by json_string.c. */
static const char *agree_run_nowhere(const char *p, const char *end, bool *escaped)
{
	(void)end;
	(void)escaped;
	return p;
}

/* NULL when all agree: every way, whole, byte by byte, at random cuts; the tree. Else what does not. */
static inline const char *json_agree(struct bytes text, uint32_t seed)
{
	struct json_query *q = json_query_new(agree_wants, ARRAY_LEN(agree_wants));
	const size_t cuts[][2] = {
		{MAX(text.n, 1), 0}, {1, 0}, {7, 0}, {63, 0}, {9, seed | 1}, {150, seed | 1}};
	size_t n_ways;
	const struct json_run *ways = json_runs(&n_ways);
	const struct json_run by_byte = {"by byte", agree_run_nowhere};
	struct agree whole;
	const char *wrong;

	agree_scan(&whole, q, &by_byte, text, cuts[0]);
	wrong = agree_tree(&whole, text);
	for (size_t w = 0; wrong == NULL && w < n_ways; w++) {
		for (size_t i = 0; wrong == NULL && i < ARRAY_LEN(cuts); i++) {
			struct agree r;

			agree_scan(&r, q, &ways[w], text, cuts[i]);
			wrong = agree_same(&whole, &r) ? NULL : ways[w].name;
			json_hits_done(&r.hits);
		}
	}
	json_hits_done(&whole.hits);
	json_query_free(q);
	return wrong;
}

#endif
