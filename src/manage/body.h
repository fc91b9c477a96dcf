/*
 * The body of a call, gathered into one text. Bodies of all calls together have a bound.
 */
#ifndef MANAGE_BODY_H
#define MANAGE_BODY_H

#include "manage/manage.h"

/* Above it nobody may send more: 503. */
#define BODY_ALL_MAX ((size_t)128 << 20)

struct body {
	struct manage *manage;
	struct text text;
	size_t max, counted;
};

enum body_rc {
	BODY_MORE, /* it has not come whole yet: body_take when the call's stream has news */
	BODY_WHOLE,
	BODY_TOO_LARGE, /* above max: 413 */
	BODY_BUSY       /* above what all calls may keep: 503 */
};

/* Asks the client to send. */
enum body_rc body_begin(struct body *b, struct manage *m, struct stream *s, size_t max);
/* Takes what has come. */
enum body_rc body_take(struct body *b, struct stream *s);
/* The text is wiped: it may be a log-in. Safe on a zeroed one; the loop's thread. */
void body_done(struct body *b);
/* The listeners are gone: the text stays the caller's, nothing is counted any more. */
void body_orphan(struct body *b);

#endif
