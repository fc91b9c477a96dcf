/*
 * Where the model of an agent stands: found, read, planned, written, taken back (hiclaw/agent_place.h). Places are dealt with
 * one after the other; what an object of storage refuses is a warning as long as something else tells the agent.
 */
#include "hiclaw/consumer_key.h"
#include "hiclaw/switch_int.h"

static struct agent_place *place_at(struct switch_run *r)
{
	return r->place < r->found.n ? &r->found.v[r->place] : NULL;
}

/* From a callback: the step goes on, or is over. */
static void on_with(struct switch_run *r, enum step_rc rc)
{
	if (rc != STEP_WAIT) {
		switch_resume(r, rc);
	}
}

static enum hiclaw_code code_of(enum config_code code)
{
	static const enum hiclaw_code codes[] = {
		[CONFIG_OK] = HICLAW_OK,
		[CONFIG_INCOMPLETE] = HICLAW_CONFIG_INCOMPLETE,
		[CONFIG_NOT_EDITABLE] = HICLAW_CONFIG_NOT_EDITABLE,
		[CONFIG_BUSY] = HICLAW_CONFIG_BUSY,
		[CONFIG_VERIFY_FAILED] = HICLAW_CONFIG_VERIFY_FAILED,
		[CONFIG_INVALID] = HICLAW_INVALID_REQUEST,
	};

	return codes[code];
}

const struct agent_place *switch_config_of(const struct switch_run *r)
{
	const struct agent_place *other = NULL;

	for (size_t i = 0; i < r->found.n; i++) {
		const struct agent_place *p = &r->found.v[i];

		if (!p->exists ||
			(p->kind != AGENT_PLACE_OPENCLAW && p->kind != AGENT_PLACE_MIRROR)) {
			continue;
		}
		if (p->object != r->manager) {
			return p;
		}
		other = other != NULL ? other : p;
	}
	return other;
}

/* A copy of an object that says what it shall is no configuration of its own: HiClaw copies it anew. */
bool switch_config_changes(const struct switch_run *r)
{
	const struct agent_place *config = switch_config_of(r);

	for (size_t i = 0; i < r->found.n; i++) {
		const struct agent_place *p = &r->found.v[i];

		if (agent_place_is_config(p) && p->changes &&
			(p->kind != AGENT_PLACE_MIRROR || p == config)) {
			return true;
		}
	}
	return false;
}

/* --- found and read ----------------------------------------------------------------------------------- */

void switch_config_forget(struct switch_run *r)
{
	for (size_t i = 0; i < r->found.n; i++) {
		text_done(&r->found.v[i].content);
		text_done(&r->found.v[i].before);
		text_done(&r->found.v[i].after);
	}
	r->found.n = 0;
}

static void find(struct job *j)
{
	agent_place_find(&CONTAINER_OF(j, struct switch_run, job)->found);
}

static void on_found(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);

	if (r->found.unsafe != NULL) {
		switch_warn(r, "CONFIG_NOT_EDITABLE",
			"%s is a link: nothing is read or written there", r->found.unsafe);
	}
	switch_resume(r, STEP_NEXT);
}

enum step_rc switch_config_find(struct switch_run *r)
{
	if (!r->h->opts.attached) {
		switch_outcome(r, OUTCOME_SKIPPED, "HiClaw's files and storage are not attached");
		return STEP_NEXT;
	}
	switch_config_forget(r); /* it was planned before */
	r->found = (struct agent_place_finding){.arena = &r->arena,
		.env = r->h->env,
		.target = r->ask.target,
		.storage = r->h->s3 != NULL};
	switch_job(r, find, on_found);
	return STEP_WAIT;
}

static void storage_refused(
	struct switch_run *r, struct agent_place *p, enum s3_rc rc, const struct fault *why)
{
	p->rc = rc;
	r->synced = false;
	switch_warn(r, s3_code(rc), "%s", why->text);
}

static enum step_rc read_next(struct switch_run *r);

static void on_object(struct s3_call *c)
{
	struct switch_run *r = c->arg;
	struct agent_place *p = place_at(r);

	if (c->rc == S3_OK || c->rc == S3_NOT_FOUND) {
		p->looked = true;
		p->exists = c->rc == S3_OK;
		p->content = c->content;
		c->content = (struct text){0};
	} else {
		storage_refused(r, p, c->rc, &c->why);
	}
	/* What does not answer once is not waited for again. */
	for (size_t i = r->place + 1; c->rc == S3_UNREACHABLE && i < r->found.n; i++) {
		r->found.v[i].rc = r->found.v[i].object ? S3_UNREACHABLE : S3_OK;
	}
	r->place++;
	on_with(r, read_next(r));
}

static enum step_rc read_next(struct switch_run *r)
{
	struct agent_place *p;

	while ((p = place_at(r)) != NULL && (!p->object || p->rc != S3_OK)) {
		r->place++;
	}
	if (p == NULL) {
		return STEP_NEXT;
	}
	s3_call_done(&r->s3_call);
	r->s3_call = (struct s3_call){
		.verb = S3_GET, .key = bytes_str(p->name), .on_done = on_object, .arg = r};
	s3_start(r->h->s3, &r->s3_call);
	return STEP_WAIT;
}

enum step_rc switch_config_read(struct switch_run *r)
{
	r->place = 0;
	return read_next(r);
}

/* --- planned -------------------------------------------------------------------------------------------- */

/* The first key of a consumer that its store shows: another Console may mask it, and an agent could say nothing with that. */
static struct bytes key_of_consumer(struct switch_run *r)
{
	struct arena *a = &r->arena;
	const struct doc *c = doc_first(a, r->lists[OPS_CONSUMER]), *value;
	struct consumer_key key;

	for (; c != NULL; c = c->next) {
		if (!bytes_eq(doc_peek(c, "name", BYTES("")), r->consumer)) {
			continue;
		}
		for (const struct doc *k = doc_first(a, doc_get(a, c, "credentials")); k != NULL;
			k = k->next) {
			value = doc_first(a, doc_get(a, k, "values"));
			if (bytes_eq(doc_peek(k, "type", BYTES("")), BYTES("key-auth")) &&
				consumer_key_bearer(a, doc_text(value, BYTES("")), &key)) {
				return key.secret;
			}
		}
	}
	return BYTES("");
}

static struct bytes key_of(struct switch_run *r)
{
	struct bytes own = r->manager ? r->h->env->secrets.manager_key : r->found.worker_key;

	return own.n != 0 ? own : key_of_consumer(r);
}

static void make_wish(struct switch_run *r)
{
	const struct env *e = r->h->env;
	struct openclaw_wish *w = &r->wish.openclaw;
	struct model_sources bare;

	w->sources = r->ask.wish;
	w->sources.in_file = (struct model_traits){0};
	w->sources.default_model = e->default_model;
	w->sources.overrides = e->overrides;
	w->model = r->plan.model;
	w->base_url = switch_textf(r, BYTES_FMT "/v1", BYTES_ARG(e->gateway_url));
	w->api_key = key_of(r);
	w->key_in_file = !r->manager;
	r->wish.lock_dir = r->s->lock_dir;
	r->wish.again = r->ask.why == SWITCH_DRIFT || r->ask.why == SWITCH_IDLE;
	bare = w->sources;
	r->job_rc = known_models_resolve(&bare, r->ask.model, &r->traits, &r->job_why);
	if (!bytes_eq(r->plan.model, r->ask.model) && r->job_rc == 0) {
		w->sources.given = r->traits; /* no table knows it by its qualified name */
	}
}

/* A time behind that of the assignment before, so that no two have the same. */
static uint64_t next_time(struct switch_run *r)
{
	uint64_t now = r->s->world.wall_ms() / 1000 * 1000000;

	return r->before.updated_us >= now ? r->before.updated_us + 1000000 : now;
}

static void make_record(struct switch_run *r)
{
	struct record before = {.provider = r->before.provider,
		.model = r->before.model,
		.traits = r->before.traits};
	struct record *rec = &r->wish.record;
	bool same;

	*rec = (struct record){
		.provider = r->ask.provider, .model = r->ask.model, .traits = r->traits};
	same = r->before.assigned && record_same(&before, rec) &&
		bytes_eq(r->before.asked, r->plan.model);
	r->changed = !same;
	r->updated_us = same ? r->before.updated_us : next_time(r);
	rec->updated_us = r->updated_us;
}

static void plan(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);
	const struct agent_place *config = switch_config_of(r);

	for (size_t i = 0; i < r->found.n; i++) {
		struct agent_place *p = &r->found.v[i];

		if (p->kind == AGENT_PLACE_OPENCLAW || p->kind == AGENT_PLACE_MIRROR) {
			agent_place_plan(p, &r->wish, &r->arena, p == config ? &r->traits : NULL);
		}
	}
	r->wish.context_window = r->traits.context_window;
	make_record(r);
	for (size_t i = 0; i < r->found.n; i++) {
		struct agent_place *p = &r->found.v[i];

		if (p->kind != AGENT_PLACE_OPENCLAW && p->kind != AGENT_PLACE_MIRROR) {
			agent_place_plan(p, &r->wish, &r->arena, NULL);
		}
	}
}

/* The Manager is there before its models are chosen: without its configuration, or a controller that makes it, nothing that
 * is written here would ever be read. */
static enum step_rc judge_nowhere(struct switch_run *r)
{
	const struct env *env = r->h->env;
	bool asked = r->ask.why == SWITCH_ASKED || r->ask.why == SWITCH_ADOPTED;

	if (r->manager && asked && !switch_cr_is_attached(r)) {
		return switch_fail(r, HICLAW_CONFIG_INCOMPLETE,
			"OpenClaw config not found at " BYTES_FMT,
			BYTES_ARG(env->n_configs != 0 ? env->configs[0] : BYTES("its place")));
	}
	switch_outcome(r, OUTCOME_SKIPPED, "there is no configuration yet");
	switch_warn(r, "CONFIG_MISSING",
		BYTES_FMT
		" has no configuration yet: the assignment is stored and used "
		"when there is one",
		BYTES_ARG(r->ask.target));
	return STEP_NEXT;
}

/* What keeps the configuration that counts from being edited ends the switch; of copies it is said. */
static enum step_rc judge_plan(struct switch_run *r)
{
	const struct agent_place *config = switch_config_of(r);

	for (size_t i = 0; i < r->found.n; i++) {
		struct agent_place *p = &r->found.v[i];

		if (p->code == CONFIG_OK || !agent_place_is_config(p)) {
			continue;
		}
		if (p == config || (config == NULL && !p->object)) {
			return switch_fail(r, code_of(p->code), "%s: %s", p->name, p->why.text);
		}
		p->changes = false;
		switch_warn(r, config_code_name(p->code), "%s: %s", p->name, p->why.text);
	}
	for (size_t i = 0; i < r->found.n; i++) {
		r->config_there = r->config_there ||
			(agent_place_is_config(&r->found.v[i]) && r->found.v[i].exists);
	}
	if (config != NULL && config->overrider.p != NULL) {
		switch_warn(r, "AGENT_OVERRIDE",
			"The agent '" BYTES_FMT
			"' of agents.list has a model of its own, which "
			"the default does not change",
			BYTES_ARG(config->overrider));
	}
	if (!r->config_there && r->h->opts.attached) {
		return judge_nowhere(r);
	}
	return STEP_NEXT;
}

static void on_planned(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);

	switch_resume(r, judge_plan(r));
}

enum step_rc switch_config_plan(struct switch_run *r)
{
	make_wish(r);
	if (r->job_rc != 0) {
		return switch_fail(r, HICLAW_INVALID_REQUEST, "%s", r->job_why.text);
	}
	switch_job(r, plan, on_planned);
	return STEP_WAIT;
}

/* --- written -------------------------------------------------------------------------------------------- */

static enum step_rc write_next(struct switch_run *r, bool config);

static enum s3_edit_verdict edit_object(
	struct s3_edit *e, struct bytes before, struct text *after, struct fault *why)
{
	struct switch_run *r = e->arg;
	struct agent_place *p = place_at(r);
	struct config_text out;
	struct arena room;
	enum s3_edit_verdict v = S3_EDIT_REFUSE;

	arena_init(&room, CONFIG_ARENA_MAX);
	p->code = agent_place_edit(p->kind, &r->wish, &room, before, &out, why);
	if (p->code == CONFIG_OK) {
		v = out.changed ? S3_EDIT_WRITE : S3_EDIT_SAME;
		if (out.changed) {
			text_add_bytes(after, out.text);
		}
	}
	arena_done(&room);
	return v;
}

/* The outcome of a write of a place that is no reason to stop. */
static void missed(struct switch_run *r, const char *code, const char *why)
{
	r->synced = false;
	switch_outcome(r, OUTCOME_WARNED, "%s", why);
	switch_warn(r, code, "%s", why);
}

static enum step_rc judge_object(struct switch_run *r)
{
	struct s3_edit *e = &r->s3_edit;
	struct agent_place *p = place_at(r);
	bool must = agent_place_is_config(p) && p == switch_config_of(r);

	p->rc = e->rc;
	p->written = e->changed;
	p->existed = e->existed;
	if (e->changed) {
		p->before = e->before;
		p->after = e->after;
		e->before = e->after = (struct text){0};
	}
	if (e->rc == S3_EDIT_FAILED && must) {
		return switch_fail(r, code_of(p->code), "%s: %s", p->name, e->why.text);
	}
	if (e->rc == S3_CONFLICT && must) {
		return switch_fail(r, HICLAW_STORAGE_CONFLICT, "%s", e->why.text);
	}
	if (e->rc != S3_OK) {
		missed(r, e->rc == S3_EDIT_FAILED ? config_code_name(p->code) : s3_code(e->rc),
			e->why.text);
	}
	return STEP_NEXT;
}

static void on_object_written(struct s3_edit *e)
{
	struct switch_run *r = e->arg;
	bool config = agent_place_is_config(place_at(r));
	enum step_rc rc = judge_object(r);

	r->place++;
	on_with(r, rc == STEP_NEXT ? write_next(r, config) : rc);
}

/* What the object before a mirror has been given. */
static struct bytes mirror_of(const struct switch_run *r)
{
	for (size_t i = 0; i < r->place; i++) {
		const struct agent_place *p = &r->found.v[i];

		if (p->object && p->kind == AGENT_PLACE_OPENCLAW && p->written) {
			return text_bytes(&p->after);
		}
	}
	return bytes_of(NULL, 0);
}

static void write_file(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);

	agent_place_write(place_at(r), &r->wish, mirror_of(r));
}

static enum step_rc judge_file(struct switch_run *r)
{
	struct agent_place *p = place_at(r);

	if (p->code == CONFIG_OK) {
		return STEP_NEXT;
	}
	if (agent_place_is_config(p) && p->kind != AGENT_PLACE_MIRROR) {
		return switch_fail(r, code_of(p->code), "%s: %s", p->name, p->why.text);
	}
	missed(r, config_code_name(p->code), p->why.text);
	return STEP_NEXT;
}

static void on_file_written(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);
	bool config = agent_place_is_config(place_at(r));
	enum step_rc rc = judge_file(r);

	r->place++;
	on_with(r, rc == STEP_NEXT ? write_next(r, config) : rc);
}

static bool is_to_write(const struct switch_run *r, const struct agent_place *p, bool config)
{
	if (agent_place_is_config(p) != config || !p->looked) {
		return false;
	}
	return p->kind == AGENT_PLACE_MIRROR ? p->changes || mirror_of(r).p != NULL : p->changes;
}

static enum step_rc write_next(struct switch_run *r, bool config)
{
	struct agent_place *p;

	while ((p = place_at(r)) != NULL && !is_to_write(r, p, config)) {
		r->place++;
	}
	if (p == NULL) {
		return STEP_NEXT;
	}
	if (!p->object) {
		switch_job(r, write_file, on_file_written);
		return STEP_WAIT;
	}
	s3_edit_done(&r->s3_edit);
	r->s3_edit = (struct s3_edit){.key = bytes_str(p->name),
		.edit = edit_object,
		.on_done = on_object_written,
		.arg = r};
	s3_edit_start(r->h->s3, &r->s3_edit);
	return STEP_WAIT;
}

enum step_rc switch_config_write(struct switch_run *r)
{
	r->place = 0;
	if (!switch_config_changes(r)) {
		switch_outcome(r, OUTCOME_SKIPPED, "%s",
			r->config_there ? "it is as it should be" : "there is no configuration");
	}
	return write_next(r, true);
}

enum step_rc switch_config_record(struct switch_run *r)
{
	r->place = 0;
	return write_next(r, false);
}

/* --- taken back ----------------------------------------------------------------------------------------- */

static enum step_rc restore_next(struct switch_run *r);

static enum s3_edit_verdict restore_object(
	struct s3_edit *e, struct bytes before, struct text *after, struct fault *why)
{
	struct agent_place *p = place_at(e->arg);

	if (before.p == NULL || !bytes_eq(before, text_bytes(&p->after))) {
		fault_set(why, ERR_AGAIN, 0, 0, "%.100s was changed by others since", p->name);
		return S3_EDIT_REFUSE;
	}
	text_add_bytes(after, text_bytes(&p->before));
	return S3_EDIT_WRITE;
}

static void restored(struct switch_run *r, bool ok, const char *why)
{
	if (!ok) {
		r->job_rc = -1;
		switch_warn(
			r, "NOT_UNDONE", "%s could not be put back: %s", place_at(r)->name, why);
	}
	on_with(r, restore_next(r));
}

static void on_object_restored(struct s3_edit *e)
{
	restored(e->arg, e->rc == S3_OK, e->why.text);
}

static void restore_file(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);

	agent_place_restore(place_at(r), &r->wish);
}

static void on_file_restored(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);
	const struct agent_place *p = place_at(r);

	restored(r, p->code == CONFIG_OK, p->why.text);
}

/* From the last place that was written to the first; job_rc: whether one stayed. */
static enum step_rc restore_next(struct switch_run *r)
{
	struct agent_place *p = NULL;

	while (p == NULL && r->place > 0) {
		r->place--;
		p = agent_place_is_config(place_at(r)) && place_at(r)->written ? place_at(r) : NULL;
	}
	if (p == NULL) {
		return r->job_rc == 0 ? STEP_NEXT : STEP_FAIL;
	}
	if (!p->object) {
		switch_job(r, restore_file, on_file_restored);
		return STEP_WAIT;
	}
	s3_edit_done(&r->s3_edit);
	r->s3_edit = (struct s3_edit){.key = bytes_str(p->name),
		.edit = restore_object,
		.on_done = on_object_restored,
		.arg = r};
	s3_edit_start(r->h->s3, &r->s3_edit);
	return STEP_WAIT;
}

enum step_rc switch_config_undo(struct switch_run *r)
{
	bool any = false;

	for (size_t i = 0; i < r->found.n; i++) {
		any = any || (agent_place_is_config(&r->found.v[i]) && r->found.v[i].written);
	}
	r->place = r->found.n;
	r->job_rc = 0;
	return any ? restore_next(r) : STEP_END;
}
