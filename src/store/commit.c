/*
 * One transaction is a list of items, one for each file, which go through the steps together. A file that
 * changed under it is no failure: the operation is pure, so it is made once more on what is there now.
 */
#include "store/commit.h"

#include <stdlib.h>

#include "base/clock.h"
#include "store/backup.h"
#include "store/journal.h"
#include "wire/yaml_edit.h"

/* What one change may take of memory: documents and texts. */
#define ARENA_MAX ((size_t)2 << 30)
#define WHY_MAX 4096u
#define WARNINGS_MAX 65536u
/* Accident: a program that writes a file all the time. */
#define ATTEMPTS 3u
/* §1.5: the temporary of another writer that is younger is being written, an older one was left. */
#define FOREIGN_TMP_NS 5000000000u

struct item {
	enum resource_kind kind;
	struct bytes name;
	const char *path;
	const struct change *change;    /* of a draft; NULL: of a restore */
	const struct commit_file *file; /* of a restore */
	struct text old, text;          /* what is there, what shall be */
	bool had, has;
	struct file_stat stat;                    /* of what is there */
	unsigned char digest[DIGEST_SHA256_SIZE]; /* of old */
	struct yaml_check check;                  /* what the changed text was read as */
	bool checked;
	struct object *object; /* of text */
	struct file_stage stage;
	struct file_stat staged; /* the temporary, when it was complete */
	bool placed;
};

enum step_rc { STEP_OK, STEP_AGAIN, STEP_END };

struct run {
	struct commit *c;
	struct arena arena;
	struct directory_report report;
	struct op op;
	struct item *items;
	size_t n;
	struct snapshot *after;
	void *plan;
	struct journal journal;
	bool prepared; /* there are files that go away when it comes to nothing */
	struct fault fault;
};

static enum step_rc end(struct run *r, enum commit_rc rc, const char *fmt, ...) PRINTF_LIKE(3, 4);

static enum step_rc end(struct run *r, enum commit_rc rc, const char *fmt, ...)
{
	va_list ap;

	r->c->rc = rc;
	text_clear(&r->c->why);
	va_start(ap, fmt);
	text_addv(&r->c->why, fmt, ap);
	va_end(ap);
	return STEP_END;
}

static enum step_rc fail(struct run *r)
{
	return end(r, COMMIT_IO, "nothing was changed: %s", r->fault.text);
}

/* --- what shall be ------------------------------------------------------------------------------ */

static enum step_rc operate(struct run *r)
{
	struct commit *c = r->c;

	op_init(&r->op, c->before, &r->arena);
	c->op_rc = c->operate(c->arg, &r->op);
	text_clear(&c->warnings);
	text_add_bytes(&c->warnings, text_bytes(&r->op.warnings));
	if (c->op_rc != OP_OK) {
		return end(r, COMMIT_REFUSED, BYTES_FMT, BYTES_ARG(text_bytes(&r->op.why)));
	}
	if (draft_finish(&r->op.draft, c->now_s, c->again) != 0) {
		return end(r, COMMIT_IO, "nothing was changed: the change takes too much memory");
	}
	return STEP_OK;
}

static void add_item(struct run *r, const struct item *item)
{
	struct item *i = &r->items[r->n++];

	*i = *item;
	i->path = journal_path(&r->arena, r->c->root, i->kind, i->name);
	text_init(&i->old, RESOURCE_FILE_MAX);
	text_init(&i->text, RESOURCE_FILE_MAX);
}

static void list_items(struct run *r)
{
	const struct commit *c = r->c;
	size_t n = c->operate != NULL ? r->op.draft.n : c->n_files;

	r->items = must_alloc((n + 1) * sizeof(*r->items));
	if (c->operate != NULL) {
		for (const struct change *at = r->op.draft.first; at != NULL; at = at->next) {
			add_item(r,
				&(struct item){.kind = at->kind, .name = at->name, .change = at});
		}
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct commit_file *f = &c->files[i];

		add_item(r, &(struct item){.kind = f->kind, .name = f->name, .file = f});
	}
}

static struct bytes label_of(struct run *r, const struct item *i)
{
	struct bytes label = resource_file(&r->arena, i->kind, i->name);

	return label.p != NULL ? label : BYTES("file");
}

/* --- what is there ------------------------------------------------------------------------------ */

/* A temporary that is another program's, at work now. */
static bool is_being_written(const struct item *i)
{
	struct file_stat st;
	struct text tmp;
	uint64_t now_ns = clock_wall_ms() * 1000000u;
	bool busy;

	text_init(&tmp, strlen(i->path) + 8);
	text_addf(&tmp, "%s.tmp", i->path);
	busy = file_stat(text_cstr(&tmp), &st) == 0 && st.exists &&
		st.mtime_ns + FOREIGN_TMP_NS > now_ns;
	text_done(&tmp);
	return busy;
}

/* Whether the object that the operation has seen is that of these bytes. */
static bool is_seen(const struct item *i, const struct object *o)
{
	return o == NULL || !i->had ? o == NULL && !i->had
				    : memcmp(o->hash, i->digest, sizeof(o->hash)) == 0;
}

/* It has no object, or one of older bytes: an edit would lose what is in it. */
static bool is_broken(struct run *r, const struct item *i)
{
	struct findings why;
	struct object *o;

	findings_init(&why, &r->arena);
	o = object_read(i->kind, label_of(r, i), text_bytes(&i->old), &why);
	object_unref(o);
	return o == NULL;
}

static enum step_rc read_old(struct run *r, struct item *i)
{
	const struct object *seen = snapshot_get(r->c->before, i->kind, i->name);
	int rc = file_read(i->path, RESOURCE_FILE_MAX, &i->old, &i->stat, &r->fault);

	if (rc != 0 && rc != ERR_NOT_FOUND) {
		return fail(r);
	}
	i->had = rc == 0;
	digest_sha256(i->digest, text_bytes(&i->old));
	if (is_being_written(i)) {
		return end(r, COMMIT_BUSY,
			"another program is writing %s/" BYTES_FMT
			".yaml; try again in a few seconds",
			resource_dir(i->kind), BYTES_ARG(i->name));
	}
	if (i->change == NULL || is_seen(i, seen)) {
		return STEP_OK;
	}
	if (i->had && directory_refuses(r->c->directory, i->kind, i->name)) {
		return end(r, COMMIT_BUSY,
			"%s/" BYTES_FMT
			".yaml has errors on disk, so an older version of it is served, and it cannot be "
			"changed; mend the file (sluice lint says where) or remove it",
			resource_dir(i->kind), BYTES_ARG(i->name));
	}
	if (i->had && is_broken(r, i)) {
		return end(r, COMMIT_BUSY,
			"%s/" BYTES_FMT
			".yaml is broken on disk and cannot be changed; mend or remove the file",
			resource_dir(i->kind), BYTES_ARG(i->name));
	}
	return STEP_AGAIN;
}

/* What checks the new text is also what it is read as: it may be large, so it is parsed once. */
static bool edit_text(struct run *r, struct item *i)
{
	arena_init(&i->check.arena, OBJECT_ARENA_MAX);
	arena_use(&i->check.arena, directory_pool(r->c->directory));
	i->checked = yaml_edit(&r->arena, text_bytes(&i->old), i->change->before->root,
			     i->change->root, &i->text, &i->check, &r->fault) == 0;
	return i->checked;
}

static enum step_rc write_text(struct run *r, struct item *i)
{
	const struct change *ch = i->change;

	if (ch == NULL) {
		i->has = i->file->text.p != NULL;
		text_add_bytes(&i->text, i->file->text);
		return STEP_OK;
	}
	i->has = ch->root != NULL;
	if (!i->has) {
		return STEP_OK;
	}
	if (ch->before == NULL || ch->before->root == NULL) {
		yaml_write(&r->arena, &i->text, ch->root);
	} else if (!edit_text(r, i)) {
		r->c->op_rc = OP_READ_ONLY;
		return end(r, COMMIT_REFUSED,
			"%s/" BYTES_FMT
			".yaml cannot be edited without damage to what else is in it: %s",
			resource_dir(i->kind), BYTES_ARG(i->name), r->fault.text);
	}
	if (text_full(&i->text) || arena_full(&r->arena)) {
		r->c->op_rc = OP_LIMIT;
		return end(r, COMMIT_REFUSED, "%s/" BYTES_FMT ".yaml would be too large",
			resource_dir(i->kind), BYTES_ARG(i->name));
	}
	return STEP_OK;
}

static enum step_rc parse(struct run *r, struct item *i)
{
	struct findings why;
	struct bytes label = label_of(r, i);

	if (!i->has) {
		return STEP_OK;
	}
	findings_init(&why, &r->arena);
	if (i->checked) {
		struct object_text read = {&i->check.arena, i->check.doc};

		i->object = object_take(i->kind, label, text_bytes(&i->text), &read, &why);
	} else {
		i->object = object_read(i->kind, label, text_bytes(&i->text), &why);
	}
	if (i->object == NULL) {
		r->c->op_rc = OP_INVALID;
		return end(r, COMMIT_REFUSED, BYTES_FMT " would not be valid: " BYTES_FMT,
			BYTES_ARG(label),
			BYTES_ARG(why.first != NULL ? why.first->text : BYTES("no object")));
	}
	return STEP_OK;
}

/* What a restore would write as it is needs no writing. */
static void leave_out_same(struct run *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct item *it = &r->items[i];

		if (it->change == NULL && it->had == it->has &&
			bytes_eq(text_bytes(&it->old), text_bytes(&it->text))) {
			text_done(&it->old);
			text_done(&it->text);
		} else {
			r->items[kept++] = *it;
		}
	}
	r->n = kept;
}

static enum step_rc make_texts(struct run *r)
{
	enum step_rc rc = STEP_OK;

	for (size_t i = 0; i < r->n && rc == STEP_OK; i++) {
		rc = read_old(r, &r->items[i]);
		rc = rc == STEP_OK ? write_text(r, &r->items[i]) : rc;
	}
	if (rc == STEP_OK) {
		leave_out_same(r);
	}
	for (size_t i = 0; i < r->n && rc == STEP_OK; i++) {
		rc = parse(r, &r->items[i]);
	}
	return rc;
}

/* --- on trial ----------------------------------------------------------------------------------- */

static const struct item *item_of(const struct run *r, const struct object *o)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->items[i].kind == o->kind && bytes_eq(r->items[i].name, o->meta.name)) {
			return &r->items[i];
		}
	}
	return NULL;
}

static void make_snapshot(struct run *r)
{
	const struct snapshot *before = r->c->before;

	r->after = snapshot_new();
	r->after->guard_unread = before->guard_unread;
	for (size_t i = 0; i < before->n; i++) {
		if (item_of(r, before->objects[i]) == NULL) {
			snapshot_put(r->after, object_ref(before->objects[i]));
		}
	}
	for (size_t i = 0; i < r->n; i++) {
		if (r->items[i].object != NULL) {
			snapshot_put(r->after, object_ref(r->items[i].object));
		}
	}
}

static enum step_rc try_plan(struct run *r)
{
	struct commit *c = r->c;

	make_snapshot(r);
	if (c->trial == NULL) {
		return STEP_OK;
	}
	text_clear(&c->why);
	r->plan = c->trial(c->trial_arg, r->after, &c->why);
	if (r->plan == NULL) {
		c->rc = COMMIT_PLAN;
		return STEP_END;
	}
	return STEP_OK;
}

/* --- to the disk -------------------------------------------------------------------------------- */

static void put_digest(unsigned char out[DIGEST_SHA256_SIZE], const struct object *o)
{
	static_assert(sizeof(o->hash) + sizeof(o->hash_rest) == DIGEST_SHA256_SIZE, "both halves");
	if (o == NULL) {
		digest_sha256(out, BYTES(""));
		return;
	}
	memcpy(out, o->hash, sizeof(o->hash));
	memcpy(out + sizeof(o->hash), o->hash_rest, sizeof(o->hash_rest));
}

static enum step_rc begin_journal(struct run *r)
{
	struct journal *j = &r->journal;

	*j = (struct journal){
		.actor = r->c->who.actor, .peer = r->c->who.peer, .what = r->c->who.what};
	j->files = arena_alloc(&r->arena, (r->n + 1) * sizeof(*j->files));
	if (j->files == NULL) {
		return end(r, COMMIT_IO, "nothing was changed: the change takes too much memory");
	}
	for (size_t i = 0; i < r->n; i++) {
		const struct item *it = &r->items[i];

		struct journal_file *f = &j->files[j->n++];

		*f = (struct journal_file){.kind = it->kind,
			.name = it->name,
			.had = it->had,
			.has = it->has,
			.old = text_bytes(&it->old),
			.text = text_bytes(&it->text),
			.mode = it->had ? it->stat.mode : 0600,
			.path = it->path};
		memcpy(f->before, it->digest, sizeof(f->before));
		put_digest(f->after, it->object);
	}
	return journal_begin(j, &r->arena, r->c->backups, &r->fault) == 0 ? STEP_OK : fail(r);
}

static unsigned mode_of(const struct item *i)
{
	if (i->had) {
		return i->stat.mode;
	}
	return i->file != NULL && i->file->mode != 0 ? i->file->mode : 0600;
}

/* One that is new shall be there after a loss of power as what is in it. */
static int make_dir(struct run *r, const char *dir)
{
	struct file_stat st;

	if (file_stat(dir, &st) == 0 && st.is_dir) {
		return 0;
	}
	if (file_make_dir(dir, 0700, &r->fault) != 0) {
		r->fault.err = ERR_IO; /* a file in its place is no other writer */
		return ERR_IO;
	}
	return file_sync_dir(r->c->root, &r->fault);
}

static int stage(struct run *r, struct item *i)
{
	char dir[4096];
	struct text t;
	int rc;

	if (!i->has) {
		return 0;
	}
	text_init_fixed(&t, dir, sizeof(dir));
	text_addf(&t, "%s/%s", r->c->root, resource_dir(i->kind));
	text_add_char(&t, '\0');
	if (text_full(&t)) {
		return (int)fault_set(&r->fault, ERR_LIMIT, 0, 0, "the path is too long");
	}
	rc = make_dir(r, dir);
	return rc == 0
		? file_stage_begin(&i->stage, i->path, text_bytes(&i->text), mode_of(i), &r->fault)
		: rc;
}

static int sync_stage(struct run *r, struct item *i)
{
	if (!i->has) {
		return 0;
	}
	if (file_stage_sync(&i->stage, &r->fault) != 0) {
		return ERR_IO;
	}
	if (file_stat(i->stage.tmp, &i->staged) != 0) {
		i->staged = (struct file_stat){0}; /* then it is read again */
	}
	return 0;
}

/* Another program that locks its temporary, as we do, has it. */
static enum step_rc fail_stage(struct run *r)
{
	enum step_rc rc = fail(r);

	if (r->fault.err == ERR_EXISTS) {
		r->c->rc = COMMIT_BUSY;
	}
	return rc;
}

static bool is_unchanged(const struct item *i)
{
	struct file_stat st;

	if (file_stat(i->path, &st) != 0 || st.exists != i->had) {
		return false;
	}
	return !i->had ||
		(st.size == i->stat.size && st.mtime_ns == i->stat.mtime_ns &&
			st.inode == i->stat.inode);
}

static int place(struct run *r, struct item *i)
{
	int rc = i->has ? file_stage_rename(&i->stage, &r->fault) : file_remove(i->path);

	if (!i->has && rc != 0) {
		return (int)fault_set(
			&r->fault, (enum err)rc, 0, 0, "cannot remove %.100s", i->path);
	}
	i->placed = rc == 0;
	return rc;
}

/* Whether everything is as it was. */
static bool put_back(struct run *r)
{
	struct fault fault;
	bool all = true;

	for (size_t i = r->n; i > 0; i--) {
		struct item *it = &r->items[i - 1];
		int rc = 0;

		if (it->placed) {
			rc = it->had ? file_write_atomic(it->path, text_bytes(&it->old),
					       it->stat.mode, &fault)
				     : file_remove(it->path);
		}
		all = all && (rc == 0 || (rc == ERR_NOT_FOUND && !it->had));
	}
	return all;
}

static void sync_dirs(const struct run *r)
{
	bool done[RESOURCE_KIND_COUNT] = {false};

	for (size_t i = 0; i < r->n; i++) {
		char dir[4096];
		struct text t;

		if (done[r->items[i].kind]) {
			continue;
		}
		done[r->items[i].kind] = true;
		text_init_fixed(&t, dir, sizeof(dir));
		text_addf(&t, "%s/%s", r->c->root, resource_dir(r->items[i].kind));
		text_add_char(&t, '\0');
		/* As file_write_atomic has it: everybody reads the new content already. */
		IGNORE(file_sync_dir(dir, NULL));
	}
}

static void drop_stages(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		file_stage_drop(&r->items[i].stage);
	}
}

static enum step_rc undo(struct run *r)
{
	enum step_rc rc = fail(r);

	drop_stages(r);
	if (put_back(r)) {
		sync_dirs(r);
		journal_drop(&r->journal, &r->arena, r->c->backups);
		return rc;
	}
	/* It stays begun: the next start tries again. */
	return end(r, COMMIT_IO,
		"the change failed and could not be undone completely (%s); backup %s holds the files "
		"as they were",
		r->fault.text, r->journal.id);
}

static enum step_rc place_all(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (place(r, &r->items[i]) != 0) {
			return undo(r);
		}
	}
	sync_dirs(r);
	return journal_end(&r->journal, &r->arena, &r->fault) == 0 ? STEP_OK : undo(r);
}

/* All that can be written before it is known whether it shall be: the device works while the plan is compiled. */
static enum step_rc prepare(struct run *r)
{
	enum step_rc rc = begin_journal(r);

	r->prepared = rc == STEP_OK;
	for (size_t i = 0; i < r->n && rc == STEP_OK; i++) {
		rc = stage(r, &r->items[i]) == 0 ? STEP_OK : fail_stage(r);
	}
	return rc;
}

static void drop_prepared(struct run *r)
{
	if (r->prepared) {
		drop_stages(r);
		journal_drop(&r->journal, &r->arena, r->c->backups);
		r->prepared = false;
	}
}

/* The journal first: it names the temporaries that a crash would leave. */
static enum step_rc sync_all(struct run *r)
{
	if (journal_sync(&r->journal, &r->arena, r->c->backups, &r->fault) != 0) {
		return fail(r);
	}
	for (size_t i = 0; i < r->n; i++) {
		if (sync_stage(r, &r->items[i]) != 0) {
			return fail_stage(r);
		}
	}
	return STEP_OK;
}

static enum step_rc write_files(struct run *r)
{
	enum step_rc rc = sync_all(r);

	for (size_t i = 0; i < r->n && rc == STEP_OK; i++) {
		rc = is_unchanged(&r->items[i]) ? STEP_OK : STEP_AGAIN;
	}
	if (rc != STEP_OK) {
		return rc;
	}
	r->prepared = false; /* from here on it is undone, not dropped */
	return place_all(r);
}

/* --- all of it ---------------------------------------------------------------------------------- */

/* Whether what is there now is what was put there: else somebody has written it since. */
static bool is_as_staged(const struct item *i, const struct file_stat *now)
{
	return now->exists && now->inode == i->staged.inode && now->size == i->staged.size &&
		now->mtime_ns == i->staged.mtime_ns;
}

static void remember(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct item *it = &r->items[i];
		struct file_stat st = {.exists = false};

		if (it->has && (file_stat(it->path, &st) != 0 || !is_as_staged(it, &st))) {
			continue; /* gone again, or another: the next read sees it */
		}
		directory_put(r->c->directory, it->kind, it->name,
			it->has ? object_ref(it->object) : NULL, &st);
	}
}

static void finish(struct run *r)
{
	struct commit *c = r->c;

	c->rc = COMMIT_DONE;
	c->snapshot = r->after;
	c->plan = r->plan;
	r->after = NULL;
	r->plan = NULL;
	memcpy(c->backup_id, r->journal.id, sizeof(r->journal.id));
	remember(r);
	backup_prune(c->backups, c->backups_max != 0 ? c->backups_max : COMMIT_BACKUPS_MAX,
		COMMIT_BACKUPS_BYTES);
}

static enum step_rc attempt(struct run *r)
{
	struct commit *c = r->c;
	enum step_rc rc = STEP_OK;

	snapshot_unref(c->before);
	c->before = directory_read(c->directory, &r->report);
	if (c->operate != NULL) {
		rc = operate(r);
	}
	if (rc == STEP_OK) {
		list_items(r);
		rc = make_texts(r);
	}
	if (rc == STEP_OK && r->n == 0) {
		c->rc = COMMIT_NOTHING;
		c->snapshot = snapshot_ref(c->before);
		return STEP_END;
	}
	rc = rc == STEP_OK ? prepare(r) : rc;
	rc = rc == STEP_OK ? try_plan(r) : rc;
	rc = rc == STEP_OK ? write_files(r) : rc;
	drop_prepared(r);
	if (rc == STEP_OK) {
		finish(r);
	}
	return rc;
}

static void run_done(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		text_done(&r->items[i].old);
		text_done(&r->items[i].text);
		object_unref(r->items[i].object);
		arena_done(&r->items[i].check.arena);
	}
	free(r->items);
	snapshot_unref(r->after);
	if (r->plan != NULL) {
		r->c->drop(r->c->trial_arg, r->plan);
	}
	op_done(&r->op);
	directory_report_done(&r->report);
	arena_done(&r->arena);
}

void commit_run(struct commit *c)
{
	enum step_rc rc = STEP_AGAIN;

	text_init(&c->why, WHY_MAX);
	text_init(&c->warnings, WARNINGS_MAX);
	for (unsigned i = 0; i < ATTEMPTS && rc == STEP_AGAIN; i++) {
		struct run r = {.c = c};

		arena_init(&r.arena, ARENA_MAX);
		rc = attempt(&r);
		if (rc == STEP_AGAIN) {
			directory_doubt(c->directory); /* whatever was told of it */
			end(&r, COMMIT_BUSY,
				"the files are being changed by somebody else; nothing was changed, try "
				"again");
		}
		run_done(&r);
	}
}

void commit_done(struct commit *c)
{
	text_done(&c->why);
	text_done(&c->warnings);
	snapshot_unref(c->before);
	snapshot_unref(c->snapshot);
	c->before = c->snapshot = NULL;
}

int commit_recover(const char *root, const char *backups, struct findings *findings)
{
	return journal_recover(root, backups, findings);
}
