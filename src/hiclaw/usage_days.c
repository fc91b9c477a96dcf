#include "hiclaw/usage_days.h"

#include <stdlib.h>

#include "wire/json.h"

#define MINUTES 60u
#define HOURS 24u
/* One more than what is answered for: the part that is going on. */
#define MINUTE_CHUNKS 25u
#define HOUR_CHUNKS 31u
#define OTHER BYTES("other")

struct point {
	uint32_t requests, errors, p95_ms;
	uint64_t input, output;
};

struct hour { /* by minute */
	uint64_t number;
	struct point v[MINUTES];
};

struct day { /* by hour */
	uint64_t number;
	struct point v[HOURS];
};

struct key {
	enum tally_kind kind;
	struct tally_counts seen; /* before */
	uint64_t minute, hour;    /* that the two are of */
	uint64_t of_minute[TALLY_DURATIONS], of_hour[TALLY_DURATIONS];
	struct hour *hours[MINUTE_CHUNKS];
	struct day *days[HOUR_CHUNKS];
	size_t name_n;
	char name[TALLY_NAME_MAX];
};

struct usage_days {
	struct map by_name[TALLY_KINDS];
	struct key *keys[USAGE_KEYS_MAX + TALLY_KINDS];
	size_t n;
	struct map late; /* "<kind><name>" of keys without room: what was seen of them */
};

struct late {
	struct tally_counts seen;
	char name[1 + TALLY_NAME_MAX];
};

/* --- keys --------------------------------------------------------------------------------------- */

static struct key *add_key(struct usage_days *d, enum tally_kind kind, struct bytes name)
{
	struct key *k = must_alloc(sizeof(*k));

	ASSERT(d->n < ARRAY_LEN(d->keys));
	k->kind = kind;
	k->name_n = MIN(name.n, sizeof(k->name));
	bytes_put(k->name, bytes_of(name.p, k->name_n));
	d->keys[d->n++] = k;
	map_put(&d->by_name[kind], bytes_of(k->name, k->name_n), k);
	return k;
}

struct usage_days *usage_days_new(void)
{
	/* Names are configured, not a client's. */
	static const struct hash_seed seed = {0x75736167, 0x65646179};
	struct usage_days *d = must_alloc(sizeof(*d));

	for (unsigned k = 0; k < TALLY_KINDS; k++) {
		map_init(&d->by_name[k], &seed);
		IGNORE(add_key(d, (enum tally_kind)k, k == TALLY_TOTAL ? BYTES("") : OTHER));
	}
	map_init(&d->late, &seed);
	return d;
}

void usage_days_free(struct usage_days *d)
{
	if (d == NULL) {
		return;
	}
	for (size_t i = 0; i < d->n; i++) {
		for (unsigned k = 0; k < MINUTE_CHUNKS; k++) {
			free(d->keys[i]->hours[k]);
		}
		for (unsigned k = 0; k < HOUR_CHUNKS; k++) {
			free(d->keys[i]->days[k]);
		}
		free(d->keys[i]);
	}
	for (size_t i = 0; i < d->late.cap; i++) {
		free(d->late.slots[i].value);
	}
	for (unsigned k = 0; k < TALLY_KINDS; k++) {
		map_done(&d->by_name[k]);
	}
	map_done(&d->late);
	free(d);
}

static const struct key *find(const struct usage_days *d, enum tally_kind kind, struct bytes name)
{
	return map_get(&d->by_name[kind], bytes_of(name.p, MIN(name.n, (size_t)TALLY_NAME_MAX)));
}

/* --- points ------------------------------------------------------------------------------------- */

static struct point *minute_of(struct key *k, uint64_t minute)
{
	struct hour **at = &k->hours[minute / MINUTES % MINUTE_CHUNKS];

	if (*at == NULL) {
		*at = must_alloc(sizeof(**at));
	} else if ((*at)->number != minute / MINUTES) {
		memset(*at, 0, sizeof(**at));
	}
	(*at)->number = minute / MINUTES;
	return &(*at)->v[minute % MINUTES];
}

static struct point *hour_of(struct key *k, uint64_t hour)
{
	struct day **at = &k->days[hour / HOURS % HOUR_CHUNKS];

	if (*at == NULL) {
		*at = must_alloc(sizeof(**at));
	} else if ((*at)->number != hour / HOURS) {
		memset(*at, 0, sizeof(**at));
	}
	(*at)->number = hour / HOURS;
	return &(*at)->v[hour % HOURS];
}

/* NULL: nothing was then. */
static const struct point *minute_at(const struct key *k, uint64_t minute)
{
	const struct hour *h = k->hours[minute / MINUTES % MINUTE_CHUNKS];

	return h != NULL && h->number == minute / MINUTES ? &h->v[minute % MINUTES] : NULL;
}

static const struct point *hour_at(const struct key *k, uint64_t hour)
{
	const struct day *d = k->days[hour / HOURS % HOUR_CHUNKS];

	return d != NULL && d->number == hour / HOURS ? &d->v[hour % HOURS] : NULL;
}

uint32_t usage_percentile(const uint64_t duration[TALLY_DURATIONS], unsigned per_mille)
{
	uint64_t all = 0;
	uint64_t below = 0;
	uint64_t rank;

	for (unsigned i = 0; i < TALLY_DURATIONS; i++) {
		all += duration[i];
	}
	rank = (all * per_mille + 999) / 1000;
	for (unsigned i = 0; i < TALLY_DURATIONS && all != 0; i++) {
		uint64_t low = i != 0 ? tally_duration_bounds_ms[i - 1] : 0;
		uint64_t high = i + 1 < TALLY_DURATIONS ? tally_duration_bounds_ms[i] : low * 2;

		if (duration[i] != 0 && below + duration[i] >= rank) {
			return (uint32_t)(low + (high - low) * (rank - below) / duration[i]);
		}
		below += duration[i];
	}
	return 0;
}

static void add_to(struct point *p, const struct tally_counts *c, const uint64_t *duration)
{
	p->requests += (uint32_t)c->requests;
	p->errors += (uint32_t)c->errors;
	p->input += c->input;
	p->output += c->output;
	p->p95_ms = usage_percentile(duration, 950);
}

static void count(struct key *k, const struct tally_counts *c, uint64_t now_s)
{
	uint64_t minute = now_s / 60;

	if (c->requests == 0) {
		return;
	}
	if (k->minute != minute) {
		memset(k->of_minute, 0, sizeof(k->of_minute));
		k->minute = minute;
	}
	if (k->hour != minute / MINUTES) {
		memset(k->of_hour, 0, sizeof(k->of_hour));
		k->hour = minute / MINUTES;
	}
	for (unsigned i = 0; i < TALLY_DURATIONS; i++) {
		k->of_minute[i] += c->duration[i];
		k->of_hour[i] += c->duration[i];
	}
	add_to(minute_of(k, minute), c, k->of_minute);
	add_to(hour_of(k, minute / MINUTES), c, k->of_hour);
}

static struct tally_counts new_since(struct tally_counts *seen, const struct tally_counts *now)
{
	struct tally_counts c = {now->requests - seen->requests, now->errors - seen->errors,
		now->input - seen->input, now->output - seen->output, {0}};

	for (unsigned i = 0; i < TALLY_DURATIONS; i++) {
		c.duration[i] = now->duration[i] - seen->duration[i];
	}
	*seen = *now;
	return c;
}

/* What was seen of a key that has no room. */
static struct tally_counts *late_of(struct usage_days *d, enum tally_kind kind, struct bytes name)
{
	struct late *l = must_alloc(sizeof(*l));
	struct late *known;

	l->name[0] = (char)('0' + kind);
	bytes_put(l->name + 1, name);
	known = map_add(&d->late, bytes_of(l->name, 1 + name.n), l);
	if (known != NULL) {
		free(l);
	}
	return known != NULL ? &known->seen : &l->seen;
}

void usage_days_add(struct usage_days *d, enum tally_kind kind, struct bytes name,
	const struct tally_counts *now, uint64_t now_s)
{
	struct key *k = map_get(&d->by_name[kind], name);
	struct tally_counts *seen;
	struct tally_counts c;

	ASSERT(name.n <= TALLY_NAME_MAX);
	if (k == NULL && d->n < ARRAY_LEN(d->keys)) {
		k = add_key(d, kind, name);
	}
	seen = k != NULL ? &k->seen : late_of(d, kind, name);
	c = new_since(seen, now);
	count(k != NULL ? k : map_get(&d->by_name[kind], OTHER), &c, now_s);
}

/* --- questions ---------------------------------------------------------------------------------- */

bool usage_days_hour(const struct usage_days *d, enum tally_kind kind, struct bytes name,
	uint64_t now_s, struct usage_sum *out)
{
	const struct key *k = find(d, kind, name);

	*out = (struct usage_sum){0};
	for (unsigned i = 0; k != NULL && i < MINUTES; i++) {
		const struct point *p = minute_at(k, now_s / 60 - i);

		if (p != NULL) {
			out->requests += p->requests;
			out->errors += p->errors;
			out->tokens += p->input + p->output;
		}
	}
	return k != NULL;
}

void usage_days_sparkline(const struct usage_days *d, enum tally_kind kind, struct bytes name,
	uint64_t now_s, struct text *out)
{
	const struct key *k = find(d, kind, name);

	for (unsigned i = MINUTES; i-- > 0;) {
		const struct point *p = k != NULL ? minute_at(k, now_s / 60 - i) : NULL;

		text_add_char(out, i == MINUTES - 1 ? '[' : ',');
		text_add_u64(out, p != NULL ? p->requests : 0);
	}
	text_add_char(out, ']');
}

/* --- series ------------------------------------------------------------------------------------- */

/* What can be given: minutes of the last day, hours before; the steps between are whole parts of a day. */
static uint64_t step_of(uint64_t from_s, uint64_t to_s, uint64_t asked_s, uint64_t now_s)
{
	static const uint32_t steps[] = {
		60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400};
	uint64_t least = from_s + USAGE_DAY_S + 60 >= now_s ? 60 : 3600;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i] >= least && steps[i] >= asked_s &&
			(to_s - from_s) / steps[i] + 1 <= USAGE_POINTS_MAX) {
			return steps[i];
		}
	}
	return USAGE_DAY_S;
}

static void add_point(struct point *sum, const struct point *p)
{
	if (p == NULL) {
		return;
	}
	sum->requests += p->requests;
	sum->errors += p->errors;
	sum->input += p->input;
	sum->output += p->output;
	sum->p95_ms = MAX(sum->p95_ms, p->p95_ms);
}

static struct point between(const struct key *k, uint64_t from_s, uint64_t step_s)
{
	struct point sum = {0};

	if (step_s < 3600) {
		for (uint64_t m = from_s / 60; m < (from_s + step_s) / 60; m++) {
			add_point(&sum, minute_at(k, m));
		}
	} else {
		for (uint64_t h = from_s / 3600; h < (from_s + step_s) / 3600; h++) {
			add_point(&sum, hour_at(k, h));
		}
	}
	return sum;
}

static void put_points(struct json_writer *w, const struct key *k, const struct usage_query *q)
{
	json_key(w, "key");
	json_put_string(w, bytes_of(k->name, k->name_n));
	json_key(w, "points");
	json_open_array(w);
	for (uint64_t at = q->from_s; at <= q->to_s; at += q->step_s) {
		struct point p = between(k, at, q->step_s);

		json_open_array(w);
		json_put_u64(w, at);
		json_put_u64(w, p.requests);
		json_put_u64(w, p.errors);
		json_put_u64(w, p.input);
		json_put_u64(w, p.output);
		json_put_u64(w, p.p95_ms);
		json_close_array(w);
	}
	json_close_array(w);
}

static bool has_any(const struct key *k, const struct usage_query *q)
{
	for (uint64_t at = q->from_s; at <= q->to_s; at += q->step_s) {
		if (between(k, at, q->step_s).requests != 0) {
			return true;
		}
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct key *x = *(const struct key *const *)a;
	const struct key *y = *(const struct key *const *)b;
	int c = memcmp(x->name, y->name, MIN(x->name_n, y->name_n));

	return c != 0 ? c : (x->name_n > y->name_n) - (x->name_n < y->name_n);
}

/* Inside of what is kept, on whole steps. */
static struct usage_query bounded(const struct usage_query *q, uint64_t now_s)
{
	struct usage_query b = *q;
	uint64_t first = now_s > USAGE_MONTH_S ? now_s - USAGE_MONTH_S : 0;

	b.to_s = q->to_s == 0 || q->to_s > now_s ? now_s : MAX(q->to_s, first);
	b.from_s = q->from_s != 0 ? q->from_s : b.to_s > USAGE_DAY_S ? b.to_s - USAGE_DAY_S : 0;
	b.from_s = MIN(MAX(b.from_s, first), b.to_s);
	b.step_s = step_of(b.from_s, b.to_s, q->step_s, now_s);
	b.from_s -= b.from_s % b.step_s;
	return b;
}

void usage_days_series(
	const struct usage_days *d, const struct usage_query *q, uint64_t now_s, struct text *out)
{
	const struct usage_query b = bounded(q, now_s);
	const struct key *keys[USAGE_KEYS_MAX + TALLY_KINDS];
	struct json_writer w;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (d->keys[i]->kind == b.by && has_any(d->keys[i], &b)) {
			keys[n++] = d->keys[i];
		}
	}
	qsort(keys, n, sizeof(keys[0]), by_name);
	json_writer_init(&w, out);
	json_open_object(&w);
	json_key(&w, "step");
	json_put_u64(&w, b.step_s);
	json_key(&w, "series");
	json_open_array(&w);
	for (size_t i = 0; i < n; i++) {
		json_open_object(&w);
		put_points(&w, keys[i], &b);
		json_close_object(&w);
	}
	json_close_array(&w);
	json_close_object(&w);
}
