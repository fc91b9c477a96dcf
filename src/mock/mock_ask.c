#include "mock/mock_ask.h"

#include "wire/json.h"

#define HITS_INLINE 64u
#define HITS_MAX 1000000u
/* Longest literal that is unescaped; of longer ones only the length is said. */
#define LITERAL_MAX 4096u

/* In the order of the wants below. */
enum want {
	WANT_MODEL,
	WANT_STREAM,
	WANT_INCLUDE_USAGE,
	WANT_ENCODING,
	WANT_INPUT_ITEM,
	WANT_TEXTS /* this and all behind it: what the user said */
};

static const struct json_want wants[] = {
	{"model", NULL},
	{"stream", NULL},
	{"stream_options.include_usage", NULL},
	{"encoding_format", NULL},
	{"input[]", NULL},
	{"messages[].content", NULL},
	{"messages[].content[].text", NULL},
	{"prompt", NULL},
	{"input", NULL},
	{"input[].content", NULL},
	{"input[].content[].text", NULL},
};

struct json_query *mock_ask_query(void)
{
	return json_query_new(wants, ARRAY_LEN(wants));
}

/* --- target ------------------------------------------------------------------------------------- */

static void take_model(struct mock_ask *ask, struct bytes name)
{
	size_t n = MIN(name.n, MOCK_MODEL_MAX);

	if (n > 0) {
		memcpy(ask->model, name.p, n);
	}
	ask->model[n] = '\0';
}

/* "/v1/models/NAME": the name may hold slashes (openrouter's do). */
static bool find_model(struct bytes path, struct bytes *name)
{
	static const char part[] = "/models/";
	size_t n = sizeof(part) - 1;

	for (size_t i = 0; i + n < path.n; i++) {
		if (memcmp(path.p + i, part, n) == 0) {
			*name = bytes_of(path.p + i + n, path.n - i - n);
			return true;
		}
	}
	return false;
}

void mock_ask_target(struct mock_ask *ask, struct bytes target)
{
	static const struct {
		const char *end;
		enum mock_api api;
	} ends[] = {
		{"/chat/completions", MOCK_CHAT},
		{"/chatcompletion_v2", MOCK_CHAT},
		{"/completions", MOCK_COMPLETIONS},
		{"/embeddings", MOCK_EMBEDDINGS},
		{"/messages", MOCK_MESSAGES},
		{"/responses", MOCK_RESPONSES},
		{"/models", MOCK_MODELS},
		{"/mock/requests", MOCK_REQUESTS},
		{"/mock/state", MOCK_STATE},
		{"/mock/script", MOCK_SCRIPT},
	};
	struct bytes path = bytes_cut(&target, '?');
	struct bytes name;

	if (path.n > 1 && path.p[path.n - 1] == '/') {
		path.n--;
	}
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		if (bytes_ends(path, bytes_str(ends[i].end))) {
			ask->api = ends[i].api;
			return;
		}
	}
	if (find_model(path, &name)) {
		ask->api = MOCK_MODEL;
		take_model(ask, name);
	}
}

/* --- body --------------------------------------------------------------------------------------- */

/* The inside of a string literal at the hit, unescaped into out; false when it is too long. */
static bool read_string(const struct chain *body, const struct json_hit *hit, struct text *out)
{
	char raw[LITERAL_MAX];
	size_t n = (size_t)(hit->end - hit->beg - 2);

	if (n > sizeof(raw)) {
		return false;
	}
	chain_copy(body, (size_t)hit->beg + 1, n, raw);
	json_unescape(bytes_of(raw, n), out);
	return true;
}

static uint64_t count_words(struct bytes s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool blank = (unsigned char)s.p[i] <= ' ';
		bool before = i == 0 || (unsigned char)s.p[i - 1] <= ' ';

		n += !blank && before;
	}
	return n;
}

/* At most MOCK_SAID_MAX bytes, cut between characters. */
static void keep_said(struct mock_ask *ask, struct bytes s)
{
	size_t n = MIN(s.n, MOCK_SAID_MAX);

	ask->said_words = count_words(s);
	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80) {
		n--;
	}
	if (n != 0) {
		memcpy(ask->said, s.p, n);
	}
	memcpy(ask->said + n, "...", 4);
	if (n == s.n) {
		ask->said[n] = '\0';
	}
}

static void read_said(struct mock_ask *ask, const struct chain *body, const struct json_hit *hit)
{
	struct text t;

	text_init(&t, LITERAL_MAX);
	if (!read_string(body, hit, &t)) {
		text_addf(&t, "(%llu bytes)", (unsigned long long)(hit->end - hit->beg - 2));
	}
	keep_said(ask, text_bytes(&t));
	text_done(&t);
}

static void read_model(struct mock_ask *ask, const struct chain *body, const struct json_hit *hit)
{
	struct text t;

	text_init(&t, LITERAL_MAX);
	IGNORE(read_string(body, hit, &t)); /* a longer one is as good as none */
	take_model(ask, text_bytes(&t));
	text_done(&t);
}

static bool is_base64(const struct chain *body, const struct json_hit *hit)
{
	char word[6];

	if (hit->end - hit->beg != sizeof(word) + 2) {
		return false;
	}
	chain_copy(body, (size_t)hit->beg + 1, sizeof(word), word);
	return memcmp(word, "base64", sizeof(word)) == 0;
}

static void read_hit(struct mock_ask *ask, const struct chain *body, const struct json_hit *hit)
{
	switch (hit->want) {
	case WANT_MODEL:
		if (hit->type == JSON_STRING) {
			read_model(ask, body, hit);
		}
		break;
	case WANT_STREAM:
		ask->stream = hit->type == JSON_TRUE;
		break;
	case WANT_INCLUDE_USAGE:
		ask->include_usage = hit->type == JSON_TRUE;
		break;
	case WANT_ENCODING:
		ask->base64 = hit->type == JSON_STRING && is_base64(body, hit);
		break;
	case WANT_INPUT_ITEM:
		ask->n_input++;
		break;
	default:
		break;
	}
}

int mock_ask_body(struct mock_ask *ask, const struct json_query *query, const struct chain *body,
	struct fault *fault)
{
	const struct json_hit *said = NULL;
	struct json_hit room[HITS_INLINE];
	struct json_scan_room scan_room;
	struct json_scan *scan;
	struct json_hits hits;
	enum read_rc rc = READ_MORE;

	json_hits_init(&hits, room, HITS_INLINE, HITS_MAX);
	scan = json_scan_init(&scan_room, query, &hits);
	for (const struct seg *s = body->head; s != NULL && rc == READ_MORE; s = s->next) {
		rc = json_scan_feed(scan, s->data + s->beg, s->end - s->beg, fault);
	}
	if (rc == READ_MORE) {
		rc = json_scan_end(scan, fault);
	}
	for (size_t i = 0; i < hits.n && rc == READ_DONE; i++) {
		read_hit(ask, body, &hits.v[i]);
		if (hits.v[i].want >= WANT_TEXTS - 1 && hits.v[i].type == JSON_STRING) {
			said = &hits.v[i];
		}
	}
	if (said != NULL) {
		read_said(ask, body, said);
	}
	ask->n_input = MAX(ask->n_input, 1u);
	json_hits_done(&hits);
	return rc == READ_DONE ? 0 : ERR_SYNTAX;
}
