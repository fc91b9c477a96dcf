#define _GNU_SOURCE
#include "manage/body.h"

#include <string.h>

#include "manage/manage_int.h"

/* Bytes that wait in segments. */
#define BODY_WANT ((size_t)4 * SEG_ROOM)

enum body_rc body_begin(struct body *b, struct manage *m, struct stream *s, size_t max)
{
	b->manage = m;
	b->max = max;
	text_init(&b->text, max);
	if (s->in == STREAM_IN_BODY) {
		if (s->head->length != HEAD_NO_LENGTH && s->head->length > max) {
			return BODY_TOO_LARGE;
		}
		stream_send_continue(s);
		stream_want(s, BODY_WANT);
	}
	return body_take(b, s);
}

enum body_rc body_take(struct body *b, struct stream *s)
{
	size_t n = s->body.n;

	if (b->text.n + n > b->max) {
		return BODY_TOO_LARGE;
	}
	if (b->manage->bodies + n > BODY_ALL_MAX) {
		return BODY_BUSY;
	}
	b->counted += n;
	b->manage->bodies += n;
	for (const struct seg *seg = s->body.head; seg != NULL; seg = seg->next) {
		text_add(&b->text, seg->data + seg->beg, seg->end - seg->beg);
	}
	chain_drop(s->pool, &s->body, n);
	if (s->in == STREAM_IN_END) {
		return BODY_WHOLE;
	}
	stream_want(s, BODY_WANT);
	return BODY_MORE;
}

void body_orphan(struct body *b)
{
	if (b->manage != NULL) {
		b->manage->bodies -= b->counted;
		b->manage = NULL;
	}
}

void body_done(struct body *b)
{
	body_orphan(b);
	if (b->text.n != 0) {
		explicit_bzero(b->text.p, b->text.n);
	}
	text_done(&b->text);
}
