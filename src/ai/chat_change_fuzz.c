/*
 * The input: a byte for what is done and in which pieces, then an answer, or the data of events line by line. What
 * is made of JSON is JSON, what is none passes as it is, and nothing of it is lost.
 */
#include <stdlib.h>

#include "ai/aggregate.h"
#include "ai/chat_read.h"
#include "ai/promote.h"
#include "proxy/worker.h"

#define INPUT_MAX 8000u

struct scene {
	struct worker worker;
	struct gateway_opts opts;
	struct hooks hooks;
	struct json_query *query;
	struct request rq;
	struct exchange x;
};

static void begin(struct scene *s, enum answer_way way)
{
	memset(s, 0, sizeof(*s));
	s->query = chat_query();
	s->hooks.chat_query = s->query;
	s->opts.hooks = &s->hooks;
	s->worker.opts = &s->opts;
	segpool_init(&s->worker.pool, (size_t)16 << 20);
	s->x.w = &s->worker;
	s->x.rq = &s->rq;
	s->x.answer.pool = &s->worker.pool;
	ASSERT(reshape_begin(&s->x, way));
}

/* What was put, in one piece. */
static void end(struct scene *s, struct text *out)
{
	struct chain *c = &s->x.answer.chain;
	char *room = must_alloc(c->n + 1);

	ASSERT(reshape_settle(&s->x) == 0);
	chain_copy(c, 0, c->n, room);
	text_add(out, room, c->n);
	free(room);
	chain_give(&s->worker.pool, c);
	reshape_end(&s->x);
	segpool_done(&s->worker.pool);
	json_query_free(s->query);
}

static bool is_json(struct bytes b)
{
	return json_scan_all(NULL, b, NULL, NULL) == 0;
}

static void change_whole(struct bytes answer, size_t piece)
{
	struct scene s;
	struct promote *p;
	struct text out;

	begin(&s, ANSWER_GATHERED);
	p = promote_new(&s.x);
	ASSERT(p != NULL);
	for (size_t at = 0; at < answer.n; at += piece) {
		struct bytes b = {answer.p + at, MIN(piece, answer.n - at)};

		promote_bytes(p, b);
		ASSERT(chain_add(&s.worker.pool, &s.x.answer.reshape->held, b.p, b.n));
	}
	promote_whole(&s.x, p);
	promote_free(p);
	text_init(&out, SIZE_MAX);
	end(&s, &out);
	ASSERT(is_json(answer) ? is_json(text_bytes(&out)) : bytes_eq(text_bytes(&out), answer));
	text_done(&out);
}

/* Every line of what came out is one of data that is JSON, or empty. */
static void check_events(struct bytes out)
{
	while (out.p != NULL) {
		struct bytes line = bytes_cut(&out, '\n');

		ASSERT(line.n == 0 ||
			(bytes_starts(line, BYTES("data: ")) &&
				is_json(bytes_of(line.p + 6, line.n - 6))));
	}
}

static void change_events(struct bytes lines)
{
	struct scene s;
	struct promote *p;
	struct text raw, out;
	bool good = true;

	begin(&s, ANSWER_REWRITTEN);
	p = promote_new(&s.x);
	ASSERT(p != NULL);
	text_init(&raw, SIZE_MAX);
	while (lines.p != NULL) {
		struct bytes data = bytes_cut(&lines, '\n');
		enum event_verdict v;

		text_clear(&raw);
		text_add_str(&raw, "data: ");
		text_add_bytes(&raw, data);
		text_add_str(&raw, "\n\n");
		good &= is_json(data);
		v = promote_event(&s.x, p, text_bytes(&raw), bytes_of(raw.p + 6, data.n));
		ASSERT(v != EVENT_HIDE);
		if (v == EVENT_PASS) {
			answer_put(&s.x, text_bytes(&raw));
		}
	}
	promote_flush(&s.x, p);
	promote_free(p);
	text_done(&raw);
	text_init(&out, SIZE_MAX);
	end(&s, &out);
	if (good) {
		check_events(text_bytes(&out));
	}
	text_done(&out);
}

static void make_one(struct bytes lines, bool promotes)
{
	struct scene s;
	struct aggregate *a;
	struct text out;
	bool made;

	begin(&s, ANSWER_GATHERED);
	a = aggregate_new(&s.x, promotes);
	ASSERT(a != NULL);
	while (lines.p != NULL) {
		aggregate_event(&s.x, a, bytes_cut(&lines, '\n'));
	}
	made = aggregate_whole(&s.x, a);
	aggregate_free(a);
	text_init(&out, SIZE_MAX);
	end(&s, &out);
	ASSERT(made ? is_json(text_bytes(&out)) : out.n == 0);
	text_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest;

	if (size == 0 || size > INPUT_MAX) {
		return 0;
	}
	rest = bytes_of((const char *)data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		change_whole(rest, (size_t)data[0] / 4 + 1);
		break;
	case 1:
		change_events(rest);
		break;
	default:
		make_one(rest, data[0] % 4 == 3);
		break;
	}
	return 0;
}
