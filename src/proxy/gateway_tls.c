/*
 * What there is to say about a certificate (it has expired, it cannot be used) is said once for all
 * workers, by its id, and by control, since writing may block.
 */
#include "proxy/gateway_tls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/tls_server.h"
#include "wire/certificate.h"

/* How long a key of the tickets seals; for as long again it only opens. */
#define TICKET_KEY_MS (12u * 3600u * 1000u)
static_assert(TLS_SESSION_S <= TICKET_KEY_MS / 1000, "two keys open all tickets that are good");

/* Certificates that were complained about. When the table is full nothing is said about others: it is
 * there so that handshakes, which clients begin, do not fill the log. */
#define COMPLAINTS_MAX 256u

struct gateway_tls {
	struct gateway *g;
	struct tls_tickets *tickets;
	struct timer timer;
	_Atomic uint64_t complaints[COMPLAINTS_MAX]; /* ids; 0: free */
};

/* --- the log ------------------------------------------------------------------------------------ */

struct line {
	struct post post;
	enum log_level level;
	char text[320];
};

static void write_line(struct post *p)
{
	struct line *l = CONTAINER_OF(p, struct line, post);

	log_line(l->level, "proxy", "%s", l->text);
	free(l);
}

PRINTF_LIKE(3, 4)
static void say(struct worker *w, enum log_level level, const char *fmt, ...)
{
	struct line *l;
	va_list ap;

	if (!log_on(level)) {
		return;
	}
	l = must_alloc(sizeof(*l));
	l->level = level;
	va_start(ap, fmt);
	vsnprintf(l->text, sizeof(l->text), fmt, ap);
	va_end(ap);
	loop_post(w->gateway->control, &l->post, write_line);
}

/* True for whoever is the first with that certificate and that complaint. */
static bool is_news(struct gateway_tls *t, const uint8_t id[32], uint8_t about)
{
	uint64_t mark;

	memcpy(&mark, id, sizeof(mark));
	mark = (mark ^ about) | 1;
	for (unsigned i = 0; i < COMPLAINTS_MAX; i++) {
		uint64_t there = atomic_load_explicit(&t->complaints[i], memory_order_relaxed);

		if (there == 0 && atomic_compare_exchange_strong(&t->complaints[i], &there, mark)) {
			return true;
		}
		if (there == mark) {
			return false;
		}
	}
	return false;
}

/* --- certificates ------------------------------------------------------------------------------- */

static struct bytes main_name(const struct certificate *c)
{
	struct bytes b = c->n_names != 0 ? c->names[0] : BYTES("(no name)");

	return bytes_of(b.p, MIN(b.n, 100u));
}

static void check_validity(struct worker *w, const struct certificate *c)
{
	int64_t now_s = (int64_t)(clock_wall_ms() / 1000);
	bool early = now_s < c->not_before_s;
	char when[CLOCK_ISO_LEN];

	if ((!early && now_s <= c->not_after_s) ||
		!is_news(w->gateway->tls, c->id, early ? 2 : 4)) {
		return;
	}
	clock_format_iso(when, (uint64_t)(early ? c->not_before_s : c->not_after_s) * 1000);
	say(w, LOG_WARN,
		"the certificate of " BYTES_FMT
		" %s on %.10s and is served all the same: clients will refuse it; put another one "
		"into its Secret or ConfigMap",
		BYTES_ARG(main_name(c)), early ? "becomes valid" : "expired", when);
}

static bool find_certificate(void *context, struct bytes name, struct tls_certificate *out)
{
	struct worker *w = context;
	const struct certificate *c =
		w->view != NULL ? plan_certificate(w->view->plan, name) : NULL;

	if (c == NULL) {
		return false;
	}
	check_validity(w, c);
	*out = (struct tls_certificate){c->leaf, c->chain, c->key, c->id};
	return true;
}

static void on_unusable(
	void *context, struct bytes name, const struct tls_certificate *c, const char *why)
{
	struct worker *w = context;

	if (is_news(w->gateway->tls, c->id, 8)) {
		say(w, LOG_ERROR,
			"the certificate for \"" BYTES_FMT
			"\" cannot be served (%.80s): clients that ask for that name are refused",
			BYTES_ARG(bytes_of(name.p, MIN(name.n, 100u))), why);
	}
}

void gateway_tls_failed(struct server *srv, const char *peer, const struct fault *f)
{
	say(server_context(srv), LOG_DEBUG, "no TLS with %s: %s", peer, f->text);
}

/* --- tickets ------------------------------------------------------------------------------------ */

static void free_pair(void *p)
{
	tls_ticket_pair_free(p);
}

static void on_timer(struct timer *timer)
{
	struct gateway_tls *t = CONTAINER_OF(timer, struct gateway_tls, timer);

	gateway_quiesce(t->g, free_pair, tls_tickets_rotate(t->tickets));
	timer_set(t->g->control, &t->timer, TICKET_KEY_MS, on_timer);
}

/* --- life --------------------------------------------------------------------------------------- */

static void begin(struct gateway *g)
{
	struct gateway_tls *t = must_alloc(sizeof(*t));

	t->g = g;
	t->tickets = tls_tickets_new();
	timer_set(g->control, &t->timer, TICKET_KEY_MS, on_timer);
	g->tls = t;
	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		struct worker *w = g->workers[i];

		w->tls_server = tls_server_new(&(struct tls_server_opts){
			.tickets = t->tickets,
			.certificate = find_certificate,
			.unusable = on_unusable,
			.context = w,
		});
	}
}

int gateway_tls_listen(struct gateway *g, int fd, uint16_t port)
{
	if (g->tls == NULL) {
		begin(g);
	}
	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		struct worker *w = g->workers[i];
		int rc = server_listen_tls(w->server, fd, w->tls_server);

		if (rc != 0) {
			return rc;
		}
		w->tls_port = w->tls_port != 0 ? w->tls_port : port;
	}
	return 0;
}

void gateway_tls_free(struct gateway *g)
{
	if (g->tls != NULL) {
		timer_clear(g->control, &g->tls->timer);
		tls_tickets_free(g->tls->tickets);
		free(g->tls);
		g->tls = NULL;
	}
}
