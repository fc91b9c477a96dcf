/*
 * TLS certificates: Secrets of type kubernetes.io/tls (higress-resources.md §2.10, §3.7). What could not be
 * served is not stored, and neither text is ever shown.
 */
#define _POSIX_C_SOURCE 200809L

#include <time.h>

#include "resource/op_int.h"
#include "wire/base64.h"

static const struct op_shape_row rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"version", OP_SHAPE_TEXT, NULL},
	{"cert", OP_SHAPE_TEXT, NULL},
	{"key", OP_SHAPE_TEXT, NULL},
};
static const struct op_shape shape = {rows, ARRAY_LEN(rows)};

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

static const struct doc *look(struct op *o, struct bytes name)
{
	const struct doc *root = draft_look(&o->draft, RESOURCE_SECRET, name);

	return bytes_eq(text_of(o, root, "type"), BYTES(SECRET_TLS)) ? root : NULL;
}

/* --- save --------------------------------------------------------------------------------------- */

static enum op_rc check_place(
	struct op *o, enum op_mode mode, struct bytes name, const struct doc *body)
{
	if (mode == OP_CREATE) {
		return draft_look(&o->draft, RESOURCE_SECRET, name) == NULL
			? OP_OK
			: op_refuse(o, OP_EXISTS,
				  "the certificate " BYTES_FMT
				  ", or another Secret of that name, exists already",
				  BYTES_ARG(name));
	}
	return look(o, name) != NULL
		? op_check_version(o, RESOURCE_SECRET, name, body)
		: op_refuse(o, OP_MISSING, "there is no certificate " BYTES_FMT, BYTES_ARG(name));
}

/* *out is the caller's to unref; NULL: the stored pair stays. */
static enum op_rc check_pair(
	struct op *o, enum op_mode mode, const struct doc *given, struct certificate **out)
{
	struct bytes cert = text_of(o, given, "cert"), key = text_of(o, given, "key");
	struct fault fault = {0};

	if (cert.n == 0 && key.n == 0 && mode == OP_UPDATE) {
		return OP_OK;
	}
	if (cert.n == 0 || key.n == 0) {
		return op_refuse(o, OP_INVALID, "cert and key must both be given, as PEM texts");
	}
	if (certificate_parse(cert, key, out, &fault) == 0) {
		return OP_OK;
	}
	return op_refuse(o, OP_INVALID, "%s: %s",
		fault.where == CERTIFICATE_IN_KEY ? "key" : "cert", fault.text);
}

/* What the name part of a label can hold. */
static bool is_label(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (!ascii_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.') {
			return false;
		}
	}
	return s.n > 0;
}

static void put_labels(struct op *o, struct doc *root, const struct certificate *c)
{
	struct doc *labels = op_labels(o, root), *next;
	struct bytes *names;
	size_t n = certificate_domains(c, o->arena, &names);

	for (struct doc *l = doc_first(o->arena, labels); l != NULL; l = next) {
		next = l->next;
		if (bytes_starts(l->key, BYTES(LABEL_DOMAIN))) {
			doc_drop_bytes(o->arena, labels, l->key);
		}
	}
	for (size_t i = 0; i < n; i++) {
		struct bytes normal = op_normal_domain(o, names[i]);

		if (is_label(normal)) {
			doc_set_bytes(o->arena, labels,
				op_textf(o, LABEL_DOMAIN BYTES_FMT, BYTES_ARG(normal)),
				doc_str(o->arena, "true"));
		}
	}
}

static void write_pair(
	struct op *o, struct bytes name, const struct doc *given, const struct certificate *c)
{
	struct doc *root = draft_need(&o->draft, RESOURCE_SECRET, name), *data, *strings;

	op_mark(o, root, name);
	put_labels(o, root, c);
	doc_set(o->arena, root, "type", doc_str(o->arena, SECRET_TLS));
	data = doc_need_map(o->arena, root, "data");
	doc_set(o->arena, data, "tls.crt", op_base64(o, text_of(o, given, "cert")));
	doc_set(o->arena, data, "tls.key", op_base64(o, text_of(o, given, "key")));
	/* Written by hand; it would win. */
	strings = doc_get(o->arena, root, "stringData");
	if (strings != NULL) {
		doc_drop(o->arena, strings, "tls.crt");
		doc_drop(o->arena, strings, "tls.key");
	}
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	struct certificate *c = NULL;
	struct doc *given = NULL;
	enum op_rc rc = op_check_name(o, "certificate", name, name);

	rc = rc != OP_OK ? rc : op_shape_take(o, &shape, body, &given);
	rc = rc != OP_OK ? rc : check_place(o, mode, name, body);
	rc = rc != OP_OK ? rc : check_pair(o, mode, given, &c);
	if (rc == OP_OK && c != NULL) {
		write_pair(o, name, given, c);
	}
	certificate_unref(c);
	return rc;
}

/* Other Secrets of that name are no certificates: they stay. */
static enum op_rc remove_certificate(struct op *o, struct bytes name)
{
	if (look(o, name) != NULL) {
		draft_remove(&o->draft, RESOURCE_SECRET, name);
	}
	return OP_OK;
}

/* --- read --------------------------------------------------------------------------------------- */

/* A value of a Secret, decoded; empty when there is none. */
static struct bytes value_of(struct op *o, const struct doc *root, const char *key)
{
	const struct doc *plain = doc_get(o->arena, doc_get(o->arena, root, "stringData"), key);
	struct bytes text = text_of(o, doc_get(o->arena, root, "data"), key);
	char *room;
	ptrdiff_t n;

	if (doc_given(plain)) {
		return doc_text(plain, BYTES(""));
	}
	room = arena_alloc(o->arena, text.n + 1);
	n = room != NULL ? base64_decode(room, text) : -1;
	return n >= 0 ? bytes_of(room, (size_t)n) : BYTES("");
}

static struct doc *show_time(struct op *o, int64_t at_s)
{
	time_t t = (time_t)at_s;
	char text[64];
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
		strftime(text, sizeof(text), "%Y/%m/%d %H:%M:%SZ", &tm) == 0) {
		return doc_null(o->arena);
	}
	return doc_string(o->arena, arena_copy(o->arena, bytes_str(text)));
}

static struct doc *show_domains(struct op *o, const struct certificate *c)
{
	struct doc *out = doc_list(o->arena);
	struct bytes *names;
	size_t n = certificate_domains(c, o->arena, &names);

	for (size_t i = 0; i < n; i++) {
		doc_append(o->arena, out, doc_string(o->arena, names[i]));
	}
	return out;
}

static struct doc *read_certificate(struct op *o, struct bytes name)
{
	struct arena *a = o->arena;
	const struct doc *root = look(o, name);
	struct certificate *c = NULL;
	struct fault fault = {0};
	struct doc *out;
	bool good;

	if (root == NULL) {
		return NULL;
	}
	good = certificate_parse(
		       value_of(o, root, "tls.crt"), value_of(o, root, "tls.key"), &c, &fault) == 0;
	out = doc_map(a);
	doc_set(a, out, "name", doc_string(a, name));
	doc_set(a, out, "version", op_version(o, root));
	doc_set(a, out, "cert", doc_null(a));
	doc_set(a, out, "key", doc_null(a));
	doc_set(a, out, "domains", good ? show_domains(o, c) : doc_null(a));
	doc_set(a, out, "validityStart", good ? show_time(o, c->not_before_s) : doc_null(a));
	doc_set(a, out, "validityEnd", good ? show_time(o, c->not_after_s) : doc_null(a));
	certificate_unref(c);
	return out;
}

static bool is_certificate(struct op *o, struct bytes name)
{
	return look(o, name) != NULL;
}

static struct strings list(struct op *o)
{
	return op_list_kept(o, RESOURCE_SECRET, is_certificate);
}

const struct op_noun op_certificate = {
	"certificate", save, remove_certificate, read_certificate, list};
