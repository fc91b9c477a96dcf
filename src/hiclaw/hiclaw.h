/*
 * HiClaw's part of the gateway: models of agents, and the monitor's API on the management listeners (monitor-api.md).
 * Made by serve; everything is control's, slow work is done on jobs threads.
 */
#ifndef HICLAW_HICLAW_H
#define HICLAW_HICLAW_H

#include "base/recent.h"
#include "base/tail.h"
#include "hiclaw/env.h"
#include "hiclaw/host_load.h"
#include "hiclaw/ops.h"
#include "manage/manage.h"
#include "net/jobs.h"
#include "proxy/gateway.h"

struct hiclaw;

struct hiclaw_opts {
	struct manage *manage;
	struct gateway *gateway;
	struct jobs *jobs;
	struct writer writer; /* changes of resources */
	/* A real Higress's Console (placement P4), by its URL, which url_parse has taken, or by another way to
	 * it; neither: our own resources. */
	struct bytes higress;
	struct manage_ops *remote;
	/* With a Console elsewhere: its objects are compiled to say where requests go there. NULL: nothing is said. */
	const struct provider_types *types;
	const struct env *env; /* copied; its texts stay */
	const struct env_source
		*env_source; /* for hiclaw_reread; NULL: the process's environment */
	bool attached;       /* --hiclaw: look for HiClaw's files, controller, storage */
	const char *root,
		*journal;       /* resources/, and the store's backups of changes; NULL: not here */
	const char *state_dir;  /* below it: agents.json, history.jsonl, backups/, locks/ */
	struct host_load *load; /* opened before the sandbox; NULL: unknown */
	const struct process *process; /* the same */
	const char *version;
	uint64_t started_ms;
	/* Addresses as JSON lists' items, for status. */
	struct bytes gateway_addresses, console_addresses, monitor_addresses;
	struct recent *log;   /* what was said last; NULL: not kept */
	struct tail *access;  /* the same of requests */
	struct bytes origins; /* of pages of other sites that may ask: "https://a,https://b" */
	bool legacy_status;   /* monitor-api.md 1.1 */
	/* Whether the gateway serves: a plan is live and nobody has told it to stop. */
	bool (*serves)(void *arg);
	void *arg;
};

/* Joins the listeners (manage_add). */
struct hiclaw *hiclaw_new(const struct hiclaw_opts *o);
/* When control's loop runs no more, after manage_stop and before manage_free. */
void hiclaw_free(struct hiclaw *h);
/* SIGHUP: secrets and the token file are read again. */
void hiclaw_reread(struct hiclaw *h);

#endif
