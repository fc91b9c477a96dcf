#define _GNU_SOURCE
/*
 * Steps: who asks, the body, the work, the answer. Whoever is refused is answered without a look at the body.
 */
#include "console/errand.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "console/console_int.h"
#include "manage/access.h"
#include "manage/body.h"
#include "manage/who.h"

#define ARENA_MAX ((size_t)1 << 30)
#define ANSWER_MAX ((size_t)256 << 20)

enum errand_step { ERRAND_WHO, ERRAND_BODY, ERRAND_WORK };

struct errand {
	struct list link; /* of the console's */
	struct console *console;
	struct manage *manage;
	struct call *call; /* NULL: the client has left, or was answered */
	struct call_work calls;
	enum errand_step step;
	bool working; /* on a jobs thread or in the queue of writes: not to be freed */
	bool over;    /* the password has changed while the write waited */
	bool taken;   /* of the throttle: a password that is being checked */
	bool slow;    /* what was waited for is too late: the client has been told */
	struct arena arena;
	struct act act;
	struct who who;
	struct body body;
	struct job job;
	struct write write;
	struct snapshot *snapshot;
	struct timer deadline;
	/* the answer */
	unsigned status;
	struct text answer;
};

static const struct header retry_soon = {{"Retry-After", 11}, {"5", 1}};
static const char login_first[] = "Login required.";

/* --- life --------------------------------------------------------------------------------------- */

static void on_body(struct call_work *w);
static void on_end(struct call_work *w);

static struct bytes keep(struct errand *t, struct bytes b)
{
	return arena_copy(&t->arena, b);
}

static bool asks_for_masks(const struct head *h)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (bytes_eq_nocase(head_name(h, i), BYTES("X-Sluice-Secrets"))) {
			return bytes_eq(head_value(h, i), BYTES("masked"));
		}
	}
	return false;
}

static struct errand *new_errand(struct console *console, struct call *c)
{
	struct errand *t = must_alloc(sizeof(*t));

	t->console = console;
	t->manage = console->manage;
	t->call = c;
	t->calls = (struct call_work){.on_body = on_body, .on_end = on_end};
	arena_init(&t->arena, ARENA_MAX);
	t->act = (struct act){.env = &console->env,
		.account = account_ref(manage_account(t->manage)),
		.now_s = (int64_t)(clock_wall_ms() / 1000)};
	t->act.method = keep(t, c->head->method);
	t->act.path = keep(t, c->url.path);
	t->act.query = keep(t, c->url.query);
	t->act.peer = keep(t, bytes_str(call_peer(c)));
	t->act.local = access_is_local(c);
	t->act.masked = asks_for_masks(c->head);
	list_append(&console->errands, &t->link);
	c->work = &t->calls;
	return t;
}

static void free_errand(struct errand *t)
{
	if (t->call != NULL) {
		t->call->work = NULL;
	}
	list_remove(&t->link);
	list_remove(&t->write.link);
	if (t->console != NULL) {
		timer_clear(manage_loop(t->manage), &t->deadline);
	}
	body_done(&t->body);
	text_done(&t->answer);
	snapshot_unref(t->snapshot);
	act_done(&t->act);
	arena_done(&t->arena);
	free(t);
}

void errand_free_all(struct list *errands)
{
	while (!list_empty(errands)) {
		struct errand *t = CONTAINER_OF(errands->next, struct errand, link);

		if (t->working && !write_cancel(&t->write)) {
			/* It comes back to nobody. */
			timer_clear(manage_loop(t->manage), &t->deadline);
			body_orphan(&t->body);
			who_orphan(&t->who);
			list_remove(&t->link);
			t->console = NULL;
		} else {
			free_errand(t);
		}
	}
}

static void on_end(struct call_work *w)
{
	struct errand *t = CONTAINER_OF(w, struct errand, calls);

	t->call = NULL;
	if (!t->working) {
		free_errand(t);
	}
}

/* The call, for the answer; the errand is not told of its end any more. NULL: the client has left. */
static struct call *take_call(struct errand *t)
{
	struct call *c = t->call;

	t->call = NULL;
	if (c != NULL) {
		c->work = NULL;
	}
	return c;
}

/* Refuses and frees. */
static void refuse(struct errand *t, unsigned status, const struct header *extra, const char *why)
{
	struct call *c = take_call(t);

	if (c != NULL) {
		call_refuse(c, status, extra, "%s", why);
	}
	free_errand(t);
}

/* --- the answer --------------------------------------------------------------------------------- */

/* On a jobs thread. */
static void write_answer(struct errand *t)
{
	text_init(&t->answer, ANSWER_MAX);
	t->status = act_envelope(&t->act, &t->arena, &t->answer);
	if (text_full(&t->answer)) {
		text_clear(&t->answer);
		t->answer.full = false;
		act_refuse(&t->act, 500, "the answer is too large; ask for pages");
		t->status = act_envelope(&t->act, &t->arena, &t->answer);
	}
}

/* Of the account that the password was compared with: when it has changed since, the session is over. */
static bool put_cookie(struct errand *t, struct text *out)
{
	const struct account *account = t->act.account;
	struct text token;

	if (t->act.cookie == ACT_COOKIE_NONE) {
		return false;
	}
	text_init(&token, 4096);
	if (t->act.cookie != ACT_COOKIE_DELETED) {
		session_token(account, t->act.now_s, &token);
	}
	session_set_cookie(text_bytes(&token), t->act.cookie == ACT_COOKIE_KEPT, out);
	text_done(&token);
	return true;
}

static void reply(struct errand *t)
{
	struct call *c = take_call(t);
	struct header extra[3];
	struct text cookie;
	struct page *page;
	size_t n = 0;

	if (c == NULL) {
		return;
	}
	text_init(&cookie, 8192);
	if (put_cookie(t, &cookie)) {
		extra[n++] = (struct header){BYTES("Set-Cookie"), text_bytes(&cookie)};
	}
	if (t->act.etag.n != 0) {
		extra[n++] = (struct header){BYTES("ETag"), t->act.etag};
	}
	if (t->status == 503) {
		extra[n++] = (struct header){BYTES("Retry-After"), BYTES("5")};
	}
	page = page_new(&t->answer);
	call_reply_with(
		c, t->status, page->text.n != 0 ? "application/json" : NULL, page, extra, n);
	page_unref(page);
	text_done(&cookie);
}

/* What the work has led to, for those that come after. */
static void take_account(struct errand *t)
{
	if (t->act.account_next != NULL) {
		manage_set_account(t->manage, account_ref(t->act.account_next));
	}
}

static void finish(struct errand *t)
{
	t->working = false;
	if (t->console == NULL) {
		free_errand(t);
		return;
	}
	timer_clear(manage_loop(t->manage), &t->deadline);
	take_account(t);
	reply(t);
	free_errand(t);
}

/* --- who is let pass ---------------------------------------------------------------------------- */

static void refuse_later(struct errand *t, unsigned wait_s)
{
	char seconds[16];
	struct header retry = {BYTES("Retry-After"), {NULL, 0}};

	retry.value = bytes_of(seconds, num_format_u64(seconds, wait_s));
	refuse(t, 429, &retry, "too many log-ins have failed; wait a moment");
}

/* The account as it is now. False: who was let pass by an older password is not any more. */
static bool renew_account(struct errand *t)
{
	struct account *now = manage_account(t->manage);
	bool same = now->generation == t->act.account->generation;

	account_ref(now);
	account_unref(t->act.account);
	t->act.account = now;
	return same || t->act.endpoint->access == ACT_ANONYMOUS;
}

/* Reads of people that nobody knows: a few at once, and those with a password by the throttle. False:
 * refused. */
static bool admit_stranger(struct errand *t)
{
	unsigned wait_s;

	if (t->act.endpoint->access != ACT_ANONYMOUS) {
		return true;
	}
	if (t->console->strangers >= ERRAND_STRANGERS_MAX) {
		refuse(t, 503, &retry_soon, "too much is being asked at once; try again");
		return false;
	}
	/* A log-in: the only one of these that reads and is no GET. */
	if (t->act.endpoint->effect == ACT_READS && t->act.endpoint->method[0] == 'P') {
		if (!who_take_check(t->manage, t->act.peer.p, &wait_s)) {
			refuse_later(t, wait_s);
			return false;
		}
		t->taken = true;
	}
	t->console->strangers++;
	return true;
}

/* --- work --------------------------------------------------------------------------------------- */

static void on_read(struct job *j)
{
	struct errand *t = CONTAINER_OF(j, struct errand, job);

	if (t->console != NULL) {
		t->console->strangers -= t->act.endpoint->access == ACT_ANONYMOUS;
		if (t->taken) {
			t->taken = false;
			who_give_check(t->manage, t->act.peer.p, t->act.cookie != ACT_COOKIE_NONE);
		}
	}
	finish(t);
}

static void run_read(struct job *j)
{
	struct errand *t = CONTAINER_OF(j, struct errand, job);

	act_run(&t->act, &t->arena, t->snapshot);
	write_answer(t);
}

static void run_write(struct write *w, struct commit *c)
{
	struct errand *t = CONTAINER_OF(w, struct errand, write);

	if (t->over) {
		act_refuse(&t->act, 401, "%s", login_first);
	} else if (t->act.endpoint->effect != ACT_KEEPS) {
		act_commit(&t->act, &t->arena, c);
	} else {
		act_run(&t->act, &t->arena, NULL);
	}
	write_answer(t);
}

static void begin_write(struct write *w)
{
	struct errand *t = CONTAINER_OF(w, struct errand, write);

	t->over = !renew_account(t);
}

static unsigned write_ms(const struct errand *t)
{
	unsigned ms = t->console->opts.write_ms;

	return ms != 0 ? ms : ERRAND_WRITE_MS;
}

static void on_written(struct write *w)
{
	struct errand *t = CONTAINER_OF(w, struct errand, write);

	if (t->slow) {
		log_warn("console",
			BYTES_FMT " " BYTES_FMT " is live, %u ms after it was asked for",
			BYTES_ARG(t->act.method), BYTES_ARG(t->act.path), write_ms(t));
	}
	finish(t);
}

static void on_deadline(struct timer *timer)
{
	struct errand *t = CONTAINER_OF(timer, struct errand, deadline);
	struct call *c;

	if (write_cancel(&t->write)) {
		t->working = false;
		refuse(t, 503, &retry_soon,
			"too many changes wait for their turn; nothing was changed, try again");
		return;
	}
	t->slow = true;
	c = take_call(t);
	if (c != NULL) {
		call_refuse(c, 504, NULL,
			"the change has begun, but is not live on every worker yet; read it again before "
			"you repeat it");
	}
}

static void submit_write(struct errand *t)
{
	const struct writer *writer = &t->console->opts.writer;

	t->write = (struct write){.begin = begin_write, .work = run_write, .on_done = on_written};
	if (!writer->submit(writer->arg, &t->write)) {
		refuse(t, 503, &retry_soon, "too many changes wait for their turn; try again");
		return;
	}
	t->working = true;
	timer_set(manage_loop(t->manage), &t->deadline, write_ms(t), on_deadline);
}

/* What a stranger may not change any more takes no place among those that change something. */
static bool is_queued(const struct errand *t)
{
	return t->act.endpoint->effect != ACT_READS &&
		(t->act.endpoint->access == ACT_ADMIN || !t->act.account->initialized);
}

static void work(struct errand *t)
{
	const struct writer *writer = &t->console->opts.writer;

	t->step = ERRAND_WORK;
	t->act.text = text_bytes(&t->body.text);
	t->calls.yields = false;
	if (!renew_account(t)) {
		refuse(t, 401, NULL, login_first);
		return;
	}
	if (is_queued(t)) {
		submit_write(t);
		return;
	}
	if (!admit_stranger(t)) {
		return;
	}
	t->snapshot = writer->snapshot(writer->arg);
	t->working = true;
	t->job = (struct job){.home = manage_loop(t->manage), .work = run_read, .on_done = on_read};
	jobs_submit(manage_jobs(t->manage), &t->job);
}

/* --- the body ----------------------------------------------------------------------------------- */

static void refuse_large(struct errand *t)
{
	size_t max = t->act.endpoint->body_max;
	char why[100];

	snprintf(why, sizeof(why), "the body is too large: at most %zu MiB are taken here",
		max >> 20);
	refuse(t, 413, NULL, max != 0 ? why : "the body is too large");
}

static void go_on(struct errand *t, enum body_rc rc)
{
	switch (rc) {
	case BODY_MORE:
		break;
	case BODY_WHOLE:
		work(t);
		break;
	case BODY_TOO_LARGE:
		refuse_large(t);
		break;
	case BODY_BUSY:
		refuse(t, 503, &retry_soon, "too much is being sent at once; try again");
		break;
	}
}

static void on_body(struct call_work *w)
{
	struct errand *t = CONTAINER_OF(w, struct errand, calls);

	if (t->step == ERRAND_BODY) {
		go_on(t, body_take(&t->body, t->call->stream));
	}
}

static void gather(struct errand *t)
{
	size_t max = t->act.endpoint->access != ACT_ADMIN ? ERRAND_BODY_MAX_ANYBODY
		: t->act.endpoint->body_max != 0          ? t->act.endpoint->body_max
							  : ERRAND_BODY_MAX;

	t->step = ERRAND_BODY;
	t->calls.yields = t->act.endpoint->access == ACT_ANONYMOUS;
	go_on(t, body_begin(&t->body, t->manage, t->call->stream, max));
}

/* --- who asks ----------------------------------------------------------------------------------- */

static void pass(struct errand *t)
{
	t->act.user = keep(t, manage_account(t->manage)->name);
	gather(t);
}

static void on_known(struct who *w, enum who_rc rc)
{
	struct errand *t = CONTAINER_OF(w, struct errand, who);

	t->working = false;
	if (rc == WHO_GONE || t->call == NULL) {
		free_errand(t);
	} else if (rc == WHO_ADMIN) {
		pass(t);
	} else if (rc == WHO_LATER) {
		refuse_later(t, w->wait_s);
	} else {
		refuse(t, 401, NULL, login_first);
	}
}

static void identify(struct errand *t)
{
	if (t->act.endpoint->access == ACT_ADMIN) {
		if (who_ask(&t->who, t->manage, t->call, on_known)) {
			t->working = true;
		}
	} else if (who_has_session(t->manage, t->call->head)) {
		pass(t);
	} else {
		gather(t);
	}
}

bool errand_begin(struct console *console, struct call *c)
{
	struct errand *t = new_errand(console, c);
	struct bytes if_match = {NULL, 0};
	struct header allow = {BYTES("Allow"), {NULL, 0}};
	struct text methods;
	enum act_found found;

	text_init(&methods, 256);
	found = act_find(console->env.endpoints, &t->arena, &t->act, c->url.path, &methods);
	allow.value = text_bytes(&methods);
	switch (found) {
	case ACT_NO_METHOD:
		refuse(t, 405, &allow, "this path does not take that method");
		break;
	case ACT_NO_PATH:
		take_call(t);
		free_errand(t);
		break;
	case ACT_FOUND:
		if (access_is_other_site(c)) {
			refuse(t, 403, NULL,
				"a page of another site may change nothing here; what passes requests on must "
				"send X-Forwarded-Host, or Host as it came");
			break;
		}
		for (unsigned i = 0; i < c->head->n_fields && if_match.p == NULL; i++) {
			if (bytes_eq_nocase(head_name(c->head, i), BYTES("if-match"))) {
				if_match = head_value(c->head, i);
			}
		}
		t->act.if_match = if_match.p != NULL ? keep(t, if_match) : if_match;
		identify(t);
		break;
	}
	text_done(&methods);
	return found != ACT_NO_PATH;
}
