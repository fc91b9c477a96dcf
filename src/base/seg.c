#define _GNU_SOURCE
#include "base/seg.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SLAB_SEGS 32u
#define TRIM_PER_CALL 16u
#define PAGE 4096u
#define LOOK_PER_CALL (8u * SLAB_SEGS)

struct seg_slab {
	struct list link;
	struct seg *free;   /* given back */
	unsigned n_free;    /* given back and never lent */
	unsigned n_touched; /* segs[n_touched..] were never lent: their pages do not exist yet */
	char *bytes;        /* of all of them, one mapping */
	struct seg segs[SLAB_SEGS];
};

void segpool_init(struct segpool *p, size_t budget_bytes)
{
	*p = (struct segpool){.budget = MAX(budget_bytes / SEG_SIZE, 8u)};
	list_init(&p->partial);
	list_init(&p->full);
}

static struct seg_slab *slab_new(void)
{
	struct seg_slab *slab = must_alloc(sizeof(*slab));
	void *mem = mmap(NULL, SLAB_SEGS * SEG_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT(mem != MAP_FAILED);
	/* A huge page would make one kilobyte of prompt cost two megabytes. */
	IGNORE(madvise(mem, SLAB_SEGS * SEG_SIZE, MADV_NOHUGEPAGE)); /* a hint */
	slab->bytes = mem;
	slab->n_free = SLAB_SEGS;
	return slab;
}

static void slab_free(struct seg_slab *slab)
{
	munmap(slab->bytes, SLAB_SEGS * SEG_SIZE);
	list_remove(&slab->link);
	free(slab);
}

void segpool_done(struct segpool *p)
{
	ASSERT(p->lent == 0);
	while (!list_empty(&p->partial)) {
		slab_free(CONTAINER_OF(p->partial.next, struct seg_slab, link));
	}
}

bool segpool_tight(const struct segpool *p)
{
	return p->lent >= p->budget - p->budget / 5;
}

bool segpool_spent(const struct segpool *p)
{
	return p->lent >= p->budget;
}

/* The next one that was never lent, or not since all pages were given back. */
static struct seg *first_touch(struct seg_slab *slab)
{
	struct seg *s = &slab->segs[slab->n_touched];

	*s = (struct seg){.slab = slab, .data = slab->bytes + slab->n_touched * SEG_SIZE};
	slab->n_touched++;
	return s;
}

struct seg *seg_take(struct segpool *p)
{
	struct seg_slab *slab;
	struct seg *s;

	if (p->lent >= p->budget + p->budget / 5) {
		return NULL;
	}
	if (list_empty(&p->partial)) {
		slab = slab_new();
		list_insert(&p->partial, &slab->link);
		p->free += SLAB_SEGS;
	}
	slab = CONTAINER_OF(p->partial.next, struct seg_slab, link);
	s = slab->free;
	if (s != NULL) {
		slab->free = s->next;
	} else {
		s = first_touch(slab);
	}
	if (--slab->n_free == 0) {
		list_remove(&slab->link);
		list_insert(&p->full, &slab->link);
	}
	p->free--;
	p->lent++;
	p->high = MAX(p->high, p->lent);
	s->next = NULL;
	s->beg = s->end = 0;
	s->refs = 1;
	return s;
}

bool segpool_hold(struct segpool *p, unsigned segments)
{
	if (segpool_spent(p)) {
		return false;
	}
	p->lent += segments;
	p->high = MAX(p->high, p->lent);
	return true;
}

void segpool_release(struct segpool *p, unsigned segments)
{
	ASSERT(p->lent >= segments);
	p->lent -= segments;
}

struct seg *seg_ref(struct seg *s)
{
	s->refs++;
	return s;
}

struct seg *seg_take_input(struct segpool *p)
{
	return segpool_spent(p) ? NULL : seg_take(p);
}

void seg_give(struct segpool *p, struct seg *s)
{
	struct seg_slab *slab;

	if (s == NULL || --s->refs != 0) {
		return;
	}
	slab = s->slab;
	s->wide |= s->end > PAGE;
	s->next = slab->free;
	slab->free = s;
	if (slab->n_free++ == 0) {
		/* Behind the others: the slabs in front fill up again, this one may become free. */
		list_remove(&slab->link);
		list_append(&p->partial, &slab->link);
	}
	p->free++;
	p->lent--;
}

static unsigned trim_slabs(struct segpool *p)
{
	struct list *at;
	struct list *next;
	unsigned freed = 0;

	for (at = p->partial.prev; at != &p->partial && freed < TRIM_PER_CALL; at = next) {
		struct seg_slab *slab = CONTAINER_OF(at, struct seg_slab, link);

		next = at->prev;
		if (slab->n_free == SLAB_SEGS && p->free > SLAB_SEGS) {
			slab_free(slab);
			p->free -= SLAB_SEGS;
			freed++;
		}
	}
	return freed;
}

/* All of it is free: as if it were new. */
static void rest(struct seg_slab *slab)
{
	if (slab->n_touched != 0) {
		IGNORE(madvise(slab->bytes, SLAB_SEGS * SEG_SIZE, MADV_DONTNEED)); /* a hint */
		slab->free = NULL;
		slab->n_touched = 0;
	}
}

/* The first page stays: most bodies need no other. */
static void trim_pages(struct segpool *p, unsigned most)
{
	unsigned looks = LOOK_PER_CALL;

	for (struct list *at = p->partial.prev; at != &p->partial; at = at->prev) {
		struct seg_slab *slab = CONTAINER_OF(at, struct seg_slab, link);

		if (slab->n_free == SLAB_SEGS) {
			rest(slab);
		}
		for (struct seg *s = slab->free; s != NULL; s = s->next) {
			if (looks-- == 0 || most == 0) {
				return;
			}
			if (s->wide == 0) {
				continue;
			}
			most--;
			IGNORE(madvise(
				s->data + PAGE, SEG_SIZE - PAGE, MADV_DONTNEED)); /* a hint */
			s->wide = 0;
		}
	}
}

void segpool_trim(struct segpool *p, uint64_t now_ms)
{
	if (p->free == 0 || p->free < p->lent) {
		p->mostly_free_ms = 0;
		return;
	}
	if (p->mostly_free_ms == 0) {
		p->mostly_free_ms = now_ms != 0 ? now_ms : 1;
		return;
	}
	if (now_ms - p->mostly_free_ms < 1000) {
		return;
	}
	trim_pages(p, TRIM_PER_CALL - trim_slabs(p));
}

void chain_append(struct chain *c, struct seg *s)
{
	s->next = NULL;
	if (c->tail != NULL) {
		c->tail->next = s;
	} else {
		c->head = s;
	}
	c->tail = s;
	c->n += s->end - s->beg;
}

void chain_move(struct chain *to, struct chain *from)
{
	if (from->head == NULL) {
		return;
	}
	if (to->tail != NULL) {
		to->tail->next = from->head;
	} else {
		to->head = from->head;
	}
	to->tail = from->tail;
	to->n += from->n;
	*from = (struct chain){NULL, NULL, 0};
}

void chain_drop(struct segpool *p, struct chain *c, size_t n)
{
	ASSERT(n <= c->n);
	c->n -= n;
	while (c->head != NULL) {
		struct seg *s = c->head;
		size_t here = s->end - s->beg;

		if (n < here) {
			s->beg += (uint32_t)n;
			return;
		}
		n -= here;
		c->head = s->next;
		if (c->head == NULL) {
			c->tail = NULL;
		}
		seg_give(p, s);
		if (n == 0 && c->n != 0) {
			return;
		}
	}
}

void chain_give(struct segpool *p, struct chain *c)
{
	while (c->head != NULL) {
		struct seg *s = c->head;

		c->head = s->next;
		seg_give(p, s);
	}
	*c = (struct chain){NULL, NULL, 0};
}

#define COALESCE_MAX 4096u

/* Takes the first segment off the chain. */
static struct seg *shift(struct chain *c)
{
	struct seg *s = c->head;

	c->head = s->next;
	if (c->head == NULL) {
		c->tail = NULL;
	}
	c->n -= s->end - s->beg;
	return s;
}

static bool fits_tail(const struct chain *c, size_t n)
{
	return c->tail != NULL && n <= COALESCE_MAX && SEG_ROOM - c->tail->end >= n;
}

void chain_shift(struct segpool *p, struct chain *from, struct chain *to)
{
	struct seg *s = shift(from);
	size_t n = s->end - s->beg;

	if (fits_tail(to, n)) {
		IGNORE(chain_add(p, to, s->data + s->beg, n)); /* there is room */
		seg_give(p, s);
	} else {
		chain_append(to, s);
	}
}

/* Takes s, which follows `before` (NULL: it is the first), out of the chain. */
static void unlink_seg(struct segpool *p, struct chain *c, struct seg *before, struct seg *s)
{
	if (before != NULL) {
		before->next = s->next;
	} else {
		c->head = s->next;
	}
	if (c->tail == s) {
		c->tail = before;
	}
	seg_give(p, s);
}

void chain_cut(struct segpool *p, struct chain *c, size_t at, size_t n)
{
	struct seg *before = NULL;
	struct seg *s = c->head;

	ASSERT(at + n <= c->n);
	c->n -= n;
	while (n != 0) {
		struct seg *next = s->next;
		size_t here = s->end - s->beg;
		size_t take;

		if (at >= here) {
			at -= here;
			before = s;
			s = next;
			continue;
		}
		take = MIN(n, here - at);
		memmove(s->data + s->beg + at, s->data + s->beg + at + take, here - at - take);
		s->end -= (uint32_t)take;
		n -= take;
		if (s->beg == s->end) {
			unlink_seg(p, c, before, s);
		} else {
			before = s;
		}
		at = 0;
		s = next;
	}
}

void chain_copy(const struct chain *c, size_t at, size_t n, char *out)
{
	for (const struct seg *s = c->head; n != 0; s = s->next) {
		size_t here;
		size_t take;

		ASSERT(s != NULL);
		here = s->end - s->beg;
		if (at >= here) {
			at -= here;
			continue;
		}
		take = MIN(here - at, n);
		memcpy(out, s->data + s->beg + at, take);
		out += take;
		n -= take;
		at = 0;
	}
}

bool chain_add(struct segpool *p, struct chain *c, const char *bytes, size_t n)
{
	while (n != 0) {
		struct seg *s = c->tail;
		size_t take;

		if (s == NULL || s->end == SEG_ROOM) {
			s = seg_take(p);
			if (s == NULL) {
				return false;
			}
			chain_append(c, s);
		}
		take = MIN(n, (size_t)(SEG_ROOM - s->end));
		memcpy(s->data + s->end, bytes, take);
		s->end += (uint32_t)take;
		c->n += take;
		bytes += take;
		n -= take;
	}
	return true;
}
