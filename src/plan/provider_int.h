/*
 * An entry of ai-proxy's `providers` while it is compiled: shared by the files of provider.h, by nobody else.
 */
#ifndef PLAN_PROVIDER_INT_H
#define PLAN_PROVIDER_INT_H

#include "plan/build.h"
#include "plan/provider.h"
#include "wire/url.h"

struct entry {
	const struct yaml_node *node;
	const struct object *where;
	struct arena *arena;
	struct findings *findings;
	const struct provider_type *type;
	struct provider *out;
	bool bad; /* an error was found: the provider cannot be used */
};

/* The whole entry is refused; `at` may be NULL. */
void provider_refuse(struct entry *e, const struct yaml_node *at, const char *code, const char *fmt,
	...) PRINTF_LIKE(4, 5);
/* A member as text; "" when it is absent, or no scalar, which was said then. */
struct bytes provider_text(struct entry *e, const char *key);
/* true, also as a string; n may be NULL. */
static inline bool provider_is_true(const struct yaml_node *n)
{
	return n != NULL &&
		(n->type == YAML_BOOL ? n->boolean
				      : n->type == YAML_STRING && bytes_eq(n->text, BYTES("true")));
}

/* The custom URL, in room. NULL when there is none or it is refused. */
const struct url *provider_caps_url(struct entry *e, struct url *room);
/* failover, retryOnFailure, concurrency, contextWindow. */
void provider_failover_read(struct entry *e);
void provider_caps_read(struct entry *e, const struct url *custom);

#endif
