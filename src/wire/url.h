/*
 * Request targets and absolute URLs (RFC 3986, RFC 9112 §3.2). Nothing is decoded, cleaned or
 * copied.
 */
#ifndef WIRE_URL_H
#define WIRE_URL_H

#include "base/err.h"
#include "base/text.h"

struct url {
	struct bytes scheme; /* empty in origin-form */
	struct bytes host;   /* without port, IPv6 keeps its brackets; empty in origin-form */
	uint16_t port;       /* 0: none given */
	struct bytes path;   /* begins with '/', or empty for "http://h" */
	struct bytes query;  /* without the '?'; p is NULL when there is no '?' */
};

/* A request target: origin-form, absolute-form (http, https), "*" (path is "*"). Refused: a '%'
 * that two hexadecimal digits do not follow, a fragment, user information, bytes outside
 * 0x21..0x7e, authority-form, and a path with a segment "." or "..", however it is escaped: routes are
 * found by the path as it is sent, and an upstream that resolves such segments would serve another one. */
MUST_CHECK int url_parse_target(struct url *out, struct bytes target, struct fault *fault);

/* An absolute URL from a configuration (any case of scheme; http or https; a port in 1..65535). */
MUST_CHECK int url_parse(struct url *out, struct bytes text, struct fault *fault);

/* "host", "host:port", "[v6]", "[v6]:port" (a Host field). Empty, user information, blanks and
 * bytes that no host may hold (all but letters, digits, "-._~") are refused, and "host:" too. */
MUST_CHECK int url_parse_authority(struct bytes text, struct bytes *host, uint16_t *port);

/* Percent-decodes into out (room for s.n bytes): returns the length, or -1 for a bad escape. '+'
 * stays when plus_is_blank is false. keep_slash leaves %2F as it is. */
MUST_CHECK ptrdiff_t url_decode(char *out, struct bytes s, bool plus_is_blank, bool keep_slash);

/* The first parameter of that name (names compared as sent): true and its raw value ("" without
 * '='), *whole is name=value as it stands. */
bool url_query_get(struct bytes query, struct bytes name, struct bytes *value, struct bytes *whole);
/* Appends query without the parameter `whole` (a part of query) to out. */
void url_query_without(struct bytes query, struct bytes whole, struct text *out);

#endif
