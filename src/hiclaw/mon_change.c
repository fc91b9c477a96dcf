#include "hiclaw/mon_change.h"

#include "base/clock.h"
#include "base/log.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/mask.h"

/* Of an event: a name and a word. */
#define EVENT_MAX 2048u

static void take_assignments(struct ask *k, struct hybrid_world *w)
{
	const struct agents *all = k->hiclaw->agents;
	size_t n = agents_count(all);
	struct hybrid_assignment *v = arena_must(&k->arena, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		const struct agent *a = agents_at(all, i);

		if (a->assigned) {
			v[w->n_assignments++] = (struct hybrid_assignment){
				.target = arena_copy(&k->arena, a->target),
				.provider = arena_copy(&k->arena, a->provider),
				.model = arena_copy(&k->arena, a->model)};
		}
	}
	w->assignments = v;
}

void mon_change_world(struct ask *k, struct hybrid_world *out)
{
	struct doc **lists = arena_must(&k->arena, OPS_NOUNS * sizeof(struct doc *));

	memcpy(lists, k->ops.lists, OPS_NOUNS * sizeof(struct doc *));
	*out = (struct hybrid_world){
		.arena = &k->arena, .lists = lists, .hiclaw_version = k->hiclaw->env->version};
	take_assignments(k, out);
}

struct doc *mon_change_find(struct ask *k, const struct doc *list, struct bytes name)
{
	struct doc *d = doc_first(&k->arena, list);

	while (d != NULL && !bytes_eq(doc_peek(d, "name", BYTES("")), name)) {
		d = d->next;
	}
	return d;
}

void mon_change_refuse(struct ask *k, const struct hybrid_plan *p)
{
	static const enum hiclaw_code codes[] = {
		[HYBRID_OK] = HICLAW_INTERNAL,
		[HYBRID_NO_PROVIDER] = HICLAW_PROVIDER_NOT_FOUND,
		[HYBRID_CONFLICT] = HICLAW_ROUTE_CONFLICT,
		[HYBRID_EXISTS] = HICLAW_CONFLICT,
		[HYBRID_IN_USE] = HICLAW_IN_USE,
		[HYBRID_NO_REPLACEMENT] = HICLAW_INVALID_REQUEST,
		[HYBRID_TOO_LARGE] = HICLAW_INTERNAL,
	};

	if (p->details != NULL) {
		ask_more(k, "details", p->details);
	}
	if (p->rc == HYBRID_NO_PROVIDER) {
		ask_fail(k, HICLAW_PROVIDER_NOT_FOUND, "Provider not found");
		return;
	}
	ask_fail_status(k, codes[p->rc], hiclaw_code_status(codes[p->rc]), p->why);
}

struct doc *mon_change_warnings(struct ask *k, const struct hybrid_plan *p)
{
	struct doc *list = doc_list(&k->arena);

	for (size_t i = 0; i < p->n_warnings; i++) {
		struct doc *d = doc_map(&k->arena);

		doc_set(&k->arena, d, "code", doc_str(&k->arena, p->warnings[i].code));
		doc_set(&k->arena, d, "message", doc_string(&k->arena, p->warnings[i].text));
		doc_append(&k->arena, list, d);
	}
	return list;
}

struct ops_item *mon_change_join(
	struct ask *k, const struct ops_item *x, size_t nx, const struct ops_item *y, size_t ny)
{
	struct ops_item *v = arena_must(&k->arena, (nx + ny + 1) * sizeof(*v));

	if (nx != 0) {
		memcpy(v, x, nx * sizeof(*v));
	}
	if (ny != 0) {
		memcpy(v + nx, y, ny * sizeof(*v));
	}
	return v;
}

void mon_change_log(struct ask *k, const char *action, struct bytes target, const char *result,
	const struct doc *before, const struct doc *after)
{
	const struct agents_event e = {.at_ms = clock_wall_ms(),
		.actor = k->actor,
		.peer = k->peer,
		.action = bytes_str(action),
		.target = target,
		.result = bytes_str(result),
		.backup = bytes_str(k->ops.backup),
		.before = before != NULL ? mask_object(&k->arena, before) : NULL,
		.after = after != NULL ? mask_object(&k->arena, after) : NULL};

	agents_log(k->hiclaw->agents, &e);
	log_info("hiclaw", "%s of " BYTES_FMT " by " BYTES_FMT " from " BYTES_FMT ": %s", action,
		BYTES_ARG(target), BYTES_ARG(k->actor), BYTES_ARG(k->peer), result);
}

void mon_change_say(struct ask *k, int kind, struct bytes name, const char *action)
{
	struct json_writer w;
	struct text t;

	text_init(&t, EVENT_MAX);
	json_writer_init(&w, &t);
	json_open_object(&w);
	json_key(&w, "name");
	json_put_string(&w, name);
	json_key(&w, "action");
	json_put_str(&w, action);
	json_close_object(&w);
	events_say(k->hiclaw->events, (enum event_kind)kind, text_bytes(&t));
	text_done(&t);
}
