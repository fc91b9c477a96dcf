/*
 * Whether a model can be had from a provider (hiclaw-integration.md 8.1, monitor-api.md 4.7): one short request
 * through the gateway itself (proxy/probe.h), and what its answer means. Control's.
 */
#ifndef HICLAW_REACH_H
#define HICLAW_REACH_H

#include "hiclaw/known_models.h"
#include "proxy/probe.h"
#include "resource/object.h"

#define REACH_WHY_MAX 384u
#define REACH_SAMPLE_MAX 20u

enum reach_kind { /* of a failure */
	REACH_OK,
	REACH_DNS,
	REACH_CONNECT,
	REACH_TLS,
	REACH_TIMEOUT,
	REACH_AUTH,
	REACH_MODEL,
	REACH_QUOTA,
	REACH_UPSTREAM,
	REACH_PROTOCOL
};
/* "dns", ...; "" for REACH_OK. */
const char *reach_kind_text(enum reach_kind kind);

enum reach_limit { REACH_MAX_TOKENS, REACH_MAX_COMPLETION_TOKENS };

/* Embedded in whoever asks, zeroed before. */
struct reach {
	struct bytes provider;
	struct bytes model; /* bare id */
	void (*on_done)(struct reach *r);
	void *arg;

	/* the outcome */
	bool ok;              /* also for 429, with rate_limited */
	bool rate_limited;    /* reachable, with a warning */
	enum reach_kind kind; /* REACH_QUOTA when it is rate_limited */
	unsigned status;      /* 0: none came */
	uint32_t ms;
	char why[REACH_WHY_MAX]; /* one sentence without a full stop; keys masked; cut at 300 characters */

	/* its own */
	struct gateway *gateway;
	struct probe probe;
	struct text request;
	enum reach_limit limit;
	bool larger, other; /* what was tried again */
};

/* Never calls on_done before it returns. */
void reach_start(struct gateway *g, struct reach *r);
void reach_cancel(struct reach *r);
/* Safe on a zeroed one. */
void reach_done(struct reach *r);

/* A provider's list of models through its real adapter: "GET /v1/models" pinned to it. */
struct reach_list {
	struct bytes provider;
	struct bytes model; /* looked for; empty: none */
	void (*on_done)(struct reach_list *l);
	void *arg;

	bool ok;
	bool unsupported; /* the provider type has no list, or answers 404 or 405 on it */
	enum reach_kind kind;
	unsigned status;
	uint32_t ms;
	char why[REACH_WHY_MAX];
	size_t n_models;
	bool found;          /* model is among them */
	struct arena *arena; /* the caller's: of ids */
	struct bytes *ids;   /* all of them, in the answer's order */

	struct gateway *gateway;
	struct probe probe;
};
void reach_list_start(struct gateway *g, struct reach_list *l);
void reach_list_cancel(struct reach_list *l);
void reach_list_done(struct reach_list *l);

/* --- pure (reach_judge.c) ----------------------------------------------------------------------- */

struct reach_verdict {
	bool ok, rate_limited;
	bool again_larger; /* the limit of one token was refused as too small */
	bool again_other;  /* max_tokens was refused: this model has max_completion_tokens */
	enum reach_kind kind;
};
/* What an answer to reach_body means. why: as of struct reach; secrets (may be NULL) are masked beside what looks like
 * a key. */
void reach_judge(const struct probe *p, struct bytes model, const struct strings *secrets,
	struct reach_verdict *out, char why[REACH_WHY_MAX]);
/* The same of one to a list; ids into l, which has provider and arena. */
void reach_judge_list(const struct probe *p, const struct strings *secrets, struct reach_list *l);
/* How the limit is called for a model of that id. */
enum reach_limit reach_limit_of(struct bytes model);
/* The body of the request. tokens: the limit. */
void reach_body(struct bytes model, enum reach_limit limit, unsigned tokens, struct text *out);

#endif
