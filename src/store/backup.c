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

/* --- list --------------------------------------------------------------------------------------- */

static uint64_t size_of(struct arena *a, const char *backups, const struct journal *j)
{
	uint64_t sum = 0;
	struct text dir;

	text_init(&dir, 8192);
	text_addf(&dir, "%s/%s", backups, j->id);
	for (size_t i = 0; i < j->n; i++) {
		const struct journal_file *f = &j->files[i];
		struct file_stat st;

		if (f->had &&
			file_stat(journal_path(a, text_cstr(&dir), f->kind, f->name), &st) == 0) {
			sum += st.size;
		}
	}
	text_done(&dir);
	return sum;
}

static struct backup_entry entry_of(struct arena *a, const char *backups, const struct journal *j)
{
	struct backup_entry e = {.named = j->named,
		.begun = j->state == JOURNAL_BEGUN,
		.actor = j->actor,
		.what = j->what,
		.reason = j->reason,
		.time_s = j->time_s,
		.files = j->n,
		.size = size_of(a, backups, j)};

	memcpy(e.id, j->id, sizeof(e.id));
	return e;
}

int backup_list(
	struct arena *a, const char *backups, struct backup_entries *out, struct fault *fault)
{
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

		if (journal_read(&j, a, backups, ids.v[i], NULL) == 0) {
			out->v[out->n++] = entry_of(a, backups, &j);
		}
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
			j->n++;
		}
		rc = rc == ERR_NOT_FOUND ? 0 : rc; /* gone meanwhile */
		text_done(&t);
	}
	if (rc == 0 && j->n != 0 && j->files[j->n - 1].old.p == NULL) {
		rc = (int)fault_set(fault, ERR_LIMIT, 0, 0, "the resources are too large to copy");
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
		rc = journal_end(&j, fault);
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
	const struct journal *journal; /* that has the image */
	const struct journal_file *file;
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
	struct moment *m;

	if (label.p == NULL || map_get(&c->seen, label) != NULL) {
		c->full = c->full || label.p == NULL;
		return;
	}
	m = arena_alloc(c->arena, sizeof(*m));
	if (m == NULL) {
		c->full = true;
		return;
	}
	*m = (struct moment){f->kind, f->name, j, f};
	map_put(&c->seen, label, m);
	if (c->n == c->cap) {
		c->cap = MAX(c->cap * 2, 64u);
		c->v = must_realloc(c->v, c->cap * sizeof(struct moment *));
	}
	c->v[c->n++] = m;
}

static int gather(struct comparison *c, struct bytes id, bool *all, struct fault *fault)
{
	struct journal *j = arena_must(c->arena, sizeof(*j));
	struct strings ids;
	int rc = journal_read(j, c->arena, c->backups, id, fault);

	rc = rc == 0 ? journal_list(c->arena, c->backups, &ids, fault) : rc;
	if (rc != 0) {
		return rc;
	}
	*all = j->named;
	for (size_t k = 0; k < j->n; k++) {
		add_moment(c, j, &j->files[k]);
	}
	for (size_t i = 0; i < ids.n && !*all && rc == 0; i++) {
		struct journal *later = arena_must(c->arena, sizeof(*later));

		if (bytes_cmp(ids.v[i], id) <= 0) {
			continue;
		}
		rc = journal_read(later, c->arena, c->backups, ids.v[i], fault);
		for (size_t k = 0; rc == 0 && !later->named && k < later->n; k++) {
			add_moment(c, later, &later->files[k]);
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
		.kind = m->kind, .name = m->name, .text = was, .mode = m->file->mode};

	if (was.p == NULL && now.p == NULL) {
		return;
	}
	if (was.p != NULL && now.p != NULL && bytes_eq(was, now)) {
		return;
	}
	f.change = was.p == NULL ? BACKUP_REMOVES : now.p == NULL ? BACKUP_ADDS : BACKUP_CHANGES;
	put_out(c, &f);
}

static int compare_one(struct comparison *c, const struct moment *m, struct fault *fault)
{
	struct bytes was = {NULL, 0};
	struct bytes now = {NULL, 0};
	struct text t;
	int rc = 0;

	text_init(&t, RESOURCE_FILE_MAX);
	if (m->file->had) {
		rc = journal_image(c->backups, m->journal, m->file, &t, fault);
		was = arena_copy(c->arena, text_bytes(&t));
		c->full = c->full || was.p == NULL;
		text_clear(&t);
	}
	if (rc == 0) {
		rc = file_read(journal_path(c->arena, c->root, m->kind, m->name), RESOURCE_FILE_MAX,
			&t, NULL, fault);
		if (rc == 0) {
			now = t.n != 0 ? text_bytes(&t) : BYTES("");
		}
		rc = rc == ERR_NOT_FOUND ? 0 : rc;
	}
	if (rc == 0) {
		decide(c, m, was, now);
	}
	text_done(&t);
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
	for (size_t i = 0; i < c.n && rc == 0; i++) {
		rc = compare_one(&c, c.v[i], fault);
	}
	if (rc == 0 && all) {
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

	arena_init(&a, (size_t)1 << 28);
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
