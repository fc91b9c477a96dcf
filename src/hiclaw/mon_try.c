#include "hiclaw/mon_try.h"

#include <stdio.h>

#include "hiclaw/guest.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/provider_tests.h"
#include "hiclaw/reach.h"

struct trying {
	struct bytes provider;
	struct reach_list list;
	bool listing;
	struct guest *guest; /* at another gateway: what the provider is here for the test */
	void *state;         /* the endpoint's */
	void (*next)(struct ask *k, struct doc *outcome);
};

static void cancel(struct ask *k)
{
	struct trying *t = k->state;

	if (t->listing) {
		reach_list_cancel(&t->list);
	}
	guest_leave(t->guest);
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
	guest_leave(t->guest);
	k->done = NULL;
	k->state = t->state;
	IGNORE(ask_resume(k));
	t->next(k, outcome);
}

static void start(struct ask *k, struct bytes asked)
{
	struct trying *t = k->state;

	t->list = (struct reach_list){.provider = asked,
		.model = BYTES(""),
		.on_done = on_listed,
		.arg = k,
		.arena = &k->arena};
	t->listing = true;
	reach_list_start(k->hiclaw->gateway, &t->list);
}

static void on_guest(void *arg, struct bytes name, struct bytes why)
{
	struct ask *k = arg;
	struct trying *t = k->state;

	if (name.n != 0) {
		start(k, name);
		return;
	}
	t->guest = NULL;
	t->list.kind = REACH_PROTOCOL;
	t->list.arg = k;
	snprintf(t->list.why, sizeof(t->list.why),
		"the provider cannot be tested from here: " BYTES_FMT, BYTES_ARG(why));
	on_listed(&t->list);
}

static void say_busy(struct ask *k, void (*next)(struct ask *k, struct doc *outcome))
{
	struct doc *busy = doc_map(&k->arena);

	doc_set(&k->arena, busy, "ok", doc_bool(&k->arena, false));
	doc_set(&k->arena, busy, "error",
		doc_str(&k->arena, "this provider is being tested, or too many others are"));
	next(k, busy);
}

void mon_try(struct ask *k, const struct doc *provider, const struct doc *sources,
	void (*next)(struct ask *k, struct doc *outcome))
{
	struct trying *t = arena_must(&k->arena, sizeof(*t));
	struct bytes name = doc_peek(provider, "name", BYTES(""));

	if (!provider_tests_begin(k->hiclaw->tests, name)) {
		say_busy(k, next);
		return;
	}
	*t = (struct trying){.provider = name, .state = k->state, .next = next};
	k->state = t;
	ASSERT(k->done == NULL);
	k->done = drop;
	ask_hold(k, cancel);
	if (k->hiclaw->guests != NULL) {
		t->guest = guest_invite(k->hiclaw->guests, provider, sources, on_guest, k);
	} else {
		start(k, name);
	}
}
