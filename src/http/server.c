/*
 * Fairness. The kernel calls the first of the sleeping watchers, and that is always the same one: left
 * alone it would take nearly all of the connections of a quiet day, and with long streams keep them. So
 * a server that is above its share stops watching for a moment and comes back at the end of the line.
 * It always takes the connection that it was called for, because nobody else was, and after the moment
 * it watches again whatever its share is: when the others are busy, dead or pausing too, nothing waits
 * longer than that.
 */
#include "http/server.h"

#include <stdlib.h>

#include "base/clock.h"
#include "http/server_int.h"

#define ACCEPTS_PER_TURN 64
/* No descriptor is left: the listener is level-triggered, so trying at once again would spin. */
#define RETRY_ACCEPT_MS 100u
/* How long the others are left alone with the listeners, and how far above the mean is fair: an eighth,
 * and a few that cost nobody anything. */
#define YIELD_MS 2u
#define SHARE_SLACK 8u

struct listener {
	struct watch watch;
	struct server *srv;
	int fd;
	bool tls;
	struct listener *next;
};

struct bytes server_date(struct server *srv)
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	uint64_t now_s = clock_wall_ms() / 1000;
	char iso[CLOCK_ISO_LEN];
	struct text t;

	if (now_s == srv->date_s && srv->date[0] != '\0') {
		return bytes_of(srv->date, 29);
	}
	srv->date_s = now_s;
	clock_format_iso(iso, now_s * 1000);
	/* RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT" from "1994-11-06T08:49:37.000Z". */
	text_init_fixed(&t, srv->date, sizeof(srv->date));
	text_add(&t, days + now_s / 86400 % 7 * 3, 3);
	text_add_str(&t, ", ");
	text_add(&t, iso + 8, 2);
	text_add_char(&t, ' ');
	text_add(&t, months + ((size_t)(iso[5] - '0') * 10 + (size_t)(iso[6] - '0') - 1) * 3, 3);
	text_add_char(&t, ' ');
	text_add(&t, iso, 4);
	text_add_char(&t, ' ');
	text_add(&t, iso + 11, 8);
	text_add_str(&t, " GMT");
	return text_bytes(&t);
}

/* --- accepting ---------------------------------------------------------------------------------- */

static void listeners_watch(struct server *srv, bool on);
static void on_rested(struct timer *t);
static void on_yielded(struct timer *t);

static void tell_share(struct server *srv)
{
	if (srv->opts.shares != NULL) {
		atomic_store_explicit(&srv->opts.shares[srv->opts.share].connections,
			srv->counts.connections, memory_order_relaxed);
	}
}

/* The figures of the others may be a little old: it is about proportions. */
static bool is_above_share(const struct server *srv)
{
	unsigned n = srv->opts.n_shares;
	uint64_t sum = 0;
	uint64_t mean;

	if (srv->opts.shares == NULL || srv->counts.connections <= SHARE_SLACK) {
		return false;
	}
	for (unsigned i = 0; i < n; i++) {
		sum += atomic_load_explicit(&srv->opts.shares[i].connections, memory_order_relaxed);
	}
	mean = sum / n;
	return srv->counts.connections > mean + MAX(mean / 8, (uint64_t)SHARE_SLACK);
}

static void start_yield(struct server *srv)
{
	srv->yielding = true;
	listeners_watch(srv, false);
	timer_set(srv->opts.loop, &srv->yield, YIELD_MS, on_yielded);
}

static bool is_full(const struct server *srv)
{
	return srv->counts.connections >= srv->opts.limits.connections_max;
}

static void rest(struct server *srv)
{
	srv->resting = true;
	listeners_watch(srv, false);
}

/* The next connection, for which there is room, or an error. Who is asked to make room knows that somebody
 * waits: else the one that came before would have to go. */
static int accept_next(struct server *srv, int listening, struct sys_addr *peer)
{
	int fd;

	if (is_full(srv) && srv->opts.make_room == NULL) {
		rest(srv);
		return ERR_AGAIN;
	}
	fd = sys_accept(listening, peer);
	if (fd >= 0 && is_full(srv) && !srv->opts.make_room(srv)) {
		sys_close(fd, false);
		rest(srv);
		return ERR_AGAIN;
	}
	return fd;
}

static void on_acceptable(struct watch *w)
{
	struct listener *l = CONTAINER_OF(w, struct listener, watch);
	struct server *srv = l->srv;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sys_addr peer;
		int fd;

		fd = accept_next(srv, l->fd, &peer);
		if (fd == ERR_LIMIT) {
			rest(srv);
			timer_set(srv->opts.loop, &srv->rest, RETRY_ACCEPT_MS, on_rested);
			return;
		}
		if (fd < 0) {
			return;
		}
		if (l->tls) {
			server_handshake_new(srv, fd, &peer);
		} else {
			server_conn_new(srv, fd, &peer);
		}
		tell_share(srv);
		if (is_above_share(srv)) {
			start_yield(srv);
			return;
		}
	}
}

static void listeners_watch(struct server *srv, bool on)
{
	for (struct listener *l = srv->listeners; l != NULL; l = l->next) {
		if (on && !srv->draining) {
			/* A listener that cannot be watched again is tried at the next close. */
			srv->resting |= loop_watch_listener(srv->opts.loop, &l->watch, l->fd,
						on_acceptable) != 0;
		} else {
			loop_unwatch(srv->opts.loop, &l->watch);
		}
	}
}

static void wake_listeners(struct server *srv)
{
	if (srv->resting && !srv->yielding &&
		srv->counts.connections < srv->opts.limits.connections_max) {
		srv->resting = false;
		listeners_watch(srv, true);
	}
}

static void on_yielded(struct timer *t)
{
	struct server *srv = CONTAINER_OF(t, struct server, yield);

	srv->yielding = false;
	srv->resting = true; /* which ends at once, unless there is no room for connections */
	wake_listeners(srv);
}

static void on_rested(struct timer *t)
{
	wake_listeners(CONTAINER_OF(t, struct server, rest));
}

static void on_drained_task(struct task *t)
{
	struct server *srv = CONTAINER_OF(t, struct server, drained);

	srv->on_drained(srv);
}

static void check_drained(struct server *srv)
{
	if (srv->draining && srv->on_drained != NULL && srv->counts.connections == 0) {
		loop_again(srv->opts.loop, &srv->drained, on_drained_task);
	}
}

void server_conn_ended(struct server *srv)
{
	srv->counts.connections--;
	tell_share(srv);
	wake_listeners(srv);
	check_drained(srv);
}

struct server *server_new(const struct server_opts *opts)
{
	struct server *srv = must_alloc(sizeof(*srv));

	srv->opts = *opts;
	list_init(&srv->conns);
	list_init(&srv->handshakes);
	list_init(&srv->handshakes_begun);
	list_init(&srv->handshake_turns);
	return srv;
}

void *server_context(const struct server *srv)
{
	return srv->opts.context;
}

static int listen_on(struct server *srv, int fd, bool tls)
{
	struct listener *l = must_alloc(sizeof(*l));
	int rc;

	l->srv = srv;
	l->fd = fd;
	l->tls = tls;
	l->watch.fd = -1;
	rc = loop_watch_listener(srv->opts.loop, &l->watch, fd, on_acceptable);
	if (rc != 0) {
		free(l);
		return rc;
	}
	l->next = srv->listeners;
	srv->listeners = l;
	return 0;
}

int server_listen(struct server *srv, int fd)
{
	return listen_on(srv, fd, false);
}

int server_listen_tls(struct server *srv, int fd, struct tls_server *tls)
{
	ASSERT(srv->tls == NULL || srv->tls == tls);
	srv->tls = tls;
	return listen_on(srv, fd, true);
}

void server_drain(struct server *srv, void (*on_drained)(struct server *srv))
{
	struct list *next;

	listeners_watch(srv, false);
	srv->draining = true;
	srv->on_drained = on_drained;
	server_handshake_end_all(srv);
	for (struct list *at = srv->conns.next; at != &srv->conns; at = next) {
		next = at->next;
		server_conn_drain(at);
	}
	check_drained(srv);
}

bool server_end_waiting(struct server *srv)
{
	struct list *found = NULL;
	bool fresh = false;

	for (struct list *at = srv->conns.next; at != &srv->conns && !fresh; at = at->next) {
		if (server_conn_waits(at, &fresh)) {
			found = found == NULL || fresh ? at : found;
		} else {
			fresh = false;
		}
	}
	if (found != NULL) {
		server_conn_cut(found);
	}
	return found != NULL;
}

void server_free(struct server *srv)
{
	if (srv == NULL) {
		return;
	}
	srv->on_drained = NULL;
	listeners_watch(srv, false);
	server_handshake_end_all(srv);
	while (!list_empty(&srv->conns)) {
		server_conn_cut(srv->conns.next);
	}
	while (srv->listeners != NULL) {
		struct listener *l = srv->listeners;

		srv->listeners = l->next;
		free(l);
	}
	loop_again_cancel(&srv->drained);
	timer_clear(srv->opts.loop, &srv->rest);
	timer_clear(srv->opts.loop, &srv->yield);
	free(srv);
}

void server_set_idle(struct server *srv, uint32_t ms)
{
	srv->opts.limits.idle_ms = ms;
}

void server_set_head_max(struct server *srv, uint32_t bytes)
{
	srv->opts.limits.head_max = bytes;
}

const struct server_counts *server_counts(const struct server *srv)
{
	return &srv->counts;
}
