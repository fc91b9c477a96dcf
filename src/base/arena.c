#define _GNU_SOURCE
#include "base/arena.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/num.h"

#define ALIGN 16u
#define BLOCK_MIN 1024u
/* Up to the first, blocks double; further ones grow with the arena, up to the second. */
#define BLOCK_DOUBLE_MAX (64u * 1024u)
#define BLOCK_MAX (4u * 1024u * 1024u)

/* What a pool keeps, from malloc; an arena asks it for them when it would make one of half that size. */
#define POOL_BLOCK ((size_t)2 * 1024u * 1024u)
#define PAGE ((size_t)4096)
/* From this size on a block is most likely to be filled: the arena has eight times as much already (add_block). */
#define POPULATE_FROM ((size_t)256 * 1024)

struct arena_block {
	struct arena_block *next;
	struct arena_pool *pool; /* NULL: of none */
	_Alignas(ALIGN) char data[];
};

struct arena_end {
	struct arena_end *next;
	void (*end)(void *of);
	void *of;
};

/* --- pools ---------------------------------------------------------------------------------------- */

struct arena_pool {
	pthread_mutex_t lock;
	struct arena_block *kept;
	size_t n, max; /* blocks that are kept */
	size_t out;    /* blocks that arenas have */
	bool ended;    /* the last block frees it */
};

struct arena_pool *arena_pool_new(size_t max)
{
	struct arena_pool *p = must_alloc(sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	p->max = max / POOL_BLOCK;
	return p;
}

static void free_pool(struct arena_pool *p)
{
	while (p->kept != NULL) {
		struct arena_block *b = p->kept;

		p->kept = b->next;
		free(b);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void arena_pool_free(struct arena_pool *p)
{
	bool last;

	if (p == NULL) {
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	last = p->out == 0;
	pthread_mutex_unlock(&p->lock);
	if (last) {
		free_pool(p);
	}
}

/* The pages come one by one otherwise, by a fault each. (Huge ones come fewer, but a virtual machine that gives what is
 * free back to its host waits for them: 570 ms instead of 330 for a change among 100,000 consumers.) */
static void populate(struct arena_block *b, size_t size)
{
	char *from = (char *)b + (-(uintptr_t)b & (PAGE - 1));
	size_t n = (size_t)((char *)b + size - from);

	IGNORE(madvise(from, n - n % PAGE, MADV_POPULATE_WRITE)); /* a kernel before 5.14 cannot */
}

static struct arena_block *pool_take(struct arena_pool *p)
{
	struct arena_block *b;

	pthread_mutex_lock(&p->lock);
	b = p->kept;
	if (b != NULL) {
		p->kept = b->next;
		p->n--;
	}
	p->out++;
	pthread_mutex_unlock(&p->lock);
	if (b == NULL) {
		b = malloc(POOL_BLOCK);
		ASSERT(b != NULL);
		populate(b, POOL_BLOCK);
		b->pool = p;
	}
	return b;
}

static void pool_give(struct arena_pool *p, struct arena_block *b)
{
	bool keep, last;

	pthread_mutex_lock(&p->lock);
	p->out--;
	keep = p->n < p->max && !p->ended;
	if (keep) {
		b->next = p->kept;
		p->kept = b;
		p->n++;
	}
	last = p->ended && p->out == 0;
	pthread_mutex_unlock(&p->lock);
	if (!keep) {
		free(b);
	}
	if (last) {
		free_pool(p);
	}
}

/* --- arenas --------------------------------------------------------------------------------------- */

void arena_use(struct arena *a, struct arena_pool *pool)
{
	a->pool = pool;
}

void arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max, .block_size = BLOCK_MIN};
}

void arena_init_with(struct arena *a, size_t max, void *first, size_t first_size)
{
	ASSERT((uintptr_t)first % ALIGN == 0);
	arena_init(a, max);
	a->at = first;
	a->end = a->at + first_size;
}

static void end_until(struct arena *a, const struct arena_end *kept)
{
	for (; a->ends != kept; a->ends = a->ends->next) {
		a->ends->end(a->ends->of);
	}
}

static void free_until(struct arena *a, const struct arena_block *kept)
{
	while (a->blocks != kept) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		if (b->pool != NULL) {
			pool_give(b->pool, b);
		} else {
			free(b);
		}
	}
}

void arena_done(struct arena *a)
{
	end_until(a, NULL);
	free_until(a, NULL);
	arena_init(a, a->max);
}

struct arena_mark arena_mark(const struct arena *a)
{
	return (struct arena_mark){*a};
}

void arena_rewind(struct arena *a, const struct arena_mark *m)
{
	end_until(a, m->at.ends);
	free_until(a, m->at.blocks);
	*a = m->at;
}

static void add_block(struct arena *a, size_t size)
{
	size_t want = MAX(size, a->block_size);
	struct arena_block *b;

	if (a->pool != NULL && want >= POOL_BLOCK / 2 && size <= POOL_BLOCK - sizeof(*b)) {
		b = pool_take(a->pool);
		want = POOL_BLOCK - sizeof(*b);
	} else {
		b = malloc(sizeof(*b) + want);
		ASSERT(b != NULL);
		if (want >= POPULATE_FROM) {
			populate(b, sizeof(*b) + want);
		}
		b->pool = NULL;
	}
	b->next = a->blocks;
	a->blocks = b;
	a->at = b->data;
	a->end = a->at + want;
	a->block_size = a->block_size < BLOCK_DOUBLE_MAX
		? a->block_size * 2
		: MIN(MAX(a->total / 8, (size_t)BLOCK_DOUBLE_MAX), (size_t)BLOCK_MAX);
}

/* Not zeroed; align is 1 or ALIGN. */
static void *take(struct arena *a, size_t size, size_t align)
{
	size_t gap = -(uintptr_t)a->at & (align - 1);
	size_t total;
	char *p;

	if (!num_add(size, gap, &total) || !num_add(a->total, total, &total) || total > a->max) {
		a->full = true;
		return NULL;
	}
	if (a->at == NULL || (size_t)(a->end - a->at) < gap + size) {
		add_block(a, size);
		gap = 0;
	}
	p = a->at + gap;
	a->at = p + size;
	a->total = total;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p = take(a, size, ALIGN);

	return p != NULL ? memset(p, 0, size) : NULL;
}

void *arena_must(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);

	ASSERT(p != NULL);
	return p;
}

struct bytes arena_copy(struct arena *a, struct bytes b)
{
	char *p;

	if (b.n < (size_t)(a->end - a->at) && b.n < a->max - a->total) {
		/* Nearly always: there is room in the block. */
		p = a->at;
		a->at += b.n + 1;
		a->total += b.n + 1;
	} else {
		p = b.n < SIZE_MAX ? take(a, b.n + 1, 1) : NULL;
	}
	if (p == NULL) {
		return (struct bytes){NULL, 0};
	}
	*bytes_put(p, b) = '\0';
	return (struct bytes){p, b.n};
}

void arena_at_end(struct arena *a, void (*end)(void *of), void *of)
{
	struct arena_end *e = arena_must(a, sizeof(*e));

	*e = (struct arena_end){a->ends, end, of};
	a->ends = e;
}
