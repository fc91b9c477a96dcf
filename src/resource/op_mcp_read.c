/*
 * MCP servers as API objects (console-api.md §3.13.1): put together of an Ingress, of a rule of key-auth, and by
 * their type of a rule of the plugin mcp-server or an entry of higress-config.
 */
#include "resource/op_int.h"

#define PREFIX "mcp-server-"
#define SUFFIX ".internal"
#define P "higress.io/"
#define LABEL_BIZ P "biz-type"
#define LABEL_TYPE P "mcp-server-type"
#define NOTE_DESCRIPTION P "resource-description"
#define NOTE_TRANSPORT P "mcp-server-upstream-transport-type"
#define DEFAULT_SUFFIX BYTES("/sse")

static const char *const types[] = {"OPEN_API", "DATABASE", "DIRECT_ROUTE"};

/* --- shapes ------------------------------------------------------------------------------------- */

static const struct op_shape_row service_rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"port", OP_SHAPE_INT, NULL},
	{"version", OP_SHAPE_TEXT, NULL},
	{"weight", OP_SHAPE_INT, NULL},
};
static const struct op_shape service = {service_rows, ARRAY_LEN(service_rows)};

static const struct op_shape_row auth_rows[] = {
	{"type", OP_SHAPE_TEXT, NULL},
	{"enable", OP_SHAPE_BOOL, NULL},
	{"allowedConsumers", OP_SHAPE_TEXTS, NULL},
};
static const struct op_shape auth_shape = {auth_rows, ARRAY_LEN(auth_rows)};

static const struct op_shape_row database_rows[] = {
	{"host", OP_SHAPE_TEXT, NULL},
	{"port", OP_SHAPE_TEXT, NULL},
	{"username", OP_SHAPE_TEXT, NULL},
	{"password", OP_SHAPE_TEXT, NULL},
	{"dbname", OP_SHAPE_TEXT, NULL},
	{"otherParams", OP_SHAPE_ANY_MAP, NULL},
};
static const struct op_shape database = {database_rows, ARRAY_LEN(database_rows)};

static const struct op_shape_row direct_rows[] = {
	{"path", OP_SHAPE_TEXT, NULL},
	{"transportType", OP_SHAPE_TEXT, NULL},
};
static const struct op_shape direct = {direct_rows, ARRAY_LEN(direct_rows)};

static const struct op_shape_row rows[] = {
	{"id", OP_SHAPE_TEXT, NULL},
	{"name", OP_SHAPE_TEXT, NULL},
	{"description", OP_SHAPE_TEXT, NULL},
	{"domains", OP_SHAPE_TEXTS, NULL},
	{"services", OP_SHAPE_OBJECTS, &service},
	{"type", OP_SHAPE_TEXT, NULL},
	{"consumerAuthInfo", OP_SHAPE_OBJECT, &auth_shape},
	{"rawConfigurations", OP_SHAPE_TEXT, NULL},
	{"dbConfig", OP_SHAPE_OBJECT, &database},
	{"dbType", OP_SHAPE_TEXT, NULL},
	{"directRouteConfig", OP_SHAPE_OBJECT, &direct},
};
const struct op_shape op_mcp_read_shape = {rows, ARRAY_LEN(rows)};

/* --- names and places --------------------------------------------------------------------------- */

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

struct bytes op_mcp_read_route(struct op *o, struct bytes name)
{
	return bytes_starts(name, BYTES(PREFIX)) && bytes_ends(name, BYTES(SUFFIX))
		? name
		: op_textf(o, PREFIX BYTES_FMT SUFFIX, BYTES_ARG(name));
}

/* A name that is given as its route's. */
struct bytes op_mcp_read_name(struct bytes name)
{
	static const size_t around = sizeof(PREFIX SUFFIX) - 1, front = sizeof(PREFIX) - 1;

	return name.n > around && bytes_starts(name, BYTES(PREFIX)) &&
			bytes_ends(name, BYTES(SUFFIX))
		? bytes_of(name.p + front, name.n - around)
		: name;
}

bool op_mcp_read_is(struct op *o, struct bytes route)
{
	const struct doc *root, *labels;

	/* By the name first: a list of servers must not open every route there is. */
	if (!bytes_starts(route, BYTES(PREFIX)) || !bytes_ends(route, BYTES(SUFFIX))) {
		return false;
	}
	root = draft_look(&o->draft, RESOURCE_INGRESS, route);
	labels = doc_at(o->arena, op_ingress_normal(o, root, route), "metadata.labels");
	return root != NULL && bytes_eq(text_of(o, labels, LABEL_BIZ), BYTES("mcp-server"));
}

enum op_mcp_type op_mcp_read_type(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (bytes_eq_nocase(name, bytes_str(types[i]))) {
			return (enum op_mcp_type)i;
		}
	}
	return OP_MCP_NO_TYPE;
}

const struct op_plugin *op_mcp_read_plugin(void)
{
	return op_plugin_find(BYTES("mcp-server"));
}

/* --- higress-config ----------------------------------------------------------------------------- */

struct doc *op_mcp_read_entry(struct op *o, const struct doc *mcp, struct bytes name)
{
	struct doc *v = doc_first(o->arena, doc_get(o->arena, mcp, "servers"));

	while (v != NULL && !bytes_eq(text_of(o, v, "name"), name)) {
		v = v->next;
	}
	return v;
}

struct bytes op_mcp_read_suffix(struct op *o)
{
	struct op_config c;
	struct bytes suffix;

	if (op_config_open(o, &c) != OP_OK) {
		text_clear(&o->why);
		return DEFAULT_SUFFIX;
	}
	suffix = op_scalar(doc_at(o->arena, c.root, "mcpServer.sse_path_suffix"));
	return bytes_trim(suffix).n > 0 ? suffix : DEFAULT_SUFFIX;
}

/* --- read --------------------------------------------------------------------------------------- */

static struct doc *show_auth(struct op *o, const struct doc *route)
{
	struct arena *a = o->arena;
	const struct doc *auth = doc_get(a, route, "authConfig");
	const struct doc *type = doc_first(a, doc_get(a, auth, "allowedCredentialTypes"));
	struct doc *out = doc_map(a);

	doc_set(a, out, "type", type != NULL ? doc_string(a, type->text) : doc_null(a));
	doc_set(a, out, "enable", doc_copy(a, doc_get(a, auth, "enabled")));
	doc_set(a, out, "allowedConsumers", doc_copy(a, doc_get(a, auth, "allowedConsumers")));
	return out;
}

/* Without what only the detail has; NULL: there is no such server. */
static struct doc *read_base(struct op *o, struct bytes name, struct doc **route)
{
	struct bytes id = op_mcp_read_route(o, name);
	struct arena *a = o->arena;
	struct doc *out = doc_map(a);
	enum op_mcp_type type;
	const struct doc *labels;

	if (!op_mcp_read_is(o, id)) {
		return NULL;
	}
	*route = op_ingress_read(o, id, NULL);
	labels = doc_get(a, *route, "customLabels");
	doc_set(a, out, "name", doc_string(a, op_mcp_read_name(id)));
	doc_set(a, out, "description",
		doc_copy(a, doc_get(a, doc_get(a, *route, "customConfigs"), NOTE_DESCRIPTION)));
	doc_set(a, out, "domains", doc_copy(a, doc_get(a, *route, "domains")));
	doc_set(a, out, "services", doc_copy(a, doc_get(a, *route, "services")));
	type = op_mcp_read_type(text_of(o, labels, LABEL_TYPE));
	doc_set(a, out, "type", type < OP_MCP_NO_TYPE ? doc_str(a, types[type]) : doc_null(a));
	doc_set(a, out, "consumerAuthInfo", show_auth(o, *route));
	return out;
}

struct doc *op_mcp_read_listed(struct op *o, struct bytes name)
{
	struct doc *route = NULL;
	struct doc *out = read_base(o, name, &route);

	return out != NULL ? op_shape_show(o, &op_mcp_read_shape, out) : NULL;
}

const struct doc *op_mcp_read_rule(struct op *o, struct bytes route)
{
	const struct doc *root = op_plugin_look(o, op_mcp_read_plugin(), true);
	const struct doc *own = op_rule_find(o, root, &(struct op_target){.ingress = route});

	return own != NULL ? own : op_rule_shared(o, root, route);
}

/* The tools of a server: its own rule, else one that a user configured. */
static void show_tools(struct op *o, struct bytes name, struct doc *out)
{
	struct bytes route = op_mcp_read_route(o, name);
	const struct doc *rule = op_mcp_read_rule(o, route);

	if (rule == NULL) {
		rule = op_rule_find(o, op_plugin_look(o, op_mcp_read_plugin(), false),
			&(struct op_target){.ingress = route});
	}
	if (rule != NULL) {
		doc_set(o->arena, out, "rawConfigurations",
			op_instance_text(o, doc_get(o->arena, rule, "config")));
	}
}

static void add_tool(struct op *o, struct doc *tools, const char *name, const char *what,
	const char *const argument[2])
{
	struct arena *a = o->arena;
	struct doc *tool = doc_map(a), *args, *arg;

	doc_set(a, tool, "name", doc_str(a, name));
	doc_set(a, tool, "description", doc_str(a, what));
	args = doc_need_list(a, tool, "args");
	if (argument != NULL) {
		arg = doc_map(a);
		doc_set(a, arg, "name", doc_str(a, argument[0]));
		doc_set(a, arg, "type", doc_str(a, "string"));
		doc_set(a, arg, "description", doc_str(a, argument[1]));
		doc_set(a, arg, "required", doc_bool(a, true));
		doc_set(a, arg, "position", doc_str(a, "body"));
		doc_append(a, args, arg);
	}
	doc_append(a, tools, tool);
}

/* The tools that every server of a database has: for pages, which show them. */
static struct bytes database_tools(struct op *o, struct bytes name)
{
	static const char *const sql[] = {"sql", "The statement"},
				 *const table[] = {"table", "The name of the table"};
	struct doc *root = doc_map(o->arena), *tools;
	struct bytes out = BYTES("");

	doc_set(o->arena, root, "server", doc_string(o->arena, name));
	tools = doc_need_list(o->arena, root, "tools");
	add_tool(o, tools, "query", "Read rows with an SQL query", sql);
	add_tool(o, tools, "execute", "Insert, update or delete rows with SQL", sql);
	add_tool(o, tools, "list tables", "List the tables of the database", NULL);
	add_tool(o, tools, "describe table", "Say which columns a table has", table);
	return op_config_print(o, root, &out) ? out : BYTES("");
}

static void show_database(struct op *o, struct bytes name, struct doc *out)
{
	const struct op_dsn_type *kind;
	const struct doc *config;
	struct op_config c;

	if (op_config_open(o, &c) != OP_OK) {
		text_clear(&o->why); /* the server is shown without it (T27) */
		return;
	}
	config = doc_get(o->arena,
		op_mcp_read_entry(o, doc_get(o->arena, c.root, "mcpServer"), name), "config");
	kind = op_dsn_type_stored(text_of(o, config, "dbType"));
	if (kind == NULL) {
		return;
	}
	doc_set(o->arena, out, "dbType", doc_str(o->arena, op_dsn_type_name(kind)));
	doc_set(o->arena, out, "dbConfig", op_dsn_parse(o, kind, text_of(o, config, "dsn")));
	doc_set(o->arena, out, "rawConfigurations", doc_string(o->arena, database_tools(o, name)));
}

static void show_direct(struct op *o, const struct doc *route, struct doc *out)
{
	struct arena *a = o->arena;
	struct bytes type = text_of(o, doc_get(a, route, "customConfigs"), NOTE_TRANSPORT);
	struct bytes path = text_of(o, doc_get(a, route, "rewrite"), "path"), suffix;
	struct doc *config = doc_need_map(a, out, "directRouteConfig");

	if (bytes_eq(type, BYTES("sse"))) {
		suffix = op_mcp_read_suffix(o);
		while (bytes_ends(path, BYTES("/"))) {
			path.n--;
		}
		path = op_textf(o, BYTES_FMT "%s" BYTES_FMT, BYTES_ARG(path),
			bytes_starts(suffix, BYTES("/")) ? "" : "/", BYTES_ARG(suffix));
	}
	if (path.n > 0) {
		doc_set(a, config, "path", doc_string(a, path));
	}
	if (type.n > 0) {
		doc_set(a, config, "transportType", doc_string(a, type));
	}
}

struct doc *op_mcp_read(struct op *o, struct bytes name)
{
	struct doc *route = NULL, *out = read_base(o, name, &route);

	name = op_mcp_read_name(name);
	if (out == NULL) {
		return NULL;
	}
	switch (op_mcp_read_type(text_of(o, out, "type"))) {
	case OP_MCP_OPEN_API:
		show_tools(o, name, out);
		break;
	case OP_MCP_DATABASE:
		show_database(o, name, out);
		break;
	case OP_MCP_DIRECT_ROUTE:
		show_direct(o, route, out);
		break;
	case OP_MCP_NO_TYPE:
		break;
	}
	return op_shape_show(o, &op_mcp_read_shape, out);
}

/* --- what was sent ------------------------------------------------------------------------------ */

struct doc *op_mcp_read_domains(struct op *o, const struct doc *domains)
{
	struct doc *out = doc_list(o->arena);

	for (const struct doc *d = doc_first(o->arena, domains); d != NULL; d = d->next) {
		if (bytes_trim(d->text).n > 0) {
			doc_append(o->arena, out, doc_string(o->arena, d->text));
		}
	}
	return out;
}

struct doc *op_mcp_read_echo(struct op *o, const struct doc *body)
{
	struct doc *out = op_shape_show(o, &op_mcp_read_shape, body);
	struct doc *domains = doc_get(o->arena, out, "domains");

	if (doc_given(domains)) {
		doc_set(o->arena, out, "domains", op_mcp_read_domains(o, domains));
	}
	return out;
}
