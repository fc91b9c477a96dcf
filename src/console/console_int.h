/*
 * Inside the room only.
 */
#ifndef CONSOLE_CONSOLE_INT_H
#define CONSOLE_CONSOLE_INT_H

#include "base/digest.h"
#include "console/account.h"
#include "console/console.h"
#include "console/throttle.h"

/* Accident: a scraper that opens a connection for each scrape and closes none. Above it the listener
 * rests. Few people and programs manage a gateway. */
#define CONSOLE_CONNECTIONS_MAX 256u
/* What heads and bodies of requests may take at once. */
#define CONSOLE_MEMORY ((size_t)16 << 20)
/* Attack: readers of /metrics that take a page, which may be many MB, and do not read it. */
#define CONSOLE_PAGES_MAX 4u

/* Passwords that were right a moment ago. */
#define CONSOLE_BASIC_MAX 64u

struct scrape;

struct basic_entry {
	unsigned char key[DIGEST_SHA256_SIZE]; /* HMAC of the header */
	uint64_t until_ms, generation;
};

struct console {
	struct console_opts opts;
	struct jobs *jobs;
	struct loop *loop;
	struct segpool pool;
	struct server *server;
	struct timer tick;
	struct list calls;
	int *listening;
	size_t n_listening;
	struct scrape *scrape; /* of ep_metrics.c */
	struct act_env env;
	struct account *account;
	struct list errands;
	size_t bodies;   /* bytes, of all errands */
	unsigned checks; /* passwords that are being hashed */
	struct throttle throttle;
	struct basic_entry basic[CONSOLE_BASIC_MAX];
};

/* A request that has arrived. */
struct call *call_new(struct console *console, struct stream *s);
/* In any state; it is freed. */
void call_end(struct call *c);

/* Whether the request comes from a program on this machine that means this machine: no proxy in
 * between, and no page of a browser that was led here by a name (DNS rebinding). */
bool access_is_local(const struct call *c);
/* Whether it brings this token as "Authorization: Bearer". token NULL: never. */
bool access_has_token(const struct call *c, const char *token);

/* The state of /metrics (ep_metrics.c). */
struct scrape *ep_metrics_new(struct console *c);
void ep_metrics_free(struct scrape *s);

#endif
