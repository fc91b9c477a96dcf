/*
 * What is derived from the record of an AI route: Ingresses, rules of four plugins, an EnvoyFilter
 * (higress-resources.md §3.4.1-§3.4.4, §2.7). It can be written again at any time.
 */
#include "resource/op_int.h"
#include "wire/json.h"

struct bytes op_ai_derive_ingress(struct op *o, struct bytes name, bool fallback)
{
	return op_textf(o, "ai-route-" BYTES_FMT "%s.internal", BYTES_ARG(name),
		fallback ? ".fallback" : "");
}

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

static bool is_on(struct op *o, const struct doc *feature)
{
	const struct doc *v = doc_get(o->arena, feature, "enabled");

	return doc_given(v) && v->boolean;
}

/* --- the route of an Ingress ----------------------------------------------------------------------- */

/* The value of a model as a part of a regular expression. */
static void add_escaped(struct text *t, struct bytes value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (strchr("[]{}()^$|*+?.\\", value.p[i]) != NULL) {
			text_add_char(t, '\\');
		}
		text_add_char(t, value.p[i]);
	}
}

static struct bytes model_regex(struct op *o, const struct doc *models)
{
	struct text t;
	struct bytes out;

	text_init(&t, 16u * 1024u * 1024u);
	text_add_str(&t, "^(");
	for (const struct doc *m = doc_first(o->arena, models); m != NULL; m = m->next) {
		if (t.n > 2) {
			text_add_char(&t, '|');
		}
		add_escaped(&t, text_of(o, m, "matchValue"));
		if (bytes_eq(text_of(o, m, "matchType"), BYTES("PRE"))) {
			text_add_str(&t, ".*");
		}
	}
	text_add_char(&t, ')');
	out = arena_copy(o->arena, text_bytes(&t));
	text_done(&t);
	return out;
}

static void add_header(
	struct op *o, struct doc *headers, const char *key, struct bytes type, struct bytes value)
{
	struct doc *h = doc_map(o->arena);

	doc_set(o->arena, h, "key", doc_str(o->arena, key));
	doc_set(o->arena, h, "matchType", doc_string(o->arena, type));
	doc_set(o->arena, h, "matchValue", doc_string(o->arena, value));
	doc_append(o->arena, headers, h);
}

/* Those of the request, then the model (§3.4.2), then where a replayed request comes from. */
static struct doc *make_headers(
	struct op *o, struct bytes name, const struct doc *route, bool fallback)
{
	const struct doc *given = doc_get(o->arena, route, "headerPredicates");
	const struct doc *models = doc_get(o->arena, route, "modelPredicates");
	const struct doc *first = doc_first(o->arena, models);
	struct doc *out = doc_given(given) ? doc_copy(o->arena, given) : doc_list(o->arena);

	if (first != NULL && first->next == NULL) {
		add_header(o, out, MODEL_HEADER, text_of(o, first, "matchType"),
			text_of(o, first, "matchValue"));
	} else if (first != NULL) {
		add_header(o, out, MODEL_HEADER, BYTES("REGULAR"), model_regex(o, models));
	}
	if (fallback) {
		add_header(o, out, FALLBACK_HEADER, BYTES("EQUAL"),
			op_ai_derive_ingress(o, name, false));
	}
	return out;
}

/* only_first: of a fallback that goes through them in order. */
static struct doc *make_services(struct op *o, const struct doc *upstreams, bool only_first)
{
	struct doc *out = doc_list(o->arena);

	for (const struct doc *u = doc_first(o->arena, upstreams); u != NULL; u = u->next) {
		struct doc *s = doc_map(o->arena);
		struct bytes service = BYTES("");
		unsigned port = 0;

		if (op_provider_service(o, text_of(o, u, "provider"), &service, &port)) {
			doc_set(o->arena, s, "name", doc_string(o->arena, service));
			doc_set(o->arena, s, "port", doc_int(o->arena, port));
			doc_set(o->arena, s, "weight",
				doc_copy(o->arena, doc_get(o->arena, u, "weight")));
			doc_append(o->arena, out, s);
		}
		if (only_first) {
			break;
		}
	}
	return out;
}

/* What stands in the Ingress and is neither the Console's nor the stored route's stays there. */
static struct doc *with_foreign(
	struct op *o, struct doc *there, const struct doc *before, const struct doc *given)
{
	struct doc *out = doc_map(o->arena);

	for (const struct doc *v = doc_first(o->arena, there); v != NULL; v = v->next) {
		if (doc_get_bytes(o->arena, before, v->key) == NULL) {
			doc_set_bytes(o->arena, out, v->key, doc_copy(o->arena, v));
		}
	}
	for (const struct doc *v = doc_first(o->arena, given); v != NULL; v = v->next) {
		doc_set_bytes(o->arena, out, v->key, doc_copy(o->arena, v));
	}
	return out;
}

static struct doc *make_route(struct op *o, const struct op_ai_route *r, bool fallback)
{
	static const char *const same[][2] = {{"domains", "domains"}, {"pathPredicate", "path"},
		{"urlParamPredicates", "urlParams"}, {"cors", "cors"},
		{"headerControl", "headerControl"}, {"proxyNextUpstream", "proxyNextUpstream"}};
	struct arena *a = o->arena;
	const struct doc *config = doc_get(a, r->record, "fallbackConfig");
	bool first = fallback && bytes_eq(text_of(o, config, "fallbackStrategy"), BYTES("SEQ"));
	struct bytes ingress = op_ai_derive_ingress(o, r->name, fallback);
	const struct doc *root =
		op_ingress_normal(o, draft_look(&o->draft, RESOURCE_INGRESS, ingress), ingress);
	struct doc *out = doc_map(a);

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		const struct doc *v = doc_get(a, r->record, same[i][0]);

		if (doc_given(v)) {
			doc_set(a, out, same[i][1], doc_copy(a, v));
		}
	}
	doc_set(a, out, "headers", make_headers(o, r->name, r->record, fallback));
	doc_set(a, out, "services",
		make_services(o, doc_get(a, fallback ? config : r->record, "upstreams"), first));
	doc_set(a, out, "customConfigs",
		with_foreign(o, op_ingress_custom_configs(o, root),
			doc_get(a, r->before, "customConfigs"),
			doc_get(a, r->record, "customConfigs")));
	doc_set(a, out, "customLabels",
		with_foreign(o, op_ingress_custom_labels(o, root),
			doc_get(a, r->before, "customLabels"),
			doc_get(a, r->record, "customLabels")));
	return out;
}

/* --- plugins --------------------------------------------------------------------------------------- */

static void write_model_router(struct op *o, const struct doc *record)
{
	struct doc *root, *spec;

	if (doc_first(o->arena, doc_get(o->arena, record, "modelPredicates")) == NULL) {
		return;
	}
	root = op_plugin_need(o, &op_plugin_model_router, true);
	spec = doc_need_map(o->arena, root, "spec");
	doc_set(o->arena, doc_need_map(o->arena, spec, "defaultConfig"), "modelToHeader",
		doc_str(o->arena, MODEL_HEADER));
	doc_set(o->arena, spec, "defaultConfigDisable", doc_bool(o->arena, false));
}

/* The upstream whose mapping counts for a service: the last that has one. */
static const struct doc *mapping_of(struct op *o, const struct doc *upstreams, struct bytes service)
{
	const struct doc *found = NULL;

	for (const struct doc *u = doc_first(o->arena, upstreams); u != NULL; u = u->next) {
		const struct doc *mapping = doc_get(o->arena, u, "modelMapping");
		struct bytes s = BYTES("");
		unsigned port;

		if (doc_first(o->arena, mapping) != NULL &&
			op_provider_service(o, text_of(o, u, "provider"), &s, &port) &&
			bytes_eq(s, service)) {
			found = mapping;
		}
	}
	return found;
}

/* Rules of the Ingress for services that the route maps no model for. */
static void drop_mappings(struct op *o, struct bytes ingress, const struct doc *upstreams)
{
	const struct doc *root = op_plugin_look(o, &op_plugin_model_mapper, true), *next;
	const struct doc *r = doc_first(o->arena, doc_at(o->arena, root, "spec.matchRules"));

	for (; r != NULL; r = next) {
		const struct doc *service;

		next = r->next;
		if (!op_rule_names(o, r, "ingress", ingress)) {
			continue;
		}
		service = doc_first(o->arena, doc_get(o->arena, r, "service"));
		if (service != NULL && service->next == NULL &&
			mapping_of(o, upstreams, service->text) == NULL) {
			op_rule_drop(o, op_plugin_need(o, &op_plugin_model_mapper, true),
				&(struct op_target){.ingress = ingress, .service = service->text});
		}
	}
}

static void write_mappings(struct op *o, struct bytes ingress, const struct doc *upstreams)
{
	struct arena *a = o->arena;

	drop_mappings(o, ingress, upstreams);
	for (const struct doc *u = doc_first(a, upstreams); u != NULL; u = u->next) {
		const struct doc *mapping = doc_get(a, u, "modelMapping");
		struct bytes service = BYTES("");
		struct doc *rule;
		unsigned port;

		if (doc_first(a, mapping) == NULL ||
			!op_provider_service(o, text_of(o, u, "provider"), &service, &port)) {
			continue;
		}
		rule = op_rule_need(o, op_plugin_need(o, &op_plugin_model_mapper, true),
			&(struct op_target){.ingress = ingress, .service = service});
		doc_set(a, doc_need_map(a, rule, "config"), "modelMapping", doc_copy(a, mapping));
		doc_set(a, rule, "configDisable", doc_bool(a, false));
	}
}

/* Whether an instance that a person may have changed is there, of whatever version of the plugin. */
static bool has_statistics(struct op *o, struct bytes ingress)
{
	struct draft_walk w = {0};
	struct bytes name;
	const struct doc *root;

	while (draft_next(&o->draft, &w, RESOURCE_WASMPLUGIN, &name, &root)) {
		const struct doc *labels = doc_at(o->arena, root, "metadata.labels");

		if (bytes_eq(text_of(o, labels, "higress.io/wasm-plugin-name"),
			    BYTES("ai-statistics")) &&
			!bytes_ends(name, BYTES(".internal")) &&
			op_rule_find(o, root, &(struct op_target){.ingress = ingress}) != NULL) {
			return true;
		}
	}
	return false;
}

static void write_statistics(struct op *o, struct bytes ingress)
{
	struct doc *config;

	if (has_statistics(o, ingress)) {
		return;
	}
	config = doc_map(o->arena);
	doc_set(o->arena, config, "use_default_response_attributes", doc_bool(o->arena, true));
	op_rule_set(o, op_plugin_need(o, &op_plugin_ai_statistics, false),
		&(struct op_target){.ingress = ingress}, config, false);
}

/* --- EnvoyFilter (§2.7) ---------------------------------------------------------------------------- */

#define STRUCT_TYPE "\"@type\":\"type.googleapis.com/udpa.type.v1.TypedStruct\",\"type_url\":"
#define HEADER_TO_ADD                                                                           \
	"[{\"append\":false,\"header\":{\"key\":\"" FALLBACK_HEADER "\",\"value\":\"" BYTES_FMT \
	"\"}}]"

static void add_single(struct text *t, struct bytes code)
{
	text_addf(t,
		"{\"single_predicate\":{\"input\":{\"name\":\"" BYTES_FMT
		"_response\",\"typed_config\":{\"@type\":\"type.googleapis.com/"
		"envoy.type.matcher.v3.HttpResponseStatusCodeClassMatchInput\"}},"
		"\"value_match\":{\"exact\":\"" BYTES_FMT "\"}}}",
		BYTES_ARG(code), BYTES_ARG(code));
}

static void add_predicate(struct op *o, struct text *t, const struct doc *codes)
{
	const struct doc *first = doc_first(o->arena, codes);

	if (first != NULL && first->next == NULL) {
		add_single(t, first->text);
		return;
	}
	text_add_str(t, "{\"or_matcher\":{\"predicate\":[");
	for (const struct doc *c = first; c != NULL; c = c->next) {
		text_add_str(t, c != first ? "," : "");
		add_single(t, c->text);
	}
	text_add_str(t, "]}}");
}

/* Names of Ingresses hold nothing that JSON would have to escape. */
static void add_patches(struct op *o, struct text *t, struct bytes ingress, const struct doc *codes)
{
	text_addf(t,
		"[{\"applyTo\":\"HTTP_ROUTE\",\"match\":{\"context\":\"GATEWAY\","
		"\"routeConfiguration\":{\"vhost\":{\"route\":{\"name\":\"" BYTES_FMT
		"\"}}}},"
		"\"patch\":{\"operation\":\"MERGE\",\"value\":{\"typed_per_filter_config\":{"
		"\"envoy.filters.http.custom_response\":{" STRUCT_TYPE
		"\"type.googleapis.com/envoy.extensions.filters.http.custom_response.v3."
		"CustomResponse\",\"value\":{\"custom_response_matcher\":{\"matcher_list\":{"
		"\"matchers\":[{\"on_match\":{\"action\":{\"name\":\"action\",\"typed_config\":{",
		BYTES_ARG(ingress));
	text_addf(t,
		STRUCT_TYPE
		"\"type.googleapis.com/envoy.extensions.http.custom_response.redirect_policy.v3."
		"RedirectPolicy\",\"value\":{\"max_internal_redirects\":10,"
		"\"use_original_request_uri\":true,\"keep_original_response_code\":false,"
		"\"use_original_request_body\":true,\"only_redirect_upstream_code\":false,"
		"\"request_headers_to_add\":" HEADER_TO_ADD
		",\"response_headers_to_add\":" HEADER_TO_ADD "}}}},\"predicate\":",
		BYTES_ARG(ingress), BYTES_ARG(ingress));
	add_predicate(o, t, codes);
	text_add_str(t, "}]}},\"with_request_body\":{\"max_request_bytes\":1024000}}}}}}}]");
}

static void write_envoyfilter(struct op *o, struct bytes ingress, const struct doc *codes)
{
	bool made = draft_look(&o->draft, RESOURCE_ENVOYFILTER, ingress) == NULL;
	struct doc *root = draft_need(&o->draft, RESOURCE_ENVOYFILTER, ingress);
	const struct json_value *patches;
	struct fault fault;
	struct text t;

	op_mark(o, root, ingress);
	text_init(&t, 64u * 1024u);
	add_patches(o, &t, ingress, codes);
	patches = json_parse(o->arena, arena_copy(o->arena, text_bytes(&t)), &fault);
	text_done(&t);
	doc_set(o->arena, doc_need_map(o->arena, root, "spec"), "configPatches",
		patches != NULL ? doc_of_json(o->arena, patches) : NULL);
	if (made) {
		doc_need_map(o->arena, root, "status");
	}
}

/* --- everything that is derived -------------------------------------------------------------------- */

static void remove_fallback(struct op *o, struct bytes name)
{
	struct bytes f = op_ai_derive_ingress(o, name, true);

	draft_remove(&o->draft, RESOURCE_ENVOYFILTER, op_ai_derive_ingress(o, name, false));
	draft_remove(&o->draft, RESOURCE_INGRESS, f);
	op_rules_forget(o, "ingress", f);
}

static void write_ingress(
	struct op *o, const struct op_ai_route *r, struct doc *route, bool fallback)
{
	struct bytes ingress = op_ai_derive_ingress(o, r->name, fallback);
	const struct doc *from =
		fallback ? doc_get(o->arena, r->record, "fallbackConfig") : r->record;

	op_ingress_write(o, ingress, route);
	op_auth_write(o, ingress, doc_get(o->arena, r->record, "authConfig"));
	if (fallback) {
		write_envoyfilter(o, op_ai_derive_ingress(o, r->name, false),
			doc_get(o->arena, from, "responseCodes"));
	} else {
		write_model_router(o, r->record);
	}
	write_mappings(o, ingress, doc_get(o->arena, from, "upstreams"));
	write_statistics(o, ingress);
}

enum op_rc op_ai_derive_write(struct op *o, const struct op_ai_route *r)
{
	bool falls = is_on(o, doc_get(o->arena, r->record, "fallbackConfig"));
	struct doc *main = make_route(o, r, false), *fallback = make_route(o, r, true);
	enum op_rc rc = op_ingress_check(o, main);

	rc = rc == OP_OK && falls ? op_ingress_check(o, fallback) : rc;
	if (rc != OP_OK) {
		return rc;
	}
	write_ingress(o, r, main, false);
	if (falls) {
		write_ingress(o, r, fallback, true);
	} else {
		remove_fallback(o, r->name);
	}
	return OP_OK;
}

void op_ai_derive_remove(struct op *o, struct bytes name)
{
	struct bytes ingress = op_ai_derive_ingress(o, name, false);

	draft_remove(&o->draft, RESOURCE_INGRESS, ingress);
	op_rules_forget(o, "ingress", ingress);
	remove_fallback(o, name);
}
