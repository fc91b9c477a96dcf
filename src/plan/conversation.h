/*
 * What a provider's configuration wants done to the messages of a chat (data-plane.md §8.4, §8.5, §8.7):
 * contextCleanupCommands, mergeConsecutiveMessages and context. `ai` does it.
 */
#ifndef PLAN_CONVERSATION_H
#define PLAN_CONVERSATION_H

#include "base/arena.h"
#include "plan/build.h"
#include "plan/context.h"
#include "wire/json.h"

/* Longest command, and how many there may be: each user message is compared with all. */
#define CONVERSATION_COMMAND_MAX 256u
#define CONVERSATION_COMMANDS_MAX 32u

/* Members of messages, in the order of the query. */
enum conversation_want {
	TALK_MESSAGES,
	TALK_MESSAGE,
	TALK_ROLE,
	TALK_CONTENT,
	TALK_PART,
	TALK_PART_TEXT,
	TALK_TOOL_CALLS,
	TALK_FUNCTION_CALL,
	TALK_NAME,
	TALK_AUDIO,
	TALK_COUNT
};

struct conversation {
	struct strings
		commands; /* a user message that is one of them makes all before it forgotten */
	bool merges;      /* neighbours of one role become one message */
	struct context_source *context; /* a message more; NULL: none */
	struct json_query *query;       /* NULL: nothing is to be done. Ends with the arena */
};

/* entry: a provider's. False: it cannot be used; said in findings. */
MUST_CHECK bool conversation_compile(struct conversation *out, const struct yaml_node *entry,
	const struct object *where, struct arena *a, struct findings *f);

#endif
