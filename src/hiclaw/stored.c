/*
 * A round: the prefixes below agents/, then each of them, then its record when that is a new one; one request at a
 * time. A round that fails in the middle leaves what the one before found: a Worker does not go because its storage
 * is slow. What cannot be read of one agent is passed over, for this round.
 */
#include "hiclaw/stored.h"

#include <stdlib.h>

#include "hiclaw/names.h"
#include "hiclaw/s3_rounds.h"

#define AGENTS BYTES("agents/")
#define CONFIG BYTES("openclaw.json")
#define RECORD BYTES("model.json")
/* Lists of one round. */
#define ROUND_ARENA_MAX ((size_t)64 << 20)
#define KEY_MAX 128u

struct stored_agent {
	struct bytes name;
	bool has_config;
	char etag[S3_ETAG_MAX + 1]; /* of the record; "": there is none */
	bool is_read;               /* the record is one */
	bool left;                  /* stored_forget */
	struct record record;
};

struct round {
	struct arena arena;
	struct stored_agent *v; /* by name */
	size_t n;
};

struct stored {
	struct stored_opts o;
	struct s3_rounds rounds;
	char key[KEY_MAX];
	size_t key_n;
	struct round *last; /* NULL: none was whole yet */
	struct round *now;  /* under way */
	size_t at;          /* of now */
};

static void ask_agent(struct stored *s);

/* --- rounds ------------------------------------------------------------------------------------------- */

static void round_free(struct round *r)
{
	if (r != NULL) {
		arena_done(&r->arena);
		free(r);
	}
}

static struct stored_agent *find_in(const struct round *r, struct bytes name)
{
	return r != NULL ? names_find(r->v, r->n, sizeof(*r->v), name) : NULL;
}

static void fail_round(struct stored *s)
{
	round_free(s->now);
	s->now = NULL;
	s3_rounds_fail(&s->rounds);
}

static void end_round(struct stored *s)
{
	round_free(s->last);
	s->last = s->now;
	s->now = NULL;
	s3_rounds_end(&s->rounds);
	for (size_t i = 0; i < s->last->n; i++) {
		if (s->last->v[i].is_read && !s->last->v[i].left) {
			s->o.on_record(s->o.arg, s->last->v[i].name, &s->last->v[i].record);
		}
	}
}

/* --- requests ----------------------------------------------------------------------------------------- */

/* "agents/alice/model.json" */
static void set_key(struct stored *s, struct bytes name, struct bytes file)
{
	struct text t;

	text_init_fixed(&t, s->key, sizeof(s->key));
	text_add_bytes(&t, AGENTS);
	if (name.n != 0) {
		text_addf(&t, BYTES_FMT "/" BYTES_FMT, BYTES_ARG(name), BYTES_ARG(file));
	}
	s->key_n = t.n;
}

static struct bytes key_of(const struct stored *s)
{
	return bytes_of(s->key, s->key_n);
}

static void next_agent(struct stored *s)
{
	s->at++;
	ask_agent(s);
}

static void on_record(struct s3_rounds *rounds)
{
	struct stored *s = CONTAINER_OF(rounds, struct stored, rounds);
	const struct s3_call *call = &rounds->call;
	struct stored_agent *a = &s->now->v[s->at];
	struct bytes text;

	if (call->rc != S3_OK) {
		a->etag[0] = '\0'; /* asked for again in the next round */
		next_agent(s);
		return;
	}
	text = text_bytes(&call->content);
	if (text.n <= RECORD_TEXT_MAX) {
		text = arena_copy(&s->now->arena, text);
		a->is_read =
			text.p != NULL && record_read(&s->now->arena, text, &a->record, NULL) == 0;
	}
	next_agent(s);
}

/* What the last round read of the same bytes. */
static bool take_before(struct stored *s, struct stored_agent *a)
{
	const struct stored_agent *b = find_in(s->last, a->name);

	if (b == NULL || strcmp(b->etag, a->etag) != 0) {
		return false;
	}
	a->is_read = b->is_read;
	a->record = b->record;
	a->record.root = NULL;
	a->record.provider = arena_copy(&s->now->arena, b->record.provider);
	a->record.model = arena_copy(&s->now->arena, b->record.model);
	return true;
}

static void on_files(struct s3_rounds *rounds)
{
	struct stored *s = CONTAINER_OF(rounds, struct stored, rounds);
	const struct s3_call *call = &rounds->call;
	struct stored_agent *a = &s->now->v[s->at];
	size_t skip = s->o.key_prefix.n + s->key_n;

	if (s3_rounds_is_outage(rounds)) { /* else this agent's files are forbidden, or gone */
		fail_round(s);
		return;
	}
	for (const struct s3_object *o = call->rc == S3_OK ? call->listing.first : NULL; o != NULL;
		o = o->next) {
		struct bytes file =
			o->key.n > skip ? bytes_of(o->key.p + skip, o->key.n - skip) : BYTES("");

		a->has_config = a->has_config || bytes_eq(file, CONFIG);
		if (bytes_eq(file, RECORD) && o->etag.n <= S3_ETAG_MAX) {
			memcpy(a->etag, o->etag.p, o->etag.n);
		}
	}
	if (a->etag[0] == '\0' || take_before(s, a)) {
		next_agent(s);
	} else {
		set_key(s, a->name, RECORD);
		s3_rounds_ask(rounds, S3_GET, key_of(s), false, on_record);
	}
}

static void ask_agent(struct stored *s)
{
	if (s->at == s->now->n) {
		end_round(s);
		return;
	}
	set_key(s, s->now->v[s->at].name, BYTES(""));
	s3_rounds_ask(&s->rounds, S3_LIST, key_of(s), false, on_files);
}

/* The Manager has records too, but is no Worker. */
static bool is_agent(struct bytes name)
{
	return names_is_worker(name) || bytes_eq(name, BYTES("manager"));
}

static void on_agents(struct s3_rounds *rounds)
{
	struct stored *s = CONTAINER_OF(rounds, struct stored, rounds);
	const struct s3_call *call = &rounds->call;
	struct round *r = s->now;
	size_t skip = s->o.key_prefix.n + AGENTS.n;

	if (call->rc != S3_OK) {
		fail_round(s);
		return;
	}
	for (const struct s3_object *o = call->listing.first_prefix;
		o != NULL && r->n < STORED_AGENTS_MAX; o = o->next) {
		struct bytes name = o->key.n > skip ? bytes_of(o->key.p + skip, o->key.n - skip - 1)
						    : BYTES("");

		if (is_agent(name)) {
			r->v[r->n++] = (struct stored_agent){.name = arena_copy(&r->arena, name)};
		}
	}
	qsort(r->v, r->n, sizeof(*r->v), names_order);
	s->at = 0;
	ask_agent(s);
}

static void begin(struct s3_rounds *rounds)
{
	struct stored *s = CONTAINER_OF(rounds, struct stored, rounds);

	s->now = must_alloc(sizeof(*s->now));
	arena_init(&s->now->arena, ROUND_ARENA_MAX);
	s->now->v = arena_must(&s->now->arena, STORED_AGENTS_MAX * sizeof(*s->now->v));
	set_key(s, BYTES(""), BYTES(""));
	s3_rounds_ask(rounds, S3_LIST, key_of(s), false, on_agents);
}

/* --- asked -------------------------------------------------------------------------------------------- */

size_t stored_count(const struct stored *s)
{
	return s != NULL && s->last != NULL ? s->last->n : 0;
}

struct bytes stored_at(const struct stored *s, size_t i)
{
	return s->last->v[i].has_config ? s->last->v[i].name : BYTES("");
}

bool stored_has(const struct stored *s, struct bytes worker)
{
	const struct stored_agent *a = s != NULL ? find_in(s->last, worker) : NULL;

	return a != NULL && a->has_config;
}

void stored_forget(struct stored *s, struct bytes target)
{
	struct stored_agent *a = s != NULL ? find_in(s->now, target) : NULL;

	if (a != NULL) {
		a->left = true;
	}
}

struct bytes stored_why(const struct stored *s)
{
	return s != NULL ? s3_rounds_why(&s->rounds) : BYTES("");
}

/* --- life --------------------------------------------------------------------------------------------- */

struct stored *stored_new(const struct stored_opts *o)
{
	struct stored *s = must_alloc(sizeof(*s));

	s->o = *o;
	s->rounds = (struct s3_rounds){.loop = o->loop,
		.s3 = o->s3,
		.every_ms = o->every_ms != 0 ? o->every_ms : STORED_MS,
		.what = "Workers of the object storage are not listed",
		.begin = begin};
	s3_rounds_start(&s->rounds);
	return s;
}

void stored_free(struct stored *s)
{
	if (s == NULL) {
		return;
	}
	s3_rounds_stop(&s->rounds);
	round_free(s->last);
	round_free(s->now);
	free(s);
}
