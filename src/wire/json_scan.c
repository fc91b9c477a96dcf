/*
 * The scanner: what may stand where (RFC 8259 §2–§6), and which of it is wanted.
 *
 * One loop over bytes and eight states between tokens; no recursion, a bit per open container. A token
 * that a piece cuts has a state of its own and is resumed at the next piece. Containers on wanted
 * paths are "tracked", from the top down; once a container is open that is not, nothing inside it is
 * compared with anything until it closes.
 *
 * Strings go through three hands: 16 bytes looked at here (keys and most values of events are short;
 * a block's set-up would cost more than they do), then blocks of 64 (json_block.c), and byte by byte
 * where a string is cut, or wrong (json_string.c). The last one alone refuses.
 */
#include "wire/json_int.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

enum number {
	NUM_START, /* behind the minus */
	NUM_ZERO,  /* a leading zero: no digit may follow */
	NUM_INT,
	NUM_POINT,
	NUM_FRAC,
	NUM_E,
	NUM_SIGN,
	NUM_EXP,
	NUM_OVER, /* the byte does not belong to the number */
	NUM_WRONG /* nor may it stand there */
};

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

static const char *refuse_byte(struct json_scan *s, const char *p, const char *text)
{
	return json_scan_refuse(s, ERR_SYNTAX, json_scan_offset(s, p), text);
}

static bool in_object(const struct json_scan *s)
{
	unsigned d = s->depth - 1u;

	return s->is_object[d >> 6] >> (d & 63) & 1;
}

/* --- what was found ------------------------------------------------------------------------------- */

/* hit without its want; text: of a string, when a want of the node compares it. */
static bool report(struct json_scan *s, uint16_t node, struct json_hit hit, struct bytes text)
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

static bool is_wanted(const struct json_scan *s)
{
	return s->node != JSON_NO_NODE && s->query->nodes[s->node].wants != 0;
}

/* A scalar that began at s->beg ends before p. text and escaped: of strings. */
static const char *end_scalar(struct json_scan *s, const char *p, struct bytes text, bool escaped)
{
	s->state = s->depth != 0 ? JSON_AT_NEXT : JSON_AT_END;
	if (is_wanted(s)) {
		struct json_hit hit = {.beg = s->beg,
			.end = json_scan_offset(s, p),
			.type = s->type,
			.escaped = escaped};

		return report(s, s->node, hit, text) ? p : NULL;
	}
	return p;
}

static const char *end_plain(struct json_scan *s, const char *p)
{
	return end_scalar(s, p, bytes_of(NULL, 0), false);
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
	if (s->depth == 0) {
		s->top_empty = empty;
	}
	if (s->tracked > s->depth) {
		struct json_hit hit = {.end = json_scan_offset(s, p + 1),
			.type = object ? JSON_OBJECT : JSON_ARRAY,
			.empty = empty};

		s->tracked--;
		hit.beg = s->level_beg[s->tracked];
		if (!report(s, s->level_node[s->tracked], hit, bytes_of(NULL, 0))) {
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
	return refuse_byte(s, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
}

/* --- strings -------------------------------------------------------------------------------------- */

/* Over at most 16 bytes that need no thought. */
static inline const char *skip_short(const char *p, const char *end)
{
#if defined(__x86_64__)
	if (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* Signed: bytes above 0x7f are less than 0x20, too. */
		__m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
		__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
		__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
		__m128i stop = _mm_or_si128(_mm_or_si128(quote, slash), odd);

		return p + __builtin_ctz((unsigned)_mm_movemask_epi8(stop) | 0x10000u);
	}
#endif
	for (const char *to = p + MIN(16, end - p); p < to; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '"' || c == '\\' || c < 0x20 || c > 0x7f) {
			break;
		}
	}
	return p;
}

/* Whether the text of the string at hand is compared with anything. */
static bool text_matters(const struct json_scan *s, bool key)
{
	if (key) {
		return s->tracked == s->depth &&
			s->query->nodes[s->level_node[s->tracked - 1]].lengths != 0;
	}
	return s->node != JSON_NO_NODE && s->query->nodes[s->node].literals != 0;
}

/* p is behind the closing quote; text is unescaped, or anything when it does not matter. */
static const char *end_string(
	struct json_scan *s, const char *p, bool key, struct bytes text, bool escaped)
{
	if (!key) {
		s->type = JSON_STRING;
		return end_scalar(s, p, text, escaped);
	}
	s->state = JSON_AT_COLON;
	s->node = s->tracked == s->depth
		? json_query_step(s->query, s->level_node[s->tracked - 1], text)
		: JSON_NO_NODE;
	return p;
}

/* The string's beginning lies in an earlier piece, or s->str was started for it in this one. */
static const char *resume_string(struct json_scan *s, const char *p, const char *end, bool key)
{
	bool over = false;

	while (p < end) {
		if (!json_string_busy(&s->str)) {
			p = s->run(p, end, &s->str.escaped);
			if (p == end) {
				break;
			}
		}
		p = json_string_feed(s, p, end, &over);
		if (p == NULL) {
			return NULL;
		}
		if (over) {
			return end_string(
				s, p, key, bytes_of(s->str.kept, s->str.kept_n), s->str.escaped);
		}
	}
	s->state = key ? JSON_IN_KEY : JSON_IN_STRING;
	return p;
}

/* A whole string with escapes, between its quotes. */
static const char *end_escaped(struct json_scan *s, struct bytes raw, const char *p, bool key)
{
	char room[JSON_KEY_MAX + 1];
	struct text text;

	text_init_fixed(&text, room, sizeof(room));
	if (text_matters(s, key)) {
		json_unescape(raw, &text);
	}
	/* Too long to be equal to anything: then it may as well be cut to that length. */
	if (text_full(&text)) {
		text.n = sizeof(room);
	}
	return end_string(s, p, key, text_bytes(&text), true);
}

/* p is behind the opening quote. */
static inline const char *take_string(struct json_scan *s, const char *p, const char *end, bool key)
{
	const char *q = skip_short(p, end);
	bool escaped = false;

	if (q == end || *q != '"') {
		q = s->run(q, end, &escaped);
	}
	if (q < end && *q == '"') {
		struct bytes raw = bytes_of(p, (size_t)(q - p));

		return escaped ? end_escaped(s, raw, q + 1, key)
			       : end_string(s, q + 1, key, raw, false);
	}
	/* Cut by the piece's end, or wrong. What matters must be kept from its beginning. */
	if (text_matters(s, key)) {
		json_string_start(&s->str, true);
		q = p;
	} else {
		json_string_start(&s->str, false);
		s->str.escaped = escaped;
	}
	return resume_string(s, q, end, key);
}

/* --- numbers, words ------------------------------------------------------------------------------- */

/* number = [ minus ] int [ frac ] [ exp ] (RFC 8259 §6) */
static unsigned number_next(unsigned at, char c)
{
	static const uint8_t behind_digit[] = {[NUM_START] = NUM_INT,
		[NUM_ZERO] = NUM_OVER,
		[NUM_INT] = NUM_INT,
		[NUM_POINT] = NUM_FRAC,
		[NUM_FRAC] = NUM_FRAC,
		[NUM_E] = NUM_EXP,
		[NUM_SIGN] = NUM_EXP,
		[NUM_EXP] = NUM_EXP};

	if (ascii_digit(c)) {
		return c == '0' && at == NUM_START ? NUM_ZERO : behind_digit[at];
	}
	if (c == '.' && (at == NUM_INT || at == NUM_ZERO)) {
		return NUM_POINT;
	}
	if ((c == 'e' || c == 'E') && (at == NUM_INT || at == NUM_ZERO || at == NUM_FRAC)) {
		return NUM_E;
	}
	if ((c == '+' || c == '-') && at == NUM_E) {
		return NUM_SIGN;
	}
	return at == NUM_ZERO || at == NUM_INT || at == NUM_FRAC || at == NUM_EXP ? NUM_OVER
										  : NUM_WRONG;
}

static const char *take_number(struct json_scan *s, const char *p, const char *end)
{
	unsigned at = s->number;

	for (; p < end; p++) {
		unsigned next = number_next(at, *p);

		if (next == NUM_WRONG) {
			return refuse_byte(s, p, "expected a digit");
		}
		if (next == NUM_OVER) {
			return end_plain(s, p);
		}
		at = next;
	}
	s->number = (uint8_t)at;
	s->state = JSON_IN_NUMBER;
	return p;
}

static const char *take_word(struct json_scan *s, const char *p, const char *end)
{
	const char *word = s->word;

	for (; p < end && *word != '\0'; p++, word++) {
		if (*p != *word) {
			return refuse_byte(s, p, "expected true, false or null");
		}
	}
	if (*word == '\0') {
		return end_plain(s, p);
	}
	s->word = word;
	s->state = JSON_IN_WORD;
	return p;
}

static const char *start_word(
	struct json_scan *s, const char *p, const char *end, enum json_type type)
{
	static const char *const words[] = {
		[JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};

	s->type = (uint8_t)type;
	s->word = words[type];
	return take_word(s, p, end);
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
		return take_string(s, p + 1, end, false);
	case '{':
		return open_container(s, p, true);
	case '[':
		return open_container(s, p, false);
	case 't':
		return start_word(s, p, end, JSON_TRUE);
	case 'f':
		return start_word(s, p, end, JSON_FALSE);
	case 'n':
		return start_word(s, p, end, JSON_NULL);
	case '-':
		s->type = JSON_NUMBER;
		s->number = NUM_START;
		return take_number(s, p + 1, end);
	default:
		if (!ascii_digit(*p)) {
			return refuse_byte(s, p, "expected a value");
		}
		s->type = JSON_NUMBER;
		s->number = NUM_START;
		return take_number(s, p, end);
	}
}

static const char *take_key(struct json_scan *s, const char *p, const char *end)
{
	return *p == '"' ? take_string(s, p + 1, end, true)
			 : refuse_byte(s, p, "expected a key in quotes");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
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
		return *p == ':' ? p + 1 : refuse_byte(s, p, "expected ':' behind a key");
	case JSON_AT_FIRST_VALUE:
		return *p == ']' ? close_container(s, p, true) : take_value(s, p, end);
	case JSON_AT_VALUE:
		return take_value(s, p, end);
	case JSON_AT_NEXT:
		return take_next(s, p);
	case JSON_IN_KEY:
		return resume_string(s, p, end, true);
	case JSON_IN_STRING:
		return resume_string(s, p, end, false);
	case JSON_IN_NUMBER:
		return take_number(s, p, end);
	case JSON_IN_WORD:
		return take_word(s, p, end);
	case JSON_AT_END:
	case JSON_FAILED:
		break;
	}
	return refuse_byte(s, p, "more than one value");
}

static enum read_rc tell_fault(const struct json_scan *s, struct fault *fault)
{
	fault_set(fault, s->fault_err, 400, (size_t)s->fault_at, "not valid JSON at byte %llu: %s",
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
		IGNORE(take_number(s, &blank, &blank + 1)); /* s->state says it */
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
