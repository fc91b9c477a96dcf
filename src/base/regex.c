#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/regex.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
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
struct regex *regex_new_search(struct bytes pattern, struct fault *fault)
{
	pcre2_code *code = compile(pattern, 0, fault);
	struct text t;

	if (code == NULL) {
		return NULL;
	}
	pcre2_code_free(code);
	text_init(&t, 2 * REGEX_MAX);
	text_add_str(&t, "(?s:.*?)(?:");
	text_add_bytes(&t, pattern);
	text_add_char(&t, ')');
	code = compile(text_bytes(&t), 0, fault);
	text_done(&t);
	return make(code, REGEX_SEARCH_STEPS_MAX);
}

void regex_free(struct regex *r)
{
	if (r != NULL) {
		pcre2_code_free(r->code);
		pcre2_match_context_free(r->limits);
		free(r);
	}
}

bool regex_matches(const struct regex *r, struct bytes text)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	const char *p = text.p != NULL ? text.p : "";
	int rc;

	ASSERT(data != NULL);
	rc = pcre2_match(r->code, (PCRE2_SPTR)p, text.n, 0, 0, data, r->limits);
	pcre2_match_data_free(data);
	return rc >= 0;
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
