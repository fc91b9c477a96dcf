/*
 * One line per exchange, `key=value` or JSON members in a fixed order, formatted by hand into scratch
 * and put into the worker's ring whole. Request content is never in it, nor a credential.
 */
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/clock.h"
#include "base/num.h"
#include "plan/explain.h"
#include "proxy/attempts.h"
#include "proxy/worker.h"

/* Eleven texts from outside, each byte of which may be escaped, beside what is bounded anyway: a line that
 * is cut would be no JSON, and who can cut it can hide from those who read it. */
#define FIXED_MAX 2048u
#define LINE_MAX_BYTES                                                               \
	(FIXED_MAX + 11u * 6u * LOG_TEXT_MAX + ATTRIBUTES_MAX + ATTEMPTS_TRIES_MAX + \
		EXPLAIN_LINE_MAX)

/* Texts go up to end; behind it FIXED_MAX bytes are set aside for names, numbers and what else the program
 * itself says, so these need no look at how much there is. */
struct line {
	char *at, *end;
};

/* Of the program's own. Inlined, so that a name that is written in it is a few stores and no call. */
static inline __attribute__((always_inline)) void put(struct line *l, struct bytes b)
{
	l->at = bytes_put(l->at, b);
}

static inline __attribute__((always_inline)) void put_number(
	struct line *l, struct bytes key, uint64_t v)
{
	put(l, key);
	if (v < 10) {
		*l->at++ = (char)('0' + v);
	} else {
		l->at += num_format_u64(l->at, v);
	}
}

#ifdef __SSE2__

#define STEP 16u

/* Bits of the bytes that have to be escaped: control characters, DEL, quote, backslash, and what is not
 * ASCII, which is negative here. */
static unsigned odd_bits(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
	__m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

	return (unsigned)_mm_movemask_epi8(
		_mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(quote, slash)));
}

#else

#define STEP 1u

static unsigned odd_bits(const char *p)
{
	return *p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\';
}

#endif

/* What stands at p is looked at in steps; behind it there are as many bytes as the last may be too long. */
static bool is_plain(const char *p, size_t n)
{
	unsigned odd = 0;

	while (n >= STEP) {
		odd |= odd_bits(p);
		p += STEP;
		n -= STEP;
	}
	return n == 0 ? odd == 0 : (odd | (odd_bits(p) & ((1u << n) - 1))) == 0;
}

static __attribute__((noinline)) void put_slowly(struct line *l, struct bytes value)
{
	struct text t;

	text_init_fixed(&t, l->at, l->at < l->end ? (size_t)(l->end - l->at) : 0);
	text_add_json(&t, value);
	l->at += t.n;
}

/* Escapes only where it has to, which is nearly never: what was put is looked at where it now stands. */
static void put_escaped(struct line *l, struct bytes value)
{
	if (l->at < l->end && value.n <= (size_t)(l->end - l->at)) {
		bytes_put(l->at, value);
		if (is_plain(l->at, value.n)) {
			l->at += value.n;
			return;
		}
	}
	put_slowly(l, value);
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

/* The inside of a JSON object or string that was made for the line, as far as there is room. */
static void put_made(struct line *l, struct bytes value)
{
	if (l->at < l->end && value.n <= (size_t)(l->end - l->at)) {
		put(l, value);
	}
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
static void put_durations(struct line *l, const struct record *r, struct bytes provider)
{
	if (provider.n == 0 || r->first_us == 0) {
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

static void put_more(struct line *l, const struct record_more *m)
{
	if (m->attributes.n != 0) {
		put(l, BYTES(",\"attributes\":{"));
		put_made(l, text_bytes(&m->attributes));
		put(l, BYTES("}"));
	}
	if (m->n_tries != 0) {
		put(l, BYTES(",\"tries\":["));
		put_made(l, text_bytes(&m->tries));
		put(l, BYTES("]"));
	}
	put_optional(l, BYTES(",\"decision\":\""), text_bytes(&m->decision));
}

/* The calendar is looked at once a second. */
static void put_time(struct line *l, struct worker *w)
{
	uint64_t now_ms = clock_wall_ms();
	uint64_t s = now_ms / 1000;
	unsigned ms = (unsigned)(now_ms % 1000);

	if (s != w->line_time.s) {
		w->line_time.s = s;
		clock_format_iso(w->line_time.text, now_ms);
	}
	put(l, BYTES("{\"time\":\""));
	put(l, bytes_of(w->line_time.text, CLOCK_ISO_LEN));
	l->at[-4] = (char)('0' + ms / 100);
	l->at[-3] = (char)('0' + ms / 10 % 10);
	l->at[-2] = (char)('0' + ms % 10);
	put(l, BYTES("\""));
}

void access_line(struct worker *w, const struct exchange *x, const char *peer)
{
	const struct record *r = &x->rec;
	struct texts kept;
	const struct texts *t = texts_of(x, &kept);
	char room[LINE_MAX_BYTES];
	struct line l = {room, room + sizeof(room) - FIXED_MAX};

	if (!w->opts->access_log) {
		return;
	}
	put_time(&l, w);
	put_own(&l, BYTES(",\"request_id\":\""), bytes_of(r->id, r->id_n));
	put_trace(&l, &r->trace);
	put_own(&l, BYTES(",\"client\":\""), bytes_str(peer));
	put_tls(&l, x->client);
	/* A token and a host have no byte that needs an escape: the parsers take no other. */
	put_own(&l, BYTES(",\"method\":\""), t->method);
	put_own(&l, BYTES(",\"host\":\""), t->host);
	put_text(&l, BYTES(",\"path\":\""), t->path);
	put_number(&l, BYTES(",\"status\":"), r->status);
	put_optional(&l, BYTES(",\"reason\":\""), bytes_str(r->reason));
	put_optional(&l, BYTES(",\"consumer\":\""), t->consumer);
	put_optional(&l, BYTES(",\"route\":\""), t->route);
	put_optional(&l, BYTES(",\"provider\":\""), t->provider);
	put_optional(&l, BYTES(",\"upstream\":\""), t->upstream);
	put_optional(&l, BYTES(",\"requested_model\":\""), t->model);
	put_optional(&l, BYTES(",\"upstream_model\":\""), t->upstream_model);
	put_optional(&l, BYTES(",\"session_id\":\""), t->session);
	put_own(&l, BYTES(",\"response_type\":\""), r->stream ? BYTES("stream") : BYTES("normal"));
	put_usage(&l, x);
	if (r->no_context) {
		put(&l, BYTES(",\"context\":\"missing\""));
	}
	put_number(&l, BYTES(",\"attempts\":"), r->attempts);
	if (r->failure != 0) {
		put_own(&l, BYTES(",\"failure\":\""),
			bytes_str(failure_class_name((enum failure_class)r->failure)));
	}
	put_number(&l, BYTES(",\"bytes_in\":"), r->bytes_in);
	put_number(&l, BYTES(",\"bytes_out\":"), r->bytes_out);
	put_times(&l, r);
	put_durations(&l, r, t->provider);
	if (r->more != NULL) {
		put_more(&l, r->more);
	}
	if (x->probe != NULL) {
		put(&l, BYTES(",\"probe\":true"));
	}
	if (r->client_abort) {
		put(&l, BYTES(",\"client_abort\":true"));
	}
	if (r->cut) {
		put(&l, BYTES(",\"cut\":true"));
	}
	put(&l, BYTES("}\n"));
	ASSERT(l.at <= room + sizeof(room));
	IGNORE(ring_put(&w->log, bytes_of(room, (size_t)(l.at - room)))); /* a full ring counts */
	gateway_wake_log(w->gateway);
}
