/*
 * The record of an assignment, model.json (hiclaw-integration.md 6.1): which model was given to an agent,
 * and when. Ours is exact to the byte; what others wrote is read with some patience, and members that we do
 * not know are kept.
 */
#ifndef HICLAW_RECORD_H
#define HICLAW_RECORD_H

#include "hiclaw/model_traits.h"

/* A record has 200 bytes; more is another file by mistake. */
#define RECORD_TEXT_MAX ((size_t)64 << 10)

struct record {
	struct bytes provider, model;
	struct model_traits traits; /* input is not part of it */
	uint64_t updated_us;        /* since 1970; 0: unknown, so older than all */
	/* Of what was read, for the members that we do not know; NULL: a new record. */
	const struct json_value *root;
	struct bytes text;
};

/*
 * Texts of *out stay in the arena or the input. Numbers may be missing or strings of digits, the time may
 * have a fraction, no time or an unreadable one is 0. ERR_SYNTAX or ERR_LIMIT: the record is corrupt (not
 * JSON, no object, no provider or model, a member of another type); *fault says how, *out is untouched.
 */
MUST_CHECK int record_read(
	struct arena *a, struct bytes text, struct record *out, struct fault *fault);
/* Six members in their order (those that are unknown are left out), then those of r->root that are not of
 * the six, as they were spelled; two blanks of indentation, a line end. */
void record_write(const struct record *r, struct text *out);
/* Whether both assign the same, whenever that was. */
bool record_same(const struct record *x, const struct record *y);

/* UTC as YYYY-MM-DDTHH:MM:SS, a fraction, Z or +00:00. False: it is not that. */
MUST_CHECK bool record_time_read(struct bytes s, uint64_t *us_out);

#endif
