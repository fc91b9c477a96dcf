/*
 * Limits and deadlines of exchanges, each with its default and the reason for the number.
 */
#ifndef PROXY_LIMITS_H
#define PROXY_LIMITS_H

#include "base/base.h"

struct proxy_limits {
	/* Largest request body (data-plane.md §3.3). */
	uint64_t body_max;
	/* A streamed request: from its last byte being sent to the first event (data-plane.md §10.4); a
	 * provider's firstByteTimeout goes before it. 0: off. */
	uint32_t first_byte_ms;
	/* Any other request: to the answer's head. Slow completions take minutes. */
	uint32_t answer_ms;
	/* Longest silence inside an answer (data-plane.md §10.4). 0: off. */
	uint32_t idle_ms;
	/* Waiting for a name that was never resolved. */
	uint32_t resolve_ms;
	/* A new body waits for buffer memory: who holds it may run for hours, and a client that has left
	 * is not noticed while nothing is read from it. */
	uint32_t memory_ms;
	/* Accident: many consumers times routes times models. What an observer keeps apart, per worker. */
	uint32_t series_max;
};

#define PROXY_LIMITS_DEFAULT                                                                    \
	{                                                                                       \
		.body_max = 100u * 1024u * 1024u, .first_byte_ms = 120000, .answer_ms = 600000, \
		.idle_ms = 120000, .resolve_ms = 5000, .memory_ms = 10000, .series_max = 2000,  \
	}

/* Bytes of an answer that wait for a slow client before the upstream is not read any more. Two reads:
 * one being sent, one behind it. */
#define ANSWER_HIGH_WATER 65536u
/* Bytes of a body that streams through without being gathered, likewise. */
#define THROUGH_HIGH_WATER 65536u
/* An event that lies across segments is put together to read its usage, up to this; a longer one is
 * relayed unread (usage unknown). Usage events are below 1 KB. */
#define EVENT_READ_MAX (256u * 1024u)
/* An answer that has to be seen whole before it can be changed: above it one that is no stream goes on as it
 * came. Completions of 100,000 tokens have 500 KB. */
#define ANSWER_GATHER_MAX (4u * 1024u * 1024u)
/* Longest target towards an upstream; a client's own cannot be longer than its head. */
#define TARGET_MAX 16384u
/* Longest path, model and other text from the client that a log line shows. */
#define LOG_TEXT_MAX 160u
/* What ai-statistics may add to a log line, escapes included. */
#define ATTRIBUTES_MAX 8192u
/* What a request's fields, query, edits and their texts may take: far more than the limits on each of
 * them come to, so that no client can use it up. */
#define REQUEST_ARENA_MAX (256u * 1024u)

/* Access lines on their way to the log thread, per worker: about 2,500 of them. */
#define LOG_RING_SIZE (1024u * 1024u)

#endif
