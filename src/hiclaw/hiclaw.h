/*
 * HiClaw's part of the gateway: models of agents, and the monitor's API on the management listeners (monitor-api.md).
 * Made by serve; everything is control's, slow work is done on jobs threads.
 */
#ifndef HICLAW_HICLAW_H
#define HICLAW_HICLAW_H

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
	struct manage_ops
		*remote; /* a real Higress's Console (placement P4); NULL: our own resources */
	const struct env *env;  /* stays */
	bool attached;          /* --hiclaw: look for HiClaw's files, controller, storage */
	const char *state_dir;  /* below it: agents.json, history.jsonl, backups/, locks/ */
	struct host_load *load; /* opened before the sandbox; NULL: unknown */
	const char *version;
	uint64_t started_ms;
	/* Addresses as JSON lists' items, for status. */
	struct bytes gateway_addresses, console_addresses, monitor_addresses;
	const char *access_log; /* for /ni_status/logs?source=access; NULL: none */
};

/* Joins the listeners (manage_add). */
struct hiclaw *hiclaw_new(const struct hiclaw_opts *o);
/* When control's loop runs no more, after manage_end_calls and before manage_free. */
void hiclaw_free(struct hiclaw *h);
/* SIGHUP: secrets and the token file are read again. */
void hiclaw_reread(struct hiclaw *h);

#endif
