/*
 * What the files of `sluice serve` share: the state of a running gateway, owned by control. serve.c
 * starts and stops it, serve_resources.c loads and reloads, serve_log.c writes the access log,
 * serve_process.c confines the process (serve_paths.c: to which files), serve_notify.c tells the
 * service manager, serve_console.c opens the management listener, serve_state.c what it keeps, serve_write.c
 * makes its changes, serve_hiclaw.c begins what manages agents' models.
 */
#ifndef SERVE_INT_H
#define SERVE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/privileges.h"
#include "base/sandbox.h"
#include "cli/quickstart.h"
#include "cli/settings.h"
#include "console/console.h"
#include "hiclaw/hiclaw.h"
#include "net/file_watch.h"
#include "net/name_watch.h"
#include "net/jobs.h"
#include "net/notify.h"
#include "page/site.h"
#include "page/preview.h"
#include "page/trial.h"
#include "plan/inside.h"
#include "proxy/gateway.h"
#include "resource/finding_news.h"
#include "store/directory.h"
#include "store/writer.h"

#define SERVE_CODE_SIZE 12u
#define SERVE_SECRET_SIZE 32u /* letters */

struct access_log {
	const char *path;
	int fd;
	atomic_bool reopen, stop;
	atomic_bool give_up; /* what cannot be written at once is lost */
	atomic_int error;    /* of the last write that failed; 0: none since it was said */
	pthread_t thread;
	bool runs;
	struct timer timer; /* control: looks for lines that were lost */
	uint64_t said;      /* of them */
	struct tail *kept;  /* what was written last; NULL: not kept */
	/* --- the log thread --- */
	bool torn; /* the end of a line was lost; owed before the next one */
};

struct serve_pulse { /* goes to a worker and comes back */
	struct post post;
	struct serve *serve;
	unsigned worker;
	bool out;
};

struct serve_write { /* the write whose turn it is */
	struct job job;
	struct write *write;
	struct commit commit;
	const struct plan *live; /* stays until it is done */
};

struct serve_hiclaw {          /* serve_hiclaw.c */
	struct hiclaw *hiclaw; /* NULL until there are jobs */
	bool opened;
	struct arena arena; /* of env */
	struct env env;
	struct plan_alias alias; /* of the gateway's domain */
	struct host_load load;
	struct process process;
	char *state_dir;
	struct recent *log;  /* what was said last */
	struct tail *access; /* the same of requests; NULL: no lines are made */
};

struct serve {
	struct settings settings;
	struct hooks hooks;
	struct gateway_opts opts;
	struct gateway *gateway;
	struct manage *manage; /* its listeners */
	struct site *site;
	struct trials *trials;
	struct previews *previews;
	struct writer writer;
	char explain_token[SERVE_SECRET_SIZE + 1]; /* of ours, when the settings have none */
	struct console *console;
	struct serve_hiclaw hiclaw;
	struct plan_inside inside; /* port 0: management is not on the gateway */
	char inside_secret[SERVE_SECRET_SIZE + 1];
	struct directory *directory;
	struct overlay *overlay; /* whose turn it is: what is served beside the directory's files */
	struct jobs *jobs;       /* NULL when the process ends */
	struct jobs *
		ended_jobs; /* then: whom those that are closed hand what they still have to write */
	struct name_watch *names; /* of what the directory reads; NULL: it looks at every file */
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
	uint64_t started_ms, live_ms; /* wall clock: of the process, of the plan in force */
	/* Items of JSON lists for the ready file. */
	struct text addresses, tls_addresses, console_addresses, monitor_addresses;
	char first_address[SYS_ADDR_TEXT];
	struct sys_addr first_bound;
	struct privileges_user user; /* to become; root only */
	uint64_t descriptors, descriptors_max;
	struct notify notify;
	struct timer watchdog_timer;
	uint64_t watchdog_ms; /* 0: nobody asks */
	struct serve_pulse pulses[WORKERS_MAX];
	bool stuck;                /* a worker did not answer the last pulse */
	bool reloading;            /* the service manager was told so */
	struct snapshot *snapshot; /* of the plan that is live */
	struct list writes;        /* that wait; they go on when nothing is loading */
	struct serve_write writing;
	/* Below settings.state; NULL until serve_state_open. */
	char *backups, *account_path, *audit_path;
	struct account *account; /* until management has it */
	char setup_code[SERVE_CODE_SIZE];
};

/* --- serve_log.c --- */

/* Opens settings.access_log unless it is off. A negative err leaves errno. */
MUST_CHECK int serve_log_open(struct serve *s);
/* Starts the log thread, unless no lines are made, and says from time to time how many were lost. */
MUST_CHECK int serve_log_start(struct serve *s);
/* When no worker runs any more: ends the thread when everything is written, or nobody takes it. */
void serve_log_stop(struct serve *s);
/* Control: by its name, for it may have been rotated. */
void serve_log_reopen(struct serve *s);

/* --- serve_console.c --- */

/* Listens; the gateway is there. Not 0: a sentence was printed. */
MUST_CHECK int serve_console_open(struct serve *s);
/* The administrator's, else one of the process's own: the playground asks for decisions, too. */
struct bytes serve_explain_token(struct serve *s);

/* --- serve_hiclaw.c --- */

/* The environment and what it names, before the sandbox, as the user that runs it; never fails. */
void serve_hiclaw_read(struct serve *s);
/* When there are jobs: joins the management listeners. */
void serve_hiclaw_start(struct serve *s);
/* When hiclaw_free was called and nothing logs any more. */
void serve_hiclaw_done(struct serve *s);

/* --- serve_state.c --- */

/* The state directory with its files, made when they are missing; what a change that was cut short has left
 * is repaired. As the user that runs it, before the sandbox. Not 0: a sentence was printed. */
MUST_CHECK int serve_state_open(struct serve *s);
void serve_state_done(struct serve *s);

/* --- serve_write.c: control --- */

/* For console_opts. */
struct writer serve_writer(struct serve *s);
/* Whether a finding is an error that the live plan has not, of those for which a change is not taken, through management or
 * in a file. */
bool serve_write_is_refused(const struct finding *f, const struct plan *live);
/* Begins the next write when there is one and nothing is loading. */
void serve_write_next(struct serve *s);
/* Takes over one reference: this is what is live. The one before is freed on a jobs thread. */
void serve_snapshot_set(struct serve *s, struct snapshot *snap);

/* --- serve_resources.c --- */

/* Before a plan with TLS upstreams is handed over: on a jobs thread. */
void serve_resources_trust(const struct plan *p);
/* Logs what is found in a plan that is about to be live, and was not in the one before. */
void serve_resources_log(struct serve *s, const struct plan *p);
/* What stands after a load or a write: another load that was wished for, the next write. */
void serve_resources_end(struct serve *s);

/* What a plan is compiled with, beside the resources. before: see struct plan_env. */
struct plan_env serve_resources_env(const struct serve *s, const struct plan *before);

/* Watches the resources; from before the first load on, so that nothing is missed between the two. */
void serve_resources_watch(struct serve *s);
/* Reads and compiles at once, before the threads start; on_live is called by control with s. */
void serve_resources_load_first(struct serve *s, void (*on_live)(void *arg));
/* Reads again in a jobs thread. One load at a time; a wish that comes meanwhile is granted after it. */
void serve_resources_reload(struct serve *s);
/* gateway_opts.retire; arg is the struct serve. Frees on a jobs thread, as long as there are some: to
 * give back a hundred megabytes takes milliseconds that control has better uses for. */
void serve_resources_retire(void *arg, struct plan *p);
/* A line in the log when no route is served, or TLS without a certificate. */
void serve_resources_warn_empty(const struct serve *s);

/* For --check: reads and compiles, prints each finding on err and a summary as a comment on out.
 * Whether there is no error. */
bool serve_resources_check(struct serve *s, FILE *out, FILE *err);

/* --- serve_process.c: exit codes, after a sentence on stderr --- */

/* Refuses root that was not asked for; finds settings.user. */
MUST_CHECK int serve_process_identify(struct serve *s);
/* When the listeners are open: becomes that user, gives up capabilities, looks whether it may use the
 * directories. */
MUST_CHECK int serve_process_change_user(struct serve *s);
/* Enters the sandbox; before the first thread, when all is open that is opened once. */
MUST_CHECK int serve_process_confine(struct serve *s);
/* To the hard limit; what we have is what we use. */
void serve_process_raise_descriptors(struct serve *s);
/* For how many connections per worker the descriptors are enough. */
uint64_t serve_process_connections(const struct serve *s);
/* The start is over: its code, its constants and the tables by which the libraries were bound leave memory. What is looked
 * at again is mapped again from the file, which the system still has in its cache. */
void serve_process_forget_start(void);
/* When connections-max promises more. */
void serve_process_warn_descriptors(const struct serve *s);

/* --- serve_paths.c --- */

#define SERVE_PATHS_MAX 64u

struct serve_paths {
	struct sandbox_path v[SERVE_PATHS_MAX];
	size_t n;
};

/* What a gateway with these settings opens while it runs; env: what HiClaw's environment names. */
void serve_paths_collect(
	struct serve_paths *list, const struct settings *set, const struct env *env);
void serve_paths_done(struct serve_paths *list);

/* --- serve_notify.c: control --- */

void serve_notify_start(struct serve *s);
void serve_notify_ready(struct serve *s); /* also: what was asked for is live */
void serve_notify_reloading(struct serve *s);
void serve_notify_stopping(struct serve *s);

#endif
