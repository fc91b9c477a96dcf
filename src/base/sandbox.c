/*
 * Landlock refuses what no rule allows of the rights that a ruleset names, so it names all that the
 * kernel knows. Stat, inotify and connecting to sockets are not among them. seccomp is a list of what
 * is refused, not of what is allowed: a list of the latter breaks with every new C library. Refused
 * calls fail instead of killing, so that a library that only probes goes on.
 *
 * Sanitizers stop the program with ptrace at its end, read their own maps and start a symbolizer: a
 * build with one keeps these.
 */
#define _GNU_SOURCE
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* --- files -------------------------------------------------------------------------------------- */

/* Rights that headers older than the kernel do not name (landlock(7)). */
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_WRITE                                                                    \
	(RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
		LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |           \
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
#define RIGHTS_OF_FILES                                              \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
		LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

/* struct landlock_ruleset_attr as it is since version 6; older kernels are given less of it. */
struct ruleset {
	uint64_t fs, net, scoped;
};

static size_t ruleset_size(int version)
{
	return version >= 6 ? sizeof(struct ruleset) : sizeof(uint64_t);
}

/* The rights of files that this version of the interface knows. */
static uint64_t known_rights(int version)
{
	static const uint64_t upto[] = {LANDLOCK_ACCESS_FS_MAKE_SYM, LANDLOCK_ACCESS_FS_REFER,
		FS_TRUNCATE, FS_TRUNCATE, FS_IOCTL_DEV};
	size_t at = MIN((size_t)version, ARRAY_LEN(upto)) - 1;

	return (upto[at] << 1) - 1;
}

/* 0 or -1 and errno; *n counts the paths that are there. */
static int allow(int ruleset, const struct sandbox_path *p, uint64_t known, unsigned *n)
{
	uint64_t rights = (p->access == SANDBOX_WRITE ? RIGHTS_WRITE : RIGHTS_READ) & known;
	struct landlock_path_beneath_attr rule;
	struct stat st;
	int rc;
	int fd = open(p->path, O_PATH | O_CLOEXEC);

	if (fd < 0) {
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
	}
	rc = fstat(fd, &st);
	if (rc == 0) {
		rule = (struct landlock_path_beneath_attr){
			.allowed_access = S_ISDIR(st.st_mode) ? rights : rights & RIGHTS_OF_FILES,
			.parent_fd = fd};
		rc = (int)syscall(
			SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
		/* Pipes and the like have no place in a file system, and no rule keeps from them. */
		rc = rc != 0 && errno == EBADFD ? 0 : rc;
		*n += 1;
	}
	close(fd);
	return rc;
}

static int allow_all(int ruleset, const struct sandbox_opts *opts, uint64_t known, unsigned *n)
{
	static const struct sandbox_path sanitizers_need[] = {
		{"/proc", SANDBOX_READ}, {"/proc/self/exe", SANDBOX_READ}, {"/sys", SANDBOX_READ}};

	for (size_t i = 0; i < opts->n_paths; i++) {
		if (allow(ruleset, &opts->paths[i], known, n) != 0) {
			return -1;
		}
	}
	for (size_t i = 0; SANITIZED && i < ARRAY_LEN(sanitizers_need); i++) {
		if (allow(ruleset, &sanitizers_need[i], known, n) != 0) {
			return -1;
		}
	}
	return 0;
}

static int confine_files(
	const struct sandbox_opts *opts, struct sandbox_report *out, struct fault *fault)
{
	int version =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset attr = {.fs = 0};
	int fd;
	int rc;

	if (version <= 0) {
		return 0; /* not built in, not switched on, or a container refuses it */
	}
	attr.fs = known_rights(version);
	if (opts->exec) {
		attr.fs &= ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
	}
	attr.scoped = SCOPE_SIGNAL;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, ruleset_size(version), 0);
	if (fd < 0) {
		return fault_set(
			fault, ERR_IO, 0, 0, "landlock_create_ruleset failed: %s", strerror(errno));
	}
	rc = allow_all(fd, opts, attr.fs, &out->paths);
	rc = rc == 0 ? (int)syscall(SYS_landlock_restrict_self, fd, 0) : rc;
	if (rc != 0) {
		rc = fault_set(fault, ERR_IO, 0, 0, "landlock failed: %s", strerror(errno));
	} else {
		out->landlock = version;
	}
	close(fd);
	return rc;
}

/* --- system calls ------------------------------------------------------------------------------- */

/* Other processes; the file system's shape; the kernel; what goes round the checks of open. */
static const char *const refused[] = {"process_vm_writev", "kcmp", "pidfd_getfd", "mount", "umount",
	"umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig",
	"fsmount", "fspick", "mount_setattr", "mknod", "mknodat", "bpf", "perf_event_open",
	"keyctl", "add_key", "request_key", "kexec_load", "kexec_file_load", "init_module",
	"finit_module", "delete_module", "reboot", "swapon", "swapoff", "acct", "quotactl", "setns",
	"unshare", "userfaultfd", "open_by_handle_at", "name_to_handle_at", "io_uring_setup",
	"io_uring_enter", "io_uring_register", "lookup_dcookie", "iopl", "ioperm", "modify_ldt",
	"settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname",
	"setdomainname", "syslog", "vhangup", "uselib", "_sysctl"};
static const char *const refused_unless_sanitized[] = {"ptrace", "process_vm_readv", "personality"};
static const char *const refused_exec[] = {"execve", "execveat"};

static int refuse(scmp_filter_ctx filter, const char *const *names, size_t n, unsigned *count)
{
	for (size_t i = 0; i < n; i++) {
		int call = seccomp_syscall_resolve_name(names[i]);
		int rc;

		if (call < 0) {
			continue; /* this library or this machine does not know it */
		}
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
		if (rc != 0) {
			return rc;
		}
		*count += 1;
	}
	return 0;
}

/* A thread is made with clone too. The flags of clone3 are in memory, out of a filter's sight: without
 * it the C library takes clone. */
static int refuse_namespaces(scmp_filter_ctx filter)
{
	static const unsigned flags[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET,
		CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP};
	int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(flags); i++) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
	}
	return rc;
}

static int fill_filter(scmp_filter_ctx filter, const struct sandbox_opts *opts, unsigned *count)
{
	int rc = refuse(filter, refused, ARRAY_LEN(refused), count);

	if (rc == 0 && !SANITIZED) {
		rc = refuse(filter, refused_unless_sanitized, ARRAY_LEN(refused_unless_sanitized),
			count);
	}
	if (rc == 0 && !opts->exec && !SANITIZED) {
		rc = refuse(filter, refused_exec, ARRAY_LEN(refused_exec), count);
	}
	return rc == 0 ? refuse_namespaces(filter) : rc;
}

static int confine_calls(
	const struct sandbox_opts *opts, struct sandbox_report *out, struct fault *fault)
{
	scmp_filter_ctx filter;
	unsigned count = 0;
	int rc;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		return 0; /* a kernel without it */
	}
	filter = seccomp_init(SCMP_ACT_ALLOW);
	ASSERT(filter != NULL);
	/* A tree instead of a list; and no switching off of speculation, which would slow down all of
	 * the program: it keeps no foreign code away from its own memory. Old libraries lack both. */
	IGNORE(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2));
	IGNORE(seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1));
	rc = fill_filter(filter, opts, &count);
	rc = rc == 0 ? seccomp_load(filter) : rc;
	seccomp_release(filter);
	if (rc != 0) {
		return fault_set(fault, ERR_IO, 0, 0, "seccomp failed: %s", strerror(-rc));
	}
	out->refused = count;
	return 0;
}

int sandbox_enter(const struct sandbox_opts *opts, struct sandbox_report *out, struct fault *fault)
{
	struct sandbox_report report = {.no_new_privs = true};
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		return fault_set(fault, ERR_IO, 0, 0, "no_new_privs failed: %s", strerror(errno));
	}
	rc = confine_files(opts, &report, fault);
	rc = rc == 0 ? confine_calls(opts, &report, fault) : rc;
	if (rc == 0) {
		*out = report;
	}
	return rc;
}
