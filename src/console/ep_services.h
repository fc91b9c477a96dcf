/*
 * GET /v1/services: what routes may point to, one entry for each service source (console-api.md §3.8).
 */
#ifndef CONSOLE_EP_SERVICES_H
#define CONSOLE_EP_SERVICES_H

#include "console/act.h"

void ep_services_list(struct act *a);

#endif
