#include "hiclaw/activation.h"

#include <stdio.h>

#define CONNECT_MS 5000u
#define LARGER 16u
#define BODY_MAX (MODEL_ID_MAX * 6u + 512u)

static void ask(struct activation *a);

static void end(struct activation *a, enum activation_state state)
{
	a->state = state;
	a->running = false;
	a->on_done(a);
}

static enum activation_state state_at_the_end(const struct activation *a)
{
	if (a->status == 0) {
		return ACTIVATION_SILENT;
	}
	return a->kind == REACH_AUTH || a->status == 404 ? ACTIVATION_REFUSED : ACTIVATION_FAILED;
}

static void on_time(struct timer *t)
{
	ask(CONTAINER_OF(t, struct activation, timer));
}

/* Not yet: again after a while, or nothing more is to be hoped for. */
static void wait(struct activation *a)
{
	uint64_t wait_ms = a->wait_ms;

	if (a->ms + wait_ms >= a->total_ms || a->silent >= ACTIVATION_SILENT_MAX) {
		end(a, state_at_the_end(a));
		return;
	}
	a->wait_ms = MIN(wait_ms * 2, (uint64_t)ACTIVATION_LAST_MS);
	timer_set(a->loop, &a->timer, wait_ms, on_time);
}

static enum probe_failure failure_of(enum fetch_rc rc)
{
	switch (rc) {
	case FETCH_NO_NAME:
		return PROBE_DNS;
	case FETCH_NO_TLS:
		return PROBE_TLS;
	case FETCH_TIMEOUT:
		return PROBE_TIMEOUT;
	case FETCH_PROTOCOL:
		return PROBE_PROTOCOL;
	case FETCH_NO_CONNECTION:
	case FETCH_REFUSED:
	case FETCH_BROKEN:
		return PROBE_CONNECT;
	case FETCH_DONE:
		break;
	}
	return PROBE_ANSWERED;
}

/* Each of the two reasons to ask at once, in another way, counts once. */
static bool is_to_ask_otherwise(struct activation *a, const struct reach_verdict *v)
{
	if (v->again_other && !a->other) {
		a->other = true;
		a->limit = a->limit == REACH_MAX_TOKENS ? REACH_MAX_COMPLETION_TOKENS
							: REACH_MAX_TOKENS;
		return true;
	}
	if (v->again_larger && !a->larger) {
		a->larger = true;
		return true;
	}
	return false;
}

static void judge(struct activation *a, const struct fetch *f, struct reach_verdict *v)
{
	struct strings secrets = {.v = &a->secret, .n = a->secret.n != 0};
	struct probe p = {
		.failure = failure_of(f->rc), .status = f->status, .body_got = f->body_in};

	snprintf(p.why, sizeof(p.why), "%s", f->why.text);
	reach_judge(&p, a->model, &secrets, v, a->why);
	a->kind = v->kind;
	a->rate_limited = v->rate_limited;
	a->status = f->rc == FETCH_DONE ? f->status : 0;
	a->silent = a->status == 0 ? a->silent + 1 : 0;
}

static void on_answer(struct fetch *f)
{
	struct activation *a = f->arg;
	struct reach_verdict v;

	a->attempts++;
	judge(a, f, &v);
	fetch_done(f);
	a->ms = loop_now_ms(a->loop) - a->began_ms;
	if (v.ok) {
		end(a, ACTIVATION_VERIFIED);
	} else if (is_to_ask_otherwise(a, &v)) {
		ask(a);
	} else {
		wait(a);
	}
}

static void ask(struct activation *a)
{
	struct fetch *f = &a->fetch;

	text_clear(&a->body);
	reach_body(a->model, a->limit, a->larger ? LARGER : 1, &a->body);
	*f = (struct fetch){.tls = a->tls,
		.host = a->host,
		.port = a->port,
		.method = BYTES("POST"),
		.target = a->target,
		.body = text_bytes(&a->body),
		.connect_ms = CONNECT_MS,
		.timeout_ms = ACTIVATION_ANSWER_MS,
		.answer_max = PROBE_ANSWER_MAX,
		.on_done = on_answer,
		.arg = a};
	fetch_add(f, BYTES("Host"), a->authority);
	fetch_add(f, BYTES("Accept"), BYTES("application/json"));
	fetch_add(f, BYTES("Content-Type"), BYTES("application/json"));
	if (a->field.n != 0) {
		fetch_add(f, a->field, a->value);
	}
	fetch_start(a->fetcher, f);
}

void activation_start(struct activation *a)
{
	text_init(&a->body, BODY_MAX);
	a->state = ACTIVATION_PENDING;
	a->limit = reach_limit_of(a->model);
	a->wait_ms = ACTIVATION_FIRST_MS;
	a->began_ms = loop_now_ms(a->loop);
	a->running = true;
	ask(a);
}

void activation_cancel(struct activation *a)
{
	if (a->running) {
		a->running = false;
		timer_clear(a->loop, &a->timer);
		if (list_linked(&a->fetch.link)) {
			fetch_cancel(&a->fetch);
		}
	}
}

void activation_done(struct activation *a)
{
	ASSERT(!a->running);
	fetch_done(&a->fetch);
	text_done(&a->body);
}
