/* Everything is set up for one request and taken down again: a command makes a handful of them. */
#include "cli/fetch.h"

#include <signal.h>
#include <stdio.h>

#include "http/client.h"
#include "net/dns.h"

/* What a request and an answer may hold in segments; the answer moves on into a text. */
#define POOL_BYTES ((size_t)4 << 20)
#define WANT ((size_t)8 * SEG_ROOM)

struct fetching {
	const struct fetch_request *request;
	struct loop *loop;
	struct segpool pool;
	struct client *client;
	struct tls_context *tls;
	struct stream_user user;
	struct stream *stream;
	struct stream_source source;
	size_t sent;
	struct timer deadline;
	struct dns *dns;
	struct dns_query query;
	struct dns_answer addrs;
	unsigned next; /* address to try */
	struct head_out head;
	struct fetch_answer *out;
	struct fault *fault;
	bool done;
	int rc;
};

static void end(struct fetching *x, int rc)
{
	if (x->stream != NULL) {
		struct stream *s = x->stream;

		x->stream = NULL;
		stream_reset(s);
	}
	x->done = true;
	x->rc = rc;
	loop_stop(x->loop);
}

static void fail(struct fetching *x, enum err err, const char *what)
{
	end(x, fault_set(x->fault, err, 0, 0, "%s", what));
}

/* --- the answer --------------------------------------------------------------------------------- */

static void try_next(struct fetching *x);

static void take_body(struct fetching *x, struct stream *s)
{
	for (const struct seg *seg = s->body.head; seg != NULL; seg = seg->next) {
		text_add(&x->out->body, seg->data + seg->beg, seg->end - seg->beg);
	}
	chain_drop(s->pool, &s->body, s->body.n);
}

static void take_head(struct fetching *x, const struct stream *s)
{
	if (x->out->status != 0) {
		return;
	}
	x->out->status = s->head.status;
	for (unsigned i = 0; i < s->head.n_fields; i++) {
		if (bytes_eq_nocase(head_name(&s->head, i), BYTES("etag"))) {
			text_clear(&x->out->etag);
			text_add_bytes(&x->out->etag, head_value(&s->head, i));
		}
	}
}

static void on_failed(struct fetching *x, struct stream *s)
{
	char why[sizeof(x->fault->text)];

	if (!s->connected && x->next < x->addrs.n) {
		x->stream = NULL;
		stream_reset(s);
		try_next(x);
		return;
	}
	snprintf(why, sizeof(why), "%s",
		s->fault != NULL && s->fault->text[0] != '\0' ? s->fault->text
			: s->connected ? "the connection ended before the answer was complete"
				       : "nobody accepts connections there");
	fail(x, s->in_err != ERR_NONE ? s->in_err : ERR_CLOSED, why);
}

static void on_stream(struct stream_user *u, struct stream *s)
{
	struct fetching *x = CONTAINER_OF(u, struct fetching, user);

	if (s != x->stream) {
		return;
	}
	if (s->in == STREAM_IN_FAILED) {
		on_failed(x, s);
		return;
	}
	if (s->in == STREAM_IN_HEAD) {
		return;
	}
	take_head(x, s);
	take_body(x, s);
	if (text_full(&x->out->body)) {
		fail(x, ERR_LIMIT, "the answer is too large");
	} else if (s->in == STREAM_IN_END) {
		x->stream = NULL;
		stream_close(s);
		end(x, 0);
	} else {
		stream_want(s, WANT);
	}
}

static void on_deadline(struct timer *t)
{
	struct fetching *x = CONTAINER_OF(t, struct fetching, deadline);

	fail(x, ERR_TIMEOUT, "no answer came in time");
}

/* --- the request -------------------------------------------------------------------------------- */

static int fill(struct stream_source *s, struct iovec *v, int max)
{
	struct fetching *x = CONTAINER_OF(s, struct fetching, source);

	if (max == 0 || x->sent == x->request->body.n) {
		return 0;
	}
	v[0].iov_base = (void *)(uintptr_t)(x->request->body.p + x->sent);
	v[0].iov_len = x->request->body.n - x->sent;
	return 1;
}

static void sent(struct stream_source *s, size_t n)
{
	CONTAINER_OF(s, struct fetching, source)->sent += n;
}

static void make_head(struct fetching *x)
{
	const struct fetch_request *r = x->request;

	head_out_init(&x->head);
	x->head.method = r->method;
	x->head.target = r->target;
	for (size_t i = 0; i < r->n_headers; i++) {
		head_out_add(&x->head, r->headers[i].name, r->headers[i].value);
	}
	x->head.length = r->body.n;
	x->head.no_body = r->body.p == NULL;
}

static void try_next(struct fetching *x)
{
	const struct fetch_request *r = x->request;
	struct client_target t = {.key = 1,
		.addr = x->addrs.addrs[x->next++],
		.tls = r->tls,
		.name = r->name != NULL ? r->name : r->host,
		.fresh = true};

	make_head(x);
	x->sent = 0;
	x->source = (struct stream_source){fill, sent, true};
	x->stream = client_open(x->client, &t, &x->user);
	if (stream_send(x->stream, &x->head, r->body.n != 0 ? &x->source : NULL) != 0) {
		fail(x, ERR_LIMIT, "the request's head is too large");
		return;
	}
	stream_want(x->stream, WANT);
	stream_pump(x->stream);
}

static void on_addresses(struct dns_query *q, const struct dns_answer *a)
{
	struct fetching *x = CONTAINER_OF(q, struct fetching, query);

	if (a->err != 0 || a->n == 0) {
		fail(x, ERR_NOT_FOUND, "the name could not be resolved");
		return;
	}
	x->addrs = *a;
	try_next(x);
}

struct beginning {
	struct task task;
	struct fetching *x;
};

static void on_begin(struct task *t)
{
	struct fetching *x = CONTAINER_OF(t, struct beginning, task)->x;
	const struct fetch_request *r = x->request;

	if (sys_addr_parse(&x->addrs.addrs[0], r->host, strlen(r->host), r->port) == 0) {
		x->addrs.n = 1;
		try_next(x);
		return;
	}
	x->dns = dns_new(x->loop, x->fault);
	if (x->dns == NULL) {
		end(x, ERR_IO);
		return;
	}
	dns_resolve(x->dns, &x->query, r->host, r->port, (unsigned)r->timeout_ms, on_addresses);
}

/* --- life --------------------------------------------------------------------------------------- */

static int open_tls(struct fetching *x)
{
	int rc;

	if (!x->request->tls) {
		return 0;
	}
	rc = tls_global_init(NULL, x->fault);
	rc = rc == 0 ? tls_trust_load(x->fault) : rc;
	if (rc == 0) {
		x->tls = tls_context_new();
	}
	return rc;
}

static void run(struct fetching *x)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct beginning begin = {.x = x};

	limits.head_ms = limits.body_ms = limits.write_ms = (uint32_t)x->request->timeout_ms;
	x->loop = loop_new();
	segpool_init(&x->pool, POOL_BYTES);
	x->user.on_stream = on_stream;
	x->client = client_new(&(struct client_opts){x->loop, &x->pool, limits, x->tls});
	timer_set(x->loop, &x->deadline, x->request->timeout_ms, on_deadline);
	loop_again(x->loop, &begin.task, on_begin);
	while (!x->done) {
		loop_run(x->loop);
	}
	timer_clear(x->loop, &x->deadline);
	if (x->dns != NULL) {
		dns_cancel(x->dns, &x->query);
		dns_free(x->dns);
	}
	client_free(x->client);
	loop_turn(x->loop, 0); /* what ends with a turn is freed in it */
	segpool_done(&x->pool);
	loop_free(x->loop);
	tls_context_free(x->tls);
}

int fetch(const struct fetch_request *r, struct fetch_answer *out, struct fault *f)
{
	struct fetching x = {.request = r, .out = out, .fault = f};

	signal(SIGPIPE, SIG_IGN);
	*f = (struct fault){0};
	*out = (struct fetch_answer){0};
	text_init(&out->body, FETCH_ANSWER_MAX);
	text_init(&out->etag, 4096);
	x.rc = open_tls(&x);
	if (x.rc == 0) {
		run(&x);
	}
	if (x.rc != 0) {
		fetch_done(out);
	}
	return x.rc;
}

void fetch_done(struct fetch_answer *a)
{
	text_done(&a->etag);
	text_done(&a->body);
}
