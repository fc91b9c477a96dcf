/*
 * A tick asks the workers; when all have answered, their rows are added up by key and given to the memory
 * (usage_days.h). A report that lacks a worker is not counted: what is missing comes with the next one. For the last
 * minute the totals of 13 ticks are kept, for the last five minutes the four values of 60.
 */
#include "hiclaw/usage.h"

#include <stdlib.h>

#include "base/clock.h"
#include "meter/process.h"
#include "proxy/report.h"
#include "wire/json.h"

#define TICK_MS 5000u
#define MINUTE_TICKS 12u
#define RECENT 60u
#define UNKNOWN UINT32_MAX
/* In place of a kind and a name, for the sums of all workers. */
#define KEY_MAX (1u + TALLY_NAME_MAX)

struct summed {                      /* a key of all workers */
	struct tally_counts *counts; /* NULL: nothing of it has ended */
	char *model;                 /* as tally_row's last_model; room for model_cap, NULL: none */
	uint64_t in_flight_since_ms, last_ms;
	uint32_t in_flight;
	uint16_t last_status;
	uint8_t model_n, model_cap;
	uint8_t key_n;
	char key[]; /* "<kind><name>" */
};
static_assert(KEY_MAX <= UINT8_MAX && TALLY_MODEL_MAX <= UINT8_MAX, "a length is one byte");

struct totals {
	uint64_t at_us, requests, errors, tokens;
	uint64_t duration[TALLY_DURATIONS];
};

struct recent {
	uint64_t at_s;
	uint32_t cpu, memory;
	uint64_t connections, rpm;
};

struct usage {
	struct gateway *gateway;
	struct host_load *load;
	void (*on_tick)(void *arg);
	void *arg;
	struct timer timer;
	struct report_ask *ask;        /* on its way */
	const struct process *process; /* NULL: unknown */
	struct host_load_sample sample, sample_before;
	struct usage_days *days;
	struct map sums;                        /* "<kind><name>" to struct summed */
	struct totals totals[MINUTE_TICKS + 1]; /* a ring */
	unsigned n_totals, last_total;
	struct recent recent[RECENT]; /* a ring */
	unsigned n_recent, last_recent;
	struct usage_now now;
};

/* --- sums --------------------------------------------------------------------------------------- */

static struct summed *sum_of(struct usage *u, const struct tally_row *r)
{
	char room[KEY_MAX];
	struct bytes key = bytes_of(room, 1 + r->name.n);
	struct summed *s;

	room[0] = (char)('0' + r->kind);
	bytes_put(room + 1, r->name);
	s = map_get(&u->sums, key);
	if (s != NULL) {
		return s;
	}
	s = must_alloc(sizeof(*s) + key.n);
	s->key_n = (uint8_t)key.n;
	bytes_put(s->key, key);
	map_put(&u->sums, bytes_of(s->key, key.n), s);
	return s;
}

static void sum_free(struct summed *s)
{
	if (s != NULL) {
		free(s->counts);
		free(s->model);
		free(s);
	}
}

static void forget_sums(struct usage *u)
{
	for (size_t i = 0; i < u->sums.cap; i++) {
		struct summed *s = u->sums.slots[i].value;

		if (s == NULL) {
			continue;
		}
		if (s->counts != NULL) {
			*s->counts = (struct tally_counts){0};
		}
		s->in_flight = 0;
		s->in_flight_since_ms = s->last_ms = 0;
	}
}

static void keep_last(struct summed *s, const struct tally_row *r)
{
	if (r->last_model.n > s->model_cap) {
		s->model = must_realloc(s->model, r->last_model.n);
		s->model_cap = (uint8_t)r->last_model.n;
	}
	s->model_n = (uint8_t)r->last_model.n;
	bytes_put(s->model, r->last_model);
	s->last_ms = r->last_ms;
	s->last_status = (uint16_t)r->last_status;
}

static void add_row(struct summed *s, const struct tally_row *r)
{
	if (s->counts == NULL && r->counts.requests != 0) {
		s->counts = must_alloc(sizeof(*s->counts));
	}
	if (s->counts != NULL) {
		tally_add(s->counts, &r->counts);
	}
	s->in_flight += r->in_flight;
	if (r->in_flight != 0 &&
		(s->in_flight_since_ms == 0 || r->in_flight_since_ms < s->in_flight_since_ms)) {
		s->in_flight_since_ms = r->in_flight_since_ms;
	}
	if (r->last_ms > s->last_ms) {
		keep_last(s, r);
	}
}

static void add_up(struct usage *u, const struct report *rep)
{
	forget_sums(u);
	for (unsigned i = 0; i < rep->n; i++) {
		struct tally_copy c;
		struct tally_row r;

		tally_read(&c, text_bytes(&rep->v[i].observed));
		while (tally_next(&c, &r)) {
			add_row(sum_of(u, &r), &r);
		}
	}
}

/* --- the last minute ---------------------------------------------------------------------------- */

static void keep_total(struct usage *u, const struct tally_counts *total)
{
	struct totals *t;

	u->last_total = (u->last_total + 1) % ARRAY_LEN(u->totals);
	u->n_totals = MIN(u->n_totals + 1, (unsigned)ARRAY_LEN(u->totals));
	t = &u->totals[u->last_total];
	*t = (struct totals){.at_us = clock_mono_ns() / 1000,
		.requests = total->requests,
		.errors = total->errors,
		.tokens = total->input + total->output};
	memcpy(t->duration, total->duration, sizeof(t->duration));
}

/* Before the first tick nothing had been counted, since the process began. */
static void look_at_minute(struct usage *u)
{
	static const struct totals none;
	const struct totals *now = &u->totals[u->last_total];
	const struct totals *then = u->n_totals == ARRAY_LEN(u->totals)
		? &u->totals[(u->last_total + 1) % ARRAY_LEN(u->totals)]
		: &none;
	uint64_t duration[TALLY_DURATIONS];
	uint64_t n = now->requests - then->requests;

	for (unsigned i = 0; i < TALLY_DURATIONS; i++) {
		duration[i] = now->duration[i] - then->duration[i];
	}
	u->now.rpm = n;
	u->now.rps = (double)n / 60;
	u->now.error_rate = n != 0 ? (double)(now->errors - then->errors) / (double)n : 0;
	u->now.tokens_per_minute = now->tokens - then->tokens;
	u->now.p50_ms = usage_percentile(duration, 500);
	u->now.p95_ms = usage_percentile(duration, 950);
	u->now.p99_ms = usage_percentile(duration, 990);
}

/* --- the machine -------------------------------------------------------------------------------- */

static void look_at_machine(struct usage *u)
{
	uint64_t resident = u->process != NULL ? process_resident(u->process) : PROCESS_UNKNOWN;
	unsigned percent;

	u->now.cpu = u->now.memory = UNKNOWN;
	u->now.process_rss_bytes = resident != PROCESS_UNKNOWN ? resident : 0;
	if (u->load == NULL) {
		return;
	}
	u->sample_before = u->sample;
	host_load_sample(u->load, clock_mono_ns() / 1000, &u->sample);
	if (host_load_cpu(&u->sample_before, &u->sample, &percent)) {
		u->now.cpu = percent;
	}
	if (host_load_memory(&u->sample, &percent)) {
		u->now.memory = percent;
	}
	u->now.cpu_count = u->sample.cpus;
	u->now.memory_bytes = u->sample.used;
	u->now.memory_limit_bytes = u->sample.limit;
}

static void look_at_workers(struct usage *u, const struct report *rep)
{
	struct worker_counts c;

	report_sum(rep, &c);
	u->now.connections = c.connections;
	u->now.upstream_connections = c.upstream_open;
	u->now.in_flight = c.open;
}

static void keep_recent(struct usage *u)
{
	u->last_recent = (u->last_recent + 1) % RECENT;
	u->n_recent = MIN(u->n_recent + 1, RECENT);
	u->recent[u->last_recent] = (struct recent){
		clock_wall_ms() / 1000, u->now.cpu, u->now.memory, u->now.connections, u->now.rpm};
}

/* --- ticks -------------------------------------------------------------------------------------- */

static void take(struct usage *u, const struct report *rep)
{
	static const struct tally_counts nothing;
	const struct tally_row all = {.kind = TALLY_TOTAL, .name = BYTES("")};
	const struct tally_counts *total;
	uint64_t now_s = clock_wall_ms() / 1000;

	add_up(u, rep);
	total = sum_of(u, &all)->counts;
	keep_total(u, total != NULL ? total : &nothing);
	for (size_t i = 0; i < u->sums.cap; i++) {
		const struct summed *s = u->sums.slots[i].value;

		if (s != NULL && s->counts != NULL) {
			usage_days_add(u->days, (enum tally_kind)(s->key[0] - '0'),
				bytes_of(s->key + 1, s->key_n - 1u), s->counts, now_s);
		}
	}
	look_at_workers(u, rep);
	look_at_minute(u);
	u->now.known = true;
}

static void on_report(struct report *rep, void *arg)
{
	struct usage *u = arg;

	u->ask = NULL;
	if (rep->n_answered == rep->n) {
		take(u, rep);
	}
	report_free(rep);
	look_at_machine(u);
	keep_recent(u);
	if (u->on_tick != NULL) {
		u->on_tick(u->arg);
	}
}

static void on_timer(struct timer *t)
{
	struct usage *u = CONTAINER_OF(t, struct usage, timer);

	if (u->ask == NULL) { /* else a worker is late: its deadline is below a tick */
		u->ask = report_ask_tally(u->gateway, on_report, u);
	}
	timer_set(gateway_control(u->gateway), &u->timer, TICK_MS, on_timer);
}

struct usage *usage_new(struct gateway *g, struct host_load *load, const struct process *process,
	void (*on_tick)(void *arg), void *arg)
{
	static const struct hash_seed seed = {0x7573, 0x616765};
	struct usage *u = must_alloc(sizeof(*u));

	u->gateway = g;
	u->load = load;
	u->on_tick = on_tick;
	u->arg = arg;
	u->days = usage_days_new();
	map_init(&u->sums, &seed);
	u->process = process;
	u->now.cpu = u->now.memory = UNKNOWN;
	if (load != NULL) {
		host_load_sample(load, clock_mono_ns() / 1000, &u->sample);
	}
	timer_set(gateway_control(g), &u->timer, 0, on_timer);
	return u;
}

void usage_free(struct usage *u)
{
	if (u == NULL) {
		return;
	}
	if (u->ask != NULL) {
		report_cancel(u->ask);
	}
	timer_clear(gateway_control(u->gateway), &u->timer);
	for (size_t i = 0; i < u->sums.cap; i++) {
		sum_free(u->sums.slots[i].value);
	}
	map_done(&u->sums);
	usage_days_free(u->days);
	free(u);
}

/* --- questions ---------------------------------------------------------------------------------- */

void usage_now(const struct usage *u, struct usage_now *out)
{
	*out = u->now;
}

bool usage_consumer(const struct usage *u, struct bytes consumer, struct usage_consumer *out)
{
	char room[KEY_MAX];
	struct bytes name = bytes_of(consumer.p, MIN(consumer.n, (size_t)TALLY_NAME_MAX));
	const struct summed *s;
	struct usage_sum hour;

	room[0] = (char)('0' + TALLY_CONSUMER);
	bytes_put(room + 1, name);
	s = map_get(&u->sums, bytes_of(room, 1 + name.n));
	if (s == NULL) {
		return false;
	}
	IGNORE(usage_days_hour(
		u->days, TALLY_CONSUMER, name, clock_wall_ms() / 1000, &hour)); /* else zeroes */
	*out = (struct usage_consumer){.in_flight = s->in_flight,
		.in_flight_since_ms = s->in_flight_since_ms,
		.last_ms = s->last_ms,
		.last_status = s->last_status,
		.last_model = bytes_of(s->model, s->model_n),
		.requests_1h = hour.requests,
		.errors_1h = hour.errors,
		.tokens_1h = hour.tokens};
	return true;
}

void usage_sparkline(const struct usage *u, struct bytes consumer, struct text *out)
{
	usage_days_sparkline(u->days, TALLY_CONSUMER, consumer, clock_wall_ms() / 1000, out);
}

void usage_series(const struct usage *u, const struct usage_query *q, struct text *out)
{
	usage_days_series(u->days, q, clock_wall_ms() / 1000, out);
}

static void put_percent(struct json_writer *w, uint32_t v)
{
	if (v == UNKNOWN) {
		json_put_null(w);
	} else {
		json_put_u64(w, v);
	}
}

void usage_recent(const struct usage *u, struct text *out)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_open_array(&w);
	for (unsigned i = 0; i < u->n_recent; i++) {
		const struct recent *r =
			&u->recent[(u->last_recent + RECENT + 1 - u->n_recent + i) % RECENT];

		json_open_array(&w);
		json_put_u64(&w, r->at_s);
		put_percent(&w, r->cpu);
		put_percent(&w, r->memory);
		json_put_u64(&w, r->connections);
		json_put_u64(&w, r->rpm);
		json_close_array(&w);
	}
	json_close_array(&w);
}
