#include "plan/condition.h"

#include <stdlib.h>

#include "plan/build.h"
#include "plan/groups.h"
#include "wire/url.h"

#define HIGRESS "higress.io/"

static const struct kind {
	const char *key; /* what the annotation's key begins with */
	char how;
	enum condition_on on;
} kinds[] = {
	{"exact-match-header-", 'e', ON_HEADER},
	{"prefix-match-header-", 'p', ON_HEADER},
	{"regex-match-header-", 'r', ON_HEADER},
	{"exact-match-pseudo-header-", 'e', ON_HEADER},
	{"prefix-match-pseudo-header-", 'p', ON_HEADER},
	{"regex-match-pseudo-header-", 'r', ON_HEADER},
	{"exact-match-query-", 'e', ON_QUERY},
	{"prefix-match-query-", 'p', ON_QUERY},
	{"regex-match-query-", 'r', ON_QUERY},
};

/* What is behind it is a name; NULL when the key is no condition. */
static const struct kind *kind_of(struct bytes key)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct bytes start = bytes_str(kinds[i].key);

		if (key.n > start.n && bytes_starts(key, start)) {
			return &kinds[i];
		}
	}
	return NULL;
}

bool condition_is_key(struct bytes key)
{
	return kind_of(key) != NULL;
}

/* --- the expression that Console writes for several models -------------------------------------- */

static bool is_meta(char c)
{
	return memchr("[]{}()^$|*+?.\\", c, 14) != NULL;
}

/* One alternative of it, up to a bar or the end: the text without backslashes. False: not that form. */
static bool read_alternative(struct bytes *rest, struct alternative *out, struct arena *a)
{
	char *text = arena_must(a, rest->n + 1);
	size_t n = 0;
	size_t i = 0;

	*out = (struct alternative){.prefix = false};
	for (; i < rest->n && rest->p[i] != '|'; i++) {
		struct bytes tail = bytes_of(rest->p + i, rest->n - i);

		if (tail.p[0] == '\\' && tail.n >= 2 && is_meta(tail.p[1])) {
			text[n++] = tail.p[1];
			i++;
		} else if (bytes_starts(tail, BYTES(".*")) && (tail.n == 2 || tail.p[2] == '|')) {
			out->prefix = true;
			i++;
		} else if (is_meta(tail.p[0])) {
			return false;
		} else {
			text[n++] = tail.p[0];
		}
	}
	out->text = bytes_of(text, n);
	*rest = bytes_of(rest->p + i, rest->n - i);
	return true;
}

/* ^(a|b.*): alternatives, each a name or the beginning of one. */
static bool read_alternatives(struct condition *c, struct arena *a)
{
	struct bytes rest = c->raw;
	size_t most = 1;

	if (!bytes_starts(rest, BYTES("^(")) || !bytes_ends(rest, BYTES(")"))) {
		return false;
	}
	rest = bytes_of(rest.p + 2, rest.n - 3);
	for (size_t i = 0; i < rest.n; i++) {
		most += rest.p[i] == '|';
	}
	c->any = arena_must(a, most * sizeof(*c->any));
	for (;;) {
		if (!read_alternative(&rest, &c->any[c->n_any], a)) {
			c->n_any = 0;
			return false;
		}
		c->n_any++;
		if (rest.n == 0) {
			return true;
		}
		rest = bytes_of(rest.p + 1, rest.n - 1);
	}
}

/* --- reading ------------------------------------------------------------------------------------ */

struct reading {
	const struct object *ingress;
	const struct conditions_input *in;
	const struct pair *pair;
};

static bool refuse_regex(const struct reading *r, const struct fault *f)
{
	struct finding at = build_error(r->ingress, r->pair->at, "bad-regex");

	findings_add(r->in->findings, &at,
		"the expression of " BYTES_FMT
		" cannot be used (%s, at offset %zu); the routes of the Ingress are left out",
		BYTES_ARG(r->pair->key), f->text, f->where);
	return false;
}

static bool read_value(const struct reading *r, struct condition *c)
{
	struct arena *a = r->in->arena;
	struct fault fault;

	if (c->how != 'r') {
		c->any = arena_must(a, sizeof(*c->any));
		*c->any = (struct alternative){c->raw, c->how == 'p'};
		c->n_any = 1;
		return true;
	}
	if (read_alternatives(c, a)) {
		return true;
	}
	c->regex = regex_new(c->raw, &fault);
	if (c->regex == NULL) {
		return refuse_regex(r, &fault);
	}
	c->next = *r->in->all;
	*r->in->all = c;
	return true;
}

static bool is_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] <= 0x20 || name.p[i] >= 0x7f || name.p[i] == ':') {
			return false;
		}
	}
	return true;
}

/* With the colon; empty: there is none of that name. */
static struct bytes pseudo_name(struct bytes name)
{
	static const char *const names[] = {":authority", ":path", ":method", ":scheme"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (bytes_eq_nocase(bytes_str(names[i] + 1), name)) {
			return bytes_str(names[i]);
		}
	}
	return BYTES("");
}

/* Sets what the condition is on. False when it is on something that no request can have. */
static bool find_subject(const struct reading *r, struct condition *c)
{
	const struct model_router *router = r->in->router;
	struct finding at = build_warning(r->ingress, r->pair->at, "model-router-missing");

	if (c->on == ON_QUERY) {
		return true;
	}
	if (router->on && bytes_eq(c->name, router->vendor_header)) {
		c->on = ON_VENDOR;
	} else if (router->on && bytes_eq(c->name, router->model_header)) {
		c->on = ON_MODEL;
	} else if (bytes_eq(c->name, BYTES(MODEL_ROUTER_HEADER)) && router->automatic.on) {
		c->on = ON_AUTOMATIC;
	} else if (bytes_eq(c->name, BYTES(MODEL_ROUTER_HEADER))) {
		findings_add(r->in->findings, &at,
			"no model-router sets the header " MODEL_ROUTER_HEADER
			" (and a client's own does not count), so the routes of the Ingress would "
			"never be taken and are left out; enable wasmplugins/model-router with "
			"modelToHeader: " MODEL_ROUTER_HEADER);
		return false;
	}
	return true;
}

static bool is_pseudo(const struct kind *kind)
{
	return bytes_ends(bytes_str(kind->key), BYTES("-pseudo-header-"));
}

static struct condition *read_one(
	const struct reading *r, const struct kind *kind, struct bytes key, struct bytes value)
{
	struct arena *a = r->in->arena;
	struct condition *c = arena_must(a, sizeof(*c));
	struct bytes name = bytes_of(key.p + strlen(kind->key), key.n - strlen(kind->key));
	struct finding at = build_error(r->ingress, r->pair->at, "bad-name");

	*c = (struct condition){.on = kind->on, .how = kind->how};
	c->name = is_pseudo(kind)       ? pseudo_name(name)
		: kind->on == ON_HEADER ? build_lower(a, name)
					: build_text(a, name);
	c->raw = build_text(a, value);
	if (!is_name(name) || c->name.n == 0) {
		findings_add(r->in->findings, &at,
			BYTES_FMT
			" names nothing that a request can have; the routes of the "
			"Ingress are left out",
			BYTES_ARG(r->pair->key));
		return NULL;
	}
	return find_subject(r, c) && read_value(r, c) ? c : NULL;
}

static int by_text(const void *a, const void *b)
{
	const struct condition *x = *(const struct condition *const *)a;
	const struct condition *y = *(const struct condition *const *)b;
	int c = (int)x->on - (int)y->on;

	c = c != 0 ? c : bytes_cmp(x->name, y->name);
	c = c != 0 ? c : (int)x->how - (int)y->how;
	return c != 0 ? c : bytes_cmp(x->raw, y->raw);
}

bool condition_asks_model(const struct condition *c)
{
	return c->on == ON_MODEL || c->on == ON_VENDOR || c->on == ON_AUTOMATIC;
}

static void count(struct conditions *out)
{
	for (size_t i = 0; i < out->n; i++) {
		enum condition_on on = out->v[i]->on;

		out->n_queries += on == ON_QUERY;
		out->n_headers += on != ON_QUERY;
		out->asks_model = out->asks_model || condition_asks_model(out->v[i]);
	}
	if (out->n != 0) {
		qsort(out->v, out->n, sizeof(struct condition *), by_text);
	}
}

const struct condition *condition_of_path(
	struct bytes pattern, const struct conditions_input *in, struct fault *fault)
{
	struct condition *c = arena_must(in->arena, sizeof(*c));

	*c = (struct condition){.how = 'r',
		.regex = regex_new(pattern, fault),
		.beginning = build_text(in->arena, regex_beginning(pattern))};
	if (c->regex == NULL) {
		return NULL;
	}
	c->next = *in->all;
	*in->all = c;
	return c;
}

bool conditions_read(
	const struct object *ingress, const struct conditions_input *in, struct conditions *out)
{
	const struct pairs *all = &ingress->meta.annotations;
	bool usable = true;

	*out = (struct conditions){.n = 0};
	for (size_t i = 0; i < all->n; i++) {
		const struct reading r = {ingress, in, &all->v[i]};
		struct bytes key = r.pair->key;
		struct bytes value = build_trim(r.pair->value);
		const struct kind *kind;
		struct condition *c;

		if (!bytes_starts(key, BYTES(HIGRESS)) || value.n == 0) {
			continue;
		}
		key = bytes_of(key.p + sizeof(HIGRESS) - 1, key.n - (sizeof(HIGRESS) - 1));
		kind = kind_of(key);
		if (kind == NULL) {
			continue;
		}
		if (out->v == NULL) {
			out->v = arena_must(in->arena, all->n * sizeof(struct condition *));
		}
		c = read_one(&r, kind, key, value);
		if (c != NULL) {
			out->v[out->n++] = c;
		}
		usable = usable && c != NULL;
	}
	count(out);
	return usable;
}

void conditions_free(struct condition *all)
{
	for (; all != NULL; all = all->next) {
		regex_free(all->regex);
	}
}

/* --- asking ------------------------------------------------------------------------------------- */

/* How closely a value is described: the whole more than any beginning, a longer beginning more than a
 * shorter one, an expression least. 0: not at all. */
static size_t closeness(const struct condition *c, struct bytes value)
{
	size_t best = 0;

	if (c->regex != NULL) {
		return regex_matches(c->regex, value) ? 1 : 0;
	}
	for (size_t i = 0; i < c->n_any; i++) {
		const struct alternative *a = &c->any[i];

		if (bytes_eq(a->text, value) && !a->prefix) {
			return CONDITION_EQUAL;
		}
		if (a->prefix && bytes_starts(value, a->text)) {
			best = MAX(best, condition_beginning(a->text.n));
		}
	}
	return best;
}

struct bytes condition_value(const struct condition *c, const struct route_query *q)
{
	struct bytes value = {NULL, 0};
	struct bytes whole;

	if (c->on == ON_QUERY) {
		return url_query_get(q->query, c->name, &value, &whole) ? value
									: (struct bytes){NULL, 0};
	}
	return q->header != NULL ? q->header(q->header_of, c->name) : value;
}

const struct condition *conditions_refusing(const struct route *r, const struct route_query *q)
{
	for (size_t i = 0; i < r->n_conditions; i++) {
		const struct condition *c = r->conditions[i];
		struct bytes value;

		if (condition_asks_model(c)) {
			continue;
		}
		value = condition_value(c, q);
		if (value.p == NULL || closeness(c, value) == 0) {
			return c;
		}
	}
	return NULL;
}

struct bytes condition_model(const struct condition *c, const struct route_model *m)
{
	struct bytes none = {NULL, 0};

	if (c->on == ON_VENDOR) {
		return m->vendor;
	}
	return c->on == ON_MODEL ? (m->name.n != 0 ? m->name : none)
				 : (m->automatic.n != 0 ? m->automatic : none);
}

/* How closely a route describes the model, whatever it says about the vendor; 0: it does not take it, for *why. */
static size_t fit(const struct route *r, const struct route_model *m, const struct condition **why)
{
	size_t best = 1;

	for (size_t i = 0; i < r->n_conditions; i++) {
		const struct condition *c = r->conditions[i];
		struct bytes value;
		size_t close;

		if (!condition_asks_model(c)) {
			continue;
		}
		value = condition_model(c, m);
		close = value.p != NULL ? closeness(c, value) : 0;
		if (close == 0) {
			*why = c;
			return 0;
		}
		best = c->on != ON_VENDOR ? MAX(best, close) : best;
	}
	return best;
}

bool conditions_name(const struct route *r, struct bytes model)
{
	for (size_t i = 0; model.n != 0 && i < r->n_conditions; i++) {
		const struct condition *c = r->conditions[i];

		if (c->on == ON_MODEL && closeness(c, model) == CONDITION_EQUAL) {
			return true;
		}
	}
	return false;
}

bool conditions_take_vendor(const struct route *r, const struct route_model *m)
{
	for (size_t i = 0; i < r->n_conditions; i++) {
		const struct condition *c = r->conditions[i];

		if (c->on == ON_VENDOR && (m->vendor.p == NULL || closeness(c, m->vendor) == 0)) {
			return false;
		}
	}
	return true;
}

const struct condition *conditions_refusing_model(
	const struct route *r, const struct route_model *m)
{
	const struct condition *why = NULL;

	return fit(r, m, &why) == 0 ? why : NULL;
}

size_t conditions_fit(const struct route *r, const struct route_model *m)
{
	const struct condition *why;

	return fit(r, m, &why);
}

/* Whether b is asked before a is: in another order than that of the list, routes of one host are so by
 * their ranks. */
static bool is_before(const struct route *b, const struct route *a)
{
	return b->rank < a->rank && bytes_eq(b->host, a->host);
}

/* The groups come by their first routes, so the first route that holds may be in a later group than one
 * that was found; but not behind it. */
const struct route *plan_choose(
	const struct route *const *candidates, size_t n, const struct route_model *m)
{
	struct group_hit chosen = {.first = NULL};

	for (size_t i = 0; i < n; i++) {
		const struct route *r = candidates[i];
		struct group_hit hit = {r, r, 1};

		if (chosen.first != NULL && !is_before(r, chosen.first)) {
			break;
		}
		if (!group_is_leader(r)) {
			continue;
		}
		hit = r->group != NULL ? group_choose(r->group, m) : hit;
		if (hit.first != NULL &&
			(chosen.first == NULL || is_before(hit.first, chosen.first))) {
			chosen = hit;
		}
	}
	return chosen.best;
}
