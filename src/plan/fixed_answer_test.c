/*
 * Redirections and mock answers: what annotations say, and what cannot be given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/fixed_answer.h"
#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define NOTE(key, value) "    higress.io/" key ": '" value "'\n"
#define NGINX(key, value) "    nginx.ingress.kubernetes.io/" key ": '" value "'\n"
#define MOCK(key, value) "    sluice.io/mock-" key ": '" value "'\n"
#define TO "https://new.example.com/a?b=1"

static const struct {
	const char *annotations;
	unsigned status; /* 0: the destinations are asked */
	const char *location, *type, *body;
	size_t n_findings;
	const char *reason;
} rows[] = {
	{"", 0, "", "", "", 0, "nothing is said"},
	{NOTE("temporal-redirect", TO), 302, TO, "text/plain", "", 0, "for a time"},
	{NOTE("permanent-redirect", TO), 301, TO, "text/plain", "", 0, "for good"},
	{NOTE("permanent-redirect", "/new"), 301, "/new", "text/plain", "", 0,
		"a path of the same host"},
	{NGINX("permanent-redirect", TO) NGINX("permanent-redirect-code", "308"), 308, TO,
		"text/plain", "", 0, "in nginx' spelling, and the method stays"},
	{NOTE("permanent-redirect", TO) NOTE("permanent-redirect-code", "307"), 307, TO,
		"text/plain", "", 0, "a code of its own"},
	{NOTE("permanent-redirect", TO) NOTE("permanent-redirect-code", "304"), 301, TO,
		"text/plain", "", 1, "not modified is no redirection"},
	{NOTE("permanent-redirect", TO) NOTE("permanent-redirect-code", "3o7"), 301, TO,
		"text/plain", "", 1, "no number"},
	{NOTE("temporal-redirect", "/t") NOTE("permanent-redirect", "/p")
			NOTE("permanent-redirect-code", "308"),
		302, "/t", "text/plain", "", 0, "a temporal one comes first"},
	{NOTE("permanent-redirect", "ftp://a.com/"), 0, "", "", "", 1, "not of the web"},
	{NOTE("permanent-redirect", "new.example.com"), 0, "", "", "", 1, "a host is no address"},
	{NOTE("permanent-redirect", "https://"), 0, "", "", "", 1, "of nobody"},
	{NOTE("permanent-redirect", "https://a.com/b c"), 0, "", "", "", 1, "a blank"},
	{"    higress.io/permanent-redirect: \"/a\\r\\nx: y\"\n", 0, "", "", "", 1,
		"a line break in a header"},
	{"    disabled.higress.io/permanent-redirect: /a\n", 0, "", "", "", 0, "switched off"},
	{MOCK("status", "200") MOCK("type", "application/json") MOCK("body", "{\"a\":1}"), 200, "",
		"application/json", "{\"a\":1}", 0, "a mock"},
	{MOCK("status", "503"), 503, "", "text/plain", "", 0, "a status says enough"},
	{"    sluice.io/mock-status: '200'\n    sluice.io/mock-body: \" two\\nlines\\n\"\n", 200,
		"", "text/plain", " two\nlines\n", 0, "every byte of a body counts"},
	{MOCK("status", "204") MOCK("body", "x"), 204, "", "text/plain", "", 1,
		"no content has none"},
	{MOCK("status", "199"), 0, "", "", "", 1, "that is no end of an answer"},
	{MOCK("status", "600"), 0, "", "", "", 1, "no status"},
	{MOCK("status", "ok"), 0, "", "", "", 1, "no number"},
	{MOCK("body", "x"), 0, "", "", "", 1, "a body for no status"},
	{MOCK("status", "200") MOCK("type", "json") MOCK("body", "x"), 200, "", "text/plain", "x",
		1, "json is no media type"},
	{"    sluice.io/mock-status: '200'\n    sluice.io/mock-type: \"a/b\\r\\nx: y\"\n", 200, "",
		"text/plain", "", 1, "a line break in a header"},
	{NOTE("permanent-redirect", "/p") MOCK("status", "200"), 301, "/p", "text/plain", "", 1,
		"both: it redirects, and says so"},
	{NOTE("permanent-redirect", "p") MOCK("status", "200"), 200, "", "text/plain", "", 1,
		"no redirection stands before the mock"},
	{"    sluice.io/mock: '200'\n", 0, "", "", "", 1, "a word that means nothing"},
};

static void rows_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fixed_answer *got;
		struct world w;
		struct plan *p;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add_ingress(&w,
			&(struct world_ingress){
				.name = "r", .path = "/", .annotations = rows[i].annotations});
		p = world_plan(&w, &no_types);
		got = world_route(p, "any", "/", METHOD_GET)->fixed;
		if ((got != NULL ? got->status : 0) != rows[i].status ||
			p->findings.n != rows[i].n_findings ||
			(got != NULL &&
				(!bytes_eq(got->location, bytes_str(rows[i].location)) ||
					!bytes_eq(got->type, bytes_str(rows[i].type)) ||
					!bytes_eq(got->body, bytes_str(rows[i].body))))) {
			world_print(&p->findings);
			fail_msg("%s: %s", rows[i].annotations, rows[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* Whether destinations exist is of no interest where none is asked. */
static void destinations_do_not_matter(void **state)
{
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add_ingress(&w,
		&(struct world_ingress){.name = "r",
			.path = "/",
			.destination = "none.static",
			.annotations = MOCK("status", "200")});
	p = world_plan(&w, &no_types);
	assert_int_equal(p->findings.n, 0);
	assert_int_equal(world_route(p, "any", "/", METHOD_GET)->fixed->status, 200);
	plan_free(p);
	world_done(&w);
}

/* A body and an address of exactly the limit, and of one byte more. */
static void limits_hold(void **state)
{
	(void)state;
	for (size_t more = 0; more < 4; more++) {
		size_t body_n = FIXED_ANSWER_BODY_MAX + (more & 1u);
		size_t to_n = FIXED_ANSWER_TEXT_MAX + (more >> 1);
		const struct fixed_answer *mock, *redirect;
		struct text mock_text, redirect_text;
		struct world w;
		struct plan *p;

		text_init(&mock_text, 1u << 20);
		text_init(&redirect_text, 1u << 20);
		text_addf(
			&mock_text, "    sluice.io/mock-status: '200'\n    sluice.io/mock-body: '");
		text_addf(&redirect_text, "    higress.io/permanent-redirect: '/");
		for (size_t i = 0; i < body_n; i++) {
			text_add_char(&mock_text, 'x');
		}
		for (size_t i = 1; i < to_n; i++) {
			text_add_char(&redirect_text, 'x');
		}
		text_add_str(&mock_text, "'\n");
		text_add_str(&redirect_text, "'\n");
		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add_ingress(&w,
			&(struct world_ingress){
				.name = "m", .path = "/m", .annotations = text_cstr(&mock_text)});
		world_add_ingress(&w,
			&(struct world_ingress){.name = "r",
				.path = "/r",
				.annotations = text_cstr(&redirect_text)});
		p = world_plan(&w, &no_types);
		mock = world_route(p, "any", "/m", METHOD_GET)->fixed;
		redirect = world_route(p, "any", "/r", METHOD_GET)->fixed;
		assert_int_equal(mock->body.n, (more & 1u) != 0 ? 0 : body_n);
		assert_int_equal(redirect != NULL, more < 2);
		plan_free(p);
		world_done(&w);
		text_done(&mock_text);
		text_done(&redirect_text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_read),
		cmocka_unit_test(destinations_do_not_matter), cmocka_unit_test(limits_hold)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
