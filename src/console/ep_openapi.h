/*
 * GET /v1/openapi.json: an OpenAPI 3.1 document made of the table of endpoints, so that it lists what is
 * served and nothing else.
 */
#ifndef CONSOLE_EP_OPENAPI_H
#define CONSOLE_EP_OPENAPI_H

#include "console/act.h"

void ep_openapi(struct act *a);

#endif
