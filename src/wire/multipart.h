/*
 * multipart/form-data (RFC 7578, RFC 2046 §5.1): a strict incremental scanner that finds one short field
 * by its name, wherever it stands between files of any size. Bytes in, offsets out; nothing is kept but
 * the field's value. Used for the model of uploads, which are not gathered.
 *
 * Strict: what two readers could read differently is refused, up to the end of the field. What stands
 * behind it is not looked at.
 */
#ifndef WIRE_MULTIPART_H
#define WIRE_MULTIPART_H

#include "base/bytes.h"
#include "base/err.h"

#define MULTIPART_BOUNDARY_MAX 70u /* RFC 2046 §5.1.1 */
/* Longest header line of a part: a file name of 255 characters, each written with three escapes. */
#define MULTIPART_LINE_MAX 4096u
/* Attack: parts of nothing but headers, parts without end. */
#define MULTIPART_HEADERS_MAX 16384u
#define MULTIPART_PARTS_MAX 1024u
/* Longest value of the field. A model's name is below 100 bytes. */
#define MULTIPART_VALUE_MAX 512u
/* Longest name of a field that can be asked for. */
#define MULTIPART_NAME_MAX 63u

struct multipart {
	/* results */
	bool found;        /* the field is there, whole */
	uint64_t beg, end; /* of its value in the body */
	/* the scanner's */
	uint8_t state;
	bool failed, wanted, named;
	uint8_t name_n, lead;
	uint16_t value_n, delimiter_n, matched;
	uint32_t line_n, headers_n, parts;
	uint64_t at;    /* bytes that were fed */
	uint64_t value; /* where the data of the part begins, while it is read */
	char name[MULTIPART_NAME_MAX];
	char delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CR LF - - boundary */
	char value_room[MULTIPART_VALUE_MAX];
	char line[MULTIPART_LINE_MAX];
};

/* The boundary of a Content-Type, false when it is no multipart/form-data. True and an empty boundary:
 * it is, but its boundary is missing, given twice or none. */
bool multipart_boundary(
	struct bytes content_type, char room[MULTIPART_BOUNDARY_MAX], struct bytes *out);

/* boundary: 1 to MULTIPART_BOUNDARY_MAX bytes; name: 1 to MULTIPART_NAME_MAX. Both are copied. */
void multipart_init(struct multipart *m, struct bytes boundary, struct bytes name);
/* The next n bytes. READ_MORE: fine so far. READ_DONE: the field was found, or the body has none; what
 * follows need not be fed. READ_FAIL: fault.where is the offset in the body, fault.err ERR_SYNTAX or
 * ERR_LIMIT; it stays so. */
MUST_CHECK enum read_rc multipart_feed(
	struct multipart *m, const char *p, size_t n, struct fault *fault);
/* The body is over: READ_DONE, or READ_FAIL when it has no end. */
MUST_CHECK enum read_rc multipart_end(struct multipart *m, struct fault *fault);
/* Bytes before it are no part of the field's value: they may be sent on while the scan goes on. */
uint64_t multipart_safe(const struct multipart *m);
/* Only when found. Lives in m. */
struct bytes multipart_value(const struct multipart *m);

#endif
