#define _GNU_SOURCE
#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

#define SERVERS 4u
#define CLIENTS_MAX 400u

/* Servers that share a listening socket, as workers do; the test turns their loops. */
struct field_of {
	struct server_share shares[SERVERS];
	struct loop *loops[SERVERS];
	struct segpool pools[SERVERS];
	struct server *servers[SERVERS];
	int listening;
	struct sys_addr addr;
	int clients[CLIENTS_MAX];
	unsigned n_clients;
};

static void on_request(struct server *srv, struct stream *s)
{
	(void)srv;
	(void)s;
	fail_msg("nobody asks anything here");
}

static struct field_of *field_open(uint32_t connections_max)
{
	struct field_of *f = aligned_alloc(_Alignof(struct field_of), sizeof(*f));
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct sys_addr any;

	assert_non_null(f);
	memset(f, 0, sizeof(*f));
	limits.connections_max = connections_max;
	assert_int_equal(sys_addr_parse(&any, "127.0.0.1", 9, 0), 0);
	f->listening = sys_listen(&any, 512, &f->addr);
	assert_true(f->listening >= 0);
	for (unsigned i = 0; i < SERVERS; i++) {
		f->loops[i] = loop_new();
		segpool_init(&f->pools[i], 1 << 20);
		f->servers[i] = server_new(&(struct server_opts){.loop = f->loops[i],
			.pool = &f->pools[i],
			.limits = limits,
			.on_request = on_request,
			.shares = f->shares,
			.n_shares = SERVERS,
			.share = i});
		assert_int_equal(server_listen(f->servers[i], f->listening), 0);
	}
	return f;
}

static void field_close(struct field_of *f)
{
	for (unsigned i = 0; i < SERVERS; i++) {
		server_free(f->servers[i]);
		loop_turn(f->loops[i], 0);
		loop_free(f->loops[i]);
		segpool_done(&f->pools[i]);
	}
	for (unsigned i = 0; i < f->n_clients; i++) {
		close(f->clients[i]);
	}
	close(f->listening);
	free(f);
}

static void connect_some(struct field_of *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int fd = sys_connect(&f->addr);

		assert_true(fd >= 0);
		f->clients[f->n_clients++] = fd;
	}
}

static unsigned taken_by(const struct field_of *f, unsigned i)
{
	return server_counts(f->servers[i])->connections;
}

static unsigned taken(const struct field_of *f)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < SERVERS; i++) {
		sum += taken_by(f, i);
	}
	return sum;
}

/* Turns the loops of the first n servers until so many connections were taken. */
static void turn_until(struct field_of *f, unsigned n, unsigned want)
{
	uint64_t end_ns = clock_mono_ns() + 20000000000u;

	while (taken(f) < want) {
		if (clock_mono_ns() > end_ns) {
			fail_msg("%u of %u connections were taken", taken(f), want);
		}
		for (unsigned i = 0; i < n; i++) {
			loop_turn(f->loops[i], 0);
		}
	}
}

static void connections_are_spread(void **state)
{
	static const struct {
		unsigned at_once, times;
		const char *why;
	} rows[] = {
		{1, 200, "one after the other: the same watcher is always called first"},
		{200, 1, "a crowd at once"},
		{20, 10, "groups"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct field_of *f = field_open(1000);

		for (unsigned k = 0; k < rows[i].times; k++) {
			connect_some(f, rows[i].at_once);
			turn_until(f, SERVERS, f->n_clients);
		}
		for (unsigned s = 0; s < SERVERS; s++) {
			/* A mean of 50, an eighth or eight above it, and one more for each call. */
			if (taken_by(f, s) > 50 + 8 + 1 + 4) {
				fail_msg("%s: server %u has %u of 200", rows[i].why, s,
					taken_by(f, s));
			}
			assert_int_equal(atomic_load(&f->shares[s].connections), taken_by(f, s));
		}
		field_close(f);
	}
}

static void nothing_is_lost_when_the_others_are_dead(void **state)
{
	struct field_of *f = field_open(1000);

	(void)state;
	connect_some(f, 100);
	turn_until(f, 1, 100); /* the other loops never turn */
	assert_int_equal(taken_by(f, 0), 100);
	field_close(f);
}

static void who_is_above_his_share_leaves_the_rest(void **state)
{
	struct field_of *f = field_open(1000);

	(void)state;
	atomic_store(&f->shares[1].connections, 0);
	connect_some(f, 100);
	loop_turn(f->loops[0], 0);
	/* n > n / 4 + 8: eleven. */
	assert_int_equal(taken_by(f, 0), 11);
	loop_turn(f->loops[1], 0);
	assert_true(taken_by(f, 1) >= 11 && taken_by(f, 1) < 20);
	field_close(f);
}

static void a_full_server_does_not_come_back_from_its_pause(void **state)
{
	struct field_of *f = field_open(11);

	(void)state;
	connect_some(f, 40);
	turn_until(f, 1, 11);
	for (int i = 0; i < 20; i++) {
		loop_turn(f->loops[0], 1);
	}
	assert_int_equal(taken_by(f, 0), 11);
	turn_until(f, SERVERS, 40);
	assert_int_equal(taken_by(f, 0), 11);
	field_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_spread),
		cmocka_unit_test(nothing_is_lost_when_the_others_are_dead),
		cmocka_unit_test(who_is_above_his_share_leaves_the_rest),
		cmocka_unit_test(a_full_server_does_not_come_back_from_its_pause),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
