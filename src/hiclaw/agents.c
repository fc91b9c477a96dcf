/*
 * Changes are seen at once and written behind: while a write is under way, those that come are gathered for the
 * next one. A write that fails takes its changes back, the last one first, and those that were gathered meanwhile
 * are tried by themselves.
 */
#include "hiclaw/agents.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "hiclaw/agents_int.h"
#include "hiclaw/aside.h"

/* Of one agent: eight texts of some hundred bytes. */
#define ENTRY_MAX ((size_t)64 << 10)

struct entry {
	struct agent v;
	struct arena arena; /* of its texts */
};

struct change {
	struct list link;
	char *target;
	struct entry *old; /* NULL: there was none */
	struct agents_keep *keep;
};

struct writing { /* on a jobs thread */
	struct job job;
	struct agents *owner;
	const char *path;
	struct text content;
	struct list changes;
	struct fault why;
	int rc;
};

struct agents {
	struct loop *loop;
	struct jobs *jobs;
	char *path;
	struct entry **v; /* the Manager first, then by name */
	size_t n, room;
	bool dirty;          /* notes that are not on disk */
	struct list changes; /* not given to a write yet */
	struct writing *now;
	bool closing;
	struct agents_history *history;
};

/* --- entries -------------------------------------------------------------------------------------- */

static struct bytes copied(struct entry *e, struct bytes b)
{
	struct bytes c = b.n != 0 ? arena_copy(&e->arena, b) : BYTES("");

	return c.p != NULL ? c : BYTES("");
}

static struct entry *entry_new(const struct agent *v)
{
	struct entry *e = must_alloc(sizeof(*e));
	struct bytes *texts[] = {&e->v.target, &e->v.provider, &e->v.model, &e->v.asked,
		&e->v.configured, &e->v.cr_model, &e->v.observed, &e->v.reason, &e->v.bridge_from,
		&e->v.former};

	arena_init(&e->arena, ENTRY_MAX);
	e->v = *v;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		*texts[i] = copied(e, *texts[i]);
	}
	return e;
}

static void entry_free(struct entry *e)
{
	if (e != NULL) {
		arena_done(&e->arena);
		free(e);
	}
}

static int order(struct bytes x, struct bytes y)
{
	bool mx = bytes_eq(x, BYTES("manager")), my = bytes_eq(y, BYTES("manager"));

	return mx || my ? (int)my - (int)mx : bytes_cmp(x, y);
}

/* Where it is, or would be. */
static size_t place_of(const struct agents *a, struct bytes target, bool *there)
{
	size_t i = 0;

	*there = false;
	for (; i < a->n; i++) {
		int c = order(a->v[i]->v.target, target);

		if (c >= 0) {
			*there = c == 0;
			break;
		}
	}
	return i;
}

/* Puts e (NULL: nothing) in the place of the target's; returns what was there. */
static struct entry *exchange(struct agents *a, struct bytes target, struct entry *e)
{
	bool there;
	size_t at = place_of(a, target, &there);
	struct entry *old = there ? a->v[at] : NULL;

	if (there && e == NULL) {
		memmove(a->v + at, a->v + at + 1, (a->n - at - 1) * sizeof(struct entry *));
		a->n--;
	} else if (!there && e != NULL) {
		if (a->n == a->room) {
			a->room = MAX(a->room * 2, 16);
			a->v = must_realloc(a->v, a->room * sizeof(struct entry *));
		}
		memmove(a->v + at + 1, a->v + at, (a->n - at) * sizeof(struct entry *));
		a->n++;
	}
	if (e != NULL) {
		a->v[at] = e;
	}
	return old;
}

const struct agent *agents_find(const struct agents *a, struct bytes target)
{
	bool there;
	size_t at = place_of(a, target, &there);

	return there ? &a->v[at]->v : NULL;
}

size_t agents_count(const struct agents *a)
{
	return a->n;
}

const struct agent *agents_at(const struct agents *a, size_t i)
{
	ASSERT(i < a->n);
	return &a->v[i]->v;
}

/* --- written ---------------------------------------------------------------------------------------- */

static void change_free(struct change *c)
{
	list_remove(&c->link);
	entry_free(c->old);
	free(c->target);
	free(c);
}

static void take_back(struct agents *a, struct list *changes)
{
	for (struct list *i = changes->prev; i != changes; i = i->prev) {
		struct change *c = CONTAINER_OF(i, struct change, link);

		entry_free(exchange(a, bytes_str(c->target), c->old));
		c->old = NULL;
	}
}

static void tell(struct list *changes, int rc)
{
	while (!list_empty(changes)) {
		struct change *c = CONTAINER_OF(changes->next, struct change, link);
		struct agents_keep *k = c->keep;

		change_free(c);
		if (k != NULL) {
			k->on_kept(k, rc);
		}
	}
}

static void write_file(struct job *j)
{
	struct writing *w = CONTAINER_OF(j, struct writing, job);

	w->rc = file_write_atomic(w->path, text_bytes(&w->content), 0600, &w->why);
}

static void begin(struct agents *a);

static void on_written(struct job *j)
{
	struct writing *w = CONTAINER_OF(j, struct writing, job);
	struct agents *a = w->owner;
	int rc = w->rc;
	struct list told;

	a->now = NULL;
	list_init(&told);
	if (rc != 0) {
		log_warn("hiclaw", "assignments are not kept: %s", w->why.text);
		take_back(a, &w->changes);
	}
	list_splice(&told, &w->changes);
	text_done(&w->content);
	free(w);
	begin(a);
	tell(&told, rc);
}

static void begin(struct agents *a)
{
	struct writing *w;

	if (a->now != NULL || a->closing || list_empty(&a->changes)) {
		return;
	}
	w = must_alloc(sizeof(*w));
	*w = (struct writing){.owner = a, .path = a->path};
	w->job = (struct job){.home = a->loop, .work = write_file, .on_done = on_written};
	list_init(&w->changes);
	list_splice(&w->changes, &a->changes);
	text_init(&w->content, AGENTS_FILE_MAX);
	agents_file_write(a, &w->content);
	a->dirty = false;
	a->now = w;
	jobs_submit(a->jobs, &w->job);
}

static void change(struct agents *a, struct bytes target, struct entry *e, struct agents_keep *k)
{
	struct change *c = must_alloc(sizeof(*c));

	*c = (struct change){.target = bytes_dup(target), .keep = k};
	c->old = exchange(a, target, e);
	list_append(&a->changes, &c->link);
	begin(a);
}

void agents_put(struct agents *a, const struct agent *v, struct agents_keep *k)
{
	struct entry *e = entry_new(v);

	change(a, e->v.target, e, k);
}

void agents_remove(struct agents *a, struct bytes target, struct agents_keep *k)
{
	char *name = bytes_dup(target); /* may be the entry's own text */

	change(a, bytes_str(name), NULL, k);
	free(name);
}

void agents_note(struct agents *a, const struct agent *v)
{
	struct entry *e = entry_new(v);

	entry_free(exchange(a, e->v.target, e));
	a->dirty = true;
}

/* --- life --------------------------------------------------------------------------------------------- */

static void take_in(void *arg, const struct agent *v)
{
	struct agents *a = arg;

	entry_free(exchange(a, v->target, entry_new(v)));
}

static void put_aside(const struct agents *a, const char *why)
{
	struct text t;

	text_init(&t, 8192);
	text_addf(&t, "%s.corrupt.%llu", a->path, (unsigned long long)(clock_wall_ms() / 1000));
	if (file_rename(a->path, text_cstr(&t), NULL) == 0) {
		log_warn("hiclaw",
			"the store of assignments cannot be read and is kept as %s: %s; records "
			"in the agents' directories are adopted in its place",
			text_cstr(&t), why);
		aside_prune(a->path, "corrupt", ASIDE_CORRUPT_MAX);
	} else {
		log_error("hiclaw", "the store of assignments %s cannot be read: %s", a->path, why);
	}
	text_done(&t);
}

static void load(struct agents *a)
{
	struct fault why = {0};
	struct arena room;
	struct text t;
	int rc;

	text_init(&t, AGENTS_FILE_MAX + 1);
	arena_init(&room, (size_t)64 << 20);
	rc = file_read(a->path, AGENTS_FILE_MAX, &t, NULL, &why);
	if (rc == 0) {
		rc = agents_file_read(&room, text_bytes(&t), take_in, a, &why);
	}
	if (rc != 0 && rc != ERR_NOT_FOUND) {
		put_aside(a, why.text);
	}
	arena_done(&room);
	text_done(&t);
}

struct agents *agents_open(const char *state_dir, struct jobs *jobs, struct loop *loop)
{
	struct agents *a = must_alloc(sizeof(*a));
	struct text t;

	*a = (struct agents){.loop = loop, .jobs = jobs};
	list_init(&a->changes);
	text_init(&t, 8192);
	text_addf(&t, "%s/agents.json", state_dir);
	a->path = must_strdup(text_cstr(&t));
	text_done(&t);
	load(a);
	a->history = agents_history_open(state_dir, jobs, loop);
	return a;
}

static void forget(struct list *changes)
{
	while (!list_empty(changes)) {
		change_free(CONTAINER_OF(changes->next, struct change, link));
	}
}

void agents_close(struct agents *a)
{
	struct fault why = {0};
	struct text t;

	if (a->now != NULL || a->dirty || !list_empty(&a->changes)) {
		text_init(&t, AGENTS_FILE_MAX);
		agents_file_write(a, &t);
		if (file_write_atomic(a->path, text_bytes(&t), 0600, &why) != 0) {
			log_warn("hiclaw", "assignments are not kept: %s", why.text);
		}
		text_done(&t);
	}
	a->closing = true;
	if (a->now != NULL) {
		forget(&a->now->changes);
	}
	while (a->now != NULL) { /* written, but on_written is still to come */
		loop_turn(a->loop, 0);
	}
	forget(&a->changes);
	agents_history_close(a->history);
	while (a->n > 0) {
		entry_free(a->v[--a->n]);
	}
	free(a->v);
	free(a->path);
	free(a);
}

/* --- history ------------------------------------------------------------------------------------------- */

void agents_log(struct agents *a, const struct agents_event *e)
{
	agents_history_add(a->history, e);
}

void agents_history(struct agents *a, struct bytes target, size_t limit, struct text *out)
{
	agents_history_list(a->history, target, limit, out);
}
