#include "wire/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define LIT(text) text, sizeof(text) - 1

struct row {
	const char *in;
	size_t n;
	const char *want; /* scheme|host|port|path|query, query "-" without '?'; NULL: refused */
	const char *reason;
};

/* The input ends where its memory ends, so that a sanitizer sees a step too far. */
static char *exact(const char *in, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);
	assert_non_null(copy);
	memcpy(copy, in, n);
	return copy;
}

static void check(const struct row *row, int (*parse)(struct url *, struct bytes, struct fault *))
{
	struct url url = {.port = 77};
	struct fault fault = {0};
	char got[512];
	char *in = exact(row->in, row->n);
	int err = parse(&url, bytes_of(in, row->n), &fault);
	if (row->want == NULL) {
		if (err == 0 || fault.err != (enum err)err || fault.status != 400 ||
			fault.where > row->n || url.port != 77) {
			fail_msg("'%s' (%s): not refused", row->in, row->reason);
		}
	} else {
		if (err != 0) {
			fail_msg("'%s' (%s): %s", row->in, row->reason, fault.text);
		}
		snprintf(got, sizeof(got), BYTES_FMT "|" BYTES_FMT "|%u|" BYTES_FMT "|" BYTES_FMT,
			BYTES_ARG(url.scheme), BYTES_ARG(url.host), (unsigned)url.port,
			BYTES_ARG(url.path), url.query.p != NULL ? (int)url.query.n : 1,
			url.query.p != NULL ? url.query.p : "-");
		if (strcmp(got, row->want) != 0) {
			fail_msg("'%s' (%s): %s", row->in, row->reason, got);
		}
	}
	free(in);
}

static void targets(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{LIT("/"), "||0|/|-", "the shortest path"},
		{LIT("/v1/chat/completions"), "||0|/v1/chat/completions|-", "origin-form"},
		{LIT("/a?b=c&d"), "||0|/a|b=c&d", "query behind the first '?'"},
		{LIT("/a?"), "||0|/a|", "an empty query is not no query"},
		{LIT("/a?b?c"), "||0|/a|b?c", "further '?' belong to the query"},
		{LIT("//h/p"), "||0|//h/p|-", "two slashes begin a path, not a host"},
		{LIT("/%41%zz"), NULL, "escape without digits"},
		{LIT("/%4"), NULL, "escape cut short"},
		{LIT("/%"), NULL, "escape cut short"},
		{LIT("/a?%g1"), NULL, "bad escape in the query"},
		{LIT("/%41%2f%00"), "||0|/%41%2f%00|-", "nothing is decoded"},
		{LIT("/a#b"), NULL, "fragment"},
		{LIT("/a b"), NULL, "blank"},
		{LIT("/a\tb"), NULL, "tab"},
		{LIT("/a\0b"), NULL, "NUL"},
		{LIT("/\xc3\xa4"), NULL, "bytes above 0x7e must be escaped"},
		{LIT("/a\x7f"), NULL, "delete"},
		{LIT("/a/../b"), NULL, "another reader would take it for /b"},
		{LIT("/.."), NULL, "at the end"},
		{LIT("/./b"), NULL, "and this one for /b"},
		{LIT("/a/."), NULL, "at the end"},
		{LIT("/a/%2e%2E/b"), NULL, "escaped"},
		{LIT("/a/.%2e?q"), NULL, "half of it, before a query"},
		{LIT("/a%2f..%2Fb"), NULL, "between escaped slashes, which some take for slashes"},
		{LIT("/a/..%5cb"), NULL, "before a backslash, which others do"},
		{LIT("/a\\..\\b"), NULL, "as it is, too"},
		{LIT("/a/..;x=1/b"), NULL, "with a parameter that some cut off"},
		{LIT("/a/..%3Bx/b"), NULL, "escaped, too"},
		{LIT("http://h/a/../b"), NULL, "in absolute-form"},
		{LIT("/..."), "||0|/...|-", "three dots are a name"},
		{LIT("/.well-known/x..y/z.."), "||0|/.well-known/x..y/z..|-", "dots in names"},
		{LIT("/a?b=/../c"), "||0|/a|b=/../c", "a query has no segments"},
		{LIT("/%252e%252e/"), "||0|/%252e%252e/|-", "what is escaped twice is a name"},
		{LIT("*"), "||0|*|-", "asterisk-form"},
		{LIT("*a"), NULL, "asterisk-form has nothing else"},
		{LIT(""), NULL, "nothing"},
		{LIT("v1/chat"), NULL, "no leading slash"},
		{LIT("?a=b"), NULL, "no path"},
		{LIT("h.example:443"), NULL, "authority-form"},
		{LIT("http://h.example/p?q"), "http|h.example|0|/p|q", "absolute-form"},
		{LIT("HTTPS://H.example:8443/p"), "HTTPS|H.example|8443|/p|-",
			"nothing is lowered"},
		{LIT("http://h"), "http|h|0||-", "empty path"},
		{LIT("http://h?q"), "http|h|0||q", "query without a path"},
		{LIT("http:///p"), NULL, "no host"},
		{LIT("http://u@h/p"), NULL, "user information"},
		{LIT("http://u:p@h/p"), NULL, "user information with a password"},
		{LIT("http://h:0/"), NULL, "port 0"},
		{LIT("http://h:65536/"), NULL, "port over 65535"},
		{LIT("http://h:/"), NULL, "port without digits"},
		{LIT("http://h#f"), NULL, "fragment"},
		{LIT("http://[::1]:80/"), "http|[::1]|80|/|-", "IPv6 keeps its brackets"},
		{LIT("ftp://h/"), NULL, "another scheme"},
		{LIT("http:/h/"), NULL, "one slash"},
		{LIT("http://h\\@x/"), NULL, "a backslash is in no host"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check(&rows[i], url_parse_target);
	}
}

static void configured_urls(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{LIT("https://api.example.com"), "https|api.example.com|0||-", "a host is enough"},
		{LIT("Http://api.example.com:1/v1?x"), "Http|api.example.com|1|/v1|x", "all parts"},
		{LIT("https://10.0.0.1:65535/"), "https|10.0.0.1|65535|/|-", "the highest port"},
		{LIT("https://h/%zz"), NULL, "bad escape"},
		{LIT("https://h/#f"), NULL, "fragment"},
		{LIT("https://"), NULL, "no host"},
		{LIT("https:"), NULL, "no host"},
		{LIT("/v1"), NULL, "a path is no URL"},
		{LIT("*"), NULL, "an asterisk is no URL"},
		{LIT("api.example.com"), NULL, "no scheme"},
		{LIT("https://h x/"), NULL, "blank in the host"},
		{LIT(" https://h/"), NULL, "blank before"},
		{LIT("https://h:99999/"), NULL, "port over 65535"},
		{LIT("https://u@h/"), NULL, "user information"},
		{LIT(""), NULL, "nothing"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check(&rows[i], url_parse);
	}
}

static void authorities(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		size_t n;
		const char *host; /* NULL: refused */
		unsigned port;
		const char *reason;
	} rows[] = {
		{LIT("h"), "h", 0, "host"},
		{LIT("h:1"), "h", 1, "host and port"},
		{LIT("a-b_c.d~e.:65535"), "a-b_c.d~e.", 65535, "every character of a host"},
		{LIT("127.0.0.1:8080"), "127.0.0.1", 8080, "IPv4"},
		{LIT("[::]"), "[::]", 0, "the shortest IPv6"},
		{LIT("[fe80::1:2.3.4.5]:443"), "[fe80::1:2.3.4.5]", 443, "IPv6 and port"},
		{LIT(""), NULL, 0, "nothing"},
		{LIT(":80"), NULL, 0, "no host"},
		{LIT("h:"), NULL, 0, "a colon without a port"},
		{LIT("h:0"), NULL, 0, "port 0"},
		{LIT("h:65536"), NULL, 0, "port over 65535"},
		{LIT("h:000080"), NULL, 0, "more than five digits"},
		{LIT("h:8a"), NULL, 0, "port is no number"},
		{LIT("h:+1"), NULL, 0, "port with a sign"},
		{LIT("h:80:80"), NULL, 0, "two ports"},
		{LIT("u@h"), NULL, 0, "user information"},
		{LIT("h h"), NULL, 0, "blank inside"},
		{LIT(" h"), NULL, 0, "blank before"},
		{LIT("h,h2"), NULL, 0, "a list"},
		{LIT("h/p"), NULL, 0, "a path"},
		{LIT("h%41"), NULL, 0, "an escape could be read in two ways"},
		{LIT("h\0"), NULL, 0, "NUL"},
		{LIT("\xc3\xa4.example"), NULL, 0, "not punycode"},
		{LIT("[::1"), NULL, 0, "bracket not closed"},
		{LIT("[:]"), NULL, 0, "too short for an address"},
		{LIT("[]"), NULL, 0, "empty brackets"},
		{LIT("["), NULL, 0, "only a bracket"},
		{LIT("[::1]x"), NULL, 0, "text behind the bracket"},
		{LIT("[fe80::1%25eth0]"), NULL, 0, "a zone means nothing to others"},
		{LIT("[host]"), NULL, 0, "a name in brackets"},
		{LIT("::1"), NULL, 0, "IPv6 without brackets"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes host = BYTES("as before");
		uint16_t port = 77;
		char *in = exact(rows[i].in, rows[i].n);
		int err = url_parse_authority(bytes_of(in, rows[i].n), &host, &port);
		struct bytes want = bytes_str(rows[i].host != NULL ? rows[i].host : "as before");
		unsigned want_port = rows[i].host != NULL ? rows[i].port : 77;
		if ((err == 0) != (rows[i].host != NULL) || !bytes_eq(host, want) ||
			port != want_port) {
			fail_msg("'%s' (%s)", rows[i].in, rows[i].reason);
		}
		free(in);
	}
}

static void decoding(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		bool plus_is_blank, keep_slash;
		const char *want; /* NULL: refused */
		const char *reason;
	} rows[] = {
		{"", false, false, "", "nothing"},
		{"a%20b%2Bc", false, false, "a b+c", "escapes of both cases"},
		{"%e4%BD%a0", false, false, "\xe4\xbd\xa0", "bytes above 0x7f"},
		{"a+b", false, false, "a+b", "a plus of a path"},
		{"a+b%2b", true, false, "a b+", "a plus of a form; an escaped one stays"},
		{"a%2fb%2F", false, false, "a/b/", "slash decoded"},
		{"a%2fb%2F%41", false, true, "a%2fb%2FA", "slash kept as it was written"},
		{"%2541", false, false, "%41", "decoded once"},
		{"%", false, false, NULL, "cut short"},
		{"a%4", false, false, NULL, "cut short"},
		{"%4g", false, false, NULL, "no digit"},
		{"% 1", false, false, NULL, "no digit"},
		{"%2", false, true, NULL, "cut short where a slash might be kept"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].in);
		char *in = exact(rows[i].in, n);
		char *out = malloc(n > 0 ? n : 1);
		ptrdiff_t got =
			url_decode(out, bytes_of(in, n), rows[i].plus_is_blank, rows[i].keep_slash);
		bool same = rows[i].want == NULL ? got == -1
						 : got == (ptrdiff_t)strlen(rows[i].want) &&
				memcmp(out, rows[i].want, (size_t)got) == 0;
		if (!same) {
			fail_msg("'%s' (%s)", rows[i].in, rows[i].reason);
		}
		free(out);
		free(in);
	}
}

static void query_parameters(void **state)
{
	(void)state;
	static const struct {
		const char *query, *name;
		const char *value; /* NULL: not found */
		const char *without;
		const char *reason;
	} rows[] = {
		{"key=v", "key", "v", "", "alone"},
		{"key=v&b=2", "key", "v", "b=2", "first: the '&' behind it goes too"},
		{"a=1&key=v&b=2", "key", "v", "a=1&b=2", "in the middle"},
		{"a=1&key=v", "key", "v", "a=1", "last: the '&' before it goes too"},
		{"a=1&key=v&key=w", "key", "v", "a=1&key=w", "the first of two"},
		{"key", "key", "", "", "without '='"},
		{"key=", "key", "", "", "empty value"},
		{"key=a=b&c", "key", "a=b", "c", "'=' in the value"},
		{"a&&key=v&&b", "key", "v", "a&&&b", "empty parameters stay"},
		{"xkey=1", "key", NULL, NULL, "the end of another name"},
		{"keyx=1", "key", NULL, NULL, "the beginning of another name"},
		{"Key=1", "key", NULL, NULL, "case matters"},
		{"k%65y=1", "key", NULL, NULL, "names are compared as sent"},
		{"a=key=1", "key", NULL, NULL, "the name inside a value"},
		{"", "key", NULL, NULL, "an empty query"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes value, whole;
		struct text out;
		size_t n = strlen(rows[i].query);
		char *copy = exact(rows[i].query, n);
		struct bytes query = bytes_of(copy, n);
		bool found = url_query_get(query, bytes_str(rows[i].name), &value, &whole);
		assert_int_equal(found, rows[i].value != NULL);
		if (found) {
			text_init(&out, 100);
			url_query_without(query, whole, &out);
			if (value.p == NULL || !bytes_eq(value, bytes_str(rows[i].value)) ||
				strcmp(text_cstr(&out), rows[i].without) != 0) {
				fail_msg("'%s' (%s)", rows[i].query, rows[i].reason);
			}
			text_done(&out);
		}
		free(copy);
	}
	struct bytes none;
	assert_false(url_query_get((struct bytes){NULL, 0}, BYTES("key"), &none, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),
		cmocka_unit_test(configured_urls),
		cmocka_unit_test(authorities),
		cmocka_unit_test(decoding),
		cmocka_unit_test(query_parameters),
	};
	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
