#include "resource/finding_news.h"

#include <stdlib.h>

#include "base/hash.h"

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Not keyed with a secret: who makes two findings collide hides a log line about his own file. */
static uint64_t mark_of(const struct finding *f)
{
	static const struct hash_seed seed = {0x66696e64696e672d, 0x6e6577732d6d6172};
	struct text t;
	uint64_t mark;

	text_init(&t, 8192);
	text_addf(&t, "%d:%s:", (int)f->level, f->code);
	if (f->level == FINDING_ERROR) {
		text_addf(&t, "%u:%u:", f->line, f->column);
	}
	text_add_bytes(&t, f->file);
	text_add_char(&t, '\n');
	text_add_bytes(&t, f->text);
	mark = hash_bytes(&seed, text_bytes(&t));
	text_done(&t);
	return mark;
}

void finding_news_begin(struct finding_news *n)
{
	free(n->before);
	n->before = n->seen;
	n->n_before = n->n_seen;
	if (n->n_before != 0) {
		qsort(n->before, n->n_before, sizeof(*n->before), by_value);
	}
	n->seen = NULL;
	n->n_seen = n->cap_seen = 0;
}

bool finding_news_add(struct finding_news *n, const struct finding *f)
{
	uint64_t mark = mark_of(f);

	if (n->n_seen == n->cap_seen) {
		n->cap_seen = MAX(n->cap_seen * 2, (size_t)16);
		n->seen = must_realloc(n->seen, n->cap_seen * sizeof(*n->seen));
	}
	n->seen[n->n_seen++] = mark;
	return n->n_before == 0 ||
		bsearch(&mark, n->before, n->n_before, sizeof(mark), by_value) == NULL;
}

void finding_news_done(struct finding_news *n)
{
	free(n->seen);
	free(n->before);
	*n = (struct finding_news){0};
}
