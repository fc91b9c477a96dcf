/*
 * Files. Scenario tests link sim/file.c in its place (a scripted disk). Everything here blocks: jobs
 * threads, start-up and commands only.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"
#include "base/text.h"

struct file_stat {
	bool exists, is_dir, is_regular;
	uint64_t size, mtime_ns, inode;
	uint64_t ctime_ns; /* when content, mode or name changed; unlike mtime nobody can set it */
	unsigned mode, uid, gid;
	/* Of file_read only: what its directory tells of it is not all: it is reached by a symbolic link, has a
	 * second name, or is a mount of its own. */
	bool elsewhere;
};

/* ERR_IO when it cannot be told; *out is zero then. */
MUST_CHECK int file_stat(const char *path, struct file_stat *out);
/* Whether the name itself is a symbolic link, wherever it leads. */
bool file_is_link(const char *path);
/* Reads a regular file of at most max bytes, appended to out (whose max must allow it). ERR_NOT_FOUND,
 * ERR_REFUSED (no permission), ERR_LIMIT, ERR_IO; *st (may be NULL) is what was true of the very file that was read. */
MUST_CHECK int file_read(
	const char *path, size_t max, struct text *out, struct file_stat *st, struct fault *fault);
/* Appends what is left of fd; 0 or errno. A file that grows while it is read meets the same limit: EFBIG. */
MUST_CHECK int file_read_fd(int fd, size_t max, struct text *out);
/* Atomic: a temporary in the same directory (path.tmp, opened exclusively), fsync, rename, fsync of the
 * directory. On failure the target is as it was and no temporary is left. mode as given (0600).
 * What cannot be done is found out before the rename; from the rename on everybody reads the new
 * content, so it is done, even when the device then refuses to sync the directory: only a loss of power
 * could bring the old file back. */
MUST_CHECK int file_write_atomic(
	const char *path, struct bytes content, unsigned mode, struct fault *fault);

/*
 * The same in two steps, for files that shall change together: all are prepared, which is where a disk is
 * full or a directory refuses, then all are put in place.
 */
struct file_stage { /* zeroed: nothing is prepared */
	char *path, *tmp;
	int fd;
	bool open;
};
/* Writes path.tmp (exclusively, locked) and syncs it. Nothing is left on failure. ERR_EXISTS: another
 * program is writing the same file. */
MUST_CHECK int file_stage(struct file_stage *s, const char *path, struct bytes content,
	unsigned mode, struct fault *fault);
/* The same in two steps again. The first writes path.new and lets the device begin, so that the syncs of several
 * files take no longer than that of one. Who writes path by file_stage is not held up meanwhile. */
MUST_CHECK int file_stage_begin(struct file_stage *s, const char *path, struct bytes content,
	unsigned mode, struct fault *fault);
/* The second syncs it and takes path.tmp. On failure the stage is dropped. */
MUST_CHECK int file_stage_sync(struct file_stage *s, struct fault *fault);
/* Puts it in place, and ends the stage. The directory is not synced: file_sync_dir. */
MUST_CHECK int file_stage_rename(struct file_stage *s, struct fault *fault);
/* Removes the temporary, when there is one. */
void file_stage_drop(struct file_stage *s);
/*
 * For files of others, whose names may be links, whose owner matters, and which may be mounted one by one.
 * ERR_UNSUPPORTED of these, and of file_stage_rename: the name cannot be replaced by a rename (it is a mount
 * point, tmp is on another file system, or the owner cannot be given): file_overwrite may be able to.
 */
/* Where path leads in the end, on the heap. */
MUST_CHECK int file_resolve(const char *path, char **out, struct fault *fault);
struct file_place {
	const char *path, *tmp;       /* the temporary's name is the caller's choice */
	const struct file_stat *like; /* it gets this mode and this owner */
};
/* file_stage there. */
MUST_CHECK int file_stage_as(struct file_stage *s, const struct file_place *at,
	struct bytes content, struct fault *fault);
/* Removes a temporary that a writer left when it died; one that is being written stays. */
void file_remove_orphan(const char *tmp);
/* Writes into the file that is there, and syncs it. Not atomic: a crash leaves a part. */
MUST_CHECK int file_overwrite(const char *path, struct bytes content, struct fault *fault);
/* An exclusive lock by that name, made when it is not there, held until file_unlock or the end of the
 * process; it excludes threads of one process as well. ERR_TIMEOUT: others held it for wait_ms. */
MUST_CHECK int file_lock(const char *path, unsigned wait_ms, int *out, struct fault *fault);
void file_unlock(int held);
/* Makes renames and removals in a directory durable. */
MUST_CHECK int file_sync_dir(const char *dir, struct fault *fault);
/* Adds content to the end of a file, made when it is not there: all of it or nothing, whoever else does the same;
 * not synced. One that has more than max bytes is renamed to path.1 before, in place of the one there; when that
 * fails it goes on growing. */
MUST_CHECK int file_append(
	const char *path, struct bytes content, unsigned mode, uint64_t max, struct fault *fault);
MUST_CHECK int file_rename(const char *from, const char *to, struct fault *fault);
/* A second name for a file, whose content is synced. Fails where the system cannot have one, as on another
 * file system: then it has to be copied. */
MUST_CHECK int file_link(const char *from, const char *to, struct fault *fault);
/* An empty one. */
MUST_CHECK int file_remove_dir(const char *path);
/* Names in a directory ("." and ".." left out), sorted by bytes. Calls each until it returns false. */
MUST_CHECK int file_list(
	const char *dir, bool (*each)(void *arg, const char *name), void *arg, struct fault *fault);
/* With parents; existing directories are fine. */
MUST_CHECK int file_make_dir(const char *path, unsigned mode, struct fault *fault);
MUST_CHECK int file_remove(const char *path);

#endif
