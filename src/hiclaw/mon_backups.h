/* What the endpoints of backups share: those that make, take away and bring back, and restore (mon_restore.c). */
#ifndef HICLAW_MON_BACKUPS_H
#define HICLAW_MON_BACKUPS_H

#include "hiclaw/backup_agents.h"
#include "hiclaw/backup_file.h"
#include "hiclaw/monitor.h"

#define MON_BACKUPS_NOUNS ((1u << OPS_NOUNS) - 1)

enum secrets { SECRETS_NONE, SECRETS_MASKED, SECRETS_SEALED };

struct keeping { /* state of an ask */
	struct backup_places places;
	int rc;
	struct bytes id;
	struct doc *document, *entry, *list;
	char new_id[JOURNAL_ID_N + 1];
	struct bytes reason;
	enum secrets secrets;
	struct text out;
	struct doc *now[OPS_NOUNS];
	struct doc *claw; /* configurations of agents as they are now; NULL: not asked for */
	const char *why;  /* of an import that is none */
	/* restore */
	unsigned nouns;
	bool assignments, openclaw, dry;
	enum backup_doc_mode mode;
	struct backup_doc_change change;
	struct strings leaving; /* agents that are not assigned any more */
	struct doc *problems;
	uint64_t keep_n;
};

/* Of the backup in the path; NULL: refused. */
struct keeping *mon_backups_begin(struct ask *k);
/* A jobs thread: k->state's document, or its rc. */
void mon_backups_load(struct ask *k);
void mon_backups_refuse(struct ask *k, int rc);
/* A document without sections. */
struct doc *mon_backups_about(struct ask *k, struct bytes reason);
/* Of what was read: objects, assignments, configurations. */
struct doc *mon_backups_sections(struct ask *k, const struct keeping *b);

#endif
