/*
 * A stream is a place in the ring: what it has not been sent yet is composed when the connection has room, so a slow
 * reader costs nothing but the events that he misses when the ring has gone round. Numbers begin with the time at which
 * the process did, so that a client that comes back after a restart is not given others under the numbers it knows.
 */
#include "hiclaw/events.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/recent.h"

/* Of one event: a Worker or an assignment. */
#define EVENT_MAX ((size_t)64 << 10)
/* Composed at once for a stream. */
#define BATCH_MAX ((size_t)16 << 10)

struct event {
	uint64_t id; /* 0: none yet */
	enum event_kind kind;
	struct text json;
};

struct event_stream {
	struct list link;
	struct events *events;
	struct call *call;
	struct call_work work;
	struct stream_source source;
	uint64_t next;
	unsigned wanted;
	struct text out;
	size_t sent;
};

struct events {
	struct loop *loop;
	struct event ring[EVENTS_RING];
	uint64_t first, next; /* numbers: of the first ever, of the next one */
	struct list streams;
	size_t n_streams;
	struct timer comment, look;
	const struct recent *log; /* NULL: not followed */
	uint64_t log_at;          /* the number of the line that comes next */
};

const char *event_kind_text(enum event_kind kind)
{
	static const char *const names[EVENT_KINDS] = {
		"metrics", "worker", "assignment", "provider", "route", "backup", "log"};

	return names[kind];
}

static uint64_t oldest(const struct events *e)
{
	return e->next - e->first > EVENTS_RING ? e->next - EVENTS_RING : e->first;
}

/* --- one stream ------------------------------------------------------------------------------------------------- */

/* Events that it has not had, as many as fit into a batch. */
static void compose(struct event_stream *s)
{
	struct events *e = s->events;

	s->next = MAX(s->next, oldest(e));
	text_clear(&s->out);
	s->sent = 0;
	for (; s->next < e->next && s->out.n < BATCH_MAX; s->next++) {
		const struct event *v = &e->ring[s->next % EVENTS_RING];

		if ((s->wanted & 1u << v->kind) != 0) {
			text_addf(&s->out, "id: %llu\nevent: %s\ndata: " BYTES_FMT "\n\n",
				(unsigned long long)v->id, event_kind_text(v->kind),
				BYTES_ARG(text_bytes(&v->json)));
		}
	}
}

static int fill(struct stream_source *source, struct iovec *v, int max)
{
	struct event_stream *s = CONTAINER_OF(source, struct event_stream, source);

	if (s->sent == s->out.n) {
		compose(s);
	}
	if (max == 0 || s->sent == s->out.n) {
		return 0;
	}
	v[0] = (struct iovec){s->out.p + s->sent, s->out.n - s->sent};
	return 1;
}

static void sent(struct stream_source *source, size_t n)
{
	CONTAINER_OF(source, struct event_stream, source)->sent += n;
}

static void on_end(struct call_work *w)
{
	struct event_stream *s = CONTAINER_OF(w, struct event_stream, work);

	list_remove(&s->link);
	s->events->n_streams--;
	text_done(&s->out);
	free(s);
}

static void on_body(struct call_work *w)
{
	(void)w; /* a body that nobody asked for */
}

static void on_look(struct timer *t);

/* From here on: what was said before is what GET logs is for. */
static void follow_log(struct events *e, unsigned wanted)
{
	if (e->log != NULL && (wanted & 1u << EVENT_LOG) != 0 && !timer_is_set(&e->look)) {
		e->log_at = recent_end(e->log);
		timer_set(e->loop, &e->look, EVENTS_LOG_MS, on_look);
	}
}

bool events_stream(struct events *e, struct call *c, uint64_t last_id, unsigned wanted,
	const struct header *extra, size_t n_extra)
{
	struct event_stream *s;

	if (e->n_streams >= EVENTS_STREAMS_MAX) {
		return false;
	}
	s = must_alloc(sizeof(*s));
	s->events = e;
	s->call = c;
	s->work = (struct call_work){.on_body = on_body, .on_end = on_end};
	s->source = (struct stream_source){.fill = fill, .sent = sent};
	s->next = last_id >= oldest(e) && last_id < e->next ? last_id + 1 : e->next;
	s->wanted = wanted;
	text_init(&s->out, BATCH_MAX + 2 * EVENT_MAX);
	text_add_str(&s->out, "retry: 3000\n\n");
	list_append(&e->streams, &s->link);
	e->n_streams++;
	c->work = &s->work;
	call_reply_source(c, 200, "text/event-stream", &s->source, extra, n_extra);
	follow_log(e, wanted);
	return true;
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

static void pump_all(struct events *e)
{
	struct list *next;

	for (struct list *at = e->streams.next; at != &e->streams; at = next) {
		struct event_stream *s = CONTAINER_OF(at, struct event_stream, link);

		next = at->next;
		stream_pump(s->call->stream);
	}
}

/* So that a connection that nobody is behind any more is noticed, and no proxy closes one that is silent. */
static void on_comment(struct timer *t)
{
	struct events *e = CONTAINER_OF(t, struct events, comment);

	for (struct list *at = e->streams.next; at != &e->streams; at = at->next) {
		struct event_stream *s = CONTAINER_OF(at, struct event_stream, link);

		if (s->sent == s->out.n) {
			text_clear(&s->out);
			s->sent = 0;
			text_add_str(&s->out, ": \n\n");
		}
	}
	pump_all(e);
	timer_set(e->loop, &e->comment, EVENTS_COMMENT_MS, on_comment);
}

/* A line that was cut to be kept is no JSON any more, and is not sent. */
static void say_line(struct events *e, uint64_t n)
{
	struct text line;

	text_init(&line, RECENT_LINE_MAX + 1);
	if (recent_get(e->log, n, &line) && line.n != 0 && line.p[line.n - 1] == '}') {
		events_say(e, EVENT_LOG, text_bytes(&line));
	}
	text_done(&line);
}

static void on_look(struct timer *t)
{
	struct events *e = CONTAINER_OF(t, struct events, look);
	uint64_t end = recent_end(e->log);

	if (end - e->log_at > EVENTS_LOG_LINES) {
		e->log_at = end - EVENTS_LOG_LINES;
	}
	if (!events_wanted(e, EVENT_LOG)) {
		return; /* until somebody asks */
	}
	while (e->log_at < end) {
		say_line(e, e->log_at++);
	}
	timer_set(e->loop, &e->look, EVENTS_LOG_MS, on_look);
}

void events_follow(struct events *e, const struct recent *log)
{
	e->log = log;
}

struct events *events_new(struct loop *loop)
{
	struct events *e = must_alloc(sizeof(*e));

	e->loop = loop;
	e->first = e->next = clock_wall_ms();
	list_init(&e->streams);
	timer_set(loop, &e->comment, EVENTS_COMMENT_MS, on_comment);
	return e;
}

void events_free(struct events *e)
{
	if (e == NULL) {
		return;
	}
	ASSERT(list_empty(&e->streams));
	timer_clear(e->loop, &e->comment);
	timer_clear(e->loop, &e->look);
	for (size_t i = 0; i < EVENTS_RING; i++) {
		text_done(&e->ring[i].json);
	}
	free(e);
}

bool events_wanted(const struct events *e, enum event_kind kind)
{
	for (struct list *at = e->streams.next; at != &e->streams; at = at->next) {
		if ((CONTAINER_OF(at, struct event_stream, link)->wanted & 1u << kind) != 0) {
			return true;
		}
	}
	return false;
}

void events_say(struct events *e, enum event_kind kind, struct bytes json)
{
	struct event *v = &e->ring[e->next % EVENTS_RING];

	if (json.n > EVENT_MAX) {
		return;
	}
	v->id = e->next++;
	v->kind = kind;
	text_done(&v->json);
	text_init(&v->json, EVENT_MAX);
	text_add_bytes(&v->json, json);
	pump_all(e);
}
