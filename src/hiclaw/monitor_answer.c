/*
 * Answers of the monitor API, and what endpoints ask of a request. Every answer has the request's id; an error has the
 * one shape of monitor-api.md 1.1.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/num.h"
#include "hiclaw/mon_before.h"
#include "hiclaw/monitor_int.h"

#define ANSWER_MAX ((size_t)256 << 20)
#define WHY_MAX 1024u
#define HEADERS_MAX 12u

/* --- sending -------------------------------------------------------------------------------------------------- */

struct fields {
	struct header v[HEADERS_MAX];
	size_t n;
};

static void add(struct fields *f, struct bytes name, struct bytes value)
{
	ASSERT(f->n < HEADERS_MAX);
	f->v[f->n++] = (struct header){name, value};
}

static void add_usual(const struct ask *k, struct fields *f)
{
	add(f, BYTES("X-Request-Id"), bytes_str(k->id));
	if (monitor_origin_allowed(k->hiclaw, k->origin)) {
		add(f, BYTES("Access-Control-Allow-Origin"), k->origin);
		add(f, BYTES("Vary"), BYTES("Origin"));
	}
}

static void answer(
	struct ask *k, unsigned status, const char *type, struct text *body, const struct fields *f)
{
	struct call *c = monitor_take_call(k);
	struct page *page = page_new(body);

	if (c != NULL) {
		call_reply_with(c, status, type, page, f->v, f->n);
	}
	page_unref(page);
	ASSERT(!k->away);
	monitor_free_ask(k);
}

static const char json_type[] = "application/json; charset=utf-8";

void ask_reply_text(struct ask *k, unsigned status, struct text *json)
{
	struct fields f = {.n = 0};

	add_usual(k, &f);
	answer(k, status, json_type, json, &f);
}

void ask_reply_file(struct ask *k, const char *type, struct text *body, const struct header *extra,
	size_t n_extra)
{
	struct fields f = {.n = 0};

	add_usual(k, &f);
	for (size_t i = 0; i < n_extra; i++) {
		add(&f, extra[i].name, extra[i].value);
	}
	answer(k, 200, type, body, &f);
}

void ask_reply(struct ask *k, unsigned status, struct doc *d)
{
	struct json_writer w;
	struct text t;

	if (arena_full(&k->arena)) {
		log_warn("hiclaw", BYTES_FMT ": the answer is larger than memory allows",
			BYTES_ARG(k->path));
		k->arena.full = false;
		ask_fail(k, HICLAW_INTERNAL, "The answer is too large");
		return;
	}
	text_init(&t, ANSWER_MAX);
	json_writer_init(&w, &t);
	doc_put_json(&k->arena, &w, d);
	ask_reply_text(k, status, &t);
}

struct doc *ask_success(struct ask *k)
{
	struct doc *d = doc_map(&k->arena);

	doc_set(&k->arena, d, "success", doc_bool(&k->arena, true));
	return d;
}

/* --- errors --------------------------------------------------------------------------------------------------- */

static void add_reason(const struct ask *k, unsigned status, struct fields *f, char seconds[24])
{
	if (status == 401) {
		add(f, BYTES("WWW-Authenticate"),
			k->from_page ? BYTES("Session")
				     : BYTES("Basic realm=\"sluice\", charset=\"UTF-8\""));
	}
	if (status == 429 || status == 503) {
		add(f, BYTES("Retry-After"),
			bytes_of(seconds, num_format_u64(seconds, k->wait_s != 0 ? k->wait_s : 5)));
	}
	if (k->allow.n != 0) {
		add(f, BYTES("Allow"), k->allow);
	}
}

void ask_fail_status(struct ask *k, enum hiclaw_code code, unsigned status, struct bytes why)
{
	struct arena *a = &k->arena;
	struct doc *d = doc_map(a);
	struct fields f = {.n = 0};
	struct json_writer w;
	struct text t;
	char seconds[24];

	doc_set(a, d, "success", doc_bool(a, false));
	doc_set(a, d, "error", doc_string(a, why));
	doc_set(a, d, "message", doc_string(a, why));
	doc_set(a, d, "code", doc_str(a, hiclaw_code_text(code)));
	doc_set(a, d, "requestId", doc_str(a, k->id));
	for (struct doc *m = doc_first(a, k->more); m != NULL; m = m->next) {
		doc_set_bytes(a, d, m->key, doc_copy(a, m));
	}
	text_init(&t, ANSWER_MAX);
	json_writer_init(&w, &t);
	doc_put_json(a, &w, d);
	add_usual(k, &f);
	add_reason(k, status, &f, seconds);
	answer(k, status, json_type, &t, &f);
}

static struct bytes format(struct ask *k, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
static struct bytes format(struct ask *k, const char *fmt, va_list ap)
{
	struct bytes out;
	struct text t;

	text_init(&t, WHY_MAX);
	text_addv(&t, fmt, ap);
	out = arena_copy(&k->arena, text_bytes(&t));
	text_done(&t);
	return out.p != NULL ? out : BYTES("there is no memory to say why");
}

void ask_fail(struct ask *k, enum hiclaw_code code, const char *fmt, ...)
{
	struct bytes why;
	va_list ap;

	va_start(ap, fmt);
	why = format(k, fmt, ap);
	va_end(ap);
	ask_fail_status(k, code, hiclaw_code_status(code), why);
}

void ask_fail_field(struct ask *k, const char *field, const char *fmt, ...)
{
	struct bytes why;
	va_list ap;

	va_start(ap, fmt);
	why = format(k, fmt, ap);
	va_end(ap);
	ask_more(k, "field", doc_str(&k->arena, field));
	ask_fail_status(k, HICLAW_INVALID_REQUEST, 400, why);
}

void ask_more(struct ask *k, const char *key, struct doc *value)
{
	if (k->more == NULL) {
		k->more = doc_map(&k->arena);
	}
	doc_set(&k->arena, k->more, key, value);
}

/* --- what was asked ------------------------------------------------------------------------------------------- */

struct bytes ask_query(struct ask *k, const char *name)
{
	struct bytes value, whole;
	ptrdiff_t n;
	char *p;

	if (!url_query_get(k->query, bytes_str(name), &value, &whole)) {
		return bytes_of(NULL, 0);
	}
	p = arena_alloc(&k->arena, value.n + 1);
	n = p != NULL ? url_decode(p, value, true, false) : -1;
	return n >= 0 ? bytes_of(p, (size_t)n) : BYTES("");
}

bool ask_query_flag(struct ask *k, const char *name)
{
	struct bytes v = ask_query(k, name);

	return v.p != NULL && !bytes_eq(v, BYTES("0")) && !bytes_eq_nocase(v, BYTES("false")) &&
		!bytes_eq_nocase(v, BYTES("no"));
}

bool ask_query_number(struct ask *k, const char *name, uint64_t max, uint64_t def, uint64_t *out)
{
	struct bytes v = ask_query(k, name);

	*out = def;
	if (v.n != 0 && !num_parse_u64(v, max, out)) {
		ask_fail_field(k, name, "%s has to be a whole number of at most %llu", name,
			(unsigned long long)max);
		return false;
	}
	return true;
}

bool ask_text(struct ask *k, const char *key, struct bytes *out)
{
	const struct doc *d = doc_get(&k->arena, k->body, key);

	*out = BYTES("");
	if (doc_given(d) && d->type != DOC_STRING) {
		ask_fail_field(k, key, "%s has to be a text", key);
		return false;
	}
	*out = doc_text(d, *out);
	return true;
}

bool ask_bool(struct ask *k, const char *key, bool def, bool *out)
{
	const struct doc *d = doc_get(&k->arena, k->body, key);

	*out = def;
	if (!doc_given(d)) {
		return true;
	}
	if (d->type == DOC_BOOL) {
		*out = d->boolean;
	} else if (bytes_eq(doc_text(d, BYTES("")), BYTES("true"))) {
		*out = true;
	} else if (bytes_eq(doc_text(d, BYTES("")), BYTES("false"))) {
		*out = false;
	} else {
		ask_fail_field(k, key, "%s has to be true or false", key);
		return false;
	}
	return true;
}

/* --- waiting -------------------------------------------------------------------------------------------------- */

/* False: the process has ended meanwhile, and the ask is gone. */
static bool come_back(struct ask *k)
{
	k->away = k->held = false;
	if (k->hiclaw == NULL) {
		monitor_free_ask(k);
		return false;
	}
	return true;
}

static void run_job(struct job *j)
{
	struct ask *k = CONTAINER_OF(j, struct ask, job);

	k->work(k);
}

static void on_job(struct job *j)
{
	struct ask *k = CONTAINER_OF(j, struct ask, job);

	if (come_back(k)) {
		k->next(k);
	}
}

void ask_job(struct ask *k, void (*work)(struct ask *k), void (*next)(struct ask *k))
{
	k->work = work;
	k->next = next;
	k->away = true;
	k->job = (struct job){.home = k->hiclaw->loop, .work = run_job, .on_done = on_job};
	jobs_submit(k->hiclaw->jobs, &k->job);
}

static void on_ops(struct ops_call *c)
{
	struct ask *k = CONTAINER_OF(c, struct ask, ops);

	if (!come_back(k)) {
		return;
	}
	if (c->status != 0 && c->wanted != 0) {
		ask_refuse_ops(k);
		return;
	}
	k->next(k);
}

/* At another program's Console: it is asked by fetches, which come back only while the process runs. */
static void cancel_remote(struct ask *k)
{
	if (list_linked(&k->ops.fetch.link)) {
		fetch_cancel(&k->ops.fetch);
	}
	fetch_done(&k->ops.fetch);
}

static void begin_ops(struct ask *k, void (*next)(struct ask *k))
{
	ops_call_done(&k->ops);
	k->ops = (struct ops_call){
		.arena = &k->arena, .on_done = on_ops, .actor = k->actor, .peer = k->peer};
	k->next = next;
	if (k->hiclaw->opts.remote != NULL) {
		ask_hold(k, cancel_remote);
	} else {
		k->away = true;
	}
}

void ask_read(struct ask *k, unsigned wanted, void (*next)(struct ask *k))
{
	begin_ops(k, next);
	k->ops.wanted = wanted;
	k->hiclaw->ops->read(k->hiclaw->ops, &k->ops);
}

void ask_change(struct ask *k, const struct ops_item *items, size_t n, void (*next)(struct ask *k))
{
	if (k->hiclaw->opts.remote != NULL) {
		mon_before_change(k, items, n, next); /* nobody but us keeps what was there */
	} else {
		monitor_change(k, items, n, next);
	}
}

void monitor_change(
	struct ask *k, const struct ops_item *items, size_t n, void (*next)(struct ask *k))
{
	struct text what;

	begin_ops(k, next);
	text_init(&what, 4096);
	text_addf(&what, BYTES_FMT " " BYTES_FMT, BYTES_ARG(k->method), BYTES_ARG(k->path));
	k->ops.what = arena_copy(&k->arena, text_bytes(&what));
	text_done(&what);
	k->ops.items = items;
	k->ops.n_items = n;
	k->hiclaw->ops->change(k->hiclaw->ops, &k->ops);
}

/* What went wrong inside is for the log; outside it is said that it did. */
void ask_refuse_ops(struct ask *k)
{
	struct bytes why = arena_copy(&k->arena, text_bytes(&k->ops.why));

	switch (k->ops.status) {
	case 400:
		ask_fail_status(k, HICLAW_INVALID_REQUEST, 400, why);
		break;
	case 404:
		ask_fail_status(k, HICLAW_NOT_FOUND, 404, why);
		break;
	case 409:
		ask_fail_status(k, HICLAW_CONFLICT, 409, why);
		break;
	case 503:
		ask_fail_status(k, HICLAW_CONFIG_BUSY, 503, why);
		break;
	default:
		log_error("hiclaw", BYTES_FMT " " BYTES_FMT ": " BYTES_FMT, BYTES_ARG(k->method),
			BYTES_ARG(k->path), BYTES_ARG(why));
		ask_fail(k, HICLAW_INTERNAL, "%s: the log says why",
			k->failed != NULL ? k->failed
				: k->ops.wanted != 0
				? "The gateway's objects could not be read"
				: "Nothing was changed, it could not be written");
	}
}

void ask_hold(struct ask *k, void (*cancel)(struct ask *k))
{
	k->held = true;
	k->cancel = cancel;
}

bool ask_resume(struct ask *k)
{
	k->held = false;
	k->cancel = NULL;
	return k->call != NULL;
}
