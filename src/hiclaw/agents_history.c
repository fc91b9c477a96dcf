/*
 * All lines that may be asked for are in memory, newest last; the file is appended to on a jobs thread and begins
 * anew when it is large, with the old one kept beside it.
 */
#include "hiclaw/agents_int.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define FILE_MAX ((size_t)8 << 20)
/* Accident: a document as large as a configuration in an entry. */
#define LINE_MAX ((size_t)64 << 10)

struct line {
	char *target;
	char *json;
};

struct agents_history {
	struct loop *loop;
	struct jobs *jobs;
	char *path;
	struct line *lines; /* a ring */
	size_t first, n;
	struct text waiting; /* to be appended */
	struct appending *now;
	bool closing;
};

struct appending { /* on a jobs thread */
	struct job job;
	struct agents_history *owner;
	const char *path;
	struct text lines;
	struct fault why;
	int rc;
};

static void line_done(struct line *l)
{
	free(l->target);
	free(l->json);
}

static void keep(struct agents_history *h, struct bytes target, struct bytes json)
{
	struct line *l = &h->lines[(h->first + h->n) % AGENTS_HISTORY_MAX];

	if (h->n == AGENTS_HISTORY_MAX) {
		line_done(l);
		h->first = (h->first + 1) % AGENTS_HISTORY_MAX;
		h->n--;
	}
	*l = (struct line){bytes_dup(target), bytes_dup(json)};
	h->n++;
}

/* --- the file -------------------------------------------------------------------------------------- */

static void load(struct agents_history *h, const char *path)
{
	struct fault why = {0};
	struct arena a;
	struct text t;
	struct bytes rest;

	text_init(&t, 2 * FILE_MAX);
	if (file_read(path, 2 * FILE_MAX, &t, NULL, &why) == ERR_NOT_FOUND) {
		return;
	}
	rest = text_bytes(&t);
	arena_init(&a, (size_t)4 << 20);
	while (rest.n != 0) {
		struct bytes line = bytes_cut(&rest, '\n');
		struct arena_mark at = arena_mark(&a);
		const struct json_value *v = line.n <= LINE_MAX ? json_parse(&a, line, NULL) : NULL;

		if (v != NULL && v->type == JSON_OBJECT) { /* else a line that a crash has cut */
			keep(h, json_text(json_get(v, "target"), BYTES("")), line);
		}
		arena_rewind(&a, &at);
	}
	if (why.err != 0) {
		log_warn("hiclaw", "the history of assignments is left out: %s", why.text);
	}
	arena_done(&a);
	text_done(&t);
}

struct agents_history *agents_history_open(
	const char *state_dir, struct jobs *jobs, struct loop *loop)
{
	struct agents_history *h = must_alloc(sizeof(*h));
	struct text t;

	*h = (struct agents_history){.loop = loop, .jobs = jobs};
	h->lines = must_alloc(AGENTS_HISTORY_MAX * sizeof(*h->lines));
	text_init(&t, 8192);
	text_addf(&t, "%s/history.jsonl", state_dir);
	h->path = must_strdup(text_cstr(&t));
	text_add_str(&t, ".1");
	load(h, text_cstr(&t));
	text_done(&t);
	load(h, h->path);
	text_init(&h->waiting, FILE_MAX);
	return h;
}

static void append(struct job *j)
{
	struct appending *w = CONTAINER_OF(j, struct appending, job);

	w->rc = file_append(w->path, text_bytes(&w->lines), 0600, FILE_MAX, &w->why);
}

static void appending_free(struct appending *w)
{
	text_done(&w->lines);
	free(w);
}

static void begin(struct agents_history *h);

static void on_appended(struct job *j)
{
	struct appending *w = CONTAINER_OF(j, struct appending, job);
	struct agents_history *h = w->owner;

	if (w->rc != 0) {
		log_warn("hiclaw", "the history of assignments is not kept on disk: %s",
			w->why.text);
	}
	appending_free(w);
	h->now = NULL;
	begin(h);
}

static void begin(struct agents_history *h)
{
	struct appending *w;

	if (h->now != NULL || h->closing || h->waiting.n == 0) {
		return;
	}
	w = must_alloc(sizeof(*w));
	*w = (struct appending){.owner = h, .path = h->path, .lines = h->waiting};
	w->job = (struct job){.home = h->loop, .work = append, .on_done = on_appended};
	text_init(&h->waiting, FILE_MAX);
	h->now = w;
	jobs_submit(h->jobs, &w->job);
}

void agents_history_close(struct agents_history *h)
{
	struct fault why = {0};

	if (h->waiting.n != 0 &&
		file_append(h->path, text_bytes(&h->waiting), 0600, FILE_MAX, &why) != 0) {
		log_warn("hiclaw", "the history of assignments is not kept on disk: %s", why.text);
	}
	h->closing = true;
	while (h->now != NULL) { /* appended, but on_appended is still to come */
		loop_turn(h->loop, 0);
	}
	text_done(&h->waiting);
	for (size_t i = 0; i < h->n; i++) {
		line_done(&h->lines[(h->first + i) % AGENTS_HISTORY_MAX]);
	}
	free(h->lines);
	free(h->path);
	free(h);
}

/* --- entries ---------------------------------------------------------------------------------------- */

static void put_text(struct json_writer *w, const char *key, struct bytes v)
{
	if (v.n != 0) {
		json_key(w, key);
		json_put_string(w, v);
	}
}

static void put_doc(struct json_writer *w, struct arena *a, const char *key, const struct doc *d)
{
	if (d != NULL) {
		json_key(w, key);
		doc_put_json(a, w, d);
	}
}

void agents_history_add(struct agents_history *h, const struct agents_event *e)
{
	char iso[CLOCK_ISO_LEN];
	struct json_writer w;
	struct arena a;
	struct text t;

	text_init(&t, LINE_MAX);
	arena_init(&a, (size_t)1 << 20);
	json_writer_init(&w, &t);
	clock_format_iso(iso, e->at_ms);
	iso[CLOCK_ISO_LEN - 5] = 'Z'; /* whole seconds */
	json_open_object(&w);
	put_text(&w, "time", bytes_of(iso, CLOCK_ISO_LEN - 4));
	put_text(&w, "actor", e->actor);
	put_text(&w, "peer", e->peer);
	put_text(&w, "action", e->action);
	put_text(&w, "target", e->target);
	put_text(&w, "result", e->result);
	put_text(&w, "backupId", e->backup);
	put_doc(&w, &a, "before", e->before);
	put_doc(&w, &a, "after", e->after);
	json_close_object(&w);
	if (!text_full(&t)) {
		keep(h, e->target, text_bytes(&t));
		text_add_bytes(&h->waiting, text_bytes(&t));
		text_add_char(&h->waiting, '\n');
		begin(h);
	}
	arena_done(&a);
	text_done(&t);
}

void agents_history_list(
	const struct agents_history *h, struct bytes target, size_t limit, struct text *out)
{
	size_t shown = 0;

	text_add_char(out, '[');
	for (size_t i = h->n; i > 0 && shown < limit; i--) {
		const struct line *l = &h->lines[(h->first + i - 1) % AGENTS_HISTORY_MAX];

		if (target.n == 0 || bytes_eq(target, bytes_str(l->target))) {
			text_add_str(out, shown++ != 0 ? "," : "");
			text_add_str(out, l->json);
		}
	}
	text_add_char(out, ']');
}
