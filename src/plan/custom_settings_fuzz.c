/*
 * The input: a byte for the type and the protocol, then a YAML document: an entry's customSettings. Whatever it is,
 * as JSON it is a JSON text; settings that are taken have values that are JSON, and members below members.
 */
#include "plan/provider.h"
#include "plan/world.h"
#include "plan/yaml_json.h"
#include "wire/yaml.h"

#define INPUT_MAX 4000u

static void check_json(const struct yaml_node *root)
{
	struct json_writer w;
	struct text t;

	text_init(&t, 1u << 20);
	json_writer_init(&w, &t);
	yaml_json_put(&w, root);
	ASSERT(text_full(&t) || json_scan_all(NULL, text_bytes(&t), NULL, NULL) == 0);
	text_done(&t);
}

static void check_settings(const struct custom_settings *s)
{
	ASSERT(s->n_nodes <= SETTING_NODES_MAX);
	ASSERT((s->query != NULL) == (s->n != 0));
	for (size_t i = 0; i < s->n_nodes; i++) {
		ASSERT(s->nodes[i].parent == SETTING_TOP || s->nodes[i].parent < i);
		ASSERT(s->nodes[i].key.n != 0);
	}
	for (size_t i = 0; i < s->n; i++) {
		ASSERT(s->v[i].node < s->n_nodes);
		ASSERT(json_scan_all(NULL, s->v[i].value, NULL, NULL) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"openai", "baidu", "spark", "qwen", "gemini", "hunyuan", "claude", "minimax"};
	struct provider_type type = {.name = NULL};
	struct custom_settings settings;
	struct world w;
	struct object *where;
	struct yaml_doc doc;

	if (size < 2 || size > INPUT_MAX) {
		return 0;
	}
	type.name = names[data[0] % ARRAY_LEN(names)];
	world_init(&w);
	where = world_add(&w, "wasmplugins/ai-proxy.internal.yaml",
		WORLD_PLUGIN("ai-proxy", "  defaultConfig: {}\n"));
	if (yaml_parse(&w.arena, bytes_of((const char *)data + 1, size - 1), &doc, NULL) == 0 &&
		doc.root != NULL) {
		check_json(doc.root);
		if (custom_settings_compile(&settings, doc.root,
			    &(struct custom_settings_input){
				    &type, data[0] >= 128, where, &w.arena, &w.findings})) {
			check_settings(&settings);
		}
	}
	world_done(&w);
	return 0;
}
