#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define CACHE "wasmplugins/ai-cache-1.0.0.yaml"
#define HEAD(name)                                                                  \
	"apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n" \
	"  name: " name "\nspec:\n"
#define RULES "  defaultConfigDisable: true\n  matchRules:\n"

static const struct {
	const char *file, *text;
	bool said;
	const char *reason;
} rows[] = {
	{CACHE, HEAD("ai-cache-1.0.0") "  defaultConfig: {}\n", true,
		"its default would hold everywhere"},
	{CACHE, HEAD("ai-cache-1.0.0") RULES "  - {domain: [z], config: {}}\n", true,
		"one rule is enabled"},
	{CACHE, HEAD("ai-cache-1.0.0") RULES "  - {domain: [z], configDisable: true}\n", false,
		"all of it is disabled"},
	{"wasmplugins/mine.yaml", HEAD("mine") "  defaultConfig: {}\n", true,
		"one of somebody's own"},
	{"wasmplugins/mcp-server.internal.yaml",
		HEAD("mcp-server.internal") "  defaultConfig: {}\n", false,
		"the tools of MCP servers, of which their routes speak"},
	{"wasmplugins/request-block-1.0.0.yaml",
		HEAD("request-block-1.0.0") "  defaultConfig: {block_urls: [x]}\n", false,
		"a plugin that there is"},
	{"wasmplugins/cors-2.0.2.yaml", HEAD("cors-2.0.2") "  defaultConfig: {}\n", false,
		"another one"},
};

static void said_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct plan *p;
		size_t n = 0;

		world_init(&w);
		world_add(&w, rows[i].file, rows[i].text);
		p = world_plan(&w, &no_types);
		for (const struct finding *f = p->findings.first; f != NULL; f = f->next) {
			n += strcmp(f->code, "plugin-unsupported") == 0 &&
				f->level == FINDING_WARNING && f->line == 1;
		}
		if (n != rows[i].said) {
			world_print(&p->findings);
			fail_msg("%s: said %zu times", rows[i].reason, n);
		}
		plan_free(p);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(said_once),
	};

	return cmocka_run_group_tests_name("plan/unserved", tests, NULL, NULL);
}
