#include "plan/destination.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"

/* Lines as weight:service:port:subset, '*' for a weight that was not written. */
static const struct {
	const char *id, *text, *want, *reason; /* want NULL: refused */
} rows[] = {
	{"one", "a.dns:443", "*100:a.dns:443:\n", "the usual form"},
	{"bare", "a.static", "*100:a.static:0:\n", "the registry's own port"},
	{"two", "30% a.dns:443\n70% b.dns:80 v2", "30:a.dns:443:\n70:b.dns:80:v2\n",
		"weights and a version"},
	{"blanks", "\n  \t\n  5%\t a.dns:1   \n\n", "5:a.dns:1:\n", "trimmed, empty lines skipped"},
	{"crlf", "1% a.dns\r\n2% b.dns\r\n", "1:a.dns:0:\n2:b.dns:0:\n", "either line end"},
	{"none", "", "", "nothing"},
	{"zero", "0% a.dns", "0:a.dns:0:\n", "zero is a weight"},
	{"G122", "x% a:80\n50% b:80", NULL, "no number"},
	{"minus", "-1% a:80", NULL, "no number either"},
	{"float", "1.5% a:80", NULL, "nor this"},
	{"percent", "% a:80", NULL, "nothing before the sign"},
	{"large", "1000000% a", "1000000:a:0:\n", "the most there may be"},
	{"larger", "1000001% a", NULL, "above it"},
	{"alone", "50%", NULL, "a weight without a service"},
	{"G123", "providers:com.x.S:0.0.0:.nacos", "*100:providers:com.x.S:0.0.0:.nacos:0:\n",
		"what is behind the last colon is no port"},
	{"port-0", "a:0", "*100:a:0:0:\n", "no port"},
	{"port-65535", "a:65535", "*100:a:65535:\n", "the last port"},
	{"port-65536", "a:65536", "*100:a:65536:0:\n", "no port: part of the name"},
	{"last-colon", "a:b:80", "*100:a:b:80:\n", "the last colon"},
	{"colon", ":80", "*100::80:0:\n", "a name is not empty"},
};

static void lines_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct destination_line *v = NULL;
		struct fault fault;
		struct arena a;
		struct text t;
		size_t n = 0;
		int rc;

		arena_init(&a, 1 << 20);
		text_init(&t, 4096);
		rc = destination_parse(bytes_str(rows[i].text), &a, &v, &n, &fault);
		for (size_t k = 0; k < n; k++) {
			text_addf(&t, "%s%u:" BYTES_FMT ":%u:" BYTES_FMT "\n",
				v[k].weighted ? "" : "*", v[k].weight, BYTES_ARG(v[k].service),
				v[k].port, BYTES_ARG(v[k].subset));
		}
		if ((rc == 0) != (rows[i].want != NULL) ||
			(rc == 0 && !bytes_eq(text_bytes(&t), bytes_str(rows[i].want)))) {
			fail_msg("%s: %s: %d %s", rows[i].id, rows[i].reason, rc, text_cstr(&t));
		}
		text_done(&t);
		arena_done(&a);
	}
}

static void the_bad_line_is_named(void **state)
{
	struct destination_line *v;
	struct fault fault;
	struct arena a;
	size_t n;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(
		destination_parse(BYTES("1% a\n\nx% b\n"), &a, &v, &n, &fault), ERR_SYNTAX);
	assert_int_equal(fault.where, 3);
	arena_done(&a);
}

static void too_many_lines(void **state)
{
	static char text[2 * (DESTINATION_MAX + 1)];
	struct destination_line *v;
	struct fault fault;
	struct arena a;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = i % 2 == 0 ? 'a' : '\n';
	}
	arena_init(&a, 1 << 20);
	assert_int_equal(
		destination_parse(bytes_of(text, 2 * DESTINATION_MAX - 1), &a, &v, &n, &fault), 0);
	assert_int_equal(n, DESTINATION_MAX);
	assert_int_equal(
		destination_parse(bytes_of(text, sizeof(text)), &a, &v, &n, &fault), ERR_LIMIT);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(the_bad_line_is_named),
		cmocka_unit_test(too_many_lines),
	};

	return cmocka_run_group_tests_name("plan/destination", tests, NULL, NULL);
}
