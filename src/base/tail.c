/*
 * Blocks that are written from their beginning to their end and taken again, the oldest first. What a reader sees of
 * one is what was published before, so nothing that it reads is written meanwhile; and a block is taken again only when
 * it has been out of sight and nobody reads. When somebody does just then, lines are left out until he has done.
 */
#define _GNU_SOURCE /* memrchr */
#include "base/tail.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK (TAIL_LINE_MAX + 1u)

struct block {
	uint64_t from;    /* number of its first byte */
	_Atomic size_t n; /* bytes of whole lines */
	char data[BLOCK];
};

struct tail {
	size_t max;                      /* places */
	_Atomic uint64_t oldest, newest; /* of the blocks that can be read; k has place k % max */
	_Atomic uint64_t end;
	_Atomic unsigned readers;
	/* the writer's */
	size_t used; /* of the newest block: whole lines, and the beginning of one */
	bool skips;  /* the rest of a line that is left out */
	struct block *blocks[];
};

/* Not cleared: pages that no line has come to yet cost nothing. */
static struct block *block_new(void)
{
	struct block *b = must_realloc(NULL, sizeof(*b));

	b->from = 0;
	atomic_init(&b->n, 0);
	return b;
}

struct tail *tail_new(size_t bytes)
{
	size_t max = bytes / BLOCK + 2;
	struct tail *t = must_alloc(sizeof(*t) + max * sizeof(t->blocks[0]));

	t->max = max;
	t->blocks[0] = block_new();
	return t;
}

void tail_free(struct tail *t)
{
	for (size_t i = 0; t != NULL && i < t->max; i++) {
		free(t->blocks[i]);
	}
	free(t);
}

/* --- the writer --------------------------------------------------------------------------------- */

static struct block *newest_of(const struct tail *t)
{
	return t->blocks[atomic_load_explicit(&t->newest, memory_order_relaxed) % t->max];
}

/* Goes on in the next block, with the line that was begun. False: that line finds no room. */
static bool next_block(struct tail *t)
{
	uint64_t k = atomic_load_explicit(&t->newest, memory_order_relaxed) + 1;
	struct block *old = newest_of(t);
	size_t whole = atomic_load_explicit(&old->n, memory_order_relaxed);
	struct block **place = &t->blocks[k % t->max];

	if (whole == 0) { /* the line is longer than a block */
		t->used = 0;
		return false;
	}
	if (*place == NULL) {
		*place = block_new();
	} else {
		/* Who has not said yet that he reads, will see this first. */
		atomic_store(&t->oldest, k + 1 - t->max);
		if (atomic_load(&t->readers) != 0) {
			t->used = whole;
			return false;
		}
	}
	(*place)->from = old->from + whole;
	atomic_store_explicit(&(*place)->n, 0, memory_order_relaxed);
	t->used -= whole;
	memcpy((*place)->data, old->data + whole, t->used);
	atomic_store(&t->newest, k);
	return true;
}

/* As much of it as there is room for. */
static size_t add(struct tail *t, const char *p, size_t n)
{
	struct block *b = newest_of(t);
	size_t take = MIN(n, BLOCK - t->used);
	const char *last = memrchr(p, '\n', take);

	memcpy(b->data + t->used, p, take);
	if (last != NULL) {
		size_t whole = t->used + (size_t)(last + 1 - p);

		atomic_store_explicit(&b->n, whole, memory_order_release);
		atomic_store_explicit(&t->end, b->from + whole, memory_order_release);
	}
	t->used += take;
	return take;
}

/* Behind the end of the line that is left out. */
static size_t skip(struct tail *t, const char *p, size_t n)
{
	const char *stop = memchr(p, '\n', n);

	t->skips = stop == NULL;
	return stop != NULL ? (size_t)(stop + 1 - p) : n;
}

void tail_put(struct tail *t, const struct iovec *v, int n)
{
	for (int i = 0; i < n; i++) {
		const char *p = v[i].iov_base;
		size_t left = v[i].iov_len;

		while (left != 0) {
			size_t did = 0;

			if (t->skips) {
				did = skip(t, p, left);
			} else if (t->used == BLOCK && !next_block(t)) {
				t->skips = true;
			} else {
				did = add(t, p, left);
			}
			p += did;
			left -= did;
		}
	}
}

/* --- readers ------------------------------------------------------------------------------------ */

uint64_t tail_end(const struct tail *t)
{
	return atomic_load_explicit(&t->end, memory_order_acquire);
}

static bool find(const struct tail *t, uint64_t before, struct text *out, uint64_t *at)
{
	uint64_t oldest = atomic_load(&t->oldest);

	for (uint64_t k = atomic_load(&t->newest) + 1; k-- > oldest;) {
		const struct block *b = t->blocks[k % t->max];
		size_t n = atomic_load_explicit(&b->n, memory_order_acquire);
		const char *start;

		if (n == 0 || before <= b->from) {
			continue;
		}
		n = (size_t)MIN(before - b->from, n) - 1; /* without the line end */
		start = memrchr(b->data, '\n', n);
		start = start != NULL ? start + 1 : b->data;
		text_add(out, start, (size_t)(b->data + n - start));
		*at = b->from + (uint64_t)(start - b->data);
		return true;
	}
	return false;
}

bool tail_get(struct tail *t, uint64_t before, struct text *out, uint64_t *at)
{
	bool found;

	atomic_fetch_add(&t->readers, 1);
	found = find(t, before, out, at);
	atomic_fetch_sub(&t->readers, 1);
	return found;
}
