/*
 * A message is counted, because exchanges read it while their request is being sent. The cell holds one of the
 * counts; it is given back when every worker has been between two callbacks (gateway_quiesce), so a worker that
 * reads the pointer can still add its own.
 *
 * What was fetched once stays in use until there is something newer: a server that is down must not change the
 * answers of models.
 */
#include "proxy/contexts.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/num.h"
#include "http/fetch.h"
#include "plan/conversation.h"
#include "proxy/gateway_int.h"

/* Buffers of all fetches at once; what they have read is text of CONTEXT_FILE_MAX. */
#define FETCH_MEMORY ((size_t)4 << 20)
/* The longest a byte can become, U+0000, and what stands around. */
#define MESSAGE_MAX (CONTEXT_FILE_MAX * 6 + 64)
/* One address does not answer: the next one may. */
#define CONNECT_MS 10000u
/* Longest validator of an answer that is kept. */
#define VALIDATOR_MAX 256u

struct context_cell {
	_Atomic(struct context_message *) message; /* NULL: cold */
	/* There was an answer, or one that took too long: nobody waits any more. Control fetches from the
	 * beginning of the cell's life, so until then it is fetching. */
	atomic_bool tried;
	_Atomic uint64_t due_ms; /* before it nobody asks for a newer one */
	atomic_bool asked;       /* somebody does */
	/* control's own */
	struct contexts *owner;
	struct bytes key; /* plan/context.h */
	uint64_t timeout_ms;
	unsigned refs;
	bool gone, running;
	uint64_t unused_since_ms;
	unsigned failures; /* chooses the endpoint */
	char etag[VALIDATOR_MAX], modified[VALIDATOR_MAX];
	struct fetch fetch;
	struct list link;
};

struct contexts {
	struct gateway *gateway;
	struct fetcher *fetcher; /* NULL until one is needed */
	struct list cells;       /* a few: one for each provider that has a file */
	bool stopped;
};

struct question { /* a worker's, on its way to control */
	struct post post;
	struct context_cell *cell;
};

void context_message_unref(struct context_message *m)
{
	if (m != NULL && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1) {
		free(m);
	}
}

static void unref_message(void *p)
{
	context_message_unref(p);
}

/* --- what a cell is about ----------------------------------------------------------------------- */

static const char *next_text(const char *text)
{
	return text + strlen(text) + 1;
}

/* One of the endpoints: the next one after each failure. */
static void choose_endpoint(const struct context_cell *c, const char *first, struct fetch *f)
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

static void set_request(struct context_cell *c)
{
	struct fetch *f = &c->fetch;
	const char *name = next_text(c->key.p);
	const char *host = next_text(name);
	const char *target = next_text(host);

	memset(f, 0, sizeof(*f));
	f->tls = c->key.p[0] == '1';
	f->name = name;
	choose_endpoint(c, next_text(target), f);
	f->method = BYTES("GET");
	f->target = bytes_str(target);
	f->connect_ms = CONNECT_MS;
	f->timeout_ms = c->timeout_ms;
	f->answer_max = CONTEXT_FILE_MAX;
	f->arg = c;
	fetch_add(f, BYTES("Host"), bytes_str(host));
	fetch_add(f, BYTES("User-Agent"), BYTES("sluice"));
	fetch_add(f, BYTES("Accept"), BYTES("*/*"));
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

static void replace(struct context_cell *c, struct bytes file)
{
	struct context_message *m, *old;
	struct text t;

	text_init(&t, MESSAGE_MAX);
	text_add_str(&t, ",{\"role\":\"system\",\"content\":\"");
	text_add_json(&t, file);
	text_add_str(&t, "\"},");
	m = must_alloc(sizeof(*m) + t.n);
	atomic_init(&m->refs, 1);
	m->n = t.n;
	memcpy(m->text, t.p, t.n);
	text_done(&t);
	old = atomic_exchange_explicit(&c->message, m, memory_order_acq_rel);
	if (old != NULL) {
		gateway_quiesce(c->owner->gateway, unref_message, old);
	}
}

/* Why the answer cannot be used; NULL: it can. */
static const char *fault_of(const struct context_cell *c)
{
	const struct fetch *f = &c->fetch;
	struct bytes coding;

	if (f->rc != FETCH_DONE) {
		return f->why.text;
	}
	if (f->status == 304 && atomic_load(&c->message) != NULL) {
		return NULL;
	}
	coding = fetch_field(f, "Content-Encoding");
	if (f->status != 200) {
		return "its status is not 200";
	}
	if (coding.n != 0 && !bytes_eq_nocase(coding, BYTES("identity"))) {
		return "it comes compressed, which was not asked for";
	}
	return f->body_in.n == 0 ? "it is empty" : NULL;
}

static void warn(const struct context_cell *c, const char *why)
{
	const char *host = next_text(next_text(c->key.p));
	struct bytes path = bytes_str(next_text(host));

	path = bytes_cut(&path, '?'); /* a query may be a credential */
	log_warn("proxy",
		"context file http%s://%s" BYTES_FMT
		" could not be fetched (%s); %s: check fileUrl and the service",
		c->key.p[0] == '1' ? "s" : "", host, BYTES_ARG(path), why,
		atomic_load(&c->message) != NULL ? "the last one stays in use"
						 : "chats go on without it");
}

static void release(struct context_cell *c)
{
	ASSERT(c->refs > 0);
	if (--c->refs == 0) {
		c->unused_since_ms = loop_now_ms(c->owner->gateway->control);
	}
}

static void on_done(struct fetch *f)
{
	struct context_cell *c = f->arg;
	uint64_t now = loop_now_ms(c->owner->gateway->control);
	const char *why = fault_of(c);

	if (why != NULL) {
		c->failures++;
		warn(c, why);
	} else if (f->status == 200) {
		keep_validator(f, "ETag", c->etag);
		keep_validator(f, "Last-Modified", c->modified);
		replace(c, text_bytes(&f->body_in));
	}
	atomic_store(&c->due_ms, now + (why != NULL ? CONTEXT_RETRY_MS : CONTEXT_TTL_MS));
	fetch_done(f);
	c->running = false;
	release(c);
	atomic_store(&c->asked, false);
	atomic_store(&c->tried, true);
	gateway_wake_waiting(c->owner->gateway);
}

static void start(struct context_cell *c)
{
	struct contexts *of = c->owner;

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
	struct context_cell *c = p;

	context_message_unref(atomic_load(&c->message));
	free((char *)(uintptr_t)c->key.p);
	free(c);
}

struct contexts *contexts_new(struct gateway *g)
{
	struct contexts *c = must_alloc(sizeof(*c));

	c->gateway = g;
	list_init(&c->cells);
	return c;
}

void contexts_stop(struct contexts *c)
{
	c->stopped = true;
	fetcher_free(c->fetcher);
	c->fetcher = NULL;
	for (struct list *l = c->cells.next; l != &c->cells; l = l->next) {
		struct context_cell *cell = CONTAINER_OF(l, struct context_cell, link);

		if (cell->running) {
			cell->running = false;
			fetch_done(&cell->fetch);
			release(cell);
		}
	}
}

void contexts_free(struct contexts *c)
{
	if (c == NULL) {
		return;
	}
	while (!list_empty(&c->cells)) {
		struct context_cell *cell = CONTAINER_OF(c->cells.next, struct context_cell, link);

		list_remove(&cell->link);
		free_cell(cell);
	}
	free(c);
}

static struct context_cell *find_or_make(struct contexts *c, struct bytes key)
{
	struct context_cell *cell;
	char *copy;

	for (struct list *l = c->cells.next; l != &c->cells; l = l->next) {
		cell = CONTAINER_OF(l, struct context_cell, link);
		if (bytes_eq(cell->key, key)) {
			return cell;
		}
	}
	cell = must_alloc(sizeof(*cell));
	copy = must_alloc(key.n);
	memcpy(copy, key.p, key.n);
	cell->key = bytes_of(copy, key.n);
	cell->owner = c;
	list_append(&c->cells, &cell->link);
	return cell;
}

void contexts_bind(struct contexts *c, struct plan *p)
{
	for (struct context_source *s = p->contexts; s != NULL; s = s->next) {
		if (s->key.n == 0) {
			continue;
		}
		s->cell = find_or_make(c, s->key);
		s->cell->refs++;
		s->cell->timeout_ms = s->timeout_ms;
		if (atomic_load(&s->cell->message) == NULL) {
			start(s->cell);
		}
	}
}

void contexts_unbind(struct contexts *c, struct plan *p)
{
	(void)c;
	for (struct context_source *s = p->contexts; s != NULL; s = s->next) {
		if (s->cell != NULL) {
			release(s->cell);
			s->cell = NULL;
		}
	}
}

void contexts_tidy(struct contexts *c)
{
	uint64_t now = loop_now_ms(c->gateway->control);
	struct list *l = c->cells.next;

	while (l != &c->cells) {
		struct context_cell *cell = CONTAINER_OF(l, struct context_cell, link);

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
	struct context_cell *c = q->cell;

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

static void ask(struct worker *w, struct context_cell *c)
{
	struct question *q = must_alloc(sizeof(*q));

	q->cell = c;
	loop_post(w->gateway->control, &q->post, on_question);
}

static struct context_cell *cell_of(const struct exchange *x, bool *wants)
{
	const struct request *rq = x->rq;
	const struct provider *p = rq->at.to->provider;

	*wants = p != NULL && p->conversation.context != NULL && rq->gathers &&
		provider_edits_chats(p, rq->api);
	return *wants ? p->conversation.context->cell : NULL;
}

/* True when there is nothing to wait for any more. */
static bool look(struct exchange *x, struct context_cell *c)
{
	struct attempt *at = &x->rq->at;
	/* Looked at before the message, which control writes first. */
	bool tried = atomic_load(&c->tried);
	struct context_message *m = atomic_load_explicit(&c->message, memory_order_acquire);

	if (at->waits_for_context && x->timed_out) {
		atomic_store(&c->tried, true);
		tried = true;
	}
	if (m == NULL && !tried) {
		if (!at->waits_for_context) {
			at->waits_for_context = true;
			list_append(&x->w->waiting, &x->rq->wait_link);
			exchange_deadline(x, CONTEXT_WAIT_MS);
		}
		return false;
	}
	if (m != NULL) {
		atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
		x->rq->context = m;
	}
	if (loop_now_ms(x->w->loop) >= atomic_load(&c->due_ms) &&
		!atomic_exchange(&c->asked, true)) {
		ask(x->w, c);
	}
	return true;
}

enum verdict step_context(struct exchange *x)
{
	bool wants;
	struct context_cell *c = cell_of(x, &wants);

	context_message_unref(x->rq->context); /* of another attempt */
	x->rq->context = NULL;
	if (!wants) {
		return VERDICT_NEXT;
	}
	if (c != NULL && !look(x, c)) {
		return VERDICT_WAIT;
	}
	list_remove(&x->rq->wait_link);
	timer_clear(x->w->loop, &x->timer);
	x->timed_out = false;
	x->rec.no_context = x->rq->context == NULL;
	x->w->counts.contexts_missing += x->rec.no_context;
	return VERDICT_NEXT;
}
