/*
 * A table with the next state for each state and class of bytes, so that reading is one look per byte and goes nowhere
 * back. Bytes that stand in no text are one class, and the two cases of a letter are one where they do not matter. The
 * search ends with the first hit, so what a text's end leads to is not a state but the text's number.
 */
#include "base/keywords.h"

#include <stdlib.h>

struct keywords {
	uint16_t class_of[256];
	uint16_t *next; /* [state * n_classes + class]; from n_states on: text number + n_states */
	uint32_t n_classes, n_states;
};

/* While it is made. */
struct build {
	struct keywords *k;
	uint16_t *ends; /* of a state: the number of a text that ends there, plus 1; 0: none does */
	uint16_t *fail; /* the longest other beginning that ends like it */
	uint16_t *queue; /* states, nearest to the root first */
	size_t n_queue;
};

static void add_class(struct keywords *k, unsigned char c)
{
	if (k->class_of[c] == 0) {
		k->class_of[c] = (uint16_t)k->n_classes++;
	}
}

/* Class 0 is that of all other bytes. */
static void make_classes(struct keywords *k, const struct bytes *texts, size_t n, bool nocase)
{
	k->n_classes = 1;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < texts[i].n; j++) {
			char c = texts[i].p[j];

			add_class(k, (unsigned char)(nocase ? ascii_lower(c) : c));
		}
	}
	for (unsigned c = 'A'; nocase && c <= 'Z'; c++) {
		k->class_of[c] = k->class_of[c - 'A' + 'a'];
	}
}

static uint16_t *entry(const struct keywords *k, uint32_t state, uint32_t class)
{
	return &k->next[state * k->n_classes + class];
}

static void add_text(struct build *b, struct bytes text, size_t number)
{
	struct keywords *k = b->k;
	uint32_t at = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint16_t *to = entry(k, at, k->class_of[(unsigned char)text.p[i]]);

		if (*to == 0) {
			*to = (uint16_t)k->n_states++;
		}
		at = *to;
	}
	if (b->ends[at] == 0) {
		b->ends[at] = (uint16_t)(number + 1);
	}
}

/* The entries of a state whose failure, which is nearer to the root, has all of its own. */
static void complete_state(struct build *b, uint32_t state)
{
	struct keywords *k = b->k;

	for (uint32_t c = 0; c < k->n_classes; c++) {
		uint16_t *to = entry(k, state, c);
		uint16_t otherwise = state != 0 ? *entry(k, b->fail[state], c) : 0;

		if (*to == 0) {
			*to = otherwise;
			continue;
		}
		b->fail[*to] = otherwise;
		b->ends[*to] = b->ends[*to] != 0 ? b->ends[*to] : b->ends[otherwise];
		b->queue[b->n_queue++] = *to;
	}
}

static void complete(struct build *b)
{
	struct keywords *k = b->k;

	complete_state(b, 0);
	for (size_t i = 0; i < b->n_queue; i++) {
		complete_state(b, b->queue[i]);
	}
	for (size_t i = 0; i < (size_t)k->n_states * k->n_classes; i++) {
		uint16_t text = b->ends[k->next[i]];

		k->next[i] = text != 0 ? (uint16_t)(k->n_states + text - 1u) : k->next[i];
	}
}

const struct keywords *keywords_new(
	const struct bytes *texts, size_t n, bool nocase, struct arena *a)
{
	struct build b = {.n_queue = 0};
	size_t bytes = 0;
	uint16_t *room;

	for (size_t i = 0; i < n && n <= KEYWORDS_MAX; i++) {
		ASSERT(texts[i].n != 0);
		if (texts[i].n > KEYWORDS_BYTES_MAX - bytes) {
			return NULL;
		}
		bytes += texts[i].n;
	}
	if (n > KEYWORDS_MAX) {
		return NULL;
	}
	b.k = arena_must(a, sizeof(*b.k));
	make_classes(b.k, texts, n, nocase);
	b.k->n_states = 1;
	b.k->next = arena_must(a, (bytes + 1) * b.k->n_classes * sizeof(*b.k->next));
	room = must_alloc(3 * (bytes + 1) * sizeof(*room));
	b.ends = room;
	b.fail = room + bytes + 1;
	b.queue = room + 2 * (bytes + 1);
	for (size_t i = 0; i < n; i++) {
		add_text(&b, texts[i], i);
	}
	complete(&b);
	free(room);
	return b.k;
}

size_t keywords_find(const struct keywords *k, struct keywords_state *state, struct bytes next)
{
	const uint16_t *table = k->next;
	uint32_t n_classes = k->n_classes;
	uint32_t n_states = k->n_states;
	uint32_t at = state->at;

	for (size_t i = 0; i < next.n; i++) {
		at = table[at * n_classes + k->class_of[(unsigned char)next.p[i]]];
		if (at >= n_states) {
			return at - n_states;
		}
	}
	state->at = (uint16_t)at;
	return KEYWORDS_NONE;
}
