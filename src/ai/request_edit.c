#include "ai/request_edit.h"

#include "ai/members.h"
#include "ai/messages.h"
#include "proxy/worker.h"

/* Edits beside one per developer message and two per member of a setting. */
#define EDITS_BASE (2u * MEMBER_FIXED)
/* Attack: a body of nothing but roles to edit. With all of them half of the request's arena is left. */
#define DEVELOPERS_MAX 1000u
/* Of the body, in one turn. */
#define SLICE 262144u
/* A model's name as JSON, six bytes for each of its own: more than any mapping makes. */
#define LITERAL_ROOM 8192u

static bool too_complex(struct exchange *x)
{
	reply_set(x, 400, "body.invalid_json", "the request is too complex");
	return false;
}

struct survey {
	struct json_scan_room room;
	struct json_scan *scan;
	struct json_hits hits;
	struct json_hit hits_room[SETTING_NODES_MAX];
	const struct seg *seg;     /* where the scan stands */
	struct messages *messages; /* NULL: nothing is to become of them */
};

static bool make_room(struct exchange *x, size_t settings)
{
	struct request *rq = x->rq;
	size_t developers;

	json_hits_get(&rq->hits, WANT_DEVELOPER, &developers);
	if (developers > DEVELOPERS_MAX) {
		reply_set(x, 400, "body.invalid_json",
			"the request body has too many messages with the role \"developer\"");
		return false;
	}
	rq->at.edits_cap = EDITS_BASE + 2 * settings + developers +
		(rq->at.survey != NULL ? messages_edits(x, rq->at.survey->messages) : 0);
	rq->at.edits = arena_alloc(&rq->arena, rq->at.edits_cap * sizeof(*rq->at.edits));
	return rq->at.edits != NULL || too_complex(x);
}

/* --- settings ----------------------------------------------------------------------------------- */

static const struct custom_settings *settings_of(const struct exchange *x)
{
	const struct request *rq = x->rq;
	const struct provider *p = rq->at.to->provider;

	return p != NULL && rq->gathers && (p->settings.apis >> rq->api & 1) != 0 ? &p->settings
										  : NULL;
}

/* A member that stands twice: which of them a server takes nobody knows. */
static enum verdict twice(struct exchange *x)
{
	return reply_set(x, 400, "body.invalid_json",
		"the request body has a member twice that the gateway sets; send it once");
}

static enum verdict scan_slice(struct exchange *x, struct survey *v)
{
	size_t left = SLICE;

	while (v->seg != NULL && left != 0) {
		const struct seg *s = v->seg;
		size_t n = s->end - s->beg;

		/* The text is valid JSON: only too many hits can fail. */
		if (json_scan_feed(v->scan, s->data + s->beg, n, NULL) == READ_FAIL) {
			return twice(x);
		}
		v->seg = s->next;
		left -= MIN(left, n);
	}
	return v->seg != NULL ? VERDICT_AGAIN : VERDICT_NEXT;
}

static bool begin_survey(struct exchange *x, const struct custom_settings *s)
{
	struct request *rq = x->rq;
	struct survey *v = arena_alloc(&rq->arena, sizeof(*v));

	if (v == NULL) {
		return too_complex(x);
	}
	v->messages = NULL;
	v->seg = NULL;
	if (s != NULL) {
		json_hits_init(&v->hits, v->hits_room, SETTING_NODES_MAX, SETTING_NODES_MAX);
		v->scan = json_scan_init(&v->room, s->query, &v->hits);
		v->seg = rq->body.head;
	}
	rq->at.survey = v;
	return true;
}

static enum verdict survey_settings(
	struct exchange *x, const struct custom_settings *s, struct survey *v)
{
	enum verdict verdict = scan_slice(x, v);
	size_t n;

	for (unsigned i = 0; verdict == VERDICT_NEXT && i < s->n_nodes; i++) {
		json_hits_get(&v->hits, i, &n);
		verdict = n > 1 ? twice(x) : VERDICT_NEXT;
	}
	return verdict;
}

/* Whether messages are to be forgotten, joined or added. */
static bool is_edited_talk(const struct exchange *x)
{
	const struct request *rq = x->rq;
	const struct provider *p = rq->at.to->provider;

	return p != NULL && rq->gathers && provider_edits_chats(p, rq->api) &&
		(p->conversation.commands.n != 0 || p->conversation.merges || rq->context != NULL);
}

enum verdict request_edit_survey(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct custom_settings *s = settings_of(x);
	bool talk = is_edited_talk(x);
	enum verdict v = VERDICT_NEXT;

	if (s == NULL && !talk) {
		return VERDICT_NEXT;
	}
	if (rq->at.survey == NULL && !begin_survey(x, s)) {
		return VERDICT_REPLY;
	}
	if (s != NULL) {
		v = survey_settings(x, s, rq->at.survey);
	}
	return v == VERDICT_NEXT && talk ? messages_survey(x, &rq->at.survey->messages) : v;
}

/* Whether a setting that must not overwrite would replace something: a value where it needs an object. */
static bool is_in_the_way(const struct members *m, size_t i)
{
	for (i = m->v[i].parent; i != MEMBER_TOP; i = m->v[i].parent) {
		const struct json_hit *h = m->v[i].hit;

		if (h != NULL && h->type != JSON_OBJECT && h->type != JSON_NULL) {
			return true;
		}
	}
	return false;
}

static void apply_settings(struct exchange *x, const struct custom_settings *s, struct members *m)
{
	const struct survey *v = x->rq->at.survey;
	size_t index[SETTING_NODES_MAX];

	for (unsigned i = 0; i < s->n_nodes; i++) {
		const struct setting_node *n = &s->nodes[i];

		index[i] = members_add(m, n->parent == SETTING_TOP ? MEMBER_TOP : index[n->parent],
			n->key, json_hits_get(&v->hits, i, NULL));
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct custom_setting *e = &s->v[i];
		size_t at = index[e->node];

		if ((e->apis >> x->rq->api & 1) != 0 &&
			(e->overwrite || (!members_has(m, at) && !is_in_the_way(m, at)))) {
			members_set(m, at, e->value);
		}
	}
}

/* --- tweaks ------------------------------------------------------------------------------------- */

/* data-plane.md §8.2: usage is asked for, and its event hidden from a client that did not ask. */
static void ask_for_usage(struct exchange *x, struct members *m)
{
	const struct provider *p = x->rq->at.to->provider;
	const struct json_hit *options = m->v[MEMBER_STREAM_OPTIONS].hit;
	const struct json_hit *include = m->v[MEMBER_INCLUDE_USAGE].hit;

	if (include != NULL &&
		(include->type == JSON_TRUE ||
			(include->type == JSON_FALSE && p->respects_false))) {
		return;
	}
	if (options != NULL && options->type != JSON_OBJECT && options->type != JSON_NULL) {
		return; /* the vendor will say what is wrong with it */
	}
	x->rq->at.hide_usage = !p->forwards_usage;
	members_set(m, MEMBER_INCLUDE_USAGE, BYTES("true"));
}

/* providers.md D-03. */
static void developer_to_system(struct exchange *x)
{
	const struct json_hits *hits = &x->rq->hits;

	for (size_t i = 0; i < hits->n; i++) {
		const struct json_hit *h = &hits->v[i];

		if (h->want == WANT_DEVELOPER) {
			exchange_edit(x, h->beg, h->end - h->beg, BYTES("\"system\""));
		}
	}
}

static void zhipu_thinking(struct members *m)
{
	if (members_has(m, MEMBER_REASONING_EFFORT)) {
		members_remove(m, MEMBER_REASONING_EFFORT);
		members_set(m, MEMBER_THINKING, BYTES("{\"type\":\"enabled\"}"));
	}
}

static void openrouter_reasoning(struct exchange *x, struct members *m)
{
	char room[24];
	struct bytes tokens = members_value(m, MEMBER_REASONING_MAX_TOKENS, x, room, sizeof(room));
	struct bytes copy;
	uint64_t v;

	if (tokens.n == 0 || !ascii_digit(tokens.p[0]) || !json_number_u64(tokens, &v) || v == 0 ||
		m->v[MEMBER_REASONING].wish == MEMBER_SET) {
		return;
	}
	copy = arena_copy(&x->rq->arena, tokens);
	if (copy.p != NULL) {
		members_remove(m, MEMBER_REASONING_MAX_TOKENS);
		members_remove(m, MEMBER_REASONING_EFFORT);
		members_set(m, MEMBER_REASONING_MAX, copy);
	}
}

/* Of the destination's tweaks those that matter to this request. */
static unsigned tweaks_of(const struct exchange *x)
{
	const struct request *rq = x->rq;
	bool chat = rq->api == API_CHAT_COMPLETIONS;
	unsigned which = 0;

	if (chat) {
		which |= TWEAK_DEVELOPER_TO_SYSTEM | TWEAK_ZHIPU_THINKING |
			TWEAK_OPENROUTER_REASONING;
	}
	if (rq->stream && (chat || rq->api == API_COMPLETIONS)) {
		which |= TWEAK_STREAM_USAGE;
	}
	if (rq->api == API_IMAGE_GENERATION) {
		which |= TWEAK_NO_WATERMARK;
	}
	if (rq->api == API_RESPONSES) {
		which |= TWEAK_NO_TOOL_SWITCHES;
	}
	return rq->at.to->provider->tweaks & which;
}

static bool sets_format(const struct exchange *x)
{
	return x->rq->api == API_CHAT_COMPLETIONS && x->rq->at.to->provider->response_format.n != 0;
}

static void tweak(struct exchange *x, struct members *m)
{
	unsigned tweaks = tweaks_of(x);

	if ((tweaks & TWEAK_STREAM_USAGE) != 0) {
		ask_for_usage(x, m);
	}
	if ((tweaks & TWEAK_DEVELOPER_TO_SYSTEM) != 0) {
		developer_to_system(x);
	}
	if ((tweaks & TWEAK_ZHIPU_THINKING) != 0) {
		zhipu_thinking(m);
	}
	if ((tweaks & TWEAK_OPENROUTER_REASONING) != 0) {
		openrouter_reasoning(x, m);
	}
	if (sets_format(x)) {
		members_set(m, MEMBER_RESPONSE_FORMAT, x->rq->at.to->provider->response_format);
	}
	if ((tweaks & TWEAK_NO_WATERMARK) != 0 && !members_has(m, MEMBER_WATERMARK)) {
		members_set(m, MEMBER_WATERMARK, BYTES("false"));
	}
	if ((tweaks & TWEAK_NO_TOOL_SWITCHES) != 0) {
		members_remove(m, MEMBER_PARALLEL_TOOL_CALLS);
		members_remove(m, MEMBER_TOOL_CHOICE);
	}
}

/* --- all of it ---------------------------------------------------------------------------------- */

static bool is_tweaked(const struct exchange *x)
{
	const struct provider *p = x->rq->at.to->provider;

	return p != NULL && !p->original && !p->type->keeps_body;
}

/* The model as JSON, in the request's arena; p NULL: no memory. */
static struct bytes model_literal(struct exchange *x, struct bytes model)
{
	char room[LITERAL_ROOM];
	struct text t;

	text_init_fixed(&t, room, sizeof(room));
	text_add_char(&t, '"');
	text_add_json(&t, model);
	text_add_char(&t, '"');
	return text_full(&t) ? bytes_of(NULL, 0) : arena_copy(&x->rq->arena, text_bytes(&t));
}

/* Nearly every request: another model in place of the one that stands there, and nothing else. */
static bool edit_model(struct exchange *x, const struct json_hit *at, struct bytes model)
{
	struct attempt *a = &x->rq->at;
	struct bytes literal = model_literal(x, model);

	a->edits_cap = 1;
	a->edits = arena_alloc(&x->rq->arena, sizeof(*a->edits));
	if (a->edits == NULL || literal.p == NULL) {
		return too_complex(x);
	}
	exchange_edit(x, at->beg, at->end - at->beg, literal);
	return true;
}

static bool edit_all(struct exchange *x, struct bytes model, bool other_model)
{
	const struct custom_settings *s = settings_of(x);
	struct members m;

	if (!make_room(x, s != NULL ? s->n_nodes : 0)) {
		return false;
	}
	members_init(&m, x);
	if (other_model) {
		struct bytes literal = model_literal(x, model);

		if (literal.p == NULL) {
			return too_complex(x);
		}
		members_set(&m, MEMBER_MODEL, literal);
	}
	if (s != NULL) {
		apply_settings(x, s, &m);
	}
	if (is_tweaked(x)) {
		tweak(x, &m);
	}
	if (x->rq->at.survey != NULL) {
		messages_edit(x, x->rq->at.survey->messages);
	}
	return members_edit(&m, x) || too_complex(x);
}

/* Whether the model is all that there may be to edit. Developers' messages are counted where they are edited. */
static bool is_model_all(const struct exchange *x)
{
	return settings_of(x) == NULL && x->rq->at.survey == NULL &&
		json_hits_get(&x->rq->hits, WANT_DEVELOPER, NULL) == NULL &&
		!(is_tweaked(x) &&
			((tweaks_of(x) & ~(unsigned)TWEAK_DEVELOPER_TO_SYSTEM) != 0 ||
				sets_format(x)));
}

bool request_edit(struct exchange *x, struct bytes model)
{
	const struct json_hit *at = json_hits_get(&x->rq->hits, WANT_MODEL, NULL);
	bool other_model = !bytes_eq(model, x->rq->body_model);

	if (!is_model_all(x) || (other_model && at == NULL)) {
		return edit_all(x, model, other_model);
	}
	return !other_model || edit_model(x, at, model);
}
