/*
 * Rows of all workers are added up twice: by route, cluster, model and consumer for the counters, by
 * everything but the consumer for the histograms, which have many lines each.
 */
#include "meter/metrics.h"

#include <stdlib.h>

#include "meter/exposition.h"
#include "meter/meter.h"

#define HIGRESS "route_upstream_model_consumer_metric_"
/* Six labels, each byte of which may be written as three. */
#define LABELS_TEXT_MAX (LABELS * (LABEL_MAX * 3u + 64u))

/* --- of the process ----------------------------------------------------------------------------- */

static void write_u64(
	struct text *t, const char *name, const char *type, const char *help, uint64_t v)
{
	exposition_family(t, name, type, help);
	exposition_u64(t, name, BYTES(""), v);
}

static void write_micro(
	struct text *t, const char *name, const char *type, const char *help, uint64_t v)
{
	exposition_family(t, name, type, help);
	exposition_micro(t, name, BYTES(""), v);
}

/* What the system does not tell is left out: a sample that is wrong is worse than none. */
static void write_known(struct text *t, const char *name, const char *help, uint64_t v)
{
	exposition_family(t, name, "gauge", help);
	if (v != PROCESS_UNKNOWN) {
		exposition_u64(t, name, BYTES(""), v);
	}
}

static void write_process(struct text *t, const struct metrics_facts *f)
{
	const struct process_facts *p = &f->process;
	char room[128];
	struct text labels;

	text_init_fixed(&labels, room, sizeof(room));
	exposition_label(&labels, "version", bytes_str(f->version));
	exposition_family(t, "sluice_build_info", "gauge", "Always 1; the label says what runs.");
	exposition_u64(t, "sluice_build_info", text_bytes(&labels), 1);
	write_micro(t, "process_start_time_seconds", "gauge",
		"When the process began, in seconds since 1970.", f->started_ms * 1000);
	write_micro(t, "process_cpu_seconds_total", "counter",
		"CPU time of all threads, user and system.", p->cpu_us);
	write_known(t, "process_resident_memory_bytes", "Resident memory.", p->resident);
	write_known(t, "process_open_fds", "Descriptors in use.", p->descriptors);
	write_known(t, "process_max_fds", "Descriptors that may be open.", p->descriptors_max);
}

static void write_plan(struct text *t, const struct metrics_facts *f)
{
	write_u64(t, "sluice_plan_version", "gauge",
		"Counts the configurations of this process; 0 before the first.", f->plan_version);
	write_micro(t, "sluice_plan_live_timestamp_seconds", "gauge",
		"When the configuration in force became live, in seconds since 1970.",
		f->plan_live_ms * 1000);
	write_u64(t, "sluice_plan_routes", "gauge", "Routes in force.", f->routes);
	write_u64(t, "sluice_plan_providers", "gauge", "Providers in force.", f->providers);
	write_u64(t, "sluice_plan_consumers", "gauge", "Consumers in force.", f->consumers);
	write_u64(
		t, "sluice_plan_certificates", "gauge", "Certificates in force.", f->certificates);
	write_u64(t, "sluice_files_kept_bad", "gauge",
		"Broken resource files whose last good version is in use.", f->files_kept_bad);
}

/* --- of the workers ----------------------------------------------------------------------------- */

static void write_failures(struct text *t, const struct worker_counts *c)
{
	exposition_family(t, "sluice_attempt_failures_total", "counter",
		"Attempts that did not end in a usable answer, by what was wrong.");
	for (unsigned i = FAILURE_NONE + 1; i < FAILURE_CLASSES; i++) {
		char room[64];
		struct text labels;

		text_init_fixed(&labels, room, sizeof(room));
		exposition_label(
			&labels, "class", bytes_str(failure_class_name((enum failure_class)i)));
		exposition_u64(
			t, "sluice_attempt_failures_total", text_bytes(&labels), c->failed[i]);
	}
}

static void write_scalars(struct text *t, const struct worker_counts *c)
{
	const struct {
		const char *name, *type, *help;
		uint64_t v;
	} all[] = {
		{"sluice_exchanges_total", "counter", "Requests that were begun.", c->exchanges},
		{"sluice_exchanges_open", "gauge", "Requests under way.", c->open},
		{"sluice_replies_total", "counter", "Answers of the gateway's own.", c->replies},
		{"sluice_client_aborts_total", "counter",
			"Requests whose client left before the end.", c->client_aborts},
		{"sluice_upstream_failures_total", "counter",
			"Attempts that an upstream failed, before or in its answer.",
			c->upstream_failures},
		{"sluice_retries_total", "counter",
			"Attempts behind a request's first, wherever they went.", c->retries},
		{"sluice_fallbacks_total", "counter", "Attempts at upstreams of a fallback.",
			c->fallbacks},
		{"sluice_usage_unknown_total", "counter",
			"Whole answers that did not say what they cost.", c->usage_unknown},
		{"sluice_contexts_missing_total", "counter",
			"Chats that went on without the file of their provider's context.",
			c->contexts_missing},
		{"sluice_events_total", "counter", "Events of streams that were relayed.",
			c->events},
		{"sluice_connections_accepted_total", "counter", "Connections of clients.",
			c->accepted},
		{"sluice_connections_open", "gauge", "Connections of clients now.", c->connections},
		{"sluice_refused_heads_total", "counter",
			"Requests that were refused because their head is no HTTP.",
			c->refused_heads},
		{"sluice_tls_handshakes_total", "counter",
			"TLS handshakes with clients that succeeded.", c->handshakes},
		{"sluice_tls_resumed_total", "counter",
			"Handshakes that resumed an earlier session.", c->handshakes_resumed},
		{"sluice_tls_failures_total", "counter", "TLS handshakes with clients that failed.",
			c->handshakes_failed},
		{"sluice_upstream_connects_total", "counter",
			"Connections to upstreams that were begun.", c->upstream_opened},
		{"sluice_upstream_reuses_total", "counter",
			"Requests that took an idle connection.", c->upstream_reused},
		{"sluice_upstream_connection_failures_total", "counter",
			"Connections to upstreams that failed, at any time.", c->upstream_failed},
		{"sluice_upstream_connections_open", "gauge",
			"Connections to upstreams now, idle ones too.", c->upstream_open},
		{"sluice_upstream_connections_idle", "gauge",
			"Connections to upstreams that wait for a request.", c->upstream_idle},
		{"sluice_buffer_segments_lent", "gauge", "Buffers of 32 KB in use.", c->lent},
		{"sluice_buffer_segments_high", "gauge", "Most buffers ever in use, by worker.",
			c->high},
		{"sluice_buffer_segments_budget", "gauge",
			"Buffers in use above which new bodies are refused.", c->budget},
		{"sluice_log_dropped_total", "counter", "Access lines that were not written.",
			c->log_dropped},
		{"sluice_turns_total", "counter", "Turns of the workers' loops.", c->turns.turns},
		{"sluice_turns_over_1ms_total", "counter",
			"Turns that took longer than a millisecond.", c->turns.over_1ms},
		{"sluice_turns_over_5ms_total", "counter",
			"Turns that took longer than five milliseconds.", c->turns.over_5ms},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		write_u64(t, all[i].name, all[i].type, all[i].help, all[i].v);
	}
	write_failures(t, c);
	write_micro(t, "sluice_longest_turn_seconds", "gauge",
		"The longest turn of a worker's loop so far: what a request may have waited for.",
		c->turns.longest_us);
}

/* --- rows --------------------------------------------------------------------------------------- */

struct sums {
	struct series by_consumer, by_provider;
	uint64_t rows, limit, overflows;
};

static void add_row(struct series *s, const struct bytes labels[LABELS], const uint64_t *values)
{
	uint64_t *sum = series_values(s, series_take(s, labels));

	for (unsigned i = 0; i < VALUE_COUNT; i++) {
		sum[i] += values[i];
	}
}

static void add_part(struct sums *s, struct bytes copied)
{
	struct bytes labels[LABELS];
	uint64_t values[VALUE_COUNT];
	struct meter_copy c;

	meter_read(&c, copied);
	s->rows += c.rows;
	s->limit += c.limit;
	s->overflows += c.overflows;
	while (meter_next(&c, labels, values)) {
		struct bytes some[LABELS];

		memcpy(some, labels, sizeof(some));
		some[LABEL_PROVIDER] = some[LABEL_OPERATION] = BYTES("");
		add_row(&s->by_consumer, some, values);
		memcpy(some, labels, sizeof(some));
		some[LABEL_CONSUMER] = BYTES("");
		add_row(&s->by_provider, some, values);
	}
}

static int by_labels(const void *a, const void *b)
{
	const struct series_row *x = *(const struct series_row *const *)a;
	const struct series_row *y = *(const struct series_row *const *)b;
	int c = 0;

	for (unsigned i = 0; i < LABELS && c == 0; i++) {
		c = bytes_cmp(series_label(x, (enum label)i), series_label(y, (enum label)i));
	}
	return c;
}

static void sums_init(struct sums *s, const struct report *r)
{
	static const struct hash_seed seed = {0x6d65, 0x7472}; /* labels are of our configuration */
	size_t rows = 0;

	for (unsigned i = 0; i < r->n; i++) {
		struct meter_copy c;

		meter_read(&c, text_bytes(&r->v[i].observed));
		rows += c.rows + 1;
	}
	*s = (struct sums){.rows = 0};
	/* Twice as many as can come: none is too many here. */
	series_init(&s->by_consumer, &seed, 2 * rows + 8, VALUE_COUNT);
	series_init(&s->by_provider, &seed, 2 * rows + 8, VALUE_COUNT);
	for (unsigned i = 0; i < r->n; i++) {
		add_part(s, text_bytes(&r->v[i].observed));
	}
	/* From here on the rows are only read, one after the other. */
	qsort(s->by_consumer.rows, s->by_consumer.n, sizeof(struct series_row *), by_labels);
	qsort(s->by_provider.rows, s->by_provider.n, sizeof(struct series_row *), by_labels);
}

static void sums_done(struct sums *s)
{
	series_done(&s->by_consumer);
	series_done(&s->by_provider);
}

static void ai_labels(const struct series_row *r, struct text *out)
{
	text_clear(out);
	exposition_label(out, "ai_route", series_label(r, LABEL_ROUTE));
	exposition_label(out, "ai_cluster", series_label(r, LABEL_CLUSTER));
	exposition_label(out, "ai_model", series_label(r, LABEL_MODEL));
	exposition_label(out, "ai_consumer", series_label(r, LABEL_CONSUMER));
}

struct counter {
	const char *name, *help;
	unsigned value;
	unsigned when; /* written when this value is not 0 */
	bool milli;    /* the value is a thousand times what is written */
};

static const struct counter counters[] = {
	{HIGRESS "input_token", "Tokens of prompts.", VALUE_INPUT, VALUE_USAGES, false},
	{HIGRESS "output_token", "Tokens of answers.", VALUE_OUTPUT, VALUE_USAGES, false},
	{HIGRESS "total_token", "Tokens in all, with those of caches.", VALUE_TOTAL, VALUE_USAGES,
		false},
	{HIGRESS "llm_service_duration", "Milliseconds of whole answers, from request to end.",
		VALUE_DURATION_SUM, VALUE_SERVICES, true},
	{HIGRESS "llm_duration_count", "Answers in llm_service_duration.", VALUE_SERVICES,
		VALUE_SERVICES, false},
	{HIGRESS "llm_first_token_duration",
		"Milliseconds of whole streams, from request to first event.", VALUE_FIRST_SUM,
		VALUE_FIRSTS, true},
	{HIGRESS "llm_stream_duration_count", "Streams in llm_first_token_duration.", VALUE_FIRSTS,
		VALUE_FIRSTS, false},
	{"sluice_cached_tokens_total", "Tokens of prompts that came from the upstream's cache.",
		VALUE_CACHED, VALUE_CACHED, false},
	{"sluice_reasoning_tokens_total", "Tokens of answers that were thoughts.", VALUE_REASONING,
		VALUE_REASONING, false},
	{"sluice_request_attempts_total", "Attempts at upstreams.", VALUE_ATTEMPTS, VALUE_ATTEMPTS,
		false},
	{"sluice_request_aborts_total", "Requests whose client left before the end.", VALUE_ABORTS,
		VALUE_ABORTS, false},
	{"sluice_request_cuts_total",
		"Requests whose answer was begun and not completed by the upstream or by us.",
		VALUE_CUTS, VALUE_CUTS, false},
};

static void write_counter(struct text *t, const struct sums *s, const struct counter *c)
{
	char room[LABELS_TEXT_MAX];
	struct text labels;

	text_init_fixed(&labels, room, sizeof(room));
	exposition_family(t, c->name, "counter", c->help);
	for (size_t i = 0; i < s->by_consumer.n; i++) {
		const struct series_row *r = s->by_consumer.rows[i];

		if (r->values[c->when] != 0) {
			ai_labels(r, &labels);
			exposition_u64(t, c->name, text_bytes(&labels),
				r->values[c->value] / (c->milli ? 1000 : 1));
		}
	}
}

static void write_requests(struct text *t, const struct sums *s)
{
	static const char *const codes[6] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	static const char *const name = "sluice_requests_total";
	char room[LABELS_TEXT_MAX];
	struct text labels;

	text_init_fixed(&labels, room, sizeof(room));
	exposition_family(t, name, "counter",
		"Requests that have ended, by status; 499 counts when the client left without one.");
	for (size_t i = 0; i < s->by_consumer.n; i++) {
		const struct series_row *r = s->by_consumer.rows[i];

		for (unsigned k = 0; k < ARRAY_LEN(codes); k++) {
			if (r->values[VALUE_REQUESTS + k] != 0) {
				ai_labels(r, &labels);
				exposition_label(&labels, "code", bytes_str(codes[k]));
				exposition_u64(t, name, text_bytes(&labels),
					r->values[VALUE_REQUESTS + k]);
			}
		}
	}
}

struct distribution {
	const char *name, *help, *token_type;
	const double *bounds;
	unsigned n_bounds, first, sum;
	bool micro;
};

static const struct distribution durations[] = {
	{"gen_ai_server_request_duration_seconds",
		"Whole answers with status 2xx, from request to end.", NULL, meter_duration_bounds,
		METER_DURATION_BOUNDS, VALUE_DURATION, VALUE_DURATION_SUM, true},
	{"gen_ai_server_time_to_first_token_seconds",
		"Whole streams with status 2xx, from request to first event.", NULL,
		meter_first_bounds, METER_FIRST_BOUNDS, VALUE_FIRST, VALUE_FIRST_SUM, true},
};

static const struct distribution usages[] = {
	{"gen_ai_client_token_usage", "Tokens of a request.", "input", meter_token_bounds,
		METER_TOKEN_BOUNDS, VALUE_IN, VALUE_IN_SUM, false},
	{"gen_ai_client_token_usage", "Tokens of a request.", "output", meter_token_bounds,
		METER_TOKEN_BOUNDS, VALUE_OUT, VALUE_OUT_SUM, false},
};

static void gen_ai_labels(const struct series_row *r, const char *token_type, struct text *out)
{
	text_clear(out);
	exposition_label(out, "gen_ai_operation_name", series_label(r, LABEL_OPERATION));
	exposition_label(out, "gen_ai_provider_name", series_label(r, LABEL_PROVIDER));
	exposition_label(out, "gen_ai_request_model", series_label(r, LABEL_MODEL));
	if (token_type != NULL) {
		exposition_label(out, "gen_ai_token_type", bytes_str(token_type));
	}
	exposition_label(out, "ai_route", series_label(r, LABEL_ROUTE));
	exposition_label(out, "ai_cluster", series_label(r, LABEL_CLUSTER));
}

static void write_distribution(
	struct text *t, const struct sums *s, const struct distribution *d, bool head)
{
	char room[LABELS_TEXT_MAX];
	struct text labels;

	text_init_fixed(&labels, room, sizeof(room));
	if (head) {
		exposition_family(t, d->name, "histogram", d->help);
	}
	for (size_t i = 0; i < s->by_provider.n; i++) {
		const struct series_row *r = s->by_provider.rows[i];
		const struct histogram h = {
			d->bounds, d->n_bounds, r->values + d->first, r->values[d->sum], d->micro};
		uint64_t any = 0;

		for (unsigned k = 0; k <= d->n_bounds; k++) {
			any |= h.buckets[k];
		}
		if (any != 0) {
			gen_ai_labels(r, d->token_type, &labels);
			exposition_histogram(t, d->name, text_bytes(&labels), &h);
		}
	}
}

static void write_rows(struct text *t, const struct report *r)
{
	struct sums s;

	sums_init(&s, r);
	write_u64(t, "sluice_series", "gauge",
		"Combinations of labels that are kept apart, each counted in every worker that has it.",
		s.rows);
	write_u64(t, "sluice_series_limit", "gauge",
		"The bound of sluice_series, of all workers together.", s.limit);
	write_u64(t, "sluice_series_overflows_total", "counter",
		"Requests that were counted under the label other because of the bound.",
		s.overflows);
	write_requests(t, &s);
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		write_counter(t, &s, &counters[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		write_distribution(t, &s, &durations[i], true);
	}
	for (size_t i = 0; i < ARRAY_LEN(usages); i++) {
		write_distribution(t, &s, &usages[i], i == 0);
	}
	sums_done(&s);
}

void metrics_write(const struct report *r, const struct metrics_facts *facts, struct text *out)
{
	struct worker_counts sum;

	report_sum(r, &sum);
	write_process(out, facts);
	write_plan(out, facts);
	write_u64(out, "sluice_workers", "gauge", "Worker threads.", r->n);
	write_u64(out, "sluice_workers_silent", "gauge",
		"Workers that did not report in time; their counts are missing in this scrape.",
		r->n - r->n_answered);
	write_u64(out, "sluice_registry_failures_total", "counter",
		"Questions to registries of services that brought no answer of use.",
		r->registry_failures);
	write_scalars(out, &sum);
	write_rows(out, r);
}
