/*
 * The types of providers that are served: one row each (providers.md §2.1). What a row cannot say is a
 * dialect, with a file of its own.
 */
#ifndef AI_PROVIDERS_H
#define AI_PROVIDERS_H

#include "plan/provider.h"

extern const struct provider_types provider_types;

#endif
