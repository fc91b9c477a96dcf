/*
 * Providers: an LLM vendor's configuration, compiled (providers.md §1, §2; data-plane.md §4, §6).
 *
 * Types are rows of a table that `ai` owns and registry.c hands to the compiler, so that the plan
 * knows nothing about vendors.
 */
#ifndef PLAN_PROVIDER_H
#define PLAN_PROVIDER_H

#include "base/arena.h"
#include "base/err.h"
#include "plan/api.h"
#include "resource/object.h"

enum auth_scheme { AUTH_BEARER, AUTH_RAW, AUTH_NONE };

/* Small edits of compatible bodies (providers.md §2.3), one bit each. */
enum provider_tweak {
	TWEAK_STREAM_USAGE = 1 << 0,        /* stream_options.include_usage */
	TWEAK_DEVELOPER_TO_SYSTEM = 1 << 1, /* role developer → system */
	TWEAK_ZHIPU_THINKING = 1 << 2,
	TWEAK_OPENROUTER_REASONING = 1 << 3,
	TWEAK_MOONSHOT_USAGE = 1 << 4, /* choices[0].usage of a chunk counts as usage */
};

struct capability {
	enum api api;
	/* "/v1/files/{file_id}": values are taken from the client's path in order; what stands behind a
	 * '?' is appended to the client's query. "" keeps the client's path, NULL: switched off. */
	const char *path;
};

/* A configuration key that a type understands beside the common ones. */
struct provider_key {
	const char *name;
	enum { KEY_STRING, KEY_BOOL, KEY_PORT, KEY_URL, KEY_STRING_LIST, KEY_ANY } type;
	bool required;
	const char *only; /* the one value that is served; with another the provider is unusable */
};

struct provider_type {
	const char *name;         /* "openai" */
	const char *default_host; /* NULL: from keys */
	const char *host_key;     /* key that overrides the host, or NULL */
	enum auth_scheme auth;
	bool token_required;
	bool custom_url; /* openaiCustomUrl semantics (providers.md §2.2) by key custom_url_key */
	const char *custom_url_key;
	/* Endings of a custom URL that stand for one API, longer ones first. */
	const struct capability *direct;
	size_t n_direct;
	bool unsupported_passes; /* an API without a capability passes; else 404 */
	unsigned tweaks;         /* enum provider_tweak */
	const struct capability *caps;
	size_t n_caps;
	const struct provider_key *keys;
	size_t n_keys;
	/* "zhipuCodePlanMode" style switch: when the boolean key is true, caps_alt replaces caps. */
	const char *alt_key;
	bool alt_default; /* value of the switch when the key is absent */
	const struct capability *caps_alt;
	size_t n_caps_alt;
};

struct provider_types {
	const struct provider_type *v;
	size_t n;
};

struct mapping_rule {
	struct bytes from, to; /* from without its trailing '*' for prefixes */
};

/* Exact, then the longest prefix, then "*" (data-plane.md §6). An empty target keeps the model. */
struct mapping {
	struct mapping_rule *exact; /* sorted by `from` */
	size_t n_exact;
	struct mapping_rule *prefixes; /* longest first */
	size_t n_prefixes;
	bool has_default;
	struct bytes fallback; /* target of "*" */
	struct bytes *known;   /* every name that stands in it as a whole, sorted */
	size_t n_known;
};

/* The model to send for `model`; returns `model` itself when nothing maps it. An empty model (absent in
 * the body) gets the "*" target when it has a value, else stays empty. */
struct bytes mapping_apply(const struct mapping *m, struct bytes model);
/* Whether somebody wrote this name into the mapping: as one that is mapped, or as a target. */
bool mapping_knows(const struct mapping *m, struct bytes model);
/* Compiles a YAML map; values that are no strings or patterns that cannot be (regular expressions, "~…",
 * are understood from a later version on) become findings. node may be NULL (empty mapping). */
int mapping_compile(struct mapping *out, const struct yaml_node *node, const struct object *where,
	struct arena *a, struct findings *f);

struct provider {
	struct bytes id;
	const struct provider_type *type;
	bool original;         /* protocol: original */
	struct strings tokens; /* apiTokens */
	struct bytes host;     /* Host to send, with port when the custom URL names one */
	struct bytes sni;      /* host without port */
	struct bytes base_path, provider_base_path; /* "" or "/x" */
	enum { BASE_PATH_NONE, BASE_PATH_REMOVE, BASE_PATH_PREPEND } base_path_handling;
	struct mapping mapping;
	unsigned tweaks;
	const struct capability *caps; /* custom URL and `capabilities` are worked in */
	size_t n_caps;
	uint64_t first_byte_ms;       /* firstByteTimeout, 0: default */
	struct bytes response_format; /* responseJsonSchema as JSON text, empty: none */
};

/* Compiles one entry of ai-proxy's `providers`. NULL and findings when it is unusable. */
struct provider *provider_compile(const struct yaml_node *entry, const struct object *where,
	const struct provider_types *types, struct arena *a, struct findings *f);

/* The one function that computes the path towards the provider (data-plane.md §4 S): path and query as
 * the client sent them, appended to out. Returns 0, or ERR_UNSUPPORTED when this provider does not
 * serve the API (the answer is 404 api.unsupported). */
MUST_CHECK int provider_path(const struct provider *p, enum api api, struct bytes path,
	struct bytes query, struct text *out);

#endif
