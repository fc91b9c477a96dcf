/*
 * MCP servers (console-api.md §3.13.2): what is not as with other nouns. Some of HiClaw's guide is answered that a
 * Console does not know (D24).
 */
#ifndef CONSOLE_EP_MCP_H
#define CONSOLE_EP_MCP_H

#include "console/act.h"

void ep_mcp_list(struct act *a);
/* PUT of the collection: the name is in the body. */
void ep_mcp_put(struct act *a);
void ep_mcp_echo(struct act *a);
/* DELETE of the collection: ?name=. */
void ep_mcp_remove_named(struct act *a);

void ep_mcp_consumers(struct act *a);
void ep_mcp_add_consumers(struct act *a);
/* Of one server by the body, or one consumer from all servers by ?consumer=. */
void ep_mcp_drop_consumers(struct act *a);

void ep_mcp_convert(struct act *a);

#endif
