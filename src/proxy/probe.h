/*
 * An exchange that nobody asked for from outside (hiclaw-integration.md 8.1): the gateway sends a request of its own
 * through a provider's real path (dialect, settings, TLS, credentials, connections), pinned to that provider without
 * a choice of route, and hands the answer back. It runs on a worker as every exchange does. It is in no count of
 * requests or usage; its access line says "probe".
 *
 * Control's, but for what runs on the worker.
 */
#ifndef PROXY_PROBE_H
#define PROXY_PROBE_H

#include "base/text.h"
#include "proxy/gateway.h"

/* Of an answer: a model list of an aggregator has 500 KB. */
#define PROBE_ANSWER_MAX ((size_t)4 << 20)
#define PROBE_WHY_MAX 256u

enum probe_failure {
	PROBE_ANSWERED,    /* status and body are set, whatever they say */
	PROBE_NO_PROVIDER, /* the plan in force has none of that name, or it cannot be used: why */
	PROBE_DNS,
	PROBE_CONNECT,
	PROBE_TLS,
	PROBE_TIMEOUT,
	PROBE_PROTOCOL, /* no HTTP, cut, too large */
	PROBE_GONE      /* the gateway ends */
};

/* Embedded in whoever asks, zeroed before; not to be moved while it is under way. */
struct probe {
	struct bytes provider; /* as the Console names it */
	struct bytes method,
		path; /* "POST", "/v1/chat/completions": as a client of the gateway would ask */
	struct bytes body; /* JSON of the client's protocol; empty: none */
	/* With which of the provider's credentials (plan/lane.h); NULL: any. Its lane stays until on_done. */
	const struct lane *credential;
	uint32_t connect_ms, total_ms; /* 0: 10 s, 30 s */
	void (*on_done)(struct probe *p);
	void *arg;

	/* the outcome */
	enum probe_failure failure;
	unsigned status;         /* of the upstream, as a client would have seen it */
	struct text body_got;    /* as a client would have seen it: translated, decoded */
	bool is_json;            /* by its content type */
	uint32_t ms;             /* from start to the end */
	char why[PROBE_WHY_MAX]; /* one sentence without a full stop; no secrets */

	/* the gateway's */
	struct probe_run *run;
};

/* Control. Never calls on_done before it returns. What is pointed to stays until on_done. */
void probe_start(struct gateway *g, struct probe *p);
/* Control, while it is under way: on_done will not be called; the exchange is ended. */
void probe_cancel(struct probe *p);
/* Gives the answer back. Safe on a zeroed one; not while it is under way. */
void probe_done(struct probe *p);

#endif
