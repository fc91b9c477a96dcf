/*
 * Whether the agent reaches its model with the routes as they are now. Here the plan is asked, which costs nothing. At
 * another gateway (placement P4) only a request tells: one of a single token in the agent's own name, until it is
 * answered, because a change takes a while there until it is active.
 */
#include "hiclaw/consumer_key.h"
#include "hiclaw/switch_int.h"

#include "wire/url.h"

#define TARGET "/v1/chat/completions"
/* A Higress does not say more, and its answer may be of the route that was there before. */
#define ANSWERED "answered by the gateway; which provider is unknown"

static const char *const states[] = {
	[VERIFICATION_UNASKED] = "not asked",
	[VERIFICATION_PENDING] = "pending",
	[VERIFICATION_DONE] = "verified",
	[VERIFICATION_NONE] = "not verified",
};

/* "http://host:port" without its scheme. */
struct bytes switch_authority(struct bytes url)
{
	const char *p = memchr(url.p, '/', url.n);
	struct bytes rest = url;

	if (p != NULL && bytes_starts(bytes_of(p, (size_t)(url.p + url.n - p)), BYTES("//"))) {
		rest = bytes_of(p + 2, (size_t)(url.p + url.n - p) - 2);
	}
	return bytes_cut(&rest, '/');
}

static const struct doc *consumer_of(struct switch_run *r)
{
	const struct doc *c = doc_first(&r->arena, r->lists[OPS_CONSUMER]);

	while (c != NULL && !bytes_eq(doc_peek(c, "name", BYTES("")), r->consumer)) {
		c = c->next;
	}
	return c;
}

static enum step_rc verify_here(struct switch_run *r)
{
	struct resolve_request rq = {.host = switch_authority(r->h->env->gateway_url),
		.path = BYTES(TARGET),
		.consumer = r->consumer,
		.model = r->plan.model,
		.provider = r->ask.provider};
	struct resolve_answer a;

	if (r->s->world.resolve(r->h, &rq, &r->arena, &a) != 0) {
		switch_outcome(r, OUTCOME_WARNED, "the gateway's plan cannot be asked");
		return STEP_NEXT;
	}
	if (!a.allowed || !a.reached) {
		return switch_fail(r, HICLAW_ROUTE_CONFLICT,
			"With these routes " BYTES_FMT " would not reach " BYTES_FMT
			" at " BYTES_FMT ": " BYTES_FMT,
			BYTES_ARG(r->consumer), BYTES_ARG(r->ask.model), BYTES_ARG(r->ask.provider),
			BYTES_ARG(a.text));
	}
	return STEP_NEXT;
}

/* --- at another gateway --------------------------------------------------------------------------------- */

/* A Console that shows no keys: what HiClaw itself says. */
static bool take_key(struct switch_run *r, const struct doc *consumer)
{
	struct bytes own = r->manager ? r->h->env->secrets.manager_key : r->found.worker_key;
	struct consumer_key key;

	if (!consumer_key_of(&r->arena, consumer, &key) &&
		!consumer_key_bearer(&r->arena, own, &key)) {
		return false;
	}
	r->activation.field = key.field;
	r->activation.value = key.value;
	r->activation.secret = key.secret;
	return true;
}

static bool aim(struct switch_run *r)
{
	struct bytes text = r->h->env->gateway_url;
	struct activation *a = &r->activation;
	struct bytes host;
	struct url u;

	if (url_parse(&u, text, NULL) != 0) {
		return false;
	}
	host = u.host;
	if (host.p[0] == '[') { /* an IPv6 address is connected to without brackets */
		host = bytes_of(host.p + 1, host.n - 2);
	}
	a->tls = bytes_eq_nocase(u.scheme, BYTES("https"));
	a->host = arena_copy(&r->arena, host).p;
	a->port = u.port != 0 ? u.port : a->tls ? 443 : 80;
	a->authority = switch_authority(text);
	/* As the agent asks: its base URL is this one, with /v1 behind it. */
	a->target = switch_textf(r, BYTES_FMT TARGET, BYTES_ARG(u.path));
	return true;
}

static enum step_rc not_verified(struct switch_run *r, struct bytes why)
{
	switch_outcome(r, OUTCOME_WARNED, "not verified: " BYTES_FMT, BYTES_ARG(why));
	switch_warn(r, "NOT_VERIFIED",
		"Whether the other gateway brings " BYTES_FMT " to " BYTES_FMT
		" was not verified: " BYTES_FMT,
		BYTES_ARG(r->consumer), BYTES_ARG(r->ask.model), BYTES_ARG(why));
	r->verification = VERIFICATION_NONE;
	r->unverified = why;
	return STEP_NEXT;
}

/* Whether routes go back when the gateway's answers are none of the model: the Manager without its model is down. */
static bool is_strict(const struct switch_run *r)
{
	return r->activation.state == ACTIVATION_REFUSED ||
		((r->manager || r->ask.strict) && !r->ask.skip_test);
}

static enum step_rc judge_activation(struct switch_run *r)
{
	const struct activation *a = &r->activation;

	if (a->state == ACTIVATION_VERIFIED) {
		r->verification = VERIFICATION_DONE;
		if (a->rate_limited) {
			switch_warn(r, "RATE_LIMITED", "The other gateway answers, and says: %s",
				a->why);
		}
		switch_outcome(r, OUTCOME_DONE, ANSWERED ": request %u at " BYTES_FMT, a->attempts,
			BYTES_ARG(a->authority));
		return STEP_NEXT;
	}
	r->verification = VERIFICATION_NONE;
	if (a->state == ACTIVATION_SILENT || r->ask.force || !is_strict(r)) {
		return not_verified(
			r, switch_textf(r, "%s, at " BYTES_FMT, a->why, BYTES_ARG(a->authority)));
	}
	r->details = doc_map(&r->arena);
	doc_set(&r->arena, r->details, "kind", doc_str(&r->arena, reach_kind_text(a->kind)));
	doc_set(&r->arena, r->details, "status", doc_int(&r->arena, a->status));
	return switch_fail(r, HICLAW_MODEL_NOT_REACHABLE,
		"Model not reachable: for %llu s the gateway at " BYTES_FMT " answered " BYTES_FMT
		" with %s",
		(unsigned long long)(a->ms / 1000), BYTES_ARG(a->authority), BYTES_ARG(r->consumer),
		a->why);
}

static void on_active(struct activation *a)
{
	struct switch_run *r = a->arg;

	switch_resume(r, judge_activation(r));
}

static enum step_rc verify_there(struct switch_run *r, const struct doc *consumer)
{
	if (r->ask.why == SWITCH_DRIFT || r->ask.why == SWITCH_IDLE) {
		switch_outcome(r, OUTCOME_SKIPPED, "it was verified when it was assigned");
		return STEP_NEXT;
	}
	if (r->h->env->verify_s == 0) {
		return not_verified(r, BYTES("SLUICE_VERIFY_SECONDS is 0"));
	}
	if (!aim(r)) {
		return not_verified(r, BYTES("HICLAW_AI_GATEWAY_URL is no URL of http or https"));
	}
	if (!take_key(r, consumer)) {
		return not_verified(r, BYTES("the consumer's key is not known here"));
	}
	r->activation.loop = r->h->loop;
	r->activation.fetcher = r->h->fetcher;
	r->activation.model = r->plan.model;
	r->activation.total_ms = r->h->env->verify_s * 1000;
	r->activation.on_done = on_active;
	r->activation.arg = r;
	r->verification = VERIFICATION_PENDING;
	activation_start(&r->activation);
	return STEP_WAIT;
}

enum step_rc switch_verify(struct switch_run *r)
{
	const struct doc *consumer = consumer_of(r);

	if (consumer == NULL) {
		switch_outcome(r, OUTCOME_WARNED, "there is no consumer " BYTES_FMT,
			BYTES_ARG(r->consumer));
		switch_warn(r, "CONSUMER_MISSING",
			"There is no consumer " BYTES_FMT
			" yet, so nobody can ask for the model in its name",
			BYTES_ARG(r->consumer));
		return STEP_NEXT;
	}
	return r->h->opts.remote != NULL ? verify_there(r, consumer) : verify_here(r);
}

struct doc *switch_verify_doc(const struct switch_run *r, struct arena *a)
{
	const struct activation *v = &r->activation;
	struct doc *d = doc_map(a);

	doc_set(a, d, "state", doc_str(a, states[r->verification]));
	doc_set(a, d, "attempts", doc_int(a, v->attempts));
	doc_set(a, d, "ms", doc_int(a, (int64_t)v->ms));
	if (r->verification == VERIFICATION_DONE) {
		doc_set(a, d, "note", doc_str(a, ANSWERED));
	} else {
		doc_set(a, d, "reason",
			doc_string_copy(
				a, r->unverified.n != 0 ? r->unverified : bytes_str(v->why)));
	}
	return d;
}

struct doc *switch_verifying(const struct switches *s, struct bytes target, struct arena *a)
{
	for (struct list *i = s->runs.next; i != &s->runs; i = i->next) {
		const struct switch_run *r = CONTAINER_OF(i, struct switch_run, link);

		if (r->verification == VERIFICATION_PENDING && bytes_eq(r->ask.target, target)) {
			return switch_verify_doc(r, a);
		}
	}
	return NULL;
}
