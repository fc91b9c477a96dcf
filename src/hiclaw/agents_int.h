/* Of the store of assignments, between its files: how it stands on disk, and its history. */
#ifndef HICLAW_AGENTS_INT_H
#define HICLAW_AGENTS_INT_H

#include "hiclaw/agents.h"

/* Some 100 agents have 50 KB. */
#define AGENTS_FILE_MAX ((size_t)8 << 20)

/* --- agents.json ---------------------------------------------------------------------------------- */

void agents_file_write(const struct agents *a, struct text *out);
/* Calls `each` for every agent of the text, whose texts live as long as it and the arena. ERR_SYNTAX: it is
 * none of ours; entries that make no sense are left out. */
MUST_CHECK int agents_file_read(struct arena *room, struct bytes text,
	void (*each)(void *arg, const struct agent *v), void *arg, struct fault *fault);

/* --- history.jsonl -------------------------------------------------------------------------------- */

struct agents_history;
/* Blocks. */
struct agents_history *agents_history_open(
	const char *state_dir, struct jobs *jobs, struct loop *loop);
void agents_history_close(struct agents_history *h);
void agents_history_add(struct agents_history *h, const struct agents_event *e);
void agents_history_list(
	const struct agents_history *h, struct bytes target, size_t limit, struct text *out);

#endif
