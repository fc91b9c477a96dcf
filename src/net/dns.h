/*
 * Names to addresses, by c-ares, on the loop of the control thread. Nothing here is called by a
 * worker: a worker reads an address cell and posts when it is cold (proxy).
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "net/loop.h"

/* More addresses of one name are left out. Real names have fewer than 10. */
#define DNS_ADDRS_MAX 16u

struct dns;

struct dns_answer {
	int err; /* 0, ERR_NOT_FOUND, ERR_TIMEOUT, ERR_IO */
	unsigned n;
	struct sys_addr
		addrs[DNS_ADDRS_MAX]; /* port as asked; IPv4 and IPv6 as the resolver orders them */
	unsigned ttl_s;               /* smallest of the answers, 0 when unknown (hosts file) */
	char text[96];                /* of a failure */
};

struct dns_query {
	void (*on_answer)(struct dns_query *q, const struct dns_answer *a);
	uint16_t port;
	bool done, cancelled;
};

/* Reads the system's resolver configuration and hosts file. */
struct dns *dns_new(struct loop *l, struct fault *fault);
void dns_free(struct dns *d);
/* Never calls back before it returns. host is copied. The answer comes within timeout_ms. */
void dns_resolve(struct dns *d, struct dns_query *q, const char *host, uint16_t port,
	unsigned timeout_ms, void (*on_answer)(struct dns_query *q, const struct dns_answer *a));
/* on_answer will not be called. */
void dns_cancel(struct dns *d, struct dns_query *q);

#endif
