/*
 * Scalars that the walk (json_walk.c) could not take in passing: long strings and those with escapes (RFC 8259 §7),
 * numbers (§6) and words (§3) that a piece cuts or that are wrong.
 *
 * Strings go through blocks of 64 (json_block.c), and byte by byte where a string is cut, or wrong
 * (json_string.c). The last one alone refuses.
 */
#include "wire/json_int.h"

enum number {
	NUM_START, /* at the first digit */
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

static bool is_wanted(const struct json_scan *s)
{
	return s->node != NULL && s->node->wants != 0;
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

		return json_scan_report(s, s->node, &hit, text) ? p : NULL;
	}
	return p;
}

static const char *end_plain(struct json_scan *s, const char *p)
{
	return end_scalar(s, p, bytes_of(NULL, 0), false);
}

/* --- strings -------------------------------------------------------------------------------------- */

/* Whether the text of the string at hand is compared with anything. */
static bool text_matters(const struct json_scan *s, bool key)
{
	if (key) {
		return s->tracked == s->depth && s->level_node[s->tracked]->lengths != 0;
	}
	return s->node != NULL && s->node->literals != 0;
}

/* p is behind the closing quote; text is unescaped, or anything when it does not matter. */
static const char *end_string(
	struct json_scan *s, const char *p, bool key, struct bytes text, bool escaped)
{
	if (!key) {
		s->type = JSON_STRING;
		return end_scalar(s, p, text, escaped);
	}
	s->node = s->tracked == s->depth ? json_query_step(s->level_node[s->tracked], text) : NULL;
	s->state = JSON_AT_COLON;
	return p;
}

/* The string's beginning lies in an earlier piece, or s->str was started for it in this one. */
const char *json_resume_string(struct json_scan *s, const char *p, const char *end, bool key)
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

/* A whole string with escapes, between its quotes. Not inlined: the others need no room for its text. */
static __attribute__((noinline)) const char *end_escaped(
	struct json_scan *s, struct bytes raw, bool key)
{
	char room[JSON_KEY_MAX + 1];
	struct text text;

	text_init_fixed(&text, room, sizeof(room));
	json_unescape(raw, &text);
	/* Too long to be equal to anything: then it may as well be cut to that length. */
	if (text_full(&text)) {
		text.n = sizeof(room);
	}
	return end_string(s, raw.p + raw.n + 1, key, text_bytes(&text), true);
}

const char *json_take_string(struct json_scan *s, const char *p, const char *end, bool key)
{
	bool escaped = false;
	const char *q = s->run(p, end, &escaped);

	if (q < end && *q == '"') {
		struct bytes raw = bytes_of(p, (size_t)(q - p));

		return escaped && text_matters(s, key) ? end_escaped(s, raw, key)
						       : end_string(s, q + 1, key, raw, escaped);
	}
	/* Cut by the piece's end, or wrong. What matters must be kept from its beginning. */
	if (text_matters(s, key)) {
		json_string_start(&s->str, true);
		q = p;
	} else {
		json_string_start(&s->str, false);
		s->str.escaped = escaped;
	}
	return json_resume_string(s, q, end, key);
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

/* Where a digit changes nothing. */
#define NUM_STAYS (1u << NUM_INT | 1u << NUM_FRAC | 1u << NUM_EXP)

const char *json_take_number(struct json_scan *s, const char *p, const char *end)
{
	unsigned at = s->number;

	for (; p < end; p++) {
		unsigned next;

		if (ascii_digit(*p) && (NUM_STAYS >> at & 1) != 0) {
			continue;
		}
		next = number_next(at, *p);
		if (next == NUM_WRONG) {
			return json_scan_refuse_byte(s, p, "expected a digit");
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

const char *json_start_number(struct json_scan *s, const char *p, const char *end)
{
	s->type = JSON_NUMBER;
	s->number = NUM_START;
	return json_take_number(s, *p == '-' ? p + 1 : p, end);
}

const char *json_take_word(struct json_scan *s, const char *p, const char *end)
{
	const char *word = s->word;

	for (; p < end && *word != '\0'; p++, word++) {
		if (*p != *word) {
			return json_scan_refuse_byte(s, p, "expected true, false or null");
		}
	}
	if (*word == '\0') {
		return end_plain(s, p);
	}
	s->word = word;
	s->state = JSON_IN_WORD;
	return p;
}

const char *json_start_word(
	struct json_scan *s, const char *p, const char *end, enum json_type type)
{
	static const char *const words[] = {
		[JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};

	s->type = (uint8_t)type;
	s->word = words[type];
	return json_take_word(s, p, end);
}
