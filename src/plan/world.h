/*
 * For tests only: a snapshot made of YAML texts, and questions to what was found in it.
 */
#ifndef PLAN_WORLD_H
#define PLAN_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "plan/plan.h"
#include "wire/certificate_make.h"

struct world {
	struct snapshot *snapshot;
	struct arena arena;
	struct findings findings; /* of reading, and of what a test compiles by itself */
};

static inline void world_init(struct world *w)
{
	w->snapshot = snapshot_new();
	arena_init(&w->arena, (size_t)1 << 34);
	findings_init(&w->findings, &w->arena);
}

static inline void world_done(struct world *w)
{
	snapshot_unref(w->snapshot);
	arena_done(&w->arena);
}

static inline void world_print(const struct findings *f)
{
	for (const struct finding *at = f->first; at != NULL; at = at->next) {
		struct text t;

		text_init(&t, 4096);
		finding_format(at, &t);
		fprintf(stderr, "    %s\n", text_cstr(&t));
		text_done(&t);
	}
}

/* file: "ingresses/a.yaml". The object stays the snapshot's. */
static inline struct object *world_add(struct world *w, const char *file, const char *yaml)
{
	struct bytes rest = bytes_str(file);
	int kind = resource_kind_of_dir(bytes_cut(&rest, '/'));
	struct object *o;

	ASSERT(kind >= 0);
	o = object_read((enum resource_kind)kind, bytes_str(file), bytes_str(yaml), &w->findings);
	if (o == NULL) {
		world_print(&w->findings);
	}
	ASSERT(o != NULL);
	snapshot_put(w->snapshot, o);
	return o;
}

/* An Ingress of one rule and one path. annotations: lines "    key: value\n" or "". */
struct world_ingress {
	const char *name, *created, *host, *type, *path, *annotations, *destination;
};

static inline void world_add_ingress(struct world *w, const struct world_ingress *i)
{
	struct text file;
	struct text t;

	text_init(&file, 300);
	text_addf(&file, "ingresses/%s.yaml", i->name);
	text_init(&t, 1u << 20);
	text_addf(&t,
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n"
		"  creationTimestamp: %s\n  annotations:\n    higress.io/destination: %s\n%s",
		i->created != NULL ? i->created : "null",
		i->destination != NULL ? i->destination : "up.static",
		i->annotations != NULL ? i->annotations : "");
	text_addf(&t, "spec:\n  rules:\n  - ");
	if (i->host != NULL) {
		text_addf(&t, "host: '%s'\n    ", i->host);
	}
	text_addf(&t,
		"http:\n      paths:\n      - path: '%s'\n        pathType: %s\n"
		"        backend:\n          resource:\n            kind: McpBridge\n"
		"            name: default\n",
		i->path, i->type != NULL ? i->type : "Prefix");
	world_add(w, text_cstr(&file), text_cstr(&t));
	text_done(&file);
	text_done(&t);
}

/* A text below a key of stringData. */
static inline void world_add_block(struct text *t, const char *key, const struct text *block)
{
	text_addf(t, "  %s: |\n", key);
	for (struct bytes rest = text_bytes(block); rest.p != NULL;) {
		text_add_str(t, "    ");
		text_add_bytes(t, bytes_cut(&rest, '\n'));
		text_add_char(t, '\n');
	}
}

/* A Secret with a new pair; type NULL: kubernetes.io/tls. */
static inline void world_secret(struct text *t, const char *type, const struct make_options *o)
{
	struct text chain, key;

	text_init(&chain, 65536);
	text_init(&key, 65536);
	make_pair(&chain, &key, o);
	text_addf(t, "apiVersion: v1\nkind: Secret\ntype: %s\nstringData:\n",
		type != NULL ? type : SECRET_TLS);
	world_add_block(t, "tls.crt", &chain);
	world_add_block(t, "tls.key", &key);
	text_done(&chain);
	text_done(&key);
}

/* The same, as secrets/<name>.yaml. */
static inline struct object *world_add_secret(
	struct world *w, const char *name, const char *type, const struct make_options *o)
{
	struct text file, t;
	struct object *made;

	text_init(&file, 300);
	text_init(&t, 262144);
	text_addf(&file, "secrets/%s.yaml", name);
	world_secret(&t, type, o);
	made = world_add(w, text_cstr(&file), text_cstr(&t));
	text_done(&file);
	text_done(&t);
	return made;
}

#define WORLD_REGISTRIES(list) \
	"apiVersion: networking.higress.io/v1\nkind: McpBridge\nspec:\n  registries:\n" list
/* An upstream for tests that only ask for the route. */
#define WORLD_UP "  - {name: up, type: static, domain: '127.0.0.1:9000', port: 80}\n"

#define WORLD_PLUGIN(name, spec)                                                               \
	"apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n  labels:\n" \
	"    higress.io/wasm-plugin-name: " name "\nspec:\n" spec

static inline struct plan *world_plan(const struct world *w, const struct provider_types *types)
{
	const struct plan_env env = {.types = types, .seed = {1, 2}};

	return plan_compile(w->snapshot, &env);
}

/* The first finding of that code, NULL when there is none. */
static inline const struct finding *world_finding(const struct findings *f, const char *code)
{
	for (const struct finding *at = f->first; at != NULL; at = at->next) {
		if (strcmp(at->code, code) == 0) {
			return at;
		}
	}
	return NULL;
}

static inline const struct route *world_route(
	const struct plan *p, const char *host, const char *path, enum method m)
{
	const struct route_query q = {
		.host = bytes_str(host), .path = bytes_str(path), .method = m};
	const struct route *out[1];

	return plan_candidates(p, &q, out, 1) != 0 ? out[0] : NULL;
}

#endif
