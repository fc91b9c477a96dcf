/*
 * Messages as a peer of the product reads them, request or response: an independent reader for the
 * expectations of scenarios. It shares no code with wire/ and is strict, because what it reads was
 * written by us: a bare LF, two lengths, or a chunk that does not end are mistakes of the product.
 */
#ifndef SIM_MESSAGE_H
#define SIM_MESSAGE_H

#include "sim/pipe.h"

#define MESSAGE_FIELDS_MAX 64u

enum message_state {
	MESSAGE_HEAD, /* its head is not complete */
	MESSAGE_BODY,
	MESSAGE_DONE,
	MESSAGE_BROKEN /* why says how */
};

struct message {
	bool is_request;
	bool no_body; /* of a response: the request was a HEAD */
	enum message_state state;
	const char *why;
	size_t at; /* bytes of the stream that are used up */

	struct bytes first[3]; /* method target version, or version status reason; in `text` */
	unsigned status;
	unsigned n_fields;
	struct message_field {
		struct bytes name, value;
	} fields[MESSAGE_FIELDS_MAX];
	char *text; /* a copy of the head */

	bool chunked, until_close, in_trailer;
	uint64_t left; /* of the body or chunk */
	unsigned chunk_part;
	unsigned chunks; /* begun, the last one included */
	struct pipe body;
	size_t events_at; /* where the next event of a stream begins in body */
};

/* `at`: where the message begins in the stream. */
void message_begin(struct message *m, bool is_request, size_t at);
void message_done(struct message *m);
/* stream: all bytes of the stream so far; ended: no more will come. */
void message_read(struct message *m, struct bytes stream, bool ended);

/* The i-th field of that name; p == NULL when there is none. */
struct bytes message_field(const struct message *m, struct bytes name, unsigned i);
/* The next complete event (up to its empty line) of a stream of events, without that line; p == NULL
 * when there is none. Moves on. */
struct bytes message_next_event(struct message *m);

#endif
