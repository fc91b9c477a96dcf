/*
 * multipart-body := *1(CRLF) dash-boundary padding CRLF part *(delimiter padding CRLF part)
 *                   delimiter "--" ...                                     (RFC 2046 §5.1.1)
 * part := *(header CRLF) CRLF *OCTET, where the octets do not hold the delimiter, CRLF "--" boundary.
 *
 * A delimiter is matched byte by byte. Because a boundary holds neither CR nor LF, a text that does not
 * go on like the delimiter can only begin another one at one of these: no text is looked at twice.
 *
 * Readers in use also take a delimiter behind half a line break, or as the first bytes of a part's data
 * (its line break is that of the headers). Here such a one is found and refused.
 *
 * Left out: a preamble, lines that are folded, and names in RFC 5987's form, for which readers differ.
 */
#include "wire/multipart.h"

enum state {
	STATE_START,  /* matching the first delimiter, with or without its CRLF */
	STATE_BORDER, /* behind a delimiter: "--", padding or CR */
	STATE_DASH,   /* one dash behind it */
	STATE_PADDING,
	STATE_BORDER_LF,
	STATE_HEADER,    /* in a header line */
	STATE_HEADER_LF, /* behind its CR */
	STATE_DATA,
	STATE_DONE
};

/* What stood before the dashes of a delimiter. */
enum lead { LEAD_CRLF, LEAD_NONE, LEAD_LF, LEAD_CR };

#define DASHES 2u /* where they stand in the delimiter */
#define STRIDE 64u

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* --- Content-Type ------------------------------------------------------------------------------- */

static bool is_boundary_char(char c)
{
	char lower = ascii_lower(c);

	return ascii_digit(c) || (lower >= 'a' && lower <= 'z') ||
		(c != '\0' && memchr("'()+_,-./:=? ", c, 13) != NULL);
}

static bool is_boundary(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		if (!is_boundary_char(b.p[i])) {
			return false;
		}
	}
	return b.n != 0 && b.n <= MULTIPART_BOUNDARY_MAX && b.p[b.n - 1] != ' ';
}

/* RFC 9110 §5.6.2 */
static bool is_token_char(char c)
{
	char lower = ascii_lower(c);

	return ascii_digit(c) || (lower >= 'a' && lower <= 'z') ||
		(c != '\0' && memchr("!#$%&'*+-.^_`|~", c, 15) != NULL);
}

static void skip(struct bytes *rest, size_t n)
{
	rest->p += n;
	rest->n -= n;
}

static struct bytes take_token(struct bytes *rest)
{
	struct bytes token = {rest->p, 0};

	while (token.n < rest->n && is_token_char(rest->p[token.n])) {
		token.n++;
	}
	skip(rest, token.n);
	return token;
}

static void skip_blanks(struct bytes *rest)
{
	while (rest->n != 0 && is_blank(rest->p[0])) {
		skip(rest, 1);
	}
}

/* A quoted-string, without quotes and escapes, into room; false when it does not end or is too long.
 * rest stands on the opening quote. */
static bool take_quoted(struct bytes *rest, char *room, size_t room_n, struct bytes *out)
{
	size_t n = 0;

	for (size_t i = 1; i < rest->n; i++) {
		char c = rest->p[i];

		if (c == '"') {
			*out = bytes_of(room, n);
			skip(rest, i + 1);
			return true;
		}
		if (c == '\\' && i + 1 < rest->n) {
			c = rest->p[++i];
		}
		if (n == room_n) {
			return false;
		}
		room[n++] = c;
	}
	return false;
}

/* One of *( ";" name "=" value ). */
struct parameter {
	struct bytes name, value; /* a quoted value is in room */
	bool quoted;
};

enum taken { TAKEN, NOTHING_LEFT, NO_PARAMETER };

/* A value without quotes ends before the next semicolon; what may stand in it is for the caller to say. */
static enum taken take_parameter(
	struct bytes *rest, char *room, size_t room_n, struct parameter *out)
{
	skip_blanks(rest);
	if (rest->n == 0) {
		return NOTHING_LEFT;
	}
	if (rest->p[0] != ';') {
		return NO_PARAMETER;
	}
	skip(rest, 1);
	skip_blanks(rest);
	if (rest->n == 0) {
		return NOTHING_LEFT;
	}
	out->name = take_token(rest);
	if (out->name.n == 0 || rest->n == 0 || rest->p[0] != '=') {
		return NO_PARAMETER;
	}
	skip(rest, 1);
	out->quoted = rest->n != 0 && rest->p[0] == '"';
	if (out->quoted) {
		return take_quoted(rest, room, room_n, &out->value) ? TAKEN : NO_PARAMETER;
	}
	out->value = bytes_of(rest->p, 0);
	while (out->value.n < rest->n && rest->p[out->value.n] != ';') {
		out->value.n++;
	}
	skip(rest, out->value.n);
	out->value = bytes_trim(out->value);
	return TAKEN;
}

/* What stands before the first semicolon; *rest begins with that, or is empty. */
static struct bytes take_type(struct bytes *rest)
{
	struct bytes type = {rest->p, 0};

	while (type.n < rest->n && rest->p[type.n] != ';') {
		type.n++;
	}
	skip(rest, type.n);
	return bytes_trim(type);
}

bool multipart_boundary(
	struct bytes content_type, char room[MULTIPART_BOUNDARY_MAX], struct bytes *out)
{
	char scratch[MULTIPART_BOUNDARY_MAX];
	struct bytes rest = content_type;
	struct parameter p;
	enum taken taken;
	bool bad = false;

	*out = BYTES("");
	if (!bytes_eq_nocase(take_type(&rest), BYTES("multipart/form-data"))) {
		return false;
	}
	while ((taken = take_parameter(&rest, scratch, sizeof(scratch), &p)) == TAKEN) {
		if (!bytes_eq_nocase(p.name, BYTES("boundary"))) {
			continue;
		}
		bad = bad || out->n != 0 || !is_boundary(p.value) ||
			(!p.quoted && memchr(p.value.p, ' ', p.value.n) != NULL);
		if (!bad) {
			memcpy(room, p.value.p, p.value.n);
			*out = bytes_of(room, p.value.n);
		}
	}
	if (bad || taken == NO_PARAMETER) {
		*out = BYTES("");
	}
	return true;
}

/* --- headers of a part -------------------------------------------------------------------------- */

static enum read_rc fail(struct multipart *m, struct fault *f, enum err err, const char *what)
{
	m->failed = true;
	fault_set(f, err, 400, (size_t)m->at, "%s", what);
	return READ_FAIL;
}

static bool is_token(struct bytes b)
{
	struct bytes rest = b;

	return b.n != 0 && take_token(&rest).n == b.n;
}

/* form-data; name="model"; filename="a.wav" */
static const char *read_disposition(struct multipart *m, struct bytes value)
{
	char room[MULTIPART_LINE_MAX];
	struct parameter p;
	enum taken taken;
	bool has_name = false;

	if (m->named) {
		return "a part of the body has two Content-Disposition headers";
	}
	m->named = true;
	if (!bytes_eq_nocase(take_type(&value), BYTES("form-data"))) {
		return "a part of the body is no form-data";
	}
	while ((taken = take_parameter(&value, room, sizeof(room), &p)) == TAKEN) {
		if (bytes_eq_nocase(p.name, BYTES("name*"))) {
			return "a part of the body has its name in an extended form (name*)";
		}
		if (!bytes_eq_nocase(p.name, BYTES("name"))) {
			continue;
		}
		if (has_name || (!p.quoted && !is_token(p.value))) {
			return "the name of a part of the body is ambiguous";
		}
		has_name = true;
		m->wanted = bytes_eq(p.value, bytes_of(m->name, m->name_n));
	}
	return taken == NOTHING_LEFT && has_name
		? NULL
		: "the Content-Disposition of a part of the body is malformed";
}

/* A whole line; NULL, or what is wrong with it. */
static const char *read_line(struct multipart *m)
{
	struct bytes value = bytes_of(m->line, m->line_n);
	struct bytes name = take_token(&value);

	if (name.n == 0 || value.n == 0 || value.p[0] != ':') {
		return "a header of a part of the body is malformed";
	}
	skip(&value, 1);
	value = bytes_trim(value);
	if (bytes_eq_nocase(name, BYTES("Content-Disposition"))) {
		return read_disposition(m, value);
	}
	if (bytes_eq_nocase(name, BYTES("Content-Transfer-Encoding")) &&
		!bytes_eq_nocase(value, BYTES("binary")) &&
		!bytes_eq_nocase(value, BYTES("8bit")) && !bytes_eq_nocase(value, BYTES("7bit"))) {
		return "a part of the body has a Content-Transfer-Encoding";
	}
	return NULL;
}

static enum read_rc end_line(struct multipart *m, struct fault *f)
{
	const char *wrong = NULL;

	if (m->line_n != 0) {
		wrong = read_line(m);
		m->line_n = 0;
		m->state = STATE_HEADER;
	} else if (!m->named) {
		wrong = "a part of the body has no Content-Disposition";
	} else {
		m->state = STATE_DATA;
		m->matched = DASHES;
		m->lead = LEAD_NONE;
		m->value = m->at + 1;
	}
	return wrong != NULL ? fail(m, f, ERR_SYNTAX, wrong) : READ_MORE;
}

/* --- scanning ----------------------------------------------------------------------------------- */

void multipart_init(struct multipart *m, struct bytes boundary, struct bytes name)
{
	ASSERT(boundary.n != 0 && boundary.n <= MULTIPART_BOUNDARY_MAX);
	ASSERT(name.n != 0 && name.n <= MULTIPART_NAME_MAX);
	memset(m, 0, offsetof(struct multipart, name));
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.p, boundary.n);
	m->delimiter_n = (uint16_t)(4 + boundary.n);
	memcpy(m->name, name.p, name.n);
	m->name_n = (uint8_t)name.n;
}

/* A part begins. */
static enum read_rc begin_part(struct multipart *m, struct fault *f)
{
	if (++m->parts > MULTIPART_PARTS_MAX) {
		return fail(m, f, ERR_LIMIT, "the body has too many parts");
	}
	m->state = STATE_HEADER;
	m->line_n = 0;
	m->headers_n = 0;
	m->named = false;
	m->wanted = false;
	m->value_n = 0;
	return READ_MORE;
}

/* The delimiter's line is whole: so is the part before it. */
static enum read_rc end_border(struct multipart *m, struct fault *f)
{
	if (m->wanted) {
		m->found = true;
		m->state = STATE_DONE;
		return READ_DONE;
	}
	return begin_part(m, f);
}

static enum read_rc border(struct multipart *m, char c, struct fault *f)
{
	const char *wrong = "a boundary in the body is followed by something else";

	if (m->state == STATE_BORDER && c == '-') {
		m->state = STATE_DASH;
	} else if (m->state == STATE_DASH && c == '-') {
		m->found = m->wanted;
		m->state = STATE_DONE;
		return READ_DONE;
	} else if (m->state != STATE_DASH && is_blank(c)) {
		m->state = STATE_PADDING;
	} else if (m->state != STATE_DASH && c == '\r') {
		m->state = STATE_BORDER_LF;
	} else {
		return fail(m, f, ERR_SYNTAX, wrong);
	}
	return READ_MORE;
}

static enum read_rc header(struct multipart *m, char c, struct fault *f)
{
	if (c == '\r') {
		m->state = STATE_HEADER_LF;
		return READ_MORE;
	}
	if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f) {
		return fail(m, f, ERR_SYNTAX, "a header of a part of the body is malformed");
	}
	if (m->line_n == sizeof(m->line) || ++m->headers_n > MULTIPART_HEADERS_MAX) {
		return fail(m, f, ERR_LIMIT, "the headers of a part of the body are too long");
	}
	m->line[m->line_n++] = c;
	return READ_MORE;
}

static enum read_rc keep(struct multipart *m, const char *p, size_t n, struct fault *f)
{
	if (!m->wanted || n == 0) {
		return READ_MORE;
	}
	if (n > sizeof(m->value_room) - m->value_n) {
		return fail(
			m, f, ERR_LIMIT, "the part of the body that names the model is too long");
	}
	memcpy(m->value_room + m->value_n, p, n);
	m->value_n = (uint16_t)(m->value_n + n);
	return READ_MORE;
}

/* How many bytes stand before the first CR or LF. */
static size_t run_of(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= STRIDE; i += STRIDE) {
		unsigned char any = 0;

		for (size_t k = 0; k < STRIDE; k++) {
			any |= (unsigned char)((p[i + k] == '\r') | (p[i + k] == '\n'));
		}
		if (any != 0) {
			break;
		}
	}
	while (i < n && p[i] != '\r' && p[i] != '\n') {
		i++;
	}
	return i;
}

/* What looked like a delimiter is data. */
static enum read_rc keep_matched(struct multipart *m, struct fault *f)
{
	static const struct {
		const char *p;
		size_t n;
	} leads[] = {[LEAD_CRLF] = {"\r\n", 2},
		[LEAD_NONE] = {"", 0},
		[LEAD_LF] = {"\n", 1},
		[LEAD_CR] = {"\r", 1}};
	size_t n = m->matched;
	enum read_rc rc;

	m->matched = 0;
	if (n < DASHES) {
		return keep(m, "\r", 1, f);
	}
	rc = keep(m, leads[m->lead].p, leads[m->lead].n, f);
	return rc == READ_FAIL ? rc : keep(m, m->delimiter + DASHES, n - DASHES, f);
}

static enum read_rc end_delimiter(struct multipart *m, struct fault *f)
{
	if (m->lead != LEAD_CRLF) {
		return fail(m, f, ERR_SYNTAX,
			"a boundary in the body stands behind no or half a line break");
	}
	m->beg = m->value;
	m->end = m->at - m->delimiter_n;
	m->state = STATE_BORDER;
	return READ_MORE;
}

/* Part data from p on; returns how many bytes were taken. */
static size_t data(struct multipart *m, const char *p, size_t n, enum read_rc *rc, struct fault *f)
{
	size_t run = 0;

	if (m->matched == 0) {
		run = run_of(p, n);
		*rc = keep(m, p, run, f);
		m->at += run;
		if (*rc == READ_FAIL || run == n) {
			return run;
		}
		m->lead = p[run] == '\r' ? LEAD_CRLF : LEAD_LF;
		m->matched = p[run] == '\n'; /* the CR that is not there */
	} else if (m->matched == 1 && p[0] == '-') {
		m->lead = LEAD_CR;
		m->matched = DASHES;
	} else if (p[0] != m->delimiter[m->matched]) {
		*rc = keep_matched(m, f);
		return 0;
	}
	m->at++;
	if (++m->matched == m->delimiter_n) {
		*rc = end_delimiter(m, f);
	}
	return run + 1;
}

/* The first delimiter: its CRLF may be missing. */
static enum read_rc start(struct multipart *m, char c, struct fault *f)
{
	if (m->at == 0 && c == '-') {
		m->matched = 2;
	}
	if (c != m->delimiter[m->matched]) {
		return fail(m, f, ERR_SYNTAX,
			"the body does not begin with the boundary of its Content-Type");
	}
	if (++m->matched == m->delimiter_n) {
		m->state = STATE_BORDER;
	}
	return READ_MORE;
}

static enum read_rc step(struct multipart *m, char c, struct fault *f)
{
	switch ((enum state)m->state) {
	case STATE_START:
		return start(m, c, f);
	case STATE_BORDER:
	case STATE_DASH:
	case STATE_PADDING:
		return border(m, c, f);
	case STATE_BORDER_LF:
		return c == '\n' ? end_border(m, f)
				 : fail(m, f, ERR_SYNTAX, "a line of the body ends without LF");
	case STATE_HEADER:
		return header(m, c, f);
	case STATE_HEADER_LF:
		return c == '\n' ? end_line(m, f)
				 : fail(m, f, ERR_SYNTAX, "a line of the body ends without LF");
	case STATE_DATA:
	case STATE_DONE:
		break;
	}
	ASSERT(false);
	return READ_FAIL;
}

enum read_rc multipart_feed(struct multipart *m, const char *p, size_t n, struct fault *fault)
{
	enum read_rc rc = READ_MORE;

	if (m->failed) {
		return fail(m, fault, ERR_SYNTAX, "the body is malformed");
	}
	while (n != 0 && rc == READ_MORE && m->state != STATE_DONE) {
		size_t taken = 1;

		if (m->state == STATE_DATA) {
			taken = data(m, p, n, &rc, fault);
		} else {
			rc = step(m, *p, fault);
			m->at += rc != READ_FAIL;
		}
		p += taken;
		n -= taken;
	}
	return rc == READ_MORE && m->state == STATE_DONE ? READ_DONE : rc;
}

enum read_rc multipart_end(struct multipart *m, struct fault *fault)
{
	if (!m->failed && m->state == STATE_DONE) {
		return READ_DONE;
	}
	return fail(m, fault, ERR_SYNTAX, "the body ends without its last boundary");
}

uint64_t multipart_safe(const struct multipart *m)
{
	bool inside = m->wanted && !m->found &&
		(m->state == STATE_DATA || m->state == STATE_BORDER || m->state == STATE_DASH ||
			m->state == STATE_PADDING || m->state == STATE_BORDER_LF);

	return inside ? m->value : m->at;
}

struct bytes multipart_value(const struct multipart *m)
{
	ASSERT(m->found);
	return bytes_of(m->value_room, m->value_n);
}
