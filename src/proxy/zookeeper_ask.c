/*
 * A session for each question: registries are asked every half a minute, and a session that is kept would have to be
 * kept alive. Of the children all are asked for at once; answers come in the order of the questions.
 */
#include "proxy/zookeeper_ask.h"

#include "wire/zookeeper.h"

#define NAME_MS 5000u
/* All frames of one answer. */
#define TOTAL_MAX INSTANCES_ANSWER_MAX
/* Names of all children, questions for them, and what they hold. */
#define ARENA_MAX ((size_t)8 << 20)
#define OUT_MAX ((size_t)8 << 20)
#define READ_SIZE 16384u
#define XID_CHILDREN 1

static void try_next(struct zookeeper_ask *z);

/* --- the end ------------------------------------------------------------------------------------ */

static void leave(struct zookeeper_ask *z)
{
	if (!z->running) {
		return;
	}
	z->running = false;
	if (z->resolving) {
		z->resolving = false;
		dns_cancel(z->dns, &z->query);
	}
	timer_clear(z->loop, &z->deadline);
	timer_clear(z->loop, &z->connecting);
	sock_close(&z->sock, false);
}

static void finish(struct zookeeper_ask *z, int rc)
{
	leave(z);
	z->rc = rc;
	z->on_done(z);
}

static void fail(struct zookeeper_ask *z, int rc, const char *why)
{
	fault_set(&z->why, (enum err)rc, 0, 0, "%s", why);
	finish(z, rc);
}

void zookeeper_ask_end(struct zookeeper_ask *z)
{
	leave(z);
	text_done(&z->in);
	text_done(&z->out);
	text_done(&z->names);
	arena_done(&z->arena);
}

static void on_deadline(struct timer *t)
{
	fail(CONTAINER_OF(t, struct zookeeper_ask, deadline), ERR_TIMEOUT,
		"no answer came in time");
}

/* --- sending ------------------------------------------------------------------------------------ */

/* False: the connection is broken. */
static bool send_on(struct zookeeper_ask *z)
{
	while (z->sent < z->out.n && sock_writable(&z->sock)) {
		struct iovec v = {z->out.p + z->sent, z->out.n - z->sent};
		ssize_t put = sock_writev(&z->sock, &v, 1);

		if (put == ERR_AGAIN) {
			return true;
		}
		if (put <= 0) {
			return false;
		}
		z->sent += (size_t)put;
	}
	return true;
}

static void ask_children(struct zookeeper_ask *z)
{
	z->state = ZOOKEEPER_CHILDREN;
	zookeeper_put_question(&z->out, XID_CHILDREN, ZOOKEEPER_GET_CHILDREN, z->node);
}

/* All of them at once. */
static void ask_nodes(struct zookeeper_ask *z)
{
	struct bytes names = text_bytes(&z->names);
	int32_t xid = XID_CHILDREN;
	struct text path;

	z->state = ZOOKEEPER_NODES;
	z->nodes = arena_must(&z->arena, (z->n_children + 1) * sizeof(*z->nodes));
	text_init(&path, OUT_MAX);
	while (names.n != 0) {
		text_clear(&path);
		text_add_bytes(&path, z->node);
		text_add_char(&path, '/');
		text_add_bytes(&path, bytes_cut(&names, '\0'));
		zookeeper_put_question(&z->out, ++xid, ZOOKEEPER_GET_DATA, text_bytes(&path));
	}
	text_done(&path);
	if (text_full(&z->out)) {
		fail(z, ERR_LIMIT, "the names of its nodes are too long");
	}
}

/* The server would drop the session after its time; it need not wait. */
static void say_goodbye(struct zookeeper_ask *z)
{
	zookeeper_put_end(&z->out, XID_CHILDREN + (int32_t)z->n_children + 1);
	IGNORE(send_on(z));
}

/* --- answers ------------------------------------------------------------------------------------ */

/* All is known. */
static void succeed(struct zookeeper_ask *z)
{
	say_goodbye(z);
	finish(z, 0);
}

static void refuse(struct zookeeper_ask *z, int32_t code)
{
	fault_set(&z->why, ERR_REFUSED, 0, 0, "its answer is error %d%s", (int)code,
		code == ZOOKEEPER_NO_PERMISSION ? ": the node may not be read by everybody" : "");
	finish(z, ERR_REFUSED);
}

static void take_children(struct zookeeper_ask *z, const struct zookeeper_answer *a)
{
	if (a->code == ZOOKEEPER_NO_NODE) {
		succeed(z); /* nobody has registered for it yet */
		return;
	}
	if (a->code != ZOOKEEPER_OK) {
		refuse(z, a->code);
		return;
	}
	if (zookeeper_read_children(a->body, INSTANCES_MAX, &z->names, &z->n_children, &z->why) !=
		0) {
		finish(z, ERR_SYNTAX);
		return;
	}
	if (z->n_children == 0) {
		succeed(z);
		return;
	}
	ask_nodes(z);
}

static void take_node(struct zookeeper_ask *z, const struct zookeeper_answer *a)
{
	struct bytes data, copy;

	if (a->code == ZOOKEEPER_OK) {
		if (zookeeper_read_data(a->body, &data, &z->why) != 0) {
			finish(z, ERR_SYNTAX);
			return;
		}
		copy = arena_copy(&z->arena, data);
		if (copy.p == NULL) {
			fail(z, ERR_LIMIT, "its nodes hold too much");
			return;
		}
		z->nodes[z->n_nodes++] = copy;
	} else if (a->code != ZOOKEEPER_NO_NODE) { /* it may have left meanwhile */
		refuse(z, a->code);
		return;
	}
	if (++z->n_answered == z->n_children) {
		succeed(z);
	}
}

static void take_frame(struct zookeeper_ask *z, struct bytes frame)
{
	struct zookeeper_answer a;
	int32_t expected;

	if (z->state == ZOOKEEPER_SESSION) {
		if (zookeeper_read_session(frame, &z->why) != 0) {
			finish(z, ERR_REFUSED);
			return;
		}
		ask_children(z);
		return;
	}
	if (zookeeper_read_answer(frame, &a, &z->why) != 0) {
		finish(z, ERR_SYNTAX);
		return;
	}
	expected = XID_CHILDREN + (z->state == ZOOKEEPER_NODES ? 1 + (int32_t)z->n_answered : 0);
	if (a.xid != expected) {
		fail(z, ERR_SYNTAX, "it answers what was not asked");
	} else if (z->state == ZOOKEEPER_CHILDREN) {
		take_children(z, &a);
	} else {
		take_node(z, &a);
	}
}

/* What came as whole frames. */
static void take_frames(struct zookeeper_ask *z)
{
	struct bytes in = text_bytes(&z->in);
	struct bytes frame;
	enum read_rc rc = READ_MORE;
	size_t used;

	while (z->running && (rc = zookeeper_frame(in, &frame, &used, &z->why)) == READ_DONE) {
		take_frame(z, frame);
		in = bytes_of(in.p + used, in.n - used);
	}
	if (z->running && rc == READ_FAIL) {
		finish(z, ERR_SYNTAX);
		return;
	}
	memmove(z->in.p, in.p, in.n);
	z->in.n = in.n;
}

static void read_on(struct zookeeper_ask *z)
{
	char room[READ_SIZE];

	while (z->running && sock_readable(&z->sock)) {
		ssize_t got = sock_read(&z->sock, room, sizeof(room));

		if (got == ERR_AGAIN) {
			return;
		}
		if (got <= 0) {
			fail(z, ERR_IO, "it closed the connection");
			return;
		}
		z->total += (size_t)got;
		if (z->total > TOTAL_MAX) {
			fail(z, ERR_LIMIT, "its answer is too large");
			return;
		}
		text_add(&z->in, room, (size_t)got);
		take_frames(z);
	}
}

/* --- connecting --------------------------------------------------------------------------------- */

static void on_ready(struct sock *s)
{
	struct zookeeper_ask *z = CONTAINER_OF(s, struct zookeeper_ask, sock);
	int rc = sock_open(s, &z->why);

	if (rc == ERR_AGAIN) {
		return;
	}
	if (rc != 0 && !timer_is_set(&z->connecting)) { /* it was open */
		fail(z, ERR_IO, "the connection broke");
		return;
	}
	if (rc != 0) {
		try_next(z);
		return;
	}
	timer_clear(z->loop, &z->connecting);
	read_on(z);
	if (z->running && !send_on(z)) {
		fail(z, ERR_IO, "the connection broke");
	}
}

static void on_connecting(struct timer *t)
{
	struct zookeeper_ask *z = CONTAINER_OF(t, struct zookeeper_ask, connecting);

	fault_set(&z->why, ERR_TIMEOUT, 0, 0, "connecting took too long");
	try_next(z);
}

static void try_next(struct zookeeper_ask *z)
{
	sock_close(&z->sock, false);
	timer_clear(z->loop, &z->connecting);
	while (z->next < z->addrs.n) {
		const struct sys_addr *addr = &z->addrs.addrs[z->next++];

		if (sock_connect(&z->sock, z->loop, addr, NULL, on_ready) == 0) {
			timer_set(z->loop, &z->connecting, z->connect_ms, on_connecting);
			return;
		}
		fault_set(&z->why, ERR_IO, 0, 0, "cannot connect: %s", sys_error_text());
	}
	finish(z, ERR_IO);
}

static void begin(struct zookeeper_ask *z)
{
	z->state = ZOOKEEPER_SESSION;
	zookeeper_put_connect(&z->out, (uint32_t)z->timeout_ms);
	try_next(z);
}

static void on_addresses(struct dns_query *q, const struct dns_answer *a)
{
	struct zookeeper_ask *z = CONTAINER_OF(q, struct zookeeper_ask, query);

	z->resolving = false;
	if (a->err != 0 || a->n == 0) {
		fail(z, ERR_NOT_FOUND, "its name could not be resolved");
		return;
	}
	z->addrs = *a;
	begin(z);
}

/* The first address may fail at once, which is told later. */
static void on_start(struct timer *t)
{
	begin(CONTAINER_OF(t, struct zookeeper_ask, connecting));
}

void zookeeper_ask_start(struct zookeeper_ask *z)
{
	z->running = true;
	text_init(&z->in, ZOOKEEPER_FRAME_MAX + READ_SIZE + 4);
	text_init(&z->out, OUT_MAX);
	text_init(&z->names, ZOOKEEPER_FRAME_MAX);
	arena_init(&z->arena, ARENA_MAX);
	timer_set(z->loop, &z->deadline, z->timeout_ms, on_deadline);
	if (sys_addr_parse(&z->addrs.addrs[0], z->host, strlen(z->host), z->port) == 0) {
		z->addrs.n = 1;
		timer_set(z->loop, &z->connecting, 0, on_start);
		return;
	}
	z->resolving = true;
	dns_resolve(z->dns, &z->query, z->host, z->port, NAME_MS, on_addresses);
}
