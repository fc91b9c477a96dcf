/* Server-sent events of the monitor (monitor-api.md 6.5): a ring of the last 256, and those who listen. Control's. */
#ifndef HICLAW_EVENTS_H
#define HICLAW_EVENTS_H

#include "base/text.h"
#include "manage/call.h"

#define EVENTS_RING 256u
#define EVENTS_STREAMS_MAX 32u
#define EVENTS_COMMENT_MS 15000u

enum event_kind {
	EVENT_METRICS,
	EVENT_WORKER,
	EVENT_ASSIGNMENT,
	EVENT_PROVIDER,
	EVENT_ROUTE,
	EVENT_BACKUP,
	EVENT_LOG,
	EVENT_KINDS
};
/* "metrics", ... */
const char *event_kind_text(enum event_kind kind);

struct events;
struct events *events_new(struct loop *loop);
/* After the calls have ended. NULL is allowed. */
void events_free(struct events *e);
/* json: one line; copied. */
void events_say(struct events *e, enum event_kind kind, struct bytes json);
/* Whether somebody listens for it. */
bool events_wanted(const struct events *e, enum event_kind kind);
/* Begins a stream as the answer of a call, from after last_id when that is still in the ring. wanted: bits of kinds.
 * False: there are too many, the call is untouched. */
bool events_stream(struct events *e, struct call *c, uint64_t last_id, unsigned wanted,
	const struct header *extra, size_t n_extra);

#endif
