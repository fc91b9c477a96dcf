/*
 * Two walks over each list: what is out of service, then the rest, as far as there is room. A walk looks at one word
 * of each.
 */
#include "proxy/upstream_states.h"

#include "plan/failover.h"
#include "proxy/gateway_int.h"
#include "wire/json.h"

struct writing {
	struct json_writer w;
	uint64_t now, serial;
	unsigned n;     /* of the list so far */
	bool truncated; /* something was left out, of any list */
};

static bool has_room(struct writing *p)
{
	p->truncated |= p->n >= UPSTREAM_STATES_MAX;
	return p->n++ < UPSTREAM_STATES_MAX;
}

static void put_text(struct writing *p, const char *key, struct bytes value)
{
	json_key(&p->w, key);
	json_put_string(&p->w, value);
}

static void put_number(struct writing *p, const char *key, uint64_t value)
{
	json_key(&p->w, key);
	json_put_u64(&p->w, value);
}

static void put_health(struct writing *p, const struct health *h)
{
	static const char *const names[] = {[HEALTH_CLOSED] = "in_service",
		[HEALTH_OPEN] = "out_of_service",
		[HEALTH_HALF] = "probing",
		[HEALTH_BENCHED] = "told_to_wait"};
	struct health_view v = health_look(h);
	bool over = v.state == HEALTH_BENCHED && v.until_ms <= p->now;

	put_text(p, "state", bytes_str(names[over ? HEALTH_CLOSED : v.state]));
	put_number(p, "failures", v.failures);
	if (v.state == HEALTH_CLOSED || over) {
		return;
	}
	put_text(p, "reason",
		bytes_str(failure_class_name((enum failure_class)atomic_load(&h->why))));
	if (v.until_ms < HEALTH_UNTIL_PROBED) {
		put_number(p, "again_in_ms", v.until_ms > p->now ? v.until_ms - p->now : 0);
	}
}

/* --- lists -------------------------------------------------------------------------------------- */

static void put_endpoint(struct writing *p, const struct endpoint *e)
{
	char room[300];
	struct text t;

	text_init_fixed(&t, room, sizeof(room));
	text_add_bytes(&t, e->host);
	if (e->port != 0) {
		text_addf(&t, ":%u", e->port);
	}
	json_open_object(&p->w);
	put_text(p, "endpoint", text_bytes(&t));
	put_health(p, &e->cell->health);
	json_close_object(&p->w);
}

static void put_endpoints(struct writing *p, const struct plan *plan)
{
	p->n = 0;
	json_key(&p->w, "endpoints");
	json_open_array(&p->w);
	for (unsigned walk = 0; walk < 2; walk++) {
		for (size_t i = 0; i < plan->n_endpoints; i++) {
			const struct endpoint *e = plan->endpoints[i];

			if (e != plan->inside_endpoint && e->cell != NULL &&
				health_is_quiet(&e->cell->health) == (walk == 1) && has_room(p)) {
				put_endpoint(p, e);
			}
		}
	}
	json_close_array(&p->w);
}

static void put_credential(struct writing *p, const struct lane_slot *s)
{
	json_open_object(&p->w);
	put_text(p, "provider", s->provider->id);
	put_number(p, "index", s->index);
	put_text(p, "ends_with", lane_last_four(s->secret));
	put_health(p, &s->lane->health);
	if (s->provider->concurrency.credential != 0) {
		put_number(p, "in_use", atomic_load(&s->lane->used));
		put_number(p, "cap", s->provider->concurrency.credential);
	}
	json_close_object(&p->w);
}

static void put_upstream(struct writing *p, const struct lane_slot *s)
{
	const struct provider *provider = s->provider;

	json_open_object(&p->w);
	put_text(p, "service", s->service->name);
	if (provider != NULL) {
		put_text(p, "provider", provider->id);
	}
	put_number(p, "retries_left", lane_retries_left(s->lane, p->now));
	if (provider != NULL && provider->is_capped) {
		put_number(p, "in_use", atomic_load(&s->lane->used));
		put_number(p, "waiting",
			atomic_load(&s->lane->waiting) + atomic_load(&s->lane->waiting_own));
		put_number(p, "cap", provider->concurrency.upstream);
	}
	json_close_object(&p->w);
}

/* The same upstream of several routes is one lane, and a credential may stand twice. */
static bool is_first(const struct writing *p, struct lane *l)
{
	bool first = l->shown != p->serial;

	l->shown = p->serial;
	return first;
}

static void put_lanes(struct writing *p, const struct plan *plan, const char *key,
	enum lane_kind kind, void (*put)(struct writing *p, const struct lane_slot *s))
{
	p->n = 0;
	json_key(&p->w, key);
	json_open_array(&p->w);
	for (unsigned walk = 0; walk < 2; walk++) {
		for (const struct lane_slot *s = plan->lanes; s != NULL; s = s->next) {
			if (s->kind != kind || s->lane == NULL ||
				health_is_quiet(&s->lane->health) != (walk == 1)) {
				continue;
			}
			if (p->n >= UPSTREAM_STATES_MAX) {
				p->truncated = true;
				break;
			}
			if (is_first(p, s->lane) && has_room(p)) {
				put(p, s);
			}
		}
	}
	json_close_array(&p->w);
}

void upstream_states_put(struct gateway *g, struct text *out)
{
	const struct plan *plan = gateway_plan(g);
	struct writing p = {.now = loop_now_ms(g->control), .serial = ++g->states_shown};

	json_writer_init(&p.w, out);
	json_open_object(&p.w);
	if (plan != NULL) {
		put_number(&p, "plan", plan->version);
		put_endpoints(&p, plan);
		put_lanes(&p, plan, "credentials", LANE_CREDENTIAL, put_credential);
		put_lanes(&p, plan, "upstreams", LANE_UPSTREAM, put_upstream);
	}
	json_key(&p.w, "truncated");
	json_put_bool(&p.w, p.truncated);
	json_close_object(&p.w);
	text_add_char(out, '\n');
}
