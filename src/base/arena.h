/*
 * An arena: memory that ends together. Bump allocation, never moved; zeroed and 16-byte aligned but for copies of
 * texts, which stand side by side.
 *
 * The first block may be the caller's (an exchange embeds 1 KB), further ones come from the heap and
 * are as large as what is asked for. Nothing is allocated per event from one.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"

struct arena_block;
struct arena_end;

/*
 * Blocks that large arenas leave for the next one: to give the system 120 MB and ask it for them again takes half as
 * long as to fill them. May be shared by threads, and freed while arenas still have blocks of it.
 */
struct arena_pool;

/* Keeps at most max bytes. */
struct arena_pool *arena_pool_new(size_t max);
/* NULL is allowed. */
void arena_pool_free(struct arena_pool *p);

struct arena {
	char *at, *end;             /* free part of the current block */
	struct arena_block *blocks; /* heap blocks, newest first */
	size_t total, max;          /* bytes handed out so far, and the most there may be */
	size_t block_size;          /* of the next heap block */
	bool full;                  /* max was met: something was not allocated */
	struct arena_end *ends;     /* what arena_done calls, the last one first */
	struct arena_pool *pool;    /* NULL: none */
};

/* max: bytes that arena_alloc may hand out in all. */
void arena_init(struct arena *a, size_t max);
/* The same, with a first block that the caller owns (16-byte aligned). */
void arena_init_with(struct arena *a, size_t max, void *first, size_t first_size);
/* An arena that was just made takes its blocks from there, once it is large. */
void arena_use(struct arena *a, struct arena_pool *pool);
/* Frees the heap blocks; the arena is as after init without a first block. Safe on a zeroed arena. */
void arena_done(struct arena *a);

/* What the arena has handed out so far. */
struct arena_mark {
	struct arena at;
};
struct arena_mark arena_mark(const struct arena *a);
/* Frees what was handed out since then. */
void arena_rewind(struct arena *a, const struct arena_mark *m);
/* What is not in the arena but ends with it: arena_done and arena_rewind call it, the last one first. For
 * few objects. */
void arena_at_end(struct arena *a, void (*end)(void *of), void *of);

/* Whether something was refused since the beginning, or since the mark that was rewound to: a sequence of
 * calls that bear a refusal needs one question at its end. */
static inline bool arena_full(const struct arena *a)
{
	return a->full;
}

/* Zeroed memory, or NULL when max would be passed. */
/* Zeroed, aligned memory, or NULL when max would be passed. */
MUST_CHECK void *arena_alloc(struct arena *a, size_t size);
/* For sizes that the caller has bounded: asserts instead of returning NULL. */
void *arena_must(struct arena *a, size_t size);
/* Copy with a NUL behind it, not aligned; p is NULL when max would be passed. */
struct bytes arena_copy(struct arena *a, struct bytes b);

#endif
