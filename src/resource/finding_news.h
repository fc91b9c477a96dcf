/*
 * Which findings are new since the round before: a reload repeats all that is still true, and nobody
 * wants to read it again.
 */
#ifndef RESOURCE_FINDING_NEWS_H
#define RESOURCE_FINDING_NEWS_H

#include "resource/finding.h"

/* Zeroed before the first round. */
struct finding_news {
	uint64_t *seen, *before; /* of this round, sorted ones of the round before */
	size_t n_seen, cap_seen, n_before;
};

/* Begins a round. */
void finding_news_begin(struct finding_news *n);
/* Remembers it. True when the round before did not have it: the same sentence about the same file, and
 * for errors the same place (an edit above a warning moves it and does not make it news). */
MUST_CHECK bool finding_news_add(struct finding_news *n, const struct finding *f);
void finding_news_done(struct finding_news *n);

#endif
