/*
 * What is read as a record is written as one that reads the same, and that writes the same.
 */
#include "hiclaw/record.h"

#define ARENA_MAX ((size_t)1 << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record r = {0}, again = {0};
	struct fault f = {0};
	struct text first, second;
	struct arena a;
	int rc;

	arena_init(&a, ARENA_MAX);
	text_init(&first, 10 * RECORD_TEXT_MAX);
	text_init(&second, 10 * RECORD_TEXT_MAX);
	rc = record_read(&a, bytes_of((const char *)data, size), &r, &f);
	ASSERT((rc == 0) == (f.text[0] == '\0'));
	if (rc == 0) {
		record_write(&r, &first);
		if (first.n <= RECORD_TEXT_MAX) {
			ASSERT(record_read(&a, text_bytes(&first), &again, &f) == 0);
			ASSERT(record_same(&r, &again));
			record_write(&again, &second);
			ASSERT(bytes_eq(text_bytes(&first), text_bytes(&second)));
		}
	}
	text_done(&second);
	text_done(&first);
	arena_done(&a);
	return 0;
}
