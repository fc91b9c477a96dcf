/*
 * The far side of the scripted network: clients that connect to listening sockets, addresses that
 * answer connects, and what the peers see. The near side is net/sys.h (sim/sys.c).
 *
 * Bytes of a peer are first in flight; simnet_step lets one piece arrive. What the product sends waits
 * in the connection's window until the peer reads it, so that a peer that does not read blocks it.
 * Nothing here turns a loop: the scenario player chooses between loops and steps by its seed.
 */
#ifndef SIM_SIMNET_H
#define SIM_SIMNET_H

#include "net/sys.h"
#include "sim/pipe.h"

struct simnet;

/* What an address does with those who connect to it. Addresses nobody spoke of refuse. */
enum addr_mode { ADDR_ACCEPTS, ADDR_REFUSES, ADDR_SILENT };

/* How bytes of a peer arrive, and how a peer reads. */
#define PIECE_ALL 0u
#define PIECE_RANDOM SIZE_MAX

/* What a peer has seen of the product's end. */
enum far_end { FAR_OPEN, FAR_FIN, FAR_RESET };

/* A connection as its scripted peer holds it. Fields below `got` are facts to look at. */
struct far {
	struct far *next;        /* of the network, in order of birth */
	struct sys_addr address; /* that was connected to, by either side */
	bool by_product;         /* the product connected */
	bool answered;           /* connected; until then neither side can send */
	bool refused;            /* it never will be */

	size_t piece;     /* arrival: bytes at once */
	size_t read_max;  /* bytes the peer reads at once (PIECE_ALL, PIECE_RANDOM) */
	size_t reads;     /* bytes it will still read; SIZE_MAX: goes on reading */
	size_t window;    /* bytes of the product that fit between it and the peer */
	struct pipe got;  /* read by the peer; never dropped from */
	size_t accepted;  /* bytes the product got rid of, read or not */
	enum far_end end; /* what the peer has seen */
	bool closed;      /* the peer has closed its end (FIN and no more reading) */
	bool finished;    /* it sends no more */

	struct near *near; /* the product's end */
};

struct simnet *simnet_new(void);
void simnet_free(struct simnet *n);

/* --- addresses and connections ------------------------------------------------------------------ */

void simnet_address(struct simnet *n, const struct sys_addr *a, enum addr_mode mode);
/* Window and reading habits of connections that are made from now on by the product to `a`. */
struct far_habits {
	size_t piece, read_max, reads, window;
};
/* Takes and reads everything at once, a large window. */
extern const struct far_habits far_habits_plain;
void simnet_address_habits(
	struct simnet *n, const struct sys_addr *a, const struct far_habits *habits);
/* All connections that the product made to `a`, oldest first: the index-th, or NULL. */
struct far *simnet_connection(struct simnet *n, const struct sys_addr *a, unsigned index);
/* The oldest connection of all; far->next goes on. */
struct far *simnet_first(struct simnet *n);
/* A client connects to a listening socket; NULL when nobody listens. */
struct far *simnet_connect(struct simnet *n, const struct sys_addr *a, const struct far_habits *h);
/* Connects that ADDR_SILENT swallowed are answered now. */
void simnet_answer_late(struct simnet *n, const struct sys_addr *a);

/* --- what a peer does --------------------------------------------------------------------------- */

void far_send(struct far *f, struct bytes b);
/* After what is in flight: end of sending (shutdown), close, reset. */
void far_finish(struct far *f);
void far_close(struct far *f);
void far_reset(struct far *f);
/* The reset overtakes everything: bytes in flight are lost. */
void far_reset_now(struct far *f);

/* Bytes of the product that the peer has not read. */
size_t far_unread(const struct far *f);
/* Bytes of the peer that the product has not read, in flight or arrived. */
size_t far_untaken(const struct far *f);

/* --- time and order ----------------------------------------------------------------------------- */

/* Lets one thing happen, chosen by the seed: a piece arrives or a peer reads. False: all is quiet. */
bool simnet_step(struct simnet *n);
/* Whether the last sys_epoll_wait of every loop would have slept, and until when the first of them
 * (UINT64_MAX: for ever). */
bool simnet_asleep(const struct simnet *n, uint64_t *until_ns);
/* Counts everything that happened; unchanged means that nothing did. */
uint64_t simnet_events(const struct simnet *n);

/* --- descriptors -------------------------------------------------------------------------------- */

unsigned simnet_open_descriptors(const struct simnet *n);
/* The product can open this many more; UINT_MAX at first. */
void simnet_descriptors_left(struct simnet *n, unsigned left);

#endif
