#include "hiclaw/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOON 1705314600000000u /* 2024-01-15T10:30:00Z */

static const struct row {
	const char *text;
	const char *expect; /* written again; NULL: corrupt */
	uint64_t updated_us;
	const char *reason;
} rows[] = {
	{"{\n  \"provider\": \"qwen\",\n  \"model\": \"qwen3.5-plus\",\n  \"contextWindow\": 200000,\n  "
	 "\"maxTokens\": 64000,\n  \"reasoning\": true,\n  \"updatedAt\": \"2024-01-15T10:30:00Z\"\n}\n",
		"{\n  \"provider\": \"qwen\",\n  \"model\": \"qwen3.5-plus\",\n  \"contextWindow\": "
		"200000,\n  \"maxTokens\": 64000,\n  \"reasoning\": true,\n  \"updatedAt\": "
		"\"2024-01-15T10:30:00Z\"\n}\n",
		NOON, "ours, byte for byte"},
	{"{\"updatedAt\":\"2024-01-15T10:30:00.250000Z\",\"x\":{\"b\": [1e6,  \"\\u0041\"]},\"model\":"
	 "\"m\",\"provider\":\"p\",\"reasoning\":false,\"contextWindow\":\"5\",\"y\":null}",
		"{\n  \"provider\": \"p\",\n  \"model\": \"m\",\n  \"contextWindow\": 5,\n  \"reasoning\": "
		"false,\n  \"updatedAt\": \"2024-01-15T10:30:00Z\",\n  \"x\": {\"b\": [1e6,  "
		"\"\\u0041\"]},\n  \"y\": null\n}\n",
		NOON + 250000, "others' members behind the six, spelled as they were; a fraction"},
	{"{\"provider\":\"p\",\"model\":\"a\\\"b\\n\"}",
		"{\n  \"provider\": \"p\",\n  \"model\": \"a\\\"b\\n\"\n}\n", 0,
		"an old one without the rest"},
	{"{\"provider\":\"p\",\"model\":\"m\",\"updatedAt\":\"yesterday\"}",
		"{\n  \"provider\": \"p\",\n  \"model\": \"m\"\n}\n", 0,
		"a time that is none is older than all"},
	{"{\"provider\":\"p\",\"model\":\"m\",\"maxTokens\":null,\"model\":\"n\"}",
		"{\n  \"provider\": \"p\",\n  \"model\": \"n\"\n}\n", 0,
		"the last of two equal keys"},
	{"", NULL, 0, "an empty file"},
	{"{\"provider\":\"p\",\"mod", NULL, 0, "half a file"},
	{"[]", NULL, 0, "a list"},
	{"{}", NULL, 0, "nothing in it"},
	{"{\"provider\":\"p\"}", NULL, 0, "no model"},
	{"{\"provider\":\"\",\"model\":\"m\"}", NULL, 0, "an empty provider"},
	{"{\"provider\":1,\"model\":\"m\"}", NULL, 0, "a provider that is a number"},
	{"{\"provider\":\"p\",\"model\":\"m\",\"contextWindow\":\"big\"}", NULL, 0, "no number"},
	{"{\"provider\":\"p\",\"model\":\"m\",\"reasoning\":{}}", NULL, 0, "no answer"},
	{"not JSON", NULL, 0, "M-98: something else"},
};

static void records_are_read_and_written(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct record r = {0}, again = {0};
		struct fault f = {0};
		struct text out;
		struct arena a;
		int rc;
		bool ok;

		arena_init(&a, 1 << 20);
		text_init(&out, RECORD_TEXT_MAX);
		rc = record_read(&a, bytes_str(rows[i].text), &r, &f);
		ok = (rc == 0) == (rows[i].expect != NULL) && (rc == 0) == (f.text[0] == '\0');
		if (ok && rc == 0) {
			record_write(&r, &out);
			ok = strcmp(text_cstr(&out), rows[i].expect) == 0 &&
				r.updated_us == rows[i].updated_us &&
				record_read(&a, text_bytes(&out), &again, &f) == 0 &&
				record_same(&r, &again);
		}
		if (!ok) {
			print_message(
				"%s: %d %s\n%s\n", rows[i].reason, rc, f.text, text_cstr(&out));
			wrong++;
		}
		text_done(&out);
		arena_done(&a);
	}
	assert_int_equal(wrong, 0);
}

static void new_records_are_written(void **state)
{
	struct record r = {.provider = BYTES("qwen"),
		.model = BYTES("qwen3.5-plus"),
		.traits = {200000, 64000, MODEL_YES, MODEL_INPUT_TEXT},
		.updated_us = NOON + 999999};
	struct record other = r;
	char little[20];
	struct text out;

	(void)state;
	text_init(&out, RECORD_TEXT_MAX);
	record_write(&r, &out);
	assert_string_equal(text_cstr(&out), rows[0].expect);
	text_done(&out);
	text_init_fixed(&out, little, sizeof(little));
	record_write(&r, &out);
	assert_true(text_full(&out));
	other.updated_us = 1;
	assert_true(record_same(&r, &other));
	other.traits.max_tokens++;
	assert_false(record_same(&r, &other));
	other = r;
	other.traits.reasoning = MODEL_NO;
	assert_false(record_same(&r, &other));
	other = r;
	other.provider = BYTES("x");
	assert_false(record_same(&r, &other));
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t us; /* 0: refused */
		const char *reason;
	} times[] = {
		{"2024-01-15T10:30:00Z", NOON, "ours"},
		{"2024-01-15T10:30:00+00:00", NOON, "the other spelling of UTC"},
		{"2024-01-15T10:30:00.5Z", NOON + 500000, "one digit"},
		{"2024-01-15T10:30:00.123456Z", NOON + 123456, "microseconds"},
		{"2024-01-15T10:30:00.1234567Z", NOON + 123456, "more than we keep"},
		{"2024-01-15T10:30:00.Z", 0, "a point without digits"},
		{"2024-01-15T10:30:00", 0, "no zone"},
		{"2024-01-15T10:30:00+01:00", 0, "another zone"},
		{"2024-01-15 10:30:00Z", 0, "a blank for the T"},
		{"2024-13-15T10:30:00Z", 0, "month 13"},
		{"2024-01-15T25:30:00Z", 0, "hour 25"},
		{"1969-12-31T23:59:59Z", 0, "before all computers"},
		{"2024-01-15T10:30:00ZZ", 0, "more behind it"},
		{"", 0, "nothing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		uint64_t us = 0;

		if (record_time_read(bytes_str(times[i].text), &us) != (times[i].us != 0) ||
			us != times[i].us) {
			fail_msg("%s: %s", times[i].reason, times[i].text);
		}
	}
}

static void a_large_file_is_no_record(void **state)
{
	struct text t;
	struct arena a;
	struct record r;
	struct fault f = {0};

	(void)state;
	text_init(&t, RECORD_TEXT_MAX + 1);
	text_add_str(&t, "{\"provider\":\"p\",\"model\":\"m\"}");
	while (t.n < RECORD_TEXT_MAX) {
		text_add_char(&t, ' ');
	}
	arena_init(&a, 1 << 20);
	assert_int_equal(record_read(&a, text_bytes(&t), &r, &f), 0);
	text_add_char(&t, ' ');
	assert_int_equal(record_read(&a, text_bytes(&t), &r, &f), ERR_LIMIT);
	arena_done(&a);
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read_and_written),
		cmocka_unit_test(new_records_are_written),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(a_large_file_is_no_record),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
