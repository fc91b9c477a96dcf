/*
 * The plan without the change is compiled too, and not taken from the workers: a preview must not depend on what is being
 * loaded. The one with it takes from that one what stays the same, so the second is cheap.
 */
#include "page/rehearse.h"

#include <stdlib.h>

#include "plan/explain.h"
#include "plan/lint.h"
#include "resource/draft_apply.h"
#include "resource/op.h"
#include "wire/h1.h"
#include "wire/yaml_write.h"

#define FIELDS_MAX 32u
#define MODEL_MAX 512u
/* Comparing two lists takes the product of their lengths. */
#define COMPARED_MAX 4096u

struct rehearsal {
	const struct rehearse_env *env;
	struct arena arena;
	struct fault *fault;
	struct op op;
	bool changes; /* a change is asked for, and it is not refused */
	struct bytes refused;
	struct snapshot *after;
	struct plan *plan, *plan_after;
	/* The request; asks: there is one. */
	bool asks;
	struct text head;
	struct field room[H1_FIELDS_MAX];
	struct explain_field fields[H1_FIELDS_MAX];
	struct explain_request rq;
};

static const struct {
	const char *name;
	const struct op_noun *op;
} nouns[] = {{"route", &op_route}, {"aiRoute", &op_ai_route}, {"domain", &op_domain},
	{"source", &op_source}, {"mcpServer", &op_mcp_server}};

static int wrong(struct rehearsal *r, const char *what)
{
	return (int)fault_set(r->fault, ERR_SYNTAX, 0, 0, "%s", what);
}

static struct bytes member(struct rehearsal *r, const struct doc *d, const char *key)
{
	return doc_text(doc_get(&r->arena, d, key), BYTES(""));
}

static bool flag(struct rehearsal *r, const struct doc *d, const char *key)
{
	const struct doc *v = doc_get(&r->arena, d, key);

	return v != NULL && v->type == DOC_BOOL && v->boolean;
}

/* --- the change --------------------------------------------------------------------------------- */

static const struct op_noun *noun_of(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(nouns); i++) {
		if (bytes_eq(name, bytes_str(nouns[i].name))) {
			return nouns[i].op;
		}
	}
	return NULL;
}

static enum op_rc operate(
	struct rehearsal *r, const struct op_noun *noun, struct bytes name, const struct doc *d)
{
	struct doc *body = doc_get(&r->arena, d, "body");

	if (!doc_given(body)) {
		return noun->remove(&r->op, name);
	}
	doc_set(&r->arena, body, "name", doc_string(&r->arena, name));
	return noun->save(&r->op, flag(r, d, "create") ? OP_CREATE : OP_UPDATE, name, body);
}

static int make_change(struct rehearsal *r, const struct doc *d)
{
	const struct op_noun *noun = noun_of(member(r, d, "noun"));
	struct bytes name = member(r, d, "name");
	const struct doc *body = doc_get(&r->arena, d, "body");

	if (!doc_given(d)) {
		return 0;
	}
	if (noun == NULL || name.n == 0 || (doc_given(body) && body->type != DOC_MAP)) {
		return wrong(r,
			"change needs a noun (route, aiRoute, domain, source, mcpServer), a name, and a "
			"body that is an object or null");
	}
	if (operate(r, noun, name, d) != OP_OK) {
		r->refused = arena_copy(&r->arena, text_bytes(&r->op.why));
		return 0;
	}
	r->changes = true;
	if (draft_finish(&r->op.draft, r->env->now_s, false) != 0) {
		return (int)fault_set(
			r->fault, ERR_LIMIT, 0, 0, "the change takes too much memory");
	}
	return 0;
}

/* What is made of it must be read, as it would be from its file; else it is refused. */
static void make_after(struct rehearsal *r)
{
	struct plan_env env = r->env->plan;
	struct findings why;

	findings_init(&why, &r->arena);
	if (draft_apply(&r->op.draft, &r->arena, &why, &r->after) != 0) {
		const struct finding *f = why.first;

		while (f != NULL && f->level != FINDING_ERROR) {
			f = f->next;
		}
		r->refused = f != NULL ? f->text : BYTES("it would be no object");
		r->changes = false;
		return;
	}
	env.before = r->plan;
	r->plan_after = plan_compile(r->after, &env);
}

/* --- the request -------------------------------------------------------------------------------- */

static bool takes_body(struct bytes method)
{
	return bytes_eq(method, BYTES("POST")) || bytes_eq(method, BYTES("PUT")) ||
		bytes_eq(method, BYTES("PATCH"));
}

static int add_fields(struct rehearsal *r, const struct doc *list)
{
	unsigned n = 0;

	for (const struct doc *f = doc_first(&r->arena, list); f != NULL; f = f->next) {
		struct bytes name = member(r, f, "name");
		struct bytes value = bytes_trim(member(r, f, "value"));

		if (++n > FIELDS_MAX || !h1_is_token(name) || !h1_is_value(value)) {
			return wrong(r,
				"headers are at most 32, each with a name and a value of one line");
		}
		text_addf(&r->head, BYTES_FMT ": " BYTES_FMT "\r\n", BYTES_ARG(name),
			BYTES_ARG(value));
	}
	text_add_str(&r->head, "\r\n");
	return 0;
}

/* As a client would write it, so that the gateway's own parser reads it. */
static int write_head(struct rehearsal *r, const struct doc *d)
{
	struct bytes method = member(r, d, "method");
	struct bytes path = member(r, d, "path");
	struct bytes host = member(r, d, "host");

	r->rq.model = member(r, d, "model");
	if (method.n == 0) {
		method = r->rq.model.n != 0 ? BYTES("POST") : BYTES("GET");
	}
	if (!h1_is_token(method) || !h1_is_value(host) || host.n == 0 || path.n == 0 ||
		path.p[0] != '/' || memchr(path.p, ' ', path.n) != NULL || !h1_is_value(path)) {
		return wrong(
			r, "ask needs a host, and a path that begins with / and has no blanks");
	}
	if (r->rq.model.n > MODEL_MAX) {
		return wrong(r, "a model has at most 512 bytes");
	}
	text_addf(&r->head, BYTES_FMT " " BYTES_FMT " HTTP/1.1\r\nHost: " BYTES_FMT "\r\n",
		BYTES_ARG(method), BYTES_ARG(path), BYTES_ARG(host));
	return add_fields(r, doc_get(&r->arena, d, "headers"));
}

static int read_head(struct rehearsal *r, struct bytes host)
{
	struct h1_head head = {.fields = r->room};
	size_t scanned = 0;
	size_t used;
	struct fault f = {0};
	uint16_t port;

	if (h1_parse_request(&head, text_bytes(&r->head), &scanned, &used, &f) != READ_DONE ||
		used != r->head.n || url_parse_target(&r->rq.url, head.target, &f) != 0 ||
		url_parse_authority(host, &r->rq.url.host, &port) != 0) {
		return wrong(r, f.text[0] != '\0' ? f.text : "the host is no name or address");
	}
	for (unsigned i = 0; i < head.n_fields; i++) {
		const struct field *at = &head.fields[i];

		r->fields[i] = (struct explain_field){bytes_of(r->head.p + at->name, at->name_n),
			bytes_of(r->head.p + at->value, at->value_n), at->id, at->hop};
	}
	r->rq.authority = host;
	r->rq.method = head.method;
	r->rq.fields = r->fields;
	r->rq.n_fields = head.n_fields;
	r->rq.has_body =
		head.framing != H1_NO_BODY || r->rq.model.n != 0 || takes_body(head.method);
	return 0;
}

static int make_request(struct rehearsal *r, const struct doc *d)
{
	int rc;

	if (!doc_given(d)) {
		return 0;
	}
	rc = write_head(r, d);
	rc = rc != 0 ? rc : read_head(r, member(r, d, "host"));
	r->rq.tls = flag(r, d, "tls");
	r->rq.consumer = member(r, d, "consumer");
	r->asks = rc == 0;
	return rc;
}

/* --- the answer --------------------------------------------------------------------------------- */

static void put(struct json_writer *w, const char *key, struct bytes value)
{
	json_key(w, key);
	if (value.p == NULL || value.n == 0) {
		json_put_null(w);
	} else {
		json_put_string(w, value);
	}
}

static void put_yaml(struct rehearsal *r, struct json_writer *w, const char *key,
	const struct change *c, const struct doc *root)
{
	struct text t;

	text_init(&t, RESOURCE_FILE_MAX);
	if (root != NULL && c->kind == RESOURCE_INGRESS) {
		yaml_write(&r->arena, &t, root);
	}
	put(w, key, text_bytes(&t));
	text_done(&t);
}

static void put_changes(struct rehearsal *r, struct json_writer *w)
{
	static const char *const what[] = {
		[CHANGE_CREATE] = "create", [CHANGE_UPDATE] = "update", [CHANGE_REMOVE] = "remove"};

	json_key(w, "changes");
	json_open_array(w);
	for (const struct change *c = r->changes ? r->op.draft.first : NULL; c != NULL;
		c = c->next) {
		const struct doc *old = c->before != NULL && c->before->root != NULL
			? doc_of_yaml(&r->arena, c->before->root)
			: NULL;

		json_open_object(w);
		put(w, "kind", bytes_str(resource_kind_name(c->kind)));
		put(w, "name", c->name);
		put(w, "what", bytes_str(what[c->what]));
		put_yaml(r, w, "before", c, old);
		put_yaml(r, w, "after", c, c->root);
		json_close_object(w);
	}
	json_close_array(w);
}

static bool has(const struct findings *f, const struct finding *what)
{
	for (const struct finding *at = f->first; at != NULL; at = at->next) {
		if (strcmp(at->code, what->code) == 0 && bytes_eq(at->file, what->file) &&
			bytes_eq(at->text, what->text)) {
			return true;
		}
	}
	return false;
}

static void put_news(struct json_writer *w, const struct findings *now, const struct findings *old,
	unsigned *left)
{
	static const char *const levels[] = {
		[FINDING_ERROR] = "error", [FINDING_WARNING] = "warning", [FINDING_INFO] = "info"};

	if (now->n > COMPARED_MAX || old->n > COMPARED_MAX) {
		return;
	}
	for (const struct finding *at = now->first; at != NULL && *left > 0; at = at->next) {
		if (has(old, at)) {
			continue;
		}
		--*left;
		json_open_object(w);
		put(w, "level", bytes_str(levels[at->level]));
		put(w, "code", bytes_str(at->code));
		put(w, "file", at->file);
		put(w, "text", at->text);
		json_close_object(w);
	}
}

static void put_findings(struct rehearsal *r, struct json_writer *w)
{
	struct findings before, after;
	unsigned left = REHEARSE_FINDINGS_MAX;

	json_key(w, "findings");
	json_open_array(w);
	if (r->plan_after != NULL) {
		findings_init(&before, &r->arena);
		findings_init(&after, &r->arena);
		lint_resources(r->env->snapshot, r->plan, &before);
		lint_resources(r->after, r->plan_after, &after);
		put_news(w, &r->plan_after->findings, &r->plan->findings, &left);
		put_news(w, &after, &before, &left);
	}
	json_close_array(w);
}

static void put_route(
	struct json_writer *w, const struct explain_route *e, const struct route *chosen)
{
	struct text why;

	json_open_object(w);
	put(w, "route", e->route->name);
	put(w, "outcome", bytes_str(explain_why_name(e->why)));
	text_init(&why, 4096);
	explain_put_why(e, chosen, &why);
	put(w, "text", text_bytes(&why));
	text_done(&why);
	json_close_object(w);
}

static void put_destination(
	struct json_writer *w, const struct explain *e, const struct explain_destination *d)
{
	const struct provider *provider = d->to->provider;

	json_open_object(w);
	put(w, "service", d->to->service->name);
	put(w, "provider", provider != NULL ? provider->id : BYTES(""));
	json_key(w, "weight");
	json_put_u64(w, d->to->weight);
	json_key(w, "of");
	json_put_u64(w, e->route->total_weight);
	put(w, "model", d->model);
	put(w, "target", d->target);
	put(w, "host", d->host);
	json_key(w, "reachable");
	json_put_bool(w, d->to->service->n_endpoints != 0);
	json_close_object(w);
}

static void put_decision(struct json_writer *w, const struct explain *e)
{
	json_key(w, "served");
	json_put_bool(w, e->status == 0);
	json_key(w, "status");
	json_put_u64(w, e->status != 0 ? e->status : 200);
	put(w, "reason", bytes_str(e->reason));
	put(w, "text", e->text);
	put(w, "route", e->route != NULL ? e->route->name : BYTES(""));
	put(w, "consumer", e->consumer != NULL ? e->consumer->name : BYTES(""));
	put(w, "model", e->model);
}

static void put_explained(
	struct rehearsal *r, struct json_writer *w, const char *key, const struct plan *p)
{
	struct explain e;

	json_key(w, key);
	if (!r->asks || p == NULL) {
		json_put_null(w);
		return;
	}
	explain_request(p, &r->rq, &r->arena, &e);
	json_open_object(w);
	put_decision(w, &e);
	json_key(w, "destinations");
	json_open_array(w);
	for (size_t i = 0; i < e.n_destinations; i++) {
		put_destination(w, &e, &e.destinations[i]);
	}
	json_close_array(w);
	json_key(w, "routes");
	json_open_array(w);
	for (size_t i = 0; i < e.routes.n; i++) {
		put_route(w, &e.routes.v[i], e.route);
	}
	json_close_array(w);
	json_key(w, "further");
	json_put_u64(w, e.routes.n_further);
	json_close_object(w);
}

static void put_warnings(const struct rehearsal *r, struct json_writer *w)
{
	struct bytes rest = text_bytes(&r->op.warnings);

	json_key(w, "warnings");
	json_open_array(w);
	while (rest.n != 0) {
		json_put_string(w, bytes_cut(&rest, '\n'));
	}
	json_close_array(w);
}

static void answer(struct rehearsal *r, struct text *out)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_open_object(&w);
	put(&w, "refused", r->refused);
	put_warnings(r, &w);
	put_changes(r, &w);
	put_findings(r, &w);
	put_explained(r, &w, "before", r->plan);
	put_explained(r, &w, "after", r->plan_after);
	json_close_object(&w);
}

static int work(struct rehearsal *r, struct bytes body, struct text *out)
{
	const struct json_value *v = json_parse(&r->arena, body, r->fault);
	const struct doc *d;
	int rc;

	if (v == NULL) {
		return ERR_SYNTAX;
	}
	if (v->type != JSON_OBJECT) {
		return wrong(r, "the body must be a JSON object");
	}
	d = doc_of_json(&r->arena, v);
	rc = make_request(r, doc_get(&r->arena, d, "ask"));
	rc = rc != 0 ? rc : make_change(r, doc_get(&r->arena, d, "change"));
	if (rc != 0) {
		return rc;
	}
	r->plan = plan_compile(r->env->snapshot, &r->env->plan);
	if (r->changes) {
		make_after(r);
	}
	answer(r, out);
	if (arena_full(&r->arena) || text_full(out)) {
		return (int)fault_set(
			r->fault, ERR_LIMIT, 0, 0, "the preview takes too much memory");
	}
	return 0;
}

int rehearse(const struct rehearse_env *env, struct bytes body, struct text *out, struct fault *f)
{
	struct rehearsal *r = must_alloc(sizeof(*r));
	int rc;

	r->env = env;
	r->fault = f;
	arena_init(&r->arena, REHEARSE_ARENA_MAX);
	text_init(&r->head, H1_HEAD_MAX);
	op_init(&r->op, env->snapshot, &r->arena);
	r->op.address_allowed = env->address_allowed;
	r->op.arg = env->arg;
	rc = work(r, body, out);
	op_done(&r->op);
	plan_free(
		r->plan_after); /* before the one that it took parts from: the order of their lives */
	plan_free(r->plan);
	snapshot_unref(r->after);
	text_done(&r->head);
	arena_done(&r->arena);
	free(r);
	return rc;
}
