/*
 * What registries of services answer: the instances of one service that take traffic, and the token of a
 * login. proxy/discovery.c asks for them; plan/discovered.h says what for.
 */
#ifndef WIRE_INSTANCES_H
#define WIRE_INSTANCES_H

#include "base/arena.h"
#include "base/err.h"

/* Attack, accident: a registry that answers with anything. Services have tens of instances. */
#define INSTANCES_MAX 1000u
#define INSTANCES_ANSWER_MAX ((size_t)1 << 20)
/* Longer tokens are no use in a request line. */
#define INSTANCES_TOKEN_MAX ((size_t)4 << 10)

enum instances_kind {
	INSTANCES_NACOS,
	INSTANCES_NACOS3,
	INSTANCES_CONSUL,
	INSTANCES_EUREKA,
	INSTANCES_ZOOKEEPER /* instances_read_nodes */
};

struct instance {
	struct bytes address;  /* as the registry has it: a literal, or a name */
	uint16_t port;         /* 0: none that is enabled */
	uint16_t tls_port;     /* the same but where eureka has one of its own */
	struct bytes protocol; /* of the metadata; "" when it says none */
};

struct instances {
	struct instance *v; /* healthy, enabled and of a weight above 0 */
	size_t n;
	size_t n_all; /* those too that take no traffic */
};

/* *out is in the arena or in the text. ERR_SYNTAX: no answer of such a registry; ERR_LIMIT. */
MUST_CHECK int instances_read(enum instances_kind kind, struct bytes json, struct arena *a,
	struct instances *out, struct fault *f);

/* The same of ZooKeeper: each instance is a node, which holds what Spring Cloud writes. n <= INSTANCES_MAX. */
MUST_CHECK int instances_read_nodes(const struct bytes *nodes, size_t n, struct arena *a,
	struct instances *out, struct fault *f);

/* The answer to a login at nacos. ttl_s is 0 when it names none. */
MUST_CHECK int instances_read_token(
	struct bytes json, struct arena *a, struct bytes *token, uint64_t *ttl_s, struct fault *f);

#endif
