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

/* Never runs: every byte of a string that is not short and plain is looked at by json_string.c,
 * which is the judge of the quicker ways. */
static const char *agree_run_nowhere(const char *p, const char *end, bool *escaped)
{
	(void)end;
	(void)escaped;
	return p;
}

static const struct json_run agree_by_byte = {"by byte", agree_run_nowhere};

/* How a text is cut into pieces. */
struct agree_cuts {
	size_t first;  /* bytes of the first piece; 0: like the others */
	size_t piece;  /* of the others */
	uint32_t seed; /* not 0: pieces are of random size, at most `piece` */
};

/* Each piece is a block of memory of its own that ends with it and is gone afterwards, so that the
 * sanitizer sees a look behind it as well as a look back. */
static enum read_rc agree_feed(struct json_scan *s, struct bytes piece, struct fault *fault)
{
	char *copy = malloc(MAX(piece.n, 1));
	enum read_rc rc;

	ASSERT(copy != NULL);
	memcpy(copy, piece.p, piece.n);
	rc = json_scan_feed(s, copy, piece.n, fault);
	memset(copy, '"', piece.n);
	free(copy);
	return rc;
}

/* agree_done(r) afterwards. */
static void agree_scan(struct agree *r, const struct json_query *q, const struct json_run *way,
	struct bytes text, const struct agree_cuts *cuts)
{
	uint32_t seed = cuts->seed;
	struct json_scan_room room;
	struct json_scan *s;

	*r = (struct agree){.rc = READ_MORE};
	json_hits_init(&r->hits, NULL, 0, AGREE_HITS_MAX);
	memset(&room, 0xa5, sizeof(room));
	s = json_scan_init(&room, q, &r->hits);
	s->run = way->run;
	ASSERT(json_scan_feed(s, NULL, 0, NULL) == READ_MORE);
	for (size_t at = 0; at < text.n && r->rc == READ_MORE;) {
		size_t n = at == 0 && cuts->first != 0 ? cuts->first : cuts->piece;

		n = seed != 0 ? 1 + agree_random(&seed) % n : n;
		n = MIN(n, text.n - at);
		r->rc = agree_feed(s, bytes_of(text.p + at, n), &r->fault);
		at += n;
	}
	if (r->rc == READ_MORE) {
		r->rc = json_scan_end(s, &r->fault);
	}
	if (r->rc == READ_DONE) {
		r->top = json_scan_top(s);
		r->top_at = json_scan_top_at(s);
		r->top_empty = json_scan_top_empty(s);
	} else {
		/* Once failed, it stays so. */
		ASSERT(json_scan_feed(s, "1", 1, NULL) == READ_FAIL);
		ASSERT(json_scan_end(s, NULL) == READ_FAIL);
	}
}

static void agree_done(struct agree *r)
{
	json_hits_done(&r->hits);
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
			a->fault.status != b->fault.status ||
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
	struct json_hit *room;
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
	room = json_hits_room(f->hits);
	if (room != NULL) { /* else the numbers differ */
		*room = hit;
	}
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

/* NULL when all agree: every way, whole, byte by byte, at random cuts; the tree. Else what does not. */
static inline const char *json_agree(struct bytes text, uint32_t seed)
{
	struct json_query *q = json_query_new(agree_wants, ARRAY_LEN(agree_wants));
	const struct agree_cuts cuts[] = {{0, MAX(text.n, 1), 0}, {0, 1, 0}, {0, 7, 0}, {0, 63, 0},
		{0, 9, seed | 1}, {0, 150, seed | 1}};
	size_t n_ways;
	const struct json_run *ways = json_runs(&n_ways);
	struct agree whole;
	const char *wrong;

	agree_scan(&whole, q, &agree_by_byte, text, &cuts[0]);
	wrong = agree_tree(&whole, text);
	for (size_t w = 0; wrong == NULL && w < n_ways; w++) {
		for (size_t i = 0; wrong == NULL && i < ARRAY_LEN(cuts); i++) {
			struct agree r;

			agree_scan(&r, q, &ways[w], text, &cuts[i]);
			wrong = agree_same(&whole, &r) ? NULL : ways[w].name;
			agree_done(&r);
		}
	}
	agree_done(&whole);
	json_query_free(q);
	return wrong;
}

#endif
