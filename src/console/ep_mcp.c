#include "console/ep_mcp.h"

static bool contains(struct bytes s, struct bytes part)
{
	for (size_t i = 0; i + part.n <= s.n; i++) {
		if (part.n == 0 || memcmp(s.p + i, part.p, part.n) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_body(struct act *a)
{
	if (a->body == NULL) {
		act_refuse(a, 400, "the request needs a JSON object as its body");
	}
	return a->body != NULL;
}

/* --- servers ------------------------------------------------------------------------------------ */

static bool is_type(struct act *a, const struct doc *server, struct bytes type)
{
	return type.n == 0 ||
		bytes_eq_nocase(type, doc_text(doc_get(a->arena, server, "type"), BYTES("")));
}

void ep_mcp_list(struct act *a)
{
	struct strings names = op_mcp_server.list(a->op);
	struct bytes part = act_query(a, "mcpServerName"), type = act_query(a, "type");
	struct doc *all = doc_list(a->arena);

	if (type.n != 0 && !op_mcp_server_is_type(type)) {
		act_refuse(a, 400, "type must be OPEN_API, DATABASE or DIRECT_ROUTE");
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		struct doc *server =
			contains(names.v[i], part) ? op_mcp_read_listed(a->op, names.v[i]) : NULL;

		if (server != NULL && is_type(a, server, type)) {
			doc_append(a->arena, all, server);
		}
	}
	act_give_list(a, all);
}

void ep_mcp_put(struct act *a)
{
	struct bytes name = act_member(a, "name");

	if (!has_body(a)) {
		return;
	}
	if (name.n == 0) {
		act_refuse(a, 400, "the MCP server needs a name");
		return;
	}
	act_op(a, op_mcp_server.save(a->op, OP_UPDATE, name, a->body));
}

void ep_mcp_echo(struct act *a)
{
	a->data = op_mcp_read_echo(a->op, a->body);
}

void ep_mcp_remove_named(struct act *a)
{
	struct bytes name = act_query(a, "name");

	if (name.n == 0) {
		act_refuse(a, 400, "the query needs a name");
		return;
	}
	act_op(a, op_mcp_server.remove(a->op, name));
}

/* --- who may call them -------------------------------------------------------------------------- */

static struct doc *pair_of(struct act *a, struct bytes route, struct bytes consumer)
{
	struct doc *out = doc_map(a->arena);

	doc_set(a->arena, out, "mcpServerName", doc_string(a->arena, route));
	doc_set(a->arena, out, "consumerName", doc_string(a->arena, consumer));
	return out;
}

void ep_mcp_consumers(struct act *a)
{
	struct bytes name = act_query(a, "mcpServerName"), part = act_query(a, "consumerName");
	const struct doc *allowed = NULL;
	struct doc *all = doc_list(a->arena);

	if (name.n == 0) {
		act_refuse(a, 400, "the query needs an mcpServerName");
		return;
	}
	if (!act_op(a, op_mcp_server_allowed(a->op, name, &allowed))) {
		return;
	}
	for (const struct doc *c = doc_first(a->arena, allowed); c != NULL; c = c->next) {
		if (contains(c->text, part)) {
			doc_append(
				a->arena, all, pair_of(a, op_mcp_read_route(a->op, name), c->text));
		}
	}
	act_give_list(a, all);
}

static void change(struct act *a, bool add)
{
	struct bytes name = act_member(a, "mcpServerName");
	const struct doc *consumers = doc_get(a->arena, a->body, "consumers");

	if (!has_body(a)) {
		return;
	}
	if (name.n == 0) {
		act_refuse(a, 400, "the body needs an mcpServerName");
		return;
	}
	if (doc_given(consumers) && consumers->type != DOC_LIST) {
		act_refuse(a, 400, "consumers must be a list of names");
		return;
	}
	act_op(a, op_mcp_server_allow(a->op, name, consumers, add));
}

void ep_mcp_add_consumers(struct act *a)
{
	change(a, true);
}

void ep_mcp_drop_consumers(struct act *a)
{
	struct bytes consumer = act_query(a, "consumer");

	if (act_member(a, "mcpServerName").n == 0 && consumer.n != 0) {
		op_mcp_server_forbid(a->op, consumer);
	} else {
		change(a, false);
	}
}

/* --- tools -------------------------------------------------------------------------------------- */

void ep_mcp_convert(struct act *a)
{
	struct bytes content = act_member(a, "content"), out = BYTES("");
	size_t blanks = 0;

	while (blanks < content.n && memchr(" \t\r\n", content.p[blanks], 4) != NULL) {
		blanks++;
	}
	if (blanks == content.n) {
		act_refuse(a, 400, "content is missing or empty: send an OpenAPI document");
		return;
	}
	/* A failure is 500, as the Console answers it (§3.13.2). */
	if (op_tools_convert(a->op, content, &out) != OP_OK) {
		act_refuse(a, 500, BYTES_FMT, BYTES_ARG(text_bytes(&a->op->why)));
		return;
	}
	a->data = doc_string(a->arena, out);
}
