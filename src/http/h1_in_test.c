#define _GNU_SOURCE
#include "http/h1_in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MESSAGE_MAX (20u * SEG_ROOM)

/* One message on its way from a plain descriptor into a stream. */
struct way {
	struct loop *loop;
	struct sock sock;
	struct segpool pool;
	struct h1_in in;
	struct stream s;
	struct field fields[H1_FIELDS_MAX];
	int peer;
};

static void on_ready(struct sock *s)
{
	(void)s;
}

static void way_open(struct way *w)
{
	int fds[2];

	memset(w, 0, sizeof(*w));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	w->loop = loop_new();
	w->peer = fds[1];
	segpool_init(&w->pool, 64u * SEG_SIZE);
	h1_in_init(&w->in);
	w->s.pool = &w->pool;
	assert_int_equal(sock_init_accepted(&w->sock, w->loop, fds[0], on_ready), 0);
}

static void way_close(struct way *w)
{
	stream_release_head(&w->s);
	chain_give(&w->pool, &w->s.body);
	h1_in_done(&w->in, &w->pool);
	assert_int_equal(w->pool.lent, 0);
	segpool_done(&w->pool);
	sock_close(&w->sock, false);
	close(w->peer);
	loop_free(w->loop);
}

/* As much as the kernel takes; the rest is for the next turn. */
static void feed(struct way *w, struct bytes *rest)
{
	ssize_t n = write(w->peer, rest->p, rest->n);

	if (n > 0) {
		*rest = bytes_of(rest->p + n, rest->n - (size_t)n);
	}
	loop_turn(w->loop, 0);
}

/* What came begins with a whole head. */
static enum read_rc take_head(struct way *w)
{
	struct h1_head h = {.fields = w->fields};
	struct fault f;
	size_t scanned = 0;
	size_t used = 0;

	assert_true(h1_in_read_head(&w->in, &w->pool, &w->sock) > 0);
	assert_int_equal(
		h1_parse_request(&h,
			bytes_of(w->in.rx->data + w->in.rx->beg, w->in.rx->end - w->in.rx->beg),
			&scanned, &used, &f),
		READ_DONE);
	return h1_in_begin(&w->in, &w->s, &h, used, &f);
}

/* Reads the head, then the body to its end, taking at most `want` bytes at a time; *most is the
 * longest read. */
static void read_message(struct way *w, struct bytes message, size_t want, size_t *most)
{
	struct fault f;
	enum read_rc rc;

	*most = 0;
	do {
		feed(w, &message);
	} while (!sock_readable(&w->sock));
	rc = take_head(w);
	for (int turns = 0; rc == READ_MORE && turns < 20000; turns++) {
		ssize_t r;

		w->in.want = want < SIZE_MAX - w->s.body.n ? w->s.body.n + want : SIZE_MAX;
		if (!sock_readable(&w->sock)) {
			feed(w, &message);
			continue;
		}
		r = h1_in_read_body(&w->in, &w->s, &w->sock, &rc, &f);
		*most = MAX(*most, r > 0 ? (size_t)r : 0);
	}
	assert_int_equal(rc, READ_DONE);
	assert_true(w->in.ended);
}

static void bodies_come_whole_and_what_follows_is_kept(void **state)
{
	static const struct {
		size_t body, behind, want;
		const char *why;
	} rows[] = {
		{1, 0, SIZE_MAX, "one byte"},
		{SEG_ROOM, 0, SIZE_MAX, "about a segment"},
		{4 * SEG_ROOM - 100, 0, SIZE_MAX,
			"the head's segment and three more, not all full"},
		{9 * SEG_ROOM, 5, SIZE_MAX, "more than one read takes, and a few bytes behind it"},
		{9 * SEG_ROOM + 1, 1000, SIZE_MAX, "a byte more"},
		{16 * SEG_ROOM, 20000, SIZE_MAX, "much behind it: it must fit into one segment"},
		{9 * SEG_ROOM, 7, 70000, "an owner that takes less than there is"},
		{9 * SEG_ROOM, 7, 1, "an owner that takes little"},
	};
	static char message[MESSAGE_MAX];
	static char got[MESSAGE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		/* The head's length moves the body's end over every place near a segment's border. */
		for (size_t shift = 0; shift < 5; shift++) {
			size_t n = rows[i].body + shift;
			int head = snprintf(message, 200,
				"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", n);
			size_t all = (size_t)head + n + rows[i].behind;
			struct way w;
			size_t most;

			assert_true(all < sizeof(message));
			for (size_t k = (size_t)head; k < all; k++) {
				message[k] = (char)('a' + k * 7 % 26 + (k >> 15) % 3);
			}
			way_open(&w);
			read_message(&w, bytes_of(message, all), rows[i].want, &most);
			if (w.s.body.n != n) {
				fail_msg("%s: %zu of %zu bytes", rows[i].why, w.s.body.n, n);
			}
			chain_copy(&w.s.body, 0, n, got);
			assert_memory_equal(got, message + head, n);
			/* What the owner did not ask for stays in the socket, but for one segment. */
			assert_true(most <= H1_IN_READ_MAX);
			assert_true(rows[i].want == SIZE_MAX || most < rows[i].want + SEG_ROOM);
			if (w.in.rx != NULL) {
				size_t kept = w.in.rx->end - w.in.rx->beg;

				assert_true(kept <= rows[i].behind);
				assert_memory_equal(w.in.rx->data + w.in.rx->beg,
					message + (size_t)head + n, kept);
			}
			way_close(&w);
		}
	}
}

/* The next message has to fit into one segment behind the place of its head, wherever the body ends. */
static void what_follows_always_has_room(void **state)
{
	static char message[MESSAGE_MAX];
	const size_t behind = 2 * SEG_ROOM;

	(void)state;
	for (size_t n = SEG_ROOM - 200; n < SEG_ROOM + 20; n++) {
		int head = snprintf(message, 200,
			"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", n);
		struct way w;
		size_t most;

		memset(message + head, 'x', n);
		memset(message + (size_t)head + n, 'y', behind);
		way_open(&w);
		read_message(&w, bytes_of(message, (size_t)head + n + behind), SIZE_MAX, &most);
		assert_int_equal(w.s.body.n, n);
		assert_true(w.in.rx == NULL ||
			(w.in.rx->data[w.in.rx->beg] == 'y' && w.in.rx->end <= SEG_ROOM));
		way_close(&w);
	}
}

static void a_body_that_keeps_coming_is_read_in_long_pieces(void **state)
{
	static char message[MESSAGE_MAX];
	struct way w;
	size_t most;
	size_t n = sizeof(message) - 200;
	int head = snprintf(
		message, 200, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", n);

	(void)state;
	memset(message + head, 'x', n);
	way_open(&w);
	read_message(&w, bytes_of(message, (size_t)head + n), SIZE_MAX, &most);
	/* A socket pair holds about 200 KB: several segments go with one call. */
	assert_true(most > 2 * (size_t)SEG_ROOM);
	way_close(&w);
}

/* Its length tells, not the read before: one call for all that has come. */
static void a_body_of_known_length_is_read_at_once_after_a_pause(void **state)
{
	static char message[4 * SEG_ROOM];
	int head = snprintf(
		message, 200, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
	struct bytes begin = bytes_of(message, (size_t)head + 10);
	struct bytes rest = bytes_of(message + head + 10, 100000 - 10);
	struct fault f;
	struct way w;
	enum read_rc rc;

	(void)state;
	way_open(&w);
	feed(&w, &begin);
	assert_int_equal(take_head(&w), READ_MORE);
	feed(&w, &rest);
	assert_int_equal(rest.n, 0);
	w.in.want = SIZE_MAX;
	assert_int_equal(h1_in_read_body(&w.in, &w.s, &w.sock, &rc, &f), 100000 - 10);
	assert_int_equal(rc, READ_DONE);
	way_close(&w);
}

static void without_memory_nothing_is_read(void **state)
{
	static char message[MESSAGE_MAX];
	struct seg *held[32];
	struct bytes rest = bytes_of(message, 100000);
	struct fault f;
	struct way w;
	size_t n_held = 0;
	enum read_rc rc;

	(void)state;
	snprintf(message, 200, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n");
	way_open(&w);
	w.pool.budget = 8;
	feed(&w, &rest);
	assert_int_equal(take_head(&w), READ_MORE);
	while ((held[n_held] = seg_take_input(&w.pool)) != NULL) {
		n_held++;
	}
	w.in.want = SIZE_MAX;
	assert_int_equal(h1_in_read_body(&w.in, &w.s, &w.sock, &rc, &f), ERR_MEMORY);
	assert_int_equal(rc, READ_MORE);
	seg_give(&w.pool, held[--n_held]);
	/* One segment is enough to go on, though more are wanted. */
	assert_int_equal(h1_in_read_body(&w.in, &w.s, &w.sock, &rc, &f), SEG_ROOM - H1_IN_FRONT);
	while (n_held != 0) {
		seg_give(&w.pool, held[--n_held]);
	}
	way_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_come_whole_and_what_follows_is_kept),
		cmocka_unit_test(what_follows_always_has_room),
		cmocka_unit_test(a_body_that_keeps_coming_is_read_in_long_pieces),
		cmocka_unit_test(a_body_of_known_length_is_read_at_once_after_a_pause),
		cmocka_unit_test(without_memory_nothing_is_read),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
