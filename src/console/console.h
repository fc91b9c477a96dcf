/*
 * The management listener, on control's loop: a server of its own, with its own memory, so that nothing
 * that happens here takes anything from the data path.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "console/act.h"
#include "console/call.h"
#include "meter/metrics.h"
#include "net/jobs.h"
#include "proxy/gateway.h"

enum console_state { CONSOLE_STARTING, CONSOLE_READY, CONSOLE_DRAINING };

struct console_opts {
	struct gateway *gateway;
	const struct console_endpoints *endpoints;
	struct writer writer;
	const char *metrics_token; /* NULL: none, /metrics is open to this machine alone */
	/* What the owner knows, asked for on control; process need not be filled. */
	void (*facts)(void *arg, struct metrics_facts *out);
	enum console_state (*state)(void *arg);
	void *arg;
};

struct console *console_new(const struct console_opts *opts);
/* What the API needs, before the loops run: texts of env are the caller's, one reference to the account goes
 * over. */
void console_set_account(struct console *c, const struct act_env *env, struct account *account);
/* Where slow work is done; before the loops run. */
void console_set_jobs(struct console *c, struct jobs *jobs);
MUST_CHECK int console_listen(
	struct console *c, const struct sys_addr *addr, struct sys_addr *bound);
/* When control's loop runs no more, and the jobs have ended; before the gateway is freed. */
void console_free(struct console *c);

#endif
