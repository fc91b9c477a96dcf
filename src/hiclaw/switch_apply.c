/* What the gateway's part of a switch is: a backup, the intent, and routes. */
#include "hiclaw/backup_agents.h"
#include "hiclaw/backup_file.h"
#include "hiclaw/bridging.h"
#include "hiclaw/switch_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"

#define BACKUP_MAX ((size_t)64 << 20)

/* --- backup ------------------------------------------------------------------------------------------- */

static void make_id(struct switch_run *r)
{
	char iso[CLOCK_ISO_LEN];
	unsigned char tail[3];

	clock_format_iso(iso, r->s->world.wall_ms());
	random_secret(tail, sizeof(tail));
	snprintf(r->backup_id, sizeof(r->backup_id), "%.4s%.2s%.2sT%.2s%.2s%.2sZ-%02x%02x%02x", iso,
		iso + 5, iso + 8, iso + 11, iso + 14, iso + 17, tail[0], tail[1], tail[2]);
}

static const struct doc *route_before(struct switch_run *r, struct bytes name)
{
	const struct doc *d = doc_first(&r->arena, r->lists[OPS_AI_ROUTE]);

	while (d != NULL && !bytes_eq(doc_peek(d, "name", BYTES("")), name)) {
		d = d->next;
	}
	return d;
}

/* All of them, for a restore takes away those that a section does not name. */
static struct doc *routes_doc(struct switch_run *r)
{
	struct doc *lists[OPS_NOUNS] = {[OPS_AI_ROUTE] = r->lists[OPS_AI_ROUTE]};
	struct doc *sections = backup_doc_sections(&r->arena, lists);

	return doc_copy(&r->arena, doc_get(&r->arena, sections, "aiRoutes"));
}

/* The bytes of every place that is about to change. */
static struct doc *places_doc(struct switch_run *r, bool objects)
{
	struct arena *a = &r->arena;
	struct doc *list = doc_list(a);

	for (size_t i = 0; i < r->found.n; i++) {
		const struct agent_place *p = &r->found.v[i];
		struct doc *o = doc_map(a);

		if (p->object != objects || !p->changes || !p->exists) {
			continue;
		}
		doc_set(a, o, objects ? "key" : "path", doc_str(a, p->name));
		doc_set(a, o, "text", doc_string(a, text_bytes(&p->content)));
		doc_append(a, list, o);
	}
	return list;
}

/* monitor-api.md 6.6, with what a switch may change. */
static struct doc *backup_doc(struct switch_run *r)
{
	struct arena *a = &r->arena;
	struct doc *d = doc_map(a), *sections;

	doc_set(a, d, "format", doc_str(a, "sluice-backup"));
	doc_set(a, d, "version", doc_int(a, 1));
	doc_set(a, d, "createdAt", doc_string(a, switch_time(a, r->s->world.wall_ms() * 1000)));
	doc_set(a, d, "reason",
		doc_string(a,
			switch_textf(r, "before " BYTES_FMT " was given " BYTES_FMT,
				BYTES_ARG(r->ask.target), BYTES_ARG(r->ask.model))));
	doc_set(a, d, "actor", doc_string(a, r->ask.actor));
	doc_set(a, d, "auto", doc_bool(a, true));
	sections = doc_need_map(a, d, "sections");
	if (r->lists[OPS_AI_ROUTE] != NULL) {
		doc_set(a, sections, "aiRoutes", routes_doc(r));
	}
	doc_set(a, sections, "assignments", r->assignments);
	doc_set(a, sections, "files", places_doc(r, false));
	doc_set(a, sections, "objects", places_doc(r, true));
	return d;
}

static void write_backup(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);
	struct doc *d = backup_doc(r);
	struct json_writer w;
	char path[4096];
	struct text t;

	text_init(&t, BACKUP_MAX);
	json_writer_init(&w, &t);
	doc_put_json(&r->arena, &w, d);
	r->job_rc = file_make_dir(r->s->backup_dir, 0700, &r->job_why);
	if (r->job_rc == 0 &&
		(text_full(&t) ||
			snprintf(path, sizeof(path), "%s/%s.json", r->s->backup_dir,
				r->backup_id) >= (int)sizeof(path))) {
		r->job_rc = fault_set(&r->job_why, ERR_LIMIT, 0, 0, "it would be too large");
	}
	if (r->job_rc == 0) {
		r->job_rc = file_write_atomic(path, text_bytes(&t), 0600, &r->job_why);
	}
	if (r->job_rc == 0) {
		backup_file_prune(r->s->backup_dir, r->h->env->backup_keep);
	}
	text_done(&t);
}

static void on_backup(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);

	if (r->job_rc == 0) {
		switch_resume(r, STEP_NEXT);
		return;
	}
	r->backup_id[0] = '\0';
	if (!r->h->env->backup_required) {
		switch_warn(r, "BACKUP_FAILED", "No backup could be made: %s", r->job_why.text);
		switch_resume(r, STEP_NEXT);
		return;
	}
	switch_resume(r,
		switch_fail(r, HICLAW_INTERNAL,
			"Nothing was changed, because no backup could be made: %s",
			r->job_why.text));
}

enum step_rc switch_backup(struct switch_run *r)
{
	if (r->drift != NULL || r->backup_id[0] != '\0') {
		switch_outcome(r, OUTCOME_SKIPPED, "there is one of the switch itself");
		return STEP_NEXT;
	}
	if (r->plan.n_items == 0 && !switch_config_changes(r)) {
		switch_outcome(r, OUTCOME_SKIPPED, "neither routes nor configuration change");
		return STEP_NEXT;
	}
	make_id(r);
	r->assignments = backup_agents_section(&r->arena, r->h->agents);
	switch_job(r, write_backup, on_backup);
	return STEP_WAIT;
}

/* --- intent ------------------------------------------------------------------------------------------- */

static void on_intended(struct agents_keep *k, int rc)
{
	struct switch_run *r = k->arg;

	r->intended = rc == 0;
	switch_resume(r,
		rc == 0 ? STEP_NEXT
			: switch_fail(r, HICLAW_INTERNAL,
				  "Nothing was changed, because the record of assignments could not "
				  "be written: look at the log and at the disk"));
}

enum step_rc switch_intend(struct switch_run *r)
{
	struct agent v = r->before;

	if (switch_is_left(r)) {
		switch_outcome(r, OUTCOME_SKIPPED, "it is not managed any more");
		return STEP_END;
	}

	v.target = r->ask.target;
	v.assigned = true;
	v.provider = r->ask.provider;
	v.model = r->ask.model;
	v.asked = r->plan.model;
	v.traits = r->traits;
	v.updated_us = r->updated_us;
	v.state = AGENT_PENDING;
	v.reason = BYTES("");
	v.applying = true;
	v.synced = false;
	if (!bytes_eq(v.asked, r->before.asked)) {
		v.former = switch_config_of(r) != NULL ? switch_config_of(r)->configured
						       : r->before.asked;
	}
	bridging_choose(r, &v);
	r->keep = (struct agents_keep){.on_kept = on_intended, .arg = r};
	agents_put(r->h->agents, &v, &r->keep);
	return STEP_WAIT;
}

static void on_withdrawn(struct agents_keep *k, int rc)
{
	switch_resume(k->arg, rc == 0 ? STEP_NEXT : STEP_FAIL);
}

enum step_rc switch_intend_undo(struct switch_run *r)
{
	struct agent v = r->before;

	if (!r->intended) {
		return STEP_END;
	}
	v.state = AGENT_FAILED;
	v.reason = r->why;
	r->keep = (struct agents_keep){.on_kept = on_withdrawn, .arg = r};
	agents_put(r->h->agents, &v, &r->keep);
	return STEP_WAIT;
}

/* --- routes ------------------------------------------------------------------------------------------- */

static void start_change(struct switch_run *r, const struct ops_item *items, size_t n,
	void (*on_done)(struct ops_call *c))
{
	ops_call_done(&r->ops);
	r->ops = (struct ops_call){.arena = &r->arena,
		.items = items,
		.n_items = n,
		.actor = r->ask.actor,
		.peer = r->ask.peer,
		.what = switch_textf(r, "model of " BYTES_FMT, BYTES_ARG(r->ask.target)),
		.on_done = on_done};
	r->h->ops->change(r->h->ops, &r->ops);
}

/* Somebody else was faster: what was planned is planned anew on what they left. */
static bool is_to_replan(struct switch_run *r)
{
	return r->ops.status == 409 && r->replans < SWITCH_REPLANS_MAX;
}

/* Both parts of the backup have one id: that of the gateway's, which restores can be asked for. */
static void rename_backup(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);
	char from[4096], to[4096];
	int n = snprintf(from, sizeof(from), "%s/%s.json", r->s->backup_dir, r->backup_id);
	int m = snprintf(to, sizeof(to), "%s/%s.json", r->s->backup_dir, r->backup);

	r->job_rc = n < (int)sizeof(from) && m < (int)sizeof(to) ? file_rename(from, to, NULL)
								 : ERR_LIMIT;
}

static void on_renamed(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);

	if (r->job_rc == 0) {
		memcpy(r->backup_id, r->backup, sizeof(r->backup_id));
	}
	switch_resume(r, STEP_NEXT);
}

static void on_changed(struct ops_call *c)
{
	struct switch_run *r = CONTAINER_OF(c, struct switch_run, ops);

	if (is_to_replan(r)) {
		r->replans++;
		switch_resume(r, STEP_PLAN);
		return;
	}
	if (c->status != 0) {
		switch_resume(r, switch_plan_refused(r));
		return;
	}
	r->routes_written = true;
	memcpy(r->backup, c->backup, sizeof(r->backup));
	if (r->backup[0] != '\0' && r->backup_id[0] != '\0') {
		switch_job(r, rename_backup, on_renamed);
	} else {
		switch_resume(r, STEP_NEXT);
	}
}

enum step_rc switch_routes(struct switch_run *r)
{
	if (r->plan.n_items == 0) {
		switch_outcome(r, OUTCOME_SKIPPED, "they are as they should be");
		return STEP_NEXT;
	}
	start_change(r, r->plan.items, r->plan.n_items, on_changed);
	return STEP_WAIT;
}

static void on_restored(struct ops_call *c)
{
	struct switch_run *r = CONTAINER_OF(c, struct switch_run, ops);

	if (c->status != 0) {
		switch_warn(r, "NOT_UNDONE", "Routes could not be put back: " BYTES_FMT,
			BYTES_ARG(text_bytes(&c->why)));
	}
	switch_resume(r, c->status == 0 ? STEP_NEXT : STEP_FAIL);
}

/* What there was, whatever its version is by now; what there was not goes. */
static struct ops_item inverse(struct switch_run *r, const struct ops_item *i)
{
	const struct doc *was = route_before(r, i->name);
	struct ops_item back = {.noun = i->noun, .verb = OPS_REMOVE, .name = i->name};

	if (was != NULL) {
		struct doc *body = doc_copy(&r->arena, was);

		doc_drop(&r->arena, body, "version");
		back.verb = OPS_SAVE;
		back.body = body;
	}
	return back;
}

enum step_rc switch_routes_undo(struct switch_run *r)
{
	struct ops_item *items;

	if (!r->routes_written) {
		return STEP_END;
	}
	items = arena_must(&r->arena, r->plan.n_items * sizeof(*items));
	for (size_t i = 0; i < r->plan.n_items; i++) {
		items[i] = inverse(r, &r->plan.items[r->plan.n_items - 1 - i]);
	}
	start_change(r, items, r->plan.n_items, on_restored);
	return STEP_WAIT;
}
