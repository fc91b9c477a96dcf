/*
 * The input: a byte of tweaks, a byte for pieces, the model to send, a line feed, a body. The edits of
 * any JSON object are a JSON object again, with the model that was asked for and in one piece.
 */
#include <stdlib.h>

#include "ai/compatible.h"
#include "ai/request_edit.h"

#define INPUT_MAX 8000u
#define MODEL_MAX 512u

struct world {
	struct segpool pool;
	struct provider provider;
	struct destination to;
	struct request rq;
	struct exchange x;
	struct json_query *query;
	struct arena tree;
};

static void take_body(struct world *w, struct bytes body, size_t piece)
{
	w->rq.scan = json_scan_init(&w->rq.scan_room, w->query, &w->rq.hits);
	for (size_t at = 0; at < body.n; at += piece) {
		struct seg *s = seg_take(&w->pool);
		enum read_rc rc;

		s->end = (uint32_t)MIN(piece, body.n - at);
		memcpy(s->data, body.p + at, s->end);
		chain_append(&w->rq.body, s);
		rc = json_scan_feed(w->rq.scan, s->data, s->end, NULL);
		ASSERT(rc == READ_MORE);
	}
	ASSERT(json_scan_end(w->rq.scan, NULL) == READ_DONE);
}

/* As compatible.c does, which refuses the others before any edit: what must stand once stands once. */
static bool read_wants(struct world *w, const struct json_value *top)
{
	static const enum request_want once[] = {
		WANT_MODEL, WANT_STREAM, WANT_STREAM_OPTIONS, WANT_INCLUDE_USAGE};
	const struct json_hit *stream = json_hits_get(&w->rq.hits, WANT_STREAM, NULL);
	const struct json_value *model = json_get(top, "model");

	for (size_t i = 0; i < ARRAY_LEN(once); i++) {
		size_t n;

		IGNORE(json_hits_get(&w->rq.hits, once[i], &n)); /* only how many */
		if (n > 1) {
			return false;
		}
	}
	if (model != NULL && (model->type != JSON_STRING || model->text.n > MODEL_MAX)) {
		return false;
	}
	w->rq.stream = stream != NULL && stream->type == JSON_TRUE;
	w->rq.model = model != NULL ? model->text : bytes_of("", 0);
	w->rq.body_model = w->rq.model;
	return true;
}

static void read_edited(struct world *w, struct text *out)
{
	struct iovec v[8];
	int n;

	splice_sort(w->rq.at.edits, w->rq.at.n_edits);
	splice_init(&w->rq.at.splice, &w->rq.body, w->rq.at.edits, w->rq.at.n_edits);
	while ((n = splice_fill(&w->rq.at.splice, v, 8)) != 0) {
		for (int i = 0; i < n; i++) {
			text_add(out, v[i].iov_base, v[i].iov_len);
			splice_sent(&w->rq.at.splice, v[i].iov_len);
		}
	}
	ASSERT(out->n == w->rq.at.splice.length);
}

static void check(struct world *w, struct bytes edited, struct bytes model)
{
	const struct json_value *top = json_parse(&w->tree, edited, NULL);
	const struct json_value *now;

	ASSERT(top != NULL && top->type == JSON_OBJECT);
	now = json_get(top, "model");
	ASSERT(model.n == 0 || (now != NULL && now->type == JSON_STRING));
	ASSERT(model.n == 0 || bytes_eq(now->text, model));
}

static void play(struct world *w, struct bytes body, struct bytes model, size_t piece)
{
	const struct json_value *top = json_parse(&w->tree, body, NULL);
	struct text out;

	if (top == NULL || top->type != JSON_OBJECT) {
		return;
	}
	take_body(w, body, piece);
	if (!read_wants(w, top) || !request_edit_room(&w->x)) {
		return;
	}
	request_edit_model(&w->x, model.n != 0 ? model : w->rq.model);
	request_edit_tweaks(&w->x);
	text_init(&out, 1u << 20);
	read_edited(w, &out);
	check(w, text_bytes(&out), model);
	text_done(&out);
}

static bool is_ascii(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x80) {
			return false;
		}
	}
	return true;
}

/* A provider is of one vendor: two vendors' ways to ask for thinking never meet. */
static unsigned tweaks_of(uint8_t bits)
{
	unsigned both = TWEAK_ZHIPU_THINKING | TWEAK_OPENROUTER_REASONING;

	return (bits & both) == both ? bits & ~(unsigned)TWEAK_ZHIPU_THINKING : bits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w;
	struct bytes rest, model;

	if (size < 3 || size > INPUT_MAX) {
		return 0;
	}
	rest = bytes_of((const char *)data + 2, size - 2);
	model = bytes_cut(&rest, '\n');
	if (rest.p == NULL || model.n > MODEL_MAX || !is_ascii(model)) {
		return 0;
	}
	w = must_alloc(sizeof(*w));
	segpool_init(&w->pool, 256u << 20);
	w->query = compatible_request_query();
	w->x.rq = &w->rq;
	w->rq.api = API_CHAT_COMPLETIONS;
	w->provider.tweaks = tweaks_of(data[0]);
	w->provider.response_format = bytes_str(data[1] % 2 == 1 ? "{\"type\":\"x\"}" : NULL);
	w->to.provider = &w->provider;
	w->rq.at.to = &w->to;
	arena_init(&w->rq.arena, 1u << 20);
	arena_init(&w->tree, 1u << 24);
	json_hits_init(&w->rq.hits, w->rq.hits_room, HITS_INLINE, 4096);
	play(w, rest, model, (size_t)data[1] + 1);
	chain_give(&w->pool, &w->rq.body);
	json_hits_done(&w->rq.hits);
	arena_done(&w->rq.arena);
	arena_done(&w->tree);
	json_query_free(w->query);
	segpool_done(&w->pool);
	free(w);
	return 0;
}
