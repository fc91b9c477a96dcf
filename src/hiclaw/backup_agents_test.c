#include "hiclaw/backup_agents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct doc *read_doc(struct arena *a, const char *json)
{
	return doc_of_json(a, json_parse(a, bytes_str(json), NULL));
}

static const struct row {
	const char *entry;
	const char *wanted; /* the entry as it is written again; NULL: refused */
	const char *reason;
} rows[] = {
	{"{\"target\":\"alice\",\"provider\":\"p\",\"model\":\"m\",\"asked\":\"p/m\",\"contextWindow\":1000,\"maxTokens\":10,"
	 "\"reasoning\":true,\"input\":[\"text\",\"image\"]}",
		"{\"target\":\"alice\",\"provider\":\"p\",\"model\":\"m\",\"asked\":\"p/m\",\"contextWindow\":1000,"
		"\"maxTokens\":10,\"reasoning\":true,\"input\":[\"text\",\"image\"]}",
		"all of it"},
	{"{\"target\":\"manager\",\"provider\":\"p\",\"model\":\"m\"}",
		"{\"target\":\"manager\",\"provider\":\"p\",\"model\":\"m\",\"asked\":\"m\",\"contextWindow\":0,\"maxTokens\":0}",
		"what it does not say is unknown"},
	{"{\"target\":\"alice\",\"provider\":\"p\",\"model\":\"m\",\"asked\":\"q/m\",\"contextWindow\":99999999999999,"
	 "\"maxTokens\":-1,\"reasoning\":\"yes\",\"input\":\"text\"}",
		"{\"target\":\"alice\",\"provider\":\"p\",\"model\":\"m\",\"asked\":\"m\",\"contextWindow\":0,\"maxTokens\":0}",
		"an uploaded document may say anything: it would stand in an agent's configuration"},
	{"{\"target\":\"../x\",\"provider\":\"p\",\"model\":\"m\"}", NULL, "no Worker: a path"},
	{"{\"target\":\"alice\",\"provider\":\"a/b\",\"model\":\"m\"}", NULL, "no provider"},
	{"{\"target\":\"alice\",\"provider\":\"p\",\"model\":\"m\\\"x\"}", NULL, "no model"},
	{"{\"target\":\"alice\",\"provider\":\"p\"}", NULL, "none at all"},
	{"{\"target\":7,\"provider\":[],\"model\":{}}", NULL, "other types"},
	{"\"alice\"", NULL, "no map"},
};

static void test_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct agent v = {.configured = BYTES("kept")};
		struct json_writer w;
		struct arena a;
		struct text t;
		bool taken;

		arena_init(&a, 1 << 20);
		text_init(&t, 65536);
		taken = backup_agents_read(&a, read_doc(&a, rows[i].entry), &v);
		if (taken) {
			json_writer_init(&w, &t);
			doc_put_json(&a, &w, backup_agents_entry(&a, &v));
		}
		if (taken != (rows[i].wanted != NULL) ||
			(taken && strcmp(text_cstr(&t), rows[i].wanted) != 0)) {
			fail_msg("%s: %s", rows[i].reason, text_cstr(&t));
		}
		assert_true(bytes_eq(v.configured, BYTES("kept")));
		text_done(&t);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_read)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
