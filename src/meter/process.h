/*
 * What the system knows of this process: CPU time, memory, descriptors.
 */
#ifndef METER_PROCESS_H
#define METER_PROCESS_H

#include "base/base.h"

#define PROCESS_UNKNOWN UINT64_MAX

/* Opened at start: later the file system may be out of reach. One thread at a time reads. */
struct process {
	int statm, descriptors; /* below /proc/self; -1: not there */
};

struct process_facts {
	uint64_t cpu_us;
	uint64_t resident;                     /* bytes */
	uint64_t descriptors, descriptors_max; /* in use, allowed */
};

void process_open(struct process *p);
void process_close(struct process *p);
/* What cannot be found out is PROCESS_UNKNOWN. May wait for the system: not on a loop. */
void process_read(const struct process *p, struct process_facts *out);

/* Of these the one that costs a system call of microseconds. */
uint64_t process_resident(const struct process *p);

#endif
