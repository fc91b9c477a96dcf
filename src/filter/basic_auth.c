/*
 * A plan without the plugin costs one look. With it, a browser is asked for a password by the field that
 * it understands: the realm is quoted, unlike key-auth's, whose text scripts know.
 */
#include "filter/basic_auth.h"

#include "filter/credential.h"
#include "proxy/worker.h"

static bool is_on(const struct exchange *x)
{
	return x->view->plan->has_basic;
}

/* Basic realm="…", charset="UTF-8" (RFC 7617 §2.1). A realm that is too long is cut. */
static void ask(struct exchange *x, struct bytes realm)
{
	static const char end[] = "\", charset=\"UTF-8\"";
	char *room = x->rq->reply.authenticate;
	size_t max = sizeof(x->rq->reply.authenticate) - sizeof(end);
	struct text t;

	text_init_fixed(&t, room, sizeof(x->rq->reply.authenticate) - 1);
	text_add_str(&t, "Basic realm=\"");
	for (size_t i = 0; i < realm.n && t.n + 2 <= max; i++) {
		if (realm.p[i] == '"' || realm.p[i] == '\\') {
			text_add_char(&t, '\\');
		}
		text_add_char(&t, realm.p[i]);
	}
	text_add_str(&t, end);
	room[t.n] = '\0';
}

/* The texts are those of Higress's plugin. */
static bool refuse(struct exchange *x, const struct route *r, enum auth_verdict v)
{
	struct bytes sent = head_get(&x->rq->head, FIELD_AUTHORIZATION);
	const char *reason = decide_auth_reason(AUTH_BASIC, v);

	if (v == AUTH_UNUSABLE) {
		reply_set(x, 503, reason,
			"the basic-auth configuration of this route is invalid; its administrator must "
			"mend it");
		return false;
	}
	ask(x, auth_rule_for(&r->basic, x->rq->host)->consumers->realm);
	if (v == AUTH_REFUSED) {
		reply_set(x, 403, reason,
			"Request denied by Basic Auth check. Unauthorized consumer");
	} else if (auth_basic_text(sent).p == NULL) {
		reply_set(x, 401, reason,
			"Request denied by Basic Auth check. No Basic Authentication information "
			"found.");
	} else {
		reply_set(x, 401, reason,
			"Request denied by Basic Auth check. Invalid username and/or password");
	}
	return false;
}

static bool identify(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct decide_caller caller = credential_caller(x);
	enum auth_verdict v;

	if (!is_on(x)) {
		return true;
	}
	v = decide_identify(AUTH_BASIC, rq->candidates, rq->n_candidates, &caller);
	return v == AUTH_OK || refuse(x, rq->candidates[0], v);
}

static bool allows(struct exchange *x, const struct route *r)
{
	const struct decide_caller caller = credential_caller(x);

	return !is_on(x) || decide_verdict(AUTH_BASIC, r, &caller) == AUTH_OK;
}

static bool decide(struct exchange *x)
{
	const struct decide_caller caller = credential_caller(x);
	const struct route *r = x->rq->route;
	enum auth_verdict v = is_on(x) ? decide_verdict(AUTH_BASIC, r, &caller) : AUTH_OK;

	if (v != AUTH_OK) {
		return refuse(x, r, v);
	}
	x->rq->consumer = decide_consumer(r, &caller);
	return true;
}

const struct filter filter_basic_auth = {
	.name = "basic-auth",
	.identify = identify,
	.allows = allows,
	.decide = decide,
};
