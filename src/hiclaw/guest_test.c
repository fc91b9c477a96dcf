/* Providers of another Console that come here for a test: what they bring, and that they leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hiclaw/guest.h"
#include "wire/json.h"

#define NAME BYTES("sluice-test-1")
#define SOURCES                                                                              \
	"[{\"name\":\"one\",\"type\":\"dns\",\"domain\":\"old.test\",\"port\":443},"         \
	"{\"name\":\"one\",\"type\":\"dns\",\"domain\":\"a.test\",\"port\":443,\"version\":" \
	"\"7\"},{\"name\":\"reg\",\"type\":\"nacos\",\"domain\":\"n.test\",\"port\":8848}]"

static struct doc *read(struct arena *a, const char *text)
{
	struct json_value *v = json_parse(a, bytes_str(text), NULL);

	assert_non_null(v);
	return doc_of_json(a, v);
}

static const char *written(struct arena *a, const struct doc *d)
{
	struct json_writer w;
	struct text t;
	const char *p;

	text_init(&t, 1 << 16);
	json_writer_init(&w, &t);
	doc_put_json(a, &w, d);
	p = arena_copy(a, text_bytes(&t)).p;
	text_done(&t);
	return p;
}

/* --- what is brought --------------------------------------------------------------------------------------- */

static const struct {
	const char *provider, *source, *body, *why, *reason;
} rows[] = {
	{"{\"name\":\"q\",\"type\":\"qwen\",\"tokens\":[\"k1\",\"k2\"],\"version\":\"3\","
	 "\"proxyName\":\"p\",\"tokenFailoverConfig\":{\"enabled\":true}}",
		NULL, "{\"name\":\"sluice-test-1\",\"type\":\"qwen\",\"tokens\":[\"k1\",\"k2\"]}",
		NULL, "a vendor's own address: only what is the other gateway's is left away"},
	{"{\"name\":\"q\",\"type\":\"openai\",\"tokens\":[\"k\"],\"rawConfigs\":"
	 "{\"openaiCustomUrl\":\"https://a.test/v1\",\"openaiCustomServiceName\":\"one.dns\","
	 "\"openaiCustomServicePort\":443}}",
		"{\"name\":\"sluice-test-1\",\"type\":\"dns\",\"domain\":\"a.test\",\"port\":443}",
		"{\"name\":\"sluice-test-1\",\"type\":\"openai\",\"tokens\":[\"k\"],\"rawConfigs\":"
		"{\"openaiCustomUrl\":\"https://a.test/v1\","
		"\"openaiCustomServiceName\":\"sluice-test-1.dns\","
		"\"openaiCustomServicePort\":443}}",
		NULL, "its source comes along under the same name; of two the later one"},
	{"{\"name\":\"q\",\"type\":\"openai\",\"tokens\":[\"k\"],\"rawConfigs\":"
	 "{\"openaiCustomServiceName\":\"reg.nacos\",\"openaiCustomServicePort\":80}}",
		NULL, NULL, "the provider's service is known to the other gateway alone",
		"a registry that is asked there"},
	{"{\"name\":\"q\",\"type\":\"openai\",\"tokens\":[\"k\"],\"rawConfigs\":"
	 "{\"openaiCustomServiceName\":\"gone.dns\"}}",
		NULL, NULL, "the provider's service is known to the other gateway alone",
		"a reference to nothing"},
	{"{\"name\":\"q\",\"type\":\"qwen\",\"tokens\":[\"sk-******abc\"]}", NULL, NULL,
		"its Console does not show the provider's key", "a masked key is none"},
	{"{\"name\":\"q\",\"type\":\"bedrock\",\"tokens\":[],\"rawConfigs\":"
	 "{\"awsSecretKey\":\"******\"}}",
		NULL, NULL, "its Console does not show the provider's key",
		"a masked secret of another name"},
};

static void brings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ops_item items[GUEST_ITEMS];
		const char *why = NULL;
		struct arena a;
		size_t n;

		arena_init(&a, 1 << 20);
		n = guest_items(
			&a, read(&a, rows[i].provider), read(&a, SOURCES), NAME, items, &why);
		if (rows[i].why != NULL) {
			assert_int_equal(n, 0);
			assert_string_equal(why, rows[i].why);
		} else {
			assert_int_equal(n, rows[i].source != NULL ? 2 : 1);
			assert_int_equal(items[n - 1].noun, OPS_PROVIDER);
			assert_string_equal(written(&a, items[n - 1].body), rows[i].body);
		}
		if (rows[i].source != NULL) {
			assert_int_equal(items[0].noun, OPS_SOURCE);
			assert_string_equal(written(&a, items[0].body), rows[i].source);
		}
		arena_done(&a);
	}
}

/* --- how it comes and goes ----------------------------------------------------------------------------------- */

struct world {
	struct manage_ops home;
	struct loop *loop;
	struct guests *guests;
	struct arena arena;
	struct task task;
	struct ops_call *call; /* under way */
	unsigned status;       /* of the next change */
	struct text done;      /* what was changed: "+provider/x -source/y" */
	/* what who asked was told */
	unsigned told;
	char name[64], why[128];
};

static void on_answer(struct task *t)
{
	struct world *w = CONTAINER_OF(t, struct world, task);
	struct ops_call *c = w->call;

	w->call = NULL;
	c->on_done(c);
}

static void answer_soon(struct world *w, struct ops_call *c)
{
	assert_null(w->call);
	w->call = c;
	loop_again(w->loop, &w->task, on_answer);
}

static void home_read(struct manage_ops *o, struct ops_call *c)
{
	c->lists[OPS_PROVIDER] =
		read(c->arena, "[{\"name\":\"ours\"},{\"name\":\"sluice-test-9\"}]");
	c->lists[OPS_SOURCE] = read(c->arena, "[{\"name\":\"sluice-test-9\"}]");
	answer_soon(CONTAINER_OF(o, struct world, home), c);
}

static void home_change(struct manage_ops *o, struct ops_call *c)
{
	struct world *w = CONTAINER_OF(o, struct world, home);

	c->status = w->status;
	if (c->status != 0) {
		text_init(&c->why, 64);
		text_add_str(&c->why, "the disk is full");
	}
	for (size_t i = 0; c->status == 0 && i < c->n_items; i++) {
		text_addf(&w->done, "%c%s/" BYTES_FMT " ",
			c->items[i].verb == OPS_REMOVE ? '-' : '+',
			c->items[i].noun == OPS_PROVIDER ? "provider" : "source",
			BYTES_ARG(c->items[i].name));
	}
	answer_soon(w, c);
}

static void on_there(void *arg, struct bytes name, struct bytes why)
{
	struct world *w = arg;

	w->told++;
	snprintf(w->name, sizeof(w->name), BYTES_FMT, BYTES_ARG(name));
	snprintf(w->why, sizeof(w->why), BYTES_FMT, BYTES_ARG(why));
}

static void turn(struct world *w)
{
	for (unsigned i = 0; i < 10; i++) {
		loop_turn(w->loop, 0);
	}
}

static struct guest *invite(struct world *w, const char *provider)
{
	return guest_invite(
		w->guests, read(&w->arena, provider), read(&w->arena, SOURCES), on_there, w);
}

static void begin(struct world *w)
{
	*w = (struct world){.home = {home_read, home_change}, .loop = loop_new()};
	arena_init(&w->arena, 1 << 20);
	text_init(&w->done, 4096);
	w->guests = guests_new(&w->home, w->loop);
}

static void end(struct world *w)
{
	guests_stop(w->guests);
	guests_free(w->guests);
	loop_free(w->loop);
	text_done(&w->done);
	arena_done(&w->arena);
}

static const char *done(struct world *w)
{
	static char room[512];

	snprintf(room, sizeof(room), "%s", text_cstr(&w->done));
	text_clear(&w->done);
	return room;
}

#define PLAIN "{\"name\":\"q\",\"type\":\"qwen\",\"tokens\":[\"k\"]}"

static void comes_and_goes(void **state)
{
	struct guest *g;
	struct world w;

	(void)state;
	begin(&w);
	g = invite(&w, PLAIN);
	assert_int_equal(w.told, 0);
	turn(&w);
	assert_int_equal(w.told, 1);
	assert_string_equal(w.name, "sluice-test-1");
	/* What a process before left goes with the first one, and nobody else. */
	assert_string_equal(
		done(&w), "-provider/sluice-test-9 -source/sluice-test-9 +provider/sluice-test-1 ");
	guest_leave(g);
	turn(&w);
	assert_string_equal(done(&w), "-provider/sluice-test-1 ");
	g = invite(&w, PLAIN);
	turn(&w);
	assert_string_equal(done(&w), "+provider/sluice-test-2 ");
	guest_leave(g);
	guest_leave(NULL);
	turn(&w);
	end(&w);
}

static void leaves_before_it_came(void **state)
{
	struct guest *g;
	struct world w;

	(void)state;
	begin(&w);
	g = invite(&w, PLAIN);
	guest_leave(g);
	turn(&w);
	assert_int_equal(w.told, 0);
	assert_string_equal(done(&w),
		"-provider/sluice-test-9 -source/sluice-test-9 +provider/sluice-test-1 "
		"-provider/sluice-test-1 ");
	end(&w);
}

static void cannot_come(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	invite(&w, "{\"name\":\"q\",\"type\":\"qwen\",\"tokens\":[\"******\"]}");
	assert_int_equal(w.told, 0);
	turn(&w);
	assert_string_equal(w.name, "");
	assert_string_equal(w.why, "its Console does not show the provider's key");
	w.status = 500;
	invite(&w, PLAIN);
	turn(&w);
	assert_int_equal(w.told, 2);
	assert_string_equal(w.why, "the disk is full");
	assert_string_equal(done(&w), "");
	end(&w);
}

/* What cannot be removed is looked for again with the next one. */
static void stays(void **state)
{
	struct guest *g;
	struct world w;

	(void)state;
	begin(&w);
	g = invite(&w, PLAIN);
	turn(&w);
	w.status = 500;
	guest_leave(g);
	turn(&w);
	w.status = 0;
	done(&w);
	g = invite(&w, PLAIN);
	turn(&w);
	assert_string_equal(
		done(&w), "-provider/sluice-test-9 -source/sluice-test-9 +provider/sluice-test-2 ");
	guests_stop(w.guests);
	guest_leave(g); /* the process ends: nothing is asked any more */
	turn(&w);
	assert_string_equal(done(&w), "");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brings),
		cmocka_unit_test(comes_and_goes),
		cmocka_unit_test(leaves_before_it_came),
		cmocka_unit_test(cannot_come),
		cmocka_unit_test(stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
