/*
 * Endpoints of the management listener: a table that registry.c fills, and what their functions do with
 * a call. A function either answers at once or keeps the call and answers later; it is told when the
 * client leaves meanwhile.
 */
#ifndef CONSOLE_CALL_H
#define CONSOLE_CALL_H

#include "console/page.h"
#include "http/server.h"
#include "wire/url.h"

struct console;
struct errand;

/* One request and its answer. */
struct call {
	struct list link; /* of the console's calls */
	struct list wait; /* of whoever will answer it */
	struct console *console;
	struct stream *stream;
	struct stream_user user;
	struct stream_source source;
	struct page *page;
	size_t sent;
	struct errand *errand; /* that works for it; told when the client leaves. NULL: none */
	/* Valid until the endpoint's function returns. */
	struct head *head;
	struct url url;
};

struct console_endpoint {
	const char *method; /* HEAD is answered where GET is */
	const char *path;   /* compared whole */
	void (*fn)(struct call *c);
};

struct console_endpoints {
	const struct console_endpoint *v;
	size_t n;
};

/* Answers; the call must not be touched afterwards. The page's reference stays the caller's. extra may
 * be NULL. */
void call_reply(struct call *c, unsigned status, const char *type, struct page *page,
	const struct header *extra);
/* The same with several fields. type NULL: an answer without a body (page may be NULL then). */
void call_reply_with(struct call *c, unsigned status, const char *type, struct page *page,
	const struct header *extra, size_t n_extra);
/* {"success":false,"message":"...","data":null} */
void call_refuse(struct call *c, unsigned status, const struct header *extra, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

#endif
