#include "cli/quickstart.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include "base/random.h"
#include "cli/quickstart_files.h"
#include "net/sys.h"
#include "wire/url.h"

#define PATH_BYTES_MAX 4096u
/* Stands in the root while files are written: whoever was killed meanwhile left half of them, which the
 * next start must not take for somebody's resources. */
#define MARK "/.quickstart-unfinished"
/* The largest file is below 4 KB. */
#define CONTENT_BYTES_MAX 65536u
#define KEY_PREFIX "sk-sluice-"
#define KEY_RANDOM_BYTES 20u
#define CREDENTIAL_BYTES_MAX 4096u
#define MEMBERS_MAX 2u
#define OLLAMA_PORT 11434u

/* What a variable stands for. Order is preference when several are set. */
struct vendor {
	const char *env;
	const char *type;    /* also the provider's name */
	const char *host;    /* NULL: in the variable itself (ollama) */
	const char *url_env; /* variable with another base URL (openaiCustomUrl); NULL: none */
	const char *model;
	struct quickstart_member members[MEMBERS_MAX]; /* what Console always adds */
};

static const struct vendor vendors[] = {
	{"OPENAI_API_KEY", "openai", "api.openai.com", "OPENAI_BASE_URL", "gpt-4o-mini", {{0}}},
	{"DEEPSEEK_API_KEY", "deepseek", "api.deepseek.com", NULL, "deepseek-chat", {{0}}},
	{"DASHSCOPE_API_KEY", "qwen", "dashscope.aliyuncs.com", NULL, "qwen-plus",
		{{"qwenEnableCompatible", "true"}, {"qwenEnableSearch", "false"}}},
	{"MOONSHOT_API_KEY", "moonshot", "api.moonshot.cn", NULL, "moonshot-v1-8k", {{0}}},
	/* Console's default is the coding plan's path, which refuses ordinary keys. */
	{"ZHIPUAI_API_KEY", "zhipuai", "open.bigmodel.cn", NULL, "glm-4-flash",
		{{"zhipuCodePlanMode", "false"}}},
	{"MINIMAX_API_KEY", "minimax", "api.minimax.chat", NULL, "MiniMax-Text-01", {{0}}},
	{"GROQ_API_KEY", "groq", "api.groq.com", NULL, "llama-3.1-8b-instant", {{0}}},
	{"OPENROUTER_API_KEY", "openrouter", "openrouter.ai", NULL, "openai/gpt-4o-mini", {{0}}},
	{"OLLAMA_HOST", "ollama", NULL, NULL, "llama3.2", {{0}}},
};

static const char *env_value(const char *name)
{
	const char *value = name != NULL ? getenv(name) : NULL;

	return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *quickstart_key_env(void)
{
	for (size_t i = 0; i < ARRAY_LEN(vendors); i++) {
		if (env_value(vendors[i].env) != NULL) {
			return vendors[i].env;
		}
	}
	return NULL;
}

static const struct vendor *find_vendor(const char *env)
{
	for (size_t i = 0; i < ARRAY_LEN(vendors); i++) {
		if (strcmp(vendors[i].env, env) == 0) {
			return &vendors[i];
		}
	}
	return NULL;
}

/* --- what to write ------------------------------------------------------------------------------ */

/* The files' facts with the memory they point into. */
struct draft {
	struct quickstart_files files;
	struct quickstart_member members[MEMBERS_MAX];
	struct text domain, url, host, port; /* storage of members and domain */
	char created[CLOCK_ISO_LEN + 1];
};

static void draft_init(struct draft *d)
{
	*d = (struct draft){.files = {.port = 443, .protocol = "https"}};
	text_init(&d->domain, PATH_BYTES_MAX);
	text_init(&d->url, PATH_BYTES_MAX);
	text_init(&d->host, PATH_BYTES_MAX);
	text_init(&d->port, PATH_BYTES_MAX);
}

static void draft_done(struct draft *d)
{
	text_done(&d->domain);
	text_done(&d->url);
	text_done(&d->host);
	text_done(&d->port);
}

/* A literal address makes a static registry, a name one of type dns (higress-resources §3.2.2). */
static void set_registry(struct draft *d, struct bytes host, uint16_t port)
{
	struct sys_addr addr;

	d->files.is_static = sys_addr_parse(&addr, host.p, host.n, port) == 0;
	d->files.port = port;
	text_add_bytes(&d->domain, host);
	if (d->files.is_static) {
		text_addf(&d->domain, ":%u", port);
	}
	d->files.domain = text_cstr(&d->domain);
}

static int set_custom_url(struct draft *d, const char *name, const char *value, struct fault *fault)
{
	struct url url;
	bool https;

	if (url_parse(&url, bytes_str(value), fault) != 0 || url.host.n == 0 ||
		url.query.p != NULL) {
		return fault_set(fault, ERR_SYNTAX, 0, 0,
			"%s is no http or https URL without query; correct or unset it", name);
	}
	https = bytes_eq_nocase(url.scheme, BYTES("https"));
	d->files.protocol = https ? "https" : "http";
	set_registry(d, url.host, url.port != 0 ? url.port : https ? 443 : 80);
	quickstart_files_scalar(&d->url, bytes_str(value));
	d->members[0] = (struct quickstart_member){"openaiCustomUrl", text_cstr(&d->url)};
	d->members[1] = (struct quickstart_member){"openaiExtraCustomUrls", "[]"};
	return 0;
}

/* OLLAMA_HOST as its own tools read it: "host", "host:port", "http://host:port"; the address that a
 * server binds to all interfaces with is reached on loopback. */
static int set_ollama(struct draft *d, const char *value, struct fault *fault)
{
	struct bytes text = bytes_str(value);
	struct bytes host;
	uint16_t port;

	if (bytes_starts_nocase(text, BYTES("http://"))) {
		text = bytes_of(text.p + 7, text.n - 7);
	}
	if (text.n != 0 && text.p[text.n - 1] == '/') {
		text.n--;
	}
	if (url_parse_authority(text, &host, &port) != 0) {
		return fault_set(fault, ERR_SYNTAX, 0, 0,
			"OLLAMA_HOST is no host or host:port reached by http; correct or unset it");
	}
	if (bytes_eq(host, BYTES("0.0.0.0"))) {
		host = BYTES("127.0.0.1");
	}
	port = port != 0 ? port : OLLAMA_PORT;
	d->files.protocol = "http";
	set_registry(d, host, port);
	quickstart_files_scalar(&d->host, host);
	text_add_u64(&d->port, port);
	d->members[0] = (struct quickstart_member){"ollamaServerHost", text_cstr(&d->host)};
	d->members[1] = (struct quickstart_member){"ollamaServerPort", text_cstr(&d->port)};
	return 0;
}

/* A credential goes into a header field and into YAML: printable, no blanks. */
static int set_credential(struct draft *d, const char *name, const char *value, struct fault *fault)
{
	size_t n = strlen(value);
	bool ok = n <= CREDENTIAL_BYTES_MAX;

	for (size_t i = 0; i < n && ok; i++) {
		ok = value[i] > ' ' && value[i] < 0x7f;
	}
	if (!ok) {
		return fault_set(fault, ERR_SYNTAX, 0, 0,
			"%s holds characters that no key has (a line break at its end?)", name);
	}
	d->files.credential = value;
	return 0;
}

static int fill_draft(struct draft *d, const struct vendor *v, struct fault *fault)
{
	const char *value = env_value(v->env);
	const char *url = env_value(v->url_env);
	int rc = 0;

	memcpy(d->members, v->members, sizeof(d->members));
	d->files.provider = d->files.type = v->type;
	if (v->host == NULL) {
		rc = set_ollama(d, value, fault);
	} else {
		rc = set_credential(d, v->env, value, fault);
		if (rc == 0 && url != NULL) {
			rc = set_custom_url(d, v->url_env, url, fault);
		} else if (rc == 0) {
			set_registry(d, bytes_str(v->host), 443);
		}
	}
	while (d->files.n_members < MEMBERS_MAX && d->members[d->files.n_members].key != NULL) {
		d->files.n_members++;
	}
	d->files.members = d->members;
	return rc;
}

static void make_key(char out[QUICKSTART_KEY_MAX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char secret[KEY_RANDOM_BYTES];
	size_t n = sizeof(KEY_PREFIX) - 1;

	static_assert(sizeof(KEY_PREFIX) + 2 * KEY_RANDOM_BYTES <= QUICKSTART_KEY_MAX, "room");
	random_secret(secret, sizeof(secret));
	memcpy(out, KEY_PREFIX, n);
	for (size_t i = 0; i < sizeof(secret); i++) {
		out[n++] = digits[secret[i] >> 4];
		out[n++] = digits[secret[i] & 15];
	}
	out[n] = '\0';
}

/* --- writing ------------------------------------------------------------------------------------ */

struct look {
	const char *dir;
	bool found;
};

static bool look_at_file(void *arg, const char *name)
{
	struct look *look = arg;

	look->found = bytes_ends(bytes_str(name), BYTES(".yaml"));
	return !look->found;
}

static bool look_into_dir(void *arg, const char *name)
{
	struct look *look = arg;
	struct file_stat st;
	struct text path;

	text_init(&path, PATH_BYTES_MAX);
	text_addf(&path, "%s/%s", look->dir, name);
	if (file_stat(text_cstr(&path), &st) == 0 && st.is_dir) {
		/* One that cannot be read cannot be written either: that tells. */
		IGNORE(file_list(text_cstr(&path), look_at_file, look, NULL));
	}
	text_done(&path);
	return !look->found;
}

static bool is_unfinished(const char *root)
{
	struct file_stat st = {0};
	struct text path;

	text_init(&path, PATH_BYTES_MAX);
	text_addf(&path, "%s" MARK, root);
	IGNORE(file_stat(text_cstr(&path), &st)); /* what cannot be told is not there */
	text_done(&path);
	return st.is_regular;
}

/* Whether there is any resource that is not left from a start that was cut; ERR_EXISTS then. */
static int check_empty(const char *root, struct fault *fault)
{
	struct look look = {root, false};
	struct file_stat st;
	int rc = file_stat(root, &st);

	if (rc == 0 && st.exists && !is_unfinished(root)) {
		rc = file_list(root, look_into_dir, &look, fault);
	}
	if (rc == 0 && look.found) {
		rc = fault_set(fault, ERR_EXISTS, 0, 0, "%.100s holds resources already", root);
	}
	return rc;
}

static int write_file(
	const char *root, const struct text *name, const struct text *content, struct fault *fault)
{
	struct bytes file = text_bytes(name);
	struct bytes kind = bytes_cut(&file, '/');
	struct text path;
	int rc;

	text_init(&path, PATH_BYTES_MAX);
	text_addf(&path, "%s/" BYTES_FMT, root, BYTES_ARG(kind));
	rc = file_make_dir(text_cstr(&path), 0700, fault);
	text_addf(&path, "/" BYTES_FMT, BYTES_ARG(file));
	if (rc == 0 && text_full(&path)) {
		rc = fault_set(fault, ERR_LIMIT, 0, 0, "the path of the resources is too long");
	}
	if (rc == 0) {
		rc = file_write_atomic(text_cstr(&path), text_bytes(content), 0600, fault);
	}
	text_done(&path);
	return rc;
}

static void remove_file(const char *root, const struct text *name)
{
	struct text path;

	text_init(&path, PATH_BYTES_MAX);
	text_addf(&path, "%s/" BYTES_FMT, root, BYTES_ARG(text_bytes(name)));
	IGNORE(file_remove(text_cstr(&path))); /* undoing: there is nobody to tell */
	text_done(&path);
}

static int begin_writing(const char *root, struct fault *fault)
{
	struct text path;
	int rc = file_make_dir(root, 0700, fault);

	text_init(&path, PATH_BYTES_MAX);
	text_addf(&path, "%s" MARK, root);
	if (rc == 0 && text_full(&path)) {
		rc = fault_set(fault, ERR_LIMIT, 0, 0, "the path of the resources is too long");
	}
	if (rc == 0) {
		rc = file_write_atomic(text_cstr(&path), BYTES(""), 0600, fault);
	}
	text_done(&path);
	return rc;
}

static void end_writing(const char *root)
{
	struct text path;

	text_init(&path, PATH_BYTES_MAX);
	text_addf(&path, "%s" MARK, root);
	IGNORE(file_remove(text_cstr(&path))); /* then the next start writes all of it again */
	text_done(&path);
}

/* All files or none: what was written before one failed, and that one, is removed. */
static int write_files(const char *root, const struct quickstart_files *q, struct fault *fault)
{
	struct text name, content;
	size_t done = 0;
	int rc = begin_writing(root, fault);

	text_init(&name, PATH_BYTES_MAX);
	text_init(&content, CONTENT_BYTES_MAX);
	for (; done < QUICKSTART_FILES && rc == 0; done++) {
		text_clear(&name);
		text_clear(&content);
		quickstart_files_make(q, done, &name, &content);
		ASSERT(!text_full(&name) && !text_full(&content));
		rc = write_file(root, &name, &content, fault);
	}
	while (rc != 0 && done > 0) {
		text_clear(&name);
		text_clear(&content);
		quickstart_files_make(q, --done, &name, &content);
		remove_file(root, &name);
	}
	text_done(&name);
	text_done(&content);
	end_writing(root);
	return rc;
}

int quickstart_write(
	const char *resources_dir, const char *key_env, struct quickstart *out, struct fault *fault)
{
	const struct vendor *v = find_vendor(key_env);
	struct quickstart made;
	struct draft d;
	int rc;

	if (v == NULL || env_value(key_env) == NULL) {
		return fault_set(fault, ERR_NOT_FOUND, 0, 0, "no key in %.60s", key_env);
	}
	rc = check_empty(resources_dir, fault);
	if (rc != 0) {
		return rc;
	}
	made = (struct quickstart){.provider = v->type, .model = v->model};
	make_key(made.key);
	draft_init(&d);
	clock_format_iso(d.created, clock_wall_ms());
	memcpy(d.created + sizeof("2026-01-01T00:00:00") - 1, "Z", 2); /* Higress: whole seconds */
	d.files.created = d.created;
	d.files.consumer = d.files.route = "default";
	d.files.consumer_key = made.key;
	rc = fill_draft(&d, v, fault);
	rc = rc == 0 ? write_files(resources_dir, &d.files, fault) : rc;
	draft_done(&d);
	if (rc == 0) {
		*out = made;
	}
	return rc;
}

void quickstart_print(const struct quickstart *q, const char *address, FILE *out)
{
	struct bytes at = bytes_str(address);
	bool any = bytes_starts(at, BYTES("0.0.0.0:"));

	fprintf(out, "endpoint: http://%s%s/v1\nkey:      %s\n", any ? "127.0.0.1:" : "",
		any ? address + 8 : address, q->key);
	fprintf(out,
		"curl http://%s%s/v1/chat/completions -H 'Authorization: Bearer %s' "
		"-H 'Content-Type: application/json' "
		"-d '{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n",
		any ? "127.0.0.1:" : "", any ? address + 8 : address, q->key, q->model);
}
