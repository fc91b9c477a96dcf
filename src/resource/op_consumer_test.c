/*
 * Consumers and the rules of authentication (higress-resources.md §3.3, §3.4.3, §7.3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define AND "\n--\n"
#define CRED(verb, name, members) \
	verb " consumer " name " {\"credentials\":[{\"type\":\"key-auth\"," members "}]}"
#define BEARER(name, value) CRED("create", name, "\"source\":\"BEARER\",\"values\":[\"" value "\"]")
#define HEADER(name, key, values) \
	CRED("create", name, "\"source\":\"HEADER\",\"key\":\"" key "\",\"values\":[" values "]")
#define AUTH "wasmplugins/key-auth.internal"
#define ENTRY AUTH " spec|defaultConfig|consumers|0"
#define SHOWN(source, key, values) \
	"{\"type\":\"key-auth\",\"source\":\"" source "\",\"key\":" key ",\"values\":[" values "]}"
#define PROVIDER "create provider p {\"type\":\"groq\"}"
#define ROUTE(verb, auth) \
	verb " ai-route r {\"upstreams\":[{\"provider\":\"p\"}],\"authConfig\":" auth "}"
#define ON(list) "{\"enabled\":true,\"allowedConsumers\":" list "}"
#define OFF(list) "{\"enabled\":false,\"allowedConsumers\":" list "}"
#define RULE(config, off)                                                      \
	AUTH " spec|matchRules [{\"config\":" config ",\"configDisable\":" off \
	     ",\"ingress\":[\"ai-route-r.internal\"]}]"
#define OLD                                                                                     \
	"file wasmplugins/key-auth.internal {metadata: {labels: {higress.io/wasm-plugin-name: " \
	"key-auth, higress.io/wasm-plugin-version: 1.0.0}}, spec: {defaultConfig: {consumers: " \
	"[{name: a, credential: k1, keys: [x], in_header: true, note: hi}, {name: hidden, "     \
	"credentials: [z]}]}}}"

#define SHARED                                                                                  \
	"file wasmplugins/key-auth.internal {metadata: {labels: {higress.io/wasm-plugin-name: " \
	"key-auth, higress.io/wasm-plugin-version: 1.0.0}}, spec: {defaultConfig: {consumers: " \
	"[]}, matchRules: [{ingress: [ai-route-h.internal, ai-route-r.internal], config: "      \
	"{allow: [a]}}]}}"

static const struct op_row rows[] = {
	{"G45", NULL, BEARER("c", "k1"), OP_OK,
		ENTRY " {\"credentials\":[\"Bearer k1\"],\"in_header\":true,\"in_query\":false,"
		      "\"keys\":[\"Authorization\"],\"name\":\"c\"}\n"
		      "read consumer c . {\"name\":\"c\",\"credentials\":[" SHOWN("BEARER", "null",
			      "\"k1\"") "]}\n" AUTH " spec|defaultConfig|global_auth false\n" AUTH
					" spec|defaultConfig|allow []\n" AUTH
					" spec|defaultConfig|keys [\"x-higress-dummy-key\"]\n" AUTH
					" spec|defaultConfigDisable false",
		"the scheme word is part of what is stored, not of what is shown"},
	{"G46", NULL, HEADER("c", "x-api-key", "\"k1\",\"k2\""), OP_OK,
		ENTRY
		" {\"credentials\":[\"k1\",\"k2\"],\"in_header\":true,\"in_query\":false,"
		"\"keys\":[\"x-api-key\"],\"name\":\"c\"}\n"
		"read consumer c credentials|0 " SHOWN("HEADER", "\"x-api-key\"", "\"k1\",\"k2\""),
		"values as they are"},
	{"G47", NULL,
		CRED("create", "c", "\"source\":\"QUERY\",\"key\":\"apikey\",\"values\":[\"k1\"]"),
		OP_OK,
		ENTRY "|in_header false\n" ENTRY "|in_query true\n"
		      "read consumer c credentials|0 " SHOWN("QUERY", "\"apikey\"", "\"k1\""),
		"a parameter of the query"},
	{"G48", NULL, HEADER("c", "Authorization", "\"Bearer k1\""), OP_OK,
		ENTRY "|credentials [\"Bearer k1\"]\n"
		      "read consumer c credentials|0 " SHOWN("BEARER", "null", "\"k1\""),
		"stored like BEARER, so it reads like it"},
	{"G49", OLD,
		"create consumer b {\"credentials\":[{\"type\":\"key-auth\",\"source\":\"BEARER\","
		"\"values\":[\"q\"]}]}",
		OP_OK,
		"read consumer a credentials|0 " SHOWN("HEADER", "\"x\"",
			"\"k1\"") "\n" ENTRY
				  "|credential \"k1\"\nread consumer hidden . -\nlist consumer [\"a\",\"b\"]",
		"the old member is read; an entry of neither place is the data plane's only"},
	{"G49a", OLD, CRED("update", "a", "\"source\":\"HEADER\",\"key\":\"x\",\"values\":[]"),
		OP_OK,
		ENTRY " {\"credentials\":[\"k1\"],\"in_header\":true,\"in_query\":false,"
		      "\"keys\":[\"x\"],\"name\":\"a\",\"note\":\"hi\"}",
		"the next save writes the new member, keeps the value and what is not known"},
	{"G50", BEARER("a", "k1"), BEARER("b", "k1"), OP_INVALID, "list consumer [\"a\"]",
		"T5: a credential of two consumers is no conflict of names"},
	{"D32", BEARER("a", "k1"), HEADER("b", "x-key", "\"Bearer k1\""), OP_INVALID,
		"list consumer [\"a\"]",
		"the same text elsewhere: the real plugin refuses all of it"},
	{"D32a", OLD, BEARER("b", "k2"), OP_OK, "list consumer [\"a\",\"b\"]", "another text"},
	{"D32b", OLD, HEADER("b", "y", "\"k1\""), OP_INVALID, NULL,
		"the text of the old member counts"},
	{"K113", BEARER("a", "k1"), BEARER("a", "k1"), OP_OK, "list consumer [\"a\"]",
		"a consumer may keep its own"},
	{"K111", BEARER("a", "k1") AND BEARER("b", "k3"), BEARER("a", "k2"), OP_OK,
		ENTRY "|credentials [\"Bearer k2\"]\nlist consumer [\"a\",\"b\"]",
		"T10: POST replaces, at its place"},
	{"K128", BEARER("a", "gk-manager-0001"),
		CRED("update", "a", "\"source\":\"BEARER\",\"values\":[\"gk-******001\"]"), OP_OK,
		ENTRY "|credentials [\"Bearer gk-manager-0001\"]",
		"S4: the mask that a page showed means the stored value"},
	{"K114", NULL, "create consumer x {\"credentials\":[]}", OP_INVALID, AUTH " . -",
		"nothing to know it by"},
	{"K115", NULL, CRED("create", "x", "\"source\":\"bearer\",\"values\":[\"a\"]"), OP_INVALID,
		NULL, "sources are upper-case words"},
	{"K116", NULL, CRED("create", "x", "\"source\":\"HEADER\",\"values\":[\"a\"]"), OP_INVALID,
		NULL, "which header?"},
	{"D16", BEARER("a", "k1"), "update consumer a {\"credentials\":[{\"values\":[\"n\"]}]}",
		OP_INVALID, ENTRY "|credentials [\"Bearer k1\"]",
		"upstream deletes the consumer: data loss"},
	{"CON-1", NULL, CRED("update", "a", "\"source\":\"BEARER\""), OP_INVALID, NULL,
		"a new consumer needs values also on PUT"},
	{"CON-2", HEADER("a", "x", "\"k1\""), CRED("update", "a", "\"source\":\"BEARER\""), OP_OK,
		ENTRY "|credentials [\"Bearer k1\"]\n" ENTRY "|keys [\"Authorization\"]",
		"values stay when the place changes, in the spelling of the new place"},
	{"CON-3", NULL, BEARER("a", "k\\n1"), OP_INVALID, NULL, "a header cannot carry it"},
	{"CON-4", NULL, BEARER("a/b", "k"), OP_INVALID, NULL, "no path segment"},
	{"G51", PROVIDER AND BEARER("a", "k1") AND ROUTE("create", OFF("[\"a\"]")),
		"remove consumer a", OP_IN_USE, "list consumer [\"a\"]",
		"a list that is switched off can be switched on"},
	{"K126", PROVIDER AND BEARER("a", "k1") AND ROUTE("create", ON("[]")), "remove consumer a",
		OP_OK,
		"list consumer []\n" AUTH " spec|defaultConfig|consumers []\n" AUTH
		" spec|defaultConfigDisable false",
		"in no list; the plugin stays on, for other routes"},
	{"K124", NULL, "remove consumer a", OP_OK, AUTH " . -", "deleting what is not there"},
	{"G52", PROVIDER, "create ai-route r {\"upstreams\":[{\"provider\":\"p\"}]}", OP_OK,
		RULE("{}", "true") "\n" AUTH " spec|defaultConfig -\n" AUTH
				   " spec|defaultConfigDisable true",
		"every saved route leaves a rule, also one that is open"},
	{"G53", PROVIDER, ROUTE("create", ON("[\"labubu\"]")), OP_OK,
		RULE("{\"allow\":[\"labubu\"]}",
			"false") "\n" AUTH
				 " spec|defaultConfig {\"allow\":[],\"consumers\":[],\"global_auth\":false,"
				 "\"keys\":[\"x-higress-dummy-key\"]}\n" AUTH
				 " spec|defaultConfigDisable false",
		"a rule that is on needs the plugin on; names are not checked"},
	{"AUTH-1", PROVIDER, ROUTE("create", ON("[]")), OP_OK, RULE("{\"allow\":[]}", "false"),
		"T23: an empty list admits nobody"},
	{"AUTH-2", PROVIDER, ROUTE("create", "{\"enabled\":true}"), OP_OK, RULE("{}", "false"),
		"no list admits nobody either"},
	{"AUTH-3", PROVIDER, ROUTE("create", OFF("[\"a\"]")), OP_OK,
		RULE("{\"allow\":[\"a\"]}", "true"), "a list that is kept for later"},
	{"K104", PROVIDER AND ROUTE("create", ON("[\"a\"]")),
		ROUTE("update", "{\"allowedConsumers\":[\"x\"]}"), OP_OK,
		RULE("{\"allow\":[\"x\"]}", "false") "\nread ai-route r authConfig|enabled true",
		"D29: leaving enabled out must not open a protected route"},
	{"D29", PROVIDER, ROUTE("create", "{\"allowedConsumers\":[\"x\"]}"), OP_OK,
		RULE("{\"allow\":[\"x\"]}", "true") "\nread ai-route r authConfig|enabled false",
		"of a new route the switch is off"},
	{"AUTH-4", PROVIDER AND ROUTE("create", ON("[\"a\"]")),
		"update ai-route r {\"upstreams\":[{\"provider\":\"p\"}]}", OP_OK,
		RULE("{}", "true"), "no authConfig at all is an open route, as the Console has it"},
	{"AUTH-5", PROVIDER AND ROUTE("create", OFF("null")) AND SHARED,
		ROUTE("update", "{\"allowedConsumers\":[\"b\"]}"), OP_OK,
		AUTH " spec|matchRules [{\"config\":{\"allow\":[\"a\"]},"
		     "\"ingress\":[\"ai-route-h.internal\"]},{\"config\":{\"allow\":[\"b\"]},"
		     "\"configDisable\":false,\"ingress\":[\"ai-route-r.internal\"]}]",
		"a rule for several routes that a person wrote: this one gets its own, which counts"},
	{"K099", PROVIDER,
		ROUTE("create", "{\"enabled\":true,\"allowedCredentialTypes\":[\"jwt\"]}"),
		OP_INVALID, AUTH " . -", "nobody could check it"},
	{"OPS-17", NULL,
		CRED("create", "x", "\"source\":\"HEADER\",\"key\":\"a:b\",\"values\":[\"v\"]"),
		OP_INVALID, AUTH " . -", "no header is called so"},
	{"OPS-16", NULL, BEARER("..", "k"), OP_INVALID, AUTH " . -", "no path could name it"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_true(op_world_rows(rows, ARRAY_LEN(rows)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name("op_consumer", tests, NULL, NULL);
}
