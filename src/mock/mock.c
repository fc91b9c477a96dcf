/*
 * One exchange: the body is gathered (begin), its question read, the script of the model's name parsed;
 * then one of three answers goes out: a whole body, a stream of events, or the record. What is sent
 * stands in one text per exchange; events are made when the text is empty, so a slow reader costs one
 * event of memory.
 */
#include "mock/mock_int.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/num.h"
#include "wire/json.h"

/* Bodies of requests; the largest that tests send are about 100 MB. */
#define BODY_MAX (256u * 1024u * 1024u)
/* Answers: the largest content (128 MB) escaped, or a full record. */
#define ANSWER_MAX (1024u * 1024u * 1024u)
/* Events are made ahead up to this many bytes when nothing paces them. */
#define AHEAD_BYTES 16384u
/* Between the last byte and a cut: the kernel must have handed the bytes over. */
#define CUT_AFTER_MS 20u
#define SHORT_BY 100u
#define BACKLOG 4096
/* Between two tries to listen on a port again. */
#define AGAIN_AFTER_MS 50u
#define HEAD_ARENA_MAX 65536u

static struct server *new_server(struct mock *m);

/* --- life --------------------------------------------------------------------------------------- */

static void exchange_free_now(void *p)
{
	struct mock_exchange *x = p;

	mock_content_done(&x->reply.content);
	text_done(&x->out);
	arena_done(&x->arena);
	free(x);
}

static void note_end(struct mock_exchange *x, enum mock_end end)
{
	struct mock_counts *c = &x->mock->counts;
	struct mock_seen *s = mock_record_get(x->mock->record, x->seen);

	if (s != NULL) {
		s->end = end;
		s->end_ms = clock_wall_ms();
		s->events = x->events.sent;
	}
	if (x->counted) {
		c->open--;
		c->complete += end == MOCK_END_COMPLETE;
		c->client_gone += end == MOCK_END_CLIENT_GONE;
		c->cut += end == MOCK_END_CUT;
	}
}

/* From any state. The stream is closed after a complete answer, reset otherwise. */
static void exchange_end(struct mock_exchange *x, enum mock_end end)
{
	note_end(x, end);
	list_remove(&x->link);
	if (end == MOCK_END_COMPLETE) {
		stream_close(x->stream);
	} else {
		stream_reset(x->stream);
	}
	if (x->timed) {
		timer_clear(x->mock->loop, &x->timer);
		loop_free_later(x->mock->loop, x, exchange_free_now);
	} else {
		exchange_free_now(x);
	}
}

static void set_timer(struct mock_exchange *x, uint64_t ms, void (*on_timer)(struct timer *t))
{
	x->timed = true;
	timer_set(x->mock->loop, &x->timer, ms, on_timer);
}

/* --- sending ------------------------------------------------------------------------------------ */

static bool is_paced(const struct mock_exchange *x)
{
	return mock_script_has(x->reply.script.slow);
}

/* Makes events while the text is short; a paced stream gets one per tick instead. */
static void make_ahead(struct mock_exchange *x)
{
	while (x->streaming && !is_paced(x) && x->out.n < AHEAD_BYTES) {
		x->streaming = mock_events_next(&x->events, &x->out);
	}
}

static int source_fill(struct stream_source *s, struct iovec *v, int max)
{
	struct mock_exchange *x = CONTAINER_OF(s, struct mock_exchange, source);

	if (max == 0 || x->sent == x->out.n) {
		return 0;
	}
	v[0].iov_base = x->out.p + x->sent;
	v[0].iov_len = x->out.n - x->sent;
	return 1;
}

static void look_at_end(struct mock_exchange *x)
{
	x->source.ended = !x->streaming && !x->cut_short &&
		(!x->events.over || x->events.end == MOCK_EVENTS_CLEAN);
}

static void source_sent(struct stream_source *s, size_t n)
{
	struct mock_exchange *x = CONTAINER_OF(s, struct mock_exchange, source);

	x->sent += n;
	if (x->sent == x->out.n) {
		text_clear(&x->out);
		x->sent = 0;
		make_ahead(x);
		look_at_end(x);
	}
}

static void on_cut_timer(struct timer *t)
{
	exchange_end(CONTAINER_OF(t, struct mock_exchange, timer), MOCK_END_CUT);
}

/* After anything was sent: is it over, and how? May end the exchange. */
static void check_sent(struct mock_exchange *x)
{
	bool cut = x->cut_short || (x->events.over && x->events.end == MOCK_EVENTS_CUT);

	if (x->stream->out == STREAM_OUT_END) {
		exchange_end(x, MOCK_END_COMPLETE);
	} else if (x->stream->out == STREAM_OUT_FAILED) {
		exchange_end(x, MOCK_END_CLIENT_GONE);
	} else if (cut && !x->streaming && x->out.n == 0 && !timer_is_set(&x->timer)) {
		set_timer(x, CUT_AFTER_MS, on_cut_timer);
	}
}

static void pump(struct mock_exchange *x)
{
	look_at_end(x);
	stream_pump(x->stream);
	check_sent(x);
}

static void on_tick(struct timer *t)
{
	struct mock_exchange *x = CONTAINER_OF(t, struct mock_exchange, timer);

	/* A reader that is slower than the pace is waited for. */
	if (x->out.n < AHEAD_BYTES) {
		x->streaming = mock_events_next(&x->events, &x->out);
	}
	if (x->streaming) {
		set_timer(x, x->reply.script.slow, on_tick);
	}
	pump(x);
}

/* --- heads -------------------------------------------------------------------------------------- */

static void add_header(struct head_out *h, const char *name, const char *value)
{
	head_out_add(h, bytes_str(name), bytes_str(value));
}

/* What Retry-After says, with its digits in `room`; n 0: nothing. */
static struct bytes retry_after(
	const struct mock_script *s, unsigned status, char room[NUM_U64_MAX])
{
	bool told = mock_script_has(s->retry_after);

	if (status < 400 || (!told && (status != 429 || mock_script_has(s->no_retry_after)))) {
		return bytes_of(NULL, 0);
	}
	return bytes_of(room, num_format_u64(room, told ? s->retry_after : 1));
}

static void add_rate_limits(struct head_out *h)
{
	add_header(h, "x-ratelimit-limit-requests", "60");
	add_header(h, "x-ratelimit-remaining-requests", "0");
	add_header(h, "x-ratelimit-reset-requests", "1s");
}

/* Sends the head; what is in out and what events make follow. */
void mock_send_answer(struct mock_exchange *x, unsigned status, const char *type)
{
	const struct mock_script *script = &x->reply.script;
	char request_id[16 + NUM_U64_MAX], digits[NUM_U64_MAX];
	struct bytes wait;
	struct head_out h;

	head_out_init(&h);
	h.status = status;
	h.length = x->is_stream ? HEAD_NO_LENGTH : x->out.n + x->missing;
	add_header(&h, "content-type", type);
	if (x->is_stream) {
		add_header(&h, "cache-control", "no-cache");
	}
	if (x->seen != 0) {
		snprintf(request_id, sizeof(request_id), "req_mock_%llu",
			(unsigned long long)x->seen);
		add_header(&h, "x-request-id", request_id);
	}
	wait = retry_after(script, status, digits);
	if (wait.n != 0) {
		head_out_add(&h, BYTES("retry-after"), wait);
	}
	if (status == 429) {
		add_rate_limits(&h);
	}
	h.to_close = mock_script_has(script->to_close);
	if (h.to_close) {
		h.length = HEAD_NO_LENGTH;
	}
	x->source = (struct stream_source){.fill = source_fill, .sent = source_sent};
	if (stream_send(x->stream, &h, &x->source) != 0) {
		exchange_end(x, MOCK_END_CUT); /* the pool is spent */
		return;
	}
	pump(x);
}

void mock_send_error(struct mock_exchange *x, unsigned status, const char *message)
{
	mock_reply_error(x->reply.ask.api, status, message, &x->out);
	mock_send_answer(x, status, "application/json");
}

/* --- being away --------------------------------------------------------------------------------- */

static void end_all(struct mock *m)
{
	while (!list_empty(&m->exchanges)) {
		exchange_end(
			CONTAINER_OF(m->exchanges.next, struct mock_exchange, link), MOCK_END_CUT);
	}
	server_free(m->server);
	m->server = NULL;
	for (size_t i = 0; i < m->n_listeners; i++) {
		sys_close(m->listeners[i].fd, false);
		m->listeners[i].fd = -1;
	}
}

/* A port that somebody else has taken meanwhile is tried again. */
static bool listen_again(struct mock *m)
{
	bool all = true;

	for (size_t i = 0; i < m->n_listeners; i++) {
		struct sys_addr same = m->listeners[i].addr;
		int fd = m->listeners[i].fd >= 0 ? -1 : sys_listen(&same, BACKLOG, &same);

		if (fd >= 0 && server_listen(m->server, fd) != 0) {
			sys_close(fd, false);
			fd = -1;
		}
		m->listeners[i].fd = fd >= 0 ? fd : m->listeners[i].fd;
		all = all && m->listeners[i].fd >= 0;
	}
	return all;
}

static void on_outage_end(struct timer *t)
{
	struct mock *m = CONTAINER_OF(t, struct mock, outage);

	if (m->server == NULL) {
		m->server = new_server(m);
	}
	if (listen_again(m)) {
		m->outage_ms = 0;
	} else {
		timer_set(m->loop, t, AGAIN_AFTER_MS, on_outage_end);
	}
}

static void on_outage(struct timer *t)
{
	struct mock *m = CONTAINER_OF(t, struct mock, outage);

	end_all(m);
	timer_set(m->loop, t, m->outage_ms, on_outage_end);
}

/* Not at once: the server is in the middle of telling us about a request. */
static void begin_outage(struct mock *m, uint64_t ms)
{
	if (m->outage_ms == 0) {
		m->outage_ms = MAX(ms, 1);
		timer_set(m->loop, &m->outage, 0, on_outage);
	}
}

/* --- answers ------------------------------------------------------------------------------------ */

static void end_short(struct mock_exchange *x)
{
	x->is_stream = false; /* there is a length to fall short of */
	x->missing = SHORT_BY;
	x->cut_short = true;
}

static void answer_stream(struct mock_exchange *x)
{
	mock_events_init(&x->events, &x->reply);
	x->streaming = x->is_stream = true;
	if (is_paced(x)) {
		set_timer(x, x->reply.script.slow, on_tick);
	} else {
		make_ahead(x);
	}
	if (mock_script_has(x->reply.script.short_body)) {
		/* A length wants the whole text. */
		while (x->streaming) {
			x->streaming = mock_events_next(&x->events, &x->out);
		}
		end_short(x);
	}
	mock_send_answer(x, 200, "text/event-stream; charset=utf-8");
}

/* The fixed answer of the fast path: 1 KB in all. */
static void answer_bench(struct mock_exchange *x)
{
	static const char head[] =
		"{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,"
		"\"model\":\"bench\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
		"\"assistant\",\"content\":\"";
	static const char tail[] =
		"\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":"
		"9,\"completion_tokens\":12,\"total_tokens\":21}}";
	char filling[1024 - sizeof(head) - sizeof(tail) + 2];

	memset(filling, 'x', sizeof(filling));
	text_add(&x->out, head, sizeof(head) - 1);
	text_add(&x->out, filling, sizeof(filling));
	text_add(&x->out, tail, sizeof(tail) - 1);
	mock_send_answer(x, 200, "application/json");
}

static void answer_whole(struct mock_exchange *x)
{
	mock_reply_body(&x->reply, &x->out);
	if (mock_script_has(x->reply.script.malformed)) {
		text_clear(&x->out);
		text_add_str(&x->out, "{\"id\":\"chatcmpl-mock\",\"choices\":[{\"message\":");
	}
	if (mock_script_has(x->reply.script.short_body)) {
		end_short(x);
	}
	mock_send_answer(x, 200, "application/json");
}

/* Without events a stall or cut comes after the head, or, when it has a number, in mid-body. */
static void answer_broken(struct mock_exchange *x)
{
	const struct mock_script *s = &x->reply.script;
	bool stall = mock_script_has(s->stall);
	bool halt = mock_script_has(s->halt);
	size_t all;

	x->events.over = true;
	x->events.end = stall || halt ? MOCK_EVENTS_STALL : MOCK_EVENTS_CUT;
	mock_reply_body(&x->reply, &x->out);
	all = x->out.n;
	x->out.n = !halt && (stall ? s->stall : s->cut) == 0 ? 0 : all / 2;
	x->missing = all - x->out.n;
	mock_send_answer(x, 200, "application/json");
}

static void answer_page(struct mock_exchange *x)
{
	if (mock_script_has(x->reply.script.html)) {
		text_add_str(&x->out,
			"<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head>"
			"<body><h1>502 Bad Gateway</h1></body></html>\n");
		mock_send_answer(x,
			mock_script_has(x->reply.script.status) ? (unsigned)x->reply.script.status
								: 200,
			"text/html; charset=utf-8");
	} else {
		mock_reply_error(
			x->reply.ask.api, 500, "an error in the clothes of an answer", &x->out);
		mock_send_answer(x, 200,
			mock_script_has(x->reply.script.json_error)
				? "application/json"
				: "text/event-stream; charset=utf-8");
	}
}

/* Errors that have a name; false: none of them is asked for. */
static bool answer_refusal(struct mock_exchange *x)
{
	const struct mock_script *s = &x->reply.script;
	enum mock_refusal kind = mock_script_has(s->quota) ? MOCK_REFUSAL_QUOTA
		: mock_script_has(s->context)              ? MOCK_REFUSAL_CONTEXT
							   : MOCK_REFUSAL_FILTER;

	if (!mock_script_has(s->quota) && !mock_script_has(s->context) &&
		!mock_script_has(s->filter)) {
		return false;
	}
	mock_send_answer(
		x, mock_reply_refusal(x->reply.ask.api, kind, &x->out), "application/json");
	return true;
}

/* Ways of not answering; false: none of them is asked for. */
static bool answer_nothing(struct mock_exchange *x)
{
	const struct mock_script *s = &x->reply.script;

	if (mock_script_has(s->refuse)) {
		begin_outage(x->mock, s->refuse);
	} else if (mock_script_has(s->reset)) {
		exchange_end(x, MOCK_END_CUT);
	} else {
		return mock_script_has(s->silent); /* until the client leaves */
	}
	return true;
}

static bool wants_page(const struct mock_script *s)
{
	return mock_script_has(s->html) || mock_script_has(s->json_as_sse) ||
		mock_script_has(s->json_error);
}

static void answer(struct mock_exchange *x)
{
	const struct mock_script *s = &x->reply.script;
	bool may_stream = x->reply.ask.stream && x->reply.ask.api != MOCK_EMBEDDINGS;

	if (answer_nothing(x) || answer_refusal(x)) {
		return;
	}
	if (mock_script_has(s->status) && !mock_script_has(s->html)) {
		mock_send_error(x, (unsigned)s->status, "the mock was asked for this error");
	} else if (wants_page(s)) {
		answer_page(x);
	} else if (may_stream) {
		answer_stream(x);
	} else if (mock_script_has(s->bench)) {
		answer_bench(x);
	} else if (mock_script_has(s->stall) || mock_script_has(s->halt) ||
		mock_script_has(s->cut)) {
		answer_broken(x);
	} else if (mock_script_has(s->error_event)) {
		mock_send_error(x, 500, "The server had an error while processing your request.");
	} else {
		answer_whole(x);
	}
}

static void on_delay(struct timer *t)
{
	answer(CONTAINER_OF(t, struct mock_exchange, timer));
}

/* --- the request -------------------------------------------------------------------------------- */

static bool wants_get(enum mock_api api)
{
	return api == MOCK_MODELS || api == MOCK_MODEL;
}

/* Which words count: those of the request's x-mock, then the sequence's, then its model's. */
static int read_script(struct mock_exchange *x, struct fault *fault)
{
	const struct head *h = x->stream->head;
	struct mock_script *out = &x->reply.script;

	for (unsigned i = 0; i < h->n_fields; i++) {
		if (bytes_eq_nocase(head_name(h, i), BYTES("x-mock"))) {
			return mock_script_parse_words(head_value(h, i), out, fault);
		}
	}
	if (mock_sequence_next(&x->mock->sequence, out)) {
		return 0;
	}
	return mock_script_parse(bytes_str(x->reply.ask.model), out, fault);
}

/* Reads the question. A status other than 0 is an error that the answer says. */
static unsigned read_ask(struct mock_exchange *x, struct fault *fault)
{
	struct mock_ask *ask = &x->reply.ask;
	struct bytes method = x->stream->head->method;
	bool get = bytes_eq(method, BYTES("GET")) || bytes_eq(method, BYTES("HEAD"));

	if (ask->api == MOCK_UNKNOWN) {
		fault_set(fault, ERR_NOT_FOUND, 404, 0, "the mock serves nothing at this path");
		return 404;
	}
	if (wants_get(ask->api) != get) {
		fault_set(fault, ERR_REFUSED, 405, 0, "the mock wants %s at this path",
			get ? "POST" : "GET");
		return 405;
	}
	if (!get && mock_ask_body(ask, x->mock->query, &x->stream->body, fault) != 0) {
		return 400;
	}
	return read_script(x, fault) == 0 ? 0 : 400;
}

static void note_begin(struct mock_exchange *x)
{
	struct mock *m = x->mock;

	x->counted = true;
	m->counts.total++;
	m->counts.open++;
	x->reply.created = clock_wall_ms() / 1000;
	if (!mock_script_has(x->reply.script.bench)) {
		x->seen = x->reply.seq = ++m->record_seq;
		mock_record_add(m->record, x->seen, x->stream->head, &x->stream->body);
	}
}

static void make_content(struct mock_exchange *x)
{
	struct mock_seen *seen = mock_record_get(x->mock->record, x->seen);
	struct text echo;

	text_init(&echo, HEAD_ARENA_MAX);
	if (mock_script_has(x->reply.script.echo) && seen != NULL) {
		mock_record_echo(seen, &echo);
	}
	mock_content_init(&x->reply.content, &x->reply.script, &x->reply.ask, text_bytes(&echo));
	text_done(&echo);
}

static void begin_answer(struct mock_exchange *x, unsigned status, const struct fault *fault)
{
	if (status != 0) {
		mock_send_error(x, status, fault->text);
	} else if (mock_script_has(x->reply.script.delay)) {
		set_timer(x, x->reply.script.delay, on_delay);
	} else {
		answer(x);
	}
}

/* The request is complete. */
static void begin(struct mock_exchange *x)
{
	struct stream *s = x->stream;
	struct fault fault = {0};
	unsigned status;

	x->begun = true;
	mock_ask_target(&x->reply.ask, s->head->target);
	if (mock_control(x)) {
		return;
	}
	status = read_ask(x, &fault);
	note_begin(x);
	make_content(x);
	chain_give(s->pool, &s->body);
	stream_release_head(s);
	if (s->gone) {
		exchange_end(x, MOCK_END_CLIENT_GONE);
	} else {
		begin_answer(x, status, &fault);
	}
}

static void on_stream(struct stream_user *u, struct stream *s)
{
	struct mock_exchange *x = CONTAINER_OF(u, struct mock_exchange, user);

	if (!x->begun && s->in == STREAM_IN_END) {
		begin(x);
	} else if (s->gone || s->in == STREAM_IN_FAILED || s->body.n >= BODY_MAX) {
		exchange_end(x, MOCK_END_CLIENT_GONE);
	} else if (x->begun && s->out != STREAM_OUT_IDLE) {
		check_sent(x);
	}
}

static void on_request(struct server *srv, struct stream *s)
{
	struct mock *m = server_context(srv);
	struct mock_exchange *x = must_alloc(sizeof(*x));

	x->mock = m;
	x->stream = s;
	x->user.on_stream = on_stream;
	s->user = &x->user;
	list_append(&m->exchanges, &x->link);
	memset(&x->reply.script, 0xff, sizeof(x->reply.script)); /* no word was said */
	text_init(&x->out, ANSWER_MAX);
	text_init(&x->reply.content.sentence, 0);
	arena_init(&x->arena, HEAD_ARENA_MAX);
	if (s->in == STREAM_IN_END) {
		begin(x);
		return;
	}
	if (!head_keep(s->head, &x->arena)) {
		exchange_end(x, MOCK_END_CUT);
		return;
	}
	stream_want(s, BODY_MAX);
	stream_send_continue(s);
}

static struct server *new_server(struct mock *m)
{
	const struct server_opts opts = {
		.loop = m->loop,
		.pool = m->pool,
		.limits = m->limits,
		.on_request = on_request,
		.context = m,
	};

	return server_new(&opts);
}

int mock_plan(struct mock *m, struct bytes sequence, struct fault *fault)
{
	return mock_sequence_parse(sequence, &m->sequence, fault);
}

/* --- the mock ----------------------------------------------------------------------------------- */

struct mock *mock_new(struct loop *loop, struct segpool *pool, const struct http_limits *limits)
{
	static const struct http_limits defaults = HTTP_LIMITS_DEFAULT;
	struct mock *m = must_alloc(sizeof(*m));

	m->loop = loop;
	m->pool = pool;
	m->limits = limits != NULL ? *limits : defaults;
	m->query = mock_ask_query();
	m->record = mock_record_new();
	list_init(&m->exchanges);
	m->server = new_server(m);
	return m;
}

int mock_listen(struct mock *m, const struct sys_addr *addr, struct sys_addr *bound)
{
	int fd;
	int rc;

	if (m->n_listeners == LISTENERS_MAX) {
		return ERR_LIMIT;
	}
	fd = sys_listen(addr, BACKLOG, bound);
	if (fd < 0) {
		return fd;
	}
	rc = server_listen(m->server, fd);
	if (rc != 0) {
		sys_close(fd, false);
		return rc;
	}
	m->listeners[m->n_listeners].fd = fd;
	m->listeners[m->n_listeners++].addr = *bound;
	return 0;
}

const struct mock_counts *mock_counts(const struct mock *m)
{
	return &m->counts;
}

void mock_free(struct mock *m)
{
	if (m == NULL) {
		return;
	}
	timer_clear(m->loop, &m->outage);
	end_all(m);
	mock_record_free(m->record);
	json_query_free(m->query);
	free(m);
}
