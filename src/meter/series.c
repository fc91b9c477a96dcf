#include "meter/series.h"

#include <stdlib.h>

/* A quarter of the rows is kept for consumer "other", so that routes and models stay apart when
 * consumers are too many. */
#define RESERVE(limit) ((limit) / 4)
#define KEY_MAX (LABELS * (LABEL_MAX + 2u))

static struct series_row *row_new(const struct series *s, const struct bytes labels[LABELS])
{
	size_t n = 0;
	struct series_row *r;

	for (unsigned i = 0; i < LABELS; i++) {
		n += MIN(labels[i].n, LABEL_MAX);
	}
	r = must_alloc(sizeof(*r) + n);
	r->values = s->none;
	n = 0;
	for (unsigned i = 0; i < LABELS; i++) {
		r->label_n[i] = (uint16_t)MIN(labels[i].n, LABEL_MAX);
		if (r->label_n[i] != 0) {
			memcpy(r->labels + n, labels[i].p, r->label_n[i]);
		}
		n += r->label_n[i];
	}
	return r;
}

static void row_free(const struct series *s, struct series_row *r)
{
	if (r->values != s->none) {
		free((void *)(uintptr_t)r->values);
	}
	free(r);
}

uint64_t *series_values(const struct series *s, struct series_row *r)
{
	if (r->values == s->none) {
		r->values = must_alloc(s->n_values * sizeof(*r->values));
	}
	return (uint64_t *)(uintptr_t)r->values;
}

void series_init(struct series *s, const struct hash_seed *seed, size_t limit, unsigned n_values)
{
	const struct bytes other[LABELS] = {
		LABEL_OTHER, LABEL_OTHER, LABEL_OTHER, LABEL_OTHER, LABEL_OTHER, LABEL_OTHER};
	size_t n_slots = 16;

	ASSERT(limit >= 4 && limit <= UINT32_MAX / 4);
	while (n_slots < 2 * limit) {
		n_slots *= 2;
	}
	*s = (struct series){
		.seed = *seed, .n_values = n_values, .limit = limit, .n_slots = n_slots};
	s->rows = must_alloc(limit * sizeof(struct series_row *));
	s->slots = must_alloc(n_slots * sizeof(*s->slots));
	s->none = must_alloc(n_values * sizeof(*s->none));
	s->other = row_new(s, other);
}

void series_done(struct series *s)
{
	for (size_t i = 0; i < s->n; i++) {
		row_free(s, s->rows[i]);
	}
	if (s->other != NULL) {
		row_free(s, s->other);
	}
	free(s->rows);
	free(s->slots);
	free(s->none);
	*s = (struct series){.n = 0};
}

struct bytes series_label(const struct series_row *r, enum label l)
{
	size_t at = 0;

	for (unsigned i = 0; i < (unsigned)l; i++) {
		at += r->label_n[i];
	}
	return bytes_of(r->labels + at, r->label_n[l]);
}

static uint64_t hash_labels(const struct series *s, const struct bytes labels[LABELS])
{
	char key[KEY_MAX];
	size_t n = 0;

	for (unsigned i = 0; i < LABELS; i++) {
		uint16_t len = (uint16_t)MIN(labels[i].n, LABEL_MAX);

		memcpy(key + n, &len, sizeof(len));
		n += sizeof(len);
		if (len != 0) {
			memcpy(key + n, labels[i].p, len);
		}
		n += len;
	}
	return hash_bytes(&s->seed, bytes_of(key, n));
}

static bool has_labels(const struct series_row *r, const struct bytes labels[LABELS])
{
	const char *at = r->labels;

	for (unsigned i = 0; i < LABELS; i++) {
		size_t n = MIN(labels[i].n, LABEL_MAX);

		if (r->label_n[i] != n || (n != 0 && memcmp(at, labels[i].p, n) != 0)) {
			return false;
		}
		at += n;
	}
	return true;
}

static struct series_row *find(
	const struct series *s, const struct bytes labels[LABELS], uint64_t hash)
{
	for (size_t at = hash & (s->n_slots - 1); s->slots[at] != 0;
		at = (at + 1) & (s->n_slots - 1)) {
		struct series_row *r = s->rows[s->slots[at] - 1];

		if (r->hash == hash && has_labels(r, labels)) {
			return r;
		}
	}
	return NULL;
}

static void put_slot(struct series *s, uint64_t hash, size_t row)
{
	size_t at = hash & (s->n_slots - 1);

	while (s->slots[at] != 0) {
		at = (at + 1) & (s->n_slots - 1);
	}
	s->slots[at] = (uint32_t)row + 1;
}

static struct series_row *add(struct series *s, const struct bytes labels[LABELS], uint64_t hash)
{
	struct series_row *r = row_new(s, labels);

	r->hash = hash;
	s->rows[s->n] = r;
	put_slot(s, hash, s->n++);
	return r;
}

/* The row, or NULL when there is none and the first `limit` rows are taken. */
static struct series_row *take_below(
	struct series *s, const struct bytes labels[LABELS], size_t limit)
{
	uint64_t hash = hash_labels(s, labels);
	struct series_row *r = find(s, labels, hash);

	return r == NULL && s->n < limit ? add(s, labels, hash) : r;
}

struct series_row *series_take(struct series *s, const struct bytes labels[LABELS])
{
	struct series_row *r = take_below(s, labels, s->limit - RESERVE(s->limit));
	struct bytes fewer[LABELS];

	if (r != NULL) {
		return r;
	}
	s->overflows++;
	memcpy(fewer, labels, sizeof(fewer));
	fewer[LABEL_CONSUMER] = LABEL_OTHER;
	r = take_below(s, fewer, s->limit);
	return r != NULL ? r : s->other;
}

/* Rows are dropped seldom, a few at a time: the slots are made anew. */
void series_drop(struct series *s, size_t i)
{
	ASSERT(i < s->n && s->rows[i]->users == 0);
	row_free(s, s->rows[i]);
	s->rows[i] = s->rows[--s->n];
	memset(s->slots, 0, s->n_slots * sizeof(*s->slots));
	for (size_t k = 0; k < s->n; k++) {
		put_slot(s, s->rows[k]->hash, k);
	}
}
