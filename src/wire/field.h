/*
 * One header field of a message, as offsets into the bytes of its head, so that a head of 20 fields
 * costs 240 bytes and survives being moved. Used by every version of HTTP.
 */
#ifndef WIRE_FIELD_H
#define WIRE_FIELD_H

#include "base/bytes.h"

/* Names that some step asks for or drops; everything else is FIELD_OTHER. Case does not matter. */
enum field_id {
	FIELD_OTHER = 0,
	FIELD_ACCEPT,
	FIELD_ACCEPT_ENCODING,
	FIELD_API_KEY, /* api-key */
	FIELD_AUTHORIZATION,
	FIELD_CONNECTION,
	FIELD_CONTENT_ENCODING,
	FIELD_CONTENT_LENGTH,
	FIELD_CONTENT_TYPE,
	FIELD_DATE,
	FIELD_EXPECT,
	FIELD_FORWARDED,
	FIELD_HOST,
	FIELD_KEEP_ALIVE,
	FIELD_PROXY_AUTHENTICATE,
	FIELD_PROXY_AUTHORIZATION,
	FIELD_PROXY_CONNECTION,
	FIELD_PROXY_OTHER, /* any other proxy-* */
	FIELD_REQUEST_ID,  /* request-id */
	FIELD_RETRY_AFTER,
	FIELD_SERVER,
	FIELD_SERVER_TIMING,
	FIELD_TE,
	FIELD_TRACEPARENT,
	FIELD_TRACESTATE,
	FIELD_TRAILER,
	FIELD_TRANSFER_ENCODING,
	FIELD_UPGRADE,
	FIELD_USER_AGENT,
	FIELD_VIA,
	FIELD_X_API_KEY,
	FIELD_X_AUTHORIZATION,
	FIELD_X_ENVOY,     /* x-envoy-* */
	FIELD_X_FORWARDED, /* x-forwarded-* */
	FIELD_X_GOOG_API_KEY,
	FIELD_X_HI_ORIGINAL_AUTH,
	FIELD_X_HIGRESS,            /* x-higress-*, but not the next one */
	FIELD_X_HIGRESS_SKIP_CACHE, /* x-higress-skip-ai-cache */
	FIELD_X_MSE_CONSUMER,
	FIELD_X_REAL_IP,
	FIELD_X_REQUEST_ID,
	FIELD_X_SLUICE, /* x-sluice-* */
	FIELD_ANTHROPIC_BETA,
	FIELD_ANTHROPIC_VERSION,
	FIELD_ID_COUNT
};

struct field {
	uint16_t name, name_n;   /* offsets and lengths in the head */
	uint16_t value, value_n; /* value without blanks at its ends */
	uint8_t id;              /* enum field_id */
	bool hop;                /* hop-by-hop: by its own name or because Connection names it */
};

enum field_id field_id_of(struct bytes name);

#endif
