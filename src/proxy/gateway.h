/*
 * The data path as a whole: workers with a loop each, and control, which hands plans over, resolves
 * names and frees what nobody uses. It starts no thread: who made it runs the loops, one thread each
 * (serve) or all by hand (the simulated world).
 */
#ifndef PROXY_GATEWAY_H
#define PROXY_GATEWAY_H

#include "http/limits.h"
#include "net/loop.h"
#include "plan/plan.h"
#include "proxy/dialect.h"
#include "proxy/limits.h"

struct gateway;

#define WORKERS_MAX 64u

/* Which access lines tell the decision, beside those that an administrator asks for. */
enum access_decisions { ACCESS_DECISIONS_OFF, ACCESS_DECISIONS_REFUSED, ACCESS_DECISIONS_ALL };

struct gateway_opts {
	unsigned n_workers;
	size_t memory_max; /* bytes that buffers of all workers may take (architecture: memory.max) */
	struct http_limits http;
	struct proxy_limits limits;
	bool plain_errors; /* errorFormat: plain */
	const struct hooks *hooks;
	unsigned busy_poll_us;
	bool access_log; /* false: no lines are made */
	enum access_decisions access_decisions;
	struct bytes
		explain_token; /* opens proxy/decision.h; empty: nobody. Outlives the gateway */
	struct hash_seed seed;
	/* Takes over a plan that nobody uses any more, to free it somewhere else; on control, at the end
	 * from gateway_free. NULL: it is freed there and then. */
	void (*retire)(void *arg, struct plan *p);
	void *retire_arg;
};

struct gateway *gateway_new(const struct gateway_opts *opts, struct fault *f);
/* No loop may be running any more. */
void gateway_free(struct gateway *g);

struct loop *gateway_control(struct gateway *g);
struct loop *gateway_loop(struct gateway *g, unsigned worker);

/* Before the loops run. */
MUST_CHECK int gateway_listen(
	struct gateway *g, const struct sys_addr *addr, struct sys_addr *bound);
/* The same for clients that speak TLS, with the certificates of the plan. */
MUST_CHECK int gateway_listen_tls(
	struct gateway *g, const struct sys_addr *addr, struct sys_addr *bound);

/* Control: makes a plan live; it belongs to the gateway from here on. on_live (may be NULL) is called
 * on control when every worker has acknowledged it. */
void gateway_set_plan(struct gateway *g, struct plan *p, void (*on_live)(void *arg), void *arg);
/* Control: the plan that is handed out now; NULL before the first. */
const struct plan *gateway_plan(const struct gateway *g);

/* Control: stops accepting, finishes what runs; on_drained when nothing runs any more. */
void gateway_drain(struct gateway *g, void (*on_drained)(void *arg), void *arg);
/* Control: cuts what still runs. */
void gateway_cut(struct gateway *g);

/* Writes some of the pieces; returns the bytes taken, < 0 when nobody will ever read them. */
typedef ssize_t gateway_log_writer(void *arg, const struct iovec *v, int n);
/* The log thread: hands what the workers' rings hold to `write`; returns the bytes that left the rings
 * (also those that write refused: they are dropped and counted). */
ssize_t gateway_write_log(struct gateway *g, gateway_log_writer *write, void *arg);
/* The log thread: until a worker leaves a line, gateway_wake_log is called, or ms are
 * over. A line that comes at the moment of falling asleep may wait so long (base/wake.h). */
void gateway_sleep_log(struct gateway *g, unsigned ms);
/* Any thread. */
void gateway_wake_log(struct gateway *g);
/* Any thread: lines that found their ring full, or that could not be written. */
uint64_t gateway_log_dropped(const struct gateway *g);

struct worker_counts {
	uint64_t exchanges, replies, upstream_failures, client_aborts, usage_unknown;
	uint64_t retries;                 /* attempts behind an exchange's first */
	uint64_t fallbacks;               /* of these at candidates of a fallback */
	uint64_t failed[FAILURE_CLASSES]; /* attempts that failed, by class */
	uint64_t contexts_missing;        /* chats without their provider's file */
	uint64_t events;
	uint64_t probes; /* exchanges of the gateway's own: of the others only events has them */
	uint64_t open;   /* exchanges now */
	uint64_t lent, high;  /* segments: now, most */
	uint64_t budget;      /* segments that are 100 % */
	uint64_t log_dropped; /* lines */
	/* Connections of clients, and heads that were none. */
	uint64_t accepted, connections, refused_heads;
	/* Connections to upstreams: made, taken again, ended by a failure; now. */
	uint64_t upstream_opened, upstream_reused, upstream_failed, upstream_open, upstream_idle;
	uint32_t plans;           /* alive: the current one and those that something still holds */
	struct loop_counts turns; /* the longest of all */
	uint64_t handshakes, handshakes_resumed, handshakes_failed; /* of TLS with clients */
};
/* While no loop is running (end of the process, simulated world). */
void gateway_counts(const struct gateway *g, struct worker_counts *sum);

#endif
