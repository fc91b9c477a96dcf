/*
 * The subject "relay": http/server and http/client joined by the shortest possible relay, so that
 * stories can be told about HTTP alone. "/echo" is answered with the request's own body, everything
 * else goes to the one upstream.
 */
#include <stdlib.h>

#include "http/client.h"
#include "http/server.h"
#include "sim/subject.h"

#define UPSTREAM_ADDRESS "10.0.0.1"
#define UPSTREAM_PORT 80
#define CREDIT 65536u

struct relay {
	struct subject base;
	struct segpool pool;
	struct server *server;
	struct client *client;
	int listener;
	uint64_t began, ended; /* exchanges */
	struct head_out head;
};

/* One direction: what arrives on `from` is the source of what is sent on `to`. */
struct flow {
	struct stream_source source;
	struct stream *from;
	struct chain chain;
	struct relay *relay;
};

struct pair {
	struct relay *relay;
	struct stream *client, *up; /* up is client for an echo */
	struct stream_user client_user, up_user;
	struct flow request, answer;
	bool answered;
};

static int fill(struct stream_source *s, struct iovec *v, int max)
{
	struct flow *f = CONTAINER_OF(s, struct flow, source);
	int n = 0;

	for (struct seg *seg = f->chain.head; seg != NULL && n < max; seg = seg->next) {
		v[n++] = (struct iovec){seg->data + seg->beg, seg->end - seg->beg};
	}
	return n;
}

static void sent(struct stream_source *s, size_t n)
{
	struct flow *f = CONTAINER_OF(s, struct flow, source);

	chain_drop(&f->relay->pool, &f->chain, n);
}

static void flow_init(struct flow *f, struct relay *r)
{
	f->source.fill = fill;
	f->source.sent = sent;
	f->relay = r;
}

static void pair_end(struct pair *p)
{
	chain_give(&p->relay->pool, &p->request.chain);
	chain_give(&p->relay->pool, &p->answer.chain);
	p->relay->ended++;
	free(p);
}

static void cut(struct pair *p)
{
	if (p->up != NULL && p->up != p->client) {
		stream_reset(p->up);
	}
	stream_reset(p->client);
	pair_end(p);
}

/* Takes what has arrived and asks for more while little waits. */
static void flow_on(struct flow *f, struct stream *to)
{
	if (f->from == NULL || f->source.ended) {
		return;
	}
	chain_move(&f->chain, &f->from->body);
	f->source.ended = f->from->in == STREAM_IN_END;
	if (to->out != STREAM_OUT_IDLE) {
		stream_pump(to);
	}
	if (f->from->in == STREAM_IN_BODY) {
		stream_want(f->from, f->chain.n < CREDIT ? CREDIT : 0);
	}
}

static int copy_head(struct pair *p, const struct head *h, struct stream *to, struct flow *f)
{
	struct head_out *out = &p->relay->head;

	head_out_init(out);
	out->method = h->method;
	out->target = h->target;
	out->status = h->status;
	out->length = h->length;
	out->no_body = !h->has_body && h->method.n != 0;
	for (unsigned i = 0; i < h->n_fields; i++) {
		enum field_id id = (enum field_id)h->fields[i].id;

		if (!h->fields[i].hop && id != FIELD_CONTENT_LENGTH && id != FIELD_EXPECT) {
			head_out_add(out, head_name(h, i), head_value(h, i));
		}
	}
	return stream_send(to, out, &f->source);
}

/* Both ends are done: true when the pair is gone. */
static bool end_when_done(struct pair *p)
{
	if (p->client->in == STREAM_IN_FAILED || p->client->gone ||
		p->client->out == STREAM_OUT_FAILED) {
		cut(p);
		return true;
	}
	if (p->client->out != STREAM_OUT_END) {
		return false;
	}
	stream_close(p->client);
	if (p->up != NULL && p->up != p->client) {
		stream_close(p->up);
	}
	pair_end(p);
	return true;
}

static void answer_plainly(struct pair *p, unsigned status)
{
	struct head_out *out = &p->relay->head;

	if (p->up != NULL) {
		stream_reset(p->up);
		p->up = NULL;
	}
	head_out_init(out);
	out->status = status;
	out->length = 0;
	p->answer.source.ended = true;
	p->answered = true;
	if (stream_send(p->client, out, NULL) != 0) {
		cut(p);
		return;
	}
	stream_pump(p->client);
	IGNORE(end_when_done(p)); /* gone or not, nothing follows */
}

static void on_client(struct stream_user *u, struct stream *s)
{
	struct pair *p = CONTAINER_OF(u, struct pair, client_user);

	if (end_when_done(p)) {
		return;
	}
	if (p->up != NULL) {
		flow_on(&p->request, p->up);
	}
	if (p->up != s) {
		flow_on(&p->answer, s);
	}
	IGNORE(end_when_done(p)); /* gone or not, nothing follows */
}

static void on_up(struct stream_user *u, struct stream *s)
{
	struct pair *p = CONTAINER_OF(u, struct pair, up_user);

	if (s->in == STREAM_IN_FAILED) {
		if (p->answered) {
			cut(p);
		} else {
			answer_plainly(p, s->in_err == ERR_TIMEOUT ? 504 : 502);
		}
		return;
	}
	if (s->in != STREAM_IN_HEAD && !p->answered) {
		p->answered = true;
		if (copy_head(p, s->head, p->client, &p->answer) != 0) {
			cut(p);
			return;
		}
		stream_release_head(s);
		p->answer.from = s;
	}
	flow_on(&p->request, s);
	flow_on(&p->answer, p->client);
	IGNORE(end_when_done(p)); /* gone or not, nothing follows */
}

static void begin_echo(struct pair *p)
{
	struct head_out *out = &p->relay->head;

	p->up = p->client;
	head_out_init(out);
	out->status = 200;
	out->length = p->client->head->has_body ? p->client->head->length : 0;
	stream_send_continue(p->client);
	if (stream_send(p->client, out, &p->request.source) != 0) {
		cut(p);
		return;
	}
	stream_release_head(p->client);
	flow_on(&p->request, p->client);
	IGNORE(end_when_done(p)); /* gone or not, nothing follows */
}

static void begin_relay(struct pair *p)
{
	struct client_target t = {.key = 1, .fresh = false};

	IGNORE(sys_addr_parse(&t.addr, UPSTREAM_ADDRESS, sizeof(UPSTREAM_ADDRESS) - 1,
		UPSTREAM_PORT)); /* a literal */
	p->up_user.on_stream = on_up;
	p->up = client_open(p->relay->client, &t, &p->up_user);
	if (bytes_eq(p->client->head->method, BYTES("HEAD"))) {
		client_expect_no_body(p->up);
	}
	if (copy_head(p, p->client->head, p->up, &p->request) != 0) {
		cut(p);
		return;
	}
	stream_send_continue(p->client);
	stream_release_head(p->client);
	flow_on(&p->request, p->up);
	stream_pump(p->up);
}

static void on_request(struct server *srv, struct stream *s)
{
	struct relay *r = server_context(srv);
	struct pair *p = must_alloc(sizeof(*p));

	r->began++;
	p->relay = r;
	p->client = s;
	p->client_user.on_stream = on_client;
	s->user = &p->client_user;
	flow_init(&p->request, r);
	flow_init(&p->answer, r);
	p->request.from = s;
	if (bytes_eq(s->head->target, BYTES("/refuse"))) {
		answer_plainly(p, 417);
	} else if (bytes_eq(s->head->target, BYTES("/echo"))) {
		begin_echo(p);
	} else {
		begin_relay(p);
	}
}

static struct http_limits limits_of(const struct settings *s)
{
	struct http_limits l = HTTP_LIMITS_DEFAULT;

	l.head_ms = (uint32_t)setting(s, "head_ms", l.head_ms);
	l.idle_ms = (uint32_t)setting(s, "idle_ms", l.idle_ms);
	l.body_ms = (uint32_t)setting(s, "body_ms", l.body_ms);
	l.write_ms = (uint32_t)setting(s, "write_ms", l.write_ms);
	l.connect_ms = (uint32_t)setting(s, "connect_ms", l.connect_ms);
	l.pool_idle_ms = (uint32_t)setting(s, "pool_idle_ms", l.pool_idle_ms);
	l.pool_idle_max = (uint32_t)setting(s, "pool_idle_max", l.pool_idle_max);
	l.connections_max = (uint32_t)setting(s, "connections_max", l.connections_max);
	return l;
}

static struct subject *start(const struct settings *s, struct fault *f)
{
	struct relay *r = must_alloc(sizeof(*r));
	struct server_opts so = {.limits = limits_of(s), .on_request = on_request, .context = r};
	struct client_opts co = {.limits = limits_of(s)};
	struct sys_addr at;

	(void)f;
	r->base.ops = &subject_relay;
	r->base.n_loops = 1;
	so.loop = co.loop = r->base.loops[0] = loop_new();
	so.pool = co.pool = &r->pool;
	segpool_init(&r->pool, (size_t)setting(s, "memory", 64u << 20));
	r->server = server_new(&so);
	r->client = client_new(&co);
	IGNORE(sys_addr_parse(
		&at, SUBJECT_ADDRESS, sizeof(SUBJECT_ADDRESS) - 1, SUBJECT_PORT)); /* a literal */
	r->listener = sys_listen(&at, 16, &at);
	if (r->listener < 0 || server_listen(r->server, r->listener) != 0) {
		ASSERT(false); /* the simulated world lets everybody listen */
	}
	return &r->base;
}

static bool work(struct subject *s)
{
	(void)s;
	return false;
}

static void on_drained(struct server *srv)
{
	(void)srv;
}

static void drain(struct subject *s)
{
	server_drain(CONTAINER_OF(s, struct relay, base)->server, on_drained);
}

static size_t lent(struct subject *s)
{
	return CONTAINER_OF(s, struct relay, base)->pool.lent;
}

static bool count(struct subject *s, struct bytes name, uint64_t *out)
{
	const struct relay *r = CONTAINER_OF(s, struct relay, base);
	const struct server_counts *sc = server_counts(r->server);
	const struct client_counts *cc = client_counts(r->client);
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
		{"requests", sc->requests},
		{"refused", sc->refused_heads},
		{"connections", sc->connections},
		{"streams", sc->streams},
		{"running", r->began - r->ended},
		{"opened", cc->opened},
		{"reused", cc->reused},
		{"failed", cc->failed},
		{"idle", cc->idle},
		{"up", cc->open},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (bytes_eq(name, bytes_str(all[i].name))) {
			*out = all[i].value;
			return true;
		}
	}
	return false;
}

static struct bytes read_log(struct subject *s)
{
	(void)s;
	return bytes_of("", 0);
}

static void stop(struct subject *s)
{
	struct relay *r = CONTAINER_OF(s, struct relay, base);

	server_free(r->server);
	client_free(r->client);
	sys_close(r->listener, false);
	loop_free(s->loops[0]);
	segpool_done(&r->pool);
	free(r);
}

const struct subject_ops subject_relay = {
	"relay", start, work, NULL, drain, NULL, lent, count, read_log, stop};
