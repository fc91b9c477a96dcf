#define _GNU_SOURCE
#include "meter/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/num.h"

/* "size resident shared ..." in pages. */
#define STATM_MAX 128u

void process_open(struct process *p)
{
	p->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	p->descriptors = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void process_close(struct process *p)
{
	if (p->statm >= 0) {
		close(p->statm);
	}
	if (p->descriptors >= 0) {
		close(p->descriptors);
	}
	p->statm = p->descriptors = -1;
}

static uint64_t cpu_us(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) != 0) {
		return 0;
	}
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u +
		(uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

uint64_t process_resident(const struct process *p)
{
	char room[STATM_MAX];
	ssize_t n = p->statm >= 0 ? pread(p->statm, room, sizeof(room), 0) : -1;
	struct bytes rest = bytes_of(room, n > 0 ? (size_t)n : 0);
	uint64_t pages;

	bytes_cut(&rest, ' ');
	if (rest.p == NULL || !num_parse_u64(bytes_cut(&rest, ' '), UINT64_MAX / 65536, &pages)) {
		return PROCESS_UNKNOWN;
	}
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Every name but "." and "..". */
static uint64_t count_descriptors(const struct process *p)
{
	_Alignas(struct dirent64) char room[16384];
	uint64_t n = 0;
	ssize_t got;

	if (p->descriptors < 0 || lseek(p->descriptors, 0, SEEK_SET) < 0) {
		return PROCESS_UNKNOWN;
	}
	while ((got = getdents64(p->descriptors, room, sizeof(room))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *e = (const void *)(room + at);

			n += e->d_name[0] != '.';
			at += e->d_reclen;
		}
	}
	return got < 0 ? PROCESS_UNKNOWN : n;
}

void process_read(const struct process *p, struct process_facts *out)
{
	struct rlimit limit;

	out->cpu_us = cpu_us();
	out->resident = process_resident(p);
	out->descriptors = count_descriptors(p);
	out->descriptors_max = PROCESS_UNKNOWN;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		out->descriptors_max = limit.rlim_cur;
	}
}
