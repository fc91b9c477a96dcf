/*
 * Of the S3 client, between its files: the client itself, and what of it edits change.
 */
#ifndef HICLAW_S3_INT_H
#define HICLAW_S3_INT_H

#include "hiclaw/s3.h"

/* Whether PUT keeps to If-Match: found out once. */
enum s3_conditions { S3_CONDITIONS_UNKNOWN, S3_CONDITIONS_KEPT, S3_CONDITIONS_REFUSED };

struct s3 {
	struct s3_opts o;
	struct loop *loop;
	struct random random;
	int64_t skew_ms; /* the server's clock less ours */
	enum s3_conditions conditions;
	struct list calls, edits;
};

/* Edits under way leave the client; for s3_free. */
void s3_edit_leave_all(struct s3 *s);

#endif
