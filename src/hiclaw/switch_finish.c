/* The end of a run: the state that it left, kept and told to those who listen. */
#include "hiclaw/bridging.h"
#include "hiclaw/switch_int.h"

#include "base/log.h"

static const char *const actions[] = {
	[SWITCH_ASKED] = "switch",
	[SWITCH_DRIFT] = "reapply",
	[SWITCH_ADOPTED] = "adopt",
	[SWITCH_IDLE] = "apply",
};

/* --- the state ------------------------------------------------------------------------------------------ */

enum agent_state switch_state(const struct agent *v)
{
	if (!v->assigned) {
		return AGENT_UNMANAGED;
	}
	if (v->configured.n != 0 && !bytes_eq(v->configured, v->asked)) {
		return AGENT_DRIFTED;
	}
	if (v->pending_apply || v->applying || !bytes_eq(v->observed, v->asked)) {
		return AGENT_PENDING;
	}
	return AGENT_APPLIED;
}

bool switch_is_left(const struct switch_run *r)
{
	const struct agent *now = agents_find(r->h->agents, r->ask.target);

	return (r->ask.why == SWITCH_DRIFT || r->ask.why == SWITCH_IDLE) && r->before.assigned &&
		(now == NULL || !now->assigned);
}

static bool config_written(const struct switch_run *r)
{
	for (size_t i = 0; i < r->found.n; i++) {
		if (agent_place_is_config(&r->found.v[i]) && r->found.v[i].written) {
			return true;
		}
	}
	return false;
}

static bool is_corrupt(const struct switch_run *r)
{
	for (size_t i = 0; i < r->found.n; i++) {
		if (r->found.v[i].corrupt && !r->found.v[i].written) {
			return true;
		}
	}
	return false;
}

static struct bytes configured_now(const struct switch_run *r)
{
	const struct agent_place *config = switch_config_of(r);

	if (config == NULL) {
		return BYTES("");
	}
	return config->written || (!config->changes && config->looked && config_written(r))
		? r->plan.model
		: config->configured;
}

void switch_observe(struct switches *s, struct bytes consumer, struct agent *v)
{
	struct usage_consumer u;

	if (s->world.consumer(s->h, consumer, &u) && u.last_model.n != 0) {
		v->observed = u.last_model;
		v->observed_ms = u.last_ms;
	}
}

static struct agent result_of(struct switch_run *r)
{
	struct agent v = r->before;

	v.target = r->ask.target;
	if (r->adopt_from == NULL && r->verdict == AGENT_UNMANAGED) {
		v.assigned = true;
		v.provider = r->ask.provider;
		v.model = r->ask.model;
		v.asked = r->plan.model;
		v.traits = r->traits;
		v.updated_us = r->updated_us;
		v.synced = r->synced;
		v.pending_apply = r->cr.deferred && !r->cr.set;
	}
	v.applying = false;
	v.configured = configured_now(r);
	v.corrupt = is_corrupt(r);
	if (r->cr.known) {
		v.cr_model = r->cr.set ? r->plan.model : r->cr.model;
	}
	switch_observe(r->s, r->consumer, &v);
	v.state = r->verdict != AGENT_UNMANAGED ? r->verdict : switch_state(&v);
	v.reason = r->verdict_why;
	if (r->intended && !bytes_eq(v.asked, r->before.asked)) {
		v.former = switch_config_of(r) != NULL ? switch_config_of(r)->configured
						       : r->before.asked;
	}
	bridging_choose(r, &v);
	return v;
}

static bool has_same_bridge(const struct switch_run *r, const struct agent *v)
{
	const struct agent *now = agents_find(r->h->agents, v->target);

	return now == NULL ? v->bridge_until_ms == 0
			   : now->bridge_until_ms == v->bridge_until_ms &&
			bytes_eq(now->bridge_from, v->bridge_from);
}

static bool is_same(const struct agent *x, const struct agent *y)
{
	return x->assigned == y->assigned && x->state == y->state && x->synced == y->synced &&
		x->corrupt == y->corrupt && x->observed_ms == y->observed_ms &&
		bytes_eq(x->configured, y->configured) && bytes_eq(x->cr_model, y->cr_model) &&
		bytes_eq(x->reason, y->reason);
}

/* --- told --------------------------------------------------------------------------------------------- */

static struct doc *what(struct arena *a, const struct agent *v)
{
	struct doc *d = doc_map(a);

	doc_set(a, d, "provider", doc_string(a, v->provider));
	doc_set(a, d, "model", doc_string(a, v->model));
	doc_set(a, d, "contextWindow", doc_int(a, (int64_t)v->traits.context_window));
	doc_set(a, d, "maxTokens", doc_int(a, (int64_t)v->traits.max_tokens));
	return d;
}

static void log_it(struct switch_run *r, const struct agent *after, struct bytes result)
{
	struct arena *a = &r->arena;
	struct agents_event e = {.at_ms = r->s->world.wall_ms(),
		.actor = r->ask.actor.n != 0 ? r->ask.actor : BYTES("sluice"),
		.peer = r->ask.peer,
		.action = bytes_str(actions[r->ask.why]),
		.target = r->ask.target,
		.result = result,
		.backup = bytes_str(r->backup_id),
		.before = r->before.assigned ? what(a, &r->before) : NULL,
		.after = after != NULL ? what(a, after) : NULL};

	agents_log(r->h->agents, &e);
}

void switch_tell(struct switches *s, const struct agent *v)
{
	struct json_writer w;
	struct text t;

	if (s->h->events == NULL) {
		return;
	}
	text_init(&t, 16384);
	json_writer_init(&w, &t);
	json_open_object(&w);
	json_key(&w, "target");
	json_put_string(&w, v->target);
	json_key(&w, "provider");
	json_put_string(&w, v->provider);
	json_key(&w, "model");
	json_put_string(&w, v->model);
	json_key(&w, "state");
	json_put_str(&w, agent_state_text(v->state));
	json_close_object(&w);
	events_say(s->h->events, EVENT_ASSIGNMENT, text_bytes(&t));
	text_done(&t);
}

/* --- the steps ------------------------------------------------------------------------------------------ */

enum step_rc switch_finish(struct switch_run *r)
{
	struct agent v;

	if (r->ask.dry_run || switch_is_left(r)) {
		return STEP_NEXT;
	}
	v = result_of(r);
	r->before.state = v.state; /* what the answer says */
	r->before.bridge_from = v.bridge_from;
	r->before.bridge_until_ms = v.bridge_until_ms;
	if (r->intended || !has_same_bridge(r, &v)) {
		agents_put(r->h->agents, &v, NULL);
	} else if (!is_same(&v,
			   agents_find(r->h->agents, v.target) != NULL
				   ? agents_find(r->h->agents, v.target)
				   : &(struct agent){0})) {
		agents_note(r->h->agents, &v);
	} else {
		return STEP_NEXT;
	}
	bridging_apply(r->s);
	switch_tell(r->s, &v);
	if (r->intended && (r->changed || r->counted || r->cr.set)) {
		log_it(r, &v, BYTES("ok"));
	}
	return STEP_NEXT;
}

void switch_finish_failed(struct switch_run *r)
{
	const struct agent *now = agents_find(r->h->agents, r->ask.target);
	struct agent v;

	if (r->ask.dry_run) {
		return;
	}
	if (r->ask.why == SWITCH_ADOPTED && switch_may_become_good(r->code) && now != NULL &&
		bytes_eq(now->reason, r->why)) {
		return; /* a record that still waits */
	}
	if (r->ask.why == SWITCH_DRIFT || r->ask.why == SWITCH_IDLE) {
		if (now == NULL || bytes_eq(now->reason, r->why)) {
			return; /* it was said before */
		}
		v = *now;
		v.state = AGENT_FAILED;
		v.reason = r->why;
		agents_note(r->h->agents, &v);
		log_warn("hiclaw", "the model of " BYTES_FMT " is not applied: " BYTES_FMT,
			BYTES_ARG(r->ask.target), BYTES_ARG(r->why));
	}
	log_it(r, NULL, switch_textf(r, "failed: " BYTES_FMT, BYTES_ARG(r->why)));
	now = agents_find(r->h->agents, r->ask.target);
	if (now != NULL) {
		switch_tell(r->s, now);
	}
}
