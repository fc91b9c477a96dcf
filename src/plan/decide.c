#include "plan/decide.h"

#include "plan/groups.h"

bool decide_is_routers(const struct model_router *m, enum field_id id, struct bytes name)
{
	return m->on && id == FIELD_OTHER &&
		(bytes_eq_nocase(name, m->model_header) || bytes_eq_nocase(name, m->vendor_header));
}

bool decide_by_model(const struct route *const *candidates, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (candidates[i]->asks_model) {
			return true;
		}
	}
	return false;
}

bool decide_wants_tls(const struct route *const *candidates, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (candidates[i]->ssl_redirect) {
			return true;
		}
	}
	return false;
}

bool decide_any_ai(const struct route *const *candidates, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct route *r = candidates[i];

		if (r->group != NULL ? r->group->any_ai : r->is_ai) {
			return true;
		}
	}
	return false;
}

bool decide_is_json(struct bytes type)
{
	for (size_t i = 0; i + 16 <= type.n; i++) {
		if (bytes_starts_nocase(
			    bytes_of(type.p + i, type.n - i), BYTES("application/json"))) {
			return true;
		}
	}
	return type.n == 0; /* a missing one counts as JSON */
}

static enum auth_verdict verdict(const struct auth_rule *rule, const struct decide_caller *caller)
{
	if (rule->need == AUTH_BY_HOST) {
		rule = auth_rule_for(rule, caller->host);
	}
	return auth_verdict(rule, caller->look_up(caller->of, rule->consumers));
}

enum auth_verdict decide_identify(enum auth_plugin plugin, const struct route *const *candidates,
	size_t n, const struct decide_caller *caller)
{
	enum auth_verdict worst = AUTH_OK;

	for (size_t i = 0; i < n; i++) {
		const struct route *r = candidates[i];
		const struct auth_rule *rules =
			r->group != NULL ? r->group->rules[plugin] : auth_rule_of(r, plugin);
		size_t n_rules = r->group != NULL ? r->group->n_rules[plugin] : 1;

		for (size_t k = 0; group_is_leader(r) && k < n_rules; k++) {
			enum auth_verdict v = verdict(&rules[k], caller);

			if (v == AUTH_OK) {
				return AUTH_OK;
			}
			worst = MAX(worst, v);
		}
	}
	return worst;
}

enum auth_verdict decide_verdict(
	enum auth_plugin plugin, const struct route *r, const struct decide_caller *caller)
{
	return verdict(auth_rule_of(r, plugin), caller);
}

const struct consumer *decide_consumer(const struct route *r, const struct decide_caller *caller)
{
	for (unsigned p = 0; p < AUTH_PLUGINS; p++) {
		const struct auth_rule *rule =
			auth_rule_for(auth_rule_of(r, (enum auth_plugin)p), caller->host);

		if (rule->need != AUTH_PASS) {
			return caller->look_up(caller->of, rule->consumers);
		}
	}
	return NULL;
}

const char *decide_auth_reason(enum auth_plugin plugin, enum auth_verdict v)
{
	bool basic = plugin == AUTH_BASIC;

	switch (v) {
	case AUTH_OK:
		break;
	case AUTH_UNKNOWN:
		return basic ? "basic-auth.invalid_credential" : "key-auth.invalid_key";
	case AUTH_REFUSED:
		return basic ? "basic-auth.unauthorized" : "key-auth.unauthorized";
	case AUTH_UNUSABLE:
		return "config.invalid";
	}
	return NULL;
}

static struct bytes without(struct bytes query, struct bytes whole, struct arena *a)
{
	struct bytes room = arena_copy(a, query);
	struct text t;

	if (room.p == NULL) {
		return room;
	}
	text_init_fixed(&t, (char *)(uintptr_t)room.p, room.n);
	url_query_without(query, whole, &t);
	/* Nothing is left of "?key=x": no question mark either. */
	return t.n != 0 ? text_bytes(&t) : (struct bytes){NULL, 0};
}

struct bytes decide_query_without(struct bytes query, struct bytes whole, struct arena *a)
{
	const char *equals = memchr(whole.p, '=', whole.n);
	struct bytes name = equals != NULL ? bytes_of(whole.p, (size_t)(equals - whole.p)) : whole;
	struct bytes value;

	do {
		query = without(query, whole, a);
	} while (query.p != NULL && url_query_get(query, name, &value, &whole));
	return query;
}

struct bytes decide_model(const struct model_router *m, struct bytes name, struct route_model *out)
{
	struct bytes rest = name;
	struct bytes vendor = bytes_cut(&rest, '/');

	*out = (struct route_model){.name = name};
	if (m->vendor_header.n == 0 || rest.p == NULL) {
		return name;
	}
	out->vendor = vendor;
	return rest;
}

void decide_automatic(const struct model_router *m, struct bytes chosen, struct route_model *out)
{
	*out = (struct route_model){.name = BYTES(""), .automatic = chosen};
	if (bytes_eq(m->model_header, BYTES(MODEL_ROUTER_HEADER))) {
		out->name = chosen;
	}
}

struct bytes decide_upstream_model(
	const struct destination *to, struct bytes model, struct arena *a)
{
	const struct provider *p = to->provider;

	if (to->mapping != NULL) {
		model = mapping_apply(to->mapping, model, a);
	}
	return p == NULL || p->original || p->type->keeps_body
		? model
		: mapping_apply(&p->mapping, model, a);
}

bool decide_serves(const struct destination *to, enum api api, struct bytes model)
{
	const struct provider *p = to->provider;

	return p == NULL ||
		(provider_serves(p, api) &&
			(model.n == 0 || mapping_is_empty(&p->deny) ||
				!mapping_matches(&p->deny, model)));
}

int decide_target(const struct route *r, const struct destination *to, enum api api,
	const struct url *url, struct text *out)
{
	struct text path;
	int rc;

	if (to->provider == NULL) {
		route_rewrite_path(r, url->path, out);
		if (url->query.n != 0) {
			text_add_char(out, '?');
			text_add_bytes(out, url->query);
		}
		return 0;
	}
	if (!route_rewrites_path(r)) {
		return provider_path(to->provider, api, url->path, url->query, out);
	}
	text_init(&path, out->max);
	route_rewrite_path(r, url->path, &path);
	out->full = out->full || text_full(&path);
	rc = provider_path(to->provider, api, text_bytes(&path), url->query, out);
	text_done(&path);
	return rc;
}

struct bytes decide_plain_host(struct bytes host)
{
	return host.n > 1 && bytes_ends(host, BYTES(".")) ? bytes_of(host.p, host.n - 1) : host;
}

struct bytes decide_host(const struct route *r, const struct destination *to, struct bytes host)
{
	if (to->provider != NULL && to->provider->host.n != 0) {
		return to->provider->host;
	}
	return r->rewrite.host.n != 0 ? r->rewrite.host : host;
}

struct bytes decide_tls_name(const struct destination *to, struct bytes peer)
{
	const struct provider *p = to->provider;
	struct bytes sni = to->service->sni;

	if (p != NULL && p->sni.n != 0 && (sni.n == 0 || bytes_eq(sni, peer))) {
		return p->sni;
	}
	return sni.n != 0 ? sni : peer;
}

struct bytes decide_credential(const struct provider *p)
{
	return p->tokens.n != 0 ? p->tokens.v[0] : (struct bytes){NULL, 0};
}
