/*
 * Whatever stands in the file, a value that was read says the same again when it is written in single quotes.
 */
#include "hiclaw/env_file.h"

#include "base/text.h"

#define AGAIN_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_quoted(struct text *out, const struct env_pair *pair)
{
	text_add_str(out, "export ");
	text_add_bytes(out, pair->key);
	text_add_str(out, "='");
	for (size_t i = 0; i < pair->value.n; i++) {
		if (pair->value.p[i] == '\'') {
			text_add_str(out, "'\\''");
		} else {
			text_add_char(out, pair->value.p[i]);
		}
	}
	text_add_str(out, "' # again\r\n");
}

static void read_again(struct arena *a, const struct env_pair *pair)
{
	struct env_file again = {.n = 0};
	struct fault f = {0};
	struct text out;

	text_init(&out, AGAIN_MAX);
	put_quoted(&out, pair);
	ASSERT(pair->key.n > 0 && pair->value.n <= ENV_FILE_VALUE_MAX);
	if (out.n <= ENV_FILE_TEXT_MAX) {
		ASSERT(env_file_read(a, text_bytes(&out), &again, &f) == 0);
		ASSERT(again.n == 1 && again.bad_lines == 0);
		ASSERT(bytes_eq(again.v[0].key, pair->key));
		ASSERT(bytes_eq(again.v[0].value, pair->value));
	}
	text_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct env_file file = {.n = 0};
	struct fault f = {0};
	struct arena a;
	int rc;

	arena_init(&a, (size_t)1 << 24);
	rc = env_file_read(&a, bytes_of((const char *)data, size), &file, &f);
	ASSERT((rc == 0) == (f.text[0] == '\0'));
	for (size_t i = 0; rc == 0 && i < file.n; i++) {
		read_again(&a, &file.v[i]);
	}
	arena_done(&a);
	return 0;
}
