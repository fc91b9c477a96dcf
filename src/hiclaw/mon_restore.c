/*
 * Going back to a backup (monitor-api.md 6.6): everything of it is looked at before anything is written. Objects are one
 * change, which the store journals; assignments are records of ours, and what the loop that holds agents to them does then
 * is its own; configurations come last, each by itself. What could not be written is said, and the backup that was made
 * before leads back.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/mon_backups.h"
#include "hiclaw/mon_change.h"
#include "hiclaw/mon_claw.h"
#include "hiclaw/monitor_int.h"

/* --- what is asked ------------------------------------------------------------------------------ */

static bool covers(struct bytes name, enum ops_noun n)
{
	return bytes_eq(name, bytes_str(backup_doc_section(n))) ||
		(n == OPS_INSTANCE && bytes_eq(name, BYTES("plugins")));
}

/* Which sections. False: refused. */
static bool take_sections(struct ask *k, struct keeping *b)
{
	const struct doc *list = doc_get(&k->arena, k->body, "sections");

	b->nouns = MON_BACKUPS_NOUNS;
	b->assignments = b->openclaw = true;
	if (!doc_given(list)) {
		return true;
	}
	b->nouns = 0;
	b->assignments = b->openclaw = false;
	for (const struct doc *d = doc_first(&k->arena, list); d != NULL; d = d->next) {
		struct bytes name = doc_text(d, BYTES(""));

		if (!backup_doc_is_section(name)) {
			ask_fail_field(
				k, "sections", "sections has to be a list of names of sections");
			return false;
		}
		b->assignments = b->assignments || bytes_eq(name, BYTES("assignments"));
		b->openclaw = b->openclaw || bytes_eq(name, BYTES("openclaw"));
		for (unsigned n = 0; n < OPS_NOUNS; n++) {
			b->nouns |= covers(name, (enum ops_noun)n) ? 1u << n : 0;
		}
	}
	return true;
}

static bool take_mode(struct ask *k, struct keeping *b)
{
	struct bytes mode;

	if (!ask_text(k, "mode", &mode) || !ask_bool(k, "dryRun", false, &b->dry)) {
		return false;
	}
	b->mode = bytes_eq(mode, BYTES("merge")) ? BACKUP_DOC_MERGE : BACKUP_DOC_REPLACE;
	if (mode.n != 0 && b->mode == BACKUP_DOC_REPLACE && !bytes_eq(mode, BYTES("replace"))) {
		ask_fail_field(k, "mode", "mode is replace or merge");
		return false;
	}
	return true;
}

static const struct doc *section_of(struct ask *k, const struct keeping *b, const char *name)
{
	return doc_get(&k->arena, doc_get(&k->arena, b->document, "sections"), name);
}

/* --- what would be done ------------------------------------------------------------------------- */

static void compare(struct ask *k)
{
	struct keeping *b = k->state;

	backup_doc_compare(&k->arena, doc_get(&k->arena, b->document, "sections"), b->now, b->nouns,
		b->mode, &b->change);
	if (b->openclaw) {
		doc_set(&k->arena, b->change.diff, "openclaw",
			mon_claw_compare(&k->arena, section_of(k, b, "openclaw"), b->claw));
	}
}

static bool has_changes(struct ask *k, const struct keeping *b)
{
	struct arena *a = &k->arena;

	for (const struct doc *s = doc_first(a, b->change.diff); s != NULL; s = s->next) {
		for (const struct doc *l = doc_first(a, s); l != NULL; l = l->next) {
			if (l->n != 0) {
				return true;
			}
		}
	}
	return false;
}

static void reply_diff(struct ask *k)
{
	const struct keeping *b = k->state;
	struct doc *d = ask_success(k);

	doc_set(&k->arena, d, "id", doc_string(&k->arena, b->id));
	doc_set(&k->arena, d, "diff", b->change.diff);
	ask_reply(k, 200, d);
}

/* --- done --------------------------------------------------------------------------------------- */

static void reply_restored(struct ask *k)
{
	const struct keeping *b = k->state;
	struct doc *d = ask_success(k);

	mon_change_log(k, "restore backup", b->id, b->problems->n != 0 ? "partly done" : "done",
		NULL, NULL);
	mon_change_say(k, EVENT_BACKUP, b->id, "restored");
	doc_set(&k->arena, d, "id", doc_string(&k->arena, b->id));
	doc_set(&k->arena, d, "restored", b->change.diff);
	if (b->new_id[0] != '\0' || k->ops.backup[0] != '\0') {
		doc_set(&k->arena, d, "backupId",
			doc_str(&k->arena, b->new_id[0] != '\0' ? b->new_id : k->ops.backup));
	}
	if (b->problems->n != 0) {
		doc_set(&k->arena, d, "partial", doc_bool(&k->arena, true));
		doc_set(&k->arena, d, "warnings", b->problems);
	}
	ask_reply(k, 200, d);
}

static void write_configs(struct ask *k)
{
	const struct keeping *b = k->state;

	mon_claw_write(
		k, b->openclaw ? section_of(k, b, "openclaw") : NULL, b->problems, reply_restored);
}

static void assign(struct ask *k, struct keeping *b)
{
	struct agents *all = k->hiclaw->agents;

	if (!b->assignments) {
		return;
	}
	backup_agents_restore(&k->arena, section_of(k, b, "assignments"), all, clock_wall_ms());
	for (size_t i = 0; i < b->leaving.n; i++) {
		agents_remove(all, b->leaving.v[i], NULL);
	}
	switches_bridge(k->hiclaw->switches);
}

static void changed(struct ask *k)
{
	struct keeping *b = k->state;

	if (k->ops.status != 0) {
		mon_change_log(k, "restore backup", b->id, "failed", NULL, NULL);
		ask_refuse_ops(k);
		return;
	}
	assign(k, b);
	mon_claw_drop_records(k, &b->leaving, b->problems, write_configs);
}

static void kept(struct ask *k)
{
	struct keeping *b = k->state;

	if (b->rc != 0) {
		log_error("hiclaw", "no backup before the restore of " BYTES_FMT ": %s",
			BYTES_ARG(b->id), k->fault.text);
		b->new_id[0] = '\0';
	}
	if (b->rc != 0 && k->hiclaw->env->backup_required) {
		ask_fail(k, HICLAW_INTERNAL,
			"Nothing was changed, because no backup could be made: the log says why");
	} else if (b->change.n_items != 0) {
		monitor_change(k, b->change.items, b->change.n_items, changed);
	} else {
		k->ops.status = 0;
		changed(k);
	}
}

/* A jobs thread. */
static void keep(struct ask *k)
{
	struct keeping *b = k->state;
	struct backup_places automatic = {.dir = b->places.switches};

	b->rc = backup_file_store(&k->arena, &automatic, b->list, b->new_id, &b->entry, &k->fault);
	if (b->rc == 0) {
		backup_file_prune(automatic.dir, b->keep_n);
	}
}

static void compared(struct ask *k)
{
	struct keeping *b = k->state;
	struct text why;

	if (b->assignments) {
		doc_set(&k->arena, b->change.diff, "assignments",
			backup_agents_compare(&k->arena, section_of(k, b, "assignments"),
				k->hiclaw->agents, b->mode == BACKUP_DOC_REPLACE, &b->leaving));
	}
	if (b->dry) {
		reply_diff(k);
		return;
	}
	b->problems = doc_list(&k->arena);
	if (!has_changes(k, b)) {
		reply_restored(k);
		return;
	}
	text_init(&why, 256);
	text_addf(&why, "before the restore of " BYTES_FMT, BYTES_ARG(b->id));
	b->list = mon_backups_about(k, arena_copy(&k->arena, text_bytes(&why)));
	text_done(&why);
	doc_set(&k->arena, b->list, "auto", doc_bool(&k->arena, true));
	doc_set(&k->arena, b->list, "sections", mon_backups_sections(k, b));
	b->keep_n = k->hiclaw->env->backup_keep;
	ask_job(k, keep, kept);
}

static void claw_read(struct ask *k)
{
	ask_job(k, compare, compared);
}

static void objects_read(struct ask *k)
{
	struct keeping *b = k->state;

	memcpy(b->now, k->ops.lists, sizeof(b->now));
	if (b->openclaw) {
		mon_claw_read(k, &b->claw, claw_read);
	} else {
		claw_read(k);
	}
}

/* Sections of agents: whether each entry could be done. False: refused. */
static bool check(struct ask *k, struct keeping *b)
{
	const struct doc *openclaw = section_of(k, b, "openclaw");
	const struct doc *assignments = section_of(k, b, "assignments");
	const char *why;

	b->openclaw = b->openclaw && doc_given(openclaw);
	b->assignments = b->assignments && doc_given(assignments);
	if (b->openclaw && !mon_claw_check(&k->arena, openclaw, &why)) {
		ask_fail_field(k, "openclaw", "%s", why);
		return false;
	}
	if (b->assignments && !backup_agents_check(&k->arena, assignments)) {
		ask_fail_field(k, "assignments",
			"assignments of the backup is no list of agents with a provider and a model");
		return false;
	}
	return true;
}

static void loaded(struct ask *k)
{
	struct keeping *b = k->state;

	if (b->rc != 0) {
		mon_backups_refuse(k, b->rc);
		return;
	}
	if (k->hiclaw->opts.remote != NULL) {
		b->nouns &= (1u << OPS_HERE) - 1;
	}
	if (check(k, b)) {
		ask_read(k, MON_BACKUPS_NOUNS, objects_read);
	}
}

void mon_backups_diff(struct ask *k)
{
	struct keeping *b = mon_backups_begin(k);

	if (b != NULL) {
		b->nouns = MON_BACKUPS_NOUNS;
		b->assignments = b->openclaw = true;
		b->dry = true;
		ask_job(k, mon_backups_load, loaded);
	}
}

void mon_backups_restore(struct ask *k)
{
	struct keeping *b = mon_backups_begin(k);

	if (b != NULL && take_sections(k, b) && take_mode(k, b)) {
		ask_job(k, mon_backups_load, loaded);
	}
}
