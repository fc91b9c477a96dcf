/*
 * An answer is judged by what is in it, never by a text that stands somewhere (monitor-api.md 10.15): a body that is
 * JSON, and a member that says that the model spoke. The provider's own words go into the sentence.
 */
#include <stdio.h>

#include "hiclaw/mask_text.h"
#include "hiclaw/reach.h"
#include "wire/json.h"

/* Of trees. A list of PROBE_ANSWER_MAX bytes that are all brackets must not take a hundred times as much. */
#define TREE_MAX ((size_t)32 << 20)
#define WHY_CHARACTERS 300u

static const char *const kinds[] = {[REACH_OK] = "",
	[REACH_DNS] = "dns",
	[REACH_CONNECT] = "connect",
	[REACH_TLS] = "tls",
	[REACH_TIMEOUT] = "timeout",
	[REACH_AUTH] = "auth",
	[REACH_MODEL] = "model",
	[REACH_QUOTA] = "quota",
	[REACH_UPSTREAM] = "upstream",
	[REACH_PROTOCOL] = "protocol"};

const char *reach_kind_text(enum reach_kind kind)
{
	return kinds[kind];
}

/* --- the request -------------------------------------------------------------------------------- */

/* "gpt-5" and its family: gpt-5.4, gpt-5-mini, gpt-51; no gpt-5o (hiclaw-integration.md 8.1). */
enum reach_limit reach_limit_of(struct bytes model)
{
	struct bytes family = BYTES("gpt-5");
	char next = model.n > family.n ? model.p[family.n] : '.';

	return bytes_starts(model, family) && (next == '.' || next == '-' || ascii_digit(next))
		? REACH_MAX_COMPLETION_TOKENS
		: REACH_MAX_TOKENS;
}

void reach_body(struct bytes model, enum reach_limit limit, unsigned tokens, struct text *out)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_open_object(&w);
	json_key(&w, "model");
	json_put_string(&w, model);
	json_key(&w, "messages");
	json_open_array(&w);
	json_open_object(&w);
	json_key(&w, "role");
	json_put_str(&w, "user");
	json_key(&w, "content");
	json_put_str(&w, "hi");
	json_close_object(&w);
	json_close_array(&w);
	json_key(&w, limit == REACH_MAX_TOKENS ? "max_tokens" : "max_completion_tokens");
	json_put_u64(&w, tokens);
	json_close_object(&w);
}

/* --- why ---------------------------------------------------------------------------------------- */

/* Without controls, masked, cut at a character, and without the full stop. */
static void put_why(const char *lead, struct bytes said, struct bytes model,
	const struct strings *secrets, char why[REACH_WHY_MAX])
{
	struct text masked;
	struct text out;
	size_t n;
	size_t at = 0;

	text_init(&masked, PROBE_ANSWER_MAX);
	text_init_fixed(&out, why, REACH_WHY_MAX - 1);
	mask_text(bytes_of(said.p, MIN(said.n, (size_t)WHY_CHARACTERS * 16)), secrets, model,
		&masked);
	text_add_str(&out, lead);
	for (unsigned characters = 0; characters < WHY_CHARACTERS && at < masked.n; characters++) {
		n = text_utf8(masked.p + at, masked.n - at);
		if (out.n + MAX(n, 1u) > out.cap) {
			break;
		}
		if (n == 0 || (unsigned char)masked.p[at] < 0x20 || masked.p[at] == 0x7f) {
			text_add_char(&out, ' ');
			n = 1;
		} else {
			text_add(&out, masked.p + at, n);
		}
		at += n;
	}
	while (out.n != 0 && (why[out.n - 1] == '.' || why[out.n - 1] == ' ')) {
		out.n--;
	}
	why[out.n] = '\0';
	text_done(&masked);
}

static struct bytes first_of(const struct json_value *v, const char *const *names)
{
	for (; *names != NULL; names++) {
		struct bytes text = json_text(json_get(v, *names), BYTES(""));

		if (text.n != 0) {
			return text;
		}
	}
	return BYTES("");
}

/* What errors of vendors say; empty: nothing that a person could read. */
static struct bytes message_of(const struct json_value *body)
{
	static const char *const names[] = {
		"message", "msg", "detail", "error_msg", "error_description", "code", NULL};
	const struct json_value *error = json_get(body, "error");
	struct bytes text = json_text(error, BYTES(""));

	if (error != NULL && error->type == JSON_ARRAY) {
		error = error->items;
	}
	if (text.n == 0) {
		text = first_of(error, names);
	}
	return text.n != 0 ? text : first_of(body, names);
}

/* --- what an answer means ----------------------------------------------------------------------- */

struct judging {
	const struct probe *p;
	struct bytes model;
	const struct strings *secrets;
	const struct json_value *body; /* NULL: no JSON */
	struct bytes message;          /* of an error */
	char *why;
};

static void say(const struct judging *j, const char *lead, struct bytes said)
{
	put_why(lead, said, j->model, j->secrets, j->why);
}

static bool has_nocase(struct bytes text, struct bytes part)
{
	for (size_t i = 0; part.n != 0 && i + part.n <= text.n; i++) {
		if (bytes_starts_nocase(bytes_of(text.p + i, text.n - i), part)) {
			return true;
		}
	}
	return false;
}

static bool is_about_limit(struct bytes message)
{
	static const char *const names[] = {"max_tokens", "max_completion_tokens",
		"max_output_tokens", "maxOutputTokens", "max_new_tokens"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (has_nocase(message, bytes_str(names[i]))) {
			return true;
		}
	}
	return false;
}

/* "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead." */
static bool wants_other_limit(struct bytes message)
{
	return has_nocase(message, BYTES("max_completion_tokens")) &&
		(has_nocase(message, BYTES("instead")) ||
			has_nocase(message, BYTES("unsupported")));
}

static enum reach_kind kind_of_failure(enum probe_failure f)
{
	switch (f) {
	case PROBE_DNS:
		return REACH_DNS;
	case PROBE_CONNECT:
		return REACH_CONNECT;
	case PROBE_TLS:
		return REACH_TLS;
	case PROBE_TIMEOUT:
		return REACH_TIMEOUT;
	case PROBE_ANSWERED:
	case PROBE_NO_PROVIDER:
	case PROBE_PROTOCOL:
	case PROBE_GONE:
		break;
	}
	return REACH_PROTOCOL;
}

static enum reach_kind kind_of_status(const struct judging *j)
{
	unsigned status = j->p->status;

	if (status == 401 || status == 403) {
		return REACH_AUTH;
	}
	if (status == 402 || status == 429) {
		return REACH_QUOTA;
	}
	if (status == 404) {
		return REACH_MODEL;
	}
	if (status == 408) {
		return REACH_TIMEOUT;
	}
	if (status >= 500) {
		return REACH_UPSTREAM;
	}
	return status == 400 &&
			(has_nocase(j->message, j->model) || has_nocase(j->message, BYTES("model")))
		? REACH_MODEL
		: REACH_PROTOCOL;
}

static void say_status(const struct judging *j)
{
	char lead[64];

	snprintf(lead, sizeof(lead), "status %u%s", j->p->status, j->message.n != 0 ? ": " : "");
	if (j->p->status >= 300 && j->p->status < 400) {
		snprintf(lead, sizeof(lead), "the provider answers with a redirect (status %u)",
			j->p->status);
		say(j, lead, BYTES(""));
		return;
	}
	say(j, lead, j->message);
}

static bool is_page(struct bytes body)
{
	body = bytes_trim(body);
	return bytes_starts(body, BYTES("<"));
}

/* A 200 that is none. */
static void say_unusable(const struct judging *j, const char *missing)
{
	struct bytes body = bytes_trim(text_bytes(&j->p->body_got));
	const struct json_value *error = json_get(j->body, "error");

	if (body.n == 0) {
		say(j, "the answer is empty", BYTES(""));
	} else if (j->body == NULL) {
		say(j,
			is_page(body) ? "the answer is a web page, not JSON"
				      : "the answer is not JSON",
			BYTES(""));
	} else if (error != NULL && error->type != JSON_NULL) {
		say(j,
			j->message.n != 0 ? "the answer has an error in it: "
					  : "the answer has an error in it",
			j->message);
	} else {
		say(j, missing, BYTES(""));
	}
}

/* The body, once: the tree is a's. */
static void open_body(struct judging *j, struct arena *a)
{
	struct bytes body = text_bytes(&j->p->body_got);

	arena_init(a, TREE_MAX);
	j->message = BYTES("");
	j->body = body.n != 0 ? json_parse(a, body, NULL) : NULL;
	if (j->body != NULL) {
		j->message = message_of(j->body);
	} else if (!is_page(body)) {
		j->message = bytes_trim(body);
	}
}

static bool has_error(const struct judging *j)
{
	const struct json_value *error = json_get(j->body, "error");

	return error != NULL && error->type != JSON_NULL;
}

static bool has_choices(const struct judging *j)
{
	const struct json_value *choices = json_get(j->body, "choices");

	return choices != NULL && choices->type == JSON_ARRAY && choices->n != 0;
}

static void judge_answer(const struct judging *j, struct reach_verdict *out)
{
	if (j->p->status == 200 && has_choices(j) && !has_error(j)) {
		out->ok = true;
		j->why[0] = '\0';
		return;
	}
	if (j->p->status == 200) {
		out->kind = REACH_PROTOCOL;
		say_unusable(j, "the answer has no choices");
		return;
	}
	out->kind = kind_of_status(j);
	out->ok = out->rate_limited = j->p->status == 429;
	if ((j->p->status == 400 || j->p->status == 422) && is_about_limit(j->message)) {
		out->again_other = wants_other_limit(j->message);
		out->again_larger = !out->again_other;
	}
	say_status(j);
}

void reach_judge(const struct probe *p, struct bytes model, const struct strings *secrets,
	struct reach_verdict *out, char why[REACH_WHY_MAX])
{
	struct judging j = {.p = p, .model = model, .secrets = secrets, .why = why};
	struct arena a;

	*out = (struct reach_verdict){.kind = REACH_OK};
	if (p->failure != PROBE_ANSWERED) {
		out->kind = kind_of_failure(p->failure);
		say(&j, "", bytes_str(p->why));
		return;
	}
	open_body(&j, &a);
	judge_answer(&j, out);
	arena_done(&a);
}

/* --- lists -------------------------------------------------------------------------------------- */

/* {"data": [...]}, Gemini's {"models": [...]}, or the list itself. */
static const struct json_value *list_of(const struct json_value *body)
{
	const struct json_value *list = json_get(body, "data");

	list = list != NULL ? list : json_get(body, "models");
	list = list != NULL ? list : body;
	return list != NULL && list->type == JSON_ARRAY ? list : NULL;
}

static struct bytes id_of(const struct json_value *v)
{
	static const char *const names[] = {"id", "name", "model", NULL};
	struct bytes id = v->type == JSON_STRING ? v->text : first_of(v, names);
	struct bytes prefix = BYTES("models/");

	return bytes_starts(id, prefix) ? bytes_of(id.p + prefix.n, id.n - prefix.n) : id;
}

static void keep_ids(const struct json_value *list, struct reach_list *l)
{
	size_t n = 0;

	l->ids = arena_must(l->arena, (list->n + 1) * sizeof(*l->ids));
	for (const struct json_value *v = list->items; v != NULL; v = v->next) {
		struct bytes id = id_of(v);

		if (id.n == 0 || id.n > MODEL_ID_MAX) {
			continue;
		}
		l->ids[n++] = arena_copy(l->arena, id);
		l->found |= bytes_eq(id, l->model);
	}
	l->n_models = n;
}

static void judge_list(const struct judging *j, struct reach_list *l)
{
	const struct json_value *list = j->p->status == 200 ? list_of(j->body) : NULL;

	if (list != NULL && !has_error(j)) {
		l->ok = true;
		l->why[0] = '\0';
		keep_ids(list, l);
		return;
	}
	if (j->p->status == 200) {
		l->kind = REACH_PROTOCOL;
		say_unusable(j, "the answer has no list of models");
		return;
	}
	l->unsupported = j->p->status == 404 || j->p->status == 405;
	l->kind = l->unsupported ? REACH_PROTOCOL : kind_of_status(j);
	say_status(j);
}

void reach_judge_list(const struct probe *p, const struct strings *secrets, struct reach_list *l)
{
	struct judging j = {.p = p, .model = l->model, .secrets = secrets, .why = l->why};
	struct arena a;

	l->ok = l->unsupported = l->found = false;
	l->kind = REACH_OK;
	l->status = p->failure == PROBE_ANSWERED ? p->status : 0;
	l->ms = p->ms;
	l->n_models = 0;
	l->ids = NULL;
	if (p->failure != PROBE_ANSWERED) {
		l->kind = kind_of_failure(p->failure);
		say(&j, "", bytes_str(p->why));
		return;
	}
	open_body(&j, &a);
	judge_list(&j, l);
	arena_done(&a);
}
