/* How busy machine and gateway are (monitor-api.md 4.2), and the day by minute (6.5). */
#include "base/clock.h"
#include "base/num.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/mon_assignment.h"
#include "hiclaw/mon_metrics.h"
#include "hiclaw/record.h"

#define TEXT_MAX ((size_t)64 << 20)

struct value {
	const char *name;
	bool known;
	uint64_t v;
};

static void take_values(const struct usage_now *u, struct value out[4])
{
	out[0] = (struct value){"cpu", u->cpu != UINT32_MAX, u->cpu};
	out[1] = (struct value){"memory", u->memory != UINT32_MAX, u->memory};
	out[2] = (struct value){"connections", u->known, u->connections};
	out[3] = (struct value){"rpm", u->known, u->rpm};
}

static struct doc *metrics_doc(struct arena *a, const struct usage_now *u, struct doc *when)
{
	struct doc *d = doc_map(a), *missing = doc_list(a);
	struct value values[4];

	take_values(u, values);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		doc_set(a, d, values[i].name,
			values[i].known ? doc_int(a, (int64_t)values[i].v) : doc_null(a));
		if (!values[i].known) {
			doc_append(a, missing, doc_str(a, values[i].name));
		}
	}
	doc_set(a, d, "timestamp", when);
	if (missing->n != 0) {
		doc_set(a, d, "unavailable", missing);
	}
	return d;
}

static struct doc *number(struct arena *a, bool known, uint64_t v)
{
	return known ? doc_int(a, (int64_t)v) : doc_null(a);
}

/* JSON that another part has written. */
static struct doc *read_text(struct ask *k, struct text *t)
{
	struct bytes kept = arena_copy(&k->arena, text_bytes(t));
	const struct json_value *v = kept.p != NULL ? json_parse(&k->arena, kept, NULL) : NULL;

	text_done(t);
	return doc_of_json(&k->arena, v);
}

static void add_details(struct ask *k, struct doc *d, const struct usage_now *u)
{
	struct arena *a = &k->arena;
	struct doc *m = doc_need_map(a, d, "details");
	struct doc *latency;
	struct text series;

	doc_set(a, m, "cpuCount", doc_int(a, u->cpu_count));
	doc_set(a, m, "memoryBytes", number(a, u->memory != UINT32_MAX, u->memory_bytes));
	doc_set(a, m, "memoryLimitBytes",
		number(a, u->memory_limit_bytes != 0, u->memory_limit_bytes));
	doc_set(a, m, "processRssBytes",
		number(a, u->process_rss_bytes != 0, u->process_rss_bytes));
	doc_set(a, m, "upstreamConnections", number(a, u->known, u->upstream_connections));
	doc_set(a, m, "inFlight", number(a, u->known, u->in_flight));
	doc_set(a, m, "rps", u->known ? doc_float(a, u->rps) : doc_null(a));
	doc_set(a, m, "errorRate", u->known ? doc_float(a, u->error_rate) : doc_null(a));
	latency = doc_need_map(a, m, "latencyMs");
	doc_set(a, latency, "p50", number(a, u->known, u->p50_ms));
	doc_set(a, latency, "p95", number(a, u->known, u->p95_ms));
	doc_set(a, latency, "p99", number(a, u->known, u->p99_ms));
	doc_set(a, m, "tokensPerMinute", number(a, u->known, u->tokens_per_minute));
	doc_set(a, m, "uptimeSeconds",
		doc_int(a, (int64_t)((clock_wall_ms() - k->hiclaw->opts.started_ms) / 1000)));
	text_init(&series, TEXT_MAX);
	usage_recent(k->hiclaw->usage, &series);
	doc_set(a, m, "series", read_text(k, &series));
}

void mon_metrics(struct ask *k)
{
	struct usage_now u;
	struct doc *d;

	usage_now(k->hiclaw->usage, &u);
	d = metrics_doc(&k->arena, &u, mon_assignment_time(k, clock_wall_ms()));
	if (ask_query_flag(k, "detail")) {
		add_details(k, d, &u);
	}
	ask_reply(k, 200, d);
}

/* After each sample, for who listens. */
void mon_metrics_say(void *arg)
{
	const struct hiclaw *h = arg;
	char when[CLOCK_ISO_LEN];
	struct usage_now u;
	struct json_writer w;
	struct arena a;
	struct text t;

	if (!events_wanted(h->events, EVENT_METRICS)) {
		return;
	}
	arena_init(&a, (size_t)1 << 16);
	text_init(&t, 4096);
	clock_format_iso(when, clock_wall_ms());
	when[19] = 'Z';
	usage_now(h->usage, &u);
	json_writer_init(&w, &t);
	doc_put_json(&a, &w, metrics_doc(&a, &u, doc_string(&a, bytes_of(when, 20))));
	events_say(h->events, EVENT_METRICS, text_bytes(&t));
	text_done(&t);
	arena_done(&a);
}

/* Seconds since 1970, or a time as RFC 3339 has it; def when it is not there. False: refused. */
static bool take_time(struct ask *k, const char *name, uint64_t def, uint64_t *out)
{
	struct bytes v = ask_query(k, name);
	uint64_t us;

	*out = def;
	if (v.n == 0 || num_parse_u64(v, UINT32_MAX, out)) {
		return true;
	}
	if (!record_time_read(v, &us)) {
		ask_fail_field(k, name, "%s is a time as 2026-01-01T00:00:00Z, or seconds", name);
		return false;
	}
	*out = us / 1000000;
	return true;
}

static bool take_by(struct ask *k, enum tally_kind *out)
{
	static const struct {
		const char *name;
		enum tally_kind kind;
	} words[] = {{"total", TALLY_TOTAL}, {"provider", TALLY_PROVIDER}, {"model", TALLY_MODEL},
		{"consumer", TALLY_CONSUMER}, {"route", TALLY_ROUTE}};
	struct bytes by = ask_query(k, "by");

	*out = TALLY_TOTAL;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (bytes_eq(by, bytes_str(words[i].name))) {
			*out = words[i].kind;
			return true;
		}
	}
	if (by.n != 0) {
		ask_fail_field(k, "by", "by is total, provider, model, consumer or route");
	}
	return by.n == 0;
}

#define DAY_S 86400u

void mon_usage(struct ask *k)
{
	uint64_t now_s = clock_wall_ms() / 1000;
	struct usage_query q;
	struct text out;

	if (!take_time(k, "to", now_s, &q.to_s) ||
		!take_time(k, "from", q.to_s > DAY_S ? q.to_s - DAY_S : 0, &q.from_s) ||
		!ask_query_number(k, "step", 30 * (uint64_t)DAY_S, 0, &q.step_s) ||
		!take_by(k, &q.by)) {
		return;
	}
	if (q.from_s > q.to_s) {
		ask_fail_field(k, "from", "from is after to");
		return;
	}
	text_init(&out, TEXT_MAX);
	usage_series(k->hiclaw->usage, &q, &out);
	ask_reply_text(k, 200, &out);
}
