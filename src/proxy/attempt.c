/*
 * One try at one upstream: a destination by weight, the path and the edits for it, its address, and the
 * request on its way. Everything here is reset for each try; the gathered body stays as it came.
 */
#define _GNU_SOURCE /* memrchr */
#include <stdio.h>

#include "plan/decide.h"
#include "plan/header_control.h"
#include "proxy/attempts.h"
#include "proxy/resolver.h"
#include "proxy/worker.h"

void exchange_edit(struct exchange *x, uint64_t at, uint64_t cut, struct bytes put)
{
	struct attempt *a = &x->rq->at;

	ASSERT(a->n_edits < a->edits_cap);
	a->edits[a->n_edits++] = (struct splice_edit){at, cut, put};
}

enum verdict step_survey(struct exchange *x)
{
	return x->rq->at.to->provider != NULL ? x->w->opts->hooks->dialect->survey(x)
					      : VERDICT_NEXT;
}

enum verdict step_prepare(struct exchange *x)
{
	struct request *rq = x->rq;
	struct attempt *at = &rq->at;

	if (at->to->provider != NULL) {
		if (!x->w->opts->hooks->dialect->prepare(x)) {
			return VERDICT_REPLY;
		}
	} else {
		if (rq->gathers && !bytes_eq(rq->model, rq->body_model) &&
			!x->w->opts->hooks->dialect->set_model(x)) {
			return VERDICT_REPLY;
		}
		IGNORE(decide_target(at->route, at->to, rq->api,
			&(struct url){.path = rq->url.path, .query = rq->query}, &at->target));
	}
	if (text_full(&at->target)) {
		return reply_set(x, 414, "request.malformed", "the request target is too long");
	}
	if (rq->upload != NULL && upload_prepare(x) == VERDICT_REPLY) {
		return VERDICT_REPLY;
	}
	splice_sort(at->edits, at->n_edits);
	if (rq->gathers) {
		splice_init(&at->splice, &rq->body, at->edits, at->n_edits);
	}
	if (x->w->observed != NULL && x->probe == NULL) {
		x->w->opts->hooks->observer->chosen(x->w->observed, x);
	}
	return VERDICT_NEXT;
}

static void reply_undiscovered(struct exchange *x)
{
	const struct attempt *at = &x->rq->at;

	if (atomic_load(&at->cell->vacant)) {
		reply_set(x, 503, "upstream.connect",
			"the registry knows no healthy instance of service %.*s",
			BYTES_ARG(at->to->service->name));
		return;
	}
	reply_set(x, 503, "upstream.connect",
		"the registry that knows service %.*s could not be asked; check its address and "
		"credentials",
		BYTES_ARG(at->to->service->name));
}

enum verdict step_address(struct exchange *x)
{
	struct attempt *at = &x->rq->at;
	const struct service *svc = at->to->service;
	bool answered;

	if (at->cell == NULL) {
		return reply_set(x, 503, "config.invalid",
			"there are more upstream addresses than this process can hold");
	}
	/* Looked at before the addresses, which control writes first. */
	answered = atomic_load(&at->cell->answers) != at->answers &&
		!atomic_load(&at->cell->resolving);
	if (atomic_load_explicit(&at->cell->addresses, memory_order_acquire) != NULL &&
		!atomic_load_explicit(&at->cell->vacant, memory_order_relaxed)) {
		resolver_check(x->w, at->cell);
		list_remove(&x->rq->wait_link);
		timer_clear(x->w->loop, &x->timer);
		x->timed_out = false; /* it came in the turn in which its time was over */
		return VERDICT_NEXT;
	}
	if (!at->asked) {
		at->asked = true;
		at->answers = atomic_load(&at->cell->answers);
		list_append(&x->w->waiting, &x->rq->wait_link);
		exchange_deadline(x, x->w->opts->limits.resolve_ms);
		resolver_ask(x->w, at->cell);
		return VERDICT_WAIT;
	}
	if (!x->timed_out && !answered) {
		return VERDICT_WAIT;
	}
	if (svc->endpoints[0].ask != NULL) {
		reply_undiscovered(x);
		return attempts_failed(x, FAILURE_CONNECT);
	}
	if (x->timed_out || atomic_load(&at->cell->failed) == ERR_TIMEOUT) {
		reply_set(
			x, 504, "upstream.timeout", "resolving the upstream's name took too long");
		return attempts_failed(x, FAILURE_TIMEOUT);
	}
	reply_set(x, 502, "upstream.connect",
		"the upstream's name could not be resolved; check the registry of service %.*s",
		BYTES_ARG(svc->name));
	return attempts_failed(x, FAILURE_CONNECT);
}

static void fill_target(struct exchange *x, struct client_target *t, char *name, size_t name_size)
{
	struct attempt *at = &x->rq->at;
	const struct address_list *list =
		atomic_load_explicit(&at->cell->addresses, memory_order_acquire);
	unsigned i = atomic_fetch_add_explicit(&at->cell->next, 1, memory_order_relaxed);
	const struct cell_address *addr = &list->v[i % list->n];
	struct bytes sni;

	memset(t, 0, sizeof(*t));
	memcpy(&t->addr, addr->room, sizeof(t->addr));
	t->key = at->cell->index;
	if (at->cell->port == 0) {
		/* Instances are told apart: one that is new gets requests although others idle. */
		t->key ^= hash_bytes(&x->w->opts->seed, bytes_of(addr->room, sizeof(addr->room)))
			<< 32;
	}
	t->fresh = at->fresh;
	t->tls = at->to->service->tls;
	if (t->tls) {
		sni = decide_tls_name(at->to, bytes_str(at->cell->host));
		snprintf(name, name_size, BYTES_FMT, BYTES_ARG(sni));
		t->name = name;
		t->key ^= (hash_bytes(&x->w->opts->seed, sni) | 1) << 32;
	}
}

/* The body towards the upstream. */
static int body_fill(struct stream_source *s, struct iovec *v, int max)
{
	struct exchange *x = CONTAINER_OF(s, struct body_source, source)->x;
	const struct seg *at;
	int n = 0;

	if (x->rq->gathers) {
		return splice_fill(&x->rq->at.splice, v, max);
	}
	if (x->rq->upload != NULL) {
		return upload_fill(x, v, max);
	}
	at = x->client->body.head;
	while (at != NULL && n < max) {
		v[n].iov_base = (void *)(uintptr_t)(at->data + at->beg);
		v[n++].iov_len = at->end - at->beg;
		at = at->next;
	}
	return n;
}

static void body_sent(struct stream_source *s, size_t n)
{
	struct exchange *x = CONTAINER_OF(s, struct body_source, source)->x;

	if (x->rq->gathers) {
		splice_sent(&x->rq->at.splice, n);
		return;
	}
	if (x->rq->upload != NULL) {
		upload_sent(x, n);
	} else {
		x->rec.bytes_in += n;
		chain_drop(&x->w->pool, &x->client->body, n);
	}
	stream_want(x->client, THROUGH_HIGH_WATER);
}

static struct bytes upstream_host(const struct exchange *x)
{
	const struct request *rq = x->rq;

	return decide_host(rq->at.route, rq->at.to, head_get(&rq->head, FIELD_HOST));
}

/* providers.md §8: order and spelling of the client's fields stay. */
static void add_client_fields(struct exchange *x, struct head_out *out)
{
	const struct head *h = &x->rq->head;

	for (unsigned i = 0; i < h->n_fields; i++) {
		if (h->fields[i].id == FIELD_HOST) {
			head_out_add(out, head_name(h, i), upstream_host(x));
		} else if (!exchange_stripped(x, i)) {
			head_out_add(out, head_name(h, i), head_value(h, i));
		}
	}
}

/* The address part of "1.2.3.4:5" or "[::1]:5". */
static struct bytes peer_ip(const char *peer)
{
	struct bytes b = bytes_str(peer);
	const char *colon = memrchr(b.p, ':', b.n);

	if (colon != NULL) {
		b.n = (size_t)(colon - b.p);
	}
	if (b.n >= 2 && b.p[0] == '[') {
		b = bytes_of(b.p + 1, b.n - 2);
	}
	return b;
}

/* A new part of the trace for each attempt. */
static void add_trace(struct exchange *x, struct head_out *out, char room[TRACE_PARENT_N])
{
	do {
		x->rec.trace.span = random_u64(&x->w->random);
	} while (x->rec.trace.span == 0);
	trace_format(&x->rec.trace, room);
	head_out_add(out, BYTES("traceparent"), bytes_of(room, TRACE_PARENT_N));
}

static void make_head(struct exchange *x, struct head_out *out, char trace_room[TRACE_PARENT_N])
{
	struct request *rq = x->rq;
	bool controlled;

	head_out_init(out);
	out->method = rq->head.method;
	out->target = text_bytes(&rq->at.target);
	add_client_fields(x, out);
	if (head_get(&rq->head, FIELD_HOST).p == NULL) {
		head_out_add(out, BYTES("Host"), upstream_host(x));
	}
	if (head_get(&rq->head, FIELD_USER_AGENT).p == NULL) {
		head_out_add(out, BYTES("User-Agent"), BYTES("sluice"));
	}
	head_out_add(out, BYTES("X-Forwarded-For"), peer_ip(stream_peer(x->client)));
	head_out_add(out, BYTES("X-Forwarded-Proto"),
		x->client->tls != NULL ? BYTES("https") : BYTES("http"));
	if (rq->new_id) {
		head_out_add(out, BYTES("x-request-id"), bytes_of(x->rec.id, x->rec.id_n));
	}
	add_trace(x, out, trace_room);
	controlled =
		rq->at.route->headers != NULL && header_edits_any(&rq->at.route->headers->request);
	if (controlled) {
		headers_control(x, &rq->at.route->headers->request, out);
	}
	if (rq->at.to->provider != NULL) {
		unsigned from = out->n;

		x->w->opts->hooks->dialect->add_headers(x, out);
		if (controlled) {
			headers_settle(out, from);
		}
	}
	if (!rq->head.has_body) {
		/* "Content-Length: 0" stays: there are servers that answer 411 to a POST without it. */
		out->no_body = rq->head.length == HEAD_NO_LENGTH;
		out->length = 0;
	} else if (rq->gathers) {
		out->length = rq->at.splice.length;
	} else if (rq->upload != NULL) {
		out->length = upload_length(x);
	} else {
		out->length = rq->head.length;
	}
}

enum verdict step_send(struct exchange *x)
{
	struct request *rq = x->rq;
	struct client_target target;
	char trace_room[TRACE_PARENT_N];
	char name[256];

	fill_target(x, &target, name, sizeof(name));
	rq->source = (struct body_source){{body_fill, body_sent, rq->gathers}, x};
	make_head(x, &x->w->head, trace_room);
	x->up = client_open(x->w->client, &target, &x->up_user);
	if (bytes_eq(rq->head.method, BYTES("HEAD"))) {
		client_expect_no_body(x->up);
	}
	if (stream_send(x->up, &x->w->head, rq->head.has_body ? &rq->source.source : NULL) != 0) {
		return reply_set(x, 431, "request.header_too_large",
			"the request head is too large to be sent on");
	}
	x->rq->texts.upstream = arena_copy(&rq->arena, bytes_str(stream_peer(x->up)));
	stream_pump(x->up);
	rq->at.sent_us = loop_now_us(x->w->loop);
	x->rec.added_us += rq->at.sent_us - rq->complete_us;
	return VERDICT_NEXT;
}
