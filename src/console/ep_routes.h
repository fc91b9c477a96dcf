/*
 * Lists of generic routes (console-api.md §3.5, §3.6): those that one domain has can be asked for.
 */
#ifndef CONSOLE_EP_ROUTES_H
#define CONSOLE_EP_ROUTES_H

#include "console/act.h"

/* GET /v1/routes; domainName chooses. */
void ep_routes_list(struct act *a);
/* GET /v1/domains/{name}/routes */
void ep_routes_of_domain(struct act *a);

#endif
