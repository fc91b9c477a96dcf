#define _GNU_SOURCE /* memmem */
/*
 * A table for each kind of value: the rows are those of the specification. What depends on other values comes
 * after the tables. Where HiClaw has several names for one thing the first that is set wins, and a secret that
 * no variable gives may be in the secrets file, by the same names.
 */
#include "hiclaw/env.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/num.h"
#include "hiclaw/env_file.h"
#include "hiclaw/names.h"
#include "wire/url.h"

/* HiClaw's containers run as that user. */
#define HOME_OF_HICLAW "/root"
#define NAMES_MAX 3u

static const char *process_get(const struct env_source *s, const char *name)
{
	(void)s;
	return getenv(name);
}

const struct env_source env_of_process = {.get = process_get};

struct reading {
	struct arena *a;
	const struct env_source *from;
	struct env *e;
	struct env_file file; /* the secrets file */
};

/* --- warnings ------------------------------------------------------------------------------------- */

static void warn(struct reading *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void warn(struct reading *r, const char *fmt, ...)
{
	char room[256];
	struct text t;
	va_list ap;

	if (r->e->n_warnings == ENV_WARNINGS_MAX) {
		return;
	}
	text_init_fixed(&t, room, sizeof(room));
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	r->e->warnings[r->e->n_warnings++] = arena_copy(r->a, text_bytes(&t));
}

/* --- values --------------------------------------------------------------------------------------- */

static bool is_clean(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c < ' ' || c == 0x7f) {
			return false;
		}
	}
	return v.n <= ENV_VALUE_MAX;
}

/* Empty: unset, or not to be used. */
static struct bytes get(struct reading *r, const char *name)
{
	struct bytes v = bytes_str(r->from->get(r->from, name));

	if (v.n != 0 && !is_clean(v)) {
		warn(r, "%s holds a control character or is longer than %u bytes: it is ignored",
			name, ENV_VALUE_MAX);
		return BYTES("");
	}
	return v;
}

static struct bytes keep(struct reading *r, struct bytes v)
{
	return arena_copy(r->a, v);
}

static struct bytes keep_joined(struct reading *r, struct bytes x, struct bytes y, struct bytes z)
{
	char room[3 * ENV_VALUE_MAX];
	struct text t;

	text_init_fixed(&t, room, sizeof(room));
	text_add_bytes(&t, x);
	text_add_bytes(&t, y);
	text_add_bytes(&t, z);
	return keep(r, text_bytes(&t));
}

/* --- texts ---------------------------------------------------------------------------------------- */

struct text_row {
	const char *names[NAMES_MAX]; /* the first that is set */
	size_t at;
	const char *usual; /* NULL: empty */
};

#define AT(member) offsetof(struct env, member)

static const struct text_row texts[] = {
	{{"HICLAW_ADMIN_USER"}, AT(admin_user), "admin"},
	{{"HICLAW_CREDS_DIR"}, AT(creds_dir), "/data/worker-creds"},
	{{"HICLAW_AI_GATEWAY_DOMAIN"}, AT(gateway_domain), "aigw-local.hiclaw.io"},
	{{"HICLAW_AI_GATEWAY_URL"}, AT(gateway_url), NULL},
	{{"HICLAW_AI_GATEWAY_ADMIN_URL", "HIGRESS_CONSOLE_URL", "HICLAW_HIGRESS_CONSOLE_URL"},
		AT(admin_url), "http://127.0.0.1:8001"},
	{{"HICLAW_GATEWAY_PROVIDER"}, AT(gateway_provider), "higress"},
	{{"HICLAW_VERSION"}, AT(version), NULL},
	{{"HICLAW_LLM_PROVIDER"}, AT(llm_provider), "qwen"},
	{{"HICLAW_LLM_API_URL", "HICLAW_OPENAI_BASE_URL"}, AT(llm_url), NULL},
	{{"HICLAW_MANAGER_MODEL", "HICLAW_DEFAULT_MODEL"}, AT(default_model), NULL},
	{{"HICLAW_DEFAULT_MODEL"}, AT(boot_model), NULL},
	{{"HICLAW_MANAGER_RUNTIME"}, AT(manager_runtime), "openclaw"},
	{{"HICLAW_DEFAULT_WORKER_RUNTIME"}, AT(worker_runtime), NULL},
	{{"HICLAW_STORAGE_PROVIDER"}, AT(storage_provider), "minio"},
	{{"HICLAW_FS_BUCKET"}, AT(bucket), "hiclaw-storage"},
	{{"HICLAW_MINIO_S3_URL", "HICLAW_FS_ENDPOINT", "HICLAW_MINIO_ENDPOINT"}, AT(s3_endpoint),
		"http://127.0.0.1:9000"},
	{{"HICLAW_FS_DOMAIN"}, AT(fs_domain), "fs-local.hiclaw.io"},
	{{"HICLAW_CONTROLLER_URL"}, AT(controller_url), NULL},
	{{"HICLAW_RUNTIME"}, AT(runtime), NULL},
	{{"HICLAW_KUBE_MODE"}, AT(kube_mode), NULL},
	{{"HICLAW_RESOURCE_PREFIX"}, AT(resource_prefix), "hiclaw-"},
	{{"HICLAW_CONTAINER_SOCKET"}, AT(container_socket), NULL},
	{{"HICLAW_AGENT_FS_DIR"}, AT(agents_dir), HOME_OF_HICLAW "/hiclaw-fs/agents"},
	{{"HICLAW_WORKSPACE_DIR"}, AT(workspace_dir), NULL},
	{{"MONITOR_BIND"}, AT(monitor_bind), NULL},
	{{"SLUICE_BACKUP_DIR"}, AT(backup_dir), NULL},
};

static const struct text_row secrets[] = {
	{{"HICLAW_ADMIN_PASSWORD"}, AT(secrets.admin_password), NULL},
	{{"HICLAW_MANAGER_GATEWAY_KEY", "MANAGER_GATEWAY_KEY"}, AT(secrets.manager_key), NULL},
	{{"HICLAW_LLM_API_KEY"}, AT(secrets.llm_key), NULL},
	{{"HICLAW_FS_ACCESS_KEY"}, AT(secrets.fs_access_key), NULL},
	{{"HICLAW_FS_SECRET_KEY"}, AT(secrets.fs_secret_key), NULL},
	{{"HICLAW_MINIO_USER"}, AT(secrets.minio_user), NULL},
	{{"HICLAW_MINIO_PASSWORD"}, AT(secrets.minio_password), NULL},
	{{"MC_HOST_hiclaw"}, AT(secrets.mc_host), NULL},
};

/* An empty one is meant: "disabled", "do not call". */
static const struct text_row empties[] = {
	{{"HICLAW_EMBEDDING_MODEL"}, AT(embedding_model), "text-embedding-v4"},
	{{"SLUICE_OPENCLAW_RELOAD_URL"}, AT(reload_url), "http://127.0.0.1:18799/api/reload"},
	{{"SLUICE_OPENCLAW_PROBE_URL"}, AT(probe_url), "http://127.0.0.1:18799/healthz"},
};

static struct bytes *text_at(struct env *e, size_t at)
{
	return (struct bytes *)(void *)((char *)e + at);
}

static void read_text(struct reading *r, const struct text_row *row)
{
	struct bytes v = BYTES("");

	for (size_t i = 0; i < NAMES_MAX && row->names[i] != NULL && v.n == 0; i++) {
		v = get(r, row->names[i]);
	}
	*text_at(r->e, row->at) = keep(r, v.n != 0 ? v : bytes_str(row->usual));
}

/* By each name: the variable, then the file. */
static void read_secret(struct reading *r, const struct text_row *row)
{
	struct bytes v = BYTES("");

	for (size_t i = 0; i < NAMES_MAX && row->names[i] != NULL && v.n == 0; i++) {
		v = get(r, row->names[i]);
		v = v.n != 0 ? v : env_file_get(&r->file, bytes_str(row->names[i]));
	}
	*text_at(r->e, row->at) = keep(r, v);
}

static void read_empty(struct reading *r, const struct text_row *row)
{
	bool set = r->from->get(r->from, row->names[0]) != NULL;

	*text_at(r->e, row->at) = keep(r, set ? get(r, row->names[0]) : bytes_str(row->usual));
}

/* --- numbers and words ----------------------------------------------------------------------------- */

static const struct number_row {
	const char *name;
	size_t at;
	uint64_t min, max, usual;
} numbers[] = {
	{"HICLAW_AI_STREAM_IDLE_TIMEOUT_SECONDS", AT(stream_idle_s), 1, 86400, 900},
	{"HICLAW_MODEL_CONTEXT_WINDOW", AT(overrides.context_window), 1, MODEL_CONTEXT_MAX, 0},
	{"HICLAW_MODEL_MAX_TOKENS", AT(overrides.max_tokens), 1, MODEL_CONTEXT_MAX, 0},
	{"HICLAW_WORKER_IDLE_TIMEOUT", AT(idle_timeout_min), 1, 525600, 720},
	{"MONITOR_PORT", AT(monitor_port), 1, 65535, 18080},
	{"SLUICE_BACKUP_KEEP", AT(backup_keep), 1, 100000, 50},
	{"SLUICE_VERIFY_SECONDS", AT(verify_s), 0, 600, ENV_VERIFY_S},
};

static void read_number(struct reading *r, const struct number_row *row)
{
	struct bytes v = get(r, row->name);
	uint64_t *out = (uint64_t *)(void *)((char *)r->e + row->at);
	uint64_t n = row->usual;

	if (v.n != 0 && (!num_parse_u64(v, row->max, &n) || n < row->min)) {
		n = row->usual;
		warn(r, "%s is no whole number from %llu to %llu: it is ignored", row->name,
			(unsigned long long)row->min, (unsigned long long)row->max);
	}
	*out = n;
}

/* The index of the word, 0 when it is unset or none of them. */
static unsigned read_word(struct reading *r, const char *name, const char *const words[3])
{
	struct bytes v = get(r, name);

	for (unsigned i = 0; i < 3; i++) {
		if (bytes_eq(v, bytes_str(words[i]))) {
			return i;
		}
	}
	if (v.n != 0) {
		warn(r, "%s is none of %s, %s, %s: it is taken as %s", name, words[0], words[1],
			words[2], words[0]);
	}
	return 0;
}

/* -1: unset, or no answer. */
static int read_switch(struct reading *r, const char *name)
{
	struct bytes v = get(r, name);

	if (bytes_eq_nocase(v, BYTES("true")) || bytes_eq(v, BYTES("1"))) {
		return 1;
	}
	if (bytes_eq_nocase(v, BYTES("false")) || bytes_eq(v, BYTES("0"))) {
		return 0;
	}
	if (v.n != 0) {
		warn(r, "%s is neither true nor false: it is ignored", name);
	}
	return -1;
}

static void read_words(struct reading *r)
{
	static const char *const apply[] = {"auto", "force", "files-only"};
	static const char *const drift[] = {"reapply", "report", "off"};
	int reasoning = read_switch(r, "HICLAW_MODEL_REASONING");
	int vision = read_switch(r, "HICLAW_MODEL_VISION");

	r->e->backup_keep_set = get(r, "SLUICE_BACKUP_KEEP").n != 0;
	r->e->loopback_read = read_switch(r, "MONITOR_LOOPBACK_READ") == 1;
	r->e->backup_required = read_switch(r, "SLUICE_BACKUP_REQUIRED") != 0;
	r->e->apply = (enum env_apply)read_word(r, "SLUICE_WORKER_APPLY", apply);
	r->e->drift = (enum env_drift)read_word(r, "SLUICE_DRIFT", drift);
	r->e->overrides.reasoning = reasoning < 0 ? MODEL_UNKNOWN
		: reasoning                       ? MODEL_YES
						  : MODEL_NO;
	r->e->overrides.input = vision < 0 ? 0
		: vision                   ? MODEL_INPUT_TEXT | MODEL_INPUT_IMAGE
					   : MODEL_INPUT_TEXT;
}

/* --- what depends on others ------------------------------------------------------------------------ */

/* "<alias>/<bucket>[/<prefix of keys>]": the second element wins over HICLAW_FS_BUCKET. */
static void read_storage_prefix(struct reading *r)
{
	struct bytes rest = get(r, "HICLAW_STORAGE_PREFIX");
	struct bytes bucket;

	bytes_cut(&rest, '/');
	if (rest.p == NULL) {
		return;
	}
	bucket = bytes_cut(&rest, '/');
	if (bucket.n != 0) {
		r->e->bucket = keep(r, bucket);
	}
	while (rest.n > 0 && rest.p[rest.n - 1] == '/') {
		rest.n--;
	}
	if (rest.p != NULL && rest.n != 0) {
		r->e->key_prefix = keep_joined(r, rest, BYTES("/"), BYTES(""));
	}
}

/* S3 never goes through the gateway, whose port some installations write there. */
static void mend_endpoint(struct reading *r)
{
	const struct bytes wrong = BYTES(":8080");
	struct bytes all = r->e->s3_endpoint; /* has a default, so it is not empty */
	const char *scheme = memmem(all.p, all.n, "://", 3);
	const char *host = scheme != NULL ? scheme + 3 : all.p;
	size_t left = all.n - (size_t)(host - all.p);
	const char *slash = memchr(host, '/', left);
	size_t n = slash != NULL ? (size_t)(slash - host) : left;

	if (bytes_ends(bytes_of(host, n), wrong)) {
		struct bytes before = bytes_of(all.p, (size_t)(host + n - all.p) - wrong.n);

		r->e->s3_endpoint =
			keep_joined(r, before, BYTES(":9000"), bytes_of(host + n, left - n));
	}
}

static void default_secrets(struct env *e)
{
	struct env_secrets *s = &e->secrets;

	if (s->fs_access_key.n == 0 || s->fs_secret_key.n == 0) {
		s->fs_access_key = s->fs_secret_key = BYTES("");
	}
	if (s->minio_user.n == 0 || s->minio_password.n == 0) {
		s->minio_user = s->admin_password.n != 0 ? e->admin_user : BYTES("");
		s->minio_password = s->admin_password;
	}
}

static void add_config(struct env *e, struct bytes path)
{
	if (path.n != 0 && e->n_configs < ENV_CONFIGS_MAX) {
		e->configs[e->n_configs++] = path;
	}
}

static void list_configs(struct reading *r)
{
	struct bytes home = get(r, "HOME");

	add_config(r->e, keep(r, get(r, "SLUICE_MANAGER_CONFIG")));
	add_config(r->e, keep(r, get(r, "OPENCLAW_CONFIG_PATH")));
	add_config(r->e, keep(r, BYTES(HOME_OF_HICLAW "/manager-workspace/openclaw.json")));
	add_config(
		r->e, keep_joined(r, r->e->agents_dir, BYTES("/manager/openclaw.json"), BYTES("")));
	if (home.n != 0) {
		add_config(r->e, keep_joined(r, home, BYTES("/openclaw.json"), BYTES("")));
	}
	if (r->e->workspace_dir.n == 0 && home.n != 0) {
		r->e->workspace_dir = keep_joined(r, home, BYTES("/hiclaw-manager"), BYTES(""));
	}
}

/* --- files ------------------------------------------------------------------------------------------ */

/* Trimmed, in the arena; empty when the file is not there. */
static struct bytes read_line_of(struct reading *r, const char *path, const char *what)
{
	struct bytes v = BYTES("");
	struct fault fault = {0};
	struct text t;
	int rc;

	text_init(&t, ENV_TOKEN_MAX);
	rc = file_read(path, ENV_TOKEN_MAX, &t, NULL, &fault);
	while (t.n > 0 && (t.p[t.n - 1] == '\n' || t.p[t.n - 1] == '\r')) {
		t.n--;
	}
	v = bytes_trim(text_bytes(&t));
	if (rc == 0 && !is_clean(v)) {
		warn(r, "%s in %.100s has several lines or is too long: it is not used", what,
			path);
		v = BYTES("");
	} else if (rc != 0 && rc != ERR_NOT_FOUND) {
		warn(r, "%s is not known: %s", what, fault.text);
		v = BYTES("");
	}
	v = rc == 0 ? keep(r, v) : BYTES("");
	text_done(&t);
	return v;
}

static const char *or_usual(const char *path, const char *usual)
{
	return path != NULL ? path : usual;
}

static void read_secrets_file(struct reading *r)
{
	const char *path = or_usual(r->from->secrets, "/data/hiclaw-secrets.env");
	struct fault fault = {0};
	struct text t;
	int rc;

	text_init(&t, ENV_FILE_TEXT_MAX);
	rc = file_read(path, ENV_FILE_TEXT_MAX, &t, NULL, &fault);
	rc = rc != 0 ? rc : env_file_read(r->a, text_bytes(&t), &r->file, &fault);
	if (rc == 0 && r->file.bad_lines != 0) {
		warn(r, "%.100s has %zu lines that are no KEY=VALUE, the first is %zu", path,
			r->file.bad_lines, r->file.first_bad);
	} else if (rc != 0 && rc != ERR_NOT_FOUND) {
		warn(r, "secrets are not read: %s", fault.text);
	}
	text_done(&t);
}

/* HICLAW_AUTH_TOKEN, HICLAW_AUTH_TOKEN_FILE, HICLAW_WORKER_API_KEY. */
static void read_controller_token(struct reading *r)
{
	struct bytes token = get(r, "HICLAW_AUTH_TOKEN");
	struct bytes file = get(r, "HICLAW_AUTH_TOKEN_FILE");

	if (token.n != 0) {
		token = keep(r, token);
	} else {
		token = read_line_of(r,
			file.n != 0 ? file.p
				    : or_usual(r->from->token, "/var/run/hiclaw/cli-token"),
			"the controller's token");
	}
	r->e->secrets.controller_token =
		token.n != 0 ? token : keep(r, get(r, "HICLAW_WORKER_API_KEY"));
}

static void read_runtime(struct reading *r)
{
	const char *socket = or_usual(r->from->docker_socket, "/var/run/docker.sock");
	struct file_stat st = {.exists = false};
	bool is_there = file_stat(socket, &st) == 0 && st.exists && !st.is_dir && !st.is_regular;

	if (r->e->runtime.n == 0) {
		r->e->runtime = is_there ? BYTES("docker") : BYTES("none");
	}
	if (r->e->container_socket.n == 0 && is_there) {
		r->e->container_socket = keep(r, bytes_str(socket));
	}
}

/* --- all of it ---------------------------------------------------------------------------------------- */

static void default_texts(struct reading *r)
{
	struct env *e = r->e;

	if (e->gateway_url.n == 0) {
		e->gateway_url =
			keep_joined(r, BYTES("http://"), e->gateway_domain, BYTES(":8080"));
	}
	while (bytes_ends(e->gateway_url, BYTES("/"))) { /* agents get it with /v1 behind it */
		e->gateway_url.n--;
	}
	if (e->version.n == 0) {
		e->version = read_line_of(r,
			or_usual(r->from->version, "/opt/hiclaw/agent/.builtin-version"),
			"HiClaw's version");
	}
	if (e->version.n == 0) {
		e->version = BYTES("latest");
	}
	e->default_model_set = e->default_model.n != 0;
	if (!e->default_model_set) {
		e->default_model = BYTES("qwen3.6-plus");
	}
	e->controller_url_set = e->controller_url.n != 0;
	if (!e->controller_url_set) {
		e->controller_url = BYTES("http://hiclaw-controller:8090");
	}
}

static void read_secrets(struct reading *r)
{
	read_secrets_file(r);
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		read_secret(r, &secrets[i]);
	}
	default_secrets(r->e);
	read_controller_token(r);
}

void env_read(struct arena *a, const struct env_source *from, struct env *out)
{
	struct env e = {.n_warnings = 0};
	struct reading r = {.a = a, .from = from, .e = &e};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		read_text(&r, &texts[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(empties); i++) {
		read_empty(&r, &empties[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		read_number(&r, &numbers[i]);
	}
	read_words(&r);
	default_texts(&r);
	read_storage_prefix(&r);
	mend_endpoint(&r);
	list_configs(&r);
	read_runtime(&r);
	read_secrets(&r);
	*out = e;
}

void env_read_secrets(struct arena *a, const struct env_source *from, struct env *e)
{
	struct reading r = {.a = a, .from = from, .e = e};

	e->n_warnings = 0;
	read_secrets(&r);
}

struct bytes env_manager_config(const struct env *e)
{
	for (size_t i = 0; i < e->n_configs; i++) {
		struct file_stat st;

		if (file_stat(e->configs[i].p, &st) == 0 && st.is_regular) {
			return e->configs[i];
		}
	}
	return BYTES("");
}

/* --- Workers ------------------------------------------------------------------------------------------ */

int env_read_worker(struct arena *a, struct bytes creds_dir, struct bytes worker,
	struct env_worker *out, struct fault *fault)
{
	struct env_file f = {.n = 0};
	char path[4096];
	struct text name, t;
	int rc;

	if (!names_is_worker(worker)) {
		return fault_set(fault, ERR_REFUSED, 400, 0, "that is no name of a Worker");
	}
	text_init_fixed(&name, path, sizeof(path) - 1);
	text_addf(&name, BYTES_FMT "/" BYTES_FMT ".env", BYTES_ARG(creds_dir), BYTES_ARG(worker));
	if (text_full(&name)) {
		return fault_set(fault, ERR_LIMIT, 0, 0, "HICLAW_CREDS_DIR is too long");
	}
	path[name.n] = '\0';
	text_init(&t, ENV_FILE_TEXT_MAX);
	rc = file_read(path, ENV_FILE_TEXT_MAX, &t, NULL, fault);
	rc = rc != 0 ? rc : env_file_read(a, text_bytes(&t), &f, fault);
	if (rc == 0) {
		*out = (struct env_worker){
			.password = env_file_get(&f, BYTES("WORKER_PASSWORD")),
			.minio_password = env_file_get(&f, BYTES("WORKER_MINIO_PASSWORD")),
			.gateway_key = env_file_get(&f, BYTES("WORKER_GATEWAY_KEY")),
			.matrix_token = env_file_get(&f, BYTES("WORKER_MATRIX_TOKEN")),
		};
	}
	text_done(&t);
	return rc;
}
