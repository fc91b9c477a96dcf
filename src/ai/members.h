/*
 * What is to become of members of a request body. Whoever wants something of a member says so here, and in the
 * end all wishes are made edits at once (exchange_edit): so it does not matter in which order they came,
 * commas are right, and no two edits meet. Everything else stays as the client wrote it.
 */
#ifndef AI_MEMBERS_H
#define AI_MEMBERS_H

#include "proxy/exchange.h"

/* Members that tweaks are about, in the order in which new ones are written. */
enum member_name {
	MEMBER_MODEL,
	MEMBER_STREAM_OPTIONS,
	MEMBER_INCLUDE_USAGE, /* of stream_options */
	MEMBER_RESPONSE_FORMAT,
	MEMBER_REASONING_EFFORT,
	MEMBER_REASONING_MAX_TOKENS,
	MEMBER_REASONING,
	MEMBER_REASONING_MAX, /* of reasoning */
	MEMBER_THINKING,
	MEMBER_WATERMARK,
	MEMBER_PARALLEL_TOOL_CALLS,
	MEMBER_TOOL_CHOICE,
	MEMBER_FIXED
};

#define MEMBERS_MAX (MEMBER_FIXED + SETTING_NODES_MAX)
#define MEMBER_TOP SIZE_MAX /* the body itself */

struct member {
	struct bytes key;
	size_t parent;
	const struct json_hit *hit; /* where it stands; NULL: it does not */
	enum { MEMBER_KEEP, MEMBER_SET, MEMBER_REMOVE } wish;
	struct bytes value; /* MEMBER_SET: JSON, in the plan or the request's arena */
};

struct members {
	struct member v[MEMBERS_MAX];
	size_t n;
	size_t wishes, last; /* how often something was wished, and of which member last */
};

/* As the client wrote them. */
void members_init(struct members *m, const struct exchange *x);
/* The member of that key below parent; a new one (with hit) when nobody spoke of it yet. */
size_t members_add(struct members *m, size_t parent, struct bytes key, const struct json_hit *hit);
/* Whether there is such a member, wishes considered. */
bool members_has(const struct members *m, size_t i);
/* Puts a value in, where there is none too. */
void members_set(struct members *m, size_t i, struct bytes value);
void members_remove(struct members *m, size_t i);
/* The value's JSON, at most size bytes of it; n 0: there is none, or a longer one. */
struct bytes members_value(
	const struct members *m, size_t i, const struct exchange *x, char *room, size_t size);
/* Makes edits of all wishes, at most two for each member. False: no memory. */
MUST_CHECK bool members_edit(struct members *m, struct exchange *x);

#endif
