/*
 * What the mock's files share: the mock, and one exchange of it. For mock.c and mock_control.c only.
 */
#ifndef MOCK_MOCK_INT_H
#define MOCK_MOCK_INT_H

#include "http/server.h"
#include "mock/mock.h"
#include "mock/mock_events.h"
#include "mock/mock_record.h"
#include "mock/mock_sequence.h"

#define LISTENERS_MAX 16u

struct mock {
	struct loop *loop;
	struct server *server;
	struct mock_record *record;
	struct json_query *query;
	struct list exchanges;
	struct mock_counts counts;
	struct mock_sequence sequence;
	uint64_t record_seq;
	struct {
		int fd;
		struct sys_addr addr; /* with the port that the system chose */
	} listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct http_limits limits;
	struct segpool *pool;
	struct timer outage; /* when it begins, or ends */
	uint64_t outage_ms;  /* how long; 0: none is due */
};

struct mock_exchange {
	struct stream_user user;
	struct stream_source source;
	struct stream *stream;
	struct mock *mock;
	struct list link;
	struct timer timer;
	struct arena arena; /* the head's fields, while the body comes */
	struct mock_reply reply;
	struct mock_events events;
	struct text out; /* bytes to send, from `sent` on */
	size_t sent;
	uint64_t seen;    /* seq of its record; 0: none */
	bool begun;       /* the request is complete */
	bool counted;     /* a model request, not one about the record */
	bool is_stream;   /* an event stream: its length is not known at the head */
	bool streaming;   /* more comes from events */
	bool cut_short;   /* after what is in out the connection is cut */
	uint64_t missing; /* bytes that Content-Length promises and nobody sends */
	bool timed;       /* the timer was used: freed when the turn is over */
};

/* Sends the head; what is in x->out and what events make follow. May end the exchange. */
void mock_send_answer(struct mock_exchange *x, unsigned status, const char *type);
void mock_send_error(struct mock_exchange *x, unsigned status, const char *message);

/* Requests about the mock itself: the record, the counts, the sequence. False: it is none of them. */
bool mock_control(struct mock_exchange *x);

#endif
