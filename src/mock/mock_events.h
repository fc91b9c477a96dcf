/*
 * A streamed answer, one event after another, with what the script does to it.
 */
#ifndef MOCK_MOCK_EVENTS_H
#define MOCK_MOCK_EVENTS_H

#include "mock/mock_reply.h"

/* How the stream goes on when there is no further event. */
enum mock_events_end { MOCK_EVENTS_CLEAN, MOCK_EVENTS_STALL, MOCK_EVENTS_CUT };

struct mock_events_step;

struct mock_events {
	struct mock_reply *reply;
	const struct mock_events_step *steps;
	unsigned step;
	uint64_t sent; /* events */
	uint64_t bench_left;
	bool over;
	enum mock_events_end end; /* valid when over */
};

/* The reply is the caller's and lives as long. */
void mock_events_init(struct mock_events *e, struct mock_reply *reply);
/* Appends the bytes of the next event; false when there is none. */
bool mock_events_next(struct mock_events *e, struct text *out);

#endif
