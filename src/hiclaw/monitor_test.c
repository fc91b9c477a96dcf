#include "hiclaw/monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- finding ------------------------------------------------------------------------------------------------ */

static const struct find_row {
	const char *method, *path;
	const char *found; /* the endpoint's path; NULL: none */
	const char *param; /* the first, raw; NULL: none */
	const char *allow; /* of none: methods of the path */
	const char *reason;
} finds[] = {
	{"GET", "/ni_status/health", "/ni_status/health", NULL, "", "M-01"},
	{"HEAD", "/ni_status/health", "/ni_status/health", NULL, "", "M-52: HEAD is GET"},
	{"GET", "/ni_status/health/", "/ni_status/health", NULL, "", "one slash behind is borne"},
	{"GET", "/ni_status/health//", NULL, NULL, "", "two are not"},
	{"GET", "/ni_status//health", NULL, NULL, "", "nor one in the middle"},
	{"GET", "/ni_status", NULL, NULL, "", "nothing is there"},
	{"GET", "/ni_status/x", NULL, NULL, "", "M-50"},
	{"GET", "/ni_status/Health", NULL, NULL, "", "paths are exact"},
	{"DELETE", "/ni_status/health", NULL, NULL, "GET, HEAD", "M-51"},
	{"OPTIONS", "/ni_status/providers/x", NULL, NULL, "GET, HEAD, PUT, DELETE",
		"all methods of a path"},
	{"get", "/ni_status/health", NULL, NULL, "GET, HEAD", "methods are exact"},
	{"PUT", "/ni_status/providers/a%2fb", "/ni_status/providers/{name}", "a%2fb", "",
		"found by raw segments: an escaped slash is part of a name"},
	{"PUT", "/ni_status/providers/a/", "/ni_status/providers/{name}", "a", "",
		"a slash behind a name"},
	{"PUT", "/ni_status/providers/", "/ni_status/providers/{name}", "", "",
		"M-26: a name that is empty, which is refused as one"},
	{"GET", "/ni_status/providers/", "/ni_status/providers", NULL, "",
		"the list, with a slash behind"},
	{"GET", "/ni_status/providers/a/b", NULL, NULL, "", "a slash in a name is another path"},
	{"GET", "/_admin/api/providers/x", "/_admin/api/providers/{name}", "x", "",
		"the reference's"},
	{"POST", "/_admin/api/providers", "/_admin/api/providers", NULL, "", "M-81"},
};

static void test_finding(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
		const struct find_row *r = &finds[i];
		struct bytes params[MONITOR_PARAMS_MAX];
		const struct monitor_endpoint *e;
		struct text allow;

		text_init(&allow, 256);
		e = monitor_find(
			&monitor_table, bytes_str(r->method), bytes_str(r->path), params, &allow);
		if ((e != NULL) != (r->found != NULL) ||
			(e != NULL && strcmp(e->path, r->found) != 0)) {
			fail_msg("%s %s: %s", r->method, r->path, r->reason);
		}
		if (r->param != NULL && !bytes_eq(params[0], bytes_str(r->param))) {
			fail_msg("%s %s, name: %s", r->method, r->path, r->reason);
		}
		if (e == NULL && !bytes_eq(text_bytes(&allow), bytes_str(r->allow))) {
			fail_msg("%s %s, allow: %s", r->method, r->path, r->reason);
		}
		text_done(&allow);
	}
}

/* --- rights ------------------------------------------------------------------------------------------------- */

/* What each may: one letter per kind of asker, in the order nobody, stranger, Worker (alice, of alice's path), Worker (of
 * bob's), loopback, Manager, administrator. */
static const struct right_row {
	enum monitor_right right;
	bool reads;
	const char *may;
	const char *reason;
} rights[] = {
	{MONITOR_ANYBODY, true, "yyyyyyy", "health"},
	{MONITOR_AGENT, true, "nnynyyy", "M-09: a Worker asks for itself alone"},
	{MONITOR_READ, true, "nnnnyyy", "M-08: metrics are no Worker's"},
	{MONITOR_READ, false, "nnnnnyy", "who is not known changes nothing"},
	{MONITOR_ASSIGN, true, "nnnnnyy", "a switch"},
	{MONITOR_ASSIGN, false, "nnnnnyy", "a switch"},
	{MONITOR_ADMIN, true, "nnnnnny", "logs"},
	{MONITOR_ADMIN, false, "nnnnnny", "providers go"},
};

static const struct asker {
	enum monitor_who who;
	const char *named;
} askers[] = {
	{MONITOR_NOBODY, "alice"},
	{MONITOR_STRANGER, "alice"},
	{MONITOR_WORKER, "alice"},
	{MONITOR_WORKER, "bob"},
	{MONITOR_LOOPBACK, "alice"},
	{MONITOR_MANAGER, "alice"},
	{MONITOR_ADMINISTRATOR, "alice"},
};

static void test_rights(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		const struct right_row *r = &rights[i];

		for (size_t k = 0; k < ARRAY_LEN(askers); k++) {
			bool may = monitor_may(r->right, askers[k].who, BYTES("alice"),
				bytes_str(askers[k].named), r->reads);

			if (may != (r->may[k] == 'y')) {
				fail_msg("right %d, asker %zu: %s", (int)r->right, k, r->reason);
			}
		}
	}
}

/* Who is known only by what he is must not change anything, and secrets are the administrator's. */
static void test_rights_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < monitor_table.n; i++) {
		const struct monitor_endpoint *e = &monitor_table.v[i];
		bool get = strcmp(e->method, "GET") == 0;
		bool admin_api = strncmp(e->path, "/_admin/", 8) == 0;

		if (!get && e->right < MONITOR_ASSIGN) {
			fail_msg("%s %s changes something", e->method, e->path);
		}
		if (admin_api && strstr(e->path, "providers") != NULL &&
			e->right != MONITOR_ADMIN) {
			fail_msg("%s %s is the administrator's", e->method, e->path);
		}
		if (e->right == MONITOR_ANYBODY && strcmp(e->path, "/ni_status/health") != 0) {
			fail_msg("%s %s is open to anybody", e->method, e->path);
		}
	}
}

/* --- errors ------------------------------------------------------------------------------------------------- */

static void test_codes(void **state)
{
	(void)state;
	for (int c = 0; c < HICLAW_CODES; c++) {
		const char *text = hiclaw_code_text((enum hiclaw_code)c);
		unsigned status = hiclaw_code_status((enum hiclaw_code)c);

		assert_non_null(text);
		assert_true(c == HICLAW_OK ? status == 200 : status >= 400 && status < 600);
		for (int d = 0; d < c; d++) {
			assert_string_not_equal(text, hiclaw_code_text((enum hiclaw_code)d));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_rights_of_the_table),
		cmocka_unit_test(test_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
