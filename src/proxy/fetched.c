/*
 * A text is counted, because exchanges read it while their request is being sent. The cell holds one of the
 * counts; it is given back when every worker has been between two callbacks (gateway_quiesce), so a worker that
 * reads the pointer can still add its own.
 *
 * What was fetched once stays in use until there is something newer: a server that is down must not change the
 * answers of models.
 */
#include "proxy/fetched.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/num.h"
#include "http/fetch.h"
#include "plan/fetched_source.h"
#include "plan/plan.h"
#include "proxy/contexts.h"
#include "proxy/gateway_int.h"
#include "proxy/model_list.h"

/* Buffers of all fetches at once; what they have read is text of their forms' answer_max. */
#define FETCH_MEMORY ((size_t)4 << 20)
/* One address does not answer: the next one may. */
#define CONNECT_MS 10000u
/* Longest validator of an answer that is kept. */
#define VALIDATOR_MAX 256u

/* By enum fetched_kind. */
static const struct fetched_form *const forms[] = {
	[FETCHED_CONTEXT] = &context_form,
	[FETCHED_MODELS] = &model_list_form,
};

struct fetched_cell {
	_Atomic(struct fetched_text *) text; /* NULL: cold */
	/* There was an answer, or one that took too long: nobody waits any more. */
	atomic_bool tried;
	_Atomic uint64_t due_ms; /* before it nobody asks for a newer one */
	atomic_bool asked;       /* somebody does */
	/* control's own */
	struct fetched *owner;
	enum fetched_kind kind;
	struct bytes key; /* plan/fetched_source.h */
	uint64_t timeout_ms;
	unsigned refs;
	bool gone, running;
	uint64_t unused_since_ms;
	unsigned failures; /* chooses the endpoint */
	char etag[VALIDATOR_MAX], modified[VALIDATOR_MAX];
	struct fetch fetch;
	struct list link;
};

struct fetched {
	struct gateway *gateway;
	struct fetcher *fetcher; /* NULL until one is needed */
	struct list cells;       /* a few: one for each file and each list */
	bool stopped;
};

struct question { /* a worker's, on its way to control */
	struct post post;
	struct fetched_cell *cell;
};

void fetched_text_unref(struct fetched_text *m)
{
	if (m != NULL && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1) {
		free(m);
	}
}

static void unref_text(void *p)
{
	fetched_text_unref(p);
}

/* --- what a cell is about ----------------------------------------------------------------------- */

static const char *next_text(const char *text)
{
	return text + strlen(text) + 1;
}

/* One of the endpoints: the next one after each failure. */
static void choose_endpoint(const struct fetched_cell *c, const char *first, struct fetch *f)
{
	const char *end = c->key.p + c->key.n;
	const char *at = first;
	unsigned n = 0;
	uint64_t port;

	for (const char *p = first; p != end; p = next_text(next_text(p))) {
		n++;
	}
	for (unsigned i = c->failures % n; i != 0; i--) {
		at = next_text(next_text(at));
	}
	f->host = at;
	ASSERT(num_parse_u64(bytes_str(next_text(at)), 65535, &port)); /* written by the plan */
	f->port = (uint16_t)port;
}

/* The fields that a key names; returns what stands behind them. */
static const char *add_fields(const char *at, struct fetch *f)
{
	while (*at != '\0') {
		const char *value = next_text(at);

		fetch_add(f, bytes_str(at), bytes_str(value));
		at = next_text(value);
	}
	return next_text(at);
}

static void set_request(struct fetched_cell *c)
{
	const struct fetched_form *form = forms[c->kind];
	struct fetch *f = &c->fetch;
	const char *name = next_text(c->key.p);
	const char *host = next_text(name);
	const char *target = next_text(host);
	const char *rest = next_text(target);

	memset(f, 0, sizeof(*f));
	f->tls = c->key.p[0] == '1';
	f->name = name;
	if (form->has_fields) {
		rest = add_fields(rest, f);
	}
	choose_endpoint(c, rest, f);
	f->method = BYTES("GET");
	f->target = bytes_str(target);
	f->connect_ms = CONNECT_MS;
	f->timeout_ms = c->timeout_ms;
	f->answer_max = form->answer_max;
	f->arg = c;
	fetch_add(f, BYTES("Host"), bytes_str(host));
	fetch_add(f, BYTES("User-Agent"), BYTES("sluice"));
	fetch_add(f, BYTES("Accept"), bytes_str(form->accept));
	fetch_add(f, BYTES("Accept-Encoding"), BYTES("identity"));
	if (c->etag[0] != '\0') {
		fetch_add(f, BYTES("If-None-Match"), bytes_str(c->etag));
	}
	if (c->modified[0] != '\0') {
		fetch_add(f, BYTES("If-Modified-Since"), bytes_str(c->modified));
	}
}

/* --- answers ------------------------------------------------------------------------------------ */

static void keep_validator(const struct fetch *f, const char *name, char out[VALIDATOR_MAX])
{
	struct bytes v = fetch_field(f, name);

	if (v.n >= VALIDATOR_MAX) {
		v.n = 0; /* without one the file is fetched anew each time */
	}
	memcpy(out, v.p != NULL ? v.p : "", v.n);
	out[v.n] = '\0';
}

static void replace(struct fetched_cell *c, struct bytes text)
{
	struct fetched_text *m = must_alloc(sizeof(*m) + text.n);
	struct fetched_text *old;

	atomic_init(&m->refs, 1);
	m->n = text.n;
	memcpy(m->text, text.p, text.n);
	old = atomic_exchange_explicit(&c->text, m, memory_order_acq_rel);
	if (old != NULL) {
		gateway_quiesce(c->owner->gateway, unref_text, old);
	}
}

/* Whether the answer can be used; false: *why says why not. */
static bool is_good(const struct fetched_cell *c, struct fault *why)
{
	const struct fetch *f = &c->fetch;
	struct bytes coding;

	if (f->rc != FETCH_DONE) {
		*why = f->why;
		return false;
	}
	if (f->status == 304 && atomic_load(&c->text) != NULL) {
		return true;
	}
	coding = fetch_field(f, "Content-Encoding");
	if (f->status != 200) {
		fault_set(why, ERR_REFUSED, 0, 0, "its status is %u", f->status);
		return false;
	}
	if (coding.n != 0 && !bytes_eq_nocase(coding, BYTES("identity"))) {
		fault_set(
			why, ERR_UNSUPPORTED, 0, 0, "it comes compressed, which was not asked for");
		return false;
	}
	return true;
}

/* False: *why says why the answer is not used. */
static bool take_answer(struct fetched_cell *c, struct fault *why)
{
	const struct fetched_form *form = forms[c->kind];
	const struct fetch *f = &c->fetch;
	struct text t;
	int rc;

	if (!is_good(c, why)) {
		return false;
	}
	if (f->status == 304) {
		return true;
	}
	text_init(&t, form->text_max);
	rc = form->make(text_bytes(&f->body_in), &t, why);
	if (rc == 0) {
		keep_validator(f, "ETag", c->etag);
		keep_validator(f, "Last-Modified", c->modified);
		replace(c, text_bytes(&t));
	}
	text_done(&t);
	return rc == 0;
}

static void warn(const struct fetched_cell *c, const char *why)
{
	const struct fetched_form *form = forms[c->kind];
	const char *host = next_text(next_text(c->key.p));
	struct bytes path = bytes_str(next_text(host));

	path = bytes_cut(&path, '?'); /* a query may be a credential */
	log_warn("proxy", "%s http%s://%s" BYTES_FMT " could not be fetched (%s); %s: %s",
		form->what, c->key.p[0] == '1' ? "s" : "", host, BYTES_ARG(path), why,
		atomic_load(&c->text) != NULL ? "the last one stays in use" : form->without,
		form->advice);
}

static void release(struct fetched_cell *c)
{
	ASSERT(c->refs > 0);
	if (--c->refs == 0) {
		c->unused_since_ms = loop_now_ms(c->owner->gateway->control);
	}
}

static void on_done(struct fetch *f)
{
	struct fetched_cell *c = f->arg;
	uint64_t now = loop_now_ms(c->owner->gateway->control);
	struct fault why;
	bool good = take_answer(c, &why);

	if (!good) {
		c->failures++;
		warn(c, why.text);
	}
	atomic_store(&c->due_ms, now + (good ? FETCHED_TTL_MS : forms[c->kind]->retry_ms));
	fetch_done(f);
	c->running = false;
	release(c);
	atomic_store(&c->asked, false);
	atomic_store(&c->tried, true);
	gateway_wake_waiting(c->owner->gateway);
}

static void start(struct fetched_cell *c)
{
	struct fetched *of = c->owner;

	if (c->running || of->stopped) {
		return;
	}
	if (of->fetcher == NULL) {
		/* A plan that speaks TLS went live, so the authorities have been read. */
		of->fetcher = fetcher_new(of->gateway->control, FETCH_MEMORY, true, NULL);
	}
	c->running = true;
	c->refs++;
	set_request(c);
	c->fetch.on_done = on_done;
	fetch_start(of->fetcher, &c->fetch);
}

/* --- cells -------------------------------------------------------------------------------------- */

static void free_cell(void *p)
{
	struct fetched_cell *c = p;

	fetched_text_unref(atomic_load(&c->text));
	free((char *)(uintptr_t)c->key.p);
	free(c);
}

struct fetched *fetched_new(struct gateway *g)
{
	struct fetched *c = must_alloc(sizeof(*c));

	c->gateway = g;
	list_init(&c->cells);
	return c;
}

void fetched_stop(struct fetched *c)
{
	c->stopped = true;
	fetcher_free(c->fetcher);
	c->fetcher = NULL;
	for (struct list *l = c->cells.next; l != &c->cells; l = l->next) {
		struct fetched_cell *cell = CONTAINER_OF(l, struct fetched_cell, link);

		if (cell->running) {
			cell->running = false;
			fetch_done(&cell->fetch);
			release(cell);
		}
	}
}

void fetched_free(struct fetched *c)
{
	if (c == NULL) {
		return;
	}
	while (!list_empty(&c->cells)) {
		struct fetched_cell *cell = CONTAINER_OF(c->cells.next, struct fetched_cell, link);

		list_remove(&cell->link);
		free_cell(cell);
	}
	free(c);
}

static struct fetched_cell *find_or_make(struct fetched *c, const struct fetched_source *s)
{
	struct fetched_cell *cell;
	char *copy;

	for (struct list *l = c->cells.next; l != &c->cells; l = l->next) {
		cell = CONTAINER_OF(l, struct fetched_cell, link);
		if (cell->kind == s->kind && bytes_eq(cell->key, s->key)) {
			return cell;
		}
	}
	cell = must_alloc(sizeof(*cell));
	copy = must_alloc(s->key.n);
	memcpy(copy, s->key.p, s->key.n);
	cell->kind = s->kind;
	cell->key = bytes_of(copy, s->key.n);
	cell->owner = c;
	list_append(&c->cells, &cell->link);
	return cell;
}

void fetched_bind(struct fetched *c, struct plan *p)
{
	for (struct fetched_source *s = p->fetched; s != NULL; s = s->next) {
		s->cell = find_or_make(c, s);
		s->cell->refs++;
		s->cell->timeout_ms = s->timeout_ms;
		if (forms[s->kind]->ahead && atomic_load(&s->cell->text) == NULL) {
			start(s->cell);
		}
	}
}

void fetched_unbind(struct fetched *c, struct plan *p)
{
	(void)c;
	for (struct fetched_source *s = p->fetched; s != NULL; s = s->next) {
		if (s->cell != NULL) {
			release(s->cell);
			s->cell = NULL;
		}
	}
}

void fetched_tidy(struct fetched *c)
{
	uint64_t now = loop_now_ms(c->gateway->control);
	struct list *l = c->cells.next;

	while (l != &c->cells) {
		struct fetched_cell *cell = CONTAINER_OF(l, struct fetched_cell, link);

		l = l->next;
		if (cell->refs == 0 && now - cell->unused_since_ms >= CELL_GRACE_MS) {
			cell->gone = true;
			list_remove(&cell->link);
			gateway_quiesce(c->gateway, free_cell, cell);
		}
	}
}

/* --- workers ------------------------------------------------------------------------------------ */

static void on_question(struct post *p)
{
	struct question *q = CONTAINER_OF(p, struct question, post);
	struct fetched_cell *c = q->cell;

	free(q);
	if (c->gone) {
		return; /* asked in the last moment before it is freed: its plan is long gone */
	}
	if (loop_now_ms(c->owner->gateway->control) >= atomic_load(&c->due_ms)) {
		start(c);
	}
	if (!c->running) {
		atomic_store(&c->asked, false); /* known by now, or just failed */
	}
}

static void ask(struct worker *w, struct fetched_cell *c)
{
	struct question *q = must_alloc(sizeof(*q));

	q->cell = c;
	loop_post(w->gateway->control, &q->post, on_question);
}

bool fetched_get(struct worker *w, struct fetched_cell *c, struct fetched_text **out)
{
	/* Looked at before the text, which control writes first. */
	bool tried = atomic_load(&c->tried);

	*out = atomic_load_explicit(&c->text, memory_order_acquire);
	if (loop_now_ms(w->loop) >= atomic_load(&c->due_ms) && !atomic_exchange(&c->asked, true)) {
		ask(w, c);
	}
	return *out != NULL || tried;
}

void fetched_give_up(struct fetched_cell *c)
{
	atomic_store(&c->tried, true);
}
