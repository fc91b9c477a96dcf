/*
 * Zero-configuration start: an empty resource directory and a known vendor's key in the environment
 * give a working endpoint. Writes provider, consumer and route as Higress's Console would.
 */
#ifndef CLI_QUICKSTART_H
#define CLI_QUICKSTART_H

#include <stdio.h>

#include "base/err.h"

#define QUICKSTART_KEY_MAX 64u

struct quickstart {
	const char *provider;         /* name and type of what was written */
	const char *model;            /* one that the vendor has, for the first request */
	char key[QUICKSTART_KEY_MAX]; /* of the consumer, NUL-terminated */
};

/* The first known variable of the environment that has a value ("OPENAI_API_KEY"); NULL: none. */
const char *quickstart_key_env(void);

/*
 * Writes the files below resources_dir (made when missing) from the variable that quickstart_key_env
 * named. ERR_EXISTS when there is a resource already: nothing was written. On any other failure what
 * was written is removed again, and what a process that was killed meanwhile has left is written anew. Blocks; start-up only.
 */
MUST_CHECK int quickstart_write(const char *resources_dir, const char *key_env,
	struct quickstart *out, struct fault *fault);

/* Endpoint, key and a curl line for a person; address is where the gateway listens ("0.0.0.0:8080"). */
void quickstart_print(const struct quickstart *q, const char *address, FILE *out);

#endif
