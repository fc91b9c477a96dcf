#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/regex.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	struct bytes counted; /* the expression, whose work is counted; n 0: its steps alone are */
};

static pcre2_code *compile(struct bytes pattern, uint32_t flags, struct fault *fault)
{
	PCRE2_SIZE where = 0;
	int error = 0;
	pcre2_code *code;

	*fault = (struct fault){.err = ERR_SYNTAX};
	if (pattern.n > REGEX_MAX) {
		fault->err = ERR_LIMIT;
		snprintf(fault->text, sizeof(fault->text), "longer than %u bytes", REGEX_MAX);
		return NULL;
	}
	code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
		flags | PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
			PCRE2_NEVER_UTF,
		&error, &where, NULL);
	if (code == NULL) {
		fault->where = where;
		pcre2_get_error_message(error, (PCRE2_UCHAR *)fault->text, sizeof(fault->text));
	}
	return code;
}

static struct regex *make(pcre2_code *code, uint32_t steps)
{
	struct regex *r;

	if (code == NULL) {
		return NULL;
	}
	/* Without it (no executable memory) matching is slower, and the same. */
	(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	r = must_alloc(sizeof(*r));
	r->code = code;
	r->counted = (struct bytes){NULL, 0};
	r->limits = pcre2_match_context_create(NULL);
	ASSERT(r->limits != NULL);
	pcre2_set_match_limit(r->limits, steps);
	return r;
}

struct regex *regex_new(struct bytes pattern, struct fault *fault)
{
	return make(compile(pattern, PCRE2_ENDANCHORED, fault), REGEX_STEPS_MAX);
}

/* pcre2 counts its steps anew at each byte where a match may begin, which would multiply the bound by the
 * length of the text. So the search is a part of the expression. It must be one by itself: "a)(b" is none. */
static bool search_of(struct bytes pattern, struct text *out, struct fault *fault)
{
	pcre2_code *code = compile(pattern, 0, fault);

	if (code == NULL) {
		return false;
	}
	pcre2_code_free(code);
	text_init(out, 2 * REGEX_MAX);
	text_add_str(out, "(?s:.*?)\\K(?:");
	text_add_bytes(out, pattern);
	text_add_char(out, ')');
	return true;
}

struct regex *regex_new_search(struct bytes pattern, struct fault *fault)
{
	struct regex *r;
	struct text t;

	if (!search_of(pattern, &t, fault)) {
		return NULL;
	}
	r = make(compile(text_bytes(&t), 0, fault), REGEX_SEARCH_STEPS_MAX);
	text_done(&t);
	return r;
}

/* Steps are no measure of what a text costs: one of them may run over all that is left of it, and the machine's code of
 * an expression counts few. So pcre2 is made to call before each item of the expression. */
struct regex *regex_new_look(struct bytes pattern, struct fault *fault)
{
	struct regex *r;
	struct text t;

	if (!search_of(pattern, &t, fault)) {
		return NULL;
	}
	r = make(compile(text_bytes(&t), PCRE2_AUTO_CALLOUT, fault), REGEX_SEARCH_STEPS_MAX);
	if (r != NULL) {
		char *copy = must_alloc(t.n);

		memcpy(copy, text_bytes(&t).p, t.n);
		r->counted = bytes_of(copy, t.n);
	}
	text_done(&t);
	return r;
}

/* Whether a bar may stand between alternatives of the whole. Where it is not plain to see which parentheses
 * are some (escapes, classes, comments, verbs), it may. */
static bool may_have_alternatives(struct bytes pattern)
{
	bool odd = false;
	bool bar = false;
	int depth = 0;

	for (size_t i = 0; i < pattern.n; i++) {
		char c = pattern.p[i];

		odd = odd || c == '\\' || c == '[' || c == '#' ||
			(c == '*' && i != 0 && pattern.p[i - 1] == '(');
		if (c == '|' && (odd || depth == 0)) {
			return true;
		}
		bar = bar || c == '|';
		depth += (c == '(') - (c == ')');
	}
	return bar && odd;
}

struct bytes regex_beginning(struct bytes pattern)
{
	size_t n = 0;

	if (may_have_alternatives(pattern)) {
		return bytes_of(pattern.p, 0);
	}
	while (n < pattern.n && memchr("\\.+*?()[]{}^$", pattern.p[n], 13) == NULL) {
		n++;
	}
	/* A quantifier may say that the last character need not be there. */
	if (n != 0 && n < pattern.n && memchr("+*?{", pattern.p[n], 4) != NULL) {
		n--;
	}
	return bytes_of(pattern.p, n);
}

void regex_free(struct regex *r)
{
	if (r != NULL) {
		pcre2_code_free(r->code);
		pcre2_match_context_free(r->limits);
		free((char *)(uintptr_t)r->counted.p);
		free(r);
	}
}

/* Bytes that a repetition passes over in the time of one other item. */
#define PASSED_AT_ONCE 16u

struct work {
	struct bytes pattern;
	size_t left;
};

/* "[a-z]*", ".+?", "a{2,}"; "\+" is a character. */
static bool is_repetition(struct bytes item)
{
	if (item.n < 2 || (item.n == 2 && item.p[0] == '\\')) {
		return false;
	}
	return memchr("*+?}", item.p[item.n - 1], 4) != NULL;
}

static int on_item(pcre2_callout_block *at, void *arg)
{
	struct work *w = arg;
	size_t cost = 1;

	if (at->pattern_position + at->next_item_length <= w->pattern.n &&
		is_repetition(
			bytes_of(w->pattern.p + at->pattern_position, at->next_item_length))) {
		cost += (at->subject_length - at->current_position) / PASSED_AT_ONCE;
	}
	if (cost > w->left) {
		return PCRE2_ERROR_MATCHLIMIT;
	}
	w->left -= cost;
	return 0;
}

enum regex_found regex_look(const struct regex *r, struct bytes text)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	struct work work = {r->counted, REGEX_LOOK_WORK_MAX + REGEX_LOOK_WORK_EACH * text.n};
	pcre2_match_context *limits = r->limits;
	const char *p = text.p != NULL ? text.p : "";
	int rc;

	ASSERT(data != NULL);
	if (r->counted.n != 0) {
		limits = pcre2_match_context_copy(r->limits);
		ASSERT(limits != NULL);
		pcre2_set_callout(limits, on_item, &work);
	}
	rc = pcre2_match(r->code, (PCRE2_SPTR)p, text.n, 0, 0, data, limits);
	pcre2_match_data_free(data);
	if (limits != r->limits) {
		pcre2_match_context_free(limits);
	}
	return rc >= 0 ? REGEX_FOUND : rc == PCRE2_ERROR_NOMATCH ? REGEX_ABSENT : REGEX_GIVEN_UP;
}

bool regex_matches(const struct regex *r, struct bytes text)
{
	return regex_look(r, text) == REGEX_FOUND;
}

bool regex_find(const struct regex *r, struct bytes text, struct bytes out[REGEX_GROUPS_MAX])
{
	pcre2_match_data *data = pcre2_match_data_create(REGEX_GROUPS_MAX, NULL);
	const char *p = text.p != NULL ? text.p : "";
	const PCRE2_SIZE *at;
	int rc;

	ASSERT(data != NULL);
	rc = pcre2_match(r->code, (PCRE2_SPTR)p, text.n, 0, 0, data, r->limits);
	at = pcre2_get_ovector_pointer(data);
	for (unsigned i = 0; rc >= 0 && i < REGEX_GROUPS_MAX; i++) {
		/* 0: there are more groups than room, so each place is filled. */
		bool took = (rc == 0 || i < (unsigned)rc) && at[2 * i] != PCRE2_UNSET;

		out[i] = took ? bytes_of(p + at[2 * i], at[2 * i + 1] - at[2 * i])
			      : (struct bytes){NULL, 0};
	}
	pcre2_match_data_free(data);
	return rc >= 0;
}

unsigned regex_groups(const struct regex *r)
{
	uint32_t n = 0;

	pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &n);
	return n;
}

/* --- replacing ---------------------------------------------------------------------------------- */

/* A piece of a replacement: text, or a group. */
struct piece {
	struct bytes text;
	bool group;
	uint32_t number; /* UINT32_MAX: r has none of that name */
};

static uint32_t group_named(const struct regex *r, struct bytes name)
{
	uint32_t groups = 0;
	char room[33];
	uint64_t v;
	int rc;

	pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (num_parse_u64(name, groups, &v)) {
		return (uint32_t)v;
	}
	if (name.n == 0 || name.n >= sizeof(room) || ascii_digit(name.p[0])) {
		return UINT32_MAX;
	}
	memcpy(room, name.p, name.n);
	room[name.n] = '\0';
	rc = pcre2_substring_number_from_name(r->code, (PCRE2_SPTR)room);
	return rc > 0 ? (uint32_t)rc : UINT32_MAX;
}

/* What a dollar at the beginning of *rest begins; moves *rest on. */
static struct piece read_dollar(const struct regex *r, struct bytes *rest)
{
	struct bytes tail = bytes_of(rest->p + 1, rest->n - 1);
	const char *close = tail.n != 0 && tail.p[0] == '{' ? memchr(tail.p, '}', tail.n) : NULL;
	struct bytes name = tail;
	size_t digits = 0;
	size_t used = 1;

	while (digits < tail.n && ascii_digit(tail.p[digits])) {
		digits++;
	}
	if (tail.n != 0 && tail.p[0] == '$') {
		*rest = bytes_of(tail.p + 1, tail.n - 1);
		return (struct piece){.text = BYTES("$")};
	}
	if (close != NULL) {
		name = bytes_of(tail.p + 1, (size_t)(close - tail.p) - 1);
		used += name.n + 2;
	} else {
		name.n = digits;
		used += digits;
	}
	*rest = bytes_of(rest->p + used, rest->n - used);
	if (name.n == 0 && close == NULL) {
		return (struct piece){.text = BYTES("$")};
	}
	return (struct piece){.group = true, .number = group_named(r, name)};
}

static struct piece next_piece(const struct regex *r, struct bytes *rest)
{
	const char *dollar = memchr(rest->p, '$', rest->n);
	struct bytes text = *rest;

	if (dollar == rest->p) {
		return read_dollar(r, rest);
	}
	text.n = dollar != NULL ? (size_t)(dollar - rest->p) : rest->n;
	*rest = bytes_of(rest->p + text.n, rest->n - text.n);
	return (struct piece){.text = text};
}

bool regex_knows(const struct regex *r, struct bytes replacement)
{
	while (replacement.n != 0) {
		struct piece p = next_piece(r, &replacement);

		if (p.group && p.number == UINT32_MAX) {
			return false;
		}
	}
	return true;
}

static void put_match(const struct regex *r, pcre2_match_data *data, struct bytes text,
	struct bytes replacement, struct text *out)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
	uint32_t n = pcre2_get_ovector_count(data);

	while (replacement.n != 0) {
		struct piece p = next_piece(r, &replacement);

		if (!p.group) {
			text_add_bytes(out, p.text);
		} else if (p.number < n && at[2 * p.number] != PCRE2_UNSET) {
			text_add(out, text.p + at[2 * p.number],
				at[2 * p.number + 1] - at[2 * p.number]);
		}
	}
}

bool regex_replace(
	const struct regex *r, struct bytes text, struct bytes replacement, struct text *out)
{
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(r->code, NULL);
	const PCRE2_SIZE *at;
	PCRE2_SIZE from = 0; /* the next search begins there */
	size_t done = 0;     /* up to there is in out */
	unsigned n = 0;

	ASSERT(data != NULL);
	at = pcre2_get_ovector_pointer(data);
	while (n < REGEX_REPLACE_MAX && from <= text.n &&
		pcre2_match(r->code, (PCRE2_SPTR)text.p, text.n, from, 0, data, r->limits) >= 0) {
		bool empty = at[0] == at[1];

		from = at[1] +
			empty; /* an empty match is passed by, and right behind another none */
		if (empty && n != 0 && at[0] == done) {
			continue;
		}
		n++;
		text_add(out, text.p + done, at[0] - done);
		put_match(r, data, text, replacement, out);
		done = at[1];
	}
	pcre2_match_data_free(data);
	if (n != 0) {
		text_add(out, text.p + done, text.n - done);
	}
	return n != 0;
}
