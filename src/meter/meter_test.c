#include "meter/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/world.h"
#include "proxy/exchange.h"
#include "proxy/gateway.h"
#include "proxy/worker.h"

#define MINUTE_MS 60000u

/* Two of everything that a row is told apart by. */
struct fixture {
	void *kept;
	struct gateway_opts opts;
	struct plan plans[2];
	struct plan_view *view;
	struct route routes[2];
	struct service services[2];
	struct bytes known[2];
	struct provider provider;
	struct destination to[2];
	struct consumer consumers[2];
};

static const struct provider_type type = {.name = "openai"};

static void setup(struct fixture *f)
{
	*f = (struct fixture){.plans = {{.version = 1}, {.version = 2}},
		.routes = {{.name = BYTES("r0")}, {.name = BYTES("r1")}},
		.services = {{.name = BYTES("s0"), .port = 80}, {.name = BYTES("s1"), .port = 81}},
		.known = {BYTES("m0"), BYTES("m1")},
		.consumers = {{BYTES("c0")}, {BYTES("c1")}}};
	f->provider = (struct provider){
		.type = &type, .mapping = {.known = f->known, .n_known = ARRAY_LEN(f->known)}};
	for (unsigned i = 0; i < 2; i++) {
		f->to[i] =
			(struct destination){.service = &f->services[i], .provider = &f->provider};
	}
	f->view = must_alloc(sizeof(*f->view));
	f->view->plan = &f->plans[0];
	f->opts.limits.series_max = 100;
	f->kept = meter_observer.start(&f->opts);
}

static void done(struct fixture *f)
{
	meter_observer.stop(f->kept);
	free(f->view);
}

/* One request that was answered; which: of each pair the one to take, by bits. */
enum {
	ROUTE = 1,
	TO = 2,
	CONSUMER = 4,
	MODEL = 8,
	API = 16,
	NOBODY = 32,
	ODD_MODEL = 64,
	NO_MODEL = 128,
	MODEL_NONE = 256
};

static void ask(struct fixture *f, unsigned which)
{
	struct request rq = {.route = &f->routes[(which & ROUTE) != 0],
		.consumer = (which & NOBODY) != 0 ? NULL : &f->consumers[(which & CONSUMER) != 0],
		.api = (which & API) != 0 ? API_EMBEDDINGS : API_CHAT_COMPLETIONS};
	struct exchange x = {.rq = &rq, .view = f->view};

	rq.at.to = &f->to[(which & TO) != 0];
	rq.at.upstream_model = (which & ODD_MODEL) != 0 ? BYTES("odd")
		: (which & NO_MODEL) != 0               ? BYTES("")
		: (which & MODEL_NONE) != 0             ? BYTES("none")
							: f->known[(which & MODEL) != 0];
	x.rec.status = 200;
	meter_observer.chosen(f->kept, &x);
	meter_observer.finish(f->kept, &x);
}

/* How many requests are counted in rows of that route, or of all with "". */
static uint64_t count(const struct fixture *f, unsigned label, struct bytes text, unsigned *rows)
{
	uint64_t values[VALUE_COUNT];
	struct bytes labels[LABELS];
	struct meter_copy c;
	struct text out;
	size_t at = 0;
	uint64_t sum = 0;

	*rows = 0;
	text_init(&out, SIZE_MAX);
	while (meter_observer.copy(f->kept, &at, &out)) {}
	meter_read(&c, text_bytes(&out));
	while (meter_next(&c, labels, values)) {
		if (bytes_eq(labels[label], text)) {
			sum += values[VALUE_REQUESTS + 2];
			*rows += 1;
		}
	}
	text_done(&out);
	return sum;
}

static void rows_are_told_apart_however_often_they_are_asked_for(void **state)
{
	static const unsigned each[] = {0, ROUTE, TO, CONSUMER, MODEL, API, NOBODY, ODD_MODEL,
		NO_MODEL, NO_MODEL | MODEL_NONE, MODEL_NONE};
	struct fixture f;
	unsigned rows;

	(void)state;
	setup(&f);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_LEN(each); i++) {
			ask(&f, each[i]);
			ask(&f, each[i]);
			ask(&f, each[0]);
		}
	}
	/* r0 with: nothing else, another service, consumer, model, API, nobody, a model that no resource
	 * names (once it is called none), no model. */
	assert_int_equal(count(&f, LABEL_ROUTE, BYTES("r0"), &rows), 93);
	assert_int_equal(rows, 8);
	assert_int_equal(count(&f, LABEL_ROUTE, BYTES("r1"), &rows), 6);
	assert_int_equal(rows, 1);
	assert_int_equal(count(&f, LABEL_CLUSTER, BYTES("outbound|81||s1"), &rows), 6);
	assert_int_equal(count(&f, LABEL_CONSUMER, BYTES("c1"), &rows), 6);
	assert_int_equal(count(&f, LABEL_CONSUMER, LABEL_NONE, &rows), 6);
	assert_int_equal(count(&f, LABEL_MODEL, BYTES("m1"), &rows), 6);
	assert_int_equal(count(&f, LABEL_MODEL, LABEL_OTHER, &rows), 12);
	assert_int_equal(count(&f, LABEL_MODEL, LABEL_NONE, &rows), 12);
	assert_int_equal(count(&f, LABEL_OPERATION, BYTES("embeddings"), &rows), 6);
	done(&f);
}

/* Another plan may have another route at the same address. */
static void a_row_is_recalled_for_its_plan_only(void **state)
{
	struct fixture f;
	unsigned rows;

	(void)state;
	setup(&f);
	ask(&f, 0);
	f.view->plan = &f.plans[1];
	f.routes[0].name = BYTES("renamed");
	ask(&f, 0);
	assert_int_equal(count(&f, LABEL_ROUTE, BYTES("r0"), &rows), 1);
	assert_int_equal(count(&f, LABEL_ROUTE, BYTES("renamed"), &rows), 1);
	done(&f);
}

/* What stands for others is said to each time. */
static void an_overflow_is_counted_again(void **state)
{
	struct fixture f;
	struct meter_copy c;
	struct text out;
	size_t at = 0;

	(void)state;
	setup(&f);
	meter_observer.stop(f.kept);
	f.opts.limits.series_max = 4; /* three rows, and one for consumer "other" */
	f.kept = meter_observer.start(&f.opts);
	ask(&f, 0);
	ask(&f, ROUTE);
	ask(&f, MODEL);
	for (unsigned i = 0; i < 5; i++) {
		ask(&f, CONSUMER);
	}
	text_init(&out, SIZE_MAX);
	assert_false(meter_observer.copy(f.kept, &at, &out));
	meter_read(&c, text_bytes(&out));
	assert_int_equal(c.overflows, 5);
	text_done(&out);
	done(&f);
}

static void a_row_that_was_dropped_is_not_recalled(void **state)
{
	static const struct provider_types none = {0};
	struct world w;
	struct plan *nobody;
	struct fixture f;
	unsigned rows;

	(void)state;
	setup(&f);
	world_init(&w);
	nobody = world_plan(&w, &none); /* a plan without routes */
	ask(&f, 0);
	meter_observer.tidy(f.kept, nobody, 1);
	meter_observer.tidy(f.kept, nobody, 1 + 10 * MINUTE_MS);
	assert_int_equal(count(&f, LABEL_ROUTE, BYTES("r0"), &rows), 0);
	assert_int_equal(rows, 0);
	ask(&f, 0);
	assert_int_equal(count(&f, LABEL_ROUTE, BYTES("r0"), &rows), 1);
	plan_free(nobody);
	world_done(&w);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_told_apart_however_often_they_are_asked_for),
		cmocka_unit_test(a_row_is_recalled_for_its_plan_only),
		cmocka_unit_test(an_overflow_is_counted_again),
		cmocka_unit_test(a_row_that_was_dropped_is_not_recalled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
