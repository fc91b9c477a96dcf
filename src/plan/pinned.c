#include "plan/pinned.h"

#include "plan/build.h"

struct pinning {
	struct plan *plan;
	struct upstreams *upstreams;
	struct services *services;
	struct auth_rule anybody;
};

/* What upstreams are asked for that do not have a host of their own: a client's would say nothing to them. */
static struct bytes host_of(struct arena *a, const struct service *s)
{
	const struct endpoint *e = &s->endpoints[0];
	uint16_t usual = s->tls ? 443 : 80;
	bool brackets = memchr(e->host.p, ':', e->host.n) != NULL;
	size_t max = e->host.n + sizeof("[]:65535");
	struct text t;

	text_init_fixed(&t, arena_must(a, max), max);
	text_addf(&t, brackets ? "[" BYTES_FMT "]" : BYTES_FMT, BYTES_ARG(e->host));
	if (e->port != 0 && e->port != usual) {
		text_addf(&t, ":%u", e->port);
	}
	return text_bytes(&t);
}

static void pin(struct pinning *p, const struct destination *d)
{
	struct plan *plan = p->plan;
	struct route *r;
	struct destination *to;

	if (d->service->n_endpoints == 0 || map_get(&plan->pinned, d->provider->id) != NULL) {
		return;
	}
	r = arena_must(&plan->arena, sizeof(*r));
	to = arena_must(&plan->arena, sizeof(*to));
	*to = *d;
	to->weight = 1;
	*r = (struct route){.name = BYTES(""),
		.host = BYTES("*"),
		.path = BYTES("/"),
		.path_type = PATH_PREFIX,
		.destinations = to,
		.n_destinations = 1,
		.total_weight = 1,
		.turns = (unsigned)plan->n_turns++,
		.auth = p->anybody,
		.basic = p->anybody,
		.is_ai = true};
	r->rewrite.path = BYTES("");
	r->rewrite.host = host_of(&plan->arena, d->service);
	spread_add(&r->spread, 1);
	spread_finish(&r->spread);
	map_put(&plan->pinned, d->provider->id, r);
}

/* "name" or "name:port", as rules have it; names of dubbo have colons of their own. */
static struct service *find_service(struct pinning *p, struct bytes entry)
{
	struct service *s = services_find(p->services, entry);

	return s != NULL ? s : services_find(p->services, bytes_cut(&entry, ':'));
}

static void pin_service(struct pinning *p, struct bytes entry)
{
	struct service *s = find_service(p, entry);
	struct destination d = {.service = s, .weight = 1};
	struct plugin_target target;

	if (s == NULL) {
		return;
	}
	target = (struct plugin_target){
		.route = BYTES(""), .host = BYTES(""), .service = s->name, .port = s->port};
	if (upstreams_find(p->upstreams, &target, &d) && d.provider != NULL) {
		pin(p, &d);
	}
}

static void pin_by_rules(struct pinning *p, const struct wasmplugin *proxy)
{
	for (size_t i = 0; i < proxy->n_rules; i++) {
		const struct plugin_rule *rule = &proxy->rules[i];
		const struct yaml_node *id = yaml_get(rule->config, "activeProviderId");

		if (rule->disabled || rule->ingress.n != 0 || id == NULL ||
			map_get(&p->upstreams->providers, id->text) == NULL) {
			continue;
		}
		for (size_t k = 0; k < rule->service.n; k++) {
			pin_service(p, rule->service.v[k]);
		}
	}
}

static void pin_by_routes(struct pinning *p)
{
	for (size_t i = 0; i < p->plan->n_routes; i++) {
		const struct route *r = p->plan->routes[i];

		for (size_t k = 0; k < r->n_destinations; k++) {
			if (r->destinations[k].provider != NULL) {
				pin(p, &r->destinations[k]);
			}
		}
	}
}

void pinned_compile(struct plan *p, struct upstreams *u, struct services *services,
	const struct consumers *nobody, const struct hash_seed *seed)
{
	struct pinning pinning = {.plan = p,
		.upstreams = u,
		.services = services,
		.anybody = {.need = AUTH_PASS, .consumers = nobody}};

	map_init(&p->pinned, seed);
	if (u->proxy.plugin != NULL) {
		pin_by_rules(&pinning, u->proxy.plugin);
	}
	pin_by_routes(&pinning);
}

const struct route *pinned_find(const struct plan *p, struct bytes id)
{
	return map_get(&p->pinned, id);
}
