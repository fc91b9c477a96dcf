/*
 * Resources and requests that chance makes: few names, hosts, paths and models, so that they meet. The
 * stories that use them expect nothing in words: judge.c compares what the gateway does.
 */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include "base/random.h"
#include "base/text.h"
#include "sim/disk.h"

/* Writes Ingresses, providers, consumers and settings of the model router below `root`. */
void chance_resources(struct random *r, struct disk *disk, const char *root);
/* Appends one whole request to them. */
void chance_request(struct random *r, struct text *out);

#endif
