#define _GNU_SOURCE
/*
 * Reading one file: name, YAML, kind, then the schema table of the kind. Errors of a file are collected
 * as far as they can be told apart; the object is given up only at the end.
 */
#include "resource/object.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/num.h"
#include "resource/name_index.h"
#include "resource/schema.h"

/* Enough for YAML_NODES_MAX nodes, their text and the lists of the typed struct. */
static_assert(OBJECT_ARENA_MAX >= 256 * (size_t)YAML_NODES_MAX, "a node is below 256 bytes");
/* A file that is wrong throughout says so once per line for a while, not a million times. */
#define FINDINGS_MAX 100u
#define SUFFIX ".yaml"

static const struct kind *const kinds[] = {
	[RESOURCE_CONFIGMAP] = &kind_configmap,
	[RESOURCE_INGRESS] = &kind_ingress,
	[RESOURCE_MCPBRIDGE] = &kind_mcpbridge,
	[RESOURCE_WASMPLUGIN] = &kind_wasmplugin,
	[RESOURCE_SECRET] = &kind_secret,
	[RESOURCE_ENVOYFILTER] = &kind_envoyfilter,
};
static_assert(ARRAY_LEN(kinds) == RESOURCE_KIND_COUNT, "one row per kind");

const char *resource_dir(enum resource_kind kind)
{
	return kinds[kind]->dir;
}

struct bytes resource_file(struct arena *a, enum resource_kind kind, struct bytes name)
{
	struct text t;
	struct bytes file;

	text_init(&t, 1024);
	text_addf(&t, "%s/" BYTES_FMT ".yaml", resource_dir(kind), BYTES_ARG(name));
	file = arena_copy(a, text_bytes(&t));
	text_done(&t);
	return file;
}

const char *resource_kind_name(enum resource_kind kind)
{
	return kinds[kind]->name;
}

int resource_kind_of_dir(struct bytes dir)
{
	for (int i = 0; i < RESOURCE_KIND_COUNT; i++) {
		if (bytes_eq(dir, bytes_str(kinds[i]->dir))) {
			return i;
		}
	}
	return -1;
}

const struct pair *pairs_find(const struct pairs *p, struct bytes key)
{
	for (size_t i = 0; i < p->n; i++) {
		if (bytes_eq(p->v[i].key, key)) {
			return &p->v[i];
		}
	}
	return NULL;
}

struct bytes pairs_get(const struct pairs *p, const char *key)
{
	const struct pair *found = pairs_find(p, bytes_str(key));

	return found != NULL ? found->value : BYTES("");
}

static void note_file(
	struct object *o, enum finding_level level, const char *code, const char *text)
{
	struct finding at = {.level = level, .file = o->file, .line = 1, .column = 1, .code = code};

	findings_add(&o->findings, &at, "%s", text);
}

/* The name is the file's, with exactly this suffix (higress-resources.md §1.2). */
static bool take_name(struct object *o)
{
	struct bytes base = o->file;

	for (struct bytes rest = o->file; rest.p != NULL;) {
		base = bytes_cut(&rest, '/');
	}
	if (!bytes_ends(base, BYTES(SUFFIX)) || memchr(base.p, '\0', base.n) != NULL) {
		note_file(o, FINDING_ERROR, "file-name",
			"only files named <name>" SUFFIX " are resources: rename it");
		return false;
	}
	o->meta.name = bytes_of(base.p, base.n - (sizeof(SUFFIX) - 1));
	if (o->meta.name.n == 0 || bytes_eq(o->meta.name, BYTES(".")) ||
		bytes_eq(o->meta.name, BYTES(".."))) {
		note_file(
			o, FINDING_ERROR, "file-name", "the file's name leaves no name: rename it");
		return false;
	}
	return true;
}

/* "…, column 7": yaml_parse's contract. */
static uint32_t column_of(const struct fault *fault, struct bytes *what)
{
	struct bytes text = bytes_str(fault->text);
	size_t digits = text.n;
	uint64_t column = 1;

	while (digits > 0 && ascii_digit(text.p[digits - 1])) {
		digits--;
	}
	if (!num_parse_u64(bytes_of(text.p + digits, text.n - digits), UINT32_MAX, &column)) {
		column = 1;
	}
	*what = text;
	for (size_t i = 0; i < text.n; i++) {
		if (bytes_starts(bytes_of(text.p + i, text.n - i), BYTES(", column "))) {
			what->n = i;
		}
	}
	return (uint32_t)column;
}

/* What people do most often when libyaml says this. */
static const char *advice(struct bytes what)
{
	static const struct {
		const char *says, *then;
	} rows[] = {
		{"found character that cannot start any token",
			"quote the value, and indent with blanks instead of tabs"},
		{"mapping values are not allowed in this context",
			"quote a value that holds a colon, and check the indentation"},
		{"could not find expected ':'", "put a colon and a blank behind the key"},
		{"did not find expected key", "check the indentation and the quotes before it"},
		{"did not find expected '-' indicator", "check the indentation of the list"},
		{"found unexpected end of stream", "close the quotes or brackets before it"},
		{"invalid leading UTF-8 octet", "save the file as UTF-8"},
		{"found a tab character that violates indentation", "indent with blanks"},
		{"control characters are not allowed", "remove them; the file must be UTF-8 text"},
		{"the alias names no anchor before it",
			"define the anchor, or quote a leading '*'"},
		{"text follows the end of the document",
			"remove it, or begin a new document with ---"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (bytes_eq(what, bytes_str(rows[i].says))) {
			return rows[i].then;
		}
	}
	return "correct the file";
}

void object_note_fault(struct findings *f, struct bytes file, int rc, const struct fault *fault)
{
	struct bytes what;
	struct finding at = {.level = FINDING_ERROR, .file = file, .line = (uint32_t)fault->where};

	at.column = column_of(fault, &what);
	at.code = rc == ERR_LIMIT ? "too-large" : "yaml-syntax";
	findings_add(f, &at,
		rc == ERR_LIMIT ? BYTES_FMT ": make the file smaller or simpler"
				: "not valid YAML, " BYTES_FMT ": %s",
		BYTES_ARG(what), advice(what));
}

static void note_document(struct object *o, const struct yaml_doc *doc)
{
	struct finding at = {.level = FINDING_WARNING, .file = o->file};

	if (doc->more) {
		at.code = "several-documents";
		at.line = doc->more_line;
		at.column = 1;
		findings_add(&o->findings, &at,
			"only the first document of a file is read: move this one to a file of its own");
	}
	if (doc->duplicate != NULL) {
		at.code = "duplicate-key";
		at.line = doc->duplicate->line;
		at.column = doc->duplicate->column;
		findings_add(&o->findings, &at,
			"the key stands twice in its mapping and the last value counts: remove the other");
	}
}

static bool parse(struct object *o, struct bytes text, struct yaml_doc *doc)
{
	struct fault fault = {0};
	int rc;

	if (text.n > RESOURCE_FILE_MAX) {
		note_file(o, FINDING_ERROR, "too-large", "the file is above 64 MiB: split it");
		return false;
	}
	rc = yaml_parse(&o->arena, text, doc, &fault);
	if (rc != 0) {
		object_note_fault(&o->findings, o->file, rc, &fault);
	}
	return rc == 0;
}

static bool take_tree(struct object *o, const struct yaml_doc *doc)
{
	static const struct yaml_node nothing = {.type = YAML_MAP, .line = 1, .column = 1};

	note_document(o, doc);
	o->root = doc->root;
	if (o->root == NULL || o->root->type == YAML_NULL) {
		o->root = &nothing;
		if (kinds[o->kind]->flat == NULL) {
			note_file(o, FINDING_ERROR, "empty-file",
				"the file holds no resource: fill it or remove it");
			return false;
		}
	}
	if (o->root->type != YAML_MAP) {
		note_file(o, FINDING_ERROR, "wrong-type",
			"a resource is a mapping with apiVersion, kind and metadata: correct the file");
		return false;
	}
	return true;
}

static bool is_given(const struct yaml_node *n)
{
	return n != NULL && n->type != YAML_NULL;
}

static bool check_kind(struct schema_reader *r, const struct object *o)
{
	static const struct finding wrong = {.level = FINDING_ERROR, .code = "wrong-kind"};
	static const struct finding api = {.level = FINDING_WARNING, .code = "api-version"};
	const struct kind *kind = kinds[o->kind];
	const struct yaml_node *name = yaml_get(o->root, "kind");
	const struct yaml_node *version = yaml_get(o->root, "apiVersion");

	if (is_given(name) && !bytes_eq(name->text, bytes_str(kind->name))) {
		schema_note(r, &wrong, name,
			"the files of %s/ are of kind %s: move this one to the directory of its kind",
			kind->dir, kind->name);
		return false;
	}
	if (is_given(version) && !bytes_eq(version->text, bytes_str(kind->api_version))) {
		schema_note(r, &api, version,
			"objects of kind %s have the apiVersion %s: write that", kind->name,
			kind->api_version);
	}
	return true;
}

/* A store that holds flat Ingresses tells them by what is missing; one with a spec only forgot it. */
static const struct schema *form_of(struct schema_reader *r, const struct object *o)
{
	static const struct finding filled = {.level = FINDING_INFO, .code = "kind-missing"};
	static const struct finding half = {.level = FINDING_WARNING, .code = "kind-missing"};
	const struct kind *kind = kinds[o->kind];

	if (is_given(yaml_get(o->root, "kind")) && is_given(yaml_get(o->root, "apiVersion"))) {
		return kind->schema;
	}
	if (kind->flat == NULL) {
		schema_note(r, &filled, o->root,
			"apiVersion or kind is missing: it is taken as %s %s of its directory",
			kind->api_version, kind->name);
		return kind->schema;
	}
	if (!is_given(yaml_get(o->root, "spec"))) {
		return kind->flat;
	}
	schema_note(r, &half, o->root,
		"apiVersion or kind is missing, Higress would read this file as one without rules: add "
		"`apiVersion: %s` and `kind: %s`",
		kind->api_version, kind->name);
	return kind->schema;
}

/* doc NULL: text is parsed. */
static void read_into(struct object *o, struct bytes text, const struct yaml_doc *doc)
{
	struct yaml_doc parsed;
	struct schema_reader r = {.arena = &o->arena,
		.findings = &o->findings,
		.left = FINDINGS_MAX,
		.errors_left = FINDINGS_MAX};

	if (!take_name(o) || (doc == NULL && !parse(o, text, &parsed)) ||
		!take_tree(o, doc != NULL ? doc : &parsed)) {
		return;
	}
	r.file = o->file;
	if (!check_kind(&r, o)) {
		return;
	}
	schema_read(&r, form_of(&r, o), o->root, o);
	if (kinds[o->kind]->finish != NULL) {
		kinds[o->kind]->finish(o);
	}
}

/* rest may be NULL. */
static void hash_into(uint64_t out[2], uint64_t rest[2], struct bytes text)
{
	unsigned char digest[DIGEST_SHA256_SIZE];

	digest_sha256(digest, text);
	memcpy(out, digest, 2 * sizeof(*out));
	if (rest != NULL) {
		memcpy(rest, digest + 2 * sizeof(*out), 2 * sizeof(*rest));
	}
}

/* A change of a rule leaves the default configuration as it is, which may be 100,000 consumers. */
static void hash_config(struct object *o, struct bytes text)
{
	const struct yaml_node *config = o->u.wasmplugin.config;

	if (config != NULL && config->beg < config->end && config->end <= text.n &&
		memchr(text.p, '&', config->end) == NULL &&
		memmem(text.p, config->beg, "%TAG", 4) == NULL) {
		hash_into(o->u.wasmplugin.config_hash, NULL,
			bytes_of(text.p + config->beg, config->end - config->beg));
	}
}

static void hash_file(struct object *o, struct bytes text)
{
	o->size = text.n;
	hash_into(o->hash, o->hash_rest, text);
	if (o->kind == RESOURCE_WASMPLUGIN) {
		hash_config(o, text);
	}
}

/* Frees it when it is invalid. */
static struct object *finish_read(struct object *o, struct bytes text, struct findings *why)
{
	if (o->findings.errors == 0) {
		hash_file(o, text);
		return o;
	}
	for (const struct finding *f = o->findings.first; f != NULL; f = f->next) {
		findings_add(why, f, BYTES_FMT, BYTES_ARG(f->text));
	}
	object_unref(o);
	return NULL;
}

static struct object *new_object(enum resource_kind kind)
{
	struct object *o = must_alloc(sizeof(*o));

	o->kind = kind;
	atomic_init(&o->refs, 1);
	atomic_init(&o->names, NULL);
	atomic_init(&o->found, NULL);
	return o;
}

struct object *object_read(
	enum resource_kind kind, struct bytes file, struct bytes text, struct findings *why)
{
	struct object *o = new_object(kind);

	arena_init(&o->arena, OBJECT_ARENA_MAX);
	findings_init(&o->findings, &o->arena);
	o->file = arena_copy(&o->arena, file);
	read_into(o, text, NULL);
	return finish_read(o, text, why);
}

struct object *object_take(enum resource_kind kind, struct bytes file, struct bytes text,
	struct object_text *read, struct findings *why)
{
	struct object *o = new_object(kind);

	o->arena = *read->arena;
	*read->arena = (struct arena){0};
	findings_init(&o->findings, &o->arena);
	o->file = arena_copy(&o->arena, file);
	read_into(o, text, &read->doc);
	return finish_read(o, text, why);
}

struct object *object_ref(struct object *o)
{
	atomic_fetch_add(&o->refs, 1);
	return o;
}

void object_unref(struct object *o)
{
	unsigned before;

	if (o == NULL) {
		return;
	}
	before = atomic_fetch_sub(&o->refs, 1);
	ASSERT(before > 0);
	if (before == 1) {
		if (kinds[o->kind]->done != NULL) {
			kinds[o->kind]->done(o);
		}
		name_index_free(atomic_load(&o->names));
		arena_done(&o->arena);
		free(o);
	}
}
