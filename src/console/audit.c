#include "console/audit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "console/ep_nouns.h"

/* Names of fields come from outside: so much of each is shown. */
#define FIELD_SHOWN 256u
/* Texts of any kind. */
#define TEXT_SHOWN 8192u
/* Six bytes in JSON for one of a text. */
#define LINE_MAX_BYTES (6u * (AUDIT_FIELDS_MAX * (FIELD_SHOWN + 8u) + 6u * TEXT_SHOWN))
/* Deeper members belong to lists and free-form parts: the name of the member above says enough. */
#define FIELDS_DEPTH 3u

/* --- fields ------------------------------------------------------------------------------------- */

struct fields {
	struct arena *arena;
	struct text *out;
	unsigned n;
};

static void differ(struct fields *f, struct bytes path, const struct doc *x, const struct doc *y,
	unsigned depth);

/* Its beginning, of whole characters. */
static struct bytes cut(struct bytes s, size_t max)
{
	size_t n = MIN(s.n, max);

	while (n != 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80) {
		n--;
	}
	return bytes_of(s.p, n);
}

static void name_field(struct fields *f, struct bytes path)
{
	if (f->n++ < AUDIT_FIELDS_MAX) {
		struct bytes shown = cut(path, FIELD_SHOWN);

		text_addf(f->out, "%s" BYTES_FMT "%s", f->out->n != 0 ? "," : "", BYTES_ARG(shown),
			shown.n < path.n ? "…" : "");
	}
}

static struct bytes below(struct fields *f, struct bytes path, struct bytes key)
{
	struct bytes joined;
	struct text t;

	text_init(&t, path.n + key.n + 2);
	text_addf(&t, BYTES_FMT "%s" BYTES_FMT, BYTES_ARG(path), path.n != 0 ? "." : "",
		BYTES_ARG(key));
	joined = arena_copy(f->arena, text_bytes(&t));
	text_done(&t);
	return joined.p != NULL ? joined : path;
}

static void differ_members(struct fields *f, struct bytes path, const struct doc *x,
	const struct doc *y, unsigned depth)
{
	for (const struct doc *m = doc_first(f->arena, x); m != NULL; m = m->next) {
		differ(f, below(f, path, m->key), m, doc_get_bytes(f->arena, y, m->key), depth);
	}
	for (const struct doc *m = doc_first(f->arena, y); m != NULL; m = m->next) {
		if (doc_get_bytes(f->arena, x, m->key) == NULL) {
			name_field(f, below(f, path, m->key));
		}
	}
}

static void differ(struct fields *f, struct bytes path, const struct doc *x, const struct doc *y,
	unsigned depth)
{
	if (x != NULL && y != NULL && doc_equal(f->arena, x, y)) {
		return;
	}
	if (depth < FIELDS_DEPTH && x != NULL && y != NULL && x->type == DOC_MAP &&
		y->type == DOC_MAP) {
		differ_members(f, path, x, y, depth + 1);
	} else if (doc_given(x) || doc_given(y)) {
		name_field(f, path);
	}
}

void audit_fields(
	struct arena *a, const struct doc *before, const struct doc *after, struct text *out)
{
	struct fields f = {a, out, 0};

	if (before != NULL && after != NULL) {
		differ(&f, BYTES(""), before, after, 0);
	}
	if (f.n > AUDIT_FIELDS_MAX) {
		text_addf(out, ",and %u more", f.n - AUDIT_FIELDS_MAX);
	}
}

/* --- lines -------------------------------------------------------------------------------------- */

static void put(struct json_writer *w, const char *key, struct bytes value)
{
	json_key(w, key);
	json_put_string(w, cut(value, TEXT_SHOWN));
}

static void open_line(const struct act *a, struct json_writer *w, struct text *out)
{
	char when[CLOCK_ISO_LEN];

	clock_format_iso(when, clock_wall_ms());
	json_writer_init(w, out);
	json_open_object(w);
	put(w, "time", bytes_of(when, sizeof(when)));
	put(w, "user", a->user);
	put(w, "peer", a->peer);
}

static void append(const struct act *a, struct text *line)
{
	struct fault f;

	text_add_char(line, '\n');
	ASSERT(!text_full(line)); /* what is in it has bounds */
	if (file_append(a->env->audit_path, text_bytes(line), 0600, AUDIT_FILE_MAX, &f) != 0) {
		log_error("console", "the audit log lacks a line: %s", f.text);
	}
}

static struct doc *read_object(struct act *a, struct op *op, const struct snapshot *s)
{
	struct doc *d;

	op_init(op, s, a->arena);
	a->op = op;
	d = ep_nouns_object(a);
	a->op = NULL;
	return d;
}

void audit_change(struct act *a, const struct commit *c)
{
	struct json_writer w;
	struct text line, fields;
	struct op before, after;
	struct doc *x = read_object(a, &before, c->before);
	struct doc *y = read_object(a, &after, c->snapshot);

	text_init(&line, LINE_MAX_BYTES);
	text_init(&fields, LINE_MAX_BYTES);
	open_line(a, &w, &line);
	put(&w, "what", c->who.what);
	if (a->endpoint->noun != NULL) {
		put(&w, "kind", bytes_str(a->endpoint->noun->label));
		put(&w, "name", ep_nouns_name(a));
		put(&w, "change",
			x == NULL           ? BYTES("created")
				: y == NULL ? BYTES("removed")
					    : BYTES("changed"));
	}
	audit_fields(a->arena, x, y, &fields);
	json_key(&w, "fields");
	json_put_string(&w, text_bytes(&fields));
	put(&w, "backup", bytes_str(c->backup_id));
	json_close_object(&w);
	append(a, &line);
	text_done(&line);
	text_done(&fields);
	op_done(&before);
	op_done(&after);
}

void audit_event(struct act *a, const char *event, bool good)
{
	struct json_writer w;
	struct text line;

	text_init(&line, LINE_MAX_BYTES);
	open_line(a, &w, &line);
	put(&w, "what", bytes_str(event));
	json_key(&w, "done");
	json_put_bool(&w, good);
	json_close_object(&w);
	append(a, &line);
	text_done(&line);
}
