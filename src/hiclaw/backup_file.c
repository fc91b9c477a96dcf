#define _GNU_SOURCE
#include "hiclaw/backup_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define PATH_MAX_ 4096u
#define SUFFIX ".json"

/* --- names --------------------------------------------------------------------------------------------------------- */

static const char *path_of(struct text *room, const char *dir, struct bytes id)
{
	text_clear(room);
	text_addf(room, "%s/" BYTES_FMT SUFFIX, dir, BYTES_ARG(id));
	return text_cstr(room);
}

static void make_id(char out[JOURNAL_ID_N + 1], uint64_t us)
{
	time_t t = (time_t)(us / 1000000);
	struct tm tm = {0};
	size_t n;

	gmtime_r(&t, &tm);
	n = strftime(out, JOURNAL_ID_N + 1, "%Y%m%dT%H%M%SZ", &tm);
	snprintf(out + n, JOURNAL_ID_N + 1 - n, "-%06x", (unsigned)(us % 1000000));
}

static struct doc *time_doc(struct arena *a, uint64_t ms)
{
	char s[CLOCK_ISO_LEN];

	clock_format_iso(s, ms);
	s[19] = 'Z';
	return doc_string_copy(a, bytes_of(s, 20));
}

/* --- one document -------------------------------------------------------------------------------------------------- */

static int read_document(
	struct arena *a, const char *path, struct doc **out, struct text *t, struct fault *fault)
{
	const struct json_value *v;
	struct bytes kept;
	int rc = file_read(path, BACKUP_FILE_MAX, t, NULL, fault);

	if (rc != 0) {
		return rc;
	}
	kept = arena_copy(a, text_bytes(t));
	v = kept.p != NULL ? json_parse(a, kept, fault) : NULL;
	if (v == NULL || v->type != JSON_OBJECT) {
		return (int)fault_set(fault, ERR_SYNTAX, 0, 0, "the backup cannot be read");
	}
	*out = doc_of_json(a, v);
	return 0;
}

static void copy_member(struct arena *a, struct doc *to, const struct doc *from, const char *key)
{
	const struct doc *v = doc_get(a, from, key);

	doc_set(a, to, key, v != NULL ? doc_copy(a, v) : doc_null(a));
}

static struct doc *entry_of(
	struct arena *a, struct bytes id, const struct doc *document, struct bytes text)
{
	unsigned char digest[DIGEST_SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE];
	struct doc *d = doc_map(a);

	digest_sha256(digest, text);
	digest_hex(hex, digest);
	doc_set(a, d, "id", doc_string_copy(a, id));
	copy_member(a, d, document, "createdAt");
	copy_member(a, d, document, "auto");
	copy_member(a, d, document, "reason");
	copy_member(a, d, document, "actor");
	doc_set(a, d, "size", doc_int(a, (int64_t)text.n));
	doc_set(a, d, "counts", backup_doc_counts(a, doc_get(a, document, "sections")));
	doc_set(a, d, "sha256", doc_string_copy(a, bytes_of(hex, sizeof(hex))));
	return d;
}

int backup_file_store(struct arena *a, const struct backup_places *p, const struct doc *document,
	char *id_out, struct doc **entry, struct fault *fault)
{
	struct file_stat st = {.exists = true};
	uint64_t us = clock_wall_ms() * 1000;
	struct text path, t;
	struct json_writer w;
	int rc;

	text_init(&path, PATH_MAX_);
	text_init(&t, BACKUP_FILE_MAX);
	json_writer_init(&w, &t);
	doc_put_json(a, &w, document);
	for (; st.exists; us++) { /* two within a millisecond */
		make_id(id_out, us);
		if (file_stat(path_of(&path, p->dir, bytes_str(id_out)), &st) != 0) {
			break; /* said by what writes it */
		}
	}
	rc = text_full(&t) ? (int)fault_set(fault, ERR_LIMIT, 0, 0, "the backup is too large")
			   : file_make_dir(p->dir, 0700, fault);
	rc = rc != 0 ? rc : file_write_atomic(text_cstr(&path), text_bytes(&t), 0600, fault);
	if (rc == 0) {
		*entry = entry_of(a, bytes_str(id_out), document, text_bytes(&t));
	}
	text_done(&path);
	text_done(&t);
	return rc;
}

/* --- the store's --------------------------------------------------------------------------------------------------- */

static void put_file(struct arena *a, struct snapshot *s, const struct backup_file *f)
{
	struct findings why;
	struct object *o;
	struct text label;

	findings_init(&why, a);
	text_init(&label, PATH_MAX_);
	text_addf(&label, "%s/" BYTES_FMT ".yaml", resource_dir(f->kind), BYTES_ARG(f->name));
	o = object_read(f->kind, text_bytes(&label), f->text, &why);
	if (o != NULL) { /* one that could not be read then was not served either */
		snapshot_put(s, o);
	}
	text_done(&label);
}

static struct doc *sections_of(struct arena *a, const struct backup_files *files)
{
	struct doc *lists[OPS_NOUNS];
	struct snapshot *s = snapshot_new();
	struct doc *out;
	struct op op;

	for (size_t i = 0; i < files->n; i++) {
		put_file(a, s, &files->v[i]);
	}
	op_init(&op, s, a);
	for (unsigned n = 0; n < OPS_NOUNS; n++) {
		lists[n] = ops_list(&op, (enum ops_noun)n);
	}
	/* What was read points into objects that go with the snapshot. */
	out = backup_doc_sections(a, lists);
	out = out != NULL ? doc_detached(a, out) : NULL;
	op_done(&op);
	snapshot_unref(s);
	return out;
}

static void put_about(struct arena *a, struct doc *d, const struct backup_entry *e)
{
	doc_set(a, d, "createdAt", time_doc(a, (uint64_t)e->time_s * 1000));
	doc_set(a, d, "reason", doc_string_copy(a, e->named ? e->reason : e->what));
	doc_set(a, d, "actor", doc_string_copy(a, e->actor));
	doc_set(a, d, "auto", doc_bool(a, !e->named));
}

static const struct backup_entry *find_entry(const struct backup_entries *all, struct bytes id)
{
	for (size_t i = 0; i < all->n; i++) {
		if (bytes_eq(bytes_str(all->v[i].id), id)) {
			return &all->v[i];
		}
	}
	return NULL;
}

static int load_journal(struct arena *a, const struct backup_places *p, const struct snapshot *s,
	struct bytes id, struct doc **out, struct fault *fault)
{
	struct backup_entries all = {.n = 0};
	struct backup_files changed, files;
	const struct backup_entry *e;
	struct doc *d = doc_map(a);
	int rc = backup_list(a, p->journal, &all, fault);

	e = rc == 0 ? find_entry(&all, id) : NULL;
	if (rc == 0 && e == NULL) {
		rc = (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "there is no such backup");
	}
	rc = rc != 0 ? rc : backup_compare(a, p->root, p->journal, id, &changed, fault);
	rc = rc != 0 ? rc : backup_document(a, p->root, s, &changed, &files, fault);
	if (rc != 0) {
		return rc;
	}
	doc_set(a, d, "format", doc_str(a, BACKUP_DOC_FORMAT));
	doc_set(a, d, "version", doc_int(a, BACKUP_DOC_VERSION));
	put_about(a, d, e);
	doc_set(a, d, "sections", sections_of(a, &files));
	*out = d;
	return 0;
}

int backup_file_load(struct arena *a, const struct backup_places *p, const struct snapshot *s,
	struct bytes id, struct doc **out, struct fault *fault)
{
	const char *const dirs[] = {p->dir, p->switches};
	int rc = ERR_NOT_FOUND;
	struct text path, t;

	text_init(&path, PATH_MAX_);
	for (size_t i = 0; i < ARRAY_LEN(dirs) && rc == ERR_NOT_FOUND; i++) {
		text_init(&t, BACKUP_FILE_MAX);
		rc = read_document(a, path_of(&path, dirs[i], id), out, &t, fault);
		text_done(&t);
	}
	text_done(&path);
	if (rc == ERR_NOT_FOUND && p->journal != NULL) {
		rc = load_journal(a, p, s, id, out, fault);
	}
	return rc;
}

int backup_file_remove(const struct backup_places *p, struct bytes id, struct fault *fault)
{
	const char *const dirs[] = {p->dir, p->switches};
	struct file_stat st = {.exists = false};
	struct text path;
	bool gone = false;

	text_init(&path, PATH_MAX_);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		const char *at = path_of(&path, dirs[i], id);

		if (file_stat(at, &st) == 0 && st.exists) {
			gone = file_remove(at) == 0 || gone;
		}
	}
	text_done(&path);
	if (gone) {
		return 0;
	}
	return p->journal != NULL
		? backup_remove(p->journal, id, fault)
		: (int)fault_set(fault, ERR_NOT_FOUND, 0, 0, "there is no such backup");
}

/* --- automatic ones ------------------------------------------------------------------------------------------------ */

struct names { /* of documents, oldest first */
	char **v;
	size_t n, room;
};

static bool take_name(void *arg, const char *name)
{
	struct names *o = arg;
	struct bytes id = bytes_str(name);

	if (bytes_ends(id, BYTES(SUFFIX)) &&
		journal_is_id(bytes_of(id.p, id.n - (sizeof(SUFFIX) - 1)))) {
		if (o->n == o->room) {
			o->room = MAX(o->room * 2, 64);
			o->v = must_realloc(o->v, o->room * sizeof(char *));
		}
		o->v[o->n++] = bytes_dup(bytes_of(id.p, id.n - (sizeof(SUFFIX) - 1)));
	}
	return true;
}

static void names_done(struct names *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->v[i]);
	}
	free(o->v);
}

void backup_file_prune(const char *dir, uint64_t keep)
{
	struct names o = {0};
	struct text path;

	text_init(&path, PATH_MAX_);
	IGNORE(file_list(dir, take_name, &o, NULL)); /* what cannot be listed is kept */
	for (size_t i = 0; i + keep < o.n; i++) {
		IGNORE(file_remove(
			path_of(&path, dir, bytes_str(o.v[i])))); /* the next one tries again */
	}
	text_done(&path);
	names_done(&o);
}

struct doc *backup_file_newest(struct arena *a, const char *dir, char id_out[JOURNAL_ID_N + 1])
{
	struct doc *d = NULL;
	struct names o = {0};
	struct text path, t;
	struct fault f;

	IGNORE(file_list(dir, take_name, &o, NULL));
	if (o.n != 0) {
		text_init(&path, PATH_MAX_);
		text_init(&t, BACKUP_FILE_MAX);
		if (read_document(a, path_of(&path, dir, bytes_str(o.v[o.n - 1])), &d, &t, &f) ==
			0) {
			memcpy(id_out, o.v[o.n - 1], JOURNAL_ID_N + 1);
		}
		text_done(&path);
		text_done(&t);
	}
	names_done(&o);
	return d;
}

/* --- all of them --------------------------------------------------------------------------------------------------- */

struct listing {
	struct arena *a;
	const char *dir;
	struct doc *out;
};

/* Newest first: ids are in order of time. */
static void put_entry(struct arena *a, struct doc *list, struct doc *d)
{
	struct bytes id = doc_peek(d, "id", BYTES(""));
	struct doc *behind = NULL;

	for (struct doc *at = doc_first(a, list);
		at != NULL && bytes_cmp(doc_peek(at, "id", BYTES("")), id) > 0; at = at->next) {
		behind = at;
	}
	doc_insert_after(a, list, behind, d);
}

static bool on_file(void *arg, const char *name)
{
	struct listing *l = arg;
	struct bytes id = bytes_str(name);
	struct doc *d = NULL;
	struct text path, t;
	struct fault f;

	if (!bytes_ends(id, BYTES(SUFFIX))) {
		return true;
	}
	id.n -= sizeof(SUFFIX) - 1;
	if (!journal_is_id(id)) {
		return true;
	}
	text_init(&path, PATH_MAX_);
	text_init(&t, BACKUP_FILE_MAX);
	if (read_document(l->a, path_of(&path, l->dir, id), &d, &t, &f) == 0) {
		put_entry(l->a, l->out, entry_of(l->a, id, d, text_bytes(&t)));
	}
	text_done(&path);
	text_done(&t);
	return true;
}

static int list_dir(struct arena *a, const char *dir, struct doc *out, struct fault *fault)
{
	struct listing l = {a, dir, out};
	int rc = file_list(dir, on_file, &l, fault);

	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static bool has_entry(struct arena *a, const struct doc *list, struct bytes id)
{
	for (const struct doc *d = doc_first(a, list); d != NULL; d = d->next) {
		int order = bytes_cmp(doc_peek(d, "id", BYTES("")), id);

		if (order <= 0) { /* the newest first */
			return order == 0;
		}
	}
	return false;
}

static int list_journal(
	struct arena *a, const struct backup_places *p, struct doc *out, struct fault *fault)
{
	struct backup_entries all = {.n = 0};
	int rc = backup_list(a, p->journal, &all, fault);

	if (rc == ERR_NOT_FOUND) {
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		const struct backup_entry *e = &all.v[i];
		struct doc *d = doc_map(a);

		if (has_entry(a, out, bytes_str(e->id))) {
			continue; /* the store's part of a switch, whose document has more */
		}
		doc_set(a, d, "id", doc_str(a, e->id));
		put_about(a, d, e);
		doc_set(a, d, "size", doc_int(a, (int64_t)e->size));
		doc_set(a, doc_need_map(a, d, "counts"), "files", doc_int(a, (int64_t)e->files));
		doc_set(a, d, "sha256", doc_null(a));
		put_entry(a, out, d);
	}
	return rc;
}

int backup_file_list(
	struct arena *a, const struct backup_places *p, struct doc **out, struct fault *fault)
{
	int rc;

	*out = doc_list(a);
	rc = list_dir(a, p->dir, *out, fault);
	rc = rc != 0 ? rc : list_dir(a, p->switches, *out, fault);
	if (rc == 0 && p->journal != NULL) {
		rc = list_journal(a, p, *out, fault);
	}
	if (rc == 0 && arena_full(a)) {
		rc = (int)fault_set(fault, ERR_LIMIT, 0, 0, "there are too many backups to list");
	}
	return rc;
}
