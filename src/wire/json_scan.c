/*
 * The scanner: what may stand where (RFC 8259 §2–§6), and which of it is wanted.
 *
 * One loop over bytes and eight states between tokens; no recursion, a bit per open container. A token
 * that a piece cuts has a state of its own and is resumed at the next piece. Containers on wanted
 * paths are "tracked", from the top down; once a container is open that is not, nothing inside it is
 * compared with anything until it closes.
 */
#include "wire/json_int.h"

struct json_scan *json_scan_init(
	struct json_scan_room *room, const struct json_query *query, struct json_hits *hits)
{
	struct json_scan *s = (struct json_scan *)(void *)room->bytes;
	size_t n;

	ASSERT(query == NULL || hits != NULL);
	memset(s, 0, offsetof(struct json_scan, str));
	s->query = query;
	s->hits = hits;
	s->run = json_runs(&n)->run;
	s->state = JSON_AT_VALUE;
	s->node = query != NULL && query->n_nodes != 0 ? 0 : JSON_NO_NODE;
	return s;
}

const char *json_scan_refuse(struct json_scan *s, enum err err, uint64_t at, const char *text)
{
	s->fault_err = err;
	s->fault_at = at;
	s->fault_text = text;
	s->state = JSON_FAILED;
	return NULL;
}

static bool in_object(const struct json_scan *s)
{
	unsigned d = s->depth - 1u;

	return s->is_object[d >> 6] >> (d & 63) & 1;
}

/* --- what was found ------------------------------------------------------------------------------- */

bool json_scan_report(struct json_scan *s, uint16_t node, struct json_hit hit, struct bytes text)
{
	const struct json_node *n = &s->query->nodes[node];

	for (uint32_t wants = n->wants; wants != 0; wants &= wants - 1) {
		unsigned i = (unsigned)__builtin_ctz(wants);

		if ((n->literals >> i & 1) != 0 &&
			(hit.type != JSON_STRING || !bytes_eq(text, s->query->equals[i]))) {
			continue;
		}
		hit.want = (uint8_t)i;
		if (!json_hits_add(s->hits, &hit)) {
			json_scan_refuse(s, ERR_LIMIT, hit.beg, "too many values that matter");
			return false;
		}
	}
	return true;
}

/* --- containers ----------------------------------------------------------------------------------- */

static const char *open_container(struct json_scan *s, const char *p, bool object)
{
	unsigned word = s->depth >> 6;
	uint64_t bit = 1ull << (s->depth & 63);

	if (s->depth == JSON_DEPTH_MAX) {
		return json_scan_refuse(
			s, ERR_LIMIT, json_scan_offset(s, p), "nested more than 128 deep");
	}
	s->depth++;
	s->is_object[word] = object ? s->is_object[word] | bit : s->is_object[word] & ~bit;
	s->state = object ? JSON_AT_FIRST_KEY : JSON_AT_FIRST_VALUE;
	if (s->node != JSON_NO_NODE) {
		s->level_node[s->tracked] = s->node;
		s->level_beg[s->tracked] = json_scan_offset(s, p);
		s->tracked++;
		s->node = object ? JSON_NO_NODE : s->query->nodes[s->node].first;
	}
	return p + 1;
}

static const char *close_container(struct json_scan *s, const char *p, bool empty)
{
	bool object = in_object(s);

	s->depth--;
	s->state = s->depth != 0 ? JSON_AT_NEXT : JSON_AT_END;
	/* The last one to close is the top. */
	s->top_empty = empty;
	if (s->tracked > s->depth) {
		struct json_hit hit = {.end = json_scan_offset(s, p + 1),
			.type = object ? JSON_OBJECT : JSON_ARRAY,
			.empty = empty};

		s->tracked--;
		hit.beg = s->level_beg[s->tracked];
		if (!json_scan_report(s, s->level_node[s->tracked], hit, bytes_of(NULL, 0))) {
			return NULL;
		}
	}
	return p + 1;
}

/* A comma, or the end of the innermost container. */
static const char *take_next(struct json_scan *s, const char *p)
{
	bool object = in_object(s);

	if (*p == ',') {
		s->state = object ? JSON_AT_KEY : JSON_AT_VALUE;
		if (!object) {
			s->node = s->tracked == s->depth
				? s->query->nodes[s->level_node[s->tracked - 1]].rest
				: JSON_NO_NODE;
		}
		return p + 1;
	}
	if (*p == (object ? '}' : ']')) {
		return close_container(s, p, false);
	}
	return json_scan_refuse_byte(s, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
}

/* --- values --------------------------------------------------------------------------------------- */

static enum json_type type_of(char c)
{
	switch (c) {
	case '"':
		return JSON_STRING;
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

static const char *take_value(struct json_scan *s, const char *p, const char *end)
{
	if (s->depth == 0) {
		s->top = (uint8_t)type_of(*p);
		s->top_at = json_scan_offset(s, p);
	}
	s->beg = json_scan_offset(s, p);
	switch (*p) {
	case '"':
		return json_take_string(s, p + 1, end, false);
	case '{':
		return open_container(s, p, true);
	case '[':
		return open_container(s, p, false);
	case 't':
		return json_start_word(s, p, end, JSON_TRUE);
	case 'f':
		return json_start_word(s, p, end, JSON_FALSE);
	case 'n':
		return json_start_word(s, p, end, JSON_NULL);
	default:
		return *p == '-' || ascii_digit(*p)
			? json_start_number(s, p, end)
			: json_scan_refuse_byte(s, p, "expected a value");
	}
}

static const char *take_key(struct json_scan *s, const char *p, const char *end)
{
	return *p == '"' ? json_take_string(s, p + 1, end, true)
			 : json_scan_refuse_byte(s, p, "expected a key in quotes");
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

/* One token, or as much of it as there is; *p is not blank. */
static inline const char *take_token(struct json_scan *s, const char *p, const char *end)
{
	switch ((enum json_state)s->state) {
	case JSON_AT_FIRST_KEY:
		return *p == '}' ? close_container(s, p, true) : take_key(s, p, end);
	case JSON_AT_KEY:
		return take_key(s, p, end);
	case JSON_AT_COLON:
		s->state = JSON_AT_VALUE;
		return *p == ':' ? p + 1 : json_scan_refuse_byte(s, p, "expected ':' behind a key");
	case JSON_AT_FIRST_VALUE:
		return *p == ']' ? close_container(s, p, true) : take_value(s, p, end);
	case JSON_AT_VALUE:
		return take_value(s, p, end);
	case JSON_AT_NEXT:
		return take_next(s, p);
	case JSON_IN_KEY:
		return json_resume_string(s, p, end, true);
	case JSON_IN_STRING:
		return json_resume_string(s, p, end, false);
	case JSON_IN_NUMBER:
		return json_take_number(s, p, end);
	case JSON_IN_WORD:
		return json_take_word(s, p, end);
	case JSON_AT_END:
	case JSON_FAILED:
		break;
	}
	return json_scan_refuse_byte(s, p, "something stands behind the value");
}

static enum read_rc tell_fault(const struct json_scan *s, struct fault *fault)
{
	fault_set(fault, s->fault_err, 400, (size_t)s->fault_at, "JSON refused at byte %llu: %s",
		(unsigned long long)s->fault_at, s->fault_text);
	return READ_FAIL;
}

enum read_rc json_scan_feed(struct json_scan *s, const char *p, size_t n, struct fault *fault)
{
	const char *end;

	if (s->state == JSON_FAILED) {
		return tell_fault(s, fault);
	}
	if (n == 0) {
		return READ_MORE;
	}
	end = p + n;
	s->piece = p;
	/* Blanks inside a token belong to it: only between tokens are they skipped. */
	if (s->state >= JSON_IN_KEY) {
		p = take_token(s, p, end);
	}
	while (p != NULL && p < end) {
		if (is_blank(*p)) {
			p++;
		} else {
			p = take_token(s, p, end);
		}
	}
	if (p == NULL) {
		return tell_fault(s, fault);
	}
	s->at += n;
	s->piece = NULL;
	return READ_MORE;
}

enum read_rc json_scan_end(struct json_scan *s, struct fault *fault)
{
	static const char blank = ' ';

	/* A number ends only where something else begins. */
	if (s->state == JSON_IN_NUMBER && s->depth == 0) {
		s->piece = &blank;
		IGNORE(json_take_number(s, &blank, &blank + 1)); /* s->state says it */
	}
	if (s->state == JSON_AT_END) {
		return READ_DONE;
	}
	if (s->state != JSON_FAILED) {
		bool nothing = s->state == JSON_AT_VALUE && s->depth == 0;

		json_scan_refuse(s, ERR_SYNTAX, s->at,
			nothing ? "there is no value" : "the text ends too early");
	}
	return tell_fault(s, fault);
}

enum json_type json_scan_top(const struct json_scan *s)
{
	return (enum json_type)s->top;
}

uint64_t json_scan_top_at(const struct json_scan *s)
{
	return s->top_at;
}

bool json_scan_top_empty(const struct json_scan *s)
{
	return s->top_empty;
}

int json_scan_all(
	const struct json_query *q, struct bytes text, struct json_hits *hits, struct fault *fault)
{
	struct json_scan_room room;
	struct json_scan *s = json_scan_init(&room, q, hits);
	struct fault mine;

	if (json_scan_feed(s, text.p, text.n, &mine) == READ_FAIL ||
		json_scan_end(s, &mine) == READ_FAIL) {
		if (fault != NULL) {
			*fault = mine;
		}
		return mine.err;
	}
	return 0;
}
