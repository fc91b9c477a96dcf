#include "cli/tree.h"

#include <stdlib.h>

#include "base/file.h"

#define ARENA_MAX ((size_t)1 << 32)
#define PATH_MAX_BYTES 4096u
#define SUFFIX ".yaml"

struct tree_file {
	struct bytes path;
	uint32_t before; /* lines in front of the document */
};

struct listing { /* of a directory that is being walked */
	struct tree *tree;
	const char *dir;
	int kind; /* -1: what the documents say */
	FILE *err;
	bool failed;
};

/* --- places ------------------------------------------------------------------------------------- */

static void remember(struct tree *t, struct bytes label, struct bytes path, uint32_t before)
{
	struct tree_file *f = arena_must(&t->arena, sizeof(*f));

	f->path = path;
	f->before = before;
	IGNORE(map_put(&t->files, label, f));
	t->n_files++;
}

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

/* --- one object --------------------------------------------------------------------------------- */

static void put_object(struct tree *t, int kind, struct bytes label, struct bytes text)
{
	struct object *o = object_read((enum resource_kind)kind, label, text, &t->findings);

	if (o == NULL) {
		t->snapshot->guard_unread = t->snapshot->guard_unread ||
			(kind == RESOURCE_WASMPLUGIN && wasmplugin_may_guard(label, &text));
		return;
	}
	for (const struct finding *f = o->findings.first; f != NULL; f = f->next) {
		findings_add(&t->findings, f, BYTES_FMT, BYTES_ARG(f->text));
	}
	snapshot_put(t->snapshot, o);
}

/* --- bundles ------------------------------------------------------------------------------------ */

static bool is_separator(struct bytes line)
{
	return bytes_eq(line, BYTES("---")) || bytes_starts(line, BYTES("--- ")) ||
		bytes_eq(line, BYTES("---\r"));
}

static int kind_called(struct bytes name)
{
	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		if (bytes_eq(name, bytes_str(resource_kind_name((enum resource_kind)k)))) {
			return k;
		}
	}
	return -1;
}

static void note(struct tree *t, struct bytes path, enum finding_level level, uint32_t line,
	const char *code, const char *text)
{
	struct finding at = {.level = level, .file = path, .line = line, .column = 1, .code = code};

	findings_add(&t->findings, &at, "%s", text);
}

/* One document of a bundle; `before` lines stand in front of it. */
static void put_document(struct tree *t, struct bytes path, struct bytes text, uint32_t before)
{
	struct yaml_doc doc;
	struct fault f;
	struct bytes kind, name, label;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	if (yaml_parse(&a, text, &doc, &f) != 0) {
		note(t, path, FINDING_ERROR, before + (uint32_t)f.where, "yaml-syntax", f.text);
	} else if (doc.root != NULL && doc.root->type != YAML_NULL) {
		const struct yaml_node *k = yaml_get(doc.root, "kind");
		const struct yaml_node *n = yaml_get(yaml_get(doc.root, "metadata"), "name");

		kind = k != NULL ? k->text : BYTES("");
		name = n != NULL ? n->text : BYTES("");
		if (kind.n == 0 || name.n == 0) {
			note(t, path, FINDING_WARNING, before + doc.root->line, "kind-missing",
				"the document has no kind and metadata.name, so it is no resource; it "
				"is not read");
		} else if (kind_called(kind) < 0) {
			note(t, path, FINDING_INFO, before + k->line, "kind-unknown",
				"resources of this kind are not used; the document is not read");
		} else {
			label = keep(t, "%s/" BYTES_FMT SUFFIX,
				resource_dir((enum resource_kind)kind_called(kind)),
				BYTES_ARG(name));
			remember(t, label, path, before);
			put_object(t, kind_called(kind), label, text);
		}
	}
	arena_done(&a);
}

static void put_bundle(struct tree *t, struct bytes path, struct bytes text)
{
	struct bytes rest = text;
	const char *beg = text.p;
	uint32_t line = 0;
	uint32_t before = 0;
	size_t n = 0;

	while (rest.p != NULL) {
		struct bytes l = bytes_cut(&rest, '\n');

		if (is_separator(l) && l.p != beg) {
			if (++n == TREE_DOCUMENTS_MAX) {
				note(t, path, FINDING_ERROR, line + 1, "too-large",
					"the file has too many documents; split it");
				return;
			}
			put_document(t, path, bytes_of(beg, (size_t)(l.p - beg)), before);
			beg = l.p;
			before = line;
		}
		line++;
	}
	put_document(t, path, bytes_of(beg, (size_t)(text.p + text.n - beg)), before);
}

/* --- files and directories ---------------------------------------------------------------------- */

/* label: of an object of a known kind, or empty. */
static bool put_file(struct tree *t, const char *path, int kind, struct bytes label, FILE *err)
{
	struct text text;
	struct fault f;
	struct bytes kept = keep(t, "%s", path);
	int rc;

	text_init(&text, RESOURCE_FILE_MAX);
	rc = file_read(path, RESOURCE_FILE_MAX, &text, NULL, &f);
	if (rc != 0) {
		fprintf(err, "sluice: %s: %s\n", path, f.text);
	} else if (kind >= 0) {
		remember(t, label, kept, 0);
		put_object(t, kind, label, text_bytes(&text));
	} else {
		put_bundle(t, kept, text_bytes(&text));
	}
	text_done(&text);
	return rc == 0;
}

static bool on_name(void *arg, const char *name)
{
	struct listing *l = arg;
	struct bytes n = bytes_str(name);
	char path[PATH_MAX_BYTES];
	struct file_stat st;
	struct bytes label = BYTES("");
	int len = snprintf(path, sizeof(path), "%s/%s", l->dir, name);

	if (!bytes_ends(n, BYTES(SUFFIX)) || n.n == sizeof(SUFFIX) - 1) {
		return true;
	}
	if (len < 0 || (size_t)len >= sizeof(path)) {
		fprintf(l->err, "sluice: a path below %s is too long\n", l->dir);
		l->failed = true;
		return false;
	}
	if (file_stat(path, &st) == 0 && st.is_dir) {
		return true;
	}
	if (l->kind >= 0) {
		label = keep(l->tree, "%s/%s", resource_dir((enum resource_kind)l->kind), name);
	}
	l->failed = !put_file(l->tree, path, l->kind, label, l->err) || l->failed;
	return true;
}

static bool put_directory(struct tree *t, const char *dir, int kind, FILE *err)
{
	struct listing l = {.tree = t, .dir = dir, .kind = kind, .err = err};
	struct fault f;

	if (file_list(dir, on_name, &l, &f) != 0) {
		fprintf(err, "sluice: %s: %s\n", dir, f.text);
		return false;
	}
	return !l.failed;
}

static bool is_directory(const char *path)
{
	struct file_stat st;

	return file_stat(path, &st) == 0 && st.is_dir;
}

/* The directories of kinds below it; *any says whether there is one. */
static bool put_root(struct tree *t, const char *root, FILE *err, bool *any)
{
	bool ok = true;

	*any = false;
	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		char path[PATH_MAX_BYTES];
		int n = snprintf(
			path, sizeof(path), "%s/%s", root, resource_dir((enum resource_kind)k));

		if (n > 0 && (size_t)n < sizeof(path) && is_directory(path)) {
			*any = true;
			ok = put_directory(t, path, k, err) && ok;
		}
	}
	return ok;
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

static bool put_path(struct tree *t, const char *path, FILE *err)
{
	struct file_stat st;
	char below[PATH_MAX_BYTES];
	bool any;
	bool ok;
	int n;

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

		return put_file(t, path, kind, label, err);
	}
	ok = put_root(t, path, err, &any);
	if (any) {
		return ok;
	}
	n = snprintf(below, sizeof(below), "%s/resources", path);
	if (n > 0 && (size_t)n < sizeof(below) && is_directory(below)) {
		ok = put_root(t, below, err, &any);
		if (any) {
			return ok;
		}
	}
	return put_directory(t, path, kind_of_parent(path, true), err);
}

bool tree_read(struct tree *t, char *const *paths, size_t n, FILE *err)
{
	static const struct hash_seed seed = {0x74726565, 0x66696c6573};
	bool ok = true;

	*t = (struct tree){.snapshot = snapshot_new()};
	arena_init(&t->arena, ARENA_MAX);
	findings_init(&t->findings, &t->arena);
	map_init(&t->files, &seed);
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
	arena_done(&t->arena);
}
