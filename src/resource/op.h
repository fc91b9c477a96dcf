/*
 * Operations of the management plane on resources: (snapshot, API object) → change set, and resources →
 * API object (higress-resources.md §2–§3, console-api.md §3). Pure. Everything is checked before the draft is
 * touched; after a refusal the draft is thrown away.
 *
 * An operation of a noun is in op_<noun>.c; the shapes of API objects are those of console-api.md, the
 * quirks of the Console's HTTP (envelopes, statuses, path against body) are not here.
 */
#ifndef RESOURCE_OP_H
#define RESOURCE_OP_H

#include "resource/draft.h"

enum op_rc {
	OP_OK,
	OP_INVALID,   /* a field is wrong: the text names it */
	OP_EXISTS,    /* create of what is there */
	OP_STALE,     /* another version is stored */
	OP_MISSING,   /* nothing of that name */
	OP_IN_USE,    /* something else names it */
	OP_READ_ONLY, /* the program's own, or not expressible: the text says why */
	OP_LIMIT,     /* too large */
};

struct op {
	struct draft draft;
	struct arena *arena;
	/* For host names given through an API (product.md §7): false refuses, *why is a constant text. NULL:
	 * everything goes. Names and addresses alike, without port. */
	bool (*address_allowed)(void *arg, struct bytes host, const char **why);
	void *arg;
	bool strict_delete; /* refuse to delete a provider that a route names */
	const char *
		plugin_url; /* pattern with ${name} and ${version}; NULL: Higress's OCI addresses */
	struct text why;    /* of a refusal: one sentence */
	struct text warnings; /* lines: what was done but will not work as it stands */
};

void op_init(struct op *o, const struct snapshot *base, struct arena *arena);
void op_done(struct op *o);
/* Sets the text and returns rc, so that an operation can `return op_refuse(...)`. */
enum op_rc op_refuse(struct op *o, enum op_rc rc, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* How an API object is given: POST creates (some upsert), PUT replaces. */
enum op_mode { OP_CREATE, OP_UPDATE };

/*
 * Each noun has these, as a row of op_nouns:
 *  save    validates body (a map; its "name" is right already), changes the draft. body may be changed.
 *  remove  of what is not there: OP_OK and an empty draft.
 *  read    the API object of that name, NULL when there is none; secrets in clear.
 *  list    all names, in the order of the Console (§2.4), as `struct bytes` in the arena.
 */
struct op_noun {
	const char *noun; /* "provider" */
	enum op_rc (*save)(struct op *o, enum op_mode mode, struct bytes name, struct doc *body);
	enum op_rc (*remove)(struct op *o, struct bytes name);
	struct doc *(*read)(struct op *o, struct bytes name);
	struct strings (*list)(struct op *o);
};

extern const struct op_noun op_domain, op_provider, op_consumer, op_ai_route, op_route, op_source,
	op_certificate, op_proxy_server, op_mcp_server, op_wasm_plugin;
/* For backups. Instances: "SCOPE/TARGET/PLUGIN", as below. Settings: one object, "higress-config", whose data are the
 * texts of the ConfigMap's sections. */
extern const struct op_noun op_instance, op_settings;

/* MCP servers beside the five of a noun (console-api.md §3.13.2); a server may be named by its route, too. */
bool op_mcp_server_is_type(struct bytes name);
/* "mcp-server-x.internal" of "x", and of itself. */
struct bytes op_mcp_read_route(struct op *o, struct bytes name);
/* What a PUT of the body answers: the body, with every member. */
struct doc *op_mcp_read_echo(struct op *o, const struct doc *body);
/* As a list shows it: without what only the detail has. NULL: there is none. */
struct doc *op_mcp_read_listed(struct op *o, struct bytes name);
/* Puts names behind those that may call it (takes them out); the switch stays. OP_MISSING: no such server. */
enum op_rc op_mcp_server_allow(
	struct op *o, struct bytes name, const struct doc *consumers, bool add);
/* The names, NULL or null: there is no list. OP_MISSING. */
enum op_rc op_mcp_server_allowed(struct op *o, struct bytes name, const struct doc **out);
/* Takes the consumer out of every list of a server. */
void op_mcp_server_forbid(struct op *o, struct bytes consumer);

/* Wasm plugins beside the five of a noun, which knows the custom ones by name (console-api.md §3.11). lang: "zh-CN",
 * "en-US"; what is neither is English. */
struct doc *op_wasm_plugin_read(struct op *o, struct bytes name, struct bytes lang);
/* All of them: those that are built in by name, then the others. */
struct doc *op_wasm_plugin_list(struct op *o, struct bytes lang);
/* What can be configured. False: there is no such plugin. */
bool op_wasm_plugin_schema(struct op *o, struct bytes name, struct bytes lang, struct doc **out);
/* A page in Markdown; NULL: there is none. */
struct doc *op_wasm_plugin_readme(struct op *o, struct bytes name, struct bytes lang);
/* Whether the gateway does itself what a plugin of that name does. */
bool op_plugin_served(struct bytes name);

/* An OpenAPI document as the configuration of an MCP server, YAML. OP_INVALID, OP_LIMIT: it cannot be. */
enum op_rc op_tools_convert(struct op *o, struct bytes text, struct bytes *out);

/* The ConfigMap higress-config: names of the sections that it always has, in their order, NULL behind the last; the
 * YAML of one, what a fresh Higress has where it is not there or empty. */
#define OP_CONFIG BYTES("higress-config")
const char *op_config_section(size_t i);
struct bytes op_config_text(struct op *o, const char *section);

/* Plugin instances: scope GLOBAL (target empty), DOMAIN, ROUTE, SERVICE (console-api.md §3.12). */
enum op_scope { OP_GLOBAL, OP_DOMAIN, OP_ROUTE, OP_SERVICE };
enum op_rc op_instance_save(struct op *o, enum op_scope scope, struct bytes target,
	struct bytes plugin, struct doc *body);
enum op_rc op_instance_remove(
	struct op *o, enum op_scope scope, struct bytes target, struct bytes plugin);
/* Never NULL for a known target: the object of "nothing is configured". OP_INVALID: unknown target. */
enum op_rc op_instance_read(struct op *o, enum op_scope scope, struct bytes target,
	struct bytes plugin, struct doc **out);
enum op_rc op_instance_list(
	struct op *o, enum op_scope scope, struct bytes target, struct doc **out);

#endif
