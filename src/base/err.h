/*
 * How a failure travels: a small negative number, and for people one struct fault that is filled
 * where the failure is first understood and formatted nowhere else.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

enum err {
	ERR_NONE = 0,
	ERR_SYNTAX = -1,  /* the bytes are not what their format says */
	ERR_LIMIT = -2,   /* a named limit was met */
	ERR_REFUSED = -3, /* the peer or a rule said no */
	ERR_TIMEOUT = -4, /* a deadline passed */
	ERR_CLOSED = -5,  /* the peer ended the conversation early */
	ERR_RESET = -6,   /* the connection broke */
	ERR_NOT_FOUND = -7,
	ERR_IO = -8,      /* the system failed; text says how */
	ERR_TLS = -9,     /* handshake or certificate */
	ERR_AGAIN = -10,  /* nothing now, ask again when told */
	ERR_MEMORY = -11, /* the byte budget is spent */
	ERR_EXISTS = -12,
	ERR_UNSUPPORTED = -13,
};

/* Incremental calls: done, more input needed, failed for good. */
enum read_rc { READ_DONE, READ_MORE, READ_FAIL };

struct fault {
	enum err err;
	int status;     /* what an HTTP client would be told; 0: not decided here */
	size_t where;   /* offset or line, as the function that fills it says */
	char text[160]; /* one sentence, never bytes of a body */
};

/* Fills *f (may be NULL) and returns f's err, so that a caller can `return fault_set(...)`. */
COLD enum err fault_set(struct fault *f, enum err err, int status, size_t where, const char *fmt,
	...) PRINTF_LIKE(5, 6);

/* "syntax", "limit", …; never NULL. */
const char *err_name(enum err err);

#endif
