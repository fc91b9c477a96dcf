/*
 * `sluice providers test`: does a provider answer, with the address and the credential that the gateway has for it?
 * The vendor is asked from where the command runs.
 */
#ifndef CLI_PROVIDER_PROBE_H
#define CLI_PROVIDER_PROBE_H

#include "cli/remote.h"
#include "plan/provider.h"

/* model NULL: asks for the list of models. The exit code. */
int provider_probe_run(struct remote *r, struct arena *a, const struct provider_types *types,
	struct bytes name, const char *model, FILE *out);

#endif
