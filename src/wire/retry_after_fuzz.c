/* The input: a value and, behind a line feed, a Date. What is read is within its borders, and blanks
 * around it change nothing. */
#include "wire/retry_after.h"

#include <stdlib.h>

#define NOW_MS UINT64_C(1700000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool read, uint64_t ms)
{
	ASSERT(read ? ms >= RETRY_AFTER_FLOOR_MS && ms <= RETRY_AFTER_CEILING_MS : ms == 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes date = bytes_of((const char *)data, size);
	struct bytes value = bytes_cut(&date, '\n');
	char *wide = must_alloc(value.n + 2);
	uint64_t ms = 7, again = 7, other = 7;
	bool read = retry_after_read(value, date, NOW_MS, &ms);

	check(read, ms);
	wide[0] = ' ';
	bytes_put(wide + 1, value)[0] = '\t';
	ASSERT(retry_after_read(bytes_of(wide, value.n + 2), date, NOW_MS, &again) == read);
	ASSERT(again == ms);
	check(retry_after_read_ms(value, &other), other);
	other = 7;
	check(retry_after_read_span(value, &other), other);
	free(wide);
	return 0;
}
