/* Workers with their states, and the controller's hand on them (monitor-api.md 6.4). */
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/mon_assignment.h"
#include "hiclaw/mon_change.h"
#include "hiclaw/workers.h"

/* Of the history that one Worker shows. */
#define HISTORY_LIMIT 20u
#define HISTORY_TEXT_MAX ((size_t)1 << 20)

struct shown {
	struct worker *v;
	struct mon_record *records;
	size_t n;
	bool one;
};

/* --- shown --------------------------------------------------------------------------------------------------------- */

static struct doc *text_or_null(struct ask *k, struct bytes s)
{
	return s.n != 0 ? doc_string(&k->arena, s) : doc_null(&k->arena);
}

static struct doc *word_or_null(struct ask *k, const char *s)
{
	return s != NULL ? doc_str(&k->arena, s) : doc_null(&k->arena);
}

static void add_state(struct ask *k, struct doc *d, const struct worker *w)
{
	struct arena *a = &k->arena;
	struct doc *codes;

	doc_set(a, d, "name", doc_string(a, w->name));
	doc_set(a, d, "state", doc_str(a, state_text(w->state.name)));
	doc_set(a, d, "since", mon_assignment_time(k, w->state.since));
	doc_set(a, d, "reason", doc_str(a, w->state.reason));
	codes = doc_need_list(a, d, "evidence");
	for (unsigned i = 0; i < STATE_SOURCES; i++) {
		if ((w->state.evidence & 1u << i) != 0) {
			char c = state_code((enum state_source)(1u << i));

			doc_append(a, codes, doc_string_copy(a, bytes_of(&c, 1)));
		}
	}
	if (w->state.starting) {
		doc_set(a, d, "transition", doc_str(a, "starting"));
	}
}

static void add_requests(struct ask *k, struct doc *d, const struct worker *w)
{
	struct arena *a = &k->arena;

	doc_set(a, d, "lastRequestAt", mon_assignment_time(k, w->evidence.g.last));
	doc_set(a, d, "inFlight", doc_int(a, w->evidence.g.in_flight));
	doc_set(a, d, "requests1h", doc_int(a, (int64_t)w->requests_1h));
	doc_set(a, d, "errors1h", doc_int(a, (int64_t)w->errors_1h));
	doc_set(a, d, "tokens1h", doc_int(a, (int64_t)w->tokens_1h));
}

static void add_rest(struct ask *k, struct doc *d, const struct worker *w)
{
	struct arena *a = &k->arena;
	struct doc *tasks = doc_need_map(a, d, "tasks");
	struct text consumer;

	doc_set(a, tasks, "finite", doc_int(a, w->state.finite));
	doc_set(a, tasks, "infinite", doc_int(a, w->state.infinite));
	doc_set(a, d, "container", word_or_null(k, state_container_text(w->state.container)));
	doc_set(a, d, "phase", word_or_null(k, state_phase_text(w->evidence.c.phase)));
	doc_set(a, d, "runtime", text_or_null(k, w->runtime));
	doc_set(a, d, "deployment", text_or_null(k, w->deployment));
	doc_set(a, d, "team", text_or_null(k, w->team));
	doc_set(a, d, "room", text_or_null(k, w->room));
	text_init(&consumer, 256);
	text_addf(&consumer, "worker-" BYTES_FMT, BYTES_ARG(w->name));
	doc_set(a, d, "consumer",
		w->has_consumer ? doc_string_copy(a, text_bytes(&consumer)) : doc_null(a));
	text_done(&consumer);
	doc_set(a, d, "authorized", doc_bool(a, w->authorized));
	if (w->message.n != 0) {
		doc_set(a, d, "message", doc_string(a, w->message));
	}
}

static struct doc *worker_doc(struct ask *k, const struct worker *w, const struct mon_record *r)
{
	struct doc *d = doc_map(&k->arena);

	add_state(k, d, w);
	add_requests(k, d, w);
	add_rest(k, d, w);
	doc_set(&k->arena, d, "assignment", mon_assignment_doc(k, r));
	return d;
}

/* Requests by minute, of the last hour. */
static void add_sparkline(struct ask *k, struct doc *d, struct bytes name)
{
	struct text consumer, t;
	struct bytes kept;

	text_init(&consumer, 256);
	text_addf(&consumer, "worker-" BYTES_FMT, BYTES_ARG(name));
	text_init(&t, 4096);
	usage_sparkline(k->hiclaw->usage, text_bytes(&consumer), &t);
	kept = arena_copy(&k->arena, text_bytes(&t));
	doc_set(&k->arena, d, "sparkline",
		doc_of_json(&k->arena, kept.p != NULL ? json_parse(&k->arena, kept, NULL) : NULL));
	text_done(&consumer);
	text_done(&t);
}

static void add_history(struct ask *k, struct doc *d, struct bytes name)
{
	const struct json_value *v;
	struct bytes kept;
	struct text t;

	text_init(&t, HISTORY_TEXT_MAX);
	agents_history(k->hiclaw->agents, name, HISTORY_LIMIT, &t);
	kept = arena_copy(&k->arena, text_bytes(&t));
	v = kept.p != NULL ? json_parse(&k->arena, kept, NULL) : NULL;
	doc_set(&k->arena, d, "history", doc_of_json(&k->arena, v));
	text_done(&t);
}

static void records_read(struct ask *k)
{
	const struct shown *s = k->state;
	struct doc *d = ask_success(k);
	struct doc *list, *one;

	if (s->one) {
		one = worker_doc(k, &s->v[0], &s->records[0]);
		add_sparkline(k, one, s->v[0].name);
		add_history(k, one, s->v[0].name);
		doc_set(&k->arena, d, "worker", one);
	} else {
		list = doc_need_list(&k->arena, d, "workers");
		for (size_t i = 0; i < s->n; i++) {
			doc_append(&k->arena, list, worker_doc(k, &s->v[i], &s->records[i]));
		}
	}
	ask_reply(k, 200, d);
}

/* Copies: the list may be made anew while files are read. */
static void begin(struct ask *k, const struct worker *v, size_t n, bool one)
{
	struct shown *s = arena_must(&k->arena, sizeof(*s));
	struct arena *a = &k->arena;

	s->v = arena_must(a, (n + 1) * sizeof(*s->v));
	s->records = arena_must(a, (n + 1) * sizeof(*s->records));
	s->n = n;
	s->one = one;
	for (size_t i = 0; i < n; i++) {
		struct bytes *texts[] = {&s->v[i].name, &s->v[i].runtime, &s->v[i].deployment,
			&s->v[i].room, &s->v[i].team, &s->v[i].message};

		s->v[i] = v[i];
		for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
			*texts[t] = arena_copy(a, *texts[t]);
		}
		s->records[i].target = s->v[i].name;
	}
	k->state = s;
	mon_assignment_load(k, s->records, n, records_read);
}

void mon_workers_list(struct ask *k)
{
	const struct worker *all;
	size_t n = workers_now(k->hiclaw->workers, &all);

	begin(k, all, n, false);
}

/* NULL: refused. */
static const struct worker *find(struct ask *k)
{
	const struct worker *w;

	if (!mon_assignment_name(k)) {
		return NULL;
	}
	w = workers_find(k->hiclaw->workers, k->params[0]);
	if (w == NULL) {
		ask_fail(k, HICLAW_WORKER_NOT_FOUND, "Worker not found");
	}
	return w;
}

void mon_workers_get(struct ask *k)
{
	const struct worker *w = find(k);

	if (w != NULL) {
		begin(k, w, 1, true);
	}
}

/* --- woken and sent to sleep --------------------------------------------------------------------------------------- */

static void give_up(struct ask *k)
{
	struct controller_call *call = k->state;

	controller_cancel(call);
	controller_call_done(call);
}

static void on_acted(struct controller_call *call)
{
	struct ask *k = call->arg;
	struct doc *d = ask_success(k);
	bool wake = bytes_ends(k->path, BYTES("wake")) || bytes_ends(k->path, BYTES("wake/"));
	enum controller_rc rc = call->rc;
	struct bytes why = arena_copy(&k->arena, bytes_str(call->why.text));

	IGNORE(ask_resume(k)); /* it is done, and told to whoever is still there */
	controller_call_done(call);
	mon_change_log(k, wake ? "wake worker" : "sleep worker", k->params[0],
		rc == CONTROLLER_OK ? "done" : "failed", NULL, NULL);
	switch (rc) {
	case CONTROLLER_OK:
		doc_set(&k->arena, d, "target", doc_string(&k->arena, k->params[0]));
		doc_set(&k->arena, d, "status", doc_str(&k->arena, wake ? "waking" : "sleeping"));
		ask_reply(k, 202, d);
		break;
	case CONTROLLER_NOT_FOUND:
		ask_fail(k, HICLAW_WORKER_NOT_FOUND, "Worker not found");
		break;
	case CONTROLLER_CONFLICT:
		ask_fail_status(k, HICLAW_CONFLICT, 409, why);
		break;
	case CONTROLLER_UNREACHABLE:
	case CONTROLLER_FORBIDDEN:
	case CONTROLLER_REFUSED:
	case CONTROLLER_BROKEN:
		ask_fail_status(k, HICLAW_INTERNAL, 502, why);
		break;
	}
}

static void act(struct ask *k, enum controller_action action)
{
	struct controller_call *call;

	if (!mon_assignment_name(k)) {
		return;
	}
	if (k->hiclaw->controller == NULL) {
		ask_fail(k, HICLAW_CONFLICT, "No controller attached");
		return;
	}
	if (find(k) == NULL) {
		return;
	}
	call = arena_must(&k->arena, sizeof(*call));
	*call = (struct controller_call){.on_done = on_acted, .arg = k};
	k->state = call;
	ask_hold(k, give_up);
	controller_worker_act(k->hiclaw->controller, call, k->params[0], action);
}

void mon_workers_wake(struct ask *k)
{
	act(k, CONTROLLER_WAKE);
}

void mon_workers_sleep(struct ask *k)
{
	act(k, CONTROLLER_SLEEP);
}
