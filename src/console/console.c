#include "console/console.h"

#include <stdlib.h>

#include "console/console_int.h"
#include "console/errand.h"

static bool accepts(const struct console_endpoint *e, struct bytes method)
{
	return bytes_eq(method, bytes_str(e->method)) ||
		(bytes_eq(method, BYTES("HEAD")) && bytes_eq(bytes_str(e->method), BYTES("GET")));
}

static bool begin(struct manage_app *app, struct call *c)
{
	struct console *console = CONTAINER_OF(app, struct console, app);
	const struct console_endpoints *t = console->opts.endpoints;
	struct header allow = {BYTES("Allow"), {NULL, 0}};

	for (size_t i = 0; i < t->n; i++) {
		if (!bytes_eq(c->url.path, bytes_str(t->v[i].path))) {
			continue;
		}
		if (accepts(&t->v[i], c->head->method)) {
			t->v[i].fn(console, c);
			return true;
		}
		allow.value = bytes_eq(bytes_str(t->v[i].method), BYTES("GET"))
			? BYTES("GET, HEAD")
			: bytes_str(t->v[i].method);
	}
	if (allow.value.n != 0) {
		call_refuse(c, 405, &allow, "this path takes %.*s only", BYTES_ARG(allow.value));
		return true;
	}
	return errand_begin(console, c);
}

struct console *console_new(const struct console_opts *opts)
{
	struct console *c = must_alloc(sizeof(*c));

	c->opts = *opts;
	c->manage = opts->manage;
	c->app.begin = begin;
	list_init(&c->errands);
	c->scrape = ep_metrics_new(c);
	manage_add(c->manage, &c->app);
	return c;
}

void console_set_env(struct console *c, const struct act_env *env)
{
	c->env = *env;
}

void console_free(struct console *c)
{
	if (c == NULL) {
		return;
	}
	errand_free_all(&c->errands);
	ep_metrics_free(c->scrape);
	free(c);
}
