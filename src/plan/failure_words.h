/*
 * What policies are about, in the words of their configuration (data-plane.md §9.2, §9.3, §14.4): statuses as
 * numbers, classes ("5xx") or anchored regular expressions ("5.."), and names of what the gateway sees itself.
 */
#ifndef PLAN_FAILURE_WORDS_H
#define PLAN_FAILURE_WORDS_H

#include "base/err.h"
#include "plan/failover.h"

/* Of one word; those of a vendor's statuses have 3. */
#define FAILURE_WORD_MAX 256u

/* Adds what the word means. ERR_SYNTAX and a sentence: it is no expression. ERR_NOT_FOUND and a sentence: it
 * fits no status from 100 to 599, so it does nothing. *s is then untouched. */
MUST_CHECK int failure_words_add(struct failure_set *s, struct bytes word, struct fault *fault);

#endif
