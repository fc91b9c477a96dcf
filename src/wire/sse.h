/*
 * Server-sent events: finds where events end and what they hold (WHATWG HTML §9.2), without
 * copying.
 *
 * The caller keeps the raw bytes of the event in progress; offsets in the facts count from the
 * first raw byte behind the previous event. BOM at the start, LF, CR, CRLF and mixtures are
 * understood, split at any byte. Cost is linear in the bytes.
 */
#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include "base/err.h"
#include "base/text.h"

/* data-plane.md §10.3. Attack: memory per stream. */
#define SSE_EVENT_MAX (16u * 1024u * 1024u)

struct sse_event {
	uint32_t raw_n;            /* all its bytes, terminator included */
	uint32_t data_off, data_n; /* value of the first `data` line */
	uint32_t data_lines;       /* 0: comment, ping without data, empty event */
	uint32_t name_off, name_n; /* value of the last `event` line; name_n 0: none */
	bool done;                 /* data is "[DONE]" */
};

struct sse {
	uint32_t pos;  /* raw bytes of the event in progress, at most SSE_EVENT_MAX */
	uint32_t line; /* where its current line began */
	uint8_t flags;
	struct sse_event event;
	char head[16]; /* first bytes of the current line: its name, a blank, "[DONE]" */
};

void sse_init(struct sse *s);

/*
 * READ_DONE: *ev is an event that ended after *used bytes of `in`; call again with the rest.
 * READ_MORE: everything was taken. READ_FAIL: an event over SSE_EVENT_MAX. When a terminator is cut
 * between CR and LF the event ends at the CR; the LF is then the first raw byte of the next event
 * and makes no event of its own.
 */
MUST_CHECK enum read_rc sse_feed(
	struct sse *s, struct bytes in, size_t *used, struct sse_event *ev);

/* Whether bytes of an unfinished event are held (a clean end of the stream delivers it:
 * sse_finish). The LF of a terminator that was cut does not count: it may be passed on at once. */
bool sse_in_event(const struct sse *s);
/* The unterminated last event at a clean end. False when there is none. */
bool sse_finish(struct sse *s, struct sse_event *ev);

/* The data of an event whose raw bytes are contiguous, lines joined with LF, appended to out. */
void sse_event_data(struct bytes raw, struct text *out);

#endif
