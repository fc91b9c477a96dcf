/*
 * A filter names a route, that is an Ingress, which may have made several routes: one for each host and
 * path. Each of them falls back to the route of the fallback's Ingress with the same host and path.
 */
#include "plan/fallbacks_int.h"

#define SUFFIX ".internal"
#define FALLBACK_SUFFIX ".fallback.internal"
#define CUSTOM_RESPONSE "envoy.filters.http.custom_response"

struct compiling {
	const struct fallbacks_input *in;
	const struct object *filter;
	const struct envoy_patch *patch;
	struct fallback_names names;
};

#define note(c, place, code, ...)                                                \
	do {                                                                     \
		struct finding where_ = build_warning((c)->filter, place, code); \
		findings_add((c)->in->findings, &where_, __VA_ARGS__);           \
	} while (0)

/* --- reading the form --------------------------------------------------------------------------- */

static struct bytes text_of(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);

	return n != NULL && n->type == YAML_STRING ? n->text : BYTES("");
}

static bool is_true(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);

	return n != NULL && n->type == YAML_BOOL && n->boolean;
}

/* A type URL is "type.googleapis.com/" and the name. */
static bool is_type(struct bytes url, const char *name)
{
	struct bytes end = bytes_str(name);

	return bytes_ends(url, end) && url.n > end.n && url.p[url.n - end.n - 1] == '.';
}

static const struct yaml_node *first_item(const struct yaml_node *n)
{
	return n != NULL && n->type == YAML_SEQ ? n->items : NULL;
}

static bool read_class(struct compiling *c, const struct yaml_node *predicate, struct fallback *out)
{
	const struct yaml_node *single = yaml_get(predicate, "single_predicate");
	const struct yaml_node *input = yaml_get(yaml_get(single, "input"), "typed_config");
	struct bytes class = text_of(yaml_get(single, "value_match"), "exact");

	if (is_type(text_of(input, "@type"), "HttpResponseStatusCodeClassMatchInput")) {
		if (bytes_eq(class, BYTES("4xx"))) {
			failure_set_add(&out->on, 400, 499);
			return true;
		}
		if (bytes_eq(class, BYTES("5xx"))) {
			/* Envoy's own answers to these are 5xx too. */
			failure_set_add(&out->on, 500, 599);
			out->on.events |= FAILURE_ON_CONNECT | FAILURE_ON_RESET |
				FAILURE_ON_TIMEOUT | FAILURE_ON_INVALID;
			return true;
		}
	}
	note(c, build_place(predicate), "fallback-condition",
		"a fallback is understood for the status classes 4xx and 5xx; this condition has no "
		"effect");
	return false;
}

static void read_classes(
	struct compiling *c, const struct yaml_node *predicate, struct fallback *out)
{
	const struct yaml_node *any = yaml_get(yaml_get(predicate, "or_matcher"), "predicate");
	const struct yaml_node *n = first_item(any);

	if (n == NULL && predicate != NULL) {
		IGNORE(read_class(c, predicate, out)); /* it said what was wrong */
	}
	for (; n != NULL; n = n->next) {
		IGNORE(read_class(c, n, out)); /* likewise */
	}
}

/* The value that the list of headers gives the fallback's header; empty: none. */
static struct bytes header_in(const struct yaml_node *list)
{
	for (const struct yaml_node *n = first_item(list); n != NULL; n = n->next) {
		const struct yaml_node *header = yaml_get(n, "header");

		if (bytes_eq_nocase(text_of(header, "key"), BYTES(FALLBACKS_HEADER))) {
			return text_of(header, "value");
		}
	}
	return BYTES("");
}

/* False: the request would be sent anew in a way that is not ours. */
static bool read_policy(struct compiling *c, const struct yaml_node *matcher, struct fallback *out)
{
	const struct yaml_node *action = yaml_get(yaml_get(matcher, "on_match"), "action");
	const struct yaml_node *config = yaml_get(action, "typed_config");
	const struct yaml_node *policy = yaml_get(config, "value");

	out->from = header_in(yaml_get(policy, "request_headers_to_add"));
	if (!is_type(text_of(config, "type_url"), "RedirectPolicy") || out->from.n == 0 ||
		!is_true(policy, "use_original_request_uri") ||
		!is_true(policy, "use_original_request_body")) {
		return false;
	}
	if (is_true(policy, "keep_original_response_code")) {
		note(c, build_place(policy), "unsupported-setting",
			"keep_original_response_code has no effect: the status is that of the "
			"fallback");
	}
	return true;
}

static const struct yaml_node *matchers_of(const struct envoy_patch *p)
{
	const struct yaml_node *filters = yaml_get(p->value, "typed_per_filter_config");
	const struct yaml_node *config = yaml_get(filters, CUSTOM_RESPONSE);
	const struct yaml_node *matcher =
		yaml_get(yaml_get(config, "value"), "custom_response_matcher");

	if (!bytes_eq(p->apply_to, BYTES("HTTP_ROUTE")) ||
		!bytes_eq(p->context, BYTES("GATEWAY")) ||
		!bytes_eq(p->operation, BYTES("MERGE")) || p->route.n == 0 ||
		!is_type(text_of(config, "type_url"), "CustomResponse")) {
		return NULL;
	}
	return first_item(yaml_get(yaml_get(matcher, "matcher_list"), "matchers"));
}

/* False: the patch is something else. */
static bool read_patch(struct compiling *c, struct fallback *out)
{
	const struct yaml_node *matcher = matchers_of(c->patch);

	*out = (struct fallback){.on = {.events = 0}};
	if (matcher == NULL || !read_policy(c, matcher, out)) {
		return false;
	}
	read_classes(c, yaml_get(matcher, "predicate"), out);
	if (matcher->next != NULL) {
		note(c, build_place(matcher->next), "unsupported-setting",
			"only the first matcher of a fallback is used; put its conditions into one");
	}
	return true;
}

/* --- routes ------------------------------------------------------------------------------------- */

static void index_names(struct compiling *c)
{
	const struct routes *all = c->in->routes;

	map_init(&c->names.by_name, c->in->seed);
	for (size_t i = all->n; i-- > 0;) {
		struct named *n = arena_must(c->in->arena, sizeof(*n));

		n->route = all->v[i];
		n->next = map_put(&c->names.by_name, n->route->name, n);
	}
}

/* "ai-route-x.internal" to "ai-route-x.fallback.internal"; empty when the name has not that form. */
static struct bytes target_name(const struct compiling *c)
{
	struct bytes name = c->patch->route;
	size_t room_n = name.n + sizeof(FALLBACK_SUFFIX);
	struct text t;

	if (!bytes_ends(name, BYTES(SUFFIX))) {
		return BYTES("");
	}
	text_init_fixed(&t, arena_must(c->in->arena, room_n), room_n);
	text_add(&t, name.p, name.n - (sizeof(SUFFIX) - 1));
	text_add_str(&t, FALLBACK_SUFFIX);
	return text_bytes(&t);
}

/* Only such a route is never taken by a request that does not fall back. */
static bool waits_for(const struct route *r, struct bytes from)
{
	for (size_t i = 0; i < r->n_conditions; i++) {
		const struct condition *c = r->conditions[i];

		if (c->on == ON_HEADER && c->how == 'e' &&
			bytes_eq(c->name, BYTES(FALLBACKS_HEADER)) && bytes_eq(c->raw, from)) {
			return true;
		}
	}
	return false;
}

static const struct route *find_target(
	const struct named *targets, const struct route *r, struct bytes from)
{
	for (const struct named *n = targets; n != NULL; n = n->next) {
		const struct route *t = n->route;

		if (bytes_eq(t->host, r->host) && bytes_eq(t->path, r->path) &&
			t->path_type == r->path_type && waits_for(t, from)) {
			return t;
		}
	}
	return NULL;
}

struct fallback *fallback_set(
	struct fallback_names *names, struct route *r, const struct fallback *f)
{
	struct fallback *copy = arena_must(names->in->arena, sizeof(*copy));

	names->n += r->fallback == NULL;
	*copy = *f;
	copy->from = build_text(names->in->arena, f->from);
	r->fallback = copy;
	return copy;
}

static void set_fallback(struct compiling *c, struct route *r, const struct fallback *f)
{
	struct fallback *own = fallback_set(&c->names, r, f);

	own->on.events |= FAILURE_ON_CONTEXT;
	own->candidates = f->to->destinations;
	own->n_candidates = f->to->n_destinations;
	fallback_record_apply(c->in, r->name, own);
}

static void apply(struct compiling *c, struct fallback *f)
{
	struct bytes target = target_name(c);
	const struct named *targets = map_get(&c->names.by_name, target);
	struct named *n = map_get(&c->names.by_name, c->patch->route);

	if (n == NULL) {
		note(c, c->patch->at, "fallback-without-route",
			"the fallback is one of the route " BYTES_FMT
			", which is not served; it has no effect",
			BYTES_ARG(c->patch->route));
	}
	for (; n != NULL; n = n->next) {
		f->to = find_target(targets, n->route, f->from);
		if (f->to != NULL) {
			set_fallback(c, n->route, f);
			continue;
		}
		note(c, c->patch->at, "fallback-without-target",
			"the route " BYTES_FMT " (" BYTES_FMT BYTES_FMT
			") has nothing to fall back to: the Ingress " BYTES_FMT
			" needs a usable route with that host and path and the annotation "
			"higress.io/exact-match-header-" FALLBACKS_HEADER ": " BYTES_FMT,
			BYTES_ARG(n->route->name), BYTES_ARG(n->route->host),
			BYTES_ARG(n->route->path), BYTES_ARG(target), BYTES_ARG(f->from));
	}
}

static void compile_filter(struct compiling *c)
{
	const struct envoyfilter *e = &c->filter->u.envoyfilter;

	for (size_t i = 0; i < e->n_patches; i++) {
		struct fallback f;

		c->patch = &e->patches[i];
		if (!read_patch(c, &f)) {
			note(c, c->patch->at, "envoyfilter-unknown",
				"this patch is no fallback of an AI route as Higress writes it; there "
				"is no Envoy here that it could change, so it has no effect");
		} else if (!failure_set_is_empty(&f.on)) {
			apply(c, &f);
		}
	}
}

size_t fallbacks_compile(const struct fallbacks_input *in)
{
	struct compiling c = {.in = in, .names = {.in = in}};
	size_t from;
	size_t n = snapshot_kind(in->snapshot, RESOURCE_ENVOYFILTER, &from);

	if (n == 0 && !fallback_own_any(in->snapshot)) {
		return 0;
	}
	index_names(&c);
	for (size_t i = from; i < from + n; i++) {
		c.filter = in->snapshot->objects[i];
		compile_filter(&c);
	}
	fallback_own_apply(&c.names);
	map_done(&c.names.by_name);
	return c.names.n;
}
