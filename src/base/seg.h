/*
 * Segments: the memory that bodies and connection input live in while bytes are there.
 *
 * A worker owns one pool. Connections own no buffer: they borrow a segment when bytes are ready and
 * give it back when it is empty. Bodies are chains of segments, the last one filled before another
 * is lent. The pool keeps slabs of 32 and gives whole slabs back when it has been mostly free.
 *
 * One byte budget covers everything a pool lends (architecture: memory.max). Above 80 % new bodies
 * should wait unread (segpool_tight), above 100 % they are refused (segpool_spent); lending itself
 * still works then, up to a fifth more, so that what runs can finish.
 */
#ifndef BASE_SEG_H
#define BASE_SEG_H

#include "base/list.h"

/* 32 KB: between 16 and 256 KB no difference was measured; a segment with 1 KB touches one page. */
#define SEG_SIZE 32768u

struct seg_slab;

/* What is known of a segment stands beside its slab, not in front of its bytes: whoever lends or gives back 32 of them
 * after a large body need not wait for 32 pages that nobody has looked at for long. */
struct seg {
	struct seg *next;      /* in a chain or in a free list */
	struct seg_slab *slab; /* where it came from */
	char *data;            /* SEG_ROOM bytes, at the beginning of a page */
	uint32_t beg, end;     /* filled part of data */
	uint32_t refs;         /* holders: a head and a body may share one segment */
	uint32_t wide; /* pages behind its first have been used since they were given back */
};

#define SEG_ROOM SEG_SIZE

struct segpool {
	struct list partial; /* slabs with a free segment */
	struct list full;
	size_t lent, free;       /* segments */
	size_t budget;           /* segments that make 100 % */
	size_t high;             /* most ever lent */
	uint64_t mostly_free_ms; /* since when; 0: it is not */
};

void segpool_init(struct segpool *p, size_t budget_bytes);
/* All segments must have been given back. */
void segpool_done(struct segpool *p);

/* An empty segment (beg == end == 0), or NULL when even the reserve is spent. */
MUST_CHECK struct seg *seg_take(struct segpool *p);
/* The same for bytes that can wait where they are (in a socket): NULL from 100 % on, so that the reserve
 * is left to what has to be finished. */
MUST_CHECK struct seg *seg_take_input(struct segpool *p);
/* One more holder; each gives once. */
struct seg *seg_ref(struct seg *s);
/* NULL is allowed. */
void seg_give(struct segpool *p, struct seg *s);

/* Memory that is not lent but counts against the budget, in segments: what a library keeps for itself
 * while it works on a body. False, and nothing counted, from 100 % on. */
MUST_CHECK bool segpool_hold(struct segpool *p, unsigned segments);
void segpool_release(struct segpool *p, unsigned segments);

bool segpool_tight(const struct segpool *p);
bool segpool_spent(const struct segpool *p);

/* Called about once a second: gives free slabs back to the system when more than half of the pool has
 * been free for a second, of the last one its pages, when nothing of it is lent, and else of its free segments
 * all pages but the first: what 100 KB of prompt needed is not kept by those that read 1 KB. Bounded work per call. */
void segpool_trim(struct segpool *p, uint64_t now_ms);

/* A chain of segments: a queue of bytes. */
struct chain {
	struct seg *head, *tail;
	size_t n; /* bytes */
};

void chain_append(struct chain *c, struct seg *s);
/* Moves all of `from` behind `to`. */
void chain_move(struct chain *to, struct chain *from);
/* Drops n bytes (n <= c->n) from the front, giving empty segments back. */
void chain_drop(struct segpool *p, struct chain *c, size_t n);
void chain_give(struct segpool *p, struct chain *c);
/* Moves the first segment of `from` behind `to`; little is copied into the last segment of `to` when it
 * has room, so that a queue of small pieces does not hold a segment for each. Needs no memory. */
void chain_shift(struct segpool *p, struct chain *from, struct chain *to);
/* Takes the n bytes at offset `at` (at + n <= c->n) out of the chain, in place. Needs no memory. */
void chain_cut(struct segpool *p, struct chain *c, size_t at, size_t n);
/* Copies n bytes from offset `at` to out; at + n <= c->n. */
void chain_copy(const struct chain *c, size_t at, size_t n, char *out);
/* Appends a copy of p[0..n); false when the pool has nothing to lend (what fits was added). */
MUST_CHECK bool chain_add(struct segpool *p, struct chain *c, const char *bytes, size_t n);

#endif
