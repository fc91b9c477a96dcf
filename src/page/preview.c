#include "page/preview.h"

#include <stdlib.h>

#include "base/clock.h"
#include "manage/access.h"
#include "manage/body.h"
#include "manage/page.h"
#include "manage/who.h"

#define PATH "/page/preview"

struct preview {
	struct list link;
	struct previews *previews;
	struct call *call; /* NULL: it has left */
	struct call_work work;
	struct who who;
	struct body body;
	struct snapshot *snapshot;
	struct plan_env plan;
	struct job job;
	bool working; /* job or who is under way */
	bool gathers; /* the body has not come whole */
	int rc;
	struct text answer;
	struct fault why;
};

struct previews {
	struct previews_opts opts;
	struct manage_app app;
	struct list open;
	unsigned n_open;
};

static void free_preview(struct preview *p)
{
	if (p->call != NULL) {
		p->call->work = NULL;
	}
	p->previews->n_open--;
	list_remove(&p->link);
	body_done(&p->body);
	snapshot_unref(p->snapshot);
	text_done(&p->answer);
	free(p);
}

static void on_end(struct call_work *w)
{
	struct preview *p = CONTAINER_OF(w, struct preview, work);

	p->call = NULL;
	if (!p->working) {
		free_preview(p);
	}
}

/* The call is not touched afterwards: its end may come from inside of what answers it. */
static struct call *let_go(struct preview *p)
{
	struct call *c = p->call;

	p->call = NULL;
	c->work = NULL;
	return c;
}

static void refuse(struct preview *p, unsigned status, const char *why)
{
	call_refuse(let_go(p), status, NULL, "%s", why);
	free_preview(p);
}

static void run(struct job *j)
{
	struct preview *p = CONTAINER_OF(j, struct preview, job);
	const struct previews_opts *opts = &p->previews->opts;
	const struct rehearse_env env = {.snapshot = p->snapshot,
		.plan = p->plan,
		.address_allowed = opts->address_allowed,
		.arg = opts->arg,
		.now_s = (int64_t)(clock_wall_ms() / 1000)};

	p->rc = rehearse(&env, text_bytes(&p->body.text), &p->answer, &p->why);
}

static void on_run(struct job *j)
{
	struct preview *p = CONTAINER_OF(j, struct preview, job);
	struct page *page;

	p->working = false;
	if (p->call == NULL) {
		free_preview(p);
	} else if (p->rc != 0) {
		refuse(p, p->rc == ERR_LIMIT ? 413 : 400, p->why.text);
	} else {
		page = page_new(&p->answer);
		call_reply(let_go(p), 200, "application/json", page, NULL);
		page_unref(page);
		free_preview(p);
	}
}

static void go_on(struct preview *p, enum body_rc rc)
{
	const struct previews_opts *opts = &p->previews->opts;

	p->gathers = rc == BODY_MORE;
	switch (rc) {
	case BODY_MORE:
		break;
	case BODY_WHOLE:
		p->snapshot = opts->writer->snapshot(opts->writer->arg);
		p->plan = opts->plan(opts->arg);
		p->plan.before = NULL;
		p->working = true;
		p->job = (struct job){
			.home = manage_loop(opts->manage), .work = run, .on_done = on_run};
		jobs_submit(manage_jobs(opts->manage), &p->job);
		break;
	case BODY_TOO_LARGE:
		refuse(p, 413, "the body is too large");
		break;
	case BODY_BUSY:
		refuse(p, 503, "too much is being sent at once; try again");
		break;
	}
}

static void on_body(struct call_work *w)
{
	struct preview *p = CONTAINER_OF(w, struct preview, work);

	if (p->gathers) {
		go_on(p, body_take(&p->body, p->call->stream));
	}
}

static void on_known(struct who *w, enum who_rc rc)
{
	struct preview *p = CONTAINER_OF(w, struct preview, who);

	p->working = false;
	if (rc == WHO_GONE || p->call == NULL) {
		free_preview(p);
	} else if (rc == WHO_LATER) {
		refuse(p, 429, "too many log-ins have failed; wait a moment");
	} else if (rc != WHO_ADMIN) {
		refuse(p, 401, "log in first");
	} else {
		go_on(p,
			body_begin(&p->body, p->previews->opts.manage, p->call->stream,
				PREVIEW_BODY_MAX));
	}
}

static struct preview *open_preview(struct previews *ps, struct call *c)
{
	struct preview *p = must_alloc(sizeof(*p));

	p->previews = ps;
	p->call = c;
	p->work = (struct call_work){.on_body = on_body, .on_end = on_end};
	text_init(&p->answer, REHEARSE_ANSWER_MAX);
	list_append(&ps->open, &p->link);
	ps->n_open++;
	c->work = &p->work;
	return p;
}

static bool begin(struct manage_app *app, struct call *c)
{
	struct previews *ps = CONTAINER_OF(app, struct previews, app);
	struct header allow = {BYTES("Allow"), BYTES("POST")};
	struct preview *p;

	if (!bytes_eq(c->url.path, BYTES(PATH))) {
		return false;
	}
	if (!bytes_eq(c->head->method, BYTES("POST"))) {
		call_refuse(c, 405, &allow, "this path takes POST only");
	} else if (access_is_other_site(c)) {
		call_refuse(c, 403, NULL, "a page of another site may ask nothing here");
	} else if (ps->n_open >= PREVIEW_OPEN_MAX) {
		call_refuse(c, 503, NULL,
			"%u previews are being made already; try again in a moment",
			PREVIEW_OPEN_MAX);
	} else {
		p = open_preview(ps, c);
		p->working = true; /* until on_known, which may come from inside of who_ask */
		IGNORE(who_ask(&p->who, ps->opts.manage, c, on_known));
	}
	return true;
}

struct previews *previews_new(const struct previews_opts *opts)
{
	struct previews *ps = must_alloc(sizeof(*ps));

	ps->opts = *opts;
	ps->app.begin = begin;
	list_init(&ps->open);
	manage_add(opts->manage, &ps->app);
	return ps;
}

void previews_free(struct previews *ps)
{
	if (ps == NULL) {
		return;
	}
	while (!list_empty(&ps->open)) {
		free_preview(CONTAINER_OF(ps->open.next, struct preview, link));
	}
	free(ps);
}
