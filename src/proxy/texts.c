/*
 * A stream may run for an hour, and what its access line will say of the request is all that is kept of
 * that: the texts one behind the other in one piece of memory, their lengths in front. Nearly all
 * exchanges end before, and copy nothing.
 */
#include <stdlib.h>

#include "proxy/exchange.h"

static_assert(LOG_TEXT_MAX <= UINT8_MAX, "a length is one byte");

/* The members of struct texts as an array: there is nothing else in it. */
static struct bytes get(const struct texts *t, size_t i)
{
	struct bytes b;

	memcpy(&b, (const char *)t + i * sizeof(b), sizeof(b));
	return b;
}

static void set(struct texts *t, size_t i, struct bytes b)
{
	memcpy((char *)t + i * sizeof(b), &b, sizeof(b));
}

void texts_keep(struct exchange *x)
{
	const struct texts *t = &x->rq->texts;
	size_t all = TEXTS;
	char *at;

	for (size_t i = 0; i < TEXTS; i++) {
		all += get(t, i).n;
	}
	x->kept = must_alloc(all);
	at = x->kept + TEXTS;
	for (size_t i = 0; i < TEXTS; i++) {
		x->kept[i] = (char)get(t, i).n;
		at = bytes_put(at, get(t, i));
	}
}

const struct texts *texts_of(const struct exchange *x, struct texts *room)
{
	const char *at = x->kept + TEXTS;

	if (x->kept == NULL) {
		return &x->rq->texts;
	}
	for (size_t i = 0; i < TEXTS; i++) {
		set(room, i, bytes_of(at, (unsigned char)x->kept[i]));
		at += (unsigned char)x->kept[i];
	}
	return room;
}

struct record_more *texts_more(struct exchange *x)
{
	if (x->rec.more == NULL) {
		x->rec.more = must_alloc(sizeof(*x->rec.more));
	}
	return x->rec.more;
}

void texts_done(struct exchange *x)
{
	if (x->rec.more != NULL) {
		text_done(&x->rec.more->attributes);
		text_done(&x->rec.more->decision);
		text_done(&x->rec.more->tries);
		free(x->rec.more);
	}
	free(x->kept);
}
