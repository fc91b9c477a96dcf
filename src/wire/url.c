/*
 * Hosts are letters, digits and "-._~" or an IPv6 address in brackets. RFC 3986 would also allow
 * escapes and sub-delimiters in a name; no host has them, and two readers may take them
 * differently.
 */
#include "wire/url.h"

#include "base/num.h"

static bool is_hex(char c)
{
	char lower = ascii_lower(c);
	return ascii_digit(c) || (lower >= 'a' && lower <= 'f');
}

static unsigned hex_value(char c)
{
	return ascii_digit(c) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a') + 10;
}

enum { IN_HOST = 1, IN_REST = 2 };

/* IN_HOST: letters, digits and "-._~". IN_REST: what may stand anywhere behind the host, so visible
 * characters but '#', which begins a fragment, and '%', which begins an escape. */
/* clang-format off */
#define H (IN_HOST | IN_REST)
#define R IN_REST
static const uint8_t url_chars[256] = {
	['!'] = R, ['"'] = R, ['$'] = R, ['&'] = R, ['\''] = R, ['('] = R, [')'] = R, ['*'] = R,
	['+'] = R, [','] = R, ['-'] = H, ['.'] = H, ['/'] = R,
	['0'] = H, ['1'] = H, ['2'] = H, ['3'] = H, ['4'] = H, ['5'] = H, ['6'] = H, ['7'] = H,
	['8'] = H, ['9'] = H, [':'] = R, [';'] = R, ['<'] = R, ['='] = R, ['>'] = R, ['?'] = R,
	['@'] = R, ['A'] = H, ['B'] = H, ['C'] = H, ['D'] = H, ['E'] = H, ['F'] = H, ['G'] = H,
	['H'] = H, ['I'] = H, ['J'] = H, ['K'] = H, ['L'] = H, ['M'] = H, ['N'] = H, ['O'] = H,
	['P'] = H, ['Q'] = H, ['R'] = H, ['S'] = H, ['T'] = H, ['U'] = H, ['V'] = H, ['W'] = H,
	['X'] = H, ['Y'] = H, ['Z'] = H, ['['] = R, ['\\'] = R, [']'] = R, ['^'] = R, ['_'] = H,
	['`'] = R, ['a'] = H, ['b'] = H, ['c'] = H, ['d'] = H, ['e'] = H, ['f'] = H, ['g'] = H,
	['h'] = H, ['i'] = H, ['j'] = H, ['k'] = H, ['l'] = H, ['m'] = H, ['n'] = H, ['o'] = H,
	['p'] = H, ['q'] = H, ['r'] = H, ['s'] = H, ['t'] = H, ['u'] = H, ['v'] = H, ['w'] = H,
	['x'] = H, ['y'] = H, ['z'] = H, ['{'] = R, ['|'] = R, ['}'] = R, ['~'] = H,
};
#undef H
#undef R
/* clang-format on */

static bool is_host_char(char c)
{
	return (url_chars[(unsigned char)c] & IN_HOST) != 0;
}

/* Length of the host at the beginning of text, 0 when there is none. */
static size_t host_length(struct bytes text)
{
	size_t n = 0;
	if (text.n == 0 || text.p[0] != '[') {
		while (n < text.n && is_host_char(text.p[n])) {
			n++;
		}
		return n;
	}
	n = 1;
	while (n < text.n && (is_hex(text.p[n]) || text.p[n] == ':' || text.p[n] == '.')) {
		n++;
	}
	/* The shortest address is "::". */
	return n >= 3 && n < text.n && text.p[n] == ']' ? n + 1 : 0;
}

int url_parse_authority(struct bytes text, struct bytes *host, uint16_t *port)
{
	size_t host_n = host_length(text);
	uint64_t number = 0;
	if (host_n == 0) {
		return ERR_SYNTAX;
	}
	if (host_n < text.n) {
		struct bytes digits = bytes_of(text.p + host_n + 1, text.n - host_n - 1);
		if (text.p[host_n] != ':' || digits.n > 5 ||
			!num_parse_u64(digits, UINT16_MAX, &number) || number == 0) {
			return ERR_SYNTAX;
		}
	}
	*host = bytes_of(text.p, host_n);
	*port = (uint16_t)number;
	return 0;
}

/* Path and query: visible characters, whole escapes, no fragment. */
static int check_rest(struct bytes rest, size_t where, struct fault *fault)
{
	for (size_t i = 0; i < rest.n; i++) {
		char c = rest.p[i];
		if ((url_chars[(unsigned char)c] & IN_REST) != 0) {
			continue;
		}
		if (c < 0x21 || c > 0x7e) {
			return fault_set(
				fault, ERR_SYNTAX, 400, where + i, "a byte that no URL may hold");
		}
		if (c == '#') {
			return fault_set(fault, ERR_SYNTAX, 400, where + i, "a fragment in a URL");
		}
		/* All that is left is '%'. */
		if (rest.n - i < 3 || !is_hex(rest.p[i + 1]) || !is_hex(rest.p[i + 2])) {
			return fault_set(fault, ERR_SYNTAX, 400, where + i,
				"'%%' without two hexadecimal digits in a URL");
		}
	}
	return 0;
}

static void cut_query(struct url *url, struct bytes rest)
{
	url->path = bytes_cut(&rest, '?');
	url->query = rest;
}

/* Length of "http://" or "https://" at the beginning, 0 when neither stands there. */
static size_t scheme_length(struct bytes text)
{
	if (bytes_starts_nocase(text, BYTES("http://"))) {
		return 7;
	}
	return bytes_starts_nocase(text, BYTES("https://")) ? 8 : 0;
}

/* prefix: length of the scheme with its "://". */
static int parse_absolute(struct url *out, struct bytes text, size_t prefix, struct fault *fault)
{
	struct url url = {.scheme = bytes_of(text.p, prefix - 3)};
	size_t end = prefix;
	while (end < text.n && text.p[end] != '/' && text.p[end] != '?' && text.p[end] != '#') {
		end++;
	}
	if (url_parse_authority(bytes_of(text.p + prefix, end - prefix), &url.host, &url.port) !=
		0) {
		return fault_set(
			fault, ERR_SYNTAX, 400, prefix, "host and port of a URL are not valid");
	}
	struct bytes rest = bytes_of(text.p + end, text.n - end);
	int err = check_rest(rest, end, fault);
	if (err != 0) {
		return err;
	}
	cut_query(&url, rest);
	*out = url;
	return 0;
}

/* The character at *at, decoded; *at is behind it. Escapes are whole. */
static char next_char(struct bytes path, size_t *at)
{
	char c = path.p[(*at)++];

	if (c == '%') {
		c = (char)(hex_value(path.p[*at]) << 4 | hex_value(path.p[*at + 1]));
		*at += 2;
	}
	return c;
}

/* Whether a segment is "." or "..". What stands between segments is taken widely: some readers take a
 * backslash or an escaped slash for a slash, or cut off what follows a semicolon. */
static bool has_dots(struct bytes path)
{
	size_t n_dots = 0;
	bool name = false; /* the segment has other characters */

	if (memchr(path.p, '.', path.n) == NULL && memchr(path.p, '%', path.n) == NULL) {
		return false;
	}
	for (size_t at = 0; at < path.n;) {
		char c = next_char(path, &at);
		bool ends = c == '/' || c == '\\' || c == ';';

		if (ends && !name && (n_dots == 1 || n_dots == 2)) {
			return true;
		}
		if (ends) {
			n_dots = 0;
			name = c == ';'; /* what follows belongs to the same segment */
		} else if (c == '.') {
			n_dots++;
		} else {
			name = true;
		}
	}
	return !name && (n_dots == 1 || n_dots == 2);
}

static int refuse_dots(const struct url *url, struct fault *fault)
{
	return has_dots(url->path)
		? fault_set(fault, ERR_SYNTAX, 400, 0,
			  "a path with a segment . or .., which others would resolve")
		: 0;
}

int url_parse_target(struct url *out, struct bytes target, struct fault *fault)
{
	size_t prefix = scheme_length(target);
	struct url url = {0};
	if (prefix > 0) {
		int rc = parse_absolute(&url, target, prefix, fault);
		rc = rc == 0 ? refuse_dots(&url, fault) : rc;
		if (rc == 0) {
			*out = url;
		}
		return rc;
	}
	if (bytes_eq(target, BYTES("*"))) {
		url.path = target;
		*out = url;
		return 0;
	}
	if (target.n == 0 || target.p[0] != '/') {
		return fault_set(fault, ERR_SYNTAX, 400, 0,
			"a request target begins with '/' or http(s)://");
	}
	int err = check_rest(target, 0, fault);
	if (err != 0) {
		return err;
	}
	cut_query(&url, target);
	err = refuse_dots(&url, fault);
	if (err == 0) {
		*out = url;
	}
	return err;
}

int url_parse(struct url *out, struct bytes text, struct fault *fault)
{
	size_t prefix = scheme_length(text);
	if (prefix == 0) {
		return fault_set(
			fault, ERR_SYNTAX, 400, 0, "a URL begins with http:// or https://");
	}
	return parse_absolute(out, text, prefix, fault);
}

ptrdiff_t url_decode(char *out, struct bytes s, bool plus_is_blank, bool keep_slash)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '+' && plus_is_blank) {
			c = ' ';
		} else if (c == '%') {
			if (s.n - i < 3 || !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2])) {
				return -1;
			}
			char plain = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
			if (plain != '/' || !keep_slash) {
				c = plain;
				i += 2;
			}
		}
		out[n++] = c;
	}
	return (ptrdiff_t)n;
}

bool url_query_get(struct bytes query, struct bytes name, struct bytes *value, struct bytes *whole)
{
	struct bytes rest = query;
	while (rest.p != NULL) {
		struct bytes pair = bytes_cut(&rest, '&');
		struct bytes after = pair;
		if (pair.n > 0 && bytes_eq(bytes_cut(&after, '='), name)) {
			*whole = pair;
			*value = after.p != NULL ? after : bytes_of(pair.p + pair.n, 0);
			return true;
		}
	}
	return false;
}

void url_query_without(struct bytes query, struct bytes whole, struct text *out)
{
	size_t before = (size_t)(whole.p - query.p);
	size_t after = before + whole.n;
	ASSERT(before <= query.n && whole.n <= query.n - before);
	/* One '&' goes with it: the one behind, or the one before when it is the last. */
	if (after < query.n) {
		after++;
	} else if (before > 0) {
		before--;
	}
	text_add(out, query.p, before);
	text_add(out, query.p + after, query.n - after);
}
