/*
 * One question to ZooKeeper, on control's loop: a session is opened, the children of a node and what each of them
 * holds are read, the session is ended. proxy/discovery.c asks for the instances of a service so.
 */
#ifndef PROXY_ZOOKEEPER_ASK_H
#define PROXY_ZOOKEEPER_ASK_H

#include "base/arena.h"
#include "base/text.h"
#include "net/dns.h"
#include "net/sock.h"
#include "wire/instances.h"

/* Embedded in whoever asks, and zeroed before; not to be moved while it is under way. */
struct zookeeper_ask {
	/* the question; what is pointed to stays until on_done */
	struct loop *loop;
	struct dns *dns;
	const char *host; /* a name or an address, without brackets */
	uint16_t port;
	struct bytes node;
	uint64_t connect_ms, timeout_ms; /* of one address, and of everything */
	/* Called once, never before zookeeper_ask_start returns. It may not end this. */
	void (*on_done)(struct zookeeper_ask *z);

	/* the answer */
	int rc;           /* 0, or why: */
	struct fault why; /* one sentence without a full stop */
	struct bytes *nodes;
	size_t n_nodes; /* none: there are no children, or no such node */
	struct arena arena;

	/* its own */
	enum { ZOOKEEPER_RESOLVING, ZOOKEEPER_SESSION, ZOOKEEPER_CHILDREN, ZOOKEEPER_NODES } state;
	bool running, resolving;
	struct dns_query query;
	struct dns_answer addrs;
	unsigned next; /* address to try */
	struct sock sock;
	struct timer deadline, connecting;
	struct text in, out, names;
	size_t sent, total;
	size_t n_children, n_answered;
};

void zookeeper_ask_start(struct zookeeper_ask *z);
/* Gives everything back; under way, on_done will not be called. Safe on a zeroed one, and twice. */
void zookeeper_ask_end(struct zookeeper_ask *z);

#endif
