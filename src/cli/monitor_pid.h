/*
 * The file that names the process of a monitor server, in a directory where anybody may write (monitor-api.md 8.1):
 * it is never followed when it is a link, and what it says is believed only of a process that is this program, serves,
 * and was there when the file was written. For `sluice agm monitor`. Linux: everything is looked up in /proc.
 */
#ifndef CLI_MONITOR_PID_H
#define CLI_MONITOR_PID_H

#include <sys/types.h>

#include "base/err.h"

struct monitor_pid {
	int fd;    /* locked against others who start or stop */
	pid_t pid; /* 0: none that runs */
};

/* Opens it and looks whether its process runs. create: makes an empty one (0600). ERR_NOT_FOUND: there is none.
 * ERR_REFUSED: a link, no regular file, another owner's, or one with several names. ERR_TIMEOUT: somebody else has
 * held it for some seconds. */
MUST_CHECK int monitor_pid_open(
	const char *path, bool create, struct monitor_pid *out, struct fault *fault);
/* Writes the process's number. */
MUST_CHECK int monitor_pid_write(struct monitor_pid *p, pid_t pid, struct fault *fault);
/* Keeps the file; pid 0 is written into it: nobody runs. */
void monitor_pid_close(struct monitor_pid *p);

/* A file like the pid file, for appending. */
MUST_CHECK int monitor_pid_open_log(const char *path, int *fd_out, struct fault *fault);

/* The process is this program and serves. before_ms (0: whenever): it was there at that time of the wall clock. */
bool monitor_pid_serves(pid_t pid, uint64_t before_ms);
/* Whether anybody of this network listens on the TCP port. pid_out (may be NULL): who it is, 0 when that cannot be
 * seen. */
bool monitor_pid_of_port(uint16_t port, pid_t *pid_out);

#endif
