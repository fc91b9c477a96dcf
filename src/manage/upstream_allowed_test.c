#include "manage/upstream_allowed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_rows(void **state)
{
	static const struct {
		const char *host;
		bool allowed;
		const char *why;
	} rows[] = {
		{"api.openai.com", true, "a vendor"},
		{"127.0.0.1", true, "a model on this machine"},
		{"10.1.2.3", true, "a model in the house"},
		{"[::1]", true, "the same over IPv6"},
		{"fd12:3456::1", true, "private, over IPv6"},
		{"169.254.169.254", false, "AWS, Azure, GCP"},
		{"169.254.1.1", false, "link-local"},
		{"169.253.255.255", true, "right below it"},
		{"100.100.100.200", false, "Alibaba Cloud"},
		{"100.100.100.201", true, "its neighbour"},
		{"[fe80::1]", false, "link-local, over IPv6"},
		{"febf::1", false, "the last of fe80::/10"},
		{"fec0::1", true, "right behind it"},
		{"[fd00:ec2::254]", false, "AWS over IPv6"},
		{"[::ffff:169.254.169.254]", false, "IPv4 in IPv6"},
		{"[64:ff9b::169.254.169.254]", false, "the same through a translator"},
		{"metadata.google.internal", false, "GCP by name"},
		{"Metadata.Google.Internal.", false, "in any case, with a dot"},
		{"metadata.example.com", true, "somebody's own name"},
		{"", true, "nothing: refused elsewhere"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why = NULL;

		if (upstream_allowed(NULL, bytes_str(rows[i].host), &why) != rows[i].allowed ||
			(why != NULL) == rows[i].allowed) {
			fail_msg("%s: %s", rows[i].host, rows[i].why);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
