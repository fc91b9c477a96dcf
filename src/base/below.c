/*
 * The path is walked component by component, each opened from the one before without following links: unlike a
 * look at the path before opening it, that leaves no moment in which somebody can swap a component.
 */
#define _GNU_SOURCE
#include "base/below.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
/* Not blocking: opening a named pipe would wait for its writer. */
#define FILE_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)

/* A link is ELOOP, or ENOTDIR where a directory is wanted. */
static int code_of(int error)
{
	return error == ENOENT ? ERR_NOT_FOUND
		: error == EACCES || error == EPERM || error == ELOOP || error == ENOTDIR ||
			error == EISDIR || error == EINVAL
		? ERR_REFUSED
		: error == EFBIG || error == ENAMETOOLONG ? ERR_LIMIT
							  : ERR_IO;
}

static int fail(struct fault *fault, const char *path, int error)
{
	return fault_set(fault, (enum err)code_of(error), 0, 0, "cannot read %.100s: %s", path,
		error == ELOOP            ? "it is a link"
			: error == EINVAL ? "it is no file"
					  : strerror(error));
}

int below_open(struct below *b, const char *dir, struct fault *fault)
{
	b->fd = open(dir, DIR_FLAGS);
	return b->fd >= 0 ? 0 : fail(fault, dir, errno);
}

void below_close(struct below *b)
{
	if (b->fd >= 0) {
		close(b->fd);
	}
	b->fd = -1;
}

/* --- walking ---------------------------------------------------------------------------------------- */

static bool is_component(struct bytes s)
{
	return s.n > 0 && !bytes_eq(s, BYTES(".")) && !bytes_eq(s, BYTES(".."));
}

/* Opens what path names with these flags; a descriptor, or -1 with errno. */
static int walk(const struct below *b, const char *path, int flags)
{
	struct bytes rest = bytes_str(path);
	char name[BELOW_PATH_MAX];
	int at = b->fd;

	for (;;) {
		struct bytes part = bytes_cut(&rest, '/');
		int next;

		if (!is_component(part) || part.n >= sizeof(name)) {
			errno = part.n >= sizeof(name) ? ENAMETOOLONG : EPERM;
			next = -1;
		} else {
			memcpy(name, part.p, part.n);
			name[part.n] = '\0';
			next = openat(at, name, rest.p != NULL ? DIR_FLAGS | O_NOFOLLOW : flags);
		}
		if (at != b->fd) {
			int error = errno;

			close(at);
			errno = error;
		}
		if (next < 0 || rest.p == NULL) {
			return next;
		}
		at = next;
	}
}

/* --- files -------------------------------------------------------------------------------------------- */

/* 0 or errno. */
static int read_all(int fd, size_t max, struct text *out)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		return errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	}
	if ((uint64_t)st.st_size > max) {
		return EFBIG;
	}
	return file_read_fd(fd, max, out);
}

int below_read(
	const struct below *b, const char *path, size_t max, struct text *out, struct fault *fault)
{
	size_t before = out->n;
	int fd = walk(b, path, FILE_FLAGS);
	int error;

	if (fd < 0) {
		return fail(fault, path, errno);
	}
	error = read_all(fd, max, out);
	close(fd);
	if (error != 0) {
		out->n = before;
		out->full = false;
		return fail(fault, path, error);
	}
	return 0;
}

bool below_is_file(const struct below *b, const char *path)
{
	int fd = walk(b, path, FILE_FLAGS);
	struct stat st;
	bool is = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	if (fd >= 0) {
		close(fd);
	}
	return is;
}

/* --- directories ------------------------------------------------------------------------------------------ */

static int show_names(DIR *d, size_t max, bool (*each)(void *arg, const char *name), void *arg)
{
	size_t n = 0;

	for (;;) {
		const struct dirent *e;

		errno = 0;
		e = readdir(d);
		if (e == NULL) {
			return errno == 0 ? 0 : ERR_IO;
		}
		if (e->d_name[0] == '.') {
			continue;
		}
		if (n++ == max) {
			return ERR_LIMIT;
		}
		if (!each(arg, e->d_name)) {
			return 0;
		}
	}
}

int below_list(const struct below *b, const char *path, size_t max,
	bool (*each)(void *arg, const char *name), void *arg)
{
	/* Not a copy of b->fd: copies share the place that is read next. */
	int fd = *path != '\0' ? walk(b, path, DIR_FLAGS | O_NOFOLLOW)
			       : openat(b->fd, ".", DIR_FLAGS);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	int rc;

	if (d == NULL) {
		int error = errno;

		if (fd >= 0) {
			close(fd);
		}
		return code_of(error);
	}
	rc = show_names(d, max, each, arg);
	closedir(d);
	return rc;
}
