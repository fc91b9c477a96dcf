/*
 * The list is asked for as a client's request for it would be sent, without a route: path, host, name in TLS and
 * credential are the provider's. Services whose instances a registry knows are left out, because only workers
 * have their addresses.
 */
#include "plan/model_source.h"

#include "plan/build.h"
#include "plan/decide.h"

/* Everything in it comes from files that are bounded. */
#define KEY_MAX ((size_t)1 << 20)
/* Anthropic's servers give 20 names at a time, and at most that many. */
#define LIST_QUERY "limit=1000"

static void add_field(struct text *key, const char *name, const char *scheme, struct bytes value)
{
	fetched_source_add(key, bytes_str(name));
	text_add_str(key, scheme);
	fetched_source_add(key, value);
}

static void add_credential(struct text *key, const struct provider *p)
{
	struct bytes token = decide_credential(p);

	if (token.n == 0) {
		return;
	}
	switch (p->type->auth) {
	case AUTH_BEARER:
		add_field(key, "Authorization", "Bearer ", token);
		break;
	case AUTH_RAW:
		add_field(key, "Authorization", "", token);
		break;
	case AUTH_X_API_KEY:
		add_field(key, "x-api-key", "", token);
		break;
	case AUTH_API_KEY:
		add_field(key, "api-key", "", token);
		break;
	case AUTH_X_GOOG_API_KEY:
		add_field(key, "x-goog-api-key", "", token);
		break;
	}
}

/* False: the provider has no list that can be asked for. */
static bool add_key(struct text *key, const struct destination *d)
{
	const struct provider *p = d->provider;
	const struct service *s = d->service;
	struct bytes query =
		p->type->anthropic_version != NULL ? BYTES(LIST_QUERY) : (struct bytes){NULL, 0};
	struct bytes name, host;

	if (!provider_has_list(p) || s->n_endpoints == 0 || s->endpoints[0].ask != NULL) {
		return false;
	}
	host = p->host.n != 0 ? p->host : s->endpoints[0].host;
	name = decide_tls_name(d, s->endpoints[0].host);
	fetched_source_add(key, s->tls ? BYTES("1") : BYTES("0"));
	fetched_source_add(key, bytes_of(name.p, MIN(name.n, (size_t)FETCHED_TLS_NAME_MAX)));
	fetched_source_add(key, host);
	if (provider_path(p, API_MODELS, BYTES("/v1/models"), query, key) != 0) {
		return false;
	}
	text_add_char(key, '\0');
	add_credential(key, p);
	if (p->version.n != 0) {
		add_field(key, "anthropic-version", "", p->version);
	}
	text_add_char(key, '\0');
	fetched_source_add_endpoints(key, s);
	return !text_full(key);
}

static const struct fetched_source *source_of(
	struct plan *p, struct map *known, const struct destination *d)
{
	struct fetched_source *s = NULL;
	struct text key;

	text_init(&key, KEY_MAX);
	if (add_key(&key, d)) {
		s = map_get(known, text_bytes(&key));
		if (s == NULL) {
			s = arena_must(&p->arena, sizeof(*s));
			*s = (struct fetched_source){.next = p->fetched,
				.kind = FETCHED_MODELS,
				.timeout_ms = MODEL_SOURCE_TIMEOUT_MS,
				.key = build_text(&p->arena, text_bytes(&key))};
			p->fetched = s;
			map_put(known, s->key, s);
		}
	}
	text_done(&key);
	return s;
}

void model_sources_compile(struct plan *p, const struct hash_seed *seed)
{
	struct map known;

	map_init(&known, seed);
	for (size_t i = 0; i < p->n_routes; i++) {
		const struct route *r = p->routes[i];

		for (size_t k = 0; k < r->n_destinations; k++) {
			struct destination *d = &r->destinations[k];

			if (d->provider != NULL && d->provider->lists_models && d->weight != 0) {
				d->models = source_of(p, &known, d);
			}
		}
	}
	map_done(&known);
}
