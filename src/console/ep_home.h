/*
 * GET /: where a browser lands. Says what this
 * listener is and where its API is described.
 */
#ifndef CONSOLE_EP_HOME_H
#define CONSOLE_EP_HOME_H

#include "console/console.h"

void ep_home(struct console *console, struct call *c);

#endif
