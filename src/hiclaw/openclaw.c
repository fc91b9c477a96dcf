/*
 * Where something is missing, all that belongs below it is made at once and added as one member: so every
 * edit is a value that is replaced or one that is added, whatever the file lacks. Rows are those of the
 * table in hiclaw-integration.md 5.2.
 */
#include "hiclaw/openclaw.h"

#define PROVIDERS "models.providers"
#define BLOCK PROVIDERS "." OPENCLAW_PROVIDER
#define DEFAULTS "agents.defaults"

struct run {
	struct config_edit c;
	struct arena *arena;
	const struct json_value *root;
	const struct openclaw_wish *wish;
	struct bytes model;     /* bare */
	struct bytes reference; /* with the provider */
	struct model_traits traits;
};

struct bytes openclaw_bare_model(struct bytes model)
{
	struct bytes prefix = BYTES(OPENCLAW_PROVIDER "/");

	return bytes_starts(model, prefix) ? bytes_of(model.p + prefix.n, model.n - prefix.n)
					   : model;
}

/* --- looking ----------------------------------------------------------------------------------------- */

static const struct json_value *provider_block(const struct json_value *root)
{
	return json_get(json_get(json_get(root, "models"), "providers"), OPENCLAW_PROVIDER);
}

static const struct json_value *find_entry(const struct json_value *list, struct bytes model)
{
	if (list == NULL || list->type != JSON_ARRAY) {
		return NULL;
	}
	for (const struct json_value *i = list->items; i != NULL; i = i->next) {
		if (config_text_is(json_get(i, "id"), model)) {
			return i;
		}
	}
	return NULL;
}

/* The reference in a member "model": a string, or an object with a primary one. */
static struct bytes reference_of(const struct json_value *model)
{
	const struct json_value *v =
		model != NULL && model->type == JSON_OBJECT ? json_get(model, "primary") : model;

	return json_text(v, bytes_of(NULL, 0));
}

/* The entry of agents.list that is used: the one marked as default, else the first. */
static const struct json_value *active_agent(const struct json_value *root)
{
	const struct json_value *list = json_get(json_get(root, "agents"), "list");

	if (list == NULL || list->type != JSON_ARRAY) {
		return NULL;
	}
	for (const struct json_value *i = list->items; i != NULL; i = i->next) {
		const struct json_value *marked = json_get(i, "default");

		if (marked != NULL && marked->type == JSON_TRUE) {
			return i;
		}
	}
	return list->items;
}

/* p NULL: the active agent uses the reference that is the default. */
static struct bytes overrider_of(const struct json_value *root, struct bytes reference)
{
	const struct json_value *agent = active_agent(root);
	struct bytes own = reference_of(json_get(agent, "model"));

	if (own.p == NULL || bytes_eq(own, reference)) {
		return bytes_of(NULL, 0);
	}
	return json_text(json_get(agent, "id"), BYTES(""));
}

int openclaw_read(
	struct arena *a, struct bytes text, struct openclaw_view *out, struct fault *fault)
{
	struct fault f = {0};
	const struct json_value *root = json5_parse(a, text, &f), *entry;
	struct openclaw_view v = {0};

	if (root == NULL) {
		return fault_set(fault, f.err, 0, f.where, "%s", f.text);
	}
	v.primary = reference_of(json_get(json_get(json_get(root, "agents"), "defaults"), "model"));
	if (bytes_starts(v.primary, BYTES(OPENCLAW_PROVIDER "/")) &&
		model_id_is_valid(openclaw_bare_model(v.primary))) {
		v.model = openclaw_bare_model(v.primary);
		entry = find_entry(json_get(provider_block(root), "models"), v.model);
		v.has_entry = entry != NULL;
		v.traits = model_traits_of(entry);
	}
	v.overrider = overrider_of(root, v.primary);
	*out = v;
	return 0;
}

/* --- the provider block: rows 1 to 6 -------------------------------------------------------------------- */

static struct doc *new_list(struct run *r)
{
	struct doc *list = doc_list(r->arena);

	doc_append(r->arena, list, model_traits_entry(r->arena, r->model, &r->traits));
	return list;
}

static struct bytes key_of(const struct run *r)
{
	const struct json_value *auth = json_get(json_get(r->root, "gateway"), "auth");

	if (r->wish->api_key.n != 0 || !r->wish->key_in_file) {
		return r->wish->api_key;
	}
	return json_text(json_get(auth, "token"), BYTES(""));
}

/* An empty key is never written: OpenClaw would start, and every request be refused. NULL: refused; then
 * nothing that would hold the block is put anywhere, either. */
static struct doc *new_block(struct run *r)
{
	struct bytes key = key_of(r);
	struct doc *m = doc_map(r->arena);

	if (key.n == 0 || r->wish->base_url.n == 0) {
		config_edit_refuse(&r->c, CONFIG_INCOMPLETE,
			"there is no " BLOCK ", and to make one, %s must be known",
			key.n == 0 ? "the agent's key for the gateway" : "the gateway's URL");
		return NULL;
	}
	doc_set(r->arena, m, "baseUrl", doc_string(r->arena, r->wish->base_url));
	doc_set(r->arena, m, "apiKey", doc_string(r->arena, key));
	doc_set(r->arena, m, "api", doc_str(r->arena, "openai-completions"));
	doc_set(r->arena, m, "models", new_list(r));
	return m;
}

static struct doc *wrap(struct run *r, const char *key, struct doc *inner)
{
	struct doc *m = doc_map(r->arena);

	doc_set(r->arena, m, key, inner);
	return inner != NULL ? m : NULL;
}

static struct doc *new_models(struct run *r)
{
	struct doc *providers = wrap(r, OPENCLAW_PROVIDER, new_block(r));
	struct doc *m = wrap(r, "mode", doc_str(r->arena, "merge"));

	doc_set(r->arena, m, "providers", providers);
	return m;
}

/* The input of an entry is what is given, in whatever order it stands. */
static bool input_is(const struct json_value *entry, unsigned input)
{
	return model_traits_of(entry).input == input;
}

/* Row 6: only what the caller gave. */
static void edit_entry(struct run *r, const struct json_value *entry)
{
	const struct model_traits *given = &r->wish->sources.given;
	struct arena *a = r->arena;

	if (given->reasoning != MODEL_UNKNOWN) {
		config_edit_put(
			&r->c, entry, "reasoning", doc_bool(a, given->reasoning == MODEL_YES));
	}
	if (given->context_window != 0) {
		config_edit_put(
			&r->c, entry, "contextWindow", doc_int(a, (int64_t)given->context_window));
	}
	if (given->max_tokens != 0) {
		config_edit_put(&r->c, entry, "maxTokens", doc_int(a, (int64_t)given->max_tokens));
	}
	if (given->input != 0 && !input_is(entry, given->input)) {
		config_edit_put(&r->c, entry, "input", model_traits_input(a, given->input));
	}
}

static void edit_list(struct run *r, const struct json_value *list)
{
	const struct json_value *entry = find_entry(list, r->model);

	if (list->type != JSON_ARRAY) {
		config_edit_refuse(&r->c, CONFIG_NOT_EDITABLE, BLOCK ".models is no list");
		return;
	}
	for (const struct json_value *i = list->items; i != NULL && entry == NULL; i = i->next) {
		if (json_get(i, "$include") != NULL) {
			config_edit_refuse(&r->c, CONFIG_NOT_EDITABLE,
				"an entry of " BLOCK
				".models comes from $include: it may be the model's");
		}
	}
	if (entry != NULL) {
		edit_entry(r, entry);
	} else if (config_edit_ok(&r->c)) {
		json5_edit_add_item(
			&r->c.json, list, model_traits_entry(r->arena, r->model, &r->traits));
	}
}

static void edit_block(struct run *r, const struct json_value *providers)
{
	const struct json_value *block, *list;

	block = config_edit_enter(&r->c, providers, OPENCLAW_PROVIDER, BLOCK);
	if (block == NULL) {
		config_edit_put(&r->c, providers, OPENCLAW_PROVIDER, new_block(r));
		return;
	}
	list = config_edit_member(&r->c, block, "models", BLOCK ".models");
	if (list == NULL || list->type == JSON_NULL) {
		config_edit_put(&r->c, block, "models", new_list(r));
	} else {
		edit_list(r, list);
	}
}

static void edit_models(struct run *r)
{
	const struct json_value *models = config_edit_enter(&r->c, r->root, "models", "models");
	const struct json_value *providers;

	if (models == NULL) {
		config_edit_put(&r->c, r->root, "models", new_models(r));
		return;
	}
	providers = config_edit_enter(&r->c, models, "providers", PROVIDERS);
	if (providers != NULL) {
		edit_block(r, providers);
	} else {
		config_edit_put(
			&r->c, models, "providers", wrap(r, OPENCLAW_PROVIDER, new_block(r)));
	}
}

/* --- the defaults of agents: rows 7 to 10 ------------------------------------------------------------------ */

static struct doc *reference_doc(struct run *r)
{
	return doc_string(r->arena, r->reference);
}

static struct doc *new_aliases(struct run *r)
{
	struct doc *m = doc_map(r->arena);

	doc_set_bytes(r->arena, m, r->reference, wrap(r, "alias", doc_string(r->arena, r->model)));
	return m;
}

static struct doc *new_defaults(struct run *r)
{
	struct doc *m = wrap(r, "model", wrap(r, "primary", reference_doc(r)));

	doc_set(r->arena, m, "models", new_aliases(r));
	return m;
}

static void edit_primary(struct run *r, const struct json_value *defaults)
{
	const struct json_value *model =
		config_edit_member(&r->c, defaults, "model", DEFAULTS ".model");

	if (model == NULL) {
		config_edit_put(&r->c, defaults, "model", wrap(r, "primary", reference_doc(r)));
	} else if (model->type == JSON_STRING) {
		config_edit_put(&r->c, defaults, "model", reference_doc(r));
	} else {
		config_edit_put(&r->c,
			config_edit_enter(&r->c, defaults, "model", DEFAULTS ".model"), "primary",
			reference_doc(r));
	}
}

static void edit_alias(struct run *r, const struct json_value *defaults)
{
	const struct json_value *aliases =
		config_edit_enter(&r->c, defaults, "models", DEFAULTS ".models");
	const char *reference = r->reference.p; /* with a NUL behind it */
	const struct json_value *one;

	if (aliases == NULL) {
		config_edit_put(&r->c, defaults, "models", new_aliases(r));
		return;
	}
	one = config_edit_enter(
		&r->c, aliases, reference, "the model's entry in " DEFAULTS ".models");
	if (one == NULL) {
		config_edit_put(&r->c, aliases, reference,
			wrap(r, "alias", doc_string(r->arena, r->model)));
	} else if (json_get(one, "alias") == NULL) {
		config_edit_put(&r->c, one, "alias", doc_string(r->arena, r->model));
	}
}

static void edit_agents(struct run *r)
{
	const struct json_value *agents = config_edit_enter(&r->c, r->root, "agents", "agents");
	const struct json_value *defaults;

	if (agents == NULL) {
		config_edit_put(&r->c, r->root, "agents", wrap(r, "defaults", new_defaults(r)));
		return;
	}
	defaults = config_edit_enter(&r->c, agents, "defaults", DEFAULTS);
	if (defaults == NULL) {
		config_edit_put(&r->c, agents, "defaults", new_defaults(r));
		return;
	}
	edit_primary(r, defaults);
	edit_alias(r, defaults);
}

/* --- the switch --------------------------------------------------------------------------------------------- */

static bool begin(struct run *r, struct arena *a)
{
	struct bytes prefix = BYTES(OPENCLAW_PROVIDER "/");
	size_t n = prefix.n + r->model.n;
	char *p = arena_alloc(a, n + 1);

	if (!model_id_is_valid(r->model)) {
		config_edit_refuse(&r->c, CONFIG_INVALID,
			"a model's id has 1 to %u bytes, no blanks, quotes or ${", MODEL_ID_MAX);
		return false;
	}
	if (p == NULL) {
		config_edit_refuse(&r->c, CONFIG_VERIFY_FAILED, "the edit needs too much memory");
		return false;
	}
	memcpy(p, prefix.p, prefix.n);
	memcpy(p + prefix.n, r->model.p, r->model.n);
	r->reference = bytes_of(p, n);
	return true;
}

static void resolve(struct run *r)
{
	struct model_sources s = r->wish->sources;
	struct fault f = {0};

	s.in_file =
		model_traits_of(find_entry(json_get(provider_block(r->root), "models"), r->model));
	if (known_models_resolve(&s, r->model, &r->traits, &f) != 0) {
		config_edit_refuse(&r->c, CONFIG_INVALID, "%s", f.text);
	}
}

enum config_code openclaw_switch(struct arena *a, struct bytes text,
	const struct openclaw_wish *wish, struct openclaw_switch *out, struct fault *fault)
{
	struct run r = {.arena = a, .wish = wish, .model = openclaw_bare_model(wish->model)};
	struct openclaw_switch s = {0};

	config_edit_open(&r.c, a, text, fault);
	r.root = r.c.json.root;
	if (config_edit_ok(&r.c) && begin(&r, a)) {
		resolve(&r);
		edit_models(&r);
		edit_agents(&r);
	}
	if (config_edit_close(&r.c, &s.config) == CONFIG_OK) {
		s.model = r.model;
		s.traits = r.traits;
		s.overrider = overrider_of(r.root, r.reference);
		*out = s;
	}
	return r.c.code;
}
