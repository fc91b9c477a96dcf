/*
 * The agent at HiClaw's controller (hiclaw-integration.md 11): what it is there, and its model. A change recreates
 * the container, so that a Worker that works is changed when it has finished.
 */
#include "hiclaw/switch_int.h"
#include "hiclaw/workers.h"

/* --- looked at ---------------------------------------------------------------------------------------- */

/* "default", or the only one. */
static const struct json_value *manager_of(const struct json_value *answer)
{
	const struct json_value *first = controller_first(answer), *v = first;

	while (v != NULL &&
		!bytes_eq(json_text(json_get(v, "name"), BYTES("")), BYTES("default"))) {
		v = v->next;
	}
	return v != NULL ? v : first;
}

static void take(struct switch_run *r, const struct json_value *v)
{
	struct controller_worker w;

	if (v == NULL || !controller_worker_read(v, &w)) {
		return;
	}
	r->cr = (struct switch_cr){.known = true,
		.name = arena_copy(&r->arena, w.name),
		.model = arena_copy(&r->arena, w.model),
		.team = arena_copy(&r->arena, w.team),
		.runtime = arena_copy(&r->arena, w.runtime),
		.phase = arena_copy(&r->arena, w.phase)};
}

bool switch_cr_is_attached(const struct switch_run *r)
{
	struct bytes why;

	if (r->h->controller == NULL || r->cr.known || r->h->env->controller_url_set ||
		r->h->workers == NULL) {
		return r->h->controller != NULL;
	}
	return workers_controller(r->h->workers, &why) != WORKERS_NO_CONTROLLER;
}

static void on_looked(struct controller_call *c)
{
	struct switch_run *r = c->arg;

	if (c->rc == CONTROLLER_OK) {
		take(r, r->manager ? manager_of(c->answer) : c->answer);
	} else if (c->rc != CONTROLLER_NOT_FOUND && !switch_cr_is_attached(r)) {
		switch_outcome(r, OUTCOME_SKIPPED, "no controller is attached");
	} else if (c->rc != CONTROLLER_NOT_FOUND) {
		switch_outcome(r, OUTCOME_WARNED, "%s", c->why.text);
		switch_warn(r, "CONTROLLER_UNAVAILABLE", "%s", c->why.text);
		r->cr.deferred = !r->ask.dry_run && r->ask.apply != ENV_APPLY_FILES_ONLY;
	}
	switch_resume(r, STEP_NEXT);
}

static void call(struct switch_run *r, void (*on_done)(struct controller_call *c))
{
	controller_call_done(&r->cc);
	r->cc = (struct controller_call){.on_done = on_done, .arg = r};
}

enum step_rc switch_cr_look(struct switch_run *r)
{
	if (r->h->controller == NULL) {
		switch_outcome(r, OUTCOME_SKIPPED, "no controller is attached");
		return STEP_NEXT;
	}
	call(r, on_looked);
	if (r->manager) {
		controller_managers(r->h->controller, &r->cc);
	} else {
		controller_worker_status(r->h->controller, &r->cc, r->ask.target);
	}
	return STEP_WAIT;
}

/* --- a member of a team ------------------------------------------------------------------------------- */

/* The object of that name, somewhere in the lists and objects of a team. */
static struct doc *member_of(struct arena *a, struct doc *d, struct bytes name, unsigned depth)
{
	struct doc *found = NULL;

	if (d == NULL || depth > 4 || (d->type != DOC_MAP && d->type != DOC_LIST)) {
		return NULL;
	}
	if (depth > 0 && d->type == DOC_MAP && bytes_eq(doc_peek(d, "name", BYTES("")), name)) {
		return d;
	}
	for (struct doc *i = doc_first(a, d); i != NULL && found == NULL; i = i->next) {
		found = member_of(a, i, name, depth + 1);
	}
	return found;
}

static enum step_rc refused(struct switch_run *r, const char *what)
{
	enum hiclaw_code code = r->cc.rc == CONTROLLER_FORBIDDEN ? HICLAW_STORAGE_FORBIDDEN
		: r->cc.rc == CONTROLLER_CONFLICT                ? HICLAW_CONFLICT
								 : HICLAW_STORAGE_UNAVAILABLE;

	if (r->undoing) {
		switch_warn(r, "NOT_UNDONE",
			"The controller's model of " BYTES_FMT " could not be put back: %s",
			BYTES_ARG(r->ask.target), r->cc.why.text);
		return STEP_FAIL;
	}
	return switch_fail(r, code, "The controller %s: %s", what, r->cc.why.text);
}

static void on_team_put(struct controller_call *c)
{
	struct switch_run *r = c->arg;

	r->cr.set = c->rc == CONTROLLER_OK;
	switch_resume(r, r->cr.set ? STEP_NEXT : refused(r, "does not change the team"));
}

static struct bytes model_to_put(const struct switch_run *r)
{
	return r->undoing ? r->cr.model : r->plan.model;
}

static void on_team(struct controller_call *c)
{
	struct switch_run *r = c->arg;
	struct arena *a = &r->arena;
	struct doc *team, *member = NULL;
	struct json_writer w;
	struct text body;
	struct bytes text;

	if (c->rc != CONTROLLER_OK) {
		switch_resume(r, refused(r, "does not show the team"));
		return;
	}
	team = doc_of_json(a, c->answer);
	member = member_of(a, team, r->cr.name, 0);
	if (member == NULL) {
		switch_resume(r,
			switch_fail(r, HICLAW_CONFLICT,
				"The team " BYTES_FMT " has no member " BYTES_FMT,
				BYTES_ARG(r->cr.team), BYTES_ARG(r->cr.name)));
		return;
	}
	doc_set(a, member, "model", doc_string(a, model_to_put(r)));
	text_init(&body, CONTROLLER_ANSWER_MAX);
	json_writer_init(&w, &body);
	doc_put_json(a, &w, team);
	text = arena_copy(a, text_bytes(&body));
	text_done(&body);
	call(r, on_team_put);
	controller_team_update(r->h->controller, &r->cc, r->cr.team, text);
}

/* --- changed ------------------------------------------------------------------------------------------- */

static void on_put(struct controller_call *c)
{
	struct switch_run *r = c->arg;

	if (c->rc == CONTROLLER_CONFLICT && r->cr.team.n != 0) {
		call(r, on_team);
		controller_team(r->h->controller, &r->cc, r->cr.team);
		return;
	}
	r->cr.set = c->rc == CONTROLLER_OK;
	switch_resume(r, r->cr.set ? STEP_NEXT : refused(r, "does not take the model"));
}

static enum step_rc put(struct switch_run *r)
{
	call(r, on_put);
	if (r->manager) {
		controller_manager_set_model(r->h->controller, &r->cc, r->cr.name, model_to_put(r));
	} else {
		controller_worker_set_model(r->h->controller, &r->cc, r->cr.name, model_to_put(r));
	}
	return STEP_WAIT;
}

static enum step_rc skip(struct switch_run *r, const char *why)
{
	switch_outcome(r, OUTCOME_SKIPPED, "%s", why);
	return STEP_NEXT;
}

enum step_rc switch_cr_set(struct switch_run *r)
{
	if (!switch_cr_is_attached(r)) {
		return skip(r, "no controller is attached");
	}
	if (r->ask.apply == ENV_APPLY_FILES_ONLY) {
		return skip(r, "only files are to be written");
	}
	if (!r->cr.known) {
		return skip(r,
			r->cr.deferred ? "the controller does not answer: it is asked again"
				       : "the controller does not know it");
	}
	if (bytes_eq(r->cr.model, r->plan.model)) {
		return skip(r, "the controller has that model already");
	}
	if (!r->manager && r->ask.apply == ENV_APPLY_AUTO && switch_is_busy(r)) {
		r->cr.deferred = true;
		return skip(r, "the Worker works: its container is changed when it is idle");
	}
	return put(r);
}

enum step_rc switch_cr_undo(struct switch_run *r)
{
	if (!r->cr.set || r->cr.model.n == 0) {
		return r->cr.set ? STEP_FAIL : STEP_END;
	}
	return put(r);
}
