/*
 * Wasm plugins (console-api.md §3.11): what depends on the reader's language. The rest is as with other nouns.
 */
#ifndef CONSOLE_EP_PLUGINS_H
#define CONSOLE_EP_PLUGINS_H

#include "console/act.h"

void ep_plugins_list(struct act *a);
void ep_plugins_get(struct act *a);
void ep_plugins_config(struct act *a);
void ep_plugins_readme(struct act *a);

#endif
