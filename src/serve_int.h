/*
 * What the files of `sluice serve` share: the state of a running gateway, owned by control. serve.c
 * starts and stops it, serve_resources.c loads and reloads, serve_log.c writes the access log.
 */
#ifndef SERVE_INT_H
#define SERVE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/quickstart.h"
#include "cli/settings.h"
#include "net/file_watch.h"
#include "net/jobs.h"
#include "proxy/gateway.h"
#include "resource/finding_news.h"
#include "store/directory.h"

struct access_log {
	const char *path;
	int fd;
	atomic_bool reopen, stop;
	pthread_t thread;
};

struct serve {
	struct settings settings;
	struct hooks hooks;
	struct gateway_opts opts;
	struct gateway *gateway;
	struct directory *directory;
	struct jobs *jobs;
	struct file_watch *files; /* NULL: the system has no watch to give */
	struct finding_news read_news, plan_news;
	struct access_log log;
	pthread_t workers[WORKERS_MAX];
	unsigned n_started;
	struct watch signals;
	struct timer drain_timer;
	struct quickstart quickstart;
	bool wrote_quickstart;
	bool loading, load_again, draining, ready;
	size_t kept_bad; /* files, at the last load */
	bool asked;      /* a signal asked for the load that comes next */
	uint64_t began_ns;
	struct text addresses; /* JSON list for the ready file */
	char first_address[SYS_ADDR_TEXT];
};

/* --- serve_log.c --- */

/* Opens settings.access_log unless it is off. A negative err leaves errno. */
MUST_CHECK int serve_log_open(struct serve *s);
/* The log thread; returns when log.stop is set and everything is written. arg is the struct serve. */
void *serve_log_run(void *arg);

/* --- serve_resources.c --- */

/* Watches the resources; from before the first load on, so that nothing is missed between the two. */
void serve_resources_watch(struct serve *s);
/* Reads and compiles at once, before the threads start; on_live is called by control with s. */
void serve_resources_load_first(struct serve *s, void (*on_live)(void *arg));
/* Reads again in a jobs thread. One load at a time; a wish that comes meanwhile is granted after it. */
void serve_resources_reload(struct serve *s);
/* A line in the log when no route is served. */
void serve_resources_warn_without_routes(const struct serve *s);

#endif
