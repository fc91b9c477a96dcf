/*
 * What the process may do from here on, whatever happens inside of it: no new privileges, only the
 * files named (landlock), none of the system calls that only an attacker would use (seccomp). Entered
 * once, before the first thread; there is no way out.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include "base/err.h"

enum sandbox_access {
	SANDBOX_READ,  /* files and directories, everything below included */
	SANDBOX_WRITE, /* that, and making, writing, renaming and removing files and directories */
};

/* What the name stands for when the sandbox is entered, and all that is below it then or later. One
 * that is not there is passed over. */
struct sandbox_path {
	const char *path;
	enum sandbox_access access;
};

struct sandbox_opts {
	const struct sandbox_path *paths;
	size_t n_paths;
	bool exec; /* other programs may be started: those that are, with their libraries, below a path */
};

struct sandbox_report {
	bool no_new_privs;
	int landlock;     /* version of the kernel's interface; 0: it has none, files are open */
	unsigned paths;   /* that are allowed */
	unsigned refused; /* system calls that fail with EPERM; 0: the kernel has no filter */
};

/* What this kernel has not got is left out and *out says so. ERR_IO when something it has failed: the
 * process may be half confined then, and should end. */
MUST_CHECK int sandbox_enter(
	const struct sandbox_opts *opts, struct sandbox_report *out, struct fault *fault);

#endif
