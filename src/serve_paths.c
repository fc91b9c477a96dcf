/*
 * The files that a running gateway opens, for its sandbox. Everything else was opened before.
 *
 * Rules follow what a name stood for when the sandbox was entered, so what may be replaced later needs
 * a rule on the directory above it: DATA, where the resources are below it; and, where a symbolic link
 * leads to the resources, the directory of its target, for the link may be swapped for one that leads
 * beside it. The directory above resources that lie elsewhere is not ours to open: it may be a home.
 */
#define _GNU_SOURCE
#include "serve_int.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "hiclaw/evidence.h"

/* As many as the kernel follows. */
#define LINKS_MAX 40

/* CA certificates are looked up when they are needed; Debian's are links to the other two. Names of
 * hosts are read at every look-up. */
static const char *const read_only[] = {"/etc/ssl/certs", "/etc/ssl/cert.pem",
	"/etc/ssl/openssl.cnf", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/dev/random",
	"/dev/urandom"};

static void add(struct serve_paths *list, const char *path, enum sandbox_access access)
{
	ASSERT(list->n < ARRAY_LEN(list->v));
	list->v[list->n++] = (struct sandbox_path){must_strdup(path), access};
}

/* In place: "a/b/" becomes "a", "a" ".", "/a" "/". */
static void cut_to_parent(char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/') {
		n--;
	}
	while (n > 0 && path[n - 1] != '/') {
		n--;
	}
	while (n > 1 && path[n - 1] == '/') {
		n--;
	}
	if (n == 0) {
		path[n++] = '.';
	}
	path[n] = '\0';
}

static bool is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static bool is_top(const char *path)
{
	struct stat st;
	struct stat top;

	return stat(path, &st) == 0 && stat("/", &top) == 0 && st.st_dev == top.st_dev &&
		st.st_ino == top.st_ino;
}

/* The directory, or where it will appear; a rule for all of the file system would be none. */
static void add_directory(struct serve_paths *list, const char *path, enum sandbox_access access)
{
	char *at = must_strdup(path);

	while (!is_there(at) && strcmp(at, ".") != 0 && strcmp(at, "/") != 0) {
		cut_to_parent(at);
	}
	if (is_there(path) || !is_top(at)) {
		add(list, at, access);
	} else {
		log_warn("serve",
			"%s does not exist, and the sandbox would not let it be read when it appears; "
			"create it first, or use --sandbox off",
			path);
	}
	free(at);
}

static void add_parent(struct serve_paths *list, const char *path, enum sandbox_access access)
{
	char *at = must_strdup(path);

	cut_to_parent(at);
	if (!is_top(at) || access == SANDBOX_WRITE) {
		add(list, at, access);
	}
	free(at);
}

/* Replaces the first symbolic link in path (PATH_MAX bytes) by what it points to; *target_n is the
 * length of that much of the path. False: there is none. */
static bool resolve_link(char *path, size_t *target_n)
{
	char target[PATH_MAX];
	char part[PATH_MAX];
	char next[2 * PATH_MAX];

	for (size_t n = 1; path[n - 1] != '\0'; n++) {
		ssize_t len;

		if (path[n] != '/' && path[n] != '\0') {
			continue;
		}
		memcpy(part, path, n);
		part[n] = '\0';
		len = readlink(part, target, sizeof(target) - 1);
		if (len <= 0) {
			continue;
		}
		target[len] = '\0';
		cut_to_parent(part);
		*target_n = (size_t)len + (target[0] == '/' ? 0 : strlen(part) + 1);
		if (snprintf(next, sizeof(next), "%s%s%s%s", target[0] == '/' ? "" : part,
			    target[0] == '/' ? "" : "/", target, path + n) >= PATH_MAX) {
			return false;
		}
		memcpy(path, next, strlen(next) + 1);
		return true;
	}
	return false;
}

static void add_beside_links(struct serve_paths *list, const char *path)
{
	char at[PATH_MAX];
	char target[PATH_MAX];
	size_t n;

	if (strlen(path) >= sizeof(at)) {
		return;
	}
	memcpy(at, path, strlen(path) + 1);
	for (int i = 0; i < LINKS_MAX && list->n + 1 < SERVE_PATHS_MAX / 2 && resolve_link(at, &n);
		i++) {
		memcpy(target, at, n);
		target[n] = '\0';
		add_parent(list, target, SANDBOX_READ);
	}
}

static void add_resources(struct serve_paths *list, const struct settings *set)
{
	size_t n = strlen(set->data);

	add_directory(list, set->resources, SANDBOX_WRITE);
	if (strncmp(set->resources, set->data, n) == 0 && set->resources[n] == '/') {
		add_directory(list, set->data, SANDBOX_READ);
	}
	add_beside_links(list, set->resources);
}

/* A regular file is rotated: renamed, and made again under its name. A terminal or a pipe is not. */
static void add_access_log(struct serve_paths *list, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0 || strcmp(path, "off") == 0) {
		return;
	}
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		add(list, path, SANDBOX_WRITE);
	} else {
		add_parent(list, path, SANDBOX_WRITE);
	}
}

static void add_if_named(struct serve_paths *list, const char *path)
{
	if (path != NULL) {
		add(list, path, SANDBOX_READ);
	}
}

/* --- HiClaw -------------------------------------------------------------------------------------- */

static void add_existing(struct serve_paths *list, const char *path, enum sandbox_access access)
{
	if (is_there(path) && !is_top(path)) {
		add(list, path, access);
	}
}

/* The directory above a file that is replaced, and above what a link there leads to. */
static void add_above(struct serve_paths *list, const char *path, enum sandbox_access access)
{
	char real[PATH_MAX];
	char *at = must_strdup(path);

	cut_to_parent(at);
	add_existing(list, at, access);
	free(at);
	if (realpath(path, real) != NULL) {
		cut_to_parent(real);
		add_existing(list, real, access);
	}
}

/* Agents' files and configurations are written, secrets are read. What is not there at the start is not seen when it
 * appears: the directories above it are not ours. */
static void add_hiclaw(struct serve_paths *list, const struct env *e)
{
	const char *token = getenv("HICLAW_AUTH_TOKEN_FILE");
	struct evidence_dirs dirs;
	struct arena arena;

	arena_init(&arena, (size_t)1 << 20);
	evidence_dirs(&arena, e, &dirs);
	add_existing(list, e->agents_dir.p, SANDBOX_WRITE);
	for (size_t i = 0; i < e->n_configs; i++) {
		if (is_there(e->configs[i].p)) {
			add_above(list, e->configs[i].p, SANDBOX_WRITE);
		}
	}
	if (dirs.workspace != NULL) {
		add_existing(list, dirs.workspace, SANDBOX_READ);
	}
	if (dirs.shared != NULL) {
		add_existing(list, dirs.shared, SANDBOX_READ);
	}
	add_existing(list, e->creds_dir.p, SANDBOX_READ);
	add_above(list, "/data/hiclaw-secrets.env", SANDBOX_READ);
	add_above(list, token != NULL ? token : "/var/run/hiclaw/cli-token", SANDBOX_READ);
	arena_done(&arena);
}

void serve_paths_collect(
	struct serve_paths *list, const struct settings *set, const struct env *env)
{
	*list = (struct serve_paths){.n = 0};
	add_resources(list, set);
	add(list, set->state, SANDBOX_WRITE);
	add_access_log(list, set->access_log);
	if (set->ready_file != NULL) {
		add_parent(list, set->ready_file, SANDBOX_WRITE);
	}
	if (env->backup_dir.n != 0) {
		add_existing(list, env->backup_dir.p, SANDBOX_WRITE);
	}
	if (set->hiclaw) {
		add_hiclaw(list, env);
	}
	add_if_named(list, set->upstream_ca);
	add_if_named(list, getenv("SSL_CERT_FILE"));
	add_if_named(list, getenv("SSL_CERT_DIR"));
	add(list, "/dev/null", SANDBOX_WRITE);
	for (size_t i = 0; i < ARRAY_LEN(read_only); i++) {
		add(list, read_only[i], SANDBOX_READ);
	}
}

void serve_paths_done(struct serve_paths *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free((char *)(uintptr_t)list->v[i].path);
	}
	list->n = 0;
}
