/* Providers of another Console that come here for a test: what they bring, and that they leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hiclaw/guest.h"
#include "resource/draft_apply.h"
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
		struct overlay_object items[GUEST_OBJECTS];
		const char *why = NULL;
		struct arena a;
		size_t n;

		arena_init(&a, 1 << 20);
		n = guest_objects(
			&a, read(&a, rows[i].provider), read(&a, SOURCES), NAME, items, &why);
		if (rows[i].why != NULL) {
			assert_int_equal(n, 0);
			assert_string_equal(why, rows[i].why);
		} else {
			assert_int_equal(n, rows[i].source != NULL ? 2 : 1);
			assert_ptr_equal(items[n - 1].noun, &op_provider);
			assert_string_equal(written(&a, items[n - 1].body), rows[i].body);
		}
		if (rows[i].source != NULL) {
			assert_ptr_equal(items[0].noun, &op_source);
			assert_string_equal(written(&a, items[0].body), rows[i].source);
		}
		arena_done(&a);
	}
}

/* --- how it comes and goes ----------------------------------------------------------------------------------- */

struct world {
	struct writer home;
	struct overlay *overlay;
	struct snapshot *live; /* one provider of ours */
	struct loop *loop;
	struct guests *guests;
	struct arena arena;
	struct task task;
	struct write *write; /* under way */
	bool full, refuses;  /* the queue; the trial */
	struct text done;    /* what was compiled: "ours one.dns, " */
	/* what who asked was told */
	unsigned told;
	char name[64], why[128];
};

static void say_names(struct world *w, struct op *op, const struct op_noun *noun)
{
	struct strings names = noun->list(op);

	for (size_t i = 0; i < names.n; i++) {
		if (!bytes_ends(names.v[i], BYTES(".internal"))) { /* a vendor's own address */
			text_addf(&w->done, "%s/" BYTES_FMT " ", noun->noun, BYTES_ARG(names.v[i]));
		}
	}
}

static void *trial(void *arg, struct snapshot *s, struct text *why)
{
	struct world *w = arg;
	struct snapshot *all = overlay_apply(w->overlay, s);
	struct arena a;
	struct op op;

	arena_init(&a, (size_t)16 << 20);
	op_init(&op, all, &a);
	say_names(w, &op, &op_provider);
	say_names(w, &op, &op_source);
	text_add_str(&w->done, "| ");
	op_done(&op);
	arena_done(&a);
	snapshot_unref(all);
	if (w->refuses) {
		text_add_str(why, "no good plan");
		return NULL;
	}
	return w;
}

static void on_turn(struct task *t)
{
	struct world *w = CONTAINER_OF(t, struct world, task);
	struct write *write = w->write;
	struct commit c = {.trial = trial, .trial_arg = w};

	w->write = NULL;
	write->begin(write);
	write->work(write, &c);
	assert_true(c.plan == NULL || c.snapshot == w->live);
	commit_done(&c);
	write->on_done(write);
}

static bool home_submit(void *arg, struct write *write)
{
	struct world *w = arg;

	if (w->full) {
		return false;
	}
	assert_null(w->write);
	w->write = write;
	loop_again(w->loop, &w->task, on_turn);
	return true;
}

static struct snapshot *home_snapshot(void *arg)
{
	return snapshot_ref(((struct world *)arg)->live);
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

#define PLAIN "{\"name\":\"q\",\"type\":\"qwen\",\"tokens\":[\"k\"]}"
#define OF_SOURCE                                                                             \
	"{\"name\":\"q\",\"type\":\"openai\",\"tokens\":[\"k\"],\"rawConfigs\":"              \
	"{\"openaiCustomUrl\":\"https://a.test/v1\",\"openaiCustomServiceName\":\"one.dns\"," \
	"\"openaiCustomServicePort\":443}}"

/* A provider that is called as it is said. */
static struct snapshot *snapshot_of(struct arena *a, const char *name)
{
	struct snapshot *nothing = snapshot_new(), *s;
	struct doc *body = read(a, PLAIN);
	struct findings why;
	struct op op;

	op_init(&op, nothing, a);
	doc_set(a, body, "name", doc_str(a, name));
	assert_int_equal(op_provider.save(&op, OP_CREATE, bytes_str(name), body), OP_OK);
	assert_int_equal(draft_finish(&op.draft, 0, false), 0);
	findings_init(&why, a);
	assert_int_equal(draft_apply(&op.draft, a, &why, &s), 0);
	op_done(&op);
	snapshot_unref(nothing);
	return s;
}

static void begin(struct world *w)
{
	*w = (struct world){.loop = loop_new(), .overlay = overlay_new()};
	w->home = (struct writer){
		.submit = home_submit, .snapshot = home_snapshot, .arg = w, .overlay = w->overlay};
	arena_init(&w->arena, 16 << 20);
	text_init(&w->done, 4096);
	w->live = snapshot_of(&w->arena, "ours");
	w->guests = guests_new(&w->home, w->loop);
}

static void end(struct world *w)
{
	guests_stop(w->guests);
	guests_free(w->guests);
	overlay_free(w->overlay);
	snapshot_unref(w->live);
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

static void comes_and_goes(void **state)
{
	struct guest *g, *h;
	struct world w;

	(void)state;
	begin(&w);
	g = invite(&w, PLAIN);
	assert_int_equal(w.told, 0);
	turn(&w);
	assert_int_equal(w.told, 1);
	assert_string_equal(w.name, "sluice-test-1");
	assert_string_equal(done(&w), "provider/ours provider/sluice-test-1 | ");
	h = invite(&w, OF_SOURCE);
	turn(&w);
	assert_string_equal(w.name, "sluice-test-2");
	assert_string_equal(done(&w),
		"provider/ours provider/sluice-test-1 provider/sluice-test-2 "
		"source/sluice-test-2 | ");
	guest_leave(g);
	turn(&w);
	assert_string_equal(
		done(&w), "provider/ours provider/sluice-test-2 source/sluice-test-2 | ");
	guest_leave(h);
	guest_leave(NULL);
	turn(&w);
	assert_string_equal(done(&w), "provider/ours | ");
	assert_int_equal(w.told, 2);
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
	assert_string_equal(done(&w), "provider/ours provider/sluice-test-1 | provider/ours | ");
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
	/* An address of a cloud's credentials is asked for nobody, whoever's Console names it. */
	invite(&w,
		"{\"name\":\"q\",\"type\":\"openai\",\"tokens\":[\"k\"],\"rawConfigs\":"
		"{\"openaiCustomUrl\":\"http://169.254.169.254/v1\"}}");
	turn(&w);
	assert_int_equal(w.told, 2);
	assert_string_equal(w.name, "");
	assert_non_null(strstr(w.why, "169.254.169.254"));
	assert_string_equal(done(&w), "");
	w.full = true;
	invite(&w, PLAIN);
	turn(&w);
	assert_string_equal(w.why, "too many changes wait for their turn; try again");
	w.full = false;
	w.refuses = true;
	invite(&w, PLAIN);
	turn(&w);
	assert_string_equal(w.why, "no good plan");
	/* Nothing of those that were refused is left. */
	w.refuses = false;
	done(&w);
	invite(&w, PLAIN);
	turn(&w);
	assert_string_equal(done(&w), "provider/ours provider/sluice-test-5 | ");
	end(&w);
}

/* Ours that is called so stays what it is. */
static void takes_no_name(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	snapshot_unref(w.live);
	w.live = snapshot_of(&w.arena, "sluice-test-1");
	invite(&w, PLAIN);
	turn(&w);
	assert_string_equal(w.why, "provider 'sluice-test-1' already exists");
	end(&w);
}

/* The queue is full: it goes when there is room. */
static void goes_later(void **state)
{
	struct guest *g;
	struct world w;

	(void)state;
	begin(&w);
	g = invite(&w, PLAIN);
	turn(&w);
	done(&w);
	w.full = true;
	guest_leave(g);
	turn(&w);
	assert_string_equal(done(&w), "");
	w.full = false;
	for (unsigned i = 0; i < 3000 && text_bytes(&w.done).n == 0; i++) {
		loop_turn(w.loop, 10);
	}
	assert_string_equal(done(&w), "provider/ours | ");
	invite(&w, PLAIN);
	turn(&w);
	guests_stop(w.guests); /* the process ends: nothing is asked any more */
	done(&w);
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
		cmocka_unit_test(takes_no_name),
		cmocka_unit_test(goes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
