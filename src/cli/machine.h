/*
 * What this process may use of the machine: CPUs and memory, container limits included.
 */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include "base/bytes.h"

/* At least 1. */
unsigned machine_cpus(void);
/* Bytes: the machine's memory, or the least limit of the control groups this process is in. */
uint64_t machine_memory(void);

/* The least number among the limits that stand in files of these directories and their parents:
 * `groups` is the text of /proc/self/cgroup, `mount` where the hierarchy is. UINT64_MAX: no limit. */
uint64_t machine_group_limit(struct bytes groups, const char *mount);

#endif
