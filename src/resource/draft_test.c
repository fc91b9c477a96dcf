/*
 * Drafts: what is looked at, opened, made, replaced and removed, and what is left of it at the end.
 */
#include "resource/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define ARENA_MAX ((size_t)1 << 28)
#define NOW 1767225600 /* 2026-01-01T00:00:00Z */

struct fixture {
	struct arena arena;
	struct snapshot *base;
	struct draft draft;
};

static void put(struct fixture *f, enum resource_kind kind, const char *file, const char *text)
{
	struct findings why;
	struct object *o;

	findings_init(&why, &f->arena);
	o = object_read(kind, bytes_str(file), bytes_str(text), &why);
	assert_non_null(o);
	snapshot_put(f->base, o);
}

static void start(struct fixture *f)
{
	arena_init(&f->arena, ARENA_MAX);
	f->base = snapshot_new();
	put(f, RESOURCE_CONFIGMAP, "configmaps/a.yaml",
		"apiVersion: v1\ndata: {k: v}\nkind: ConfigMap\nmetadata:\n"
		"  creationTimestamp: \"2025-01-01T00:00:00Z\"\n  labels: {l: x}\n"
		"  annotations: {n: x}\n  finalizers: [f]\n  name: a\n  resourceVersion: \"41\"\n");
	put(f, RESOURCE_CONFIGMAP, "configmaps/b.yaml", "apiVersion: v1\nkind: ConfigMap\n");
	put(f, RESOURCE_CONFIGMAP, "configmaps/c.yaml",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {resourceVersion: \"x\"}\n");
	draft_init(&f->draft, f->base, &f->arena);
}

static void done(struct fixture *f)
{
	snapshot_unref(f->base);
	arena_done(&f->arena);
}

static void assert_text(struct fixture *f, const struct doc *root, const char *path, const char *is)
{
	struct bytes text = doc_text(doc_at(&f->arena, root, path), BYTES("(none)"));

	assert_true(bytes_eq(text, bytes_str(is)));
}

static struct doc *open_a(struct fixture *f)
{
	return draft_open(&f->draft, RESOURCE_CONFIGMAP, BYTES("a"));
}

static void test_update(void **state)
{
	struct fixture f;
	struct doc *a;

	(void)state;
	start(&f);
	assert_null(draft_open(&f.draft, RESOURCE_INGRESS, BYTES("a")));
	assert_null(draft_look(&f.draft, RESOURCE_CONFIGMAP, BYTES("z")));
	assert_non_null(draft_look(&f.draft, RESOURCE_CONFIGMAP, BYTES("c")));
	a = draft_open(&f.draft, RESOURCE_CONFIGMAP, BYTES("b"));
	doc_set(&f.arena, doc_need_map(&f.arena, a, "data"), "k", doc_str(&f.arena, "v"));
	a = open_a(&f);
	assert_ptr_equal(draft_look(&f.draft, RESOURCE_CONFIGMAP, BYTES("a")), a);
	assert_ptr_equal(draft_need(&f.draft, RESOURCE_CONFIGMAP, BYTES("a")), a);
	doc_set(&f.arena, doc_get(&f.arena, a, "data"), "k", doc_str(&f.arena, "w"));
	doc_drop(&f.arena, doc_get(&f.arena, a, "metadata"), "creationTimestamp");
	doc_set(&f.arena, draft_open(&f.draft, RESOURCE_CONFIGMAP, BYTES("c")), "x",
		doc_null(&f.arena));

	assert_int_equal(draft_finish(&f.draft, NOW, false), 0);
	assert_int_equal(f.draft.n, 3);
	assert_true(bytes_eq(f.draft.first->name, BYTES("b"))); /* c was only looked at before */
	assert_true(bytes_eq(f.draft.first->next->name, BYTES("a")));
	assert_true(bytes_eq(f.draft.last->name, BYTES("c")));
	assert_int_equal(f.draft.first->what, CHANGE_UPDATE);
	assert_text(&f, f.draft.first->root, "metadata.resourceVersion", "1");
	assert_text(&f, f.draft.first->root, "metadata.creationTimestamp", "(none)");
	assert_text(&f, a, "metadata.resourceVersion", "42");
	assert_text(&f, a, "metadata.creationTimestamp", "2025-01-01T00:00:00Z");
	assert_text(&f, a, "data.k", "w");
	assert_text(&f, f.draft.last->root, "metadata.resourceVersion", "1");
	assert_true(bytes_eq(draft_version(&f.draft, RESOURCE_CONFIGMAP, BYTES("a")), BYTES("41")));
	assert_true(bytes_eq(draft_version(&f.draft, RESOURCE_CONFIGMAP, BYTES("z")), BYTES("")));
	done(&f);
}

/* A change that was taken back is none, unless writing again is asked for. */
static void test_nothing_changed(void **state)
{
	(void)state;
	for (int again = 0; again < 2; again++) {
		struct fixture f;
		struct doc *data;

		start(&f);
		data = doc_get(&f.arena, open_a(&f), "data");
		doc_set(&f.arena, data, "k", doc_str(&f.arena, "w"));
		doc_set(&f.arena, data, "k", doc_str(&f.arena, "v"));
		assert_int_equal(draft_finish(&f.draft, NOW, again != 0), 0);
		assert_int_equal(f.draft.n, again);
		assert_true((f.draft.first != NULL) == (again != 0));
		if (again != 0) {
			assert_text(&f, f.draft.first->root, "metadata.resourceVersion", "42");
		}
		done(&f);
	}
}

static void test_create_and_remove(void **state)
{
	struct fixture f;
	struct doc *made, *gone;

	(void)state;
	start(&f);
	made = draft_need(&f.draft, RESOURCE_WASMPLUGIN, BYTES("p.internal"));
	assert_text(&f, made, "apiVersion", "extensions.higress.io/v1alpha1");
	assert_text(&f, made, "kind", "WasmPlugin");
	assert_text(&f, made, "metadata.name", "p.internal");
	assert_text(&f, made, "metadata.namespace", "higress-system");
	gone = draft_need(&f.draft, RESOURCE_INGRESS, BYTES("i"));
	assert_text(&f, gone, "apiVersion", "networking.k8s.io/v1");
	assert_true(draft_remove(&f.draft, RESOURCE_INGRESS, BYTES("i")));
	assert_true(draft_remove(&f.draft, RESOURCE_CONFIGMAP, BYTES("a")));
	assert_false(draft_remove(&f.draft, RESOURCE_CONFIGMAP, BYTES("a")));
	assert_false(draft_remove(&f.draft, RESOURCE_CONFIGMAP, BYTES("z")));
	assert_null(open_a(&f));

	assert_int_equal(draft_finish(&f.draft, NOW, false), 0);
	assert_int_equal(f.draft.n, 2);
	assert_int_equal(f.draft.first->what, CHANGE_CREATE);
	assert_text(&f, made, "metadata.resourceVersion", "1");
	assert_text(&f, made, "metadata.creationTimestamp", "2026-01-01T00:00:00Z");
	assert_int_equal(f.draft.last->what, CHANGE_REMOVE);
	assert_non_null(f.draft.last->before);
	assert_null(f.draft.last->root);
	done(&f);
}

static void test_replace(void **state)
{
	struct fixture f;
	struct doc *root, *meta;

	(void)state;
	start(&f);
	root = doc_map(&f.arena);
	meta = doc_need_map(&f.arena, root, "metadata");
	doc_set(&f.arena, meta, "name", doc_str(&f.arena, "another"));
	doc_set(&f.arena, doc_need_map(&f.arena, meta, "labels"), "m", doc_str(&f.arena, "y"));
	draft_replace(&f.draft, RESOURCE_CONFIGMAP, BYTES("a"), root);
	draft_replace(&f.draft, RESOURCE_CONFIGMAP, BYTES("new"), doc_map(&f.arena));
	assert_int_equal(draft_finish(&f.draft, NOW, false), 0);
	assert_int_equal(f.draft.n, 2);
	assert_ptr_equal(f.draft.first->root, root);
	assert_text(&f, root, "apiVersion", "v1");
	assert_text(&f, root, "metadata.name", "a");
	assert_text(&f, root, "metadata.creationTimestamp", "2025-01-01T00:00:00Z");
	assert_text(&f, root, "metadata.resourceVersion", "42");
	assert_text(&f, root, "metadata.labels.m", "y");
	assert_null(doc_at(&f.arena, root, "metadata.labels.l"));
	assert_null(doc_at(&f.arena, root, "metadata.annotations"));
	assert_non_null(doc_at(&f.arena, root, "metadata.finalizers"));
	assert_null(doc_at(&f.arena, root, "data"));
	assert_int_equal(f.draft.last->what, CHANGE_CREATE);
	assert_text(&f, f.draft.last->root, "kind", "ConfigMap");
	assert_text(&f, f.draft.last->root, "metadata.name", "new");
	done(&f);
}

static void assert_walk(struct fixture *f, const char *names)
{
	struct draft_walk w = {0};
	struct bytes name;
	const struct doc *root;
	struct text seen;

	text_init(&seen, 1000);
	while (draft_next(&f->draft, &w, RESOURCE_CONFIGMAP, &name, &root)) {
		assert_non_null(root);
		text_add_bytes(&seen, name);
		/* Opening while walking neither skips nor repeats one. */
		assert_non_null(draft_open(&f->draft, RESOURCE_CONFIGMAP, name));
	}
	assert_string_equal(text_cstr(&seen), names);
	text_done(&seen);
}

static void test_walk(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	IGNORE(draft_need(&f.draft, RESOURCE_CONFIGMAP, BYTES("z")));
	IGNORE(draft_need(&f.draft, RESOURCE_INGRESS, BYTES("i")));
	IGNORE(draft_need(&f.draft, RESOURCE_CONFIGMAP, BYTES("0")));
	assert_walk(&f, "abcz0");
	assert_walk(&f, "abcz0");
	IGNORE(draft_remove(&f.draft, RESOURCE_CONFIGMAP, BYTES("b")));
	IGNORE(draft_remove(&f.draft, RESOURCE_CONFIGMAP, BYTES("z")));
	assert_walk(&f, "ac0");
	IGNORE(draft_need(&f.draft, RESOURCE_CONFIGMAP, BYTES("b")));
	assert_walk(&f, "abc0");
	done(&f);
}

static void test_full_arena(void **state)
{
	struct arena small;
	struct draft d;

	(void)state;
	arena_init(&small, 300);
	draft_init(&d, NULL, &small);
	IGNORE(draft_need(&d, RESOURCE_INGRESS, BYTES("i")));
	assert_int_equal(draft_finish(&d, NOW, false), ERR_LIMIT);
	arena_done(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_nothing_changed),
		cmocka_unit_test(test_create_and_remove),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_full_arena),
	};

	return cmocka_run_group_tests_name("draft", tests, NULL, NULL);
}
