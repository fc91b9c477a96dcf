#include "hiclaw/agents_int.h"

#include "base/num.h"

static const char *const states[] = {
	[AGENT_UNMANAGED] = "unmanaged",
	[AGENT_APPLIED] = "applied",
	[AGENT_PENDING] = "pending",
	[AGENT_DRIFTED] = "drifted",
	[AGENT_FAILED] = "failed",
};

const char *agent_state_text(enum agent_state s)
{
	ASSERT(s < ARRAY_LEN(states));
	return states[s];
}

/* --- written ---------------------------------------------------------------------------------------- */

static void put_text(struct json_writer *w, const char *key, struct bytes v)
{
	if (v.n != 0) {
		json_key(w, key);
		json_put_string(w, v);
	}
}

static void put_number(struct json_writer *w, const char *key, uint64_t v)
{
	if (v != 0) {
		json_key(w, key);
		json_put_u64(w, v);
	}
}

static void put_traits(struct json_writer *w, const struct model_traits *t)
{
	put_number(w, "contextWindow", t->context_window);
	put_number(w, "maxTokens", t->max_tokens);
	if (t->reasoning != MODEL_UNKNOWN) {
		json_key(w, "reasoning");
		json_put_bool(w, t->reasoning == MODEL_YES);
	}
	if (t->input != 0) {
		json_key(w, "input");
		json_open_array(w);
		if ((t->input & MODEL_INPUT_TEXT) != 0) {
			json_put_str(w, "text");
		}
		if ((t->input & MODEL_INPUT_IMAGE) != 0) {
			json_put_str(w, "image");
		}
		json_close_array(w);
	}
}

static void put_agent(struct json_writer *w, const struct agent *v)
{
	json_open_object(w);
	put_text(w, "target", v->target);
	json_key(w, "assigned");
	json_put_bool(w, v->assigned);
	put_text(w, "provider", v->provider);
	put_text(w, "model", v->model);
	put_text(w, "asked", v->asked);
	put_traits(w, &v->traits);
	put_number(w, "updatedUs", v->updated_us);
	put_text(w, "configured", v->configured);
	put_text(w, "crModel", v->cr_model);
	put_text(w, "observed", v->observed);
	put_number(w, "observedMs", v->observed_ms);
	put_text(w, "state", bytes_str(agent_state_text(v->state)));
	put_text(w, "reason", v->reason);
	json_key(w, "synced");
	json_put_bool(w, v->synced);
	json_key(w, "pendingApply");
	json_put_bool(w, v->pending_apply);
	json_key(w, "applying");
	json_put_bool(w, v->applying);
	json_key(w, "corrupt");
	json_put_bool(w, v->corrupt);
	put_text(w, "former", v->former);
	put_text(w, "bridgeFrom", v->bridge_from);
	put_number(w, "bridgeUntilMs", v->bridge_until_ms);
	json_key(w, "reapplied");
	json_open_array(w);
	for (size_t i = 0; i < ARRAY_LEN(v->reapplied); i++) {
		if (v->reapplied[i] != 0) {
			json_put_u64(w, v->reapplied[i]);
		}
	}
	json_close_array(w);
	json_close_object(w);
}

void agents_file_write(const struct agents *a, struct text *out)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_open_object(&w);
	json_key(&w, "version");
	json_put_u64(&w, 1);
	json_key(&w, "agents");
	json_open_array(&w);
	for (size_t i = 0; i < agents_count(a); i++) {
		text_add_char(out, '\n'); /* an agent a line, for people */
		put_agent(&w, agents_at(a, i));
	}
	json_close_array(&w);
	json_close_object(&w);
	text_add_char(out, '\n');
}

/* --- read ------------------------------------------------------------------------------------------- */

static uint64_t number(const struct json_value *v)
{
	uint64_t n = 0;

	return v != NULL && v->type == JSON_NUMBER && json_number_u64(v->text, &n) ? n : 0;
}

static bool is_true(const struct json_value *v)
{
	return v != NULL && v->type == JSON_TRUE;
}

static struct bytes text_of(const struct json_value *v, const char *key)
{
	return json_text(json_get(v, key), BYTES(""));
}

static enum agent_state state_of(struct bytes text)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (bytes_eq(text, bytes_str(states[i]))) {
			return (enum agent_state)i;
		}
	}
	return AGENT_PENDING; /* the next look decides */
}

static struct agent agent_of(const struct json_value *v)
{
	const struct json_value *times = json_get(v, "reapplied");
	struct agent a = {.target = text_of(v, "target"),
		.assigned = is_true(json_get(v, "assigned")),
		.provider = text_of(v, "provider"),
		.model = text_of(v, "model"),
		.asked = text_of(v, "asked"),
		.traits = model_traits_of(v),
		.updated_us = number(json_get(v, "updatedUs")),
		.configured = text_of(v, "configured"),
		.cr_model = text_of(v, "crModel"),
		.observed = text_of(v, "observed"),
		.observed_ms = number(json_get(v, "observedMs")),
		.state = state_of(text_of(v, "state")),
		.reason = text_of(v, "reason"),
		.synced = is_true(json_get(v, "synced")),
		.pending_apply = is_true(json_get(v, "pendingApply")),
		.applying = is_true(json_get(v, "applying")),
		.corrupt = is_true(json_get(v, "corrupt")),
		.former = text_of(v, "former"),
		.bridge_from = text_of(v, "bridgeFrom"),
		.bridge_until_ms = number(json_get(v, "bridgeUntilMs"))};
	size_t n = 0;

	times = times != NULL && times->type == JSON_ARRAY ? times->items : NULL;
	for (; times != NULL && n < ARRAY_LEN(a.reapplied); times = times->next) {
		a.reapplied[n++] = number(times);
	}
	return a;
}

int agents_file_read(struct arena *room, struct bytes text,
	void (*each)(void *arg, const struct agent *v), void *arg, struct fault *fault)
{
	const struct json_value *root = json_parse(room, text, fault), *list;

	if (root == NULL) {
		return ERR_SYNTAX;
	}
	list = json_get(root, "agents");
	if (list == NULL || list->type != JSON_ARRAY || number(json_get(root, "version")) != 1) {
		return fault_set(fault, ERR_SYNTAX, 0, 0,
			"it is not a list of agents in version 1 of the format");
	}
	for (const struct json_value *v = list->items; v != NULL; v = v->next) {
		struct agent a = agent_of(v);

		if (a.target.n != 0 && (!a.assigned || (a.provider.n != 0 && a.model.n != 0))) {
			each(arg, &a);
		}
	}
	return 0;
}
