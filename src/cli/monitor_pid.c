/*
 * Numbers of processes are used again. Start times in /proc count ticks since the machine's start, whose time is known
 * to the second: a process that began SLACK_MS after the file was written is another one.
 */
#define _GNU_SOURCE
#include "cli/monitor_pid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"
#include "base/text.h"

#define PROC_FILE_MAX ((size_t)16 << 20)
#define PROC_PATH_MAX 4096
#define PID_DIGITS_MAX 16u
#define PID_MAX ((uint64_t)1 << 22)
#define SLACK_MS 2000u
#define LOCK_TRIES 100u
#define LOCK_PAUSE_MS 50u
#define LISTENING BYTES("0A")

/* --- files ---------------------------------------------------------------------------------------- */

static int refuse(struct fault *fault, const char *path, const char *why)
{
	return fault_set(fault, ERR_REFUSED, 0, 0,
		"%s %s: remove it, or name another directory in SLUICE_MONITOR_DIR", path, why);
}

static int open_own(const char *path, int flags, int *fd_out, struct fault *fault)
{
	int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		return fault_set(fault, ERR_NOT_FOUND, 0, 0, "%s is not there", path);
	}
	if (fd < 0) {
		return refuse(
			fault, path, errno == ELOOP ? "is a symbolic link" : "cannot be opened");
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		st.st_nlink != 1) {
		close(fd);
		return refuse(fault, path, "is not a file of this user alone");
	}
	if ((st.st_mode & 077) != 0 && fchmod(fd, 0600) != 0) {
		close(fd);
		return refuse(fault, path, "can be read by others");
	}
	*fd_out = fd;
	return 0;
}

int monitor_pid_open_log(const char *path, int *fd_out, struct fault *fault)
{
	return open_own(path, O_WRONLY | O_APPEND | O_CREAT, fd_out, fault);
}

static int lock(int fd, const char *path, struct fault *fault)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};

	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	return fault_set(fault, ERR_TIMEOUT, 0, 0, "%s is held by another start or stop", path);
}

static uint64_t mtime_ms(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		return 0;
	}
	return (uint64_t)st.st_mtim.tv_sec * 1000 + (uint64_t)st.st_mtim.tv_nsec / 1000000;
}

/* What the file says, when it is true. */
static pid_t read_pid(int fd)
{
	char room[PID_DIGITS_MAX];
	ssize_t n = pread(fd, room, sizeof(room), 0);
	struct bytes text = bytes_trim(bytes_of(room, n > 0 ? (size_t)n : 0));
	uint64_t v;

	while (text.n != 0 && text.p[text.n - 1] == '\n') {
		text.n--;
	}
	if (!num_parse_u64(text, PID_MAX, &v) || v < 2) {
		return 0;
	}
	return monitor_pid_serves((pid_t)v, mtime_ms(fd)) ? (pid_t)v : 0;
}

int monitor_pid_open(const char *path, bool create, struct monitor_pid *out, struct fault *fault)
{
	int fd = -1;
	int rc = open_own(path, O_RDWR | (create ? O_CREAT : 0), &fd, fault);

	if (rc != 0) {
		return rc;
	}
	rc = lock(fd, path, fault);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	*out = (struct monitor_pid){.fd = fd, .pid = read_pid(fd)};
	return 0;
}

int monitor_pid_write(struct monitor_pid *p, pid_t pid, struct fault *fault)
{
	char room[PID_DIGITS_MAX];
	int n = snprintf(room, sizeof(room), "%d\n", (int)pid);

	if (ftruncate(p->fd, 0) != 0 || pwrite(p->fd, room, (size_t)n, 0) != n) {
		return fault_set(fault, ERR_IO, 0, 0, "the pid file cannot be written");
	}
	p->pid = pid;
	return 0;
}

void monitor_pid_close(struct monitor_pid *p)
{
	if (p->pid == 0 && ftruncate(p->fd, 0) != 0) {
		p->pid = 0; /* a number of nobody is not believed either */
	}
	close(p->fd);
}

/* --- processes ------------------------------------------------------------------------------------ */

static bool read_proc(struct text *out, const char *path)
{
	return file_read(path, PROC_FILE_MAX, out, NULL, NULL) == 0;
}

/* The program's name without its directory, and without what Linux says of one that was replaced. */
static struct bytes program_of(const char *link, char *room, size_t size)
{
	static const char *const deleted = " (deleted)";
	ssize_t n = readlink(link, room, size);
	struct bytes path = bytes_of(room, n > 0 ? (size_t)n : 0);
	struct bytes name;

	if (bytes_ends(path, bytes_str(deleted))) {
		path.n -= strlen(deleted);
	}
	do {
		name = bytes_cut(&path, '/');
	} while (path.p != NULL);
	return name;
}

static bool is_this_program(pid_t pid)
{
	char link[64], room[PROC_PATH_MAX], own[PROC_PATH_MAX];
	struct bytes name;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	name = program_of(link, room, sizeof(room));
	return name.n != 0 && bytes_eq(name, program_of("/proc/self/exe", own, sizeof(own)));
}

static bool is_serving(pid_t pid)
{
	char path[64];
	struct bytes rest;
	struct text t;
	bool serves;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	text_init(&t, PROC_FILE_MAX);
	rest = read_proc(&t, path) ? text_bytes(&t) : bytes_of(NULL, 0);
	bytes_cut(&rest, '\0');
	serves = rest.p != NULL && bytes_eq(bytes_cut(&rest, '\0'), BYTES("serve"));
	text_done(&t);
	return serves;
}

/* Seconds of the wall clock at which the machine was started. */
static bool boot_time(uint64_t *out)
{
	struct bytes rest;
	struct text t;
	bool found = false;

	text_init(&t, PROC_FILE_MAX);
	rest = read_proc(&t, "/proc/stat") ? text_bytes(&t) : bytes_of(NULL, 0);
	while (rest.p != NULL && !found) {
		struct bytes line = bytes_cut(&rest, '\n');

		if (bytes_eq(bytes_cut(&line, ' '), BYTES("btime"))) {
			found = num_parse_u64(line, UINT32_MAX, out);
		}
	}
	text_done(&t);
	return found;
}

/* The 22nd word of its stat; the second one, its name in parentheses, may hold blanks. */
static bool start_ticks(pid_t pid, uint64_t *out)
{
	char path[64];
	struct bytes rest = {NULL, 0};
	struct text t;
	bool found;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	text_init(&t, PROC_FILE_MAX);
	if (read_proc(&t, path)) {
		struct bytes all = text_bytes(&t);

		while (all.n != 0 && all.p[all.n - 1] != ')') {
			all.n--;
		}
		rest = bytes_of(all.p + all.n, t.n - all.n);
	}
	bytes_cut(&rest, ' ');
	for (int i = 3; i < 22 && rest.p != NULL; i++) {
		bytes_cut(&rest, ' ');
	}
	found = rest.p != NULL && num_parse_u64(bytes_cut(&rest, ' '), UINT64_MAX / 2000, out);
	text_done(&t);
	return found;
}

static bool began_before(pid_t pid, uint64_t wall_ms)
{
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t boot_s, ticks;

	if (hz <= 0 || !boot_time(&boot_s) || !start_ticks(pid, &ticks)) {
		return false;
	}
	return boot_s * 1000 + ticks * 1000 / (uint64_t)hz <= wall_ms + SLACK_MS;
}

bool monitor_pid_serves(pid_t pid, uint64_t before_ms)
{
	return is_this_program(pid) && is_serving(pid) &&
		(before_ms == 0 || began_before(pid, before_ms));
}

/* --- ports ---------------------------------------------------------------------------------------- */

/* The inode of a listening socket: "sl local_address rem_address st … uid timeout inode", addresses "HEX:PORT". */
static struct bytes listener_of(struct bytes table, uint16_t port)
{
	char wanted[8];

	snprintf(wanted, sizeof(wanted), ":%04X", port);
	while (table.p != NULL) {
		struct bytes line = bytes_trim(bytes_cut(&table, '\n'));
		struct bytes words[10] = {{NULL, 0}};
		size_t n = 0;

		while (line.p != NULL && n < ARRAY_LEN(words)) {
			struct bytes word = bytes_cut(&line, ' ');

			if (word.n != 0) {
				words[n++] = word;
			}
		}
		if (n == ARRAY_LEN(words) && bytes_ends(words[1], bytes_str(wanted)) &&
			bytes_eq(words[3], LISTENING)) {
			return words[9];
		}
	}
	return bytes_of(NULL, 0);
}

struct search {
	char socket[64]; /* "socket:[123]" */
	char dir[64];    /* "/proc/1/fd" */
	pid_t pid;
	bool found;
};

static bool look_at_descriptor(void *arg, const char *name)
{
	struct search *s = arg;
	char path[PROC_PATH_MAX], to[128];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	n = readlink(path, to, sizeof(to));
	s->found = bytes_eq(bytes_of(to, n > 0 ? (size_t)n : 0), bytes_str(s->socket));
	return !s->found;
}

static bool look_at_process(void *arg, const char *name)
{
	struct search *s = arg;
	uint64_t pid;

	if (!num_parse_u64(bytes_str(name), PID_MAX, &pid)) {
		return true;
	}
	snprintf(s->dir, sizeof(s->dir), "/proc/%llu/fd", (unsigned long long)pid);
	IGNORE(file_list(s->dir, look_at_descriptor, s, NULL)); /* others' cannot be seen */
	s->pid = (pid_t)pid;
	return !s->found;
}

bool monitor_pid_of_port(uint16_t port, pid_t *pid_out)
{
	static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
	bool taken = false;

	for (size_t i = 0; i < ARRAY_LEN(tables) && !taken; i++) {
		struct search s = {.found = false};
		struct bytes inode = {NULL, 0};
		struct text t;

		text_init(&t, PROC_FILE_MAX);
		if (read_proc(&t, tables[i])) {
			inode = listener_of(text_bytes(&t), port);
		}
		taken = inode.p != NULL;
		if (taken && pid_out != NULL) {
			snprintf(
				s.socket, sizeof(s.socket), "socket:[%.*s]", (int)inode.n, inode.p);
			IGNORE(file_list("/proc", look_at_process, &s, NULL)); /* then it stays 0 */
			*pid_out = s.found ? s.pid : 0;
		}
		text_done(&t);
	}
	return taken;
}
