#include "console/ep_openapi.h"

#include "console/ep_nouns.h"

static struct doc *str(struct act *a, const char *s)
{
	return doc_str(a->arena, s);
}

static void set(struct act *a, struct doc *m, const char *key, struct doc *value)
{
	doc_set(a->arena, m, key, value);
}

static struct doc *map_with(struct act *a, const char *key, struct doc *value)
{
	struct doc *m = doc_map(a->arena);

	set(a, m, key, value);
	return m;
}

/* --- what an operation takes -------------------------------------------------------------------- */

static void add_parameter(
	struct act *a, struct doc *list, struct bytes name, const char *where, const char *type)
{
	struct doc *p = doc_map(a->arena);

	set(a, p, "name", doc_string(a->arena, name));
	set(a, p, "in", str(a, where));
	set(a, p, "required", doc_bool(a->arena, where[0] == 'p'));
	set(a, p, "schema", map_with(a, "type", str(a, type)));
	doc_append(a->arena, list, p);
}

static bool is_list(const struct act_endpoint *e)
{
	return e->list || (e->noun != NULL && e->method[0] == 'G' && strchr(e->path, '{') == NULL);
}

static struct doc *parameters(struct act *a, const struct act_endpoint *e)
{
	struct doc *list = doc_list(a->arena);
	struct bytes rest = bytes_str(e->path);

	while (rest.p != NULL) {
		struct bytes segment = bytes_cut(&rest, '/');

		if (segment.n > 2 && segment.p[0] == '{') {
			add_parameter(
				a, list, bytes_of(segment.p + 1, segment.n - 2), "path", "string");
		}
	}
	if (is_list(e)) {
		add_parameter(a, list, BYTES("pageNum"), "query", "integer");
		add_parameter(a, list, BYTES("pageSize"), "query", "integer");
	}
	if (e->noun != NULL && e->effect == ACT_CHANGES && strchr(e->path, '{') != NULL) {
		add_parameter(a, list, BYTES("If-Match"), "header", "string");
	}
	return list;
}

/* --- what it answers ---------------------------------------------------------------------------- */

static struct doc *json_of(struct act *a, const char *description, struct doc *schema)
{
	struct doc *r = map_with(a, "description", str(a, description));

	if (schema != NULL) {
		set(a, r, "content",
			map_with(a, "application/json", map_with(a, "schema", schema)));
	}
	return r;
}

static struct doc *reference(struct act *a, const char *name)
{
	return map_with(a, "$ref", str(a, name));
}

static bool brings_body(const struct act_endpoint *e)
{
	return e->method[0] == 'P';
}

/* By the same rules as act_envelope has. */
static void add_success(struct act *a, const struct act_endpoint *e, struct doc *responses)
{
	struct doc *any = map_with(a, "type", str(a, "object"));
	bool by_method = e->shape == ACT_BY_METHOD;

	if (e->shape == ACT_NO_CONTENT || (by_method && e->method[0] == 'D')) {
		set(a, responses, "204", json_of(a, "done", NULL));
	} else if (e->shape == ACT_CREATED || (by_method && strcmp(e->method, "POST") == 0)) {
		set(a, responses, "201", json_of(a, "the object, not wrapped", any));
	} else if (e->shape == ACT_RAW || (by_method && strcmp(e->method, "PUT") == 0)) {
		set(a, responses, "200", json_of(a, "the object, not wrapped", any));
	} else {
		set(a, responses, "200",
			json_of(a, "wrapped",
				reference(a,
					is_list(e) ? "#/components/schemas/List"
						   : "#/components/schemas/Envelope")));
	}
}

static void add_error(struct act *a, struct doc *responses, const char *status, const char *why)
{
	set(a, responses, status, json_of(a, why, reference(a, "#/components/schemas/Error")));
}

static struct doc *responses(struct act *a, const struct act_endpoint *e)
{
	struct doc *r = doc_map(a->arena);
	bool writes = e->effect != ACT_READS;

	add_success(a, e, r);
	add_error(a, r, "400", "the request is wrong: the message says where");
	if (e->access == ACT_ADMIN) {
		add_error(a, r, "401", "log in first");
	}
	if (e->method[0] != 'G') {
		add_error(
			a, r, "403", "asked by a page of another site, or by somebody who may not");
	}
	if (e->absent == ACT_ABSENT_TOLD) {
		add_error(a, r, "404", "there is none");
	} else if (e->absent == ACT_ABSENT_EMPTY ||
		(e->noun != NULL && e->method[0] == 'G' && !is_list(e))) {
		set(a, r, "404", json_of(a, "there is none; without a body", NULL));
	} else if (e->noun != NULL && writes) {
		add_error(a, r, "404", "there is none");
	}
	if (e->effect == ACT_CHANGES) {
		add_error(
			a, r, "409", "the name exists, another version is stored, or it is in use");
		add_error(a, r, "412", "If-Match names another state");
	}
	if (writes || e->access == ACT_ADMIN || e->method[0] != 'G') {
		add_error(a, r, "429", "too many log-ins have failed");
	}
	if (writes || brings_body(e)) {
		add_error(a, r, "500", "nothing was changed: the message says why");
	}
	if (writes) {
		add_error(a, r, "503", "busy; try again");
		add_error(a, r, "504", "begun, but not live everywhere yet");
	}
	return r;
}

/* --- all of it ---------------------------------------------------------------------------------- */

static struct doc *operation(struct act *a, const struct act_endpoint *e)
{
	struct doc *o = map_with(a, "summary", str(a, e->summary));
	struct doc *security = doc_list(a->arena);

	set(a, o, "parameters", parameters(a, e));
	if (brings_body(e)) {
		struct doc *body = json_of(a, "a JSON object; unknown members are ignored",
			map_with(a, "type", str(a, "object")));

		set(a, o, "requestBody", body);
	}
	set(a, o, "responses", responses(a, e));
	if (e->access == ACT_ADMIN) {
		doc_append(a->arena, security, map_with(a, "session", doc_list(a->arena)));
		doc_append(a->arena, security, map_with(a, "basic", doc_list(a->arena)));
	}
	set(a, o, "security", security);
	return o;
}

static struct doc *paths(struct act *a)
{
	const struct act_endpoints *t = a->env->endpoints;
	struct doc *all = doc_map(a->arena);

	for (size_t i = 0; i < t->n; i++) {
		const struct act_endpoint *e = &t->v[i];
		struct doc *path = doc_get(a->arena, all, e->path);
		char method[16];
		size_t n = 0;

		if (path == NULL) {
			path = doc_set(a->arena, all, e->path, doc_map(a->arena));
		}
		while (e->method[n] != '\0' && n < sizeof(method) - 1) {
			method[n] = ascii_lower(e->method[n]);
			n++;
		}
		doc_set_bytes(a->arena, path,
			doc_text(doc_string_copy(a->arena, bytes_of(method, n)), BYTES("")),
			operation(a, e));
	}
	return all;
}

static struct doc *envelope(struct act *a, bool list)
{
	struct doc *s = map_with(a, "type", str(a, "object"));
	struct doc *required = doc_list(a->arena);
	static const char *const members[] = {
		"success", "message", "data", "total", "pageNum", "pageSize"};

	for (size_t i = 0; i < (list ? 6u : 3u); i++) {
		doc_append(a->arena, required, str(a, members[i]));
	}
	set(a, s, "required", required);
	set(a, s, "additionalProperties", doc_bool(a->arena, false));
	for (size_t i = 0; i < (list ? 6u : 3u); i++) {
		struct doc *properties = doc_need_map(a->arena, s, "properties");

		set(a, properties, members[i], doc_map(a->arena));
	}
	return s;
}

static struct doc *components(struct act *a)
{
	struct doc *c = doc_map(a->arena);
	struct doc *schemas = doc_need_map(a->arena, c, "schemas");
	struct doc *schemes = doc_need_map(a->arena, c, "securitySchemes");
	struct doc *session = map_with(a, "type", str(a, "apiKey"));
	struct doc *basic = map_with(a, "type", str(a, "http"));

	set(a, schemas, "Envelope", envelope(a, false));
	set(a, schemas, "Error", envelope(a, false));
	set(a, schemas, "List", envelope(a, true));
	set(a, session, "in", str(a, "cookie"));
	set(a, session, "name", str(a, "_hi_sess"));
	set(a, basic, "scheme", str(a, "basic"));
	set(a, schemes, "session", session);
	set(a, schemes, "basic", basic);
	return c;
}

void ep_openapi(struct act *a)
{
	struct doc *d = map_with(a, "openapi", str(a, "3.1.0"));
	struct doc *info = map_with(a, "title", str(a, "sluice management"));

	set(a, info, "version", str(a, a->env->version));
	set(a, d, "info", info);
	set(a, d, "paths", paths(a));
	set(a, d, "components", components(a));
	a->data = d;
}
