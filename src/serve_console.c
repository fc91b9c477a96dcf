/* The management listener, and what the process tells it. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "cli/version.h"
#include "manage/upstream_allowed.h"
#include "registry.h"
#include "net/port_holder.h"
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

static int listen_console(struct serve *s)
{
	const struct option_addresses *at = &s->settings.console;

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

static void warn_monitor(const struct sys_addr *at, int rc)
{
	const char *error = sys_error_text();
	char text[SYS_ADDR_TEXT];
	struct text why;

	sys_addr_format(at, text);
	text_init(&why, 1024);
	if (rc != ERR_EXISTS) {
		text_add_str(&why, error);
	} else {
		text_add_str(&why, "the address is in use by ");
		if (!port_holder(sys_addr_port(at), &why)) {
			text_add_str(&why, "another process");
		}
	}
	log_warn("serve",
		"the monitor cannot listen on %s (%s); what it serves is on the console's listener "
		"too, or choose another --monitor",
		text, text_cstr(&why));
	text_done(&why);
}

/* Never a reason not to serve: on a host's network HiClaw publishes its gateway at the same port. */
static void listen_monitor(struct serve *s)
{
	const struct option_addresses *at = &s->settings.monitor;

	text_init(&s->monitor_addresses, 4096);
	for (size_t i = 0; i < at->n; i++) {
		char text[SYS_ADDR_TEXT];
		struct sys_addr bound;
		int rc = manage_listen(s->manage, MANAGE_MONITOR, &at->v[i], &bound);

		if (rc != 0) {
			warn_monitor(&at->v[i], rc);
			continue;
		}
		sys_addr_format(&bound, text);
		text_addf(&s->monitor_addresses, "%s\"%s\"", s->monitor_addresses.n != 0 ? "," : "",
			text);
	}
}

static void make_secret(char out[SERVE_SECRET_SIZE + 1])
{
	unsigned char random[SERVE_SECRET_SIZE / 2];

	random_secret(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		snprintf(out + 2 * i, 3, "%02x", random[i]);
	}
}

struct bytes serve_explain_token(struct serve *s)
{
	if (s->settings.explain_token != NULL && s->settings.explain_token[0] != '\0') {
		return bytes_str(s->settings.explain_token);
	}
	make_secret(s->explain_token);
	return bytes_str(s->explain_token);
}

/* What the gateway's listeners hand over to management: only those who bring the secret come in. */
static int listen_inside(struct serve *s)
{
	struct sys_addr loopback, bound;

	if (!s->settings.manage_on_gateway) {
		return 0;
	}
	make_secret(s->inside_secret);
	manage_set_secret(s->manage, BYTES(INSIDE_HEADER), bytes_str(s->inside_secret));
	if (sys_addr_parse(&loopback, "127.0.0.1", 9, 0) != 0 ||
		manage_listen(s->manage, MANAGE_INSIDE, &loopback, &bound) != 0) {
		fprintf(stderr,
			"sluice serve: management on the gateway needs a port of 127.0.0.1 (%s)\n",
			sys_error_text());
		return 1;
	}
	s->inside = (struct plan_inside){sys_addr_port(&bound), bytes_str(s->inside_secret)};
	return 0;
}

/* Where this process reaches its own gateway: one that listens on all addresses also does on loopback. */
static struct sys_addr own_listener(const struct serve *s)
{
	struct bytes at = bytes_str(s->first_address);
	uint16_t port = sys_addr_port(&s->first_bound);
	struct sys_addr loopback;

	if (bytes_starts(at, BYTES("0.0.0.0:")) &&
		sys_addr_parse(&loopback, "127.0.0.1", sizeof("127.0.0.1") - 1, port) == 0) {
		return loopback;
	}
	if (bytes_starts(at, BYTES("[::]:")) &&
		sys_addr_parse(&loopback, "::1", sizeof("::1") - 1, port) == 0) {
		return loopback;
	}
	return s->first_bound;
}

static struct plan_env env_of(void *arg)
{
	return serve_resources_env(arg, NULL);
}

int serve_console_open(struct serve *s)
{
	s->manage = manage_new(gateway_control(s->gateway));
	s->writer = serve_writer(s);
	s->site = site_new(s->manage);
	s->trials = trials_new(&(struct trials_opts){
		.manage = s->manage,
		.gateway = own_listener(s),
		.explain_token = s->opts.explain_token,
		.writer = &s->writer,
	});
	s->previews = previews_new(&(struct previews_opts){
		.manage = s->manage,
		.writer = &s->writer,
		.plan = env_of,
		.address_allowed = upstream_allowed,
		.arg = s,
	});
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
	if (listen_console(s) != 0 || listen_inside(s) != 0) {
		return 1;
	}
	listen_monitor(s);
	return 0;
}
