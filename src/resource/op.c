/*
 * What every operation needs: refusals, names, versions, the marks that the Console puts on objects.
 */
#include <stdio.h>
#include <stdlib.h>

#include "resource/op_int.h"
#include "wire/base64.h"

/* Attack: names of objects are a client's; a sentence quotes several. */
#define WHY_MAX (4u * 1024u)
#define WARNINGS_MAX (64u * 1024u)
/* Linux: NAME_MAX. */
#define FILE_NAME_MAX 255u
#define FILE_TAIL BYTES(".yaml.tmp")
#define OBJECT_NAME_MAX 253u

void op_init(struct op *o, const struct snapshot *base, struct arena *arena)
{
	*o = (struct op){.arena = arena};
	draft_init(&o->draft, base, arena);
	text_init(&o->why, WHY_MAX);
	text_init(&o->warnings, WARNINGS_MAX);
}

void op_done(struct op *o)
{
	text_done(&o->why);
	text_done(&o->warnings);
}

/* --- sentences ---------------------------------------------------------------------------------- */

/* Names from requests may hold anything; a sentence is one line. */
static void one_line(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f) {
			p[i] = '?';
		}
	}
}

enum op_rc op_refuse(struct op *o, enum op_rc rc, const char *fmt, ...)
{
	va_list ap;

	text_clear(&o->why);
	va_start(ap, fmt);
	text_addv(&o->why, fmt, ap);
	va_end(ap);
	one_line(o->why.p, o->why.n);
	return rc;
}

void op_warn(struct op *o, const char *fmt, ...)
{
	size_t from = o->warnings.n;
	va_list ap;

	va_start(ap, fmt);
	text_addv(&o->warnings, fmt, ap);
	va_end(ap);
	one_line(o->warnings.p + from, o->warnings.n - from);
	text_add_char(&o->warnings, '\n');
}

struct bytes op_textf(struct op *o, const char *fmt, ...)
{
	va_list ap, again;
	char *p = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0) {
		p = arena_alloc(o->arena, (size_t)n + 1);
	}
	if (p != NULL) {
		vsnprintf(p, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	return p != NULL ? bytes_of(p, (size_t)n) : BYTES("");
}

struct doc *op_base64(struct op *o, struct bytes text)
{
	char *p = arena_alloc(o->arena, base64_size(text.n));

	return p != NULL ? doc_string(o->arena, bytes_of(p, base64_encode(p, text))) : NULL;
}

/* --- names -------------------------------------------------------------------------------------- */

static bool lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || ascii_digit(c);
}

static bool is_object_name(struct bytes name)
{
	if (name.n == 0 || name.n > OBJECT_NAME_MAX || !lower_or_digit(name.p[0]) ||
		!lower_or_digit(name.p[name.n - 1])) {
		return false;
	}
	for (size_t i = 0; i < name.n; i++) {
		if (!lower_or_digit(name.p[i]) && name.p[i] != '.' && name.p[i] != '-') {
			return false;
		}
	}
	return true;
}

bool op_is_line(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) {
			return false;
		}
	}
	return true;
}

/* The blank at i, and how long it is; 0: there is none. */
static size_t blank_at(struct bytes s, size_t i)
{
	static const char *const blanks[] = {" ", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80",
		"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
	struct bytes rest = bytes_of(s.p + i, s.n - i);

	for (size_t k = 0; k < ARRAY_LEN(blanks); k++) {
		if (bytes_starts(rest, bytes_str(blanks[k]))) {
			return strlen(blanks[k]);
		}
	}
	/* U+2000 to U+200A */
	return bytes_starts(rest, BYTES("\xe2\x80")) && rest.n > 2 &&
			(unsigned char)rest.p[2] <= 0x8a
		? 3
		: 0;
}

bool op_is_word(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (blank_at(s, i) != 0) {
			return false;
		}
	}
	return op_is_line(s);
}

enum op_rc op_check_file_name(struct op *o, const char *what, struct bytes longest)
{
	if (longest.n == 0 || bytes_eq(longest, BYTES(".")) || bytes_eq(longest, BYTES(".."))) {
		return op_refuse(o, OP_INVALID, "the name of the %s cannot name a file", what);
	}
	if (longest.n + FILE_TAIL.n > FILE_NAME_MAX) {
		return op_refuse(o, OP_INVALID,
			"the name of the %s is too long: its files could not be named after it",
			what);
	}
	for (size_t i = 0; i < longest.n; i++) {
		if (longest.p[i] == '/' || (unsigned char)longest.p[i] < 0x20 ||
			longest.p[i] == 0x7f) {
			return op_refuse(o, OP_INVALID,
				"the name of the %s must not hold \"/\" or control characters",
				what);
		}
	}
	return OP_OK;
}

enum op_rc op_check_name(struct op *o, const char *what, struct bytes name, struct bytes longest)
{
	if (!is_object_name(name)) {
		return op_refuse(o, OP_INVALID,
			"the name of the %s must consist of a-z, 0-9, \"-\" and \".\" and begin "
			"and end with a letter or digit",
			what);
	}
	return op_check_file_name(o, what, longest);
}

struct bytes op_normal_domain(struct op *o, struct bytes domain)
{
	if (domain.n == 0 || domain.p[0] != '*') {
		return domain;
	}
	return op_textf(o, "wildcard" BYTES_FMT, (int)domain.n - 1, domain.p + 1);
}

static int name_order(const void *x, const void *y)
{
	return bytes_cmp(*(const struct bytes *)x, *(const struct bytes *)y);
}

void op_sort_names(struct strings *names)
{
	if (names->n > 1) {
		qsort(names->v, names->n, sizeof(*names->v), name_order);
	}
}

struct strings op_list_kept(
	struct op *o, enum resource_kind kind, bool (*keep)(struct op *o, struct bytes name))
{
	struct strings out = {0};
	struct draft_walk w = {0};
	struct bytes name;
	const struct doc *root;
	size_t n = 0;

	while (draft_next(&o->draft, &w, kind, &name, &root)) {
		n++;
	}
	out.v = n > 0 ? arena_alloc(o->arena, n * sizeof(*out.v)) : NULL;
	w = (struct draft_walk){0};
	while (out.v != NULL && draft_next(&o->draft, &w, kind, &name, &root)) {
		if (out.n < n && (keep == NULL || keep(o, name))) {
			out.v[out.n++] = name;
		}
	}
	op_sort_names(&out);
	return out;
}

struct strings op_list_prefixed(struct op *o, enum resource_kind kind, struct bytes prefix)
{
	struct strings out = {0};
	struct draft_walk w = {0};
	struct bytes name;
	const struct doc *root;
	size_t n = 0;

	while (draft_next(&o->draft, &w, kind, &name, &root)) {
		n += bytes_starts(name, prefix);
	}
	out.v = n > 0 ? arena_alloc(o->arena, n * sizeof(*out.v)) : NULL;
	w = (struct draft_walk){0};
	while (out.v != NULL && draft_next(&o->draft, &w, kind, &name, &root)) {
		if (out.n < n && bytes_starts(name, prefix) && op_is_ours(o, root)) {
			out.v[out.n++] = bytes_of(name.p + prefix.n, name.n - prefix.n);
		}
	}
	op_sort_names(&out);
	return out;
}

/* --- versions ----------------------------------------------------------------------------------- */

/* "" when no version is asked for. */
static struct bytes version_of(struct op *o, const struct doc *body)
{
	const struct doc *v = doc_get(o->arena, body, "version");

	if (v == NULL || (v->type != DOC_STRING && v->type != DOC_INT) ||
		(v->type == DOC_INT && v->integer == 0) || bytes_eq(v->text, BYTES("0"))) {
		return BYTES("");
	}
	return v->type == DOC_INT && v->text.n == 0 ? op_textf(o, "%lld", (long long)v->integer)
						    : v->text;
}

bool op_version_given(struct op *o, const struct doc *body)
{
	return version_of(o, body).n > 0;
}

enum op_rc op_check_version(
	struct op *o, enum resource_kind kind, struct bytes name, const struct doc *body)
{
	struct bytes sent = version_of(o, body), stored = draft_version(&o->draft, kind, name);

	if (sent.n == 0 || stored.n == 0 || bytes_eq(sent, stored)) {
		return OP_OK;
	}
	return op_refuse(o, OP_STALE,
		"version " BYTES_FMT " is not the stored one, which is " BYTES_FMT
		": read the object again and apply the change to that",
		BYTES_ARG(sent), BYTES_ARG(stored));
}

struct doc *op_version(struct op *o, const struct doc *root)
{
	const struct doc *v = doc_at(o->arena, root, "metadata.resourceVersion");
	struct bytes text = v != NULL && v->type == DOC_INT ? v->text : doc_text(v, BYTES(""));

	return doc_string(o->arena, text.n > 0 ? text : BYTES("0"));
}

struct bytes op_scalar(const struct doc *d)
{
	if (d == NULL || d->type == DOC_NULL || d->type == DOC_LIST || d->type == DOC_MAP) {
		return BYTES("");
	}
	if (d->type == DOC_BOOL) {
		return d->origin != NULL ? d->origin->text
					 : bytes_str(d->boolean ? "true" : "false");
	}
	return d->text;
}

/* --- marks -------------------------------------------------------------------------------------- */

struct doc *op_labels(struct op *o, struct doc *root)
{
	return doc_need_map(o->arena, doc_need_map(o->arena, root, "metadata"), "labels");
}

struct doc *op_annotations(struct op *o, struct doc *root)
{
	return doc_need_map(o->arena, doc_need_map(o->arena, root, "metadata"), "annotations");
}

void op_mark(struct op *o, struct doc *root, struct bytes name)
{
	doc_set(o->arena, op_labels(o, root), LABEL_DEFINER, doc_str(o->arena, "higress"));
	if (bytes_ends(name, BYTES(".internal"))) {
		doc_set(o->arena, op_labels(o, root), "higress.io/internal",
			doc_str(o->arena, "true"));
		doc_set(o->arena, op_annotations(o, root), "higress.io/comment",
			doc_str(o->arena,
				"PLEASE DO NOT EDIT DIRECTLY. This resource is managed by "
				"Higress."));
	}
}

bool op_is_ours(struct op *o, const struct doc *root)
{
	const struct doc *labels = doc_at(o->arena, root, "metadata.labels");

	return bytes_eq(
		doc_text(doc_get(o->arena, labels, LABEL_DEFINER), BYTES("")), BYTES("higress"));
}

void op_sync_map(struct op *o, struct doc *m, const struct doc *want)
{
	struct doc *v, *next;

	for (v = doc_first(o->arena, m); v != NULL; v = next) {
		next = v->next;
		if (doc_get_bytes(o->arena, want, v->key) == NULL) {
			doc_drop_bytes(o->arena, m, v->key);
		}
	}
	for (v = doc_first(o->arena, want); v != NULL; v = v->next) {
		doc_set_bytes(o->arena, m, v->key, doc_copy(o->arena, v));
	}
}
