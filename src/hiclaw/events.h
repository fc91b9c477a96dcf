/* Server-sent events of the monitor (monitor-api.md 6.5): a ring of the last 256, and those who listen. Control's. */
#ifndef HICLAW_EVENTS_H
#define HICLAW_EVENTS_H

#include "base/text.h"
#include "manage/call.h"

#define EVENTS_RING 256u
#define EVENTS_STREAMS_MAX 32u
#define EVENTS_COMMENT_MS 15000u
#define EVENTS_LOG_MS 500u
/* Of one look: lines of a program that says very much are left out, and the ring has room for other events. */
#define EVENTS_LOG_LINES 64u

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
/* Lines of the program's log go to those who asked for them, twice a second while there are any; NULL: none are. */
struct recent;
void events_follow(struct events *e, const struct recent *log);
/* Whether somebody listens for it. */
bool events_wanted(const struct events *e, enum event_kind kind);
/* Begins a stream as the answer of a call, from after last_id when that is still in the ring. wanted: bits of kinds.
 * False: there are too many, the call is untouched. */
bool events_stream(struct events *e, struct call *c, uint64_t last_id, unsigned wanted,
	const struct header *extra, size_t n_extra);

#endif
