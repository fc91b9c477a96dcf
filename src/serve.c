/*
 * Threads of a running gateway: this one is control; each worker runs its loop; the log thread writes
 * access lines; two jobs threads do what blocks (reading the resources, compiling the plan).
 */
#define _GNU_SOURCE
#include "serve.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ai/compatible.h"
#include "ai/failures.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "cli/version.h"
#include "filter/basic_auth.h"
#include "filter/key_auth.h"
#include "filter/request_block.h"
#include "meter/meter.h"
#include "net/tls.h"
#include "serve_int.h"

#define JOB_THREADS 2

static void write_ready_file(struct serve *s)
{
	struct text t;
	struct fault f;

	text_init(&t, 4096);
	text_addf(&t,
		"{\"gateway\":[" BYTES_FMT "],\"gateway_tls\":[" BYTES_FMT
		"],\"console\":[" BYTES_FMT "],\"monitor\":[" BYTES_FMT
		"],\"pid\":%d,\"version\":\"%s\"}\n",
		BYTES_ARG(text_bytes(&s->addresses)), BYTES_ARG(text_bytes(&s->tls_addresses)),
		BYTES_ARG(text_bytes(&s->console_addresses)),
		BYTES_ARG(text_bytes(&s->monitor_addresses)), (int)getpid(), version_text());
	if (file_write_atomic(s->settings.ready_file, text_bytes(&t), 0600, &f) != 0) {
		log_error("serve", "ready file: %s", f.text);
	}
	text_done(&t);
}

static void on_first_plan(void *arg)
{
	struct serve *s = arg;
	const struct plan *p = gateway_plan(s->gateway);
	uint64_t us = (clock_mono_ns() - s->began_ns) / 1000;

	s->loading = false;
	if (s->draining) {
		return; /* told to stop while it started: nobody may be sent here any more */
	}
	s->ready = true;
	s->live_ms = clock_wall_ms();
	log_info("serve",
		"ready on " BYTES_FMT "%s" BYTES_FMT ", management on " BYTES_FMT
		" after %llu.%03llu ms: %zu routes, %zu providers, %zu consumers, %zu certificates, "
		"descriptors for %llu connections per worker",
		BYTES_ARG(text_bytes(&s->addresses)),
		s->tls_addresses.n != 0 ? ", with TLS on " : "",
		BYTES_ARG(text_bytes(&s->tls_addresses)),
		BYTES_ARG(text_bytes(&s->console_addresses)), (unsigned long long)(us / 1000),
		(unsigned long long)(us % 1000), p->n_routes, p->n_providers, p->n_consumers,
		p->n_certificates, (unsigned long long)serve_process_connections(s));
	serve_resources_warn_empty(s);
	serve_process_warn_descriptors(s);
	if (s->settings.ready_file != NULL) {
		write_ready_file(s);
	}
	serve_notify_ready(s);
	serve_process_forget_start();
	if (s->wrote_quickstart) {
		quickstart_print(&s->quickstart, s->first_address, stderr);
	}
	if (s->load_again) {
		serve_resources_reload(s);
	} else {
		serve_write_next(s);
	}
}

static void on_drained(void *arg)
{
	struct serve *s = arg;

	loop_stop(gateway_control(s->gateway));
}

static void on_drain_timeout(struct timer *t)
{
	struct serve *s = CONTAINER_OF(t, struct serve, drain_timer);

	log_warn("serve", "exchanges that still run after the drain time are cut");
	gateway_cut(s->gateway);
	loop_stop(gateway_control(s->gateway));
}

static void start_drain(struct serve *s)
{
	if (s->draining) {
		gateway_cut(s->gateway); /* asked twice: now; what is cut still has its line */
		loop_stop(gateway_control(s->gateway));
		return;
	}
	s->draining = true;
	serve_notify_stopping(s);
	log_info("serve", "stopping: finishing what runs, for at most %u ms", s->settings.drain_ms);
	timer_set(gateway_control(s->gateway), &s->drain_timer, s->settings.drain_ms,
		on_drain_timeout);
	gateway_drain(s->gateway, on_drained, s);
}

static void on_signal(struct watch *w)
{
	struct serve *s = CONTAINER_OF(w, struct serve, signals);
	struct signalfd_siginfo info;

	while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			log_info("serve", "reading the resources again (SIGHUP)");
			serve_log_reopen(s);
			hiclaw_reread(s->hiclaw.hiclaw);
			s->asked = true;
			serve_notify_reloading(s);
			serve_resources_reload(s);
		} else {
			start_drain(s);
		}
	}
	w->readable = false;
}

static int watch_signals(struct serve *s)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0) {
		return ERR_IO;
	}
	return loop_watch(gateway_control(s->gateway), &s->signals, fd, on_signal);
}

/* What is this large or larger is mapped by itself and goes back to the system when it is freed. The C
 * library would raise this after the first such free, and keep what a load of many resources took. */
#define MAPPED_FROM (256 * 1024)

static void set_heap(void)
{
	IGNORE(mallopt(M_MMAP_THRESHOLD, MAPPED_FROM));
}

static void fill_opts(struct serve *s)
{
	const struct settings *set = &s->settings;

	s->hooks.dialect = &dialect_compatible;
	s->hooks.request_query = compatible_request_query();
	s->hooks.answer_query = compatible_answer_query();
	s->hooks.chat_query = compatible_chat_query();
	s->hooks.failure_query = failures_query();
	s->hooks.observer = &meter_observer;
	s->opts = (struct gateway_opts){
		.n_workers = MIN(set->workers, WORKERS_MAX),
		.memory_max = settings_worker_budget(set) * MIN(set->workers, WORKERS_MAX),
		.http = set->http,
		.limits = PROXY_LIMITS_DEFAULT,
		.plain_errors = set->error_format == SETTINGS_ERROR_PLAIN,
		.hooks = &s->hooks,
		.busy_poll_us = set->busy_poll_us,
		.access_log = strcmp(set->access_log, "off") != 0,
		.retire = serve_resources_retire,
		.retire_arg = s,
		.explain_token = serve_explain_token(s),
	};
	s->opts.access_decisions = (enum access_decisions)set->access_decisions;
	s->opts.limits.series_max = set->series_max;
	s->opts.limits.body_max = set->body_max;
	s->opts.limits.first_byte_ms = set->first_byte_ms;
	s->opts.limits.answer_ms = set->answer_ms;
	s->opts.limits.idle_ms = set->stream_idle_ms;
	random_secret(&s->opts.seed, sizeof(s->opts.seed));
}

static int listen_on(struct serve *s, const struct option_addresses *list, bool tls)
{
	struct text *said = tls ? &s->tls_addresses : &s->addresses;

	for (size_t i = 0; i < list->n; i++) {
		char text[SYS_ADDR_TEXT];
		struct sys_addr bound;
		int rc = tls ? gateway_listen_tls(s->gateway, &list->v[i], &bound)
			     : gateway_listen(s->gateway, &list->v[i], &bound);

		if (rc != 0) {
			sys_addr_format(&list->v[i], text);
			fprintf(stderr,
				"sluice serve: cannot listen on %s (%s); choose another %s\n", text,
				rc == ERR_EXISTS ? "the address is in use" : sys_error_text(),
				tls ? "--gateway-tls" : "--gateway");
			return 1;
		}
		sys_addr_format(&bound, text);
		text_addf(said, "%s\"%s\"", i != 0 ? "," : "", text);
		if (i == 0 && !tls) {
			memcpy(s->first_address, text, sizeof(text));
			s->first_bound = bound;
		}
	}
	return 0;
}

static int listen_all(struct serve *s)
{
	int rc = listen_on(s, &s->settings.gateway, false);

	return rc != 0 ? rc : listen_on(s, &s->settings.gateway_tls, true);
}

/* Zero configuration: no resource and a vendor's key in the environment. */
static int start_quickstart(struct serve *s)
{
	const char *env = quickstart_key_env();
	struct fault f;
	int rc;

	if (env == NULL) {
		return 0;
	}
	rc = quickstart_write(s->settings.resources, env, &s->quickstart, &f);
	if (rc == ERR_EXISTS) {
		return 0;
	}
	if (rc != 0) {
		fprintf(stderr, "sluice serve: %s\n", f.text);
		return 1;
	}
	s->wrote_quickstart = true;
	return 0;
}

static void *run_worker(void *arg)
{
	loop_run(arg);
	return NULL;
}

struct stop {
	struct post post;
	struct loop *loop;
};

static void stop_loop(struct post *p)
{
	struct stop *stop = CONTAINER_OF(p, struct stop, post);

	loop_stop(stop->loop);
	free(stop);
}

static int start_threads(struct serve *s)
{
	s->jobs = jobs_new(JOB_THREADS);
	manage_set_jobs(s->manage, s->jobs);
	serve_hiclaw_start(s);
	if (serve_log_start(s) != 0) {
		return ERR_IO;
	}
	for (unsigned i = 0; i < s->opts.n_workers; i++) {
		if (pthread_create(&s->workers[i], NULL, run_worker, gateway_loop(s->gateway, i)) !=
			0) {
			return ERR_IO;
		}
		s->n_started++;
	}
	return 0;
}

static void stop_threads(struct serve *s)
{
	for (unsigned i = 0; i < s->n_started; i++) {
		struct stop *stop = must_alloc(sizeof(*stop));

		stop->loop = gateway_loop(s->gateway, i);
		loop_post(stop->loop, &stop->post, stop_loop);
	}
	for (unsigned i = 0; i < s->n_started; i++) {
		pthread_join(s->workers[i], NULL);
	}
	jobs_end(s->jobs);
	s->ended_jobs = s->jobs;
	s->jobs = NULL;
	serve_log_stop(s);
}

static int open_gateway(struct serve *s)
{
	struct fault f;

	if (tls_global_init(s->settings.upstream_ca, &f) != 0) {
		fprintf(stderr, "sluice serve: %s\n", f.text);
		return 1;
	}
	s->gateway = gateway_new(&s->opts, &f);
	if (s->gateway == NULL) {
		fprintf(stderr, "sluice serve: %s\n", f.text);
		return 1;
	}
	return listen_all(s) != 0 || serve_console_open(s) != 0;
}

/* As the user that runs it; the order is that of serve_process.c. */
static int open_rest(struct serve *s)
{
	if (serve_log_open(s) != 0) {
		fprintf(stderr,
			"sluice serve: access log %s cannot be opened (%s); choose another "
			"--access-log\n",
			s->log.path, strerror(errno));
		return 1;
	}
	if (start_quickstart(s) != 0) {
		return 1;
	}
	if (watch_signals(s) != 0) {
		fprintf(stderr, "sluice serve: signals cannot be watched (%s)\n", strerror(errno));
		return 1;
	}
	serve_notify_start(s);
	serve_resources_watch(s);
	return 0;
}

static int open_all(struct serve *s)
{
	int rc = open_gateway(s);

	rc = rc == 0 ? serve_process_change_user(s) : rc;
	rc = rc == 0 ? serve_state_open(s) : rc;
	if (rc == 0) {
		serve_hiclaw_read(s);
	}
	rc = rc == 0 ? open_rest(s) : rc;
	return rc == 0 ? serve_process_confine(s) : rc;
}

/* What jobs have made comes to who wanted it while all of them are there; some of it is another job. */
static void hand_over(struct serve *s)
{
	for (unsigned i = 0; s->gateway != NULL && i < 4; i++) {
		loop_turn(gateway_control(s->gateway), 0);
	}
}

static void close_all(struct serve *s)
{
	if (s->gateway != NULL && s->signals.on_ready != NULL) {
		loop_unwatch(gateway_control(s->gateway), &s->signals);
	}
	file_watch_free(s->files);
	notify_done(&s->notify);
	manage_stop(s->manage);
	hand_over(s);
	previews_free(s->previews);
	trials_free(s->trials);
	hiclaw_free(s->hiclaw.hiclaw);
	console_free(s->console);
	site_free(s->site);
	manage_free(s->manage);
	gateway_free(s->gateway);
	snapshot_unref(s->snapshot);
	directory_free(s->directory);
	overlay_free(s->overlay);
	name_watch_free(s->names);
	serve_state_done(s);
	serve_hiclaw_done(s);
	finding_news_done(&s->read_news);
	finding_news_done(&s->plan_news);
	json_query_free((struct json_query *)(uintptr_t)s->hooks.request_query);
	json_query_free((struct json_query *)(uintptr_t)s->hooks.answer_query);
	json_query_free((struct json_query *)(uintptr_t)s->hooks.chat_query);
	json_query_free((struct json_query *)(uintptr_t)s->hooks.failure_query);
	text_done(&s->addresses);
	text_done(&s->console_addresses);
	text_done(&s->monitor_addresses);
	text_done(&s->tls_addresses);
	settings_done(&s->settings);
	jobs_free(s->ended_jobs);
}

static void say_turns(const struct serve *s)
{
	for (unsigned i = 0; i < s->n_started; i++) {
		struct loop_counts c = loop_counts(gateway_loop(s->gateway, i));

		log_debug("serve",
			"worker %u: %llu turns, %llu over 1 ms, %llu over 5 ms, the longest %llu us",
			i, (unsigned long long)c.turns, (unsigned long long)c.over_1ms,
			(unsigned long long)c.over_5ms, (unsigned long long)c.longest_us);
	}
}

static int run(struct serve *s)
{
	int rc = open_all(s);

	if (rc != 0) {
		return rc;
	}
	serve_resources_load_first(s, on_first_plan);
	if (start_threads(s) != 0) {
		fprintf(stderr,
			"sluice serve: a thread could not be started; allow more of them\n");
		return 1;
	}
	loop_run(gateway_control(s->gateway));
	stop_threads(s);
	say_turns(s);
	if (s->settings.ready_file != NULL) {
		IGNORE(file_remove(s->settings.ready_file)); /* it may be gone already */
	}
	log_info("serve", "stopped");
	return 0;
}

/* All that can be said without opening a listener, by the user who would run. */
static int check(struct serve *s)
{
	struct fault f;

	settings_print(&s->settings, stdout);
	printf("# descriptors: %llu of %llu, enough for %llu connections per worker with their upstreams "
	       "(connections-max: %u)\n",
		(unsigned long long)s->descriptors, (unsigned long long)s->descriptors_max,
		(unsigned long long)serve_process_connections(s), s->opts.http.connections_max);
	if (tls_global_init(s->settings.upstream_ca, &f) != 0) {
		fprintf(stderr, "sluice serve: %s\n", f.text);
		return 1;
	}
	if (serve_process_change_user(s) != 0) {
		return 1;
	}
	return serve_resources_check(s, stdout, stderr) ? 0 : 1;
}

int serve_main(int argc, char **argv)
{
	static const struct filter *const filters[] = {
		&filter_basic_auth, &filter_key_auth, &filter_request_block};
	struct serve s = {.began_ns = clock_mono_ns(),
		.started_ms = clock_wall_ms(),
		.log.fd = -1,
		.notify.fd = -1};
	int rc = settings_parse(argc, argv, &s.settings, stderr);

	if (rc != 0) {
		return rc;
	}
	rc = serve_process_identify(&s);
	if (rc != 0) {
		settings_done(&s.settings);
		return rc;
	}
	log_init((enum log_level)s.settings.log_level,
		s.settings.log_format == SETTINGS_LOG_JSON ? LOG_JSON : LOG_TEXT);
	list_init(&s.writes);
	text_init(&s.addresses, 4096);
	text_init(&s.tls_addresses, 4096);
	serve_process_raise_descriptors(&s);
	set_heap();
	s.hooks.filters = filters;
	s.hooks.n_filters = ARRAY_LEN(filters);
	fill_opts(&s);
	if (s.settings.check) {
		rc = check(&s);
	} else {
		rc = run(&s);
	}
	close_all(&s);
	return rc;
}
