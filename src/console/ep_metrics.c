/*
 * One scrape at a time: the workers are asked, a jobs thread writes the page, all who waited for it get
 * it. Who comes meanwhile waits for the next, so that no page is older than the request for it.
 */
#include "console/ep_metrics.h"

#include <stdlib.h>

#include "console/console_int.h"
#include "manage/access.h"
#include "meter/exposition.h"

struct scrape {
	struct console *console; /* NULL: it is gone, and the job comes back to nobody */
	struct list waiting;     /* calls for the next page */
	struct list served;      /* calls for the one that is being made */
	struct report_ask *ask;  /* while the workers answer */
	struct job job;
	bool working; /* on the jobs thread */
	struct process process;
	struct report *report;
	struct metrics_facts facts;
	struct text text;
	unsigned pages; /* that are still being sent */
};

static void start(struct scrape *s);

struct scrape *ep_metrics_new(struct console *c)
{
	struct scrape *s = must_alloc(sizeof(*s));

	s->console = c;
	list_init(&s->waiting);
	list_init(&s->served);
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

void ep_metrics(struct console *console, struct call *c)
{
	static const struct header bearer = {
		{"WWW-Authenticate", 16}, {"Bearer realm=\"metrics\"", 22}};
	const char *token = console->opts.metrics_token;
	struct scrape *s = console->scrape;

	if (!access_is_local(c) && !access_has_token(c, token)) {
		if (token == NULL) {
			call_refuse(c, 403, NULL,
				"metrics are open to this machine by its address or as localhost; start "
				"with --metrics-token to read them from elsewhere");
		} else {
			call_refuse(c, 401, &bearer,
				"metrics are read from elsewhere with the metrics token as bearer");
		}
		return;
	}
	list_append(&s->waiting, &c->wait);
	start(s);
}
