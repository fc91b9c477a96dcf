/*
 * Tells a reader of directories which names in them may have changed since it last asked, so that it need not look
 * at each of 30,000 files. Belongs to no loop: whoever reads asks first and reads then. What was changed by a
 * system call that had returned before the question is told.
 *
 * What it cannot know of is never called known: directories of network and stacked file systems, of which events
 * were lost, or that are others than at the last question. Nor can it know of a file that is reached by a symbolic
 * link, has a second name or is a mount of its own: file_read says which (struct file_stat, elsewhere).
 */
#ifndef NET_NAME_WATCH_H
#define NET_NAME_WATCH_H

#include "base/err.h"

#define NAME_WATCH_MAX 32u /* directories */

struct name_watch;

/* Of root/names[0] and so on; they need not exist. The texts are copied. NULL with *fault: the system has no watch
 * to give. */
struct name_watch *name_watch_new(
	const char *root, const char *const *names, size_t n, struct fault *fault);
/* NULL is allowed. */
void name_watch_free(struct name_watch *w);
/* Returns the directories, a bit for each, of which all that has changed was told to each; the others have to be
 * looked at as a whole. A name may be told more than once, and be of any kind. */
uint32_t name_watch_take(
	struct name_watch *w, void (*each)(void *arg, size_t place, const char *name), void *arg);

#endif
