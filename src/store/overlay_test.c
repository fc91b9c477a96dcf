/* Objects that are served beside the files: on every version of these, and never instead of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "resource/draft_apply.h"
#include "store/overlay.h"
#include "wire/json.h"

#define BODY "{\"name\":\"-\",\"type\":\"qwen\",\"tokens\":[\"key\"]}"

struct bench {
	struct arena arena;
	struct overlay *overlay;
	struct snapshot *files;
};

static struct doc *body(struct arena *a, const char *text)
{
	return doc_of_json(a, json_parse(a, bytes_str(text), NULL));
}

/* The files with one provider more. */
static void add_file(struct bench *b, const char *name)
{
	struct snapshot *before = b->files;
	struct findings why;
	struct op op;

	op_init(&op, before, &b->arena);
	assert_int_equal(
		op_provider.save(&op, OP_CREATE, bytes_str(name), body(&b->arena, BODY)), OP_OK);
	assert_int_equal(draft_finish(&op.draft, 0, false), 0);
	findings_init(&why, &b->arena);
	assert_int_equal(draft_apply(&op.draft, &b->arena, &why, &b->files), 0);
	op_done(&op);
	snapshot_unref(before);
}

static void begin(struct bench *b)
{
	arena_init(&b->arena, 64 << 20);
	b->overlay = overlay_new();
	b->files = snapshot_new();
	add_file(b, "ours");
}

static void end(struct bench *b)
{
	overlay_free(b->overlay);
	snapshot_unref(b->files);
	arena_done(&b->arena);
}

static enum op_rc put(struct bench *b, const char *name, const char *text)
{
	struct overlay_object v = {&op_provider, body(&b->arena, text)};
	enum op_rc rc;
	struct op op;

	op_init(&op, b->files, &b->arena);
	rc = overlay_put(b->overlay, &op, bytes_str(name), &v, 1);
	op_done(&op);
	return rc;
}

/* Names of the providers that are compiled: "guest ours " */
static const char *served(struct bench *b)
{
	struct snapshot *s = overlay_apply(b->overlay, b->files);
	struct strings names;
	struct text t;
	const char *out;
	struct op op;

	op_init(&op, s, &b->arena);
	names = op_provider.list(&op);
	text_init(&t, 4096);
	for (size_t i = 0; i < names.n; i++) {
		text_addf(&t, BYTES_FMT " ", BYTES_ARG(names.v[i]));
	}
	out = arena_copy(&b->arena, text_bytes(&t)).p;
	text_done(&t);
	op_done(&op);
	snapshot_unref(s);
	return out;
}

static void on_every_version(void **state)
{
	struct snapshot *s;
	struct bench b;

	(void)state;
	begin(&b);
	s = overlay_apply(b.overlay, b.files);
	assert_ptr_equal(s, b.files); /* nothing: the files themselves */
	snapshot_unref(s);
	s = overlay_apply(NULL, b.files);
	assert_ptr_equal(s, b.files);
	snapshot_unref(s);
	assert_int_equal(put(&b, "guest", BODY), OP_OK);
	assert_string_equal(served(&b), "guest ours ");
	add_file(&b, "later");
	assert_string_equal(served(&b), "guest later ours ");
	overlay_drop(b.overlay, BYTES("nobody"));
	overlay_drop(b.overlay, BYTES("guest"));
	assert_string_equal(served(&b), "later ours ");
	end(&b);
}

static void never_instead(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(put(&b, "ours", BODY), OP_EXISTS);
	assert_int_equal(put(&b, "odd", "{\"type\":\"nobody-has-this\"}"), OP_INVALID);
	assert_string_equal(served(&b), "ours ");
	assert_int_equal(put(&b, "guest", BODY), OP_OK);
	assert_int_equal(put(&b, "other", BODY), OP_OK);
	/* A file takes the name meanwhile: it is the one that is served, and others stay. */
	add_file(&b, "guest");
	assert_string_equal(served(&b), "guest other ours ");
	overlay_drop(b.overlay, BYTES("guest"));
	assert_string_equal(served(&b), "guest other ours ");
	end(&b);
}

/* What is made twice of the same must not look like a change. */
static void is_the_same_twice(void **state)
{
	struct snapshot *s[2];
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(put(&b, "guest", BODY), OP_OK);
	for (size_t i = 0; i < 2; i++) {
		s[i] = overlay_apply(b.overlay, b.files);
	}
	assert_int_equal(s[0]->n, s[1]->n);
	for (size_t i = 0; i < s[0]->n; i++) {
		assert_memory_equal(s[0]->objects[i]->hash, s[1]->objects[i]->hash,
			sizeof(s[0]->objects[i]->hash));
	}
	snapshot_unref(s[0]);
	snapshot_unref(s[1]);
	end(&b);
}

static void has_an_end(void **state)
{
	struct bench b;
	char name[32];

	(void)state;
	begin(&b);
	for (unsigned i = 0; i < OVERLAY_MAX; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		assert_int_equal(put(&b, name, BODY), OP_OK);
	}
	assert_int_equal(put(&b, "more", BODY), OP_LIMIT);
	overlay_drop(b.overlay, BYTES("g7"));
	assert_int_equal(put(&b, "more", BODY), OP_OK);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_every_version),
		cmocka_unit_test(never_instead),
		cmocka_unit_test(is_the_same_twice),
		cmocka_unit_test(has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
