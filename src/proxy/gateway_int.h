/*
 * Inside the room only: control's side of the gateway.
 */
#ifndef PROXY_GATEWAY_INT_H
#define PROXY_GATEWAY_INT_H

#include "base/wake.h"
#include "proxy/bridges.h"
#include "proxy/concurrency.h"
#include "proxy/fetched.h"
#include "proxy/discovery.h"
#include "proxy/gateway.h"
#include "proxy/resolver.h"
#include "proxy/revival.h"
#include "proxy/worker.h"

/* A plan that somebody uses: control while it is current, each worker while its view is alive. */
struct live_plan {
	struct plan *plan;
	unsigned holders; /* control's own count */
	struct live_plan *next_freed;
};

struct listening {
	int fd;
	struct listening *next;
};

struct gateway {
	struct gateway_opts opts;
	struct loop *control;
	struct worker *workers[WORKERS_MAX];
	struct server_share *shares; /* the workers' connections, for fair accepting */
	struct cells *cells;
	struct lanes *lanes;
	struct concurrency_consumers *consumers;
	struct resolver *resolver;
	struct fetched *fetched;
	struct discovery *discovery;
	struct revival *revival;
	_Atomic(struct bridge_table *) bridges; /* NULL: there are none */
	uint64_t states_shown;                  /* lists of states so far (upstream_states.c) */
	atomic_bool ailing; /* something may be out of service: workers set it, revival looks */
	uint64_t registry_failures; /* questions to registries that failed */
	struct live_plan *current;
	struct listening *listening;
	struct gateway_tls *tls; /* NULL: no listener speaks TLS */
	uint64_t plan_version;
	uint32_t n_plans; /* that are not freed yet */
	struct timer tick;
	struct list asks;    /* reports that are under way (report.c) */
	struct list probes;  /* that are under way (probe.c) */
	unsigned probe_turn; /* whose worker is next */
	unsigned draining;   /* workers that still drain */
	void (*on_drained)(void *arg);
	void *drained_arg;
	struct wake log_wake; /* of the log thread */
};

/* Control: calls fn(p) on control when every worker has been between two callbacks once: nothing that
 * was reachable before is held by one then. */
void gateway_quiesce(struct gateway *g, void (*fn)(void *p), void *p);
/* Control: the workers' exchanges that wait for an address look again. */
void gateway_wake_waiting(struct gateway *g);
/* Worker, through a post: its view of the plan is not used any more. */
void gateway_release(struct gateway *g, struct plan_view *v);
/* Worker: has drained. */
void gateway_worker_drained(struct worker *w);

/* Runs fn on every worker's loop. The posts are freed there. */
void gateway_post_all(struct gateway *g, void (*fn)(struct worker *w, void *arg), void *arg);

/* No loop runs any more: reports that were not answered are dropped. */
void report_drop_all(struct gateway *g);

/* The end: who waits for a probe is not told any more. */
void probe_forget_all(struct gateway *g);

/* Worker: takes a new view. */
void worker_set_view(struct worker *w, struct plan_view *v);
void worker_drain(struct worker *w);
void worker_cut(struct worker *w);
void worker_wake_waiting(struct worker *w);

#endif
