/*
 * A request to a management listener and its answer. Whoever begins with a call (manage/manage.h) either answers
 * at once or keeps it and answers later; it is told when the client leaves meanwhile.
 */
#ifndef MANAGE_CALL_H
#define MANAGE_CALL_H

#include "http/server.h"
#include "manage/page.h"
#include "wire/url.h"

struct door;

/* Who keeps a call; embedded there. */
struct call_work {
	/* Nothing was answered, and the stream has news: bytes of the body. */
	void (*on_body)(struct call_work *w);
	/* The client has left, or the answer is sent; the call is freed. */
	void (*on_end)(struct call_work *w);
	/* It waits for a body of somebody whom nobody knows: it is ended when others need its place. */
	bool yields;
};

struct call {
	struct list link; /* of the listeners' calls */
	struct list wait; /* of whoever will answer it */
	struct door *door;
	struct stream *stream;
	struct stream_user user;
	struct stream_source source; /* of page */
	struct page *page;
	size_t sent;
	char peer[SYS_ADDR_TEXT]; /* empty: the connection's */
	struct call_work *work;   /* NULL: nobody wants to be told */
	/* Valid until begin returns. */
	struct head *head;
	struct url url;
};

/* "127.0.0.1:5": who is at the other end, or, of what came through the gateway, at the other end of that. */
const char *call_peer(const struct call *c);

/* Answers, without Cache-Control: no-store when an extra field says how long it may be kept; the call must not be touched afterwards. The page's reference stays the caller's. extra may
 * be NULL. */
void call_reply(struct call *c, unsigned status, const char *type, struct page *page,
	const struct header *extra);
/* The same with several fields. type NULL: an answer without a body (page may be NULL then). */
void call_reply_with(struct call *c, unsigned status, const char *type, struct page *page,
	const struct header *extra, size_t n_extra);
/* An answer whose body comes bit by bit (events, a download): source is the caller's until work's on_end;
 * call_pump when it has more. No length is said: the end of source ends it. */
void call_reply_source(struct call *c, unsigned status, const char *type,
	struct stream_source *source, const struct header *extra, size_t n_extra);
/* That source has more, or has ended. The call may be gone afterwards: work's on_end has said so. */
void call_pump(struct call *c);
/* {"success":false,"message":"...","data":null} */
void call_refuse(struct call *c, unsigned status, const struct header *extra, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

#endif
