/*
 * Files below a directory in which others may put what they like: nothing outside of it is ever opened. The
 * directory itself may be reached by links, what is below it may not: a component that is a link is refused,
 * whatever it leads to, and so is "..". Everything here blocks: jobs threads and commands only.
 */
#ifndef BASE_BELOW_H
#define BASE_BELOW_H

#include "base/err.h"
#include "base/text.h"

/* Components of a path below, each at most NAME_MAX long. */
#define BELOW_PATH_MAX 1024u

struct below {
	int fd; /* of the directory; -1: closed */
};

/* ERR_NOT_FOUND, ERR_REFUSED, ERR_IO; *b is closed then. */
MUST_CHECK int below_open(struct below *b, const char *dir, struct fault *fault);
void below_close(struct below *b);
/*
 * Appends a regular file of at most max bytes to out, whose max must allow it. ERR_NOT_FOUND; ERR_REFUSED: no
 * permission, or a link, a directory, a pipe where a file is wanted; ERR_LIMIT; ERR_IO. out is then as it was.
 */
MUST_CHECK int below_read(
	const struct below *b, const char *path, size_t max, struct text *out, struct fault *fault);
/* Whether it is a regular file, not a link. */
bool below_is_file(const struct below *b, const char *path);
/*
 * Names in a directory below ("" is the directory itself), in no order, but those with a dot in front. Calls
 * each until it returns false. ERR_LIMIT: there are more than max names, max of which were shown.
 */
MUST_CHECK int below_list(const struct below *b, const char *path, size_t max,
	bool (*each)(void *arg, const char *name), void *arg);

#endif
