/*
 * Loads of the resources: the first before the threads start, the others in a jobs thread, one at a
 * time. A load whose plan would be the one that is live changes nothing.
 */
#include "serve_int.h"

#include <stdlib.h>
#include <string.h>

#include "ai/providers.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/tls.h"

/* Findings of one load that are logged one by one; `sluice lint` will show all. */
#define FINDINGS_LOGGED 50

/* What no event tells, a file that is mounted over another, is seen this long after it at the latest when
 * something else changes. */
#define LOOK_MS 30000u

struct reading { /* a load of the resources, on its way through a jobs thread */
	struct job job;
	struct serve *serve;
	struct directory_report report;
	bool asked;              /* by a signal: whoever asked wants an answer */
	const struct plan *live; /* stays until this load is done; NULL at the start */
	struct snapshot *served; /* that it was made of; as long */
	struct plan *plan;       /* NULL: it would be the one that is live */
	struct snapshot *snapshot;
};

/* A version that is refused may be what another file leans on; more rounds than that are somebody's puzzle. */
#define REFUSALS_MAX 4u

/* Logs what is new since the load before; returns how many of them were not shown. */
static unsigned log_findings(struct finding_news *news, const struct findings *f)
{
	unsigned n = 0;

	finding_news_begin(news);
	for (const struct finding *at = f->first; at != NULL; at = at->next) {
		char room[1024];
		struct text t;

		if (at->level == FINDING_INFO || !finding_news_add(news, at) ||
			n++ >= FINDINGS_LOGGED) {
			continue;
		}
		text_init_fixed(&t, room, sizeof(room));
		finding_format(at, &t);
		log_line(at->level == FINDING_ERROR ? LOG_ERROR : LOG_WARN, "store", BYTES_FMT,
			BYTES_ARG(text_bytes(&t)));
	}
	return n > FINDINGS_LOGGED ? n - FINDINGS_LOGGED : 0;
}

static void log_more(unsigned more)
{
	if (more != 0) {
		log_warn("store", "%u further findings are not shown", more);
	}
}

void serve_resources_log(struct serve *s, const struct plan *p)
{
	log_more(log_findings(&s->plan_news, &p->findings));
}

static void log_load(const struct reading *r)
{
	log_more(log_findings(&r->serve->read_news, &r->report.findings));
	if (r->plan != NULL) { /* else its findings are those of the one that is live */
		serve_resources_log(r->serve, r->plan);
	}
}

/* Before the plan is handed over: no worker connects by TLS earlier, and here it may take its time. */
struct plan_env serve_resources_env(const struct serve *s, const struct plan *before)
{
	return (struct plan_env){.types = &provider_types,
		.seed = s->opts.seed,
		.before = before,
		.inside = s->inside.port != 0 ? &s->inside : NULL,
		.alias = s->settings.hiclaw ? &s->hiclaw.alias : NULL};
}

void serve_resources_trust(const struct plan *p)
{
	struct fault f;

	if (p->asks_tls && tls_trust_load(&f) != 0) {
		log_error("serve", "%s; TLS upstreams cannot be verified", f.text);
	}
}

/* The object that was served under a finding's file, when the one there now is another. */
static struct object *served_before(const struct reading *r, const struct finding *f)
{
	struct bytes name = f->file;
	int kind = resource_kind_of_dir(bytes_cut(&name, '/'));
	struct object *was, *now;

	if (kind < 0 || !bytes_ends(name, BYTES(".yaml"))) {
		return NULL;
	}
	name.n -= sizeof(".yaml") - 1;
	was = snapshot_get(r->served, (enum resource_kind)kind, name);
	now = snapshot_get(r->snapshot, (enum resource_kind)kind, name);
	return was != NULL && now != NULL && was != now ? was : NULL;
}

static struct object *refused_for(const struct reading *r, const struct finding *f)
{
	struct object *was = served_before(r, f);

	return was != NULL && serve_write_is_refused(f, r->live) ? was : NULL;
}

/* Who edits a file of what is served by hand is refused as one who does so through management: the last version that
 * could be served takes its place. Whether anything was. */
static bool refuse_errors(struct reading *r)
{
	const struct finding *first = r->plan->findings.first;
	bool any = false;

	for (const struct finding *f = first; f != NULL; f = f->next) { /* all of a file */
		if (refused_for(r, f) != NULL) {
			findings_add(&r->report.findings, f, BYTES_FMT, BYTES_ARG(f->text));
		}
	}
	for (const struct finding *f = first; f != NULL; f = f->next) { /* each file once */
		struct object *was = refused_for(r, f);

		if (was != NULL) {
			directory_refuse(
				r->serve->directory, was->kind, was->meta.name, object_ref(was));
			snapshot_put(r->snapshot, object_ref(was));
			r->report.kept_bad++;
			any = true;
		}
	}
	return any;
}

/* NULL: it would be the one that is live. */
static struct plan *compile_new(const struct reading *r)
{
	const struct plan_env env = serve_resources_env(r->serve, r->live);
	struct snapshot *all = overlay_apply(r->serve->overlay, r->snapshot);
	struct plan *p = NULL;
	uint64_t hash[2];

	plan_hash(all, hash);
	if (r->live == NULL || memcmp(hash, r->live->hash, sizeof(hash)) != 0) {
		p = plan_compile(all, &env);
	}
	snapshot_unref(all);
	return p;
}

static void compile(struct reading *r)
{
	r->plan = compile_new(r);
	for (unsigned i = 0;
		i < REFUSALS_MAX && r->served != NULL && r->plan != NULL && refuse_errors(r); i++) {
		plan_free(r->plan);
		r->plan = compile_new(r);
	}
}

static void read_resources(struct job *j)
{
	struct reading *r = CONTAINER_OF(j, struct reading, job);
	struct serve *s = r->serve;

	if (r->asked || directory_looked_ms(s->directory) + LOOK_MS < clock_wall_ms()) {
		directory_doubt(s->directory);
	}
	directory_retry(s->directory);
	r->snapshot = directory_read(s->directory, &r->report);
	compile(r);
	if (r->plan != NULL) {
		serve_resources_trust(r->plan);
	}
}

static void say_counts(const struct plan *p, const char *what)
{
	log_info("serve", "%s: %zu routes, %zu providers, %zu consumers, %zu certificates", what,
		p->n_routes, p->n_providers, p->n_consumers, p->n_certificates);
}

/* A directory that holds nothing is no error; a misspelt name of one looks the same. */
void serve_resources_warn_empty(const struct serve *s)
{
	const struct plan *p = gateway_plan(s->gateway);

	if (p->n_routes == 0) {
		log_warn("serve",
			"no route is served, so every request gets 404; resources are read from %s",
			s->settings.resources);
	}
	if (s->tls_addresses.n != 0 && p->n_certificates == 0) {
		log_warn("serve",
			"no certificate is there to serve, so every TLS handshake is refused; put TLS "
			"Secrets into %s/secrets",
			s->settings.resources);
	}
}

void serve_resources_end(struct serve *s)
{
	s->loading = false;
	if (s->load_again) {
		serve_resources_reload(s);
		return;
	}
	if (s->reloading) {
		serve_notify_ready(s);
	}
	serve_write_next(s);
}

static void on_reloaded(void *arg)
{
	struct serve *s = arg;

	s->live_ms = clock_wall_ms();
	say_counts(gateway_plan(s->gateway), "the new configuration is live");
	serve_resources_warn_empty(s);
	serve_resources_end(s);
}

/* What was read, when it is worth a line. */
static void say_reading(const struct reading *r)
{
	const struct directory_report *d = &r->report;
	struct serve *s = r->serve;

	if (d->kept_bad > s->kept_bad) {
		log_warn("store", "%zu broken file%s: %s last good version%s in use", d->kept_bad,
			d->kept_bad == 1 ? "" : "s", d->kept_bad == 1 ? "its" : "their",
			d->kept_bad == 1 ? " stays" : "s stay");
	}
	s->kept_bad = d->kept_bad;
	if (r->plan != NULL) {
		log_info("serve", "resources changed: %zu of %zu files read, %zu deleted", d->read,
			d->files, d->gone);
	} else if (r->asked) {
		log_info("serve", "no resource has changed");
	}
}

static void on_read(struct job *j)
{
	struct reading *r = CONTAINER_OF(j, struct reading, job);
	struct serve *s = r->serve;

	log_load(r);
	say_reading(r);
	serve_snapshot_set(s, r->snapshot);
	if (r->plan != NULL) {
		gateway_set_plan(s->gateway, r->plan, on_reloaded, s);
	}
	directory_report_done(&r->report);
	snapshot_unref(r->served);
	if (r->plan == NULL) {
		serve_resources_end(s);
	}
	free(r);
}

void serve_resources_reload(struct serve *s)
{
	struct reading *r;

	if (s->loading || s->jobs == NULL) {
		s->load_again = true;
		return;
	}
	s->loading = true;
	s->load_again = false;
	r = must_alloc(sizeof(*r));
	r->serve = s;
	r->asked = s->asked;
	s->asked = false;
	r->live = gateway_plan(s->gateway);
	r->served = snapshot_ref(s->snapshot);
	r->job.home = gateway_control(s->gateway);
	r->job.work = read_resources;
	r->job.on_done = on_read;
	jobs_submit(s->jobs, &r->job);
}

static void on_files(void *arg)
{
	serve_resources_reload(arg);
}

void serve_resources_watch(struct serve *s)
{
	const char *names[RESOURCE_KIND_COUNT];
	struct file_watch_opts opts = {.root = s->settings.resources,
		.names = names,
		.n_names = RESOURCE_KIND_COUNT,
		.on_change = on_files,
		.arg = s};
	struct fault f;

	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		names[k] = resource_dir((enum resource_kind)k);
	}
	s->files = file_watch_new(gateway_control(s->gateway), &opts, &f);
	if (s->files == NULL) {
		log_warn("serve", "%s; changed files are read on SIGHUP only", f.text);
	}
}

static uint32_t take_names(
	void *of, void (*each)(void *arg, size_t kind, const char *name), void *arg)
{
	return name_watch_take(of, each, arg);
}

static void watch_names(struct serve *s)
{
	const char *names[RESOURCE_KIND_COUNT];
	struct fault f;

	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		names[k] = resource_dir((enum resource_kind)k);
	}
	s->names = name_watch_new(s->settings.resources, names, RESOURCE_KIND_COUNT, &f);
	if (s->names != NULL) {
		directory_set_news(
			s->directory, (struct directory_news){.take = take_names, .of = s->names});
	}
}

void serve_resources_load_first(struct serve *s, void (*on_live)(void *arg))
{
	struct reading r = {.serve = s};

	s->directory = directory_new(s->settings.resources);
	s->overlay = overlay_new();
	watch_names(s);
	s->loading = true;
	read_resources(&r.job);
	log_load(&r);
	s->snapshot = r.snapshot;
	gateway_set_plan(s->gateway, r.plan, on_live, s);
	directory_report_done(&r.report);
}

bool serve_resources_check(struct serve *s, FILE *out, FILE *err)
{
	struct reading r = {.serve = s};
	const struct findings *read = &r.report.findings;
	size_t n, errors;

	s->directory = directory_new(s->settings.resources);
	read_resources(&r.job);
	findings_print(read, err);
	findings_print(&r.plan->findings, err);
	n = read->n + r.plan->findings.n;
	errors = read->errors + r.plan->findings.errors;
	fprintf(out,
		"# resources: %zu files, %zu routes, %zu providers, %zu consumers; %zu errors, %zu "
		"other findings\n",
		r.report.files, r.plan->n_routes, r.plan->n_providers, r.plan->n_consumers, errors,
		n - errors);
	plan_free(r.plan);
	snapshot_unref(r.snapshot);
	directory_report_done(&r.report);
	return errors == 0;
}

/* --- plans that nobody uses any more ------------------------------------------------------------ */

struct retired {
	struct job job;
	struct plan *plan;
};

static void free_plan(struct job *j)
{
	plan_free(CONTAINER_OF(j, struct retired, job)->plan);
}

static void on_freed(struct job *j)
{
	free(CONTAINER_OF(j, struct retired, job));
}

void serve_resources_retire(void *arg, struct plan *p)
{
	struct serve *s = arg;
	struct retired *r;

	if (s->jobs == NULL) {
		plan_free(p);
		return;
	}
	r = must_alloc(sizeof(*r));
	r->job = (struct job){
		.home = gateway_control(s->gateway), .work = free_plan, .on_done = on_freed};
	r->plan = p;
	jobs_submit(s->jobs, &r->job);
}
