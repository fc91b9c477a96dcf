/*
 * What is remembered of a file: what it looked like to stat, and its last good object. A file that looks
 * the same is not read again, unless it had just been written when it was last read: two writes within
 * one tick of the file system's clock look alike. A file that was bad is read again every time, so that
 * every report names it.
 *
 * Where somebody tells which names may have changed, the others are known to be as they were, and so not looked at:
 * 30,000 looks take longer than a change. A file that can change without its directory's knowledge is always
 * looked at.
 */
#include "store/directory.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/hash.h"

/* Younger than this when it was read: may change once more without looking different. */
#define SETTLED_NS 2000000000u
#define PATH_MAX_BYTES 4096u
/* Of an object that was replaced by a change: a file of 100,000 consumers. */
#define POOL_MAX ((size_t)128 << 20)
#define REPORT_MAX ((size_t)64 << 20)
#define SUFFIX ".yaml"

struct file {
	char *name; /* "ingresses/a.yaml" */
	struct file_stat stat;
	bool settled, bad;
	struct object *object;  /* the last good one; NULL: there has been none */
	struct object *refused; /* what the file says, when `object` is served instead of it */
	bool guards;            /* without one: it may be what says who passes */
	unsigned seen;          /* number of the pass that met it last */
	bool elsewhere;         /* its directory does not know all that happens to it */
	bool told;              /* in this pass: it may have changed */
};

/* Names that may have changed, of one kind. Accident: a tree that is written anew is cheaper looked at. */
#define NEWS_MAX 4096u
struct names {
	char **v;
	size_t n, cap;
	bool more; /* than are kept */
};

struct kind_files {
	struct file **v; /* by name */
	size_t n, cap;
	bool listed;    /* once, at least */
	bool current;   /* the last time, too: not lost, not unreadable */
	uint64_t inode; /* of the directory that they were read from */
};

struct directory {
	char *root;
	struct kind_files kinds[RESOURCE_KIND_COUNT];
	unsigned pass;
	struct directory_news news; /* take NULL: nobody tells */
	struct names names[RESOURCE_KIND_COUNT];
	uint32_t known; /* kinds, of this pass */
	bool doubt, retry;
	uint64_t looked_ms;
	struct arena_pool *pool;
};

/* One pass over one kind. */
struct pass {
	struct directory *directory;
	struct directory_report *report;
	struct kind_files *files;
	enum resource_kind kind;
	size_t next; /* in files: names come sorted on both sides */
	size_t met;  /* files in the directory */
	bool told;   /* names come in any order, and not all of them */
};

struct directory *directory_new(const char *root)
{
	struct directory *d = must_alloc(sizeof(*d));

	d->root = must_strdup(root);
	d->pool = arena_pool_new(POOL_MAX);
	return d;
}

static void free_file(struct file *f)
{
	object_unref(f->object);
	object_unref(f->refused);
	free(f->name);
	free(f);
}

void directory_set_news(struct directory *d, struct directory_news news)
{
	d->news = news;
}

void directory_doubt(struct directory *d)
{
	d->doubt = true;
}

struct arena_pool *directory_pool(const struct directory *d)
{
	return d->pool;
}

uint64_t directory_looked_ms(const struct directory *d)
{
	return d->looked_ms;
}

void directory_free(struct directory *d)
{
	if (d == NULL) {
		return;
	}
	for (size_t k = 0; k < RESOURCE_KIND_COUNT; k++) {
		for (size_t i = 0; i < d->kinds[k].n; i++) {
			free_file(d->kinds[k].v[i]);
		}
		free(d->kinds[k].v);
		free(d->names[k].v); /* each read forgets the names themselves */
	}
	free(d->root);
	arena_pool_free(d->pool);
	free(d);
}

/* --- findings ----------------------------------------------------------------------------------- */

static void report_fault(
	struct directory_report *r, const char *name, const char *code, const char *text)
{
	struct finding at = {.level = FINDING_ERROR, .file = bytes_str(name), .code = code};

	findings_add(&r->findings, &at, "%s", text);
}

/* What the system would not open: by its mode, or because it is outside of what the sandbox names. */
static void report_unreadable(
	struct directory_report *r, const char *name, const char *code, const struct fault *fault)
{
	struct finding at = {.level = FINDING_ERROR, .file = bytes_str(name), .code = code};

	if (fault->err == ERR_LIMIT) {
		findings_add(&r->findings, &at,
			"the file is too large: at most 64 MB are read; split it or remove what is not "
			"needed");
		return;
	}
	findings_add(&r->findings, &at, "%s%s", fault->text,
		fault->err == ERR_REFUSED ? "; check owner and mode, and that no symbolic link "
					    "leads out of the resources (the sandbox)"
					  : "");
}

static void report_object(struct directory_report *r, const struct object *o)
{
	for (const struct finding *f = o->findings.first; f != NULL; f = f->next) {
		findings_add(&r->findings, f, BYTES_FMT, BYTES_ARG(f->text));
	}
}

/* --- one file ----------------------------------------------------------------------------------- */

static bool looks_same(const struct file *f, const struct file_stat *now)
{
	return f->stat.exists && f->stat.size == now->size && f->stat.mtime_ns == now->mtime_ns &&
		f->stat.ctime_ns == now->ctime_ns && f->stat.inode == now->inode;
}

/* Whether the last good object was read of these very bytes. */
static bool is_object_of(const struct object *o, struct bytes text)
{
	unsigned char digest[DIGEST_SHA256_SIZE];

	if (text.n != o->size) {
		return false; /* to hash 16 MB takes 10 ms */
	}
	digest_sha256(digest, text);
	return memcmp(o->hash, digest, sizeof(o->hash)) == 0;
}

/* text NULL: it could not be read. */
static void mark_bad(struct pass *p, struct file *f, const struct bytes *text)
{
	f->bad = true;
	object_unref(f->refused);
	f->refused = NULL;
	f->guards = p->kind == RESOURCE_WASMPLUGIN && f->object == NULL &&
		wasmplugin_may_guard(bytes_str(f->name), text);
}

/* What the file says now takes the place of all that it said. */
static void take(struct file *f, struct object *o)
{
	object_unref(f->object);
	object_unref(f->refused);
	f->object = o;
	f->refused = NULL;
	f->bad = f->guards = false;
}

static void parse(struct pass *p, struct file *f, struct bytes text)
{
	struct object *o;

	if (f->refused != NULL && is_object_of(f->refused, text)) {
		return;
	}
	if (f->object != NULL && is_object_of(f->object, text)) {
		take(f,
			object_ref(
				f->object)); /* touched, not changed: whoever shares it goes on doing so */
		return;
	}
	if (f->object != NULL && text.n == 0) {
		mark_bad(p, f, &text);
		report_fault(p->report, f->name, "empty-file",
			"the file has become empty, as one that is being written: write it again, or "
			"delete it to remove the resource");
		return;
	}
	o = object_read(p->kind, bytes_str(f->name), text, &p->report->findings);
	p->report->read++;
	if (o == NULL) {
		mark_bad(p, f, &text);
		return;
	}
	take(f, o);
}

/* False: it is gone since it was listed. */
static bool read_file(struct pass *p, struct file *f, const char *path)
{
	struct file_stat stat;
	struct fault fault;
	struct text text;
	uint64_t now_ns = clock_wall_ms() * 1000000u;
	int rc;

	text_init(&text, RESOURCE_FILE_MAX);
	rc = file_read(path, RESOURCE_FILE_MAX, &text, &stat, &fault);
	if (rc == 0) {
		f->stat = stat;
		f->elsewhere = stat.elsewhere;
		f->settled = MAX(stat.mtime_ns, stat.ctime_ns) + SETTLED_NS < now_ns;
		parse(p, f, text_bytes(&text));
	} else if (rc != ERR_NOT_FOUND) {
		mark_bad(p, f, NULL);
		report_unreadable(p->report, f->name,
			rc == ERR_LIMIT ? "too-large" : "file-unreadable", &fault);
	}
	text_done(&text);
	if (rc == ERR_NOT_FOUND && file_is_link(path)) {
		mark_bad(p, f, NULL);
		report_fault(p->report, f->name, "file-unreadable",
			"the symbolic link leads to nothing: put the file back, or delete the link "
			"to remove the resource");
		return true;
	}
	return rc != ERR_NOT_FOUND;
}

static struct file *add_file(struct kind_files *k, size_t at, const char *name)
{
	struct file *f = must_alloc(sizeof(*f));

	if (k->n == k->cap) {
		k->cap = k->cap != 0 ? k->cap * 2 : 16;
		k->v = must_realloc(k->v, k->cap * sizeof(struct file *));
	}
	memmove(&k->v[at + 1], &k->v[at], (k->n - at) * sizeof(struct file *));
	k->v[at] = f;
	k->n++;
	f->name = must_strdup(name);
	return f;
}

/* Index of the first file that is not before that name. */
static size_t place_of(const struct kind_files *k, const char *name)
{
	size_t from = 0, to = k->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (strcmp(k->v[mid]->name, name) < 0) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	return from;
}

/* Names are met in their order, so the place is where the last one was or behind it. */
static struct file *find_file(struct pass *p, const char *name)
{
	struct kind_files *k = p->files;

	if (p->told) {
		p->next = place_of(k, name);
	}
	while (p->next < k->n && strcmp(k->v[p->next]->name, name) < 0) {
		p->next++;
	}
	if (p->next < k->n && strcmp(k->v[p->next]->name, name) == 0) {
		return k->v[p->next];
	}
	return add_file(k, p->next, name);
}

static bool is_resource_name(const char *name)
{
	struct bytes n = bytes_str(name);

	return n.n > sizeof(SUFFIX) - 1 && bytes_ends(n, BYTES(SUFFIX));
}

/* It is there, and what was read of it is what is in it. */
static void meet(struct pass *p, struct file *f)
{
	p->report->files++;
	p->met++;
	f->seen = p->directory->pass;
	if (p->directory->retry && f->refused != NULL) {
		take(f, object_ref(f->refused));
	}
	if (f->object != NULL && !f->bad) {
		report_object(p->report, f->refused != NULL ? f->refused : f->object);
	}
	p->report->kept_bad += (f->bad && f->object != NULL) || f->refused != NULL;
}

/* Nobody removes a resource by making a directory of it: a mount of a file that is not there does, in its place. */
static void find_directory(struct pass *p, struct file *f)
{
	mark_bad(p, f, NULL);
	report_fault(p->report, f->name, "file-unreadable",
		"this is a directory: put the file back, or remove the directory to remove the "
		"resource");
	meet(p, f);
}

static bool on_name(void *arg, const char *name)
{
	struct pass *p = arg;
	char path[PATH_MAX_BYTES];
	char label[512];
	struct file_stat stat = {.is_dir = false};
	struct text t;
	struct file *f;

	if (!is_resource_name(name)) {
		return true;
	}
	text_init_fixed(&t, path, sizeof(path));
	text_addf(&t, "%s/%s/%s", p->directory->root, resource_dir(p->kind), name);
	text_add_char(&t, '\0');
	if (text_full(&t)) {
		report_fault(p->report, name, "file-unreadable", "the path is too long");
		return true;
	}
	text_init_fixed(&t, label, sizeof(label));
	text_addf(&t, "%s/%s", resource_dir(p->kind), name);
	text_add_char(&t, '\0'); /* names have at most 255 bytes */
	if (file_stat(path, &stat) == 0 && !stat.exists && !file_is_link(path)) {
		return true; /* gone since it was listed */
	}
	f = find_file(p, label);
	if (stat.is_dir) {
		find_directory(p, f);
		return true;
	}
	if ((f->bad || !f->settled || !looks_same(f, &stat)) && !read_file(p, f, path)) {
		return true;
	}
	meet(p, f);
	return true;
}

/* --- one kind ----------------------------------------------------------------------------------- */

static void forget_gone(struct pass *p)
{
	struct kind_files *k = p->files;
	unsigned pass = p->directory->pass;
	size_t kept = 0;

	for (size_t i = 0; i < k->n; i++) {
		if (k->v[i]->seen == pass) {
			k->v[kept++] = k->v[i];
		} else {
			free_file(k->v[i]);
			p->report->gone++;
		}
	}
	k->n = kept;
}

/*
 * Files are removed one by one. A directory that is not there any more, or that is suddenly another one
 * without a single file, has been swapped, unmounted or deleted as a whole: what was good stays. Why, or
 * NULL when the files that are gone are to be forgotten.
 */
static const char *lost(const struct pass *p, int rc, uint64_t before, uint64_t after)
{
	if (p->files->n == 0) {
		return NULL;
	}
	if (rc == ERR_NOT_FOUND) {
		return "the directory is gone; what it held stays in use until it is back (to remove "
		       "resources, delete their files)";
	}
	if (before != after) {
		return "the directory was swapped while it was read; what it held stays in use until "
		       "it is read again";
	}
	if (p->met == 0 && after != p->files->inode) {
		return "the directory is another one and empty; what the one before held stays in use "
		       "until there is a file in it";
	}
	return NULL;
}

static uint64_t inode_of(const char *path)
{
	struct file_stat stat;

	return file_stat(path, &stat) == 0 && stat.exists ? stat.inode : 0;
}

static void list_kind(struct directory *d, enum resource_kind kind, struct directory_report *r)
{
	struct pass p = {.directory = d, .report = r, .files = &d->kinds[kind], .kind = kind};
	char path[PATH_MAX_BYTES];
	const char *why;
	uint64_t before, after;
	struct fault fault;
	struct text t;
	int rc;

	text_init_fixed(&t, path, sizeof(path));
	text_addf(&t, "%s/%s", d->root, resource_dir(kind));
	text_add_char(&t, '\0');
	if (text_full(&t)) {
		report_fault(r, resource_dir(kind), "file-unreadable", "the path is too long");
		return;
	}
	p.files->current = false;
	before = inode_of(path);
	rc = file_list(path, on_name, &p, &fault);
	after = inode_of(path);
	if (rc != 0 && rc != ERR_NOT_FOUND) {
		report_unreadable(r, resource_dir(kind), "directory-unreadable", &fault);
		return; /* all that was known of it stays */
	}
	why = lost(&p, rc, before, after);
	if (why != NULL) {
		report_fault(r, resource_dir(kind), "directory-lost", why);
		return;
	}
	p.files->listed = p.files->current = true;
	p.files->inode = after;
	forget_gone(&p);
}

/* --- what is told ------------------------------------------------------------------------------- */

static void on_news(void *arg, size_t kind, const char *name)
{
	struct directory *d = arg;
	struct names *names = &d->names[kind];

	if (!is_resource_name(name) ||
		(names->n != 0 && strcmp(names->v[names->n - 1], name) == 0)) {
		return; /* one write is several events */
	}
	if (names->n == NEWS_MAX) {
		names->more = true;
		return;
	}
	if (names->n == names->cap) {
		names->cap = MAX(names->cap * 2, 16u);
		names->v = must_realloc(names->v, names->cap * sizeof(*names->v));
	}
	names->v[names->n++] = must_strdup(name);
}

static void take_news(struct directory *d)
{
	d->known = d->news.take != NULL ? d->news.take(d->news.of, on_news, d) : 0;
	for (size_t k = 0; k < RESOURCE_KIND_COUNT; k++) {
		if (d->doubt || d->names[k].more || !d->kinds[k].current) {
			d->known &= ~(1u << k);
		}
	}
	d->doubt = false;
	if (d->known == 0) {
		d->looked_ms = clock_wall_ms();
	}
}

static void forget_news(struct names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		free(names->v[i]);
	}
	names->n = 0;
	names->more = false;
}

static struct file *known_file(const struct kind_files *k, const char *label)
{
	size_t at = place_of(k, label);

	return at < k->n && strcmp(k->v[at]->name, label) == 0 ? k->v[at] : NULL;
}

/* One that is told twice is looked at once. */
static void look_again(struct pass *p, const char *name)
{
	char label[512];
	struct text t;
	struct file *f;

	text_init_fixed(&t, label, sizeof(label));
	text_addf(&t, "%s/%s", resource_dir(p->kind), name);
	text_add_char(&t, '\0'); /* names have at most 255 bytes */
	f = known_file(p->files, label);
	if (f != NULL && f->told) {
		return;
	}
	if (f != NULL) {
		f->told = true; /* gone or not */
	}
	on_name(p, name);
	f = known_file(p->files, label);
	if (f != NULL) {
		f->told = true;
	}
}

static void read_told(struct directory *d, enum resource_kind kind, struct directory_report *r)
{
	struct pass p = {
		.directory = d, .report = r, .files = &d->kinds[kind], .kind = kind, .told = true};
	size_t skip = strlen(resource_dir(kind)) + 1;

	for (size_t i = 0; i < d->names[kind].n; i++) {
		look_again(&p, d->names[kind].v[i]);
	}
	for (size_t i = 0; i < p.files->n; i++) {
		struct file *f = p.files->v[i];

		if (f->told) {
			f->told = false;
		} else if (f->bad || f->elsewhere) {
			on_name(&p, f->name + skip);
		} else {
			meet(&p, f);
		}
	}
	forget_gone(&p);
}

static void read_kind(struct directory *d, enum resource_kind kind, struct directory_report *r)
{
	if ((d->known >> kind & 1u) != 0) {
		read_told(d, kind, r);
	} else {
		list_kind(d, kind, r);
	}
	forget_news(&d->names[kind]);
}

static void put_kind(struct snapshot *s, const struct kind_files *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct file *f = k->v[i];

		if (f->object != NULL) {
			snapshot_put(s, object_ref(f->object));
		}
		s->guard_unread = s->guard_unread || (f->object == NULL && f->guards);
	}
}

struct snapshot *directory_read(struct directory *d, struct directory_report *report)
{
	struct snapshot *s = snapshot_new();

	*report = (struct directory_report){0};
	arena_init(&report->arena, REPORT_MAX);
	findings_init(&report->findings, &report->arena);
	d->pass++;
	take_news(d);
	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		read_kind(d, (enum resource_kind)k, report);
		put_kind(s, &d->kinds[k]);
	}
	d->retry = false;
	s->guard_unread = s->guard_unread || !d->kinds[RESOURCE_WASMPLUGIN].listed;
	return s;
}

/* --- what is refused ---------------------------------------------------------------------------- */

static struct file *file_of(const struct directory *d, enum resource_kind kind, struct bytes name)
{
	char label[512];
	struct text t;

	text_init_fixed(&t, label, sizeof(label));
	text_addf(&t, "%s/" BYTES_FMT SUFFIX, resource_dir(kind), BYTES_ARG(name));
	text_add_char(&t, '\0'); /* names have at most 255 bytes */
	return known_file(&d->kinds[kind], label);
}

void directory_refuse(
	struct directory *d, enum resource_kind kind, struct bytes name, struct object *good)
{
	struct file *f = file_of(d, kind, name);

	ASSERT(f != NULL && f->object != NULL && f->refused == NULL);
	f->refused = f->object;
	f->object = good;
}

void directory_retry(struct directory *d)
{
	d->retry = true;
}

bool directory_refuses(const struct directory *d, enum resource_kind kind, struct bytes name)
{
	const struct file *f = file_of(d, kind, name);

	return f != NULL && f->refused != NULL;
}

/* --- what was written by us --------------------------------------------------------------------- */

static void forget_file(struct kind_files *k, size_t at)
{
	free_file(k->v[at]);
	k->n--;
	memmove(&k->v[at], &k->v[at + 1], (k->n - at) * sizeof(struct file *));
}

void directory_put(struct directory *d, enum resource_kind kind, struct bytes name,
	struct object *o, const struct file_stat *st)
{
	struct kind_files *k = &d->kinds[kind];
	char label[512];
	struct text t;
	struct file *f;
	size_t at;
	bool known;

	text_init_fixed(&t, label, sizeof(label));
	text_addf(&t, "%s/" BYTES_FMT SUFFIX, resource_dir(kind), BYTES_ARG(name));
	text_add_char(&t, '\0'); /* names have at most 255 bytes */
	at = place_of(k, label);
	known = at < k->n && strcmp(k->v[at]->name, label) == 0;
	if (o == NULL) {
		if (known) {
			forget_file(k, at);
		}
		return;
	}
	f = known ? k->v[at] : add_file(k, at, label);
	take(f, o);
	f->stat = *st;
	/* Whoever wrote into it after the rename (ctime) has given it another mtime; only when both are of one
	 * tick of the clock that could look the same. */
	f->settled = st->mtime_ns < st->ctime_ns;
	f->elsewhere = false;
}

void directory_report_done(struct directory_report *r)
{
	arena_done(&r->arena);
}
