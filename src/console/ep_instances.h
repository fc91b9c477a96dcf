/*
 * Plugin instances at the four scopes (console-api.md §3.12). The scope is that of the path: global, domains, routes
 * or services; what the body says of it is not asked.
 */
#ifndef CONSOLE_EP_INSTANCES_H
#define CONSOLE_EP_INSTANCES_H

#include "console/act.h"

void ep_instances_list(struct act *a);
void ep_instances_get(struct act *a);
void ep_instances_put(struct act *a);
void ep_instances_remove(struct act *a);

#endif
