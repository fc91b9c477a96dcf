/*
 * The blocks of a PEM text (RFC 7468): "-----BEGIN label-----", base64, "-----END label-----". Text
 * around blocks is passed over, as tools that write PEM put some there. Lines end with LF, CR LF or CR.
 */
#ifndef WIRE_PEM_H
#define WIRE_PEM_H

#include "base/bytes.h"
#include "base/err.h"

struct pem {
	struct bytes rest;
	size_t line; /* of what is read next; 0 before the first call */
};

struct pem_block {
	struct bytes label; /* "CERTIFICATE"; of the text */
	struct bytes der;   /* in the caller's room; of an encrypted block it is empty */
	size_t line;        /* of its beginning, from 1 */
	bool encrypted;     /* "Proc-Type: 4,ENCRYPTED" (RFC 1421 §4.6.1.1) */
};

/* The next block: READ_DONE, or READ_MORE when there is none any more. READ_FAIL: a block that does not
 * end, or does not begin, or that is no base64; *f says it with its line, without a byte of it. room
 * has the size of the text and is written anew by each call. */
MUST_CHECK enum read_rc pem_next(struct pem *p, char *room, struct pem_block *out, struct fault *f);

#endif
