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
#include "plan/conversation.h"
#include "plan/failover.h"
#include "resource/object.h"
#include "wire/json.h"

/* Where the credential stands: Authorization with or without "Bearer ", or a header of that name. */
enum auth_scheme { AUTH_BEARER, AUTH_RAW, AUTH_X_API_KEY, AUTH_API_KEY, AUTH_X_GOOG_API_KEY };

/* Small edits of compatible bodies (providers.md §2.3), one bit each. */
enum provider_tweak {
	TWEAK_STREAM_USAGE = 1 << 0,        /* stream_options.include_usage */
	TWEAK_DEVELOPER_TO_SYSTEM = 1 << 1, /* role developer → system */
	TWEAK_ZHIPU_THINKING = 1 << 2,
	TWEAK_OPENROUTER_REASONING = 1 << 3,
	TWEAK_MOONSHOT_USAGE = 1 << 4,   /* choices[0].usage of a chunk counts as usage */
	TWEAK_NO_WATERMARK = 1 << 5,     /* images: watermark false when absent */
	TWEAK_NO_TOOL_SWITCHES = 1 << 6, /* responses: without parallel_tool_calls, tool_choice */
};

struct capability {
	enum api api;
	/* "/v1/files/{file_id}": values are taken from the client's path in order, or from the key of that
	 * name where the type has one; what stands behind a '?' is appended to the client's query. "" keeps
	 * the client's path, CAPABILITY_SUFFIX what of it names the API; NULL: switched off. */
	const char *path;
};

#define CAPABILITY_SUFFIX "{path}"
/* In a path: the model that is sent (azure). provider_put_model fills it in. */
#define CAPABILITY_MODEL "{deployment}"

/* A configuration key that a type understands beside the common ones. */
struct provider_key {
	const char *name;
	enum { KEY_STRING, KEY_BOOL, KEY_PORT, KEY_URL, KEY_STRING_LIST, KEY_ANY } type;
	bool required;
	const char *only; /* the one value that is served; with another the provider is unusable */
	bool in_path;     /* stands in paths: letters, digits, '-', '_' only */
	bool untranslated; /* asks for a protocol that is not served: with it the provider is unusable */
};

struct provider_type {
	const char *name;         /* "openai" */
	bool untranslated;        /* known, and needs a translation that is not served */
	const char *default_host; /* NULL: from keys */
	const char *host_key;     /* key that overrides the host, or NULL */
	enum auth_scheme auth;
	bool token_required;
	bool custom_url; /* openaiCustomUrl semantics (providers.md §2.2) by key custom_url_key */
	const char *custom_url_key;
	/* Endings of a custom URL that stand for one API, longer ones first. */
	const struct capability *direct;
	size_t n_direct;
	bool azure;              /* custom_url_key holds azureServiceUrl (providers.md §5.6) */
	bool unsupported_passes; /* an API without a capability passes; else 404 */
	bool keeps_body; /* neither mapping nor tweaks: only credential, host and settings */
	/* The default value of anthropic-version, which version_keys override; NULL: the client's. */
	const char *anthropic_version;
	unsigned tweaks; /* enum provider_tweak */
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

struct regex;

struct mapping_regex {
	struct regex
		*from;   /* matches anywhere in a name; the matches are replaced, the rest stays */
	struct bytes to; /* base/regex.h says what stands for its groups */
};

/* Exact, then the longest prefix, then expressions in the order of the file, then "*" (data-plane.md §6).
 * An empty target keeps the model. */
struct mapping {
	struct mapping_rule *exact; /* sorted by `from` */
	size_t n_exact;
	struct mapping_rule *prefixes; /* longest first */
	size_t n_prefixes;
	struct mapping_regex *regexes;
	size_t n_regexes;
	bool has_default;
	struct bytes fallback; /* target of "*" */
	struct bytes *known;   /* every name that stands in it as a whole, sorted */
	size_t n_known;
};

/* Longest name that an expression may make; a longer one is not made, and the model stays. */
#define MAPPING_MODEL_MAX 1024u

/* The model to send for `model`; returns `model` itself when nothing maps it. An empty model (absent in
 * the body) gets the "*" target when it has a value, else stays empty. What an expression makes is put
 * into a; when that is full, the name counts as not matched. */
struct bytes mapping_apply(const struct mapping *m, struct bytes model, struct arena *a);
/* Whether nothing is mapped, or named. */
bool mapping_is_empty(const struct mapping *m);
/* Whether somebody wrote this name into the mapping: as one that is mapped, or as a target. */
bool mapping_knows(const struct mapping *m, struct bytes model);
/* Compiles a YAML map; values that are no strings and expressions that are none become findings. node may
 * be NULL (empty mapping). */
int mapping_compile(struct mapping *out, const struct yaml_node *node, const struct object *where,
	struct arena *a, struct findings *f);

/* A list of names, prefixes ending in '*', "~expressions" and "*"; node may be NULL (empty list). */
int mapping_compile_patterns(struct mapping *out, const struct yaml_node *node,
	const struct object *where, struct arena *a, struct findings *f);
/* Whether one of them is, or matches, the model. */
bool mapping_matches(const struct mapping *m, struct bytes model);

/*
 * customSettings (data-plane.md §7): members that a body gets. A name with dots is a path of members; each
 * of them, and of those above, is a node, and a want of the query under the node's number.
 */
#define SETTING_NODES_MAX JSON_WANTS_MAX
#define SETTING_TOP SIZE_MAX

struct setting_node {
	struct bytes key;
	size_t parent; /* an earlier node, or SETTING_TOP */
};

struct custom_setting {
	unsigned node;
	struct bytes value; /* JSON */
	bool overwrite;     /* also where the client has the member */
	uint64_t apis;      /* bit per enum api */
};

struct custom_settings {
	const struct custom_setting *v; /* applied in this order */
	size_t n;
	const struct setting_node *nodes;
	size_t n_nodes;
	struct json_query *query; /* ends with the arena */
	uint64_t apis;            /* where any of them applies */
};

static_assert(API_COUNT <= 64, "a bit for each API");

struct custom_settings_input {
	const struct provider_type *type;
	bool original;
	const struct object *where;
	struct arena *arena;
	struct findings *findings;
};

/* node may be NULL (no settings). False when it cannot be used: said in findings. */
MUST_CHECK bool custom_settings_compile(struct custom_settings *out, const struct yaml_node *node,
	const struct custom_settings_input *in);

struct provider {
	struct bytes id;
	const struct provider_type *type;
	bool original;                 /* protocol: original */
	struct strings tokens;         /* apiTokens */
	struct lane_slot *credentials; /* one for each of them */
	struct bytes host;             /* Host to send, with port when the custom URL names one */
	struct bytes sni;              /* host without port */
	struct bytes base_path, provider_base_path; /* "" or "/x" */
	enum { BASE_PATH_NONE, BASE_PATH_REMOVE, BASE_PATH_PREPEND } base_path_handling;
	struct mapping mapping;
	struct custom_settings settings;
	struct conversation conversation;
	bool promotes;         /* promoteThinkingOnEmpty */
	bool aggregates;       /* aggregateUnexpectedStream */
	struct mapping deny;   /* modelDeny */
	struct bytes version;  /* of anthropic-version; p NULL: the client's */
	bool version_is_fixed; /* it was configured: the client's own does not count */
	bool forwards_usage;   /* forwardInjectedUsage: the client sees what was not its wish */
	bool respects_false;   /* respectUsageFalse: include_usage false stays */
	bool lists_models;     /* modelsFromMapping */
	struct bytes whole;    /* azure: path and query of every request; empty: by capability */
	struct bytes query;    /* azure: behind the client's */
	bool model_in_path;    /* some path has CAPABILITY_MODEL */
	unsigned tweaks;
	const struct capability *caps; /* custom URL and `capabilities` are worked in */
	size_t n_caps;
	uint64_t first_byte_ms;          /* firstByteTimeout, 0: default */
	uint64_t idle_ms;                /* idleTimeout, 0: default */
	struct bytes response_format;    /* responseJsonSchema as JSON text, empty: none */
	struct failover_policy failover; /* of tokens that fail */
	struct retry_policy retry;       /* retryOnFailure */
	struct concurrency concurrency;
	bool is_capped;          /* some number of it is set */
	unsigned context_window; /* of its models, in units of text (tokens); 0: not known */
};

/* Compiles one entry of ai-proxy's `providers`. NULL and findings when it is unusable. */
struct provider *provider_compile(const struct yaml_node *entry, const struct object *where,
	const struct provider_types *types, struct arena *a, struct findings *f);

/* Whether bodies of this API are chats whose messages may be changed. */
static inline bool provider_edits_chats(const struct provider *p, enum api api)
{
	return api == API_CHAT_COMPLETIONS && !p->original && !p->type->keeps_body;
}

/* Whether it has a path for requests of that API. */
bool provider_serves(const struct provider *p, enum api api);
/* The one function that computes the path towards the provider (data-plane.md §4 S): path and query as
 * the client sent them, appended to out. Returns 0, or ERR_UNSUPPORTED when this provider does not
 * serve the API (the answer is 404 api.unsupported). */
MUST_CHECK int provider_path(const struct provider *p, enum api api, struct bytes path,
	struct bytes query, struct text *out);
/* Whether it has a list of models that can be asked for and names what it serves. */
bool provider_has_list(const struct provider *p);
/* Whether the path of a target has a place for the model. */
bool provider_has_model_path(const struct provider *p, struct bytes target);
/* Puts the model in the place of CAPABILITY_MODEL in a target that provider_path made, percent-encoded
 * where a path wants it. Nothing when there is none. */
void provider_put_model(const struct provider *p, struct bytes model, struct text *target);

#endif
