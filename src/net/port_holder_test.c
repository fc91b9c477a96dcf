/* Who has a port: the table of the system, and a listener of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/port_holder.h"

#define HEAD                                                                                          \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout " \
	"inode\n"
#define LINE(at, state, inode)                          \
	"   0: " at " 00000000:0000 " state             \
	" 00000000:00000000 00:00000000 00000000     0" \
	"        0 " inode " 1 0000000000000000 100 0 0 10 0\n"

static const struct {
	const char *table;
	uint64_t inode;
	const char *reason;
} rows[] = {
	{HEAD LINE("0100007F:1F90", "0A", "77"), 77, "it listens"},
	{HEAD LINE("0100007F:1F90", "01", "76") LINE("00000000:1F90", "0A", "78"), 78,
		"one that is connected is not the one who listens"},
	{HEAD LINE("00000000000000000000000000000000:1F90", "0A", "79"), 79, "of IPv6"},
	{HEAD LINE("0100007F:1F91", "0A", "77"), 0, "another port"},
	{HEAD LINE("0100007F:1F90", "0A", "x"), 0, "no number"},
	{HEAD "   0: 0100007F:1F90 00000000:0000 0A\n", 0, "half a line"},
	{"", 0, "nothing"},
	{"\n\n:::\n 1F90", 0, "no table"},
};

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t got = port_holder_inode(bytes_str(rows[i].table), 0x1f90);

		if (got != rows[i].inode) {
			fail_msg("%s: %llu", rows[i].reason, (unsigned long long)got);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
