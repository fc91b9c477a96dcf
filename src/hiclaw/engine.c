/*
 * A round: the list is asked for and becomes the new one, in which what was known of the same container in the same
 * state stays known; then come questions about single ones. A Worker whose container has gone stays in the list as
 * such, so that what was seen to end is not taken for what was never there.
 */
#include "hiclaw/engine.h"

#include <stdlib.h>

#include "base/log.h"
#include "hiclaw/names.h"
#include "wire/json.h"
#include "wire/sigv4.h"

#define TARGET_MAX 1024u
#define SCHEME BYTES("unix://")

struct known {
	struct arena arena;
	struct engine_worker *v; /* by name */
	size_t n;
};

struct engine {
	struct loop *loop;
	struct fetcher *fetcher;
	char *socket, *prefix;
	uint64_t every_ms, stale_ms;
	struct timer timer;
	struct fetch fetch;
	struct text target;
	bool asking;
	size_t at;      /* the one that is asked about; none: the list is */
	unsigned asked; /* in this round */
	struct known *now;
	uint64_t said_ms; /* when it was */
	enum engine_answer answer;
	struct fault why;
};

#define THE_LIST SIZE_MAX

static void ask(struct engine *e, size_t at);

/* --- what is known ------------------------------------------------------------------------------------ */

static void known_free(struct known *k)
{
	if (k != NULL) {
		arena_done(&k->arena);
		free(k);
	}
}

static const struct engine_worker *find_in(const struct known *k, struct bytes name)
{
	return k != NULL ? names_find(k->v, k->n, sizeof(*k->v), name) : NULL;
}

static struct engine_worker *add(struct known *k, struct bytes name)
{
	struct engine_worker *w = &k->v[k->n++];

	*w = (struct engine_worker){.name = arena_copy(&k->arena, name)};
	return w;
}

/* The same container in the same state is not asked about again. */
static void take_one(
	struct known *k, const struct engine_container *c, const struct engine_worker *before)
{
	struct engine_worker *w = add(k, c->worker);

	memcpy(w->id, c->id.p, c->id.n);
	w->state = c->state;
	if (before != NULL && before->state == w->state && strcmp(before->id, w->id) == 0) {
		w->since_ms = before->since_ms;
		w->asked = before->asked;
	}
}

/* It was there, and is in no list any more. */
static void take_gone(struct known *k, const struct engine_worker *before)
{
	struct engine_worker *w = add(k, before->name);

	w->state = STATE_CONTAINER_NOT_FOUND;
	w->asked = true;
}

/* Both lists are by name. What has gone is remembered where those that are there leave room. */
static struct known *merge(const struct engine_list *l, const struct known *before)
{
	struct known *k = must_alloc(sizeof(*k));
	size_t i = 0, j = 0, n = before != NULL ? before->n : 0;
	size_t left = ENGINE_CONTAINERS_MAX - l->n;

	arena_init(&k->arena, (size_t)1 << 20);
	k->v = arena_must(&k->arena, ENGINE_CONTAINERS_MAX * sizeof(*k->v));
	while (i < l->n || j < n) {
		int order = i == l->n ? 1
			: j == n      ? -1
				      : bytes_cmp(l->v[i].worker, before->v[j].name);

		if (order > 0 && left > 0) {
			take_gone(k, &before->v[j]);
			left--;
		} else if (order <= 0) {
			take_one(k, &l->v[i], order == 0 ? &before->v[j] : NULL);
		}
		i += order <= 0;
		j += order >= 0;
	}
	return k;
}

bool engine_knows(const struct engine *e)
{
	return e->now != NULL && loop_now_ms(e->loop) - e->said_ms <= e->stale_ms;
}

const struct engine_worker *engine_find(const struct engine *e, struct bytes worker)
{
	return engine_knows(e) ? find_in(e->now, worker) : NULL;
}

enum engine_answer engine_state(const struct engine *e, struct bytes *why_out)
{
	*why_out = e->answer == ENGINE_DOWN ? bytes_str(e->why.text) : BYTES("");
	return e->answer;
}

/* --- answers ------------------------------------------------------------------------------------------ */

static void on_timer(struct timer *t)
{
	ask(CONTAINER_OF(t, struct engine, timer), THE_LIST);
}

static void end_round(struct engine *e)
{
	timer_set(e->loop, &e->timer, e->every_ms, on_timer);
}

/* The next container whose time is not known, or the end of the round. */
static void go_on(struct engine *e)
{
	for (size_t i = 0; i < e->now->n && e->asked < ENGINE_ASKS_MAX; i++) {
		if (!e->now->v[i].asked && e->now->v[i].state != STATE_CONTAINER_STARTING) {
			e->asked++;
			ask(e, i);
			return;
		}
	}
	end_round(e);
}

static void go_down(struct engine *e, const char *why)
{
	if (e->answer != ENGINE_DOWN) {
		log_warn("hiclaw", "%s does not say which containers run: %s", e->socket, why);
	}
	e->answer = ENGINE_DOWN;
	IGNORE(fault_set(&e->why, ERR_IO, 0, 0, "%s", why));
	end_round(e);
}

/* Why there is no answer to be read; false: there is one. */
static bool is_bad(const struct fetch *f, struct fault *why)
{
	if (f->rc != FETCH_DONE) {
		*why = f->why;
	} else if (f->status != 200) {
		IGNORE(fault_set(why, ERR_REFUSED, 0, 0, "it answered %u", f->status));
	}
	return f->rc != FETCH_DONE || f->status != 200;
}

static void take_list(struct engine *e)
{
	struct engine_list list;
	struct fault why = {0};
	struct known *now;
	struct arena a;
	int rc;

	arena_init(&a, ENGINE_TREE_MAX);
	rc = is_bad(&e->fetch, &why) ? ERR_IO
				     : engine_list_read(&a, text_bytes(&e->fetch.body_in),
					       bytes_str(e->prefix), &list, &why);
	if (rc != 0) {
		arena_done(&a);
		go_down(e, why.text);
		return;
	}
	if (e->answer == ENGINE_DOWN) {
		log_info("hiclaw", "%s says which containers run again", e->socket);
	}
	now = merge(&list, e->now);
	arena_done(&a);
	known_free(e->now);
	e->now = now;
	e->said_ms = loop_now_ms(e->loop);
	e->answer = ENGINE_OK;
	e->asked = 0;
	go_on(e);
}

/* A container that has gone since, or an answer that says nothing: its time stays unknown. */
static void take_time(struct engine *e)
{
	struct engine_worker *w = &e->now->v[e->at];
	struct fault why = {0};
	struct arena a;
	uint64_t since = 0;

	arena_init(&a, ENGINE_TREE_MAX);
	w->asked = true;
	if (!is_bad(&e->fetch, &why) &&
		engine_since_read(
			&a, text_bytes(&e->fetch.body_in), bytes_str(w->id), &since, &why) == 0) {
		w->since_ms = since;
	}
	arena_done(&a);
	go_on(e);
}

static void on_fetched(struct fetch *f)
{
	struct engine *e = f->arg;

	e->asking = false;
	if (e->at == THE_LIST) {
		take_list(e);
	} else {
		take_time(e);
	}
}

/* --- questions ---------------------------------------------------------------------------------------- */

/* {"name":["hiclaw-worker-"]}: a pattern that may be found anywhere; what does not fit is passed over later. */
static void put_list_target(struct engine *e)
{
	char filter[256];
	struct json_writer j;
	struct text t;

	text_init_fixed(&t, filter, sizeof(filter));
	json_writer_init(&j, &t);
	json_open_object(&j);
	json_key(&j, "name");
	json_open_array(&j);
	json_put_str(&j, e->prefix);
	json_close_array(&j);
	json_close_object(&j);
	text_add_str(&e->target, "/containers/json?");
	sigv4_query(&e->target,
		(struct sigv4_pair[]){
			{BYTES("all"), BYTES("1")}, {BYTES("filters"), text_bytes(&t)}},
		2);
}

static void ask(struct engine *e, size_t at)
{
	fetch_done(&e->fetch);
	text_done(&e->target);
	text_init(&e->target, TARGET_MAX);
	e->at = at;
	if (at == THE_LIST) {
		put_list_target(e);
	} else {
		text_addf(&e->target, "/containers/%s/json", e->now->v[at].id);
	}
	e->fetch = (struct fetch){.host = "localhost",
		.path = e->socket,
		.method = BYTES("GET"),
		.target = text_bytes(&e->target),
		.connect_ms = ENGINE_CONNECT_MS,
		.timeout_ms = ENGINE_TOTAL_MS,
		.answer_max = at == THE_LIST ? ENGINE_LIST_MAX : ENGINE_ONE_MAX,
		.on_done = on_fetched,
		.arg = e};
	fetch_add(&e->fetch, BYTES("Host"), BYTES("localhost"));
	fetch_add(&e->fetch, BYTES("Accept"), BYTES("application/json"));
	e->asking = true;
	fetch_start(e->fetcher, &e->fetch);
}

/* --- life --------------------------------------------------------------------------------------------- */

struct engine *engine_new(const struct engine_opts *o)
{
	struct engine *e = must_alloc(sizeof(*e));
	struct bytes path = o->socket;

	if (bytes_starts(path, SCHEME)) {
		path = bytes_of(path.p + SCHEME.n, path.n - SCHEME.n);
	}
	e->loop = o->loop;
	e->fetcher = o->fetcher;
	e->socket = bytes_dup(path);
	e->prefix = bytes_dup(o->prefix);
	e->every_ms = o->every_ms != 0 ? o->every_ms : ENGINE_MS;
	e->stale_ms = o->stale_ms != 0 ? o->stale_ms : ENGINE_STALE_MS;
	timer_set(e->loop, &e->timer, 0, on_timer);
	return e;
}

void engine_free(struct engine *e)
{
	if (e == NULL) {
		return;
	}
	timer_clear(e->loop, &e->timer);
	if (e->asking) {
		fetch_cancel(&e->fetch);
	}
	fetch_done(&e->fetch);
	text_done(&e->target);
	known_free(e->now);
	free(e->socket);
	free(e->prefix);
	free(e);
}
