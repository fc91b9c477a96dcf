/* What the files of the room share: one value, control's. */
#ifndef HICLAW_HICLAW_INT_H
#define HICLAW_HICLAW_INT_H

#include "hiclaw/agents.h"
#include "hiclaw/controller.h"
#include "hiclaw/events.h"
#include "hiclaw/hiclaw.h"
#include "hiclaw/monitor.h"
#include "hiclaw/ops_remote.h"
#include "hiclaw/s3.h"
#include "hiclaw/switch.h"
#include "hiclaw/usage.h"

struct workers;
struct guests;
struct provider_tests;
struct attachments;

struct hiclaw {
	struct manage_app app;
	struct hiclaw_opts opts;
	const struct env *env;
	struct loop *loop;
	struct jobs *jobs;
	struct gateway *gateway;
	struct fetcher *fetcher;
	struct ops_local local;
	struct ops_remote remote;
	char *remote_host;
	struct manage_ops *ops; /* &local.ops or opts.remote */
	struct guests *guests; /* of opts.remote, for tests of its providers; NULL: they are ours */
	struct controller *controller; /* NULL: none */
	struct s3 *s3;                 /* NULL: none */
	struct s3_credentials *s3_credentials;
	struct agents *agents;
	struct switches *switches;
	struct usage *usage;
	struct events *events;
	struct monitor monitor;
	struct workers *workers;
	struct attachments *attachments;
	struct provider_tests *tests; /* of providers: the last one of each */
	struct env own;               /* env, with secrets as they were read last */
	struct arena secrets;         /* their texts */
};

#endif
