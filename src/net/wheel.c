#include "net/wheel.h"

/* Later deadlines are as good as this one. */
#define WHEEL_END ((UINT64_C(1) << (WHEEL_BITS * WHEEL_LEVELS)) - 1)

void wheel_init(struct wheel *w, uint64_t now_ms)
{
	*w = (struct wheel){.now_ms = now_ms};
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		for (unsigned i = 0; i < WHEEL_SLOTS; i++) {
			list_init(&w->slots[level][i]);
		}
	}
	list_init(&w->due);
}

/* The slot of a time ahead of now. It stays the same until that slot comes up, because all groups of
 * bits above its level stay the same until then. */
static unsigned level_of(const struct wheel *w, uint64_t slot_ms)
{
	uint64_t differs = slot_ms ^ w->now_ms;

	return (63u - (unsigned)__builtin_clzll(differs)) / WHEEL_BITS;
}

static unsigned index_of(uint64_t slot_ms, unsigned level)
{
	return (unsigned)(slot_ms >> (WHEEL_BITS * level)) % WHEEL_SLOTS;
}

static void put(struct wheel *w, struct timer *t)
{
	unsigned level;
	unsigned i;

	if (t->due_ms <= w->now_ms) {
		t->slot_ms = 0;
		list_append(&w->due, &t->link);
		return;
	}
	t->slot_ms = MIN(t->due_ms, WHEEL_END);
	level = level_of(w, t->slot_ms);
	i = index_of(t->slot_ms, level);
	list_append(&w->slots[level][i], &t->link);
	w->used[level] |= UINT64_C(1) << i;
}

static void take(struct wheel *w, struct timer *t)
{
	list_remove(&t->link);
	if (t->slot_ms != 0) {
		unsigned level = level_of(w, t->slot_ms);
		unsigned i = index_of(t->slot_ms, level);

		if (list_empty(&w->slots[level][i])) {
			w->used[level] &= ~(UINT64_C(1) << i);
		}
		t->slot_ms = 0;
	}
}

void wheel_set(struct wheel *w, struct timer *t, uint64_t due_ms)
{
	bool later = t->slot_ms != 0 && due_ms >= t->slot_ms;

	t->due_ms = MAX(due_ms, 1u); /* 0 says "not set" */
	if (!later) {
		take(w, t);
		put(w, t);
	}
}

void wheel_clear(struct wheel *w, struct timer *t)
{
	take(w, t);
	t->due_ms = 0;
}

void wheel_rest(struct wheel *w, struct timer *t)
{
	if (t->slot_ms == 0) {
		take(w, t);
	}
	t->due_ms = 0;
}

/* The lowest level with an occupied slot has the earliest one; *start_ms is when it comes up. */
static bool next_slot(const struct wheel *w, unsigned *level, unsigned *index, uint64_t *start_ms)
{
	for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
		if (w->used[l] != 0) {
			unsigned above = WHEEL_BITS * (l + 1);

			*level = l;
			*index = (unsigned)__builtin_ctzll(w->used[l]);
			*start_ms = (w->now_ms >> above << above) |
				(uint64_t)*index << (WHEEL_BITS * l);
			return true;
		}
	}
	return false;
}

void wheel_advance(struct wheel *w, uint64_t now_ms)
{
	unsigned level;
	unsigned i;
	uint64_t start_ms;

	now_ms = MIN(now_ms, WHEEL_END);
	while (next_slot(w, &level, &i, &start_ms) && start_ms <= now_ms) {
		struct list came_up;

		list_init(&came_up);
		list_splice(&came_up, &w->slots[level][i]);
		w->used[level] &= ~(UINT64_C(1) << i);
		w->now_ms = start_ms;
		while (!list_empty(&came_up)) {
			struct timer *t = CONTAINER_OF(came_up.next, struct timer, link);

			list_remove(&t->link);
			t->slot_ms = 0;
			if (timer_is_set(t)) {
				put(w, t);
			}
		}
	}
	w->now_ms = MAX(w->now_ms, now_ms);
}

uint64_t wheel_next_ms(const struct wheel *w)
{
	unsigned level;
	unsigned i;
	uint64_t start_ms;

	if (!list_empty(&w->due)) {
		return 0;
	}
	return next_slot(w, &level, &i, &start_ms) ? start_ms : UINT64_MAX;
}
