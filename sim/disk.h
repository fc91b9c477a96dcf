/*
 * The disk of the simulated world: files and directories in memory, and faults by order.
 *
 * base/file.h is implemented on it in sim/file.c.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "base/bytes.h"

struct disk;

/* The steps at which a disk can fail. */
enum disk_step {
	DISK_OPEN,
	DISK_READ,
	DISK_WRITE,
	DISK_FSYNC,
	DISK_RENAME,
	DISK_FSYNC_DIR,
	DISK_LIST,
	DISK_STEP_COUNT
};

struct disk *disk_new(void);
void disk_free(struct disk *d);

/* The story writes a file (its directories appear with it) or removes one: no fault, new mtime. */
void disk_put(struct disk *d, const char *path, struct bytes content);
void disk_remove(struct disk *d, const char *path);
/* p == NULL when there is no such file. */
struct bytes disk_get(const struct disk *d, const char *path);
/* From now on every `step` fails (true) or works again. */
void disk_fail(struct disk *d, enum disk_step step, bool fails);
/* "open", "write", "fsync", "rename", "directory-fsync", "read", "list"; COUNT when it is none. */
enum disk_step disk_step_of(struct bytes name);

/* The program's next changes are counted from 1; the process ends right before that one: from then on every
 * change fails and nothing is changed, as if it were killed. 0: it runs on. */
void disk_stop_at(struct disk *d, size_t change);
bool disk_stopped(const struct disk *d);
size_t disk_changes(const struct disk *d);
/* Another process begins. power: the machine was off: of what was not synced, each name and each content
 * may be lost, as the world's chance has it. */
void disk_restart(struct disk *d, bool power);

#endif
