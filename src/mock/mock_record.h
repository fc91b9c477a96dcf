/*
 * What the mock saw: a ring of requests with how each of them ended. Bounded in number and in bytes.
 */
#ifndef MOCK_MOCK_RECORD_H
#define MOCK_MOCK_RECORD_H

#include "base/seg.h"
#include "base/text.h"
#include "http/head.h"

#define MOCK_RECORD_MAX 4096u
/* Of a body that is kept; a longer one is kept by length and hash only from there on. */
#define MOCK_RECORD_BODY_MAX 65536u
/* Of all bodies that are kept: the oldest go first. */
#define MOCK_RECORD_BODIES_MAX (64u * 1024u * 1024u)

#define MOCK_SHA256_HEX 64u

enum mock_end {
	MOCK_END_OPEN,
	MOCK_END_COMPLETE,
	MOCK_END_CLIENT_GONE,
	MOCK_END_CUT /* by the mock, because it was asked to */
};

struct mock_seen {
	uint64_t seq; /* 0: a free place of the ring */
	char *method, *target;
	char *headers; /* JSON: [["name","value"],…] in the order received */
	char *body;    /* the first bytes of it; NULL: dropped */
	size_t body_kept;
	uint64_t body_n;
	char sha256[MOCK_SHA256_HEX + 1];
	uint64_t start_ms, end_ms; /* wall clock */
	uint64_t events;           /* that were handed to the connection */
	enum mock_end end;
};

struct mock_record;

struct mock_record *mock_record_new(void);
void mock_record_free(struct mock_record *r);
void mock_record_clear(struct mock_record *r);

/* Notes a request whose body is complete. The head's fields must still be there. seq counts from 1 and
 * is never used twice. */
void mock_record_add(
	struct mock_record *r, uint64_t seq, const struct head *head, const struct chain *body);
/* NULL when it was pushed out or cleared. Valid until the next add or clear. */
struct mock_seen *mock_record_get(struct mock_record *r, uint64_t seq);

/* The last n as a JSON array, the oldest first, appended to out. */
void mock_record_print(const struct mock_record *r, uint64_t last, bool bodies, struct text *out);
/* {"method":…,"path":…,"headers":…,"body_length":…,"sha256":…}, what an echo says. */
void mock_record_echo(const struct mock_seen *s, struct text *out);

#endif
