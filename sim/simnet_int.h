/* What sim/sys.c (the near side) and sim/simnet.c (the far side) share. */
#ifndef SIM_SIMNET_INT_H
#define SIM_SIMNET_INT_H

#include "base/list.h"
#include "sim/simnet.h"

/* Descriptor numbers start here and are never used twice in a run: a stale one is noticed. */
#define FD_BASE 1000

enum fd_kind { FD_EPOLL, FD_EVENT, FD_LISTENER, FD_CONN };

/* One registration of a descriptor with an epoll. */
struct reg {
	struct list of_fd, of_epoll, ready; /* ready: an edge came and was not reported */
	struct list *ready_list;            /* of its epoll */
	struct fdesc *fd;
	void *data;
	bool level;
};

struct fdesc {
	enum fd_kind kind;
	bool open;
	int number;
	struct list regs;

	/* epoll */
	struct list watched, ready;
	bool sleeps;
	uint64_t until_ns;

	uint64_t count; /* eventfd */

	/* listener */
	struct sys_addr bound;
	struct list backlog;

	struct near *near; /* connection */
};

/* The product's end of a connection. */
struct near {
	struct far far;
	struct list waiting; /* in a listener's backlog */
	struct fdesc *fd;    /* NULL: not accepted yet, or closed */
	bool was_accepted;
	int connect_err;           /* of a refused connect */
	struct sys_addr peer;      /* of a client */
	struct pipe flight;        /* the peer's bytes that have not arrived */
	struct pipe inbox;         /* arrived, not received */
	struct pipe outbox;        /* sent, not read by the peer */
	bool fin_after, rst_after; /* what follows the flight */
	bool fin, rst;             /* arrived */
	int err;                   /* to be reported once */
	bool no_space;             /* a send met the full window: room is an edge */
	bool shut;                 /* the product ended its sending side */
	bool closed, closed_reset;
};

struct address {
	struct sys_addr addr;
	enum addr_mode mode;
	struct far_habits habits;
};

#define ADDRESSES_MAX 64u

struct simnet {
	struct fdesc **fds;
	unsigned n_fds, cap_fds, left;
	struct far *first, **end;
	struct address addresses[ADDRESSES_MAX];
	unsigned n_addresses;
	uint16_t next_port;
	uint64_t events;
	char error[80];
};

/* Something changed that an epoll reports: the registrations of fd become ready. */
void fd_edge(struct simnet *n, struct fdesc *fd);
struct fdesc *fd_new(struct simnet *n, enum fd_kind kind); /* NULL: none left */
struct near *near_new(struct simnet *n, const struct sys_addr *a, const struct far_habits *h);
struct address *address_of(struct simnet *n, const struct sys_addr *a); /* adds */
bool same_addr(const struct sys_addr *a, const struct sys_addr *b);

#endif
