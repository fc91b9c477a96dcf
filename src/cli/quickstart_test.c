#define _GNU_SOURCE
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "cli/quickstart.h"
#include "cli/quickstart_files.h"
#include "resource/object.h"

static const char *const variables[] = {"OPENAI_API_KEY", "DEEPSEEK_API_KEY", "DASHSCOPE_API_KEY",
	"MOONSHOT_API_KEY", "ZHIPUAI_API_KEY", "MINIMAX_API_KEY", "GROQ_API_KEY",
	"OPENROUTER_API_KEY", "OLLAMA_HOST", "OPENAI_BASE_URL"};

static void clear_env(void)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		unsetenv(variables[i]);
	}
}

/* --- a directory of its own for each test ------------------------------------------------------- */

struct place_dir {
	char top[40], root[64]; /* root does not exist at first */
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void place_init(struct place_dir *p)
{
	snprintf(p->top, sizeof(p->top), "/tmp/quickstart_test.XXXXXX");
	assert_non_null(mkdtemp(p->top));
	snprintf(p->root, sizeof(p->root), "%s/data/resources", p->top);
	clear_env();
}

static void place_done(const struct place_dir *p)
{
	assert_int_equal(nftw(p->top, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	clear_env();
}

static void read_file(const char *root, const char *name, struct text *out)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	text_init(out, 65536);
	assert_int_equal(file_read(path, 65536, out, NULL, NULL), 0);
}

/* Whether the file has that text in it. */
static bool file_has(const char *root, const char *name, const char *part)
{
	struct text t;
	bool found;

	read_file(root, name, &t);
	found = strstr(text_cstr(&t), part) != NULL;
	text_done(&t);
	return found;
}

static size_t n_files;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)ftw;
	n_files += type == FTW_F;
	return 0;
}

static size_t files_below(const char *dir)
{
	n_files = 0;
	nftw(dir, count_one, 8, FTW_PHYS);
	return n_files;
}

/* --- what is written is what the reader understands --------------------------------------------- */

static struct object *read_object(const char *root, const char *name)
{
	struct bytes rest = bytes_str(name);
	int kind = resource_kind_of_dir(bytes_cut(&rest, '/'));
	struct findings why;
	struct arena arena;
	struct object *o;
	struct text t;

	assert_true(kind >= 0);
	read_file(root, name, &t);
	arena_init(&arena, 1u << 20);
	findings_init(&why, &arena);
	o = object_read((enum resource_kind)kind, bytes_str(name), text_bytes(&t), &why);
	if (o == NULL || o->findings.n != 0) {
		const struct finding *f = o == NULL ? why.first : o->findings.first;

		fail_msg("%s: " BYTES_FMT, name, BYTES_ARG(f->text));
	}
	arena_done(&arena);
	text_done(&t);
	return o;
}

static void assert_bytes(struct bytes b, const char *expect)
{
	if (!bytes_eq(b, bytes_str(expect))) {
		fail_msg("'" BYTES_FMT "' is not '%s'", BYTES_ARG(b), expect);
	}
}

static void check_objects(const char *root, const char *service, const char *consumer_key)
{
	struct object *o = read_object(root, "mcpbridges/default.yaml");
	const struct yaml_node *consumer;

	assert_int_equal(o->u.mcpbridge.n_registries, 1);
	object_unref(o);
	o = read_object(root, "wasmplugins/ai-proxy.internal.yaml");
	assert_int_equal(o->u.wasmplugin.n_rules, 1);
	assert_bytes(o->u.wasmplugin.rules[0].service.v[0], service);
	object_unref(o);
	o = read_object(root, "wasmplugins/key-auth.internal.yaml");
	consumer = yaml_get(o->u.wasmplugin.config, "consumers")->items;
	assert_bytes(yaml_get(consumer, "credentials")->items->text, consumer_key);
	assert_bytes(o->u.wasmplugin.rules[0].ingress.v[0], "ai-route-default.internal");
	object_unref(o);
	o = read_object(root, "wasmplugins/ai-statistics-2.0.1.yaml");
	object_unref(o);
	o = read_object(root, "ingresses/ai-route-default.internal.yaml");
	assert_int_equal(o->u.ingress.n_rules, 1);
	assert_int_equal(o->u.ingress.rules[0].host.n, 0);
	assert_bytes(o->u.ingress.rules[0].paths[0].path, "/v1");
	assert_true(bytes_starts(
		pairs_get(&o->meta.annotations, "higress.io/destination"), bytes_str(service)));
	object_unref(o);
	o = read_object(root, "configmaps/ai-route-default.yaml");
	object_unref(o);
}

static const struct {
	const char *env, *value, *base_url;
	const char *service;
	const char *registry; /* in mcpbridges/default.yaml */
	const char *entry;    /* in wasmplugins/ai-proxy.internal.yaml */
	const char *reason;
} vendors[] = {
	{"OPENAI_API_KEY", "sk-1", NULL, "llm-openai.internal.dns",
		"  - domain: api.openai.com\n    name: llm-openai.internal\n    port: 443\n"
		"    protocol: https\n    type: dns\n",
		"    - apiTokens:\n      - sk-1\n      failover:\n        enabled: false\n"
		"      id: openai\n      protocol: openai\n      retryOnFailure:\n"
		"        enabled: false\n      type: openai\n",
		"the plain case"},
	{"OPENAI_API_KEY", "sk-1", "http://127.0.0.1:9000/v1", "llm-openai.internal.static",
		"  - domain: 127.0.0.1:9000\n    name: llm-openai.internal\n    port: 80\n"
		"    protocol: http\n    type: static\n",
		"      openaiCustomUrl: http://127.0.0.1:9000/v1\n"
		"      openaiExtraCustomUrls: []\n      protocol: openai\n",
		"another base URL: the key does not go to OpenAI"},
	{"OPENAI_API_KEY", "sk-1", "https://a.com/v1", "llm-openai.internal.dns",
		"  - domain: a.com\n    name: llm-openai.internal\n    port: 443\n",
		"openaiCustomUrl: https://a.com/v1\n", "a name and the scheme's port"},
	{"OPENAI_API_KEY", "12345", NULL, "llm-openai.internal.dns", "api.openai.com",
		"      - \"12345\"\n", "a key that YAML would take for a number is quoted"},
	{"OPENAI_API_KEY", "a#'{b", NULL, "llm-openai.internal.dns", "api.openai.com",
		"      - 'a#''{b'\n", "a key with indicators is quoted"},
	{"DEEPSEEK_API_KEY", "k", NULL, "llm-deepseek.internal.dns", "domain: api.deepseek.com\n",
		"      type: deepseek\n", ""},
	{"DASHSCOPE_API_KEY", "k", NULL, "llm-qwen.internal.dns",
		"domain: dashscope.aliyuncs.com\n",
		"      protocol: openai\n      qwenEnableCompatible: true\n"
		"      qwenEnableSearch: false\n      retryOnFailure:\n",
		"Console always writes both"},
	{"MOONSHOT_API_KEY", "k", NULL, "llm-moonshot.internal.dns", "domain: api.moonshot.cn\n",
		"      type: moonshot\n", ""},
	{"ZHIPUAI_API_KEY", "k", NULL, "llm-zhipuai.internal.dns", "domain: open.bigmodel.cn\n",
		"      type: zhipuai\n      zhipuCodePlanMode: false\n",
		"ordinary keys have no coding plan"},
	{"MINIMAX_API_KEY", "k", NULL, "llm-minimax.internal.dns", "domain: api.minimax.chat\n",
		"      type: minimax\n", ""},
	{"GROQ_API_KEY", "k", NULL, "llm-groq.internal.dns", "domain: api.groq.com\n",
		"      type: groq\n", ""},
	{"OPENROUTER_API_KEY", "k", NULL, "llm-openrouter.internal.dns", "domain: openrouter.ai\n",
		"      type: openrouter\n", ""},
	{"OLLAMA_HOST", "0.0.0.0", NULL, "llm-ollama.internal.static",
		"domain: 127.0.0.1:11434\n    name: llm-ollama.internal\n    port: 80\n"
		"    protocol: http\n    type: static\n",
		"      ollamaServerHost: 127.0.0.1\n      ollamaServerPort: 11434\n",
		"a bind address is reached on loopback"},
	{"OLLAMA_HOST", "http://box.lan:1234/", NULL, "llm-ollama.internal.dns",
		"domain: box.lan\n    name: llm-ollama.internal\n    port: 1234\n",
		"    - failover:\n        enabled: false\n      id: ollama\n"
		"      ollamaServerHost: box.lan\n      ollamaServerPort: 1234\n",
		"a URL; no credential"},
};

static void test_vendors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vendors); i++) {
		struct quickstart q;
		struct fault fault = {0};
		struct place_dir p;
		char bearer[80];

		place_init(&p);
		setenv(vendors[i].env, vendors[i].value, 1);
		if (vendors[i].base_url != NULL) {
			setenv("OPENAI_BASE_URL", vendors[i].base_url, 1);
		}
		assert_string_equal(quickstart_key_env(), vendors[i].env);
		if (quickstart_write(p.root, vendors[i].env, &q, &fault) != 0) {
			fail_msg("%s %s: %s", vendors[i].env, vendors[i].reason, fault.text);
		}
		if (!file_has(p.root, "mcpbridges/default.yaml", vendors[i].registry) ||
			!file_has(p.root, "wasmplugins/ai-proxy.internal.yaml", vendors[i].entry)) {
			fail_msg("%s: %s", vendors[i].env, vendors[i].reason);
		}
		snprintf(bearer, sizeof(bearer), "Bearer %s", q.key);
		check_objects(p.root, vendors[i].service, bearer);
		assert_int_equal(files_below(p.root), QUICKSTART_FILES);
		place_done(&p);
	}
}

static const struct {
	const char *env, *value, *base_url;
	enum err err;
	const char *reason;
} refused[] = {
	{"OPENAI_API_KEY", "sk-1\n", NULL, ERR_SYNTAX, "a line break would split the header"},
	{"OPENAI_API_KEY", "sk 1", NULL, ERR_SYNTAX, "a blank in a key"},
	{"OPENAI_API_KEY", "sk-\xc3\xa9", NULL, ERR_SYNTAX, "not ASCII"},
	{"OPENAI_API_KEY", "sk-1", "a.com/v1", ERR_SYNTAX, "a base URL without scheme"},
	{"OPENAI_API_KEY", "sk-1", "https://a.com/v1?x=1", ERR_SYNTAX, "a query has no place"},
	{"OLLAMA_HOST", "https://box", NULL, ERR_SYNTAX, "ollama is reached by http only"},
	{"OLLAMA_HOST", "box:port", NULL, ERR_SYNTAX, "no port"},
	{"OPENAI_API_KEY", "", NULL, ERR_NOT_FOUND, "an empty variable is none"},
	{"OTHER_API_KEY", "k", NULL, ERR_NOT_FOUND, "a vendor nobody knows"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct fault fault = {0};
		struct quickstart q;
		struct place_dir p;

		place_init(&p);
		setenv(refused[i].env, refused[i].value, 1);
		if (refused[i].base_url != NULL) {
			setenv("OPENAI_BASE_URL", refused[i].base_url, 1);
		}
		if (quickstart_write(p.root, refused[i].env, &q, &fault) != (int)refused[i].err) {
			fail_msg("%s: %s", refused[i].reason, fault.text);
		}
		assert_int_not_equal(strlen(fault.text), 0);
		assert_int_equal(files_below(p.top), 0);
		unsetenv(refused[i].env);
		place_done(&p);
	}
}

static void test_environment(void **state)
{
	(void)state;
	clear_env();
	assert_null(quickstart_key_env());
	setenv("GROQ_API_KEY", "", 1);
	assert_null(quickstart_key_env());
	setenv("GROQ_API_KEY", "k", 1);
	setenv("DEEPSEEK_API_KEY", "k", 1);
	assert_string_equal(quickstart_key_env(), "DEEPSEEK_API_KEY");
	clear_env();
}

static void make_file(const struct place_dir *p, const char *dir, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", p->root, dir);
	assert_int_equal(file_make_dir(path, 0700, NULL), 0);
	snprintf(path, sizeof(path), "%s/%s%s", p->root, dir, file);
	assert_int_equal(file_write_atomic(path, BYTES("x: 1\n"), 0600, NULL), 0);
}

/* Any resource is a reason to write nothing; other files are not. */
static void test_existing(void **state)
{
	struct fault fault = {0};
	struct quickstart q;
	struct place_dir p;

	(void)state;
	place_init(&p);
	setenv("GROQ_API_KEY", "k", 1);
	make_file(&p, "configmaps/", "domain-a.com.yaml");
	assert_int_equal(quickstart_write(p.root, "GROQ_API_KEY", &q, &fault), ERR_EXISTS);
	assert_int_equal(files_below(p.root), 1);
	place_done(&p);

	place_init(&p);
	setenv("GROQ_API_KEY", "k", 1);
	make_file(&p, "", ".console-used");
	make_file(&p, "secrets/", "note.txt");
	assert_int_equal(quickstart_write(p.root, "GROQ_API_KEY", &q, &fault), 0);
	place_done(&p);
}

/* What a process left that was killed while it wrote: half of the files, one of them a temporary. */
static void test_killed(void **state)
{
	struct fault fault = {0};
	struct quickstart q;
	struct place_dir p;
	size_t whole;

	(void)state;
	place_init(&p);
	setenv("GROQ_API_KEY", "k", 1);
	assert_int_equal(quickstart_write(p.root, "GROQ_API_KEY", &q, &fault), 0);
	whole = files_below(p.root);
	assert_int_equal(quickstart_write(p.root, "GROQ_API_KEY", &q, &fault), ERR_EXISTS);
	place_done(&p);

	place_init(&p);
	setenv("GROQ_API_KEY", "k", 1);
	make_file(&p, "", ".quickstart-unfinished");
	make_file(&p, "mcpbridges/", "default.yaml");
	make_file(&p, "wasmplugins/", "ai-proxy.internal.yaml.tmp");
	assert_int_equal(quickstart_write(p.root, "GROQ_API_KEY", &q, &fault), 0);
	assert_int_equal(files_below(p.root), whole);
	assert_true(file_has(p.root, "mcpbridges/default.yaml", "groq"));
	assert_int_equal(quickstart_write(p.root, "GROQ_API_KEY", &q, &fault), ERR_EXISTS);
	place_done(&p);
}

/* A plain file stands where the last directory should be: what was written before is gone again. */
static void test_half_way(void **state)
{
	static const char *const in_the_way[] = {
		"mcpbridges", "wasmplugins", "ingresses", "configmaps"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(in_the_way); i++) {
		struct fault fault = {0};
		struct quickstart q;
		struct place_dir p;

		place_init(&p);
		setenv("GROQ_API_KEY", "k", 1);
		make_file(&p, "", in_the_way[i]);
		assert_int_not_equal(quickstart_write(p.root, "GROQ_API_KEY", &q, &fault), 0);
		assert_int_equal(files_below(p.root), 1);
		place_done(&p);
	}
}

static void test_modes(void **state)
{
	struct fault fault = {0};
	struct quickstart q;
	struct place_dir p;
	struct file_stat st;
	char path[256];

	(void)state;
	place_init(&p);
	setenv("GROQ_API_KEY", "k", 1);
	assert_int_equal(quickstart_write(p.root, "GROQ_API_KEY", &q, &fault), 0);
	assert_int_equal(file_stat(p.root, &st), 0);
	assert_int_equal(st.mode, 0700);
	snprintf(path, sizeof(path), "%s/wasmplugins", p.root);
	assert_int_equal(file_stat(path, &st), 0);
	assert_int_equal(st.mode, 0700);
	snprintf(path, sizeof(path), "%s/wasmplugins/key-auth.internal.yaml", p.root);
	assert_int_equal(file_stat(path, &st), 0);
	assert_int_equal(st.mode, 0600);
	place_done(&p);
}

/* Two starts, two keys: nobody shares one by accident. */
static void test_keys_differ(void **state)
{
	struct quickstart a, b;
	struct place_dir p;

	(void)state;
	place_init(&p);
	setenv("GROQ_API_KEY", "k", 1);
	assert_int_equal(quickstart_write(p.root, "GROQ_API_KEY", &a, NULL), 0);
	place_done(&p);
	place_init(&p);
	setenv("GROQ_API_KEY", "k", 1);
	assert_int_equal(quickstart_write(p.root, "GROQ_API_KEY", &b, NULL), 0);
	place_done(&p);
	assert_string_not_equal(a.key, b.key);
	assert_int_equal(strlen(a.key), strlen("sk-sluice-") + 40);
	assert_memory_equal(a.key, "sk-sluice-", 10);
}

static void test_print(void **state)
{
	const struct quickstart q = {.provider = "groq", .model = "m", .key = "sk-sluice-1"};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	quickstart_print(&q, "0.0.0.0:8080", out);
	quickstart_print(&q, "[::1]:99", out);
	fclose(out);
	assert_non_null(
		strstr(text, "endpoint: http://127.0.0.1:8080/v1\nkey:      sk-sluice-1\n"));
	assert_non_null(strstr(text, "curl http://127.0.0.1:8080/v1/chat/completions"));
	assert_non_null(strstr(text, "curl http://[::1]:99/v1/chat/completions"));
	assert_non_null(strstr(text, "\"model\":\"m\""));
	free(text);
}

/* examples/quickstart is what this code makes of the mock: the example cannot fall behind. */
static void test_example(void **state)
{
	static const struct quickstart_member members[] = {
		{"openaiCustomUrl", "http://127.0.0.1:9000/v1"},
		{"openaiExtraCustomUrls", "[]"},
	};
	const struct quickstart_files q = {
		.provider = "mock",
		.type = "openai",
		.credential = "sk-mock",
		.is_static = true,
		.domain = "127.0.0.1:9000",
		.protocol = "http",
		.members = members,
		.n_members = ARRAY_LEN(members),
		.consumer = "demo",
		.consumer_key = "quickstart-key",
		.route = "quickstart",
		.created = "2026-01-01T00:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < QUICKSTART_FILES; i++) {
		struct text name, content, stored;

		text_init(&name, 256);
		text_init(&content, 65536);
		quickstart_files_make(&q, i, &name, &content);
		read_file("examples/quickstart/resources", text_cstr(&name), &stored);
		assert_string_equal(text_cstr(&stored), text_cstr(&content));
		text_done(&name);
		text_done(&content);
		text_done(&stored);
	}
	assert_int_equal(files_below("examples/quickstart/resources"), QUICKSTART_FILES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vendors),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_existing),
		cmocka_unit_test(test_half_way),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_keys_differ),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests_name("quickstart", tests, NULL, NULL);
}
