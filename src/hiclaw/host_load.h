/*
 * How busy the machine is, as far as it is ours (monitor-api.md 4.2): CPU and memory of the container, where there
 * is one with a limit of its own, else of the host. Read from cgroups (version 2 or 1) and /proc.
 *
 * One thread at a time: the control thread, every few seconds. Reading takes microseconds.
 */
#ifndef HICLAW_HOST_LOAD_H
#define HICLAW_HOST_LOAD_H

#include "base/bytes.h"

enum host_load_kind { HOST_LOAD_HOST, HOST_LOAD_CGROUP_1, HOST_LOAD_CGROUP_2 };

/* Opened at start: later the file systems may be out of reach. Descriptors are -1 where there is nothing. */
struct host_load {
	enum host_load_kind kind;
	bool own;                 /* the cgroup is a container's: it sees itself as the root */
	unsigned cpus;            /* that this process may run on */
	int usage, quota, period; /* of the cgroup */
	int memory, memory_max, memory_of; /* the latter: memory.stat */
	int stat, meminfo;                 /* of the host */
};

struct host_load_places {
	const char *proc, *cgroups; /* "/proc", "/sys/fs/cgroup" */
	unsigned cpus;              /* 0: ask the system */
};
extern const struct host_load_places host_load_usual;

struct host_load_sample {
	uint64_t at_us; /* monotonic */
	/* CPU: time used, and of the host also all that there was; unknown: both 0 */
	uint64_t busy, total;
	unsigned milli_cpus; /* that the busy time is a share of; 0: total tells */
	unsigned cpus;       /* rounded up, for people */
	/* memory in bytes; limit 0: unknown */
	uint64_t used, limit;
};

void host_load_open(struct host_load *h, const struct host_load_places *at);
void host_load_close(struct host_load *h);
void host_load_sample(const struct host_load *h, uint64_t now_us, struct host_load_sample *out);
/* Percent of the CPUs between two samples, 0 to 100. False: unknown (the samples are not alike, or no time has
 * passed). */
MUST_CHECK bool host_load_cpu(const struct host_load_sample *before,
	const struct host_load_sample *now, unsigned *percent_out);
/* Percent of the memory. False: unknown. */
MUST_CHECK bool host_load_memory(const struct host_load_sample *s, unsigned *percent_out);

/* --- parsers; texts of the kernel, which may have been cut at the end of a line ---------------------------- */

/* The number behind name: "name 12", "name:   12 kB" (name without ':'). */
MUST_CHECK bool host_load_field(struct bytes text, struct bytes name, uint64_t *out);
/* The first line of /proc/stat: ticks not idle, and all. */
MUST_CHECK bool host_load_ticks(struct bytes text, uint64_t *busy_out, uint64_t *total_out);
/* "200000 100000" is 2000 thousandths of a CPU, "max 100000" 0: no limit. */
MUST_CHECK bool host_load_quota(struct bytes text, unsigned *milli_cpus_out);
/* The path of this process in the hierarchy of a controller, from /proc/self/cgroup; controller "" is version 2. */
MUST_CHECK bool host_load_path(struct bytes text, struct bytes controller, struct bytes *out);

#endif
