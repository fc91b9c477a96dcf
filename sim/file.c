/*
 * base/file.h on a disk in memory. A path is a key; a directory exists when it was made or when a
 * file is in it. The entries are few, so they are a sorted array.
 */
#include "base/file.h"

#include <stdlib.h>

#include "sim/disk.h"
#include "sim/world.h"

struct entry {
	char *path;
	bool is_dir;
	char *content;
	size_t n;
	uint64_t mtime_ns, inode;
	unsigned mode;
};

struct disk {
	struct entry *v;
	size_t n, cap;
	uint64_t last_inode, writes;
	bool fails[DISK_STEP_COUNT];
};

static const char *const step_names[DISK_STEP_COUNT] = {
	"open", "read", "write", "fsync", "rename", "directory-fsync", "list"};

struct disk *disk_new(void)
{
	return must_alloc(sizeof(struct disk));
}

void disk_free(struct disk *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].path);
		free(d->v[i].content);
	}
	free(d->v);
	free(d);
}

/* Index of path, or where it would stand. */
static size_t place_of(const struct disk *d, const char *path)
{
	size_t lo = 0;
	size_t hi = d->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(d->v[mid].path, path) < 0) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

static struct entry *find(const struct disk *d, const char *path)
{
	size_t i = place_of(d, path);

	return i < d->n && strcmp(d->v[i].path, path) == 0 ? &d->v[i] : NULL;
}

static struct entry *add(struct disk *d, const char *path, bool is_dir)
{
	size_t i = place_of(d, path);

	if (d->n == d->cap) {
		d->cap = MAX(d->cap * 2, 32u);
		d->v = must_realloc(d->v, d->cap * sizeof(*d->v));
	}
	memmove(&d->v[i + 1], &d->v[i], (d->n - i) * sizeof(*d->v));
	d->n++;
	d->v[i] = (struct entry){.path = must_strdup(path),
		.is_dir = is_dir,
		.inode = ++d->last_inode,
		.mode = is_dir ? 0700 : 0600};
	return &d->v[i];
}

static void add_parents(struct disk *d, const char *path)
{
	char *part = must_strdup(path);

	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (find(d, part) == NULL) {
			add(d, part, true);
		}
		*slash = '/';
	}
	free(part);
}

void disk_put(struct disk *d, const char *path, struct bytes content)
{
	struct entry *e;

	add_parents(d, path);
	e = find(d, path);
	if (e == NULL) {
		e = add(d, path, false);
	}
	free(e->content);
	e->content = bytes_dup(content);
	e->n = content.n;
	/* Two writes in one frozen moment still differ. */
	e->mtime_ns = world()->now_ns + ++d->writes;
	e->inode = ++d->last_inode;
}

void disk_remove(struct disk *d, const char *path)
{
	struct entry *e = find(d, path);
	size_t i;

	if (e == NULL) {
		return;
	}
	i = (size_t)(e - d->v);
	free(e->path);
	free(e->content);
	d->n--;
	memmove(e, e + 1, (d->n - i) * sizeof(*e));
}

struct bytes disk_get(const struct disk *d, const char *path)
{
	const struct entry *e = find(d, path);

	return e == NULL || e->is_dir ? bytes_of(NULL, 0) : bytes_of(e->content, e->n);
}

void disk_fail(struct disk *d, enum disk_step step, bool fails)
{
	d->fails[step] = fails;
}

enum disk_step disk_step_of(struct bytes name)
{
	unsigned i = 0;

	while (i < DISK_STEP_COUNT && !bytes_eq(name, bytes_str(step_names[i]))) {
		i++;
	}
	return (enum disk_step)i;
}

/* --- file.h ------------------------------------------------------------------------------------- */

static int refuse(enum disk_step step, const char *path, struct fault *fault)
{
	return (int)fault_set(
		fault, ERR_IO, 0, 0, "%s: cannot %s (scripted)", path, step_names[step]);
}

static void stat_of(const struct entry *e, struct file_stat *out)
{
	*out = (struct file_stat){.exists = true,
		.is_dir = e->is_dir,
		.is_regular = !e->is_dir,
		.size = e->n,
		.mtime_ns = e->mtime_ns,
		.ctime_ns = e->mtime_ns,
		.inode = e->inode,
		.mode = e->mode};
}

int file_stat(const char *path, struct file_stat *out)
{
	const struct entry *e = find(world()->disk, path);

	*out = (struct file_stat){0};
	if (e != NULL) {
		stat_of(e, out);
	}
	return 0;
}

bool file_is_link(const char *path)
{
	(void)path; /* the scripted disk has none */
	return false;
}

int file_read(
	const char *path, size_t max, struct text *out, struct file_stat *st, struct fault *fault)
{
	struct disk *d = world()->disk;
	const struct entry *e = find(d, path);

	if (e == NULL) {
		return (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such file", path);
	}
	if (e->is_dir) {
		return (int)fault_set(fault, ERR_IO, 0, 0, "%s: is no regular file", path);
	}
	if (d->fails[DISK_OPEN] || d->fails[DISK_READ]) {
		return refuse(d->fails[DISK_OPEN] ? DISK_OPEN : DISK_READ, path, fault);
	}
	if (e->n > max) {
		return (int)fault_set(fault, ERR_LIMIT, 0, 0, "%s: larger than %zu", path, max);
	}
	text_add(out, e->content, e->n);
	if (st != NULL) {
		stat_of(e, st);
	}
	return 0;
}

/* The first step that fails is told. */
static int refuse_any(const enum disk_step *steps, size_t n, const char *path, struct fault *fault)
{
	const struct disk *d = world()->disk;

	for (size_t i = 0; i < n; i++) {
		if (d->fails[steps[i]]) {
			return refuse(steps[i], path, fault);
		}
	}
	return 0;
}

static int stage(
	struct file_stage *s, char *tmp, const char *path, struct bytes content, unsigned mode)
{
	struct disk *d = world()->disk;

	disk_put(d, tmp, content);
	find(d, tmp)->mode = mode;
	*s = (struct file_stage){must_strdup(path), tmp, -1, true};
	return 0;
}

static const enum disk_step stage_steps[] = {DISK_OPEN, DISK_WRITE, DISK_FSYNC};

int file_stage(struct file_stage *s, const char *path, struct bytes content, unsigned mode,
	struct fault *fault)
{
	int rc = refuse_any(stage_steps, ARRAY_LEN(stage_steps), path, fault);
	char *tmp;

	if (rc != 0) {
		return rc;
	}
	tmp = must_alloc(strlen(path) + sizeof(".tmp"));
	memcpy(tmp, path, strlen(path));
	memcpy(tmp + strlen(path), ".tmp", sizeof(".tmp"));
	return stage(s, tmp, path, content, mode);
}

int file_stage_as(struct file_stage *s, const struct file_place *at, struct bytes content,
	struct fault *fault)
{
	int rc = refuse_any(stage_steps, ARRAY_LEN(stage_steps), at->path, fault);

	return rc != 0 ? rc : stage(s, must_strdup(at->tmp), at->path, content, at->like->mode);
}

static void end_stage(struct file_stage *s)
{
	disk_remove(world()->disk, s->tmp);
	free(s->path);
	free(s->tmp);
	*s = (struct file_stage){.open = false};
}

int file_stage_rename(struct file_stage *s, struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_RENAME};
	struct disk *d = world()->disk;
	const struct entry *e = find(d, s->tmp);
	int rc = refuse_any(steps, ARRAY_LEN(steps), s->path, fault);
	unsigned mode = e->mode;

	if (rc == 0) {
		disk_put(d, s->path, bytes_of(e->content, e->n));
		find(d, s->path)->mode = mode;
	}
	end_stage(s);
	return rc;
}

void file_stage_drop(struct file_stage *s)
{
	if (s->open) {
		end_stage(s);
	}
}

int file_sync_dir(const char *dir, struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_FSYNC_DIR};

	return refuse_any(steps, ARRAY_LEN(steps), dir, fault);
}

int file_write_atomic(const char *path, struct bytes content, unsigned mode, struct fault *fault)
{
	static const enum disk_step steps[] = {
		DISK_OPEN, DISK_WRITE, DISK_FSYNC, DISK_RENAME, DISK_FSYNC_DIR};
	struct disk *d = world()->disk;
	int rc = refuse_any(steps, ARRAY_LEN(steps), path, fault);

	if (rc == 0) {
		disk_put(d, path, content);
		find(d, path)->mode = mode;
	}
	return rc;
}

int file_append(
	const char *path, struct bytes content, unsigned mode, uint64_t max, struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_OPEN, DISK_WRITE};
	struct disk *d = world()->disk;
	struct bytes before = disk_get(d, path);
	int rc = refuse_any(steps, ARRAY_LEN(steps), path, fault);
	struct text all;

	(void)max; /* no script writes as much */
	if (rc != 0) {
		return rc;
	}
	text_init(&all, before.n + content.n + 1);
	text_add_bytes(&all, before);
	text_add_bytes(&all, content);
	disk_put(d, path, text_bytes(&all));
	text_done(&all);
	find(d, path)->mode = mode;
	return 0;
}

int file_rename(const char *from, const char *to, struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_RENAME};
	struct disk *d = world()->disk;
	const struct entry *e = find(d, from);
	int rc = refuse_any(steps, ARRAY_LEN(steps), from, fault);
	char *content;
	size_t n;

	if (rc != 0) {
		return rc;
	}
	if (e == NULL) {
		return (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such file", from);
	}
	n = e->n;
	content = bytes_dup(bytes_of(e->content, n));
	disk_remove(d, from);
	disk_put(d, to, bytes_of(content, n));
	free(content);
	return 0;
}

int file_remove_dir(const char *path)
{
	struct disk *d = world()->disk;
	const struct entry *e = find(d, path);
	size_t n = strlen(path);

	if (e == NULL || !e->is_dir) {
		return ERR_NOT_FOUND;
	}
	for (size_t i = 0; i < d->n; i++) {
		if (strncmp(d->v[i].path, path, n) == 0 && d->v[i].path[n] == '/') {
			return ERR_IO;
		}
	}
	disk_remove(d, path);
	return 0;
}

int file_list(
	const char *dir, bool (*each)(void *arg, const char *name), void *arg, struct fault *fault)
{
	struct disk *d = world()->disk;
	const struct entry *e = find(d, dir);
	size_t n = strlen(dir);

	if (e == NULL || !e->is_dir) {
		return (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such directory", dir);
	}
	if (d->fails[DISK_LIST]) {
		return refuse(DISK_LIST, dir, fault);
	}
	for (size_t i = 0; i < d->n; i++) {
		const char *path = d->v[i].path;

		if (strncmp(path, dir, n) == 0 && path[n] == '/' &&
			strchr(path + n + 1, '/') == NULL && !each(arg, path + n + 1)) {
			break;
		}
	}
	return 0;
}

int file_make_dir(const char *path, unsigned mode, struct fault *fault)
{
	struct disk *d = world()->disk;
	struct entry *e = find(d, path);

	if (d->fails[DISK_OPEN]) {
		return refuse(DISK_OPEN, path, fault);
	}
	if (e != NULL) {
		return e->is_dir ? 0
				 : (int)fault_set(fault, ERR_EXISTS, 0, 0, "%s: is a file", path);
	}
	add_parents(d, path);
	add(d, path, true)->mode = mode;
	return 0;
}

int file_remove(const char *path)
{
	struct disk *d = world()->disk;

	if (find(d, path) == NULL) {
		return ERR_NOT_FOUND;
	}
	disk_remove(d, path);
	return 0;
}

int file_resolve(const char *path, char **out, struct fault *fault)
{
	if (find(world()->disk, path) == NULL) {
		return (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such file", path);
	}
	*out = must_strdup(path);
	return 0;
}

void file_remove_orphan(const char *tmp)
{
	disk_remove(world()->disk, tmp);
}

int file_overwrite(const char *path, struct bytes content, struct fault *fault)
{
	struct disk *d = world()->disk;
	const struct entry *e = find(d, path);
	int rc = refuse_any(stage_steps, ARRAY_LEN(stage_steps), path, fault);

	if (rc == 0 && e == NULL) {
		rc = (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such file", path);
	}
	if (rc == 0) {
		disk_put(d, path, content);
	}
	return rc;
}

/* One thread does everything here: nobody can hold it. */
int file_lock(const char *path, unsigned wait_ms, int *out, struct fault *fault)
{
	(void)path;
	(void)wait_ms;
	(void)fault;
	*out = -1;
	return 0;
}

void file_unlock(int held)
{
	(void)held;
}
