#include "manage/manage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/manage_int.h"

#define TICK_MS 1000u

/* --- asking ------------------------------------------------------------------------------------- */

static struct bytes field_of(const struct head *h, struct bytes name)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (bytes_eq_nocase(head_name(h, i), name)) {
			return head_value(h, i);
		}
	}
	return BYTES("");
}

/* Whether it is the gateway that asks, which says for whom. */
static bool is_inside(const struct manage *m, struct call *c)
{
	struct bytes peer = field_of(c->head, BYTES("X-Forwarded-For"));
	bool v6 = memchr(peer.p, ':', peer.n) != NULL;

	if (!bytes_eq_secret(field_of(c->head, m->secret_header), m->secret) || peer.n == 0 ||
		peer.n > SYS_ADDR_TEXT - sizeof("[]:0")) {
		return false;
	}
	snprintf(c->peer, sizeof(c->peer), v6 ? "[" BYTES_FMT "]:0" : BYTES_FMT ":0",
		BYTES_ARG(peer));
	return true;
}

static void dispatch(struct manage *m, struct call *c)
{
	for (struct manage_app *app = m->apps; app != NULL; app = app->next) {
		if (app->begin(app, c)) {
			return;
		}
	}
	call_refuse(c, 404, NULL, "there is no such page; /v1/openapi.json lists what is");
}

static void on_request(struct server *srv, struct stream *s)
{
	struct door *door = server_context(srv);
	struct call *c = call_new(door, s);
	struct fault f;

	if (door->kind == MANAGE_INSIDE && !is_inside(door->manage, c)) {
		call_refuse(c, 403, NULL, "this listener is the gateway's own");
		return;
	}
	if (url_parse_target(&c->url, s->head->target, &f) != 0) {
		call_refuse(c, 400, NULL, "%s", f.text);
		return;
	}
	dispatch(door->manage, c);
}

/* Strangers that hold all connections, silent or with bodies that do not end, give way to who comes next. */
static bool make_room(struct server *srv)
{
	const struct door *door = server_context(srv);
	const struct list *calls = &door->manage->calls;

	if (server_end_waiting(srv)) {
		return true;
	}
	for (struct list *at = calls->next; at != calls; at = at->next) {
		struct call *c = CONTAINER_OF(at, struct call, link);

		if (c->door == door && c->work != NULL && c->work->yields) {
			call_end(c);
			return true;
		}
	}
	return false;
}

static void refusal(
	struct server *srv, const struct fault *f, struct text *fields, struct text *body)
{
	(void)srv;
	text_add_str(fields, "Content-Type: application/json\r\n");
	text_add_str(body, "{\"success\":false,\"message\":\"");
	text_add_json(body, bytes_str(f->text));
	text_add_str(body, "\",\"data\":null}");
}

/* --- the listeners ------------------------------------------------------------------------------ */

static void on_tick(struct timer *t)
{
	struct manage *m = CONTAINER_OF(t, struct manage, tick);

	segpool_trim(&m->pool, loop_now_ms(m->loop));
	timer_set(m->loop, &m->tick, TICK_MS, on_tick);
}

struct manage *manage_new(struct loop *control)
{
	struct manage *m = must_alloc(sizeof(*m));

	m->loop = control;
	m->last_app = &m->apps;
	segpool_init(&m->pool, MANAGE_MEMORY);
	list_init(&m->calls);
	for (unsigned i = 0; i < MANAGE_DOORS; i++) {
		m->doors[i] = (struct door){.manage = m, .kind = (enum manage_door)i};
	}
	timer_set(m->loop, &m->tick, TICK_MS, on_tick);
	return m;
}

void manage_add(struct manage *m, struct manage_app *app)
{
	app->next = NULL;
	*m->last_app = app;
	m->last_app = &app->next;
}

void manage_set_jobs(struct manage *m, struct jobs *jobs)
{
	m->jobs = jobs;
}

struct jobs *manage_jobs(const struct manage *m)
{
	return m->jobs;
}

struct loop *manage_loop(const struct manage *m)
{
	return m->loop;
}

void manage_set_secret(struct manage *m, struct bytes header, struct bytes secret)
{
	m->secret_header = header;
	m->secret = secret;
}

static struct server *server_of(struct door *door)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;

	if (door->server == NULL) {
		limits.connections_max = MANAGE_CONNECTIONS_MAX;
		door->server = server_new(&(struct server_opts){
			.loop = door->manage->loop,
			.pool = &door->manage->pool,
			.limits = limits,
			.on_request = on_request,
			.refusal = refusal,
			.make_room = make_room,
			.context = door,
		});
	}
	return door->server;
}

int manage_listen(struct manage *m, enum manage_door door, const struct sys_addr *addr,
	struct sys_addr *bound)
{
	int fd = sys_listen(addr, 128, bound);
	int rc;

	if (fd < 0) {
		return fd;
	}
	rc = server_listen(server_of(&m->doors[door]), fd);
	if (rc != 0) {
		sys_close(fd, false);
		return rc;
	}
	m->listening = must_realloc(m->listening, (m->n_listening + 1) * sizeof(*m->listening));
	m->listening[m->n_listening++] = fd;
	return 0;
}

/* --- the administrator -------------------------------------------------------------------------- */

struct account *manage_account(const struct manage *m)
{
	return m->account;
}

void manage_set_account(struct manage *m, struct account *a)
{
	account_unref(m->account);
	m->account = a;
}

enum manage_door manage_door(const struct call *c)
{
	return c->door->kind;
}

/* --- the end ------------------------------------------------------------------------------------ */

void manage_stop(struct manage *m)
{
	if (m == NULL) {
		return;
	}
	while (!list_empty(&m->calls)) {
		call_end(CONTAINER_OF(m->calls.next, struct call, link));
	}
	for (unsigned i = 0; i < MANAGE_DOORS; i++) {
		server_free(m->doors[i].server);
		m->doors[i].server = NULL;
	}
}

void manage_free(struct manage *m)
{
	if (m == NULL) {
		return;
	}
	manage_stop(m);
	timer_clear(m->loop, &m->tick);
	for (size_t i = 0; i < m->n_listening; i++) {
		sys_close(m->listening[i], false);
	}
	free(m->listening);
	account_unref(m->account);
	segpool_done(&m->pool);
	free(m);
}
