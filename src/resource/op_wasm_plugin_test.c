/*
 * Wasm plugins as the Console keeps them, and the catalogue (console-api.md §3.11).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define AND "\n--\n"
#define BODY "\"title\":\"Mine\",\"category\":\"x\",\"imageRepository\":\"r.com/mine\""
#define MINE "create wasm-plugin mine {" BODY "}"
#define AT "wasmplugins/mine-1.0.0"
#define ROUTE                                                                    \
	"create route r {\"path\":{\"matchType\":\"PRE\",\"matchValue\":\"/\"}," \
	"\"services\":[{\"name\":\"a.static\"}]}"
#define USED "update instance ROUTE/r/mine {\"configurations\":{\"a\":1}}"
#define RULE "[{\"config\":{\"a\":1},\"configDisable\":false,\"ingress\":[\"r\"]}]"

static const struct op_row rows[] = {
	{"WASM-1", NULL,
		"create wasm-plugin mine {" BODY
		",\"description\":\"d\",\"icon\":\"i\",\"imageVersion\":\"3\",\"imagePullPolicy\":"
		"\"always\",\"imagePullSecret\":\"s\",\"phase\":\"Stats\",\"priority\":\"7\"}",
		OP_OK,
		AT
		" metadata|labels {\"higress.io/resource-definer\":\"higress\","
		"\"higress.io/wasm-plugin-built-in\":\"false\","
		"\"higress.io/wasm-plugin-category\":\"custom\","
		"\"higress.io/wasm-plugin-name\":\"mine\","
		"\"higress.io/wasm-plugin-version\":\"1.0.0\"}\n" AT
		" metadata|annotations {\"higress.io/wasm-plugin-description\":\"d\","
		"\"higress.io/wasm-plugin-icon\":\"i\",\"higress.io/wasm-plugin-title\":\"Mine\"}\n" AT
		" spec {\"defaultConfigDisable\":true,\"failStrategy\":\"FAIL_OPEN\","
		"\"imagePullPolicy\":\"Always\",\"imagePullSecret\":\"s\",\"phase\":\"STATS\","
		"\"priority\":7,\"url\":\"oci://r.com/mine:3\"}\n" AT " status {}\n"
		"list wasm-plugin [\"mine\"]",
		"a WasmPlugin that does nothing yet; words of any case"},
	{"WASM-2", NULL, MINE, OP_OK,
		AT
		" spec {\"defaultConfigDisable\":true,\"failStrategy\":\"FAIL_OPEN\","
		"\"url\":\"oci://r.com/mine\"}\n"
		"read wasm-plugin mine . {\"name\":\"mine\",\"pluginVersion\":\"1.0.0\","
		"\"version\":\"1\",\"category\":\"custom\",\"title\":\"Mine\","
		"\"description\":null,\"builtIn\":false,\"productCovered\":null,\"icon\":null,"
		"\"readmeUrl\":null,\"imageRepository\":\"oci://r.com/mine\",\"imageVersion\":null,"
		"\"imagePullPolicy\":\"UNSPECIFIED_POLICY\",\"imagePullSecret\":null,"
		"\"phase\":\"UNSPECIFIED_PHASE\",\"priority\":null}",
		"what is not specified is not on disk, and is told"},
	{"WASM-3", NULL,
		"create wasm-plugin mine {\"title\":\"m\",\"category\":\"c\",\"imageRepository\":"
		"\"https://h:8443/p.wasm\"}",
		OP_OK,
		AT " spec|url \"https://h:8443/p.wasm\"\n"
		   "read wasm-plugin mine imageRepository \"https://h:8443/p.wasm\"",
		"a file that is fetched as such has no tag"},
	{"WASM-4", MINE AND ROUTE AND USED,
		"update wasm-plugin mine {" BODY ",\"imageVersion\":\"2\"}", OP_OK,
		AT " spec|url \"oci://r.com/mine:2\"\n" AT " spec|matchRules " RULE,
		"what is configured stays"},
	{"WASM-5", MINE AND ROUTE AND USED,
		"update wasm-plugin mine {" BODY ",\"pluginVersion\":\"2.0.0\"}", OP_OK,
		AT " . -\nwasmplugins/mine-2.0.0 spec|matchRules " RULE
		   "\nlist wasm-plugin [\"mine\"]",
		"another version takes what is configured along"},
	{"WASM-6", MINE, "update wasm-plugin mine {" BODY ",\"version\":\"9\"}", OP_STALE,
		AT " metadata|resourceVersion \"1\"", "somebody else was faster"},
	{"WASM-7", NULL, "update wasm-plugin mine {" BODY "}", OP_MISSING, NULL, "none to change"},
	{"WASM-8", MINE, MINE, OP_EXISTS, NULL, "created twice"},
	{"K196", NULL, "create wasm-plugin cors {" BODY "}", OP_EXISTS, NULL,
		"the name of a built-in one"},
	{"WASM-9", NULL, "create wasm-plugin mine {" BODY ",\"builtIn\":true}", OP_EXISTS, NULL,
		"nobody adds a built-in one"},
	{"WASM-10", NULL, "update wasm-plugin cors {" BODY "}", OP_IN_USE, NULL,
		"a built-in one is no custom one"},
	{"WASM-11", NULL, "update wasm-plugin mine {" BODY ",\"builtIn\":true}", OP_IN_USE, NULL,
		"nor the other way round"},
	{"WASM-12",
		"create consumer c {\"credentials\":[{\"type\":\"key-auth\",\"source\":\"BEARER\","
		"\"values\":[\"k\"]}]}",
		"update wasm-plugin key-auth {" BODY ",\"builtIn\":true,\"imageVersion\":\"9\","
		"\"phase\":\"AUTHZ\",\"priority\":1}",
		OP_OK,
		"wasmplugins/key-auth-1.0.0 spec|url \"oci://r.com/mine:9\"\n"
		"wasmplugins/key-auth-1.0.0 spec|phase \"AUTHZ\"\n"
		"wasmplugins/key-auth.internal spec|url \"oci://r.com/mine:9\"\n"
		"wasmplugins/key-auth.internal spec|defaultConfig|consumers|0|name \"c\"\n"
		"read wasm-plugin key-auth imageVersion \"9\"\n"
		"read wasm-plugin key-auth priority 1",
		"another image for users' instances and for the gateway's own"},
	{"WASM-13", NULL, "remove wasm-plugin cors", OP_IN_USE, NULL, "built in"},
	{"WASM-14", MINE AND "create wasm-plugin mine {" BODY ",\"pluginVersion\":\"2\"}",
		"remove wasm-plugin mine", OP_OK,
		AT " . -\nwasmplugins/mine-2 . -\nlist wasm-plugin []", "every version goes"},
	{"WASM-15", NULL, "remove wasm-plugin none", OP_OK, "list wasm-plugin []", "nothing there"},
	{"WASM-16", NULL, "create wasm-plugin a_b {" BODY "}", OP_INVALID, NULL, "no name"},
	{"WASM-17", NULL, "create wasm-plugin mine {" BODY ",\"pluginVersion\":\"a/b\"}",
		OP_INVALID, NULL, "no name of a file"},
	{"WASM-18", NULL, "create wasm-plugin mine {" BODY ",\"phase\":\"LATE\"}", OP_INVALID, NULL,
		"no such phase"},
	{"WASM-19", NULL, "create wasm-plugin mine {" BODY ",\"imagePullPolicy\":\"Never\"}",
		OP_INVALID, NULL, "no such policy"},
	{"WASM-20", NULL, "create wasm-plugin mine {\"title\":\"m\",\"category\":\"c\"}",
		OP_INVALID, NULL, "no image"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_true(op_world_rows(rows, ARRAY_LEN(rows)));
}

/* Every built-in plugin is in the catalogue once, in order, and can be told in both languages. */
static void test_catalogue(void **state)
{
	struct op_world w;
	struct doc *all;
	size_t n = 0;

	(void)state;
	op_world_init(&w);
	all = op_wasm_plugin_list(&w.op, BYTES("zh-CN"));
	for (const struct doc *p = doc_first(&w.arena, all); p != NULL; p = p->next, n++) {
		struct bytes name = doc_text(doc_get(&w.arena, p, "name"), BYTES(""));
		const struct op_plugin *plugin = op_plugin_find(name);
		struct doc *schema = NULL;

		assert_non_null(plugin);
		if (p->next != NULL) {
			struct bytes next = doc_text(doc_get(&w.arena, p->next, "name"), BYTES(""));

			assert_true(bytes_cmp(name, next) < 0);
		}
		assert_true(op_catalogue_title(plugin, BYTES("zh-CN")).n > 0);
		assert_true(op_catalogue_description(plugin, BYTES("zh")).n > 0);
		assert_true(op_catalogue_description(plugin, BYTES("fr")).n > 0);
		assert_true(op_catalogue_readme(&w.op, plugin, BYTES("")).n > 40);
		assert_true(op_wasm_plugin_schema(&w.op, name, BYTES(""), &schema));
		assert_non_null(doc_at(&w.arena, schema, "schema.jsonSchema.properties"));
		/* What the gateway does itself is described. */
		if (op_plugin_served(name)) {
			assert_non_null(
				doc_first(&w.arena, doc_at(&w.arena, schema, "schema.properties")));
		}
	}
	assert_int_equal(n, 52);
	assert_null(op_wasm_plugin_readme(&w.op, BYTES("none"), BYTES("")));
	op_world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_catalogue),
	};

	return cmocka_run_group_tests_name("op_wasm_plugin", tests, NULL, NULL);
}
