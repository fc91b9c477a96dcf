/*
 * Plans of routes on real objects: what hiclaw/hybrid.h says is done as the Console would do it, the gateway's
 * plan is compiled of the result, and asked where requests go.
 */
#include "hiclaw/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hiclaw/hybrid_change.h"
#include "resource/op_world.h"

static const struct capability caps[] = {{API_CHAT_COMPLETIONS, "/v1/chat/completions"}};
#define TYPE(type)                                                                             \
	{                                                                                      \
		.name = type, .default_host = type ".test", .auth = AUTH_BEARER, .caps = caps, \
		.n_caps = 1                                                                    \
	}
static const struct provider_type type_rows[] = {TYPE("qwen"), TYPE("minimax"), TYPE("groq")};
static const struct provider_types types = {type_rows, ARRAY_LEN(type_rows)};

#define CONSUMER(name, key)                           \
	"create consumer " name " {\"name\":\"" name  \
	"\",\"credentials\":[{\"type\":\"key-auth\"," \
	"\"source\":\"BEARER\",\"values\":[\"" key "\"]}]}"
#define PROVIDER(name, type) \
	"create provider " name " {\"name\":\"" name "\",\"type\":\"" type "\",\"tokens\":[\"k\"]}"

static const char *const first[] = {
	CONSUMER("manager", "k-manager"),
	CONSUMER("worker-alice", "k-alice"),
	CONSUMER("worker-bob", "k-bob"),
	CONSUMER("guest", "k-guest"),
	PROVIDER("qwen", "qwen"),
};

#define TEXT(lit)                       \
	{                               \
		"" lit, sizeof(lit) - 1 \
	}
static const struct hybrid_assignment assigned[] = {
	{TEXT("manager"), TEXT("qwen"), TEXT("qwen3.5-plus")},
	{TEXT("alice"), TEXT("minimax"), TEXT("MiniMax-M2.7")},
};

struct story {
	struct op_world w;
	struct doc *lists[OPS_NOUNS];
	struct hybrid_world world;
	struct hybrid_plan plan;
};

static void do_step(struct story *s, const char *step)
{
	if (op_world_do(&s->w, bytes_str(step)) != OP_OK) {
		fail_msg("%s: %s", step, text_cstr(&s->w.op.why));
	}
}

static void begin(struct story *s)
{
	*s = (struct story){.lists = {NULL}};
	op_world_init(&s->w);
	s->world = (struct hybrid_world){.arena = &s->w.arena,
		.lists = s->lists,
		.assignments = assigned,
		.n_assignments = ARRAY_LEN(assigned),
		.hiclaw_version = BYTES("1.1")};
	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		do_step(s, first[i]);
	}
}

static const struct op_noun *noun_of(enum ops_noun n)
{
	return n == OPS_PROVIDER    ? &op_provider
		: n == OPS_SOURCE   ? &op_source
		: n == OPS_CONSUMER ? &op_consumer
				    : &op_ai_route;
}

static const struct hybrid_world *look(struct story *s)
{
	static const enum ops_noun nouns[] = {OPS_PROVIDER, OPS_SOURCE, OPS_CONSUMER, OPS_AI_ROUTE};
	struct arena *a = &s->w.arena;

	for (size_t i = 0; i < ARRAY_LEN(nouns); i++) {
		const struct op_noun *noun = noun_of(nouns[i]);
		struct strings names = noun->list(&s->w.op);

		s->lists[nouns[i]] = doc_list(a);
		for (size_t k = 0; k < names.n; k++) {
			doc_append(a, s->lists[nouns[i]], noun->read(&s->w.op, names.v[k]));
		}
	}
	return &s->world;
}

static enum op_rc do_item(struct op *o, const struct ops_item *i)
{
	const struct op_noun *noun = noun_of(i->noun);

	return i->verb == OPS_REMOVE ? noun->remove(o, i->name)
				     : noun->save(o, i->verb == OPS_CREATE ? OP_CREATE : OP_UPDATE,
					       i->name, doc_copy(o->arena, i->body));
}

/* As one transaction. */
static void do_plan(struct story *s)
{
	assert_int_equal(s->plan.rc, HYBRID_OK);
	op_done(&s->w.op);
	op_init(&s->w.op, s->w.snapshot, &s->w.arena);
	for (size_t i = 0; i < s->plan.n_items; i++) {
		if (do_item(&s->w.op, &s->plan.items[i]) != OP_OK) {
			fail_msg("%s", text_cstr(&s->w.op.why));
		}
	}
	op_world_commit(&s->w);
}

static void do_switch(struct story *s, const char *target, const char *provider, const char *model)
{
	hybrid_switch(look(s),
		&(struct hybrid_switch){
			bytes_str(target), bytes_str(provider), bytes_str(model), true},
		&s->plan);
	do_plan(s);
}

struct asked {
	const char *consumer, *key, *model, *wanted;
	const char *route, *provider, *sent,
		*reason; /* what is expected; reason NULL: it is sent on */
	bool reached;
	const char *why;
};

static void ask(struct story *s, const struct asked *q)
{
	const struct plan_env env = {.types = &types, .seed = {1, 2}};
	struct plan *p = plan_compile(s->w.snapshot, &env);
	const struct resolve_request rq = {.host = BYTES("aigw-local.hiclaw.io:8080"),
		.path = BYTES("/v1/chat/completions"),
		.consumer = bytes_str(q->consumer),
		.key = bytes_str(q->key),
		.model = bytes_str(q->model),
		.provider = bytes_str(q->wanted)};
	struct resolve_answer r;
	struct arena a;

	arena_init(&a, 10000);
	assert_int_equal(resolve_model(p, &rq, &a, &r), 0);
	if (!bytes_eq(r.route, bytes_str(q->route)) ||
		!bytes_eq(r.provider, bytes_str(q->provider)) ||
		!bytes_eq(r.model, bytes_str(q->sent)) || r.reached != q->reached ||
		r.allowed != (q->reason == NULL) || !bytes_eq(r.reason, bytes_str(q->reason)) ||
		(r.status == 0) != r.allowed || r.text.n == 0) {
		fail_msg("%s: route %.*s, provider %.*s, model %.*s, reason %.*s: %.*s", q->why,
			BYTES_ARG(r.route), BYTES_ARG(r.provider), BYTES_ARG(r.model),
			BYTES_ARG(r.reason), BYTES_ARG(r.text));
	}
	arena_done(&a);
	plan_free(p);
}

static void end(struct story *s)
{
	op_world_done(&s->w);
}

/* The first and the second provider, HI-45 and M-47. */
static void two_providers(void **state)
{
	static const struct asked rows[] = {
		{"worker-alice", NULL, "MiniMax-M2.7", "minimax", "minimax-ai-route", "minimax",
			"MiniMax-M2.7", NULL, true,
			"HI-45, M-47: by its prefix, and Alice is let in"},
		{NULL, "k-alice", "MiniMax-M2.7", "minimax", "minimax-ai-route", "minimax",
			"MiniMax-M2.7", NULL, true, "by her key"},
		{"manager", NULL, "qwen3.5-plus", "qwen", "qwen-ai-route", "qwen", "qwen3.5-plus",
			NULL, true, "the first provider has a route of its own now"},
		{"manager", NULL, "llama", NULL, "default-ai-route", "qwen", "llama", NULL, true,
			"what nobody has is for the catch-all"},
		{"manager", NULL, "llama", "minimax", "default-ai-route", "qwen", "llama", NULL,
			false, "which is another provider than this one"},
		{"guest", NULL, "MiniMax-M2.7", "minimax", NULL, NULL, NULL,
			"key-auth.unauthorized", false, "a consumer that is on no list"},
		{NULL, NULL, "MiniMax-M2.7", "minimax", NULL, NULL, NULL, "key-auth.invalid_key",
			false, "nobody calls"},
	};
	struct story s;

	(void)state;
	begin(&s);
	hybrid_created(look(&s), BYTES("qwen"), BYTES("qwen"), &s.plan);
	do_plan(&s);
	do_step(&s, PROVIDER("minimax", "minimax"));
	hybrid_created(look(&s), BYTES("minimax"), BYTES("minimax"), &s.plan);
	do_plan(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask(&s, &rows[i]);
	}
	end(&s);
}

/* HI-46 and what a rename (M-84) and a removal (M-83) leave of it. */
static void one_model_twice(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	do_step(&s, PROVIDER("minimax", "minimax"));
	do_step(&s, PROVIDER("hub", "groq"));
	do_switch(&s, "manager", "qwen", "qwen3.5-plus");
	do_switch(&s, "alice", "minimax", "MiniMax-M2.7");
	do_switch(&s, "bob", "hub", "qwen3.5-plus");
	assert_true(bytes_eq(s.plan.model, BYTES("hub/qwen3.5-plus")));
	ask(&s,
		&(struct asked){"worker-bob", NULL, "hub/qwen3.5-plus", "hub", "hub-ai-route",
			"hub", "qwen3.5-plus", NULL, true,
			"HI-46: the qualified name is mapped back"});
	ask(&s,
		&(struct asked){"manager", NULL, "qwen3.5-plus", "qwen", "default-ai-route", "qwen",
			"qwen3.5-plus", NULL, true, "HI-46: and the bare one still goes its way"});
	hybrid_change_rename(look(&s), BYTES("hub"), BYTES("group"), &s.plan);
	do_plan(&s);
	ask(&s,
		&(struct asked){"worker-bob", NULL, "hub/qwen3.5-plus", "group", "group-ai-route",
			"group", "qwen3.5-plus", NULL, true, "M-84: the agent asks as before"});
	hybrid_change_delete(look(&s),
		&(struct hybrid_change_delete){BYTES("qwen"), BYTES("minimax"), true}, &s.plan);
	do_plan(&s);
	ask(&s,
		&(struct asked){"manager", NULL, "qwen3.5-plus", "minimax", "default-ai-route",
			"minimax", "qwen3.5-plus", NULL, true, "M-83: to the replacement"});
	end(&s);
}

static void bad_requests(void **state)
{
	const struct plan_env env = {.types = &types, .seed = {1, 2}};
	struct resolve_request rq = {.host = BYTES("a b"), .path = BYTES("/v1")};
	struct resolve_answer r;
	struct snapshot *empty = snapshot_new();
	struct plan *p = plan_compile(empty, &env);
	struct arena a;

	(void)state;
	arena_init(&a, 10000);
	assert_int_equal(resolve_model(p, &rq, &a, &r), ERR_SYNTAX);
	rq = (struct resolve_request){.host = BYTES("a"), .path = BYTES("v1")};
	assert_int_equal(resolve_model(p, &rq, &a, &r), ERR_SYNTAX);
	rq.path = BYTES("/v1");
	assert_int_equal(resolve_model(p, &rq, &a, &r), 0);
	assert_false(r.allowed);
	assert_int_equal(r.status, 404);
	arena_done(&a);
	arena_init(&a, 1);
	assert_int_equal(resolve_model(p, &rq, &a, &r), ERR_LIMIT);
	arena_done(&a);
	plan_free(p);
	snapshot_unref(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_providers),
		cmocka_unit_test(one_model_twice),
		cmocka_unit_test(bad_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
