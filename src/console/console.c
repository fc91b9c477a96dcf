#include "console/console.h"

#include <stdlib.h>

#include "console/console_int.h"
#include "console/errand.h"

#define TICK_MS 1000u

/* --- asking ------------------------------------------------------------------------------------- */

static bool accepts(const struct console_endpoint *e, struct bytes method)
{
	return bytes_eq(method, bytes_str(e->method)) ||
		(bytes_eq(method, BYTES("HEAD")) && bytes_eq(bytes_str(e->method), BYTES("GET")));
}

static void dispatch(struct call *c)
{
	const struct console_endpoints *t = c->console->opts.endpoints;
	struct header allow = {BYTES("Allow"), {NULL, 0}};

	for (size_t i = 0; i < t->n; i++) {
		if (!bytes_eq(c->url.path, bytes_str(t->v[i].path))) {
			continue;
		}
		if (accepts(&t->v[i], c->head->method)) {
			t->v[i].fn(c);
			return;
		}
		allow.value = bytes_eq(bytes_str(t->v[i].method), BYTES("GET"))
			? BYTES("GET, HEAD")
			: bytes_str(t->v[i].method);
	}
	if (allow.value.n != 0) {
		call_refuse(c, 405, &allow, "this path takes %.*s only", BYTES_ARG(allow.value));
	} else if (!errand_begin(c)) {
		call_refuse(c, 404, NULL, "there is no such page; /v1/openapi.json lists what is");
	}
}

static void on_request(struct server *srv, struct stream *s)
{
	struct console *console = server_context(srv);
	struct call *c = call_new(console, s);
	struct fault f;

	if (url_parse_target(&c->url, s->head.target, &f) != 0) {
		call_refuse(c, 400, NULL, "%s", f.text);
		return;
	}
	dispatch(c);
}

/* --- the listener ------------------------------------------------------------------------------- */

static void on_tick(struct timer *t)
{
	struct console *c = CONTAINER_OF(t, struct console, tick);

	segpool_trim(&c->pool, loop_now_ms(c->loop));
	timer_set(c->loop, &c->tick, TICK_MS, on_tick);
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

struct console *console_new(const struct console_opts *opts)
{
	struct console *c = must_alloc(sizeof(*c));
	struct http_limits limits = HTTP_LIMITS_DEFAULT;

	c->opts = *opts;
	c->loop = gateway_control(opts->gateway);
	limits.connections_max = CONSOLE_CONNECTIONS_MAX;
	segpool_init(&c->pool, CONSOLE_MEMORY);
	list_init(&c->calls);
	list_init(&c->errands);
	c->server = server_new(&(struct server_opts){
		.loop = c->loop,
		.pool = &c->pool,
		.limits = limits,
		.on_request = on_request,
		.refusal = refusal,
		.context = c,
	});
	c->scrape = ep_metrics_new(c);
	timer_set(c->loop, &c->tick, TICK_MS, on_tick);
	return c;
}

void console_set_account(struct console *c, const struct act_env *env, struct account *account)
{
	c->env = *env;
	c->account = account;
}

void console_set_jobs(struct console *c, struct jobs *jobs)
{
	c->jobs = jobs;
}

int console_listen(struct console *c, const struct sys_addr *addr, struct sys_addr *bound)
{
	int fd = sys_listen(addr, 128, bound);
	int rc;

	if (fd < 0) {
		return fd;
	}
	rc = server_listen(c->server, fd);
	if (rc != 0) {
		sys_close(fd, false);
		return rc;
	}
	c->listening = must_realloc(c->listening, (c->n_listening + 1) * sizeof(*c->listening));
	c->listening[c->n_listening++] = fd;
	return 0;
}

void console_free(struct console *c)
{
	if (c == NULL) {
		return;
	}
	while (!list_empty(&c->calls)) {
		call_end(CONTAINER_OF(c->calls.next, struct call, link));
	}
	errand_free_all(&c->errands);
	account_unref(c->account);
	ep_metrics_free(c->scrape);
	server_free(c->server);
	timer_clear(c->loop, &c->tick);
	for (size_t i = 0; i < c->n_listening; i++) {
		sys_close(c->listening[i], false);
	}
	free(c->listening);
	segpool_done(&c->pool);
	free(c);
}
