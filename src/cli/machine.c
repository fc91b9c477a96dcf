#define _GNU_SOURCE
#include "cli/machine.h"

#include <sched.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"

#define GROUP_FILE_MAX 65536u
#define GROUP_PATH_MAX 4096u

unsigned machine_cpus(void)
{
	cpu_set_t set;
	long online;

	if (sched_getaffinity(0, sizeof(set), &set) == 0) {
		return (unsigned)MAX(CPU_COUNT(&set), 1);
	}
	/* More CPUs than a cpu_set_t has room for. */
	online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (unsigned)online : 1;
}

/* "max" and what is no number are no limit. */
static uint64_t limit_in(struct text *path, const char *file)
{
	size_t n = path->n;
	uint64_t limit = UINT64_MAX;
	struct text content;

	text_addf(path, "/%s", file);
	text_init(&content, GROUP_FILE_MAX);
	if (file_read(text_cstr(path), GROUP_FILE_MAX, &content, NULL, NULL) == 0) {
		struct bytes rest = text_bytes(&content);
		uint64_t v;

		if (num_parse_u64(bytes_cut(&rest, '\n'), UINT64_MAX, &v)) {
			limit = v;
		}
	}
	text_done(&content);
	path->n = n;
	path->full = false;
	return limit;
}

/* A group's own limit and those of the groups above it: each of them binds. */
static uint64_t limit_along(const char *mount, struct bytes group, const char *file)
{
	uint64_t least = UINT64_MAX;
	struct text path;
	size_t root;

	text_init(&path, GROUP_PATH_MAX);
	text_add_str(&path, mount);
	root = path.n;
	text_add_bytes(&path, group);
	while (path.n > root && path.p[path.n - 1] == '/') {
		path.n--;
	}
	for (;;) {
		uint64_t limit = limit_in(&path, file);

		least = MIN(least, limit);
		if (path.n <= root) {
			break;
		}
		while (path.n > root && path.p[--path.n] != '/') {}
	}
	text_done(&path);
	return least;
}

static bool has_word(struct bytes list, const char *word)
{
	while (list.p != NULL) {
		if (bytes_eq(bytes_cut(&list, ','), bytes_str(word))) {
			return true;
		}
	}
	return false;
}

/* Lines are "0::/path" (version 2) and "5:memory:/path" (version 1). */
uint64_t machine_group_limit(struct bytes groups, const char *mount)
{
	uint64_t least = UINT64_MAX;
	struct text v1;

	text_init(&v1, GROUP_PATH_MAX);
	text_addf(&v1, "%s/memory", mount);
	while (groups.p != NULL) {
		struct bytes path = bytes_cut(&groups, '\n');
		struct bytes id = bytes_cut(&path, ':');
		struct bytes controllers = path.p != NULL ? bytes_cut(&path, ':') : path;
		uint64_t limit = UINT64_MAX;

		if (path.p == NULL) {
			continue;
		}
		if (bytes_eq(id, BYTES("0")) && controllers.n == 0) {
			limit = limit_along(mount, path, "memory.max");
		} else if (has_word(controllers, "memory")) {
			limit = limit_along(text_cstr(&v1), path, "memory.limit_in_bytes");
		}
		least = MIN(least, limit);
	}
	text_done(&v1);
	return least;
}

uint64_t machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long page = sysconf(_SC_PAGESIZE);
	uint64_t all = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
	uint64_t limit = UINT64_MAX;
	struct text groups;

	text_init(&groups, GROUP_FILE_MAX);
	if (file_read("/proc/self/cgroup", GROUP_FILE_MAX, &groups, NULL, NULL) == 0) {
		limit = machine_group_limit(text_bytes(&groups), "/sys/fs/cgroup");
	}
	text_done(&groups);
	return MIN(all, limit);
}
