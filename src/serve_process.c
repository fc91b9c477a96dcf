/*
 * What the process is and may do: its user, its capabilities, its sandbox, its descriptors.
 *
 * Order at start: what only root may do (listeners), then the change of the user, then everything that
 * opens a file, as the user who will have to open it again (a rotated log, a changed resource), then the
 * sandbox, then the first byte of a resource is read and the first thread is made.
 */
#define _GNU_SOURCE
#include "serve_int.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

#define EXIT_USAGE 2
/* Of a process without connections to the gateway: loops, listeners, log, libraries, and those of
 * management (CONSOLE_CONNECTIONS_MAX); and of each worker. */
#define DESCRIPTORS_OF_PROCESS 128u
#define DESCRIPTORS_OF_WORKER 8u

/* --- user --------------------------------------------------------------------------------------- */

int serve_process_identify(struct serve *s)
{
	const char *name = s->settings.user;
	struct fault f;

	if (name == NULL) {
		if (geteuid() == 0) {
			fprintf(stderr,
				"sluice serve: started as root; name with --user the user to change to "
				"when the listeners are open (--user root stays root)\n");
			return EXIT_USAGE;
		}
		return 0;
	}
	if (privileges_find(name, &s->user, &f) != 0) {
		fprintf(stderr, "sluice serve: --user: %s\n", f.text);
		return EXIT_USAGE;
	}
	if (geteuid() != 0 && !privileges_is(&s->user)) {
		fprintf(stderr,
			"sluice serve: only root may change to user %s; start it as root, or as that "
			"user without --user\n",
			name);
		return EXIT_USAGE;
	}
	return 0;
}

static int give_up_capabilities(void)
{
	struct fault f;
	int had = privileges_drop(&f);

	if (had < 0) {
		fprintf(stderr, "sluice serve: %s\n", f.text);
		return 1;
	}
	if (had > 0) {
		log_info("serve", "listeners are open, capabilities given up: %d", had);
	}
	return 0;
}

/* What is not there may appear. */
static int may_use(const struct serve *s, const char *path, int how)
{
	if (access(path, how) == 0 || errno == ENOENT || errno == ENOTDIR) {
		return 0;
	}
	fprintf(stderr,
		"sluice serve: user %s cannot %s %s (%s); `chown -R %s %s`, or name another\n",
		s->user.name, (how & W_OK) != 0 ? "write to" : "read", path, strerror(errno),
		s->user.name, path);
	return 1;
}

int serve_process_change_user(struct serve *s)
{
	struct fault f;

	if (geteuid() != 0) {
		return give_up_capabilities();
	}
	if (privileges_become(&s->user, &f) != 0) {
		fprintf(stderr, "sluice serve: cannot run as user %s: %s\n", s->user.name, f.text);
		return 1;
	}
	log_info("serve", "runs as user %s (%u:%u), %s", s->user.name, s->user.uid, s->user.gid,
		s->user.uid == 0 ? "with CAP_DAC_OVERRIDE as its only capability"
				 : "without capabilities");
	return may_use(s, s->settings.resources, R_OK | X_OK) != 0 ||
		may_use(s, s->settings.state, R_OK | W_OK | X_OK) != 0;
}

/* --- sandbox ------------------------------------------------------------------------------------ */

static void say_sandbox(const struct sandbox_report *r)
{
	char files[96] = "files are not limited (this kernel has no landlock)";
	char calls[64] = "system calls are not (it has no seccomp)";

	if (r->landlock != 0) {
		snprintf(files, sizeof(files), "files limited to %u places (landlock %d)", r->paths,
			r->landlock);
	}
	if (r->refused != 0) {
		snprintf(calls, sizeof(calls), "%u system calls refused (seccomp)", r->refused);
	}
	log_info("serve", "sandbox: no new privileges, %s, %s", files, calls);
}

int serve_process_confine(struct serve *s)
{
	struct serve_paths paths;
	struct sandbox_report report;
	struct fault f;
	int rc;

	if (s->settings.sandbox == SETTINGS_OFF) {
		log_warn("serve", "the sandbox is off (--sandbox off)");
		return 0;
	}
	serve_paths_collect(&paths, &s->settings, &s->hiclaw.env);
	rc = sandbox_enter(
		&(struct sandbox_opts){.paths = paths.v, .n_paths = paths.n}, &report, &f);
	serve_paths_done(&paths);
	if (rc != 0) {
		fprintf(stderr,
			"sluice serve: the sandbox cannot be entered: %s; --sandbox off goes "
			"without it\n",
			f.text);
		return 1;
	}
	say_sandbox(&report);
	return 0;
}

/* --- descriptors -------------------------------------------------------------------------------- */

void serve_process_raise_descriptors(struct serve *s)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0) {
		return;
	}
	s->descriptors_max = r.rlim_max;
	if (r.rlim_cur < r.rlim_max) {
		rlim_t before = r.rlim_cur;

		r.rlim_cur = r.rlim_max;
		r.rlim_cur = setrlimit(RLIMIT_NOFILE, &r) == 0 ? r.rlim_max : before;
	}
	s->descriptors = r.rlim_cur;
}

/* An exchange has two connections: the client's and the upstream's. */
uint64_t serve_process_connections(const struct serve *s)
{
	uint64_t own = DESCRIPTORS_OF_PROCESS + (uint64_t)s->opts.n_workers * DESCRIPTORS_OF_WORKER;

	return s->descriptors > own ? (s->descriptors - own) / 2 / s->opts.n_workers : 0;
}

void serve_process_warn_descriptors(const struct serve *s)
{
	uint64_t enough = serve_process_connections(s);

	if (enough < s->opts.http.connections_max) {
		log_warn("serve",
			"%llu descriptors are enough for %llu connections per worker with their "
			"upstreams, connections-max allows %u; raise the limit (LimitNOFILE=, ulimit "
			"-Hn), or lower that",
			(unsigned long long)s->descriptors, (unsigned long long)enough,
			s->opts.http.connections_max);
	}
}

/* --- memory ------------------------------------------------------------------------------------- */

#define PAGE 4096u

static int forget_files(struct dl_phdr_info *of, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (size_t i = 0; i < of->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &of->dlpi_phdr[i];
		uintptr_t from = (of->dlpi_addr + part->p_vaddr) / PAGE * PAGE;
		uintptr_t to = of->dlpi_addr + part->p_vaddr + part->p_memsz;

		/* What is never written is as it stands in the file. */
		if (part->p_type == PT_LOAD && (part->p_flags & PF_W) == 0) {
			IGNORE(madvise((void *)from, to - from, MADV_DONTNEED)); /* a hint */
		}
	}
	return 0;
}

void serve_process_forget_start(void)
{
	IGNORE(dl_iterate_phdr(forget_files, NULL)); /* what forget_files returns */
}
