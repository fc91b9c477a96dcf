#include "wire/h1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define LIT(text) text, sizeof(text) - 1

struct result {
	enum read_rc rc;
	size_t used;
	char data[512];
	size_t data_n;
};

/* Decodes in pieces: the first of `first` bytes, then pieces of `step`. */
static void decode(const char *in, size_t n, size_t first, size_t step, struct result *out)
{
	struct h1_chunked c;
	h1_chunked_init(&c);
	memset(out, 0, sizeof(*out));
	out->rc = READ_MORE;
	size_t piece = first;
	while (out->rc == READ_MORE && out->used < n) {
		struct fault fault = {.status = 0};
		size_t take = MIN(piece, n - out->used);
		size_t data_n = 0, used = 0;
		char *copy = malloc(take > 0 ? take : 1);
		assert_non_null(copy);
		memcpy(copy, in + out->used, take);
		out->rc = h1_chunked_decode(&c, copy, take, &data_n, &used, &fault);
		assert_true(data_n <= used && used <= take);
		assert_true(out->rc != READ_MORE || used == take);
		assert_int_equal(fault.status, out->rc == READ_FAIL ? 400 : 0);
		/* What belongs to the next message stays where it was. */
		assert_memory_equal(copy + used, in + out->used + used, take - used);
		assert_true(out->data_n + data_n <= sizeof(out->data));
		memcpy(out->data + out->data_n, copy, data_n);
		out->data_n += data_n;
		out->used += used;
		free(copy);
		piece = step;
	}
}

static void same(const struct result *a, const struct result *b, const char *in)
{
	if (a->rc != b->rc || a->used != b->used || a->data_n != b->data_n ||
		memcmp(a->data, b->data, a->data_n) != 0) {
		fail_msg("'%s': differs when it is split", in);
	}
}

/* Whole, byte by byte, split at every point. */
static void decode_all_ways(const char *in, size_t n, struct result *whole)
{
	struct result parts;
	decode(in, n, n, n, whole);
	decode(in, n, 1, 1, &parts);
	same(whole, &parts, in);
	for (size_t at = 0; at <= n; at++) {
		decode(in, n, at, n, &parts);
		same(whole, &parts, in);
	}
}

struct row {
	const char *in;
	size_t n;
	enum read_rc rc;
	const char *data;
	size_t rest; /* bytes behind the body */
	const char *reason;
};

#define END "0\r\n\r\n"

static void bodies(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{LIT(END), READ_DONE, "", 0, "an empty body"},
		{LIT("3\r\nabc\r\n" END), READ_DONE, "abc", 0, "one chunk"},
		{LIT("3\r\nabc\r\n1\r\nd\r\nA\r\n0123456789\r\n" END "GET"), READ_DONE,
			"abcd0123456789", 3, "three chunks and the next message"},
		{LIT("a\r\n0123456789\r\n000\r\n\r\n"), READ_DONE, "0123456789", 0,
			"lower case, and a last chunk of several zeros"},
		{LIT("00000000000000000000000000000003\r\nabc\r\n" END), READ_DONE, "abc", 0,
			"leading zeros do not count as size"},
		{LIT("3;a=b\r\nabc\r\n0;c=\"d;e\"\r\n\r\n"), READ_DONE, "abc", 0, "extensions"},
		{LIT("3 \t;a\r\nabc\r\n" END), READ_DONE, "abc", 0, "blanks before an extension"},
		{LIT("3;\r\nabc\r\n" END), READ_DONE, "abc", 0, "an empty extension"},
		{LIT("2\r\n\r\n\r\n" END), READ_DONE, "\r\n", 0, "data that looks like framing"},
		{LIT("0\r\nA: b\r\nC:\r\n\r\nx"), READ_DONE, "", 1, "trailers are dropped"},
		{LIT("5\r\nabc"), READ_MORE, "abc", 0, "a chunk that goes on"},
		{LIT("3\r\nabc\r\n"), READ_MORE, "abc", 0, "no last chunk yet"},
		{LIT("0\r\n"), READ_MORE, "", 0, "no empty line yet"},
		{LIT("7fffffffffffffff\r\na"), READ_MORE, "a", 0, "the largest size"},
		{LIT("8000000000000000\r\na"), READ_FAIL, "", 3, "one more than the largest"},
		{LIT("10000000000000003\r\nabc\r\n"), READ_FAIL, "", 7, "3 modulo 2^64"},
		{LIT("\r\nabc"), READ_FAIL, "", 4, "no size"},
		{LIT(" 3\r\nabc\r\n"), READ_FAIL, "", 8, "a blank before the size"},
		{LIT("3 \r\nabc\r\n"), READ_FAIL, "", 6, "a blank behind the size"},
		{LIT("3 3\r\nabc\r\n"), READ_FAIL, "", 7, "two sizes"},
		{LIT("+3\r\nabc\r\n"), READ_FAIL, "", 8, "a sign"},
		{LIT("-1\r\nabc\r\n"), READ_FAIL, "", 8, "a negative size"},
		{LIT("0x3\r\nabc\r\n"), READ_FAIL, "", 8, "a prefix"},
		{LIT("3g\r\nabc\r\n"), READ_FAIL, "", 7, "no digit"},
		{LIT(";a\r\nabc\r\n"), READ_FAIL, "", 8, "an extension without a size"},
		{LIT("3,4\r\nabc\r\n"), READ_FAIL, "", 8, "a list of sizes"},
		{LIT("3\nabc\r\n"), READ_FAIL, "", 5, "a bare line feed behind the size"},
		{LIT("3\rabc\r\n"), READ_FAIL, "", 4, "a bare carriage return behind the size"},
		{LIT("3;a\nabc\r\n"), READ_FAIL, "", 5, "a bare line feed behind an extension"},
		{LIT("3;a\rb\r\nabc"), READ_FAIL, "", 5, "a bare carriage return in an extension"},
		{LIT("3;\0\r\nabc"), READ_FAIL, "", 5, "NUL in an extension"},
		{LIT("3;\x7f\r\nabc"), READ_FAIL, "", 5, "delete in an extension"},
		{LIT("3\r\nabc\n0\r\n"), READ_FAIL, "abc", 3, "a bare line feed behind the data"},
		{LIT("3\r\nabc\r0\r\n"), READ_FAIL, "abc", 2,
			"a bare carriage return behind the data"},
		{LIT("3\r\nabcd\r\n"), READ_FAIL, "abc", 2, "more data than announced"},
		{LIT("4\r\nabc\r\n0\r\n"), READ_FAIL, "abc\r", 3, "less data than announced"},
		{LIT("0\r\n A: b\r\n\r\n"), READ_FAIL, "", 8, "a folded trailer"},
		{LIT("0\r\nA : b\r\n\r\n"), READ_FAIL, "", 7, "a blank before a trailer's colon"},
		{LIT("0\r\n: b\r\n\r\n"), READ_FAIL, "", 6, "a trailer without a name"},
		{LIT("0\r\nA\r\n\r\n"), READ_FAIL, "", 3, "a trailer without a colon"},
		{LIT("0\r\nA: b\n\r\n"), READ_FAIL, "", 2, "a bare line feed in the trailers"},
		{LIT("0\r\nA: b\rc\r\n"), READ_FAIL, "", 2,
			"a bare carriage return in the trailers"},
		{LIT("0\r\nA: \0\r\n\r\n"), READ_FAIL, "", 4, "NUL in a trailer"},
		{LIT("0\r\n\n"), READ_FAIL, "", 0, "the empty line with a bare line feed"},
		{LIT("0\r\n\rx"), READ_FAIL, "", 0, "the empty line with a bare carriage return"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct result got;
		decode_all_ways(row->in, row->n, &got);
		if (got.rc != row->rc || got.data_n != strlen(row->data) ||
			memcmp(got.data, row->data, got.data_n) != 0 ||
			row->n - got.used != row->rest) {
			fail_msg("'%s' (%s): rc %d, %zu data, %zu left", row->in, row->reason,
				(int)got.rc, got.data_n, row->n - got.used);
		}
	}
}

/* prefix, then n times c, then suffix. */
static size_t stuffed(char *out, const char *prefix, char c, size_t n, const char *suffix)
{
	size_t len = strlen(prefix);
	memcpy(out, prefix, len);
	memset(out + len, c, n);
	memcpy(out + len + n, suffix, strlen(suffix));
	return len + n + strlen(suffix);
}

static void lines_are_limited(void **state)
{
	(void)state;
	static char in[H1_TRAILER_MAX + 64];
	struct result got;
	/* A size line counts to its CR: 256 with it is the most. */
	size_t n = stuffed(in, "", '0', H1_CHUNK_LINE_MAX - 1, "\r\n\r\n");
	decode_all_ways(in, n, &got);
	assert_int_equal(got.rc, READ_DONE);
	n = stuffed(in, "", '0', H1_CHUNK_LINE_MAX, "\r\n\r\n");
	decode_all_ways(in, n, &got);
	assert_int_equal(got.rc, READ_FAIL);
	n = stuffed(in, "0;", 'x', H1_CHUNK_LINE_MAX - 3, "\r\n\r\n");
	decode_all_ways(in, n, &got);
	assert_int_equal(got.rc, READ_DONE);
	n = stuffed(in, "0;", 'x', H1_CHUNK_LINE_MAX - 2, "\r\n\r\n");
	decode_all_ways(in, n, &got);
	assert_int_equal(got.rc, READ_FAIL);
}

static void trailers_are_limited(void **state)
{
	(void)state;
	static char in[H1_TRAILER_MAX + 64];
	struct result got;
	size_t n = stuffed(in, "0\r\nA:", 'x', H1_TRAILER_MAX - 6, "\r\n\r\n");
	decode(in, n, n, n, &got);
	assert_int_equal(got.rc, READ_DONE);
	decode(in, n, 1, 1, &got);
	assert_int_equal(got.rc, READ_DONE);
	n = stuffed(in, "0\r\nA:", 'x', H1_TRAILER_MAX - 5, "\r\n\r\n");
	decode(in, n, n, n, &got);
	assert_int_equal(got.rc, READ_FAIL);
	decode(in, n, 1, 1, &got);
	assert_int_equal(got.rc, READ_FAIL);
}

/* Limits are per line: a hundred long ones in a row are fine. */
static void the_count_begins_anew(void **state)
{
	(void)state;
	struct h1_chunked c;
	struct fault fault;
	size_t data_n, used;
	h1_chunked_init(&c);
	for (int i = 0; i < 100; i++) {
		char in[] = "00000000000000000000000000000001;extension\r\nx\r\n";
		assert_int_equal(h1_chunked_decode(&c, in, sizeof(in) - 1, &data_n, &used, &fault),
			READ_MORE);
		assert_int_equal(data_n, 1);
		assert_int_equal(in[0], 'x');
	}
}

static void a_failed_or_finished_body_stays_so(void **state)
{
	(void)state;
	struct h1_chunked c;
	struct fault fault;
	size_t data_n, used;
	char bad[] = "x";
	char good[] = "0\r\n\r\n";
	h1_chunked_init(&c);
	assert_int_equal(h1_chunked_decode(&c, bad, 1, &data_n, &used, &fault), READ_FAIL);
	assert_int_equal(h1_chunked_decode(&c, good, 5, &data_n, &used, &fault), READ_FAIL);
	assert_int_equal(used, 0);
	h1_chunked_init(&c);
	assert_int_equal(h1_chunked_decode(&c, good, 5, &data_n, &used, &fault), READ_DONE);
	assert_int_equal(h1_chunked_decode(&c, good, 5, &data_n, &used, &fault), READ_DONE);
	assert_int_equal(used, 0);
	assert_int_equal(data_n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(lines_are_limited),
		cmocka_unit_test(trailers_are_limited),
		cmocka_unit_test(the_count_begins_anew),
		cmocka_unit_test(a_failed_or_finished_body_stays_so),
	};
	return cmocka_run_group_tests_name("h1_chunked", tests, NULL, NULL);
}
