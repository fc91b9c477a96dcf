/*
 * The plugin ai-statistics (data-plane.md §15.2): what of a request and its answer stands in the access
 * line beside what always does. Values are those of headers, or fixed; what would have to be read from
 * bodies is checked and said to be left out, and text of prompts and answers never stands there.
 */
#ifndef PLAN_STATISTICS_H
#define PLAN_STATISTICS_H

#include "plan/plan.h"
#include "plan/plugin_rules.h"

/* Of one configuration: a line has an end. */
#define STATISTICS_ATTRIBUTES_MAX 32u
#define STATISTICS_KEY_MAX 64u
/* Rules for domains among which a request's host decides: they are asked one by one. */
#define STATISTICS_DOMAINS_MAX 64u
/* Longest value, whatever value_length_limit says; longer ones are cut in their middle. */
#define STATISTICS_VALUE_MAX 4000u

enum statistics_source { STATISTICS_FIXED, STATISTICS_REQUEST, STATISTICS_RESPONSE };

struct statistics_attribute {
	struct bytes key;
	enum statistics_source source;
	struct bytes value;  /* fixed, or the name of a header in lower case */
	struct bytes absent; /* default_value; empty: the attribute is left out */
};

struct statistics_case {                     /* of a route for several hosts, in order */
	const struct strings *domains;       /* NULL: every host */
	const struct statistics *statistics; /* NULL: nothing is asked for */
};

struct statistics {
	struct statistics_case
		*cases; /* NULL: this is what is asked for; else it is one of these */
	size_t n_cases;
	struct statistics_attribute *attributes;
	size_t n_attributes;
	size_t value_max;
	struct bytes session_header; /* in lower case; empty: the usual ones */
	struct bytes *suffixes;      /* of paths that are meant */
	size_t n_suffixes;
	bool every_path;
	bool no_usage; /* disable_openai_usage: tokens are not counted */
	struct statistics *next;
};

/* What is asked for where the host (without port) is that; NULL: nothing. s may be NULL. */
const struct statistics *statistics_for(const struct statistics *s, struct bytes host);
/* Whether requests for that path are meant. */
bool statistics_means(const struct statistics *s, struct bytes path);
/* The names of session headers are asked for in this order. NULL: no more. */
const char *statistics_session_header(size_t i);

struct statistics_rules {
	struct plugin_rules rules;
	const struct statistics **of_rule; /* by rule index; the default's is the last */
	struct statistics *all;
	const struct statistics *last; /* the last choice by host that was made */
	size_t n_bodies, n_texts;      /* attributes that are left out */
	struct place bodies_at, texts_at;
	struct arena *arena;
	struct findings *findings;
};

void statistics_init(struct statistics_rules *r, const struct snapshot *s,
	const struct hash_seed *seed, struct arena *a, struct findings *f);
/* NULL: nothing is asked for. */
const struct statistics *statistics_find(
	struct statistics_rules *r, const struct plugin_target *target);
/* Takes out what would show credentials of these consumers; says what was left out. */
void statistics_finish(struct statistics_rules *r, const struct consumer_set *sets);

#endif
