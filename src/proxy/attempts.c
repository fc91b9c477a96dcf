/*
 * A failed attempt leaves nothing behind but a line in the record: what came of its answer is dropped, the gathered body
 * stays as it was, and the fields that its dialect struck out are there again.
 */
#include "proxy/attempts.h"

#include "base/clock.h"
#include "base/num.h"
#include "plan/decide.h"
#include "plan/fallbacks.h"
#include "proxy/concurrency.h"
#include "proxy/gateway_int.h"

/* --- what the course is asked with -------------------------------------------------------------- */

/* APIs whose objects live with the account that made them (data-plane.md §9.1). */
static bool is_stateful(enum api a)
{
	const uint64_t apis = UINT64_C(1) << API_RESPONSES | UINT64_C(1) << API_RETRIEVE_RESPONSE |
		UINT64_C(1) << API_CANCEL_RESPONSE | UINT64_C(1) << API_RESPONSE_INPUT_ITEMS |
		UINT64_C(1) << API_CONVERSATIONS | UINT64_C(1) << API_FILES |
		UINT64_C(1) << API_RETRIEVE_FILE | UINT64_C(1) << API_RETRIEVE_FILE_CONTENT |
		UINT64_C(1) << API_BATCHES | UINT64_C(1) << API_RETRIEVE_BATCH |
		UINT64_C(1) << API_CANCEL_BATCH | UINT64_C(1) << API_FINE_TUNING_JOBS |
		UINT64_C(1) << API_RETRIEVE_FINE_TUNING_JOB |
		UINT64_C(1) << API_FINE_TUNING_JOB_EVENTS |
		UINT64_C(1) << API_FINE_TUNING_JOB_CHECKPOINTS |
		UINT64_C(1) << API_CANCEL_FINE_TUNING_JOB |
		UINT64_C(1) << API_RESUME_FINE_TUNING_JOB |
		UINT64_C(1) << API_PAUSE_FINE_TUNING_JOB;

	return (apis >> a & 1) != 0;
}

/* course_env.serves */
static bool serves(void *of, const struct destination *to)
{
	const struct exchange *x = of;

	return decide_serves(to, x->rq->api, x->rq->model);
}

static struct course_env env_of(struct exchange *x)
{
	const struct request *rq = x->rq;
	struct course_env env = {.now_ms = loop_now_ms(x->w->loop),
		.ends_ms = x->opens_ms == 0 || (x->ends_ms != 0 && x->ends_ms < x->opens_ms)
			? x->ends_ms
			: x->opens_ms,
		.random = &x->w->random,
		.serves = serves,
		.take = concurrency_take,
		.of = x};

	if (rq->consumer != NULL && is_stateful(rq->api)) {
		env.sticky = true;
		env.affinity = course_affinity(rq->consumer->name);
	}
	return env;
}

/* Each worker has turns of its own, which begin by chance: neither many gateways nor many new plans begin
 * with the same destination. */
static const struct destination *pick(struct exchange *x, const struct route *r)
{
	uint32_t *turn = &x->view->turns[r->turns];

	*turn = *turn != 0 ? *turn % r->spread.period + 1
			   : 1 + (uint32_t)random_below(&x->w->random, r->spread.period);
	return route_pick(r, spread_pick(&r->spread, *turn - 1));
}

/* Methods that may be sent twice as they are (RFC 9110 §9.2.2); all others where the route says so. */
static bool may_repeat(const struct request *rq)
{
	enum method m;

	if (rq->route->next.attempts == 0 || rq->route->next.non_idempotent) {
		return true;
	}
	m = method_of(rq->head.method);
	return m != METHOD_POST && m != METHOD_PATCH;
}

/* --- an attempt begins -------------------------------------------------------------------------- */

static enum verdict begin_attempt(struct exchange *x)
{
	struct request *rq = x->rq;
	struct attempt *at = &rq->at;
	const struct course *c = &rq->course;
	const struct provider *p = c->to->provider;

	text_done(&at->target);
	*at = (struct attempt){.to = c->to, .route = course_route(c), .began_us = x->woke_us};
	text_init_with(&at->target, rq->target_room, sizeof(rq->target_room), TARGET_MAX);
	x->rec.attempts++;
	rq->texts.provider = p != NULL ? texts_cut(p->id) : BYTES("");
	if (p != NULL && p->tokens.n != 0) {
		at->credential = p->tokens.v[c->credential];
	}
	if (c->endpoint == NULL) {
		reply_set(x, 503, "config.invalid", "service %.*s has no endpoint",
			BYTES_ARG(c->to->service->name));
		return attempts_failed(x, FAILURE_CONNECT);
	}
	at->cell = c->endpoint->cell;
	if (!c->again && c->to->upstream != NULL && c->to->upstream->lane != NULL) {
		lane_earn(c->to->upstream->lane);
	}
	return VERDICT_NEXT;
}

/* Behind the first one: after the pause, as if nothing had been tried. */
static enum verdict begin_again(struct exchange *x)
{
	struct request *rq = x->rq;

	if (rq->course.pause_ms != 0 && !x->timed_out) {
		if (!timer_is_set(&x->timer)) {
			exchange_deadline(x, rq->course.pause_ms);
		}
		return VERDICT_WAIT;
	}
	timer_clear(x->w->loop, &x->timer);
	x->timed_out = false;
	rq->complete_us = x->woke_us;
	memcpy(rq->strip_fields, rq->strip_chosen, sizeof(rq->strip_fields));
	return begin_attempt(x);
}

static void prepare_choice(struct exchange *x)
{
	struct request *rq = x->rq;

	rq->course.repeats = may_repeat(rq);
	memcpy(rq->strip_chosen, rq->strip_fields, sizeof(rq->strip_chosen));
	if (rq->route->timeout_ms != 0) {
		x->opens_ms = loop_now_ms(x->w->loop) + rq->route->timeout_ms;
	}
	rq->at.to = pick(x, rq->route);
}

/* Somewhere, or in the queue. */
static enum course_move choose(struct exchange *x)
{
	struct request *rq = x->rq;
	struct course_env env = env_of(x);
	enum course_move m = course_begin(&rq->course, rq->route, rq->at.to, &env);

	return m == COURSE_FULL && rq->waits_for == NULL ? course_spill(&rq->course, &env) : m;
}

static enum verdict begin_probe(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct course_env env = env_of(x);

	course_begin_probe(&rq->course, rq->route, probe_credential(x->probe), &env);
	rq->chosen = true;
	return begin_attempt(x);
}

enum verdict step_choose(struct exchange *x)
{
	struct request *rq = x->rq;

	if (rq->chosen) {
		return begin_again(x);
	}
	if (x->probe != NULL) {
		return begin_probe(x);
	}
	if (rq->at.to == NULL) {
		prepare_choice(x);
	}
	if (rq->waits_for != NULL && exchange_is_late(x)) {
		return concurrency_wait(x); /* also when a place has just come free */
	}
	if (!course_begin_plain(&rq->course, rq->route, rq->at.to) && choose(x) == COURSE_FULL) {
		return concurrency_wait(x);
	}
	concurrency_leave(x);
	rq->chosen = true;
	x->w->counts.fallbacks += rq->course.fallback != NULL;
	return begin_attempt(x);
}

/* --- what is recorded --------------------------------------------------------------------------- */

static void put_member(struct text *t, const char *name, struct bytes value)
{
	if (value.n != 0) {
		text_addf(t, ",\"%s\":\"", name);
		text_add_json(t, value);
		text_add_char(t, '"');
	}
}

static void put_usage(struct text *t, const struct usage *u)
{
	if (u->known) {
		text_addf(t, ",\"input_token\":%llu,\"output_token\":%llu",
			(unsigned long long)u->input, (unsigned long long)u->output);
	}
}

/* One line of the record: an object of the list "tries". */
static void record(struct exchange *x, const struct failure *f)
{
	const struct request *rq = x->rq;
	struct record_more *m = texts_more(x);
	struct text *t = &m->tries;
	size_t before = t->n;

	if (m->n_tries++ == 0) {
		text_init(t, ATTEMPTS_TRIES_MAX);
	}
	text_addf(t, "%s{\"class\":\"%s\"", before != 0 ? "," : "", failure_class_name(f->class));
	if (f->status != 0) {
		text_addf(t, ",\"status\":%u", f->status);
	}
	put_member(t, "provider", rq->texts.provider);
	put_member(t, "upstream", x->up != NULL ? rq->texts.upstream : rq->at.to->service->name);
	put_member(t, "credential", lane_last_four(rq->at.credential));
	put_member(t, "model", rq->texts.upstream_model);
	text_addf(t, ",\"ms\":%llu",
		(unsigned long long)((loop_now_us(x->w->loop) - rq->at.began_us) / 1000));
	put_usage(t, &x->rec.usage);
	text_add_char(t, '}');
	if (text_full(t)) {
		t->n = before;
		t->full = false;
	}
}

/* --- an attempt failed -------------------------------------------------------------------------- */

/* What is sent is all there still. */
static bool can_send_again(const struct exchange *x)
{
	const struct request *rq = x->rq;

	return rq->gathers || !rq->head.has_body ||
		(x->rec.bytes_in == 0 && (rq->upload == NULL || upload_is_whole(x)));
}

/* Nothing of its answer is left. */
static void clean(struct exchange *x)
{
	if (x->answer_state != NULL) {
		x->w->opts->hooks->dialect->done(x);
		x->answer_state = NULL;
	}
	chain_give(&x->w->pool, &x->answer.chain);
	reshape_end(x);
	unpack_end(x);
	x->answer.ready = 0;
	x->has_event = x->saw_done = x->is_sse = x->reads_answer = false;
	x->ended_with_cr = false;
	x->sent_ahead = 0;
	x->last_verdict = 0;
	x->rec.usage = (struct usage){.known = false};
	x->rec.stream = false;
	x->rec.status = 0;
	list_remove(&x->rq->wait_link);
	timer_clear(x->w->loop, &x->timer);
	x->timed_out = false;
}

/* Blames and records; true: another attempt follows. */
COLD static bool fail(struct exchange *x, const struct failure *f)
{
	struct course *c = &x->rq->course;
	struct course_env env = env_of(x);

	x->rq->judged = true;
	if (course_bad(c, f, env.now_ms)) {
		/* Behind the words of health, which control reads when it sees this. */
		atomic_store_explicit(&x->w->gateway->ailing, true, memory_order_release);
	}
	x->w->counts.failed[f->class] += x->probe == NULL;
	if (x->probe != NULL || !can_send_again(x) || course_next(c, f, &env) == COURSE_END) {
		x->rec.failure = (uint8_t)f->class;
		return false;
	}
	concurrency_give_former(x);
	x->w->counts.retries++;
	x->w->counts.fallbacks += c->fallback != NULL;
	record(x, f);
	clean(x);
	x->rq->judged = x->rq->doubtful = false;
	return true;
}

enum verdict attempts_failed(struct exchange *x, enum failure_class class)
{
	const struct stream *up = x->up;
	struct failure f = {.class = class,
		.connecting = up == NULL || !up->connected,
		.status = up != NULL && up->head != NULL ? (uint16_t)up->head->status : 0};

	return fail(x, &f) ? VERDICT_RETRY : VERDICT_REPLY;
}

/* --- an answer is a failure --------------------------------------------------------------------- */

static struct bytes field_of(const struct head *h, struct bytes name)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (bytes_eq_nocase(head_name(h, i), name)) {
			return head_value(h, i);
		}
	}
	return (struct bytes){NULL, 0};
}

static struct failure classify(
	struct exchange *x, struct bytes body, bool event, struct bytes event_name)
{
	const struct head *h = x->up->head;
	const struct provider *p = x->rq->at.to->provider;
	struct failure f = {.status = (uint16_t)h->status};
	const struct failure_facts facts = {.type = p != NULL ? p->type : NULL,
		.status = h->status,
		.retry_after = head_get(h, FIELD_RETRY_AFTER),
		.retry_after_ms = field_of(h, BYTES("retry-after-ms")),
		.rate_reset = field_of(h, BYTES("x-ratelimit-reset-requests")),
		.date = field_of(h, BYTES("date")),
		.query = x->w->opts->hooks->failure_query,
		.has_credential = x->rq->at.credential.n != 0,
		.body = body,
		.event = event,
		.event_name = event_name,
		.wall_ms = clock_wall_ms()};

	x->w->opts->hooks->dialect->classify(&facts, &f);
	return f;
}

/* Whether it matters why it failed: somebody may be blamed, or asked instead. */
static bool wants_why(const struct request *rq)
{
	const struct provider *p = rq->at.to->provider;

	return p != NULL &&
		(p->failover.enabled || p->retry.enabled || rq->route->next.attempts != 0 ||
			rq->at.route->fallback != NULL || rq->course.fallback != NULL);
}

/* There is more of it to come, and room for it. */
static bool is_on_its_way(const struct exchange *x)
{
	const struct stream *up = x->up;

	return up->in == STREAM_IN_BODY && up->body.n < FAILURE_BODY_MAX && !x->timed_out;
}

/* Not inlined: what is not an error should not pay for the room. */
static __attribute__((noinline)) enum verdict judge(struct exchange *x)
{
	struct stream *up = x->up;
	char room[FAILURE_BODY_MAX];
	size_t n = MIN(up->body.n, sizeof(room));
	struct failure f;

	if (!x->rq->at.judging) {
		x->rq->at.judging = true;
		exchange_deadline(x, FAILURE_BODY_MS);
	}
	if (wants_why(x->rq) && is_on_its_way(x)) {
		return head_keep(up->head, &x->rq->arena) ? VERDICT_WAIT : VERDICT_NEXT;
	}
	timer_clear(x->w->loop, &x->timer);
	x->timed_out = false;
	chain_copy(&up->body, 0, n, room);
	f = classify(x, unpack_coding(up->head) == BODY_PLAIN ? bytes_of(room, n) : BYTES(""),
		false, BYTES(""));
	return fail(x, &f) ? VERDICT_RETRY : VERDICT_NEXT;
}

enum verdict step_judge(struct exchange *x)
{
	return x->up->head->status < 400 ? VERDICT_NEXT : judge(x);
}

enum beginning { BEGINS_OTHERWISE, BEGINS_SO_FAR, BEGINS };

/* `begin` with blanks anywhere in b; BEGINS_SO_FAR: as far as b goes. */
static enum beginning begins_with(struct bytes b, const char *begin)
{
	for (size_t i = 0; i < b.n && *begin != '\0'; i++) {
		char ch = b.p[i];

		if (ch == *begin) {
			begin++;
		} else if (ch != ' ' && ch != '\t' && ch != '\r' && ch != '\n') {
			return BEGINS_OTHERWISE;
		}
	}
	return *begin == '\0' ? BEGINS : BEGINS_SO_FAR;
}

/* As vendors begin what they did not mean to send with a 2xx. */
static enum beginning begins_as_error(struct bytes body)
{
	static const char *const errors[] = {"{\"error", "{\"type\":\"error\"", "{\"code\"",
		"{\"message\"", "{\"base_resp\"", "{\"detail\"", "{\"Response\":{\"Error\"",
		"[{\"error\""};
	enum beginning most = BEGINS_OTHERWISE;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		most = MAX(most, begins_with(body, errors[i]));
	}
	return most;
}

bool attempts_look_twice(struct bytes body, struct bytes event_name)
{
	return begins_as_error(body) == BEGINS || bytes_eq(event_name, BYTES("error"));
}

/* What is no answer although it says so is an error whether or not it has a policy: its endpoint is blamed, and the access line
 * names it. */
bool attempts_wait_for_why(struct exchange *x, struct bytes begin)
{
	if (!is_on_its_way(x) ||
		(begins_as_error(begin) == BEGINS_OTHERWISE && !attempts_want_filtered(x->rq))) {
		return false;
	}
	if (!x->rq->at.judging) {
		x->rq->at.judging = true;
		exchange_deadline(x, FAILURE_BODY_MS);
	}
	return true;
}

enum verdict attempts_doubt(
	struct exchange *x, struct bytes body, bool event, struct bytes event_name)
{
	struct failure f = classify(x, body, event, event_name);

	return f.class != FAILURE_NONE && fail(x, &f) ? VERDICT_RETRY : VERDICT_NEXT;
}

/* --- the end ------------------------------------------------------------------------------------ */

void attempts_commit(struct exchange *x)
{
	if (!x->rq->judged) {
		x->rq->judged = true;
		if (course_is_quiet(&x->rq->course)) {
			return;
		}
		course_good(&x->rq->course, loop_now_ms(x->w->loop));
	}
}

void attempts_leave(struct exchange *x)
{
	if (x->rq != NULL) {
		concurrency_leave(x);
	}
	if (x->rq != NULL && x->rq->chosen && !x->rq->judged) {
		course_leave(&x->rq->course, loop_now_ms(x->w->loop));
	}
}

void attempts_add_more(struct exchange *x, struct head_out *out, char digits[ATTEMPTS_DIGITS])
{
	const struct course *c = &x->rq->course;

	head_out_add(out, BYTES("x-sluice-attempts"),
		bytes_of(digits, num_format_u64(digits, c->attempts)));
	if (c->fallback != NULL) {
		char *second = digits + ATTEMPTS_DIGITS / 2;

		head_out_add(out, BYTES(FALLBACKS_HEADER), c->fallback->from);
		head_out_add(out, BYTES("x-sluice-fallback"),
			bytes_of(second, num_format_u64(second, c->fallen)));
	}
}
