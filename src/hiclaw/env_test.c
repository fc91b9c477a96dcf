#define _GNU_SOURCE /* memmem */
#include "hiclaw/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "hiclaw/env_file.h"

/* Variables are written as a file has them. */
struct world {
	struct env_source source;
	struct arena arena;
	struct env_file vars;
	char dir[64];
	char secrets[96], token[96], version[96], socket[96];
	struct env env;
};

static const char *world_get(const struct env_source *s, const char *name)
{
	const struct world *w = (const void *)s; /* its first member */

	for (size_t i = w->vars.n; i > 0; i--) {
		if (bytes_eq(w->vars.v[i - 1].key, bytes_str(name))) {
			return w->vars.v[i - 1].value.p;
		}
	}
	return NULL;
}

static void put(const char *path, const char *content)
{
	assert_int_equal(file_write_atomic(path, bytes_str(content), 0600, NULL), 0);
}

static void world_init(struct world *w)
{
	*w = (struct world){.vars = {.n = 0}};
	arena_init(&w->arena, 1 << 22);
	snprintf(w->dir, sizeof(w->dir), "/tmp/env-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->secrets, sizeof(w->secrets), "%s/secrets.env", w->dir);
	snprintf(w->token, sizeof(w->token), "%s/token", w->dir);
	snprintf(w->version, sizeof(w->version), "%s/version", w->dir);
	snprintf(w->socket, sizeof(w->socket), "%s/socket", w->dir);
	w->source = (struct env_source){world_get, w->secrets, w->token, w->version, w->socket};
}

static void world_done(struct world *w)
{
	IGNORE(file_remove(w->secrets)); /* not all tests make all of them */
	IGNORE(file_remove(w->token));
	IGNORE(file_remove(w->version));
	IGNORE(file_remove(w->socket));
	assert_int_equal(file_remove_dir(w->dir), 0);
	arena_done(&w->arena);
}

static void world_read(struct world *w, const char *vars)
{
	struct fault f = {0};

	assert_int_equal(env_file_read(&w->arena, bytes_str(vars), &w->vars, &f), 0);
	assert_int_equal(w->vars.bad_lines, 0);
	env_read(&w->arena, &w->source, &w->env);
}

enum kind { TEXT, NUMBER, WORD, FLAG };
#define T(member) TEXT, offsetof(struct env, member)
#define N(member) NUMBER, offsetof(struct env, member)
#define W(member) WORD, offsetof(struct env, member)
#define F(member) FLAG, offsetof(struct env, member)

static const struct row {
	const char *vars;
	enum kind kind;
	size_t at;
	const char *expect;
	const char *reason;
} rows[] = {
	/* 3.1 */
	{"", T(admin_user), "admin", "default"},
	{"HICLAW_ADMIN_USER=root", T(admin_user), "root", "given"},
	{"HICLAW_ADMIN_USER=", T(admin_user), "admin", "empty is unset"},
	{"", T(secrets.admin_password), "", "no built-in password"},
	{"HICLAW_ADMIN_PASSWORD='a b'", T(secrets.admin_password), "a b", "given"},
	{"", T(secrets.manager_key), "", "unknown"},
	{"MANAGER_GATEWAY_KEY=m", T(secrets.manager_key), "m", "the plugin's name"},
	{"MANAGER_GATEWAY_KEY=m\nHICLAW_MANAGER_GATEWAY_KEY=h", T(secrets.manager_key), "h",
		"HiClaw's name wins"},
	{"", T(creds_dir), "/data/worker-creds", "default"},
	{"HICLAW_CREDS_DIR=/c", T(creds_dir), "/c", "given"},
	/* 3.2 */
	{"", T(gateway_domain), "aigw-local.hiclaw.io", "default"},
	{"", T(gateway_url), "http://aigw-local.hiclaw.io:8080", "default, of the domain"},
	{"HICLAW_AI_GATEWAY_DOMAIN=g.example", T(gateway_url), "http://g.example:8080",
		"follows the domain"},
	{"HICLAW_AI_GATEWAY_URL=http://x", T(gateway_url), "http://x", "given"},
	{"HICLAW_AI_GATEWAY_URL=http://x/a/", T(gateway_url), "http://x/a",
		"a slash at the end would be two in front of v1"},
	{"", T(admin_url), "http://127.0.0.1:8001", "default"},
	{"HICLAW_HIGRESS_CONSOLE_URL=http://c", T(admin_url), "http://c", "the third name"},
	{"HICLAW_HIGRESS_CONSOLE_URL=http://c\nHIGRESS_CONSOLE_URL=http://b", T(admin_url),
		"http://b", "the second wins over the third"},
	{"HICLAW_AI_GATEWAY_ADMIN_URL=http://a\nHIGRESS_CONSOLE_URL=http://b", T(admin_url),
		"http://a", "the first wins"},
	{"", T(gateway_provider), "higress", "default"},
	{"HICLAW_GATEWAY_PROVIDER=ai-gateway", T(gateway_provider), "ai-gateway", "cloud"},
	{"", N(stream_idle_s), "900", "default"},
	{"HICLAW_AI_STREAM_IDLE_TIMEOUT_SECONDS=60", N(stream_idle_s), "60", "given"},
	{"HICLAW_AI_STREAM_IDLE_TIMEOUT_SECONDS=-1", N(stream_idle_s), "900", "no number"},
	{"", T(version), "latest", "default"},
	{"HICLAW_VERSION=1.1.2", T(version), "1.1.2", "given"},
	/* 3.3 */
	{"", T(llm_provider), "qwen", "default"},
	{"HICLAW_LLM_PROVIDER=openai-compat", T(llm_provider), "openai-compat", "given"},
	{"HICLAW_LLM_API_KEY=k", T(secrets.llm_key), "k", "given"},
	{"", T(llm_url), "", "unknown"},
	{"HICLAW_OPENAI_BASE_URL=http://o", T(llm_url), "http://o", "the second name"},
	{"HICLAW_OPENAI_BASE_URL=http://o\nHICLAW_LLM_API_URL=http://l", T(llm_url), "http://l",
		"the first name wins"},
	{"", T(default_model), "qwen3.6-plus", "default, as in code"},
	{"", F(default_model_set), "0", "nobody gave it"},
	{"HICLAW_DEFAULT_MODEL=d", T(default_model), "d", "given"},
	{"HICLAW_DEFAULT_MODEL=d\nHICLAW_MANAGER_MODEL=m", T(boot_model), "d",
		"what the Manager's start sets, whatever the controller begins with"},
	{"HICLAW_DEFAULT_MODEL=d", F(default_model_set), "1", "somebody gave it"},
	{"HICLAW_DEFAULT_MODEL=d\nHICLAW_MANAGER_MODEL=m", T(default_model), "m",
		"the controller's wins"},
	{"", T(embedding_model), "text-embedding-v4", "default"},
	{"HICLAW_EMBEDDING_MODEL=", T(embedding_model), "", "empty means disabled"},
	{"", N(overrides.context_window), "0", "unknown"},
	{"HICLAW_MODEL_CONTEXT_WINDOW=1000", N(overrides.context_window), "1000", "given"},
	{"HICLAW_MODEL_CONTEXT_WINDOW=100000001", N(overrides.context_window), "0", "too large"},
	{"HICLAW_MODEL_MAX_TOKENS=0", N(overrides.max_tokens), "0", "too small"},
	{"", W(overrides.reasoning), "0", "unknown"},
	{"HICLAW_MODEL_REASONING=true", W(overrides.reasoning), "2", "yes"},
	{"HICLAW_MODEL_REASONING=False", W(overrides.reasoning), "1", "no, as Python writes it"},
	{"HICLAW_MODEL_REASONING=perhaps", W(overrides.reasoning), "0", "no answer"},
	{"HICLAW_MODEL_VISION=1", W(overrides.input), "3", "text and images"},
	{"HICLAW_MODEL_VISION=false", W(overrides.input), "1", "text"},
	{"", T(manager_runtime), "openclaw", "default, as in code"},
	{"HICLAW_MANAGER_RUNTIME=copaw", T(manager_runtime), "copaw", "given"},
	{"HICLAW_DEFAULT_WORKER_RUNTIME=hermes", T(worker_runtime), "hermes", "given"},
	/* 3.4 */
	{"", T(storage_provider), "minio", "default"},
	{"HICLAW_STORAGE_PROVIDER=oss", T(storage_provider), "oss", "given"},
	{"", T(bucket), "hiclaw-storage", "default"},
	{"HICLAW_FS_BUCKET=hiclaw", T(bucket), "hiclaw", "given"},
	{"", T(key_prefix), "", "none"},
	{"HICLAW_STORAGE_PREFIX=hiclaw/mybucket/pre", T(bucket), "mybucket", "HI-30"},
	{"HICLAW_STORAGE_PREFIX=hiclaw/mybucket/pre", T(key_prefix), "pre/", "HI-30"},
	{"HICLAW_STORAGE_PREFIX=hiclaw/b/x/y//", T(key_prefix), "x/y/", "one slash at the end"},
	{"HICLAW_STORAGE_PREFIX=hiclaw/b", T(key_prefix), "", "alias and bucket only"},
	{"HICLAW_STORAGE_PREFIX=hiclaw/b/", T(key_prefix), "", "nothing behind the slash"},
	{"HICLAW_STORAGE_PREFIX=hiclaw\nHICLAW_FS_BUCKET=f", T(bucket), "f", "an alias alone"},
	{"HICLAW_STORAGE_PREFIX=hiclaw//p\nHICLAW_FS_BUCKET=f", T(bucket), "f", "no bucket in it"},
	{"HICLAW_STORAGE_PREFIX=hiclaw/b\nHICLAW_FS_BUCKET=f", T(bucket), "b",
		"the prefix is what mc uses"},
	{"", T(s3_endpoint), "http://127.0.0.1:9000", "default"},
	{"HICLAW_MINIO_ENDPOINT=http://c", T(s3_endpoint), "http://c", "the third name"},
	{"HICLAW_MINIO_ENDPOINT=http://c\nHICLAW_FS_ENDPOINT=http://b", T(s3_endpoint), "http://b",
		"the second name"},
	{"HICLAW_FS_ENDPOINT=http://b\nHICLAW_MINIO_S3_URL=http://a", T(s3_endpoint), "http://a",
		"the first name"},
	{"HICLAW_FS_ENDPOINT=http://fs-local.hiclaw.io:8080", T(s3_endpoint),
		"http://fs-local.hiclaw.io:9000", "HI-29"},
	{"HICLAW_FS_ENDPOINT=http://h:8080/x:8080", T(s3_endpoint), "http://h:9000/x:8080",
		"the port, not the path"},
	{"HICLAW_FS_ENDPOINT=h:8080", T(s3_endpoint), "h:9000", "without a scheme"},
	{"HICLAW_FS_ENDPOINT=http://h:18080", T(s3_endpoint), "http://h:18080", "another port"},
	{"HICLAW_FS_ACCESS_KEY=a\nHICLAW_FS_SECRET_KEY=s", T(secrets.fs_access_key), "a", "both"},
	{"HICLAW_FS_ACCESS_KEY=a", T(secrets.fs_access_key), "", "half a pair is none"},
	{"HICLAW_FS_SECRET_KEY=s", T(secrets.fs_secret_key), "", "half a pair is none"},
	{"HICLAW_ADMIN_PASSWORD=p", T(secrets.minio_user), "admin", "root is the administrator"},
	{"HICLAW_ADMIN_PASSWORD=p", T(secrets.minio_password), "p", "root is the administrator"},
	{"", T(secrets.minio_user), "", "no password, no user"},
	{"HICLAW_MINIO_USER=u\nHICLAW_MINIO_PASSWORD=q\nHICLAW_ADMIN_PASSWORD=p",
		T(secrets.minio_password), "q", "given"},
	{"MC_HOST_hiclaw=http://a:b@h", T(secrets.mc_host), "http://a:b@h", "as it is"},
	{"", T(fs_domain), "fs-local.hiclaw.io", "default"},
	/* 3.5 */
	{"", T(controller_url), "http://hiclaw-controller:8090", "default"},
	{"", F(controller_url_set), "0", "only when the name resolves"},
	{"HICLAW_CONTROLLER_URL=http://c:1", T(controller_url), "http://c:1", "given"},
	{"HICLAW_CONTROLLER_URL=http://c:1", F(controller_url_set), "1", "attached"},
	{"HICLAW_AUTH_TOKEN=t\nHICLAW_WORKER_API_KEY=w", T(secrets.controller_token), "t",
		"the token wins"},
	{"HICLAW_WORKER_API_KEY=w", T(secrets.controller_token), "w", "the last resort"},
	{"", T(runtime), "none", "no socket"},
	{"HICLAW_RUNTIME=k8s", T(runtime), "k8s", "given"},
	{"", T(kube_mode), "", "none"},
	{"", T(resource_prefix), "hiclaw-", "default"},
	{"HICLAW_RESOURCE_PREFIX=x-", T(resource_prefix), "x-", "given"},
	{"HICLAW_CONTAINER_SOCKET=/s", T(container_socket), "/s", "given"},
	{"HICLAW_AGENT_FS_DIR=/a", T(agents_dir), "/a", "given"},
	{"HOME=/h", T(workspace_dir), "/h/hiclaw-manager", "in the home directory"},
	{"HOME=/h\nHICLAW_WORKSPACE_DIR=/w", T(workspace_dir), "/w", "given"},
	{"", N(idle_timeout_min), "720", "default"},
	{"HICLAW_WORKER_IDLE_TIMEOUT=30", N(idle_timeout_min), "30", "given"},
	{"HICLAW_WORKER_IDLE_TIMEOUT=1.5", N(idle_timeout_min), "720", "no whole number"},
	{"", N(monitor_port), "18080", "default"},
	{"MONITOR_PORT=19090", N(monitor_port), "19090", "M-66"},
	{"MONITOR_PORT=0", N(monitor_port), "18080", "no port"},
	{"MONITOR_PORT=65536", N(monitor_port), "18080", "no port"},
	{"MONITOR_PORT=99999999999999999999999", N(monitor_port), "18080", "no number of ours"},
	{"MONITOR_BIND=127.0.0.1", T(monitor_bind), "127.0.0.1", "given"},
	/* 3.6 */
	{"", T(reload_url), "http://127.0.0.1:18799/api/reload", "default"},
	{"SLUICE_OPENCLAW_RELOAD_URL=", T(reload_url), "", "empty: do not call"},
	{"SLUICE_OPENCLAW_RELOAD_URL=http://r", T(reload_url), "http://r", "given"},
	{"", T(probe_url), "http://127.0.0.1:18799/healthz", "default"},
	{"", W(apply), "0", "auto"},
	{"SLUICE_WORKER_APPLY=force", W(apply), "1", "given"},
	{"SLUICE_WORKER_APPLY=files-only", W(apply), "2", "given"},
	{"SLUICE_WORKER_APPLY=FORCE", W(apply), "0", "no word of ours"},
	{"", W(drift), "0", "reapply"},
	{"SLUICE_DRIFT=report", W(drift), "1", "given"},
	{"SLUICE_DRIFT=off", W(drift), "2", "given"},
	{"", T(backup_dir), "", "below the data directory"},
	{"SLUICE_BACKUP_DIR=/b", T(backup_dir), "/b", "given"},
	{"", N(backup_keep), "50", "default"},
	{"SLUICE_BACKUP_KEEP=0", N(backup_keep), "50", "none would be kept"},
	{"HICLAW_ADMIN_USER='a\tb'", T(admin_user), "admin", "a control character"},
};

static bool is_expected(const struct env *e, const struct row *r, char got[128])
{
	const char *at = (const char *)e + r->at;

	if (r->kind == TEXT) {
		const struct bytes *b = (const void *)at;

		snprintf(got, 128, BYTES_FMT, BYTES_ARG(*b));
	} else if (r->kind == NUMBER) {
		snprintf(got, 128, "%llu", (unsigned long long)*(const uint64_t *)(const void *)at);
	} else if (r->kind == WORD) {
		snprintf(got, 128, "%u", *(const unsigned *)(const void *)at);
	} else {
		snprintf(got, 128, "%u", *(const bool *)(const void *)at);
	}
	return strcmp(got, r->expect) == 0;
}

static void variables_and_defaults(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		char got[128];

		world_init(&w);
		world_read(&w, rows[i].vars);
		if (!is_expected(&w.env, &rows[i], got)) {
			print_message("%s (%s): %s\n", rows[i].vars, rows[i].reason, got);
			wrong++;
		}
		world_done(&w);
	}
	assert_int_equal(wrong, 0);
}

static void secrets_come_from_the_file(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	put(w.secrets,
		"export HICLAW_MANAGER_GATEWAY_KEY=\"file\"\n"
		"MANAGER_GATEWAY_KEY=old\nHICLAW_ADMIN_PASSWORD='p w'\nnonsense here\n");
	put(w.token, "tok\n");
	put(w.version, "1.1.2\n");
	world_read(&w, "MANAGER_GATEWAY_KEY=plugin");
	assert_true(bytes_eq(w.env.secrets.manager_key, BYTES("file")));
	assert_true(bytes_eq(w.env.secrets.admin_password, BYTES("p w")));
	assert_true(bytes_eq(w.env.secrets.minio_password, BYTES("p w")));
	assert_true(bytes_eq(w.env.secrets.controller_token, BYTES("tok")));
	assert_true(bytes_eq(w.env.version, BYTES("1.1.2")));
	assert_int_equal(w.env.n_warnings, 1); /* of the line */
	assert_null(memmem(w.env.warnings[0].p, w.env.warnings[0].n, "nonsense", 8));
	world_read(&w, "HICLAW_MANAGER_GATEWAY_KEY=var");
	assert_true(bytes_eq(w.env.secrets.manager_key, BYTES("var")));
	world_done(&w);
}

static void secrets_are_read_again(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_read(&w, "MONITOR_PORT=1\nHICLAW_AUTH_TOKEN_FILE=/nowhere/at/all");
	assert_int_equal(w.env.secrets.manager_key.n, 0);
	assert_int_equal(w.env.secrets.controller_token.n, 0);
	put(w.secrets, "HICLAW_MANAGER_GATEWAY_KEY=new\n");
	world_read(&w, "MONITOR_PORT=1");
	put(w.token, "first");
	env_read_secrets(&w.arena, &w.source, &w.env);
	assert_true(bytes_eq(w.env.secrets.manager_key, BYTES("new")));
	assert_true(bytes_eq(w.env.secrets.controller_token, BYTES("first")));
	assert_int_equal(w.env.monitor_port, 1);
	assert_int_equal(file_remove(w.secrets), 0);
	env_read_secrets(&w.arena, &w.source, &w.env);
	assert_int_equal(w.env.secrets.manager_key.n, 0);
	world_done(&w);
}

static void files_that_are_none_are_said(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	put(w.token, "two\nlines\n");
	assert_int_equal(mkdir(w.secrets, 0700), 0);
	world_read(&w, "MONITOR_PORT=x\nSLUICE_DRIFT=no\nHICLAW_MODEL_VISION=2");
	assert_int_equal(w.env.n_warnings, 5);
	assert_int_equal(w.env.secrets.controller_token.n, 0);
	assert_int_equal(rmdir(w.secrets), 0);
	world_done(&w);
}

static void docker_is_found_by_its_socket(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct world w;
	int fd;

	(void)state;
	world_init(&w);
	put(w.socket, "a file is no socket");
	world_read(&w, "");
	assert_true(bytes_eq(w.env.runtime, BYTES("none")));
	assert_int_equal(file_remove(w.socket), 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", w.socket);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	world_read(&w, "");
	assert_true(bytes_eq(w.env.runtime, BYTES("docker")));
	assert_true(bytes_eq(w.env.container_socket, bytes_str(w.socket)));
	close(fd);
	world_done(&w);
}

static void the_managers_configuration_is_searched(void **state)
{
	char vars[400], second[96];
	struct world w;

	(void)state;
	world_init(&w);
	snprintf(second, sizeof(second), "%s/second.json", w.dir);
	snprintf(vars, sizeof(vars),
		"SLUICE_MANAGER_CONFIG=%s/first.json\nOPENCLAW_CONFIG_PATH=%s\n"
		"HICLAW_AGENT_FS_DIR=/nowhere\nHOME=%s/none\n",
		w.dir, second, w.dir);
	world_read(&w, vars);
	assert_int_equal(w.env.n_configs, 5);
	assert_true(bytes_ends(w.env.configs[2], BYTES("/manager-workspace/openclaw.json")));
	assert_true(bytes_eq(w.env.configs[3], BYTES("/nowhere/manager/openclaw.json")));
	put(second, "{}");
	assert_true(bytes_eq(env_manager_config(&w.env), bytes_str(second)));
	assert_int_equal(file_remove(second), 0);
	world_done(&w);
}

static void credentials_of_workers(void **state)
{
	struct env_worker out = {.password = BYTES("untouched")};
	struct fault f = {0};
	char path[96];
	struct world w;

	(void)state;
	world_init(&w);
	snprintf(path, sizeof(path), "%s/alice.env", w.dir);
	put(path,
		"WORKER_PASSWORD=\"p\"\nexport WORKER_GATEWAY_KEY=g\nWORKER_MINIO_PASSWORD='m'\n");
	assert_int_equal(env_read_worker(&w.arena, bytes_str(w.dir), BYTES("../alice"), &out, &f),
		ERR_REFUSED);
	assert_int_equal(
		env_read_worker(&w.arena, bytes_str(w.dir), BYTES("bob"), &out, &f), ERR_NOT_FOUND);
	assert_true(bytes_eq(out.password, BYTES("untouched")));
	assert_int_equal(env_read_worker(&w.arena, bytes_str(w.dir), BYTES("alice"), &out, &f), 0);
	assert_true(bytes_eq(out.password, BYTES("p")));
	assert_true(bytes_eq(out.gateway_key, BYTES("g")));
	assert_true(bytes_eq(out.minio_password, BYTES("m")));
	assert_int_equal(out.matrix_token.n, 0);
	assert_int_equal(file_remove(path), 0);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_and_defaults),
		cmocka_unit_test(secrets_come_from_the_file),
		cmocka_unit_test(secrets_are_read_again),
		cmocka_unit_test(files_that_are_none_are_said),
		cmocka_unit_test(docker_is_found_by_its_socket),
		cmocka_unit_test(the_managers_configuration_is_searched),
		cmocka_unit_test(credentials_of_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
