#define _GNU_SOURCE /* asprintf */
#include "hiclaw/agent_place.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "hiclaw/aside.h"
#include "hiclaw/claw_file.h"

#define RECORD_MODE 0644u /* an agent's own programs read it; it holds no secret */
#define STAMP_N 15u       /* YYYYmmdd_HHMMSS */

/* --- what is to be done ----------------------------------------------------------------------------- */

static const struct json_value *entry_of(const struct json_value *root, struct bytes model)
{
	const struct json_value *list = json_get(json_get(root, "models"), "providers");

	list = json_get(json_get(list, OPENCLAW_PROVIDER), "models");
	list = list != NULL && list->type == JSON_ARRAY ? list->items : NULL;
	while (list != NULL && !bytes_eq(json_text(json_get(list, "id"), BYTES("")), model)) {
		list = list->next;
	}
	return list;
}

/* What was resolved when it was assigned is no wish: an entry may go without. */
static void leave_out(struct arena *a, struct bytes text, struct openclaw_wish *w)
{
	const struct json_value *entry = entry_of(json5_parse(a, text, NULL), w->model);
	struct model_traits *given = &w->sources.given, t = model_traits_of(entry);

	if (entry == NULL) {
		return;
	}
	given->context_window = t.context_window != 0 ? given->context_window : 0;
	given->max_tokens = t.max_tokens != 0 ? given->max_tokens : 0;
	given->reasoning = t.reasoning != MODEL_UNKNOWN ? given->reasoning : MODEL_UNKNOWN;
	given->input = t.input != 0 ? given->input : 0;
}

static enum config_code edit_openclaw(const struct agent_place_wish *wish, struct arena *a,
	struct bytes before, struct config_text *out, struct fault *fault)
{
	struct openclaw_wish w = wish->openclaw;
	struct openclaw_switch s;
	enum config_code code;

	if (wish->again) {
		leave_out(a, before, &w);
	}
	code = openclaw_switch(a, before, &w, &s, fault);

	if (code == CONFIG_OK) {
		*out = s.config;
	}
	return code;
}

static enum config_code edit_record(const struct agent_place_wish *wish, struct arena *a,
	struct bytes before, struct config_text *out)
{
	struct record there = {0}, r = wish->record;
	struct text t;

	if (before.p != NULL && record_read(a, before, &there, NULL) == 0) {
		if (record_same(&there, &r) && there.updated_us == r.updated_us) {
			*out = (struct config_text){.text = before};
			return CONFIG_OK;
		}
		r.root = there.root;
		r.text = there.text;
	}
	text_init(&t, 2 * RECORD_TEXT_MAX);
	record_write(&r, &t);
	*out = (struct config_text){.text = arena_copy(a, text_bytes(&t)), .changed = true};
	text_done(&t);
	return CONFIG_OK;
}

enum config_code agent_place_edit(enum agent_place_kind kind, const struct agent_place_wish *wish,
	struct arena *a, struct bytes before, struct config_text *out, struct fault *fault)
{
	if (kind == AGENT_PLACE_RECORD) {
		return edit_record(wish, a, before, out);
	}
	if (before.p == NULL) { /* a configuration is made by HiClaw alone */
		*out = (struct config_text){.text = before};
		return CONFIG_OK;
	}
	if (kind == AGENT_PLACE_COPAW_PROVIDERS) {
		return copaw_switch_providers(a, before, wish->openclaw.model, out, fault);
	}
	if (kind == AGENT_PLACE_COPAW_CONFIG) {
		return copaw_switch_config(a, before, wish->context_window, out, fault);
	}
	return edit_openclaw(wish, a, before, out, fault);
}

/* What the place says now. */
static void look_at_config(struct agent_place *p, struct arena *a, struct bytes text)
{
	struct openclaw_view v;

	if (openclaw_read(a, text, &v, NULL) == 0) {
		p->configured = arena_copy(a, v.model.p != NULL ? v.model : v.primary);
		p->traits = v.has_entry ? v.traits : (struct model_traits){0};
		p->overrider = v.overrider;
	}
}

static void look_at_record(struct agent_place *p, struct arena *a, struct bytes text)
{
	p->corrupt = record_read(a, text, &p->record, NULL) != 0;
}

static void resolve(struct arena *a, struct bytes text, const struct agent_place_wish *wish,
	struct model_traits *out)
{
	struct openclaw_switch s;

	if (openclaw_switch(a, text, &wish->openclaw, &s, NULL) == CONFIG_OK) {
		*out = s.traits;
	}
}

void agent_place_plan(struct agent_place *p, const struct agent_place_wish *wish, struct arena *a,
	struct model_traits *resolved)
{
	struct bytes text = p->exists ? text_bytes(&p->content) : bytes_of(NULL, 0);
	struct config_text edited;
	struct arena room;

	if (!p->looked) {
		return;
	}
	if (p->exists && text.p == NULL) {
		text = BYTES("");
	}
	if (p->exists && p->kind == AGENT_PLACE_RECORD) {
		look_at_record(p, a, text);
	} else if (p->exists &&
		(p->kind == AGENT_PLACE_OPENCLAW || p->kind == AGENT_PLACE_MIRROR)) {
		look_at_config(p, a, text);
	}
	arena_init(&room, CONFIG_ARENA_MAX);
	if (resolved != NULL && p->exists && p->kind == AGENT_PLACE_OPENCLAW) {
		resolve(&room, text, wish, resolved);
	}
	p->code = agent_place_edit(p->kind, wish, &room, text, &edited, &p->why);
	p->changes = p->code == CONFIG_OK && edited.changed;
	arena_done(&room);
}

/* --- files ------------------------------------------------------------------------------------------ */

struct change { /* of one file, by claw_file */
	struct claw_file file;
	struct agent_place *place;
	const struct agent_place_wish *wish;
	struct bytes content; /* instead of an edit; p NULL: none */
	struct bytes only;    /* the text that may be replaced; p NULL: any */
};

static void keep(struct text *t, struct bytes b)
{
	text_done(t);
	text_init(t, JSON5_TEXT_MAX * 2);
	text_add_bytes(t, b);
}

static enum config_code edit_file(struct claw_file *f, struct arena *a, struct bytes text,
	struct config_text *out, struct fault *fault)
{
	struct change *c = CONTAINER_OF(f, struct change, file);
	enum config_code code = CONFIG_OK;

	if (c->only.p != NULL && !bytes_eq(c->only, text)) {
		fault_set(fault, ERR_AGAIN, 0, 0, "%.100s was changed by others since", f->path);
		return CONFIG_BUSY;
	}
	if (c->content.p != NULL) {
		*out = (struct config_text){c->content, !bytes_eq(c->content, text), NULL, 0};
	} else {
		code = agent_place_edit(c->place->kind, c->wish, a, text, out, fault);
	}
	if (code == CONFIG_OK && out->changed) {
		keep(&c->place->after, out->text);
	}
	return code;
}

static int keep_before(struct claw_file *f, struct bytes before, struct fault *fault)
{
	struct change *c = CONTAINER_OF(f, struct change, file);

	(void)fault;
	if (c->only.p == NULL) {
		keep(&c->place->before, before);
	}
	return 0;
}

/* Where OpenClaw keeps what is not mirrored, when it is there. */
static char *tmp_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = NULL;

	if (slash != NULL && asprintf(&dir, "%.*s/.openclaw", (int)(slash - path), path) < 0) {
		dir = NULL;
	}
	return dir;
}

static void change_file(struct change *c)
{
	struct agent_place *p = c->place;
	char *tmp = tmp_dir_of(p->name);
	struct claw_file_done done = {0};

	c->file.path = p->name;
	c->file.tmp_dir = tmp;
	c->file.lock_dir = c->wish->lock_dir;
	c->file.lock_ms = CLAW_FILE_LOCK_MS;
	c->file.edit = edit_file;
	c->file.backup = keep_before;
	p->code = claw_file_change(&c->file, &done, &p->why);
	p->written = p->code == CONFIG_OK && done.changed;
	p->atomic = done.atomic;
	free(tmp);
}

static void make_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = bytes_dup(bytes_of(path, slash != NULL ? (size_t)(slash - path) : 0));

	IGNORE(file_make_dir(dir, 0755, NULL)); /* the write says what is wrong */
	free(dir);
}

/* A file that is not there yet. */
static void make_file(struct agent_place *p, struct bytes content, unsigned mode)
{
	make_dir_of(p->name);
	p->existed = false;
	p->atomic = true;
	p->written = file_write_atomic(p->name, content, mode, &p->why) == 0;
	p->code = p->written ? CONFIG_OK : CONFIG_NOT_EDITABLE;
	keep(&p->after, content);
}

/* --- records ------------------------------------------------------------------------------------------ */

static void stamp(char out[STAMP_N + 1])
{
	char iso[CLOCK_ISO_LEN];

	clock_format_iso(iso, clock_wall_ms());
	snprintf(out, STAMP_N + 1, "%.4s%.2s%.2s_%.2s%.2s%.2s", iso, iso + 5, iso + 8, iso + 11,
		iso + 14, iso + 17);
}

/* The broken record, or the one before, beside it. */
static void put_aside(const struct agent_place *p, struct bytes before)
{
	const char *kind = p->corrupt ? "corrupt" : "backup";
	char when[STAMP_N + 1];
	char *path = NULL;

	stamp(when);
	if (asprintf(&path, "%s.%s.%s", p->name, kind, when) < 0) {
		return;
	}
	IGNORE(file_write_atomic(
		path, before, RECORD_MODE, NULL)); /* the automatic backup has it */
	free(path);
	aside_prune(p->name, kind, p->corrupt ? ASIDE_CORRUPT_MAX : AGENT_PLACE_RECORD_BACKUPS_MAX);
}

static void write_record(struct agent_place *p, const struct agent_place_wish *wish)
{
	struct config_text out;
	struct file_stat st;
	struct arena room;
	struct text now;
	bool there;

	text_init(&now, RECORD_TEXT_MAX + 1);
	arena_init(&room, (size_t)8 << 20);
	there = file_read(p->name, RECORD_TEXT_MAX, &now, &st, NULL) == 0;
	p->code = edit_record(wish, &room, there ? text_bytes(&now) : bytes_of(NULL, 0), &out);
	if (out.changed) {
		if (there) {
			put_aside(p, text_bytes(&now));
		}
		make_file(p, out.text, there ? st.mode & 07777 : RECORD_MODE);
	}
	arena_done(&room);
	text_done(&now);
}

/* --- written --------------------------------------------------------------------------------------------- */

void agent_place_write(
	struct agent_place *p, const struct agent_place_wish *wish, struct bytes mirror)
{
	struct change c = {.place = p, .wish = wish};

	p->existed = p->exists;
	p->why = (struct fault){0};
	if (p->kind == AGENT_PLACE_RECORD) {
		write_record(p, wish);
	} else if (p->exists) {
		c.content = p->kind == AGENT_PLACE_MIRROR ? mirror : bytes_of(NULL, 0);
		change_file(&c);
	} else if (p->kind == AGENT_PLACE_MIRROR && mirror.p != NULL) {
		make_file(p, mirror, 0600);
	}
}

void agent_place_restore(struct agent_place *p, const struct agent_place_wish *wish)
{
	struct change c = {.place = p,
		.wish = wish,
		.content = text_bytes(&p->before),
		.only = text_bytes(&p->after)};
	struct agent_place undone = *p;

	if (!p->existed) {
		p->code = file_remove(p->name) == 0 ? CONFIG_OK : CONFIG_NOT_EDITABLE;
		return;
	}
	c.place = &undone;
	undone.after = (struct text){0};
	change_file(&c);
	text_done(&undone.after);
	p->code = undone.code;
	p->why = undone.why;
}
