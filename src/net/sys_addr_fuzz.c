/* An address that is read is written so that it is read again as the same. */
#include <string.h>

#include "net/sys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char first[SYS_ADDR_TEXT], second[SYS_ADDR_TEXT];
	struct sys_addr a, b;
	size_t n;

	if (sys_addr_parse(&a, text, size, 4711) != 0) {
		return 0;
	}
	n = sys_addr_format(&a, first);
	ASSERT(n > 5 && memcmp(first + n - 5, ":4711", 5) == 0);
	ASSERT(sys_addr_parse(&b, first, n - 5, 4711) == 0);
	ASSERT(sys_addr_format(&b, second) == n && memcmp(first, second, n) == 0);
	ASSERT(a.len == b.len && memcmp(a.u.room, b.u.room, a.len) == 0);
	sys_addr_set_port(&a, 80);
	ASSERT(sys_addr_port(&a) == 80 && sys_addr_port(&b) == 4711);
	return 0;
}
