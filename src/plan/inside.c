#include "plan/inside.h"

#include "plan/build.h"
#include "plan/consumers.h"
#include "plan/header_control.h"

static const char host_of_page[] = "manager-local.hiclaw.io";

static struct service *make_service(struct plan *p, uint16_t port)
{
	struct service *s = arena_must(&p->arena, sizeof(*s));
	struct endpoint *e = arena_must(&p->arena, sizeof(*e));

	*e = (struct endpoint){.host = BYTES("127.0.0.1"), .port = port};
	*s = (struct service){.name = BYTES(INSIDE_ROUTE), .port = port};
	s->sni = BYTES("");
	s->endpoints = e;
	s->n_endpoints = 1;
	p->inside_endpoint = e;
	return s;
}

static const struct header_control *make_headers(struct plan *p, struct bytes secret)
{
	struct header_control *h = arena_must(&p->arena, sizeof(*h));
	struct header_edit *e = arena_must(&p->arena, sizeof(*e));
	struct header_piece *v = arena_must(&p->arena, sizeof(*v));

	*v = (struct header_piece){HEADER_TEXT, build_text(&p->arena, secret)};
	*e = (struct header_edit){BYTES(INSIDE_HEADER), v, 1};
	*h = (struct header_control){.request = {.set = e, .n_set = 1}};
	return h;
}

/* Nobody's credentials count: those that are there are for the other side. */
static struct auth_rule nobody(struct plan *p, const struct hash_seed *seed)
{
	struct consumer_set *set = arena_must(&p->arena, sizeof(*set));

	set->consumers = consumers_compile(AUTH_KEY, NULL, NULL, seed);
	set->next = p->consumer_sets;
	p->consumer_sets = set;
	return (struct auth_rule){.need = AUTH_PASS, .consumers = set->consumers};
}

void inside_compile(struct plan *p, const struct plan_inside *in, const struct hash_seed *seed)
{
	struct route *r = arena_must(&p->arena, sizeof(*r));
	struct destination *to = arena_must(&p->arena, sizeof(*to));

	*to = (struct destination){.service = make_service(p, in->port), .weight = 1};
	*r = (struct route){.name = BYTES(INSIDE_ROUTE),
		.host = BYTES("*"),
		.path = BYTES("/"),
		.path_type = PATH_PREFIX,
		.destinations = to,
		.n_destinations = 1,
		.total_weight = 1,
		.turns = (unsigned)p->n_turns++,
		.auth = nobody(p, seed),
		.headers = make_headers(p, in->secret)};
	r->basic = r->auth;
	r->rewrite.path = r->rewrite.host = BYTES("");
	spread_add(&r->spread, 1);
	spread_finish(&r->spread);
	p->inside = r;
}

static bool is_below(struct bytes path, struct bytes prefix)
{
	return bytes_starts(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/');
}

bool inside_takes(const struct plan *p, struct bytes host, struct bytes path)
{
	if (p->inside == NULL) {
		return false;
	}
	return is_below(path, BYTES("/ni_status")) || is_below(path, BYTES("/agm")) ||
		is_below(path, BYTES("/_admin/api")) ||
		bytes_eq_nocase(host, bytes_str(host_of_page));
}
