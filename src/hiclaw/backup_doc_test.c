#include "hiclaw/backup_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct doc *read_doc(struct arena *a, const char *json)
{
	return doc_of_json(a, json_parse(a, bytes_str(json), NULL));
}

static void put(struct arena *a, struct text *t, const struct doc *d)
{
	struct json_writer w;

	json_writer_init(&w, t);
	doc_put_json(a, &w, d);
}

/* Items as "save provider p {...}; remove consumer c; ". */
static void put_items(struct arena *a, struct text *t, const struct backup_doc_change *c)
{
	for (size_t i = 0; i < c->n_items; i++) {
		const struct ops_item *item = &c->items[i];

		text_addf(t, "%s %s " BYTES_FMT, item->verb == OPS_REMOVE ? "remove" : "save",
			backup_doc_section(item->noun), BYTES_ARG(item->name));
		if (item->body != NULL) {
			text_add_char(t, ' ');
			put(a, t, item->body);
		}
		text_add_str(t, "; ");
	}
}

static const struct row {
	const char *sections, *now; /* of both: {"providers": [...], ...} */
	enum backup_doc_mode mode;
	unsigned wanted; /* 0: all */
	const char *items, *reason;
} rows[] = {
	{"{\"providers\":[{\"name\":\"p\",\"type\":\"x\"}]}", "{}", BACKUP_DOC_REPLACE, 0,
		"save providers p {\"name\":\"p\",\"type\":\"x\"}; ", "what is not there is made"},
	{"{\"providers\":[{\"name\":\"p\",\"version\":\"3\"}]}",
		"{\"providers\":[{\"version\":\"7\",\"name\":\"p\"}]}", BACKUP_DOC_REPLACE, 0, "",
		"versions count changes, they are none"},
	{"{\"providers\":[]}", "{\"providers\":[{\"name\":\"p\"}]}", BACKUP_DOC_REPLACE, 0,
		"remove providers p; ", "what came since goes"},
	{"{\"providers\":[]}", "{\"providers\":[{\"name\":\"p\"}]}", BACKUP_DOC_MERGE, 0, "",
		"but not when it is merged"},
	{"{}", "{\"providers\":[{\"name\":\"p\"}]}", BACKUP_DOC_REPLACE, 0, "",
		"a section that is not there says nothing"},
	{"{\"consumers\":[]}", "{\"consumers\":[{\"name\":\"manager\"},{\"name\":\"c\"}]}",
		BACKUP_DOC_REPLACE, 0, "remove consumers c; ", "the Manager's consumer never goes"},
	{"{\"providers\":[{\"name\":\"p\"}],\"aiRoutes\":[{\"name\":\"r\"}]}",
		"{\"providers\":[{\"name\":\"old\"}],\"aiRoutes\":[{\"name\":\"old-r\"}]}",
		BACKUP_DOC_REPLACE, 0,
		"save providers p {\"name\":\"p\"}; save aiRoutes r {\"name\":\"r\"}; remove aiRoutes old-r; "
		"remove providers old; ",
		"what others name is made before them and goes after them"},
	{"{\"providers\":[{\"name\":\"p\"}],\"domains\":[{\"name\":\"d\"}]}", "{}",
		BACKUP_DOC_REPLACE, 1u << OPS_DOMAIN, "save domains d {\"name\":\"d\"}; ",
		"some sections"},
	{"{\"providers\":[{\"name\":\"p\"}]}",
		"{\"providers\":[{\"name\":\"p\",\"tokens\":[\"sk-1234567890\"]}]}",
		BACKUP_DOC_REPLACE, 0, "", "M-90: a secret that was left out stays"},
	{"{\"providers\":[{\"name\":\"p\",\"tokens\":[\"sk-******890\"]}]}",
		"{\"providers\":[{\"name\":\"p\",\"tokens\":[\"sk-1234567890\"]}]}",
		BACKUP_DOC_REPLACE, 0, "", "and so does one that was masked"},
	{"{\"serviceSources\":[{\"name\":\"llm-p.internal\"}]}",
		"{\"serviceSources\":[{\"name\":\"llm-q.internal\"}]}", BACKUP_DOC_REPLACE, 0, "",
		"what the gateway makes itself is nobody's to restore"},
};

static void test_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct doc *now[OPS_NOUNS] = {NULL};
		struct backup_doc_change c;
		const struct doc *all;
		struct arena a;
		struct text t;

		arena_init(&a, 1 << 20);
		text_init(&t, 65536);
		all = read_doc(&a, r->now);
		for (unsigned n = 0; n < OPS_NOUNS; n++) {
			now[n] = doc_get(&a, all, backup_doc_section((enum ops_noun)n));
		}
		backup_doc_compare(&a, read_doc(&a, r->sections), now,
			r->wanted != 0 ? r->wanted : ~0u, r->mode, &c);
		put_items(&a, &t, &c);
		if (!bytes_eq(text_bytes(&t), bytes_str(r->items))) {
			fail_msg("%s: %s", r->reason, text_cstr(&t));
		}
		text_done(&t);
		arena_done(&a);
	}
}

static const struct import_row {
	const char *given;
	const char *sections; /* NULL: refused */
	const char *reason;
} imports[] = {
	{"{\"format\":\"sluice-backup\",\"version\":1,\"sections\":{\"providers\":[{\"name\":\"p\"}]}}",
		"{\"providers\":[{\"name\":\"p\"}]}", "ours"},
	{"{\"format\":\"sluice-backup\",\"version\":2,\"sections\":{}}", NULL,
		"of another version"},
	{"{\"format\":\"sluice-backup\",\"version\":1}", NULL, "without sections"},
	{"{\"format\":\"sluice-backup\",\"version\":1,\"sections\":{\"routes\":[{}]}}", NULL,
		"an object without a name"},
	{"{\"format\":\"other\",\"providers\":[]}", NULL, "of another program"},
	{"{\"timestamp\":\"x\",\"providers\":{\"data\":[{\"name\":\"p\"}]},\"routes\":[{\"name\":\"r\"}],"
	 "\"consumers\":{\"success\":true,\"data\":[]}}",
		"{\"providers\":[{\"name\":\"p\"}],\"aiRoutes\":[{\"name\":\"r\"}],\"consumers\":[]}",
		"M-91: the original page's"},
	{"{\"providers\":[],\"consumers\":null}", "{\"providers\":[]}", "with less"},
	{"{\"providers\":\"x\"}", NULL, "no list"},
	{"{}", NULL, "nothing"},
};

static void test_import(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(imports); i++) {
		const struct import_row *r = &imports[i];
		const char *why = NULL;
		const struct doc *d;
		struct arena a;
		struct text t;

		arena_init(&a, 1 << 20);
		text_init(&t, 65536);
		d = backup_doc_import(&a, read_doc(&a, r->given), &why);
		if ((d != NULL) != (r->sections != NULL) || (d == NULL && why == NULL)) {
			fail_msg("%s", r->reason);
		}
		if (d != NULL) {
			put(&a, &t, doc_get(&a, d, "sections"));
			assert_string_equal(text_cstr(&t), r->sections);
		}
		text_done(&t);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_import),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
