/*
 * Signature Version 4 of AWS, as S3 wants it: what is signed, and the Authorization field. Pure: no clock,
 * no request is sent.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
#ifndef WIRE_SIGV4_H
#define WIRE_SIGV4_H

#include "base/text.h"

/* Parameters of a query, and fields that are signed: more than any request of ours has. */
#define SIGV4_PAIRS_MAX 24u
/* Accident: a key, a parameter or a token far beyond what any server takes (keys have 1024 bytes). */
#define SIGV4_TEXT_MAX ((size_t)64 << 10)
#define SIGV4_DATE_N 16u /* "20130524T000000Z" */

struct sigv4_pair {
	struct bytes name, value;
};

struct sigv4 {
	struct bytes method;
	struct bytes path; /* begins with '/'; not encoded */
	const struct sigv4_pair *query;
	size_t n_query; /* not encoded, in any order */
	/* Host and everything x-amz-*, at least; names in any case, any order. */
	const struct sigv4_pair *fields;
	size_t n_fields;
	struct bytes payload; /* SHA-256 of the body, hexadecimal: x-amz-content-sha256 */
	struct bytes region, service;
	struct bytes date; /* SIGV4_DATE_N characters: x-amz-date */
	struct bytes key_id, secret;
};

/* Each byte but letters, digits, "-._~" and '/' as %XX, once. What the request line must say, too. */
void sigv4_path(struct text *out, struct bytes path);
/* name=value joined by '&', encoded ('/' too), sorted by encoded name, then value. At most SIGV4_PAIRS_MAX
 * pairs; out becomes full when they take more than SIGV4_TEXT_MAX. */
void sigv4_query(struct text *out, const struct sigv4_pair *pairs, size_t n);
/* Writes SIGV4_DATE_N characters; no NUL. */
void sigv4_date(char *out, uint64_t wall_ms);

/* What is hashed and signed: out becomes full when it does not fit. More than SIGV4_PAIRS_MAX pairs are a
 * mistake of the caller's. */
void sigv4_canonical(const struct sigv4 *r, struct text *out);
void sigv4_to_sign(const struct sigv4 *r, struct bytes canonical, struct text *out);
/* Appends the value of Authorization. ERR_LIMIT: something is longer than SIGV4_TEXT_MAX, or out is full. */
MUST_CHECK int sigv4_authorization(const struct sigv4 *r, struct text *out);

#endif
