/*
 * What was assigned to the Manager and the Workers, and what became of it (hiclaw-integration.md 6): the authority of
 * which model.json and the object in storage are exports. Kept in <state>/agents.json (0600, written atomically on a
 * jobs thread; a start after kill -9 reads the last whole one) and history.jsonl beside it. Control's.
 */
#ifndef HICLAW_AGENTS_H
#define HICLAW_AGENTS_H

#include "wire/doc.h"
#include "hiclaw/record.h"
#include "net/jobs.h"

enum agent_state { AGENT_UNMANAGED, AGENT_APPLIED, AGENT_PENDING, AGENT_DRIFTED, AGENT_FAILED };
const char *agent_state_text(enum agent_state s);

struct agent {
	struct bytes target;          /* "manager", or a Worker's name */
	bool assigned;                /* desired is set */
	struct bytes provider, model; /* desired: bare id */
	struct bytes asked; /* as the agent has to ask for it: the model, or "<provider>/<model>" */
	struct model_traits traits;
	uint64_t updated_us;
	struct bytes configured; /* model in the file or object; empty: unknown */
	struct bytes cr_model;   /* spec.model at the controller; empty: unknown */
	struct bytes observed;   /* last model that the gateway saw it ask for */
	uint64_t observed_ms;
	enum agent_state state;
	struct bytes reason; /* of drifted and failed: "CONTESTED", ... */
	bool synced;         /* record and object are as desired */
	bool pending_apply;  /* the CR is to be changed when it is idle */
	bool applying; /* a switch began and did not come to its end: what is configured may be
				   * anything */
	bool corrupt;  /* its record cannot be read; the next switch keeps it aside */
	struct bytes former;      /* what was configured before the last switch; empty: unknown */
	uint64_t bridge_until_ms; /* 0: no bridge */
	struct bytes bridge_from; /* the model that is served as the new one */
	uint64_t reapplied[5];    /* times of the last re-applications, ms */
};

struct agents;

/* Accident: a script that assigns to names that it makes up. HiClaw has some ten Workers. */
#define AGENTS_MAX 1000u
/* Kept of history. */
#define AGENTS_HISTORY_MAX 10000u

/* Blocks: at the start. A broken file is kept beside as agents.json.corrupt.<time>, and said. */
struct agents *agents_open(const char *state_dir, struct jobs *jobs, struct loop *loop);
/* When the jobs have ended; what is not on disk yet is written here. */
void agents_close(struct agents *a);
/* NULL: never heard of. Valid until the next change. */
const struct agent *agents_find(const struct agents *a, struct bytes target);
/* By name, "manager" first. */
size_t agents_count(const struct agents *a);
const struct agent *agents_at(const struct agents *a, size_t i);

/* A change of one agent: texts are copied. on_kept (may be NULL) is called on control when it is on disk, or could not
 * be written (rc < 0): then it is as before. Never before agents_put returns. */
struct agents_keep {
	void (*on_kept)(struct agents_keep *k, int rc);
	void *arg;
};
void agents_put(struct agents *a, const struct agent *v, struct agents_keep *k);
void agents_remove(struct agents *a, struct bytes target, struct agents_keep *k);
/* What is only looked at (configured, observed, state): in memory, written with the next change. */
void agents_note(struct agents *a, const struct agent *v);

/* One line of history (6.5): masked before it comes here; kept to 10,000 lines. */
struct agents_event {
	uint64_t at_ms;
	struct bytes actor, peer, action, target, result, backup;
	const struct doc *before, *after; /* may be NULL */
};
void agents_log(struct agents *a, const struct agents_event *e);
/* Newest first, as JSON array; target empty: all. */
void agents_history(struct agents *a, struct bytes target, size_t limit, struct text *out);

#endif
