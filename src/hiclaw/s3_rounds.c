/* A timer and a call, of which one at most is under way. */
#include "hiclaw/s3_rounds.h"

#include "base/log.h"

static void on_time(struct timer *t)
{
	struct s3_rounds *r = CONTAINER_OF(t, struct s3_rounds, timer);

	r->begin(r);
}

static void rest(struct s3_rounds *r)
{
	arena_done(&r->page);
	timer_set(r->loop, &r->timer, r->every_ms, on_time);
}

void s3_rounds_start(struct s3_rounds *r)
{
	timer_set(r->loop, &r->timer, 0, on_time);
}

void s3_rounds_stop(struct s3_rounds *r)
{
	timer_clear(r->loop, &r->timer);
	if (r->calling) {
		s3_cancel(&r->call);
	}
	s3_call_done(&r->call);
	arena_done(&r->page);
}

static void on_answer(struct s3_call *call)
{
	struct s3_rounds *r = call->arg;

	r->calling = false;
	r->on_done(r);
}

void s3_rounds_ask(struct s3_rounds *r, enum s3_verb verb, struct bytes key, bool deep,
	void (*on_done)(struct s3_rounds *r))
{
	s3_call_done(&r->call);
	if (verb == S3_LIST) {
		arena_done(&r->page);
		arena_init(&r->page, S3_ROUNDS_PAGE_MAX);
	}
	r->call = (struct s3_call){.verb = verb,
		.key = key,
		.deep = deep,
		.arena = &r->page,
		.on_done = on_answer,
		.arg = r};
	r->on_done = on_done;
	r->calling = true;
	s3_start(r->s3, &r->call);
}

bool s3_rounds_is_outage(const struct s3_rounds *r)
{
	return r->call.rc == S3_UNREACHABLE || r->call.rc == S3_NO_KEYS;
}

void s3_rounds_fail(struct s3_rounds *r)
{
	if (r->why.text[0] == '\0') {
		log_warn("hiclaw", "%s: %s", r->what, r->call.why.text);
	}
	r->why = r->call.why;
	rest(r);
}

void s3_rounds_end(struct s3_rounds *r)
{
	r->why = (struct fault){0};
	rest(r);
}

struct bytes s3_rounds_why(const struct s3_rounds *r)
{
	return bytes_str(r->why.text);
}
