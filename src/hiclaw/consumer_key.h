/*
 * How a consumer says to a gateway who it is, when we ask in its name (placement P4): one field of a request. What a
 * Console shows comes from outside: a value with a line break would be fields of its own. Pure.
 */
#ifndef HICLAW_CONSUMER_KEY_H
#define HICLAW_CONSUMER_KEY_H

#include "wire/doc.h"

struct consumer_key {
	struct bytes field, value; /* "Authorization", "Bearer …" */
	struct bytes secret;       /* of value: never said */
};

/* As the Console has the consumer: {"credentials": [{"type": "key-auth", "source": "BEARER", "values": […]}]}. False: it
 * shows no key that can be sent, for they are masked, asked for in the query, or none of a request. Texts are a's. */
MUST_CHECK bool consumer_key_of(
	struct arena *a, const struct doc *consumer, struct consumer_key *out);
/* As "Authorization: Bearer". False: it is empty, or no field's value. */
MUST_CHECK bool consumer_key_bearer(struct arena *a, struct bytes key, struct consumer_key *out);

#endif
