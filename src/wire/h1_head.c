/*
 * Heads, in two passes. The first looks for the empty line and goes on where it stopped before; the
 * second reads a head that is known to be whole, so every line in it ends in CR LF and no byte of
 * it needs a bound of its own. Only the first line is judged before the head is whole: who speaks
 * something else (TLS, HTTP/2, HTTP/0.9) is told at once and not after a deadline. What is refused,
 * and why, does therefore not depend on how the bytes arrived.
 */
#include "wire/h1.h"
#include "wire/h1_scan.h"
#include "wire/url.h"

#include "base/num.h"

/* Names in Connection fields. Attack: each is compared with every field. */
#define CONNECTION_NAMES_MAX 32u

#define ID_BIT(id) (UINT64_C(1) << (id))
static_assert(FIELD_ID_COUNT <= 64, "a set of ids is one word");

/* RFC 9110 §7.6.1, and what concerns only the connection it came on. */
static const uint64_t hop_ids = ID_BIT(FIELD_CONNECTION) | ID_BIT(FIELD_EXPECT) |
	ID_BIT(FIELD_KEEP_ALIVE) | ID_BIT(FIELD_PROXY_AUTHENTICATE) |
	ID_BIT(FIELD_PROXY_AUTHORIZATION) | ID_BIT(FIELD_PROXY_CONNECTION) |
	ID_BIT(FIELD_PROXY_OTHER) | ID_BIT(FIELD_TE) | ID_BIT(FIELD_TRAILER) |
	ID_BIT(FIELD_TRANSFER_ENCODING) | ID_BIT(FIELD_UPGRADE);

/* One head being read. */
struct parse {
	struct h1_head *out;
	struct bytes in;
	size_t at; /* next byte to look at */
	bool is_request;
	struct fault *fault;
	/* fields that decide framing, NULL until seen */
	const struct field *host, *length, *coding, *upgrade;
	bool has_connection;
	bool close, keep, wants_upgrade; /* options of Connection */
	unsigned names;                  /* other options of Connection */
};

/* All failures of a response are one status to the client. */
static bool refuse_as(struct parse *p, enum err err, int status, size_t where, const char *text)
{
	fault_set(p->fault, err, p->is_request ? status : 502, where, "%s", text);
	return false;
}

COLD static bool refuse(struct parse *p, size_t where, const char *text)
{
	return refuse_as(p, ERR_SYNTAX, 400, where, text);
}

static struct bytes value_of(const struct parse *p, const struct field *f)
{
	return bytes_of(p->in.p + f->value, f->value_n);
}

static bool is_crlf(const char *at)
{
	return at[0] == '\r' && at[1] == '\n';
}

/* --- start lines ------------------------------------------------------------------------------ */

/* HTTP-version = "HTTP/" DIGIT "." DIGIT (RFC 9112 §2.3) with `behind` following; 0 when it is not
 * there, 505 when it is a version that we do not speak. Room for 8 bytes and behind is the
 * caller's. */
static int read_version(const char *at, const char *behind, uint8_t *minor)
{
	if (memcmp(at, "HTTP/", 5) != 0 || !ascii_digit(at[5]) || at[6] != '.' ||
		!ascii_digit(at[7]) || memcmp(at + 8, behind, strlen(behind)) != 0) {
		return 0;
	}
	if (at[5] != '1' || at[7] > '1') {
		return 505;
	}
	*minor = (uint8_t)(at[7] - '0');
	return 200;
}

/* request-line = method SP request-target SP HTTP-version CRLF (RFC 9112 §3) */
static bool read_request_line(struct parse *p)
{
	const char *method = p->in.p + p->at;
	const char *end = p->in.p + p->in.n;
	const char *method_end = h1_scan_token(method, end);
	if (method_end == method || method_end == end || *method_end != ' ') {
		return refuse(p, (size_t)(method_end - p->in.p), "no request method");
	}
	if (method_end - method > (ptrdiff_t)H1_METHOD_MAX) {
		return refuse(p, p->at, "request method too long");
	}
	const char *target = method_end + 1;
	const char *target_end = h1_scan_target(target, end);
	if (target_end == target || target_end == end || *target_end != ' ') {
		return refuse(p, (size_t)(target_end - p->in.p), "no valid request target");
	}
	const char *version = target_end + 1;
	int status = end - version < 10 ? 0 : read_version(version, "\r\n", &p->out->minor);
	if (status == 0) {
		return refuse(
			p, (size_t)(version - p->in.p), "no HTTP version in the request line");
	}
	if (status != 200) {
		return refuse_as(p, ERR_UNSUPPORTED, status, (size_t)(version - p->in.p),
			"HTTP version other than 1.0 and 1.1");
	}
	p->out->method = bytes_of(method, (size_t)(method_end - method));
	p->out->target = bytes_of(target, (size_t)(target_end - target));
	p->at = (size_t)(version - p->in.p) + 10;
	return true;
}

/* status-line = HTTP-version SP 3DIGIT SP [ reason-phrase ] CRLF (RFC 9112 §4). The second SP is
 * often left out where there is no reason; nothing else can be meant. */
static bool read_status_line(struct parse *p)
{
	const char *at = p->in.p + p->at;
	const char *end = p->in.p + p->in.n;
	int status = end - at < 14 ? 0 : read_version(at, " ", &p->out->minor);
	if (status != 200) {
		return refuse(p, p->at, "no status line of HTTP/1.0 or HTTP/1.1");
	}
	const char *digits = at + 9;
	if (digits[0] < '1' || digits[0] > '5' || !ascii_digit(digits[1]) ||
		!ascii_digit(digits[2])) {
		return refuse(p, p->at + 9, "no valid status");
	}
	const char *reason = digits + 3;
	const char *reason_end = reason;
	if (*reason == ' ') {
		reason++;
		reason_end = h1_scan_value(reason, end);
	}
	if (end - reason_end < 2 || !is_crlf(reason_end)) {
		return refuse(p, (size_t)(reason_end - p->in.p), "status line ends wrongly");
	}
	p->out->status =
		(unsigned)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
	p->out->reason = bytes_of(reason, (size_t)(reason_end - reason));
	p->at = (size_t)(reason_end - p->in.p) + 2;
	return true;
}

static bool read_start_line(struct parse *p)
{
	return p->is_request ? read_request_line(p) : read_status_line(p);
}

/* --- fields ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* field-line = field-name ":" OWS field-value OWS CRLF (RFC 9112 §5) */
static bool read_field(struct parse *p, struct field *f)
{
	const char *head = p->in.p;
	const char *end = head + p->in.n;
	const char *name = head + p->at;
	const char *colon = h1_scan_name(name, end);
	if (colon == name) {
		return refuse(p, p->at,
			is_blank(*name) ? "a folded field line" : "a field without a name");
	}
	if (*colon != ':') {
		return refuse(p, (size_t)(colon - head),
			is_blank(*colon) ? "a blank before the colon of a field"
					 : "not a field name");
	}
	const char *value = colon + 1;
	while (is_blank(*value)) {
		value++;
	}
	const char *line_end = h1_scan_line(value, end);
	if (!is_crlf(line_end)) {
		return refuse(p, (size_t)(line_end - head), "a control character in a field value");
	}
	const char *value_end = line_end;
	while (value_end > value && is_blank(value_end[-1])) {
		value_end--;
	}
	struct bytes name_bytes = bytes_of(name, (size_t)(colon - name));
	enum field_id id = field_id_of(name_bytes);
	*f = (struct field){.name = (uint16_t)p->at,
		.name_n = (uint16_t)name_bytes.n,
		.value = (uint16_t)(value - head),
		.value_n = (uint16_t)(value_end - value),
		.id = (uint8_t)id,
		.hop = (hop_ids & ID_BIT(id)) != 0};
	p->at = (size_t)(line_end - head) + 2;
	return true;
}

static bool note_once(
	struct parse *p, const struct field **slot, const struct field *f, const char *text)
{
	if (*slot != NULL) {
		return refuse(p, f->name, text);
	}
	*slot = f;
	return true;
}

static const uint64_t framing_ids = ID_BIT(FIELD_HOST) | ID_BIT(FIELD_CONTENT_LENGTH) |
	ID_BIT(FIELD_TRANSFER_ENCODING) | ID_BIT(FIELD_CONNECTION) | ID_BIT(FIELD_UPGRADE) |
	ID_BIT(FIELD_EXPECT);

/* Remembers the fields that framing needs. */
static bool note_field(struct parse *p, const struct field *f)
{
	if ((framing_ids & ID_BIT(f->id)) == 0) {
		return true;
	}
	if (f->id == FIELD_HOST) {
		return !p->is_request || note_once(p, &p->host, f, "a second Host");
	}
	if (f->id == FIELD_CONTENT_LENGTH) {
		return note_once(p, &p->length, f, "a second Content-Length");
	}
	if (f->id == FIELD_TRANSFER_ENCODING) {
		return note_once(p, &p->coding, f, "a second Transfer-Encoding");
	}
	if (f->id == FIELD_CONNECTION) {
		p->has_connection = true;
	} else if (f->id == FIELD_UPGRADE) {
		p->upgrade = f;
	} else if (f->id == FIELD_EXPECT) {
		p->out->expect_continue |= bytes_eq_nocase(value_of(p, f), BYTES("100-continue"));
	}
	return true;
}

static bool read_fields(struct parse *p)
{
	struct h1_head *out = p->out;
	while (!is_crlf(p->in.p + p->at)) {
		if (out->n_fields == H1_FIELDS_MAX) {
			return refuse_as(p, ERR_LIMIT, 431, p->at, "too many fields");
		}
		struct field *f = &out->fields[out->n_fields];
		if (!read_field(p, f) || !note_field(p, f)) {
			return false;
		}
		out->n_fields++;
	}
	p->at += 2;
	return true;
}

/* --- what the fields mean --------------------------------------------------------------------- */

static void mark_hop(struct parse *p, struct bytes name)
{
	for (unsigned i = 0; i < p->out->n_fields; i++) {
		struct field *f = &p->out->fields[i];
		if (f->name_n == name.n &&
			bytes_eq_nocase(bytes_of(p->in.p + f->name, name.n), name)) {
			f->hop = true;
		}
	}
}

/* Connection = #connection-option (RFC 9110 §7.6.1) */
static bool read_connection(struct parse *p, const struct field *f)
{
	struct bytes rest = value_of(p, f);
	while (rest.p != NULL) {
		struct bytes option = bytes_trim(bytes_cut(&rest, ','));
		if (option.n == 0) {
			continue;
		}
		if (bytes_eq_nocase(option, BYTES("close"))) {
			p->close = true;
		} else if (bytes_eq_nocase(option, BYTES("keep-alive"))) {
			p->keep = true;
		} else if (bytes_eq_nocase(option, BYTES("upgrade"))) {
			p->wants_upgrade = true;
		} else if (p->names++ < CONNECTION_NAMES_MAX) {
			mark_hop(p, option);
		} else {
			return refuse_as(
				p, ERR_LIMIT, 431, f->name, "too many names in Connection");
		}
	}
	return true;
}

static bool settle_connection(struct parse *p)
{
	struct h1_head *out = p->out;
	for (unsigned i = 0; p->has_connection && i < out->n_fields; i++) {
		if (out->fields[i].id == FIELD_CONNECTION && !read_connection(p, &out->fields[i])) {
			return false;
		}
	}
	out->keep_alive = !p->close && (out->minor == 1 || p->keep);
	return true;
}

/* Upgrade = 1#( token [ "/" token ] ) (RFC 9110 §7.8) */
static bool is_protocol_list(struct bytes rest)
{
	while (rest.p != NULL) {
		struct bytes version = bytes_trim(bytes_cut(&rest, ','));
		struct bytes name = bytes_cut(&version, '/');
		if (!h1_is_token(name) || (version.p != NULL && !h1_is_token(version))) {
			return false;
		}
	}
	return true;
}

/* RFC 9112 §6: at most one of the two says where the body ends, and it says it plainly. */
static bool settle_framing(struct parse *p)
{
	struct h1_head *out = p->out;
	if (p->coding != NULL) {
		if (p->length != NULL) {
			return refuse(
				p, p->coding->name, "Content-Length beside Transfer-Encoding");
		}
		if (out->minor == 0) {
			return refuse(p, p->coding->name, "Transfer-Encoding in HTTP/1.0");
		}
		if (!bytes_eq_nocase(value_of(p, p->coding), BYTES("chunked"))) {
			return refuse_as(p, ERR_UNSUPPORTED, 501, p->coding->name,
				"a transfer coding other than chunked");
		}
		out->framing = H1_CHUNKED;
	} else if (p->length != NULL) {
		/* Half of the range, so that sums with it cannot overflow. */
		if (!num_parse_u64(value_of(p, p->length), INT64_MAX, &out->length)) {
			return refuse(p, p->length->name, "Content-Length is no plain number");
		}
		out->framing = out->length > 0 ? H1_LENGTH : H1_NO_BODY;
	}
	return true;
}

static bool check_host(struct parse *p)
{
	struct bytes host;
	uint16_t port;
	if (p->host == NULL) {
		return p->out->minor == 0 || refuse(p, p->at, "no Host");
	}
	if (url_parse_authority(value_of(p, p->host), &host, &port) != 0) {
		return refuse(p, p->host->value, "Host is not host[:port]");
	}
	return true;
}

static bool settle_request(struct parse *p)
{
	struct h1_head *out = p->out;
	if (!settle_framing(p) || !check_host(p) || !settle_connection(p)) {
		return false;
	}
	/* HTTP/1.0 knows neither (RFC 9110 §7.8, §10.1.1). */
	out->expect_continue = out->expect_continue && out->minor == 1;
	out->upgrade = out->minor == 1 && p->wants_upgrade && p->upgrade != NULL &&
		is_protocol_list(value_of(p, p->upgrade));
	return true;
}

static bool settle_response(struct parse *p, bool request_was_head)
{
	struct h1_head *out = p->out;
	if (!settle_framing(p) || !settle_connection(p)) {
		return false;
	}
	bool never_body = out->status < 200 || out->status == 204;
	/* A body that is announced where none may be: whoever sent this may send it too, and the
	 * bytes must not be taken for the next response. */
	if (never_body && out->framing != H1_NO_BODY) {
		out->keep_alive = false;
	}
	if (never_body || out->status == 304 || request_was_head) {
		out->framing = H1_NO_BODY;
	} else if (p->coding == NULL && p->length == NULL) {
		out->framing = H1_TO_CLOSE;
		out->keep_alive = false;
	}
	out->expect_continue = false;
	return true;
}

/* --- arrival ---------------------------------------------------------------------------------- */

enum stop {
	STOP_WHOLE,   /* the empty line is there */
	STOP_OPEN,    /* it is still to come */
	STOP_BARE_LF, /* a line feed without its carriage return */
	STOP_LIMIT    /* it did not come within H1_HEAD_MAX */
};

/* *at_out is the line feed that stopped it. */
static enum stop look_for_end(struct bytes in, size_t *scanned, size_t *at_out)
{
	size_t at = h1_scan_empty_line(in, *scanned);
	*scanned = at;
	if (at == in.n) {
		return in.n == H1_HEAD_MAX ? STOP_LIMIT : STOP_OPEN;
	}
	*at_out = at;
	return at > 0 && in.p[at - 1] == '\r' ? STOP_WHOLE : STOP_BARE_LF;
}

/* Whether the line that begins at p->at ends in the bytes from `before` on. Looks back over one
 * line at most once per line, so the cost stays linear. */
static bool start_line_ended(const struct parse *p, size_t before)
{
	size_t from = MAX(before, p->at);
	const char *begin = p->in.p + p->at;
	const char *lf = p->in.n > from ? memchr(p->in.p + from, '\n', p->in.n - from) : NULL;
	if (lf == NULL) {
		return false;
	}
	while (lf > begin && lf[-1] != '\n') {
		lf--;
	}
	return lf == begin;
}

static bool may_begin(const struct parse *p)
{
	char first = p->in.p[0];
	if (!p->is_request) {
		return first == 'H';
	}
	return first == '\r' || h1_is_token(bytes_of(&first, 1));
}

static struct parse begin(
	struct h1_head *out, struct bytes in, bool is_request, struct fault *fault)
{
	*out = (struct h1_head){.length = H1_LENGTH_NONE, .fields = out->fields};
	/* Bytes over the limit are never looked at: how many came with it makes no difference. */
	struct bytes head = bytes_of(in.p, MIN(in.n, H1_HEAD_MAX));
	return (struct parse){.out = out, .in = head, .is_request = is_request, .fault = fault};
}

/* Everything but the meaning of the fields: READ_DONE when p->out holds them all. */
static enum read_rc parse_lines(struct parse *p, size_t *scanned)
{
	size_t before = *scanned;
	size_t stopped_at = 0;
	if (p->in.n == 0) {
		return READ_MORE;
	}
	if (before == 0 && !may_begin(p)) {
		refuse(p, 0, "not HTTP/1");
		return READ_FAIL;
	}
	enum stop stop = look_for_end(p->in, scanned, &stopped_at);
	/* RFC 9112 §2.2: an empty line before a request, left over from a body's end. */
	p->at = p->is_request && p->in.n >= 2 && is_crlf(p->in.p) ? 2 : 0;
	if ((stop == STOP_WHOLE || start_line_ended(p, before)) && !read_start_line(p)) {
		return READ_FAIL;
	}
	switch (stop) {
	case STOP_WHOLE:
		return read_fields(p) ? READ_DONE : READ_FAIL;
	case STOP_OPEN:
		return READ_MORE;
	case STOP_BARE_LF:
		refuse(p, stopped_at, "a line feed without carriage return");
		return READ_FAIL;
	case STOP_LIMIT:
		refuse_as(p, ERR_LIMIT, 431, H1_HEAD_MAX, "head too large");
		return READ_FAIL;
	}
	return READ_FAIL;
}

enum read_rc h1_parse_request(
	struct h1_head *out, struct bytes in, size_t *scanned, size_t *used, struct fault *fault)
{
	struct parse p = begin(out, in, true, fault);
	enum read_rc rc = parse_lines(&p, scanned);
	if (rc != READ_DONE) {
		return rc;
	}
	if (!settle_request(&p)) {
		return READ_FAIL;
	}
	*used = p.at;
	return READ_DONE;
}

enum read_rc h1_parse_response(struct h1_head *out, struct bytes in, bool request_was_head,
	size_t *scanned, size_t *used, struct fault *fault)
{
	struct parse p = begin(out, in, false, fault);
	enum read_rc rc = parse_lines(&p, scanned);
	if (rc != READ_DONE) {
		return rc;
	}
	if (!settle_response(&p, request_was_head)) {
		return READ_FAIL;
	}
	*used = p.at;
	return READ_DONE;
}
