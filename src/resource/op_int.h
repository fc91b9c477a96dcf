/*
 * What the operations share (for the op_<noun>.c files of this room): shapes of API objects, names and
 * labels, Ingresses out of route objects and back, plugin rules, the bridge's registries, the rule of a
 * route's authentication. All of it is about one draft; texts and documents are in the operation's arena.
 *
 * Functions that only look return what the draft has by now. `*_check` refuses before anything is
 * touched, `*_write` changes the draft and cannot fail.
 */
#ifndef RESOURCE_OP_INT_H
#define RESOURCE_OP_INT_H

#include "resource/op.h"

#define MCPBRIDGE_NAME BYTES("default")
#define DEFAULT_DOMAIN BYTES("higress-default-domain")
#define LABEL_DEFINER "higress.io/resource-definer"
#define LABEL_DOMAIN "higress.io/domain_"
#define LABEL_CONFIGMAP_TYPE "higress.io/config-map-type"
#define MODEL_HEADER "x-higress-llm-model"
#define FALLBACK_HEADER "x-higress-fallback-from"

/* --- op.c: texts, names, marks --------------------------------------------------------------------- */

/* In the arena; empty when that is full. */
struct bytes op_textf(struct op *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A string node with the text in base64, as Secrets have it. */
struct doc *op_base64(struct op *o, struct bytes text);
/* A line of o->warnings. */
void op_warn(struct op *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Whether it holds no control character; of a word: neither a blank, those of Unicode included (Go splits at them). */
bool op_is_line(struct bytes s);
bool op_is_word(struct bytes s);
/* ^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$ (console-api.md §2.6), and `longest`, the longest name of an object that
 * is made of it, fits a file name with ".yaml.tmp". what: "AI route". */
enum op_rc op_check_name(struct op *o, const char *what, struct bytes name, struct bytes longest);
/* Only that a file can be named so: no "/", no control character, not ".", length. */
enum op_rc op_check_file_name(struct op *o, const char *what, struct bytes longest);
/* body.version against the stored one (§2.5): absent, null, "", "0" and 0 are no version. */
enum op_rc op_check_version(
	struct op *o, enum resource_kind kind, struct bytes name, const struct doc *body);
/* Whether the version of the body asks for a comparison. */
bool op_version_given(struct op *o, const struct doc *body);
/* resourceVersion of a document for answers; "0" (which overwrites) when there is none. */
struct doc *op_version(struct op *o, const struct doc *root);
/* A leading '*' becomes "wildcard". */
struct bytes op_normal_domain(struct op *o, struct bytes domain);
/* The content of a scalar whatever its type (a person writes `enableHttps: off`); "" of anything else. */
struct bytes op_scalar(const struct doc *d);
/* Definer label; of names that end in ".internal" also the label and the comment (§2.2). */
void op_mark(struct op *o, struct doc *root, struct bytes name);
/* Whether it has the definer label: what the Console lists. */
bool op_is_ours(struct op *o, const struct doc *root);
struct doc *op_labels(struct op *o, struct doc *root);      /* made when absent */
struct doc *op_annotations(struct op *o, struct doc *root); /* made when absent */
/* Makes m hold what want holds: others are dropped, equal ones stay the nodes they are. */
void op_sync_map(struct op *o, struct doc *m, const struct doc *want);
/* Names in byte order, which is the Console's. */
void op_sort_names(struct strings *names);
/* Names of the objects of one kind that keep (NULL: all) is true of, sorted. */
struct strings op_list_kept(
	struct op *o, enum resource_kind kind, bool (*keep)(struct op *o, struct bytes name));
/* Names of the objects of one kind that begin with prefix and are ours, without the prefix, sorted. */
struct strings op_list_prefixed(struct op *o, enum resource_kind kind, struct bytes prefix);

/* --- op_instance.c ------------------------------------------------------------------------------------ */

/* Whether users have plugin instances in the WasmPlugin, and of which plugin. */
bool op_instance_is_in(
	struct op *o, struct bytes name, const struct doc *root, struct bytes *plugin);

/* --- op_shape.c: members of API objects -------------------------------------------------------------- */

enum op_shape_type {
	OP_SHAPE_TEXT,     /* numbers and booleans are taken as their text */
	OP_SHAPE_INT,      /* also as text; "" is null */
	OP_SHAPE_BOOL,     /* also as text */
	OP_SHAPE_TEXTS,    /* list; null items are left out */
	OP_SHAPE_TEXT_MAP, /* in the order given; null members are left out */
	OP_SHAPE_OBJECT,
	OP_SHAPE_OBJECTS,
	OP_SHAPE_ANY_MAP, /* a map, as it is */
};

struct op_shape {
	const struct op_shape_row {
		const char *name;
		enum op_shape_type type;
		const struct op_shape *items; /* OBJECT, OBJECTS */
	} * rows;
	size_t n;
};

/* A new map with the members that s names, in its order; those that are absent or null are left out,
 * others are ignored. OP_INVALID: one is of another type; the text says which. */
enum op_rc op_shape_take(
	struct op *o, const struct op_shape *s, const struct doc *body, struct doc **out);
/* Whether no map in it has more members than can be worked on: of configurations that are taken as they are. */
bool op_shape_fits(struct op *o, const struct doc *d);
/* For answers: every member of s is there, null when `stored` has none, at every depth. What is of
 * another type is shown as null. NULL gives null. */
struct doc *op_shape_show(struct op *o, const struct op_shape *s, const struct doc *stored);

/* Members of a route (console-api.md §3.6.1) up to customLabels, of its parts, and of an AI route (§3.3.1, in the
 * order of higress-resources.md §2.4). */
extern const struct op_shape op_shape_route, op_shape_predicate, op_shape_auth, op_shape_ai_route;

/* --- op_ingress.c, op_ingress_read.c: a route object as an Ingress ------------------------------------ */

/*
 * Everything that can be wrong with a route (made by op_shape_take of op_shape_route, or by a program):
 * predicates (matchType is upper-cased in place), services, domains, texts that an annotation cannot
 * carry, reserved custom configuration, domains that do not agree on HTTPS.
 */
enum op_rc op_ingress_check(struct op *o, struct doc *route);
/* Creates or rewrites the Ingress `name` from a route that was checked. customConfigs and customLabels
 * take the place of all annotations and labels that are not the Console's own. */
void op_ingress_write(struct op *o, struct bytes name, const struct doc *route);
/* The route object of an Ingress, with every member of console-api.md §3.6.1; NULL when there is none. *why (may be
 * NULL): why it is read-only, NULL when it is not. */
struct doc *op_ingress_read(struct op *o, struct bytes name, const char **why);
/* A flat file (higress-resources.md §1.9) in the normal form: in place, before it is written, or as a copy to look
 * at. Others stay as they are. */
void op_ingress_unfold(struct op *o, struct doc *root, struct bytes name);
const struct doc *op_ingress_normal(struct op *o, const struct doc *root, struct bytes name);
/* Annotations (labels) of the Ingress that are not the Console's own: customConfigs (customLabels). */
struct doc *op_ingress_custom_configs(struct op *o, const struct doc *root);
struct doc *op_ingress_custom_labels(struct op *o, const struct doc *root);
/* Whether an annotation (with or without "disabled.", of either prefix) is the Console's own. */
bool op_ingress_reserved(struct bytes key);
/* Whether a label of an Ingress is. */
bool op_ingress_own_label(struct bytes key);

/* HTTPS of a domain. `data` of its ConfigMap; NULL: there is none. */
struct op_https {
	struct bytes domain;    /* that one is looked at as if … */
	const struct doc *data; /* … its ConfigMap held this; domain empty: none is */
};
/* tls of an Ingress for these domains (strings; none: the default domain): *tls is NULL when they are
 * plain. OP_INVALID: they do not agree. */
enum op_rc op_ingress_tls(struct op *o, const struct doc *domains, const struct op_https *as_if,
	struct doc **tls, bool *redirect);
/* Writes what op_ingress_tls gave, and nothing else; not into a flat one. */
void op_ingress_put_tls(struct op *o, struct doc *root, struct doc *tls, bool redirect);
/* Hosts of the rules of an Ingress, in order; none: []. */
struct doc *op_ingress_hosts(struct op *o, const struct doc *root);

/* --- op_plugin.c: WasmPlugins and their rules ----------------------------------------------------------- */

struct op_plugin { /* a built-in plugin (§2.8) */
	const char *name, *version, *tag, *title, *description, *icon, *category;
	const char *phase; /* NULL: unspecified */
	int priority;
	const char *image; /* NULL: the name */
};
extern const struct op_plugin op_plugin_ai_proxy, op_plugin_key_auth, op_plugin_model_router,
	op_plugin_model_mapper, op_plugin_ai_statistics;

/* Of every plugin that the Console has built in (op_plugin_table.c); NULL: none of that name. */
const struct op_plugin *op_plugin_find(struct bytes name);

/* Where a Higress gets it from. */
struct bytes op_plugin_url(struct op *o, const struct op_plugin *p);

/* "<plugin>.internal" or "<plugin>-<version>" */
struct bytes op_plugin_object(struct op *o, const struct op_plugin *p, bool internal);
/* The WasmPlugin, opened; made when there is none, renewed when an internal one is of another version. */
struct doc *op_plugin_need(struct op *o, const struct op_plugin *p, bool internal);
/* To look at; NULL: there is none. */
const struct doc *op_plugin_look(struct op *o, const struct op_plugin *p, bool internal);

struct op_target { /* of a rule: one each at most, empty: none */
	struct bytes ingress, service, domain;
};
/* The rule whose targets are exactly these; NULL: none. */
const struct doc *op_rule_find(struct op *o, const struct doc *root, const struct op_target *t);
/* The same rule, to change, in its place in the order; made with configDisable true and an empty config
 * when there is none. */
struct doc *op_rule_need(struct op *o, struct doc *root, const struct op_target *t);
/* op_rule_need, with this config. */
void op_rule_set(struct op *o, struct doc *root, const struct op_target *t, struct doc *config,
	bool disabled);
/* Whether there was one. matchRules goes with its last rule. */
bool op_rule_drop(struct op *o, struct doc *root, const struct op_target *t);
/* Takes a target ("ingress", "service", "domain") out of every rule of every WasmPlugin; rules that have
 * lost their last one go. */
void op_rules_forget(struct op *o, const char *what, struct bytes target);
/* A rule that a person wrote for several Ingresses, this one among them, and for nothing else. NULL: none. */
const struct doc *op_rule_shared(struct op *o, const struct doc *root, struct bytes ingress);
/* Takes the Ingress out of such rules: from now on it has one of its own. */
void op_rule_part(struct op *o, struct doc *root, struct bytes ingress);
/* The same in one WasmPlugin. */
void op_rules_forget_in(struct op *o, struct bytes name, const char *what, struct bytes target);
/* Whether list `key` of a rule holds name. Opens nothing that is closed. */
bool op_rule_names(struct op *o, const struct doc *rule, const char *key, struct bytes name);

/* --- op_catalogue.c: what pages show of built-in plugins ---------------------------------------------- */

/* Their names in order; NULL behind the last. */
const char *op_catalogue_name(size_t i);
struct bytes op_catalogue_title(const struct op_plugin *p, struct bytes lang);
struct bytes op_catalogue_description(const struct op_plugin *p, struct bytes lang);
/* Of any plugin: one that is not described has no properties. */
struct doc *op_catalogue_schema(struct op *o, struct bytes name, struct bytes lang);
struct bytes op_catalogue_readme(struct op *o, const struct op_plugin *p, struct bytes lang);

/* --- op_auth.c: key-auth.internal --------------------------------------------------------------------- */

/* authConfig of a route; NULL is fine. */
enum op_rc op_auth_check(struct op *o, const struct doc *auth);
/* The rule of a route (§3.4.3); enabled that is absent leaves the switch as it is. Returns the switch. */
bool op_auth_write(struct op *o, struct bytes ingress, const struct doc *auth);
/* authConfig as GET shows it: never NULL. */
struct doc *op_auth_read(struct op *o, struct bytes ingress);
/* The switch of a route's rule, false when there is none. */
bool op_auth_enabled(struct op *o, struct bytes ingress);
/* defaultConfig, made with its members when there is none; defaultConfigDisable becomes false. */
struct doc *op_auth_defaults(struct op *o, struct doc *root);

/* --- op_bridge.c: registries and proxies of the McpBridge ------------------------------------------------ */

/* list: "registries" or "proxies". NULL: none. */
const struct doc *op_bridge_find(struct op *o, const char *list, struct bytes name);
/* Creates the bridge and the entry as needed. Members of want are set, those of `managed` (NULL-ended)
 * that want lacks are dropped, others stay. */
void op_bridge_put(struct op *o, const char *list, struct bytes name, const struct doc *want,
	const char *const *managed);
/* Whether it was there. A registry takes the Secret of its credentials with it. */
bool op_bridge_remove(struct op *o, const char *list, struct bytes name);
/* Names of the entries, in their order. */
struct strings op_bridge_names(struct op *o, const char *list);

/* --- op_proxy_server.c --------------------------------------------------------------------------------------- */

/* Whether proxyName of another object can name one: empty, one that there is, or one that could be made. */
bool op_proxy_name(struct op *o, struct bytes name);

/* --- op_config.c: the ConfigMap higress-config ----------------------------------------------------------- */

/* Writes a section; sections that are missing come with it. */
void op_config_put(struct op *o, const char *section, struct bytes text);

struct op_config { /* the section higress, opened */
	struct bytes text;
	const struct yaml_node *y; /* NULL: empty */
	struct doc *root;
};
/* OP_INVALID: it is no mapping. */
enum op_rc op_config_open(struct op *o, struct op_config *c);
/* Its block mcpServer, made complete as the Console makes it. */
struct doc *op_config_mcp(struct op *o, struct op_config *c);
/* The text of what it is now, for op_config_put; the one it was where nothing was changed. */
enum op_rc op_config_close(struct op *o, struct op_config *c, struct bytes *out);
/* A map in the style of the Console's own YAML. False: that style cannot be told for what it holds. */
bool op_config_print(struct op *o, const struct doc *root, struct bytes *out);

/* --- op_dsn.c: how a database is reached, as one text ----------------------------------------------------- */

/* dbType as the API says it ("MYSQL", any case) and as it is stored ("mysql"); NULL: none of that name. */
struct op_dsn_type;
const struct op_dsn_type *op_dsn_type_of(struct bytes name);
const struct op_dsn_type *op_dsn_type_stored(struct bytes word);
const char *op_dsn_type_name(const struct op_dsn_type *t);
const char *op_dsn_type_word(const struct op_dsn_type *t);
/* dbConfig (console-api.md §3.13.1): what is wrong with it. */
enum op_rc op_dsn_check(struct op *o, const struct op_dsn_type *t, const struct doc *config);
struct bytes op_dsn_build(struct op *o, const struct op_dsn_type *t, const struct doc *config);
/* dbConfig of a text, as far as it says it; every member is there. */
struct doc *op_dsn_parse(struct op *o, const struct op_dsn_type *t, struct bytes dsn);

/* --- op_instance.c: a plugin's configuration as text ------------------------------------------------------ */

/* A YAML mapping, *out as it was where the text says nothing. OP_INVALID: it is none. */
enum op_rc op_instance_parse(struct op *o, struct bytes raw, struct doc **out);
/* A string node; "" of what has no members. */
struct doc *op_instance_text(struct op *o, const struct doc *config);

/* --- op_mcp_read.c: MCP servers as API objects ------------------------------------------------------------ */

enum op_mcp_type { OP_MCP_OPEN_API, OP_MCP_DATABASE, OP_MCP_DIRECT_ROUTE, OP_MCP_NO_TYPE };

extern const struct op_shape op_mcp_read_shape;

/* Of any case. */
enum op_mcp_type op_mcp_read_type(struct bytes name);
/* "x" of "mcp-server-x.internal", and of itself. */
struct bytes op_mcp_read_name(struct bytes name);
/* Whether the Ingress of that name is one's. */
bool op_mcp_read_is(struct op *o, struct bytes route);
/* What it leads to when its tools are ours. */
const struct op_plugin *op_mcp_read_plugin(void);
/* The rule of its tools in the gateway's own WasmPlugin, also one that a person wrote for several; NULL: none. */
const struct doc *op_mcp_read_rule(struct op *o, struct bytes route);
/* Of the block mcpServer: the entry of that name among the servers, NULL: none; how paths of streams end. */
struct doc *op_mcp_read_entry(struct op *o, const struct doc *mcp, struct bytes name);
struct bytes op_mcp_read_suffix(struct op *o);
/* The object with every member; NULL: there is none. */
struct doc *op_mcp_read(struct op *o, struct bytes name);
/* Domains without the blank ones. */
struct doc *op_mcp_read_domains(struct op *o, const struct doc *domains);

/* --- op_mask.c: secrets that come back masked --------------------------------------------------------------- */

/* Texts of `given` that are masks of stored ones (and are not themselves stored) become these. */
void op_mask_restore_list(struct op *o, struct doc *given, const struct doc *stored);
/* The same for one member of two maps. */
void op_mask_restore(struct op *o, struct doc *given, const struct doc *stored, const char *key);

/* --- op_host.c: hosts as API objects name them ------------------------------------------------------------- */

bool op_host_is_ipv4(struct bytes s);
bool op_host_is_ipv6(struct bytes s); /* without brackets */
/* A name in lower case with at least one dot, that ends with a label of letters; one without a dot. */
bool op_host_is_dotted(struct bytes s);
bool op_host_is_single(struct bytes s);
/* Asks o->address_allowed. what: the member, for the sentence. */
enum op_rc op_host_allowed(struct op *o, const char *what, struct bytes host);

/* --- op_provider_types.c: what a type of provider means --------------------------------------------------- */

struct op_endpoint {
	struct bytes scheme, host, path; /* lower case; the path may be empty */
	unsigned port;
};

#define OP_ENDPOINTS_MAX 64u

struct op_endpoints {
	struct op_endpoint v[OP_ENDPOINTS_MAX];
	size_t n;
	struct bytes service; /* a named service in place of a registry; empty: none */
	unsigned service_port;
	bool vertex_auth; /* the registry of the vendor's log-in is needed, too */
};

struct op_provider_type {
	const char *name;
	const char *host; /* the vendor's; NULL: only what is configured */
	const char *path;
	bool follow; /* its service can change: AI routes are written again */
	/* Checks and completes rawConfigs (changed in place), adds endpoints; none added: the vendor's. NULL:
	 * nothing to do. */
	enum op_rc (*complete)(struct op *o, struct doc *raw, struct op_endpoints *out);
};

/* "zhipu" counts as "zhipuai". NULL: no such type. */
const struct op_provider_type *op_provider_type(struct bytes name);
/* The endpoints of a provider with these rawConfigs, at least one unless a service is named. */
enum op_rc op_provider_endpoints(
	struct op *o, const struct op_provider_type *t, struct doc *raw, struct op_endpoints *out);

/* --- op_ai_derive.c: what the record of an AI route becomes --------------------------------------------- */

struct op_ai_route {
	struct bytes name;
	/* JSON objects: as it shall be, complete; as it is stored, NULL: not yet. */
	const struct doc *record, *before;
};

/* "ai-route-x.internal", "ai-route-x.fallback.internal" */
struct bytes op_ai_derive_ingress(struct op *o, struct bytes name, bool fallback);
/* Checks and writes all but the record. Nothing is written when something is wrong. */
enum op_rc op_ai_derive_write(struct op *o, const struct op_ai_route *r);
void op_ai_derive_remove(struct op *o, struct bytes name);

/* --- op_provider.c, op_ai_route.c: of one another -------------------------------------------------------- */

/* Name and port of the service that stands for a provider: "llm-x.internal.dns", 443. False: there is no
 * such provider (or its entry cannot be understood). */
bool op_provider_service(
	struct op *o, struct bytes provider, struct bytes *service, unsigned *port);
/* Writes the Ingresses and rules of every AI route that uses the provider once more: its service has
 * changed. The records of the routes stay as they are. */
void op_ai_route_follow(struct op *o, struct bytes provider);
/* Names of the AI routes that use the provider, in their upstreams or an enabled fallback. */
struct strings op_ai_route_users(struct op *o, struct bytes provider);

#endif
