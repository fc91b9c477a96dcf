/*
 * What is signed is written out as text and hashed whole: it is small, and a difference to a server's own
 * text, which its error answers may show, can be read.
 */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "wire/sigv4.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

/* --- encoding --------------------------------------------------------------------------------------- */

static bool is_plain(char c)
{
	return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || ascii_digit(c) || c == '-' ||
		c == '.' || c == '_' || c == '~';
}

static void add_encoded(struct text *out, struct bytes s, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_plain(s.p[i]) || (keep_slash && c == '/')) {
			text_add_char(out, s.p[i]);
		} else {
			char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};

			text_add(out, escaped, sizeof(escaped));
		}
	}
}

void sigv4_path(struct text *out, struct bytes path)
{
	add_encoded(out, path, true);
}

static int compare(const struct sigv4_pair *a, const struct sigv4_pair *b, bool values)
{
	int order = bytes_cmp(a->name, b->name);

	return order != 0 || !values ? order : bytes_cmp(a->value, b->value);
}

/* Stable. */
static void sort(struct sigv4_pair *pairs, size_t n, bool values)
{
	for (size_t i = 1; i < n; i++) {
		struct sigv4_pair p = pairs[i];
		size_t at = i;

		for (; at > 0 && compare(&pairs[at - 1], &p, values) > 0; at--) {
			pairs[at] = pairs[at - 1];
		}
		pairs[at] = p;
	}
}

/* The order is that of the encoded names: "%C3" stands before "a". */
void sigv4_query(struct text *out, const struct sigv4_pair *pairs, size_t n)
{
	struct sigv4_pair encoded[SIGV4_PAIRS_MAX];
	size_t ends[2 * SIGV4_PAIRS_MAX];
	struct text all;
	const char *p;

	ASSERT(n <= SIGV4_PAIRS_MAX);
	text_init(&all, SIGV4_TEXT_MAX);
	for (size_t i = 0; i < n; i++) {
		add_encoded(&all, pairs[i].name, false);
		ends[2 * i] = all.n;
		add_encoded(&all, pairs[i].value, false);
		ends[2 * i + 1] = all.n;
	}
	p = text_cstr(&all);
	for (size_t i = 0, at = 0; i < n; at = ends[2 * i + 1], i++) {
		encoded[i].name = bytes_of(p + at, ends[2 * i] - at);
		encoded[i].value = bytes_of(p + ends[2 * i], ends[2 * i + 1] - ends[2 * i]);
	}
	sort(encoded, n, true);
	for (size_t i = 0; i < n; i++) {
		text_add_str(out, i == 0 ? "" : "&");
		text_add_bytes(out, encoded[i].name);
		text_add_char(out, '=');
		text_add_bytes(out, encoded[i].value);
	}
	out->full = out->full || text_full(&all);
	text_done(&all);
}

void sigv4_date(char *out, uint64_t wall_ms)
{
	char iso[CLOCK_ISO_LEN];
	size_t n = 0;

	clock_format_iso(iso, wall_ms);
	for (size_t i = 0; n < SIGV4_DATE_N - 1; i++) {
		if (iso[i] != '-' && iso[i] != ':') {
			out[n++] = iso[i];
		}
	}
	out[n] = 'Z';
}

/* --- the canonical request ------------------------------------------------------------------------ */

static void add_lower(struct text *out, struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		text_add_char(out, ascii_lower(s.p[i]));
	}
}

/* Blanks at both ends are dropped, runs of them become one. */
static void add_value(struct text *out, struct bytes value)
{
	bool blank = false;

	value = bytes_trim(value);
	for (size_t i = 0; i < value.n; i++) {
		bool now = value.p[i] == ' ' || value.p[i] == '\t';

		if (!now || !blank) {
			text_add_char(out, now ? ' ' : value.p[i]);
		}
		blank = now;
	}
}

/* The fields with names in lower case (they live in names), sorted. */
static void sort_fields(const struct sigv4 *r, struct sigv4_pair *sorted, struct text *names)
{
	size_t ends[SIGV4_PAIRS_MAX];
	const char *p;

	ASSERT(r->n_fields <= SIGV4_PAIRS_MAX);
	text_init(names, SIGV4_TEXT_MAX);
	for (size_t i = 0; i < r->n_fields; i++) {
		add_lower(names, r->fields[i].name);
		ends[i] = names->n;
	}
	p = text_cstr(names);
	for (size_t i = 0, at = 0; i < r->n_fields; at = ends[i], i++) {
		sorted[i].name = bytes_of(p + at, ends[i] - at);
		sorted[i].value = r->fields[i].value;
	}
	sort(sorted, r->n_fields, false);
}

static void add_signed_names(struct text *out, const struct sigv4_pair *sorted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || !bytes_eq(sorted[i].name, sorted[i - 1].name)) {
			text_add_str(out, i == 0 ? "" : ";");
			text_add_bytes(out, sorted[i].name);
		}
	}
}

/* Fields of one name are one line, in the order in which they are sent. */
static void add_fields(struct text *out, const struct sigv4_pair *sorted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool same = i != 0 && bytes_eq(sorted[i].name, sorted[i - 1].name);
		bool last = i + 1 == n || !bytes_eq(sorted[i].name, sorted[i + 1].name);

		if (same) {
			text_add_char(out, ',');
		} else {
			text_add_bytes(out, sorted[i].name);
			text_add_char(out, ':');
		}
		add_value(out, sorted[i].value);
		text_add_str(out, last ? "\n" : "");
	}
}

void sigv4_canonical(const struct sigv4 *r, struct text *out)
{
	struct sigv4_pair sorted[SIGV4_PAIRS_MAX];
	struct text names;

	sort_fields(r, sorted, &names);
	text_add_bytes(out, r->method);
	text_add_char(out, '\n');
	sigv4_path(out, r->path);
	text_add_char(out, '\n');
	sigv4_query(out, r->query, r->n_query);
	text_add_char(out, '\n');
	add_fields(out, sorted, r->n_fields);
	text_add_char(out, '\n');
	add_signed_names(out, sorted, r->n_fields);
	text_add_char(out, '\n');
	text_add_bytes(out, r->payload);
	out->full = out->full || text_full(&names);
	text_done(&names);
}

/* --- the signature -------------------------------------------------------------------------------- */

static struct bytes day(const struct sigv4 *r)
{
	ASSERT(r->date.n == SIGV4_DATE_N);
	return bytes_of(r->date.p, 8);
}

static void add_scope(struct text *out, const struct sigv4 *r)
{
	text_add_bytes(out, day(r));
	text_add_char(out, '/');
	text_add_bytes(out, r->region);
	text_add_char(out, '/');
	text_add_bytes(out, r->service);
	text_add_str(out, "/aws4_request");
}

void sigv4_to_sign(const struct sigv4 *r, struct bytes canonical, struct text *out)
{
	unsigned char digest[DIGEST_SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE];

	digest_sha256(digest, canonical);
	digest_hex(hex, digest);
	text_add_str(out, ALGORITHM "\n");
	text_add_bytes(out, r->date);
	text_add_char(out, '\n');
	add_scope(out, r);
	text_add_char(out, '\n');
	text_add(out, hex, sizeof(hex));
}

static void next_key(unsigned char key[DIGEST_SHA256_SIZE], struct bytes text)
{
	unsigned char out[DIGEST_SHA256_SIZE];

	digest_hmac_sha256(out, bytes_of((const char *)key, DIGEST_SHA256_SIZE), text);
	memcpy(key, out, sizeof(out));
}

static int sign(const struct sigv4 *r, struct bytes to_sign, char hex[DIGEST_HEX_SIZE])
{
	unsigned char key[DIGEST_SHA256_SIZE];
	struct text first;

	text_init(&first, SIGV4_TEXT_MAX);
	text_add_str(&first, "AWS4");
	text_add_bytes(&first, r->secret);
	if (text_full(&first)) {
		text_done(&first);
		return ERR_LIMIT;
	}
	digest_hmac_sha256(key, text_bytes(&first), day(r));
	explicit_bzero(first.p, first.n);
	text_done(&first);
	next_key(key, r->region);
	next_key(key, r->service);
	next_key(key, BYTES("aws4_request"));
	next_key(key, to_sign);
	digest_hex(hex, key);
	return 0;
}

static void add_authorization(
	const struct sigv4 *r, struct text *out, const char hex[DIGEST_HEX_SIZE])
{
	struct sigv4_pair sorted[SIGV4_PAIRS_MAX];
	struct text names;

	sort_fields(r, sorted, &names);
	text_add_str(out, ALGORITHM " Credential=");
	text_add_bytes(out, r->key_id);
	text_add_char(out, '/');
	add_scope(out, r);
	text_add_str(out, ",SignedHeaders=");
	add_signed_names(out, sorted, r->n_fields);
	text_add_str(out, ",Signature=");
	text_add(out, hex, DIGEST_HEX_SIZE);
	text_done(&names);
}

int sigv4_authorization(const struct sigv4 *r, struct text *out)
{
	char hex[DIGEST_HEX_SIZE];
	struct text canonical;
	struct text to_sign;
	int rc;

	text_init(&canonical, SIGV4_TEXT_MAX);
	text_init(&to_sign, SIGV4_TEXT_MAX);
	sigv4_canonical(r, &canonical);
	sigv4_to_sign(r, text_bytes(&canonical), &to_sign);
	rc = text_full(&canonical) || text_full(&to_sign) ? ERR_LIMIT
							  : sign(r, text_bytes(&to_sign), hex);
	if (rc == 0) {
		add_authorization(r, out, hex);
		rc = text_full(out) ? ERR_LIMIT : 0;
	}
	text_done(&canonical);
	text_done(&to_sign);
	return rc;
}
