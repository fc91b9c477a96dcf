/*
 * Annotations of header control: what is read, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/header_control.h"
#include "plan/world.h"

#define ADD(value) "    higress.io/request-header-control-add: " value "\n"
#define SET(value) "    higress.io/request-header-control-update: " value "\n"
#define REMOVE(value) "    higress.io/request-header-control-remove: " value "\n"

static const struct {
	const char *annotations;
	const char *edits; /* -name, name=value, name+value; variables as <number> */
	const char *code;  /* of the only finding; NULL: none */
	const char *reason;
} rows[] = {
	{ADD("x-a 1"), "x-a+1\n", NULL, "name and value"},
	{SET("x-a 1"), "x-a=1\n", NULL, "to be set"},
	{REMOVE("x-a"), "-x-a\n", NULL, "to be removed"},
	{REMOVE("'x-a, x-b ,,x-c'"), "-x-a\n-x-b\n-x-c\n", NULL, "a list with blanks"},
	{ADD("\"  x-a \\t  b  c  \\n\\n x-d e\""), "x-a+b  c\nx-d+e\n", NULL,
		"cut at the first run of blanks; lines are trimmed, empty ones are none"},
	{ADD("\"'x-a' \\\"b c \\\"\""), "x-a+b c \n", NULL, "quotes around either"},
	{ADD("\"x-a 'b\""), "x-a+'b\n", NULL, "but only in pairs"},
	{ADD("\"x-a ''\""), "x-a+\n", NULL, "an empty value in quotes"},
	{SET("\"x-a 1\\nx-b 2\\nX-A 3\""), "X-A=3\nx-b=2\n", NULL, "the last of a name wins"},
	{ADD("'x ${consumer}-${model}${request_id}.'"), "x+<1>-<2><3>.\n", NULL, "variables"},
	{ADD("'x $consumer ${other} ${consumer'"), "x+$consumer ${other} ${consumer\n", NULL,
		"what is no variable is text"},
	{ADD("x-a 1") SET("x-b 2") REMOVE("x-c"), "-x-c\nx-b=2\nx-a+1\n", NULL,
		"in this order, whatever that of the annotations"},
	{ADD("x-a"), "", "header-without-value", "a name only"},
	{ADD("\"x-a\\nx-b 1\""), "x-b+1\n", "header-without-value", "spoils no other line"},
	{SET("hOsT a.com"), "", "header-refused", "the Host"},
	{SET("Content-Length 1"), "", "header-refused", "framing"},
	{ADD("transfer-encoding chunked"), "", "header-refused", "framing"},
	{REMOVE("Transfer-Encoding"), "", "header-refused", "nor may it be taken away"},
	{REMOVE("Connection"), "", "header-refused", "of one connection"},
	{ADD("':path /x'"), "", "header-refused", "a pseudo header"},
	{ADD("'x(a) 1'"), "", "header-refused", "no token"},
	{ADD("\"x-a 1\\r2\""), "", "header-refused", "a value that would end the field"},
	{ADD("\"x-a 1\\x002\""), "", "header-refused", "a NUL"},
	{ADD("\"x-a \\u00e4\""), "x-a+\xc3\xa4\n", NULL, "bytes above ASCII may be there"},
	{"    nginx.ingress.kubernetes.io/request-header-control-add: x-a 1\n", "",
		"unsupported-annotation", "nginx has no such key"},
	{"    disabled.higress.io/request-header-control-add: x-a 1\n", "", NULL, "switched off"},
};

static void print(const struct header_edits *e, struct text *t)
{
	for (size_t i = 0; i < e->n_remove; i++) {
		text_addf(t, "-" BYTES_FMT "\n", BYTES_ARG(e->remove[i]));
	}
	for (size_t i = 0; i < e->n_set + e->n_add; i++) {
		const struct header_edit *one = i < e->n_set ? &e->set[i] : &e->add[i - e->n_set];

		text_addf(t, BYTES_FMT "%c", BYTES_ARG(one->name), i < e->n_set ? '=' : '+');
		for (size_t k = 0; k < one->n; k++) {
			if (one->v[k].part == HEADER_TEXT) {
				text_add_bytes(t, one->v[k].text);
			} else {
				text_addf(t, "<%d>", (int)one->v[k].part);
			}
		}
		text_add_char(t, '\n');
	}
}

static const struct route *make(struct world *w, struct plan **p, const char *annotations)
{
	static const struct provider_types no_types = {NULL, 0};

	world_init(w);
	world_add(w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add_ingress(
		w, &(struct world_ingress){.name = "r", .path = "/", .annotations = annotations});
	*p = world_plan(w, &no_types);
	return world_route(*p, "any", "/", METHOD_GET);
}

static void lines_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct route *r;
		struct world w;
		struct plan *p;
		struct text t;

		r = make(&w, &p, rows[i].annotations);
		assert_non_null(r); /* whatever it says, the route serves */
		text_init(&t, 4096);
		if (r->headers != NULL) {
			assert_false(header_edits_any(&r->headers->answer));
			print(&r->headers->request, &t);
		}
		if (strcmp(text_cstr(&t), rows[i].edits) != 0 ||
			p->findings.n != (rows[i].code != NULL) ||
			(rows[i].code != NULL &&
				world_finding(&p->findings, rows[i].code) == NULL)) {
			world_print(&p->findings);
			fail_msg("%zu: %s: got %s", i, rows[i].reason, text_cstr(&t));
		}
		text_done(&t);
		plan_free(p);
		world_done(&w);
	}
}

static void lines_are_bounded(void **state)
{
	char annotation[60 + 20 * (HEADER_EDITS_MAX + 2)] =
		"    higress.io/response-header-control-add: |-\n";
	const struct route *r;
	struct world w;
	struct plan *p;

	(void)state;
	for (unsigned i = 0; i < HEADER_EDITS_MAX + 2; i++) {
		size_t n = strlen(annotation);

		snprintf(annotation + n, sizeof(annotation) - n, "      x%02u 1\n", i);
	}
	r = make(&w, &p, annotation);
	assert_int_equal(r->headers->answer.n_add, HEADER_EDITS_MAX);
	assert_int_equal(p->findings.errors, 2);
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(lines_are_bounded),
	};

	return cmocka_run_group_tests_name("plan/header_control", tests, NULL, NULL);
}
