/*
 * GET /: where a browser lands. Says what this
 * listener is and where its API is described.
 */
#ifndef CONSOLE_EP_HOME_H
#define CONSOLE_EP_HOME_H

#include "console/call.h"

void ep_home(struct call *c);

#endif
