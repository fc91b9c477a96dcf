/*
 * HTTP/1 framing: bytes in, facts out (RFC 9112). The security boundary: strict, no lenient mode.
 *
 * A head must stand in one piece of memory; the caller feeds what it has, from the head's first
 * byte, again when more came (cost is linear: `scanned` remembers what was looked at). Offsets in
 * the facts are from `in.p`, so they survive a move of the bytes.
 */
#ifndef WIRE_H1_H
#define WIRE_H1_H

#include "base/err.h"
#include "wire/field.h"

/* Offsets are 16 bits and a head lives in one segment of 32 KB; real heads are below 8 KB. Attack:
 * memory per connection. */
#define H1_HEAD_MAX 32000u
/* Attack: quadratic work in steps that walk the fields. Real clients send about 20. */
#define H1_FIELDS_MAX 100u
/* The longest method in use is 17 characters. */
#define H1_METHOD_MAX 32u

#define H1_LENGTH_NONE UINT64_MAX

enum h1_framing {
	H1_NO_BODY, /* also when the length is 0 */
	H1_LENGTH,  /* exactly `length` bytes */
	H1_CHUNKED,
	H1_TO_CLOSE /* responses only: until the connection ends */
};

struct h1_head {
	struct bytes method, target; /* requests; point into `in` */
	unsigned status;             /* responses */
	struct bytes reason;         /* responses; may be empty */
	uint8_t minor;               /* HTTP/1.minor: 0 or 1 */
	enum h1_framing framing;
	uint64_t length;      /* content-length as sent, or H1_LENGTH_NONE */
	bool keep_alive;      /* by version and Connection */
	bool expect_continue; /* requests */
	bool upgrade;         /* requests: a valid Upgrade is asked for */
	unsigned n_fields;
	struct field *fields; /* the caller's array of H1_FIELDS_MAX */
};

/*
 * READ_DONE: *out is filled, *used is the head's length including its empty line. READ_MORE: feed
 * again with more bytes. READ_FAIL: fault.status is 400, 431 (head or fields over the limit), 501
 * (a transfer coding other than chunked), 505 (version); fault.where the offset.
 *
 * Refused (RFC 9112 and practice against request smuggling): bare CR or LF as line end, a blank
 * before the colon, obs-fold, control characters in values, an empty or non-token name, two
 * Content-Length or one that is no plain number, Content-Length beside Transfer-Encoding, any
 * Transfer-Encoding other than exactly "chunked" once (and none in HTTP/1.0), a missing or second
 * Host in HTTP/1.1, a Host with characters outside host[:port], more than one blank in the request
 * line, targets with bytes outside 0x21..0x7e, more than 32 names in Connection. The first line, a
 * bare LF and the limit are judged as soon as they are there, the rest when the head is whole; what
 * is said never depends on how the bytes were split. An empty line before the request line is
 * skipped once (RFC 9112 §2.2). Absolute-form targets are accepted as they are (url_parse_target
 * understands them). out->fields must point to H1_FIELDS_MAX fields. *scanned starts at 0 for each
 * head.
 */
MUST_CHECK enum read_rc h1_parse_request(
	struct h1_head *out, struct bytes in, size_t *scanned, size_t *used, struct fault *fault);

/* The same for a response; `request_was_head` and status 1xx, 204, 304 mean H1_NO_BODY. A response
 * with neither length nor chunked is H1_TO_CLOSE and not keep_alive; a 1xx or 204 that announces a
 * body is not keep_alive either. No blank is needed where there is no reason. fault.status is 502. */
MUST_CHECK enum read_rc h1_parse_response(struct h1_head *out, struct bytes in,
	bool request_was_head, size_t *scanned, size_t *used, struct fault *fault);

/* --- chunked bodies (RFC 9112 §7.1) ----------------------------------------------------------- */

/* A chunk-size line with its extension; trailers count as one head. */
#define H1_CHUNK_LINE_MAX 256u
#define H1_TRAILER_MAX 8192u

struct h1_chunked {
	uint64_t left;  /* data bytes of the current chunk still to come */
	uint32_t count; /* bytes of the current line or of the trailers so far */
	uint8_t state;
};

void h1_chunked_init(struct h1_chunked *c);

/*
 * Decodes p[0..n) in place: data bytes move to the front, their number is *data_n; *used is how
 * many of the n input bytes were consumed (all of them unless READ_DONE). READ_DONE: the final
 * chunk and the trailers (dropped) are behind us; bytes from p + *used belong to the next message,
 * and are not moved. READ_FAIL: fault.status 400.
 */
MUST_CHECK enum read_rc h1_chunked_decode(
	struct h1_chunked *c, char *p, size_t n, size_t *data_n, size_t *used, struct fault *fault);

/* Writes "<hex>\r\n" at out (18 bytes are enough); returns its length. */
size_t h1_chunk_head(char *out, uint64_t n);

/* The standard reason phrase, "Unknown" for others. */
const char *h1_reason(unsigned status);
/* RFC 9110 token characters. */
bool h1_is_token(struct bytes s);
/* A field value that may be sent: no control characters but tab, no blanks at the ends. */
bool h1_is_value(struct bytes s);

#endif
