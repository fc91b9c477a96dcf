/*
 * Order of work: services, then certificates, then the plugins, which are tables of rules until a route
 * asks, then the routes, which ask them, then the index over the routes.
 */
#include <stdlib.h>

#include "plan/certificates.h"
#include "plan/condition.h"
#include "plan/consumers.h"
#include "plan/fallbacks.h"
#include "plan/groups.h"
#include "plan/inside.h"
#include "plan/match.h"
#include "plan/model_source.h"
#include "plan/pinned.h"
#include "plan/unserved.h"

/* Everything comes from files that are bounded one by one (RESOURCE_FILE_MAX). */
#define ARENA_MAX ((size_t)1 << 40)

/* Two keyed hashes of (kind, name, hash of the file): the keys are fixed, for the hash is compared
 * between processes. */
void plan_hash(const struct snapshot *s, uint64_t out[2])
{
	static const struct hash_seed seeds[2] = {
		{0x736c75696365, 0x706c616e2d686173}, {0x682d6f662d612d73, 0x6e617073686f74}};
	struct text t;

	text_init(&t, SIZE_MAX);
	for (size_t i = 0; i < s->n; i++) {
		const struct object *o = s->objects[i];

		text_add_char(&t, (char)o->kind);
		text_add_u64(&t, o->meta.name.n);
		text_add_char(&t, ' ');
		text_add_bytes(&t, o->meta.name);
		text_add(&t, (const char *)o->hash, sizeof(o->hash));
	}
	if (s->guard_unread) {
		text_add_char(&t, '!');
	}
	out[0] = hash_bytes(&seeds[0], text_bytes(&t));
	out[1] = hash_bytes(&seeds[1], text_bytes(&t));
	text_done(&t);
}

static void list_endpoints(struct plan *p, const struct services *s)
{
	p->endpoints = arena_must(&p->arena, (s->n_endpoints + 2) * sizeof(struct endpoint *));
	for (size_t i = 0; i < s->n; i++) {
		p->asks_tls = p->asks_tls || s->v[i].tls;
		for (size_t k = 0; k < s->v[i].n_endpoints; k++) {
			p->endpoints[p->n_endpoints++] = &s->v[i].endpoints[k];
		}
	}
	for (struct found_service *f = s->found; f != NULL; f = f->next) {
		p->asks_tls = p->asks_tls || f->service.tls;
		p->endpoints[p->n_endpoints++] = &f->endpoint;
	}
}

static void find_fetched(struct plan *p, const struct services *s, const struct hash_seed *seed)
{
	context_find_services(p->contexts, &s->by_name, &p->arena, &p->findings);
	for (struct context_source *c = p->contexts; c != NULL; c = c->next) {
		if (c->source.key.n != 0) {
			c->source.next = p->fetched;
			p->fetched = &c->source;
		}
	}
	model_sources_compile(p, seed);
}

static void compile_routes(struct plan *p, const struct snapshot *s, const struct plan_env *env,
	struct services *services)
{
	struct upstreams upstreams;
	struct auth_rules auth, basic;
	struct statistics_rules statistics;
	struct blocking_rules blocking;
	struct cors_rules cors;
	struct routes routes;
	struct routes_input in = {.snapshot = s,
		.seed = &env->seed,
		.services = services,
		.upstreams = &upstreams,
		.auth = &auth,
		.basic = &basic,
		.statistics = &statistics,
		.blocking = &blocking,
		.cors = &cors,
		.conditions = {p->router, &p->regexes, &p->arena, &p->findings},
		.certificates = p->certificates,
		.arena = &p->arena,
		.findings = &p->findings};

	model_router_compile(p->router, s, &env->seed, &p->arena, &p->findings);
	upstreams_init(&upstreams, s, env, &p->arena, &p->findings);
	auth_rules_init(&auth, AUTH_KEY, s, env, p);
	auth_rules_init(&basic, AUTH_BASIC, s, env, p);
	statistics_init(&statistics, s, &env->seed, &p->arena, &p->findings);
	blocking_init(&blocking, s, &env->seed, &p->arena, &p->findings);
	cors_rules_init(&cors, s, &env->seed, &p->arena, &p->findings);
	routes_compile(&routes, &in);
	p->n_fallbacks = fallbacks_compile(&(struct fallbacks_input){
		s, &routes, services, &upstreams, &env->seed, &p->arena, &p->findings});
	groups_finish(routes.groups, routes.v, routes.n, &env->seed, &p->arena);
	p->groups = routes.groups;
	p->index = match_index_new(&routes, &p->alias, &env->seed, &p->arena);
	p->routes = (const struct route *const *)routes.v;
	p->n_routes = routes.n;
	p->n_turns = routes.n_turns;
	pinned_compile(p, &upstreams, services, auth.nobody, &env->seed);
	p->has_cors = routes.has_cors;
	p->has_blocking = routes.has_blocking;
	p->n_providers = upstreams.providers.n;
	p->consumers = auth_rules_consumers(&auth);
	p->n_consumers = p->consumers->n;
	p->has_basic = basic.n != 0;
	statistics_finish(&statistics, p->consumer_sets);
	p->contexts = upstreams.contexts;
	find_fetched(p, services, &env->seed);
	p->lanes = upstreams.lanes;
	auth_rules_done(&auth);
	auth_rules_done(&basic);
	blocking_done(&blocking);
	cors_rules_done(&cors);
	upstreams_done(&upstreams);
}

struct plan *plan_compile(const struct snapshot *s, const struct plan_env *env)
{
	struct plan *p = must_alloc(sizeof(*p));
	struct services services;

	arena_init(&p->arena, ARENA_MAX);
	findings_init(&p->findings, &p->arena);
	p->router = arena_must(&p->arena, sizeof(*p->router));
	if (env->alias != NULL) {
		p->alias.name = build_lower(&p->arena, env->alias->name);
		p->alias.of = build_lower(&p->arena, env->alias->of);
	}
	services_compile(&services, s, &env->seed, &p->arena, &p->findings);
	certificates_compile(p, s, &env->seed);
	global_config_read(&p->global, s, &p->findings);
	unserved_find(s, &p->findings);
	compile_routes(p, s, env, &services);
	list_endpoints(p, &services);
	p->n_services = services.n + services.n_found;
	if (env->inside != NULL) {
		inside_compile(p, env->inside, &env->seed);
		p->endpoints[p->n_endpoints++] = p->inside_endpoint;
	}
	services_done(&services);
	plan_hash(s, p->hash);
	return p;
}

void plan_free(struct plan *p)
{
	if (p == NULL) {
		return;
	}
	for (struct consumer_set *s = p->consumer_sets; s != NULL; s = s->next) {
		consumers_unref(s->consumers);
	}
	model_router_done(p->router);
	conditions_free(p->regexes);
	match_index_free(p->index);
	map_done(&p->pinned);
	groups_done(p->groups);
	certificates_done(p->certificates);
	arena_done(&p->arena);
	free(p);
}
