/*
 * The gateway's resources are compiled here as the gateway compiles them, with one route to the provider in question:
 * address, path, credential and mapping are those that a request through the gateway would get.
 */
#include "cli/provider_probe.h"

#include "cli/command.h"
#include "cli/ask.h"
#include "cli/hide.h"
#include "plan/plan.h"
#include "wire/json.h"

#define TIMEOUT_MS 20000u
/* Of a vendor's own words. */
#define MESSAGE_MAX 300
/* Models that are named. */
#define SAMPLE_MAX 5u

struct probe {
	struct remote *remote;
	struct arena *arena;
	const struct provider_types *types;
	struct bytes name;
	const char *model;
	struct snapshot *snapshot;
	struct plan *plan;
	const struct destination *to;
};

static int refuse(const struct probe *p, const char *why)
{
	fprintf(p->remote->err, "sluice %s: provider \"" BYTES_FMT "\": %s\n", p->remote->command,
		BYTES_ARG(p->name), why);
	return COMMAND_NO;
}

/* --- the plan ----------------------------------------------------------------------------------- */

static void put_object(
	struct probe *p, enum resource_kind kind, struct bytes file, struct bytes text)
{
	struct findings why;
	struct object *o;

	findings_init(&why, p->arena);
	o = object_read(kind, file, text, &why);
	if (o != NULL) {
		snapshot_put(p->snapshot, o);
	}
}

static int read_kind(struct probe *p, enum resource_kind kind)
{
	struct remote_call call = {.method = "GET"};
	struct remote_answer got;
	struct text path;
	int rc;

	text_init(&path, 256);
	text_addf(&path, "/v1/resources?kind=%s", resource_kind_name(kind));
	call.path = text_bytes(&path);
	rc = remote_ask(p->remote, p->arena, &call, &got);
	text_done(&path);
	if (rc == COMMAND_DONE && !remote_is_good(&got)) {
		rc = remote_refused(p->remote, &got, "its resources");
	}
	if (rc != COMMAND_DONE) {
		return rc;
	}
	for (const struct doc *d = doc_first(p->arena, got.data); d != NULL; d = d->next) {
		put_object(p, kind, doc_text(doc_get(p->arena, d, "file"), BYTES("")),
			doc_text(doc_get(p->arena, d, "text"), BYTES("")));
	}
	return COMMAND_DONE;
}

/* The service of the rule that hands requests to the provider; p NULL: there is none. */
static struct bytes find_service(const struct probe *p)
{
	size_t from;
	size_t n = snapshot_kind(p->snapshot, RESOURCE_WASMPLUGIN, &from);

	for (size_t i = 0; i < n; i++) {
		const struct wasmplugin *w = &p->snapshot->objects[from + i]->u.wasmplugin;

		for (size_t k = 0; k < w->n_rules; k++) {
			const struct plugin_rule *r = &w->rules[k];
			const struct yaml_node *id = yaml_get(r->config, "activeProviderId");

			if (bytes_eq(w->plugin, BYTES("ai-proxy")) && id != NULL &&
				r->service.n != 0 && bytes_eq(id->text, p->name)) {
				return r->service.v[0];
			}
		}
	}
	return bytes_of(NULL, 0);
}

static uint64_t port_of(const struct probe *p, struct bytes service)
{
	size_t from;
	size_t n = snapshot_kind(p->snapshot, RESOURCE_MCPBRIDGE, &from);

	for (size_t i = 0; i < n; i++) {
		const struct mcpbridge *m = &p->snapshot->objects[from + i]->u.mcpbridge;

		for (size_t k = 0; k < m->n_registries; k++) {
			if (m->registries[k].name.n < service.n &&
				bytes_starts(service, m->registries[k].name) &&
				service.p[m->registries[k].name.n] == '.') {
				return m->registries[k].port;
			}
		}
	}
	return 0;
}

static void put_route(struct probe *p, struct bytes service)
{
	struct text t;

	text_init(&t, 4096);
	text_addf(&t,
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: probe, "
		"annotations: {higress.io/destination: \"" BYTES_FMT
		":%llu\"}}, spec: "
		"{ingressClassName: higress, rules: [{http: {paths: [{path: /, pathType: Prefix, "
		"backend: {resource: {apiGroup: networking.higress.io, kind: McpBridge, name: "
		"default}}}]}}]}}\n",
		BYTES_ARG(service), (unsigned long long)port_of(p, service));
	put_object(p, RESOURCE_INGRESS, BYTES("ingresses/probe.yaml"), text_bytes(&t));
	text_done(&t);
}

static int compile(struct probe *p)
{
	const struct plan_env env = {.types = p->types, .seed = {1, 2}};
	struct bytes service = find_service(p);
	const struct route *r;

	if (service.p == NULL) {
		return refuse(p, "there is none of that name (sluice providers list)");
	}
	put_route(p, service);
	p->plan = plan_compile(p->snapshot, &env);
	r = p->plan->n_routes != 0 ? p->plan->routes[0] : NULL;
	if (r == NULL || r->n_destinations == 0 || r->destinations[0].provider == NULL ||
		r->destinations[0].service->n_endpoints == 0) {
		for (const struct finding *f = p->plan->findings.first; f != NULL; f = f->next) {
			if (f->level == FINDING_ERROR) {
				struct bytes why = arena_copy(p->arena, f->text);

				return refuse(p, why.p);
			}
		}
		return refuse(p, "its configuration leads nowhere; sluice lint says why");
	}
	if (r->destinations[0].service->endpoints[0].ask != NULL) {
		return refuse(p,
			"its service is one whose instances only the running gateway asks a "
			"registry for; ask the gateway itself");
	}
	p->to = &r->destinations[0];
	return COMMAND_DONE;
}

/* --- the request -------------------------------------------------------------------------------- */

static struct bytes upstream_model(const struct probe *p)
{
	return mapping_apply(&p->to->provider->mapping, bytes_str(p->model), p->arena);
}

static struct bytes make_body(const struct probe *p)
{
	struct json_writer w;
	struct bytes body;
	struct text t;

	text_init(&t, 65536);
	json_writer_init(&w, &t);
	json_open_object(&w);
	json_key(&w, "model");
	json_put_string(&w, upstream_model(p));
	json_key(&w, "messages");
	json_open_array(&w);
	json_open_object(&w);
	json_key(&w, "role");
	json_put_str(&w, "user");
	json_key(&w, "content");
	json_put_str(&w, "ping");
	json_close_object(&w);
	json_close_array(&w);
	json_key(&w, "max_tokens");
	json_put_u64(&w, 1);
	json_close_object(&w);
	body = arena_copy(p->arena, text_bytes(&t));
	text_done(&t);
	return body;
}

static void add_credential(const struct probe *p, struct fetch *q)
{
	const struct provider *provider = p->to->provider;
	struct bytes token = provider->tokens.n != 0 ? provider->tokens.v[0] : BYTES("");
	struct bytes name = BYTES("Authorization");
	struct text t;

	if (provider->version.n != 0) {
		fetch_add(q, BYTES("anthropic-version"), provider->version);
	}
	if (token.n == 0) {
		return;
	}
	text_init(&t, 65536);
	switch (provider->type->auth) {
	case AUTH_BEARER:
		text_add_str(&t, "Bearer ");
		break;
	case AUTH_RAW:
		break;
	case AUTH_X_API_KEY:
		name = BYTES("x-api-key");
		break;
	case AUTH_API_KEY:
		name = BYTES("api-key");
		break;
	case AUTH_X_GOOG_API_KEY:
		name = BYTES("x-goog-api-key");
		break;
	}
	text_add_bytes(&t, token);
	fetch_add(q, name, arena_copy(p->arena, text_bytes(&t)));
	text_done(&t);
}

static void add_host(const struct probe *p, struct fetch *q)
{
	const struct provider *provider = p->to->provider;
	const struct service *s = p->to->service;
	struct bytes sni = provider->sni.n != 0 ? provider->sni : s->sni;

	q->tls = s->tls;
	q->host = arena_copy(p->arena, s->endpoints[0].host).p;
	q->port = s->endpoints[0].port;
	q->name = sni.n != 0 ? arena_copy(p->arena, sni).p : NULL;
	fetch_add(q, BYTES("Host"), provider->host.n != 0 ? provider->host : s->endpoints[0].host);
}

/* --- the answer --------------------------------------------------------------------------------- */

/* Never with the credential that was sent, should the vendor repeat it. */
static void put_words(const struct probe *p, struct bytes words, FILE *out)
{
	const struct provider *provider = p->to->provider;

	words.n = MIN(words.n, (size_t)MESSAGE_MAX);
	for (size_t i = 0; i < words.n; i++) {
		unsigned char c = (unsigned char)words.p[i];
		struct bytes rest = bytes_of(words.p + i, words.n - i);

		if (provider->tokens.n != 0 && provider->tokens.v[0].n != 0 &&
			bytes_starts(rest, provider->tokens.v[0])) {
			struct bytes mask = hide_text(p->arena, provider->tokens.v[0], HIDE_MASK);

			fprintf(out, BYTES_FMT, BYTES_ARG(mask));
			i += provider->tokens.v[0].n - 1;
		} else {
			fputc(c < 0x20 || c == 0x7f ? ' ' : c, out);
		}
	}
}

static int tell_refusal(const struct probe *p, unsigned status, const struct doc *d)
{
	struct bytes why = doc_text(doc_at(p->arena, d, "error.message"),
		doc_text(doc_get(p->arena, d, "message"), BYTES("")));
	FILE *err = p->remote->err;

	fprintf(err, "sluice %s: provider \"" BYTES_FMT "\" answers %u", p->remote->command,
		BYTES_ARG(p->name), status);
	if (why.n != 0) {
		fputs(": ", err);
		put_words(p, why, err);
	}
	fputs(status == 401 || status == 403 ? "; check its credential (sluice providers update)\n"
					     : "\n",
		err);
	return COMMAND_NO;
}

static void tell_models(const struct probe *p, const struct doc *d, FILE *out)
{
	const struct doc *list = doc_get(p->arena, d, "data");
	size_t n = 0;

	if (list == NULL || list->type != DOC_LIST) {
		return;
	}
	fprintf(out, ", %zu models", list->n);
	for (const struct doc *m = doc_first(p->arena, list); m != NULL && n < SAMPLE_MAX;
		m = m->next) {
		fputs(n++ == 0 ? ": " : ", ", out);
		put_words(p, doc_text(doc_get(p->arena, m, "id"), BYTES("?")), out);
	}
	fputs(list->n > n ? ", …" : "", out);
}

static int tell(const struct probe *p, const struct fetch *got, FILE *out)
{
	struct bytes text = arena_copy(p->arena, text_bytes(&got->body_in));
	struct fault f;
	const struct json_value *v = text.n != 0 ? json_parse(p->arena, text, &f) : NULL;
	const struct doc *d = v != NULL ? doc_of_json(p->arena, v) : NULL;

	if (got->status < 200 || got->status > 299) {
		return tell_refusal(p, got->status, d);
	}
	if (d == NULL || d->type != DOC_MAP) {
		return refuse(p, "the answer is no JSON object; is the URL the vendor's API?");
	}
	fprintf(out, "provider \"" BYTES_FMT "\" answers", BYTES_ARG(p->name));
	if (p->model != NULL) {
		fprintf(out, " as model %s", p->model);
	} else {
		tell_models(p, d, out);
	}
	fputc('\n', out);
	return COMMAND_DONE;
}

/* Where the first call is that the vendor serves of those that answer the question; false: none. */
static bool find_target(const struct probe *p, struct text *target)
{
	static const char *const asks[] = {"/v1/chat/completions", "/v1/messages"};
	static const char *const lists[] = {"/v1/models"};
	const char *const *paths = p->model != NULL ? asks : lists;
	size_t n = p->model != NULL ? ARRAY_LEN(asks) : ARRAY_LEN(lists);

	for (size_t i = 0; i < n; i++) {
		struct bytes path = bytes_str(paths[i]);
		struct bytes suffix;

		if (provider_path(p->to->provider, api_of_path(path, &suffix), path,
			    bytes_of(NULL, 0), target) == 0) {
			return true;
		}
	}
	return false;
}

static int send_question(const struct probe *p, struct bytes target, FILE *out)
{
	struct fetch q = {.timeout_ms = TIMEOUT_MS, .target = target};
	char why[256];
	int rc;

	q.method = p->model != NULL ? BYTES("POST") : BYTES("GET");
	add_host(p, &q);
	add_credential(p, &q);
	fetch_add(&q, BYTES("User-Agent"), BYTES("sluice"));
	if (p->model != NULL) {
		fetch_add(&q, BYTES("Content-Type"), BYTES("application/json"));
		q.body = make_body(p);
	}
	if (ask(&q) != FETCH_DONE) {
		snprintf(why, sizeof(why), "%s:%u does not answer: %s", q.host, q.port, q.why.text);
		return refuse(p, why);
	}
	rc = tell(p, &q, out);
	fetch_done(&q);
	return rc;
}

static int ask_provider(const struct probe *p, FILE *out)
{
	struct text target;
	int rc;

	text_init(&target, 65536);
	if (find_target(p, &target) && p->model != NULL &&
		provider_has_model_path(p->to->provider, text_bytes(&target))) {
		provider_put_model(p->to->provider, upstream_model(p), &target);
	}
	if (target.n != 0) {
		rc = send_question(p, text_bytes(&target), out);
	} else {
		rc = refuse(p,
			p->model != NULL ? "it serves no chat completions"
					 : "it has no list of models: name one with --model");
	}
	text_done(&target);
	return rc;
}

int provider_probe_run(struct remote *r, struct arena *a, const struct provider_types *types,
	struct bytes name, const char *model, FILE *out)
{
	struct probe p = {.remote = r,
		.arena = a,
		.types = types,
		.name = name,
		.model = model,
		.snapshot = snapshot_new()};
	int rc = read_kind(&p, RESOURCE_MCPBRIDGE);

	rc = rc == COMMAND_DONE ? read_kind(&p, RESOURCE_WASMPLUGIN) : rc;
	rc = rc == COMMAND_DONE ? compile(&p) : rc;
	rc = rc == COMMAND_DONE ? ask_provider(&p, out) : rc;
	if (p.plan != NULL) {
		plan_free(p.plan);
	}
	snapshot_unref(p.snapshot);
	return rc;
}
