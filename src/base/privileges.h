/*
 * Whom a process runs as, and what it may do beside files of its own: users by name, capabilities. Used
 * at start, before the first thread: the kernel keeps both per thread.
 */
#ifndef BASE_PRIVILEGES_H
#define BASE_PRIVILEGES_H

#include <sys/types.h>

#include "base/err.h"

#define PRIVILEGES_NAME_MAX 64u

struct privileges_user {
	char name[PRIVILEGES_NAME_MAX]; /* as it was given, without the group */
	uid_t uid;
	gid_t gid;
};

/* Looks up NAME, NAME:GROUP, or numbers for either; without a group the user's own. ERR_NOT_FOUND. */
MUST_CHECK int privileges_find(const char *spec, struct privileges_user *out, struct fault *fault);
/* Whether this process is that user and group already. */
bool privileges_is(const struct privileges_user *u);
/*
 * Becomes that user for good: supplementary groups, group, user, and no capability is left; then looks
 * whether it is so. The process must be root. For root itself only the groups change and every
 * capability goes but CAP_DAC_OVERRIDE (it may go on reading and writing what belongs to others).
 */
MUST_CHECK int privileges_become(const struct privileges_user *u, struct fault *fault);
/* Gives up what a process that is not root was started with (CAP_NET_BIND_SERVICE, mostly). The number
 * of capabilities that it had, or ERR_IO. */
MUST_CHECK int privileges_drop(struct fault *fault);

#endif
