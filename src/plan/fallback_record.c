/*
 * ConfigMap ai-route-<name>: {"fallbackConfig":{"enabled":true,"fallbackStrategy":"SEQ","upstreams":[{"provider":"a",
 * "weight":1}]}} (higress-resources.md §2.4). The service of a provider is the one that a rule of ai-proxy binds it to;
 * its mapping is that of model-mapper for (fallback route, service), as Console writes it.
 */
#include "plan/fallbacks_int.h"
#include "wire/json.h"

#define SUFFIX ".internal"

struct record {
	const struct fallbacks_input *in;
	const struct object *object;
	struct place at;
	const struct fallback *fallback;
	struct destination *out;
	size_t n;
};

/* "llm-a.internal.dns" or "llm-a.internal.dns:443"; empty: no rule binds the provider to a service. */
static struct bytes service_of(const struct upstreams *u, struct bytes provider)
{
	const struct wasmplugin *p = u->proxy.plugin;

	for (size_t i = 0; p != NULL && i < p->n_rules; i++) {
		const struct plugin_rule *rule = &p->rules[i];
		const struct yaml_node *id = yaml_get(rule->config, "activeProviderId");

		if (!rule->disabled && rule->service.n != 0 && id != NULL &&
			bytes_eq(id->text, provider)) {
			return rule->service.v[0];
		}
	}
	return BYTES("");
}

static struct bytes without_port(struct bytes service)
{
	return bytes_cut(&service, ':');
}

static void note_unusable(const struct record *r, struct bytes provider)
{
	struct finding at = build_warning(r->object, r->at, "fallback-candidate-unusable");

	findings_add(r->in->findings, &at,
		"the fallback to provider " BYTES_FMT
		" is left out: no rule of ai-proxy binds it to a service that is served; create the "
		"provider, or take it out of the list",
		BYTES_ARG(provider));
}

static void add_candidate(struct record *r, const struct json_value *upstream)
{
	struct bytes provider = json_text(json_get(upstream, "provider"), BYTES(""));
	struct bytes name = without_port(service_of(r->in->upstreams, provider));
	struct service *s = name.n != 0 ? services_find(r->in->services, name) : NULL;
	struct destination d = {.service = s, .weight = 1};

	if (s == NULL ||
		!upstreams_find(r->in->upstreams,
			&(struct plugin_target){.route = r->fallback->to->name,
				.host = r->fallback->to->host,
				.service = name,
				.port = s->port},
			&d) ||
		d.provider == NULL) {
		note_unusable(r, provider);
		return;
	}
	d.window = d.provider->context_window;
	r->out[r->n++] = d;
}

static void read_list(struct record *r, const struct json_value *list)
{
	size_t room = MIN(list->n, (size_t)FALLBACK_CANDIDATES_MAX);

	r->out = arena_must(r->in->arena, (room + 1) * sizeof(*r->out));
	for (const struct json_value *u = list->items; u != NULL && room != 0;
		u = u->next, room--) {
		add_candidate(r, u);
	}
}

static const struct object *find_record(const struct fallbacks_input *in, struct bytes route)
{
	struct bytes suffix = BYTES(SUFFIX);

	return bytes_ends(route, suffix) ? snapshot_get(in->snapshot, RESOURCE_CONFIGMAP,
						   bytes_of(route.p, route.n - suffix.n))
					 : NULL;
}

void fallback_record_apply(const struct fallbacks_input *in, struct bytes route, struct fallback *f)
{
	struct record r = {.in = in, .object = find_record(in, route), .fallback = f};
	const struct pair *data;
	const struct json_value *config, *list;
	struct arena a;

	if (r.object == NULL || in->upstreams == NULL) {
		return;
	}
	data = pairs_find(&r.object->u.configmap.data, BYTES("data"));
	arena_init(&a, RESOURCE_FILE_MAX);
	/* What is no JSON is said by lint. */
	config =
		data != NULL ? json_get(json_parse(&a, data->value, NULL), "fallbackConfig") : NULL;
	list = json_get(config, "upstreams");
	if (bytes_eq(json_text(json_get(config, "fallbackStrategy"), BYTES("")), BYTES("SEQ")) &&
		list != NULL && list->type == JSON_ARRAY) {
		r.at = data->at;
		f->in_order = true;
		read_list(&r, list);
		if (r.n != 0) {
			f->candidates = r.out;
			f->n_candidates = r.n;
		}
	}
	arena_done(&a);
}
