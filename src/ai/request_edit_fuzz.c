/*
 * The input: a byte of tweaks, a byte for pieces and more, the model to send, a line feed, a body. The edits
 * of any JSON object are a JSON object again, with the model and the settings that were asked for.
 */
#include <stdlib.h>

#include "ai/compatible.h"
#include "ai/request_edit.h"
#include "plan/world.h"
#include "proxy/fetched.h"

#define INPUT_MAX 8000u
#define MODEL_MAX 512u

/* Settings that meet the members of tweaks, and one another. */
static const char settings[] =
	"[{name: seed, value: 7}, {name: a.b, value: 1, mode: raw}, "
	"{name: a.c.d, value: [2], mode: raw, overwrite: false}, "
	"{name: reasoning.x, value: 3, mode: raw}, {name: tool_choice, value: t, mode: raw, "
	"overwrite: false}, {name: thinking.y, value: 4, mode: raw, overwrite: false}]";

static const enum api apis[] = {
	API_CHAT_COMPLETIONS, API_RESPONSES, API_IMAGE_GENERATION, API_COMPLETIONS};

struct scene {
	struct world plan;
	struct provider_type type;
	struct segpool pool;
	struct provider provider;
	struct destination to;
	struct request rq;
	struct exchange x;
	struct json_query *query;
	struct arena tree;
};

static void take_body(struct scene *w, struct bytes body, size_t piece)
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
static bool read_wants(struct scene *w, const struct json_value *top)
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

static void read_edited(struct scene *w, struct text *out)
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

static void check(struct scene *w, struct bytes edited, struct bytes model)
{
	const struct json_value *top = json_parse(&w->tree, edited, NULL);
	const struct json_value *now;

	ASSERT(top != NULL && top->type == JSON_OBJECT);
	now = json_get(top, "model");
	ASSERT(model.n == 0 || (now != NULL && now->type == JSON_STRING));
	ASSERT(model.n == 0 || bytes_eq(now->text, model));
	if ((w->provider.settings.apis >> w->rq.api & 1) != 0) {
		now = json_get(top, "seed");
		ASSERT(now != NULL && now->type == JSON_NUMBER && bytes_eq(now->text, BYTES("7")));
		now = json_get(json_get(top, "a"), "b");
		ASSERT(now != NULL && now->type == JSON_NUMBER);
	}
}

static bool edit(struct scene *w, struct bytes model)
{
	enum verdict v;

	do {
		v = request_edit_survey(&w->x);
	} while (v == VERDICT_AGAIN);
	return v == VERDICT_NEXT && request_edit(&w->x, model.n != 0 ? model : w->rq.model);
}

static void play(struct scene *w, struct bytes body, struct bytes model, size_t piece)
{
	const struct json_value *top = json_parse(&w->tree, body, NULL);
	struct text out;

	if (top == NULL || top->type != JSON_OBJECT) {
		return;
	}
	take_body(w, body, piece);
	if (!read_wants(w, top) || !edit(w, model)) {
		return;
	}
	text_init(&out, 1u << 20);
	read_edited(w, &out);
	check(w, text_bytes(&out), model);
	text_done(&out);
}

/* The file of a provider's context. */
static void add_context(struct scene *w)
{
	static const char text[] = ",{\"role\":\"system\",\"content\":\"c\"},";

	w->rq.context = must_alloc(sizeof(*w->rq.context) + sizeof(text));
	w->rq.context->n = sizeof(text) - 1;
	memcpy(w->rq.context->text, text, sizeof(text));
}

/* Bit 7 of the first byte: messages are forgotten and joined. */
static void choose_talk(struct scene *w)
{
	struct object *o = world_add(&w->plan, "wasmplugins/ai-talk.yaml",
		WORLD_PLUGIN("ai-talk",
			"  defaultConfig: {contextCleanupCommands: [x], "
			"mergeConsecutiveMessages: true}\n"));

	ASSERT(conversation_compile(&w->provider.conversation, o->u.wasmplugin.config, o,
		&w->plan.arena, &w->plan.findings));
}

/* The second byte: bit 0 a schema, bit 1 settings, bits 2 and 3 the API, bit 7 one more message, all of it the size
 * of pieces. */
static void choose(struct scene *w, uint8_t tweaks, uint8_t rest)
{
	char file[1024];
	struct object *o;

	world_init(&w->plan);
	w->type.name = "openai";
	w->provider.type = &w->type;
	w->provider.tweaks = tweaks;
	w->provider.response_format = bytes_str(rest % 2 == 1 ? "{\"type\":\"x\"}" : NULL);
	w->rq.api = apis[rest / 4 % ARRAY_LEN(apis)];
	if (tweaks >= 128) {
		choose_talk(w);
	}
	if (tweaks >= 128 && rest >= 128) {
		add_context(w);
	}
	if (rest / 2 % 2 == 0) {
		return;
	}
	snprintf(file, sizeof(file), WORLD_PLUGIN("ai-proxy", "  defaultConfig:\n    s: %s\n"),
		settings);
	o = world_add(&w->plan, "wasmplugins/ai-proxy.internal.yaml", file);
	ASSERT(custom_settings_compile(&w->provider.settings, yaml_get(o->u.wasmplugin.config, "s"),
		&(struct custom_settings_input){
			&w->type, false, o, &w->plan.arena, &w->plan.findings}));
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene *w;
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
	w->rq.gathers = true;
	choose(w, data[0], data[1]);
	w->to.provider = &w->provider;
	w->rq.at.to = &w->to;
	arena_init(&w->rq.arena, 1u << 20);
	arena_init(&w->tree, 1u << 24);
	json_hits_init(&w->rq.hits, w->rq.hits_room, HITS_INLINE, 4096);
	play(w, rest, model, (size_t)data[1] + 1);
	chain_give(&w->pool, &w->rq.body);
	json_hits_done(&w->rq.hits);
	free(w->rq.context);
	arena_done(&w->rq.arena);
	arena_done(&w->tree);
	json_query_free(w->query);
	segpool_done(&w->pool);
	world_done(&w->plan);
	free(w);
	return 0;
}
