/*
 * A round is GET, the edit on a jobs thread, perhaps HEAD, and PUT. Whether a server keeps to If-Match cannot be
 * seen in a success: until a 412 has shown it, the ETag is compared before each PUT as well, which leaves a gap of
 * one round trip instead of one of a whole edit. A PUT whose answer got lost is repeated, fails with 412 when it
 * had arrived, and the next round finds the object as it should be.
 */
#include "hiclaw/s3.h"

#include "hiclaw/s3_int.h"

static void begin_round(struct s3_edit *e);

/* --- the end ------------------------------------------------------------------------------------ */

static void end(struct s3_edit *e, enum s3_rc rc)
{
	list_remove(&e->link);
	e->s3 = NULL;
	e->rc = rc;
	e->on_done(e);
}

static void fail_as_call(struct s3_edit *e)
{
	e->why = e->call.why;
	end(e, e->call.rc);
}

const char *s3_edit_etag(const struct s3_edit *e)
{
	return e->etag;
}

void s3_edit_done(struct s3_edit *e)
{
	ASSERT(e->s3 == NULL);
	s3_call_done(&e->call);
	text_done(&e->before);
	text_done(&e->after);
}

void s3_edit_leave_all(struct s3 *s)
{
	while (!list_empty(&s->edits)) {
		struct s3_edit *e = CONTAINER_OF(s->edits.next, struct s3_edit, link);

		list_remove(&e->link);
		e->s3 = NULL;
	}
}

/* --- writing ------------------------------------------------------------------------------------ */

static void call(struct s3_edit *e, enum s3_verb verb, void (*on_done)(struct s3_call *c))
{
	s3_call_done(&e->call);
	e->call = (struct s3_call){.verb = verb,
		.key = e->key,
		.content_type = e->content_type,
		.on_done = on_done,
		.arg = e};
}

/* Somebody else has written it, or removed it. */
static void lost(struct s3_edit *e)
{
	if (e->rounds <= S3_EDIT_AGAIN_MAX) {
		begin_round(e);
		return;
	}
	IGNORE(fault_set(&e->why, ERR_AGAIN, 0, 0,
		"storage object " BYTES_FMT " was changed by others during each of %u edits",
		(int)MIN(e->key.n, 80), e->key.p, e->rounds));
	end(e, S3_CONFLICT);
}

static void put(struct s3_edit *e);

static void on_put(struct s3_call *c)
{
	struct s3_edit *e = c->arg;
	bool on_condition = c->only_new || c->if_match.n != 0;

	if (c->rc == S3_OK) {
		memcpy(e->etag, c->etag, sizeof(e->etag));
		e->changed = true;
		end(e, S3_OK);
	} else if (c->rc == S3_CONFLICT && on_condition) {
		if (c->status == 412) {
			e->s3->conditions = S3_CONDITIONS_KEPT;
		}
		lost(e);
	} else if (c->rc == S3_NOT_FOUND && e->existed && on_condition) {
		lost(e); /* If-Match of what was removed */
	} else if (c->rc == S3_UNSUPPORTED && on_condition) {
		e->s3->conditions = S3_CONDITIONS_REFUSED;
		put(e);
	} else {
		fail_as_call(e);
	}
}

static void on_head(struct s3_call *c)
{
	struct s3_edit *e = c->arg;
	bool exists = c->rc == S3_OK;

	if (!exists && c->rc != S3_NOT_FOUND) {
		fail_as_call(e);
	} else if (exists != e->existed || (exists && strcmp(c->etag, e->etag) != 0)) {
		lost(e);
	} else {
		e->guarded = true;
		put(e);
	}
}

static void put(struct s3_edit *e)
{
	enum s3_conditions known = e->s3->conditions;

	if (known != S3_CONDITIONS_KEPT && !e->guarded) {
		call(e, S3_HEAD, on_head);
		s3_start(e->s3, &e->call);
		return;
	}
	call(e, S3_PUT, on_put);
	e->call.body = text_bytes(&e->after);
	if (known != S3_CONDITIONS_REFUSED) {
		e->call.only_new = !e->existed;
		e->call.if_match = e->existed ? bytes_str(e->etag) : bytes_of(NULL, 0);
	}
	s3_start(e->s3, &e->call);
}

/* --- reading and editing ------------------------------------------------------------------------ */

static void work(struct job *j)
{
	struct s3_edit *e = CONTAINER_OF(j, struct s3_edit, job);
	struct bytes before = e->existed ? text_bytes(&e->before) : bytes_of(NULL, 0);

	if (e->existed && before.p == NULL) {
		before = BYTES("");
	}
	e->verdict = e->edit(e, before, &e->after, &e->why);
}

static void on_worked(struct job *j)
{
	struct s3_edit *e = CONTAINER_OF(j, struct s3_edit, job);

	if (e->s3 == NULL) {
		return; /* the client has gone */
	}
	if (e->verdict == S3_EDIT_REFUSE) {
		end(e, S3_EDIT_FAILED);
	} else if (e->verdict == S3_EDIT_SAME) {
		end(e, S3_OK);
	} else if (text_full(&e->after)) {
		IGNORE(fault_set(&e->why, ERR_LIMIT, 0, 0,
			"storage object " BYTES_FMT " would have more than %zu bytes",
			(int)MIN(e->key.n, 80), e->key.p, S3_OBJECT_MAX));
		end(e, S3_REFUSED);
	} else {
		put(e);
	}
}

static void on_get(struct s3_call *c)
{
	struct s3_edit *e = c->arg;

	if (c->rc != S3_OK && c->rc != S3_NOT_FOUND) {
		fail_as_call(e);
		return;
	}
	e->existed = c->rc == S3_OK;
	if (e->existed && c->etag[0] == '\0') {
		IGNORE(fault_set(&e->why, ERR_UNSUPPORTED, 0, 0,
			"storage gave no ETag with " BYTES_FMT
			", so that it cannot be changed safely",
			(int)MIN(e->key.n, 80), e->key.p));
		end(e, S3_BROKEN);
		return;
	}
	memcpy(e->etag, c->etag, sizeof(e->etag));
	e->before = c->content;
	c->content = (struct text){0};
	e->job = (struct job){.home = e->s3->loop, .work = work, .on_done = on_worked};
	jobs_submit(e->s3->o.jobs, &e->job);
}

static void begin_round(struct s3_edit *e)
{
	text_done(&e->before);
	text_done(&e->after);
	text_init(&e->after, S3_OBJECT_MAX);
	e->rounds++;
	e->guarded = false;
	call(e, S3_GET, on_get);
	s3_start(e->s3, &e->call);
}

void s3_edit_start(struct s3 *s, struct s3_edit *e)
{
	ASSERT(e->s3 == NULL && e->edit != NULL && s->o.jobs != NULL);
	e->s3 = s;
	e->changed = false;
	e->rounds = 0;
	e->why = (struct fault){0};
	list_append(&s->edits, &e->link);
	begin_round(e);
}
