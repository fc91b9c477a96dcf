/*
 * The places in which an agent's model stands (hiclaw-integration.md 4, 5, 6, 7.2): files and objects of storage, each
 * configuration of a runtime or the record of the assignment. What has to change in one is decided here, and files
 * are read and written; objects are read and written by who has the client (hiclaw/s3.h).
 *
 * Everything blocks, or may take long: jobs threads only.
 */
#ifndef HICLAW_AGENT_PLACE_H
#define HICLAW_AGENT_PLACE_H

#include "hiclaw/copaw.h"
#include "hiclaw/env.h"
#include "hiclaw/openclaw.h"
#include "hiclaw/record.h"
#include "hiclaw/s3.h"

/* The Manager's: three objects, the file, two of CoPaw with a copy, two records. */
#define AGENT_PLACES_MAX 10u
/* model.json.backup.<time>, as the plugin made them. */
#define AGENT_PLACE_RECORD_BACKUPS_MAX 10u

enum agent_place_kind {
	AGENT_PLACE_OPENCLAW,
	AGENT_PLACE_MIRROR,          /* a local copy of the object before it */
	AGENT_PLACE_COPAW_PROVIDERS, /* .copaw.secret/providers.json and its copy */
	AGENT_PLACE_COPAW_CONFIG,
	AGENT_PLACE_RECORD
};

struct agent_place_wish { /* not changed while a job runs */
	struct openclaw_wish openclaw;
	struct record record;
	uint64_t context_window; /* as resolved */
	/* Of what is applied again: limits that the model's entry does not have are left away there. */
	bool again;
	const char *lock_dir;
};

struct agent_place {
	enum agent_place_kind kind;
	bool object;      /* name is a key of storage, else a path */
	const char *name; /* NUL-terminated */
	/* as it was found */
	bool looked; /* it could be read, or is known not to be there */
	bool exists;
	struct text content;
	bool changes;               /* something is to be written */
	struct bytes configured;    /* bare id, or the reference of another provider; empty: none */
	struct model_traits traits; /* of its entry, as far as it has one */
	struct bytes overrider;     /* p NULL: none */
	bool corrupt;               /* a record that cannot be read */
	struct record record;       /* p of model NULL: there is none */
	/* what became of it */
	enum config_code code;
	enum s3_rc rc;
	struct fault why;
	bool written, atomic;
	struct text before, after; /* of what was written */
	bool existed;
};

/* Whether it is the configuration of a runtime. */
static inline bool agent_place_is_config(const struct agent_place *p)
{
	return p->kind != AGENT_PLACE_RECORD;
}

/* --- which there are -------------------------------------------------------------------------------- */

struct agent_place_finding {
	struct arena *arena;
	const struct env *env;
	struct bytes target;
	bool storage; /* there is one */
	/* out */
	struct agent_place v[AGENT_PLACES_MAX];
	size_t n;
	struct bytes worker_key;  /* of its credentials; empty: none */
	const char *unsafe;       /* a directory that is a link: nothing is written; NULL: none */
	struct bytes config_path; /* the Manager's; empty: none */
};

/* Objects first, then files, configuration before records; files are read as well. */
void agent_place_find(struct agent_place_finding *f);

/* --- what is to be done ----------------------------------------------------------------------------- */

/* Fills changes, configured, traits, overrider and record of content, and code and why when the change cannot be
 * made. *resolved (may be NULL) gets the traits that the model has there. */
void agent_place_plan(struct agent_place *p, const struct agent_place_wish *wish, struct arena *a,
	struct model_traits *resolved);
/* The same as a function of a text (p NULL: there is none): what s3_edit asks for. CONFIG_OK without a change:
 * out->changed is false. */
MUST_CHECK enum config_code agent_place_edit(enum agent_place_kind kind,
	const struct agent_place_wish *wish, struct arena *a, struct bytes before,
	struct config_text *out, struct fault *fault);

/* A file: does it, by the protocol of hiclaw/claw_file.h. mirror: what a AGENT_PLACE_MIRROR gets. code and why are
 * set. */
void agent_place_write(
	struct agent_place *p, const struct agent_place_wish *wish, struct bytes mirror);
/* A file: puts back what was there, unless somebody else has written it since. */
void agent_place_restore(struct agent_place *p, const struct agent_place_wish *wish);

#endif
