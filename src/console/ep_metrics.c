/*
 * One scrape at a time: the workers are asked, a jobs thread writes the page, all who waited for it get
 * it. Who comes meanwhile waits for the next, so that no page is older than the request for it.
 */
#include "console/ep_metrics.h"

#include <stdlib.h>

#include "base/num.h"
#include "console/console_int.h"
#include "manage/access.h"
#include "manage/who.h"
#include "meter/exposition.h"

struct scrape {
	struct console *console; /* NULL: it is gone, and the job comes back to nobody */
	struct list waiting;     /* calls for the next page */
	struct list served;      /* calls for the one that is being made */
	struct list askers;      /* whose password is being checked */
	struct report_ask *ask;  /* while the workers answer */
	struct job job;
	bool working; /* on the jobs thread */
	struct process process;
	struct report *report;
	struct metrics_facts facts;
	struct text text;
	unsigned pages; /* that are still being sent */
};

/* Somebody from elsewhere who brings what the administrator would. */
struct asker {
	struct list link; /* of the scrape's */
	struct scrape *scrape;
	struct call *call; /* NULL: the client has left */
	struct call_work work;
	struct who who;
};

static void start(struct scrape *s);

struct scrape *ep_metrics_new(struct console *c)
{
	struct scrape *s = must_alloc(sizeof(*s));

	s->console = c;
	list_init(&s->waiting);
	list_init(&s->served);
	list_init(&s->askers);
	process_open(&s->process);
	return s;
}

static void free_now(struct scrape *s)
{
	process_close(&s->process);
	report_free(s->report);
	text_done(&s->text);
	free(s);
}

void ep_metrics_free(struct scrape *s)
{
	s->console = NULL;
	while (!list_empty(&s->askers)) {
		struct asker *k = CONTAINER_OF(s->askers.next, struct asker, link);

		list_remove(&k->link);
		who_orphan(&k->who);
	}
	if (s->ask != NULL) {
		report_cancel(s->ask);
	}
	if (!s->working) {
		free_now(s);
	}
}

static void reply_all(struct scrape *s, struct page *page)
{
	static const struct header retry = {{"Retry-After", 11}, {"5", 1}};

	while (!list_empty(&s->served)) {
		struct call *c = CONTAINER_OF(s->served.next, struct call, wait);

		if (page != NULL) {
			call_reply(c, 200, EXPOSITION_TYPE, page, NULL);
		} else {
			call_refuse(c, 503, &retry,
				"the metrics cannot be given out now: too many pages are being read, or "
				"they are too large; scrape less often, or lower --limit series-max");
		}
	}
}

static void on_written(struct job *j)
{
	struct scrape *s = CONTAINER_OF(j, struct scrape, job);
	struct page *page = NULL;

	s->working = false;
	report_free(s->report);
	s->report = NULL;
	if (s->console == NULL) {
		free_now(s);
		return;
	}
	if (!text_full(&s->text)) {
		page = page_new(&s->text);
		page->count = &s->pages;
		s->pages++;
	} else {
		text_done(&s->text);
	}
	reply_all(s, page);
	page_unref(page);
	start(s);
}

static void write_page(struct job *j)
{
	struct scrape *s = CONTAINER_OF(j, struct scrape, job);

	process_read(&s->process, &s->facts.process);
	text_init(&s->text, METRICS_TEXT_MAX);
	metrics_write(s->report, &s->facts, &s->text);
}

static void on_report(struct report *r, void *arg)
{
	struct scrape *s = arg;
	const struct console_opts *opts = &s->console->opts;

	s->ask = NULL;
	s->report = r;
	opts->facts(opts->arg, &s->facts);
	s->working = true;
	s->job = (struct job){
		.home = manage_loop(s->console->manage), .work = write_page, .on_done = on_written};
	jobs_submit(manage_jobs(s->console->manage), &s->job);
}

static void start(struct scrape *s)
{
	if (list_empty(&s->waiting) || s->ask != NULL || s->working) {
		return;
	}
	list_splice(&s->served, &s->waiting);
	if (s->pages >= CONSOLE_PAGES_MAX) {
		reply_all(s, NULL);
		return;
	}
	s->ask = report_ask(s->console->opts.gateway, on_report, s);
}

/* --- who asks ----------------------------------------------------------------------------------- */

static void admit(struct scrape *s, struct call *c)
{
	list_append(&s->waiting, &c->wait);
	start(s);
}

static void refuse_asker(struct call *c, enum who_rc rc, unsigned wait_s)
{
	char seconds[NUM_U64_MAX];
	struct header retry = {BYTES("Retry-After"), {NULL, 0}};

	retry.value = bytes_of(seconds, num_format_u64(seconds, wait_s));
	if (rc == WHO_LATER) {
		call_refuse(c, 429, &retry, "too many log-ins have failed; wait a moment");
	} else {
		call_refuse(c, 401, NULL, "Login required.");
	}
}

static void on_known(struct who *w, enum who_rc rc)
{
	struct asker *k = CONTAINER_OF(w, struct asker, who);
	struct call *c = k->call;

	if (c != NULL) {
		c->work = NULL;
	}
	if (c != NULL && rc == WHO_ADMIN) {
		admit(k->scrape, c);
	} else if (c != NULL && rc != WHO_GONE) {
		refuse_asker(c, rc, w->wait_s);
	}
	list_remove(&k->link);
	free(k);
}

static void on_body(struct call_work *w)
{
	(void)w; /* nobody wants it */
}

static void on_end(struct call_work *w)
{
	CONTAINER_OF(w, struct asker, work)->call = NULL;
}

static void ask_who(struct scrape *s, struct call *c)
{
	struct asker *k = must_alloc(sizeof(*k));

	k->scrape = s;
	k->call = c;
	k->work = (struct call_work){.on_body = on_body, .on_end = on_end};
	c->work = &k->work;
	list_append(&s->askers, &k->link);
	who_ask(&k->who, s->console->manage, c, on_known); /* on_known ends it, now or later */
}

static bool may_be_administrator(const struct head *h)
{
	return session_cookie_of(h).p != NULL ||
		bytes_starts_nocase(head_get(h, FIELD_AUTHORIZATION), BYTES("Basic "));
}

void ep_metrics(struct console *console, struct call *c)
{
	static const struct header bearer = {
		{"WWW-Authenticate", 16}, {"Bearer realm=\"metrics\"", 22}};
	const char *token = console->opts.metrics_token;

	if (access_is_local(c) || access_has_token(c, token)) {
		admit(console->scrape, c);
	} else if (may_be_administrator(c->head)) {
		ask_who(console->scrape, c);
	} else if (token == NULL) {
		call_refuse(c, 403, NULL,
			"metrics are open to this machine by its address or as localhost, and to the "
			"administrator; start with --metrics-token to read them with a token");
	} else {
		call_refuse(c, 401, &bearer,
			"metrics are read from elsewhere with the metrics token as bearer, or as the "
			"administrator");
	}
}
