#define _GNU_SOURCE
#include "console/ep_backups.h"

#include <time.h>

#include "store/backup.h"
#include "store/directory.h"

/* A sentence of a person. */
#define REASON_MAX 500u

static const char *const changes[] = {
	[BACKUP_ADDS] = "adds", [BACKUP_CHANGES] = "changes", [BACKUP_REMOVES] = "removes"};

static void fail(struct act *a, int rc, const struct fault *f)
{
	if (rc == ERR_NOT_FOUND) {
		act_refuse(a, 404, "there is no such backup");
	} else {
		act_refuse(a, rc == ERR_REFUSED ? 409 : 500, "%s", f->text);
	}
}

/* The id of the path; false: refused, nothing else may become a part of a file's name. */
static bool take_id(struct act *a, struct bytes *id)
{
	if (!journal_is_id(a->params[0])) {
		act_refuse(a, 400, "a backup is named as 20261121T150405Z-0f423f");
		return false;
	}
	*id = a->params[0];
	return true;
}

static struct doc *time_text(struct act *a, int64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm = {0};
	char s[32];

	gmtime_r(&t, &tm);
	return doc_string_copy(
		a->arena, bytes_of(s, strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%SZ", &tm)));
}

static struct doc *show(struct act *a, const struct backup_entry *e)
{
	struct arena *arena = a->arena;
	struct doc *d = doc_map(arena);

	doc_set(arena, d, "id", doc_string_copy(arena, bytes_str(e->id)));
	doc_set(arena, d, "time", time_text(a, e->time_s));
	doc_set(arena, d, "named", doc_bool(arena, e->named));
	doc_set(arena, d, "actor", doc_string(arena, e->actor));
	doc_set(arena, d, "what", doc_string(arena, e->what));
	doc_set(arena, d, "reason", doc_string(arena, e->reason));
	doc_set(arena, d, "files", doc_int(arena, (int64_t)e->files));
	doc_set(arena, d, "size", doc_int(arena, (int64_t)e->size));
	return d;
}

void ep_backups_list(struct act *a)
{
	struct backup_entries all = {NULL, 0};
	struct doc *list = doc_list(a->arena);
	struct fault f;
	int rc = backup_list(a->arena, a->env->backups, &all, &f);

	if (rc != 0 && rc != ERR_NOT_FOUND) {
		fail(a, rc, &f);
		return;
	}
	for (size_t i = rc == 0 ? all.n : 0; i > 0; i--) {
		doc_append(a->arena, list, show(a, &all.v[i - 1]));
	}
	act_give_list(a, list);
}

void ep_backups_create(struct act *a)
{
	struct bytes reason = act_member(a, "reason");
	char id[JOURNAL_ID_N + 1];
	struct directory_report report;
	struct directory *dir;
	struct snapshot *s;
	struct fault f;
	int rc;

	if (reason.n > REASON_MAX) {
		act_refuse(a, 400, "the reason is longer than %u bytes", REASON_MAX);
		return;
	}
	/* As it is on disk: with what a person has just written, too. */
	dir = directory_new(a->env->root);
	s = directory_read(dir, &report);
	rc = backup_create(
		a->env->root, a->env->backups, s, reason.p != NULL ? reason : BYTES(""), id, &f);
	snapshot_unref(s);
	directory_report_done(&report);
	directory_free(dir);
	if (rc != 0) {
		fail(a, rc, &f);
		return;
	}
	a->data = doc_map(a->arena);
	doc_set(a->arena, a->data, "id", doc_string_copy(a->arena, bytes_str(id)));
}

/* False: refused. */
static bool compare(struct act *a, struct backup_files *out)
{
	struct bytes id;
	struct fault f;
	struct doc *list;
	int rc;

	if (!take_id(a, &id)) {
		return false;
	}
	rc = backup_compare(a->arena, a->env->root, a->env->backups, id, out, &f);
	if (rc != 0) {
		fail(a, rc, &f);
		return false;
	}
	a->data = doc_map(a->arena);
	doc_set(a->arena, a->data, "id", doc_string(a->arena, id));
	list = doc_need_list(a->arena, a->data, "files");
	for (size_t i = 0; i < out->n; i++) {
		const struct backup_file *b = &out->v[i];
		struct doc *d = doc_map(a->arena);

		doc_set(a->arena, d, "change", doc_str(a->arena, changes[b->change]));
		doc_set(a->arena, d, "kind", doc_str(a->arena, resource_kind_name(b->kind)));
		doc_set(a->arena, d, "name", doc_string(a->arena, b->name));
		doc_append(a->arena, list, d);
	}
	return true;
}

void ep_backups_compare(struct act *a)
{
	struct backup_files files;

	IGNORE(compare(a, &files));
}

void ep_backups_document(struct act *a)
{
	struct backup_files changed, all;
	struct doc *list;
	struct fault f;
	int rc;

	if (!compare(a, &changed)) {
		return;
	}
	rc = backup_document(a->arena, a->env->root, a->op->draft.base, &changed, &all, &f);
	if (rc != 0) {
		fail(a, rc, &f);
		return;
	}
	doc_drop(a->arena, a->data, "files");
	list = doc_need_list(a->arena, a->data, "resources");
	for (size_t i = 0; i < all.n; i++) {
		const struct backup_file *b = &all.v[i];
		struct doc *d = doc_map(a->arena);

		doc_set(a->arena, d, "kind", doc_str(a->arena, resource_kind_name(b->kind)));
		doc_set(a->arena, d, "name", doc_string(a->arena, b->name));
		doc_set(a->arena, d, "text", doc_string(a->arena, b->text));
		doc_append(a->arena, list, d);
	}
}

void ep_backups_restore(struct act *a)
{
	IGNORE(compare(a, &a->files));
}

void ep_backups_remove(struct act *a)
{
	struct bytes id;
	struct fault f;
	int rc;

	if (!take_id(a, &id)) {
		return;
	}
	rc = backup_remove(a->env->backups, id, &f);
	if (rc != 0) {
		fail(a, rc, &f);
	}
}
