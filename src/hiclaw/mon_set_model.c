/*
 * A model is given to an agent (monitor-api.md 4.4, 4.6), taken from our care (6.2), or told to be read again (4.11).
 * The work is hiclaw/switch.h's; here a request becomes one of its, and its outcome an answer.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/mon_assignment.h"
#include "hiclaw/mon_change.h"
#include "hiclaw/workers.h"

#define MISSING "Provider and model are required"
#define HINT "Check if the Provider is correctly configured in Higress Console"

/* --- asked --------------------------------------------------------------------------------------------------------- */

static bool take_flags(struct ask *k, struct switch_request *rq)
{
	const struct {
		const char *key;
		bool *out;
	} flags[] = {{"skipTest", &rq->skip_test}, {"strict", &rq->strict}, {"force", &rq->force},
		{"bridge", &rq->bridge}, {"dryRun", &rq->dry_run}};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (!ask_bool(k, flags[i].key, false, flags[i].out)) {
			return false;
		}
	}
	if (rq->skip_test && k->who != MONITOR_ADMINISTRATOR) {
		ask_fail(k, HICLAW_FORBIDDEN, "skipTest is for the administrator");
		return false;
	}
	return true;
}

static bool take_words(struct ask *k, struct switch_request *rq)
{
	static const char *const applies[] = {"auto", "force", "files-only"};
	struct bytes apply, conflict;
	unsigned i = 0;

	if (!ask_text(k, "apply", &apply) || !ask_text(k, "onConflict", &conflict)) {
		return false;
	}
	rq->apply = k->hiclaw->env->apply;
	while (apply.n != 0 && i < ARRAY_LEN(applies) && !bytes_eq(apply, bytes_str(applies[i]))) {
		i++;
	}
	if (i == ARRAY_LEN(applies)) {
		ask_fail_field(k, "apply", "apply is auto, force or files-only");
		return false;
	}
	rq->apply = apply.n != 0 ? (enum env_apply)i : rq->apply;
	rq->qualify = bytes_eq(conflict, BYTES("qualify"));
	if (conflict.n != 0 && !rq->qualify && !bytes_eq(conflict, BYTES("error"))) {
		ask_fail_field(k, "onConflict", "onConflict is error or qualify");
		return false;
	}
	return true;
}

static bool take_model(struct ask *k, struct switch_request *rq)
{
	struct bytes model;
	const char *field;
	struct fault f;

	if (!ask_text(k, "provider", &rq->provider) || !ask_text(k, "model", &model)) {
		return false;
	}
	if (rq->provider.n == 0 || model.n == 0) {
		ask_fail_field(k, rq->provider.n == 0 ? "provider" : "model", MISSING);
		return false;
	}
	if (names_model(model, &rq->model, &f) != 0) {
		ask_fail(k, HICLAW_INVALID_MODEL, "%s", f.text);
		return false;
	}
	if (k->json != NULL && model_traits_read(k->json, &rq->wish.given, &field, &f) != 0) {
		ask_fail_field(k, field, "%s", f.text);
		return false;
	}
	return true;
}

/* As it stands in updatedAt, without the quotes of an entity tag. */
static struct bytes expected(struct bytes if_match)
{
	if (bytes_starts(if_match, BYTES("W/"))) {
		if_match = bytes_of(if_match.p + 2, if_match.n - 2);
	}
	if (if_match.n >= 2 && if_match.p[0] == '"' && if_match.p[if_match.n - 1] == '"') {
		if_match = bytes_of(if_match.p + 1, if_match.n - 2);
	}
	return bytes_eq(if_match, BYTES("*")) ? BYTES("") : if_match;
}

static struct switch_request *make(struct ask *k, struct bytes target)
{
	struct switch_request *rq = arena_must(&k->arena, sizeof(*rq));

	rq->target = target;
	rq->actor = k->actor;
	rq->peer = k->peer;
	rq->arena = &k->arena;
	rq->arg = k;
	rq->why = SWITCH_ASKED;
	rq->if_match = k->if_match.p != NULL ? expected(k->if_match) : BYTES("");
	k->state = rq;
	return rq;
}

/* --- answered ------------------------------------------------------------------------------------------------------ */

static void forget(struct ask *k)
{
	switch_forget(k->state);
}

/* What the original answered with 200: an unreachable model, and what went wrong inside. */
static bool is_legacy(struct ask *k, enum hiclaw_code code)
{
	return bytes_starts(k->path, BYTES("/ni_status/set-model")) &&
		hiclaw_code_status(code) >= 500 &&
		(k->hiclaw->opts.legacy_status || ask_query_flag(k, "legacy"));
}

/* A Manager that cannot be told anything is not our failure (monitor-api.md 4.11). */
static bool is_nothing_there(const struct ask *k, enum hiclaw_code code)
{
	return bytes_starts(k->path, BYTES("/ni_status/reload")) &&
		code == HICLAW_CONFIG_INCOMPLETE;
}

static void refuse(struct ask *k, const struct switch_request *rq)
{
	struct arena *a = &k->arena;

	if (rq->code == HICLAW_MODEL_NOT_REACHABLE) {
		ask_more(k, "hint", doc_str(a, HINT));
	}
	if (rq->details != NULL) {
		ask_more(k, "details", doc_copy(a, rq->details));
	}
	if (rq->partial) {
		ask_more(k, "partial", doc_bool(a, true));
	}
	if (rq->backup[0] != '\0') {
		ask_more(k, "backupId", doc_str(a, rq->backup));
	}
	ask_fail_status(k, rq->code,
		is_legacy(k, rq->code)                  ? 200
			: is_nothing_there(k, rq->code) ? 502
							: hiclaw_code_status(rq->code),
		rq->why_text);
}

/* A switch goes on when its client has left, and is answered to nobody. */
static void on_done(struct switch_request *rq)
{
	struct ask *k = rq->arg;

	IGNORE(ask_resume(k));
	if (rq->code != HICLAW_OK) {
		refuse(k, rq);
		return;
	}
	ask_reply(k, 200, rq->answer);
}

static void begin(struct ask *k, struct bytes target)
{
	struct switch_request *rq = make(k, target);

	if (take_model(k, rq) && take_flags(k, rq) && take_words(k, rq)) {
		rq->on_done = on_done;
		ask_hold(k, forget);
		switch_start(k->hiclaw->switches, rq);
	}
}

void mon_set_manager(struct ask *k)
{
	begin(k, BYTES("manager"));
}

void mon_set_worker(struct ask *k)
{
	if (mon_assignment_name(k)) {
		begin(k, k->params[0]);
	}
}

/* "manager" when the body names none; false: refused. */
static bool take_target(struct ask *k, struct bytes *out)
{
	struct names_target target;
	struct bytes text;
	struct fault f;

	*out = BYTES("manager");
	if (!ask_text(k, "target", &text)) {
		return false;
	}
	if (text.n != 0 && names_target(text, &target, &f) != 0) {
		ask_fail(k, HICLAW_INVALID_NAME, "%s", f.text);
		return false;
	}
	if (text.n != 0 && target.kind == NAMES_WORKER) {
		*out = target.worker;
	}
	return true;
}

void mon_set_model(struct ask *k)
{
	struct bytes target;

	if (take_target(k, &target)) {
		begin(k, target);
	}
}

void mon_reload(struct ask *k)
{
	struct switch_request *rq;
	struct bytes target;

	if (!take_target(k, &target)) {
		return;
	}
	rq = make(k, target);
	rq->on_done = on_done;
	ask_hold(k, forget);
	switch_reload(k->hiclaw->switches, rq);
}

/* --- no longer ours ------------------------------------------------------------------------------------------------ */

struct leaving {
	struct bytes target;
	struct agents_keep keep;
	struct s3_call call;
	struct text key;
	bool asks_storage;
	int rc; /* of the record's file */
};

static void left(struct ask *k)
{
	struct leaving *l = k->state;

	workers_forget_record(k->hiclaw->workers, l->target);
	mon_change_log(k, "remove assignment", l->target, "done", NULL, NULL);
	mon_change_say(k, EVENT_ASSIGNMENT, l->target, "removed");
	ask_reply(k, 200, ask_success(k));
}

static void give_up(struct ask *k)
{
	struct leaving *l = k->state;

	if (l->asks_storage) {
		s3_cancel(&l->call);
	}
}

static void drop_texts(struct ask *k)
{
	struct leaving *l = k->state;

	text_done(&l->key);
	s3_call_done(&l->call);
}

static void on_storage(struct s3_call *call)
{
	struct ask *k = call->arg;
	struct leaving *l = k->state;

	l->asks_storage = false;
	IGNORE(ask_resume(k));
	if (call->rc != S3_OK && call->rc != S3_NOT_FOUND) {
		ask_fail(k, HICLAW_STORAGE_UNAVAILABLE,
			"The record in the storage could not be removed, and would be taken up again: %s",
			call->why.text);
		return;
	}
	left(k);
}

/* Also the exports: a record that only they have would be taken for another tool's. */
static void drop_object(struct ask *k)
{
	struct leaving *l = k->state;

	if (l->rc != 0 && l->rc != ERR_NOT_FOUND) {
		log_error("hiclaw", "DELETE " BYTES_FMT ": %s", BYTES_ARG(k->path), k->fault.text);
		ask_fail(k, HICLAW_INTERNAL,
			"The record in the agent's directory could not be removed, and would be taken up "
			"again: the log says why");
		return;
	}
	if (k->hiclaw->s3 == NULL) {
		left(k);
		return;
	}
	text_addf(&l->key, "agents/" BYTES_FMT "/model.json", BYTES_ARG(l->target));
	l->call = (struct s3_call){
		.verb = S3_DELETE, .key = text_bytes(&l->key), .on_done = on_storage, .arg = k};
	l->asks_storage = true;
	ask_hold(k, give_up);
	s3_start(k->hiclaw->s3, &l->call);
}

/* A jobs thread: it stays under another name, as it does before each change. */
static void drop_file(struct ask *k)
{
	struct leaving *l = k->state;
	char when[CLOCK_ISO_LEN];
	struct text from, to;

	clock_format_iso(when, clock_wall_ms());
	text_init(&from, 8192);
	text_init(&to, 8192);
	text_addf(&from, BYTES_FMT "/" BYTES_FMT "/model.json",
		BYTES_ARG(k->hiclaw->env->agents_dir), BYTES_ARG(l->target));
	text_addf(&to, BYTES_FMT ".backup.%.4s%.2s%.2s_%.2s%.2s%.2s", BYTES_ARG(text_bytes(&from)),
		when, when + 5, when + 8, when + 11, when + 14, when + 17);
	l->rc = file_rename(text_cstr(&from), text_cstr(&to), &k->fault);
	text_done(&from);
	text_done(&to);
}

static void drop_exports(struct ask *k)
{
	if (k->hiclaw->opts.attached) {
		ask_job(k, drop_file, drop_object);
	} else {
		left(k);
	}
}

static void on_kept(struct agents_keep *keep, int rc)
{
	struct ask *k = keep->arg;

	IGNORE(ask_resume(k));
	switches_bridge(k->hiclaw->switches);
	if (rc != 0) {
		ask_fail(k, HICLAW_INTERNAL,
			"The assignment could not be removed: the log says why");
	} else {
		drop_exports(k);
	}
}

static void begin_leaving(struct ask *k, struct bytes target)
{
	struct leaving *l = arena_must(&k->arena, sizeof(*l));

	l->target = target;
	l->keep = (struct agents_keep){on_kept, k};
	text_init(&l->key, 1024);
	k->state = l;
	k->done = drop_texts;
	if (switch_is_writing(k->hiclaw->switches, target)) {
		ask_fail(k, HICLAW_CONFLICT, "The agent is being given a model; try again");
		return;
	}
	workers_forget_record(k->hiclaw->workers, target);
	if (agents_find(k->hiclaw->agents, target) == NULL) {
		/* What another tool has written, or a try before this one has left. */
		drop_exports(k);
		return;
	}
	ask_hold(k, NULL);
	agents_remove(k->hiclaw->agents, target, &l->keep);
}

void mon_leave_manager(struct ask *k)
{
	begin_leaving(k, BYTES("manager"));
}

void mon_leave_worker(struct ask *k)
{
	if (mon_assignment_name(k)) {
		begin_leaving(k, k->params[0]);
	}
}
