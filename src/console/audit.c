#include "console/audit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "console/ep_nouns.h"

#define LINE_MAX_BYTES 65536u
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

static void name_field(struct fields *f, struct bytes path)
{
	if (f->n++ < AUDIT_FIELDS_MAX) {
		text_addf(f->out, "%s" BYTES_FMT, f->out->n != 0 ? "," : "", BYTES_ARG(path));
	}
}

static struct bytes below(struct fields *f, struct bytes path, struct bytes key)
{
	struct bytes joined;
	struct text t;

	text_init(&t, 4096);
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
	json_put_string(w, value);
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
	const char *path = a->env->audit_path;
	struct file_stat st;
	struct fault f;

	text_add_char(line, '\n');
	if (file_stat(path, &st) == 0 && st.exists && st.size > AUDIT_FILE_MAX) {
		struct text old;

		text_init(&old, 8192);
		text_addf(&old, "%s.1", path);
		if (file_rename(path, text_cstr(&old), &f) != 0) {
			log_error("console", "%s; it goes on growing", f.text);
		}
		text_done(&old);
	}
	if (file_append(path, text_bytes(line), 0600, &f) != 0) {
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
	text_init(&fields, LINE_MAX_BYTES / 2);
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
	put(&w, "fields", text_bytes(&fields));
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
