/*
 * OpenAPI documents as tools (console-api.md §3.13.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define API(paths) \
	"{\"openapi\":\"3.0.0\",\"servers\":[{\"url\":\"https://h/v1/\"}],\"paths\":" paths "}"
#define SERVER "server:\n  name: openapi-server\n"

struct row {
	const char *text;
	enum op_rc rc;
	const char *want; /* all of it */
	const char *reason;
};

static const struct row rows[] = {
	{API("{\"/users/{id}\":{\"parameters\":[{\"name\":\"id\",\"in\":\"path\",\"required\":true,"
	     "\"schema\":{\"type\":\"integer\"}},{\"name\":\"q\",\"in\":\"query\"}],"
	     "\"get\":{\"summary\":\"A user\",\"description\":\"by id\",\"parameters\":[{\"name\":\"q\","
	     "\"in\":\"query\",\"description\":\"what\",\"schema\":{\"type\":\"string\",\"enum\":[\"a\","
	     "\"b\"],\"default\":\"a\"}}]}}}"),
		OP_OK,
		SERVER
		"tools:\n- name: get_users_id\n  description: A user - by id\n  args:\n"
		"  - name: id\n    description: \"\"\n    type: integer\n    required: true\n"
		"    position: path\n"
		"  - name: q\n    description: what\n    type: string\n    default: a\n"
		"    enum:\n    - a\n    - b\n    position: query\n"
		"  requestTemplate:\n    url: https://h/v1/users/{id}\n    method: GET\n"
		"  responseTemplate: {}\n",
		"parameters of the path count, but where the operation has its own"},
	{"openapi: 3.1.0\npaths:\n  /u:\n    post:\n      operationId: make user!\n"
	 "      requestBody:\n        $ref: '#/components/requestBodies/U'\n"
	 "      responses: {'201': {description: made, content: {application/json: {schema: "
	 "{$ref: '#/components/schemas/U'}}}}}\n"
	 "components:\n  requestBodies:\n    U: {required: true, content: {text/plain: {}, "
	 "application/json: {schema: {$ref: '#/components/schemas/U'}}}}\n"
	 "  schemas:\n    U:\n      required: [name]\n      properties:\n"
	 "        name: {type: [string, 'null'], description: who}\n"
	 "        tags: {type: array, items: {type: string}}\n"
	 "  securitySchemes:\n    key: {type: apiKey, in: header, name: X-Key}\n"
	 "security:\n- key: []\n",
		OP_OK,
		"server:\n  name: openapi-server\n  securitySchemes:\n  - id: key\n    type: apiKey\n"
		"    in: header\n    name: X-Key\ntools:\n- name: make_user\n  description: \"\"\n"
		"  args:\n  - name: name\n    description: who\n    type: string\n    required: true\n"
		"    position: body\n"
		"  - name: tags\n    description: \"\"\n    type: array\n    items:\n"
		"      type: string\n    position: body\n"
		"  requestTemplate:\n    url: /u\n    method: POST\n    headers:\n"
		"    - key: Content-Type\n      value: application/json\n    security:\n      id: key\n"
		"  responseTemplate:\n    prependBody: |+\n      Fields of the answer:\n\n"
		"      - name (string): who\n      - tags (array)\n\n      The answer:\n\n"
		"  outputSchema:\n    type: object\n    properties:\n      name:\n        type: string\n"
		"        description: who\n      tags:\n        type: array\n        items:\n"
		"          type: string\n    required:\n    - name\n",
		"YAML, references, JSON before other media types, the document's own security"},
	{"{\"swagger\":\"2.0\",\"host\":\"h:8080\",\"basePath\":\"/b\",\"schemes\":[\"http\"],"
	 "\"securityDefinitions\":{\"me\":{\"type\":\"basic\"}},\"paths\":{\"/x\":{\"put\":{"
	 "\"consumes\":[\"application/x-www-form-urlencoded\"],\"security\":[{\"me\":[]}],"
	 "\"parameters\":[{\"name\":\"f\",\"in\":\"formData\",\"type\":\"string\"},{\"name\":\"b\","
	 "\"in\":\"body\",\"schema\":{\"$ref\":\"#/definitions/a~1b\"}}]}}},\"definitions\":{\"a/b\":"
	 "{\"allOf\":[{\"properties\":{\"x\":{\"type\":\"string\"}}},{\"properties\":{\"y\":"
	 "{\"type\":\"boolean\"}}}]}}}",
		OP_OK,
		"server:\n  name: openapi-server\n  securitySchemes:\n  - id: me\n    type: http\n"
		"    scheme: basic\ntools:\n- name: put_x\n  description: \"\"\n  args:\n"
		"  - name: f\n    description: \"\"\n    type: string\n    position: body\n"
		"  - name: x\n    description: \"\"\n    type: string\n    position: body\n"
		"  - name: \"y\"\n    description: \"\"\n    type: boolean\n    position: body\n"
		"  requestTemplate:\n    url: http://h:8080/b/x\n    method: PUT\n    headers:\n"
		"    - key: Content-Type\n      value: application/x-www-form-urlencoded\n"
		"    security:\n      id: me\n  responseTemplate: {}\n",
		"Swagger 2: host, forms, basic, definitions; allOf is a sum"},
	{API("{\"/l\":{\"post\":{\"requestBody\":{\"description\":\"all\",\"content\":{\"application/"
	     "json\":{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}}}}"),
		OP_OK,
		SERVER
		"tools:\n- name: post_l\n  description: \"\"\n  args:\n  - name: items\n"
		"    description: all\n    type: array\n    items:\n      type: string\n"
		"    position: body\n"
		"  requestTemplate:\n    url: https://h/v1/l\n    method: POST\n    headers:\n"
		"    - key: Content-Type\n      value: application/json\n"
		"    body: '{{.args.items}}'\n  responseTemplate: {}\n",
		"a body that is a list is one argument"},
	{"", OP_INVALID, NULL, "nothing"},
	{"a: [b", OP_INVALID, NULL, "neither JSON nor YAML"},
	{"{\"openapi\":\"3.0.0\"}", OP_INVALID, NULL, "no paths"},
	{"{\"paths\":{\"/\":{}}}", OP_INVALID, NULL, "no OpenAPI document"},
	{"[1]", OP_INVALID, NULL, "a list"},
	{"openapi: 3.0.0\npaths: {/: {get: {responses: {'200': {content: {a: {schema: "
	 "{$ref: '#/x/a'}}}}}}}}\nx:\n  a: {properties: {a1: {$ref: '#/x/a'}, a2: {$ref: '#/x/a'}, a3: "
	 "{$ref: '#/x/a'}, a4: {$ref: '#/x/a'}, a5: {$ref: '#/x/a'}}}\n",
		OP_LIMIT, NULL, "a schema that holds itself, five times"},
	{"openapi: 3.0.0\npaths: {/: {$ref: '#/paths/~1'}}\n", OP_OK, SERVER "tools: []\n",
		"a reference to itself"},
	{"openapi: 3.0.0\npaths: {/: {get: {parameters: [{$ref: 'other.yaml#/p'}, {$ref: '#/none'}]}}}\n",
		OP_OK,
		SERVER "tools:\n- name: get\n  description: \"\"\n  args: []\n  requestTemplate:\n"
		       "    url: /\n    method: GET\n  responseTemplate: {}\n",
		"what is not in the document is left out"},
};

static void test_rows(void **state)
{
	bool good = true;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes out = BYTES("");
		struct op_world w;
		enum op_rc rc;

		op_world_init(&w);
		rc = op_tools_convert(&w.op, bytes_str(rows[i].text), &out);
		if (rc != rows[i].rc || (rc == OP_OK && !bytes_eq(out, bytes_str(rows[i].want)))) {
			fprintf(stderr, "    %s: %d %s\n%.*s", rows[i].reason, (int)rc,
				text_cstr(&w.op.why), (int)out.n, out.p);
			good = false;
		}
		op_world_done(&w);
	}
	assert_true(good);
}

/* With too little memory nothing breaks. */
static void test_starved(void **state)
{
	(void)state;
	for (size_t max = 256; max < 40000; max += 900) {
		struct bytes out = BYTES("");
		struct arena small;
		struct op op;

		arena_init(&small, max);
		op_init(&op, NULL, &small);
		if (op_tools_convert(&op, bytes_str(rows[1].text), &out) == OP_OK) {
			assert_true(arena_full(&small) || bytes_eq(out, bytes_str(rows[1].want)));
		}
		op_done(&op);
		arena_done(&small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_starved),
	};

	return cmocka_run_group_tests_name("op_tools", tests, NULL, NULL);
}
