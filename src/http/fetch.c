#include "http/fetch.h"

#include <stdlib.h>
#include <string.h>

#define WANT ((size_t)8 * SEG_ROOM)
#define NAME_MS 10000u

struct fetcher {
	struct loop *loop;
	struct jobs *jobs;
	struct segpool pool;
	struct client *client;
	struct tls_context *tls;
	struct dns *dns; /* NULL until a name is to be resolved */
	struct list fetches;
	struct list waiting; /* for the authorities */
	struct trust *trust; /* being read */
	bool trusted;
};

struct trust { /* outlives a fetcher that goes meanwhile */
	struct job job;
	struct fetcher *fetcher;
	int rc;
	struct fault why;
};

/* --- the end ------------------------------------------------------------------------------------ */

static void leave(struct fetch *f)
{
	struct fetcher *fr = f->fetcher;

	if (f->stream != NULL) {
		struct stream *s = f->stream;

		f->stream = NULL;
		stream_reset(s);
	}
	if (f->resolving) {
		dns_cancel(fr->dns, &f->query);
		f->resolving = false;
	}
	loop_again_cancel(&f->task);
	timer_clear(fr->loop, &f->deadline);
	timer_clear(fr->loop, &f->connecting);
	list_remove(&f->link);
	f->fetcher = NULL;
}

static void end(struct fetch *f, enum fetch_rc rc)
{
	leave(f);
	f->rc = rc;
	f->on_done(f);
}

static void fail(struct fetch *f, enum fetch_rc rc, const char *why)
{
	if (why != f->why.text) {
		IGNORE(fault_set(&f->why, ERR_IO, 0, 0, "%s", why));
	}
	end(f, rc);
}

void fetch_cancel(struct fetch *f)
{
	if (f->fetcher != NULL) {
		leave(f);
	}
}

void fetch_done(struct fetch *f)
{
	ASSERT(f->fetcher == NULL);
	text_done(&f->fields);
	text_done(&f->body_in);
}

static void on_deadline(struct timer *t)
{
	fail(CONTAINER_OF(t, struct fetch, deadline), FETCH_TIMEOUT, "no answer came in time");
}

/* --- the answer --------------------------------------------------------------------------------- */

static void try_next(struct fetch *f);

struct bytes fetch_field(const struct fetch *f, const char *name)
{
	struct bytes rest = text_bytes(&f->fields);

	while (rest.n != 0) {
		struct bytes value = bytes_cut(&rest, '\n');
		struct bytes key = bytes_cut(&value, ':');

		if (bytes_eq_nocase(key, bytes_str(name))) {
			return bytes_trim(value);
		}
	}
	return bytes_of(NULL, 0);
}

static void take_head(struct fetch *f, const struct stream *s)
{
	if (f->status != 0) {
		return;
	}
	f->status = s->head->status;
	for (unsigned i = 0; i < s->head->n_fields; i++) {
		text_add_bytes(&f->fields, head_name(s->head, i));
		text_add_str(&f->fields, ": ");
		text_add_bytes(&f->fields, head_value(s->head, i));
		text_add_str(&f->fields, "\n");
	}
}

static void take_body(struct fetch *f, struct stream *s)
{
	for (const struct seg *seg = s->body.head; seg != NULL; seg = seg->next) {
		text_add(&f->body_in, seg->data + seg->beg, seg->end - seg->beg);
	}
	chain_drop(s->pool, &s->body, s->body.n);
}

static void drop_stream(struct fetch *f)
{
	struct stream *s = f->stream;

	f->stream = NULL;
	stream_reset(s);
}

static void on_failed(struct fetch *f, struct stream *s)
{
	bool connected = s->connected;
	enum err err = s->in_err;

	if (s->fault != NULL && s->fault->text[0] != '\0') {
		f->why = *s->fault;
	} else if (f->why.text[0] == '\0') {
		IGNORE(fault_set(&f->why, ERR_CLOSED, 0, 0, "%s",
			connected ? "the connection ended before the answer was complete"
				  : "nobody accepts connections there"));
	}
	if (!connected && f->next < f->addrs.n) {
		f->why = (struct fault){0};
		drop_stream(f);
		try_next(f);
		return;
	}
	if (err == ERR_TLS) {
		fail(f, FETCH_NO_TLS, f->why.text);
	} else if (err == ERR_TIMEOUT) {
		fail(f, FETCH_TIMEOUT, f->why.text);
	} else {
		fail(f, connected ? FETCH_PROTOCOL : FETCH_NO_CONNECTION, f->why.text);
	}
}

static void on_stream(struct stream_user *u, struct stream *s)
{
	struct fetch *f = CONTAINER_OF(u, struct fetch, user);

	if (s != f->stream) {
		return;
	}
	if (s->connected) {
		timer_clear(f->fetcher->loop, &f->connecting);
	}
	if (s->in == STREAM_IN_FAILED) {
		on_failed(f, s);
		return;
	}
	if (s->in == STREAM_IN_HEAD) {
		return;
	}
	take_head(f, s);
	take_body(f, s);
	if (text_full(&f->body_in) || text_full(&f->fields)) {
		fail(f, FETCH_PROTOCOL, "the answer is too large");
	} else if (s->in == STREAM_IN_END) {
		f->stream = NULL;
		stream_close(s);
		end(f, FETCH_DONE);
	} else {
		stream_want(s, WANT);
	}
}

/* --- the request -------------------------------------------------------------------------------- */

static int fill(struct stream_source *s, struct iovec *v, int max)
{
	struct fetch *f = CONTAINER_OF(s, struct fetch, source);

	if (max == 0 || f->sent == f->body.n) {
		return 0;
	}
	v[0].iov_base = (void *)(uintptr_t)(f->body.p + f->sent);
	v[0].iov_len = f->body.n - f->sent;
	return 1;
}

static void sent(struct stream_source *s, size_t n)
{
	CONTAINER_OF(s, struct fetch, source)->sent += n;
}

void fetch_add(struct fetch *f, struct bytes name, struct bytes value)
{
	ASSERT(f->n_headers < FETCH_HEADERS_MAX);
	f->headers[f->n_headers++] = (struct header){name, value};
}

static void make_head(const struct fetch *f, struct head_out *out)
{
	head_out_init(out);
	out->method = f->method;
	out->target = f->target;
	for (size_t i = 0; i < f->n_headers; i++) {
		head_out_add(out, f->headers[i].name, f->headers[i].value);
	}
	out->length = f->body.n;
	out->no_body = f->body.p == NULL;
}

/* One address does not answer: the next one may. */
static void on_slow(struct timer *t)
{
	struct fetch *f = CONTAINER_OF(t, struct fetch, connecting);

	if (f->next < f->addrs.n) {
		drop_stream(f);
		try_next(f);
	} else {
		fail(f, FETCH_TIMEOUT, "no connection was made in time");
	}
}

/* False: it may not be asked, and there was an end. */
static bool may_ask(struct fetch *f, const struct sys_addr *addr)
{
	const char *why = "";

	if (f->allowed == NULL || f->allowed(addr, &why)) {
		return true;
	}
	fail(f, FETCH_REFUSED, why);
	return false;
}

static void try_next(struct fetch *f)
{
	struct fetcher *fr = f->fetcher;
	struct client_target t = {.key = 1,
		.addr = f->addrs.addrs[f->next++],
		.tls = f->tls,
		.name = f->name != NULL ? f->name : f->host,
		.fresh = true};
	struct head_out head;

	if (!may_ask(f, &t.addr)) {
		return;
	}
	make_head(f, &head);
	f->sent = 0;
	f->source = (struct stream_source){fill, sent, true};
	f->stream = client_open(fr->client, &t, &f->user);
	if (f->stream->in ==
		STREAM_IN_FAILED) { /* no socket, no permission: known at once, told later */
		IGNORE(fault_set(
			&f->why, ERR_REFUSED, 0, 0, "cannot connect: %s", sys_error_text()));
	}
	if (bytes_eq(f->method, BYTES("HEAD"))) {
		client_expect_no_body(f->stream);
	}
	if (stream_send(f->stream, &head, f->body.n != 0 ? &f->source : NULL) != 0) {
		fail(f, FETCH_PROTOCOL, "the request's head is too large");
		return;
	}
	if (f->connect_ms != 0) {
		timer_set(fr->loop, &f->connecting, f->connect_ms, on_slow);
	}
	stream_want(f->stream, WANT);
	stream_pump(f->stream);
}

static void on_addresses(struct dns_query *q, const struct dns_answer *a)
{
	struct fetch *f = CONTAINER_OF(q, struct fetch, query);

	f->resolving = false;
	if (a->err != 0 || a->n == 0) {
		fail(f, FETCH_NO_NAME, "the name could not be resolved");
		return;
	}
	f->addrs = *a;
	try_next(f);
}

static void resolve(struct fetch *f)
{
	struct fetcher *fr = f->fetcher;

	if (f->path != NULL) {
		if (sys_addr_unix(&f->addrs.addrs[0], f->path) != 0) {
			fail(f, FETCH_NO_CONNECTION, "the path of the socket is empty or too long");
			return;
		}
		f->addrs.n = 1;
		try_next(f);
		return;
	}
	if (sys_addr_parse(&f->addrs.addrs[0], f->host, strlen(f->host), f->port) == 0) {
		f->addrs.n = 1;
		try_next(f);
		return;
	}
	if (fr->dns == NULL) {
		fr->dns = dns_new(fr->loop, &f->why);
	}
	if (fr->dns == NULL) {
		fail(f, FETCH_BROKEN, f->why.text);
		return;
	}
	f->resolving = true;
	dns_resolve(fr->dns, &f->query, f->host, f->port, NAME_MS, on_addresses);
}

/* --- certificate authorities -------------------------------------------------------------------- */

static void read_trust(struct job *j)
{
	struct trust *t = CONTAINER_OF(j, struct trust, job);

	t->rc = tls_trust_load(&t->why);
}

static void on_trust(struct job *j)
{
	struct trust *t = CONTAINER_OF(j, struct trust, job);
	struct fetcher *fr = t->fetcher;

	if (fr != NULL) {
		struct list ready;

		fr->trust = NULL;
		fr->trusted = t->rc == 0;
		list_init(&ready);
		list_splice(&ready, &fr->waiting);
		while (!list_empty(&ready)) {
			struct fetch *f = CONTAINER_OF(ready.next, struct fetch, link);

			list_remove(&f->link);
			list_append(&fr->fetches, &f->link);
			if (t->rc == 0) {
				resolve(f);
			} else {
				fail(f, FETCH_BROKEN, t->why.text);
			}
		}
	}
	free(t);
}

static void need_trust(struct fetch *f)
{
	struct fetcher *fr = f->fetcher;

	list_remove(&f->link);
	list_append(&fr->waiting, &f->link);
	if (fr->trust != NULL) {
		return;
	}
	fr->trust = must_alloc(sizeof(*fr->trust));
	fr->trust->fetcher = fr;
	fr->trust->job = (struct job){.home = fr->loop, .work = read_trust, .on_done = on_trust};
	if (fr->jobs != NULL) {
		jobs_submit(fr->jobs, &fr->trust->job);
	} else {
		read_trust(&fr->trust->job);
		on_trust(&fr->trust->job);
	}
}

static void on_begin(struct task *t)
{
	struct fetch *f = CONTAINER_OF(t, struct fetch, task);

	if (f->tls && !f->fetcher->trusted) {
		need_trust(f);
	} else {
		resolve(f);
	}
}

/* --- life --------------------------------------------------------------------------------------- */

void fetch_start(struct fetcher *fr, struct fetch *f)
{
	f->fetcher = fr;
	f->user.on_stream = on_stream;
	f->status = 0;
	f->next = 0;
	f->why = (struct fault){0};
	text_init(&f->fields, FETCH_FIELDS_MAX);
	text_init(&f->body_in, f->answer_max);
	list_append(&fr->fetches, &f->link);
	timer_set(fr->loop, &f->deadline, f->timeout_ms, on_deadline);
	loop_again(fr->loop, &f->task, on_begin);
}

struct fetcher *fetcher_new(struct loop *l, size_t memory, bool tls, struct jobs *jobs)
{
	struct fetcher *fr = must_alloc(sizeof(*fr));
	struct http_limits limits = HTTP_LIMITS_DEFAULT;

	fr->loop = l;
	fr->jobs = jobs;
	/* Each request has a deadline of its own, which is shorter or means it. */
	limits.head_ms = limits.body_ms = limits.write_ms = UINT32_MAX / 2;
	segpool_init(&fr->pool, memory);
	list_init(&fr->fetches);
	list_init(&fr->waiting);
	limits.pool_idle_max = 0;
	fr->tls = tls ? tls_context_new() : NULL;
	fr->client = client_new(&(struct client_opts){l, &fr->pool, limits, fr->tls});
	return fr;
}

struct loop *fetcher_loop(const struct fetcher *fr)
{
	return fr->loop;
}

static void leave_all(struct list *fetches)
{
	while (!list_empty(fetches)) {
		leave(CONTAINER_OF(fetches->next, struct fetch, link));
	}
}

void fetcher_free(struct fetcher *fr)
{
	if (fr == NULL) {
		return;
	}
	leave_all(&fr->fetches);
	leave_all(&fr->waiting);
	if (fr->trust != NULL) {
		fr->trust->fetcher = NULL;
	}
	if (fr->dns != NULL) {
		dns_free(fr->dns);
	}
	client_free(fr->client);
	loop_turn(fr->loop, 0); /* what ends with a turn is freed in it */
	segpool_done(&fr->pool);
	tls_context_free(fr->tls);
	free(fr);
}
