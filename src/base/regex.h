/*
 * Regular expressions of a configuration (pcre2). Bounded: a match that costs too much does not match.
 */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

/* Longest expression. Those that consoles write for several models are parsed, not compiled. */
#define REGEX_MAX 4096u
/* Steps of one match (ReDoS). */
#define REGEX_STEPS_MAX 20000u

/* Compiled: immutable, shared between threads. */
struct regex;

/* Matches whole texts only. NULL and *fault for an expression that is none. */
MUST_CHECK struct regex *regex_new(struct bytes pattern, struct fault *fault);
/* The same, but it matches wherever in a text it holds. The bound is for the whole search: in a text
 * of many thousand bytes an expression that tries much at each of them is not found. */
#define REGEX_SEARCH_STEPS_MAX 200000u
struct regex *regex_new_search(struct bytes pattern, struct fault *fault);
/* The same for regex_look, in a text of a peer's: what it costs is bounded, whatever the text: to a millisecond in a few
 * thousand bytes, and to three in the longest head of a request. What is in none of them takes a tenth of that, as a rule. */
#define REGEX_LOOK_WORK_MAX 100000u
#define REGEX_LOOK_WORK_EACH 16u /* of each byte */
struct regex *regex_new_look(struct bytes pattern, struct fault *fault);
/* What every text begins with that an expression of regex_new matches, as far as it is plain to see: a part of
 * pattern, often empty. To look at before matching, which costs a hundred times as much. */
struct bytes regex_beginning(struct bytes pattern);
/* NULL is allowed. */
void regex_free(struct regex *r);
bool regex_matches(const struct regex *r, struct bytes text);
/* The same for who must not take a search that was given up (REGEX_SEARCH_STEPS_MAX) for one that found nothing. */
enum regex_found { REGEX_ABSENT, REGEX_FOUND, REGEX_GIVEN_UP };
enum regex_found regex_look(const struct regex *r, struct bytes text);

/* The text that groups took: out[0] the whole match, p NULL for a group that took none. False: no match,
 * and out is untouched. */
#define REGEX_GROUPS_MAX 10u
MUST_CHECK bool regex_find(
	const struct regex *r, struct bytes text, struct bytes out[REGEX_GROUPS_MAX]);
/* How many groups the expression has, the whole match not counted. */
unsigned regex_groups(const struct regex *r);
/*
 * What stands in the place of a match: $1 ("$1x" is the first group and an x), ${1}, ${name}, $$ for
 * a dollar; any other dollar stands for itself.
 */
/* Whether every group that it names is one of r, which regex_new_search made. */
bool regex_knows(const struct regex *r, struct bytes replacement);
/* Replacements in one text. Attack: a long text of many matches. */
#define REGEX_REPLACE_MAX 16u
/* Appends text with every match of r replaced, at most REGEX_REPLACE_MAX; what is between them stays. False:
 * r does not match, and nothing is appended. */
MUST_CHECK bool regex_replace(
	const struct regex *r, struct bytes text, struct bytes replacement, struct text *out);

#endif
