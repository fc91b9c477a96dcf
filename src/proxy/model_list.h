/* The lists of models that providers have: what the step `models` (proxy/exchange.h) merges into the gateway's own. */
#ifndef PROXY_MODEL_LIST_H
#define PROXY_MODEL_LIST_H

#include "proxy/fetched.h"

/* How soon after a failure a list is asked for again: some providers have none. */
#define MODEL_LIST_RETRY_MS 60000u
/* How long a request waits for lists that nobody has asked for yet; then they are left out. */
#define MODEL_LIST_WAIT_MS 5000u

/* A provider's list: its names, each with a NUL behind it. */
extern const struct fetched_form model_list_form;

#endif
