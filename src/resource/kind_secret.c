/*
 * Secret: values in base64, and certificates made of them once, when the file is read: whoever shares the
 * object shares them. A TLS Secret whose texts are no pair is an invalid file, so that the last good one
 * stays in use (higress-resources.md §2.10). stringData is read as Kubernetes does (§1.8).
 */
#include "resource/schema.h"
#include "wire/base64.h"

/* A Secret that is wrong throughout says so for a while. */
#define NOTES_MAX 20u

static const struct schema_row rows[] = {
	{"metadata", SCHEMA_MAP, .items = &schema_meta},
	{"type", SCHEMA_STRING, .offset = offsetof(struct object, u.secret.type)},
	{"data", SCHEMA_PAIRS, .offset = offsetof(struct object, u.secret.data)},
	{"stringData", SCHEMA_PAIRS, .offset = offsetof(struct object, u.secret.strings)},
};

static const struct schema schema = SCHEMA_OF(rows, "apiVersion kind immutable");

static struct finding note_at(
	const struct object *o, struct place at, enum finding_level level, const char *code)
{
	return (struct finding){.level = level,
		.file = o->file,
		.line = at.line,
		.column = at.column,
		.code = code};
}

/* The decoded text is shorter than what it is made of. */
static bool decode(struct object *o, struct pair *p)
{
	char *room = arena_alloc(&o->arena, p->value.n + 1);
	ptrdiff_t n = room != NULL ? base64_decode(room, p->value) : -1;

	if (n < 0) {
		return false;
	}
	p->value = bytes_of(room, (size_t)n);
	return true;
}

static void decode_all(struct object *o)
{
	struct pairs *data = &o->u.secret.data;
	unsigned notes = 0;

	for (size_t i = 0; i < data->n && notes < NOTES_MAX; i++) {
		struct finding at = note_at(o, data->v[i].at, FINDING_ERROR, "base64-expected");

		if (!decode(o, &data->v[i])) {
			findings_add(&o->findings, &at,
				"`data." BYTES_FMT
				"` is no base64: encode the value (base64 -w0), or put it as it is "
				"below stringData",
				BYTES_ARG(data->v[i].key));
			notes++;
		}
	}
}

/* Those of stringData before those of data: the first one of a name counts. */
static void merge(struct object *o)
{
	const struct pairs *strings = &o->u.secret.strings;
	struct pairs *data = &o->u.secret.data;
	struct pair *all;

	if (strings->n == 0) {
		return;
	}
	all = arena_must(&o->arena, (data->n + strings->n) * sizeof(*all));
	memcpy(all, strings->v, strings->n * sizeof(*all));
	if (data->n != 0) {
		memcpy(all + strings->n, data->v, data->n * sizeof(*all));
	}
	data->v = all;
	data->n += strings->n;
}

/* --- certificates ------------------------------------------------------------------------------- */

static void note_missing(struct object *o, const char *name)
{
	struct finding at = note_at(o, (struct place){1, 1}, FINDING_ERROR, "certificate-missing");

	findings_add(&o->findings, &at,
		"a Secret of type " SECRET_TLS " holds `%s`: add it, or change the type", name);
}

static void read_certificate(struct object *o, bool is_tls)
{
	const struct pair *chain = pairs_find(&o->u.secret.data, BYTES("tls.crt"));
	const struct pair *key = pairs_find(&o->u.secret.data, BYTES("tls.key"));
	struct certificate *certificate;
	struct fault fault = {0};
	struct finding at;

	if (chain == NULL || key == NULL) {
		if (is_tls) {
			note_missing(o, chain == NULL ? "tls.crt" : "tls.key");
		}
		return;
	}
	if (certificate_parse(chain->value, key->value, &certificate, &fault) == 0) {
		o->u.secret.certificate = certificate;
		return;
	}
	at = note_at(o, fault.where == CERTIFICATE_IN_KEY ? key->at : chain->at,
		is_tls ? FINDING_ERROR : FINDING_WARNING, "certificate-invalid");
	findings_add(&o->findings, &at, "`%s` cannot be used: %s",
		fault.where == CERTIFICATE_IN_KEY ? "tls.key" : "tls.crt", fault.text);
}

static void finish(struct object *o)
{
	decode_all(o);
	if (o->findings.errors != 0) {
		return;
	}
	merge(o);
	read_certificate(o, bytes_eq(o->u.secret.type, BYTES(SECRET_TLS)));
}

static void done(struct object *o)
{
	certificate_unref(o->u.secret.certificate);
}

const struct kind kind_secret = {.dir = "secrets",
	.name = "Secret",
	.api_version = "v1",
	.schema = &schema,
	.finish = finish,
	.done = done};
