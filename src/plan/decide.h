/*
 * What is decided about a request between its head and its way to an upstream, each rule once: the steps
 * of the exchange ask it here while the bytes come, and explain.h for a request that never was. Pure.
 */
#ifndef PLAN_DECIDE_H
#define PLAN_DECIDE_H

#include "plan/auth.h"
#include "plan/condition.h"
#include "wire/field.h"
#include "wire/url.h"

/* A header that no client may set (data-plane.md §12.6, providers.md §8): it is not sent on, and no
 * condition sees it. */
static inline bool decide_forbids(enum field_id id)
{
	const uint64_t forbidden = UINT64_C(1) << FIELD_X_MSE_CONSUMER |
		UINT64_C(1) << FIELD_X_HIGRESS | UINT64_C(1) << FIELD_X_ENVOY |
		UINT64_C(1) << FIELD_X_HI_ORIGINAL_AUTH | UINT64_C(1) << FIELD_X_SLUICE |
		UINT64_C(1) << FIELD_X_FORWARDED | UINT64_C(1) << FIELD_FORWARDED;

	return (forbidden >> id & 1) != 0;
}
/* The same of headers that the model router sets. */
bool decide_is_routers(const struct model_router *m, enum field_id id, struct bytes name);

/* Whether a condition on the model is among the candidates'. */
bool decide_by_model(const struct route *const *candidates, size_t n);
/* Whether a candidate is served over https only: then the answer to plain HTTP is 308, before anybody
 * asks for a key or reads a body. */
bool decide_wants_tls(const struct route *const *candidates, size_t n);
/* Whether a candidate has a provider, which has to know what is in a body. */
bool decide_any_ai(const struct route *const *candidates, size_t n);
/* Whether the body of that Content-Type (p NULL: none) is read as JSON (data-plane.md §3.2). */
bool decide_is_json(struct bytes type);

/* Who calls, as far as it is known by the credentials of that set; NULL: nobody. */
typedef const struct consumer *decide_look_up(void *of, const struct consumers *c);
/* Who asks, and whom. */
struct decide_caller {
	decide_look_up *look_up;
	void *of;
	struct bytes host; /* without port */
};
/* Before the body: AUTH_OK when the plugin lets the caller use one of the candidates (at least one). The
 * order in which plugins are asked is that of enum auth_plugin backwards, as Higress runs them. */
enum auth_verdict decide_identify(enum auth_plugin plugin, const struct route *const *candidates,
	size_t n, const struct decide_caller *caller);
/* The verdict of one plugin for one route. */
enum auth_verdict decide_verdict(
	enum auth_plugin plugin, const struct route *r, const struct decide_caller *caller);
/* Who calls, for counts and limits: whom key-auth knows, else whom basic-auth does; NULL: no plugin asks. */
const struct consumer *decide_consumer(const struct route *r, const struct decide_caller *caller);
/* "key-auth.invalid_key"; NULL for AUTH_OK. */
const char *decide_auth_reason(enum auth_plugin plugin, enum auth_verdict v);

/* The host by which routes and rules are found: "a.com." is the name "a.com" written from its root (RFC 3986 §3.2.2), and
 * most servers behind us take it for that, so a rule for a.com must hold for it. */
struct bytes decide_plain_host(struct bytes host);

/* The query that is sent on when that part of it ("key=secret") was a credential: without each parameter
 * of its name. In the arena; p NULL: nothing is left, or there is no room, and rather no query than one
 * with a credential. */
struct bytes decide_query_without(struct bytes query, struct bytes whole, struct arena *a);

/* What conditions on the model see when the body names `name`; returns what is mapped and sent on
 * (data-plane.md §13.1): with addProviderHeader the name is cut at its first '/'. */
struct bytes decide_model(const struct model_router *m, struct bytes name, struct route_model *out);
/* The same where automatic routing chose it (empty: nothing was chosen); other settings are skipped. */
void decide_automatic(const struct model_router *m, struct bytes chosen, struct route_model *out);

/* What is sent to a destination of a route. The model: model-mapper's for (route, service), then the
 * provider's own. What an expression makes of it is put into a. */
struct bytes decide_upstream_model(
	const struct destination *to, struct bytes model, struct arena *a);
/* Whether a request for that API and the model that the client names could be sent there: its provider has the API, and
 * modelDeny does not have the model (empty: none, or not known). */
bool decide_serves(const struct destination *to, enum api api, struct bytes model);
/* Path and query (p NULL: none), appended to out. ERR_UNSUPPORTED: the provider does not serve the API. */
MUST_CHECK int decide_target(const struct route *r, const struct destination *to, enum api api,
	const struct url *url, struct text *out);
/* Host, when the client asked for `host`. */
struct bytes decide_host(const struct route *r, const struct destination *to, struct bytes host);
/* The name for SNI and verification of a connection to `peer` (a name or an address). */
struct bytes decide_tls_name(const struct destination *to, struct bytes peer);
/* The credential that goes with it; p NULL: none. */
struct bytes decide_credential(const struct provider *p);

#endif
