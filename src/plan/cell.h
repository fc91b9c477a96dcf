/*
 * Cells: state that outlives plans, found by what it belongs to, referenced by parts.
 *
 * The registry is control's alone. Cells that workers share are C11 atomics; what one worker owns
 * (connection pools) hangs on the cell's small dense index. A cell without reference is dropped after
 * a grace time, its index reused only then.
 */
#ifndef PLAN_CELL_H
#define PLAN_CELL_H

#include <stdatomic.h>

#include "base/hash.h"
#include "base/list.h"
#include "plan/health.h"

struct discovered;
struct plan;

/* Indices are below this. More endpoints than it are refused by the compiler with a finding. */
#define CELLS_MAX 65536u
/* How long an unreferenced cell is kept: longer than a reload that swaps a file in two steps. */
#define CELL_GRACE_MS 60000u

/* The addresses of an endpoint; immutable, replaced as a whole, the old one retired. */
struct address_list {
	unsigned n;
	uint64_t expires_ms; /* when control should resolve again; 0: never (a literal) */
	struct cell_address {
		char room[32]; /* struct sys_addr of net; plan does no I/O */
	} v[];
};

struct endpoint_cell {
	char *host;
	uint16_t port;
	uint32_t index; /* dense, stable for the cell's life */
	/* Written by control, read by workers. NULL: cold, never resolved; or failed: see `failed`. */
	_Atomic(struct address_list *) addresses;
	atomic_int failed; /* enum err of the last resolution, 0 when it succeeded */
	/* How often control has answered a question about it, one way or the other. Who asks waits until
	 * it has changed: `resolving` is not yet set while the question is on its way. */
	atomic_uint answers;
	/* The registry that is asked for its instances knows none: `addresses` are of the past. */
	atomic_bool vacant;
	atomic_uint next; /* round robin over the addresses */
	struct health
		health; /* of its connections, and of answers that no credential is blamed for */
	atomic_bool resolving;
	atomic_bool refreshing; /* a worker has asked for a newer answer */
	/* control's own */
	unsigned refs;
	bool gone;          /* taken out of the registry: waits to be freed */
	uint64_t failed_ms; /* when the last resolution failed */
	/* What a registry is asked for, of the newest plan; NULL: host is resolved by DNS. */
	struct discovered *ask;
	uint64_t ask_at_ms; /* when it is to be asked again */
	bool ask_failed;    /* the last time; it was said */
	bool left_out;      /* the last answer had instances that cannot be used; it was said */
	uint64_t unused_since_ms;
	struct bytes key;
	struct list link;
};

struct cells;

struct cells *cells_new(const struct hash_seed *seed);
void cells_free(struct cells *c);
/* Control: finds or makes the cells of all endpoints of a plan and refers to them. */
void cells_bind(struct cells *c, struct plan *p);
/* Control: the plan is about to be freed. */
void cells_unbind(struct cells *c, struct plan *p, uint64_t now_ms);
/* Control: keeps a cell although no plan may refer to it any more; each hold is given back. */
void cells_hold(struct endpoint_cell *e);
void cells_release(struct cells *c, struct endpoint_cell *e, uint64_t now_ms);
/* Takes one cell whose grace time is over out of the registry, or NULL; the caller retires it (workers
 * may still hold its index) and then frees it with endpoint_cell_free. */
struct endpoint_cell *cells_expire(struct cells *c, uint64_t now_ms);
void endpoint_cell_free(struct cells *c, struct endpoint_cell *e);

#endif
