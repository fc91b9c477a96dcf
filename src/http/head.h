/*
 * Heads of messages, whatever the version of HTTP.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/arena.h"
#include "wire/field.h"

#define HEAD_NO_LENGTH UINT64_MAX

/* A head that arrived. */
struct head {
	const char *base;            /* the bytes that the fields' offsets count from */
	struct bytes method, target; /* of a request */
	unsigned status;             /* of a response */
	uint8_t minor;               /* HTTP/1.minor */
	bool has_body;               /* a body follows (it may turn out empty) */
	bool expect_continue, upgrade;
	uint64_t length; /* of the body, HEAD_NO_LENGTH when it is not declared */
	unsigned n_fields;
	const struct field *fields;
};

static inline struct bytes head_name(const struct head *h, unsigned i)
{
	return bytes_of(h->base + h->fields[i].name, h->fields[i].name_n);
}
static inline struct bytes head_value(const struct head *h, unsigned i)
{
	return bytes_of(h->base + h->fields[i].value, h->fields[i].value_n);
}
/* First field of that id: its value, p == NULL when there is none. */
static inline struct bytes head_get(const struct head *h, enum field_id id)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (h->fields[i].id == id) {
			return head_value(h, i);
		}
	}
	return (struct bytes){NULL, 0};
}

/* A head to send. Fields are sent in order, as they are; framing fields (Content-Length,
 * Transfer-Encoding, Connection, Date on responses of a server) are added by the connection. */
struct header {
	struct bytes name, value;
};

#define HEAD_OUT_MAX 128u

struct head_out {
	struct bytes method, target; /* request */
	unsigned status;             /* response */
	uint64_t length; /* of the body; HEAD_NO_LENGTH: not known, framed by the connection */
	bool no_body;    /* requests without a body: no Content-Length at all */
	bool to_close;   /* response of no known length: ends with the connection, not chunked */
	unsigned n;
	bool overflow; /* more than HEAD_OUT_MAX fields: the head cannot be sent */
	struct header v[HEAD_OUT_MAX];
};

void head_out_init(struct head_out *h);
/* name and value must live until the head is sent (stream_send returns). */
static inline void head_out_add(struct head_out *h, struct bytes name, struct bytes value)
{
	if (h->n == HEAD_OUT_MAX) {
		h->overflow = true;
		return;
	}
	h->v[h->n++] = (struct header){name, value};
}

#endif
