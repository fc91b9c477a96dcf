/*
 * What is assigned, what the agent's configuration says and what the gateway has seen it ask for. Our own store is the
 * authority; a record that only a file has is shown too, for another tool may have written it.
 */
#include "hiclaw/mon_assignment.h"

#include "base/below.h"
#include "base/clock.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/mon_change.h"
#include "hiclaw/workers.h"

#define DEFAULT "default"

struct loading {
	struct mon_record *v;
	size_t n;
	const char *dir;
	void (*next)(struct ask *k);
	void *state; /* the endpoint's */
};

/* --- files --------------------------------------------------------------------------------------------------------- */

static void read_record(struct ask *k, const struct below *dir, struct mon_record *r)
{
	struct text path, t;
	struct bytes kept;
	struct fault f;
	int rc;

	text_init(&path, BELOW_PATH_MAX);
	text_addf(&path, BYTES_FMT "/model.json", BYTES_ARG(r->target));
	text_init(&t, RECORD_TEXT_MAX);
	rc = below_read(dir, text_cstr(&path), RECORD_TEXT_MAX, &t, &f);
	kept = rc == 0 ? arena_copy(&k->arena, text_bytes(&t)) : BYTES("");
	text_done(&path);
	text_done(&t);
	r->exists = rc == 0;
	r->corrupt =
		rc == ERR_LIMIT || (rc == 0 && record_read(&k->arena, kept, &r->record, &f) != 0);
}

/* A jobs thread. */
static void read_records(struct ask *k)
{
	const struct loading *l = k->state;
	struct below dir = {-1};
	struct fault f;

	if (below_open(&dir, l->dir, &f) != 0) {
		return;
	}
	for (size_t i = 0; i < l->n; i++) {
		read_record(k, &dir, &l->v[i]);
	}
	below_close(&dir);
}

static void records_read(struct ask *k)
{
	struct loading *l = k->state;

	k->state = l->state;
	l->next(k);
}

void mon_assignment_load(struct ask *k, struct mon_record *v, size_t n, void (*next)(struct ask *k))
{
	struct loading *l = arena_must(&k->arena, sizeof(*l));

	if (!k->hiclaw->opts.attached || n == 0) {
		next(k);
		return;
	}
	*l = (struct loading){v, n, k->hiclaw->env->agents_dir.p, next, k->state};
	k->state = l;
	ask_job(k, read_records, records_read);
}

/* --- one as a document --------------------------------------------------------------------------------------------- */

struct doc *mon_assignment_time(struct ask *k, uint64_t ms)
{
	char s[CLOCK_ISO_LEN];

	if (ms == 0) {
		return doc_null(&k->arena);
	}
	clock_format_iso(s, ms);
	s[19] = 'Z'; /* in front of the fraction */
	return doc_string_copy(&k->arena, bytes_of(s, 20));
}

static struct doc *number(struct arena *a, uint64_t v)
{
	return v != 0 ? doc_int(a, (int64_t)v) : doc_null(a);
}

static void add_desired(struct ask *k, struct doc *d, struct bytes provider, struct bytes model,
	const struct model_traits *t)
{
	struct arena *a = &k->arena;

	doc_set(a, d, "provider", doc_string_copy(a, provider));
	doc_set(a, d, "model", doc_string_copy(a, model));
	doc_set(a, d, "contextWindow", number(a, t->context_window));
	doc_set(a, d, "maxTokens", number(a, t->max_tokens));
	doc_set(a, d, "reasoning",
		t->reasoning == MODEL_UNKNOWN ? doc_null(a)
					      : doc_bool(a, t->reasoning == MODEL_YES));
}

static void add_model(struct ask *k, struct doc *d, const char *key, struct bytes model)
{
	struct doc *m;

	if (model.n == 0) {
		return;
	}
	m = doc_need_map(&k->arena, d, key);
	doc_set(&k->arena, m, "model", doc_string_copy(&k->arena, model));
}

/* What was seen, whether it was assigned or not. */
static void add_seen(struct ask *k, struct doc *d, const struct agent *g)
{
	struct arena *a = &k->arena;

	add_model(k, d, "configured", g->configured);
	add_model(k, d, "observed", g->observed);
	if (g->observed.n != 0) {
		doc_set(a, doc_need_map(a, d, "observed"), "at",
			mon_assignment_time(k, g->observed_ms));
	}
}

static void add_ours(struct ask *k, struct doc *d, const struct agent *g)
{
	struct arena *a = &k->arena;
	struct doc *warnings = doc_list(a);
	struct doc *verifying = switch_verifying(k->hiclaw->switches, g->target, a);

	add_desired(k, d, g->provider, g->model, &g->traits);
	doc_set(a, d, "updatedAt", mon_assignment_time(k, g->updated_us / 1000));
	doc_set(a, d, "target", doc_string_copy(a, g->target));
	doc_set(a, d, "state", doc_str(a, agent_state_text(g->state)));
	add_seen(k, d, g);
	doc_set(a, d, "synced", doc_bool(a, g->synced));
	if (g->reason.n != 0) {
		doc_set(a, d, "reason", doc_string_copy(a, g->reason));
		doc_append(a, warnings, doc_string_copy(a, g->reason));
	}
	if (g->pending_apply) {
		doc_set(a, d, "applied", doc_str(a, "when-idle"));
	}
	if (verifying != NULL) {
		doc_set(a, d, "verification", verifying);
	}
	if (g->bridge_until_ms > clock_wall_ms()) {
		struct doc *b = doc_need_map(a, d, "bridge");

		doc_set(a, b, "from", doc_string_copy(a, g->bridge_from));
		doc_set(a, b, "to", doc_string_copy(a, g->asked));
		doc_set(a, b, "until", mon_assignment_time(k, g->bridge_until_ms));
	}
	doc_set(a, d, "warnings", warnings);
}

static void add_others(
	struct ask *k, struct doc *d, const struct mon_record *r, const struct agent *g)
{
	struct arena *a = &k->arena;
	bool known = r->exists && !r->corrupt;

	if (known) {
		add_desired(k, d, r->record.provider, r->record.model, &r->record.traits);
		doc_set(a, d, "updatedAt", mon_assignment_time(k, r->record.updated_us / 1000));
	} else {
		doc_set(a, d, "provider", doc_str(a, DEFAULT));
		doc_set(a, d, "model", doc_str(a, DEFAULT));
	}
	doc_set(a, d, "target", doc_string(a, r->target));
	doc_set(a, d, "state", doc_str(a, agent_state_text(AGENT_UNMANAGED)));
	if (g != NULL) {
		add_seen(k, d, g);
	}
}

bool mon_assignment_is(const struct ask *k, const struct mon_record *r)
{
	const struct agent *g = agents_find(k->hiclaw->agents, r->target);

	return (g != NULL && g->assigned) || r->exists;
}

struct doc *mon_assignment_doc(struct ask *k, const struct mon_record *r)
{
	const struct agent *g = agents_find(k->hiclaw->agents, r->target);
	struct doc *d = doc_map(&k->arena);

	if (g != NULL && g->assigned) {
		add_ours(k, d, g);
	} else {
		add_others(k, d, r, g);
	}
	if (r->corrupt) {
		doc_set(&k->arena, d, "corrupt", doc_bool(&k->arena, true));
	}
	return d;
}

/* --- one of them --------------------------------------------------------------------------------------------------- */

static bool is_worker_known(struct ask *k, const struct mon_record *r)
{
	return mon_assignment_is(k, r) || workers_find(k->hiclaw->workers, r->target) != NULL;
}

static void one_read(struct ask *k)
{
	const struct mon_record *r = k->state;
	bool manager = bytes_eq(r->target, BYTES("manager"));
	bool strict = ask_query_flag(k, "strict") || bytes_starts(k->path, BYTES("/_admin/"));

	if (!manager && strict && !is_worker_known(k, r)) {
		ask_fail(k, HICLAW_WORKER_NOT_FOUND, "Worker not found");
		return;
	}
	ask_reply(k, 200, mon_assignment_doc(k, r));
}

static void begin_one(struct ask *k, struct bytes target)
{
	struct mon_record *r = arena_must(&k->arena, sizeof(*r));

	r->target = target;
	k->state = r;
	mon_assignment_load(k, r, 1, one_read);
}

void mon_assignment_manager(struct ask *k)
{
	begin_one(k, BYTES("manager"));
}

bool mon_assignment_name(struct ask *k)
{
	if (names_is_worker(k->params[0])) {
		return true;
	}
	ask_fail(k, HICLAW_INVALID_NAME,
		"A Worker is called by small letters, digits and dashes, at most %u of them",
		NAMES_WORKER_MAX);
	return false;
}

void mon_assignment_worker(struct ask *k)
{
	if (mon_assignment_name(k)) {
		begin_one(k, k->params[0]);
	}
}

/* --- all of them --------------------------------------------------------------------------------------------------- */

struct many {
	struct mon_record *v;
	size_t n;
	bool all, with_manager;
};

static struct doc *workers_doc(struct ask *k, const struct many *m)
{
	struct doc *d = doc_map(&k->arena);

	for (size_t i = 0; i < m->n; i++) {
		const struct mon_record *r = &m->v[i];

		if (!bytes_eq(r->target, BYTES("manager")) && (m->all || mon_assignment_is(k, r))) {
			doc_set_bytes(&k->arena, d, r->target, mon_assignment_doc(k, r));
		}
	}
	return d;
}

static void many_read(struct ask *k)
{
	const struct many *m = k->state;
	struct doc *d;

	if (!m->with_manager) {
		ask_reply(k, 200, workers_doc(k, m));
		return;
	}
	d = doc_map(&k->arena);
	doc_set(&k->arena, d, "manager", mon_assignment_doc(k, &m->v[m->n - 1]));
	doc_set(&k->arena, d, "workers", workers_doc(k, m));
	ask_reply(k, 200, d);
}

/* The Workers by name, and the Manager behind them. */
static void begin_many(struct ask *k, bool with_manager)
{
	struct many *m = arena_must(&k->arena, sizeof(*m));
	const struct worker *all;
	size_t n = workers_now(k->hiclaw->workers, &all);

	m->v = arena_must(&k->arena, (n + 1) * sizeof(*m->v));
	for (size_t i = 0; i < n; i++) {
		m->v[m->n++].target = arena_copy(&k->arena, all[i].name);
	}
	m->v[m->n++].target = BYTES("manager");
	m->all = ask_query_flag(k, "all");
	m->with_manager = with_manager;
	k->state = m;
	mon_assignment_load(k, m->v, m->n, many_read);
}

void mon_assignment_workers(struct ask *k)
{
	begin_many(k, false);
}

void mon_assignment_all(struct ask *k)
{
	begin_many(k, true);
}
