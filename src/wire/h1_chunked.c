/*
 * A state per byte for the lines between the data, one move per run of data.
 *
 *   chunked-body = *chunk last-chunk trailer-section CRLF               (RFC 9112 §7.1)
 *   chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
 *   chunk-ext    = *( BWS ";" ... )
 *
 * Blanks are only taken where a ";" follows them, as the grammar has it.
 */
#include "wire/h1.h"

enum state {
	SIZE_FIRST, /* the first digit of a size must come */
	SIZE,
	SIZE_BLANK,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_FIRST, /* a field name or the empty line must come */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF,
	FINISHED,
	FAILED
};

#define PLAIN_DIGITS 8u

/* Sizes stay below half of the range, so that sums with them cannot overflow. */
#define SIZE_BEFORE_DIGIT_MAX ((uint64_t)INT64_MAX >> 4)

void h1_chunked_init(struct h1_chunked *c)
{
	*c = (struct h1_chunked){.state = SIZE_FIRST};
}

static int hex_digit(char ch)
{
	char lower = ascii_lower(ch);
	if (ascii_digit(ch)) {
		return ch - '0';
	}
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_text(char ch)
{
	unsigned char u = (unsigned char)ch;
	return (u >= 0x20 && u != 0x7f) || ch == '\t';
}

/* The state behind a byte of a chunk-size line. */
static enum state next_in_size(struct h1_chunked *c, char ch)
{
	int digit = hex_digit(ch);
	bool in_digits = c->state == SIZE_FIRST || c->state == SIZE;
	if (in_digits && digit >= 0) {
		if (c->left > SIZE_BEFORE_DIGIT_MAX) {
			return FAILED;
		}
		c->left = c->left << 4 | (uint64_t)digit;
		return SIZE;
	}
	if (c->state == SIZE_FIRST) {
		return FAILED;
	}
	if (c->state == EXTENSION && is_text(ch)) {
		return EXTENSION;
	}
	if (ch == ';') {
		return EXTENSION;
	}
	if (ch == ' ' || ch == '\t') {
		return SIZE_BLANK;
	}
	return ch == '\r' && c->state != SIZE_BLANK ? SIZE_LF : FAILED;
}

/* The state behind a byte of the trailers. */
static enum state next_in_trailers(const struct h1_chunked *c, char ch)
{
	switch ((enum state)c->state) {
	case TRAILER_FIRST:
		if (ch == '\r') {
			return LAST_LF;
		}
		return h1_is_token(bytes_of(&ch, 1)) ? TRAILER_NAME : FAILED;
	case TRAILER_NAME:
		if (ch == ':') {
			return TRAILER_VALUE;
		}
		return h1_is_token(bytes_of(&ch, 1)) ? TRAILER_NAME : FAILED;
	case TRAILER_VALUE:
		if (ch == '\r') {
			return TRAILER_LF;
		}
		return is_text(ch) ? TRAILER_VALUE : FAILED;
	case TRAILER_LF:
		return ch == '\n' ? TRAILER_FIRST : FAILED;
	case LAST_LF:
		return ch == '\n' ? FINISHED : FAILED;
	case SIZE_FIRST:
	case SIZE:
	case SIZE_BLANK:
	case EXTENSION:
	case SIZE_LF:
	case DATA:
	case DATA_CR:
	case DATA_LF:
	case FINISHED:
	case FAILED:
		break;
	}
	return FAILED;
}

/* The state behind any byte that is not data. */
static enum state next_state(struct h1_chunked *c, char ch)
{
	switch ((enum state)c->state) {
	case SIZE_FIRST:
	case SIZE:
	case SIZE_BLANK:
	case EXTENSION:
		return ++c->count <= H1_CHUNK_LINE_MAX ? next_in_size(c, ch) : FAILED;
	case SIZE_LF:
		c->count = 0;
		if (ch != '\n') {
			return FAILED;
		}
		return c->left > 0 ? DATA : TRAILER_FIRST;
	case DATA_CR:
		return ch == '\r' ? DATA_LF : FAILED;
	case DATA_LF:
		return ch == '\n' ? SIZE_FIRST : FAILED;
	case TRAILER_FIRST:
	case TRAILER_NAME:
	case TRAILER_VALUE:
	case TRAILER_LF:
	case LAST_LF:
		return ++c->count <= H1_TRAILER_MAX ? next_in_trailers(c, ch) : FAILED;
	case DATA:
	case FINISHED:
	case FAILED:
		break;
	}
	return FAILED;
}

/* What nearly always stands between data, when all of it is there: the end of a chunk, and a size of a few
 * digits without extension. Returns how many bytes that are; 0: whatever it is goes byte by byte. */
static size_t take_plain(struct h1_chunked *c, const char *p, size_t n)
{
	size_t beg = c->state == DATA_CR && n >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
	size_t at = beg;
	uint64_t size = 0;
	int digit;

	if (beg == 0 && (c->state != SIZE_FIRST || c->count != 0)) {
		return 0;
	}
	while (at < n && at - beg < PLAIN_DIGITS && (digit = hex_digit(p[at])) >= 0) {
		size = size << 4 | (uint64_t)digit;
		at++;
	}
	if (size == 0 || n - at < 2 || p[at] != '\r' || p[at + 1] != '\n') {
		c->state = beg != 0 ? SIZE_FIRST : c->state;
		return beg;
	}
	c->left = size;
	c->state = DATA;
	return at + 2;
}

enum read_rc h1_chunked_decode(
	struct h1_chunked *c, char *p, size_t n, size_t *data_n, size_t *used, struct fault *fault)
{
	size_t at = 0;
	size_t kept = 0;
	while (at < n && c->state != FINISHED && c->state != FAILED) {
		if (c->state != DATA) {
			size_t plain = take_plain(c, p + at, n - at);
			at += plain;
			if (plain != 0) {
				continue;
			}
			c->state = (uint8_t)next_state(c, p[at]);
			at++;
			continue;
		}
		size_t run = c->left < n - at ? (size_t)c->left : n - at;
		if (kept != at) {
			memmove(p + kept, p + at, run);
		}
		kept += run;
		at += run;
		c->left -= run;
		if (c->left == 0) {
			c->state = DATA_CR;
		}
	}
	*data_n = kept;
	*used = at;
	if (c->state == FAILED) {
		fault_set(fault, ERR_SYNTAX, 400, at > 0 ? at - 1 : 0,
			"a chunked body is not well formed");
		return READ_FAIL;
	}
	return c->state == FINISHED ? READ_DONE : READ_MORE;
}
