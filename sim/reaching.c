#define _GNU_SOURCE
#include "sim/reaching.h"

#include <stdlib.h>
#include <string.h>

#include "hiclaw/reach.h"

struct reaching {
	struct reach reach;
	struct reach_list list;
	struct arena arena;
	char *provider, *model;
	struct text outcome; /* "ok 200", "auth 401"; empty: under way */
	const char *why;
};

static void tell(struct reaching *at, bool ok, enum reach_kind kind, unsigned status)
{
	ASSERT(at->outcome.n == 0);
	text_addf(&at->outcome, "%s%s%s %u", ok ? "ok" : "", ok && kind != REACH_OK ? " but " : "",
		reach_kind_text(kind), status);
}

static void on_reach(struct reach *r)
{
	struct reaching *at = r->arg;

	at->why = r->why;
	tell(at, r->ok, r->kind, r->status);
}

static void on_list(struct reach_list *l)
{
	struct reaching *at = l->arg;

	at->why = l->why;
	tell(at, l->ok, l->kind, l->status);
	text_addf(&at->outcome, " %zu%s%s", l->n_models, l->found ? " found" : "",
		l->unsupported ? " unsupported" : "");
}

void reaching_done(struct player *p)
{
	struct reaching *at = p->reaching;

	if (at == NULL) {
		return;
	}
	reach_done(&at->reach);
	reach_list_done(&at->list);
	arena_done(&at->arena);
	text_done(&at->outcome);
	free(at->provider);
	free(at->model);
	free(at);
	p->reaching = NULL;
}

static struct reaching *begin(struct player *p, struct bytes rest)
{
	struct bytes provider = script_word(&rest);
	struct reaching *at;

	if (!play_start(p) || p->ops->gateway == NULL) {
		IGNORE(play_fail(p, "this subject has no providers"));
		return NULL;
	}
	reaching_done(p);
	at = p->reaching = must_alloc(sizeof(*at));
	arena_init(&at->arena, (size_t)1 << 20);
	text_init(&at->outcome, 1024);
	at->provider = bytes_dup(provider);
	at->model = bytes_dup(rest);
	return at;
}

/* reach PROVIDER MODEL */
bool reaching_start(struct player *p, struct bytes rest)
{
	struct reaching *at = begin(p, rest);

	if (at == NULL) {
		return false;
	}
	at->reach.provider = bytes_str(at->provider);
	at->reach.model = bytes_str(at->model);
	at->reach.on_done = on_reach;
	at->reach.arg = at;
	reach_start(p->ops->gateway(p->subject), &at->reach);
	return true;
}

/* reach the list of PROVIDER [MODEL] */
bool reaching_start_list(struct player *p, struct bytes rest)
{
	struct reaching *at = begin(p, rest);

	if (at == NULL) {
		return false;
	}
	at->list.provider = bytes_str(at->provider);
	at->list.model = bytes_str(at->model);
	at->list.arena = &at->arena;
	at->list.on_done = on_list;
	at->list.arg = at;
	reach_list_start(p->ops->gateway(p->subject), &at->list);
	return true;
}

/* it was reached: OUTCOME, it was reached saying VALUE */
bool reaching_expect(struct player *p, struct bytes rest)
{
	const struct reaching *at = p->reaching;
	struct bytes said = BYTES("saying ");
	struct bytes v;

	if (at == NULL || at->outcome.n == 0) {
		return play_fail(p, "nothing has come out yet");
	}
	if (bytes_starts(rest, said)) {
		return play_value(p, bytes_of(rest.p + said.n, rest.n - said.n), &v) &&
			(bytes_eq(bytes_str(at->why), v) ||
				play_fail_bytes(p, "why", v, bytes_str(at->why)));
	}
	return bytes_eq(text_bytes(&at->outcome), rest) ||
		play_fail_bytes(p, "outcome", rest, text_bytes(&at->outcome));
}
