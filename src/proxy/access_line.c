/*
 * One line per exchange, `key=value` or JSON members in a fixed order, formatted by hand into scratch
 * and put into the worker's ring whole. Request content is never in it, nor a credential.
 */
#include "base/clock.h"
#include "base/num.h"
#include "plan/explain.h"
#include "proxy/worker.h"

/* Eleven texts from outside, each byte of which may be escaped, beside what is bounded anyway: a line that
 * is cut would be no JSON, and who can cut it can hide from those who read it. */
#define LINE_MAX_BYTES (2048u + 11u * 6u * LOG_TEXT_MAX + ATTRIBUTES_MAX + EXPLAIN_LINE_MAX)

struct line {
	char *at, *end;
};

/* Inlined, so that a name that is written in the program is a few stores and no call. */
static inline __attribute__((always_inline)) void put(struct line *l, struct bytes b)
{
	if ((size_t)(l->end - l->at) >= b.n && b.n != 0) {
		memcpy(l->at, b.p, b.n);
		l->at += b.n;
	}
}

static inline __attribute__((always_inline)) void put_number(
	struct line *l, struct bytes key, uint64_t v)
{
	put(l, key);
	if ((size_t)(l->end - l->at) >= NUM_U64_MAX) {
		l->at += num_format_u64(l->at, v);
	}
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Not 0 when some of eight bytes has to be escaped: control characters, DEL, quote, backslash, and
 * what is not ASCII. Borrows and carries between bytes come only from bytes of that kind. */
static uint64_t odd_bytes(uint64_t w)
{
	uint64_t quote = w ^ EACH('"');
	uint64_t slash = w ^ EACH('\\');

	return (w | (w - EACH(0x20)) | (w + EACH(1)) | (quote - EACH(1)) | (slash - EACH(1))) &
		EACH(0x80);
}

static bool is_plain(struct bytes b)
{
	uint64_t odd = 0;
	uint64_t w;

	while (b.n >= sizeof(w)) {
		memcpy(&w, b.p, sizeof(w));
		odd |= odd_bytes(w);
		b = bytes_of(b.p + sizeof(w), b.n - sizeof(w));
	}
	w = EACH(' ');
	memcpy(&w, b.p, b.n);
	return (odd | odd_bytes(w)) == 0;
}

/* Escapes only where it has to, which is nearly never. */
static void put_escaped(struct line *l, struct bytes value)
{
	if (value.n == 0) {
		return;
	}
	if (is_plain(value)) {
		put(l, value);
	} else {
		struct text t;

		text_init_fixed(&t, l->at, (size_t)(l->end - l->at));
		text_add_json(&t, value);
		l->at += t.n;
	}
}

/* A JSON string; key ends with the opening quote. */
static inline __attribute__((always_inline)) void put_text(
	struct line *l, struct bytes key, struct bytes value)
{
	put(l, key);
	put_escaped(l, value);
	put(l, BYTES("\""));
}

/* The same for a text of our own making, in which nothing needs an escape. */
static inline __attribute__((always_inline)) void put_own(
	struct line *l, struct bytes key, struct bytes value)
{
	put(l, key);
	put(l, value);
	put(l, BYTES("\""));
}

static inline __attribute__((always_inline)) void put_optional(
	struct line *l, struct bytes key, struct bytes value)
{
	if (value.n != 0) {
		put_text(l, key, value);
	}
}

static void put_usage(struct line *l, const struct exchange *x)
{
	const struct usage *u = &x->rec.usage;

	if (u->known) {
		put_number(l, BYTES(",\"input_token\":"), u->input);
		put_number(l, BYTES(",\"output_token\":"), u->output);
		put_number(l, BYTES(",\"total_token\":"), u->total);
		if (u->cached != 0) {
			put_number(l, BYTES(",\"cached_tokens\":"), u->cached);
		}
		if (u->reasoning != 0) {
			put_number(l, BYTES(",\"reasoning_tokens\":"), u->reasoning);
		}
	} else if (x->reads_answer && !x->rec.no_usage) {
		put(l, BYTES(",\"usage\":\"unknown\""));
	}
}

static void put_trace(struct line *l, const struct trace *t)
{
	char id[TRACE_ID_N];

	trace_format_id(t, id);
	put_own(l, BYTES(",\"trace_id\":\""), bytes_of(id, sizeof(id)));
}

/* What data-plane.md §15.3 calls them, in milliseconds, when a model answered. */
static void put_durations(struct line *l, const struct record *r)
{
	if (r->provider.n == 0 || r->first_us == 0) {
		return;
	}
	if (r->stream) {
		put_number(l, BYTES(",\"llm_first_token_duration\":"),
			(r->first_us - r->began_us) / 1000);
	}
	put_number(l, BYTES(",\"llm_service_duration\":"), (r->ended_us - r->began_us) / 1000);
}

static void put_times(struct line *l, const struct record *r)
{
	put_number(l, BYTES(",\"duration_us\":"), r->ended_us - r->began_us);
	if (r->first_us != 0) {
		put_number(l, BYTES(",\"first_byte_us\":"), r->first_us - r->began_us);
		put_number(l, BYTES(",\"added_us\":"), r->added_us);
	}
}

static void put_tls(struct line *l, const struct stream *client)
{
	if (client->tls != NULL) {
		put_own(l, BYTES(",\"tls\":\""), bytes_str(client->tls));
		if (client->tls_resumed) {
			put(l, BYTES(",\"tls_resumed\":true"));
		}
	}
}

void access_line(struct worker *w, const struct exchange *x, const char *peer)
{
	const struct record *r = &x->rec;
	char room[LINE_MAX_BYTES];
	char when[CLOCK_ISO_LEN];
	struct line l = {room, room + sizeof(room) - 2};

	if (!w->opts->access_log) {
		return;
	}
	clock_format_iso(when, clock_wall_ms());
	put_own(&l, BYTES("{\"time\":\""), bytes_of(when, sizeof(when)));
	put_text(&l, BYTES(",\"request_id\":\""), bytes_of(r->id, r->id_n));
	put_trace(&l, &r->trace);
	put_own(&l, BYTES(",\"client\":\""), bytes_str(peer));
	put_tls(&l, x->client);
	put_text(&l, BYTES(",\"method\":\""), r->method);
	put_text(&l, BYTES(",\"host\":\""), r->host);
	put_text(&l, BYTES(",\"path\":\""), r->path);
	put_number(&l, BYTES(",\"status\":"), r->status);
	put_optional(&l, BYTES(",\"reason\":\""), bytes_str(r->reason));
	put_optional(&l, BYTES(",\"consumer\":\""), r->consumer);
	put_optional(&l, BYTES(",\"route\":\""), r->route);
	put_optional(&l, BYTES(",\"provider\":\""), r->provider);
	put_optional(&l, BYTES(",\"upstream\":\""), r->upstream);
	put_optional(&l, BYTES(",\"requested_model\":\""), r->model);
	put_optional(&l, BYTES(",\"upstream_model\":\""), r->upstream_model);
	put_optional(&l, BYTES(",\"session_id\":\""), r->session);
	put_own(&l, BYTES(",\"response_type\":\""), r->stream ? BYTES("stream") : BYTES("normal"));
	put_usage(&l, x);
	put_number(&l, BYTES(",\"attempts\":"), r->attempts);
	put_number(&l, BYTES(",\"bytes_in\":"), r->bytes_in);
	put_number(&l, BYTES(",\"bytes_out\":"), r->bytes_out);
	put_times(&l, r);
	put_durations(&l, r);
	if (r->attributes.n != 0) {
		put(&l, BYTES(",\"attributes\":{"));
		put(&l, text_bytes(&r->attributes));
		put(&l, BYTES("}"));
	}
	put_optional(&l, BYTES(",\"decision\":\""), text_bytes(&r->decision));
	if (r->client_abort) {
		put(&l, BYTES(",\"client_abort\":true"));
	}
	if (r->cut) {
		put(&l, BYTES(",\"cut\":true"));
	}
	*l.at++ = '}';
	*l.at++ = '\n';
	IGNORE(ring_put(&w->log, bytes_of(room, (size_t)(l.at - room)))); /* a full ring counts */
	gateway_wake_log(w->gateway);
}
