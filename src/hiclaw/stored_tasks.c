/*
 * A round: one list of all that stands below shared/tasks/, then the files that are new or changed, the last task first,
 * one request at a time. What was known of a file with the same ETag stays known. A round that fails leaves what the one
 * before found. What everybody has to do is added up at its end, for it is asked for every second.
 */
#include "hiclaw/stored_tasks.h"

#include <stdlib.h>

#include "hiclaw/evidence.h"
#include "hiclaw/names.h"
#include "hiclaw/s3_rounds.h"

#define TASKS BYTES("shared/tasks/")
/* Lists, and what is kept of them. */
#define ROUND_ARENA_MAX ((size_t)64 << 20)
#define KEY_MAX 1024u

enum { META, LEASE, FILES };
static const struct bytes file_names[FILES] = {
	[META] = {"meta.json", 9}, [LEASE] = {".processing", 11}};

struct task_file {
	struct bytes etag;   /* empty: there is none */
	struct bytes worker; /* what it says; empty: nobody */
	uint64_t until;
	bool is_read;
};

struct stored_task {
	struct bytes name;
	struct task_file files[FILES];
};

struct sum {
	struct bytes name;
	struct stored_tasks_of of;
};

struct round {
	struct arena arena;
	struct stored_task *v; /* by name */
	size_t n;
	struct sum *sums; /* by name */
	size_t n_sums;
};

struct stored_tasks {
	struct stored_tasks_opts o;
	struct s3_rounds rounds;
	char key[KEY_MAX];
	struct round *last; /* NULL: none was whole yet */
	struct round *now;  /* under way */
	size_t at;          /* of now: files of tasks, the last one first */
	unsigned reads;
};

/* --- rounds ------------------------------------------------------------------------------------------- */

static void round_free(struct round *r)
{
	if (r != NULL) {
		arena_done(&r->arena);
		free(r);
	}
}

static void fail_round(struct stored_tasks *s)
{
	round_free(s->now);
	s->now = NULL;
	s3_rounds_fail(&s->rounds);
}

static void add_up(struct round *r, const struct task_file *f, int kind, struct sum *sums)
{
	struct sum *at;

	if (!f->is_read || f->worker.n == 0) {
		return;
	}
	at = names_find(sums, r->n_sums, sizeof(*sums), f->worker);
	if (at == NULL) {
		size_t i = r->n_sums++;

		while (i > 0 && bytes_cmp(sums[i - 1].name, f->worker) > 0) {
			sums[i] = sums[i - 1];
			i--;
		}
		at = &sums[i];
		*at = (struct sum){.name = f->worker};
	}
	at->of.assigned += kind == META;
	at->of.until = kind == LEASE ? MAX(at->of.until, f->until) : at->of.until;
}

static void end_round(struct stored_tasks *s)
{
	struct round *r = s->now;

	r->sums = arena_must(&r->arena, (EVIDENCE_WORKERS_MAX + 1) * sizeof(*r->sums));
	for (size_t i = 0; i < r->n && r->n_sums < EVIDENCE_WORKERS_MAX; i++) {
		for (int k = 0; k < FILES; k++) {
			add_up(r, &r->v[i].files[k], k, r->sums);
		}
	}
	round_free(s->last);
	s->last = r;
	s->now = NULL;
	s3_rounds_end(&s->rounds);
}

/* --- requests ----------------------------------------------------------------------------------------- */

static void next_file(struct stored_tasks *s);

static struct task_file *file_at(const struct stored_tasks *s)
{
	size_t at = s->now->n * FILES - 1 - s->at;

	return &s->now->v[at / FILES].files[at % FILES];
}

static bool set_key(struct stored_tasks *s)
{
	size_t at = s->now->n * FILES - 1 - s->at;
	struct text t;

	text_init_fixed(&t, s->key, sizeof(s->key) - 1);
	text_add_bytes(&t, TASKS);
	text_addf(&t, BYTES_FMT "/" BYTES_FMT, BYTES_ARG(s->now->v[at / FILES].name),
		BYTES_ARG(file_names[at % FILES]));
	s->key[t.n] = '\0';
	return !text_full(&t);
}

/* What cannot be read says nothing, until it is another one. */
static void take(struct stored_tasks *s, struct task_file *f, struct bytes text, bool lease)
{
	struct arena a;
	const struct json_value *root;
	struct bytes worker = BYTES("");

	f->is_read = true;
	arena_init(&a, EVIDENCE_PARSE_MAX);
	root = text.n <= EVIDENCE_TASK_FILE_MAX ? json_parse(&a, text, NULL) : NULL;
	if (root != NULL && root->type == JSON_OBJECT) {
		worker =
			lease ? evidence_task_lease(root, &f->until) : evidence_task_assigned(root);
	}
	f->worker = names_is_worker(worker) ? arena_copy(&s->now->arena, worker) : BYTES("");
	arena_done(&a);
}

static void on_file(struct s3_rounds *rounds)
{
	struct stored_tasks *s = CONTAINER_OF(rounds, struct stored_tasks, rounds);
	const struct s3_call *call = &rounds->call;
	struct task_file *f = file_at(s);
	bool lease = (s->now->n * FILES - 1 - s->at) % FILES == LEASE;

	if (s3_rounds_is_outage(rounds)) {
		fail_round(s);
		return;
	}
	if (call->rc == S3_OK) {
		take(s, f, text_bytes(&call->content), lease);
	}
	s->at++;
	next_file(s);
}

static void next_file(struct stored_tasks *s)
{
	while (s->at < s->now->n * FILES && s->reads < STORED_TASKS_READS_MAX) {
		const struct task_file *f = file_at(s);

		if (f->etag.n != 0 && !f->is_read && set_key(s)) {
			s->reads++;
			s3_rounds_ask(&s->rounds, S3_GET, bytes_str(s->key), false, on_file);
			return;
		}
		s->at++;
	}
	end_round(s);
}

/* --- the list ----------------------------------------------------------------------------------------- */

/* "<id>/meta.json", "<id>/.processing": which of the two; FILES: what else a task has is none of ours. Accident and attack:
 * a name that no key can have, or an ETag that no object has, are no task's, so a round has a bound. */
static int file_of(const struct s3_object *o, size_t cut, struct bytes *name_out)
{
	struct bytes file;
	int k = 0;

	if (o->key.n <= cut || o->key.n - cut > KEY_MAX || o->etag.n == 0 ||
		o->etag.n > S3_ETAG_MAX) {
		return FILES;
	}
	file = bytes_of(o->key.p + cut, o->key.n - cut);
	*name_out = bytes_cut(&file, '/');
	while (k < FILES && !bytes_eq(file, file_names[k])) {
		k++;
	}
	return name_out->n != 0 ? k : FILES;
}

/* Counts tasks, or, when the round has room for them, takes those behind the first `skip`. What is of one task stands
 * together, for all of it has one prefix. */
static size_t walk(struct stored_tasks *s, const struct s3_listing *l, size_t skip)
{
	size_t cut = s->o.key_prefix.n + TASKS.n, n = 0;
	struct bytes name, before = BYTES("");
	struct round *r = s->now;

	for (const struct s3_object *o = l->first; o != NULL; o = o->next) {
		int k = file_of(o, cut, &name);

		if (k == FILES) {
			continue;
		}
		n += !bytes_eq(name, before);
		if (r->v != NULL && n > skip) {
			if (!bytes_eq(name, before)) {
				r->v[r->n++].name = arena_copy(&r->arena, name);
			}
			r->v[r->n - 1].files[k].etag = arena_copy(&r->arena, o->etag);
		}
		before = name;
	}
	return n;
}

static void take_before(struct stored_tasks *s, struct stored_task *t)
{
	const struct stored_task *b = s->last != NULL
		? names_find(s->last->v, s->last->n, sizeof(*s->last->v), t->name)
		: NULL;

	for (int k = 0; b != NULL && k < FILES; k++) {
		const struct task_file *old = &b->files[k];

		if (old->is_read && bytes_eq(old->etag, t->files[k].etag)) {
			t->files[k].is_read = true;
			t->files[k].until = old->until;
			t->files[k].worker = arena_copy(&s->now->arena, old->worker);
		}
	}
}

static void on_list(struct s3_rounds *rounds)
{
	struct stored_tasks *s = CONTAINER_OF(rounds, struct stored_tasks, rounds);
	const struct s3_call *call = &rounds->call;
	struct round *r = s->now;
	size_t n;

	if (call->rc != S3_OK) {
		fail_round(s);
		return;
	}
	n = walk(s, &call->listing, 0);
	r->v = arena_must(&r->arena, (MIN(n, (size_t)STORED_TASKS_MAX) + 1) * sizeof(*r->v));
	IGNORE(walk(s, &call->listing, n - MIN(n, (size_t)STORED_TASKS_MAX)));
	qsort(r->v, r->n, sizeof(*r->v), names_order); /* keys are in another order: '-' < '/' */
	for (size_t i = 0; i < r->n; i++) {
		take_before(s, &r->v[i]);
	}
	next_file(s);
}

static void begin(struct s3_rounds *rounds)
{
	struct stored_tasks *s = CONTAINER_OF(rounds, struct stored_tasks, rounds);

	s->now = must_alloc(sizeof(*s->now));
	arena_init(&s->now->arena, ROUND_ARENA_MAX);
	memcpy(s->key, TASKS.p, TASKS.n + 1);
	s->at = 0;
	s->reads = 0;
	s3_rounds_ask(rounds, S3_LIST, bytes_str(s->key), true, on_list);
}

/* --- asked -------------------------------------------------------------------------------------------- */

bool stored_tasks_of(const struct stored_tasks *s, struct bytes worker, struct stored_tasks_of *out)
{
	const struct sum *sum;

	if (s == NULL || s->last == NULL || s->last->n == 0) {
		return false;
	}
	sum = names_find(s->last->sums, s->last->n_sums, sizeof(*sum), worker);
	*out = sum != NULL ? sum->of : (struct stored_tasks_of){0};
	return true;
}

struct bytes stored_tasks_why(const struct stored_tasks *s)
{
	return s != NULL ? s3_rounds_why(&s->rounds) : BYTES("");
}

/* --- life --------------------------------------------------------------------------------------------- */

struct stored_tasks *stored_tasks_new(const struct stored_tasks_opts *o)
{
	struct stored_tasks *s = must_alloc(sizeof(*s));

	s->o = *o;
	s->rounds = (struct s3_rounds){.loop = o->loop,
		.s3 = o->s3,
		.every_ms = o->every_ms != 0 ? o->every_ms : STORED_TASKS_MS,
		.what = "tasks of the object storage are not known",
		.begin = begin};
	s3_rounds_start(&s->rounds);
	return s;
}

void stored_tasks_free(struct stored_tasks *s)
{
	if (s == NULL) {
		return;
	}
	s3_rounds_stop(&s->rounds);
	round_free(s->last);
	round_free(s->now);
	free(s);
}
