/*
 * The server is this program again, told to write a ready file: what it says there is what it listens on, so a monitor
 * whose port somebody else has is noticed. The pid file is locked from before the look at it until the number is in it:
 * of two starts at once the second finds the first one's server.
 */
#define _GNU_SOURCE
#include "cli/agm_monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/monitor_pid.h"

/* monitor-api.md 8.1. */
#define START_MS 5000u
#define POLL_MS 20
/* It drains for DRAIN, and is asked no more after that. */
#define DRAIN "5s"
#define STOP_MS 15000
/* The program, also when its file was replaced. */
#define SELF "/proc/self/exe"
#define PATH_SIZE 4096
#define READY_MAX ((size_t)64 << 10)
#define ARGS_MAX 24
#define GATEWAY_PORT 8080
#define CONSOLE_PORT 8001
#define FREE_PORT "127.0.0.1:0"

struct server { /* what is to be started */
	const char *argv[ARGS_MAX];
	int argc;
	char data[PATH_SIZE], ready_dir[PATH_SIZE], ready[PATH_SIZE];
	pid_t pid;
};

const char *agm_monitor_dir(void)
{
	const char *dir = getenv("SLUICE_MONITOR_DIR");

	return dir != NULL && dir[0] == '/' ? dir : "/tmp";
}

static void say(FILE *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(FILE *out, const char *fmt, ...)
{
	time_t now = time(NULL);
	char when[64];
	struct tm tm;
	va_list ap;

	strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Z %Y", localtime_r(&now, &tm));
	fprintf(out, "[%s] ", when);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
}

static int fail(const struct agm *x, const char *why)
{
	fprintf(stderr, "sluice %s: %s\n", x->given.command, why);
	return COMMAND_NO;
}

static const char *own_file(const char *name, char *room)
{
	snprintf(room, PATH_SIZE, "%s/%s", agm_monitor_dir(), name);
	return room;
}

/* --- start ---------------------------------------------------------------------------------------- */

static void add(struct server *s, const char *option, const char *value)
{
	ASSERT(s->argc + 3 < ARGS_MAX);
	s->argv[s->argc++] = option;
	if (value != NULL) {
		s->argv[s->argc++] = value;
	}
	s->argv[s->argc] = NULL;
}

static void choose_data(struct server *s)
{
	const char *home = getenv("HOME");

	if (access("/data", W_OK | X_OK) == 0) {
		snprintf(s->data, sizeof(s->data), "/data/sluice");
	} else {
		snprintf(s->data, sizeof(s->data), "%s/.local/share/sluice",
			home != NULL && home[0] == '/' ? home : "/tmp");
	}
}

/* What the environment does not say. */
static void choose_settings(struct agm *x, struct server *s)
{
	add(s, "sluice", NULL);
	add(s, "serve", NULL);
	add(s, "--hiclaw", NULL);
	if (getenv("SLUICE_DATA") == NULL) {
		choose_data(s);
		add(s, "--data", s->data);
	}
	if (getenv("SLUICE_GATEWAY") == NULL && monitor_pid_of_port(GATEWAY_PORT, NULL)) {
		add(s, "--gateway", FREE_PORT);
	}
	if (getenv("SLUICE_CONSOLE") == NULL && monitor_pid_of_port(CONSOLE_PORT, NULL)) {
		add(s, "--console", FREE_PORT);
	}
	if (getenv("SLUICE_HIGRESS_CONSOLE") == NULL && agm_is_higress(x, x->env.admin_url.p)) {
		add(s, "--higress-console", x->env.admin_url.p);
	}
	if (geteuid() == 0 && getenv("SLUICE_USER") == NULL) {
		add(s, "--user", "root"); /* HiClaw's files are root's */
	}
	if (getenv("SLUICE_LOG_ACCESS") == NULL) {
		add(s, "--access-log", "off");
	}
	if (getenv("SLUICE_DRAIN_TIMEOUT") == NULL) {
		add(s, "--drain-timeout", DRAIN);
	}
}

/* resources/ must be there. */
static int make_data(const struct server *s, struct fault *f)
{
	const char *given = getenv("SLUICE_DATA");
	const char *data = given != NULL ? given : s->data;
	char path[PATH_SIZE + 16];

	if (getenv("SLUICE_RESOURCES") != NULL) {
		return 0;
	}
	snprintf(path, sizeof(path), "%s/resources", data);
	return file_make_dir(path, 0700, f);
}

/* Into the log, which is what the caller points to. */
static void cannot(int log, const char *what)
{
	dprintf(log, "sluice agm monitor: the server cannot be run: %s: %s\n", what,
		strerror(errno));
	_exit(127);
}

static void become(const struct server *s, int log)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char *argv[ARGS_MAX];

	if (null < 0) {
		cannot(log, "/dev/null");
	}

	for (int i = 0; i <= s->argc; i++) {
		argv[i] = (char *)(uintptr_t)s->argv[i];
	}
	if (setsid() < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
		setenv("MONITOR_LOOPBACK_READ", "1", 0) != 0) {
		cannot(log, "its own session and output");
	}
	execv(SELF, argv);
	cannot(log, SELF);
}

/* Whether the ready file says that the monitor listens. */
static bool has_monitor(const struct server *s, bool *ready_out)
{
	struct arena a;
	struct text t;
	struct fault f;
	const struct json_value *v = NULL;
	bool listens;

	arena_init(&a, READY_MAX * 8);
	text_init(&t, READY_MAX);
	if (file_read(s->ready, READY_MAX, &t, NULL, NULL) == 0) {
		v = json_parse(&a, text_bytes(&t), &f);
	}
	*ready_out = v != NULL;
	listens = v != NULL && doc_first(&a, doc_get(&a, doc_of_json(&a, v), "monitor")) != NULL;
	text_done(&t);
	arena_done(&a);
	return listens;
}

/* NULL: it serves; else why not. */
static const char *await_ready(const struct server *s)
{
	uint64_t end = clock_mono_ns() + START_MS * 1000000ull;
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	bool ready = false;

	while (clock_mono_ns() < end) {
		int status;

		if (has_monitor(s, &ready)) {
			return NULL;
		}
		if (ready) {
			return "the port is in use";
		}
		if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
			return "it ended at once";
		}
		nanosleep(&pause, NULL);
	}
	return "it did not come up within 5 seconds";
}

static const char *launch(struct server *s, int log)
{
	const char *why;

	snprintf(s->ready_dir, sizeof(s->ready_dir), "%s/sluice-start-XXXXXX", agm_monitor_dir());
	if (mkdtemp(s->ready_dir) == NULL) {
		return "no directory can be made for its ready file";
	}
	snprintf(s->ready, sizeof(s->ready), "%.4000s/ready.json", s->ready_dir);
	add(s, "--ready-file", s->ready);
	s->pid = fork();
	if (s->pid == 0) {
		become(s, log);
	}
	why = s->pid > 0 ? await_ready(s) : "no process can be made";
	if (why != NULL && s->pid > 0) {
		kill(s->pid, SIGKILL); /* our child, not waited for: nobody else has its number */
		IGNORE(waitpid(s->pid, NULL, 0));
	}
	IGNORE(file_remove(s->ready)); /* may not be there */
	IGNORE(file_remove_dir(s->ready_dir));
	return why;
}

static int start_locked(struct agm *x, struct monitor_pid *p, FILE *out)
{
	unsigned port = (unsigned)x->env.monitor_port;
	struct server s = {.argc = 0};
	char path[PATH_SIZE];
	struct fault f;
	const char *why;
	int log;

	say(out, "Starting monitor server on port %u...", port);
	choose_settings(x, &s);
	own_file("monitor-server.log", path);
	if (make_data(&s, &f) != 0 || monitor_pid_open_log(path, &log, &f) != 0) {
		return fail(x, f.text);
	}
	why = launch(&s, log);
	close(log);
	if (why != NULL) {
		fprintf(stderr,
			"sluice %s: the monitor server does not serve port %u: %s; %s says more\n",
			x->given.command, port, why, path);
		return COMMAND_NO;
	}
	if (monitor_pid_write(p, s.pid, &f) != 0) {
		return fail(x, f.text);
	}
	say(out, "Monitor server started (PID: %d)", (int)s.pid);
	if (getenv("MONITOR_LOOPBACK_READ") == NULL) {
		say(out, "Reading needs no password on this machine (MONITOR_LOOPBACK_READ=1)");
	}
	return COMMAND_DONE;
}

/* A sluice that serves the port without our having started it: the gateway. 0: nobody, or somebody else. */
static pid_t gateway_pid(const struct agm *x)
{
	pid_t pid = 0;

	monitor_pid_of_port((uint16_t)x->env.monitor_port, &pid);
	return pid != 0 && monitor_pid_serves(pid, 0) ? pid : 0;
}

int agm_monitor_start(struct agm *x, FILE *out)
{
	char path[PATH_SIZE];
	struct monitor_pid p;
	struct fault f;
	pid_t running;
	int rc = COMMAND_DONE;

	if (monitor_pid_open(own_file("monitor-server.pid", path), true, &p, &f) != 0) {
		return fail(x, f.text);
	}
	running = p.pid != 0 ? p.pid : gateway_pid(x);
	if (running != 0) {
		say(out, "Monitor server already running (PID: %d)", (int)running);
	} else {
		rc = start_locked(x, &p, out);
	}
	monitor_pid_close(&p);
	return rc;
}

/* --- stop and status ------------------------------------------------------------------------------ */

/* The number is that of the same process as long as the descriptor is open. Called by number: the C library of HiClaw's
 * images has no name for them yet. */
static bool end_process(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd watched = {.fd = fd, .events = POLLIN};
	bool ended;

	if (fd < 0 || !monitor_pid_serves(pid, 0) ||
		syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) != 0) {
		ended = fd < 0;
	} else {
		ended = poll(&watched, 1, STOP_MS) == 1;
	}
	if (fd >= 0) {
		close(fd);
	}
	return ended;
}

static int stop_locked(struct agm *x, struct monitor_pid *p)
{
	pid_t pid = p->pid;

	if (!end_process(pid)) {
		fprintf(stderr, "sluice %s: the monitor server (PID: %d) does not end\n",
			x->given.command, (int)pid);
		return COMMAND_NO;
	}
	p->pid = 0;
	say(stdout, "Monitor server stopped (PID: %d)", (int)pid);
	return COMMAND_DONE;
}

int agm_monitor_stop(struct agm *x)
{
	char path[PATH_SIZE];
	struct monitor_pid p = {.fd = -1};
	struct fault f;
	pid_t gateway;
	int rc = monitor_pid_open(own_file("monitor-server.pid", path), false, &p, &f);

	if (rc != 0 && rc != ERR_NOT_FOUND) {
		return fail(x, f.text);
	}
	if (p.pid != 0) {
		rc = stop_locked(x, &p);
	} else {
		gateway = gateway_pid(x);
		if (gateway != 0) {
			say(stdout, "The monitor is part of the gateway (PID: %d), which goes on",
				(int)gateway);
		}
		rc = COMMAND_DONE;
	}
	if (p.fd >= 0) {
		monitor_pid_close(&p);
	}
	return rc;
}

static int run_status(struct agm *x)
{
	char path[PATH_SIZE];
	struct monitor_pid p;
	struct fault f;
	pid_t pid = 0;

	if (monitor_pid_open(own_file("monitor-server.pid", path), false, &p, &f) == 0) {
		pid = p.pid;
		monitor_pid_close(&p);
	}
	pid = pid != 0 ? pid : gateway_pid(x);
	if (pid == 0) {
		puts("Monitor server not running");
		return COMMAND_NO;
	}
	say(stdout, "Monitor server running (PID: %d)", (int)pid);
	return COMMAND_DONE;
}

static int run_start(struct agm *x)
{
	return agm_monitor_start(x, stdout);
}

static int run_restart(struct agm *x)
{
	int rc = agm_monitor_stop(x);

	return rc == COMMAND_DONE ? agm_monitor_start(x, stdout) : rc;
}

/* In the foreground, for who watches over processes: becomes the server. */
static int run_here(struct agm *x)
{
	struct server s = {.argc = 0};
	struct fault f;
	char *argv[ARGS_MAX];

	choose_settings(x, &s);
	if (make_data(&s, &f) != 0) {
		return fail(x, f.text);
	}
	for (int i = 0; i <= s.argc; i++) {
		argv[i] = (char *)(uintptr_t)s.argv[i];
	}
	execv(SELF, argv);
	return fail(x, "this program cannot be run again by " SELF ": is /proc mounted?");
}

int agm_monitor(struct agm *x)
{
	static const struct {
		const char *name;
		int (*run)(struct agm *x);
	} verbs[] = {{"start", run_start}, {"stop", agm_monitor_stop}, {"status", run_status},
		{"restart", run_restart}, {"run", run_here}};
	const char *word = x->given.n_words != 0 ? x->given.words[0] : "start";

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(word, verbs[i].name) == 0) {
			return verbs[i].run(x);
		}
	}
	puts("Usage: monitor-server.sh {start|stop|status|restart}");
	return COMMAND_DONE;
}
