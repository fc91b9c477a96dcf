/*
 * What an answer cost, as its payload says. `ai` fills it, the access line and later the meter read it.
 */
#ifndef PROXY_TOKEN_USAGE_H
#define PROXY_TOKEN_USAGE_H

#include "base/base.h"

struct usage {
	bool known; /* at least one number was read; else the rest means nothing, not zero */
	uint64_t input, output, total;
	uint64_t cached, reasoning;          /* parts of input and output */
	uint64_t cache_read, cache_creation; /* Anthropic's: beside the input, in the total */
};

#endif
