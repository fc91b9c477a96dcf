/*
 * A worker: one loop and everything that lives on it. Workers share nothing but plans and cells.
 */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include "base/clock.h"
#include "base/random.h"
#include "base/ring.h"
#include "proxy/exchange.h"
#include "proxy/gateway.h"

/* A worker's handle of a plan: a plain count of the exchanges that use it. */
struct plan_view {
	struct post post; /* back to control when it is not used any more */
	struct worker *w;
	struct live_plan *live;
	const struct plan *plan;
	unsigned users;
	uint32_t turns[]; /* plan->n_turns: of routes, from 1 on; 0: none yet */
};

struct worker {
	struct gateway *gateway;
	const struct gateway_opts *opts;
	unsigned index;
	struct loop *loop;
	struct segpool pool;
	struct tls_context *tls;
	struct client *client;
	struct server *server;
	struct tls_server *tls_server; /* NULL: no listener speaks TLS */
	uint16_t tls_port;             /* of the first listener that does; 0: none */
	struct plan_view *view;        /* the current plan; NULL before the first */
	struct random random;
	struct ring log;
	struct list exchanges;
	struct list waiting; /* for an address */
	struct list tight;   /* for buffer memory: new bodies */
	struct list queue;   /* for a place (concurrency.h), the longest first */
	struct timer tick;
	struct exchange *free_exchanges;
	unsigned n_free_exchanges;
	struct segpool requests; /* each in a segment: what many at once needed is given back */
	struct worker_counts counts;
	void *observed; /* what hooks->observer keeps */
	struct {
		uint64_t s; /* UINT64_MAX: none yet */
		char text[CLOCK_ISO_LEN];
	} line_time;          /* of the last access line */
	struct head_out head; /* scratch for heads to send */
};

struct worker *worker_new(struct gateway *g, unsigned index);
void worker_free(struct worker *w);

/* Exchange's end of the plan handle. */
struct plan_view *view_use(struct worker *w);
void view_drop(struct plan_view *v);

struct exchange *worker_take_exchange(struct worker *w);
void worker_give_exchange(struct worker *w, struct exchange *x);
struct request *worker_take_request(struct worker *w);
void worker_give_request(struct worker *w, struct request *r);

/* The access line of an ended exchange, into the worker's ring (access_line.c). */
void access_line(struct worker *w, const struct exchange *x, const char *peer);

#endif
