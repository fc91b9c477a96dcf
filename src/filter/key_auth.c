#include "filter/key_auth.h"

#include <stdio.h>

#include "filter/credential.h"

/* The statuses and texts of data-plane.md §11; scripts look for them. */
static bool refuse(struct exchange *x, const struct route *r, enum auth_verdict v)
{
	struct bytes realm = auth_rule_for(&r->auth, x->rq->host)->consumers->realm;
	const char *scheme = v == AUTH_UNKNOWN ? "Key" : "Basic";
	const char *reason = decide_auth_reason(AUTH_KEY, v);

	if (v == AUTH_UNUSABLE) {
		reply_set(x, 503, reason,
			"the key-auth configuration of this route is invalid; its administrator must mend it");
		return false;
	}
	snprintf(x->rq->reply.authenticate, sizeof(x->rq->reply.authenticate),
		"%s realm=" BYTES_FMT, scheme, BYTES_ARG(realm));
	if (v == AUTH_UNKNOWN) {
		reply_set(x, 401, reason, "Request denied by Key Auth check. Invalid API key");
	} else {
		reply_set(
			x, 403, reason, "Request denied by Key Auth check. Unauthorized consumer");
	}
	return false;
}

/* Before a body byte is read: is there a candidate that this caller may use? */
static bool identify(struct exchange *x)
{
	const struct decide_caller caller = credential_caller(x);
	struct request *rq = x->rq;
	enum auth_verdict v = decide_identify(AUTH_KEY, rq->candidates, rq->n_candidates, &caller);

	return v == AUTH_OK || refuse(x, rq->candidates[0], v);
}

static bool allows(struct exchange *x, const struct route *r)
{
	const struct decide_caller caller = credential_caller(x);

	return decide_verdict(AUTH_KEY, r, &caller) == AUTH_OK;
}

/* The final route's own verdict; only a route that asks gives the exchange a consumer. */
static bool decide(struct exchange *x)
{
	const struct decide_caller caller = credential_caller(x);
	const struct route *r = x->rq->route;
	enum auth_verdict v = decide_verdict(AUTH_KEY, r, &caller);

	if (v != AUTH_OK) {
		return refuse(x, r, v);
	}
	x->rq->consumer = decide_consumer(r, &caller);
	return true;
}

const struct filter filter_key_auth = {
	.name = "key-auth",
	.identify = identify,
	.allows = allows,
	.decide = decide,
};
