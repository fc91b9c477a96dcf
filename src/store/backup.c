/*
 * A moment is reached by undoing: of each file that a journal from that moment on touched, the oldest image
 * is what it was then. Files that a person changed between two changes of ours are in the image of the
 * next one that touched them.
 */
#include "store/backup.h"

#include <stdlib.h>

#include "base/hash.h"

#define SUFFIX ".yaml"
#define LABEL_MAX 600u
/* What one manifest takes to be read; given back before the next one: there may be many large ones. */
#define MANIFEST_ARENA ((size_t)2 << 30)
#define PATH_ARENA 65536u

/* --- list --------------------------------------------------------------------------------------- */

static uint64_t size_of(const char *backups, const struct journal *j)
{
	uint64_t sum = 0;
	struct arena paths;
	struct text dir;

	arena_init(&paths, PATH_ARENA);

	text_init(&dir, 8192);
	text_addf(&dir, "%s/%s", backups, j->id);
	for (size_t i = 0; i < j->n; i++) {
		const struct journal_file *f = &j->files[i];
		struct arena_mark mark = arena_mark(&paths);
		struct file_stat st;

		if (f->had &&
			file_stat(journal_path(&paths, text_cstr(&dir), f->kind, f->name), &st) ==
				0) {
			sum += st.size;
		}
		arena_rewind(&paths, &mark);
	}
	text_done(&dir);
	arena_done(&paths);
	return sum;
}

static struct backup_entry entry_of(struct arena *a, const char *backups, const struct journal *j)
{
	struct backup_entry e = {.named = j->named,
		.begun = j->state == JOURNAL_BEGUN,
		.actor = arena_copy(a, j->actor),
		.what = arena_copy(a, j->what),
		.reason = arena_copy(a, j->reason),
		.time_s = j->time_s,
		.files = j->n,
		.size = size_of(backups, j)};

	memcpy(e.id, j->id, sizeof(e.id));
	return e;
}

int backup_list(
	struct arena *a, const char *backups, struct backup_entries *out, struct fault *fault)
{
	struct arena scratch;
	struct strings ids;
	int rc = journal_list(a, backups, &ids, fault);

	if (rc != 0) {
		return rc;
	}
	*out = (struct backup_entries){.v = arena_alloc(a, (ids.n + 1) * sizeof(*out->v))};
	if (out->v == NULL) {
		return (int)fault_set(fault, ERR_LIMIT, 0, 0, "there are too many backups");
	}
	for (size_t i = 0; i < ids.n; i++) {
		struct journal j;

		arena_init(&scratch, MANIFEST_ARENA);
		if (journal_read(&j, &scratch, backups, ids.v[i], NULL) == 0) {
			out->v[out->n++] = entry_of(a, backups, &j);
		}
		arena_done(&scratch);
	}
	if (arena_full(a)) {
		return (int)fault_set(fault, ERR_LIMIT, 0, 0, "there are too many backups");
	}
	return 0;
}

/* --- made by a person --------------------------------------------------------------------------- */

static int read_all(struct arena *a, const char *root, const struct snapshot *s, struct journal *j,
	struct fault *fault)
{
	int rc = 0;

	for (size_t i = 0; i < s->n && rc == 0; i++) {
		const struct object *o = s->objects[i];
		struct journal_file *f = &j->files[j->n];
		struct file_stat st;
		struct text t;

		text_init(&t, RESOURCE_FILE_MAX);
		rc = file_read(journal_path(a, root, o->kind, o->meta.name), RESOURCE_FILE_MAX, &t,
			&st, fault);
		if (rc == 0) {
			*f = (struct journal_file){.kind = o->kind,
				.name = o->meta.name,
				.had = true,
				.has = true,
				.mode = st.mode,
				.old = arena_copy(a, text_bytes(&t))};
			f->text = f->old;
			journal_hash(f);
			j->n++;
		}
		rc = rc == ERR_NOT_FOUND ? 0 : rc; /* gone meanwhile */
		if (arena_full(a)) {
			rc = (int)fault_set(
				fault, ERR_LIMIT, 0, 0, "the resources are too large to copy");
		}
		text_done(&t);
	}
	return rc;
}

int backup_create(const char *root, const char *backups, const struct snapshot *s,
	struct bytes reason, char *id_out, struct fault *fault)
{
	struct journal j = {.named = true, .reason = reason, .what = BYTES("backup")};
	struct arena a;
	int rc;

	arena_init(&a, (size_t)4 << 30);
	j.files = arena_must(&a, (s->n + 1) * sizeof(*j.files));
	rc = read_all(&a, root, s, &j, fault);
	rc = rc == 0 ? journal_begin(&j, &a, backups, fault) : rc;
	if (rc == 0) {
		rc = journal_sync(&j, &a, backups, fault);
		rc = rc == 0 ? journal_end(&j, &a, fault) : rc;
		if (rc != 0) {
			journal_drop(&j, &a, backups);
		}
	}
	if (rc == 0) {
		memcpy(id_out, j.id, sizeof(j.id));
	}
	arena_done(&a);
	return rc;
}

/* --- compared ----------------------------------------------------------------------------------- */

struct moment { /* one file as it was */
	enum resource_kind kind;
	struct bytes name;
	char id[JOURNAL_ID_N + 1]; /* of the journal that has the image */
	struct journal_file file;
};

struct comparison {
	struct arena *arena;
	const char *root, *backups;
	struct map seen; /* label → struct moment */
	struct moment **v;
	size_t n, cap;
	struct backup_files *out;
	size_t out_cap;
	enum resource_kind kind; /* that is being listed */
	bool full;
};

static struct bytes label_of(struct comparison *c, enum resource_kind kind, struct bytes name)
{
	char label[LABEL_MAX];
	struct text t;

	text_init_fixed(&t, label, sizeof(label));
	text_addf(&t, "%s/" BYTES_FMT, resource_dir(kind), BYTES_ARG(name));
	return arena_copy(c->arena, text_bytes(&t));
}

static void add_moment(struct comparison *c, const struct journal *j, const struct journal_file *f)
{
	struct bytes label = label_of(c, f->kind, f->name);
	struct bytes name;
	struct moment *m;

	if (label.p == NULL || map_get(&c->seen, label) != NULL) {
		c->full = c->full || label.p == NULL;
		return;
	}
	m = arena_alloc(c->arena, sizeof(*m));
	name = arena_copy(c->arena, f->name);
	if (m == NULL || name.p == NULL) {
		c->full = true;
		return;
	}
	*m = (struct moment){.kind = f->kind, .name = name, .file = *f};
	m->file.name = name;
	memcpy(m->id, j->id, sizeof(m->id));
	map_put(&c->seen, label, m);
	if (c->n == c->cap) {
		c->cap = MAX(c->cap * 2, 64u);
		c->v = must_realloc(c->v, c->cap * sizeof(struct moment *));
	}
	c->v[c->n++] = m;
}

/* The files of one journal; all of them, when a person made it: *all. */
static int add_journal(struct comparison *c, struct bytes id, bool *all, struct fault *fault)
{
	struct arena scratch;
	struct journal j;
	int rc;

	arena_init(&scratch, MANIFEST_ARENA);
	rc = journal_read(&j, &scratch, c->backups, id, fault);
	for (size_t i = 0; rc == 0 && i < j.n && (all != NULL || !j.named); i++) {
		add_moment(c, &j, &j.files[i]);
	}
	if (rc == 0 && all != NULL) {
		*all = j.named;
	}
	arena_done(&scratch);
	return rc;
}

static int gather(struct comparison *c, struct bytes id, bool *all, struct fault *fault)
{
	struct strings ids;
	int rc = add_journal(c, id, all, fault);

	rc = rc == 0 ? journal_list(c->arena, c->backups, &ids, fault) : rc;
	for (size_t i = 0; rc == 0 && !*all && i < ids.n; i++) {
		if (bytes_cmp(ids.v[i], id) > 0) {
			rc = add_journal(c, ids.v[i], NULL, fault);
		}
	}
	return rc;
}

static void put_out(struct comparison *c, const struct backup_file *f)
{
	struct backup_file *more;

	if (c->out->n == c->out_cap) {
		c->out_cap = MAX(c->out_cap * 2, 64u);
		more = arena_alloc(c->arena, c->out_cap * sizeof(*more));
		if (more == NULL) {
			c->full = true;
			return;
		}
		if (c->out->n != 0) {
			memcpy(more, c->out->v, c->out->n * sizeof(*more));
		}
		c->out->v = more;
	}
	c->out->v[c->out->n++] = *f;
}

/* text as it was, now as it is; p NULL: no file. */
static void decide(struct comparison *c, const struct moment *m, struct bytes was, struct bytes now)
{
	struct backup_file f = {
		.kind = m->kind, .name = m->name, .text = was, .mode = m->file.mode};

	if (was.p == NULL && now.p == NULL) {
		return;
	}
	if (was.p != NULL && now.p != NULL && bytes_eq(was, now)) {
		return;
	}
	f.change = was.p == NULL ? BACKUP_REMOVES : now.p == NULL ? BACKUP_ADDS : BACKUP_CHANGES;
	put_out(c, &f);
}

static int read_image(
	struct comparison *c, const struct moment *m, struct bytes *out, struct fault *fault)
{
	struct journal j = {.n = 0};
	struct text t;
	int rc;

	memcpy(j.id, m->id, sizeof(j.id));
	text_init(&t, RESOURCE_FILE_MAX);
	rc = journal_image(c->backups, &j, &m->file, &t, fault);
	if (rc == 0) {
		*out = arena_copy(c->arena, text_bytes(&t));
		c->full = c->full || out->p == NULL;
	}
	text_done(&t);
	return rc;
}

static int compare_one(struct comparison *c, const struct moment *m, struct fault *fault)
{
	struct bytes was = {NULL, 0};
	struct bytes now = {NULL, 0};
	struct arena paths;
	struct text t;
	int rc = m->file.had ? read_image(c, m, &was, fault) : 0;

	arena_init(&paths, PATH_ARENA);
	text_init(&t, RESOURCE_FILE_MAX);
	if (rc == 0) {
		rc = file_read(journal_path(&paths, c->root, m->kind, m->name), RESOURCE_FILE_MAX,
			&t, NULL, fault);
		if (rc == 0) {
			now = t.n != 0 ? text_bytes(&t) : BYTES("");
		}
		rc = rc == ERR_NOT_FOUND ? 0 : rc;
	}
	if (rc == 0 && !c->full) {
		decide(c, m, was, now);
	}
	text_done(&t);
	arena_done(&paths);
	return rc;
}

/* A file that a complete copy does not have. */
static bool on_name(void *arg, const char *name)
{
	struct comparison *c = arg;
	struct bytes n = bytes_str(name);
	struct bytes label;
	struct backup_file f = {.change = BACKUP_REMOVES, .kind = c->kind};

	if (n.n <= sizeof(SUFFIX) - 1 || !bytes_ends(n, BYTES(SUFFIX))) {
		return true;
	}
	n.n -= sizeof(SUFFIX) - 1;
	label = label_of(c, c->kind, n);
	f.name = arena_copy(c->arena, n);
	if (label.p == NULL || f.name.p == NULL) {
		c->full = true;
		return false;
	}
	if (map_get(&c->seen, label) == NULL) {
		put_out(c, &f);
	}
	return true;
}

static int add_others(struct comparison *c, struct fault *fault)
{
	int rc = 0;

	for (int k = 0; k < RESOURCE_KIND_COUNT && rc == 0; k++) {
		struct text dir;

		c->kind = (enum resource_kind)k;
		text_init(&dir, 8192);
		text_addf(&dir, "%s/%s", c->root, resource_dir(c->kind));
		rc = file_list(text_cstr(&dir), on_name, c, fault);
		rc = rc == ERR_NOT_FOUND ? 0 : rc;
		text_done(&dir);
	}
	return rc;
}

int backup_compare(struct arena *a, const char *root, const char *backups, struct bytes id,
	struct backup_files *out, struct fault *fault)
{
	static const struct hash_seed seed = {0, 0}; /* names of our own files */
	struct backup_files got = {.n = 0};
	struct comparison c = {.arena = a, .root = root, .backups = backups, .out = &got};
	bool all = false;
	int rc;

	map_init(&c.seen, &seed);
	rc = gather(&c, id, &all, fault);
	for (size_t i = 0; i < c.n && rc == 0 && !c.full; i++) {
		rc = compare_one(&c, c.v[i], fault);
	}
	if (rc == 0 && all && !c.full) {
		rc = add_others(&c, fault);
	}
	if (rc == 0 && c.full) {
		rc = (int)fault_set(fault, ERR_LIMIT, 0, 0, "the backup is too large to compare");
	}
	map_done(&c.seen);
	free(c.v);
	if (rc == 0) {
		*out = got;
	}
	return rc;
}

/* The file of an object as it is on disk, appended to out; one that is gone meanwhile is left out. */
static int add_file(struct arena *a, const char *root, const struct object *o,
	struct backup_files *out, struct fault *fault)
{
	struct file_stat st;
	struct text t;
	int rc;

	text_init(&t, RESOURCE_FILE_MAX);
	rc = file_read(
		journal_path(a, root, o->kind, o->meta.name), RESOURCE_FILE_MAX, &t, &st, fault);
	if (rc == 0) {
		out->v[out->n++] = (struct backup_file){.change = BACKUP_ADDS,
			.kind = o->kind,
			.name = o->meta.name,
			.text = arena_copy(a, text_bytes(&t)),
			.mode = st.mode};
	}
	text_done(&t);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

int backup_document(struct arena *a, const char *root, const struct snapshot *s,
	const struct backup_files *changed, struct backup_files *out, struct fault *fault)
{
	static const struct hash_seed seed = {0, 0}; /* names of our own files */
	struct comparison c = {.arena = a};
	struct map seen;
	int rc = 0;

	*out = (struct backup_files){
		.v = arena_must(a, (s->n + changed->n + 1) * sizeof(struct backup_file))};
	map_init(&seen, &seed);
	for (size_t i = 0; i < changed->n; i++) {
		struct backup_file *f = &changed->v[i];
		struct bytes label = label_of(&c, f->kind, f->name);

		if (label.p != NULL) {
			map_put(&seen, label, f);
		}
		if (f->text.p != NULL) {
			out->v[out->n++] = *f;
		}
	}
	for (size_t i = 0; i < s->n && rc == 0; i++) {
		const struct object *o = s->objects[i];
		struct bytes label = label_of(&c, o->kind, o->meta.name);

		if (label.p != NULL && map_get(&seen, label) == NULL) {
			rc = add_file(a, root, o, out, fault);
		}
	}
	map_done(&seen);
	if (rc == 0 && arena_full(a)) {
		rc = (int)fault_set(
			fault, ERR_LIMIT, 0, 0, "the backup is too large for one answer");
	}
	return rc;
}

void backup_restore(struct arena *a, const struct backup_files *files, struct commit *c)
{
	struct commit_file *v = arena_must(a, (files->n + 1) * sizeof(*v));

	for (size_t i = 0; i < files->n; i++) {
		const struct backup_file *f = &files->v[i];

		v[i] = (struct commit_file){f->kind, f->name, f->text, f->mode};
	}
	c->files = v;
	c->n_files = files->n;
}

/* --- removed ------------------------------------------------------------------------------------ */

int backup_remove(const char *backups, struct bytes id, struct fault *fault)
{
	struct journal j;
	struct arena a;
	int rc;

	arena_init(&a, MANIFEST_ARENA);
	rc = journal_read(&j, &a, backups, id, fault);
	if (rc == 0 && j.state == JOURNAL_BEGUN) {
		rc = (int)fault_set(fault, ERR_REFUSED, 0, 0,
			"backup %s belongs to a change that is not complete; the next start repairs it",
			j.id);
	}
	if (rc == 0) {
		journal_drop(&j, &a, backups);
	}
	arena_done(&a);
	return rc;
}

void backup_prune(const char *backups, size_t count, uint64_t bytes)
{
	struct backup_entries list;
	struct arena a;
	uint64_t sum = 0;
	size_t kept = 0;

	arena_init(&a, (size_t)1 << 30);
	if (backup_list(&a, backups, &list, NULL) == 0) {
		for (size_t i = list.n; i > 0; i--) {
			const struct backup_entry *e = &list.v[i - 1];

			if (e->named || e->begun) {
				continue;
			}
			kept++;
			sum += e->size;
			if (kept > 1 && (kept > count || sum > bytes)) {
				/* What cannot be removed is tried again after the next change. */
				IGNORE(backup_remove(backups, bytes_str(e->id), NULL));
			}
		}
	}
	arena_done(&a);
}
