/*
 * The body is scanned as far as it came: what was whole before the cut is found, and nothing else is needed, because
 * vendors write codes as short strings near the beginning. Of a 2xx the members that only errors have say whether it
 * is one; that is asked of each stream's first event, so texts without such names are not scanned at all.
 */
#include "ai/failures.h"

#include "ai/failure_table.h"
#include "base/num.h"
#include "plan/provider.h"
#include "wire/retry_after.h"

/* Accident: an error that repeats its members. Those behind are not looked at. */
#define HITS_MAX 40u
/* Of a message, in lower case; what tells stands at its beginning. */
#define MESSAGE_MAX 1024u

enum want {
	CODE, /* codes, the most precise first */
	CODE_INNER,
	CODE_REASON,
	CODE_STATUS,
	CODE_TYPE,
	CODE_EVENT,
	CODE_TENCENT,
	CODE_BASE,
	CODE_LIST,
	CODE_ARRAY,
	CODE_TOP,
	CODE_TOP_TYPE,
	CODE_LAST = CODE_TOP_TYPE,
	MESSAGE,
	MESSAGE_STRING, /* {"error":"…"}, and the object itself */
	MESSAGE_EVENT,
	MESSAGE_TENCENT,
	MESSAGE_BASE,
	MESSAGE_LIST,
	MESSAGE_ARRAY,
	MESSAGE_DETAIL,
	MESSAGE_TOP,
	MESSAGE_TOP_2,
	MESSAGE_LAST = MESSAGE_TOP_2,
	ANSWER_CHOICES, /* a usable answer, whatever else it has */
	ANSWER_OUTPUT,
	ANSWER_DATA,
	FINISH, /* a filter's word at the end of nothing */
	FINISH_STOP,
	FINISH_BLOCKED,
	CONTENT,
	CONTENT_DELTA,
	CONTENT_BLOCKS,
	DELAY,
	WANTS
};
static_assert(WANTS <= JSON_WANTS_MAX, "one query");

struct json_query *failures_query(void)
{
	static const struct json_want wants[WANTS] = {
		[CODE] = {"error.code", NULL},
		[CODE_INNER] = {"error.innererror.code", NULL},
		[CODE_REASON] = {"error.details[].reason", NULL},
		[CODE_STATUS] = {"error.status", NULL},
		[CODE_TYPE] = {"error.type", NULL},
		[CODE_EVENT] = {"response.error.code", NULL},
		[CODE_TENCENT] = {"Response.Error.Code", NULL},
		[CODE_BASE] = {"base_resp.status_code", NULL},
		[CODE_LIST] = {"errors[].code", NULL},
		[CODE_ARRAY] = {"[].error.status", NULL},
		[CODE_TOP] = {"code", NULL},
		[CODE_TOP_TYPE] = {"type", NULL},
		[MESSAGE] = {"error.message", NULL},
		[MESSAGE_STRING] = {"error", NULL},
		[MESSAGE_EVENT] = {"response.error.message", NULL},
		[MESSAGE_TENCENT] = {"Response.Error.Message", NULL},
		[MESSAGE_BASE] = {"base_resp.status_msg", NULL},
		[MESSAGE_LIST] = {"errors[].message", NULL},
		[MESSAGE_ARRAY] = {"[].error.message", NULL},
		[MESSAGE_DETAIL] = {"detail", NULL},
		[MESSAGE_TOP] = {"message", NULL},
		[MESSAGE_TOP_2] = {"Message", NULL},
		[ANSWER_CHOICES] = {"choices", NULL},
		[ANSWER_OUTPUT] = {"output", NULL},
		[ANSWER_DATA] = {"data", NULL},
		[FINISH] = {"choices[].finish_reason", "content_filter"},
		[FINISH_STOP] = {"stop_reason", "refusal"},
		[FINISH_BLOCKED] = {"promptFeedback.blockReason", NULL},
		[CONTENT] = {"choices[].message.content", NULL},
		[CONTENT_DELTA] = {"choices[].delta.content", NULL},
		[CONTENT_BLOCKS] = {"content[].text", NULL},
		[DELAY] = {"error.details[].retryDelay", NULL},
	};

	return json_query_new(wants, WANTS);
}

/* --- reading ------------------------------------------------------------------------------------ */

struct reading {
	const struct failure_facts *facts;
	unsigned on;     /* enum failure_where */
	unsigned status; /* the answer's, or what its body says in its place */
	struct json_hit room[HITS_MAX];
	struct json_hits hits;
};

static void read_body(struct reading *r)
{
	struct json_scan_room room;

	json_hits_init(&r->hits, r->room, HITS_MAX, HITS_MAX);
	if (r->facts->query != NULL && r->facts->body.n != 0) {
		/* Cut, or no JSON: what stood before that was found. */
		IGNORE(json_scan_feed(json_scan_init(&room, r->facts->query, &r->hits),
			r->facts->body.p, r->facts->body.n, NULL));
	}
}

static bool has(const struct reading *r, enum want want)
{
	return json_hits_get(&r->hits, want, NULL) != NULL;
}

static struct bytes literal_of(const struct reading *r, const struct json_hit *h)
{
	return bytes_of(r->facts->body.p + h->beg, (size_t)(h->end - h->beg));
}

/* A string's or a number's text in lower case, as much as there is room for. */
static struct bytes text_of(const struct reading *r, const struct json_hit *h, struct text *out)
{
	struct bytes raw = literal_of(r, h);

	text_clear(out);
	if (h->type == JSON_STRING) {
		raw = bytes_of(raw.p + 1, raw.n - 2);
	} else if (h->type != JSON_NUMBER) {
		return bytes_of(NULL, 0);
	}
	if (h->type == JSON_STRING && h->escaped) {
		json_unescape(raw, out);
	} else {
		text_add_bytes(out, bytes_of(raw.p, MIN(raw.n, (size_t)MESSAGE_MAX)));
	}
	for (size_t i = 0; i < out->n; i++) {
		out->p[i] = ascii_lower(out->p[i]);
	}
	return text_bytes(out);
}

/* --- rows --------------------------------------------------------------------------------------- */

/* '*': any characters, '?': one. Of short patterns of our own. */
static bool is_like(struct bytes text, const char *pattern)
{
	const char *star = NULL;
	size_t i = 0, from = 0;

	while (i < text.n) {
		if (*pattern == '*') {
			star = ++pattern;
			from = i;
		} else if (*pattern != '\0' && (*pattern == '?' || *pattern == text.p[i])) {
			pattern++;
			i++;
		} else if (star != NULL) {
			pattern = star;
			i = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool contains(struct bytes text, const char *part)
{
	size_t n = strlen(part);

	for (size_t i = 0; i + n <= text.n; i++) {
		if (text.p[i] == part[0] && memcmp(text.p + i, part, n) == 0) {
			return true;
		}
	}
	return false;
}

static bool holds(const struct failure_row *row, const struct reading *r)
{
	const struct provider_type *type = r->facts->type;

	return (row->on & r->on) != 0 &&
		(row->type == NULL || (type != NULL && strcmp(type->name, row->type) == 0));
}

struct rows {
	const struct failure_row *v;
	size_t n;
	bool (*fits)(struct bytes text, const char *row);
};

/* The index of the first row that fits; rows->n: none. */
static size_t find_row(const struct reading *r, const struct rows *rows, struct bytes text)
{
	size_t i = 0;

	while (i < rows->n && !(holds(&rows->v[i], r) && rows->fits(text, rows->v[i].text))) {
		i++;
	}
	return i;
}

/* The first row that fits any of the texts at these places: rows are in order of precision, and vendors
 * say the same thing in several members. FAILURE_NONE: none does. */
static enum failure_class ask_rows(
	const struct reading *r, const struct rows *rows, enum want from, enum want to)
{
	char room[MESSAGE_MAX];
	size_t best = rows->n;
	struct text t;

	text_init_fixed(&t, room, sizeof(room));
	for (size_t i = 0; i < r->hits.n; i++) {
		const struct json_hit *h = &r->hits.v[i];

		if (h->want >= from && h->want <= to) {
			best = MIN(best, find_row(r, rows, text_of(r, h, &t)));
		}
	}
	return best < rows->n ? rows->v[best].class : FAILURE_NONE;
}

/* What is no JSON object at all: its text itself. */
static enum failure_class ask_text(const struct reading *r, const struct rows *rows)
{
	struct bytes body = r->facts->body;
	char room[MESSAGE_MAX];
	size_t n = MIN(body.n, sizeof(room));
	size_t found;

	if (r->hits.n != 0 || body.n == 0) {
		return FAILURE_NONE;
	}
	for (size_t i = 0; i < n; i++) {
		room[i] = ascii_lower(body.p[i]);
	}
	found = find_row(r, rows, bytes_of(room, n));
	return found < rows->n ? rows->v[found].class : FAILURE_NONE;
}

/* --- what it is --------------------------------------------------------------------------------- */

static bool is_page(struct bytes body)
{
	while (body.n != 0 && memchr(" \t\r\n", body.p[0], 4) != NULL) {
		body = bytes_of(body.p + 1, body.n - 1);
	}
	return bytes_starts_nocase(body, BYTES("<!doctype")) ||
		bytes_starts_nocase(body, BYTES("<html"));
}

static unsigned where_of(unsigned status)
{
	if (status == 401 || status == 403) {
		return ON_AUTH;
	}
	if (status >= 500) {
		return ON_5XX;
	}
	if (status >= 400) {
		return status == 429 ? ON_429 : ON_4XX;
	}
	return ON_OK;
}

/* With the credential of nobody a refusal is nobody's fault but the configuration's: another candidate may do. */
static enum failure_class by_status(const struct failure_facts *facts, unsigned status)
{
	switch (status) {
	case 401:
	case 403:
		return facts->has_credential ? FAILURE_CREDENTIAL : FAILURE_CLIENT;
	case 402:
		return FAILURE_BILLING;
	case 407: /* a proxy on the way, a time that ran out there, a request replayed too early */
	case 408:
	case 425:
		return FAILURE_SERVER;
	case 429:
		return FAILURE_RATE;
	case 451:
		return FAILURE_FILTERED;
	case 498: /* groq: no capacity for flexible requests */
	case 503:
	case 529:
		return FAILURE_OVERLOAD;
	default:
		return status >= 500 ? FAILURE_SERVER : FAILURE_CLIENT;
	}
}

/* A status that the error object has as its code: {"error":{"code":429}}. */
static unsigned status_in(const struct reading *r)
{
	const struct json_hit *h = json_hits_get(&r->hits, CODE, NULL);
	uint64_t status;

	if (h == NULL || h->type != JSON_NUMBER || !json_number_u64(literal_of(r, h), &status)) {
		return 0;
	}
	return status >= 400 && status <= 599 ? (unsigned)status : 0;
}

static bool is_zero(const struct reading *r, const struct json_hit *h)
{
	uint64_t v;

	return h->type == JSON_NUMBER && json_number_u64(literal_of(r, h), &v) &&
		(v == 0 || v == 200);
}

/* A member at the top that some vendors have in every answer: {"code":0,"message":"Success"}. */
static bool top_code_is_error(const struct reading *r)
{
	const struct json_hit *h = json_hits_get(&r->hits, CODE_TOP, NULL);

	return h != NULL && !is_zero(r, h) && (h->type == JSON_NUMBER || h->type == JSON_STRING) &&
		h->end - h->beg > 2 && (has(r, MESSAGE_TOP) || has(r, MESSAGE_TOP_2)) &&
		!has(r, ANSWER_CHOICES) && !has(r, ANSWER_OUTPUT) && !has(r, ANSWER_DATA);
}

/* Whether what came behind a 2xx is an error. */
static bool says_error(const struct reading *r)
{
	const struct json_hit *base = json_hits_get(&r->hits, CODE_BASE, NULL);
	const struct json_hit *error = json_hits_get(&r->hits, MESSAGE_STRING, NULL);

	if (error != NULL && (error->type == JSON_STRING || error->type == JSON_OBJECT)) {
		return !error->empty && error->end - error->beg > 2;
	}
	for (unsigned w = CODE; w <= CODE_ARRAY; w++) {
		const struct json_hit *h = json_hits_get(&r->hits, w, NULL);

		if (w != CODE_BASE && h != NULL && h->type != JSON_NULL) {
			return true;
		}
	}
	return has(r, MESSAGE) || (base != NULL && !is_zero(r, base)) || top_code_is_error(r) ||
		bytes_eq(r->facts->event_name, BYTES("error"));
}

static bool has_text(const struct reading *r, enum want want)
{
	const struct json_hit *h = json_hits_get(&r->hits, want, NULL);

	return h != NULL && h->type == JSON_STRING && h->end - h->beg > 2;
}

/* An answer that a filter has ended before it said anything. */
static bool is_filtered(const struct reading *r)
{
	return (has(r, FINISH) || has(r, FINISH_STOP) || has(r, FINISH_BLOCKED)) &&
		!has_text(r, CONTENT) && !has_text(r, CONTENT_DELTA) &&
		!has_text(r, CONTENT_BLOCKS);
}

static enum failure_class class_of_error(struct reading *r)
{
	const struct rows codes = {failure_codes, failure_codes_n, is_like};
	const struct rows messages = {failure_messages, failure_messages_n, contains};
	const struct rows kinds = {failure_kinds, failure_kinds_n, is_like};
	enum failure_class class = ask_rows(r, &codes, CODE, CODE_LAST);

	if (class == FAILURE_NONE) {
		class = ask_rows(r, &messages, MESSAGE, MESSAGE_LAST);
	}
	if (class == FAILURE_NONE) {
		class = ask_text(r, &messages);
	}
	if (class == FAILURE_NONE && r->status >= 400) {
		class = by_status(r->facts, r->status);
	}
	if (class == FAILURE_NONE) {
		class = ask_rows(r, &kinds, CODE, CODE_LAST);
	}
	return class != FAILURE_NONE ? class : FAILURE_SERVER;
}

/* Names without which no text behind a 2xx is an error or filtered: quicker to look for than to scan. */
static bool may_say_error(const struct failure_facts *facts)
{
	static const char *const names[] = {"error", "Error", "errors", "base_resp", "code",
		"content_filter", "refusal", "blockReason"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (json_find_name(facts->body, bytes_str(names[i])) != NULL) {
			return true;
		}
	}
	return bytes_eq(facts->event_name, BYTES("error"));
}

static enum failure_class class_behind_2xx(struct reading *r)
{
	if (!may_say_error(r->facts)) {
		return is_page(r->facts->body) ? FAILURE_INVALID : FAILURE_NONE;
	}
	read_body(r);
	if (says_error(r)) {
		r->status = status_in(r);
		r->on = r->status != 0 ? where_of(r->status) : ON_OK;
		return class_of_error(r);
	}
	return is_filtered(r) ? FAILURE_FILTERED : FAILURE_NONE;
}

static enum failure_class class_of(struct reading *r)
{
	if (r->on == ON_OK) {
		return r->facts->status < 300 ? class_behind_2xx(r) : FAILURE_NONE;
	}
	/* A wall on the way wrote it, and it knows nothing of credentials. */
	if (is_page(r->facts->body) && (r->on & (ON_AUTH | ON_4XX)) != 0) {
		return FAILURE_INVALID;
	}
	read_body(r);
	return class_of_error(r);
}

/* --- how long ----------------------------------------------------------------------------------- */

/* The answer's own words before a field that all answers have. */
static uint64_t wait_of(const struct reading *r, enum failure_class class)
{
	const struct failure_facts *f = r->facts;
	const struct json_hit *h = json_hits_get(&r->hits, DELAY, NULL);
	uint64_t ms = 0;

	if ((f->retry_after_ms.p != NULL && retry_after_read_ms(f->retry_after_ms, &ms)) ||
		(f->retry_after.p != NULL &&
			retry_after_read(f->retry_after, f->date, f->wall_ms, &ms))) {
		return ms;
	}
	if (h != NULL && h->type == JSON_STRING && !h->escaped &&
		retry_after_read_span(
			bytes_of(f->body.p + h->beg + 1, (size_t)(h->end - h->beg) - 2), &ms)) {
		return ms;
	}
	/* All answers have it: only a status that no text of the client's can bring about makes it a wait. */
	if (class == FAILURE_RATE && f->status == 429 && f->rate_reset.p != NULL) {
		IGNORE(retry_after_read_span(f->rate_reset, &ms));
	}
	return ms;
}

void failures_classify(const struct failure_facts *facts, struct failure *out)
{
	struct reading r = {.facts = facts, .status = facts->status};

	r.on = where_of(facts->status);
	json_hits_init(&r.hits, r.room, HITS_MAX, HITS_MAX);
	out->class = class_of(&r);
	/* Nobody's credential cannot be blamed. */
	if (!facts->has_credential &&
		(out->class == FAILURE_CREDENTIAL || out->class == FAILURE_BILLING)) {
		out->class = FAILURE_CLIENT;
	}
	out->retry_after_ms = out->class != FAILURE_NONE ? wait_of(&r, out->class) : 0;
	json_hits_done(&r.hits);
}
