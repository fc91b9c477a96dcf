/*
 * base/file.h on a disk in memory. A path is a key; a directory exists when it was made or when a
 * file is in it. The entries are few, so they are a sorted array.
 *
 * A name and a file are two things: a rename moves the name at once, but a loss of power may bring back
 * what the name stood for when its directory was synced last; and a file has what it was synced with.
 */
#include "base/file.h"

#include <stdlib.h>

#include "sim/disk.h"
#include "sim/world.h"

struct inode {
	unsigned refs;
	bool is_dir;
	char *content, *synced; /* synced NULL: never */
	size_t n, n_synced;
	uint64_t mtime_ns, number;
	unsigned mode;
};

struct entry {
	char *path;
	struct inode *now;    /* NULL: removed, which the directory has not been synced with */
	struct inode *synced; /* what a loss of power may bring back; NULL: nothing */
};

struct disk {
	struct entry *v;
	size_t n, cap;
	uint64_t last_inode, writes;
	bool fails[DISK_STEP_COUNT];
	size_t changes, stop_at; /* stop_at 0: never */
	bool stopped;
};

static const char *const step_names[DISK_STEP_COUNT] = {
	"open", "read", "write", "fsync", "rename", "directory-fsync", "list"};

struct disk *disk_new(void)
{
	return must_alloc(sizeof(struct disk));
}

/* --- files -------------------------------------------------------------------------------------- */

static struct inode *new_inode(struct disk *d, bool is_dir)
{
	struct inode *i = must_alloc(sizeof(*i));

	*i = (struct inode){.refs = 1,
		.is_dir = is_dir,
		.number = ++d->last_inode,
		.mode = is_dir ? 0700 : 0600};
	return i;
}

static struct inode *inode_ref(struct inode *i)
{
	if (i != NULL) {
		i->refs++;
	}
	return i;
}

static void inode_unref(struct inode *i)
{
	if (i == NULL || --i->refs != 0) {
		return;
	}
	free(i->content);
	free(i->synced);
	free(i);
}

static void set_content(struct disk *d, struct inode *i, struct bytes content)
{
	free(i->content);
	i->content = bytes_dup(content);
	i->n = content.n;
	/* Two writes in one frozen moment still differ. */
	i->mtime_ns = world()->now_ns + ++d->writes;
}

static void sync_inode(struct inode *i)
{
	free(i->synced);
	i->synced = bytes_dup(bytes_of(i->content, i->n));
	i->n_synced = i->n;
}

/* --- names -------------------------------------------------------------------------------------- */

static void free_entry(struct entry *e)
{
	inode_unref(e->now);
	inode_unref(e->synced);
	free(e->path);
}

void disk_free(struct disk *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free_entry(&d->v[i]);
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

static struct entry *entry_of(const struct disk *d, const char *path)
{
	size_t i = place_of(d, path);

	return i < d->n && strcmp(d->v[i].path, path) == 0 ? &d->v[i] : NULL;
}

static struct inode *find(const struct disk *d, const char *path)
{
	const struct entry *e = entry_of(d, path);

	return e != NULL ? e->now : NULL;
}

/* One reference to what it stands for goes over. */
static struct entry *set_name(struct disk *d, const char *path, struct inode *to)
{
	struct entry *e = entry_of(d, path);
	size_t i;

	if (e != NULL) {
		inode_unref(e->now);
		e->now = to;
		return e;
	}
	if (d->n == d->cap) {
		d->cap = MAX(d->cap * 2, 32u);
		d->v = must_realloc(d->v, d->cap * sizeof(*d->v));
	}
	i = place_of(d, path);
	memmove(&d->v[i + 1], &d->v[i], (d->n - i) * sizeof(*d->v));
	d->n++;
	d->v[i] = (struct entry){.path = must_strdup(path), .now = to};
	return &d->v[i];
}

static void drop_entry(struct disk *d, size_t i)
{
	free_entry(&d->v[i]);
	d->n--;
	memmove(&d->v[i], &d->v[i + 1], (d->n - i) * sizeof(*d->v));
}

static void sync_entry(struct entry *e)
{
	inode_unref(e->synced);
	e->synced = inode_ref(e->now);
}

/* Directories above what the story puts there. */
static void add_parents(struct disk *d, const char *path)
{
	char *part = must_strdup(path);

	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (find(d, part) == NULL) {
			sync_entry(set_name(d, part, new_inode(d, true)));
		}
		*slash = '/';
	}
	free(part);
}

/* --- the story ---------------------------------------------------------------------------------- */

void disk_put(struct disk *d, const char *path, struct bytes content)
{
	struct inode *before, *i = new_inode(d, false);

	add_parents(d, path);
	before = find(d, path);
	i->mode = before != NULL ? before->mode : i->mode;
	set_content(d, i, content);
	sync_inode(i);
	sync_entry(set_name(d, path, i));
}

void disk_remove(struct disk *d, const char *path)
{
	if (find(d, path) != NULL) {
		drop_entry(d, place_of(d, path));
	}
}

struct bytes disk_get(const struct disk *d, const char *path)
{
	const struct inode *i = find(d, path);

	return i == NULL || i->is_dir ? bytes_of(NULL, 0) : bytes_of(i->content, i->n);
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

/* --- the end of a process, of power --------------------------------------------------------------- */

void disk_stop_at(struct disk *d, size_t change)
{
	d->changes = 0;
	d->stop_at = change;
	d->stopped = false;
}

bool disk_stopped(const struct disk *d)
{
	return d->stopped;
}

size_t disk_changes(const struct disk *d)
{
	return d->changes;
}

/* Of what was never synced there may be all, nothing or a part. */
static void lose_content(struct disk *d, struct inode *i)
{
	bool synced = i->synced != NULL && i->n == i->n_synced &&
		(i->n == 0 || memcmp(i->content, i->synced, i->n) == 0);
	struct bytes left;
	char *kept;

	if (i->is_dir || synced) {
		return;
	}
	left = world_chance(2) == 0 && i->synced != NULL
		? bytes_of(i->synced, i->n_synced)
		: bytes_of(i->content, world_chance(i->n + 1));
	kept = bytes_dup(left);
	set_content(d, i, bytes_of(kept, left.n));
	free(kept);
}

static void lose_power(struct disk *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct entry *e = &d->v[i];

		if (e->now != e->synced && world_chance(2) == 0) {
			inode_unref(e->now);
			e->now = inode_ref(e->synced);
		}
	}
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].now != NULL) {
			lose_content(d, d->v[i].now);
		}
	}
}

/* What is in a directory that is gone cannot be found. */
static bool has_parent(const struct disk *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent = must_strdup(path);
	bool there;

	parent[slash != NULL ? slash - path : 0] = '\0';
	there = parent[0] == '\0' || find(d, parent) != NULL;
	free(parent);
	return there;
}

void disk_restart(struct disk *d, bool power)
{
	size_t kept = 0;

	if (power) {
		lose_power(d);
	}
	for (size_t i = 0; i < d->n; i = kept) { /* in order: parents first */
		if (d->v[i].now == NULL || !has_parent(d, d->v[i].path)) {
			drop_entry(d, i);
			continue;
		}
		sync_entry(&d->v[i]);
		if (!d->v[i].now->is_dir) {
			sync_inode(d->v[i].now);
		}
		kept++;
	}
	disk_stop_at(d, 0);
}

/* Before each thing that the program changes. False: the process has ended before it. */
static bool changes(struct disk *d)
{
	d->changes++;
	d->stopped = d->stopped || d->changes == d->stop_at;
	return !d->stopped;
}

/* --- file.h ------------------------------------------------------------------------------------- */

static int refuse(enum disk_step step, const char *path, struct fault *fault)
{
	return (int)fault_set(
		fault, ERR_IO, 0, 0, "%s: cannot %s (scripted)", path, step_names[step]);
}

static int refuse_stopped(const char *path, struct fault *fault)
{
	return (int)fault_set(fault, ERR_IO, 0, 0, "%s: the process has ended (scripted)", path);
}

static void stat_of(const struct inode *i, struct file_stat *out)
{
	*out = (struct file_stat){.exists = true,
		.is_dir = i->is_dir,
		.is_regular = !i->is_dir,
		.size = i->n,
		.mtime_ns = i->mtime_ns,
		.ctime_ns = i->mtime_ns,
		.inode = i->number,
		.mode = i->mode};
}

int file_stat(const char *path, struct file_stat *out)
{
	const struct inode *i = find(world()->disk, path);

	*out = (struct file_stat){0};
	if (i != NULL) {
		stat_of(i, out);
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
	const struct inode *i = find(d, path);

	if (i == NULL) {
		return (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such file", path);
	}
	if (i->is_dir) {
		return (int)fault_set(fault, ERR_IO, 0, 0, "%s: is no regular file", path);
	}
	if (d->fails[DISK_OPEN] || d->fails[DISK_READ]) {
		return refuse(d->fails[DISK_OPEN] ? DISK_OPEN : DISK_READ, path, fault);
	}
	if (i->n > max) {
		return (int)fault_set(fault, ERR_LIMIT, 0, 0, "%s: larger than %zu", path, max);
	}
	text_add(out, i->content, i->n);
	if (st != NULL) {
		stat_of(i, st);
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

/* Made empty, then half and then wholly written: each may be the last that the process does. */
static int write_in_pieces(const char *path, struct bytes content, struct fault *fault)
{
	struct disk *d = world()->disk;
	struct inode *i;

	if (!changes(d)) {
		return refuse_stopped(path, fault);
	}
	i = new_inode(d, false);
	set_content(d, i, BYTES(""));
	set_name(d, path, i);
	for (unsigned part = 1; part <= 2; part++) {
		if (!changes(d)) {
			return refuse_stopped(path, fault);
		}
		set_content(d, i, bytes_of(content.p, content.n * part / 2));
	}
	return 0;
}

static int begin_stage(struct file_stage *s, const char *path, const char *suffix,
	struct bytes content, struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_OPEN, DISK_WRITE};
	int rc = refuse_any(steps, ARRAY_LEN(steps), path, fault);
	struct text tmp;

	if (rc != 0) {
		return rc;
	}
	text_init(&tmp, strlen(path) + strlen(suffix) + 1);
	text_addf(&tmp, "%s%s", path, suffix);
	rc = write_in_pieces(text_cstr(&tmp), content, fault);
	if (rc == 0) {
		*s = (struct file_stage){must_strdup(path), must_strdup(text_cstr(&tmp)), -1, true};
	}
	text_done(&tmp);
	return rc;
}

int file_stage_begin(struct file_stage *s, const char *path, struct bytes content, unsigned mode,
	struct fault *fault)
{
	int rc = begin_stage(s, path, ".new", content, fault);

	if (rc == 0) {
		find(world()->disk, s->tmp)->mode = mode;
	}
	return rc;
}

static int move(const char *from, const char *to, struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_RENAME};
	struct disk *d = world()->disk;
	struct inode *i = find(d, from);
	int rc = refuse_any(steps, ARRAY_LEN(steps), to, fault);

	if (rc != 0) {
		return rc;
	}
	if (i == NULL) {
		return (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such file", from);
	}
	if (!changes(d)) {
		return refuse_stopped(to, fault);
	}
	set_name(d, to, inode_ref(i));
	set_name(d, from, NULL);
	return 0;
}

/* From path.new to path.tmp. */
static int take_temporary(struct file_stage *s, struct fault *fault)
{
	char *tmp = must_strdup(s->tmp);
	int rc;

	memcpy(tmp + strlen(tmp) - 4, ".tmp", 4);
	rc = move(s->tmp, tmp, fault);
	if (rc != 0) {
		free(tmp);
		return rc;
	}
	free(s->tmp);
	s->tmp = tmp;
	return 0;
}

static int sync_stage(struct file_stage *s, struct fault *fault, bool take)
{
	static const enum disk_step steps[] = {DISK_FSYNC};
	struct disk *d = world()->disk;
	int rc = refuse_any(steps, ARRAY_LEN(steps), s->path, fault);

	if (rc == 0 && !changes(d)) {
		rc = refuse_stopped(s->path, fault);
	}
	if (rc == 0) {
		sync_inode(find(d, s->tmp));
		rc = take ? take_temporary(s, fault) : 0;
	}
	if (rc != 0) {
		file_stage_drop(s);
	}
	return rc;
}

int file_stage_sync(struct file_stage *s, struct fault *fault)
{
	return sync_stage(s, fault, true);
}

int file_stage(struct file_stage *s, const char *path, struct bytes content, unsigned mode,
	struct fault *fault)
{
	int rc = begin_stage(s, path, ".tmp", content, fault);

	if (rc != 0) {
		return rc;
	}
	find(world()->disk, s->tmp)->mode = mode;
	return sync_stage(s, fault, false);
}

int file_stage_as(struct file_stage *s, const struct file_place *at, struct bytes content,
	struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_OPEN, DISK_WRITE};
	int rc = refuse_any(steps, ARRAY_LEN(steps), at->path, fault);

	rc = rc == 0 ? write_in_pieces(at->tmp, content, fault) : rc;
	if (rc != 0) {
		return rc;
	}
	find(world()->disk, at->tmp)->mode = at->like->mode;
	*s = (struct file_stage){must_strdup(at->path), must_strdup(at->tmp), -1, true};
	return sync_stage(s, fault, false);
}

static void end_stage(struct file_stage *s)
{
	free(s->path);
	free(s->tmp);
	*s = (struct file_stage){.open = false};
}

int file_stage_rename(struct file_stage *s, struct fault *fault)
{
	int rc = move(s->tmp, s->path, fault);

	if (rc != 0) {
		file_stage_drop(s);
		return rc;
	}
	end_stage(s);
	return 0;
}

void file_stage_drop(struct file_stage *s)
{
	if (s->open) {
		IGNORE(file_remove(s->tmp));
		end_stage(s);
	}
}

int file_sync_dir(const char *dir, struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_FSYNC_DIR};
	struct disk *d = world()->disk;
	int rc = refuse_any(steps, ARRAY_LEN(steps), dir, fault);
	size_t n = strlen(dir);

	if (rc == 0 && find(d, dir) == NULL) {
		return (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such directory", dir);
	}
	if (rc == 0 && !changes(d)) {
		rc = refuse_stopped(dir, fault);
	}
	for (size_t i = 0; rc == 0 && i < d->n; i++) {
		const char *path = d->v[i].path;

		if (strncmp(path, dir, n) == 0 && path[n] == '/' &&
			strchr(path + n + 1, '/') == NULL) {
			sync_entry(&d->v[i]);
		}
	}
	return rc;
}

int file_write_atomic(const char *path, struct bytes content, unsigned mode, struct fault *fault)
{
	const char *slash = strrchr(path, '/');
	struct file_stage s = {.open = false};
	struct disk *d = world()->disk;
	char *dir = must_strdup(path);
	int rc;

	dir[slash != NULL ? slash - path : 0] = '\0';
	rc = d->fails[DISK_FSYNC_DIR] ? refuse(DISK_FSYNC_DIR, path, fault)
				      : file_stage(&s, path, content, mode, fault);
	rc = rc == 0 ? file_stage_rename(&s, fault) : rc;
	if (rc == 0) {
		IGNORE(file_sync_dir(dir, NULL));
	}
	free(dir);
	return rc;
}

int file_append(
	const char *path, struct bytes content, unsigned mode, uint64_t max, struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_OPEN, DISK_WRITE};
	struct disk *d = world()->disk;
	struct bytes before = disk_get(d, path);
	int rc = refuse_any(steps, ARRAY_LEN(steps), path, fault);
	struct inode *i = find(d, path);
	struct text all;

	(void)max; /* no script writes as much */
	if (rc == 0 && !changes(d)) {
		rc = refuse_stopped(path, fault);
	}
	if (rc != 0) {
		return rc;
	}
	if (i == NULL) {
		i = new_inode(d, false);
		i->mode = mode;
		set_name(d, path, i);
	}
	text_init(&all, before.n + content.n + 1);
	text_add_bytes(&all, before);
	text_add_bytes(&all, content);
	set_content(d, i, text_bytes(&all));
	text_done(&all);
	return 0;
}

int file_rename(const char *from, const char *to, struct fault *fault)
{
	return move(from, to, fault);
}

int file_link(const char *from, const char *to, struct fault *fault)
{
	struct disk *d = world()->disk;
	struct inode *i = find(d, from);

	if (i == NULL) {
		return (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such file", from);
	}
	if (!changes(d)) {
		return refuse_stopped(to, fault);
	}
	sync_inode(i);
	set_name(d, to, inode_ref(i));
	return 0;
}

int file_remove_dir(const char *path)
{
	struct disk *d = world()->disk;
	const struct inode *dir = find(d, path);
	size_t n = strlen(path);

	if (dir == NULL || !dir->is_dir) {
		return ERR_NOT_FOUND;
	}
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].now != NULL && strncmp(d->v[i].path, path, n) == 0 &&
			d->v[i].path[n] == '/') {
			return ERR_IO;
		}
	}
	return file_remove(path);
}

int file_list(
	const char *dir, bool (*each)(void *arg, const char *name), void *arg, struct fault *fault)
{
	struct disk *d = world()->disk;
	const struct inode *at = find(d, dir);
	size_t n = strlen(dir);

	if (at == NULL || !at->is_dir) {
		return (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such directory", dir);
	}
	if (d->fails[DISK_LIST]) {
		return refuse(DISK_LIST, dir, fault);
	}
	for (size_t i = 0; i < d->n; i++) {
		const char *path = d->v[i].path;

		if (d->v[i].now != NULL && strncmp(path, dir, n) == 0 && path[n] == '/' &&
			strchr(path + n + 1, '/') == NULL && !each(arg, path + n + 1)) {
			break;
		}
	}
	return 0;
}

static int make_one(const char *path, unsigned mode, struct fault *fault)
{
	struct disk *d = world()->disk;
	const struct inode *i = find(d, path);

	if (i != NULL) {
		return i->is_dir ? 0
				 : (int)fault_set(fault, ERR_EXISTS, 0, 0, "%s: is a file", path);
	}
	if (!changes(d)) {
		return refuse_stopped(path, fault);
	}
	set_name(d, path, new_inode(d, true))->now->mode = mode;
	return 0;
}

int file_make_dir(const char *path, unsigned mode, struct fault *fault)
{
	char *part = must_strdup(path);
	int rc = world()->disk->fails[DISK_OPEN] ? refuse(DISK_OPEN, path, fault) : 0;

	for (char *slash = strchr(part + 1, '/'); slash != NULL && rc == 0;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		rc = make_one(part, mode, fault);
		*slash = '/';
	}
	free(part);
	return rc == 0 ? make_one(path, mode, fault) : rc;
}

int file_remove(const char *path)
{
	struct disk *d = world()->disk;

	if (find(d, path) == NULL) {
		return ERR_NOT_FOUND;
	}
	if (!changes(d)) {
		return ERR_IO;
	}
	set_name(d, path, NULL);
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
	IGNORE(file_remove(tmp));
}

int file_overwrite(const char *path, struct bytes content, struct fault *fault)
{
	static const enum disk_step steps[] = {DISK_OPEN, DISK_WRITE, DISK_FSYNC};
	struct disk *d = world()->disk;
	struct inode *i = find(d, path);
	int rc = refuse_any(steps, ARRAY_LEN(steps), path, fault);

	if (rc == 0 && i == NULL) {
		rc = (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s: no such file", path);
	}
	for (unsigned part = 1; part <= 2 && rc == 0; part++) {
		if (changes(d)) {
			set_content(d, i, bytes_of(content.p, content.n * part / 2));
		} else {
			rc = refuse_stopped(path, fault);
		}
	}
	if (rc == 0) {
		sync_inode(i);
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
