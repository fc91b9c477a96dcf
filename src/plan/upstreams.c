#include "plan/upstreams.h"

#include "plan/build.h"

const struct object *upstreams_plugin(
	const struct snapshot *s, const char *plugin, struct findings *f)
{
	const struct object *found = NULL;
	size_t from;
	size_t n = snapshot_kind(s, RESOURCE_WASMPLUGIN, &from);

	for (size_t i = from; i < from + n; i++) {
		const struct object *o = s->objects[i];

		if (!bytes_eq(o->u.wasmplugin.plugin, bytes_str(plugin))) {
			continue;
		}
		if (found == NULL) {
			found = o;
		} else {
			struct finding at =
				build_warning(o, build_place(o->root), "plugin-duplicate");

			findings_add(f, &at,
				BYTES_FMT
				" is a second instance of %s and is not used; put its rules "
				"into " BYTES_FMT,
				BYTES_ARG(o->meta.name), plugin, BYTES_ARG(found->meta.name));
		}
	}
	return found;
}

/* --- providers ---------------------------------------------------------------------------------- */

static void add_lane(struct upstreams *u, struct lane_slot *s)
{
	s->next = u->lanes;
	u->lanes = s;
}

static void add_credentials(struct upstreams *u, struct provider *p)
{
	p->is_capped = p->concurrency.upstream != 0 || p->concurrency.credential != 0 ||
		p->concurrency.consumer != 0;
	p->credentials = arena_must(u->arena, (p->tokens.n + 1) * sizeof(*p->credentials));
	for (size_t i = 0; i < p->tokens.n; i++) {
		p->credentials[i] = (struct lane_slot){.provider = p,
			.kind = LANE_CREDENTIAL,
			.index = (uint8_t)MIN(i, UINT8_MAX),
			.secret = p->tokens.v[i]};
		add_lane(u, &p->credentials[i]);
	}
}

struct lane_slot *upstreams_lane(
	struct upstreams *u, const struct service *s, const struct provider *p)
{
	struct lane_slot *slot = arena_must(u->arena, sizeof(*slot));

	*slot = (struct lane_slot){.provider = p, .service = s, .kind = LANE_UPSTREAM};
	add_lane(u, slot);
	return slot;
}

static struct provider *compile_provider(struct upstreams *u, const struct yaml_node *entry)
{
	struct provider *p =
		provider_compile(entry, u->proxy.object, u->types, u->arena, u->findings);
	struct context_source *c = p != NULL ? p->conversation.context : NULL;

	if (c != NULL && provider_edits_chats(p, API_CHAT_COMPLETIONS)) {
		c->next = u->contexts;
		u->contexts = c;
	}
	if (p != NULL) {
		add_credentials(u, p);
	}
	return p;
}

static void add_provider(struct upstreams *u, const struct yaml_node *entry)
{
	const struct object *where = u->proxy.object;
	const struct yaml_node *id = yaml_get(entry, "id");
	struct provider *p = compile_provider(u, entry);

	if (p == NULL) {
		if (id != NULL && id->text.n != 0) {
			map_put(&u->refused, id->text, u);
		}
		return;
	}
	if (map_get(&u->providers, p->id) != NULL) {
		struct finding at = build_warning(where, build_place(entry), "provider-duplicate");

		findings_add(u->findings, &at,
			"there is an earlier provider " BYTES_FMT "; this one is not used",
			BYTES_ARG(p->id));
		return;
	}
	map_put(&u->providers, p->id, p);
}

static void read_providers(struct upstreams *u)
{
	const struct yaml_node *list;

	if (u->proxy.object == NULL || u->proxy.plugin->config_disabled) {
		return;
	}
	list = yaml_get(u->proxy.plugin->config, "providers");
	if (list == NULL || list->type == YAML_NULL) {
		return;
	}
	if (list->type != YAML_SEQ) {
		struct finding at =
			build_error(u->proxy.object, build_place(list), "list-expected");

		findings_add(u->findings, &at, "providers must be a list");
		return;
	}
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		add_provider(u, n);
	}
}

void upstreams_init(struct upstreams *u, const struct snapshot *s, const struct plan_env *env,
	struct arena *a, struct findings *f)
{
	const struct object *proxy = upstreams_plugin(s, "ai-proxy", f);
	const struct object *mapper = upstreams_plugin(s, "model-mapper", f);

	*u = (struct upstreams){.types = env->types, .arena = a, .findings = f};
	map_init(&u->providers, &env->seed);
	map_init(&u->refused, &env->seed);
	plugin_rules_init(&u->proxy, proxy, PLUGIN_GO, &env->seed, a);
	plugin_rules_init(&u->mapper, mapper, PLUGIN_GO, &env->seed, a);
	plugin_rules_check(&u->proxy, s, f);
	plugin_rules_check(&u->mapper, s, f);
	read_providers(u);
	if (proxy != NULL) {
		u->of_proxy =
			arena_must(a, (proxy->u.wasmplugin.n_rules + 1) * sizeof(*u->of_proxy));
	}
	if (mapper != NULL) {
		u->of_mapper =
			arena_must(a, (mapper->u.wasmplugin.n_rules + 1) * sizeof(*u->of_mapper));
	}
}

void upstreams_done(struct upstreams *u)
{
	plugin_rules_done(&u->proxy);
	plugin_rules_done(&u->mapper);
	map_done(&u->providers);
	map_done(&u->refused);
}

/* --- rules -------------------------------------------------------------------------------------- */

static void read_proxy_rule(
	struct upstreams *u, const struct plugin_hit *hit, struct upstream_of_rule *out)
{
	const struct yaml_node *own = yaml_get(hit->config, "provider");
	const struct yaml_node *id = yaml_get(hit->config, "activeProviderId");
	struct finding at;

	out->usable = true;
	if (own != NULL && own->type == YAML_MAP) { /* the form of ai-proxy's first versions */
		out->provider = compile_provider(u, own);
		out->usable = out->provider != NULL;
		return;
	}
	if (id == NULL || id->text.n == 0) {
		return;
	}
	out->provider = map_get(&u->providers, id->text);
	out->usable = out->provider != NULL;
	if (out->usable || map_get(&u->refused, id->text) != NULL) {
		return;
	}
	at = build_error(u->proxy.object, build_place(id), "provider-unknown");
	findings_add(u->findings, &at,
		"no provider is called " BYTES_FMT "%s; what this rule holds for answers 503",
		BYTES_ARG(id->text),
		u->proxy.plugin->config_disabled ? " (the default configuration is disabled)" : "");
}

static void read_mapper_rule(
	struct upstreams *u, const struct plugin_hit *hit, struct upstream_of_rule *out)
{
	const struct yaml_node *node = yaml_get(hit->config, "modelMapping");
	struct mapping *m;

	out->usable = true;
	if (node == NULL || node->type == YAML_NULL) {
		return;
	}
	m = arena_must(u->arena, sizeof(*m));
	out->usable = mapping_compile(m, node, u->mapper.object, u->arena, u->findings) == 0;
	out->mapping = m;
}

/* A plugin, what its rules said so far, and how one is read. */
struct asked {
	const struct plugin_rules *rules;
	struct upstream_of_rule *memo;
	void (*read)(
		struct upstreams *u, const struct plugin_hit *hit, struct upstream_of_rule *out);
};

static bool find(struct upstreams *u, const struct asked *a, const struct plugin_target *t,
	struct upstream_of_rule *out)
{
	const struct plugin_rules *rules = a->rules;
	struct plugin_hit hit = plugin_rules_choose(rules, t);
	struct upstream_of_rule *of;

	*out = (struct upstream_of_rule){.usable = true};
	if (hit.choice == PLUGIN_NOTHING || hit.off) {
		return true;
	}
	if (hit.choice == PLUGIN_UNSURE) {
		struct finding at = build_error(
			rules->object, build_place(rules->object->root), "unsupported-condition");

		findings_add(u->findings, &at,
			"a rule of " BYTES_FMT
			" for a domain holds for some hosts of the route " BYTES_FMT
			" only, which this version cannot tell apart; give the route that "
			"host or the rule the route's name",
			BYTES_ARG(rules->plugin->plugin), BYTES_ARG(t->route));
		return false;
	}
	of = &a->memo[hit.choice == PLUGIN_RULE ? hit.index : rules->plugin->n_rules];
	if (!of->known) {
		of->known = true;
		a->read(u, &hit, of);
	}
	*out = *of;
	return of->usable;
}

bool upstreams_find(struct upstreams *u, const struct plugin_target *t, struct destination *out)
{
	const struct asked proxy = {&u->proxy, u->of_proxy, read_proxy_rule};
	const struct asked mapper = {&u->mapper, u->of_mapper, read_mapper_rule};
	struct upstream_of_rule provider;
	struct upstream_of_rule mapping;

	if (!find(u, &proxy, t, &provider) || !find(u, &mapper, t, &mapping)) {
		return false;
	}
	out->provider = provider.provider;
	out->mapping = mapping.mapping;
	return true;
}
