/*
 * Changes through management, one at a time and never beside a load: both read the same directory. The files
 * that a change writes are remembered as they were written, so what the watch then reports is a look at their
 * times and no second compile.
 */
#include "serve_int.h"

#include <stdlib.h>

#include "ai/providers.h"
#include "base/clock.h"
#include "base/log.h"

/* --- on a jobs thread --------------------------------------------------------------------------- */

static bool has_error(const struct findings *f, const struct finding *e)
{
	for (const struct finding *at = f->first; at != NULL; at = at->next) {
		if (at->level == FINDING_ERROR && strcmp(at->code, e->code) == 0 &&
			bytes_eq(at->file, e->file) && bytes_eq(at->text, e->text)) {
			return true;
		}
	}
	return false;
}

/* What the API takes though it does not serve yet: a provider whose tokens were taken away, or of a type or with a
 * setting that asks for a protocol nobody here translates to; a source behind a proxy; a certificate that is not there
 * yet or not any more. Requests to that one are refused, and nobody else's change (console-api.md §3.2.2, §3.5, K046,
 * K231). */
static bool is_accepted(const struct finding *f)
{
	static const struct {
		const char *code, *files;
	} rows[] = {{"token-missing", ""}, {"registry-proxy", ""}, {"registry-proxy-unknown", ""},
		{"provider-untranslated", "wasmplugins/ai-proxy"},
		{"unsupported-setting", "wasmplugins/ai-proxy"},
		/* Not of a Secret without its certificate, which is no good itself. */
		{"certificate-missing", "configmaps/"}, {"certificate-type", "configmaps/"},
		{"certificate-missing", "ingresses/"}, {"certificate-type", "ingresses/"}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(f->code, rows[i].code) == 0 &&
			bytes_starts(f->file, bytes_str(rows[i].files))) {
			return true;
		}
	}
	return false;
}

bool serve_write_is_refused(const struct finding *f, const struct plan *live)
{
	return f->level == FINDING_ERROR && !is_accepted(f) &&
		(live == NULL || !has_error(&live->findings, f));
}

/* The first error that the live plan has not. */
static const struct finding *new_error(const struct plan *p, const struct plan *live)
{
	if (p->findings.errors == 0) {
		return NULL;
	}
	for (const struct finding *at = p->findings.first; at != NULL; at = at->next) {
		if (serve_write_is_refused(at, live)) {
			return at;
		}
	}
	return NULL;
}

static void *try_plan(void *arg, struct snapshot *snap, struct text *why)
{
	struct serve *s = arg;
	const struct plan *live = s->writing.live;
	const struct plan_env env = serve_resources_env(s, live);
	struct snapshot *all = overlay_apply(s->overlay, snap);
	struct plan *p = plan_compile(all, &env);
	const struct finding *e = new_error(p, live);

	snapshot_unref(all);
	if (e != NULL) {
		finding_format(e, why);
		plan_free(p);
		return NULL;
	}
	serve_resources_trust(p);
	return p;
}

static void drop_plan(void *arg, void *plan)
{
	(void)arg;
	plan_free(plan);
}

static void run_write(struct job *j)
{
	struct serve_write *w = CONTAINER_OF(j, struct serve_write, job);

	w->write->work(w->write, &w->commit);
}

/* --- on control --------------------------------------------------------------------------------- */

static void end_write(struct serve *s)
{
	struct serve_write *w = &s->writing;
	struct write *write = w->write;

	commit_done(&w->commit);
	w->write = NULL;
	write->on_done(write);
	serve_resources_end(s);
}

static void on_live(void *arg)
{
	struct serve *s = arg;

	s->live_ms = clock_wall_ms();
	serve_snapshot_set(s, snapshot_ref(s->writing.commit.snapshot));
	end_write(s);
}

static void on_written(struct job *j)
{
	struct serve_write *w = CONTAINER_OF(j, struct serve_write, job);
	struct serve *s = CONTAINER_OF(w, struct serve, writing);

	if (s->jobs == NULL) { /* the process ends: the files are written, nobody serves them */
		plan_free(w->commit.plan);
		end_write(s);
	} else if (w->commit.plan != NULL) {
		serve_resources_log(s, w->commit.plan);
		gateway_set_plan(s->gateway, w->commit.plan, on_live, s);
	} else {
		end_write(s);
	}
}

static void begin(struct serve *s, struct write *write)
{
	struct serve_write *w = &s->writing;

	w->write = write;
	w->live = gateway_plan(s->gateway);
	w->commit = (struct commit){.directory = s->directory,
		.root = s->settings.resources,
		.backups = s->backups,
		.backups_max = s->hiclaw.env.backup_keep_set ? s->hiclaw.env.backup_keep : 0,
		.trial = try_plan,
		.drop = drop_plan,
		.trial_arg = s};
	if (write->begin != NULL) {
		write->begin(write);
	}
	w->job = (struct job){
		.home = gateway_control(s->gateway), .work = run_write, .on_done = on_written};
	jobs_submit(s->jobs, &w->job);
}

void serve_write_next(struct serve *s)
{
	struct write *write;

	if (s->loading || list_empty(&s->writes) || s->jobs == NULL) {
		return; /* or the process ends */
	}
	write = CONTAINER_OF(s->writes.next, struct write, link);
	list_remove(&write->link);
	s->loading = true;
	begin(s, write);
}

static size_t count(const struct list *l)
{
	size_t n = 0;

	for (const struct list *at = l->next; at != l; at = at->next) {
		n++;
	}
	return n;
}

static bool submit(void *arg, struct write *write)
{
	struct serve *s = arg;

	if (count(&s->writes) >= WRITER_QUEUE_MAX) {
		return false;
	}
	list_append(&s->writes, &write->link);
	serve_write_next(s);
	return true;
}

/* --- snapshots ---------------------------------------------------------------------------------- */

struct old_snapshot {
	struct job job;
	struct snapshot *snapshot;
};

static void free_snapshot(struct job *j)
{
	snapshot_unref(CONTAINER_OF(j, struct old_snapshot, job)->snapshot);
}

static void on_freed(struct job *j)
{
	free(CONTAINER_OF(j, struct old_snapshot, job));
}

void serve_snapshot_set(struct serve *s, struct snapshot *snap)
{
	struct old_snapshot *old;

	if (s->jobs == NULL) {
		snapshot_unref(s->snapshot);
		s->snapshot = snap;
		return;
	}
	old = must_alloc(sizeof(*old));
	old->snapshot = s->snapshot;
	s->snapshot = snap;
	old->job = (struct job){
		.home = gateway_control(s->gateway), .work = free_snapshot, .on_done = on_freed};
	jobs_submit(s->jobs, &old->job);
}

static struct snapshot *snapshot(void *arg)
{
	const struct serve *s = arg;

	return snapshot_ref(s->snapshot);
}

struct writer serve_writer(struct serve *s)
{
	return (struct writer){
		.submit = submit, .snapshot = snapshot, .arg = s, .overlay = s->overlay};
}
