/*
 * The edit of OpenClaw's configuration that switches an agent to a model (hiclaw-integration.md 5), as a
 * pure function of its text. The Manager's file and the Workers' are edited alike.
 *
 * Nothing is touched but the provider block of the gateway, its entry for the model, the primary model and
 * the model's alias, each only as far as it is not what it must be: OpenClaw's schema is strict, and it
 * restores a backup when a file has shrunk.
 */
#ifndef HICLAW_OPENCLAW_H
#define HICLAW_OPENCLAW_H

#include "hiclaw/config_edit.h"
#include "hiclaw/known_models.h"

/* The provider of the gateway, in front of every reference to one of its models. */
#define OPENCLAW_PROVIDER "hiclaw-gateway"

struct openclaw_wish {
	struct bytes model; /* id, with or without "hiclaw-gateway/" in front */
	/* in_file is filled by the edit */
	struct model_sources sources;
	/* What a provider block gets when there is none: the gateway's URL with /v1, the agent's key. */
	struct bytes base_url, api_key;
	bool key_in_file; /* of a Worker: gateway.auth.token of the file serves when api_key is empty */
};

struct openclaw_switch {
	struct config_text config;
	struct bytes model;         /* bare id */
	struct model_traits traits; /* as resolved */
	/* Id of the active entry of agents.list ("" when it has none) whose own model overrides the default:
	 * warning AGENT_OVERRIDE. p NULL: there is none. */
	struct bytes overrider;
};

/* "hiclaw-gateway/" taken away. */
struct bytes openclaw_bare_model(struct bytes model);

/* The arena (CONFIG_ARENA_MAX) gets everything; the text must outlive *out. *out is untouched unless the
 * answer is CONFIG_OK; fault.text says in one sentence what keeps the edit from being made. */
MUST_CHECK enum config_code openclaw_switch(struct arena *a, struct bytes text,
	const struct openclaw_wish *wish, struct openclaw_switch *out, struct fault *fault);

struct openclaw_view {
	struct bytes primary; /* reference as it stands, p NULL: there is none */
	struct bytes model;   /* bare id when that is one of the gateway's models, else p NULL */
	bool has_entry;       /* the provider block lists the model */
	struct model_traits traits; /* of that entry */
	struct bytes overrider;     /* as in struct openclaw_switch */
};

/* What is configured. ERR_SYNTAX or ERR_LIMIT with the fault of json5_parse. */
MUST_CHECK int openclaw_read(
	struct arena *a, struct bytes text, struct openclaw_view *out, struct fault *fault);

#endif
