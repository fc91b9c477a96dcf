/*
 * Of the switch, between its files: one run of its table of steps (hiclaw/switch.c), and what the steps keep in it.
 */
#ifndef HICLAW_SWITCH_INT_H
#define HICLAW_SWITCH_INT_H

#include "hiclaw/hiclaw_int.h"
#include "hiclaw/activation.h"
#include "hiclaw/guest.h"
#include "hiclaw/hybrid.h"
#include "hiclaw/agent_place.h"
#include "hiclaw/reach.h"
#include "hiclaw/resolve.h"
#include "hiclaw/state.h"
#include "proxy/bridges.h"

#define SWITCH_STEPS_MAX 24u
#define SWITCH_ALIVE_MS 5000u
/* Attack: a client that does not wait for its answers. */
#define SWITCH_RUNS_MAX 256u
#define SWITCH_WARNINGS_MAX 16u
/* Accident: a Console that others write to all the time. */
#define SWITCH_REPLANS_MAX 3u
/* Texts and documents of one run: the gateway's objects, configurations. A bound, not a need. */
#define SWITCH_ARENA_MAX ((size_t)256 << 20)

enum step_rc {
	STEP_NEXT,
	STEP_WAIT, /* switch_resume follows */
	STEP_FAIL, /* switch_fail was called: what was done is undone */
	STEP_PLAN, /* from the plan of routes again */
	STEP_END /* nothing further is to be done: to the last step; of an undo: there was nothing to undo */
};

enum outcome_kind {
	OUTCOME_NONE,
	OUTCOME_DONE,
	OUTCOME_SKIPPED,
	OUTCOME_WARNED,
	OUTCOME_FAILED,
	OUTCOME_UNDONE,
	OUTCOME_STUCK /* could not be undone */
};

struct switch_step {
	const char *name;
	enum step_rc (*run)(struct switch_run *r);
	enum step_rc (*undo)(struct switch_run *r); /* NULL: it changed nothing */
};

struct step_outcome {
	enum outcome_kind kind;
	struct bytes note;
};

struct switch_warning {
	const char *code;
	struct bytes text;
};

struct switch_cr { /* the agent at the controller */
	bool known;
	struct bytes name, model, team, runtime, phase;
	bool set;      /* it was changed */
	bool deferred; /* it will be, when the Worker is idle */
};

/* Of routes at another gateway. */
enum verification {
	VERIFICATION_UNASKED,
	VERIFICATION_PENDING,
	VERIFICATION_DONE,
	VERIFICATION_NONE
};

enum reload_method { RELOAD_NONE, RELOAD_ENDPOINT, RELOAD_WATCHER, RELOAD_UNREACHABLE };

struct switch_run {
	struct list link; /* of all runs, in the order in which they came */
	struct switches *s;
	struct hiclaw *h;
	struct switch_request *rq; /* NULL: nobody waits */
	struct task start;
	bool started;
	bool flooded; /* there are too many */
	struct arena arena;

	/* what is asked for, copied */
	struct switch_request ask; /* texts in the arena */
	bool manager;
	struct bytes consumer;
	struct agent before; /* assigned false: there was nothing */
	bool was_there;

	/* where it is */
	unsigned at;
	bool undoing, waiting;
	bool reload_asked, only_reload; /* by switch_reload; of the Manager nothing else */
	struct step_outcome outcomes[SWITCH_STEPS_MAX];
	enum hiclaw_code code;
	struct bytes why;
	struct doc *details;
	bool partial;
	struct switch_warning warnings[SWITCH_WARNINGS_MAX];
	size_t n_warnings;

	/* gateway */
	struct ops_call ops;
	struct doc *lists[OPS_NOUNS];
	struct hybrid_world world;
	struct hybrid_plan plan;
	struct plan *foreign; /* of another Console's objects as they were read; NULL: none */
	unsigned replans;
	bool routes_written;
	char backup[40]; /* of the gateway's objects */
	struct reach reach;
	bool reaching, tested; /* the test is under way; it was made */
	bool not_tested;       /* it said nothing */
	struct guest *guest;   /* at another gateway: its provider, here for the test */
	struct activation activation;
	enum verification verification;
	struct bytes unverified; /* why; empty: what the activation says */

	/* places */
	struct agent_place_finding found;
	struct agent_place_wish wish;
	size_t place;
	struct job job;
	void (*on_job)(struct job *j);
	struct s3_call s3_call;
	struct s3_edit s3_edit;
	struct fault job_why;
	int job_rc;
	struct doc *assignments; /* of everybody, for the backup */
	char backup_id[40];      /* of everything; the gateway's id when it made one */

	/* controller */
	struct controller_call cc;
	struct switch_cr cr;

	/* reload */
	struct fetch fetch;
	struct timer timer;
	uint64_t until_ms;
	enum reload_method method;
	bool alive;

	/* the end */
	struct agents_keep keep;
	struct model_traits traits;
	uint64_t updated_us;
	bool config_there; /* some configuration of the agent exists */
	bool changed;      /* the assignment is another one */
	bool synced, intended;
	const char *drift;      /* it is applied again, because of that; NULL: not so */
	bool counted;           /* as one of the few times in an hour */
	const char *adopt_from; /* it ended because somebody else has assigned; NULL: it did not */
	struct record adopt;    /* what they did */
	enum agent_state verdict; /* of drift that is not undone: AGENT_DRIFTED */
	struct bytes verdict_why;
};

/* Outcome of a look at what drifted (hiclaw/drift_judge.c). */
enum drift_kind {
	DRIFT_NONE,
	DRIFT_QUIET, /* exports are missing, a switch was interrupted, a Worker became idle */
	DRIFT_REAPPLY,
	DRIFT_ADOPT, /* somebody else's deliberate change is the assignment from now on */
	DRIFT_LEAVE  /* somebody else's change that is neither */
};

struct drift_facts {
	bool applying, pending, unsynced, records_change, has_config, config_changes, routes_change;
	bool cr_known, serves; /* serves: some provider serves what is configured */
	struct bytes asked, configured, former, default_model, boot_model;
	struct bytes cr_model, cr_before;
};
struct drift_verdict {
	enum drift_kind kind;
	bool counted;
	const char *why, *writer; /* "PARAMS_RESET"; who probably wrote it */
	struct bytes model;       /* of DRIFT_ADOPT */
};
struct drift_verdict drift_judge(const struct drift_facts *f);
/* Whether once more is too often: `times` are the last ones; *slot is the oldest. */
bool drift_is_contested(const uint64_t times[5], uint64_t now_ms, size_t *slot);

/* What a switch asks of the rest of the gateway; tests put theirs in its place. */
struct switch_world {
	void (*reach)(struct gateway *g, struct reach *r);
	void (*reach_cancel)(struct reach *r);
	/* ERR_NOT_FOUND: there is no plan to ask. */
	int (*resolve)(struct hiclaw *h, const struct resolve_request *rq, struct arena *a,
		struct resolve_answer *out);
	bool (*consumer)(struct hiclaw *h, struct bytes consumer, struct usage_consumer *out);
	uint64_t (*wall_ms)(void);
	/* Bridges between models (proxy/bridges.h); NULL: agents ask another gateway. */
	void (*bridges)(struct gateway *g, const struct bridge *v, size_t n);
	bool (*bridge_ended)(const struct gateway *g, struct bytes consumer);
};

struct switches {
	struct hiclaw *h;
	struct list runs;
	struct switch_world world;
	char *lock_dir, *backup_dir;
	bool stopped;
	uint64_t alive_ms; /* how long the Manager's program is asked whether it lives */
	struct drift *drift;
};

/* From callbacks: goes on with what the step came to. */
void switch_resume(struct switch_run *r, enum step_rc rc);
/* Notes the failure; returns STEP_FAIL. The sentence has no full stop. */
enum step_rc switch_fail(struct switch_run *r, enum hiclaw_code code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void switch_warn(struct switch_run *r, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* What the step under way came to, when it is not simply done. */
void switch_outcome(struct switch_run *r, enum outcome_kind kind, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
struct bytes switch_textf(struct switch_run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Whether the target's agent works at the moment. */
bool switch_is_busy(const struct switch_run *r);
/* Runs `work` on a jobs thread, then on_done on control. */
void switch_job(struct switch_run *r, void (*work)(struct job *j), void (*on_done)(struct job *j));

/* --- steps, in the files by their names ------------------------------------------------------------- */

enum step_rc switch_plan_validate(struct switch_run *r);
enum step_rc switch_plan_test(struct switch_run *r);
enum step_rc switch_plan_routes(struct switch_run *r);
/* world.resolve, by what another Console has where its gateway serves. */
int switch_plan_resolve(
	struct switch_run *r, const struct resolve_request *rq, struct resolve_answer *out);
/* The failure that is a refusal of the gateway's objects. */
enum step_rc switch_plan_refused(struct switch_run *r);
/* "2026-01-01T00:00:00Z"; empty for 0. */
struct bytes switch_time(struct arena *a, uint64_t us);

enum step_rc switch_config_find(struct switch_run *r);
enum step_rc switch_config_read(struct switch_run *r);
enum step_rc switch_config_plan(struct switch_run *r);
enum step_rc switch_config_write(struct switch_run *r);
enum step_rc switch_config_undo(struct switch_run *r);
/* Gives texts of places back. */
void switch_config_forget(struct switch_run *r);
enum step_rc switch_config_record(struct switch_run *r);
/* The place from which the configuration is said; NULL: there is none. */
const struct agent_place *switch_config_of(const struct switch_run *r);
/* Whether something is to be written there. */
bool switch_config_changes(const struct switch_run *r);

enum step_rc switch_judge(struct switch_run *r);

enum step_rc switch_backup(struct switch_run *r);
enum step_rc switch_intend(struct switch_run *r);
enum step_rc switch_intend_undo(struct switch_run *r);
enum step_rc switch_routes(struct switch_run *r);
enum step_rc switch_routes_undo(struct switch_run *r);
enum step_rc switch_verify(struct switch_run *r);
/* What became of it, unless it was not asked. */
struct doc *switch_verify_doc(const struct switch_run *r, struct arena *a);
/* "http://host:port/x": host:port. */
struct bytes switch_authority(struct bytes url);

/* One at the usual address, which nobody named, is a controller when it has ever answered. */
bool switch_cr_is_attached(const struct switch_run *r);
enum step_rc switch_cr_look(struct switch_run *r);
enum step_rc switch_cr_set(struct switch_run *r);
enum step_rc switch_cr_undo(struct switch_run *r);

enum step_rc switch_reload_step(struct switch_run *r);
struct doc *switch_reload_doc(const struct switch_run *r, struct arena *a);

/* The last one, of success: state, store, history, event. */
enum step_rc switch_finish(struct switch_run *r);
/* The same of a failure, when all is undone. */
void switch_finish_failed(struct switch_run *r);
/* The target was taken from our care since a run that nobody asked for began. */
bool switch_is_left(const struct switch_run *r);
/* What the values that are known come to. */
enum agent_state switch_state(const struct agent *v);
/* Fills observed from what the gateway saw; its text lives until the next turn. */
void switch_observe(struct switches *s, struct bytes consumer, struct agent *v);
/* An event for those who listen. */
void switch_tell(struct switches *s, const struct agent *v);
/* Fills the request's answer, or its error. */
void switch_answer(struct switch_run *r);

/* --- drift -------------------------------------------------------------------------------------------- */

struct drift *drift_new(struct switches *s);
void drift_stop(struct drift *d);
void drift_free(struct drift *d);
void drift_look(struct drift *d);
/* Whether what was refused so is no reason for good: at the first start of a new installation records are there before
 * the providers are. */
bool switch_may_become_good(enum hiclaw_code code);
/* switches_take_record. */
void drift_take_record(struct drift *d, struct bytes target, const struct record *r);
/* A request that will not be answered: it is freed when it was the loop's own. */
void drift_drop(struct switch_request *rq);
/* A run has ended: when its target is looked at again. */
void drift_ended(struct drift *d, const struct switch_run *r);

#endif
