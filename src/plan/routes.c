/*
 * One route for each path of each rule of each Ingress. Annotations are read once for an Ingress, and
 * destinations once for a rule, because domain rules of plugins ask for its host.
 */
#include "plan/routes.h"

#include <stdlib.h>

#include "plan/annotations.h"
#include "plan/build.h"
#include "plan/destination.h"
#include "plan/fixed_answer.h"
#include "plan/groups.h"
#include "plan/header_control.h"
#include "plan/next_upstream.h"
#include "plan/rewrite.h"
#include "wire/url.h"

enum regex_of { NO_REGEX, REGEX_BEGINNING, REGEX_WHOLE }; /* what a path is */

struct builder {
	const struct routes_input *in;
	const struct object *ingress;
	struct routes *out;
	struct map seen;   /* duplicates: host, type, path, methods, conditions */
	struct map groups; /* the same without what conditions on the model say */
	/* of the Ingress */
	struct rewrite rewrite;
	struct bytes target; /* rewrite-target; empty: none */
	struct place target_at;
	const struct header_control *headers;
	const struct cors *own_cors;
	const struct fixed_answer *fixed;
	struct next_policy next;
	uint32_t timeout_ms; /* of all attempts */
	bool nocase;
	enum regex_of regex;
	int ssl_redirect; /* -1: not said */
	bool is_tools;
	uint16_t methods;
	struct bytes method_text;
	struct conditions conditions;
	struct destination_line *lines;
	size_t n_lines;
	struct place destination_at;
	/* of the rule */
	struct bytes host;
	struct destination *destinations;
	size_t n_destinations;
	unsigned total_weight;
	struct spread spread;
	unsigned turns;
	struct auth_rule auth, basic;
	const struct statistics *statistics;
	const struct blocking_list *blocking;
	const struct cors *cors;
};

#define skip(b, at, code, ...)                                               \
	do {                                                                 \
		struct finding where_ = build_error((b)->ingress, at, code); \
		findings_add((b)->in->findings, &where_, __VA_ARGS__);       \
	} while (0)

/* --- annotations of an Ingress ------------------------------------------------------------------ */

static bool read_methods(struct builder *b)
{
	struct place at = {0};
	struct bytes rest = annotation_get(b->ingress, "match-method", ANNOTATION_HIGRESS, &at);

	b->methods = 0;
	b->method_text = rest;
	if (rest.n == 0) {
		return true;
	}
	while (rest.p != NULL) {
		struct bytes word = bytes_cut(&rest, ' ');
		char upper[8];
		enum method m;

		if (word.n == 0 || word.n > sizeof(upper)) {
			continue;
		}
		for (size_t i = 0; i < word.n; i++) {
			char c = ascii_lower(word.p[i]);

			upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
		}
		m = method_of(bytes_of(upper, word.n));
		b->methods = (uint16_t)(m != METHOD_OTHER ? b->methods | 1u << m : b->methods);
	}
	if (b->methods == 0) {
		skip(b, at, "unsupported-condition",
			"match-method names no known method; the routes of the Ingress are left out");
		return false;
	}
	return true;
}

/* Absent means no. False: it is no boolean. */
static bool read_switch(
	struct builder *b, const char *key, enum annotation_prefix prefix, bool *out)
{
	struct place at = {0};
	int value = annotation_bool(b->ingress, key, prefix, &at);

	*out = value == 1;
	if (value == -2) {
		skip(b, at, "boolean-expected",
			"%s must be true or false; the routes of the Ingress are left out", key);
		return false;
	}
	return true;
}

static bool read_path_switches(struct builder *b)
{
	bool beginning, whole;
	bool good = read_switch(b, "ignore-path-case", ANNOTATION_EITHER, &b->nocase);

	good = read_switch(b, "use-regex", ANNOTATION_EITHER, &beginning) && good;
	good = read_switch(b, "full-path-regex", ANNOTATION_HIGRESS, &whole) && good;
	b->regex = whole ? REGEX_WHOLE : beginning ? REGEX_BEGINNING : NO_REGEX;
	return good;
}

/* A path of a resource: '/' and then visible ASCII without '?' and '#'. */
static bool is_path(struct bytes path)
{
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] < 0x21 || path.p[i] > 0x7e || path.p[i] == '?' || path.p[i] == '#') {
			return false;
		}
	}
	return path.n != 0 && path.p[0] == '/';
}

static bool read_rewrite(struct builder *b)
{
	struct place path_at = {0}, host_at = {0};
	struct bytes path =
		annotation_get(b->ingress, "rewrite-path", ANNOTATION_HIGRESS, &path_at);
	struct bytes host =
		annotation_get(b->ingress, "upstream-vhost", ANNOTATION_EITHER, &host_at);
	struct bytes name;
	uint16_t port;

	b->target = annotation_get(b->ingress, "rewrite-target", ANNOTATION_EITHER, &b->target_at);
	if (path.n != 0 && b->target.n != 0) {
		struct finding at =
			build_warning(b->ingress, b->target_at, "unsupported-annotation");

		findings_add(b->in->findings, &at,
			"rewrite-target has no effect beside rewrite-path, which replaces the path");
	}
	if (path.n != 0 && !is_path(path)) {
		skip(b, path_at, "bad-path",
			"rewrite-path must be a path that begins with /; the routes of the Ingress "
			"are left out");
		return false;
	}
	if (host.n != 0 && url_parse_authority(host, &name, &port) != 0) {
		skip(b, host_at, "bad-host",
			"upstream-vhost must be a host; the routes of the Ingress are left out");
		return false;
	}
	b->rewrite.path = build_text(b->in->arena, path);
	b->rewrite.host = build_text(b->in->arena, host);
	return true;
}

static bool read_destination(struct builder *b)
{
	struct fault fault;
	struct bytes text;

	b->destination_at = (struct place){1, 1};
	text = annotation_get(b->ingress, "destination", ANNOTATION_HIGRESS, &b->destination_at);
	b->n_lines = 0;
	if (destination_parse(text, b->in->arena, &b->lines, &b->n_lines, &fault) != 0) {
		skip(b, b->destination_at, "destination-invalid",
			"the destination cannot be read (%s), so the Ingress has none and its routes "
			"are left out",
			fault.text);
		return false;
	}
	if (b->n_lines == 0) {
		skip(b, b->destination_at, "destination-missing",
			"the annotation higress.io/destination is missing; the routes of the Ingress "
			"are left out");
		return false;
	}
	return true;
}

/*
 * An MCP server (annotations of the Console, console-api.md §3.13). One behind a direct route is an upstream like any
 * other; what another one leads to is no MCP server, but an API or a database that its tools would call.
 */
static void read_mcp(struct builder *b)
{
	struct finding at = {0};
	struct place place = build_place(b->ingress->root);
	struct bytes type =
		annotation_get(b->ingress, "mcp-server-upstream-type", ANNOTATION_HIGRESS, &place);

	b->is_tools = annotation_bool(b->ingress, "mcp-server", ANNOTATION_HIGRESS, &place) == 1 &&
		type.n == 0;
	if (b->is_tools) {
		at = build_warning(b->ingress, place, "mcp-server-not-served");
		at.level = FINDING_INFO;
		findings_add(b->in->findings, &at,
			"the tools of an MCP server are not run by this version; requests for it "
			"answer 501");
	} else if (bytes_eq(type, BYTES("sse"))) {
		at = build_warning(b->ingress, place, "mcp-server-sse");
		at.level = FINDING_INFO;
		findings_add(b->in->findings, &at,
			"the stream of this MCP server is passed on as it is: the address for "
			"messages that it names is not rewritten");
	}
}

static bool read_ingress(struct builder *b)
{
	bool usable = annotations_allow(b->ingress, b->in->findings);

	usable = read_methods(b) && usable;
	usable = conditions_read(b->ingress, &b->in->conditions, &b->conditions) && usable;
	usable = read_path_switches(b) && usable;
	usable = read_rewrite(b) && usable;
	b->ssl_redirect = annotation_bool_or_unsaid(
		b->ingress, "ssl-redirect", ANNOTATION_EITHER, b->in->findings);
	b->fixed = fixed_answer_read(b->ingress, b->in->arena, b->in->findings);
	read_mcp(b);
	b->headers = header_control_read(b->ingress, b->in->arena, b->in->findings);
	b->own_cors = cors_read(b->ingress, b->in->arena, b->in->findings);
	b->next = next_upstream_read(b->ingress, b->in->findings);
	b->timeout_ms = next_upstream_whole_ms(b->ingress, b->in->findings);
	return read_destination(b) && usable;
}

/* --- destinations ------------------------------------------------------------------------------- */

static struct service *find_service(const struct builder *b, const struct destination_line *line)
{
	struct service *s = services_find(b->in->services, line->service);
	struct finding at = build_warning(b->ingress, b->destination_at, NULL);

	if (s == NULL && b->fixed != NULL) {
		return NULL; /* nobody asks for it */
	}
	if (s == NULL) {
		at.code = "destination-unknown-service";
		findings_add(b->in->findings, &at,
			"the destination " BYTES_FMT " %s; requests for it answer 503",
			BYTES_ARG(line->service),
			map_get(&b->in->services->left_out, line->service) != NULL
				? "belongs to a registry that cannot be used"
				: services_is_discovered(line->service)
				? "is of no registry that can be asked: group, namespace or "
				  "data center must be those of one"
				: "has no registry in mcpbridges/default.yaml");
	} else if (line->port != 0 && s->port != 0 && line->port != s->port) {
		at.code = "destination-port-mismatch";
		findings_add(b->in->findings, &at,
			"the destination " BYTES_FMT
			" is addressed with port %u, but its registry has port %u; requests for it "
			"answer 503",
			BYTES_ARG(line->service), line->port, s->port);
		s = NULL;
	}
	return s;
}

static bool is_ai_route(struct bytes name)
{
	return bytes_starts(name, BYTES("ai-route-")) && bytes_ends(name, BYTES(".internal"));
}

static struct plugin_target target_of(
	const struct builder *b, const struct destination_line *line, const struct service *s)
{
	return (struct plugin_target){.route = b->ingress->meta.name,
		.host = b->host,
		.service = line->service,
		.port = line->port != 0 ? line->port
			: s != NULL     ? s->port
					: 0};
}

/* All weights 0 would mean that nobody is asked: then they count as equal. A single one has all. */
static unsigned weight_of(const struct builder *b, const struct destination_line *line)
{
	for (size_t i = 0; i < b->n_lines && b->n_lines > 1; i++) {
		if (b->lines[i].weight != 0) {
			return line->weight;
		}
	}
	return 1;
}

static void add_destination(
	struct builder *b, const struct destination_line *line, struct plugin_target *target)
{
	struct destination d = {.weight = weight_of(b, line)};
	struct service *s = find_service(b, line);

	d.service = s;
	*target = target_of(b, line, s);
	if (line->subset.n != 0) {
		struct finding at =
			build_warning(b->ingress, b->destination_at, "unsupported-setting");

		findings_add(b->in->findings, &at,
			"the version " BYTES_FMT " of a destination has no effect",
			BYTES_ARG(line->subset));
	}
	if (s == NULL || !upstreams_find(b->in->upstreams, target, &d)) {
		return;
	}
	d.window = d.provider != NULL ? d.provider->context_window : 0;
	if (d.provider == NULL && is_ai_route(b->ingress->meta.name)) {
		struct finding at =
			build_warning(b->ingress, b->destination_at, "upstream-without-provider");

		findings_add(b->in->findings, &at,
			"no rule of ai-proxy names a provider for " BYTES_FMT
			", so its requests are passed on without one",
			BYTES_ARG(line->service));
	}
	d.upstream = upstreams_lane(b->in->upstreams, s, d.provider);
	b->total_weight += d.weight;
	spread_add(&b->spread, d.weight);
	b->destinations[b->n_destinations++] = d;
}

/* What is never chosen may as well not be there. */
static void read_destinations(struct builder *b)
{
	struct plugin_target *targets = arena_must(b->in->arena, b->n_lines * sizeof(*targets));

	b->destinations = arena_must(b->in->arena, b->n_lines * sizeof(*b->destinations));
	b->n_destinations = 0;
	b->total_weight = 0;
	b->spread = (struct spread){0};
	for (size_t i = 0; i < b->n_lines; i++) {
		add_destination(b, &b->lines[i], &targets[i]);
	}
	if (b->total_weight == 0) {
		b->n_destinations = 0;
	}
	spread_finish(&b->spread);
	b->turns = (unsigned)b->out->n_turns++;
	b->auth = auth_rules_find(b->in->auth, targets, b->n_lines);
	b->basic = auth_rules_find(b->in->basic, targets, b->n_lines);
	b->statistics = statistics_find(b->in->statistics, &targets[0]);
	b->blocking = blocking_find(b->in->blocking, targets, b->n_lines);
	b->cors = cors_rules_find(b->in->cors, targets, b->n_lines, b->own_cors);
}

/* --- host and path ------------------------------------------------------------------------------ */

static bool read_host(struct builder *b, const struct ingress_rule *rule)
{
	if (build_host(b->in->arena, rule->host, &b->host)) {
		return true;
	}
	skip(b, rule->at, "bad-host",
		"the host " BYTES_FMT " is none that a request can have; the rule is left out",
		BYTES_ARG(rule->host));
	return false;
}

/* `p` for a beginning is matched as "p.*", for a whole path as "p$" (higress-resources.md §5.4). */
static bool read_pattern(const struct builder *b, const struct ingress_path *p, struct route *r)
{
	struct fault fault;
	struct text t;

	r->path_type = PATH_REGEX;
	r->path = p->path.n != 0 ? p->path : BYTES("/");
	text_init(&t, SIZE_MAX);
	text_add_str(&t, b->nocase ? "(?i)" : "");
	text_add_bytes(&t, r->path);
	text_add_str(&t, b->regex == REGEX_WHOLE ? "$" : ".*");
	r->pattern = condition_of_path(text_bytes(&t), &b->in->conditions, &fault);
	text_done(&t);
	if (r->pattern == NULL) {
		skip(b, p->at, "bad-regex",
			"the path is no regular expression (%s, at offset %zu); the route is left "
			"out",
			fault.text, fault.where);
	}
	return r->pattern != NULL;
}

/* What the path is (higress-resources.md §5.4). */
static enum regex_of regex_of(const struct builder *b, struct bytes path)
{
	bool by_target =
		b->target.n != 0 && (rewrite_has_groups(b->target) || rewrite_is_pattern(path));

	return b->regex == NO_REGEX && by_target ? REGEX_BEGINNING : b->regex;
}

/* What rewrite-target makes of the path; where there is no expression it is like rewrite-path. */
static bool read_target(const struct builder *b, struct route *r)
{
	unsigned n_groups = r->pattern != NULL ? regex_groups(r->pattern->regex) : 0;
	struct fault fault;

	r->rewrite = b->rewrite;
	if (b->target.n == 0 || r->rewrite.path.n != 0) {
		return true;
	}
	r->rewrite.target = rewrite_parse(b->target, n_groups, b->in->arena, &fault);
	if (r->rewrite.target == NULL) {
		skip(b, b->target_at, "bad-path",
			"rewrite-target cannot be used (%s, at offset %zu); the route is left out",
			fault.text, fault.where);
		return false;
	}
	if (r->pattern == NULL) {
		r->rewrite.path = build_text(b->in->arena, b->target);
		r->rewrite.target = NULL;
	}
	return true;
}

/* Type and path without the slash that ends a prefix; "/" for every path. */
static bool read_path(const struct builder *b, const struct ingress_path *p, struct route *r)
{
	struct bytes path = p->path.n != 0 ? p->path : BYTES("/");

	if (bytes_eq(p->type, BYTES("Exact"))) {
		r->path_type = PATH_EXACT;
	} else if (p->type.n == 0 || bytes_eq(p->type, BYTES("Prefix")) ||
		bytes_eq(p->type, BYTES("ImplementationSpecific"))) {
		r->path_type = PATH_PREFIX;
	} else {
		skip(b, p->at, "bad-path-type", "the pathType is Exact or Prefix, not " BYTES_FMT,
			BYTES_ARG(p->type));
		return false;
	}
	if (regex_of(b, path) != NO_REGEX) {
		return read_pattern(b, p, r);
	}
	if (p->type.n == 0 && (bytes_ends(path, BYTES("/*")) || bytes_ends(path, BYTES(".*")))) {
		path.n -= 2;
		path = path.n != 0 ? path : BYTES("/");
	}
	if (!is_path(path) || (b->nocase && path.n > ROUTES_NOCASE_MAX)) {
		skip(b, p->at, "bad-path",
			"a path begins with / and holds no blank, ? or #; the route is left out");
		return false;
	}
	while (r->path_type == PATH_PREFIX && path.n > 1 && path.p[path.n - 1] == '/') {
		path.n--;
	}
	r->path = path;
	return true;
}

enum conditions_on { CONDITIONS_REQUEST, CONDITIONS_VENDOR, CONDITIONS_MODEL };

static enum conditions_on conditions_of(const struct condition *c)
{
	return !condition_asks_model(c) ? CONDITIONS_REQUEST
		: c->on == ON_VENDOR    ? CONDITIONS_VENDOR
					: CONDITIONS_MODEL;
}

static void put_conditions(const struct conditions *all, enum conditions_on on, struct text *t)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct condition *c = all->v[i];

		if (conditions_of(c) == on) {
			text_addf(t, "%c%d%c", '\0', (int)c->on, c->how);
			text_add_bytes(t, c->name);
			text_add_char(t, '\0');
			text_add_bytes(t, c->raw);
		}
	}
}

/* What makes a route but for its conditions on the model. */
static void put_route(const struct builder *b, const struct route *r, struct text *t)
{
	text_add_bytes(t, r->host);
	text_add_char(t, '\0');
	text_add_char(t, "=^~$"[r->path_type + (r->pattern != NULL && b->regex == REGEX_WHOLE)]);
	text_add_bytes(t, r->path);
	text_add_char(t, '\0');
	text_add_bytes(t, b->method_text);
	put_conditions(&b->conditions, CONDITIONS_REQUEST, t);
}

/* Keys of maps stay where they are. */
static struct bytes keep_key(const struct builder *b, const struct text *t)
{
	return build_text(b->in->arena, text_bytes(t));
}

/* Routes of one group agree in all but the values of their conditions on the model. */
static struct route_group *group_of(struct builder *b, const struct route *r)
{
	struct route_group *g;
	struct text t;

	text_init(&t, SIZE_MAX);
	put_route(b, r, &t);
	text_add_char(&t, b->nocase ? 'i' : '-');
	put_conditions(&b->conditions, CONDITIONS_VENDOR, &t);
	for (size_t i = 0; i < b->conditions.n; i++) {
		if (conditions_of(b->conditions.v[i]) == CONDITIONS_MODEL) {
			text_addf(&t, "%d", (int)b->conditions.v[i]->on);
		}
	}
	g = map_get(&b->groups, text_bytes(&t));
	if (g == NULL) {
		g = groups_add(&b->out->groups, b->in->arena);
		map_put(&b->groups, keep_key(b, &t), g);
	}
	text_done(&t);
	return g;
}

/* Host, type, path, methods and conditions make a route; a second one would never be asked. */
static bool is_new(struct builder *b, const struct route *r, const struct ingress_path *p)
{
	struct finding at = build_warning(b->ingress, p->at, "route-duplicate");
	const struct route *other;
	struct text t;

	text_init(&t, SIZE_MAX);
	put_route(b, r, &t);
	put_conditions(&b->conditions, CONDITIONS_VENDOR, &t);
	put_conditions(&b->conditions, CONDITIONS_MODEL, &t);
	other = map_get(&b->seen, text_bytes(&t));
	if (other == NULL) {
		map_put(&b->seen, keep_key(b, &t), (void *)(uintptr_t)r);
	}
	text_done(&t);
	if (other == NULL) {
		return true;
	}
	findings_add(b->in->findings, &at,
		"the older Ingress " BYTES_FMT
		" has the same host, path and conditions and is the one that serves; this route is "
		"left out",
		BYTES_ARG(other->name));
	return false;
}

/* --- the whole ---------------------------------------------------------------------------------- */

static void fill_route(const struct builder *b, struct route *r)
{
	struct arena *a = b->in->arena;

	r->name = build_text(a, b->ingress->meta.name);
	r->path_nocase = b->nocase && r->path_type != PATH_REGEX;
	r->path = r->path_nocase ? build_lower(a, r->path) : build_text(a, r->path);
	r->methods = b->methods;
	r->destinations = b->destinations;
	r->n_destinations = b->n_destinations;
	r->total_weight = b->total_weight;
	r->spread = b->spread;
	r->turns = b->turns;
	r->auth = b->auth;
	r->basic = b->basic;
	r->statistics = b->statistics;
	r->blocking = b->blocking;
	b->out->has_blocking = b->out->has_blocking || b->blocking != NULL;
	r->headers = b->headers;
	r->cors = b->cors;
	r->fixed = b->fixed;
	b->out->has_cors = b->out->has_cors || b->cors != NULL;
	r->conditions = b->conditions.v;
	r->n_conditions = b->conditions.n;
	r->n_header_conditions = b->conditions.n_headers;
	r->asks_model = b->conditions.asks_model;
	r->next = b->next;
	r->timeout_ms = b->timeout_ms;
	r->is_tools = b->is_tools;
	r->ssl_redirect = b->ssl_redirect >= 0 ? b->ssl_redirect == 1
					       : certificates_forces(b->in->certificates, b->host);
	for (size_t i = 0; i < r->n_destinations; i++) {
		r->is_ai = r->is_ai || r->destinations[i].provider != NULL;
	}
}

static void add_path(struct builder *b, const struct ingress_path *p)
{
	struct route *r;

	if (p->backend_service) {
		skip(b, p->at, "service-backend",
			"this program finds upstreams in mcpbridges/default.yaml, not in Services of "
			"Kubernetes; the path is left out");
		return;
	}
	r = arena_must(b->in->arena, sizeof(*r));
	r->host = b->host;
	b->out->v[b->out->n] = r;
	if (!read_path(b, p, r) || !read_target(b, r) || !is_new(b, r, p)) {
		return;
	}
	fill_route(b, r);
	if (r->asks_model) {
		r->group = group_of(b, r);
		r->group->n++;
	}
	r->rank = (unsigned)b->out->n; /* the order of the Ingresses; ranks come last */
	b->out->n++;
}

static void add_ingress(struct builder *b)
{
	const struct ingress *spec = &b->ingress->u.ingress;

	if (spec->n_rules == 0 || !read_ingress(b)) {
		return;
	}
	for (size_t i = 0; i < spec->n_rules; i++) {
		if (spec->rules[i].n_paths == 0 || !read_host(b, &spec->rules[i])) {
			continue;
		}
		read_destinations(b);
		for (size_t k = 0; k < spec->rules[i].n_paths; k++) {
			add_path(b, &spec->rules[i].paths[k]);
		}
	}
}

bool routes_is_catch_all(const struct route *r)
{
	return r->path_type == PATH_PREFIX && r->path.n == 1 && r->methods == 0 &&
		r->n_conditions == 0;
}

/* Length of the methods joined by bars; 0 for any. */
static size_t expression_length(uint16_t methods)
{
	size_t n = 0;

	for (unsigned m = METHOD_GET; m <= METHOD_PATCH; m++) {
		n += ((unsigned)methods >> m & 1u) != 0 ? strlen(method_name((enum method)m)) + 1
							: 0;
	}
	return n;
}

static int by_methods(const struct route *x, const struct route *y)
{
	size_t a = expression_length(x->methods);
	size_t b = expression_length(y->methods);

	if (a == b) {
		return 0;
	}
	if (a == 0 || b == 0) {
		return a == 0 ? 1 : -1;
	}
	return a < b ? -1 : 1;
}

/* More conditions on headers first, then more on the query. */
static int by_conditions(const struct route *x, const struct route *y)
{
	size_t a = x->n_header_conditions;
	size_t b = y->n_header_conditions;
	int c = (b > a) - (b < a);

	return c != 0 ? c
		      : (y->n_conditions > x->n_conditions) - (y->n_conditions < x->n_conditions);
}

/* Longer texts first, without the slash at their end. */
static int by_length(const struct route *x, const struct route *y)
{
	size_t a = x->path.n - (x->path.n > 1 && bytes_ends(x->path, BYTES("/")));
	size_t b = y->path.n - (y->path.n > 1 && bytes_ends(y->path, BYTES("/")));

	return (b > a) - (b < a);
}

/* The table of higress-resources.md §5.3, inside one host. */
static int by_precedence(const void *a, const void *b)
{
	const struct route *x = *(const struct route *const *)a;
	const struct route *y = *(const struct route *const *)b;
	int c = bytes_cmp(x->host, y->host);

	if (c == 0) {
		c = (int)routes_is_catch_all(x) - (int)routes_is_catch_all(y);
	}
	if (c == 0) {
		c = (int)x->path_type - (int)y->path_type; /* Exact, Prefix, expressions */
	}
	if (c == 0) {
		c = by_length(x, y);
	}
	if (c == 0) {
		c = by_methods(x, y);
	}
	if (c == 0) {
		c = by_conditions(x, y);
	}
	return c != 0 ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

static void set_ranks(struct routes *r)
{
	unsigned rank = 0;

	qsort(r->v, r->n, sizeof(struct route *), by_precedence);
	for (size_t i = 0; i < r->n; i++) {
		rank = i != 0 && bytes_eq(r->v[i]->host, r->v[i - 1]->host) ? rank + 1 : 0;
		r->v[i]->rank = rank;
	}
}

static size_t count_paths(const struct snapshot *s, size_t from, size_t n)
{
	size_t sum = 0;

	for (size_t i = from; i < from + n; i++) {
		const struct ingress *spec = &s->objects[i]->u.ingress;

		for (size_t k = 0; k < spec->n_rules; k++) {
			sum += spec->rules[k].n_paths;
		}
	}
	return sum;
}

void routes_compile(struct routes *out, const struct routes_input *in)
{
	size_t from;
	size_t n = snapshot_kind(in->snapshot, RESOURCE_INGRESS, &from);
	struct builder b = {.in = in, .out = out};
	struct object **sorted = arena_must(in->arena, (n + 1) * sizeof(struct object *));

	out->n = 0;
	out->n_turns = 0;
	out->has_cors = out->has_blocking = false;
	out->groups = NULL;
	out->v = arena_must(
		in->arena, (count_paths(in->snapshot, from, n) + 1) * sizeof(struct route *));
	if (n == 0) {
		return;
	}
	memcpy(sorted, in->snapshot->objects + from, n * sizeof(struct object *));
	qsort(sorted, n, sizeof(struct object *), build_by_age);
	map_init(&b.seen, in->seed);
	map_init(&b.groups, in->seed);
	map_reserve(&b.seen, n);
	for (size_t i = 0; i < n; i++) {
		b.ingress = sorted[i];
		add_ingress(&b);
	}
	map_done(&b.seen);
	map_done(&b.groups);
	set_ranks(out);
}
