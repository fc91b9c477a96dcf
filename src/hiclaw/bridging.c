#include "hiclaw/bridging.h"

#include "base/log.h"
#include "proxy/bridges.h"

static bool has_bridge(const struct agent *v)
{
	return v->assigned && v->bridge_until_ms != 0 && v->bridge_from.n != 0;
}

/* While a switch is under way nothing may lead to the new model yet. */
static bool is_open(const struct agent *v)
{
	return has_bridge(v) && !v->applying;
}

/* --- of a switch -------------------------------------------------------------------------------- */

void bridging_warn(struct switch_run *r)
{
	if (!r->ask.bridge) {
		return;
	}
	if (r->s->world.bridges == NULL) {
		switch_warn(r, "BRIDGE_UNAVAILABLE",
			"Requests for the model before are not served with the new one meanwhile: "
			"they go to another gateway");
	} else if (r->manager) {
		switch_warn(r, "BRIDGE_UNAVAILABLE",
			"The Manager needs no bridge: it reads its configuration at once");
	}
}

/* What the Worker asks for until it hears of the new one; empty: nobody knows. */
static struct bytes model_before(const struct switch_run *r)
{
	const struct agent_place *config = switch_config_of(r);

	if (has_bridge(&r->before)) {
		return r->before.bridge_from; /* it has not heard of the switch before either */
	}
	if (config != NULL && config->configured.n != 0 &&
		!bytes_eq(config->configured, r->plan.model)) {
		return config->configured;
	}
	if (r->before.assigned && !bytes_eq(r->before.asked, r->plan.model)) {
		return r->before.asked;
	}
	return r->before.former;
}

static void begin(struct switch_run *r, struct agent *v)
{
	struct bytes from = model_before(r);

	if (from.n == 0 || bytes_eq(from, v->asked)) {
		switch_warn(r, "BRIDGE_UNAVAILABLE",
			"There is no bridge: it is not known that " BYTES_FMT
			" asks for another model",
			BYTES_ARG(r->ask.target));
		return;
	}
	v->bridge_from = arena_copy(&r->arena, from);
	v->bridge_until_ms = r->s->world.wall_ms() + BRIDGING_MS;
}

void bridging_choose(struct switch_run *r, struct agent *v)
{
	const struct agent *now = agents_find(r->h->agents, r->ask.target);
	bool stays = now != NULL && has_bridge(now) && bytes_eq(now->asked, v->asked);

	v->bridge_from = stays ? arena_copy(&r->arena, now->bridge_from) : BYTES("");
	v->bridge_until_ms = stays ? now->bridge_until_ms : 0;
	if (r->ask.bridge && !r->manager && !stays && r->s->world.bridges != NULL) {
		begin(r, v);
	}
}

/* --- of all ------------------------------------------------------------------------------------- */

void bridging_apply(struct switches *s)
{
	struct bridge v[AGENTS_MAX];
	struct arena room;
	size_t n = 0;

	static_assert(AGENTS_MAX <= BRIDGES_MAX, "each agent can have one");
	if (s->world.bridges == NULL) {
		return;
	}
	arena_init(&room, AGENTS_MAX * 128u);
	for (size_t i = 0; i < agents_count(s->h->agents); i++) {
		const struct agent *a = agents_at(s->h->agents, i);

		if (is_open(a)) {
			v[n++] = (struct bridge){
				hybrid_consumer(&room, a->target), a->bridge_from, a->asked};
		}
	}
	s->world.bridges(s->h->gateway, v, n);
	arena_done(&room);
}

static void end(struct switches *s, const struct agent *a, const char *why)
{
	const struct agents_event e = {.at_ms = s->world.wall_ms(),
		.actor = BYTES("sluice"),
		.action = BYTES("end bridge"),
		.target = a->target,
		.result = bytes_str(why)};
	struct agent v = *a;

	log_info("hiclaw",
		"the bridge of " BYTES_FMT " from " BYTES_FMT " to " BYTES_FMT " ends: %s",
		BYTES_ARG(a->target), BYTES_ARG(a->bridge_from), BYTES_ARG(a->asked), why);
	agents_log(s->h->agents, &e);
	v.bridge_from = BYTES("");
	v.bridge_until_ms = 0;
	switch_tell(s, &v);
	agents_put(s->h->agents, &v, NULL); /* texts of the old one end here */
}

static const char *why_over(struct switches *s, const struct agent *a)
{
	struct arena room;
	bool used;

	if (a->bridge_until_ms <= s->world.wall_ms()) {
		return "it is a day old";
	}
	arena_init(&room, 4096);
	used = s->world.bridge_ended(s->h->gateway, hybrid_consumer(&room, a->target));
	arena_done(&room);
	return used ? "the new model is asked for" : NULL;
}

void bridging_look(struct switches *s)
{
	if (s->world.bridges == NULL) {
		return;
	}
	for (size_t i = 0; i < agents_count(s->h->agents); i++) {
		const struct agent *a = agents_at(s->h->agents, i);
		const char *why = is_open(a) ? why_over(s, a) : NULL;

		if (why != NULL) {
			end(s, a, why);
		}
	}
	bridging_apply(s);
}
