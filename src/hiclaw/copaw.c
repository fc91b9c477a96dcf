#include "hiclaw/copaw.h"

#include "hiclaw/openclaw.h"

#define BLOCK "custom_providers." OPENCLAW_PROVIDER

static struct doc *new_model(struct arena *a, struct bytes model)
{
	return model_traits_entry(a, model, &(struct model_traits){0});
}

static struct doc *new_list(struct arena *a, struct bytes model)
{
	struct doc *list = doc_list(a);

	doc_append(a, list, new_model(a, model));
	return list;
}

static void edit_list(struct config_edit *c, const struct json_value *list, struct bytes model)
{
	if (list->type != JSON_ARRAY) {
		config_edit_refuse(c, CONFIG_NOT_EDITABLE, BLOCK ".models is no list");
		return;
	}
	for (const struct json_value *i = list->items; i != NULL; i = i->next) {
		if (config_text_is(json_get(i, "id"), model)) {
			return;
		}
	}
	json5_edit_add_item(&c->json, list, new_model(c->json.arena, model));
}

static void edit_block(struct config_edit *c, struct bytes model)
{
	const struct json_value *all, *block, *list;

	all = config_edit_enter(c, c->json.root, "custom_providers", "custom_providers");
	block = config_edit_enter(c, all, OPENCLAW_PROVIDER, BLOCK);
	if (block == NULL) {
		config_edit_refuse(
			c, CONFIG_INCOMPLETE, "there is no " BLOCK ": CoPaw was never set up");
		return;
	}
	list = config_edit_member(c, block, "models", BLOCK ".models");
	if (list == NULL || list->type == JSON_NULL) {
		config_edit_put(c, block, "models", new_list(c->json.arena, model));
	} else {
		edit_list(c, list, model);
	}
}

/* A model of another provider is no model of ours, so both members are of one choice. */
static void edit_active(struct config_edit *c, struct bytes model)
{
	struct arena *a = c->json.arena;
	struct doc *both = doc_map(a);
	const struct json_value *active =
		config_edit_member(c, c->json.root, "active_llm", "active_llm");

	doc_set(a, both, "provider_id", doc_str(a, OPENCLAW_PROVIDER));
	doc_set(a, both, "model", doc_string(a, model));
	if (active == NULL || active->type == JSON_NULL) {
		config_edit_put(c, c->json.root, "active_llm", both);
		return;
	}
	active = config_edit_enter(c, c->json.root, "active_llm", "active_llm");
	config_edit_put(c, active, "provider_id", doc_str(a, OPENCLAW_PROVIDER));
	config_edit_put(c, active, "model", doc_string(a, model));
}

enum config_code copaw_switch_providers(struct arena *a, struct bytes text, struct bytes model,
	struct config_text *out, struct fault *fault)
{
	struct config_edit c;
	struct bytes bare = openclaw_bare_model(model);

	config_edit_open(&c, a, text, fault);
	if (!model_id_is_valid(bare)) {
		config_edit_refuse(&c, CONFIG_INVALID,
			"a model's id has 1 to %u bytes, no blanks, quotes or ${", MODEL_ID_MAX);
	}
	if (config_edit_ok(&c)) {
		edit_block(&c, bare);
		edit_active(&c, bare);
	}
	return config_edit_close(&c, out);
}

enum config_code copaw_switch_config(struct arena *a, struct bytes text, uint64_t context_window,
	struct config_text *out, struct fault *fault)
{
	struct config_edit c;
	struct doc *limit = doc_int(a, (int64_t)context_window), *running = doc_map(a),
		   *agents = doc_map(a);
	const struct json_value *v;

	doc_set(a, running, "max_input_length", limit);
	doc_set(a, agents, "running", running);
	config_edit_open(&c, a, text, fault);
	if (context_window < 1 || context_window > MODEL_CONTEXT_MAX) {
		config_edit_refuse(&c, CONFIG_INVALID, "contextWindow must be between 1 and %u",
			MODEL_CONTEXT_MAX);
	}
	v = config_edit_ok(&c) ? config_edit_enter(&c, c.json.root, "agents", "agents") : NULL;
	if (v == NULL) {
		config_edit_put(&c, c.json.root, "agents", agents);
		return config_edit_close(&c, out);
	}
	if (config_edit_enter(&c, v, "running", "agents.running") == NULL) {
		config_edit_put(&c, v, "running", running);
	} else {
		config_edit_put(&c, json_get(v, "running"), "max_input_length", limit);
	}
	return config_edit_close(&c, out);
}
