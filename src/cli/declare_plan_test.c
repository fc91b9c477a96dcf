#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/declare_plan.h"

#define OBJECTS_MAX 3u

/* Members of a ConfigMap beside kind and apiVersion; NULL ends. */
static const struct {
	const char *reason;
	const char *files[OBJECTS_MAX], *gateway[OBJECTS_MAX];
	bool prune;
	const char *want;
} rows[] = {
	{"nothing to nothing", {NULL}, {NULL}, false, ""},
	{"the same is left alone", {"metadata: {name: a}\ndata: {x: v}"},
		{"metadata: {name: a}\ndata: {x: v}"}, false, "a same\n"},
	{"what only a store says is no difference",
		{"metadata: {name: a, namespace: higress-system}\ndata: {x: v}"},
		{"data: {x: v}\nmetadata: {name: a, namespace: higress-system, resourceVersion: \"7\", "
		 "creationTimestamp: \"2026-01-01T00:00:00Z\", uid: u}"},
		false, "a same\n"},
	{"a label is one", {"metadata: {name: a, labels: {l: m}}"}, {"metadata: {name: a}"}, false,
		"a change\n"},
	{"what is new, what is other, what is alike",
		{"metadata: {name: a}", "metadata: {name: b}\ndata: {x: v}", "metadata: {name: c}"},
		{"metadata: {name: b}", "metadata: {name: c}"}, false,
		"a create\nb change\nc same\n"},
	{"what the files lack stays", {"metadata: {name: a}"},
		{"metadata: {name: a}", "metadata: {name: b}"}, false, "a same\n"},
	{"unless somebody asks for it", {"metadata: {name: a}"},
		{"metadata: {name: a}", "metadata: {name: b}"}, true, "a same\nb remove\n"},
};

static struct snapshot *snapshot_of(struct arena *a, const char *const *objects)
{
	struct snapshot *s = snapshot_new();

	for (size_t i = 0; i < OBJECTS_MAX && objects[i] != NULL; i++) {
		char name[32], text[512];
		struct findings why;
		struct object *o;
		const char *n = strstr(objects[i], "name: ") + 6;

		findings_init(&why, a);
		snprintf(name, sizeof(name), "configmaps/%.1s.yaml", n);
		snprintf(text, sizeof(text), "apiVersion: v1\nkind: ConfigMap\n%s\n", objects[i]);
		o = object_read(RESOURCE_CONFIGMAP, arena_copy(a, bytes_str(name)),
			arena_copy(a, bytes_str(text)), &why);
		assert_non_null(o);
		snapshot_put(s, o);
	}
	return s;
}

static struct doc *list_of(struct arena *a, const char *const *objects)
{
	struct doc *list = doc_list(a);

	for (size_t i = 0; i < OBJECTS_MAX && objects[i] != NULL; i++) {
		struct doc *d = doc_map(a);
		char text[512];

		snprintf(text, sizeof(text), "apiVersion: v1\nkind: ConfigMap\n%s\n", objects[i]);
		doc_set(a, d, "kind", doc_str(a, "ConfigMap"));
		doc_set(a, d, "name", doc_string(a, bytes_of(strstr(objects[i], "name: ") + 6, 1)));
		doc_set(a, d, "text", doc_string_copy(a, bytes_str(text)));
		doc_append(a, list, d);
	}
	return list;
}

static void test_rows(void **state)
{
	static const char *const whats[] = {"same", "create", "change", "remove"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct declare_plan p;
		struct snapshot *s;
		struct arena a;
		struct fault f;
		struct text got;

		arena_init(&a, SIZE_MAX);
		s = snapshot_of(&a, rows[i].files);
		assert_int_equal(declare_plan_make(&p, &a, s, list_of(&a, rows[i].gateway),
					 rows[i].prune, &f),
			0);
		text_init(&got, 4096);
		for (size_t k = 0; k < p.n; k++) {
			text_addf(&got, BYTES_FMT " %s\n", BYTES_ARG(p.v[k].name),
				whats[p.v[k].what]);
		}
		if (strcmp(text_cstr(&got), rows[i].want) != 0) {
			print_error("%s:\n%s", rows[i].reason, text_cstr(&got));
		}
		assert_string_equal(text_cstr(&got), rows[i].want);
		text_done(&got);
		declare_plan_done(&p);
		snapshot_unref(s);
		arena_done(&a);
	}
}

static void test_broken(void **state)
{
	struct declare_plan p;
	struct snapshot *s = snapshot_new();
	struct arena a;
	struct fault f;

	(void)state;
	arena_init(&a, SIZE_MAX);
	assert_int_equal(
		declare_plan_make(&p, &a, s,
			list_of(&a, (const char *const[OBJECTS_MAX]){"metadata: {name: a}\nx: ["}),
			false, &f),
		ERR_SYNTAX);
	assert_non_null(strstr(f.text, "ConfigMap/a"));
	declare_plan_done(&p);
	snapshot_unref(s);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_broken)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
