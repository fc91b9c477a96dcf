#define _GNU_SOURCE
/*
 * Steps: who asks (a cookie is checked at once, a password on a jobs thread), the body, the work, the answer.
 * Whoever is refused is answered without a look at the body.
 */
#include "console/errand.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/num.h"
#include "console/console_int.h"
#include "console/password.h"
#include "console/session.h"

#define ARENA_MAX ((size_t)1 << 30)
#define ANSWER_MAX ((size_t)256 << 20)
/* How long a password that was right is believed without being hashed again. */
#define BASIC_MS 60000u
/* Bytes of a body that wait in segments. */
#define BODY_WANT ((size_t)4 * SEG_ROOM)

enum errand_step { ERRAND_WHO, ERRAND_BODY, ERRAND_WORK };

struct errand {
	struct list link; /* of the console's */
	struct console *console;
	struct call *call; /* NULL: the client has left, or was answered */
	enum errand_step step;
	bool working; /* on a jobs thread or in the queue of writes: not to be freed */
	bool slow;    /* what was waited for is too late: the client has been told */
	struct arena arena;
	struct act act;
	size_t body_max;
	struct text body;
	size_t counted; /* of the console's bodies */
	struct job job;
	struct write write;
	struct snapshot *snapshot;
	struct timer deadline;
	/* of a password that is checked */
	char basic[SESSION_BASIC_MAX];
	unsigned char basic_key[DIGEST_SHA256_SIZE];
	struct bytes name, password;
	bool right;
	/* the answer */
	unsigned status;
	struct text answer;
};

/* --- life --------------------------------------------------------------------------------------- */

static struct bytes keep(struct errand *t, struct bytes b)
{
	return arena_copy(&t->arena, b);
}

static struct errand *new_errand(struct call *c)
{
	struct errand *t = must_alloc(sizeof(*t));
	struct console *console = c->console;

	t->console = console;
	t->call = c;
	arena_init(&t->arena, ARENA_MAX);
	t->act = (struct act){.env = &console->env,
		.account = account_ref(console->account),
		.now_s = (int64_t)(clock_wall_ms() / 1000)};
	t->act.method = keep(t, c->head->method);
	t->act.path = keep(t, c->url.path);
	t->act.query = keep(t, c->url.query);
	t->act.peer = keep(t, bytes_str(stream_peer(c->stream)));
	t->act.local = access_is_local(c);
	list_append(&console->errands, &t->link);
	c->errand = t;
	return t;
}

static void free_errand(struct errand *t)
{
	if (t->call != NULL) {
		t->call->errand = NULL;
	}
	list_remove(&t->link);
	list_remove(&t->write.link);
	if (t->console != NULL) {
		timer_clear(t->console->loop, &t->deadline);
		t->console->bodies -= t->counted;
	}
	explicit_bzero(t->basic, sizeof(t->basic));
	if (t->body.n != 0) {
		explicit_bzero(t->body.p, t->body.n); /* it may be a log-in */
	}
	text_done(&t->body);
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
			timer_clear(t->console->loop, &t->deadline);
			list_remove(&t->link);
			t->console = NULL;
		} else {
			free_errand(t);
		}
	}
}

void errand_forget(struct errand *t)
{
	if (t == NULL) {
		return;
	}
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
		c->errand = NULL;
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

static bool put_cookie(struct errand *t, struct text *out)
{
	const struct account *account = t->console->account;
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
		account_unref(t->console->account);
		t->console->account = account_ref(t->act.account_next);
	}
}

/* A log-in that failed counts. */
static void count_failure(struct errand *t)
{
	if (t->status == 401 && t->act.endpoint->access == ACT_ANONYMOUS) {
		throttle_failed(
			&t->console->throttle, t->act.peer.p, loop_now_ms(t->console->loop));
	}
}

static void finish(struct errand *t)
{
	t->working = false;
	if (t->console == NULL) {
		free_errand(t);
		return;
	}
	timer_clear(t->console->loop, &t->deadline);
	take_account(t);
	count_failure(t);
	reply(t);
	free_errand(t);
}

/* --- work --------------------------------------------------------------------------------------- */

static void on_read(struct job *j)
{
	struct errand *t = CONTAINER_OF(j, struct errand, job);

	if (t->console != NULL) {
		t->console->checks -= t->act.endpoint->access == ACT_ANONYMOUS;
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

	if (t->act.endpoint->effect != ACT_KEEPS) {
		act_commit(&t->act, &t->arena, c);
	} else {
		act_run(&t->act, &t->arena, NULL);
	}
	write_answer(t);
}

/* The account as it is when the write's turn has come. */
static void begin_write(struct write *w)
{
	struct errand *t = CONTAINER_OF(w, struct errand, write);

	account_unref(t->act.account);
	t->act.account = account_ref(t->console->account);
}

static void on_written(struct write *w)
{
	struct errand *t = CONTAINER_OF(w, struct errand, write);

	if (t->slow) {
		log_warn("console",
			BYTES_FMT " " BYTES_FMT " is live, %u ms after it was asked for",
			BYTES_ARG(t->act.method), BYTES_ARG(t->act.path), ERRAND_WRITE_MS);
	}
	finish(t);
}

static void on_deadline(struct timer *timer)
{
	static const struct header retry = {{"Retry-After", 11}, {"5", 1}};
	struct errand *t = CONTAINER_OF(timer, struct errand, deadline);
	struct call *c;

	if (write_cancel(&t->write)) {
		t->working = false;
		refuse(t, 503, &retry,
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
	static const struct header retry = {{"Retry-After", 11}, {"5", 1}};
	const struct writer *writer = &t->console->opts.writer;

	t->write = (struct write){.begin = begin_write, .work = run_write, .on_done = on_written};
	if (!writer->submit(writer->arg, &t->write)) {
		refuse(t, 503, &retry, "too many changes wait for their turn; try again");
		return;
	}
	t->working = true;
	timer_set(t->console->loop, &t->deadline, ERRAND_WRITE_MS, on_deadline);
}

static void work(struct errand *t)
{
	const struct writer *writer = &t->console->opts.writer;

	t->step = ERRAND_WORK;
	t->act.text = text_bytes(&t->body);
	if (t->act.endpoint->effect != ACT_READS) {
		submit_write(t);
		return;
	}
	t->snapshot = writer->snapshot(writer->arg);
	t->working = true;
	t->console->checks += t->act.endpoint->access == ACT_ANONYMOUS;
	t->job = (struct job){.home = t->console->loop, .work = run_read, .on_done = on_read};
	jobs_submit(t->console->jobs, &t->job);
}

/* --- the body ----------------------------------------------------------------------------------- */

/* False: refused. */
static bool take_body(struct errand *t)
{
	static const struct header retry = {{"Retry-After", 11}, {"5", 1}};
	struct stream *s = t->call->stream;
	size_t n = s->body.n;

	if (t->body.n + n > t->body_max) {
		refuse(t, 413, NULL, "the body is too large");
		return false;
	}
	if (t->console->bodies + n > ERRAND_BODIES_MAX) {
		refuse(t, 503, &retry, "too much is being sent at once; try again");
		return false;
	}
	t->counted += n;
	t->console->bodies += n;
	for (const struct seg *seg = s->body.head; seg != NULL; seg = seg->next) {
		text_add(&t->body, seg->data + seg->beg, seg->end - seg->beg);
	}
	chain_drop(s->pool, &s->body, n);
	return true;
}

void errand_on_body(struct errand *t)
{
	struct stream *s = t->call->stream;

	if (t->step != ERRAND_BODY || !take_body(t)) {
		return;
	}
	if (s->in == STREAM_IN_END) {
		work(t);
	} else {
		stream_want(s, BODY_WANT);
	}
}

static void gather(struct errand *t)
{
	struct stream *s = t->call->stream;

	t->step = ERRAND_BODY;
	t->body_max =
		t->act.endpoint->access == ACT_ADMIN ? ERRAND_BODY_MAX : ERRAND_BODY_MAX_ANYBODY;
	text_init(&t->body, t->body_max);
	if (s->in != STREAM_IN_BODY) {
		errand_on_body(t);
		return;
	}
	if (s->head.length != HEAD_NO_LENGTH && s->head.length > t->body_max) {
		refuse(t, 413, NULL, "the body is too large");
		return;
	}
	stream_send_continue(s);
	stream_want(s, BODY_WANT);
	errand_on_body(t);
}

/* --- who asks ----------------------------------------------------------------------------------- */

static const char login_first[] = "Login required.";

static struct basic_entry *find_basic(struct console *c, const unsigned char *key)
{
	uint64_t now = loop_now_ms(c->loop);

	for (size_t i = 0; i < CONSOLE_BASIC_MAX; i++) {
		struct basic_entry *e = &c->basic[i];

		if (e->until_ms > now && e->generation == c->account->generation &&
			memcmp(e->key, key, DIGEST_SHA256_SIZE) == 0) {
			return e;
		}
	}
	return NULL;
}

static void remember_basic(struct console *c, const unsigned char *key)
{
	struct basic_entry *oldest = &c->basic[0];

	for (size_t i = 1; i < CONSOLE_BASIC_MAX; i++) {
		if (c->basic[i].until_ms < oldest->until_ms) {
			oldest = &c->basic[i];
		}
	}
	memcpy(oldest->key, key, DIGEST_SHA256_SIZE);
	oldest->until_ms = loop_now_ms(c->loop) + BASIC_MS;
	oldest->generation = c->account->generation;
}

static void check_password(struct job *j)
{
	struct errand *t = CONTAINER_OF(j, struct errand, job);
	const struct account *a = t->act.account;
	bool known = bytes_eq_secret(t->name, a->name);

	t->right = password_is(t->password, a->initialized ? a->hash : BYTES("")) && known;
}

static void pass(struct errand *t)
{
	t->act.user = keep(t, t->console->account->name);
	gather(t);
}

static void on_checked(struct job *j)
{
	struct errand *t = CONTAINER_OF(j, struct errand, job);
	struct console *c = t->console;

	t->working = false;
	explicit_bzero(t->basic, sizeof(t->basic));
	if (c == NULL) {
		free_errand(t);
		return;
	}
	c->checks--;
	if (!t->right) {
		throttle_failed(&c->throttle, t->act.peer.p, loop_now_ms(c->loop));
		refuse(t, 401, NULL, login_first);
		return;
	}
	remember_basic(c, t->basic_key);
	if (t->call == NULL) {
		free_errand(t);
		return;
	}
	pass(t);
}

/* Whether a password may be tried now; if not, it is refused. */
static bool may_try(struct errand *t)
{
	struct console *c = t->console;
	char seconds[16];
	struct header retry = {BYTES("Retry-After"), {NULL, 0}};
	unsigned wait_s = 1;

	if (throttle_may(&c->throttle, t->act.peer.p, loop_now_ms(c->loop), &wait_s) &&
		c->checks < ERRAND_CHECKS_MAX) {
		return true;
	}
	retry.value = bytes_of(seconds, num_format_u64(seconds, wait_s));
	refuse(t, 429, &retry, "too many log-ins have failed; wait a moment");
	return false;
}

static void check_basic(struct errand *t, struct bytes header)
{
	struct console *c = t->console;

	if (!c->account->initialized || !session_basic(header, t->basic, &t->name, &t->password)) {
		refuse(t, 401, NULL, login_first);
		return;
	}
	digest_hmac_sha256(t->basic_key,
		bytes_of((const char *)c->account->key, sizeof(c->account->key)), header);
	if (find_basic(c, t->basic_key) != NULL) {
		pass(t);
		return;
	}
	if (!may_try(t)) {
		return;
	}
	c->checks++;
	t->working = true;
	t->job = (struct job){.home = c->loop, .work = check_password, .on_done = on_checked};
	jobs_submit(c->jobs, &t->job);
}

static void identify(struct errand *t)
{
	const struct head *h = t->call->head;
	const struct console *c = t->console;
	struct bytes cookie = session_cookie_of(h);
	bool known = cookie.p != NULL && session_token_is_good(c->account, cookie);

	if (known) {
		pass(t);
	} else if (t->act.endpoint->access == ACT_ADMIN) {
		check_basic(t, head_get(h, FIELD_AUTHORIZATION));
	} else if (t->act.endpoint->effect == ACT_READS && t->call->head->has_body && !may_try(t)) {
		return; /* a log-in, the only one of these that brings something */
	} else {
		gather(t);
	}
}

bool errand_begin(struct call *c)
{
	struct errand *t = new_errand(c);
	struct bytes if_match = {NULL, 0};
	struct header allow = {BYTES("Allow"), {NULL, 0}};
	struct text methods;
	enum act_found found;

	text_init(&methods, 256);
	found = act_find(c->console->env.endpoints, &t->arena, &t->act, c->url.path, &methods);
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
