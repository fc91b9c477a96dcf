#include "plan/conversation.h"

#include "plan/provider_int.h"

static bool read_commands(struct strings *out, const struct yaml_node *list,
	const struct object *where, struct arena *a, struct findings *f)
{
	if (list == NULL || list->type == YAML_NULL) {
		return true;
	}
	if (list->type != YAML_SEQ || list->n > CONVERSATION_COMMANDS_MAX) {
		struct finding at = build_error(where, build_place(list), "list-expected");

		findings_add(f, &at, "contextCleanupCommands must be a list of at most %u texts",
			CONVERSATION_COMMANDS_MAX);
		return false;
	}
	out->v = arena_must(a, (list->n + 1) * sizeof(*out->v));
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		struct bytes text = {"", 0};

		if (n->type == YAML_SEQ || n->type == YAML_MAP) {
			IGNORE(build_scalar(n, "a command", where, f, &text)); /* which says so */
			return false;
		}
		if (!build_scalar(n, "a command", where, f, &text) || text.n == 0 ||
			text.n > CONVERSATION_COMMAND_MAX) {
			struct finding at = build_error(where, build_place(n), "bad-value");

			findings_add(f, &at,
				"an entry of contextCleanupCommands is a text of 1 to %u bytes",
				CONVERSATION_COMMAND_MAX);
			return false;
		}
		out->v[out->n++] = build_text(a, text);
	}
	return true;
}

static void end_query(void *of)
{
	json_query_free(of);
}

bool conversation_compile(struct conversation *out, const struct yaml_node *entry,
	const struct object *where, struct arena *a, struct findings *f)
{
	static const struct json_want wants[TALK_COUNT] = {
		[TALK_MESSAGES] = {"messages", NULL},
		[TALK_MESSAGE] = {"messages[]", NULL},
		[TALK_ROLE] = {"messages[].role", NULL},
		[TALK_CONTENT] = {"messages[].content", NULL},
		[TALK_PART] = {"messages[].content[]", NULL},
		[TALK_PART_TEXT] = {"messages[].content[].text", NULL},
		[TALK_TOOL_CALLS] = {"messages[].tool_calls", NULL},
		[TALK_FUNCTION_CALL] = {"messages[].function_call", NULL},
		[TALK_NAME] = {"messages[].name", NULL},
		[TALK_AUDIO] = {"messages[].audio", NULL},
	};

	*out = (struct conversation){
		.merges = provider_is_true(yaml_get(entry, "mergeConsecutiveMessages")) ||
			provider_is_true(yaml_get(entry, "hiclawMode"))};
	if (!read_commands(
		    &out->commands, yaml_get(entry, "contextCleanupCommands"), where, a, f)) {
		return false;
	}
	if (!context_compile(&out->context, entry, where, a, f)) {
		return false;
	}
	if (out->commands.n != 0 || out->merges || out->context != NULL) {
		out->query = json_query_new(wants, TALK_COUNT);
		arena_at_end(a, end_query, out->query);
	}
	return true;
}
