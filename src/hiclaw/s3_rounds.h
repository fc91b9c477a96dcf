/*
 * Looks at the object storage again and again: a round is some requests, one at a time, then a pause. Embedded in who
 * looks (hiclaw/stored.h, hiclaw/stored_tasks.h), zeroed but for what is asked for. Control's.
 */
#ifndef HICLAW_S3_ROUNDS_H
#define HICLAW_S3_ROUNDS_H

#include "hiclaw/s3.h"

/* What the answers to one list, and to what is asked until the next one, may hold. */
#define S3_ROUNDS_PAGE_MAX ((size_t)64 << 20)

struct s3_rounds {
	struct loop *loop;
	struct s3 *s3;
	uint64_t every_ms; /* from the end of a round to the begin of the next */
	const char *what;  /* of the first line about a failure: "tasks are not known" */
	/* Asks for something. Each round ends by s3_rounds_end or s3_rounds_fail. */
	void (*begin)(struct s3_rounds *r);

	/* its own */
	struct timer timer;
	struct s3_call call; /* of which on_done may look at the outcome */
	bool calling;
	struct arena page;
	void (*on_done)(struct s3_rounds *r);
	struct fault why;
};

/* The first round begins in the next turn. */
void s3_rounds_start(struct s3_rounds *r);
/* Nothing comes any more. */
void s3_rounds_stop(struct s3_rounds *r);

/* One request of a round; key stays until on_done. deep: of a list, what is below further slashes, too. A list lets go of
 * what was answered before. */
void s3_rounds_ask(struct s3_rounds *r, enum s3_verb verb, struct bytes key, bool deep,
	void (*on_done)(struct s3_rounds *r));
/* The storage cannot be asked at all: what one object's answer says is no reason to give up the round. */
bool s3_rounds_is_outage(const struct s3_rounds *r);
/* Said once, until a round succeeds. */
void s3_rounds_fail(struct s3_rounds *r);
void s3_rounds_end(struct s3_rounds *r);
/* Why the last round came to nothing; empty: it did not. Until the next turn. */
struct bytes s3_rounds_why(const struct s3_rounds *r);

#endif
