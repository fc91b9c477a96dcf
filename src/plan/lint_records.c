/*
 * The Console keeps its own records beside the resources that serve: ConfigMaps domain-<name> and
 * ai-route-<name>, and labels of Ingresses. Where they say something else than the resources do, the
 * Console shows what is not served, and writes it at the next save.
 */
#include "plan/lint_int.h"
#include "wire/json.h"

#define AI_ROUTE "ai-route-"
#define INTERNAL ".internal"
#define FALLBACK ".fallback"
#define DOMAIN "domain-"
#define DOMAIN_LABEL "higress.io/domain_"
#define DEFAULT_DOMAIN "higress-default-domain"
#define NAME_MAX_BYTES 512u

struct record { /* an AI route as the Console remembers it */
	const struct object *o;
	struct place at;
	struct bytes name; /* of the object, without ai-route- */
	const struct json_value *json;
};

static struct bytes without_prefix(struct bytes s, struct bytes prefix)
{
	return bytes_of(s.p + prefix.n, s.n - prefix.n);
}

/* The Ingress of an AI route, "ai-route-<name>.internal". */
static const struct object *ingress_of(const struct lint *l, struct bytes name)
{
	char room[NAME_MAX_BYTES];
	struct text t;

	text_init_fixed(&t, room, sizeof(room));
	text_add_str(&t, AI_ROUTE);
	text_add_bytes(&t, name);
	text_add_str(&t, INTERNAL);
	return text_full(&t) ? NULL : map_get(&l->ingresses, text_bytes(&t));
}

/* A domain as labels and names of objects spell it: a leading '*' is "wildcard". */
static bool same_domain(struct bytes spelled, struct bytes domain)
{
	struct bytes wildcard = BYTES("wildcard");

	if (domain.n != 0 && domain.p[0] == '*') {
		return bytes_starts(spelled, wildcard) &&
			bytes_eq_nocase(without_prefix(spelled, wildcard),
				bytes_of(domain.p + 1, domain.n - 1));
	}
	return bytes_eq_nocase(spelled, domain);
}

/* A host as labels and names of objects spell it. */
static struct bytes spell(struct lint *l, struct bytes host)
{
	char *p;

	if (host.n == 0 || host.p[0] != '*') {
		return build_lower(&l->arena, host);
	}
	p = arena_must(&l->arena, sizeof("wildcard") + host.n);
	memcpy(p, "wildcard", sizeof("wildcard") - 1);
	memcpy(p + sizeof("wildcard") - 1, host.p + 1, host.n - 1);
	return build_lower(&l->arena, bytes_of(p, sizeof("wildcard") - 1 + host.n - 1));
}

static bool ingress_has_host(const struct object *ingress, struct bytes domain)
{
	bool none = bytes_eq(domain, BYTES(DEFAULT_DOMAIN));

	for (size_t i = 0; i < ingress->u.ingress.n_rules; i++) {
		struct bytes host = ingress->u.ingress.rules[i].host;

		if (none ? host.n == 0 : bytes_eq_nocase(host, domain)) {
			return true;
		}
	}
	return false;
}

/* --- AI routes ---------------------------------------------------------------------------------- */

static void check_name(struct lint *l, const struct record *r)
{
	struct bytes name = json_text(json_get(r->json, "name"), BYTES(""));
	struct finding at = build_warning(r->o, r->at, "ai-route-name");

	if (bytes_eq(name, r->name)) {
		return;
	}
	findings_add(l->findings, &at,
		"the record of AI route " BYTES_FMT " calls it \"" BYTES_FMT
		"\"; give both the same name, or saving it in the Console makes a second route",
		BYTES_ARG(r->name), BYTES_ARG(name));
}

static void check_ingress(struct lint *l, const struct record *r)
{
	struct finding at = build_warning(r->o, r->at, "ai-route-without-ingress");

	if (ingress_of(l, r->name) == NULL) {
		findings_add(l->findings, &at,
			"AI route " BYTES_FMT " has no Ingress " AI_ROUTE BYTES_FMT INTERNAL
			", so it serves nothing; save it again or delete the record",
			BYTES_ARG(r->name), BYTES_ARG(r->name));
	}
}

static void check_upstreams(struct lint *l, const struct record *r, const struct json_value *list)
{
	if (list == NULL || list->type != JSON_ARRAY) {
		return;
	}
	for (const struct json_value *u = list->items; u != NULL; u = u->next) {
		struct bytes id = json_text(json_get(u, "provider"), BYTES(""));
		struct finding at = build_warning(r->o, r->at, "ai-route-unknown-provider");

		if (id.n == 0 || map_get(&l->providers, id) != NULL) {
			continue;
		}
		findings_add(l->findings, &at,
			"AI route " BYTES_FMT " names provider " BYTES_FMT
			", but ai-proxy has no such entry; correct the name or create the provider",
			BYTES_ARG(r->name), BYTES_ARG(id));
	}
}

static void check_allowed(struct lint *l, const struct record *r)
{
	const struct json_value *auth = json_get(r->json, "authConfig");
	const struct json_value *list = json_get(auth, "allowedConsumers");

	if (list == NULL || list->type != JSON_ARRAY) {
		return;
	}
	for (const struct json_value *c = list->items; c != NULL; c = c->next) {
		struct bytes name = json_text(c, BYTES(""));
		struct finding at = build_warning(r->o, r->at, "ai-route-unknown-consumer");

		if (name.n == 0 || map_get(&l->consumers, name) != NULL) {
			continue;
		}
		findings_add(l->findings, &at,
			"AI route " BYTES_FMT " allows consumer " BYTES_FMT
			", but key-auth has no such consumer; correct the name or create it",
			BYTES_ARG(r->name), BYTES_ARG(name));
	}
}

static bool is_recorded(struct lint *l, struct bytes spelled)
{
	return map_get(&l->domains, build_lower(&l->arena, spelled)) != NULL;
}

/* A route without an Ingress can still name a domain that there is. */
static void check_domain_of(
	struct lint *l, const struct record *r, const struct object *ingress, struct bytes name)
{
	struct finding at = build_warning(r->o, r->at, "ai-route-domain");

	if (ingress != NULL && !ingress_has_host(ingress, name)) {
		findings_add(l->findings, &at,
			"AI route " BYTES_FMT " is recorded for domain " BYTES_FMT
			", but " BYTES_FMT " has no rule for that host; save the route again",
			BYTES_ARG(r->name), BYTES_ARG(name), BYTES_ARG(ingress->file));
	}
	if (ingress == NULL && l->domains.n != 0 && !bytes_eq(name, BYTES(DEFAULT_DOMAIN)) &&
		!is_recorded(l, spell(l, name))) {
		findings_add(l->findings, &at,
			"AI route " BYTES_FMT " is recorded for domain " BYTES_FMT
			", which no ConfigMap " DOMAIN BYTES_FMT
			" records; correct the domain or create it",
			BYTES_ARG(r->name), BYTES_ARG(name), BYTES_ARG(name));
	}
}

static void check_domains(struct lint *l, const struct record *r)
{
	const struct object *ingress = ingress_of(l, r->name);
	const struct json_value *list = json_get(r->json, "domains");

	if (list == NULL || list->type != JSON_ARRAY) {
		return;
	}
	for (const struct json_value *d = list->items; d != NULL; d = d->next) {
		struct bytes name = json_text(d, BYTES(""));

		if (name.n != 0) {
			check_domain_of(l, r, ingress, name);
		}
	}
}

static void check_ai_route(struct lint *l, const struct object *o)
{
	const struct pair *data = pairs_find(&o->u.configmap.data, BYTES("data"));
	struct record r = {.o = o,
		.at = data != NULL ? data->at : build_place(o->root),
		.name = without_prefix(o->meta.name, BYTES(AI_ROUTE))};
	struct finding at = build_warning(o, r.at, "ai-route-json");
	struct fault f = {.text = "there is no member data"};

	IGNORE(map_put(&l->ai_records, r.name, (void *)(uintptr_t)o));
	r.json = data != NULL ? json_parse(&l->arena, data->value, &f) : NULL;
	if (r.json == NULL || r.json->type != JSON_OBJECT) {
		findings_add(l->findings, &at,
			"the record of AI route " BYTES_FMT
			" is no JSON object (%s); the Console cannot show the route",
			BYTES_ARG(r.name), r.json == NULL ? f.text : "it is another value");
		return;
	}
	check_name(l, &r);
	check_ingress(l, &r);
	check_upstreams(l, &r, json_get(r.json, "upstreams"));
	check_upstreams(l, &r, json_get(json_get(r.json, "fallbackConfig"), "upstreams"));
	check_allowed(l, &r);
	check_domains(l, &r);
}

/* --- domains ------------------------------------------------------------------------------------ */

static void check_domain(struct lint *l, const struct object *o)
{
	const struct pair *data = pairs_find(&o->u.configmap.data, BYTES("domain"));
	struct bytes name = without_prefix(o->meta.name, BYTES(DOMAIN));
	struct bytes host;
	struct finding at;

	if (data == NULL || bytes_trim(data->value).n == 0) {
		return; /* said where certificates are chosen */
	}
	IGNORE(map_put(&l->domains, spell(l, data->value), (void *)(uintptr_t)o));
	if (!same_domain(name, data->value)) {
		at = build_warning(o, data->at, "domain-name");
		findings_add(l->findings, &at,
			"the object is called " BYTES_FMT " and its domain is " BYTES_FMT
			"; the Console finds a domain by the object's name, so both have to agree",
			BYTES_ARG(o->meta.name), BYTES_ARG(data->value));
	}
	host = bytes_eq(data->value, BYTES(DEFAULT_DOMAIN)) ? BYTES("*")
							    : build_lower(&l->arena, data->value);
	if (map_get(&l->hosts, host) == NULL && !bytes_eq(host, BYTES("*"))) {
		at = build_warning(o, data->at, "domain-unused");
		findings_add(l->findings, &at,
			"no route is for domain " BYTES_FMT "; add one or delete the domain",
			BYTES_ARG(data->value));
	}
}

/* --- Ingresses ---------------------------------------------------------------------------------- */

static bool has_label_of(const struct object *o, struct bytes host)
{
	struct bytes prefix = BYTES(DOMAIN_LABEL);

	for (size_t i = 0; i < o->meta.labels.n; i++) {
		struct bytes key = o->meta.labels.v[i].key;

		if (bytes_starts(key, prefix) && same_domain(without_prefix(key, prefix), host)) {
			return true;
		}
	}
	return false;
}

/* The label is for `domain`, as labels spell it. */
static void check_label(
	struct lint *l, const struct object *o, const struct pair *label, struct bytes domain)
{
	struct finding at = build_warning(o, label->at, "domain-label");
	bool found = false;

	for (size_t k = 0; k < o->u.ingress.n_rules && !found; k++) {
		struct bytes host = o->u.ingress.rules[k].host;

		found = same_domain(domain, host.n != 0 ? host : BYTES(DEFAULT_DOMAIN));
	}
	if (!found) {
		findings_add(l->findings, &at,
			"the label says that the route is for domain " BYTES_FMT
			", but no rule has that host; remove the label or correct the host",
			BYTES_ARG(domain));
	} else if (l->domains.n != 0 && !bytes_eq(domain, BYTES(DEFAULT_DOMAIN)) &&
		!is_recorded(l, domain)) {
		findings_add(l->findings, &at,
			"the label names domain " BYTES_FMT ", which no ConfigMap " DOMAIN BYTES_FMT
			" records; create the domain or correct label and host",
			BYTES_ARG(domain), BYTES_ARG(domain));
	}
}

/* Returns how many labels for domains there are. */
static size_t check_labels(struct lint *l, const struct object *o)
{
	struct bytes prefix = BYTES(DOMAIN_LABEL);
	size_t n = 0;

	for (size_t i = 0; i < o->meta.labels.n; i++) {
		struct bytes key = o->meta.labels.v[i].key;

		if (bytes_starts(key, prefix)) {
			check_label(l, o, &o->meta.labels.v[i], without_prefix(key, prefix));
			n++;
		}
	}
	return n;
}

/* A host that no label names: changes of that domain do not reach the Ingress. */
static void check_hosts(struct lint *l, const struct object *o, bool has_labels)
{
	for (size_t k = 0; k < o->u.ingress.n_rules; k++) {
		const struct ingress_rule *r = &o->u.ingress.rules[k];
		struct finding at = build_warning(o, r->at, "domain-label");

		/* Without any label it is not the Console's, unless the domain is. */
		if (r->host.n == 0 || has_label_of(o, r->host) ||
			!(has_labels || is_recorded(l, spell(l, r->host)))) {
			continue;
		}
		findings_add(l->findings, &at,
			"host " BYTES_FMT " has no label " DOMAIN_LABEL
			", so changes of that domain in the Console do not reach this route; add "
			"the label",
			BYTES_ARG(r->host));
	}
}

static void check_record(struct lint *l, const struct object *o)
{
	struct bytes name = o->meta.name;
	struct finding at = build_warning(o, build_place(o->root), "ingress-without-ai-route");

	if (!bytes_starts(name, BYTES(AI_ROUTE)) || !bytes_ends(name, BYTES(INTERNAL))) {
		return;
	}
	name = without_prefix(name, BYTES(AI_ROUTE));
	name.n -= sizeof(INTERNAL) - 1;
	if (bytes_ends(name, BYTES(FALLBACK))) {
		name.n -= sizeof(FALLBACK) - 1;
	}
	if (map_get(&l->ai_records, name) == NULL) {
		findings_add(l->findings, &at,
			"there is no record " AI_ROUTE BYTES_FMT
			" of this AI route, so the Console neither shows nor deletes it; add "
			"configmaps/" AI_ROUTE BYTES_FMT ".yaml or delete the Ingress",
			BYTES_ARG(name), BYTES_ARG(name));
	}
}

void lint_records(struct lint *l)
{
	size_t from;
	size_t n = snapshot_kind(l->snapshot, RESOURCE_CONFIGMAP, &from);

	for (size_t i = from; i < from + n; i++) {
		if (bytes_starts(l->snapshot->objects[i]->meta.name, BYTES(DOMAIN))) {
			check_domain(l, l->snapshot->objects[i]);
		}
	}
	for (size_t i = from; i < from + n; i++) {
		if (bytes_starts(l->snapshot->objects[i]->meta.name, BYTES(AI_ROUTE))) {
			check_ai_route(l, l->snapshot->objects[i]);
		}
	}
	n = snapshot_kind(l->snapshot, RESOURCE_INGRESS, &from);
	for (size_t i = from; i < from + n; i++) {
		const struct object *o = l->snapshot->objects[i];

		check_hosts(l, o, check_labels(l, o) != 0);
		check_record(l, o);
	}
}
