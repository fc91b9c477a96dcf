#include "meter/tally.h"

#include <stdlib.h>

#include "base/clock.h"

#define OTHER BYTES("other")
/* Rows of one slice of a copy. */
#define COPY_ROWS 128u
/* The row of what had no route: the total is it and all routes. */
#define NO_ROUTE 1u

/* Twice as long each, from 32 ms on: the log of it is one instruction. */
const uint32_t tally_duration_bounds_ms[TALLY_DURATIONS] = {
	32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, UINT32_MAX};

struct counted {
	uint64_t requests, errors, input, output;
	uint64_t duration[TALLY_DURATIONS];
	uint64_t since_us, last_us; /* monotonic; 0: never */
	uint32_t in_flight;
	uint16_t last_status;
	uint8_t kind, name_n, model_n;
	char name[TALLY_NAME_MAX];
	char model[TALLY_MODEL_MAX];
};

struct tally {
	struct map by_name[TALLY_KINDS]; /* to struct counted */
	size_t n;
	uint16_t other[TALLY_KINDS];
	/* Numbers of rows are from 1 on. Pages that no key has come to yet cost nothing. */
	struct counted rows[TALLY_KEYS_MAX + 1];
};

static uint16_t add(struct tally *t, enum tally_kind kind, struct bytes name)
{
	size_t i = ++t->n;
	struct counted *r = &t->rows[i];

	r->kind = (uint8_t)kind;
	r->name_n = (uint8_t)name.n;
	bytes_put(r->name, name);
	map_put(&t->by_name[kind], bytes_of(r->name, r->name_n), r);
	return (uint16_t)i;
}

struct tally *tally_new(const struct hash_seed *seed)
{
	struct tally *t = must_alloc(sizeof(*t));

	for (unsigned k = 0; k < TALLY_KINDS; k++) {
		map_init(&t->by_name[k], seed);
		t->other[k] = add(t, (enum tally_kind)k, k == TALLY_TOTAL ? BYTES("") : OTHER);
	}
	return t;
}

void tally_free(struct tally *t)
{
	for (unsigned k = 0; k < TALLY_KINDS; k++) {
		map_done(&t->by_name[k]);
	}
	free(t);
}

uint16_t tally_find(struct tally *t, enum tally_kind kind, struct bytes name)
{
	struct bytes key = bytes_of(name.p, MIN(name.n, (size_t)TALLY_NAME_MAX));
	const struct counted *known = map_get(&t->by_name[kind], key);

	if (known != NULL) {
		return (uint16_t)(known - t->rows);
	}
	return t->n < TALLY_KEYS_MAX ? add(t, kind, key) : t->other[kind];
}

/* --- counting ----------------------------------------------------------------------------------- */

static unsigned bucket_of(uint64_t us)
{
	uint64_t units = us / 32000; /* of the first bucket */
	unsigned i = units == 0 ? 0 : 64u - (unsigned)__builtin_clzll(units);

	return MIN(i, TALLY_DURATIONS - 1);
}

static inline void count(struct counted *c, const struct tally_request *r, unsigned bucket)
{
	c->requests++;
	c->errors += r->error;
	c->input += r->input;
	c->output += r->output;
	c->duration[bucket] += r->timed;
}

void tally_begin(struct tally *t, uint16_t consumer, uint64_t now_us)
{
	struct counted *c = &t->rows[consumer];

	if (c->in_flight++ == 0) {
		c->since_us = now_us;
	}
}

static void end_of(struct counted *c, const struct tally_request *r, bool begun)
{
	ASSERT(!begun || c->in_flight != 0);
	c->in_flight -= begun;
	c->last_us = r->ended_us;
	c->last_status = (uint16_t)r->status;
	c->model_n = (uint8_t)MIN(r->model.n, (size_t)TALLY_MODEL_MAX);
	bytes_put(c->model, bytes_of(r->model.p, c->model_n));
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

/* The times of a row become those of the wall here: the clock was right then, and may be set later. */
static uint64_t wall_of(uint64_t us)
{
	uint64_t age_ms = clock_mono_ns() / 1000000 - us / 1000;

	return us == 0 ? 0 : clock_wall_ms() - age_ms;
}

static void add_counts(struct counted *sum, const struct counted *c)
{
	sum->requests += c->requests;
	sum->errors += c->errors;
	sum->input += c->input;
	sum->output += c->output;
	for (unsigned i = 0; i < TALLY_DURATIONS; i++) {
		sum->duration[i] += c->duration[i];
	}
}

static struct counted total_of(const struct tally *t)
{
	struct counted sum = t->rows[NO_ROUTE];

	for (size_t i = 1; i <= t->n; i++) {
		if (t->rows[i].kind == TALLY_ROUTE) {
			add_counts(&sum, &t->rows[i]);
		}
	}
	return sum;
}

bool tally_put(const struct tally *t, size_t *at, struct text *out)
{
	size_t to = MIN(t->n, *at + COPY_ROWS);

	for (; *at < to; ++*at) {
		struct counted c = *at + 1 == NO_ROUTE ? total_of(t) : t->rows[*at + 1];

		c.since_us = wall_of(c.in_flight != 0 ? c.since_us : 0);
		c.last_us = wall_of(c.last_us);
		text_add(out, (const char *)&c, sizeof(c));
	}
	return *at < t->n;
}

void tally_read(struct tally_copy *c, struct bytes copied)
{
	c->left = copied;
}

bool tally_next(struct tally_copy *c, struct tally_row *out)
{
	const struct counted *r;

	if (c->left.n < sizeof(*r)) {
		return false;
	}
	r = (const struct counted *)(const void *)c->left.p;
	*out = (struct tally_row){.kind = (enum tally_kind)r->kind,
		.name = bytes_of(r->name, r->name_n),
		.requests = r->requests,
		.errors = r->errors,
		.input = r->input,
		.output = r->output,
		.in_flight = r->in_flight,
		.in_flight_since_ms = r->since_us,
		.last_ms = r->last_us,
		.last_status = r->last_status,
		.last_model = bytes_of(r->model, r->model_n)};
	memcpy(out->duration, r->duration, sizeof(out->duration));
	c->left = bytes_of(c->left.p + sizeof(*r), c->left.n - sizeof(*r));
	return true;
}
