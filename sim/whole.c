/*
 * The subject "gateway": the whole data path with two workers and control, wired as serve does it but
 * without threads. Resources are read from the disk of the simulated world.
 */
#include <stdlib.h>

#include "ai/compatible.h"
#include "ai/failures.h"
#include "ai/providers.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/random.h"
#include "filter/basic_auth.h"
#include "filter/key_auth.h"
#include "filter/request_block.h"
#include "hiclaw/usage.h"
#include "meter/meter.h"
#include "meter/metrics.h"
#include "proxy/gateway.h"
#include "sim/judge.h"
#include "sim/pipe.h"
#include "sim/subject.h"
#include "store/directory.h"

#define RESOURCES "/resources"
#define MEMORY_DEFAULT (64u << 20)

struct whole {
	struct subject base;
	struct hooks hooks;
	struct gateway_opts opts;
	struct gateway *gateway;
	struct usage *usage; /* NULL: nobody asked for it */
	struct directory *directory;
	bool read_again;
	uint64_t plans_live;
	bool drained;
	struct pipe log;
};

static struct whole *whole_of(struct subject *s)
{
	return CONTAINER_OF(s, struct whole, base);
}

static const struct filter *const filters[] = {
	&filter_basic_auth, &filter_key_auth, &filter_request_block};

static void on_live(void *arg)
{
	struct whole *w = arg;

	w->plans_live++;
}

static void read_resources(struct whole *w)
{
	const struct plan_env env = {.types = &provider_types,
		.seed = w->opts.seed,
		.before = w->gateway != NULL ? gateway_plan(w->gateway) : NULL};
	struct directory_report report;
	struct snapshot *snap = directory_read(w->directory, &report);

	gateway_set_plan(w->gateway, plan_compile(snap, &env), on_live, w);
	snapshot_unref(snap);
	directory_report_done(&report);
}

static void fill_opts(struct whole *w, const struct settings *s)
{
	const struct http_limits http = HTTP_LIMITS_DEFAULT;
	const struct proxy_limits limits = PROXY_LIMITS_DEFAULT;
	struct gateway_opts *o = &w->opts;

	w->hooks.dialect = &dialect_compatible;
	w->hooks.request_query = compatible_request_query();
	w->hooks.answer_query = compatible_answer_query();
	w->hooks.chat_query = compatible_chat_query();
	w->hooks.failure_query = failures_query();
	w->hooks.filters = filters;
	w->hooks.n_filters = ARRAY_LEN(filters);
	w->hooks.observer = &judge_observer;
	o->n_workers = (unsigned)setting(s, "workers", 2);
	o->memory_max = (size_t)setting(s, "memory", MEMORY_DEFAULT) * o->n_workers;
	o->http = http;
	o->limits = limits;
	o->hooks = &w->hooks;
	o->access_log = true;
	o->access_decisions = (enum access_decisions)setting(s, "access_decisions", 1);
	o->plain_errors = setting(s, "plain_errors", 0) != 0;
	o->limits.body_max = setting(s, "body_max", limits.body_max);
	o->limits.first_byte_ms = (uint32_t)setting(s, "first_byte_ms", limits.first_byte_ms);
	o->limits.answer_ms = (uint32_t)setting(s, "answer_ms", limits.answer_ms);
	o->limits.idle_ms = (uint32_t)setting(s, "stream_idle_ms", limits.idle_ms);
	o->limits.series_max = (uint32_t)setting(s, "series_max", limits.series_max);
	o->http.pool_idle_max = (uint32_t)setting(s, "pool_idle_max", http.pool_idle_max);
	random_secret(&o->seed, sizeof(o->seed));
}

static struct subject *start(const struct settings *s, struct fault *f)
{
	struct whole *w = must_alloc(sizeof(*w));
	struct sys_addr at;

	fill_opts(w, s);
	w->gateway = gateway_new(&w->opts, f);
	if (w->gateway == NULL) {
		return NULL;
	}
	w->base.ops = &subject_gateway;
	w->base.loops[w->base.n_loops++] = gateway_control(w->gateway);
	for (unsigned i = 0; i < w->opts.n_workers; i++) {
		w->base.loops[w->base.n_loops++] = gateway_loop(w->gateway, i);
	}
	IGNORE(sys_addr_parse(
		&at, SUBJECT_ADDRESS, sizeof(SUBJECT_ADDRESS) - 1, SUBJECT_PORT)); /* a literal */
	if ((setting(s, "tls", 0) != 0 ? gateway_listen_tls(w->gateway, &at, &at)
				       : gateway_listen(w->gateway, &at, &at)) != 0) {
		ASSERT(false); /* the simulated world lets everybody listen */
	}
	w->directory = directory_new(RESOURCES);
	read_resources(w);
	if (setting(s, "usage", 0) != 0) {
		w->usage = usage_new(w->gateway, NULL, NULL, NULL, NULL);
	}
	return &w->base;
}

static ssize_t write_log(void *arg, const struct iovec *v, int n)
{
	struct whole *w = arg;
	ssize_t sum = 0;

	for (int i = 0; i < n; i++) {
		pipe_add(&w->log, bytes_of(v[i].iov_base, v[i].iov_len));
		sum += (ssize_t)v[i].iov_len;
	}
	return sum;
}

static bool work(struct subject *s)
{
	struct whole *w = whole_of(s);

	if (w->read_again) {
		w->read_again = false;
		read_resources(w);
		return true;
	}
	return gateway_write_log(w->gateway, write_log, w) != 0;
}

static void reload(struct subject *s)
{
	whole_of(s)->read_again = true;
}

static void on_drained(void *arg)
{
	struct whole *w = arg;

	w->drained = true;
}

static void drain(struct subject *s)
{
	gateway_drain(whole_of(s)->gateway, on_drained, whole_of(s));
}

static struct gateway *gateway_of(struct subject *s)
{
	return whole_of(s)->gateway;
}

static size_t lent(struct subject *s)
{
	struct worker_counts sum;

	gateway_counts(whole_of(s)->gateway, &sum);
	return sum.lent;
}

/* A sample of the page at /metrics, by its name and labels as they stand there; one that is not there
 * is 0. */
static uint64_t sample(const struct whole *w, struct bytes name)
{
	const struct metrics_facts facts = {.version = "sim"};
	struct report *r = report_now(w->gateway);
	struct bytes line = {NULL, 0};
	uint64_t v = 0;
	struct bytes left;
	struct text t;

	text_init(&t, METRICS_TEXT_MAX);
	metrics_write(r, &facts, &t);
	report_free(r);
	for (left = text_bytes(&t); left.p != NULL;) {
		line = bytes_cut(&left, '\n');
		if (bytes_starts(line, name) && line.n > name.n && line.p[name.n] == ' ') {
			line = bytes_of(line.p + name.n + 1, line.n - name.n - 1);
			ASSERT(num_parse_u64(line, UINT64_MAX, &v));
			break;
		}
	}
	text_done(&t);
	return v;
}

/* rpm, …; CONSUMER.requests_1h, … */
static bool count_usage(const struct usage *u, struct bytes name, uint64_t *out)
{
	struct bytes member = name;
	struct bytes consumer = bytes_cut(&member, '.');
	struct usage_consumer c = {0};
	struct usage_now now;

	usage_now(u, &now);
	IGNORE(usage_consumer(u, consumer, &c)); /* all zero then */
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
		{"rpm", now.rpm},
		{"errors_per_mille", (uint64_t)(now.error_rate * 1000)},
		{"tokens_per_minute", now.tokens_per_minute},
		{"p95_ms", now.p95_ms},
		{"in_flight", c.in_flight},
		{"requests_1h", c.requests_1h},
		{"errors_1h", c.errors_1h},
		{"tokens_1h", c.tokens_1h},
		{"last_status", c.last_status},
		{"idle_ms", clock_wall_ms() - c.last_ms},
		{"busy_ms", clock_wall_ms() - c.in_flight_since_ms},
		{"model_n", c.last_model.n},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (bytes_eq(member.p != NULL ? member : name, bytes_str(all[i].name))) {
			*out = all[i].value;
			return true;
		}
	}
	return false;
}

static bool count(struct subject *s, struct bytes name, uint64_t *out)
{
	const struct whole *w = whole_of(s);
	struct worker_counts c;

	gateway_counts(w->gateway, &c);
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
		{"exchanges", c.exchanges},
		{"probes", c.probes},
		{"replies", c.replies},
		{"upstream_failures", c.upstream_failures},
		{"retries", c.retries},
		{"fallbacks", c.fallbacks},
		{"client_aborts", c.client_aborts},
		{"usage_unknown", c.usage_unknown},
		{"contexts_missing", c.contexts_missing},
		{"events", c.events},
		{"open", c.open},
		{"high", c.high},
		{"log_dropped", c.log_dropped},
		{"plans", c.plans},
		{"handshakes", c.handshakes},
		{"handshakes_failed", c.handshakes_failed},
		{"plans_live", w->plans_live},
		{"drained", w->drained},
		{"routes", gateway_plan(w->gateway)->n_routes},
		{"providers", gateway_plan(w->gateway)->n_providers},
		{"consumers", gateway_plan(w->gateway)->n_consumers},
		{"findings", gateway_plan(w->gateway)->findings.n},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (bytes_eq(name, bytes_str(all[i].name))) {
			*out = all[i].value;
			return true;
		}
	}
	if (w->usage != NULL && count_usage(w->usage, name, out)) {
		return true;
	}
	if (bytes_ends(name, BYTES("}"))) {
		*out = sample(w, name);
		return true;
	}
	return false;
}

static struct bytes read_log(struct subject *s)
{
	struct whole *w = whole_of(s);

	while (gateway_write_log(w->gateway, write_log, w) > 0) {}
	return pipe_bytes(&w->log);
}

static void stop(struct subject *s)
{
	struct whole *w = whole_of(s);

	usage_free(w->usage);
	gateway_free(w->gateway);
	directory_free(w->directory);
	json_query_free((struct json_query *)(uintptr_t)w->hooks.request_query);
	json_query_free((struct json_query *)(uintptr_t)w->hooks.answer_query);
	json_query_free((struct json_query *)(uintptr_t)w->hooks.chat_query);
	json_query_free((struct json_query *)(uintptr_t)w->hooks.failure_query);
	pipe_done(&w->log);
	free(w);
}

const struct subject_ops subject_gateway = {
	"gateway", start, work, reload, drain, gateway_of, lent, count, read_log, stop};
