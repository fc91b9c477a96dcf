/* The last step that changes nothing: whether there is anything to do, and for drift, whether it is done. */
#include "hiclaw/switch_int.h"

#include "base/log.h"

/* After a change at the controller it writes the configuration anew, without limits of models: that is mended, and
 * does not count as a quarrel. */
#define SETTLE_MS 130000u

static bool records_change(const struct switch_run *r)
{
	for (size_t i = 0; i < r->found.n; i++) {
		if (!agent_place_is_config(&r->found.v[i]) && r->found.v[i].changes) {
			return true;
		}
	}
	return false;
}

/* --- of what was asked for ---------------------------------------------------------------------------- */

static bool is_cr_to_set(const struct switch_run *r)
{
	return r->cr.known && r->ask.apply != ENV_APPLY_FILES_ONLY &&
		!bytes_eq(r->cr.model, r->plan.model);
}

/* Nobody who could tell the agent. */
static bool is_alone(const struct switch_run *r)
{
	return r->found.n == 0 && !r->cr.known && !switch_cr_is_attached(r);
}

static enum step_rc judge_asked(struct switch_run *r)
{
	bool writes = r->plan.n_items != 0 || switch_config_changes(r) || is_cr_to_set(r);

	if (is_alone(r)) {
		return switch_fail(r, HICLAW_CONFIG_INCOMPLETE,
			"There is nothing that could tell " BYTES_FMT
			": no configuration file, no directory of agents, no storage and no "
			"controller is attached",
			BYTES_ARG(r->ask.target));
	}
	r->changed = r->changed || writes;
	if (r->ask.dry_run) {
		return STEP_END;
	}
	if (!r->changed && !records_change(r) && r->before.synced && !r->before.applying) {
		return STEP_END;
	}
	return STEP_NEXT;
}

/* --- of drift ------------------------------------------------------------------------------------------- */

/* A record that somebody else has written since. */
static const struct record *newer_record(const struct switch_run *r)
{
	const struct record *best = NULL;

	for (size_t i = 0; i < r->found.n; i++) {
		const struct record *rec = &r->found.v[i].record;

		if (r->found.v[i].kind == AGENT_PLACE_RECORD && rec->model.n != 0 &&
			rec->updated_us > r->before.updated_us &&
			(best == NULL || rec->updated_us > best->updated_us)) {
			best = rec;
		}
	}
	return best != NULL && !record_same(best, &r->wish.record) ? best : NULL;
}

static enum step_rc adopt(struct switch_run *r, const struct record *rec, const char *from)
{
	r->adopt_from = from;
	r->adopt = *rec;
	switch_outcome(r, OUTCOME_DONE, "adopted from %s", from);
	return STEP_END;
}

/* The provider that serves a model now; empty: none. */
static struct bytes provider_of(struct switch_run *r, struct bytes model)
{
	struct resolve_request rq = {.host = switch_authority(r->h->env->gateway_url),
		.path = BYTES("/v1/chat/completions"),
		.consumer = r->consumer,
		.model = model};
	struct resolve_answer a;

	if (model.n == 0 || switch_plan_resolve(r, &rq, &a) != 0 || !a.allowed) {
		return BYTES("");
	}
	return a.provider;
}

/* Whether its requests still get where they shall; what a plan would make nicer is no drift. */
static bool is_lost(struct switch_run *r)
{
	struct resolve_request rq = {.host = switch_authority(r->h->env->gateway_url),
		.path = BYTES("/v1/chat/completions"),
		.consumer = r->consumer,
		.model = r->plan.model,
		.provider = r->ask.provider};
	struct resolve_answer a;

	if (r->plan.n_items == 0) {
		return false;
	}
	return switch_plan_resolve(r, &rq, &a) != 0 || !a.reached;
}

static void gather(struct switch_run *r, struct drift_facts *f)
{
	const struct agent_place *config = switch_config_of(r);

	*f = (struct drift_facts){.applying = r->before.applying,
		.pending = r->before.pending_apply || r->reload_asked,
		.unsynced = !r->before.synced,
		.records_change = records_change(r),
		.has_config = config != NULL,
		.config_changes = switch_config_changes(r),
		.routes_change = is_lost(r),
		.cr_known = r->cr.known,
		.asked = r->plan.model,
		.configured = config != NULL ? config->configured : BYTES(""),
		.former = r->before.former,
		.default_model = r->h->env->default_model,
		.boot_model = r->h->env->boot_model,
		.cr_model = r->cr.model,
		.cr_before = r->before.cr_model};
	f->serves = provider_of(r, f->cr_known ? f->cr_model : f->configured).n != 0;
}

static enum step_rc leave(struct switch_run *r, const char *why, const char *writer)
{
	r->verdict = AGENT_DRIFTED;
	r->verdict_why = writer != NULL ? switch_textf(r, "%s: %s", why, writer)
					: arena_copy(&r->arena, bytes_str(why));
	switch_outcome(r, OUTCOME_DONE, BYTES_FMT, BYTES_ARG(r->verdict_why));
	return STEP_END;
}

static enum step_rc reapply(struct switch_run *r, const struct drift_verdict *v)
{
	uint64_t now = r->s->world.wall_ms();
	bool settling = r->cr.known && bytes_eq(bytes_str(v->why), BYTES("PARAMS_RESET")) &&
		r->before.updated_us / 1000 + SETTLE_MS > now;
	size_t slot;

	if (r->h->env->drift != ENV_DRIFT_REAPPLY) {
		return r->h->env->drift == ENV_DRIFT_OFF ? STEP_END : leave(r, v->why, v->writer);
	}
	if (v->counted && !settling) {
		if (drift_is_contested(r->before.reapplied, now, &slot)) {
			return leave(r, "CONTESTED", v->writer);
		}
		r->before.reapplied[slot] = now;
		r->counted = true;
	}
	log_info("hiclaw", "the model of " BYTES_FMT " is applied again: %s by %s",
		BYTES_ARG(r->ask.target), v->why, v->writer);
	r->drift = v->why;
	return STEP_NEXT;
}

static enum step_rc judge_drift(struct switch_run *r)
{
	const struct record *rec = newer_record(r);
	struct drift_verdict v;
	struct drift_facts f;

	if (rec != NULL && !r->before.applying) {
		return adopt(r, rec, "its record");
	}
	gather(r, &f);
	v = drift_judge(&f);
	switch (v.kind) {
	case DRIFT_NONE:
		return STEP_END;
	case DRIFT_QUIET:
		r->drift = v.why;
		return STEP_NEXT;
	case DRIFT_REAPPLY:
		return reapply(r, &v);
	case DRIFT_ADOPT:
		return adopt(r,
			&(struct record){.provider = provider_of(r, v.model), .model = v.model},
			v.writer);
	case DRIFT_LEAVE:
		break;
	}
	return r->h->env->drift == ENV_DRIFT_OFF ? STEP_END : leave(r, v.why, v.writer);
}

/* Drift keeps to how it was applied: the controller is written to when it was before, or shall be. */
static void choose_apply(struct switch_run *r)
{
	bool before = r->before.cr_model.n != 0 && bytes_eq(r->before.cr_model, r->before.asked);

	if (r->ask.why == SWITCH_DRIFT && !r->before.applying && !before &&
		!r->before.pending_apply) {
		r->ask.apply = ENV_APPLY_FILES_ONLY;
	}
}

enum step_rc switch_judge(struct switch_run *r)
{
	r->verdict = AGENT_UNMANAGED;
	if (r->ask.why == SWITCH_ASKED || r->ask.why == SWITCH_ADOPTED) {
		return judge_asked(r);
	}
	choose_apply(r);
	return judge_drift(r);
}
