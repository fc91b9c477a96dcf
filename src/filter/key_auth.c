/*
 * The credential is looked up once per set of consumers (nearly always there is one set). What held it
 * is not sent on: the header is left out, the query parameter is cut, also on routes that ask nobody.
 */
#include "filter/key_auth.h"

#include <stdio.h>

#include "plan/decide.h"
#include "proxy/exchange.h"

/* Each field of that name: a client that repeats it would send the credential on. */
static void strip_all(struct exchange *x, struct bytes name)
{
	const struct head *h = &x->rq->head;

	for (unsigned i = 0; i < h->n_fields; i++) {
		if (bytes_eq_nocase(head_name(h, i), name)) {
			exchange_strip(x, i);
		}
	}
}

static const struct consumer *look_up(void *of, const struct consumers *c)
{
	struct exchange *x = of;
	struct request *rq = x->rq;
	const struct head *h = &rq->head;
	struct auth_header headers[128];
	struct auth_query q = {.headers = headers, .query = rq->url.query};
	struct auth_hit hit;

	if (rq->asked == c) {
		return rq->found;
	}
	rq->asked = c;
	rq->found = NULL;
	q.n_headers = MIN(h->n_fields, ARRAY_LEN(headers));
	for (unsigned i = 0; i < q.n_headers; i++) {
		headers[i] =
			(struct auth_header){head_name(h, i), head_value(h, i), h->fields[i].id};
	}
	if (c->n == 0 || !auth_identify(c, &q, &hit)) {
		return NULL;
	}
	if (hit.source == KEY_IN_HEADER) {
		strip_all(x, head_name(h, (unsigned)hit.header));
	} else {
		rq->query = decide_query_without(rq->query, hit.whole, &rq->arena);
	}
	rq->found = hit.consumer;
	return hit.consumer;
}

/* The statuses and texts of data-plane.md §11; scripts look for them. */
static bool refuse(struct exchange *x, const struct route *r, enum auth_verdict v)
{
	struct bytes realm = r->auth.consumers->realm;
	const char *scheme = v == AUTH_UNKNOWN ? "Key" : "Basic";

	if (v == AUTH_UNUSABLE) {
		reply_set(x, 503, "config.invalid",
			"the key-auth configuration of this route is invalid; its administrator must mend it");
		return false;
	}
	snprintf(x->rq->reply.authenticate, sizeof(x->rq->reply.authenticate),
		"%s realm=" BYTES_FMT, scheme, BYTES_ARG(realm));
	if (v == AUTH_UNKNOWN) {
		reply_set(x, 401, "key-auth.invalid_key",
			"Request denied by Key Auth check. Invalid API key");
	} else {
		reply_set(x, 403, "key-auth.unauthorized",
			"Request denied by Key Auth check. Unauthorized consumer");
	}
	return false;
}

/* Before a body byte is read: is there a candidate that this caller may use? */
static bool identify(struct exchange *x)
{
	struct request *rq = x->rq;
	enum auth_verdict v = decide_identify(rq->candidates, rq->n_candidates, look_up, x);

	return v == AUTH_OK || refuse(x, rq->candidates[0], v);
}

static bool allows(struct exchange *x, const struct route *r)
{
	return auth_verdict(&r->auth, look_up(x, r->auth.consumers)) == AUTH_OK;
}

/* The final route's own verdict; only a route that asks gives the exchange a consumer. */
static bool decide(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct route *r = rq->route;
	const struct consumer *c = look_up(x, r->auth.consumers);
	enum auth_verdict v = auth_verdict(&r->auth, c);

	if (v != AUTH_OK) {
		return refuse(x, r, v);
	}
	rq->consumer = r->auth.need != AUTH_PASS ? c : NULL;
	return true;
}

const struct filter filter_key_auth = {
	.name = "key-auth",
	.identify = identify,
	.allows = allows,
	.decide = decide,
};
