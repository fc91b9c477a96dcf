#include "wire/h1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define LIT(text) text, sizeof(text) - 1
#define NEED_MORE (-1)
#define DONE 0
#define HOST "Host: h\r\n"

enum kind { REQUEST, RESPONSE, RESPONSE_TO_HEAD };

struct outcome {
	enum read_rc rc;
	int status; /* of the fault */
	size_t used;
	char facts[2048]; /* of READ_DONE */
};

static const char *framing_name(enum h1_framing framing)
{
	static const char *const names[] = {"none", "length", "chunked", "to-close"};
	return names[framing];
}

/* "GET /p 0  1.1 length 5 keep ..." and a line "hop Name=value" for each field. */
static void describe(const struct h1_head *h, const char *base, char *out, size_t cap)
{
	size_t n = (size_t)snprintf(out, cap, "%.*s %.*s %u %.*s 1.%u %s %lld%s%s%s",
		BYTES_ARG(h->method), BYTES_ARG(h->target), h->status, BYTES_ARG(h->reason),
		(unsigned)h->minor, framing_name(h->framing), (long long)h->length,
		h->keep_alive ? " keep" : "", h->expect_continue ? " expect" : "",
		h->upgrade ? " upgrade" : "");
	for (unsigned i = 0; i < h->n_fields && n < cap; i++) {
		const struct field *f = &h->fields[i];
		assert_int_equal(f->id, field_id_of(bytes_of(base + f->name, f->name_n)));
		n += (size_t)snprintf(out + n, cap - n, "\n%s%.*s=%.*s", f->hop ? "hop " : "",
			(int)f->name_n, base + f->name, (int)f->value_n, base + f->value);
	}
}

static enum read_rc feed(
	enum kind kind, struct h1_head *head, struct bytes in, size_t *scanned, struct outcome *out)
{
	struct fault fault = {.status = 0};
	if (kind == REQUEST) {
		out->rc = h1_parse_request(head, in, scanned, &out->used, &fault);
	} else {
		out->rc = h1_parse_response(
			head, in, kind == RESPONSE_TO_HEAD, scanned, &out->used, &fault);
	}
	out->status = fault.status;
	if (out->rc == READ_FAIL) {
		assert_true(fault.where <= in.n && fault.text[0] != '\0' && fault.err != ERR_NONE);
	}
	if (out->rc == READ_MORE) {
		/* Each byte was looked at once: that is what makes small reads linear. */
		assert_int_equal(*scanned, in.n);
	}
	if (out->rc == READ_DONE) {
		describe(head, in.p, out->facts, sizeof(out->facts));
	}
	return out->rc;
}

/* Feeds a copy that ends where its memory ends; each call has it at another address. */
static enum read_rc feed_copy(
	enum kind kind, const char *in, size_t n, size_t *scanned, struct outcome *out)
{
	struct field fields[H1_FIELDS_MAX];
	struct h1_head head = {.fields = fields};
	char *copy = malloc(n > 0 ? n : 1);
	assert_non_null(copy);
	memcpy(copy, in, n);
	enum read_rc rc = feed(kind, &head, bytes_of(copy, n), scanned, out);
	free(copy);
	return rc;
}

static void same_outcome(
	const struct outcome *a, const struct outcome *b, const char *in, const char *how)
{
	bool same = a->rc == b->rc && a->status == b->status &&
		(a->rc != READ_DONE || (a->used == b->used && strcmp(a->facts, b->facts) == 0));
	if (!same) {
		fail_msg("'%.300s' %s: rc %d status %d\n%.500s\nwhole: rc %d status %d\n%.500s", in,
			how, (int)b->rc, b->status, b->facts, (int)a->rc, a->status, a->facts);
	}
}

/* Whole, byte by byte, and split at every point: the same outcome. */
static void run_all_ways(enum kind kind, const char *in, size_t n, struct outcome *whole)
{
	size_t scanned = 0;
	struct outcome parts = {0};
	memset(whole, 0, sizeof(*whole));
	feed_copy(kind, in, n, &scanned, whole);
	scanned = 0;
	size_t at = 0;
	while (at <= n && feed_copy(kind, in, at, &scanned, &parts) == READ_MORE) {
		at++;
	}
	same_outcome(whole, &parts, in, "byte by byte");
	for (at = 0; at <= n; at++) {
		scanned = 0;
		if (feed_copy(kind, in, at, &scanned, &parts) == READ_MORE) {
			feed_copy(kind, in, n, &scanned, &parts);
		}
		same_outcome(whole, &parts, in, "in two parts");
	}
}

struct row {
	const char *in;
	size_t n;
	int status; /* DONE, NEED_MORE or that of the fault */
	const char *reason;
};

static void run_row(enum kind kind, const struct row *row)
{
	struct outcome got;
	run_all_ways(kind, row->in, row->n, &got);
	int status = got.rc == READ_DONE ? DONE : got.rc == READ_MORE ? NEED_MORE : got.status;
	if (status != row->status) {
		fail_msg("'%s' (%s): %d instead of %d", row->in, row->reason, status, row->status);
	}
}

struct fact_row {
	const char *in;
	size_t n;
	const char *facts;
	const char *reason;
};

static void run_facts(enum kind kind, const struct fact_row *row)
{
	struct outcome got;
	run_all_ways(kind, row->in, row->n, &got);
	if (got.rc != READ_DONE || strcmp(got.facts, row->facts) != 0) {
		fail_msg("'%s' (%s): rc %d status %d\n%s\ninstead of\n%s", row->in, row->reason,
			(int)got.rc, got.status, got.facts, row->facts);
	}
}

/* --- requests --------------------------------------------------------------------------------- */

static void request_lines(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{LIT("GET / HTTP/1.1\r\n" HOST "\r\n"), DONE, "the shortest useful request"},
		{LIT("GET / HTTP/1.1\r\n" HOST "\r\nGET /2"), DONE, "another one behind it"},
		{LIT(""), NEED_MORE, "nothing yet"},
		{LIT("GET / HTTP/1.1\r\n" HOST "\r"), NEED_MORE, "one byte is missing"},
		{LIT("get / HTTP/1.1\r\n" HOST "\r\n"), DONE,
			"a lower-case method is another token"},
		{LIT("X!#$%&'*+-.^_`|~09 / HTTP/1.1\r\n" HOST "\r\n"), DONE, "every kind of tchar"},
		{LIT("METHODMETHODMETHODMETHODMETHODME / HTTP/1.1\r\n" HOST "\r\n"), DONE,
			"a method of 32 characters"},
		{LIT("METHODMETHODMETHODMETHODMETHODMET / HTTP/1.1\r\n" HOST "\r\n"), 400,
			"a method of 33 characters"},
		{LIT("G(T / HTTP/1.1\r\n" HOST "\r\n"), 400, "a method that is no token"},
		{LIT(" GET / HTTP/1.1\r\n" HOST "\r\n"), 400, "a blank before the method"},
		{LIT("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400, "two blanks before the target"},
		{LIT("GET /  HTTP/1.1\r\n" HOST "\r\n"), 400, "two blanks behind the target"},
		{LIT("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400, "a blank behind the version"},
		{LIT("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), 400, "a tab instead of the blank"},
		{LIT("GET /\tHTTP/1.1\r\n" HOST "\r\n"), 400, "a tab behind the target"},
		{LIT("GET /a b HTTP/1.1\r\n" HOST "\r\n"), 400, "a blank in the target"},
		{LIT("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), 400, "NUL in the target"},
		{LIT("GET /\x7f HTTP/1.1\r\n" HOST "\r\n"), 400, "delete in the target"},
		{LIT("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"), 400,
			"bytes above 0x7e in the target"},
		{LIT("GET /a-target-of-some-length-with-\x80 HTTP/1.1\r\n" HOST "\r\n"), 400,
			"the same behind the first 16 bytes"},
		{LIT("GET http://other/p HTTP/1.1\r\n" HOST "\r\n"), DONE,
			"absolute-form with a Host that differs: the url decides"},
		{LIT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), DONE, "asterisk-form"},
		{LIT("GET HTTP/1.1\r\n" HOST "\r\n"), 400, "no target"},
		{LIT("GET /\r\n"), 400, "HTTP/0.9 is told at the end of its line"},
		{LIT("GET / HTTP/0.9\r\n"), 505, "a version below 1.0, at the end of the line"},
		{LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, "the preface of HTTP/2"},
		{LIT("GET / HTTP/1.2\r\n" HOST "\r\n"), 505, "a version that we do not know"},
		{LIT("GET / HTTP/3.1\r\n" HOST "\r\n"), 505, "another major version"},
		{LIT("GET / http/1.1\r\n" HOST "\r\n"), 400, "the name of the protocol has case"},
		{LIT("GET / HTTP/1.10\r\n" HOST "\r\n"), 400, "a version with two digits"},
		{LIT("GET / HTTP/01.1\r\n" HOST "\r\n"), 400, "a version with a leading zero"},
		{LIT("GET / HTTP/1,1\r\n" HOST "\r\n"), 400, "a version without its dot"},
		{LIT("GET / HTTP/1.1\n" HOST "\r\n"), 400, "a bare line feed"},
		{LIT("GET / HTTP/1.1\r" HOST "\r\n\r\n"), 400, "a bare carriage return"},
		{LIT("GET / HTTP/1.1\r\r\n" HOST "\r\n"), 400, "two carriage returns"},
		{LIT("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), DONE, "one empty line before"},
		{LIT("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400, "two empty lines before"},
		{LIT("\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400, "a bare line feed before"},
		{LIT("\rGET / HTTP/1.1\r\n" HOST "\r\n"), 400, "a bare carriage return before"},
		{LIT("\x16\x03\x01\x02"), 400, "a TLS handshake is told at its first byte"},
		{LIT("\0"), 400, "NUL at the beginning"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run_row(REQUEST, &rows[i]);
	}
}

#define GET "GET / HTTP/1.1\r\n" HOST

static void field_lines(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{LIT(GET "A:b\r\n\r\n"), DONE, "no blank behind the colon"},
		{LIT(GET "A: \t b\t \r\n\r\n"), DONE, "blanks around the value"},
		{LIT(GET "A:\r\n\r\n"), DONE, "an empty value"},
		{LIT(GET "A:  \t\r\n\r\n"), DONE, "a value of blanks"},
		{LIT(GET "A: b\tc d\r\n\r\n"), DONE, "a tab inside"},
		{LIT(GET "A: sixteen bytes\tand a tab\tbehind\r\n\r\n"), DONE,
			"tabs in a longer value"},
		{LIT(GET "A: \x80\xff\r\n\r\n"), DONE, "obs-text is opaque"},
		{LIT(GET "_a!9: b\r\n\r\n"), DONE, "unusual names are tokens too"},
		{LIT(GET "A : b\r\n\r\n"), 400, "a blank before the colon"},
		{LIT(GET "A\t: b\r\n\r\n"), 400, "a tab before the colon"},
		{LIT(GET "Content-Length : 5\r\n\r\n"), 400, "a length that some would not see"},
		{LIT(GET "Transfer-Encoding\t: chunked\r\n\r\n"), 400, "a coding that some miss"},
		{LIT(GET ": b\r\n\r\n"), 400, "an empty name"},
		{LIT(GET "A\r\n\r\n"), 400, "no colon"},
		{LIT(GET "A b: c\r\n\r\n"), 400, "a blank in the name"},
		{LIT(GET "A(: b\r\n\r\n"), 400, "a name that is no token"},
		{LIT(GET "A\xc3: b\r\n\r\n"), 400, "a name with a byte above 0x7f"},
		{LIT(GET "A\0: b\r\n\r\n"), 400, "NUL in a name"},
		{LIT(GET "A: b\r\n c\r\n\r\n"), 400, "obs-fold with a blank"},
		{LIT(GET "A: b\r\n\tc\r\n\r\n"), 400, "obs-fold with a tab"},
		{LIT("GET / HTTP/1.1\r\n " HOST "\r\n"), 400, "a folded first field"},
		{LIT(GET "A: b\0c\r\n\r\n"), 400, "NUL in a value"},
		{LIT(GET "A: b\rc\r\n\r\n"), 400, "a bare carriage return in a value"},
		{LIT(GET "A: b\r\r\n\r\n"), 400, "two carriage returns"},
		{LIT(GET "\rA: b\r\n\r\n"), 400, "a carriage return before a name"},
		{LIT(GET "A: b\nC: d\r\n\r\n"), 400, "a bare line feed between fields"},
		{LIT(GET "A: b\r\n\n"), 400, "the empty line with a bare line feed"},
		{LIT(GET "A: b\n\n"), 400, "two bare line feeds"},
		{LIT(GET "A: b\x1b[0m\r\n\r\n"), 400, "escape"},
		{LIT(GET "A: sixteen or more\x7f\r\n\r\n"), 400, "delete"},
		{LIT(GET "A: b\x0b\r\n\r\n"), 400, "vertical tab is no blank"},
		{LIT(GET "A: b\x0c\r\n\r\n"), 400, "form feed is no blank"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run_row(REQUEST, &rows[i]);
	}
}

#define POST "POST / HTTP/1.1\r\n" HOST
#define LEN "Content-Length: "
#define TE "Transfer-Encoding: "

static void smuggling(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{LIT(POST LEN "5\r\n\r\n"), DONE, "one plain length"},
		{LIT(POST LEN "9223372036854775807\r\n\r\n"), DONE, "the largest length"},
		{LIT(POST LEN "5\r\n" LEN "5\r\n\r\n"), 400, "two equal lengths"},
		{LIT(POST LEN "5\r\n" LEN "6\r\n\r\n"), 400, "two different lengths"},
		{LIT(POST LEN "5\r\ncontent-LENGTH: 6\r\n\r\n"), 400, "names have no case"},
		{LIT(POST LEN "5, 5\r\n\r\n"), 400, "a list of equal lengths"},
		{LIT(POST LEN "5,\r\n\r\n"), 400, "a list of one"},
		{LIT(POST LEN "+5\r\n\r\n"), 400, "a sign"},
		{LIT(POST LEN "-5\r\n\r\n"), 400, "a negative length"},
		{LIT(POST LEN "5 5\r\n\r\n"), 400, "a blank inside"},
		{LIT(POST LEN "0x5\r\n\r\n"), 400, "hexadecimal"},
		{LIT(POST LEN "5.0\r\n\r\n"), 400, "a fraction"},
		{LIT(POST LEN "\"5\"\r\n\r\n"), 400, "quoted"},
		{LIT(POST LEN "\r\n\r\n"), 400, "an empty length"},
		{LIT(POST LEN "9223372036854775808\r\n\r\n"), 400, "one more than the largest"},
		{LIT(POST LEN "18446744073709551621\r\n\r\n"), 400, "5 modulo 2^64"},
		{LIT(POST LEN "\xc2\xb2\r\n\r\n"), 400, "a digit of Unicode"},
		{LIT(POST TE "chunked\r\n\r\n"), DONE, "chunked"},
		{LIT(POST TE "CHUNKED\r\n\r\n"), DONE,
			"names of codings have no case (RFC 9112 §7)"},
		{LIT(POST TE "\t chunked \r\n\r\n"), DONE, "blanks around it are not part of it"},
		{LIT(POST TE "chunked\r\n" LEN "5\r\n\r\n"), 400, "coding and length"},
		{LIT(POST LEN "5\r\n" TE "chunked\r\n\r\n"), 400, "length and coding"},
		{LIT(POST LEN "5\r\n" TE "identity\r\n\r\n"), 400, "length and an unknown coding"},
		{LIT(POST LEN "0\r\n" TE "chunked\r\n\r\n"), 400, "length 0 and coding"},
		{LIT(POST TE "chunked\r\n" TE "chunked\r\n\r\n"), 400, "two codings"},
		{LIT(POST TE "chunked\r\n" TE "identity\r\n\r\n"), 400, "two codings, one unknown"},
		{LIT(POST TE "chunked, chunked\r\n\r\n"), 501, "chunked twice"},
		{LIT(POST TE "gzip, chunked\r\n\r\n"), 501, "a coding that we do not speak"},
		{LIT(POST TE "chunked, identity\r\n\r\n"), 501, "chunked is not the last"},
		{LIT(POST TE "identity\r\n\r\n"), 501, "identity is no coding any more"},
		{LIT(POST TE "\r\n\r\n"), 501, "an empty coding"},
		{LIT(POST TE "xchunked\r\n\r\n"), 501, "something around the name"},
		{LIT(POST TE "chunkedx\r\n\r\n"), 501, "something around the name"},
		{LIT(POST TE "chunked;q=1\r\n\r\n"), 501, "a parameter"},
		{LIT(POST TE "\"chunked\"\r\n\r\n"), 501, "quoted"},
		{LIT(POST TE "chunk\r\n ed\r\n\r\n"), 400, "folded"},
		{LIT(POST TE "\x0b"
			     "chunked\r\n\r\n"),
			400, "a control character before it"},
		{LIT(POST TE "chunked\0\r\n\r\n"), 400, "NUL behind it"},
		{LIT(POST "Transfer_Encoding: chunked\r\n\r\n"), DONE, "another field's name"},
		{LIT("POST / HTTP/1.0\r\n" TE "chunked\r\n\r\n"), 400, "HTTP/1.0 has no codings"},
		{LIT("GET / HTTP/1.1\r\n\r\n"), 400, "no Host in HTTP/1.1"},
		{LIT("GET / HTTP/1.0\r\n\r\n"), DONE, "no Host in HTTP/1.0"},
		{LIT("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), 400, "a second Host"},
		{LIT("GET / HTTP/1.0\r\n" HOST HOST "\r\n"), 400, "a second Host in HTTP/1.0"},
		{LIT("GET / HTTP/1.1\r\n" HOST "hOST: x\r\n\r\n"), 400, "names have no case"},
		{LIT("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400, "an empty Host"},
		{LIT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400, "a blank in Host"},
		{LIT("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), 400, "a list in Host"},
		{LIT("GET / HTTP/1.1\r\nHost: u@h\r\n\r\n"), 400, "user information in Host"},
		{LIT("GET / HTTP/1.1\r\nHost: h/p\r\n\r\n"), 400, "a path in Host"},
		{LIT("GET / HTTP/1.1\r\nHost: h:x\r\n\r\n"), 400, "a bad port in Host"},
		{LIT("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), DONE, "an address in Host"},
		{LIT("GET http://h/ HTTP/1.1\r\n\r\n"), 400, "absolute-form does not replace Host"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run_row(REQUEST, &rows[i]);
	}
}

static void request_facts(void **state)
{
	(void)state;
	static const struct fact_row rows[] = {
		{LIT(GET "\r\n"), "GET / 0  1.1 none -1 keep\nHost=h", "no body without a length"},
		{LIT(POST LEN "5\r\n\r\n12345"),
			"POST / 0  1.1 length 5 keep\nHost=h\nContent-Length=5", "a length"},
		{LIT(POST LEN "0\r\n\r\n"), "POST / 0  1.1 none 0 keep\nHost=h\nContent-Length=0",
			"length 0: no body"},
		{LIT(POST LEN "007\r\n\r\n"),
			"POST / 0  1.1 length 7 keep\nHost=h\nContent-Length=007", "decimal"},
		{LIT(POST TE "chunked\r\n\r\n"),
			"POST / 0  1.1 chunked -1 keep\nHost=h\nhop Transfer-Encoding=chunked",
			"chunked"},
		{LIT("\r\nGET /p?q HTTP/1.0\r\nHost:h:8\r\nA: \t b c\t \r\nB:\r\n\r\n"),
			"GET /p?q 0  1.0 none -1\nHost=h:8\nA=b c\nB=",
			"blanks are cut off, HTTP/1.0 closes"},
		{LIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
			"GET / 0  1.0 none -1 keep\nhop Connection=Keep-Alive", "1.0 that stays"},
		{LIT("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
			"GET / 0  1.0 none -1\nhop Connection=keep-alive, close", "close wins"},
		{LIT(GET "Connection: CLOSE\r\n\r\n"),
			"GET / 0  1.1 none -1\nHost=h\nhop Connection=CLOSE", "1.1 that closes"},
		{LIT(GET "Connection: x, ,close ,\r\nX: 1\r\n\r\n"),
			"GET / 0  1.1 none -1\nHost=h\nhop Connection=x, ,close ,\nhop X=1",
			"a list with empty elements"},
		{LIT(GET "Connection: closed\r\n\r\n"),
			"GET / 0  1.1 none -1 keep\nHost=h\nhop Connection=closed",
			"only the whole word closes"},
		{LIT(GET "A: 1\r\nConnection: a\r\nConnection: c-d\r\nC-D: 2\r\na: 3\r\nC: 4\r\n\r\n"),
			"GET / 0  1.1 none -1 keep\nHost=h\nhop A=1\nhop Connection=a\n"
			"hop Connection=c-d\nhop C-D=2\nhop a=3\nC=4",
			"all fields that a Connection names, before and behind it, in any case"},
		{LIT(GET "Keep-Alive: a\r\nTE: b\r\nTrailer: c\r\nUpgrade: d\r\nExpect: e\r\n"
			 "Proxy-Authorization: f\r\nProxy-Connection: g\r\nProxy-Authenticate: h\r\n"
			 "Proxy-X: i\r\nAccept: j\r\n\r\n"),
			"GET / 0  1.1 none -1 keep\nHost=h\nhop Keep-Alive=a\nhop TE=b\n"
			"hop Trailer=c\nhop Upgrade=d\nhop Expect=e\n"
			"hop Proxy-Authorization=f\nhop Proxy-Connection=g\n"
			"hop Proxy-Authenticate=h\nhop Proxy-X=i\nAccept=j",
			"what is hop-by-hop by its name"},
		{LIT(GET "Expect: 100-Continue\r\n\r\n"),
			"GET / 0  1.1 none -1 keep expect\nHost=h\nhop Expect=100-Continue",
			"expect"},
		{LIT("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"),
			"GET / 0  1.0 none -1\nhop Expect=100-continue", "HTTP/1.0 cannot expect"},
		{LIT(GET "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n"),
			"GET / 0  1.1 none -1 keep upgrade\nHost=h\nhop Upgrade=websocket\n"
			"hop Connection=keep-alive, Upgrade",
			"upgrade"},
		{LIT(GET "Upgrade: a/1, b\r\nConnection: upgrade\r\n\r\n"),
			"GET / 0  1.1 none -1 keep upgrade\nHost=h\nhop Upgrade=a/1, b\n"
			"hop Connection=upgrade",
			"a list of protocols"},
		{LIT(GET "Upgrade: websocket\r\n\r\n"),
			"GET / 0  1.1 none -1 keep\nHost=h\nhop Upgrade=websocket",
			"upgrade that Connection does not name"},
		{LIT(GET "Connection: upgrade\r\n\r\n"),
			"GET / 0  1.1 none -1 keep\nHost=h\nhop Connection=upgrade",
			"upgrade to nothing"},
		{LIT(GET "Upgrade: a b\r\nConnection: upgrade\r\n\r\n"),
			"GET / 0  1.1 none -1 keep\nHost=h\nhop Upgrade=a b\n"
			"hop Connection=upgrade",
			"upgrade to no protocol"},
		{LIT("GET / HTTP/1.0\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n"),
			"GET / 0  1.0 none -1\nhop Upgrade=a\nhop Connection=upgrade",
			"HTTP/1.0 cannot upgrade"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run_facts(REQUEST, &rows[i]);
	}
}

/* --- limits ----------------------------------------------------------------------------------- */

/* A request with n fields besides Host, in out. */
static size_t with_fields(char *out, unsigned n)
{
	size_t len = sizeof(GET) - 1;
	memcpy(out, GET, len);
	for (unsigned i = 0; i < n; i++) {
		memcpy(out + len, "A: b\r\n", 6);
		len += 6;
	}
	memcpy(out + len, "\r\n", 2);
	return len + 2;
}

static void field_count_is_limited(void **state)
{
	(void)state;
	char in[1024];
	size_t n = with_fields(in, H1_FIELDS_MAX - 1);
	run_row(REQUEST, &(struct row){in, n, DONE, "as many fields as there may be"});
	n = with_fields(in, H1_FIELDS_MAX);
	run_row(REQUEST, &(struct row){in, n, 431, "one more"});
}

static void names_in_connection_are_limited(void **state)
{
	(void)state;
	char in[512] = GET "Connection: close";
	size_t n = strlen(in);
	for (unsigned i = 0; i < 32; i++) {
		memcpy(in + n, ",a", 2);
		n += 2;
	}
	memcpy(in + n, "\r\n\r\n", 4);
	run_row(REQUEST, &(struct row){in, n + 4, DONE, "32 names"});
	memcpy(in + n, ",b\r\n\r\n", 6);
	run_row(REQUEST, &(struct row){in, n + 6, 431, "33 names"});
}

/* A request whose head is n bytes long: one long value. */
static char *head_of(size_t n)
{
	char *in = malloc(n);
	assert_non_null(in);
	memset(in, 'v', n);
	memcpy(in, GET "A: ", sizeof(GET "A: ") - 1);
	memcpy(in + n - 4, "\r\n\r\n", 4);
	return in;
}

/* Every prefix of the same memory: 32,000 calls, each byte is looked at once. */
static enum read_rc feed_prefixes(const char *in, size_t n, struct outcome *out, size_t *calls)
{
	struct field fields[H1_FIELDS_MAX];
	struct h1_head head = {.fields = fields};
	size_t scanned = 0;
	enum read_rc rc = READ_MORE;
	size_t at = 0;
	while (rc == READ_MORE && at < n) {
		rc = feed(REQUEST, &head, bytes_of(in, ++at), &scanned, out);
	}
	*calls = at;
	return rc;
}

static void head_size_is_limited(void **state)
{
	(void)state;
	struct outcome out;
	size_t calls, scanned = 0;
	char *in = head_of(H1_HEAD_MAX);
	assert_int_equal(feed_prefixes(in, H1_HEAD_MAX, &out, &calls), READ_DONE);
	assert_int_equal(out.used, H1_HEAD_MAX);
	assert_int_equal(calls, H1_HEAD_MAX);
	assert_int_equal(feed_copy(REQUEST, in, H1_HEAD_MAX, &scanned, &out), READ_DONE);
	free(in);
	in = head_of(H1_HEAD_MAX + 1);
	/* Known as soon as as many bytes are there as a head may have. */
	assert_int_equal(feed_prefixes(in, H1_HEAD_MAX + 1, &out, &calls), READ_FAIL);
	assert_int_equal(out.status, 431);
	assert_int_equal(calls, H1_HEAD_MAX);
	scanned = 0;
	assert_int_equal(feed_copy(REQUEST, in, H1_HEAD_MAX + 1, &scanned, &out), READ_FAIL);
	assert_int_equal(out.status, 431);
	free(in);
}

/* The first line ends behind the limit, and wrongly: it makes no difference how much came at once. */
static void bytes_over_the_limit_are_not_read(void **state)
{
	(void)state;
	static char in[H1_HEAD_MAX + 100];
	struct outcome out;
	size_t scanned = 0;
	memset(in, 'a', sizeof(in));
	memcpy(in + sizeof(in) - 4, "\r\n\r\n", 4);
	assert_int_equal(feed_copy(REQUEST, in, sizeof(in), &scanned, &out), READ_FAIL);
	assert_int_equal(out.status, 431);
	scanned = 0;
	in[H1_HEAD_MAX - 1] = '\n';
	assert_int_equal(feed_copy(REQUEST, in, sizeof(in), &scanned, &out), READ_FAIL);
	assert_int_equal(out.status, 400);
}

/* --- responses -------------------------------------------------------------------------------- */

static void response_lines(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{LIT("HTTP/1.1 200 OK\r\n\r\n"), DONE, "plain"},
		{LIT("HTTP/1.0 599 \x80 x\ty\r\n\r\n"), DONE, "a reason is opaque"},
		{LIT("HTTP/1.1 200 \r\n\r\n"), DONE, "an empty reason"},
		{LIT("HTTP/1.1 200\r\n\r\n"), DONE, "no reason and no blank"},
		{LIT("HTTP/1.1 20"), NEED_MORE, "cut short"},
		{LIT("HTTP/1.1 200 O\rK\r\n\r\n"), 502, "a bare carriage return"},
		{LIT("HTTP/1.1 200 O\0K\r\n\r\n"), 502, "NUL in the reason"},
		{LIT("HTTP/1.1 200 OK\n\n"), 502, "bare line feeds"},
		{LIT("HTTP/1.1 20\r\n\r\n"), 502, "a status of two digits"},
		{LIT("HTTP/1.1 2000 OK\r\n\r\n"), 502, "a status of four digits"},
		{LIT("HTTP/1.1 099 OK\r\n\r\n"), 502, "a status below 100"},
		{LIT("HTTP/1.1 600 OK\r\n\r\n"), 502, "a status above 599"},
		{LIT("HTTP/1.1 2x0 OK\r\n\r\n"), 502, "no digit"},
		{LIT("HTTP/1.1  200 OK\r\n\r\n"), 502, "two blanks"},
		{LIT("HTTP/1.1\t200 OK\r\n\r\n"), 502, "a tab"},
		{LIT("HTTP/2.0 200 OK\r\n\r\n"), 502, "another version"},
		{LIT("ICY 200 OK\r\n\r\n"), 502, "another protocol, told at its first byte"},
		{LIT("\r\nHTTP/1.1 200 OK\r\n\r\n"), 502, "an empty line before a response"},
		{LIT("HELLO\r\n"), 502, "told at the end of the first line"},
		{LIT("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"), 502, "a blank before the colon"},
		{LIT("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"), 502, "obs-fold"},
		{LIT("HTTP/1.1 200 OK\r\n" LEN "1\r\n" LEN "1\r\n\r\n"), 502, "two lengths"},
		{LIT("HTTP/1.1 200 OK\r\n" LEN "x\r\n\r\n"), 502, "a length that is no number"},
		{LIT("HTTP/1.1 200 OK\r\n" LEN "1\r\n" TE "chunked\r\n\r\n"), 502, "both"},
		{LIT("HTTP/1.1 200 OK\r\n" TE "gzip\r\n\r\n"), 502, "another coding"},
		{LIT("HTTP/1.0 200 OK\r\n" TE "chunked\r\n\r\n"), 502, "a coding in HTTP/1.0"},
		{LIT("HTTP/1.1 200 OK\r\nHost: a\r\nHost: b\r\n\r\n"), DONE,
			"Host means nothing here"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run_row(RESPONSE, &rows[i]);
	}
}

static void response_facts(void **state)
{
	(void)state;
	static const struct {
		enum kind kind;
		struct fact_row row;
	} rows[] = {
		{RESPONSE,
			{LIT("HTTP/1.1 200 OK\r\n" LEN "3\r\n\r\nabc"),
				"  200 OK 1.1 length 3 keep\nContent-Length=3", "a length"}},
		{RESPONSE,
			{LIT("HTTP/1.1 200 Very good\r\n" TE "chunked\r\n\r\n"),
				"  200 Very good 1.1 chunked -1 keep\nhop Transfer-Encoding=chunked",
				"chunked"}},
		{RESPONSE,
			{LIT("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"),
				"  200 OK 1.1 to-close -1\nhop Connection=keep-alive",
				"neither: to the end of the connection, whatever it says"}},
		{RESPONSE,
			{LIT("HTTP/1.1 200 OK\r\n" LEN "0\r\n\r\n"),
				"  200 OK 1.1 none 0 keep\nContent-Length=0", "an empty body"}},
		{RESPONSE,
			{LIT("HTTP/1.0 200 OK\r\n" LEN "1\r\nConnection: keep-alive\r\n\r\n"),
				"  200 OK 1.0 length 1 keep\nContent-Length=1\n"
				"hop Connection=keep-alive",
				"HTTP/1.0 that stays"}},
		{RESPONSE_TO_HEAD,
			{LIT("HTTP/1.1 200 OK\r\n" LEN "9\r\n\r\n"),
				"  200 OK 1.1 none 9 keep\nContent-Length=9",
				"HEAD: the length is a fact, the body is not"}},
		{RESPONSE_TO_HEAD,
			{LIT("HTTP/1.1 200 OK\r\n" TE "chunked\r\n\r\n"),
				"  200 OK 1.1 none -1 keep\nhop Transfer-Encoding=chunked",
				"HEAD: the coding is of a body that does not come"}},
		{RESPONSE_TO_HEAD,
			{LIT("HTTP/1.1 200 OK\r\n\r\n"), "  200 OK 1.1 none -1 keep",
				"HEAD: nothing that lasts to the end"}},
		{RESPONSE,
			{LIT("HTTP/1.1 304 \r\n" LEN "9\r\n\r\n"),
				"  304  1.1 none 9 keep\nContent-Length=9", "304 has no body"}},
		{RESPONSE,
			{LIT("HTTP/1.1 204\r\n\r\n"), "  204  1.1 none -1 keep",
				"204 has no body"}},
		{RESPONSE,
			{LIT("HTTP/1.1 204 \r\n" LEN "0\r\n\r\n"),
				"  204  1.1 none 0 keep\nContent-Length=0", "204 says so"}},
		{RESPONSE,
			{LIT("HTTP/1.1 204 \r\n" LEN "5\r\n\r\nHTTP/"),
				"  204  1.1 none 5\nContent-Length=5",
				"204 that announces a body: what follows is not trusted"}},
		{RESPONSE,
			{LIT("HTTP/1.1 204 \r\n" TE "chunked\r\n\r\n"),
				"  204  1.1 none -1\nhop Transfer-Encoding=chunked",
				"204 that announces chunks: what follows is not trusted"}},
		{RESPONSE,
			{LIT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
				"  100 Continue 1.1 none -1 keep", "an interim response alone"}},
		{RESPONSE,
			{LIT("HTTP/1.1 200 OK\r\nConnection: x-a\r\nX-A: 1\r\n" LEN "0\r\n\r\n"),
				"  200 OK 1.1 none 0 keep\nhop Connection=x-a\nhop X-A=1\n"
				"Content-Length=0",
				"named in Connection"}},
		{RESPONSE,
			{LIT("HTTP/1.1 200 OK\r\nExpect: 100-continue\r\nUpgrade: a\r\n"
			     "Connection: upgrade\r\n" LEN "0\r\n\r\n"),
				"  200 OK 1.1 none 0 keep\nhop Expect=100-continue\nhop Upgrade=a\n"
				"hop Connection=upgrade\nContent-Length=0",
				"a response neither expects nor asks for an upgrade"}},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run_facts(rows[i].kind, &rows[i].row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_lines),
		cmocka_unit_test(field_lines),
		cmocka_unit_test(smuggling),
		cmocka_unit_test(request_facts),
		cmocka_unit_test(field_count_is_limited),
		cmocka_unit_test(names_in_connection_are_limited),
		cmocka_unit_test(head_size_is_limited),
		cmocka_unit_test(bytes_over_the_limit_are_not_read),
		cmocka_unit_test(response_lines),
		cmocka_unit_test(response_facts),
	};
	return cmocka_run_group_tests_name("h1_head", tests, NULL, NULL);
}
