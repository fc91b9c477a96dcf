/*
 * The plugin request-block: which requests are refused for what their address, their headers or their body hold.
 * Everything is compiled with the plan; a request costs one pass over what is looked at, whatever the number of texts.
 */
#ifndef PLAN_BLOCKING_H
#define PLAN_BLOCKING_H

#include "base/keywords.h"
#include "base/regex.h"
#include "plan/plan.h"
#include "wire/url.h"

/* Accident: a list that somebody generates. Of one list; KEYWORDS_BYTES_MAX holds as well. */
#define BLOCKING_TEXTS_MAX 512u
/* Each costs a search of the address, of REGEX_SEARCH_STEPS_MAX steps at most. */
#define BLOCKING_REGEXES_MAX 32u
#define BLOCKING_MESSAGE_MAX 8192u
/* Rules for domains among which a request's host decides: they are asked one by one. */
#define BLOCKING_DOMAINS_MAX 64u
#define BLOCKING_CODE 403u

/* One configuration. */
struct blocking {
	uint16_t code;
	struct bytes message; /* empty: an error of the client's protocol */
	bool nocase;
	bool broken; /* it cannot be read: what it was meant to protect answers 503 */
	struct bytes *exact;
	size_t n_exact;
	struct regex **regexes;
	size_t n_regexes;
	const struct keywords *urls, *headers, *bodies; /* NULL: nothing is looked for */
};

/* In order: the first whose domains the host is one of, up to one without domains, behind which those of another
 * destination or of another WasmPlugin begin. All that hold are asked. */
struct blocking_case {
	const struct strings *domains;   /* NULL: every host */
	const struct blocking *blocking; /* NULL: nothing is refused */
};

struct blocking_list { /* of a route */
	struct blocking_case *v;
	size_t n;
	bool reads_bodies; /* one of them does */
};

/* Those that hold for a host, one after the other; *at is 0 at first. NULL: no more. */
const struct blocking *blocking_next(const struct blocking_list *l, struct bytes host, size_t *at);

enum blocking_by {
	BLOCKING_NOT,
	BLOCKING_BROKEN,
	BLOCKING_EXACT,
	BLOCKING_KEYWORD,
	BLOCKING_REGEXP,
	BLOCKING_HEADER,
	BLOCKING_BODY
};
/* As in data-plane.md §11, "request-block.url_blocked.exact"; static. */
const char *blocking_reason(enum blocking_by by);
/* What is said to clients that have no message of the configuration. */
const char *blocking_text(enum blocking_by by);
unsigned blocking_status(const struct blocking *b, enum blocking_by by);

/* What of a request is known before its body. */
struct blocking_head {
	struct bytes host;   /* without port */
	struct bytes target; /* path and query as they were sent */
	size_t n_fields;
	void (*field)(const void *of, size_t i, struct bytes *name, struct bytes *value);
	const void *of;
};
/* The first reason to refuse it, and whose; BLOCKING_NOT: none. */
enum blocking_by blocking_judge(const struct blocking_list *l, const struct blocking_head *h,
	const struct blocking **whose);
/* Path and query of a target, which stand behind one another. */
struct bytes blocking_target(const struct url *url);
/* Whether the route is known before the body is: then a head is judged before a byte of it is read. */
bool blocking_is_certain(const struct route *const *candidates, size_t n);

#endif
