/* The management listener, and what the process tells it. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/version.h"
#include "registry.h"
#include "serve_int.h"

static void tell_facts(void *arg, struct metrics_facts *out)
{
	const struct serve *s = arg;
	const struct plan *p = gateway_plan(s->gateway);

	*out = (struct metrics_facts){
		.version = version_text(),
		.started_ms = s->started_ms,
		.plan_live_ms = s->live_ms,
		.files_kept_bad = s->kept_bad,
	};
	if (p != NULL) {
		out->plan_version = p->version;
		out->routes = p->n_routes;
		out->providers = p->n_providers;
		out->consumers = p->n_consumers;
		out->certificates = p->n_certificates;
	}
}

static enum console_state tell_state(void *arg)
{
	const struct serve *s = arg;

	if (s->draining) {
		return CONSOLE_DRAINING;
	}
	return s->ready ? CONSOLE_READY : CONSOLE_STARTING;
}

int serve_console_open(struct serve *s)
{
	const struct option_addresses *at = &s->settings.console;

	s->manage = manage_new(gateway_control(s->gateway));
	s->console = console_new(&(struct console_opts){
		.manage = s->manage,
		.gateway = s->gateway,
		.endpoints = &registry_endpoints,
		.writer = serve_writer(s),
		.metrics_token = s->settings.metrics_token,
		.facts = tell_facts,
		.state = tell_state,
		.arg = s,
	});
	text_init(&s->console_addresses, 4096);
	for (size_t i = 0; i < at->n; i++) {
		char text[SYS_ADDR_TEXT];
		struct sys_addr bound;
		int rc = manage_listen(s->manage, MANAGE_CONSOLE, &at->v[i], &bound);

		if (rc != 0) {
			sys_addr_format(&at->v[i], text);
			fprintf(stderr,
				"sluice serve: management cannot listen on %s (%s); choose another "
				"--console\n",
				text,
				rc == ERR_EXISTS ? "the address is in use" : sys_error_text());
			return 1;
		}
		sys_addr_format(&bound, text);
		text_addf(&s->console_addresses, "%s\"%s\"", i != 0 ? "," : "", text);
	}
	return 0;
}
