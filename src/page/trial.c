#include "page/trial.h"

#include <stdlib.h>

#include "base/num.h"
#include "manage/access.h"
#include "manage/body.h"
#include "manage/who.h"
#include "resource/op.h"
#include "wire/json.h"

#define PATH "/page/try"
#define USUAL_PATH "/v1/chat/completions"
#define USUAL_HOST "localhost"
#define WANT ((size_t)4 * SEG_ROOM)
#define MEMORY ((size_t)8 << 20)
#define ARENA_MAX ((size_t)64 << 20)
#define NAME_BYTES 256u
#define FIELD_BYTES 8192u

struct credential { /* how a consumer says who it is */
	struct bytes name, value;
	bool in_query;
};

struct trial {
	struct list link;
	struct trials *trials;
	struct call *call; /* NULL: it has left */
	struct call_work work;
	struct who who;
	struct body body;
	struct arena arena;
	struct snapshot *snapshot;
	struct job job;
	bool working; /* job or who is under way */
	bool gathers; /* the body has not come whole */
	/* What the job found out; why: nothing can be sent. */
	struct fault why;
	struct bytes host, target, request, header, header_value;
	/* The request to the gateway, and what comes back. */
	struct stream *up;
	struct stream_user user;
	struct stream_source source, answer;
	size_t sent;
	bool answered;
};

struct trials {
	struct trials_opts opts;
	struct manage_app app;
	struct list open;
	unsigned n_open;
	struct segpool pool;
	struct client *client;
};

/* --- the end ------------------------------------------------------------------------------------- */

static void free_trial(struct trial *t)
{
	if (t->call != NULL) {
		t->call->work = NULL;
	}
	if (t->up != NULL) {
		struct stream *up = t->up;

		t->up = NULL;
		stream_reset(up);
	}
	if (list_linked(&t->link)) {
		t->trials->n_open--;
	}
	list_remove(&t->link);
	body_done(&t->body);
	snapshot_unref(t->snapshot);
	arena_done(&t->arena);
	free(t);
}

static void on_end(struct call_work *w)
{
	struct trial *t = CONTAINER_OF(w, struct trial, work);

	t->call = NULL;
	if (!t->working) {
		free_trial(t);
	}
}

/* Refuses and frees. */
static void refuse(struct trial *t, unsigned status, const char *why)
{
	struct call *c = t->call;

	t->call = NULL;
	if (c != NULL) {
		c->work = NULL;
		call_refuse(c, status, NULL, "%s", why);
	}
	free_trial(t);
}

/* --- the answer of the gateway ------------------------------------------------------------------- */

static int answer_fill(struct stream_source *s, struct iovec *v, int max)
{
	const struct trial *t = CONTAINER_OF(s, struct trial, answer);
	int n = 0;

	if (t->up == NULL) {
		return 0;
	}
	for (struct seg *seg = t->up->body.head; seg != NULL && n < max; seg = seg->next) {
		v[n++] = (struct iovec){seg->data + seg->beg, seg->end - seg->beg};
	}
	return n;
}

static void answer_sent(struct stream_source *s, size_t n)
{
	struct trial *t = CONTAINER_OF(s, struct trial, answer);

	chain_drop(t->up->pool, &t->up->body, n);
	stream_want(t->up, WANT);
}

static struct bytes field_of(const struct head *h, const char *name)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (bytes_eq_nocase(head_name(h, i), bytes_str(name))) {
			return head_value(h, i);
		}
	}
	return BYTES("");
}

static void begin_answer(struct trial *t)
{
	const struct head *head = t->up->head;
	struct bytes type = field_of(head, "content-type");
	struct bytes decision = field_of(head, "x-sluice-decision");
	char status[24], shown[NAME_BYTES];
	struct header extra[2];
	size_t n = 0;

	snprintf(shown, sizeof(shown), BYTES_FMT, BYTES_ARG(type));
	extra[n++] = (struct header){
		BYTES("X-Sluice-Status"), bytes_of(status, num_format_u64(status, head->status))};
	if (decision.n != 0) {
		extra[n++] = (struct header){BYTES("X-Sluice-Decision"), decision};
	}
	t->answered = true;
	t->answer = (struct stream_source){answer_fill, answer_sent, t->up->in == STREAM_IN_END};
	call_reply_source(t->call, 200, type.n != 0 ? shown : "text/plain", &t->answer, extra, n);
}

/* A trial that has ended is not touched: its end may come from inside of each call of call_*. */
static void on_stream(struct stream_user *u, struct stream *up)
{
	struct trial *t = CONTAINER_OF(u, struct trial, user);

	if (up != t->up || t->call == NULL) {
		return;
	}
	if (up->in == STREAM_IN_FAILED && !t->answered) {
		refuse(t, 502, "the gateway's own listener did not answer");
		return;
	}
	if (up->in == STREAM_IN_HEAD) {
		return;
	}
	if (!t->answered) {
		begin_answer(t);
		return;
	}
	t->answer.ended = up->in == STREAM_IN_END || up->in == STREAM_IN_FAILED;
	call_pump(t->call);
}

/* --- the request --------------------------------------------------------------------------------- */

static int request_fill(struct stream_source *s, struct iovec *v, int max)
{
	const struct trial *t = CONTAINER_OF(s, struct trial, source);

	if (max == 0 || t->sent == t->request.n) {
		return 0;
	}
	v[0] = (struct iovec){(void *)(uintptr_t)(t->request.p + t->sent), t->request.n - t->sent};
	return 1;
}

static void request_sent(struct stream_source *s, size_t n)
{
	CONTAINER_OF(s, struct trial, source)->sent += n;
}

static void send_request(struct trial *t)
{
	struct trials *ts = t->trials;
	struct client_target to = {.key = 1, .addr = ts->opts.gateway};
	struct head_out out;

	head_out_init(&out);
	out.method = BYTES("POST");
	out.target = t->target;
	out.length = t->request.n;
	head_out_add(&out, BYTES("Host"), t->host);
	head_out_add(&out, BYTES("Content-Type"), BYTES("application/json"));
	head_out_add(&out, BYTES("User-Agent"), BYTES("sluice-playground"));
	head_out_add(&out, BYTES("X-Sluice-Explain"), ts->opts.explain_token);
	if (t->header.n != 0) {
		head_out_add(&out, t->header, t->header_value);
	}
	t->user.on_stream = on_stream;
	t->source = (struct stream_source){request_fill, request_sent, true};
	t->up = client_open(ts->client, &to, &t->user);
	if (stream_send(t->up, &out, &t->source) != 0) {
		refuse(t, 400, "the request's head is too large");
		return;
	}
	stream_want(t->up, WANT);
	stream_pump(t->up);
}

/* --- what it is made of: a jobs thread ------------------------------------------------------------- */

static void add_escaped(struct text *out, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		unsigned char c = (unsigned char)b.p[i];

		if (ascii_digit((char)c) ||
			(ascii_lower((char)c) >= 'a' && ascii_lower((char)c) <= 'z')) {
			text_add_char(out, (char)c);
		} else {
			text_addf(out, "%%%02X", c);
		}
	}
}

static struct bytes keep(struct trial *t, struct text *text)
{
	struct bytes b = arena_copy(&t->arena, text_bytes(text));

	text_done(text);
	return b;
}

/* The first key of the consumer; false: t->why says why there is none. */
static bool find_credential(struct trial *t, struct bytes consumer, struct credential *out)
{
	struct arena *a = &t->arena;
	struct op op;
	const struct doc *d, *cred;
	struct bytes source;

	op_init(&op, t->snapshot, a);
	d = op_consumer.read(&op, consumer);
	cred = d != NULL ? doc_first(a, doc_get(a, d, "credentials")) : NULL;
	*out = (struct credential){.name = BYTES(""), .value = BYTES("")};
	if (cred != NULL) {
		const struct doc *value = doc_first(a, doc_get(a, cred, "values"));

		source = doc_text(doc_get(a, cred, "source"), BYTES("BEARER"));
		out->in_query = bytes_eq(source, BYTES("QUERY"));
		out->name = bytes_eq(source, BYTES("BEARER"))
			? BYTES("Authorization")
			: arena_copy(a, doc_text(doc_get(a, cred, "key"), BYTES("")));
		out->value = arena_copy(a, doc_text(value, BYTES("")));
		if (bytes_eq(source, BYTES("BEARER"))) {
			struct text bearer;

			text_init(&bearer, FIELD_BYTES);
			text_add_str(&bearer, "Bearer ");
			text_add_bytes(&bearer, out->value);
			out->value = keep(t, &bearer);
		}
	}
	op_done(&op);
	if (out->name.n != 0 && out->value.n != 0) {
		return true;
	}
	IGNORE(fault_set(&t->why, ERR_SYNTAX, 0, 0, "there is no consumer %.*s with a key",
		(int)MIN(consumer.n, (size_t)NAME_BYTES), consumer.p));
	return false;
}

static void put_target(struct trial *t, struct bytes path, const struct credential *c)
{
	struct text target;

	text_init(&target, FIELD_BYTES);
	text_add_bytes(&target, path);
	if (c->in_query) {
		text_add_char(&target, memchr(path.p, '?', path.n) != NULL ? '&' : '?');
		add_escaped(&target, c->name);
		text_add_char(&target, '=');
		add_escaped(&target, c->value);
	} else {
		t->header = c->name;
		t->header_value = c->value;
	}
	t->target = keep(t, &target);
}

static void compose(struct trial *t, const struct json_value *v)
{
	struct arena *a = &t->arena;
	struct doc *d = doc_of_json(a, v);
	struct bytes consumer = doc_text(doc_get(a, d, "consumer"), BYTES(""));
	struct bytes host = doc_text(doc_get(a, d, "host"), BYTES(""));
	struct bytes path = doc_text(doc_get(a, d, "path"), BYTES(""));
	struct credential c = {.name = BYTES(""), .value = BYTES("")};
	struct json_writer w;
	struct text body;
	struct bytes name;
	struct url url;
	uint16_t port;

	t->host = host.n != 0 && !bytes_eq(host, BYTES("*")) ? host : BYTES(USUAL_HOST);
	path = path.n != 0 ? path : BYTES(USUAL_PATH);
	if (url_parse_authority(t->host, &name, &port) != 0) {
		IGNORE(fault_set(&t->why, ERR_SYNTAX, 0, 0, "host is none: a name, or name:port"));
		return;
	}
	if (path.p[0] != '/' || url_parse_target(&url, path, &t->why) != 0) {
		IGNORE(fault_set(&t->why, ERR_SYNTAX, 0, 0, "path is none: it begins with /"));
		return;
	}
	if (consumer.n != 0 && !find_credential(t, consumer, &c)) {
		return;
	}
	put_target(t, path, &c);
	text_init(&body, TRIAL_BODY_MAX);
	json_writer_init(&w, &body);
	doc_put_json(a, &w, doc_get(a, d, "body"));
	t->request = keep(t, &body);
}

static void run(struct job *j)
{
	struct trial *t = CONTAINER_OF(j, struct trial, job);
	const struct json_value *v = json_parse(&t->arena, text_bytes(&t->body.text), &t->why);

	if (v == NULL) {
		return;
	}
	if (v->type != JSON_OBJECT) {
		IGNORE(fault_set(&t->why, ERR_SYNTAX, 0, 0, "the body must be a JSON object"));
		return;
	}
	compose(t, v);
	if (arena_full(&t->arena)) {
		IGNORE(fault_set(&t->why, ERR_LIMIT, 0, 0, "the body is too large"));
	}
}

static void on_run(struct job *j)
{
	struct trial *t = CONTAINER_OF(j, struct trial, job);

	t->working = false;
	if (t->call == NULL) {
		free_trial(t);
	} else if (t->why.text[0] != '\0') {
		refuse(t, 400, t->why.text);
	} else {
		send_request(t);
	}
}

/* --- who asks, and the body ------------------------------------------------------------------------ */

static void go_on(struct trial *t, enum body_rc rc)
{
	const struct writer *writer = t->trials->opts.writer;

	t->gathers = rc == BODY_MORE;
	switch (rc) {
	case BODY_MORE:
		break;
	case BODY_WHOLE:
		t->snapshot = writer->snapshot(writer->arg);
		t->working = true;
		t->job = (struct job){.home = manage_loop(t->trials->opts.manage),
			.work = run,
			.on_done = on_run};
		jobs_submit(manage_jobs(t->trials->opts.manage), &t->job);
		break;
	case BODY_TOO_LARGE:
		refuse(t, 413, "the body is too large");
		break;
	case BODY_BUSY:
		refuse(t, 503, "too much is being sent at once; try again");
		break;
	}
}

static void on_body(struct call_work *w)
{
	struct trial *t = CONTAINER_OF(w, struct trial, work);

	if (t->gathers) {
		go_on(t, body_take(&t->body, t->call->stream));
	}
}

static void on_known(struct who *w, enum who_rc rc)
{
	struct trial *t = CONTAINER_OF(w, struct trial, who);

	t->working = false;
	if (rc == WHO_GONE || t->call == NULL) {
		free_trial(t);
	} else if (rc == WHO_LATER) {
		refuse(t, 429, "too many log-ins have failed; wait a moment");
	} else if (rc != WHO_ADMIN) {
		refuse(t, 401, "log in first");
	} else {
		go_on(t,
			body_begin(
				&t->body, t->trials->opts.manage, t->call->stream, TRIAL_BODY_MAX));
	}
}

static struct trial *open_trial(struct trials *ts, struct call *c)
{
	struct trial *t = must_alloc(sizeof(*t));

	t->trials = ts;
	t->call = c;
	t->work = (struct call_work){.on_body = on_body, .on_end = on_end};
	arena_init(&t->arena, ARENA_MAX);
	list_append(&ts->open, &t->link);
	ts->n_open++;
	c->work = &t->work;
	return t;
}

static bool begin(struct manage_app *app, struct call *c)
{
	struct trials *ts = CONTAINER_OF(app, struct trials, app);
	struct header allow = {BYTES("Allow"), BYTES("POST")};
	struct trial *t;

	if (!bytes_eq(c->url.path, BYTES(PATH))) {
		return false;
	}
	if (!bytes_eq(c->head->method, BYTES("POST"))) {
		call_refuse(c, 405, &allow, "this path takes POST only");
		return true;
	}
	if (access_is_other_site(c)) {
		call_refuse(c, 403, NULL, "a page of another site may ask nothing here");
		return true;
	}
	if (ts->n_open >= TRIAL_OPEN_MAX) {
		call_refuse(c, 503, NULL, "%u requests of the playground are open already",
			TRIAL_OPEN_MAX);
		return true;
	}
	t = open_trial(ts, c);
	t->working = true; /* until on_known, which may come from inside of who_ask */
	IGNORE(who_ask(&t->who, ts->opts.manage, c, on_known));
	return true;
}

/* --- life ---------------------------------------------------------------------------------------- */

struct trials *trials_new(const struct trials_opts *opts)
{
	struct trials *ts = must_alloc(sizeof(*ts));
	struct http_limits limits = HTTP_LIMITS_DEFAULT;

	ts->opts = *opts;
	ts->app.begin = begin;
	list_init(&ts->open);
	segpool_init(&ts->pool, MEMORY);
	limits.pool_idle_max = 1;
	ts->client = client_new(&(struct client_opts){
		.loop = manage_loop(opts->manage), .pool = &ts->pool, .limits = limits});
	manage_add(opts->manage, &ts->app);
	return ts;
}

void trials_free(struct trials *ts)
{
	if (ts == NULL) {
		return;
	}
	while (!list_empty(&ts->open)) {
		free_trial(CONTAINER_OF(ts->open.next, struct trial, link));
	}
	client_free(ts->client);
	segpool_done(&ts->pool);
	free(ts);
}
