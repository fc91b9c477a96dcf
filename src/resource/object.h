/*
 * Resources as objects: what one YAML file of a Higress tree says (higress-resources.md §1, §2).
 *
 * A file is read through the schema table of its kind (resource/kind_<noun>.c): each row says where a
 * member stands, of which type it is and where it goes in the typed struct below. What no row names
 * stays in the tree. An object is immutable once read and owns an arena of its own, so that it can be
 * shared between snapshots and kept when its file breaks. Objects and snapshots are counted by any thread;
 * a snapshot is filled by one.
 */
#ifndef RESOURCE_OBJECT_H
#define RESOURCE_OBJECT_H

#include <stdatomic.h>

#include "resource/finding.h"
#include "wire/certificate.h"
#include "wire/yaml.h"

/* Files above it are refused with a finding. A 100,000-consumer key-auth file is about 20 MB. */
#define RESOURCE_FILE_MAX (64u * 1024u * 1024u)

enum resource_kind {
	RESOURCE_CONFIGMAP,
	RESOURCE_INGRESS,
	RESOURCE_MCPBRIDGE,
	RESOURCE_WASMPLUGIN,
	RESOURCE_SECRET,
	RESOURCE_ENVOYFILTER,
	RESOURCE_KIND_COUNT
};

/* Directory of a kind ("ingresses"); the kind of a directory, -1 when the program knows none. */
const char *resource_dir(enum resource_kind kind);
int resource_kind_of_dir(struct bytes dir);
/* The file of an object below the root, as findings name it, in the arena; without a pointer when that is full. */
struct bytes resource_file(struct arena *a, enum resource_kind kind, struct bytes name);
/* "Ingress" */
const char *resource_kind_name(enum resource_kind kind);

/* Where something stands, for findings. */
struct place {
	uint32_t line, column;
};

struct pair { /* of a string map */
	struct bytes key, value;
	struct place at;
};

struct pairs {
	struct pair *v;
	size_t n;
};

struct strings {
	struct bytes *v;
	struct place *at;
	size_t n;
};

struct meta {
	struct bytes name;     /* from the file's name, whatever the file says */
	struct bytes creation; /* creationTimestamp, empty when absent or null */
	struct bytes version;  /* resourceVersion */
	struct pairs labels, annotations;
};

struct configmap {
	struct pairs data;
};

struct registry { /* of the McpBridge: a service source */
	struct bytes name, type, domain, protocol, sni, proxy_name;
	uint64_t port; /* 0: none */
	struct place at, domain_at, proxy_at;
	/* of types that are asked for services (nacos, zookeeper, consul, eureka) */
	struct bytes auth_secret; /* name of a Secret with the credentials */
	struct bytes nacos_namespace, consul_datacenter, consul_tag;
	struct strings nacos_groups, zk_paths;
	int64_t consul_refresh_s, nacos_refresh_s;
	/* nacos3: tools of MCP servers */
	bool mcp_server;
	struct bytes mcp_base_url;
	struct strings mcp_domains;
};

struct proxy { /* that registries name */
	struct bytes name, type, address;
	uint64_t port;
	int64_t connect_ms;
	struct place at;
};

struct mcpbridge {
	struct registry *registries;
	size_t n_registries;
	struct proxy *proxies;
	size_t n_proxies;
};

struct ingress_path {
	struct bytes path, type;                 /* as written; may be empty */
	bool backend_service;                    /* a backend of kind Service */
	struct bytes backend_kind, backend_name; /* of backend.resource */
	struct place at;
};

struct ingress_rule {
	struct bytes host; /* empty: every host */
	struct ingress_path *paths;
	size_t n_paths;
	struct place at;
};

struct ingress_tls {
	struct strings hosts; /* none: every host */
	struct bytes secret;
	struct place at;
};

struct ingress {
	struct bytes class_name;
	struct ingress_rule *rules;
	size_t n_rules;
	struct ingress_tls *tls;
	size_t n_tls;
};

struct plugin_rule {
	struct strings ingress, service, domain;
	const struct yaml_node *config; /* may be NULL */
	bool disabled;                  /* configDisable */
	struct place at;
};

struct wasmplugin {
	struct bytes
		plugin; /* from the label higress.io/wasm-plugin-name, else from the object's name
				without ".internal" or "-<version>" */
	struct bytes phase; /* empty: unspecified */
	int64_t priority;
	const struct yaml_node *config; /* defaultConfig, may be NULL */
	/* Of the bytes that defaultConfig is written with, which say all of it: 0 when an anchor elsewhere
	 * may have a part in it. */
	uint64_t config_hash[2];
	bool config_disabled; /* defaultConfigDisable */
	struct plugin_rule *rules;
	size_t n_rules;
};

#define SECRET_TLS "kubernetes.io/tls"

/* Nothing of it but names may ever be shown. */
struct secret {
	struct bytes type; /* SECRET_TLS, "Opaque", empty … */
	struct pairs data; /* decoded; those of stringData first, so that pairs_find finds them */
	struct pairs strings; /* stringData, as it stands in the file */
	/* Of type SECRET_TLS it is never NULL: without one the file is invalid. Another Secret that holds
	 * tls.crt and tls.key has one if these are good. One reference is the object's. */
	const struct certificate *certificate;
};

struct envoy_patch { /* of an EnvoyFilter */
	struct bytes apply_to, context, route, operation;
	const struct yaml_node *value; /* may be NULL */
	struct place at;
};

struct envoyfilter {
	struct envoy_patch *patches;
	size_t n_patches;
};

struct name_index;

struct object {
	enum resource_kind kind;
	struct bytes file; /* "ingresses/a.yaml" */
	struct meta meta;
	const struct yaml_node *root;
	union {
		struct configmap configmap;
		struct mcpbridge mcpbridge;
		struct ingress ingress;
		struct wasmplugin wasmplugin;
		struct secret secret;
		struct envoyfilter envoyfilter;
	} u;
	uint64_t hash[2];         /* of the file's bytes (SHA-256, first half) */
	uint64_t hash_rest[2];    /* the second half */
	size_t size;              /* of the file, in bytes */
	struct findings findings; /* what reading it found; errors == 0 */
	struct arena arena;
	atomic_uint refs;
	/* Of resource/name_index.h. NULL: nobody has asked yet. */
	_Atomic(struct name_index *) names;
	_Atomic(const struct yaml_node *) found; /* by the walk before */
};

struct object_text { /* of object_take */
	struct arena *arena;
	struct yaml_doc doc;
};

/* Reads one file. `file` is its name below the root, "ingresses/a.yaml". NULL when it is invalid; then
 * at least one error is in *why (whose arena is the caller's). */
MUST_CHECK struct object *object_read(
	enum resource_kind kind, struct bytes file, struct bytes text, struct findings *why);
/* The same of a text that was read already: read->doc is its tree, in an arena that the object takes over
 * (it is left empty), also when NULL is returned. */
MUST_CHECK struct object *object_take(enum resource_kind kind, struct bytes file, struct bytes text,
	struct object_text *read, struct findings *why);
/* What an object's arena may hold; one that object_take gets is made with it. */
#define OBJECT_ARENA_MAX ((size_t)1 << 30)
/* Says that yaml_parse failed, in the words that object_read has for it. */
void object_note_fault(struct findings *f, struct bytes file, int rc, const struct fault *fault);
struct object *object_ref(struct object *o);
void object_unref(struct object *o);

/* Whether a WasmPlugin that cannot be read may be key-auth or basic-auth: by its name or by what stands in it. text
 * NULL: nothing of it could be read. */
bool wasmplugin_may_guard(struct bytes file, const struct bytes *text);

/* "" when there is none. */
struct bytes pairs_get(const struct pairs *p, const char *key);
const struct pair *pairs_find(const struct pairs *p, struct bytes key);

/* A consistent set of objects, ordered by kind and name. Counted like objects. */
struct snapshot {
	struct object **objects;
	size_t n, cap;
	atomic_uint refs;
	/* A WasmPlugin that may be the one that says who passes is there, but was never read. */
	bool guard_unread;
};

struct snapshot *snapshot_new(void);
/* Takes over one reference to o. An object of the same kind and name is replaced. */
void snapshot_put(struct snapshot *s, struct object *o);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);
/* NULL when there is none. */
struct object *snapshot_get(const struct snapshot *s, enum resource_kind kind, struct bytes name);
/* Objects of one kind: first index in *from, number returned. */
size_t snapshot_kind(const struct snapshot *s, enum resource_kind kind, size_t *from);

#endif
