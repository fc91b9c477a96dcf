/*
 * Giving an agent a model (hiclaw-integration.md 8): a table of steps, each with what undoes it, that change routes,
 * controller, configuration and record, and say of each what became of it. One run per target at a time, others wait
 * in order. Control's; slow work on jobs threads.
 */
#ifndef HICLAW_SWITCH_H
#define HICLAW_SWITCH_H

#include "wire/doc.h"
#include "hiclaw/env.h"
#include "hiclaw/error.h"
#include "hiclaw/known_models.h"
#include "hiclaw/model_traits.h"
#include "hiclaw/record.h"

struct hiclaw;
struct switches;

enum switch_why {
	SWITCH_ASKED,
	SWITCH_DRIFT,
	SWITCH_ADOPTED,
	SWITCH_IDLE /* a Worker became idle */
};

struct switch_request {      /* zeroed before; texts stay until on_done */
	struct bytes target; /* "manager" or a Worker's bare name: valid */
	struct bytes provider, model;
	struct model_sources wish; /* what the caller gave explicitly */
	bool skip_test, strict, force, bridge, dry_run, qualify;
	enum env_apply apply;
	struct bytes if_match; /* "<updatedAt>" without quotes; empty: none */
	struct bytes actor, peer;
	enum switch_why why;
	void (*on_done)(struct switch_request *rq);
	void *arg;

	/* the answer: 200 with doc in the order of monitor-api.md 4.4, or the error */
	struct arena *arena;   /* the caller's: of answer */
	enum hiclaw_code code; /* HICLAW_OK */
	struct bytes why_text;
	const struct doc *details; /* of an error, may be NULL */
	bool partial;              /* undoing failed too */
	char backup[40]; /* what was there before, of a failure; empty: nothing was changed */
	struct doc *answer;
	/* its own */
	struct switch_run *run;
};

/* Blocks: at the start. Everything of h but the switches is there. */
struct switches *switches_new(struct hiclaw *h);
/* When the jobs have ended, and before what it uses is freed (controller, storage, fetcher): nothing goes on any more,
 * whatever is still reported. */
void switches_stop(struct switches *s);
/* After them, and before the agents: runs under way end without an answer; on the next start drift repairs what they
 * left. NULL is allowed. */
void switches_free(struct switches *s);
/* Never calls on_done before it returns. A client that leaves does not end a switch: on_done must be able to come late;
 * switch_forget makes it not come. */
void switch_start(struct switches *s, struct switch_request *rq);
void switch_forget(struct switch_request *rq);

/* Whether a switch of the target has begun to write: what it writes would come behind what the caller does now. */
bool switch_is_writing(const struct switches *s, struct bytes target);

/* Of a switch whose routes another gateway is asked for at this moment (placement P4): {"state": "pending", "attempts": 3,
 * "ms": 1200, "reason": what it answered last}. NULL: there is none. */
struct doc *switch_verifying(const struct switches *s, struct bytes target, struct arena *a);

/* A record that others have put into the storage: it is adopted, after the checks that a call gets, when the target has
 * no assignment and had none since. Records of targets that have one are compared by their own looks. */
void switches_take_record(struct switches *s, struct bytes target, const struct record *r);

/* The drift loop (10.3) runs by itself every 60 s; this looks now (file watch, tests, POST reload). */
void switches_look(struct switches *s);
/* Bridges as the agents have them (hiclaw/bridging.h): at the start, and when one was taken from our care. */
void switches_bridge(struct switches *s);
/* monitor-api 4.11: Manager: reload URL and probe; Worker: the apply step again. Answer as doc. */
void switch_reload(struct switches *s, struct switch_request *rq);

/* For tests: whether SLUICE_FAULT_SWITCH says "<step>=fail" (1) or "<step>=crash" (2), which is looked at before each
 * step. */
int switch_fault(const char *step);

#endif
