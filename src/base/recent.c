/*
 * A slot per line, with a number in front that is odd while somebody writes: a reader looks at it before and after its
 * copy (a seqlock). Bytes are moved as words that are atomic each, so a copy that raced is torn, never undefined, and
 * thrown away: who sees a new word sees the odd number too.
 */
#include "base/recent.h"

#include <stdatomic.h>
#include <stdlib.h>

#define WORDS (RECENT_LINE_MAX / 8u)

struct slot {
	/* 2 n + 2: holds line n; odd: being written; 0: empty. */
	_Atomic uint64_t state;
	_Atomic uint64_t length;
	_Atomic uint64_t words[WORDS];
};

struct recent {
	_Atomic uint64_t end;
	size_t n;
	struct slot *slots;
};

struct recent *recent_new(size_t lines)
{
	struct recent *r = must_alloc(sizeof(*r));

	ASSERT(lines > 0);
	r->n = lines;
	r->slots = must_alloc(lines * sizeof(*r->slots));
	return r;
}

void recent_free(struct recent *r)
{
	if (r != NULL) {
		free(r->slots);
		free(r);
	}
}

void recent_put(struct recent *r, struct bytes line)
{
	uint64_t at = atomic_fetch_add_explicit(&r->end, 1, memory_order_relaxed);
	struct slot *s = &r->slots[at % r->n];
	size_t n = MIN(line.n, (size_t)RECENT_LINE_MAX);
	uint64_t before = atomic_load_explicit(&s->state, memory_order_relaxed);

	/* Somebody is a whole round behind, or ahead: one of the two lines is lost, nobody waits. */
	if ((before & 1) != 0 || before > 2 * at ||
		!atomic_compare_exchange_strong(&s->state, &before, 2 * at + 1)) {
		return;
	}
	atomic_store_explicit(&s->length, n, memory_order_release);
	for (size_t i = 0; i < n / 8; i++) {
		uint64_t word;

		memcpy(&word, line.p + i * 8, 8);
		atomic_store_explicit(&s->words[i], word, memory_order_release);
	}
	if (n % 8 != 0) {
		uint64_t word = 0;

		memcpy(&word, line.p + n / 8 * 8, n % 8);
		atomic_store_explicit(&s->words[n / 8], word, memory_order_release);
	}
	atomic_store_explicit(&s->state, 2 * at + 2, memory_order_release);
}

uint64_t recent_end(const struct recent *r)
{
	return atomic_load_explicit(&r->end, memory_order_relaxed);
}

bool recent_get(const struct recent *r, uint64_t n, struct text *out)
{
	const struct slot *s = &r->slots[n % r->n];
	char line[RECENT_LINE_MAX];
	size_t length;

	if (atomic_load_explicit(&s->state, memory_order_acquire) != 2 * n + 2) {
		return false;
	}
	length = MIN(atomic_load_explicit(&s->length, memory_order_acquire), RECENT_LINE_MAX);
	for (size_t i = 0; i * 8 < length; i++) {
		uint64_t word = atomic_load_explicit(&s->words[i], memory_order_acquire);

		memcpy(line + i * 8, &word, 8);
	}
	if (atomic_load_explicit(&s->state, memory_order_relaxed) != 2 * n + 2) {
		return false;
	}
	text_add(out, line, length);
	return true;
}
