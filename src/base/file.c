#define _GNU_SOURCE
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The longest path plus ".tmp" or ".new"; longer ones the system refuses as well. */
#define PATH_MAX_BYTES 4096

static int fail(struct fault *fault, const char *what, const char *path, int error)
{
	enum err err = error == ENOENT || error == ENOTDIR ? ERR_NOT_FOUND
		: error == EACCES || error == EPERM        ? ERR_REFUSED
		: error == EEXIST                          ? ERR_EXISTS
		: error == EFBIG || error == ENAMETOOLONG  ? ERR_LIMIT
		: error == EBUSY || error == EXDEV         ? ERR_UNSUPPORTED
		: error == ETIMEDOUT                       ? ERR_TIMEOUT
							   : ERR_IO;

	return fault_set(fault, err, 0, 0, "cannot %s %.100s: %s", what, path, strerror(error));
}

static uint64_t ns_of(struct timespec t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fill(struct file_stat *out, const struct stat *st)
{
	*out = (struct file_stat){
		.exists = true,
		.is_dir = S_ISDIR(st->st_mode),
		.is_regular = S_ISREG(st->st_mode),
		.size = (uint64_t)st->st_size,
		.mtime_ns = ns_of(st->st_mtim),
		.ctime_ns = ns_of(st->st_ctim),
		.inode = st->st_ino,
		.mode = st->st_mode & 07777u,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};
}

int file_stat(const char *path, struct file_stat *out)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		fill(out, &st);
		return 0;
	}
	if (errno == ENOENT || errno == ENOTDIR) {
		*out = (struct file_stat){.exists = false};
		return 0;
	}
	*out = (struct file_stat){.exists = false};
	return ERR_IO;
}

bool file_is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* --- reading ------------------------------------------------------------------------------------ */

int file_read_fd(int fd, size_t max, struct text *out)
{
	char part[16384];
	size_t sum = 0;

	for (;;) {
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n == 0 ? 0 : errno;
		}
		sum += (size_t)n;
		text_add(out, part, (size_t)n);
		if (sum > max || text_full(out)) {
			return EFBIG;
		}
	}
}

static int read_regular(int fd, size_t max, struct text *out, struct stat *st)
{
	if (fstat(fd, st) != 0) {
		return errno;
	}
	if (S_ISDIR(st->st_mode)) {
		return EISDIR;
	}
	if (!S_ISREG(st->st_mode)) {
		return EINVAL;
	}
	return (uint64_t)st->st_size > max ? EFBIG : file_read_fd(fd, max, out);
}

/* A system that cannot tell of mounts counts as one that has them. */
static bool is_elsewhere(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_NLINK, &st) != 0 || st.stx_nlink != 1 ||
		(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0 ||
		(st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int file_read(
	const char *path, size_t max, struct text *out, struct file_stat *st, struct fault *fault)
{
	/* Not blocking: opening a named pipe would wait for its writer. */
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
	int fd = open(path, flags | O_NOFOLLOW);
	bool link = fd < 0 && errno == ELOOP;
	bool elsewhere;
	size_t before = out->n;
	struct stat sys;
	int error;

	if (link) {
		fd = open(path, flags);
	}
	if (fd < 0) {
		return fail(fault, "read", path, errno);
	}
	error = read_regular(fd, max, out, &sys);
	elsewhere = link || (st != NULL && is_elsewhere(fd));
	close(fd);
	if (error != 0) {
		out->n = before;
		out->full = false;
		return fail(fault, "read", path, error);
	}
	if (st != NULL) {
		fill(st, &sys);
		st->elsewhere = elsewhere;
	}
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------ */

/*
 * Whoever holds the lock of the file that the name stands for may write, rename and remove it. Between
 * an open and its lock somebody else may have done so: then the name stands for another file. 0 or errno.
 */
static int lock(int fd, const char *tmp)
{
	struct stat held;
	struct stat named;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		return errno == EWOULDBLOCK ? EEXIST : errno;
	}
	if (fstat(fd, &held) != 0 || lstat(tmp, &named) != 0 || held.st_dev != named.st_dev ||
		held.st_ino != named.st_ino) {
		return EEXIST;
	}
	return 0;
}

/* A writer holds its lock to the end. A temporary without one was left by a process that died. */
void file_remove_orphan(const char *tmp)
{
	int fd = open(tmp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0) {
		if (lock(fd, tmp) == 0) {
			unlink(tmp);
		}
		close(fd);
	}
}

/* Locked; or -1 and errno. */
static int open_temporary(const char *tmp, unsigned mode)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(tmp, flags, (mode_t)mode);
	int error;

	if (fd < 0 && errno == EEXIST) {
		file_remove_orphan(tmp);
		fd = open(tmp, flags, (mode_t)mode);
	}
	if (fd < 0) {
		return -1;
	}
	error = lock(fd, tmp);
	if (error != 0) {
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* 0 or errno. */
static int write_all(int fd, struct bytes content)
{
	while (content.n != 0) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno != EINTR) {
			return errno;
		}
		if (n > 0) {
			content.p += n;
			content.n -= (size_t)n;
		}
	}
	return 0;
}

static int fill_temporary(int fd, struct bytes content, unsigned mode)
{
	int error = write_all(fd, content);

	if (error != 0) {
		return error;
	}
	/* The umask took bits from the mode of open. */
	if (fchmod(fd, (mode_t)mode) != 0) {
		return errno;
	}
	/* Only a beginning: what it cannot do, the sync will. */
	IGNORE(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	return 0;
}

/* The directory that path is in; what of it does not fit would have been refused before. */
static void directory_of(const char *path, char dir[PATH_MAX_BYTES])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL) {
		snprintf(dir, PATH_MAX_BYTES, ".");
	} else {
		snprintf(dir, PATH_MAX_BYTES, "%.*s", (int)MAX(slash - path, 1), path);
	}
}

int file_sync_dir(const char *dir, struct fault *fault)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error;

	if (fd < 0) {
		return fail(fault, "open", dir, errno);
	}
	error = fsync(fd) == 0 ? 0 : errno;
	close(fd);
	return error == 0 ? 0 : fail(fault, "sync", dir, error);
}

static void end_stage(struct file_stage *s)
{
	close(s->fd);
	free(s->path);
	free(s->tmp);
	*s = (struct file_stage){.open = false};
}

/* As the owner, where that is somebody else. 0 or errno. */
static int give_to(int fd, const struct file_stat *like)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		return errno;
	}
	if (st.st_uid == like->uid && st.st_gid == like->gid) {
		return 0;
	}
	return fchown(fd, like->uid, like->gid) == 0 ? 0 : EXDEV;
}

/* Written, not synced. owner may be NULL: ours. */
static int stage(struct file_stage *s, const char *tmp, struct bytes content, unsigned mode,
	const struct file_stat *owner)
{
	int fd = open_temporary(tmp, mode);
	int error;

	if (fd < 0) {
		return errno;
	}
	error = owner != NULL ? give_to(fd, owner) : 0;
	error = error != 0 ? error : fill_temporary(fd, content, mode);
	if (error != 0) {
		unlink(tmp);
		close(fd);
		return error;
	}
	*s = (struct file_stage){NULL, must_strdup(tmp), fd, true};
	return 0;
}

/* Where the system cannot refuse to replace a file by a rename, there is a moment with two names. 0 or errno. */
static int rename_exclusively(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS) {
		return errno;
	}
	return link(from, to) == 0 && unlink(from) == 0 ? 0 : errno;
}

/* From path.new to path.tmp, which is one writer's at a time. 0 or errno. */
static int take_temporary(struct file_stage *s)
{
	size_t n = strlen(s->tmp);
	char *tmp = must_strdup(s->tmp);
	int error;

	memcpy(tmp + n - 4, ".tmp", 4);
	error = rename_exclusively(s->tmp, tmp);
	if (error == EEXIST) {
		file_remove_orphan(tmp);
		error = rename_exclusively(s->tmp, tmp);
	}
	if (error != 0) {
		free(tmp);
		return error;
	}
	free(s->tmp);
	s->tmp = tmp;
	return 0;
}

static int sync_stage(struct file_stage *s, struct fault *fault, bool take)
{
	int error = fsync(s->fd) != 0 ? errno : take ? take_temporary(s) : 0;
	int rc = error == 0 ? 0 : fail(fault, "write", s->path, error);

	if (rc != 0) {
		file_stage_drop(s);
	}
	return rc;
}

int file_stage_sync(struct file_stage *s, struct fault *fault)
{
	return sync_stage(s, fault, true);
}

static int stage_beside(struct file_stage *s, const char *suffix, const struct file_place *at,
	struct bytes content, struct fault *fault)
{
	char tmp[PATH_MAX_BYTES];
	int error;

	if (snprintf(tmp, sizeof(tmp), "%s%s", at->path, suffix) >= (int)sizeof(tmp)) {
		return fail(fault, "write", at->path, ENAMETOOLONG);
	}
	error = stage(s, tmp, content, at->like->mode, NULL);
	if (error != 0) {
		return fail(fault, "write", error == EEXIST ? tmp : at->path, error);
	}
	s->path = must_strdup(at->path);
	return 0;
}

int file_stage_begin(struct file_stage *s, const char *path, struct bytes content, unsigned mode,
	struct fault *fault)
{
	const struct file_stat like = {.mode = mode};

	return stage_beside(
		s, ".new", &(struct file_place){.path = path, .like = &like}, content, fault);
}

int file_stage(struct file_stage *s, const char *path, struct bytes content, unsigned mode,
	struct fault *fault)
{
	const struct file_stat like = {.mode = mode};
	int rc = stage_beside(
		s, ".tmp", &(struct file_place){.path = path, .like = &like}, content, fault);

	return rc == 0 ? sync_stage(s, fault, false) : rc;
}

int file_stage_as(struct file_stage *s, const struct file_place *at, struct bytes content,
	struct fault *fault)
{
	int error = stage(s, at->tmp, content, at->like->mode, at->like);

	if (error != 0) {
		return fail(fault, "write", at->tmp, error);
	}
	s->path = must_strdup(at->path);
	return sync_stage(s, fault, false);
}

int file_stage_rename(struct file_stage *s, struct fault *fault)
{
	int rc;

	if (rename(s->tmp, s->path) != 0) {
		rc = fail(fault, "write", s->path, errno);
		file_stage_drop(s);
		return rc;
	}
	end_stage(s);
	return 0;
}

void file_stage_drop(struct file_stage *s)
{
	if (s->open) {
		unlink(s->tmp);
		end_stage(s);
	}
}

int file_resolve(const char *path, char **out, struct fault *fault)
{
	char *found = realpath(path, NULL);

	if (found == NULL) {
		return fail(fault, "find", path, errno);
	}
	*out = found;
	return 0;
}

int file_overwrite(const char *path, struct bytes content, struct fault *fault)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int error;

	if (fd < 0) {
		return fail(fault, "write", path, errno);
	}
	error = write_all(fd, content);
	if (error == 0 && (ftruncate(fd, (off_t)content.n) != 0 || fsync(fd) != 0)) {
		error = errno;
	}
	close(fd);
	return error == 0 ? 0 : fail(fault, "write", path, error);
}

/* flock has no deadline of its own. 0 or errno. */
static int lock_within(int fd, unsigned wait_ms)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += 10) {
		if (errno != EWOULDBLOCK) {
			return errno;
		}
		if (waited >= wait_ms) {
			return ETIMEDOUT;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

int file_lock(const char *path, unsigned wait_ms, int *out, struct fault *fault)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error;

	if (fd < 0) {
		return fail(fault, "lock", path, errno);
	}
	error = lock_within(fd, wait_ms);
	if (error != 0) {
		close(fd);
		return fail(fault, "lock", path, error);
	}
	*out = fd;
	return 0;
}

void file_unlock(int held)
{
	if (held >= 0) {
		close(held);
	}
}

int file_write_atomic(const char *path, struct bytes content, unsigned mode, struct fault *fault)
{
	char dir[PATH_MAX_BYTES];
	struct file_stage s;
	int rc = file_stage(&s, path, content, mode, fault);
	int fd;

	if (rc != 0) {
		return rc;
	}
	directory_of(path, dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		rc = fail(fault, "write", path, errno);
		file_stage_drop(&s);
		return rc;
	}
	rc = file_stage_rename(&s, fault);
	if (rc == 0) {
		IGNORE(fsync(fd)); /* the file is replaced: the header says what that means */
	}
	close(fd);
	return rc;
}

/* Whether the name stands for another file than the one that is open. */
static bool was_renamed(const char *path, const struct stat *open_one)
{
	struct stat named;

	return stat(path, &named) != 0 || named.st_dev != open_one->st_dev ||
		named.st_ino != open_one->st_ino;
}

static bool rename_log(const char *path)
{
	char old[PATH_MAX_BYTES];
	int n = snprintf(old, sizeof(old), "%s.1", path);

	return n < (int)sizeof(old) && rename(path, old) == 0;
}

/* Under the file's lock. *again: it is not the file to write to. 0 or errno. */
static int append_locked(int fd, const char *path, struct bytes content, uint64_t max, bool *again)
{
	struct stat st;
	int error;

	if (fstat(fd, &st) != 0) {
		return errno;
	}
	if (was_renamed(path, &st) || ((uint64_t)st.st_size > max && rename_log(path))) {
		*again = true;
		return 0;
	}
	error = write_all(fd, content);
	if (error != 0 && ftruncate(fd, st.st_size) != 0) {
		return errno; /* a part of it stays: nothing more can be done */
	}
	return error;
}

int file_append(
	const char *path, struct bytes content, unsigned mode, uint64_t max, struct fault *fault)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	bool again = true;
	int error = 0;

	while (again && error == 0) {
		int fd = open(path, flags, (mode_t)mode);

		again = false;
		if (fd < 0) {
			return fail(fault, "write", path, errno);
		}
		error = flock(fd, LOCK_EX) == 0 ? append_locked(fd, path, content, max, &again)
						: errno;
		close(fd);
	}
	return error == 0 ? 0 : fail(fault, "write", path, error);
}

int file_rename(const char *from, const char *to, struct fault *fault)
{
	return rename(from, to) == 0 ? 0 : fail(fault, "rename", from, errno);
}

/* What the old name's writer has not synced would be lost to both. */
static int sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int error = fd < 0 || fsync(fd) != 0 ? errno : 0;

	if (fd >= 0) {
		close(fd);
	}
	return error;
}

int file_link(const char *from, const char *to, struct fault *fault)
{
	int error = link(from, to) == 0 ? 0 : errno;

	if (error != 0) {
		return fail(fault, "link", from, error);
	}
	error = sync_file(to);
	if (error != 0) {
		unlink(to);
		return fail(fault, "sync", to, error);
	}
	return 0;
}

int file_remove_dir(const char *path)
{
	if (rmdir(path) == 0) {
		return 0;
	}
	return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
}

/* --- directories -------------------------------------------------------------------------------- */

struct names {
	char **v;
	size_t n, cap;
};

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_add(struct names *names, const char *name)
{
	if (names->n == names->cap) {
		names->cap = MAX(names->cap * 2, 16u);
		names->v = must_realloc(names->v, names->cap * sizeof(*names->v));
	}
	names->v[names->n++] = must_strdup(name);
}

/* 0 or errno. */
static int collect(DIR *d, struct names *names)
{
	const struct dirent *e;

	for (;;) {
		errno = 0;
		e = readdir(d);
		if (e == NULL) {
			return errno;
		}
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			names_add(names, e->d_name);
		}
	}
}

int file_list(
	const char *dir, bool (*each)(void *arg, const char *name), void *arg, struct fault *fault)
{
	DIR *d = opendir(dir);
	struct names names = {NULL, 0, 0};
	bool more = true;
	int error;

	if (d == NULL) {
		return fail(fault, "list", dir, errno);
	}
	error = collect(d, &names);
	closedir(d);
	if (error == 0 && names.n != 0) {
		qsort(names.v, names.n, sizeof(*names.v), by_bytes);
	}
	for (size_t i = 0; i < names.n; i++) {
		more = more && error == 0 && each(arg, names.v[i]);
		free(names.v[i]);
	}
	free(names.v);
	return error == 0 ? 0 : fail(fault, "list", dir, error);
}

static int make_one(const char *path, unsigned mode)
{
	struct stat st;

	if (mkdir(path, (mode_t)mode) == 0) {
		return 0;
	}
	if (errno == EEXIST && stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		return EEXIST;
	}
	return errno == EEXIST ? 0 : errno;
}

int file_make_dir(const char *path, unsigned mode, struct fault *fault)
{
	char part[PATH_MAX_BYTES];
	size_t n = strlen(path);
	int error = n != 0 ? 0 : ENOENT;

	if (n >= sizeof(part)) {
		return fail(fault, "make directory", path, ENAMETOOLONG);
	}
	for (size_t i = 1; i <= n && error == 0; i++) {
		if (i == n || path[i] == '/') {
			memcpy(part, path, i);
			part[i] = '\0';
			error = make_one(part, mode);
		}
	}
	return error == 0 ? 0 : fail(fault, "make directory", path, error);
}

int file_remove(const char *path)
{
	if (unlink(path) == 0) {
		return 0;
	}
	return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
}
