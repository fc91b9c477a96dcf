/*
 * How it works. A connection serves one stream at a time; between streams it is idle in the pool of its
 * key, newest first, watched "early": when the peer closes it, the loop says so before any other event
 * of the turn, so that nobody takes a dead connection. A stream that is opened without an idle
 * connection connects (and shakes hands) while its user already queues what to send.
 *
 * Only a connection whose request was sent and whose response was read to their ends, with nothing
 * behind them, goes back to the pool.
 */
#include "http/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "http/h1_in.h"
#include "http/h1_out.h"

#define READS_PER_TURN 8
#define BODY_PER_TURN H1_IN_READ_MAX
#define RETRY_MEMORY_MS 20u
/* Attack: an upstream that sends 1xx heads for ever. */
#define INTERIM_MAX 8u

struct pool {
	uint64_t key;
	struct list idle; /* connections, newest first */
	uint32_t n_idle;
};

struct up {
	struct stream stream;
	struct sock sock;
	struct client *client;
	struct pool *pool;
	struct list link; /* in pool->idle or client->busy */
	struct timer timer;
	struct task again;
	struct h1_in in;
	struct h1_out out;
	uint8_t interim;
	bool idle, closed;
	bool forgotten;  /* its endpoint is gone: not kept after its stream */
	bool keep_alive; /* of the current response */
	bool is_head;
	bool running, tell, starved;
	char peer[]; /* with a NUL */
};

struct client {
	struct client_opts opts;
	struct map pools;
	struct pool *last; /* of them: asked for again and again */
	struct list busy;
	struct client_counts counts;
	struct field fields[H1_FIELDS_MAX];
};

static void up_run(struct up *u);

static struct up *up_of(struct stream *s)
{
	return CONTAINER_OF(s, struct up, stream);
}

static void on_timer(struct timer *t);

/* Connecting and blocked sending have deadlines here; waiting for the response is the user's. */
static void arm(struct up *u)
{
	const struct http_limits *lim = &u->client->opts.limits;
	struct loop *loop = u->client->opts.loop;

	if (u->starved) {
		timer_set(loop, &u->timer, RETRY_MEMORY_MS, on_timer);
	} else if (!u->stream.connected) {
		if (!timer_is_set(&u->timer)) {
			timer_set(loop, &u->timer, lim->connect_ms, on_timer);
		}
	} else if (u->stream.out == STREAM_OUT_OPEN && !sock_writable(&u->sock)) {
		timer_set(loop, &u->timer, lim->write_ms, on_timer);
	} else if (timer_is_set(&u->timer)) {
		timer_clear(loop, &u->timer);
	}
}

static void on_again(struct task *t)
{
	up_run(CONTAINER_OF(t, struct up, again));
}

static void look_again(struct up *u)
{
	if (!u->running) {
		loop_again(u->client->opts.loop, &u->again, on_again);
	}
}

static void forget_message(struct up *u)
{
	stream_release_head(&u->stream);
	chain_give(u->stream.pool, &u->stream.body);
	h1_out_done(&u->out, u->stream.pool);
	h1_in_done(&u->in, u->stream.pool);
}

static void up_close(struct up *u, bool reset)
{
	struct client *c = u->client;

	if (u->closed) {
		return;
	}
	u->closed = true;
	sock_close(&u->sock, reset);
	timer_clear(c->opts.loop, &u->timer);
	loop_again_cancel(&u->again);
	forget_message(u);
	list_remove(&u->link);
	if (u->idle) {
		u->pool->n_idle--;
		c->counts.idle--;
	}
	c->counts.open--;
	loop_free_later(c->opts.loop, u, free);
}

/* --- stream operations -------------------------------------------------------------------------- */

static int op_send(struct stream *s, const struct head_out *head, struct stream_source *source)
{
	struct up *u = up_of(s);
	const struct h1_out_line line = {.minor = 1};
	int rc = h1_out_begin(&u->out, s->pool, head, &line, source);

	if (rc == 0) {
		s->out = STREAM_OUT_OPEN;
	}
	return rc;
}

static void op_send_continue(struct stream *s)
{
	(void)s; /* a client has nothing to continue */
}

/* A peer that has hung up takes nothing any more. What it said before (an early refusal) must be read
 * first, because a write that fails breaks the connection in both directions. */
static bool must_read_first(const struct up *u)
{
	return sock_hangup(&u->sock) &&
		(u->stream.in == STREAM_IN_HEAD || u->stream.in == STREAM_IN_BODY);
}

static void flush(struct up *u)
{
	struct stream *s = &u->stream;
	bool more;
	ssize_t r;

	if (must_read_first(u)) {
		return;
	}
	r = h1_out_flush(&u->out, s->pool, &u->sock, &more);
	if (r < 0) {
		/* The response may be there all the same (an early refusal): reading decides. */
		s->out = STREAM_OUT_FAILED;
		s->out_err = (int8_t)r;
		u->sock.watch.readable = true;
		look_again(u);
		return;
	}
	if (u->out.done) {
		s->out = STREAM_OUT_END;
	}
	u->tell |= r > 0;
	if (more) {
		loop_again(u->client->opts.loop, &u->again, on_again);
	}
}

static void op_pump(struct stream *s)
{
	struct up *u = up_of(s);

	if (s->out == STREAM_OUT_OPEN && s->connected) {
		flush(u);
		u->tell = false;
		arm(u);
	}
}

static bool wants_to_read(const struct up *u)
{
	return u->stream.in == STREAM_IN_BODY && u->in.want > u->stream.body.n &&
		sock_readable(&u->sock) && !u->starved;
}

static void op_want(struct stream *s, size_t max)
{
	struct up *u = up_of(s);

	u->in.want = max;
	if (wants_to_read(u)) {
		look_again(u);
	}
}

static void op_reset(struct stream *s)
{
	struct up *u = up_of(s);

	s->user = NULL;
	up_close(u, true);
}

/* Neither its end nor a byte that nobody asked for has come. An event alone does not tell: it may only
 * repeat that there is room to send, or bring a session ticket of TLS. */
static bool is_quiet(struct up *u)
{
	char byte;

	return !sock_hangup(&u->sock) &&
		(!sock_readable(&u->sock) || sock_read(&u->sock, &byte, 1) == ERR_AGAIN);
}

static void on_ready_idle(struct sock *sock)
{
	struct up *u = CONTAINER_OF(sock, struct up, sock);

	if (!is_quiet(u)) {
		up_close(u, false);
	}
}

/* It is idle from now on. */
static void rest(struct up *u)
{
	const struct client_opts *o = &u->client->opts;

	if (o->limits.pool_idle_ms != 0) {
		timer_set(o->loop, &u->timer, o->limits.pool_idle_ms, on_timer);
	} else {
		timer_clear(o->loop, &u->timer);
	}
}

static void op_close(struct stream *s)
{
	struct up *u = up_of(s);
	struct client *c = u->client;

	s->user = NULL;
	if (s->in != STREAM_IN_END || s->out != STREAM_OUT_END || !u->keep_alive || u->forgotten ||
		u->in.rx != NULL || u->pool->n_idle >= c->opts.limits.pool_idle_max ||
		!is_quiet(u)) {
		up_close(u, false);
		return;
	}
	forget_message(u);
	loop_again_cancel(&u->again);
	list_remove(&u->link);
	list_insert(&u->pool->idle, &u->link);
	u->pool->n_idle++;
	c->counts.idle++;
	u->idle = true;
	u->sock.watch.early = true;
	u->sock.on_ready = on_ready_idle;
	rest(u);
}

static const char *op_peer(const struct stream *s)
{
	return ((const struct up *)(const void *)((const char *)s - offsetof(struct up, stream)))
		->peer;
}

static const struct stream_ops ops = {
	.send = op_send,
	.send_continue = op_send_continue,
	.pump = op_pump,
	.want = op_want,
	.reset = op_reset,
	.close = op_close,
	.peer = op_peer,
};

/* --- reading ------------------------------------------------------------------------------------ */

COLD static void fail(struct up *u, enum err err)
{
	u->stream.in = STREAM_IN_FAILED;
	u->stream.in_err = (int8_t)err;
	u->client->counts.failed++;
	u->tell = true;
}

static void fail_with(struct up *u, const struct fault *f)
{
	u->stream.fault = f;
	fail(u, f->err);
}

static void tell_user(struct up *u)
{
	while (u->tell && !u->closed && !u->idle && u->stream.user != NULL) {
		u->tell = false;
		u->stream.user->on_stream(u->stream.user, &u->stream);
	}
	u->stream.fault = NULL;
}

/* A parsed response head. Interim ones (1xx) are dropped. */
static enum read_rc take_head(struct up *u, const struct h1_head *h, size_t used, struct fault *f)
{
	struct stream *s = &u->stream;
	enum read_rc rc;

	if (h->status == 101) {
		fault_set(f, ERR_UNSUPPORTED, 502, 0, "the upstream switched protocols unasked");
		return READ_FAIL;
	}
	if (h->status < 200) {
		if (++u->interim > INTERIM_MAX) {
			fault_set(f, ERR_LIMIT, 502, 0,
				"the upstream sent too many interim responses");
			return READ_FAIL;
		}
		u->in.rx->beg += (uint32_t)used;
		u->in.scanned = 0;
		return READ_MORE;
	}
	u->keep_alive = h->keep_alive;
	rc = h1_in_begin(&u->in, s, h, used, f);
	if (rc == READ_FAIL) {
		return rc;
	}
	s->in = rc == READ_DONE ? STREAM_IN_END : STREAM_IN_BODY;
	u->tell = true;
	return READ_DONE;
}

static enum read_rc parse_head(struct up *u, struct fault *f)
{
	struct h1_head h;
	struct seg *rx;
	size_t used = 0;
	size_t scanned;
	enum read_rc rc;

	do {
		rx = u->in.rx;
		if (rx->beg == rx->end) {
			seg_give(u->stream.pool, rx);
			u->in.rx = NULL;
			return READ_MORE;
		}
		h = (struct h1_head){.fields = u->client->fields};
		scanned = u->in.scanned;
		rc = h1_parse_response(&h, bytes_of(rx->data + rx->beg, rx->end - rx->beg),
			u->is_head, &scanned, &used, f);
		u->in.scanned = (uint32_t)scanned;
		if (rc != READ_DONE) {
			return rc;
		}
		rc = take_head(u, &h, used, f);
	} while (rc == READ_MORE);
	return rc;
}

/* True while there is reason to go on. */
static bool read_head(struct up *u, struct fault *f)
{
	for (int i = 0; sock_readable(&u->sock); i++) {
		ssize_t r;

		if (u->in.rx != NULL && u->in.rx->end == SEG_ROOM) {
			fault_set(
				f, ERR_LIMIT, 502, 0, "the upstream's response head is too large");
			fail_with(u, f);
			return false;
		}
		if (i == READS_PER_TURN) {
			loop_again(u->client->opts.loop, &u->again, on_again);
			return false;
		}
		r = h1_in_read_head(&u->in, u->stream.pool, &u->sock);
		if (r == ERR_AGAIN) {
			return false;
		}
		if (r == ERR_MEMORY) {
			u->starved = true;
			return false;
		}
		if (r <= 0) {
			fail(u, r == 0 ? ERR_CLOSED : (enum err)r);
			return false;
		}
		u->stream.spoke = true;
		switch (parse_head(u, f)) {
		case READ_DONE:
			return true;
		case READ_MORE:
			break;
		case READ_FAIL:
			fail_with(u, f);
			return false;
		}
	}
	return false;
}

static void read_body(struct up *u, struct fault *f)
{
	struct stream *s = &u->stream;
	enum read_rc rc;
	size_t sum = 0;

	for (int i = 0;
		s->in == STREAM_IN_BODY && u->in.want > s->body.n && sock_readable(&u->sock); i++) {
		ssize_t r;

		if (i == READS_PER_TURN || sum >= BODY_PER_TURN) {
			loop_again(u->client->opts.loop, &u->again, on_again);
			return;
		}
		r = h1_in_read_body(&u->in, s, &u->sock, &rc, f);
		if (r == ERR_AGAIN) {
			return;
		}
		if (r == ERR_MEMORY) {
			u->starved = true;
			return;
		}
		sum += r > 0 ? (size_t)r : 0;
		u->tell = true;
		if (rc == READ_DONE) {
			s->in = STREAM_IN_END;
		} else if (rc == READ_FAIL) {
			fail_with(u, f);
		} else if (r <= 0) {
			fail(u, r == 0 ? ERR_CLOSED : (enum err)r);
		}
	}
}

/* Still connecting or shaking hands: finds out how it went. */
static void check_open(struct up *u, struct fault *f)
{
	int rc = sock_open(&u->sock, f);

	if (rc == ERR_AGAIN) {
		return;
	}
	timer_clear(u->client->opts.loop, &u->timer);
	if (rc != 0) {
		f->err = (enum err)rc;
		fail_with(u, f);
		return;
	}
	u->stream.connected = true;
	u->tell = true;
}

static void up_run(struct up *u)
{
	struct stream *s = &u->stream;
	struct fault f = {0};

	if (u->running || u->closed || u->idle) {
		return;
	}
	u->running = true;
	u->starved = false;
	if (!s->connected && s->in != STREAM_IN_FAILED) {
		check_open(u, &f);
	}
	if (s->connected && s->out == STREAM_OUT_OPEN) {
		flush(u);
	}
	if (s->connected && s->in == STREAM_IN_HEAD) {
		read_head(u, &f);
	}
	/* The user sees the head before more of the body is read, and says how much it wants. */
	tell_user(u);
	if (!u->closed && !u->idle) {
		read_body(u, &f);
		tell_user(u);
	}
	u->running = false;
	if (!u->closed && !u->idle) {
		/* The user took what there was and wants more: no event will come for bytes that are
		 * here already. */
		if (wants_to_read(u)) {
			look_again(u);
		}
		arm(u);
	}
}

static void on_ready(struct sock *sock)
{
	up_run(CONTAINER_OF(sock, struct up, sock));
}

static void on_timer(struct timer *t)
{
	struct up *u = CONTAINER_OF(t, struct up, timer);
	struct fault f;

	if (u->idle) {
		up_close(u, false);
		return;
	}
	if (u->starved) {
		up_run(u);
		return;
	}
	if (!u->stream.connected) {
		fault_set(&f, ERR_TIMEOUT, 504, 0, "connecting to the upstream took too long");
		fail_with(u, &f);
	} else {
		fault_set(&f, ERR_TIMEOUT, 504, 0, "the upstream did not take the request in time");
		fail_with(u, &f);
	}
	u->running = true;
	tell_user(u);
	u->running = false;
}

/* --- opening ------------------------------------------------------------------------------------ */

static struct pool *pool_of(struct client *c, uint64_t key)
{
	struct pool *p;

	if (c->last != NULL && c->last->key == key) {
		return c->last;
	}
	p = map_get(&c->pools, bytes_of((const char *)&key, sizeof(key)));
	if (p == NULL) {
		p = must_alloc(sizeof(*p));
		p->key = key;
		list_init(&p->idle);
		map_put(&c->pools, bytes_of((const char *)&p->key, sizeof(p->key)), p);
	}
	c->last = p;
	return p;
}

static void begin_stream(struct up *u, struct stream_user *user)
{
	u->stream = (struct stream){.ops = &ops, .pool = u->client->opts.pool, .user = user};
	h1_in_init(&u->in);
	h1_out_init(&u->out);
	u->interim = 0;
	u->is_head = u->tell = u->starved = false;
	u->keep_alive = false;
}

static struct stream *reuse(struct client *c, struct pool *p, struct stream_user *user)
{
	struct up *u = CONTAINER_OF(p->idle.next, struct up, link);

	list_remove(&u->link);
	list_append(&c->busy, &u->link);
	p->n_idle--;
	c->counts.idle--;
	c->counts.reused++;
	u->idle = false;
	u->sock.watch.early = false;
	u->sock.on_ready = on_ready;
	timer_rest(c->opts.loop, &u->timer);
	begin_stream(u, user);
	u->stream.connected = true;
	u->stream.reused = true;
	return &u->stream;
}

static int start_connect(struct up *u, const struct client_target *t)
{
	struct client *c = u->client;
	char session[300];
	struct tls_client_opts tls = {c->opts.tls, t->name, session};

	if (!t->tls) {
		return sock_connect(&u->sock, c->opts.loop, &t->addr, NULL, on_ready);
	}
	if (c->opts.tls == NULL || t->name == NULL) {
		return ERR_TLS;
	}
	snprintf(session, sizeof(session), "%s:%u", t->name, (unsigned)sys_addr_port(&t->addr));
	return sock_connect(&u->sock, c->opts.loop, &t->addr, &tls, on_ready);
}

struct stream *client_open(
	struct client *c, const struct client_target *t, struct stream_user *user)
{
	struct pool *p = pool_of(c, t->key);
	char name[SYS_ADDR_TEXT];
	struct up *u;
	size_t n;
	int rc;

	if (!t->fresh && !list_empty(&p->idle)) {
		return reuse(c, p, user);
	}
	n = sys_addr_format(&t->addr, name);
	u = must_alloc(sizeof(*u) + n + 1);
	u->client = c;
	u->pool = p;
	list_append(&c->busy, &u->link);
	memcpy(u->peer, name, n);
	begin_stream(u, user);
	c->counts.opened++;
	c->counts.open++;
	rc = start_connect(u, t);
	if (rc != 0) {
		/* Told in the next turn: a start function does not call back. */
		fail(u, (enum err)rc);
		look_again(u);
	}
	arm(u);
	return &u->stream;
}

void client_expect_no_body(struct stream *s)
{
	up_of(s)->is_head = true;
}

static void pool_clear(struct pool *p)
{
	while (!list_empty(&p->idle)) {
		up_close(CONTAINER_OF(p->idle.next, struct up, link), false);
	}
}

void client_set_pool_idle(struct client *c, uint32_t ms)
{
	if (c->opts.limits.pool_idle_ms == ms) {
		return;
	}
	c->opts.limits.pool_idle_ms = ms;
	for (size_t i = 0; i < c->pools.cap; i++) {
		struct pool *p = c->pools.slots[i].value;

		for (struct list *at = p != NULL ? p->idle.next : NULL;
			at != NULL && at != &p->idle; at = at->next) {
			rest(CONTAINER_OF(at, struct up, link));
		}
	}
}

void client_forget_endpoint(struct client *c, uint32_t endpoint)
{
	for (struct list *at = c->busy.next; at != &c->busy; at = at->next) {
		struct up *u = CONTAINER_OF(at, struct up, link);

		u->forgotten |= (uint32_t)u->pool->key == endpoint;
	}
	for (size_t i = 0; i < c->pools.cap; i++) {
		struct pool *p = c->pools.slots[i].value;

		if (p != NULL && (uint32_t)p->key == endpoint) {
			pool_clear(p);
		}
	}
}

struct client *client_new(const struct client_opts *opts)
{
	struct client *c = must_alloc(sizeof(*c));
	/* Keys are the program's own numbers, not a peer's: a fixed seed will do. */
	static const struct hash_seed seed = {1, 2};

	c->opts = *opts;
	map_init(&c->pools, &seed);
	list_init(&c->busy);
	return c;
}

void client_free(struct client *c)
{
	if (c == NULL) {
		return;
	}
	while (!list_empty(&c->busy)) {
		up_close(CONTAINER_OF(c->busy.next, struct up, link), true);
	}
	for (size_t i = 0; i < c->pools.cap; i++) {
		struct pool *p = c->pools.slots[i].value;

		if (p != NULL) {
			pool_clear(p);
			free(p);
		}
	}
	map_done(&c->pools);
	free(c);
}

const struct client_counts *client_counts(const struct client *c)
{
	return &c->counts;
}
