/*
 * Higress Console's API, and what an operator reads of the process (/metrics, /healthz): answers the calls of the
 * management listeners (manage/manage.h) on control.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "console/act.h"
#include "manage/manage.h"
#include "meter/metrics.h"
#include "proxy/gateway.h"

enum console_state { CONSOLE_STARTING, CONSOLE_READY, CONSOLE_DRAINING };

struct console;

/* An endpoint that is no act: it answers, or keeps the call and answers later. */
struct console_endpoint {
	const char *method; /* HEAD is answered where GET is */
	const char *path;   /* compared whole */
	void (*fn)(struct console *console, struct call *c);
};

struct console_endpoints {
	const struct console_endpoint *v;
	size_t n;
};

struct console_opts {
	struct manage *manage;
	struct gateway *gateway;
	const struct console_endpoints *endpoints;
	struct writer writer;
	const char *metrics_token; /* NULL: none, /metrics is open to this machine alone */
	unsigned write_ms;         /* instead of ERRAND_WRITE_MS; 0: that */
	/* What the owner knows, asked for on control; process need not be filled. */
	void (*facts)(void *arg, struct metrics_facts *out);
	enum console_state (*state)(void *arg);
	void *arg;
};

/* Joins the listeners. */
struct console *console_new(const struct console_opts *opts);
/* What the API needs, before the loops run; texts are the caller's. */
void console_set_env(struct console *c, const struct act_env *env);
/* When all calls have ended (manage_stop) and the jobs too; before the gateway is freed. */
void console_free(struct console *c);

#endif
