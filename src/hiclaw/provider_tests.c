#include "hiclaw/provider_tests.h"

#include <stdlib.h>

#include "base/clock.h"

/* Of a name and a sentence; of a list: an aggregator has some thousand models. */
#define TEXTS_MAX 4096u
#define IDS_MAX ((size_t)4 << 20)

struct provider_tests {
	struct list all; /* the one that was looked at last is the last */
	size_t n, running;
};

struct provider_tests *provider_tests_new(void)
{
	struct provider_tests *t = must_alloc(sizeof(*t));

	list_init(&t->all);
	return t;
}

static void drop(struct provider_tests *t, struct provider_test *p)
{
	list_remove(&p->link);
	arena_done(&p->arena);
	arena_done(&p->ids_arena);
	free(p);
	t->n--;
}

void provider_tests_free(struct provider_tests *t)
{
	while (t != NULL && !list_empty(&t->all)) {
		drop(t, CONTAINER_OF(t->all.next, struct provider_test, link));
	}
	free(t);
}

struct provider_test *provider_tests_find(struct provider_tests *t, struct bytes name)
{
	for (struct list *at = t->all.next; at != &t->all; at = at->next) {
		struct provider_test *p = CONTAINER_OF(at, struct provider_test, link);

		if (bytes_eq(p->name, name)) {
			return p;
		}
	}
	return NULL;
}

static void make_room(struct provider_tests *t)
{
	for (struct list *at = t->all.next; at != &t->all && t->n >= PROVIDER_TESTS_MAX;) {
		struct provider_test *p = CONTAINER_OF(at, struct provider_test, link);

		at = at->next;
		if (!p->running) {
			drop(t, p);
		}
	}
}

struct provider_test *provider_tests_need(struct provider_tests *t, struct bytes name)
{
	struct provider_test *p = provider_tests_find(t, name);

	if (p != NULL) {
		list_remove(&p->link);
	} else {
		make_room(t);
		p = must_alloc(sizeof(*p));
		arena_init(&p->arena, TEXTS_MAX);
		p->name = arena_copy(&p->arena, name);
		p->why = BYTES("");
		t->n++;
	}
	list_append(&t->all, &p->link);
	return p;
}

bool provider_tests_begin(struct provider_tests *t, struct bytes name)
{
	struct provider_test *p = provider_tests_need(t, name);

	if (p->running || t->running >= PROVIDER_TESTS_RUNNING) {
		return false;
	}
	p->running = true;
	t->running++;
	return true;
}

void provider_tests_drop(struct provider_tests *t, struct bytes name)
{
	struct provider_test *p = provider_tests_find(t, name);

	ASSERT(p != NULL && p->running);
	p->running = false;
	t->running--;
}

void provider_tests_end(
	struct provider_tests *t, struct bytes name, bool ok, uint32_t ms, struct bytes why)
{
	struct provider_test *p = provider_tests_need(t, name);
	struct arena before = p->arena;

	provider_tests_drop(t, name);
	arena_init(&p->arena, TEXTS_MAX);
	p->name = arena_copy(&p->arena, p->name);
	p->why = arena_copy(&p->arena, why);
	arena_done(&before);
	p->at_ms = clock_wall_ms();
	p->ok = ok;
	p->ms = ms;
}

void provider_tests_keep_list(struct provider_tests *t, struct bytes name, const struct bytes *ids,
	size_t n, uint64_t now_ms)
{
	struct provider_test *p = provider_tests_need(t, name);

	arena_done(&p->ids_arena);
	arena_init(&p->ids_arena, IDS_MAX);
	p->ids = arena_alloc(&p->ids_arena, (n + 1) * sizeof(*p->ids));
	p->n_ids = 0;
	for (size_t i = 0; p->ids != NULL && i < n; i++) {
		struct bytes copy = arena_copy(&p->ids_arena, ids[i]);

		if (copy.p != NULL) {
			p->ids[p->n_ids++] = copy;
		}
	}
	p->listed_ms = now_ms;
}
