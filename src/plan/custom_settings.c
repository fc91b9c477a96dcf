#include <stdio.h>

#include "plan/build.h"
#include "plan/provider.h"
#include "plan/yaml_json.h"

/* Names that mean the same in other protocols (data-plane.md §7); NULL: there is none. The column is OpenAI's
 * but where the provider's own protocol goes on as it is. */
static const struct {
	const char *name, *openai, *baidu, *spark, *qwen, *gemini, *hunyuan, *claude, *minimax;
} names[] = {
	{"max_tokens", "max_tokens", "max_output_tokens", "max_tokens", "max_tokens",
		"maxOutputTokens", NULL, "max_tokens", "tokens_to_generate"},
	{"temperature", "temperature", "temperature", "temperature", "temperature", "temperature",
		"Temperature", "temperature", "temperature"},
	{"top_p", "top_p", "top_p", NULL, "top_p", "topP", "TopP", "top_p", "top_p"},
	{"top_k", NULL, NULL, "top_k", NULL, "topK", NULL, "top_k", NULL},
	{"seed", "seed", NULL, NULL, "seed", NULL, NULL, NULL, NULL},
};

#define SETTING_DEPTH_MAX 8u

struct compiling {
	const struct custom_settings_input *in;
	struct custom_settings *out;
	struct custom_setting *settings;
	struct setting_node *nodes;
	char (*paths)[512]; /* of the nodes, for the query */
	bool bad;
};

static void say(struct compiling *c, const struct yaml_node *at, bool error, const char *text)
{
	struct finding f = error
		? build_error(c->in->where, build_place(at), "bad-value")
		: build_warning(c->in->where, build_place(at), "unsupported-setting");

	findings_add(c->in->findings, &f, "customSettings: %s", text);
	c->bad = c->bad || error;
}

static bool is(const struct provider_type *t, const char *name)
{
	return strcmp(t->name, name) == 0;
}

static const char *own_name(const struct custom_settings_input *in, size_t row)
{
	const struct provider_type *t = in->type;

	if (!in->original || is(t, "openai")) {
		return names[row].openai;
	}
	return is(t, "baidu")      ? names[row].baidu
		: is(t, "spark")   ? names[row].spark
		: is(t, "qwen")    ? names[row].qwen
		: is(t, "gemini")  ? names[row].gemini
		: is(t, "hunyuan") ? names[row].hunyuan
		: is(t, "claude")  ? names[row].claude
		: is(t, "minimax") ? names[row].minimax
				   : NULL;
}

/* The path to set: "" when the setting has no counterpart and is dropped. */
static struct bytes path_of(struct compiling *c, struct bytes name, bool raw, char room[256])
{
	const char *own = NULL;
	const char *in = !c->in->original   ? ""
		: is(c->in->type, "qwen")   ? "parameters."
		: is(c->in->type, "gemini") ? "generationConfig."
					    : "";

	for (size_t i = 0; !raw && i < ARRAY_LEN(names); i++) {
		if (bytes_eq(name, bytes_str(names[i].name))) {
			own = own_name(c->in, i);
		}
	}
	if (!raw && own == NULL) {
		return (struct bytes){"", 0};
	}
	if (raw) {
		snprintf(room, 256, "%s" BYTES_FMT, in, BYTES_ARG(name));
	} else {
		snprintf(room, 256, "%s%s", in, own);
	}
	return bytes_str(room);
}

/* Letters, digits, '_', '-' and '$' between dots: what else stands in such paths asks for elements of lists,
 * or searches. */
static bool is_path(struct bytes path)
{
	size_t depth = 0;

	if (path.n == 0 || path.n > 200) {
		return false;
	}
	while (path.p != NULL) {
		struct bytes key = bytes_cut(&path, '.');

		if (key.n == 0 || key.n > JSON_KEY_MAX || ++depth > SETTING_DEPTH_MAX) {
			return false;
		}
		for (size_t i = 0; i < key.n; i++) {
			char ch = ascii_lower(key.p[i]);

			if (!ascii_digit(ch) && !(ch >= 'a' && ch <= 'z') && ch != '_' &&
				ch != '-' && ch != '$') {
				return false;
			}
		}
	}
	return true;
}

/* What the gateway itself reads and writes. */
static bool is_ours(struct bytes path)
{
	struct bytes top = bytes_cut(&path, '.');

	return bytes_eq(top, BYTES("model")) || bytes_eq(top, BYTES("messages")) ||
		bytes_eq(top, BYTES("stream")) || bytes_eq(top, BYTES("stream_options"));
}

static bool is_leaf(const struct compiling *c, size_t node)
{
	for (size_t i = 0; i < c->out->n; i++) {
		if (c->settings[i].node == node) {
			return true;
		}
	}
	return false;
}

static bool has_children(const struct compiling *c, size_t node)
{
	for (size_t i = 0; i < c->out->n_nodes; i++) {
		if (c->nodes[i].parent == node) {
			return true;
		}
	}
	return false;
}

/* The node of a path, made when it is new; SETTING_NODES_MAX: there are too many, or one sets a value where
 * another one needs an object. */
static size_t node_of(struct compiling *c, struct bytes path)
{
	const char *begin = path.p;
	size_t parent = SETTING_TOP;

	while (path.p != NULL) {
		struct bytes key = bytes_cut(&path, '.');
		size_t i = 0;

		if (parent != SETTING_TOP && is_leaf(c, parent)) {
			return SETTING_NODES_MAX;
		}
		while (i < c->out->n_nodes &&
			(c->nodes[i].parent != parent || !bytes_eq(c->nodes[i].key, key))) {
			i++;
		}
		if (i == SETTING_NODES_MAX) {
			return i;
		}
		if (i == c->out->n_nodes) {
			c->nodes[i] = (struct setting_node){build_text(c->in->arena, key), parent};
			snprintf(c->paths[i], sizeof(c->paths[i]), "%.*s",
				(int)(key.p + key.n - begin), begin);
			c->out->n_nodes++;
		}
		parent = i;
	}
	return has_children(c, parent) ? SETTING_NODES_MAX : parent;
}

static struct bytes value_of(struct compiling *c, const struct yaml_node *value)
{
	struct json_writer w;
	struct bytes copy;
	struct text t;

	text_init(&t, RESOURCE_FILE_MAX);
	json_writer_init(&w, &t);
	yaml_json_put(&w, value);
	copy = build_text(c->in->arena, text_bytes(&t));
	text_done(&t);
	return copy;
}

#define BIT(api) ((uint64_t)1 << (api))

static uint64_t apis_of(struct compiling *c, const struct yaml_node *list)
{
	uint64_t apis = 0;

	if (list == NULL || list->type == YAML_NULL) {
		return BIT(API_CHAT_COMPLETIONS) | BIT(API_COMPLETIONS) | BIT(API_EMBEDDINGS) |
			BIT(API_RESPONSES) | BIT(API_ANTHROPIC_MESSAGES);
	}
	if (list->type != YAML_SEQ) {
		say(c, list, true, "apis is a list of names such as openai/v1/chatcompletions");
		return 0;
	}
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		enum api api = n->type == YAML_STRING ? api_of_name(n->text) : API_NONE;

		if (api == API_NONE || !api_reads_body(api)) {
			say(c, n, true, "apis names something that has no JSON body");
		} else {
			apis |= BIT(api);
		}
	}
	return apis;
}

static bool flag(const struct yaml_node *n, bool otherwise)
{
	return n == NULL || n->type == YAML_NULL ? otherwise
		: n->type == YAML_BOOL           ? n->boolean
						 : bytes_eq(n->text, BYTES("true"));
}

static void add(struct compiling *c, const struct yaml_node *e)
{
	const struct yaml_node *value = yaml_get(e, "value");
	const struct yaml_node *mode = yaml_get(e, "mode");
	bool raw = mode != NULL && bytes_eq(mode->text, BYTES("raw"));
	struct bytes name = {"", 0};
	struct custom_setting s = {.overwrite = flag(yaml_get(e, "overwrite"), true)};
	char room[256];
	struct bytes path;

	if (e->type != YAML_MAP || value == NULL ||
		!build_scalar(yaml_get(e, "name"), "name", c->in->where, c->in->findings, &name) ||
		!is_path(name)) {
		say(c, e, true, "an entry has a name (members with dots between them) and a value");
		return;
	}
	if (mode != NULL && !raw && !bytes_eq(mode->text, BYTES("auto"))) {
		say(c, mode, true, "mode is auto or raw");
		return;
	}
	path = path_of(c, name, raw, room);
	if (path.n == 0) {
		say(c, e, false,
			"an entry has no counterpart at this provider and is left out; mode raw "
			"takes the name as it is");
		return;
	}
	if (is_ours(path)) {
		say(c, e, false,
			"model, messages, stream and stream_options are not set; a model is chosen by "
			"modelMapping");
		return;
	}
	s.apis = apis_of(c, yaml_get(e, "apis"));
	s.value = value_of(c, value);
	s.node = (unsigned)node_of(c, path);
	if (s.node == SETTING_NODES_MAX) {
		say(c, e, true,
			"there are more than 32 members, or one entry sets a value where another one "
			"needs an object");
		return;
	}
	c->out->apis |= s.apis;
	c->settings[c->out->n++] = s;
}

static void end_query(void *of)
{
	json_query_free(of);
}

static void make_query(struct compiling *c)
{
	struct json_want wants[SETTING_NODES_MAX];

	for (size_t i = 0; i < c->out->n_nodes; i++) {
		wants[i] = (struct json_want){c->paths[i], NULL};
	}
	c->out->query = json_query_new(wants, c->out->n_nodes);
	arena_at_end(c->in->arena, end_query, c->out->query);
}

bool custom_settings_compile(struct custom_settings *out, const struct yaml_node *node,
	const struct custom_settings_input *in)
{
	struct compiling c = {.in = in, .out = out};

	*out = (struct custom_settings){.n = 0};
	if (node == NULL || node->type == YAML_NULL) {
		return true;
	}
	if (node->type != YAML_SEQ) {
		struct finding at = build_error(in->where, build_place(node), "list-expected");

		findings_add(in->findings, &at, "customSettings must be a list");
		return false;
	}
	c.settings = arena_must(in->arena, (node->n + 1) * sizeof(*c.settings));
	c.nodes = arena_must(in->arena, SETTING_NODES_MAX * sizeof(*c.nodes));
	c.paths = arena_must(in->arena, SETTING_NODES_MAX * sizeof(*c.paths));
	for (const struct yaml_node *e = node->items; e != NULL; e = e->next) {
		add(&c, e);
	}
	out->v = c.settings;
	out->nodes = c.nodes;
	if (out->n != 0 && !c.bad) {
		make_query(&c);
	}
	return !c.bad;
}
