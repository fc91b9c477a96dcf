/*
 * What the next requests get, whatever their models ask for: "status-503*3,ok,reset" (three errors, one
 * request as its model says, one reset; then all as their models say), or the same behind which "again" stands:
 * from the beginning, for ever.
 */
#ifndef MOCK_MOCK_SEQUENCE_H
#define MOCK_MOCK_SEQUENCE_H

#include "mock/mock_script.h"

#define MOCK_SEQUENCE_ITEMS_MAX 64u
/* Of one item; a sequence that is longer than any test waits for. */
#define MOCK_SEQUENCE_TIMES_MAX 1000000u
#define MOCK_SEQUENCE_TEXT_MAX 4096u

struct mock_sequence {
	struct {
		struct mock_script script;
		bool own; /* "ok": what the request's model asks for */
		uint32_t times;
	} v[MOCK_SEQUENCE_ITEMS_MAX];
	unsigned n, at;
	uint32_t used; /* of v[at].times */
	bool again;
};

/* An empty text is a sequence of nothing. ERR_SYNTAX with a sentence; *out is then untouched. */
MUST_CHECK int mock_sequence_parse(
	struct bytes text, struct mock_sequence *out, struct fault *fault);
/* Takes the next one; false: the request's model has the word. */
bool mock_sequence_next(struct mock_sequence *s, struct mock_script *out);
/* How many are left to take of one round. */
uint64_t mock_sequence_left(const struct mock_sequence *s);

#endif
