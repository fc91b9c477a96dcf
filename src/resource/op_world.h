/*
 * For tests only: steps of management on a directory in memory. A step is a line of text,
 *
 *     create|update|remove NOUN NAME [JSON]     an operation; what it did is kept when it succeeded
 *     file DIRECTORY/NAME YAML…                 an object that a person wrote (the rest of the step)
 *
 * and an expectation another,
 *
 *     DIRECTORY/NAME PATH JSON                  keys and list indexes joined by "|"; "-" for none
 *     read NOUN NAME PATH JSON
 *     list NOUN JSON
 */
#ifndef RESOURCE_OP_WORLD_H
#define RESOURCE_OP_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "resource/op_int.h"
#include "wire/json.h"
#include "wire/yaml_write.h"

#define OP_WORLD_NOW 1767225600 /* 2026-01-01 */

struct op_world {
	struct snapshot *snapshot;
	struct arena arena;
	struct op op; /* of the last step */
};

static inline void op_world_init(struct op_world *w)
{
	arena_init(&w->arena, (size_t)1 << 34);
	w->snapshot = snapshot_new();
	op_init(&w->op, w->snapshot, &w->arena);
}

static inline void op_world_done(struct op_world *w)
{
	op_done(&w->op);
	snapshot_unref(w->snapshot);
	arena_done(&w->arena);
}

/* --- plugin instances as a noun whose names are SCOPE/TARGET/PLUGIN ----------------------------------- */

static inline struct bytes op_world_instance(
	struct bytes name, enum op_scope *scope, struct bytes *target)
{
	static const char *const words[] = {"GLOBAL", "DOMAIN", "ROUTE", "SERVICE"};
	struct bytes word = bytes_cut(&name, '/');

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (bytes_eq(word, bytes_str(words[i]))) {
			*scope = (enum op_scope)i;
			*target = bytes_cut(&name, '/');
			return name;
		}
	}
	fprintf(stderr, "    no scope %.*s\n", (int)word.n, word.p);
	abort();
}

static inline enum op_rc op_world_instance_save(
	struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	enum op_scope scope;
	struct bytes target, plugin = op_world_instance(name, &scope, &target);

	(void)mode;
	return op_instance_save(o, scope, target, plugin, body);
}

static inline enum op_rc op_world_instance_remove(struct op *o, struct bytes name)
{
	enum op_scope scope;
	struct bytes target, plugin = op_world_instance(name, &scope, &target);

	return op_instance_remove(o, scope, target, plugin);
}

/* Without a plugin: the list. */
static inline struct doc *op_world_instance_read(struct op *o, struct bytes name)
{
	enum op_scope scope;
	struct bytes target, plugin = op_world_instance(name, &scope, &target);
	struct doc *out = NULL;
	enum op_rc rc = plugin.n > 0 ? op_instance_read(o, scope, target, plugin, &out)
				     : op_instance_list(o, scope, target, &out);

	ASSERT(rc == OP_OK || out == NULL);
	return out;
}

static inline const struct op_noun *op_world_noun(struct bytes name)
{
	static const struct op_noun instance = {"instance", op_world_instance_save,
		op_world_instance_remove, op_world_instance_read, NULL};
	static const struct op_noun *const nouns[] = {&instance, &op_domain, &op_provider,
		&op_consumer, &op_ai_route, &op_route, &op_source, &op_certificate,
		&op_proxy_server, &op_mcp_server, &op_wasm_plugin, &op_instance, &op_settings};

	for (size_t i = 0; i < ARRAY_LEN(nouns); i++) {
		if (bytes_eq(bytes_str(nouns[i]->noun), name)) {
			return nouns[i];
		}
	}
	fprintf(stderr, "    no noun %.*s\n", (int)name.n, name.p);
	abort();
}

/* Reads a file into the snapshot, as a start of the program would. */
static inline void op_world_file(
	struct op_world *w, enum resource_kind kind, struct bytes name, struct bytes yaml)
{
	struct bytes file =
		op_textf(&w->op, "%s/" BYTES_FMT ".yaml", resource_dir(kind), BYTES_ARG(name));
	struct findings why;
	struct object *o;

	findings_init(&why, &w->arena);
	o = object_read(kind, file, yaml, &why);
	if (o == NULL) {
		findings_print(&why, stderr);
		fprintf(stderr, "    %.*s:\n%.*s\n", (int)file.n, file.p, (int)yaml.n, yaml.p);
		abort();
	}
	snapshot_put(w->snapshot, o);
}

/* All objects but this one. Those that are left out live as long as the snapshot before. */
static inline struct snapshot *op_world_without(
	const struct snapshot *from, enum resource_kind kind, struct bytes name)
{
	struct snapshot *left = snapshot_new();

	for (size_t i = 0; i < from->n; i++) {
		struct object *o = from->objects[i];

		if (o->kind != kind || !bytes_eq(o->meta.name, name)) {
			snapshot_put(left, object_ref(o));
		}
	}
	return left;
}

/* What the store does with a change set, in memory. Documents point into the objects of the snapshot they
 * were made of: that one goes last. */
static inline void op_world_commit(struct op_world *w)
{
	struct snapshot *before = snapshot_ref(w->snapshot), *next;
	struct text t;

	ASSERT(draft_finish(&w->op.draft, OP_WORLD_NOW, false) == 0);
	for (struct change *c = w->op.draft.first; c != NULL; c = c->next) {
		struct bytes name = arena_copy(&w->arena, c->name);

		next = op_world_without(w->snapshot, c->kind, name);
		snapshot_unref(w->snapshot);
		w->snapshot = next;
		if (c->root != NULL) {
			text_init(&t, RESOURCE_FILE_MAX);
			yaml_write(&w->arena, &t, c->root);
			op_world_file(w, c->kind, name, text_bytes(&t));
			text_done(&t);
		}
	}
	op_done(&w->op);
	op_init(&w->op, w->snapshot, &w->arena);
	snapshot_unref(before);
}

static inline struct doc *op_world_json(struct op_world *w, struct bytes json)
{
	struct fault fault;
	const struct json_value *v = json_parse(&w->arena, json, &fault);

	if (v == NULL) {
		fprintf(stderr, "    not JSON (%s): %.*s\n", fault.text, (int)json.n, json.p);
		abort();
	}
	return doc_of_json(&w->arena, v);
}

static inline enum op_rc op_world_step(struct op_world *w, struct bytes step)
{
	struct bytes verb = bytes_cut(&step, ' '), noun, name;
	const struct op_noun *n;
	enum op_rc rc;

	if (bytes_eq(verb, BYTES("file"))) {
		noun = bytes_cut(&step, '/');
		name = bytes_cut(&step, ' ');
		op_world_file(w, (enum resource_kind)resource_kind_of_dir(noun), name, step);
		return OP_OK;
	}
	noun = bytes_cut(&step, ' ');
	name = bytes_cut(&step, ' ');
	n = op_world_noun(noun);
	op_done(&w->op);
	op_init(&w->op, w->snapshot, &w->arena);
	if (bytes_eq(verb, BYTES("remove"))) {
		rc = n->remove(&w->op, name);
	} else {
		rc = n->save(&w->op, bytes_eq(verb, BYTES("create")) ? OP_CREATE : OP_UPDATE, name,
			op_world_json(w, step));
	}
	if (rc == OP_OK) {
		/* Nothing was refused, so nothing says why. */
		ASSERT(w->op.why.n == 0);
	} else {
		/* Everything is checked before anything is touched. */
		for (const struct change *c = w->op.draft.first; c != NULL; c = c->next) {
			ASSERT(!c->touched);
		}
		ASSERT(w->op.why.n > 0);
	}
	return rc;
}

/* One step, kept when it succeeds. */
static inline enum op_rc op_world_do(struct op_world *w, struct bytes step)
{
	enum op_rc rc = op_world_step(w, step);

	if (rc == OP_OK) {
		op_world_commit(w);
	}
	return rc;
}

/* A save or remove with arenas of all sizes below what it needs: nothing breaks, and a draft that lacks
 * something is never finished. Returns how many were too small. */
static inline size_t op_world_starve(struct op_world *w, struct bytes step)
{
	struct bytes verb = bytes_cut(&step, ' ');
	const struct op_noun *noun = op_world_noun(bytes_cut(&step, ' '));
	struct bytes name = bytes_cut(&step, ' ');
	size_t refused = 0;
	bool done = false;

	for (size_t max = 256; !done; max += 700) {
		struct arena small;
		enum op_rc rc;
		struct op op;

		arena_init(&small, max);
		op_init(&op, w->snapshot, &small);
		rc = bytes_eq(verb, BYTES("remove"))
			? noun->remove(&op, name)
			: noun->save(&op, bytes_eq(verb, BYTES("create")) ? OP_CREATE : OP_UPDATE,
				  name, op_world_json(w, step));
		done = rc == OP_OK && draft_finish(&op.draft, OP_WORLD_NOW, false) == 0;
		ASSERT(done != arena_full(&small));
		refused += !done;
		noun->read(&op, name);
		op_done(&op);
		arena_done(&small);
	}
	return refused;
}

/* Steps are separated by a line "--". */
static inline struct bytes op_world_next(struct bytes *rest)
{
	static const struct bytes sep = {"\n--\n", 4};
	struct bytes all = *rest;

	for (size_t i = 0; i + sep.n <= all.n; i++) {
		if (memcmp(all.p + i, sep.p, sep.n) == 0) {
			*rest = bytes_of(all.p + i + sep.n, all.n - i - sep.n);
			return bytes_of(all.p, i);
		}
	}
	*rest = BYTES("");
	return all;
}

/* --- expectations ------------------------------------------------------------------------------- */

static inline const struct doc *op_world_walk(
	struct op_world *w, const struct doc *d, struct bytes path)
{
	while (d != NULL && path.p != NULL && path.n > 0) {
		struct bytes key = bytes_cut(&path, '|');
		uint64_t index;

		if (d->type == DOC_LIST) {
			ASSERT(num_parse_u64(key, 1000, &index));
			d = doc_first(&w->arena, d);
			while (d != NULL && index-- > 0) {
				d = d->next;
			}
		} else {
			d = doc_get_bytes(&w->arena, d, key);
		}
	}
	return d;
}

static inline struct bytes op_world_text(struct op_world *w, const struct doc *d)
{
	struct json_writer writer;
	struct bytes out;
	struct text t;

	if (d == NULL) {
		return BYTES("-");
	}
	text_init(&t, RESOURCE_FILE_MAX);
	json_writer_init(&writer, &t);
	doc_put_json(&w->arena, &writer, d);
	out = arena_copy(&w->arena, text_bytes(&t));
	text_done(&t);
	return out;
}

static inline struct bytes op_world_list(struct op_world *w, struct bytes noun)
{
	struct strings names = op_world_noun(noun)->list(&w->op);
	struct doc *out = doc_list(&w->arena);

	for (size_t i = 0; i < names.n; i++) {
		doc_append(&w->arena, out, doc_string(&w->arena, names.v[i]));
	}
	return op_world_text(w, out);
}

/* False: it does not hold; what is there instead was printed. */
static inline bool op_world_holds(struct op_world *w, const char *id, struct bytes line)
{
	struct bytes rest = line, what = bytes_cut(&rest, ' '), path, have;
	const struct doc *d;

	if (bytes_eq(what, BYTES("list"))) {
		have = op_world_list(w, bytes_cut(&rest, ' '));
	} else if (bytes_eq(what, BYTES("read"))) {
		const struct op_noun *noun = op_world_noun(bytes_cut(&rest, ' '));

		d = noun->read(&w->op, bytes_cut(&rest, ' '));
		path = bytes_cut(&rest, ' ');
		have = op_world_text(w, bytes_eq(path, BYTES(".")) ? d : op_world_walk(w, d, path));
	} else {
		int kind = resource_kind_of_dir(bytes_cut(&what, '/'));

		ASSERT(kind >= 0);
		d = draft_look(&w->op.draft, (enum resource_kind)kind, what);
		path = bytes_cut(&rest, ' ');
		have = op_world_text(w, bytes_eq(path, BYTES(".")) ? d : op_world_walk(w, d, path));
	}
	if (!bytes_eq(have, rest)) {
		fprintf(stderr, "    %s: %.*s\n    have %.*s\n", id, (int)line.n, line.p,
			(int)have.n, have.p);
	}
	return bytes_eq(have, rest);
}

/* --- rows ------------------------------------------------------------------------------------------ */

struct op_row {
	const char *id;
	const char *before; /* steps that succeed, a line "--" between; NULL: none */
	const char *step;
	enum op_rc rc;
	const char *want; /* lines; after a refusal too: what is there still */
	const char *reason;
};

static inline bool op_world_row(const struct op_row *r)
{
	struct bytes rest = bytes_str(r->before != NULL ? r->before : ""), line;
	struct op_world w;
	enum op_rc rc;
	bool good;

	op_world_init(&w);
	while (rest.n > 0) {
		line = op_world_next(&rest);
		rc = op_world_do(&w, line);
		if (rc != OP_OK) {
			fprintf(stderr, "    %s: before: %.*s: %s\n", r->id, (int)line.n, line.p,
				text_cstr(&w.op.why));
			abort();
		}
	}
	rc = op_world_do(&w, bytes_str(r->step));
	good = rc == r->rc;
	if (!good) {
		fprintf(stderr, "    %s: rc %d, not %d: %s\n", r->id, (int)rc, (int)r->rc,
			text_cstr(&w.op.why));
	}
	if (rc != OP_OK) {
		op_done(&w.op);
		op_init(&w.op, w.snapshot, &w.arena);
	}
	rest = bytes_str(r->want != NULL ? r->want : "");
	while (rest.n > 0) {
		line = bytes_cut(&rest, '\n');
		good &= op_world_holds(&w, r->id, line);
	}
	if (!good) {
		fprintf(stderr, "    (%s)\n", r->reason);
	}
	op_world_done(&w);
	return good;
}

static inline bool op_world_rows(const struct op_row *rows, size_t n)
{
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		good &= op_world_row(&rows[i]);
	}
	return good;
}

#endif
