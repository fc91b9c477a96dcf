/*
 * One agent after another: a jobs thread finds its places and reads files, then objects are asked for one by one. An object
 * is written on the condition that it is the one that was read; a file by the protocol of hiclaw/claw_file.h.
 */
#include "hiclaw/mon_claw.h"

#include "base/clock.h"
#include "base/file.h"
#include "hiclaw/agent_place.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/names.h"
#include "hiclaw/workers.h"
#include "wire/json5.h"

#define MANAGER BYTES("manager")

struct claw_work {
	struct strings targets;
	size_t at, place;
	bool writes;
	struct doc *section;      /* read into, or written from */
	const struct doc *wanted; /* of the target, when it writes */
	struct doc *problems;     /* may be NULL */
	struct agent_place_finding found;
	struct s3_call call;
	struct text key;
	bool asking;
	bool down; /* the storage: what does not answer once is not waited for again */
	const char *lock_dir;
	struct bytes agents_dir;
	void (*next)(struct ask *k);
	/* the endpoint's */
	void *state;
	void (*done)(struct ask *k);
};

static void go_on(struct ask *k);

/* --- life --------------------------------------------------------------------------------------- */

static void forget_places(struct claw_work *w)
{
	for (size_t i = 0; i < w->found.n; i++) {
		text_done(&w->found.v[i].content);
		text_done(&w->found.v[i].before);
		text_done(&w->found.v[i].after);
	}
	w->found.n = 0;
}

static void cleared(struct claw_work *w)
{
	forget_places(w);
	s3_call_done(&w->call);
	text_done(&w->key);
}

static void clear(struct ask *k)
{
	struct claw_work *w = k->state;

	cleared(w);
	k->state = w->state;
	k->done = w->done;
	if (k->done != NULL) {
		k->done(k);
	}
}

static void give_up(struct ask *k)
{
	struct claw_work *w = k->state;

	if (w->asking) {
		s3_cancel(&w->call);
	}
}

static struct claw_work *begin(struct ask *k, void (*next)(struct ask *k))
{
	struct claw_work *w = arena_must(&k->arena, sizeof(*w));
	struct text t;

	*w = (struct claw_work){.next = next,
		.state = k->state,
		.done = k->done,
		.agents_dir = k->hiclaw->env->agents_dir};
	text_init(&t, 8192);
	text_addf(&t, "%s/locks", k->hiclaw->opts.state_dir);
	w->lock_dir = arena_copy(&k->arena, text_bytes(&t)).p;
	text_done(&t);
	text_init(&w->key, 1024);
	k->state = w;
	k->done = clear;
	return w;
}

static void end(struct ask *k)
{
	struct claw_work *w = k->state;

	cleared(w);
	k->state = w->state;
	k->done = w->done;
	w->next(k);
}

static void add_target(struct claw_work *w, struct arena *a, struct bytes target)
{
	w->targets.v[w->targets.n++] = arena_copy(a, target);
}

static void problem(struct ask *k, const char *place, const char *why)
{
	struct claw_work *w = k->state;
	struct text t;

	text_init(&t, 4096);
	text_addf(&t, "%s: %s", place, why);
	doc_append(&k->arena, w->problems, doc_string_copy(&k->arena, text_bytes(&t)));
	text_done(&t);
}

/* --- one agent ---------------------------------------------------------------------------------- */

static struct bytes target_of(const struct claw_work *w)
{
	return w->targets.v[w->at];
}

static struct doc *entry_of(struct arena *a, const struct doc *section, struct bytes target)
{
	return bytes_eq(target, MANAGER) ? doc_get(a, section, "manager")
					 : doc_get_bytes(a, doc_get(a, section, "workers"), target);
}

static bool is_text_of(const struct agent_place *p)
{
	return p->kind == AGENT_PLACE_OPENCLAW || p->kind == AGENT_PLACE_MIRROR;
}

static struct bytes wanted_text(struct ask *k)
{
	const struct claw_work *w = k->state;

	return doc_text(doc_get(&k->arena, w->wanted, "text"), BYTES(""));
}

/* What the agent reads: a Worker the object, the Manager its file. */
static void keep_text(struct ask *k)
{
	struct claw_work *w = k->state;
	const struct agent_place *best = NULL;
	bool manager = bytes_eq(target_of(w), MANAGER);
	struct arena *a = &k->arena;
	struct doc *entry;

	for (size_t i = 0; i < w->found.n; i++) {
		const struct agent_place *p = &w->found.v[i];

		if (is_text_of(p) && p->exists && (best == NULL || best->object == manager)) {
			best = p;
		}
	}
	if (best == NULL) {
		return;
	}
	entry = doc_map(a);
	doc_set(a, entry, "text", doc_string_copy(a, text_bytes(&best->content)));
	if (manager) {
		doc_set(a, w->section, "manager", entry);
	} else {
		doc_set_bytes(a, doc_need_map(a, w->section, "workers"), target_of(w), entry);
	}
}

/* A jobs thread. */
static void write_files(struct ask *k)
{
	struct claw_work *w = k->state;
	const struct agent_place_wish wish = {.lock_dir = w->lock_dir};
	struct bytes text = wanted_text(k);

	for (size_t i = 0; i < w->found.n; i++) {
		struct agent_place *p = &w->found.v[i];

		if (!is_text_of(p) || p->object || !p->exists ||
			bytes_eq(text_bytes(&p->content), text)) {
			continue;
		}
		p->kind = AGENT_PLACE_MIRROR; /* as it is, and not edited */
		agent_place_write(p, &wish, text);
		if (p->code != CONFIG_OK) {
			problem(k, p->name, p->why.text);
		}
	}
}

static void next_target(struct ask *k)
{
	struct claw_work *w = k->state;

	if (!w->writes) {
		keep_text(k);
	}
	forget_places(w);
	w->at++;
	go_on(k);
}

/* --- objects ------------------------------------------------------------------------------------ */

static void next_object(struct ask *k);

static void ask_storage(struct ask *k, void (*on_done)(struct s3_call *c))
{
	struct claw_work *w = k->state;

	w->call.on_done = on_done;
	w->call.arg = k;
	w->asking = true;
	ask_hold(k, give_up);
	s3_start(k->hiclaw->s3, &w->call);
}

static void on_put(struct s3_call *c)
{
	struct ask *k = c->arg;
	struct claw_work *w = k->state;

	w->asking = false;
	IGNORE(ask_resume(k));
	if (c->rc == S3_UNSUPPORTED && c->if_match.n != 0) {
		struct bytes key = c->key, body = c->body;

		s3_call_done(c);
		w->call = (struct s3_call){.verb = S3_PUT, .key = key, .body = body};
		ask_storage(k, on_put);
		return;
	}
	if (c->rc != S3_OK) {
		problem(k, w->found.v[w->place].name, c->why.text);
	}
	w->place++;
	next_object(k);
}

static void on_get(struct s3_call *c)
{
	struct ask *k = c->arg;
	struct claw_work *w = k->state;
	struct agent_place *p = &w->found.v[w->place];
	struct bytes text = wanted_text(k);
	struct bytes etag = arena_copy(&k->arena, bytes_str(c->etag));

	w->asking = false;
	IGNORE(ask_resume(k));
	p->exists = c->rc == S3_OK;
	w->down = c->rc == S3_UNREACHABLE;
	p->content = c->content;
	c->content = (struct text){0};
	if (c->rc != S3_OK && c->rc != S3_NOT_FOUND && w->writes) {
		problem(k, p->name, c->why.text);
	}
	if (w->writes && p->exists && !bytes_eq(text_bytes(&p->content), text)) {
		s3_call_done(c);
		w->call = (struct s3_call){
			.verb = S3_PUT, .key = bytes_str(p->name), .body = text, .if_match = etag};
		ask_storage(k, on_put);
		return;
	}
	w->place++;
	next_object(k);
}

static void next_object(struct ask *k)
{
	struct claw_work *w = k->state;

	while (w->place < w->found.n &&
		(w->down || !w->found.v[w->place].object || !is_text_of(&w->found.v[w->place]))) {
		w->place++;
	}
	s3_call_done(&w->call);
	if (w->place < w->found.n) {
		w->call = (struct s3_call){
			.verb = S3_GET, .key = bytes_str(w->found.v[w->place].name)};
		ask_storage(k, on_get);
	} else if (w->writes) {
		ask_job(k, write_files, next_target);
	} else {
		next_target(k);
	}
}

/* --- all of them -------------------------------------------------------------------------------- */

/* A jobs thread. */
static void find(struct ask *k)
{
	agent_place_find(&((struct claw_work *)k->state)->found);
}

static void found(struct ask *k)
{
	struct claw_work *w = k->state;

	w->place = 0;
	next_object(k);
}

static void go_on(struct ask *k)
{
	struct claw_work *w = k->state;

	while (w->writes && w->at < w->targets.n) {
		w->wanted = entry_of(&k->arena, w->section, target_of(w));
		if (w->wanted != NULL) {
			break;
		}
		w->at++;
	}
	if (w->at == w->targets.n || arena_full(&k->arena)) {
		end(k);
		return;
	}
	w->found = (struct agent_place_finding){.arena = &k->arena,
		.env = k->hiclaw->env,
		.target = target_of(w),
		.storage = k->hiclaw->s3 != NULL};
	ask_job(k, find, found);
}

void mon_claw_read(struct ask *k, struct doc **out, void (*next)(struct ask *k))
{
	struct claw_work *w = begin(k, next);
	const struct worker *all;
	size_t n = workers_now(k->hiclaw->workers, &all);

	*out = w->section = doc_map(&k->arena);
	w->targets.v = arena_must(&k->arena, (n + 1) * sizeof(*w->targets.v));
	if (k->hiclaw->opts.attached) {
		add_target(w, &k->arena, MANAGER);
		for (size_t i = 0; i < n; i++) {
			add_target(w, &k->arena, all[i].name);
		}
	}
	go_on(k);
}

void mon_claw_write(
	struct ask *k, const struct doc *section, struct doc *problems, void (*next)(struct ask *k))
{
	struct claw_work *w = begin(k, next);
	const struct doc *workers = doc_get(&k->arena, section, "workers");

	w->writes = true;
	w->problems = problems;
	w->section = doc_copy(&k->arena, section);
	w->targets.v = arena_must(
		&k->arena, ((workers != NULL ? workers->n : 0) + 1) * sizeof(*w->targets.v));
	if (k->hiclaw->opts.attached && section != NULL) {
		add_target(w, &k->arena, MANAGER);
		for (const struct doc *d = doc_first(&k->arena, workers); d != NULL; d = d->next) {
			add_target(w, &k->arena, d->key);
		}
	}
	go_on(k);
}

/* --- looked at ---------------------------------------------------------------------------------- */

static bool is_config(const struct doc *text)
{
	struct json_value *v;
	struct arena room;
	bool good;

	if (text == NULL || text->type != DOC_STRING || text->text.n > JSON5_TEXT_MAX) {
		return false;
	}
	arena_init(&room, JSON5_ARENA_MAX);
	v = json5_parse(&room, text->text, NULL);
	good = v != NULL && v->type == JSON_OBJECT;
	arena_done(&room);
	return good;
}

bool mon_claw_check(struct arena *a, const struct doc *section, const char **why)
{
	const struct doc *manager = doc_get(a, section, "manager");
	const struct doc *workers = doc_get(a, section, "workers");

	*why = "openclaw of the backup is not {\"manager\": {\"text\": …}, \"workers\": {name: "
	       "{\"text\": …}}} with configurations that OpenClaw could read";
	if (section->type != DOC_MAP || (doc_given(workers) && workers->type != DOC_MAP) ||
		(manager != NULL && !is_config(doc_get(a, manager, "text")))) {
		return false;
	}
	for (const struct doc *d = doc_first(a, workers); d != NULL; d = d->next) {
		if (!names_is_worker(d->key) || d->type != DOC_MAP ||
			!is_config(doc_get(a, d, "text"))) {
			return false;
		}
	}
	return true;
}

static void compare_one(struct arena *a, const struct doc *mine, const struct doc *theirs,
	struct bytes target, struct doc *changed)
{
	struct bytes text = doc_text(doc_get(a, mine, "text"), BYTES(""));
	struct bytes now = doc_text(doc_get(a, theirs, "text"), BYTES(""));

	if (mine != NULL && theirs != NULL && !bytes_eq(text, now)) {
		doc_append(a, changed, doc_string_copy(a, target));
	}
}

struct doc *mon_claw_compare(struct arena *a, const struct doc *section, const struct doc *now)
{
	struct doc *out = doc_map(a), *changed;
	const struct doc *workers = doc_get(a, section, "workers");

	doc_need_list(a, out, "added");
	changed = doc_need_list(a, out, "changed");
	doc_need_list(a, out, "removed");
	compare_one(
		a, doc_get(a, section, "manager"), doc_get(a, now, "manager"), MANAGER, changed);
	for (const struct doc *d = doc_first(a, workers); d != NULL; d = d->next) {
		compare_one(a, d, doc_get_bytes(a, doc_get(a, now, "workers"), d->key), d->key,
			changed);
	}
	return out;
}

/* --- records ------------------------------------------------------------------------------------ */

/* A jobs thread: each stays under another name, as it does before each change. */
static void drop_files(struct ask *k)
{
	struct claw_work *w = k->state;
	char when[CLOCK_ISO_LEN];
	struct text from, to;

	clock_format_iso(when, clock_wall_ms());
	text_init(&from, 8192);
	text_init(&to, 8192);
	for (size_t i = 0; i < w->targets.n; i++) {
		struct fault f = {0};
		int rc;

		text_clear(&from);
		text_clear(&to);
		text_addf(&from, BYTES_FMT "/" BYTES_FMT "/model.json", BYTES_ARG(w->agents_dir),
			BYTES_ARG(w->targets.v[i]));
		text_addf(&to, BYTES_FMT ".backup.%.4s%.2s%.2s_%.2s%.2s%.2s",
			BYTES_ARG(text_bytes(&from)), when, when + 5, when + 8, when + 11,
			when + 14, when + 17);
		rc = file_rename(text_cstr(&from), text_cstr(&to), &f);
		if (rc != 0 && rc != ERR_NOT_FOUND) {
			problem(k, text_cstr(&from), f.text);
		}
	}
	text_done(&from);
	text_done(&to);
}

static void drop_next(struct ask *k);

static void on_dropped(struct s3_call *c)
{
	struct ask *k = c->arg;
	struct claw_work *w = k->state;

	w->asking = false;
	IGNORE(ask_resume(k));
	if (c->rc != S3_OK && c->rc != S3_NOT_FOUND) {
		problem(k, text_cstr(&w->key), c->why.text);
	}
	w->at++;
	drop_next(k);
}

static void drop_next(struct ask *k)
{
	struct claw_work *w = k->state;

	s3_call_done(&w->call);
	if (k->hiclaw->s3 == NULL || w->at == w->targets.n) {
		end(k);
		return;
	}
	text_clear(&w->key);
	text_addf(&w->key, "agents/" BYTES_FMT "/model.json", BYTES_ARG(target_of(w)));
	w->call = (struct s3_call){.verb = S3_DELETE, .key = text_bytes(&w->key)};
	ask_storage(k, on_dropped);
}

void mon_claw_drop_records(struct ask *k, const struct strings *targets, struct doc *problems,
	void (*next)(struct ask *k))
{
	struct claw_work *w = begin(k, next);

	w->targets = *targets;
	w->problems = problems;
	if (!k->hiclaw->opts.attached || targets->n == 0) {
		end(k);
	} else {
		ask_job(k, drop_files, drop_next);
	}
}
