/*
 * The row of an exchange is found once, when its destination is known, and held until it ends; then
 * some thirty additions. Durations count only answers that came whole from an upstream that was content
 * (2xx): a refusal after two milliseconds says nothing about a model. Tokens count whenever the
 * upstream said how many.
 */
#include "meter/meter.h"
#include "meter/recall.h"
#include "meter/tally.h"

#include <stdlib.h>

#include "plan/condition.h"
#include "plan/inside.h"
#include "proxy/exchange.h"
#include "proxy/gateway.h"
#include "proxy/worker.h"

/* Rows looked at in a second's tidying, and copied in one slice: both far below a millisecond. */
#define TIDY_ROWS 64u
#define COPY_ROWS 128u
/* How long a row is kept when its route or consumer is gone: longer than a scrape interval, so that the
 * last counts are seen, and than a change of configuration that is taken back. */
#define GRACE_MS (10u * 60u * 1000u)
/* Rows that nobody counts in any more although route and consumer exist (another service, another
 * model) make room when half of it is taken. */
#define IDLE_MS (24u * 3600u * 1000u)
/* "outbound|65535||" and a name that fits into what is left of a label. */
#define CLUSTER_PREFIX_MAX 24u
/* Below it a row that is kept for consumer "other" would not exist. */
#define SERIES_MIN 4u

const double meter_duration_bounds[METER_DURATION_BOUNDS] = {
	0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
const double meter_first_bounds[METER_FIRST_BOUNDS] = {
	0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};
const double meter_token_bounds[METER_TOKEN_BOUNDS] = {
	1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};

/* In place of a consumer: not to be tallied. */
#define TALLIED_NOT UINT16_MAX

struct meter {
	struct series series;
	size_t tidied;   /* the row that is looked at next */
	unsigned copies; /* under way: rows keep their places */
	struct recall recall;
	struct tally *tally;
};

struct copied_head {
	uint64_t rows, limit, overflows;
};

static void *start(const struct gateway_opts *opts)
{
	struct meter *m = must_alloc(sizeof(*m));

	series_init(&m->series, &opts->seed, MAX(opts->limits.series_max, SERIES_MIN), VALUE_COUNT);
	m->tally = tally_new(&opts->seed);
	recall_init(&m->recall);
	return m;
}

static void stop(void *kept)
{
	struct meter *m = kept;

	series_done(&m->series);
	tally_free(m->tally);
	recall_done(&m->recall);
	free(m);
}

/* --- labels ------------------------------------------------------------------------------------- */

static bool is_made_up(struct bytes label)
{
	return bytes_eq(label, LABEL_NONE) || bytes_eq(label, LABEL_OTHER) || label.n == LABEL_MAX;
}

static bool is_known(const struct route *r, const struct destination *to, struct bytes model)
{
	return (to->mapping != NULL && mapping_knows(to->mapping, model)) ||
		mapping_knows(&to->provider->mapping, model) || conditions_name(r, model);
}

static struct bytes model_label(const struct exchange *x)
{
	const struct attempt *at = &x->rq->at;

	if (at->to->provider == NULL || at->upstream_model.n == 0) {
		return LABEL_NONE;
	}
	return is_known(x->rq->route, at->to, at->upstream_model) ? at->upstream_model
								  : LABEL_OTHER;
}

/* OpenTelemetry's well-known values, where there is one. */
static struct bytes operation_label(enum api api)
{
	if (api == API_CHAT_COMPLETIONS || api == API_RESPONSES || api == API_ANTHROPIC_MESSAGES) {
		return BYTES("chat");
	}
	if (api == API_COMPLETIONS || api == API_ANTHROPIC_COMPLETE) {
		return BYTES("text_completion");
	}
	if (api == API_EMBEDDINGS) {
		return BYTES("embeddings");
	}
	if (api == API_GEMINI_GENERATE || api == API_GEMINI_STREAM) {
		return BYTES("generate_content");
	}
	return bytes_str(api_name(api));
}

static struct bytes or_none(struct bytes b)
{
	return b.n != 0 ? b : LABEL_NONE;
}

/* As Envoy calls it below Higress: "outbound|443||llm-x.internal.dns". */
static struct bytes cluster_label(const struct service *svc, char room[], size_t size)
{
	struct text t;

	text_init_fixed(&t, room, size);
	text_add_str(&t, "outbound|");
	text_add_u64(&t, svc->port);
	text_add_str(&t, "||");
	text_add_bytes(&t, bytes_of(svc->name.p, MIN(svc->name.n, LABEL_MAX - CLUSTER_PREFIX_MAX)));
	return text_bytes(&t);
}

static void let_go(struct exchange *x)
{
	struct series_row *r = x->observed;

	if (r != NULL) {
		r->users--;
		x->observed = NULL;
	}
}

static struct series_row *find_row(struct meter *m, const struct exchange *x)
{
	const struct request *rq = x->rq;
	const struct provider *p = rq->at.to->provider;
	char room[LABEL_MAX];
	const struct bytes labels[LABELS] = {
		[LABEL_ROUTE] = or_none(rq->route->name),
		[LABEL_CLUSTER] = cluster_label(rq->at.to->service, room, sizeof(room)),
		[LABEL_MODEL] = model_label(x),
		[LABEL_CONSUMER] = rq->consumer != NULL ? rq->consumer->name : LABEL_NONE,
		[LABEL_PROVIDER] = p != NULL ? bytes_str(p->type->name) : LABEL_NONE,
		[LABEL_OPERATION] = p != NULL ? or_none(operation_label(rq->api)) : LABEL_NONE,
	};

	return series_take(&m->series, labels);
}

/* Most requests have the model of the row that the last one had: then nobody asks what the configuration names. */
static bool is_row_of(const struct series_row *r, const struct exchange *x)
{
	struct bytes label = series_label(r, LABEL_MODEL);

	return (bytes_eq(label, x->rq->at.upstream_model) && !is_made_up(label)) ||
		bytes_eq(label, model_label(x));
}

static struct series_row *take_row(struct meter *m, const struct exchange *x, struct recalled *c)
{
	uint64_t overflows = m->series.overflows;

	if (c->row == NULL || c->api != x->rq->api || !is_row_of(c->row, x)) {
		struct series_row *r = find_row(m, x);

		/* One that stands for others is to be counted as such each time. */
		if (m->series.overflows != overflows) {
			return r;
		}
		c->row = r;
		c->api = (uint8_t)x->rq->api;
	}
	return c->row;
}

static uint16_t key_of(struct meter *m, enum tally_kind kind, struct bytes name)
{
	return name.n != 0 ? tally_find(m->tally, kind, name) : 0;
}

static struct tally_of find_tallied(struct meter *m, const struct exchange *x)
{
	const struct request *rq = x->rq;
	const struct provider *p = rq->at.to->provider;

	if (rq->route == x->view->plan->inside) {
		return (struct tally_of){.consumer = TALLIED_NOT};
	}
	return (struct tally_of){.consumer = rq->consumer != NULL
			? key_of(m, TALLY_CONSUMER, rq->consumer->name)
			: 0,
		.provider = p != NULL ? key_of(m, TALLY_PROVIDER, p->id) : 0,
		.route = key_of(m, TALLY_ROUTE, rq->route->name)};
}

static_assert(sizeof(struct tally_of) == sizeof(((struct exchange *)0)->observed_too),
	"kept in the exchange");

/* A further attempt of the same consumer's request is not one more in flight. */
static void tally_chosen(
	struct meter *m, struct exchange *x, struct series_row *r, struct tally_of of)
{
	bool first = x->observed == NULL;

	if (of.consumer != TALLIED_NOT && x->rq->at.to->provider != NULL) {
		if (r->tallied == 0) {
			r->tallied =
				tally_find(m->tally, TALLY_MODEL, series_label(r, LABEL_MODEL));
		}
		of.model = r->tallied;
	}
	if (!first) { /* who asks stays, whatever route the attempt has */
		of.consumer = x->observed_too[0];
	}
	if (first && of.consumer != 0 && of.consumer != TALLIED_NOT) {
		tally_begin(m->tally, of.consumer, x->woke_us);
	}
	memcpy(x->observed_too, &of, sizeof(of));
}

static void chosen(void *kept, struct exchange *x)
{
	struct meter *m = kept;
	bool is_new;
	struct recalled *c = recall_find(&m->recall,
		&(struct recall_key){
			x->view->plan->version, x->rq->route, x->rq->at.to, x->rq->consumer},
		&is_new);
	struct series_row *r = take_row(m, x, c);

	if (is_new) {
		c->of = find_tallied(m, x);
	}
	tally_chosen(m, x, r, c->of);
	let_go(x);
	r->users++;
	x->observed = r;
}

/* The row of those that went nowhere. */
static struct series_row *row_of_none(struct meter *m, const struct texts *t)
{
	const struct bytes labels[LABELS] = {or_none(t->route), LABEL_NONE, LABEL_NONE,
		or_none(t->consumer), LABEL_NONE, LABEL_NONE};

	return series_take(&m->series, labels);
}

/* --- counting ----------------------------------------------------------------------------------- */

static void observe(uint64_t *buckets, const double *bounds, unsigned n, double v)
{
	unsigned i = 0;

	while (i < n && v > bounds[i]) {
		i++;
	}
	buckets[i]++;
}

static void count_usage(uint64_t *v, const struct usage *u)
{
	v[VALUE_USAGES]++;
	v[VALUE_INPUT] += u->input;
	v[VALUE_OUTPUT] += u->output;
	v[VALUE_TOTAL] += u->total;
	v[VALUE_CACHED] += u->cached;
	v[VALUE_REASONING] += u->reasoning;
	observe(v + VALUE_IN, meter_token_bounds, METER_TOKEN_BOUNDS, (double)u->input);
	v[VALUE_IN_SUM] += u->input;
	observe(v + VALUE_OUT, meter_token_bounds, METER_TOKEN_BOUNDS, (double)u->output);
	v[VALUE_OUT_SUM] += u->output;
}

static void count_times(uint64_t *v, const struct record *r)
{
	uint64_t all = r->ended_us - r->began_us;
	uint64_t first = r->first_us - r->began_us;

	v[VALUE_SERVICES]++;
	observe(v + VALUE_DURATION, meter_duration_bounds, METER_DURATION_BOUNDS,
		(double)all / 1e6);
	v[VALUE_DURATION_SUM] += all;
	if (r->stream && r->first_us != 0) {
		v[VALUE_FIRSTS]++;
		observe(v + VALUE_FIRST, meter_first_bounds, METER_FIRST_BOUNDS,
			(double)first / 1e6);
		v[VALUE_FIRST_SUM] += first;
	}
}

/* Of what went nowhere; questions for health count as nothing. */
static void tallied_of_none(
	struct meter *m, const struct exchange *x, const struct texts *t, struct tally_of *out)
{
	*out = (struct tally_of){.consumer = TALLIED_NOT};
	if (!bytes_eq(bytes_str(x->rec.reason), BYTES("health")) &&
		!bytes_eq(t->route, BYTES(INSIDE_ROUTE))) {
		out->consumer = key_of(m, TALLY_CONSUMER, t->consumer);
		out->route = key_of(m, TALLY_ROUTE, t->route);
	}
}

/* timed: the upstream's whole answer went to the client. */
static void tally(struct meter *m, const struct exchange *x, const struct texts *t, bool timed)
{
	const struct record *r = &x->rec;
	struct tally_of of;

	if (x->observed != NULL) {
		memcpy(&of, x->observed_too, sizeof(of));
	} else {
		tallied_of_none(m, x, t, &of);
	}
	if (of.consumer == TALLIED_NOT) {
		return;
	}
	if (tally_is_other_model(m->tally, of.model)) {
		of.model = tally_model(m->tally, t->upstream_model, timed);
	}
	tally_end(m->tally, &of,
		&(struct tally_request){.ended_us = r->ended_us,
			.us = r->ended_us - r->began_us,
			.input = r->usage.known ? r->usage.input : 0,
			.output = r->usage.known ? r->usage.output : 0,
			.model = t->model,
			.status = r->status,
			.timed = timed,
			.error = (r->status >= 400 || r->cut) && !r->client_abort},
		x->observed != NULL);
}

static void finish(void *kept, struct exchange *x)
{
	struct meter *m = kept;
	const struct record *r = &x->rec;
	struct texts room;
	const struct texts *t = texts_of(x, &room);
	struct series_row *row = x->observed != NULL ? x->observed : row_of_none(m, t);
	uint64_t *v = series_values(&m->series, row);
	unsigned digit = r->status / 100u;
	bool timed;

	v[VALUE_REQUESTS + (digit <= 5 ? digit : 0)]++;
	v[VALUE_ABORTS] += r->client_abort;
	v[VALUE_CUTS] += r->cut;
	v[VALUE_ATTEMPTS] += r->attempts;
	if (r->usage.known) {
		count_usage(v, &r->usage);
	}
	timed = x->committed && t->provider.n != 0 && digit == 2 && !r->client_abort && !r->cut;
	if (timed) {
		count_times(v, r);
	}
	tally(m, x, t, timed);
	let_go(x);
}

/* --- tidying ------------------------------------------------------------------------------------ */

static bool is_in_plan(const struct series_row *r, const struct plan *p)
{
	struct bytes route = series_label(r, LABEL_ROUTE);
	struct bytes consumer = series_label(r, LABEL_CONSUMER);

	return (is_made_up(route) || plan_has_route(p, route)) &&
		(is_made_up(consumer) || plan_has_consumer(p, consumer));
}

static void look_at(struct series_row *r, const struct plan *p, uint64_t now_ms)
{
	uint64_t requests = 0;

	for (unsigned i = VALUE_REQUESTS; i < VALUE_ABORTS; i++) {
		requests += r->values[i];
	}
	if (requests != r->seen || r->idle_ms == 0) {
		r->seen = requests;
		r->idle_ms = now_ms;
	}
	if (is_in_plan(r, p)) {
		r->vanished_ms = 0;
	} else if (r->vanished_ms == 0) {
		r->vanished_ms = now_ms;
	}
}

static bool is_over(const struct series_row *r, bool crowded, uint64_t now_ms)
{
	if (r->users != 0) {
		return false;
	}
	return (r->vanished_ms != 0 && now_ms - r->vanished_ms >= GRACE_MS) ||
		(crowded && now_ms - r->idle_ms >= IDLE_MS);
}

/* At most one row goes in a call: dropping costs a walk over all. */
static void tidy(void *kept, const struct plan *p, uint64_t now_ms)
{
	struct meter *m = kept;

	if (p == NULL || m->copies != 0) {
		return;
	}
	for (unsigned i = 0; i < TIDY_ROWS; i++) {
		if (m->tidied >= m->series.n) {
			m->tidied = 0;
			return;
		}
		look_at(m->series.rows[m->tidied], p, now_ms);
		if (is_over(m->series.rows[m->tidied], m->series.n > m->series.limit / 2, now_ms)) {
			series_drop(&m->series, m->tidied);
			recall_drop_rows(&m->recall);
			return;
		}
		m->tidied++;
	}
}

/* --- copies ------------------------------------------------------------------------------------- */

static void copy_row(const struct series_row *r, struct text *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < LABELS; i++) {
		n += r->label_n[i];
	}
	text_add(out, (const char *)r->label_n, sizeof(r->label_n));
	text_add(out, r->labels, n);
	text_add(out, (const char *)r->values, VALUE_COUNT * sizeof(r->values[0]));
}

static bool copy(void *kept, size_t *at, struct text *out)
{
	struct meter *m = kept;
	const struct series *s = &m->series;
	size_t to = MIN(s->n, *at + COPY_ROWS);

	if (*at == 0) {
		const struct copied_head head = {s->n, s->limit, s->overflows};

		m->copies++;
		text_add(out, (const char *)&head, sizeof(head));
		copy_row(s->other, out);
	}
	for (size_t i = *at; i < to; i++) {
		copy_row(s->rows[i], out);
	}
	*at = to;
	if (to < s->n) {
		return true;
	}
	m->copies--;
	return false;
}

static bool take(struct bytes *from, void *out, size_t n)
{
	if (from->n < n) {
		return false;
	}
	memcpy(out, from->p, n);
	*from = bytes_of(from->p + n, from->n - n);
	return true;
}

void meter_read(struct meter_copy *c, struct bytes copied)
{
	struct copied_head head = {0, 0, 0};

	*c = (struct meter_copy){.left = copied};
	IGNORE(take(&c->left, &head, sizeof(head))); /* an empty one stays all zero */
	c->rows = head.rows;
	c->limit = head.limit;
	c->overflows = head.overflows;
}

bool meter_next(struct meter_copy *c, struct bytes labels[LABELS], uint64_t values[VALUE_COUNT])
{
	uint16_t n[LABELS];

	if (!take(&c->left, n, sizeof(n))) {
		return false;
	}
	for (unsigned i = 0; i < LABELS; i++) {
		ASSERT(n[i] <= c->left.n); /* our own copy */
		labels[i] = bytes_of(c->left.p, n[i]);
		c->left = bytes_of(c->left.p + n[i], c->left.n - n[i]);
	}
	ASSERT(take(&c->left, values, VALUE_COUNT * sizeof(values[0])));
	return true;
}

static bool copy_tally(void *kept, size_t *at, struct text *out)
{
	return tally_put(((struct meter *)kept)->tally, at, out);
}

const struct observer meter_observer = {
	.start = start,
	.stop = stop,
	.chosen = chosen,
	.finish = finish,
	.tidy = tidy,
	.copy = copy,
	.copy_tally = copy_tally,
};
