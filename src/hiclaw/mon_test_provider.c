/*
 * Whether a provider answers (monitor-api.md 4.7): its list of models, and a completion of one token where there is no
 * list or a model is asked for. Nothing of the request is sent anywhere but the names.
 */
#include <stdio.h>

#include "hiclaw/endpoints.h"
#include "hiclaw/guest.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/mon_change.h"
#include "hiclaw/predicates.h"
#include "hiclaw/provider_tests.h"
#include "hiclaw/reach.h"

struct testing {
	struct bytes name, type, model;
	bool list_only;      /* ?list=1: no completion */
	struct bytes wanted; /* looked for in the list */
	void (*on_listed)(struct reach_list *l);
	struct guest *guest; /* at another gateway: what the provider is here for the test */
	struct bytes asked;  /* what it is called here */
	bool listing, reaching;
	struct reach_list list;
	struct reach reach;
};

/* --- what is known of a type --------------------------------------------------------------------------------------- */

static bool is_of(const struct testing *t, struct bytes model)
{
	return predicates_prefix_of(predicates_type(t->type), model).n != 0;
}

/* How many known models the type has; *last is the cheapest, which the table has last. */
static size_t count_known(const struct testing *t, struct bytes *last)
{
	const struct known_model *v;
	size_t n, found = 0;

	v = known_models_built_in(&n);
	*last = BYTES("");
	for (size_t i = 0; i < n; i++) {
		if (is_of(t, v[i].id)) {
			*last = v[i].id;
			found++;
		}
	}
	return found;
}

/* --- answered ------------------------------------------------------------------------------------------------------ */

static void give_up(struct ask *k)
{
	struct testing *t = k->state;

	if (t->listing) {
		reach_list_cancel(&t->list);
	}
	if (t->reaching) {
		reach_cancel(&t->reach);
	}
	guest_leave(t->guest);
	t->guest = NULL;
}

static void drop(struct ask *k)
{
	struct testing *t = k->state;

	reach_list_done(&t->list);
	reach_done(&t->reach);
	guest_leave(t->guest);
}

static void finish(struct ask *k, bool ok, uint32_t ms, const char *why)
{
	struct testing *t = k->state;

	IGNORE(ask_resume(k));
	provider_tests_end(k->hiclaw->tests, t->name, ok, ms, bytes_str(why));
}

static void refuse(
	struct ask *k, enum reach_kind kind, unsigned status, uint32_t ms, const char *why)
{
	struct doc *details = doc_map(&k->arena);
	bool connects = kind == REACH_DNS || kind == REACH_CONNECT || kind == REACH_TLS ||
		kind == REACH_TIMEOUT;

	finish(k, false, ms, why);
	doc_set(&k->arena, details, "kind", doc_str(&k->arena, reach_kind_text(kind)));
	if (status != 0) {
		doc_set(&k->arena, details, "status", doc_int(&k->arena, status));
	}
	ask_more(k, "details", details);
	if (connects) {
		ask_fail(k, HICLAW_PROVIDER_UNREACHABLE, "Connection failed: %s", why);
	} else if (strcmp(why, "the answer is empty") == 0) {
		ask_fail(k, HICLAW_PROVIDER_UNREACHABLE, "Empty response from provider");
	} else if (strstr(why, "not JSON") != NULL) {
		ask_fail(k, HICLAW_PROVIDER_UNREACHABLE, "Invalid response: %s", why);
	} else {
		ask_fail(k, HICLAW_PROVIDER_UNREACHABLE, "%s", why);
	}
}

static void add_sample(struct ask *k, struct doc *d, const struct reach_list *l)
{
	struct doc *list = doc_need_list(&k->arena, d, "sample");

	for (size_t i = 0; i < MIN(l->n_models, (size_t)REACH_SAMPLE_MAX); i++) {
		doc_append(&k->arena, list, doc_string(&k->arena, l->ids[i]));
	}
}

static void reply(struct ask *k, size_t models, uint32_t ms, unsigned status, bool found)
{
	const struct testing *t = k->state;
	struct arena *a = &k->arena;
	struct doc *d = ask_success(k);

	finish(k, true, ms, "");
	doc_set(a, d, "models", doc_int(a, (int64_t)models));
	doc_set(a, d, "ms", doc_int(a, ms));
	doc_set(a, d, "status", doc_int(a, status));
	if (t->model.n != 0) {
		doc_set(a, d, "modelFound", doc_bool(a, found));
	}
	doc_set(a, d, "via", doc_str(a, t->list.ok ? "models" : "completion"));
	if (t->list.ok) {
		add_sample(k, d, &t->list);
	}
	if (t->reach.rate_limited) {
		doc_append(a, doc_need_list(a, d, "warnings"),
			doc_str(a, "the provider answers, and says that too much is asked of it"));
	}
	ask_reply(k, 200, d);
}

/* --- asked --------------------------------------------------------------------------------------------------------- */

static void on_reached(struct reach *r)
{
	struct ask *k = r->arg;
	struct testing *t = k->state;
	struct bytes last;

	t->reaching = false;
	if (r->ok) {
		reply(k, t->list.ok ? t->list.n_models : count_known(t, &last), r->ms, r->status,
			true);
	} else if (t->list.ok && r->kind == REACH_MODEL) {
		reply(k, t->list.n_models, t->list.ms, t->list.status, false);
	} else {
		refuse(k, r->kind, r->status, r->ms, r->why);
	}
}

static void begin_completion(struct ask *k, struct bytes model)
{
	struct testing *t = k->state;

	t->reaching = true;
	t->reach = (struct reach){
		.provider = t->asked, .model = model, .on_done = on_reached, .arg = k};
	reach_start(k->hiclaw->gateway, &t->reach);
}

static void on_listed(struct reach_list *l)
{
	struct ask *k = l->arg;
	struct testing *t = k->state;
	struct bytes last;

	t->listing = false;
	if (l->ok) {
		provider_tests_keep_list(k->hiclaw->tests, t->name, l->ids, l->n_models,
			loop_now_ms(k->hiclaw->loop));
	}
	if (l->ok && (t->model.n == 0 || t->list_only)) {
		reply(k, l->n_models, l->ms, l->status, l->found);
	} else if (l->ok) {
		begin_completion(k, t->model);
	} else if (!l->unsupported) {
		refuse(k, l->kind, l->status, l->ms, l->why);
	} else if (t->model.n != 0 || count_known(t, &last) != 0) {
		begin_completion(k, t->model.n != 0 ? t->model : last);
	} else {
		IGNORE(ask_resume(k));
		provider_tests_drop(k->hiclaw->tests, t->name);
		ask_fail_field(k, "model",
			"This type of provider has no list of models: name one that it has");
	}
}

/* A provider of a type that is asked without a key, or whose key has another name. */
static bool has_key(struct ask *k, const struct doc *p)
{
	static const char *const keyless[] = {"ollama", "vllm", "triton", "generic"};
	static const char *const others[] = {
		"awsSecretKey", "awsAccessKey", "vertexAuthKey", "hunyuanAuthKey", "apiTokens"};
	struct bytes type = doc_peek(p, "type", BYTES(""));
	const struct doc *raw = doc_get(&k->arena, p, "rawConfigs");

	if (doc_first(&k->arena, doc_get(&k->arena, p, "tokens")) != NULL) {
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(keyless); i++) {
		if (bytes_eq(type, bytes_str(keyless[i]))) {
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const struct doc *v = doc_get(&k->arena, raw, others[i]);

		if (doc_text(v, BYTES("")).n != 0 || doc_first(&k->arena, v) != NULL) {
			return true;
		}
	}
	return false;
}

static void start_list(struct ask *k, struct bytes asked)
{
	struct testing *t = k->state;

	t->asked = asked;
	t->list = (struct reach_list){.provider = asked,
		.model = t->wanted,
		.on_done = t->on_listed,
		.arg = k,
		.arena = &k->arena};
	t->listing = true;
	reach_list_start(k->hiclaw->gateway, &t->list);
}

static void on_guest(void *arg, struct bytes name, struct bytes why)
{
	struct ask *k = arg;
	struct testing *t = k->state;

	if (name.n != 0) {
		start_list(k, name);
		return;
	}
	t->guest = NULL;
	t->list.kind = REACH_PROTOCOL;
	snprintf(t->list.why, sizeof(t->list.why),
		"the provider cannot be tested from here: " BYTES_FMT, BYTES_ARG(why));
	t->list.arg = k;
	t->on_listed(&t->list);
}

/* Asks the provider for its models; model: the one that is looked for among them. */
static void begin_listing(struct ask *k, const struct doc *provider, struct bytes model,
	void (*on_done)(struct reach_list *l))
{
	struct testing *t = k->state;

	t->wanted = model;
	t->on_listed = on_done;
	k->done = drop;
	ask_hold(k, give_up);
	if (k->hiclaw->guests != NULL) {
		t->guest = guest_invite(
			k->hiclaw->guests, provider, k->ops.lists[OPS_SOURCE], on_guest, k);
	} else {
		start_list(k, t->name);
	}
}

static void provider_read(struct ask *k)
{
	struct testing *t = k->state;
	const struct doc *p = mon_change_find(k, k->ops.lists[OPS_PROVIDER], t->name);

	if (p == NULL) {
		ask_fail(k, HICLAW_PROVIDER_NOT_FOUND, "Provider not found");
		return;
	}
	if (!has_key(k, p)) {
		ask_fail(k, HICLAW_NO_API_KEY, "No API key configured");
		return;
	}
	if (!provider_tests_begin(k->hiclaw->tests, t->name)) {
		ask_fail(k, HICLAW_RATE_LIMITED,
			"This provider is being tested, or %u others are; try again",
			PROVIDER_TESTS_RUNNING);
		return;
	}
	t->type = doc_peek(p, "type", BYTES(""));
	begin_listing(k, p, t->model, on_listed);
}

void mon_test_provider(struct ask *k)
{
	struct testing *t = arena_must(&k->arena, sizeof(*t));
	struct bytes model;
	struct fault f;

	k->state = t;
	if (!ask_text(k, "provider", &t->name) || !ask_text(k, "model", &model)) {
		return;
	}
	if (t->name.n == 0) {
		ask_fail_field(k, "provider", "Provider name required");
		return;
	}
	t->model = BYTES("");
	if (model.n != 0 && names_model(model, &t->model, &f) != 0) {
		ask_fail(k, HICLAW_INVALID_MODEL, "%s", f.text);
		return;
	}
	t->list_only = ask_query_flag(k, "list");
	ask_read(k, 1u << OPS_PROVIDER | 1u << OPS_SOURCE, provider_read);
}

/* --- models -------------------------------------------------------------------------------------------------------- */

static void put_model(struct ask *k, struct doc *list, struct bytes id, const char *source)
{
	const struct known_model *known = known_models_find(NULL, id);
	const struct model_traits *t = known != NULL ? &known->traits : NULL;
	struct arena *a = &k->arena;
	struct doc *d = doc_map(a);

	doc_set(a, d, "id", doc_string_copy(a, id));
	doc_set(a, d, "contextWindow",
		t != NULL ? doc_int(a, (int64_t)t->context_window) : doc_null(a));
	doc_set(a, d, "maxTokens", t != NULL ? doc_int(a, (int64_t)t->max_tokens) : doc_null(a));
	doc_set(a, d, "reasoning",
		t != NULL ? doc_bool(a, t->reasoning == MODEL_YES) : doc_null(a));
	doc_set(a, d, "input", t != NULL ? model_traits_input(a, t->input) : doc_null(a));
	doc_set(a, d, "source", doc_str(a, source));
	doc_append(a, list, d);
}

static bool is_listed(const struct provider_test *p, struct bytes id)
{
	for (size_t i = 0; p != NULL && i < p->n_ids; i++) {
		if (bytes_eq(p->ids[i], id)) {
			return true;
		}
	}
	return false;
}

/* What the provider says it has, then what is known of its type; of no provider all that is known. */
static void reply_models(struct ask *k, const char *warning)
{
	const struct testing *t = k->state;
	const struct provider_test *p = provider_tests_find(k->hiclaw->tests, t->name);
	struct doc *d = ask_success(k);
	struct doc *list = doc_need_list(&k->arena, d, "models");
	const struct known_model *known;
	size_t n;

	for (size_t i = 0; p != NULL && i < p->n_ids; i++) {
		put_model(k, list, p->ids[i], "provider");
	}
	known = known_models_built_in(&n);
	for (size_t i = 0; i < n; i++) {
		if (!is_listed(p, known[i].id) && (t->name.n == 0 || is_of(t, known[i].id))) {
			put_model(k, list, known[i].id, "known");
		}
	}
	if (warning != NULL) {
		doc_append(&k->arena, doc_need_list(&k->arena, d, "warnings"),
			doc_string_copy(&k->arena, bytes_str(warning)));
	}
	ask_reply(k, 200, d);
}

static void on_models(struct reach_list *l)
{
	struct ask *k = l->arg;
	struct testing *t = k->state;
	struct provider_tests *tests = k->hiclaw->tests;

	t->listing = false;
	IGNORE(ask_resume(k));
	provider_tests_drop(tests, t->name);
	if (l->ok || l->unsupported) { /* that there is none holds as long */
		provider_tests_keep_list(tests, t->name, l->ids, l->ok ? l->n_models : 0,
			loop_now_ms(k->hiclaw->loop));
	}
	reply_models(k, l->ok || l->unsupported ? NULL : l->why);
}

static bool is_fresh(struct ask *k, struct bytes name)
{
	const struct provider_test *p = provider_tests_find(k->hiclaw->tests, name);

	return p != NULL && p->listed_ms != 0 &&
		loop_now_ms(k->hiclaw->loop) - p->listed_ms < PROVIDER_TESTS_LIST_MS;
}

static void models_read(struct ask *k)
{
	struct testing *t = k->state;
	const struct doc *p = mon_change_find(k, k->ops.lists[OPS_PROVIDER], t->name);

	if (p == NULL) {
		ask_fail(k, HICLAW_PROVIDER_NOT_FOUND, "Provider not found");
		return;
	}
	t->type = doc_peek(p, "type", BYTES(""));
	if (is_fresh(k, t->name)) {
		reply_models(k, NULL);
	} else if (!provider_tests_begin(k->hiclaw->tests, t->name)) {
		reply_models(k, "the provider is being asked, or too many others are");
	} else {
		begin_listing(k, p, BYTES(""), on_models);
	}
}

void mon_models(struct ask *k)
{
	struct testing *t = arena_must(&k->arena, sizeof(*t));
	struct bytes name = ask_query(k, "provider");

	t->name = name.p != NULL ? name : BYTES("");
	t->type = BYTES("");
	k->state = t;
	if (t->name.n == 0) {
		reply_models(k, NULL);
		return;
	}
	ask_read(k, 1u << OPS_PROVIDER | 1u << OPS_SOURCE, models_read);
}
