/*
 * A service that a registry is asked for while the program runs (nacos, consul, eureka, zookeeper): which registry,
 * for what, and with which credentials; and the requests to it. The names of such services are Higress's:
 *   <service>.<group>.<namespace>.nacos     <service>.<data center>.consul     <service>.eureka
 *   <service>.<path>.zookeeper
 * where group, namespace and data center have '-' for each '_', and the path of the node above the services has
 * '-' for each '/' inside of it.
 */
#ifndef PLAN_DISCOVERED_H
#define PLAN_DISCOVERED_H

#include "base/text.h"
#include "resource/object.h"
#include "wire/instances.h"

/* A request line; longer names are refused when they are compiled. */
#define DISCOVERED_TARGET_MAX ((size_t)16 << 10)

enum discovered_text {
	DISCOVERED_REGISTRY, /* its name, for messages */
	DISCOVERED_HOST,     /* a name or an address, without brackets */
	DISCOVERED_SERVICE,
	DISCOVERED_GROUP,
	DISCOVERED_NAMESPACE,
	DISCOVERED_DATACENTER,
	DISCOVERED_TAG,
	DISCOVERED_PATH, /* zookeeper: of the node above the services, with a '/' in front; "": the root */
	DISCOVERED_USER,
	DISCOVERED_SECRET, /* a password, or consul's token */
	DISCOVERED_TEXTS
};

struct discovered {
	enum instances_kind kind;
	bool tls; /* towards the instances; registries themselves are asked by HTTP */
	uint16_t port;
	unsigned refresh_s;
	struct bytes texts[DISCOVERED_TEXTS]; /* each with a NUL behind it */
};

/* Whether the registry's type is one that is asked. */
bool discovered_type(struct bytes type, enum instances_kind *out);
/* Whether a service of that name is one of the registry's; fills kind, port and texts but for the
 * credentials. The texts are in the arena. */
MUST_CHECK bool discovered_match(
	const struct registry *r, struct bytes name, struct arena *a, struct discovered *out);

bool discovered_equal(const struct discovered *x, const struct discovered *y);
/* One block, to be freed with free(). */
struct discovered *discovered_copy(const struct discovered *d);

/* The target of the request for the instances; token "": none. Of zookeeper: the node whose children they
 * are. Appended to out, which is full when it gets too long. */
void discovered_target(const struct discovered *d, struct bytes token, struct text *out);
/* Whether a token must be asked for first. */
bool discovered_logs_in(const struct discovered *d);
void discovered_login(const struct discovered *d, struct text *target, struct text *body);

#endif
