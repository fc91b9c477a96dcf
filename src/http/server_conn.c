/*
 * How it works. A connection is idle (no buffer), reading a head (one lent segment), or busy with one
 * stream; pipelined bytes wait in a segment of their own until the stream before them is closed. All
 * work happens in conn_run, which is called when the socket reports something or when an operation of
 * the stream asked for another look (a task of the next turn): operations never call back.
 *
 * A connection whose request was not read to its end cannot be used again: it is closed after its
 * answer, with a short time in which what the client still sends is thrown away, because a close with
 * unread bytes would turn into a reset and take the answer with it.
 */
#include <stdlib.h>

#include "http/h1_in.h"
#include "http/h1_out.h"
#include "http/server_int.h"

#define READS_PER_TURN 8
#define BODY_PER_TURN H1_IN_READ_MAX
#define STREAMS_PER_TURN 16 /* a pipeline of tiny requests must not hold the loop */
#define LINGER_MS 5000u
#define RETRY_MEMORY_MS 20u
#define HUNGRY_MAX 100u /* two seconds */

enum conn_state { CONN_IDLE, CONN_HEAD, CONN_STREAM, CONN_REFUSING, CONN_LINGER, CONN_CLOSED };

struct conn {
	struct stream stream;
	struct sock sock;
	struct server *srv;
	struct list link;
	struct timer timer;
	struct task again;
	struct h1_in in;
	struct h1_out out;
	uint8_t state;   /* enum conn_state */
	uint8_t minor;   /* of the current request */
	bool keep_alive; /* the client's wish for the current request */
	bool is_head;    /* the current request is a HEAD */
	bool expects;    /* the client waits for 100 (Continue) */
	bool running;    /* inside conn_run: operations need no task */
	bool tell;       /* the user has to be told something */
	bool starved;    /* the pool had nothing to lend: look again soon */
	bool blocked;    /* the timer is the deadline of a blocked answer: only progress moves it */
	uint8_t hungry;  /* looks in a row that found nothing */
	uint32_t served; /* streams begun on this connection */
	uint32_t idle_ms; /* the deadline of its silence, as it was when that began */
	char peer[];      /* with a NUL */
};

static void conn_run(struct conn *c);
static void conn_close(struct conn *c, bool reset);

static struct conn *conn_of(struct stream *s)
{
	return CONTAINER_OF(s, struct conn, stream);
}

static const struct conn *conn_of_const(const struct stream *s)
{
	return (const struct conn *)(const void *)((const char *)s - offsetof(struct conn, stream));
}

/* --- timers ------------------------------------------------------------------------------------- */

static void on_timer(struct timer *t);

/* A silent connection's time is over. Whether it really is: it may have been given more since. */
static bool is_idle_too_long(struct conn *c)
{
	uint32_t now_ms = c->srv->opts.limits.idle_ms;
	uint32_t more_ms = now_ms > c->idle_ms ? now_ms - c->idle_ms : 0;

	if (more_ms != 0) {
		c->idle_ms = now_ms;
		timer_set(c->srv->opts.loop, &c->timer, more_ms, on_timer);
	}
	return more_ms == 0 && now_ms != 0;
}

/* The one deadline that the connection's state has, moved on at each sign of progress. */
static void arm(struct conn *c)
{
	const struct http_limits *lim = &c->srv->opts.limits;
	struct stream *s = &c->stream;
	uint64_t ms = 0;

	if (c->starved) {
		c->blocked = false;
		timer_set(c->srv->opts.loop, &c->timer, RETRY_MEMORY_MS, on_timer);
		return;
	}
	switch ((enum conn_state)c->state) {
	case CONN_IDLE:
		ms = c->idle_ms = lim->idle_ms;
		break;
	case CONN_HEAD:
	case CONN_LINGER:
		return; /* set once, at their beginning */
	case CONN_REFUSING:
		ms = lim->write_ms;
		break;
	case CONN_STREAM:
		if (s->out == STREAM_OUT_OPEN && !sock_writable(&c->sock)) {
			if (c->blocked && timer_is_set(&c->timer)) {
				return;
			}
			c->blocked = true;
			timer_set(c->srv->opts.loop, &c->timer, lim->write_ms, on_timer);
			return;
		}
		if (s->in == STREAM_IN_BODY && c->in.want > s->body.n) {
			ms = lim->body_ms;
		}
		break;
	case CONN_CLOSED:
		return;
	}
	c->blocked = false;
	if (ms != 0) {
		timer_set(c->srv->opts.loop, &c->timer, ms, on_timer);
	} else if (timer_is_set(&c->timer)) {
		timer_clear(c->srv->opts.loop, &c->timer);
	}
}

static void on_again(struct task *t)
{
	conn_run(CONTAINER_OF(t, struct conn, again));
}

/* Another look in the next turn, unless this is a look already. */
static void look_again(struct conn *c)
{
	if (!c->running) {
		loop_again(c->srv->opts.loop, &c->again, on_again);
	}
}

/* --- life --------------------------------------------------------------------------------------- */

static void conn_forget_message(struct conn *c)
{
	stream_release_head(&c->stream);
	chain_give(c->stream.pool, &c->stream.body);
	h1_out_done(&c->out, c->stream.pool);
}

static void conn_close(struct conn *c, bool reset)
{
	struct server *srv = c->srv;

	if (c->state == CONN_CLOSED) {
		return;
	}
	c->state = CONN_CLOSED;
	sock_close(&c->sock, reset);
	timer_clear(srv->opts.loop, &c->timer);
	loop_again_cancel(&c->again);
	conn_forget_message(c);
	h1_in_done(&c->in, c->stream.pool);
	list_remove(&c->link);
	loop_free_later(srv->opts.loop, c, free);
	server_conn_ended(srv);
}

/* --- stream operations -------------------------------------------------------------------------- */

static int op_send(struct stream *s, const struct head_out *head, struct stream_source *source)
{
	struct conn *c = conn_of(s);
	struct server *srv = c->srv;
	struct h1_out_line line = {
		.response = true,
		.minor = c->minor,
		.no_body = c->is_head,
		.date = server_date(srv),
	};
	int rc;

	/* A body that is still coming will not be read after the answer: the connection ends with it. */
	if (s->in != STREAM_IN_END || srv->draining) {
		c->keep_alive = false;
	}
	line.close = !c->keep_alive;
	line.keep_alive = c->keep_alive && c->minor == 0;
	rc = h1_out_begin(&c->out, s->pool, head, &line, source);
	if (rc == 0) {
		s->out = STREAM_OUT_OPEN;
		if (c->out.framing == H1_TO_CLOSE) {
			c->keep_alive = false;
		}
	}
	return rc;
}

static void flush(struct conn *c)
{
	struct stream *s = &c->stream;
	bool more;
	ssize_t r = h1_out_flush(&c->out, s->pool, &c->sock, &more);

	if (r < 0) {
		s->out = STREAM_OUT_FAILED;
		s->out_err = (int8_t)r;
		c->tell = true;
		look_again(c);
		return;
	}
	if (c->out.done) {
		s->out = STREAM_OUT_END;
	}
	if (r > 0) {
		c->blocked = false;
		c->tell = true; /* only matters when nobody is looking: conn_run tells */
	}
	if (more) {
		loop_again(c->srv->opts.loop, &c->again, on_again);
	}
}

static void op_pump(struct stream *s)
{
	struct conn *c = conn_of(s);

	if (s->out == STREAM_OUT_OPEN) {
		flush(c);
		if (s->out != STREAM_OUT_FAILED) {
			c->tell = false; /* the caller sees what happened */
		}
		arm(c);
	}
}

static void op_send_continue(struct stream *s)
{
	struct conn *c = conn_of(s);

	if (!c->expects || s->out != STREAM_OUT_IDLE) {
		return;
	}
	c->expects = false;
	if (h1_out_continue(&c->out, s->pool) == 0) {
		flush(c);
		c->tell = false;
	}
}

static bool is_reading(const struct conn *c)
{
	return c->stream.in == STREAM_IN_BODY && c->in.want > c->stream.body.n;
}

static bool wants_to_read(const struct conn *c)
{
	return is_reading(c) && sock_readable(&c->sock) && !c->starved;
}

static void op_want(struct stream *s, size_t max)
{
	struct conn *c = conn_of(s);

	c->in.want = max;
	if (c->state == CONN_STREAM && s->in == STREAM_IN_BODY && max > s->body.n) {
		arm(c);
		if (wants_to_read(c)) {
			look_again(c);
		}
	}
}

static void end_stream(struct conn *c)
{
	c->srv->counts.streams--;
	c->stream.user = NULL;
	c->tell = false;
}

static void op_reset(struct stream *s)
{
	struct conn *c = conn_of(s);

	end_stream(c);
	conn_close(c, true);
}

static void start_linger(struct conn *c)
{
	c->state = CONN_LINGER;
	c->starved = false; /* its timer is the linger's now */
	sock_shutdown(&c->sock);
	conn_forget_message(c);
	h1_in_done(&c->in, c->stream.pool);
	timer_set(c->srv->opts.loop, &c->timer, LINGER_MS, on_timer);
	look_again(c);
}

/* A response that nobody completes. A reset could overtake what was sent of it, status and all; it is only for those whose end
 * would look like the end of the response, and for peers that take nothing. */
static void cut(struct conn *c)
{
	bool shows = c->out.framing == H1_LENGTH || c->out.framing == H1_CHUNKED;

	if (shows && c->out.open && c->out.head == NULL && sock_writable(&c->sock) &&
		!sock_hangup(&c->sock)) {
		start_linger(c);
	} else {
		conn_close(c, true);
	}
}

static void op_close(struct stream *s)
{
	struct conn *c = conn_of(s);

	end_stream(c);
	if (s->out != STREAM_OUT_END) {
		cut(c);
		return;
	}
	if (s->in != STREAM_IN_END) {
		start_linger(c);
		return;
	}
	if (!c->keep_alive || c->srv->draining) {
		if (c->in.rx != NULL || (sock_readable(&c->sock) && !sock_hangup(&c->sock))) {
			start_linger(c); /* more came behind the request */
		} else {
			conn_close(c, false);
		}
		return;
	}
	conn_forget_message(c);
	h1_out_init(&c->out);
	c->state = c->in.rx != NULL ? CONN_HEAD : CONN_IDLE;
	c->in.want = 0;
	if (c->state == CONN_HEAD) {
		timer_set(c->srv->opts.loop, &c->timer, c->srv->opts.limits.head_ms, on_timer);
	} else {
		arm(c);
	}
	if (c->in.rx != NULL || sock_readable(&c->sock) || sock_hangup(&c->sock)) {
		look_again(c);
	}
}

static const char *op_peer(const struct stream *s)
{
	return conn_of_const(s)->peer;
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

/* --- refusing what is no request ---------------------------------------------------------------- */

/* The whole answer goes into the out segment: it is small and the connection ends with it. */
COLD static void refuse(struct conn *c, const struct fault *f)
{
	struct server *srv = c->srv;
	char body_room[1024];
	char fields_room[512];
	struct text fields;
	struct text body;
	struct text all;

	srv->counts.refused_heads++;
	h1_out_done(&c->out, c->stream.pool);
	text_init_fixed(&fields, fields_room, sizeof(fields_room));
	text_init_fixed(&body, body_room, sizeof(body_room));
	if (srv->opts.refusal != NULL) {
		srv->opts.refusal(srv, f, &fields, &body);
	} else {
		text_add_str(&body, f->text);
	}
	c->state = CONN_REFUSING;
	c->out.head = seg_take(c->stream.pool);
	if (c->out.head == NULL) {
		conn_close(c, true);
		return;
	}
	text_init_fixed(&all, c->out.head->data, SEG_ROOM);
	text_addf(&all,
		"HTTP/1.1 %d %s\r\n" BYTES_FMT "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		f->status, h1_reason((unsigned)f->status), BYTES_ARG(text_bytes(&fields)), body.n);
	text_add_bytes(&all, text_bytes(&body));
	c->out.head->end = (uint32_t)all.n;
	c->out.framing = H1_NO_BODY;
	c->out.open = true;
	arm(c);
}

/* --- reading ------------------------------------------------------------------------------------ */

static void fail_in(struct conn *c, enum err err)
{
	c->stream.in = STREAM_IN_FAILED;
	c->stream.in_err = (int8_t)err;
	c->tell = true;
}

static void begin_stream(struct conn *c, const struct h1_head *h, size_t used)
{
	struct stream *s = &c->stream;
	struct server *srv = c->srv;
	struct fault fault = {0};
	enum read_rc rc;

	*s = (struct stream){.ops = &ops, .pool = srv->opts.pool};
	if (c->sock.tls != NULL) {
		s->tls = tls_version(c->sock.tls);
		s->tls_resumed = tls_resumed(c->sock.tls);
	}
	h1_out_init(&c->out);
	c->state = CONN_STREAM;
	c->minor = h->minor;
	c->keep_alive = h->keep_alive;
	c->expects = h->expect_continue;
	c->is_head = bytes_eq(h->method, BYTES("HEAD"));
	c->in.want = 0;
	c->blocked = false;
	c->hungry = 0;
	c->tell = false;
	rc = h1_in_begin(&c->in, s, h, used, &fault);
	if (rc == READ_FAIL) {
		conn_forget_message(c);
		refuse(c, &fault);
		return;
	}
	if (s->body.n != 0 || rc == READ_DONE) {
		c->expects = false; /* the body is here: nobody waits for a 100 */
	}
	s->in = rc == READ_DONE ? STREAM_IN_END : STREAM_IN_BODY;
	c->served++;
	srv->counts.requests++;
	srv->counts.streams++;
	timer_rest(srv->opts.loop, &c->timer);
	srv->opts.on_request(srv, s);
}

/* n: bytes of a head that is whole, or of what came of one. */
static bool is_above_limit(const struct conn *c, size_t n)
{
	uint32_t max = c->srv->opts.limits.head_max;

	return max != 0 && n > max;
}

/* Bytes of a head are in rx: parse, answer, or wait for more. True when something was decided. */
static bool parse_head(struct conn *c)
{
	struct h1_head h = {.fields = c->srv->fields};
	struct fault fault = {0};
	struct seg *rx = c->in.rx;
	size_t used = 0;
	size_t scanned = c->in.scanned;
	enum read_rc rc = h1_parse_request(
		&h, bytes_of(rx->data + rx->beg, rx->end - rx->beg), &scanned, &used, &fault);

	c->in.scanned = (uint32_t)scanned; /* of one segment */
	if (rc != READ_FAIL && is_above_limit(c, rc == READ_DONE ? used : rx->end - rx->beg)) {
		fault_set(&fault, ERR_LIMIT, 431, 0, "head too large");
		rc = READ_FAIL;
	}
	if (rc == READ_DONE) {
		begin_stream(c, &h, used);
		return true;
	}
	if (rc == READ_FAIL) {
		refuse(c, &fault);
		return true;
	}
	return false;
}

static void read_head(struct conn *c)
{
	for (int i = 0; c->state == CONN_IDLE || c->state == CONN_HEAD; i++) {
		bool begins;
		ssize_t r;

		/* Pipelined bytes first: `scanned` is 0 only before their first look. */
		if (c->in.rx != NULL && c->in.scanned == 0 && parse_head(c)) {
			return;
		}
		if (!sock_readable(&c->sock)) {
			return;
		}
		if (i == READS_PER_TURN) {
			loop_again(c->srv->opts.loop, &c->again, on_again);
			return;
		}
		r = h1_in_read_head(&c->in, c->stream.pool, &c->sock);
		if (r == ERR_AGAIN) {
			return;
		}
		if (r == ERR_MEMORY) {
			c->starved = true;
			return;
		}
		if (r <= 0) {
			conn_close(c, r < 0);
			return;
		}
		begins = c->state == CONN_IDLE;
		c->state = CONN_HEAD;
		if (parse_head(c)) {
			return;
		}
		if (begins) { /* most heads come whole and need no deadline */
			timer_set(c->srv->opts.loop, &c->timer, c->srv->opts.limits.head_ms,
				on_timer);
		}
	}
}

/* No memory for more of the body: look again soon, but not for ever, since those that wait like this
 * may together hold what each of them waits for. A client that has left meanwhile frees its part. */
static void starve(struct conn *c)
{
	c->starved = true;
	if (sock_hangup(&c->sock)) {
		fail_in(c, ERR_CLOSED);
	} else if (++c->hungry > HUNGRY_MAX) {
		fail_in(c, ERR_MEMORY);
	}
}

static void read_body(struct conn *c)
{
	struct stream *s = &c->stream;
	struct fault fault = {0};
	enum read_rc rc;
	size_t sum = 0;

	for (int i = 0;
		s->in == STREAM_IN_BODY && c->in.want > s->body.n && sock_readable(&c->sock); i++) {
		ssize_t r;

		if (i == READS_PER_TURN || sum >= BODY_PER_TURN) {
			loop_again(c->srv->opts.loop, &c->again, on_again);
			return;
		}
		r = h1_in_read_body(&c->in, s, &c->sock, &rc, &fault);
		if (r == ERR_AGAIN) {
			return;
		}
		if (r == ERR_MEMORY) {
			starve(c);
			return;
		}
		sum += r > 0 ? (size_t)r : 0;
		c->tell = true;
		c->hungry = 0;
		c->expects = false;
		if (rc == READ_DONE) {
			s->in = STREAM_IN_END;
		} else if (r <= 0 || rc == READ_FAIL) {
			fail_in(c, r == 0 ? ERR_CLOSED : r < 0 ? (enum err)r : ERR_SYNTAX);
		}
	}
}

/* What a refused or early-answered client still sends is thrown away, within bounds. */
static void read_linger(struct conn *c)
{
	char waste[8192];

	for (int i = 0; i < READS_PER_TURN && sock_readable(&c->sock); i++) {
		ssize_t r = sock_read(&c->sock, waste, sizeof(waste));

		if (r == ERR_AGAIN) {
			return;
		}
		if (r <= 0) {
			conn_close(c, false);
			return;
		}
	}
	if (sock_readable(&c->sock)) {
		loop_again(c->srv->opts.loop, &c->again, on_again);
	}
}

static void run_refusing(struct conn *c)
{
	bool more;
	ssize_t r = h1_out_flush(&c->out, c->stream.pool, &c->sock, &more);

	if (r < 0) {
		conn_close(c, true);
	} else if (c->out.done) {
		start_linger(c);
	}
}

static void tell_user(struct conn *c)
{
	struct stream *s = &c->stream;

	while (c->tell && c->state == CONN_STREAM && s->user != NULL) {
		c->tell = false;
		s->user->on_stream(s->user, s);
	}
}

static void run_stream(struct conn *c)
{
	struct stream *s = &c->stream;

	if (c->out.head != NULL || s->out == STREAM_OUT_OPEN) {
		flush(c);
	}
	read_body(c);
	/* A peer that ends its side while it waits has left (RDHUP is all there is to see when nothing
	 * is read), also with a body that nobody takes; while one is read, its end tells. */
	if (sock_hangup(&c->sock) && !is_reading(c) && !s->gone) {
		s->gone = true;
		c->tell = true;
	}
	tell_user(c);
}

static void conn_run(struct conn *c)
{
	uint32_t first = c->served;
	uint32_t served;
	uint8_t before;

	if (c->running) {
		return;
	}
	c->running = true;
	c->starved = false;
	do {
		before = c->state;
		served = c->served;
		if (c->state == CONN_STREAM) {
			run_stream(c);
		}
		if (c->state == CONN_IDLE || c->state == CONN_HEAD) {
			read_head(c);
		}
		if (c->state == CONN_REFUSING) {
			run_refusing(c);
		}
		if (c->state == CONN_LINGER) {
			read_linger(c);
		}
		/* A new stream may already have been answered, or want its body at once. */
	} while ((c->state != before || c->served != served) && c->state != CONN_CLOSED &&
		c->served - first < STREAMS_PER_TURN);
	c->running = false;
	if (c->served - first >= STREAMS_PER_TURN && c->state != CONN_CLOSED) {
		loop_again(c->srv->opts.loop, &c->again, on_again);
	}
	if (c->state != CONN_CLOSED) {
		/* The user took what there was and wants more: no event will come for bytes that are
		 * here already. */
		if (c->state == CONN_STREAM && wants_to_read(c)) {
			look_again(c);
		}
		arm(c);
	}
}

static void on_ready(struct sock *sock)
{
	conn_run(CONTAINER_OF(sock, struct conn, sock));
}

static void on_timer(struct timer *t)
{
	struct conn *c = CONTAINER_OF(t, struct conn, timer);
	struct fault f;

	if (c->starved) {
		conn_run(c);
		return;
	}
	switch ((enum conn_state)c->state) {
	case CONN_HEAD:
		fault_set(&f, ERR_TIMEOUT, 408, 0, "the request head did not arrive in time");
		refuse(c, &f);
		conn_run(c);
		return;
	case CONN_STREAM:
		if (c->stream.out == STREAM_OUT_OPEN && !sock_writable(&c->sock)) {
			c->stream.out = STREAM_OUT_FAILED;
			c->stream.out_err = ERR_TIMEOUT;
			c->tell = true;
		} else if (c->stream.in == STREAM_IN_BODY && !sock_readable(&c->sock)) {
			fail_in(c, ERR_TIMEOUT);
		}
		conn_run(c);
		return;
	case CONN_IDLE:
		if (!is_idle_too_long(c)) {
			return;
		}
		conn_close(c, false);
		return;
	case CONN_REFUSING:
	case CONN_LINGER:
	case CONN_CLOSED:
		conn_close(c, false);
		return;
	}
}

/* --- for the server ----------------------------------------------------------------------------- */

static struct conn *conn_make(struct server *srv, const struct sys_addr *peer)
{
	char name[SYS_ADDR_TEXT];
	size_t n = sys_addr_format(peer, name);
	struct conn *c = must_alloc(sizeof(*c) + n + 1);

	c->srv = srv;
	c->state = CONN_IDLE;
	c->stream.pool = srv->opts.pool;
	h1_in_init(&c->in);
	h1_out_init(&c->out);
	memcpy(c->peer, name, n);
	return c;
}

static void conn_begin(struct conn *c)
{
	list_append(&c->srv->conns, &c->link);
	c->srv->counts.connections++;
	arm(c);
}

void server_conn_new(struct server *srv, int fd, const struct sys_addr *peer)
{
	struct conn *c = conn_make(srv, peer);

	if (sock_init_accepted(&c->sock, srv->opts.loop, fd, on_ready) != 0) {
		free(c); /* the descriptor is closed */
		return;
	}
	srv->counts.accepted++;
	conn_begin(c);
}

bool server_conn_take(struct server *srv, struct sock *from, const struct sys_addr *peer,
	const struct fault *refusal)
{
	struct conn *c = conn_make(srv, peer);

	if (sock_move(&c->sock, from, on_ready) != 0) {
		free(c);
		return false;
	}
	conn_begin(c);
	if (refusal != NULL) {
		refuse(c, refusal);
	}
	return true;
}

void server_conn_drain(struct list *link)
{
	struct conn *c = CONTAINER_OF(link, struct conn, link);

	if (c->state == CONN_IDLE) {
		conn_close(c, false);
	}
}

bool server_conn_waits(const struct list *link, bool *fresh)
{
	const struct conn *c = (const struct conn *)(const void *)((const char *)link -
		offsetof(struct conn, link));

	*fresh = c->served == 0;
	return c->state != CONN_STREAM && c->state != CONN_CLOSED;
}

void server_conn_cut(struct list *link)
{
	struct conn *c = CONTAINER_OF(link, struct conn, link);
	struct stream *s = &c->stream;

	if (c->state == CONN_STREAM && s->user != NULL) {
		c->running = true;
		s->gone = true;
		s->user->on_stream(s->user, s);
	}
	conn_close(c, true);
}
