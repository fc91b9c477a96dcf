/*
 * AI routes: a record, one or two Ingresses, rules of four plugins and an EnvoyFilter (higress-resources.md
 * §3.4). The record says what was asked for; all else is derived from it and can be written again.
 */
#include "resource/op_int.h"
#include "wire/json.h"

#define RECORD_PREFIX BYTES("ai-route-")

static struct bytes record_name(struct op *o, struct bytes name)
{
	return op_textf(o, "ai-route-" BYTES_FMT, BYTES_ARG(name));
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

/* --- defaults (§2.4) ------------------------------------------------------------------------------- */

static void put_retry_default(struct op *o, struct doc *route)
{
	static const char *const words[] = {"error", "timeout", "non_idempotent"};
	struct arena *a = o->arena;
	struct doc *retry;

	if (doc_given(doc_get(a, route, "proxyNextUpstream"))) {
		return;
	}
	retry = doc_need_map(a, route, "proxyNextUpstream");
	doc_set(a, retry, "enabled", doc_bool(a, true));
	doc_set(a, retry, "attempts", doc_int(a, 3));
	doc_set(a, retry, "timeout", doc_int(a, 120));
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		doc_append(a, doc_need_list(a, retry, "conditions"), doc_str(a, words[i]));
	}
}

static void put_path_default(struct op *o, struct doc *route)
{
	struct arena *a = o->arena;
	struct doc *path;

	if (doc_given(doc_get(a, route, "pathPredicate"))) {
		return;
	}
	path = doc_need_map(a, route, "pathPredicate");
	doc_set(a, path, "matchType", doc_str(a, "PRE"));
	doc_set(a, path, "matchValue", doc_str(a, "/"));
	doc_set(a, path, "caseSensitive", doc_bool(a, true));
}

static void put_weights(struct op *o, const struct doc *upstreams, int64_t weight)
{
	for (struct doc *u = doc_first(o->arena, upstreams); u != NULL; u = u->next) {
		doc_set(o->arena, u, "weight", doc_int(o->arena, weight));
	}
}

static void put_fallback_defaults(struct op *o, struct doc *fallback)
{
	const struct doc *upstreams = doc_get(o->arena, fallback, "upstreams");

	if (!is_on(o, fallback)) {
		return;
	}
	if (bytes_trim(text_of(o, fallback, "fallbackStrategy")).n == 0) {
		doc_set(o->arena, fallback, "fallbackStrategy", doc_str(o->arena, "RAND"));
	}
	if (upstreams != NULL && upstreams->n == 1) {
		put_weights(o, upstreams, 100);
	}
	if (bytes_eq(text_of(o, fallback, "fallbackStrategy"), BYTES("RAND"))) {
		put_weights(o, upstreams, 1);
	}
}

/* Before writing and after reading alike. Members may be behind their place afterwards. */
static void put_defaults(struct op *o, struct doc *route)
{
	const struct doc *upstreams = doc_get(o->arena, route, "upstreams");

	put_path_default(o, route);
	if (upstreams != NULL && upstreams->n == 1) {
		put_weights(o, upstreams, 100);
	}
	put_fallback_defaults(o, doc_get(o->arena, route, "fallbackConfig"));
	put_retry_default(o, route);
}

/* --- checks ---------------------------------------------------------------------------------------- */

/* Names of models go into bodies and headers. */
static enum op_rc check_mapping(struct op *o, const struct doc *upstream)
{
	const struct doc *v = doc_first(o->arena, doc_get(o->arena, upstream, "modelMapping"));

	for (; v != NULL; v = v->next) {
		if (!op_is_line(v->key) || !op_is_line(v->text)) {
			return op_refuse(o, OP_INVALID,
				"upstreams: modelMapping must not hold control characters");
		}
	}
	return OP_OK;
}

static enum op_rc check_provider(struct op *o, const struct doc *upstream)
{
	struct bytes provider = text_of(o, upstream, "provider"), service;
	unsigned port;

	if (provider.n == 0) {
		return op_refuse(o, OP_INVALID, "upstreams: provider must be given");
	}
	if (!op_provider_service(o, provider, &service, &port)) {
		return op_refuse(o, OP_INVALID, "upstreams: Unknown provider " BYTES_FMT,
			BYTES_ARG(provider));
	}
	return check_mapping(o, upstream);
}

static enum op_rc check_upstreams(struct op *o, const struct doc *upstreams)
{
	int64_t sum = 0;
	enum op_rc rc;

	if (doc_first(o->arena, upstreams) == NULL) {
		return op_refuse(o, OP_INVALID, "upstreams cannot be empty");
	}
	for (struct doc *u = doc_first(o->arena, upstreams); u != NULL; u = u->next) {
		const struct doc *weight = doc_get(o->arena, u, "weight");

		if (!doc_given(weight) && upstreams->n == 1) {
			weight = doc_set(o->arena, u, "weight", doc_int(o->arena, 100));
		}
		if (!doc_given(weight) || weight->integer < 0) {
			return op_refuse(o, OP_INVALID,
				"upstreams: each of several needs a weight, and none is negative");
		}
		sum += weight->integer;
		rc = check_provider(o, u);
		if (rc != OP_OK) {
			return rc;
		}
	}
	return sum == 100
		? OP_OK
		: op_refuse(o, OP_INVALID, "upstreams: the weights must sum to 100, not to %lld",
			  (long long)sum);
}

/* 4xx and 5xx, each once. */
static enum op_rc check_codes(struct op *o, struct doc *fallback)
{
	const struct doc *codes = doc_get(o->arena, fallback, "responseCodes");
	struct doc *once = doc_list(o->arena);
	bool seen[2] = {false, false};

	if (doc_first(o->arena, codes) == NULL) {
		return op_refuse(o, OP_INVALID, "fallbackConfig: responseCodes cannot be empty");
	}
	for (const struct doc *c = doc_first(o->arena, codes); c != NULL; c = c->next) {
		bool five = bytes_eq(c->text, BYTES("5xx"));

		if (!five && !bytes_eq(c->text, BYTES("4xx"))) {
			return op_refuse(o, OP_INVALID,
				"fallbackConfig: responseCodes can be 4xx and 5xx only");
		}
		if (!seen[five]) {
			doc_append(o->arena, once, doc_string(o->arena, c->text));
		}
		seen[five] = true;
	}
	doc_set(o->arena, fallback, "responseCodes", once);
	return OP_OK;
}

static enum op_rc check_fallback(struct op *o, struct doc *fallback)
{
	const struct doc *upstreams = doc_get(o->arena, fallback, "upstreams");
	struct bytes strategy = bytes_trim(text_of(o, fallback, "fallbackStrategy"));
	enum op_rc rc = OP_OK;

	if (!is_on(o, fallback)) {
		return OP_OK;
	}
	if (strategy.n > 0 && !bytes_eq(strategy, BYTES("RAND")) &&
		!bytes_eq(strategy, BYTES("SEQ"))) {
		return op_refuse(
			o, OP_INVALID, "fallbackConfig: fallbackStrategy must be RAND or SEQ");
	}
	if (doc_first(o->arena, upstreams) == NULL) {
		return op_refuse(o, OP_INVALID, "fallbackConfig: upstreams cannot be empty");
	}
	for (struct doc *u = doc_first(o->arena, upstreams); rc == OP_OK && u != NULL;
		u = u->next) {
		const struct doc *weight = doc_get(o->arena, u, "weight");

		rc = doc_given(weight) && weight->integer < 0
			? op_refuse(o, OP_INVALID, "fallbackConfig: a weight must not be negative")
			: check_provider(o, u);
	}
	return rc == OP_OK ? check_codes(o, fallback) : rc;
}

static enum op_rc check_predicates(struct op *o, struct doc *route)
{
	struct doc *path = doc_get(o->arena, route, "pathPredicate");

	if (doc_given(path) && !bytes_eq_nocase(text_of(o, path, "matchType"), BYTES("PRE"))) {
		return op_refuse(o, OP_INVALID, "pathPredicate: matchType must be PRE");
	}
	for (const struct doc *h =
			doc_first(o->arena, doc_get(o->arena, route, "headerPredicates"));
		h != NULL; h = h->next) {
		if (bytes_eq_nocase(bytes_trim(text_of(o, h, "key")), BYTES(MODEL_HEADER))) {
			return op_refuse(o, OP_INVALID,
				"headerPredicates: %s is reserved: give modelPredicates",
				MODEL_HEADER);
		}
	}
	for (struct doc *m = doc_first(o->arena, doc_get(o->arena, route, "modelPredicates"));
		m != NULL; m = m->next) {
		struct bytes type = text_of(o, m, "matchType");
		bool equal = bytes_eq_nocase(type, BYTES("EQUAL"));

		if ((!equal && !bytes_eq_nocase(type, BYTES("PRE"))) ||
			bytes_trim(text_of(o, m, "matchValue")).n == 0) {
			return op_refuse(o, OP_INVALID,
				"modelPredicates: matchType must be EQUAL or PRE, and matchValue be "
				"given");
		}
		doc_set(o->arena, m, "matchType", doc_str(o->arena, equal ? "EQUAL" : "PRE"));
	}
	return OP_OK;
}

/* --- record ---------------------------------------------------------------------------------------- */

/* The JSON of a record, as it stands there; NULL: there is none that can be read. */
static struct doc *stored(struct op *o, struct bytes name)
{
	const struct doc *root = draft_look(&o->draft, RESOURCE_CONFIGMAP, record_name(o, name));
	struct bytes text = text_of(o, doc_get(o->arena, root, "data"), "data");
	struct fault fault;
	const struct json_value *v = text.n > 0 ? json_parse(o->arena, text, &fault) : NULL;

	return v != NULL && v->type == JSON_OBJECT ? doc_of_json(o->arena, v) : NULL;
}

/* Members in their order, with defaults; NULL: the record is of another shape. */
static struct doc *understood(struct op *o, struct bytes name, const struct doc *json)
{
	struct doc *out = NULL;

	if (json == NULL || op_shape_take(o, &op_shape_ai_route, json, &out) != OP_OK) {
		text_clear(&o->why);
		return NULL;
	}
	doc_set(o->arena, out, "name", doc_string(o->arena, name));
	doc_drop(o->arena, out, "version");
	put_defaults(o, out);
	return out;
}

/* Members that no table names stay behind the others (§6.5). */
static void keep_unknown(
	struct op *o, const struct op_shape *s, struct doc *to, const struct doc *from)
{
	for (const struct doc *v = doc_first(o->arena, from); v != NULL; v = v->next) {
		const struct op_shape_row *row = NULL;
		struct doc *there = doc_get_bytes(o->arena, to, v->key);

		for (size_t i = 0; i < s->n && row == NULL; i++) {
			row = bytes_eq(bytes_str(s->rows[i].name), v->key) ? &s->rows[i] : NULL;
		}
		if (row == NULL) {
			doc_set_bytes(o->arena, to, v->key, doc_copy(o->arena, v));
		} else if (row->type == OP_SHAPE_OBJECT && there != NULL && v->type == DOC_MAP) {
			keep_unknown(o, row->items, there, v);
		}
	}
}

static void write_record(struct op *o, const struct op_ai_route *r, const struct doc *json)
{
	struct doc *root = draft_need(&o->draft, RESOURCE_CONFIGMAP, record_name(o, r->name));
	struct doc *record = doc_copy(o->arena, r->record);
	struct text t;

	keep_unknown(o, &op_shape_ai_route, record, json);
	text_init(&t, RESOURCE_FILE_MAX);
	doc_put_gson(o->arena, &t, record);
	doc_set(o->arena, op_labels(o, root), LABEL_CONFIGMAP_TYPE, doc_str(o->arena, "ai-route"));
	op_mark(o, root, record_name(o, r->name));
	doc_set(o->arena, doc_need_map(o->arena, root, "data"), "data",
		doc_string_copy(o->arena, text_bytes(&t)));
	text_done(&t);
}

/* --- save ------------------------------------------------------------------------------------------ */

static enum op_rc check_place(
	struct op *o, enum op_mode mode, struct bytes name, const struct doc *body)
{
	struct bytes record = record_name(o, name);
	bool there = draft_look(&o->draft, RESOURCE_CONFIGMAP, record) != NULL;

	if (mode == OP_CREATE) {
		return there ? op_refuse(o, OP_EXISTS, "the AI route " BYTES_FMT " exists already",
				       BYTES_ARG(name))
			     : OP_OK;
	}
	if (!there && op_version_given(o, body)) {
		return op_refuse(o, OP_MISSING, "there is no AI route " BYTES_FMT, BYTES_ARG(name));
	}
	return op_check_version(o, RESOURCE_CONFIGMAP, record, body);
}

/* enabled that is left out is the stored switch: it must never open a protected route. */
static void settle_switch(struct op *o, struct bytes name, struct doc *record)
{
	struct doc *auth = doc_get(o->arena, record, "authConfig");

	if (doc_given(auth) && !doc_given(doc_get(o->arena, auth, "enabled"))) {
		doc_set(o->arena, auth, "enabled",
			doc_bool(o->arena,
				op_auth_enabled(o, op_ai_derive_ingress(o, name, false))));
	}
}

static enum op_rc check_record(struct op *o, struct bytes name, struct doc *record)
{
	enum op_rc rc = check_predicates(o, record);

	rc = rc != OP_OK ? rc : check_upstreams(o, doc_get(o->arena, record, "upstreams"));
	rc = rc != OP_OK ? rc : check_fallback(o, doc_get(o->arena, record, "fallbackConfig"));
	rc = rc != OP_OK ? rc : op_auth_check(o, doc_get(o->arena, record, "authConfig"));
	if (rc == OP_OK) {
		doc_set(o->arena, record, "name", doc_string(o->arena, name));
		doc_drop(o->arena, record, "version");
		put_defaults(o, record);
		settle_switch(o, name, record);
	}
	return rc;
}

/* matchType of the predicates as the checks of the Ingress have it. */
static void put_upper(struct op *o, struct doc *record)
{
	static const char *const lists[] = {"headerPredicates", "urlParamPredicates"};
	static const char *const types[] = {"EQUAL", "PRE", "REGULAR"};

	doc_set(o->arena, doc_get(o->arena, record, "pathPredicate"), "matchType",
		doc_str(o->arena, "PRE"));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct doc *p = doc_first(o->arena, doc_get(o->arena, record, lists[i]));

		for (; p != NULL; p = p->next) {
			for (size_t t = 0; t < ARRAY_LEN(types); t++) {
				if (bytes_eq_nocase(
					    text_of(o, p, "matchType"), bytes_str(types[t]))) {
					doc_set(o->arena, p, "matchType",
						doc_str(o->arena, types[t]));
				}
			}
		}
	}
}

/* The Ingress of a route "x.fallback" would be the one that "x" falls back to. */
static bool is_taken(struct op *o, struct bytes name)
{
	return bytes_ends(name, BYTES(".fallback")) &&
		draft_look(&o->draft, RESOURCE_CONFIGMAP, record_name(o, name)) == NULL;
}

static enum op_rc check_route_name(struct op *o, struct bytes name)
{
	if (is_taken(o, name)) {
		return op_refuse(o, OP_INVALID,
			"the name of an AI route must not end in .fallback: its files would be those of "
			"another route's fallback");
	}
	return op_check_name(o, "AI route", name,
		op_textf(o, "ai-route-" BYTES_FMT ".fallback.internal", BYTES_ARG(name)));
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	struct op_ai_route r = {.name = name};
	struct doc *given, *record, *json;
	enum op_rc rc = check_route_name(o, name);

	rc = rc != OP_OK ? rc : check_place(o, mode, name, body);
	rc = rc != OP_OK ? rc : op_shape_take(o, &op_shape_ai_route, body, &given);
	rc = rc != OP_OK ? rc : check_record(o, name, given);
	/* Once more: what defaults added goes to its place. */
	rc = rc != OP_OK ? rc : op_shape_take(o, &op_shape_ai_route, given, &record);
	if (rc != OP_OK) {
		return rc;
	}
	put_upper(o, record);
	json = stored(o, name);
	r.record = record;
	r.before = json;
	rc = op_ai_derive_write(o, &r);
	if (rc == OP_OK) {
		write_record(o, &r, json);
	}
	return rc;
}

static enum op_rc remove_route(struct op *o, struct bytes name)
{
	if (is_taken(o, name)) {
		return OP_OK;
	}
	op_ai_derive_remove(o, name);
	draft_remove(&o->draft, RESOURCE_CONFIGMAP, record_name(o, name));
	return OP_OK;
}

/* --- read ------------------------------------------------------------------------------------------ */

static struct doc *read_route(struct op *o, struct bytes name)
{
	struct doc *record = understood(o, name, stored(o, name)), *out;

	if (record == NULL) {
		return NULL;
	}
	settle_switch(o, name, record);
	out = op_shape_show(o, &op_shape_ai_route, record);
	doc_set(o->arena, out, "version",
		op_version(o, draft_look(&o->draft, RESOURCE_CONFIGMAP, record_name(o, name))));
	return out;
}

static struct strings list(struct op *o)
{
	struct strings all = op_list_prefixed(o, RESOURCE_CONFIGMAP, RECORD_PREFIX);
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++) {
		const struct doc *labels = doc_at(o->arena,
			draft_look(&o->draft, RESOURCE_CONFIGMAP, record_name(o, all.v[i])),
			"metadata.labels");

		if (bytes_eq(text_of(o, labels, LABEL_CONFIGMAP_TYPE), BYTES("ai-route"))) {
			all.v[n++] = all.v[i];
		}
	}
	all.n = n;
	return all;
}

/* --- for providers --------------------------------------------------------------------------------- */

static bool uses(struct op *o, const struct doc *upstreams, struct bytes provider)
{
	for (const struct doc *u = doc_first(o->arena, upstreams); u != NULL; u = u->next) {
		if (bytes_eq(text_of(o, u, "provider"), provider)) {
			return true;
		}
	}
	return false;
}

struct strings op_ai_route_users(struct op *o, struct bytes provider)
{
	struct strings all = list(o);
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++) {
		const struct doc *json = stored(o, all.v[i]);
		const struct doc *fallback = doc_get(o->arena, json, "fallbackConfig");

		if (uses(o, doc_get(o->arena, json, "upstreams"), provider) ||
			(is_on(o, fallback) &&
				uses(o, doc_get(o->arena, fallback, "upstreams"), provider))) {
			all.v[n++] = all.v[i];
		}
	}
	all.n = n;
	return all;
}

void op_ai_route_follow(struct op *o, struct bytes provider)
{
	struct strings routes = op_ai_route_users(o, provider);

	for (size_t i = 0; i < routes.n; i++) {
		const struct doc *json = stored(o, routes.v[i]);
		struct doc *record = understood(o, routes.v[i], json);
		struct op_ai_route r = {.name = routes.v[i], .record = record, .before = json};
		enum op_rc rc = record != NULL ? check_record(o, routes.v[i], record) : OP_INVALID;

		if (rc == OP_OK) {
			rc = op_ai_derive_write(o, &r);
		}
		if (rc != OP_OK) {
			op_warn(o,
				"the AI route " BYTES_FMT " could not be written again: " BYTES_FMT,
				BYTES_ARG(routes.v[i]), BYTES_ARG(text_bytes(&o->why)));
			text_clear(&o->why);
		}
	}
}

const struct op_noun op_ai_route = {"ai-route", save, remove_route, read_route, list};
