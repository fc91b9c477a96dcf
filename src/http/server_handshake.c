/*
 * From an accepted descriptor to a connection that speaks HTTP over TLS. A handshake is an object of
 * its own, a small one, and gives its socket to a connection when it is done.
 *
 * Nothing is read before the first record is whole: who stalls in it costs no more than its socket, and
 * who does not speak TLS at all can be told so, as its bytes are all still there. From then on the
 * library holds some 30 KB until the client has answered; so only some handshakes are in that state, and
 * the one that has waited longest makes room for another.
 *
 * What a handshake computes takes 0.2 ms or more, so handshakes queue: the loop takes some of them in a
 * turn and then looks after what runs. Who hangs up while it waits costs nothing more.
 */
#include <stdlib.h>

#include "http/server_int.h"
#include "net/tls_server.h"

/* A turn ends after the first one that comes to this, so that streams wait for one handshake at most. */
#define TURN_US 500u
#define PER_TURN_MAX 8u
/* Attack: hellos without end whose senders never answer. 15 MB, and a client that is 100 ms away is
 * only pushed out by 5,000 of them in a second, which is more than a core computes. */
#define BEGUN_MAX 512u

struct handshake {
	struct sock sock;
	struct server *srv;
	struct list
		link; /* of those that wait for a hello, or of those that have begun, oldest first */
	struct list turn; /* in the queue */
	struct timer timer;
	struct sys_addr peer;
	bool begun;
};

static void end(struct handshake *h)
{
	struct server *srv = h->srv;

	sock_close(&h->sock, false);
	timer_clear(srv->opts.loop, &h->timer);
	list_remove(&h->link);
	list_remove(&h->turn);
	srv->begun -= h->begun;
	srv->counts.handshaking--;
	loop_free_later(srv->opts.loop, h, free);
}

static void note(const struct handshake *h, const struct fault *f)
{
	struct server *srv = h->srv;

	srv->counts.handshakes_failed++;
	if (srv->opts.on_handshake_failed != NULL) {
		char peer[SYS_ADDR_TEXT];

		sys_addr_format(&h->peer, peer);
		srv->opts.on_handshake_failed(srv, peer, f);
	}
}

static void fail(struct handshake *h, const struct fault *f)
{
	struct server *srv = h->srv;

	note(h, f);
	end(h);
	server_conn_ended(srv);
}

/* It stays one connection, with another object behind it. */
static void hand_over(struct handshake *h, const struct fault *plain)
{
	struct server *srv = h->srv;

	srv->counts.connections--;
	if (plain != NULL) {
		note(h, plain);
	} else {
		srv->counts.handshakes++;
		srv->counts.handshakes_resumed += tls_resumed(h->sock.tls);
	}
	if (!server_conn_take(srv, &h->sock, &h->peer, plain)) {
		srv->counts.connections++;
		server_conn_ended(srv);
	}
	end(h);
}

static void on_timer(struct timer *t)
{
	struct handshake *h = CONTAINER_OF(t, struct handshake, timer);
	struct fault f;

	fault_set(&f, ERR_TIMEOUT, 0, 0, "the TLS handshake did not end in time");
	fail(h, &f);
}

/* --- turns -------------------------------------------------------------------------------------- */

static void make_room(struct server *srv)
{
	struct fault f;

	if (srv->begun < BEGUN_MAX) {
		return;
	}
	fault_set(&f, ERR_LIMIT, 0, 0,
		"the client has not answered in the TLS handshake, and others wait");
	fail(CONTAINER_OF(srv->handshakes_begun.next, struct handshake, link), &f);
}

static void begin(struct handshake *h)
{
	struct server *srv = h->srv;

	make_room(srv);
	h->begun = true;
	srv->begun++;
	list_remove(&h->link);
	list_append(&srv->handshakes_begun, &h->link);
	sock_start_tls(&h->sock, srv->tls);
}

static void go_on(struct handshake *h)
{
	struct fault f = {0};
	int rc;

	if (!h->begun && sock_hangup(&h->sock)) {
		fault_set(&f, ERR_CLOSED, 0, 0, "the client left before the TLS handshake");
		fail(h, &f);
		return;
	}
	if (!h->begun) {
		begin(h);
	}
	rc = sock_open(&h->sock, &f);
	if (rc == 0) {
		hand_over(h, NULL);
	} else if (rc != ERR_AGAIN) {
		fail(h, &f);
	}
}

static void on_turn(struct task *t)
{
	struct server *srv = CONTAINER_OF(t, struct server, turn);
	uint64_t begin_us = loop_now_us(srv->opts.loop);

	for (unsigned n = 0; n < PER_TURN_MAX && !list_empty(&srv->handshake_turns); n++) {
		struct handshake *h =
			CONTAINER_OF(srv->handshake_turns.next, struct handshake, turn);

		list_remove(&h->turn);
		go_on(h);
		if (loop_now_us(srv->opts.loop) - begin_us >= TURN_US) {
			break;
		}
	}
	if (!list_empty(&srv->handshake_turns)) {
		loop_again(srv->opts.loop, &srv->turn, on_turn);
	}
}

static void queue(struct handshake *h)
{
	struct server *srv = h->srv;

	if (!list_linked(&h->turn)) {
		list_append(&srv->handshake_turns, &h->turn);
		loop_again(srv->opts.loop, &srv->turn, on_turn);
	}
}

/* --- what the client begins with ---------------------------------------------------------------- */

static void look(struct handshake *h)
{
	char begin[TLS_OPENING_MAX];
	ssize_t n = sock_peek(&h->sock, begin, sizeof(begin));
	struct fault f = {0};

	if (n == ERR_AGAIN) {
		return;
	}
	if (n <= 0) {
		fault_set(&f, ERR_CLOSED, 0, 0, "the client left before the TLS handshake");
		fail(h, &f);
		return;
	}
	switch (tls_opening(bytes_of(begin, (size_t)n))) {
	case TLS_OPENING_MORE:
		h->sock.watch.readable = false;
		if (sock_hangup(&h->sock)) {
			fault_set(&f, ERR_CLOSED, 0, 0, "the client left in the TLS handshake");
			fail(h, &f);
		}
		return;
	case TLS_OPENING_TLS:
		queue(h);
		return;
	case TLS_OPENING_TEXT:
		fault_set(
			&f, ERR_SYNTAX, 400, 0, "this port speaks TLS: use https instead of http");
		hand_over(h, &f);
		return;
	case TLS_OPENING_OTHER:
		fault_set(&f, ERR_TLS, 0, 0, "the client does not speak TLS");
		fail(h, &f);
		return;
	}
}

static void on_ready(struct sock *s)
{
	struct handshake *h = CONTAINER_OF(s, struct handshake, sock);

	if (h->begun) {
		queue(h);
	} else if (!list_linked(&h->turn) && sock_readable(s)) {
		look(h);
	}
}

/* --- for the server ----------------------------------------------------------------------------- */

void server_handshake_new(struct server *srv, int fd, const struct sys_addr *peer)
{
	struct handshake *h = must_alloc(sizeof(*h));

	h->srv = srv;
	h->peer = *peer;
	list_init(&h->turn);
	if (sock_init_accepted(&h->sock, srv->opts.loop, fd, on_ready) != 0) {
		free(h); /* the descriptor is closed */
		return;
	}
	list_append(&srv->handshakes, &h->link);
	srv->counts.accepted++;
	srv->counts.connections++;
	srv->counts.handshaking++;
	timer_set(srv->opts.loop, &h->timer, srv->opts.limits.head_ms, on_timer);
}

void server_handshake_end_all(struct server *srv)
{
	struct list *const lists[] = {&srv->handshakes, &srv->handshakes_begun};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		while (!list_empty(lists[i])) {
			end(CONTAINER_OF(lists[i]->next, struct handshake, link));
			server_conn_ended(srv);
		}
	}
	loop_again_cancel(&srv->turn);
}
