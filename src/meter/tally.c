#include "meter/tally.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"

#define OTHER BYTES("other")
/* Rows of one slice of a copy. */
#define COPY_ROWS 128u
/* The row of what had no route: the total is it and all routes. */
#define NO_ROUTE 1u
#define SLOTS (2u * TALLY_KEYS_MAX)

/* Twice as long each, from 32 ms on: the log of it is one instruction. */
const uint32_t tally_duration_bounds_ms[TALLY_DURATIONS] = {
	32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, UINT32_MAX};

struct row {
	const char *name;            /* name_n bytes, in names */
	struct tally_counts *counts; /* NULL: nothing of it has ended */
	char *model;                 /* the last one asked for, NULL: none; room for model_cap */
	uint64_t since_us, last_us;  /* monotonic; 0: never */
	uint32_t in_flight;
	uint16_t last_status;
	uint8_t kind, name_n, model_n, model_cap;
};

struct tally {
	struct hash_seed seed;
	struct arena names;
	size_t n;
	uint16_t other[TALLY_KINDS];
	uint16_t n_learned,
		learned; /* models that upstreams had; the one that was asked for last, 0: none */
	/* Rows by kind and name, 0: free; numbers of rows are from 1 on. Pages that no key has come to yet
	 * cost nothing. */
	uint16_t slots[SLOTS];
	struct row rows[TALLY_KEYS_MAX + 1];
};

static size_t slot_of(const struct tally *t, enum tally_kind kind, struct bytes name)
{
	char key[1 + TALLY_NAME_MAX];
	size_t at;

	key[0] = (char)kind;
	bytes_put(key + 1, name);
	at = hash_bytes(&t->seed, bytes_of(key, 1 + name.n)) % SLOTS;
	while (t->slots[at] != 0) {
		const struct row *r = &t->rows[t->slots[at]];

		if (r->kind == kind && bytes_eq(bytes_of(r->name, r->name_n), name)) {
			break;
		}
		at = (at + 1) % SLOTS;
	}
	return at;
}

static uint16_t add(struct tally *t, size_t slot, enum tally_kind kind, struct bytes name)
{
	uint16_t i = (uint16_t)++t->n;

	t->slots[slot] = i;
	t->rows[i].kind = (uint8_t)kind;
	t->rows[i].name_n = (uint8_t)name.n;
	t->rows[i].name = arena_copy(&t->names, name).p;
	return i;
}

struct tally *tally_new(const struct hash_seed *seed)
{
	struct tally *t = must_alloc(sizeof(*t));

	t->seed = *seed;
	arena_init(&t->names, (TALLY_KEYS_MAX + 1) * (TALLY_NAME_MAX + 1));
	for (unsigned k = 0; k < TALLY_KINDS; k++) {
		t->other[k] =
			tally_find(t, (enum tally_kind)k, k == TALLY_TOTAL ? BYTES("") : OTHER);
	}
	return t;
}

void tally_free(struct tally *t)
{
	for (size_t i = 1; i <= t->n; i++) {
		free(t->rows[i].counts);
		free(t->rows[i].model);
	}
	arena_done(&t->names);
	free(t);
}

uint16_t tally_find(struct tally *t, enum tally_kind kind, struct bytes name)
{
	struct bytes key = bytes_of(name.p, MIN(name.n, (size_t)TALLY_NAME_MAX));
	size_t slot = slot_of(t, kind, key);

	if (t->slots[slot] != 0) {
		return t->slots[slot];
	}
	return t->n < TALLY_KEYS_MAX ? add(t, slot, kind, key) : t->other[kind];
}

static bool is_row(const struct tally *t, uint16_t row, struct bytes key)
{
	return row != 0 && bytes_eq(bytes_of(t->rows[row].name, t->rows[row].name_n), key);
}

uint16_t tally_model(struct tally *t, struct bytes name, bool answered)
{
	struct bytes key = bytes_of(name.p, MIN(name.n, (size_t)TALLY_NAME_MAX));
	size_t slot;

	if (key.n == 0 || is_row(t, t->learned, key)) { /* most requests are for the same again */
		return key.n == 0 ? t->other[TALLY_MODEL] : t->learned;
	}
	slot = slot_of(t, TALLY_MODEL, key);
	if (t->slots[slot] != 0) {
		return t->learned = t->slots[slot];
	}
	if (!answered || t->n_learned == TALLY_LEARNED_MAX || t->n == TALLY_KEYS_MAX) {
		return t->other[TALLY_MODEL];
	}
	t->n_learned++;
	return t->learned = add(t, slot, TALLY_MODEL, key);
}

bool tally_is_other_model(const struct tally *t, uint16_t row)
{
	return row == t->other[TALLY_MODEL];
}

/* --- counting ----------------------------------------------------------------------------------- */

static unsigned bucket_of(uint64_t us)
{
	uint64_t units = us / 32000; /* of the first bucket */
	unsigned i = units == 0 ? 0 : 64u - (unsigned)__builtin_clzll(units);

	return MIN(i, TALLY_DURATIONS - 1);
}

static inline void count(struct row *of, const struct tally_request *r, unsigned bucket)
{
	struct tally_counts *c = of->counts;

	if (c == NULL) {
		c = of->counts = must_alloc(sizeof(*c));
	}
	c->requests++;
	c->errors += r->error;
	c->input += r->input;
	c->output += r->output;
	c->duration[bucket] += r->timed;
}

void tally_begin(struct tally *t, uint16_t consumer, uint64_t now_us)
{
	struct row *c = &t->rows[consumer];

	if (c->in_flight++ == 0) {
		c->since_us = now_us;
	}
}

static void end_of(struct row *c, const struct tally_request *r, bool begun)
{
	size_t n = MIN(r->model.n, (size_t)TALLY_MODEL_MAX);

	ASSERT(!begun || c->in_flight != 0);
	c->in_flight -= begun;
	c->last_us = r->ended_us;
	c->last_status = (uint16_t)r->status;
	if (n > c->model_cap) {
		c->model = must_realloc(c->model, n);
		c->model_cap = (uint8_t)n;
	}
	c->model_n = (uint8_t)n;
	bytes_put(c->model, bytes_of(r->model.p, n));
}

void tally_end(
	struct tally *t, const struct tally_of *of, const struct tally_request *r, bool begun)
{
	unsigned bucket = r->timed ? bucket_of(r->us) : 0;

	count(&t->rows[of->route != 0 ? of->route : NO_ROUTE], r, bucket);
	if (of->consumer != 0) {
		count(&t->rows[of->consumer], r, bucket);
		end_of(&t->rows[of->consumer], r, begun);
	}
	if (of->provider != 0) {
		count(&t->rows[of->provider], r, bucket);
	}
	if (of->model != 0) {
		count(&t->rows[of->model], r, bucket);
	}
}

/* --- copies ------------------------------------------------------------------------------------- */

/* A row; behind it are the name, the model and, when it has some, the counts. */
struct copied {
	uint64_t since_ms, last_ms; /* by the wall */
	uint32_t in_flight;
	uint16_t last_status;
	uint8_t kind, name_n, model_n;
	bool counts;
};

/* The times of a row become those of the wall here: the clock was right then, and may be set later. */
static uint64_t wall_of(uint64_t us)
{
	uint64_t age_ms = clock_mono_ns() / 1000000 - us / 1000;

	return us == 0 ? 0 : clock_wall_ms() - age_ms;
}

void tally_add(struct tally_counts *sum, const struct tally_counts *c)
{
	sum->requests += c->requests;
	sum->errors += c->errors;
	sum->input += c->input;
	sum->output += c->output;
	for (unsigned i = 0; i < TALLY_DURATIONS; i++) {
		sum->duration[i] += c->duration[i];
	}
}

static struct tally_counts total_of(const struct tally *t)
{
	struct tally_counts sum = {0};

	for (size_t i = 1; i <= t->n; i++) {
		const struct row *r = &t->rows[i];

		if ((i == NO_ROUTE || r->kind == TALLY_ROUTE) && r->counts != NULL) {
			tally_add(&sum, r->counts);
		}
	}
	return sum;
}

static void put_row(const struct tally *t, size_t i, struct text *out)
{
	const struct row *r = &t->rows[i];
	const struct tally_counts total = i == NO_ROUTE ? total_of(t) : (struct tally_counts){0};
	const struct tally_counts *counts = i == NO_ROUTE ? &total : r->counts;
	const struct copied c = {.since_ms = wall_of(r->in_flight != 0 ? r->since_us : 0),
		.last_ms = wall_of(r->last_us),
		.in_flight = r->in_flight,
		.last_status = r->last_status,
		.kind = r->kind,
		.name_n = r->name_n,
		.model_n = r->model_n,
		.counts = counts != NULL};

	text_add(out, (const char *)&c, sizeof(c));
	text_add(out, r->name, r->name_n);
	text_add(out, r->model, r->model_n);
	if (counts != NULL) {
		text_add(out, (const char *)counts, sizeof(*counts));
	}
}

bool tally_put(const struct tally *t, size_t *at, struct text *out)
{
	size_t to = MIN(t->n, *at + COPY_ROWS);

	while (*at < to) {
		put_row(t, ++*at, out);
	}
	return *at < t->n;
}

void tally_read(struct tally_copy *c, struct bytes copied)
{
	c->left = copied;
}

static struct bytes take(struct tally_copy *c, size_t n)
{
	struct bytes b = bytes_of(c->left.p, n);

	ASSERT(n <= c->left.n); /* our own copy */
	c->left = bytes_of(c->left.p + n, c->left.n - n);
	return b;
}

bool tally_next(struct tally_copy *c, struct tally_row *out)
{
	struct copied r;

	if (c->left.n == 0) {
		return false;
	}
	memcpy(&r, take(c, sizeof(r)).p, sizeof(r));
	*out = (struct tally_row){.kind = (enum tally_kind)r.kind,
		.name = take(c, r.name_n),
		.in_flight = r.in_flight,
		.in_flight_since_ms = r.since_ms,
		.last_ms = r.last_ms,
		.last_status = r.last_status};
	out->last_model = take(c, r.model_n);
	if (r.counts) {
		memcpy(&out->counts, take(c, sizeof(out->counts)).p, sizeof(out->counts));
	}
	return true;
}
