/*
 * For tests: a server on the test's own loop that gives one answer after the other, one to each connection, and
 * keeps what it was asked. As an object store it looks at each signature: what is signed must be what came.
 */
#ifndef HICLAW_S3_TEST_PEER_H
#define HICLAW_S3_TEST_PEER_H

/* Included first by the tests: memmem, asprintf. */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/num.h"
#include "http/fetch.h"
#include "wire/sigv4.h"
#include "wire/url.h"

#define PEER_HEARD_MAX 8192u
#define PEER_LOG_MAX 65536u
#define PEER_SECRET "s3cr3t/+key"

struct peer_answer {
	unsigned status;    /* 0: closes without a word */
	const char *fields; /* lines with CR LF; NULL: none */
	const char *body;   /* NULL: empty */
};

struct peer {
	struct loop *loop;
	struct watch listener;
	int listening;
	struct sys_addr addr;
	const struct peer_answer *answers;
	size_t n_answers;
	unsigned served;
	bool signed_s3;         /* each request is */
	char log[PEER_LOG_MAX]; /* all requests, one behind the other */
	size_t n_log;
};

struct peer_conn {
	struct peer *peer;
	struct watch watch;
	char heard[PEER_HEARD_MAX];
	size_t n;
};

/* The value of a field of the request; p NULL: it has none. */
static struct bytes peer_field(struct bytes head, struct bytes name)
{
	while (head.n != 0) {
		struct bytes value = bytes_cut(&head, '\n');
		struct bytes key = bytes_cut(&value, ':');

		if (value.p != NULL && bytes_eq_nocase(key, name)) {
			value.n -= value.n != 0 && value.p[value.n - 1] == '\r';
			return bytes_trim(value);
		}
	}
	return bytes_of(NULL, 0);
}

static struct bytes peer_decode(struct arena *a, struct bytes s)
{
	char *out = arena_must(a, s.n + 1);
	ptrdiff_t n = url_decode(out, s, false, false);

	assert_true(n >= 0);
	return bytes_of(out, (size_t)n);
}

/* Between two marks, the second one a character. */
static struct bytes peer_between(struct bytes s, const char *from, char to)
{
	const char *p = memmem(s.p, s.n, from, strlen(from));
	struct bytes rest;

	assert_non_null(p);
	p += strlen(from);
	rest = bytes_of(p, (size_t)(s.p + s.n - p));
	return bytes_cut(&rest, to);
}

/* Signs what came anew, with the fields that it says are signed. */
static void peer_look_at_signature(struct bytes head)
{
	static const char *const must[] = {"host", "x-amz-content-sha256", "x-amz-date"};
	struct bytes authorization = peer_field(head, BYTES("authorization"));
	struct bytes line = head, scope, names, target, query;
	struct sigv4_pair pairs[SIGV4_PAIRS_MAX], fields[SIGV4_PAIRS_MAX];
	struct sigv4 r = {.query = pairs, .fields = fields, .secret = BYTES(PEER_SECRET)};
	struct arena a;
	struct text again;

	assert_true(authorization.n != 0);
	arena_init(&a, 1 << 16);
	line = bytes_cut(&line, '\r');
	r.method = bytes_cut(&line, ' ');
	query = target = bytes_cut(&line, ' ');
	r.path = peer_decode(&a, bytes_cut(&query, '?'));
	while (query.n != 0) {
		struct bytes value = bytes_cut(&query, '&');
		struct bytes name = bytes_cut(&value, '=');

		pairs[r.n_query++] =
			(struct sigv4_pair){peer_decode(&a, name), peer_decode(&a, value)};
	}
	names = peer_between(authorization, "SignedHeaders=", ',');
	for (size_t i = 0; i < ARRAY_LEN(must); i++) {
		assert_non_null(memmem(names.p, names.n, must[i], strlen(must[i])));
	}
	while (names.n != 0) {
		struct bytes name = bytes_cut(&names, ';');

		fields[r.n_fields++] = (struct sigv4_pair){name, peer_field(head, name)};
	}
	scope = peer_between(authorization, "Credential=", ',');
	r.key_id = bytes_cut(&scope, '/');
	IGNORE(bytes_cut(&scope, '/'));
	r.region = bytes_cut(&scope, '/');
	r.service = bytes_cut(&scope, '/');
	r.date = peer_field(head, BYTES("x-amz-date"));
	r.payload = peer_field(head, BYTES("x-amz-content-sha256"));
	text_init(&again, 4096);
	assert_int_equal(sigv4_authorization(&r, &again), 0);
	assert_true(bytes_eq(text_bytes(&again), authorization));
	text_done(&again);
	arena_done(&a);
}

/* Whether the request is whole. */
static bool peer_is_whole(struct peer_conn *c)
{
	const char *end = memmem(c->heard, c->n, "\r\n\r\n", 4);
	struct bytes length;
	uint64_t n = 0;

	if (end == NULL) {
		return false;
	}
	length = peer_field(
		bytes_of(c->heard, (size_t)(end + 2 - c->heard)), BYTES("content-length"));
	assert_true(length.p == NULL || num_parse_u64(length, PEER_HEARD_MAX, &n));
	return c->n >= (size_t)(end + 4 - c->heard) + n;
}

static void peer_answer(struct peer_conn *c)
{
	struct peer *p = c->peer;
	const struct peer_answer *a = &p->answers[MIN(p->served, p->n_answers - 1)];
	const char *body = a->body != NULL ? a->body : "";
	int fd = c->watch.fd;

	p->served++;
	assert_true(p->n_log + c->n < PEER_LOG_MAX);
	memcpy(p->log + p->n_log, c->heard, c->n);
	p->n_log += c->n;
	if (p->signed_s3) {
		peer_look_at_signature(bytes_of(c->heard, c->n));
	}
	if (a->status != 0) {
		char *out = NULL;
		int n = asprintf(&out, "HTTP/1.1 %u X\r\n%sContent-Length: %zu\r\n\r\n%s",
			a->status, a->fields != NULL ? a->fields : "", strlen(body),
			memcmp(c->heard, "HEAD", 4) == 0 || a->status == 204 ? "" : body);

		assert_int_equal(write(fd, out, (size_t)n), n);
		free(out);
	}
	loop_unwatch(p->loop, &c->watch);
	close(fd);
	loop_free_later(p->loop, c, free);
}

static void peer_on_conn(struct watch *w)
{
	struct peer_conn *c = CONTAINER_OF(w, struct peer_conn, watch);
	ssize_t n;

	while ((n = read(w->fd, c->heard + c->n, sizeof(c->heard) - c->n)) > 0) {
		c->n += (size_t)n;
	}
	if (peer_is_whole(c)) {
		peer_answer(c);
	}
}

static void peer_on_accept(struct watch *w)
{
	struct peer *p = CONTAINER_OF(w, struct peer, listener);
	struct sys_addr from;
	int fd;

	while ((fd = sys_accept(w->fd, &from)) >= 0) {
		struct peer_conn *c = must_alloc(sizeof(*c));

		c->peer = p;
		assert_int_equal(loop_watch(p->loop, &c->watch, fd, peer_on_conn), 0);
	}
}

UNUSED static void peer_begin(struct peer *p, struct loop *l)
{
	struct sys_addr any;

	*p = (struct peer){.loop = l};
	assert_int_equal(sys_addr_parse(&any, "127.0.0.1", 9, 0), 0);
	p->listening = sys_listen(&any, 64, &p->addr);
	assert_true(p->listening >= 0);
	assert_int_equal(loop_watch_listener(l, &p->listener, p->listening, peer_on_accept), 0);
}

UNUSED static void peer_says(struct peer *p, const struct peer_answer *answers, size_t n)
{
	p->answers = answers;
	p->n_answers = n;
	p->served = 0;
	p->n_log = 0;
}

UNUSED static void peer_end(struct peer *p)
{
	loop_unwatch(p->loop, &p->listener);
	close(p->listening);
}

UNUSED static const char *peer_log(struct peer *p)
{
	p->log[p->n_log] = '\0';
	return p->log;
}

#endif
