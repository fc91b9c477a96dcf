/*
 * Whether another gateway serves a consumer a model by now (placement P4): one short request at a time, again and again,
 * until it is answered or the time is over. A real Higress takes up to 45 s until a route that was changed is active, and
 * answers meanwhile by what it had. Control's.
 */
#ifndef HICLAW_ACTIVATION_H
#define HICLAW_ACTIVATION_H

#include "hiclaw/reach.h"
#include "http/fetch.h"

/* Between two requests: the first wait, which doubles up to the last. */
#define ACTIVATION_FIRST_MS 250u
#define ACTIVATION_LAST_MS 4000u
/* One that nobody answers. */
#define ACTIVATION_ANSWER_MS 15000u
/* Accident: a gateway that is not there will not come because routes change. */
#define ACTIVATION_SILENT_MAX 3u

enum activation_state {
	ACTIVATION_PENDING,
	ACTIVATION_VERIFIED, /* a completion came, or 429 (rate_limited): somebody there says that too much is asked */
	ACTIVATION_REFUSED, /* until the end: 401, 403, 404 */
	ACTIVATION_FAILED,  /* until the end: an answer that is none of the model */
	ACTIVATION_SILENT   /* the gateway cannot be asked */
};

/* Embedded in who asks, zeroed before; not to be moved while it is under way. */
struct activation {
	struct loop *loop;
	struct fetcher *fetcher;
	bool tls;
	const char *host; /* without brackets */
	uint16_t port;
	struct bytes authority;    /* of the field Host */
	struct bytes target;       /* "/v1/chat/completions" */
	struct bytes field, value; /* who asks: "Authorization", "Bearer …" */
	struct bytes secret;       /* of it, never said */
	struct bytes model;
	uint64_t total_ms;
	void (*on_done)(struct activation *a);
	void *arg;

	/* the outcome; attempts, status, kind and why also while it is under way */
	enum activation_state state;
	unsigned attempts, status; /* status 0: there was no answer */
	enum reach_kind kind;
	bool rate_limited; /* why says the rest */
	uint64_t ms;
	char why[REACH_WHY_MAX]; /* of the last attempt that failed, without a full stop */

	/* its own */
	struct fetch fetch;
	struct timer timer;
	struct text body;
	uint64_t began_ms, wait_ms;
	unsigned silent; /* attempts in a row without an answer */
	enum reach_limit limit;
	bool larger, other, running;
};

/* Never calls on_done before it returns. */
void activation_start(struct activation *a);
/* While it is under way: on_done will not be called. Safe at any time. */
void activation_cancel(struct activation *a);
/* Gives memory back. Safe on a zeroed one; not while it is under way. */
void activation_done(struct activation *a);

#endif
