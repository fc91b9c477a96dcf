#include "hiclaw/mon_try.h"

#include "hiclaw/hiclaw_int.h"
#include "hiclaw/provider_tests.h"
#include "hiclaw/reach.h"

struct trying {
	struct bytes provider;
	struct reach_list list;
	bool listing;
	void *state; /* the endpoint's */
	void (*next)(struct ask *k, struct doc *outcome);
};

static void cancel(struct ask *k)
{
	struct trying *t = k->state;

	if (t->listing) {
		reach_list_cancel(&t->list);
	}
}

/* When it was cancelled: the ask is freed while it waits. */
static void drop(struct ask *k)
{
	struct trying *t = k->state;

	reach_list_done(&t->list);
}

static struct doc *outcome_of(struct ask *k, const struct reach_list *l)
{
	struct arena *a = &k->arena;
	struct doc *d = doc_map(a);
	bool ok = l->ok || l->unsupported; /* it answered, and has no list */

	doc_set(a, d, "ok", doc_bool(a, ok));
	doc_set(a, d, "ms", doc_int(a, l->ms));
	if (l->ok) {
		doc_set(a, d, "models", doc_int(a, (int64_t)l->n_models));
	}
	if (!ok) {
		doc_set(a, d, "kind", doc_str(a, reach_kind_text(l->kind)));
		doc_set(a, d, "error", doc_string_copy(a, bytes_str(l->why)));
	}
	return d;
}

static void on_listed(struct reach_list *l)
{
	struct ask *k = l->arg;
	struct trying *t = k->state;
	struct provider_tests *tests = k->hiclaw->tests;
	struct doc *outcome = outcome_of(k, l);

	t->listing = false;
	provider_tests_end(tests, t->provider, l->ok || l->unsupported, l->ms,
		l->ok || l->unsupported ? BYTES("") : bytes_str(l->why));
	if (l->ok) {
		provider_tests_keep_list(
			tests, t->provider, l->ids, l->n_models, loop_now_ms(k->hiclaw->loop));
	}
	reach_list_done(l);
	k->done = NULL;
	k->state = t->state;
	IGNORE(ask_resume(k));
	t->next(k, outcome);
}

void mon_try(struct ask *k, struct bytes provider, void (*next)(struct ask *k, struct doc *outcome))
{
	struct trying *t = arena_must(&k->arena, sizeof(*t));
	struct doc *busy;

	if (!provider_tests_begin(k->hiclaw->tests, provider)) {
		busy = doc_map(&k->arena);
		doc_set(&k->arena, busy, "ok", doc_bool(&k->arena, false));
		doc_set(&k->arena, busy, "error",
			doc_str(&k->arena,
				"this provider is being tested, or too many others are"));
		next(k, busy);
		return;
	}
	*t = (struct trying){.provider = provider, .state = k->state, .next = next};
	t->list = (struct reach_list){.provider = provider,
		.model = BYTES(""),
		.on_done = on_listed,
		.arg = k,
		.arena = &k->arena};
	t->listing = true;
	k->state = t;
	ASSERT(k->done == NULL);
	k->done = drop;
	ask_hold(k, cancel);
	reach_list_start(k->hiclaw->gateway, &t->list);
}
