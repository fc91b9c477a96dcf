/*
 * A bundle is cut at its separators and each document is read as if it were the file of its own, so that
 * all rules of files hold for it too. libyaml could give the documents one after the other, but then one
 * that is broken would hide those behind it.
 */
#include "cli/tree.h"

#include <stdlib.h>

#include "base/file.h"

#define ARENA_MAX ((size_t)1 << 32)
#define PATH_MAX_BYTES 4096u
#define SUFFIX ".yaml"
/* Of a file without its suffix. */
#define NAME_MAX_BYTES 250u

struct tree_file {
	struct bytes path;
	uint32_t before; /* lines in front of the document */
	uint32_t line;   /* where its object begins in the file */
};

struct listing { /* of a directory that is being walked */
	struct tree *tree;
	const char *dir;
	int kind; /* -1: what the documents say */
};

/* --- places ------------------------------------------------------------------------------------- */

struct bytes tree_place(const struct tree *t, const struct finding *f, uint32_t *line)
{
	const struct tree_file *found = map_get(&t->files, f->file);

	*line = f->line;
	if (found == NULL) {
		return f->file;
	}
	*line += found->before;
	return found->path;
}

static struct bytes keep(struct tree *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

static struct bytes keep(struct tree *t, const char *fmt, ...)
{
	struct text text;
	struct bytes kept;
	va_list ap;

	text_init(&text, (size_t)4 * PATH_MAX_BYTES);
	va_start(ap, fmt);
	text_addv(&text, fmt, ap);
	va_end(ap);
	kept = arena_copy(&t->arena, text_bytes(&text));
	text_done(&text);
	return kept;
}

/* A finding of the tree itself: its place is the one that is shown. */
static void note(
	struct tree *t, const struct tree_file *where, const struct finding *what, const char *text)
{
	struct finding at = *what;

	at.file = where->path;
	at.line += where->before;
	at.column = at.column != 0 ? at.column : 1;
	findings_add(&t->findings, &at, "%s", text);
}

static void note_all(struct tree *t, const struct tree_file *where, const struct findings *found)
{
	for (const struct finding *f = found->first; f != NULL; f = f->next) {
		struct finding at = *f;

		at.file = where->path;
		at.line += where->before;
		findings_add(&t->findings, &at, BYTES_FMT, BYTES_ARG(f->text));
	}
}

/* --- one object --------------------------------------------------------------------------------- */

/* What findings of the plan say about the object is about this document from now on. */
static void remember(
	struct tree *t, struct bytes label, const struct tree_file *where, const struct object *o)
{
	struct tree_file *f = arena_must(&t->arena, sizeof(*f));
	const struct finding at = {.level = FINDING_WARNING,
		.file = where->path,
		.line = where->before + o->root->line,
		.column = 1,
		.code = "object-replaced"};
	const struct tree_file *other;

	*f = *where;
	f->line = at.line;
	other = map_put(&t->files, label, f);
	if (other != NULL) {
		findings_add(&t->findings, &at,
			"the same object stands in " BYTES_FMT
			" at line %u, too, and only this one counts: remove one of them",
			BYTES_ARG(other->path), other->line);
	}
}

static void put_object(struct tree *t, int kind, struct bytes label, struct bytes text,
	const struct tree_file *where)
{
	struct findings found;
	struct object *o;

	findings_init(&found, &t->arena);
	o = object_read((enum resource_kind)kind, label, text, &found);
	t->n_files++;
	note_all(t, where, o != NULL ? &o->findings : &found);
	if (o == NULL) {
		t->n_unread++;
		t->snapshot->guard_unread = t->snapshot->guard_unread ||
			(kind == RESOURCE_WASMPLUGIN && wasmplugin_may_guard(label, &text));
		return;
	}
	remember(t, label, where, o);
	snapshot_put(t->snapshot, o);
}

/* --- bundles ------------------------------------------------------------------------------------ */

static int kind_called(struct bytes name)
{
	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		if (bytes_eq(name, bytes_str(resource_kind_name((enum resource_kind)k)))) {
			return k;
		}
	}
	return -1;
}

/* The kind of a document whose name could be one of a file; else -1, and why. */
static int kind_of_document(struct tree *t, const struct tree_file *where,
	const struct yaml_node *root, struct bytes *name)
{
	static const struct finding missing = {.level = FINDING_WARNING, .code = "kind-missing"};
	static const struct finding list = {.level = FINDING_WARNING, .code = "kind-list"};
	static const struct finding unknown = {.level = FINDING_INFO, .code = "kind-unknown"};
	static const struct finding bad = {.level = FINDING_ERROR, .code = "object-name"};
	const struct yaml_node *kind = yaml_get(root, "kind");
	const struct yaml_node *n = yaml_get(yaml_get(root, "metadata"), "name");
	const struct finding *what = NULL;
	const char *why = "";
	struct finding at;

	if (kind != NULL && bytes_eq(kind->text, BYTES("List"))) {
		what = &list;
		why = "the members of a List are not read: write each as a document of its own, "
		      "with --- between them";
	} else if (kind == NULL || kind->text.n == 0 || n == NULL || n->text.n == 0) {
		what = &missing;
		why = "the document is not read, it has no kind or no metadata.name: add them";
	} else if (kind_called(kind->text) < 0) {
		what = &unknown;
		why = "the document is not read, no resource of this kind is used";
	} else if (n->text.n > NAME_MAX_BYTES || memchr(n->text.p, '/', n->text.n) != NULL ||
		memchr(n->text.p, '\0', n->text.n) != NULL) {
		what = &bad;
		why = "no file can have this name, it is too long or has a slash: rename the object";
	}
	if (what != NULL) {
		const struct yaml_node *place = what == &bad ? n : what == &missing ? root : kind;

		at = *what;
		at.line = place->line;
		at.column = place->column;
		note(t, where, &at, why);
		return -1;
	}
	*name = n->text;
	return kind_called(kind->text);
}

static void put_document(struct tree *t, const struct tree_file *where, struct bytes text)
{
	struct findings found;
	struct yaml_doc doc;
	struct bytes name;
	struct fault f;
	struct arena a;
	int kind;
	int rc;

	arena_init(&a, ARENA_MAX);
	rc = yaml_parse(&a, text, &doc, &f);
	if (rc != 0) {
		findings_init(&found, &a);
		object_note_fault(&found, where->path, rc, &f);
		note_all(t, where, &found);
		t->n_unread++;
	} else if (doc.root != NULL && doc.root->type != YAML_NULL) {
		kind = kind_of_document(t, where, doc.root, &name);
		if (kind >= 0) {
			put_object(t, kind,
				keep(t, "%s/" BYTES_FMT SUFFIX,
					resource_dir((enum resource_kind)kind), BYTES_ARG(name)),
				text, where);
		}
	}
	arena_done(&a);
}

static bool is_separator(struct bytes line)
{
	return bytes_starts(line, BYTES("---")) &&
		(line.n == 3 || line.p[3] == ' ' || line.p[3] == '\t' || line.p[3] == '\r');
}

/* Comments and directives in front of a separator belong to the document behind it. */
static bool is_content(struct bytes line)
{
	line = bytes_trim(line);
	if (bytes_starts(line, BYTES("\xef\xbb\xbf"))) {
		line = bytes_of(line.p + 3, line.n - 3);
	}
	return line.n != 0 && line.p[0] != '#' && line.p[0] != '%' && line.p[0] != '\r';
}

static void put_bundle(struct tree *t, struct bytes path, struct bytes text)
{
	static const struct finding many = {.level = FINDING_ERROR, .code = "too-large", .line = 1};
	struct tree_file where = {.path = path};
	struct bytes rest = text;
	const char *beg = text.p;
	bool content = false;
	uint32_t line = 0;
	size_t n = 0;

	while (rest.n != 0) {
		struct bytes l = bytes_cut(&rest, '\n');

		if (is_separator(l) && content) {
			put_document(t, &where, bytes_of(beg, (size_t)(l.p - beg)));
			beg = l.p;
			where.before = line;
			content = false;
			if (++n == TREE_DOCUMENTS_MAX) {
				note(t, &where, &many,
					"the file has too many documents, the rest is not read: "
					"split it");
				return;
			}
		}
		content = content || is_content(l) || is_separator(l);
		line++;
	}
	put_document(t, &where, bytes_of(beg, (size_t)(text.p + text.n - beg)));
}

/* --- files and directories ---------------------------------------------------------------------- */

/* Two paths may lead to one file: documents of it are not replaced by themselves. */
static bool is_known(struct tree *t, const struct file_stat *st, struct bytes label)
{
	struct bytes key = keep(t, "%llu %llu %llu " BYTES_FMT, (unsigned long long)st->inode,
		(unsigned long long)st->size, (unsigned long long)st->mtime_ns, BYTES_ARG(label));

	return map_put(&t->seen, key, t) != NULL;
}

static void put_text(
	struct tree *t, struct bytes path, int kind, struct bytes label, struct bytes text)
{
	const struct tree_file where = {.path = path};

	if (kind >= 0) {
		put_object(t, kind, label, text, &where);
	} else {
		put_bundle(t, path, text);
	}
}

/* What cannot be read is a finding, as it is one of the gateway that reads the same directory. */
static void put_file(struct tree *t, const char *path, int kind, struct bytes label)
{
	struct tree_file where = {.path = keep(t, "%s", path)};
	struct finding at = {.level = FINDING_ERROR, .code = "file-unreadable", .line = 1};
	struct file_stat st;
	struct text text;
	struct fault f;
	int rc;

	text_init(&text, RESOURCE_FILE_MAX);
	rc = file_read(path, RESOURCE_FILE_MAX, &text, &st, &f);
	if (rc != 0) {
		at.code = rc == ERR_LIMIT ? "too-large" : at.code;
		t->n_unread++;
		note(t, &where, &at, f.text);
		t->snapshot->guard_unread = t->snapshot->guard_unread ||
			(kind == RESOURCE_WASMPLUGIN && wasmplugin_may_guard(label, NULL));
	} else if (!is_known(t, &st, label)) {
		put_text(t, where.path, kind, label, text_bytes(&text));
	}
	text_done(&text);
}

static void put_stdin(struct tree *t)
{
	static const struct finding large = {
		.level = FINDING_ERROR, .code = "too-large", .line = 1};
	const struct tree_file where = {.path = BYTES("<stdin>")};
	char room[65536];
	struct text text;
	size_t n;

	text_init(&text, RESOURCE_FILE_MAX);
	while (!text_full(&text) && (n = fread(room, 1, sizeof(room), stdin)) != 0) {
		text_add(&text, room, n);
	}
	if (text_full(&text)) {
		note(t, &where, &large, "the input is above 64 MiB: split it");
	} else {
		put_bundle(t, where.path, text_bytes(&text));
	}
	text_done(&text);
}

static bool on_name(void *arg, const char *name)
{
	struct listing *l = arg;
	struct bytes n = bytes_of(name, strlen(name));
	char path[PATH_MAX_BYTES];
	struct file_stat st;
	struct bytes label = BYTES("");
	int len = snprintf(path, sizeof(path), "%s/%s", l->dir, name);

	if (!bytes_ends(n, BYTES(SUFFIX)) || n.n == sizeof(SUFFIX) - 1) {
		return true;
	}
	if (len < 0 || (size_t)len >= sizeof(path)) {
		const struct tree_file where = {.path = keep(l->tree, "%s", l->dir)};
		const struct finding at = {
			.level = FINDING_ERROR, .code = "file-unreadable", .line = 1};

		note(l->tree, &where, &at, "the path of a file in it is too long");
		return false;
	}
	if (file_stat(path, &st) == 0 && (!st.exists || st.is_dir)) {
		return true;
	}
	if (l->kind >= 0) {
		label = keep(l->tree, "%s/%s", resource_dir((enum resource_kind)l->kind), name);
	}
	put_file(l->tree, path, l->kind, label);
	return true;
}

static void put_directory(struct tree *t, const char *dir, int kind)
{
	static const struct finding at = {
		.level = FINDING_ERROR, .code = "directory-unreadable", .line = 1};
	struct listing l = {.tree = t, .dir = dir, .kind = kind};
	struct fault f;

	if (file_list(dir, on_name, &l, &f) != 0) {
		const struct tree_file where = {.path = keep(t, "%s", dir)};

		t->n_unread++;
		note(t, &where, &at, f.text);
	}
}

static bool is_directory(const char *path)
{
	struct file_stat st;

	return file_stat(path, &st) == 0 && st.is_dir;
}

/* The directories of kinds below it; false: there is none. */
static bool put_root(struct tree *t, const char *root)
{
	bool any = false;

	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		char path[PATH_MAX_BYTES];
		int n = snprintf(
			path, sizeof(path), "%s/%s", root, resource_dir((enum resource_kind)k));

		if (n > 0 && (size_t)n < sizeof(path) && is_directory(path)) {
			any = true;
			put_directory(t, path, k);
		}
	}
	return any;
}

/* The last part of a path, and the one before it: a kind when the file is in its directory. */
static int kind_of_parent(const char *path, bool of_itself)
{
	struct bytes p = bytes_str(path);
	size_t parts = of_itself ? 0 : 1;

	while (p.n != 0 && p.p[p.n - 1] == '/') {
		p.n--;
	}
	for (;;) {
		size_t beg = p.n;

		while (beg != 0 && p.p[beg - 1] != '/') {
			beg--;
		}
		if (parts == 0) {
			return resource_kind_of_dir(bytes_of(p.p + beg, p.n - beg));
		}
		if (beg == 0) {
			return -1;
		}
		parts--;
		p.n = beg - 1;
	}
}

static struct bytes base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return bytes_str(slash != NULL ? slash + 1 : path);
}

static const char *without_slashes(struct tree *t, const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/') {
		n--;
	}
	return keep(t, "%.*s", (int)MIN(n, (size_t)PATH_MAX_BYTES), path).p;
}

static bool put_path(struct tree *t, const char *path, FILE *err)
{
	struct file_stat st;
	char below[PATH_MAX_BYTES];
	int n;

	path = without_slashes(t, path);
	if (strcmp(path, "-") == 0) {
		put_stdin(t);
		return true;
	}
	if (file_stat(path, &st) != 0 || !st.exists) {
		fprintf(err, "sluice: there is no %s; name a file or a directory of resources\n",
			path);
		return false;
	}
	if (!st.is_dir) {
		int kind = kind_of_parent(path, false);
		struct bytes label = kind >= 0
			? keep(t, "%s/" BYTES_FMT, resource_dir((enum resource_kind)kind),
				  BYTES_ARG(base_name(path)))
			: BYTES("");

		put_file(t, path, kind, label);
		return true;
	}
	n = snprintf(below, sizeof(below), "%s/resources", path);
	if (!put_root(t, path) &&
		!(n > 0 && (size_t)n < sizeof(below) && is_directory(below) &&
			put_root(t, below))) {
		put_directory(t, path, kind_of_parent(path, true));
	}
	return true;
}

bool tree_read(struct tree *t, char *const *paths, size_t n, FILE *err)
{
	static const struct hash_seed seed = {0x74726565, 0x66696c6573};
	bool ok = true;

	*t = (struct tree){.snapshot = snapshot_new()};
	arena_init(&t->arena, ARENA_MAX);
	findings_init(&t->findings, &t->arena);
	map_init(&t->files, &seed);
	map_init(&t->seen, &seed);
	for (size_t i = 0; i < n; i++) {
		ok = put_path(t, paths[i], err) && ok;
	}
	if (!ok) {
		tree_done(t);
	}
	return ok;
}

void tree_done(struct tree *t)
{
	snapshot_unref(t->snapshot);
	map_done(&t->files);
	map_done(&t->seen);
	arena_done(&t->arena);
}
