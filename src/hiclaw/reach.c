#include "hiclaw/reach.h"

#include "plan/pinned.h"

/* What the limit becomes when one token is too few. */
#define LARGER 16u
#define BODY_MAX (MODEL_ID_MAX * 6u + 512u)
/* monitor-api.md 4.7 */
#define LIST_CONNECT_MS 5000u
#define LIST_TOTAL_MS 20000u

/* The provider's keys, which its answer may quote; NULL: it is not in the plan. */
static const struct strings *secrets_of(const struct gateway *g, struct bytes provider)
{
	const struct plan *p = gateway_plan(g);
	const struct route *r = p != NULL ? pinned_find(p, provider) : NULL;

	return r != NULL ? &r->destinations[0].provider->tokens : NULL;
}

/* --- a model ------------------------------------------------------------------------------------ */

static void ask(struct reach *r)
{
	text_clear(&r->request);
	reach_body(r->model, r->limit, r->larger ? LARGER : 1, &r->request);
	r->probe.body = text_bytes(&r->request);
	probe_start(r->gateway, &r->probe);
}

/* Each of the two reasons to ask again counts once. */
static bool is_to_ask_again(struct reach *r, const struct reach_verdict *v)
{
	if (v->again_other && !r->other) {
		r->other = true;
		r->limit = r->limit == REACH_MAX_TOKENS ? REACH_MAX_COMPLETION_TOKENS
							: REACH_MAX_TOKENS;
		return true;
	}
	if (v->again_larger && !r->larger) {
		r->larger = true;
		return true;
	}
	return false;
}

static void on_answer(struct probe *p)
{
	struct reach *r = p->arg;
	struct reach_verdict v;

	reach_judge(p, r->model, secrets_of(r->gateway, r->provider), &v, r->why);
	r->ms += p->ms;
	if (is_to_ask_again(r, &v)) {
		ask(r);
		return;
	}
	r->ok = v.ok;
	r->rate_limited = v.rate_limited;
	r->kind = v.kind;
	r->status = p->failure == PROBE_ANSWERED ? p->status : 0;
	r->on_done(r);
}

void reach_start(struct gateway *g, struct reach *r)
{
	r->gateway = g;
	r->limit = reach_limit_of(r->model);
	r->larger = r->other = false;
	r->ms = 0;
	text_done(&r->request);
	text_init(&r->request, BODY_MAX);
	r->probe.provider = r->provider;
	r->probe.method = BYTES("POST");
	r->probe.path = BYTES("/v1/chat/completions");
	r->probe.on_done = on_answer;
	r->probe.arg = r;
	ask(r);
}

void reach_cancel(struct reach *r)
{
	probe_cancel(&r->probe);
}

void reach_done(struct reach *r)
{
	probe_done(&r->probe);
	text_done(&r->request);
}

/* --- a list ------------------------------------------------------------------------------------- */

static void on_list(struct probe *p)
{
	struct reach_list *l = p->arg;

	reach_judge_list(p, secrets_of(l->gateway, l->provider), l);
	l->on_done(l);
}

void reach_list_start(struct gateway *g, struct reach_list *l)
{
	l->gateway = g;
	l->probe.provider = l->provider;
	l->probe.method = BYTES("GET");
	l->probe.path = BYTES("/v1/models");
	l->probe.body = BYTES("");
	l->probe.connect_ms = LIST_CONNECT_MS;
	l->probe.total_ms = LIST_TOTAL_MS;
	l->probe.on_done = on_list;
	l->probe.arg = l;
	probe_start(g, &l->probe);
}

void reach_list_cancel(struct reach_list *l)
{
	probe_cancel(&l->probe);
}

void reach_list_done(struct reach_list *l)
{
	probe_done(&l->probe);
}
