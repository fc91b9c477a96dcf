/*
 * MCP servers (console-api.md §3.13): an Ingress each that says in annotations what it leads to, a rule of key-auth,
 * and by its type more: tools are a rule of the plugin mcp-server, a database is an entry of higress-config, and a
 * server behind a direct route is a rewrite of the path.
 *
 * What belongs to another type goes when the type changes: the entry of a database would answer in the place of
 * whatever the server is now.
 */
#include "resource/op_int.h"

#define PATHS "/mcp-servers/"
#define P "higress.io/"
#define LABEL_BIZ P "biz-type"
#define LABEL_TYPE P "mcp-server-type"
#define NOTE_DESCRIPTION P "resource-description"
#define NOTE_TRANSPORT P "mcp-server-upstream-transport-type"

static const char *const types[] = {"OPEN_API", "DATABASE", "DIRECT_ROUTE"};

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

static struct bytes path_of(struct op *o, struct bytes name)
{
	return op_textf(o, PATHS BYTES_FMT, BYTES_ARG(name));
}

/* --- higress-config ----------------------------------------------------------------------------- */

static struct doc *match_rule(struct op *o, const struct doc *mcp, struct bytes path)
{
	struct doc *v = doc_first(o->arena, doc_get(o->arena, mcp, "match_list"));

	while (v != NULL && !bytes_eq(text_of(o, v, "match_rule_path"), path)) {
		v = v->next;
	}
	return v;
}

/* The entry goes to the end, as the Console puts it; members that somebody added stay. */
static void put_entry(struct op *o, struct doc *mcp, struct bytes name, struct bytes dsn,
	const struct op_dsn_type *kind)
{
	struct arena *a = o->arena;
	struct doc *servers = doc_need_list(a, mcp, "servers"), *config;
	struct doc *before = op_mcp_read_entry(o, mcp, name);
	struct doc *entry = before != NULL ? doc_copy(a, before) : doc_map(a);

	doc_set(a, entry, "path", doc_string(a, path_of(o, name)));
	doc_set(a, entry, "name", doc_string(a, name));
	doc_set(a, entry, "type", doc_str(a, "database"));
	config = doc_map(a);
	doc_set(a, config, "dbType", doc_str(a, op_dsn_type_word(kind)));
	doc_set(a, config, "dsn", doc_string(a, dsn));
	doc_set(a, entry, "config", config);
	if (before != NULL) {
		doc_remove(a, servers, before);
	}
	doc_append(a, servers, entry);
}

static void drop_from(struct op *o, struct doc *mcp, const char *list, struct doc *item)
{
	if (item != NULL) {
		doc_remove(o->arena, doc_get(o->arena, mcp, list), item);
	}
}

/* --- save: checks ------------------------------------------------------------------------------- */

struct plan { /* of a save: nothing is written before all of it is known */
	struct bytes name, id;
	enum op_mcp_type type;
	struct doc *given, *route;
	const struct doc *stored; /* the detail; NULL: there is none yet */
	struct doc *tools;        /* config of the rule; NULL: it stays as it is */
	bool tools_on;
	struct bytes config; /* text of higress-config's section */
};

static enum op_rc check_names(struct op *o, struct plan *p)
{
	enum op_rc rc = op_check_name(o, "MCP server", p->name, p->id);
	const char *why = NULL;

	if (rc == OP_OK && bytes_eq(p->name, BYTES("consumers"))) {
		return op_refuse(o, OP_INVALID,
			"an MCP server cannot be called consumers: its path is taken");
	}
	op_ingress_read(o, p->id, &why);
	if (rc == OP_OK && why != NULL) {
		return op_refuse(o, OP_READ_ONLY,
			"the route " BYTES_FMT " cannot be changed here, only in its file: %s",
			BYTES_ARG(p->id), why);
	}
	return rc;
}

static enum op_rc check_members(struct op *o, struct plan *p)
{
	const struct doc *auth = doc_get(o->arena, p->given, "consumerAuthInfo");
	struct bytes type = text_of(o, p->given, "type"), by = text_of(o, auth, "type");

	p->type = op_mcp_read_type(type);
	if (p->type == OP_MCP_NO_TYPE) {
		return op_refuse(o, OP_INVALID, "type must be OPEN_API, DATABASE or DIRECT_ROUTE");
	}
	if (doc_first(o->arena, doc_get(o->arena, p->given, "services")) == NULL) {
		return op_refuse(o, OP_INVALID, "services must be given, and not be empty");
	}
	if (by.n > 0 && !bytes_eq(by, BYTES("key-auth"))) {
		return op_refuse(o, OP_INVALID,
			"consumerAuthInfo.type: " BYTES_FMT " is not known, only key-auth is",
			BYTES_ARG(by));
	}
	return OP_OK;
}

static bool is_blank(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (memchr(" \t\r\n", s.p[i], 4) == NULL) {
			return false;
		}
	}
	return true;
}

/* The Console looks for the word, wherever it stands. */
static bool says_tools(struct bytes raw)
{
	static const struct bytes word = {"tools:", 6};

	for (size_t i = 0; i + word.n <= raw.n; i++) {
		if (memcmp(raw.p + i, word.p, word.n) == 0) {
			return true;
		}
	}
	return false;
}

static enum op_rc plan_tools(struct op *o, struct plan *p)
{
	struct bytes raw = text_of(o, p->given, "rawConfigurations");
	const struct doc *description = doc_get(o->arena, p->given, "description");
	struct doc *server;

	if (!is_blank(raw)) {
		p->tools_on = says_tools(raw);
		p->tools = doc_map(o->arena);
		return op_instance_parse(o, raw, &p->tools);
	}
	/* D23: a page sends no tools with what it does not show. */
	if (op_mcp_read_rule(o, p->id) != NULL) {
		return OP_OK;
	}
	p->tools = doc_map(o->arena);
	server = doc_need_map(o->arena, p->tools, "server");
	doc_set(o->arena, server, "name", doc_string(o->arena, p->name));
	doc_set(o->arena, server, "description",
		doc_given(description) ? doc_string(o->arena, description->text)
				       : doc_str(o->arena, "Nothing"));
	return OP_OK;
}

static enum op_rc plan_database(struct op *o, struct plan *p, struct doc *mcp)
{
	const struct op_dsn_type *kind = op_dsn_type_of(text_of(o, p->given, "dbType"));
	struct doc *config = doc_get(o->arena, p->given, "dbConfig");
	enum op_rc rc;

	if (kind == NULL || !doc_given(config)) {
		return op_refuse(o, OP_INVALID,
			"a server of type DATABASE needs dbConfig, and dbType MYSQL, POSTGRESQL, "
			"SQLITE or CLICKHOUSE");
	}
	if (p->stored != NULL) {
		op_mask_restore(o, config, doc_get(o->arena, p->stored, "dbConfig"), "password");
	}
	rc = op_dsn_check(o, kind, config);
	if (rc == OP_OK) {
		put_entry(o, mcp, p->name, op_dsn_build(o, kind, config), kind);
	}
	return rc;
}

static enum op_rc plan_config(struct op *o, struct plan *p)
{
	struct op_config c = {0};
	enum op_rc rc = op_config_open(o, &c);
	struct doc *mcp = rc == OP_OK ? op_config_mcp(o, &c) : NULL;

	if (rc == OP_OK && p->type == OP_MCP_DATABASE) {
		rc = plan_database(o, p, mcp);
	} else if (rc == OP_OK) {
		drop_from(o, mcp, "servers", op_mcp_read_entry(o, mcp, p->name));
	}
	return rc != OP_OK ? rc : op_config_close(o, &c, &p->config);
}

/* --- save: the route ---------------------------------------------------------------------------- */

static void note(struct op *o, struct plan *p, const char *key, struct bytes value)
{
	doc_set(o->arena, doc_need_map(o->arena, p->route, "customConfigs"), key,
		doc_string(o->arena, value));
}

static struct bytes joined_domains(struct op *o, const struct doc *domains)
{
	const struct doc *d = doc_first(o->arena, domains);
	struct bytes out = d != NULL ? d->text : BYTES("*");

	for (d = d != NULL ? d->next : NULL; d != NULL; d = d->next) {
		out = op_textf(o, BYTES_FMT "," BYTES_FMT, BYTES_ARG(out), BYTES_ARG(d->text));
	}
	return out;
}

/* The one host of the first service's registry; empty: none is meant. */
static struct bytes host_of_service(struct op *o, struct bytes service_name)
{
	static const struct bytes tail = {".dns", 4};
	const struct doc *registry;
	struct bytes host;

	if (!bytes_ends(service_name, tail)) {
		return BYTES("");
	}
	registry =
		op_bridge_find(o, "registries", bytes_of(service_name.p, service_name.n - tail.n));
	host = bytes_trim(text_of(o, registry, "domain"));
	/* Several hosts have no name in common that requests could carry. */
	return bytes_eq(text_of(o, registry, "type"), BYTES("dns")) && host.n > 0 &&
			memchr(host.p, ',', host.n) == NULL
		? host
		: BYTES("");
}

static enum op_rc refuse_direct(struct op *o, struct bytes suffix)
{
	return op_refuse(o, OP_INVALID,
		"directRouteConfig needs a path that begins with a slash, and a transportType: "
		"streamable, or sse for a path that ends with " BYTES_FMT,
		BYTES_ARG(suffix));
}

static enum op_rc plan_direct(struct op *o, struct plan *p)
{
	const struct doc *config = doc_get(o->arena, p->given, "directRouteConfig");
	const struct doc *first = doc_first(o->arena, doc_get(o->arena, p->given, "services"));
	struct bytes suffix = op_mcp_read_suffix(o), path, type, host;
	bool streams;
	struct doc *rewrite;

	if (!doc_given(config)) {
		config = doc_get(o->arena, p->stored, "directRouteConfig");
	}
	path = text_of(o, config, "path");
	type = text_of(o, config, "transportType");
	streams = bytes_eq_nocase(type, BYTES("streamable"));
	if (!bytes_starts(path, BYTES("/")) || (!streams && !bytes_eq_nocase(type, BYTES("sse")))) {
		return refuse_direct(o, suffix);
	}
	if (!streams) {
		if (!bytes_ends(path, suffix)) {
			return refuse_direct(o, suffix);
		}
		path.n -= suffix.n;
		path = path.n > 0 ? path : BYTES("/");
	}
	note(o, p, P "mcp-server-upstream-type", bytes_str(streams ? "streamable" : "sse"));
	note(o, p, NOTE_TRANSPORT, bytes_str(streams ? "streamable" : "sse"));
	note(o, p, P "mcp-server-enable-path-rewrite", BYTES("true"));
	note(o, p, P "mcp-server-path-rewrite-prefix", path);
	rewrite = doc_need_map(o->arena, p->route, "rewrite");
	doc_set(o->arena, rewrite, "enabled", doc_bool(o->arena, true));
	doc_set(o->arena, rewrite, "path", doc_string(o->arena, path));
	host = host_of_service(o, text_of(o, first, "name"));
	if (host.n > 0) {
		doc_set(o->arena, rewrite, "host", doc_string(o->arena, host));
	}
	return OP_OK;
}

static enum op_rc plan_route(struct op *o, struct plan *p)
{
	struct arena *a = o->arena;
	const struct doc *description = doc_get(a, p->given, "description");
	struct doc *route = doc_map(a), *path, *labels;
	enum op_rc rc = OP_OK;

	p->route = route;
	doc_set(a, route, "domains", op_mcp_read_domains(o, doc_get(a, p->given, "domains")));
	path = doc_need_map(a, route, "path");
	doc_set(a, path, "matchType", doc_str(a, "PRE"));
	doc_set(a, path, "matchValue", doc_string(a, path_of(o, p->name)));
	doc_set(a, route, "services", doc_copy(a, doc_get(a, p->given, "services")));
	if (doc_given(description)) {
		note(o, p, NOTE_DESCRIPTION, description->text);
	}
	note(o, p, P "mcp-server", BYTES("true"));
	note(o, p, P "mcp-server-match-rule-domains",
		joined_domains(o, doc_get(a, route, "domains")));
	note(o, p, P "mcp-server-match-rule-type", BYTES("prefix"));
	note(o, p, P "mcp-server-match-rule-value", path_of(o, p->name));
	labels = doc_need_map(a, route, "customLabels");
	doc_set(a, labels, LABEL_BIZ, doc_str(a, "mcp-server"));
	doc_set(a, labels, LABEL_TYPE, doc_str(a, types[p->type]));
	if (p->type == OP_MCP_DIRECT_ROUTE) {
		rc = plan_direct(o, p);
	}
	return rc != OP_OK ? rc : op_ingress_check(o, route);
}

/* --- save: writing ------------------------------------------------------------------------------ */

static void write_tools(struct op *o, const struct plan *p)
{
	const struct op_target t = {.ingress = p->id};
	struct doc *root;

	if (p->type != OP_MCP_OPEN_API) {
		if (op_mcp_read_rule(o, p->id) != NULL) {
			op_rules_forget_in(o, op_plugin_object(o, op_mcp_read_plugin(), true),
				"ingress", p->id);
		}
	} else if (p->tools != NULL) {
		root = op_plugin_need(o, op_mcp_read_plugin(), true);
		op_rule_part(o, root, p->id);
		op_rule_set(o, root, &t, p->tools, !p->tools_on);
	}
}

/* Another version of a configuration that has not changed would be a conflict for whoever edits it. */
static void write_config(struct op *o, struct bytes text)
{
	if (draft_look(&o->draft, RESOURCE_CONFIGMAP, OP_CONFIG) == NULL ||
		!bytes_eq(text, op_config_text(o, "higress"))) {
		op_config_put(o, "higress", text);
	}
}

/* Absent `enable` is off, as the Console's default; null leaves the switch as it is (D29). */
static void write_auth(struct op *o, const struct plan *p, const struct doc *body)
{
	struct arena *a = o->arena;
	const struct doc *said = doc_get(a, body, "consumerAuthInfo");
	const struct doc *info = doc_get(a, p->given, "consumerAuthInfo");
	const struct doc *enable = doc_get(a, info, "enable");
	struct doc *auth = doc_map(a);

	if (!doc_given(info)) {
		return;
	}
	if (doc_given(enable) || doc_get(a, said, "enable") == NULL) {
		doc_set(a, auth, "enabled", doc_bool(a, doc_given(enable) && enable->boolean));
	}
	if (doc_given(doc_get(a, info, "allowedConsumers"))) {
		doc_set(a, auth, "allowedConsumers",
			doc_copy(a, doc_get(a, info, "allowedConsumers")));
	}
	op_auth_write(o, p->id, auth);
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	struct plan p = {.name = op_mcp_read_name(name), .id = op_mcp_read_route(o, name)};
	enum op_rc rc = op_shape_take(o, &op_mcp_read_shape, body, &p.given);

	(void)mode;
	rc = rc != OP_OK ? rc : check_names(o, &p);
	rc = rc != OP_OK ? rc : check_members(o, &p);
	if (rc != OP_OK) {
		return rc;
	}
	p.stored = op_mcp_read(o, p.name);
	rc = plan_route(o, &p);
	rc = rc != OP_OK || p.type != OP_MCP_OPEN_API ? rc : plan_tools(o, &p);
	rc = rc != OP_OK ? rc : plan_config(o, &p);
	if (rc != OP_OK) {
		return rc;
	}
	op_ingress_write(o, p.id, p.route);
	write_config(o, p.config);
	write_tools(o, &p);
	write_auth(o, &p, body);
	return OP_OK;
}

/* --- remove ------------------------------------------------------------------------------------- */

/* NULL text: it is left alone. */
static struct bytes config_without(struct op *o, struct bytes name, bool was_there)
{
	struct bytes out = bytes_of(NULL, 0);
	struct doc *entry, *match, *mcp;
	struct op_config c = {0};

	if (draft_look(&o->draft, RESOURCE_CONFIGMAP, OP_CONFIG) == NULL ||
		op_config_open(o, &c) != OP_OK) {
		text_clear(&o->why); /* what cannot be read names no server */
		return out;
	}
	mcp = doc_get(o->arena, c.root, "mcpServer");
	entry = op_mcp_read_entry(o, mcp, name);
	match = match_rule(o, mcp, path_of(o, name));
	if (entry == NULL && match == NULL && !was_there) {
		return out;
	}
	mcp = doc_need_map(o->arena, c.root, "mcpServer");
	doc_need_list(o->arena, mcp, "match_list");
	drop_from(o, mcp, "match_list", match);
	drop_from(o, mcp, "servers", entry);
	if (op_config_close(o, &c, &out) != OP_OK) {
		op_warn(o, BYTES_FMT, BYTES_ARG(text_bytes(&o->why)));
		text_clear(&o->why);
		return bytes_of(NULL, 0);
	}
	return out;
}

static enum op_rc remove_server(struct op *o, struct bytes name)
{
	struct bytes id = op_mcp_read_route(o, name), config;
	bool was_there = draft_look(&o->draft, RESOURCE_INGRESS, id) != NULL;

	config = config_without(o, op_mcp_read_name(name), was_there);
	if (was_there) {
		draft_remove(&o->draft, RESOURCE_INGRESS, id);
		op_rules_forget(o, "ingress", id);
	}
	if (config.p != NULL) {
		write_config(o, config);
	}
	return OP_OK;
}

/* --- lists -------------------------------------------------------------------------------------- */

static struct strings list(struct op *o)
{
	struct strings names = op_list_kept(o, RESOURCE_INGRESS, op_mcp_read_is);

	for (size_t i = 0; i < names.n; i++) {
		names.v[i] = op_mcp_read_name(names.v[i]);
	}
	op_sort_names(&names);
	return names;
}

const struct op_noun op_mcp_server = {"mcp-server", save, remove_server, op_mcp_read, list};

/* --- who may call it ---------------------------------------------------------------------------- */

static bool holds(struct op *o, const struct doc *texts, struct bytes text)
{
	const struct doc *v = doc_first(o->arena, texts);

	while (v != NULL && !bytes_eq(v->text, text)) {
		v = v->next;
	}
	return v != NULL;
}

/* The list as it is, with those of `who` behind it (without them). */
static struct doc *changed_list(
	struct op *o, const struct doc *allow, const struct doc *who, bool add)
{
	struct doc *out = doc_list(o->arena);

	for (const struct doc *v = doc_first(o->arena, allow); v != NULL; v = v->next) {
		if (add || !holds(o, who, v->text)) {
			doc_append(o->arena, out, doc_string(o->arena, v->text));
		}
	}
	for (const struct doc *v = doc_first(o->arena, who); add && v != NULL; v = v->next) {
		if (v->type == DOC_STRING && !holds(o, out, v->text)) {
			doc_append(o->arena, out, doc_string(o->arena, v->text));
		}
	}
	return out;
}

enum op_rc op_mcp_server_allow(
	struct op *o, struct bytes name, const struct doc *consumers, bool add)
{
	struct bytes id = op_mcp_read_route(o, name);
	const struct doc *allow;
	struct doc *auth;

	if (draft_look(&o->draft, RESOURCE_INGRESS, id) == NULL) {
		return op_refuse(
			o, OP_MISSING, "there is no MCP server " BYTES_FMT, BYTES_ARG(name));
	}
	if (doc_first(o->arena, consumers) == NULL) {
		return OP_OK;
	}
	allow = doc_get(o->arena, op_auth_read(o, id), "allowedConsumers");
	auth = doc_map(o->arena);
	doc_set(o->arena, auth, "allowedConsumers", changed_list(o, allow, consumers, add));
	op_auth_write(o, id, auth);
	return OP_OK;
}

enum op_rc op_mcp_server_allowed(struct op *o, struct bytes name, const struct doc **out)
{
	struct bytes id = op_mcp_read_route(o, name);

	if (draft_look(&o->draft, RESOURCE_INGRESS, id) == NULL) {
		return op_refuse(
			o, OP_MISSING, "there is no MCP server " BYTES_FMT, BYTES_ARG(name));
	}
	*out = doc_get(o->arena, op_auth_read(o, id), "allowedConsumers");
	return OP_OK;
}

void op_mcp_server_forbid(struct op *o, struct bytes consumer)
{
	struct strings names = list(o);
	struct doc *who = doc_list(o->arena);
	const struct doc *allow;

	doc_append(o->arena, who, doc_string(o->arena, consumer));
	for (size_t i = 0; i < names.n; i++) {
		if (op_mcp_server_allowed(o, names.v[i], &allow) == OP_OK &&
			holds(o, allow, consumer)) {
			IGNORE(op_mcp_server_allow(o, names.v[i], who, false));
		}
	}
}

bool op_mcp_server_is_type(struct bytes name)
{
	return op_mcp_read_type(name) != OP_MCP_NO_TYPE;
}
