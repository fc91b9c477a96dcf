/*
 * Only line ends are searched for; what a line is gets decided at its end from its length and its
 * first bytes, which are kept across reads. So a long line costs one look per byte, however it
 * comes, and bytes that were fed before are never needed again.
 */
#include "wire/sse.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum flag {
	AT_START = 1,  /* no line of the stream has ended: a byte order mark may lead it */
	AFTER_CR = 2,  /* a line feed that comes next belongs to the line end before it */
	HAS_LINES = 4, /* a line of the event in progress has ended */
	FAILED = 8
};

static const char byte_order_mark[3] = "\xef\xbb\xbf";

void sse_init(struct sse *s)
{
	*s = (struct sse){.flags = AT_START};
}

#ifdef __SSE2__
/* Whether any of 64 bytes is a carriage return or below it, which is a line end in nearly all streams. */
static bool has_control(const char *p)
{
	const __m128i *v = (const __m128i *)(const void *)p;
	__m128i least = _mm_min_epu8(_mm_min_epu8(_mm_loadu_si128(v), _mm_loadu_si128(v + 1)),
		_mm_min_epu8(_mm_loadu_si128(v + 2), _mm_loadu_si128(v + 3)));

	return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(least, _mm_set1_epi8('\r')), least)) !=
		0;
}
#endif

#ifdef __SSE2__
/* A bit for each of 16 bytes that ends a line. */
static unsigned line_ends(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i lf = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'));
	__m128i cr = _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(lf, cr));
}
#endif

/* Number of bytes before the first line feed or carriage return. One pass for both: two searches
 * would look at all the rest again for each line when one of them never comes. */
static size_t find_line_end(const char *p, size_t n)
{
	size_t at = 0;
#ifdef __SSE2__
	while (n - at >= 64 && !has_control(p + at)) {
		at += 64;
	}
	while (at < n && n >= 16) {
		/* The last 16 may have been seen in part: without a line end there. */
		size_t from = MIN(at, n - 16);
		unsigned ends = line_ends(p + from);
		if (ends != 0) {
			return from + (size_t)__builtin_ctz(ends);
		}
		at = from + 16;
	}
#endif
	while (at < n && p[at] != '\n' && p[at] != '\r') {
		at++;
	}
	return at;
}

static void remember_head(struct sse *s, const char *p, size_t n)
{
	size_t have = s->pos - s->line;
	if (have < sizeof(s->head)) {
		memcpy(s->head + have, p, MIN(n, sizeof(s->head) - have));
	}
}

/* The current line is the first of the stream and has ended. */
static void drop_byte_order_mark(struct sse *s)
{
	s->flags &= (uint8_t)~AT_START;
	if (s->pos - s->line >= sizeof(byte_order_mark) &&
		memcmp(s->head, byte_order_mark, sizeof(byte_order_mark)) == 0) {
		s->line += (uint32_t)sizeof(byte_order_mark);
		memmove(s->head, s->head + sizeof(byte_order_mark),
			sizeof(s->head) - sizeof(byte_order_mark));
	}
}

/* Whether a line of n bytes that begins with head is a field of that name: "data" alone is one
 * with an empty value. *skip is what stands before the value: name, colon and one blank. */
static bool is_field(const char *head, size_t n, struct bytes name, uint32_t *skip)
{
	if (n < name.n || memcmp(head, name.p, name.n) != 0) {
		return false;
	}
	if (n == name.n) {
		*skip = (uint32_t)n;
		return true;
	}
	bool blank = n > name.n + 1 && head[name.n + 1] == ' ';
	*skip = (uint32_t)name.n + (blank ? 2 : 1);
	return head[name.n] == ':';
}

/* Notes a line of n > 0 bytes at s->line. */
static void end_line(struct sse *s, uint32_t n)
{
	struct sse_event *ev = &s->event;
	uint32_t skip;
	s->flags |= HAS_LINES;
	if (is_field(s->head, n, BYTES("data"), &skip)) {
		ev->data_lines++;
		if (ev->data_lines == 1) {
			ev->data_off = s->line + skip;
			ev->data_n = n - skip;
			ev->done = n - skip == 6 && memcmp(s->head + skip, "[DONE]", 6) == 0;
		} else {
			ev->done = false;
		}
	} else if (is_field(s->head, n, BYTES("event"), &skip)) {
		ev->name_off = s->line + skip;
		ev->name_n = n - skip;
	}
}

static void end_event(struct sse *s, struct sse_event *ev)
{
	*ev = s->event;
	ev->raw_n = s->pos;
	s->event = (struct sse_event){0};
	s->pos = 0;
	s->line = 0;
	s->flags &= (uint8_t)~HAS_LINES;
}

/* Takes the line end that stands at p[0..n): how many bytes, 2 for CR LF. */
static size_t take_line_end(struct sse *s, const char *p, size_t n)
{
	if (p[0] == '\n') {
		return 1;
	}
	if (n > 1) {
		return p[1] == '\n' ? 2 : 1;
	}
	s->flags |= AFTER_CR;
	return 1;
}

/* Takes a line, or what is there of it, from p[0..n), n > 0: how many bytes. *blank: it ended and
 * was empty. */
static size_t take_line(struct sse *s, const char *p, size_t n, bool *blank)
{
	*blank = false;
	if ((s->flags & AFTER_CR) != 0) {
		s->flags &= (uint8_t)~AFTER_CR;
		if (p[0] == '\n') {
			s->pos++;
			s->line = s->pos;
			return 1;
		}
	}
	size_t text = find_line_end(p, n);
	/* Room for the longest line end too, so that the limit does not depend on how it arrives. */
	if (text + 2 > SSE_EVENT_MAX - s->pos) {
		s->flags |= FAILED;
		return 0;
	}
	remember_head(s, p, text);
	s->pos += (uint32_t)text;
	if (text == n) {
		return n;
	}
	if ((s->flags & AT_START) != 0) {
		drop_byte_order_mark(s);
	}
	*blank = s->pos == s->line;
	if (!*blank) {
		end_line(s, s->pos - s->line);
	}
	size_t end = take_line_end(s, p + text, n - text);
	s->pos += (uint32_t)end;
	s->line = s->pos;
	return text + end;
}

enum read_rc sse_feed(struct sse *s, struct bytes in, size_t *used, struct sse_event *ev)
{
	size_t at = 0;
	bool blank = false;
	while (at < in.n && !blank && (s->flags & FAILED) == 0) {
		at += take_line(s, in.p + at, in.n - at, &blank);
	}
	*used = at;
	if ((s->flags & FAILED) != 0) {
		return READ_FAIL;
	}
	if (!blank) {
		return READ_MORE;
	}
	end_event(s, ev);
	return READ_DONE;
}

bool sse_in_event(const struct sse *s)
{
	return (s->flags & HAS_LINES) != 0 || s->pos != s->line;
}

bool sse_finish(struct sse *s, struct sse_event *ev)
{
	if ((s->flags & AT_START) != 0) {
		drop_byte_order_mark(s);
	}
	if ((s->flags & FAILED) != 0 || !sse_in_event(s)) {
		return false;
	}
	if (s->pos != s->line) {
		end_line(s, s->pos - s->line);
	}
	end_event(s, ev);
	return true;
}

void sse_event_data(struct bytes raw, struct text *out)
{
	bool first = true;
	if (raw.n >= sizeof(byte_order_mark) &&
		memcmp(raw.p, byte_order_mark, sizeof(byte_order_mark)) == 0) {
		raw = bytes_of(raw.p + sizeof(byte_order_mark), raw.n - sizeof(byte_order_mark));
	}
	while (raw.n > 0) {
		uint32_t skip;
		size_t n = find_line_end(raw.p, raw.n);
		if (is_field(raw.p, n, BYTES("data"), &skip)) {
			if (!first) {
				text_add_char(out, '\n');
			}
			first = false;
			text_add(out, raw.p + skip, n - skip);
		}
		n += n < raw.n ? 1 : 0;
		raw = bytes_of(raw.p + n, raw.n - n);
	}
}
