/*
 * Each body is fed whole, byte by byte and split at every point: what is found, where, and what is
 * refused must not depend on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/base.h"
#include "wire/multipart.h"

#define CD(name) "Content-Disposition: form-data; name=" name "\r\n"
#define FILE_PART \
	"--B\r\n" CD("\"file\"; filename=\"a.wav\"") "Content-Type: audio/wav\r\n\r\nRIFF\r" \
						     "\n--\r\n--A\0\xff\r\r\n-\r\n"
#define END "\r\n--B--\r\n"

enum says { FOUND, NONE, BAD, CUT };

#define TEXT(s) s, sizeof(s) - 1

static const struct row {
	const char *in;
	size_t n;
	enum says says;
	const char *value;
	const char *reason;
} rows[] = {
	{TEXT("--B\r\n" CD("\"model\"") "\r\nwhisper-1" END), FOUND, "whisper-1", "the usual form"},
	{TEXT("\r\n--B\r\n" CD("\"model\"") "\r\nwhisper-1" END), FOUND, "whisper-1",
		"a line break before the first boundary"},
	{TEXT("--B\r\n" CD("model") "\r\nm" END), FOUND, "m", "a name without quotes"},
	{TEXT("--B \t\r\n" CD("\"mo\\del\"") "\r\nm\r\n--B \r\nx"), FOUND, "m",
		"padding, an escape; what follows is not looked at"},
	{TEXT("--B\r\ncontent-disposition:FORM-DATA;NAME=\"model\"\r\n\r\nm" END), FOUND, "m",
		"names have no case, blanks are optional"},
	{TEXT(FILE_PART "\r\n--B\r\n" CD("\"model\"") "\r\nm" END), FOUND, "m",
		"behind a file that nearly holds the boundary"},
	{TEXT("--B\r\n" CD("\"model\"") "\r\na\r\n--B\r\n" CD("\"model\"") "\r\nb" END), FOUND, "a",
		"the first of two"},
	{TEXT("--B\r\n" CD("\"model\"") "\r\n" END), FOUND, "", "an empty value"},
	{TEXT("--B\r\n" CD("\"model\"") "\r\na\r\nb\r\n--" END), FOUND, "a\r\nb\r\n--",
		"line breaks and dashes are data"},
	{TEXT("--B\r\n" CD("\"model\"") "Content-Type: text/plain\r\nContent-Transfer-Encoding: "
					"8bit\r\n\r\nm" END),
		FOUND, "m", "other headers"},
	{TEXT("--B\r\n" CD("\"model\"; filename=\"m\"") "\r\nm" END), FOUND, "m",
		"a field that is a file is a field"},
	{TEXT("--B\r\n" CD("\"models\"") "\r\nm" END), NONE, NULL, "another name"},
	{TEXT("--B\r\n" CD("\"Model\"") "\r\nm" END), NONE, NULL, "names of fields have case"},
	{TEXT("--B\r\n" CD("\"x\"; filename=\"; name=model\"") "\r\nm" END), NONE, NULL,
		"what stands in quotes is no parameter"},
	{TEXT("--B\r\n" CD("\"x\"") "\r\n" CD("\"model\"") "\r\nm" END), NONE, NULL,
		"data that looks like headers"},
	{TEXT("--B--\r\nmore"), NONE, NULL, "no part at all"},
	{TEXT("hello\r\n--B\r\n" CD("\"model\"") "\r\nm" END), BAD, NULL, "a preamble"},
	{TEXT("--C\r\n" CD("\"model\"") "\r\nm" END), BAD, NULL, "another boundary"},
	{TEXT("--BB\r\n" CD("\"model\"") "\r\nm" END), BAD, NULL,
		"a boundary that goes on is another one to some"},
	{TEXT("--B\r\n" CD("\"x\"") "\r\n--B\r\n" CD("\"model\"") "\r\nm" END), BAD, NULL,
		"a part without even its line break: to some readers the next one begins"},
	{TEXT("--B\r\n" CD("\"x\"") "\r\na\n--B\r\n" CD("\"model\"") "\r\nm" END), BAD, NULL,
		"a boundary behind a bare LF begins a part to some readers"},
	{TEXT("--B\r\n" CD("\"x\"") "\r\na\r--B\r\n" CD("\"model\"") "\r\nm" END), BAD, NULL,
		"behind a bare CR too"},
	{TEXT("--B\r\n" CD("\"model\"") "\r\n--\n--\r--\r\r\n\n-\r" END), FOUND,
		"--\n--\r--\r\r\n\n-\r", "what only begins like a boundary is data"},
	{TEXT("--B\r\n" CD("\"model\"") "\r\nm\r\n--Bx" END), BAD, NULL, "here too"},
	{TEXT("--B\r\n" CD("\"model\"") "\r\nm\r\n--B-x" END), BAD, NULL, "half an end"},
	{TEXT("--B\n" CD("\"model\"") "\r\nm" END), BAD, NULL, "a bare LF behind the boundary"},
	{TEXT("--B\r\n" CD("\"model\"") "\nm" END), BAD, NULL, "in a header"},
	{TEXT("--B\r\n" CD("\"model\"") "\rm" END), BAD, NULL, "a bare CR"},
	{TEXT("--B\r\nX: 1\r\n\r\nm" END), BAD, NULL, "no Content-Disposition"},
	{TEXT("--B\r\n" CD("\"model\"") CD("\"x\"") "\r\nm" END), BAD, NULL, "two of them"},
	{TEXT("--B\r\n" CD("\"x\"; name=\"model\"") "\r\nm" END), BAD, NULL, "two names"},
	{TEXT("--B\r\n" CD("\"x\"; name*=utf-8''model") "\r\nm" END), BAD, NULL,
		"a name that only some readers read"},
	{TEXT("--B\r\n" CD("\"x\"; filename=\"a;name=model") "\r\nm" END), BAD, NULL,
		"quotes without end"},
	{TEXT("--B\r\n" CD("\"x\" name=model") "\r\nm" END), BAD, NULL, "no semicolon"},
	{TEXT("--B\r\n" CD("mo del") "\r\nm" END), BAD, NULL, "no token"},
	{TEXT("--B\r\nContent-Disposition: form-data\r\n\r\nm" END), BAD, NULL, "no name"},
	{TEXT("--B\r\nContent-Disposition: attachment; name=model\r\n\r\nm" END), BAD, NULL,
		"no form-data"},
	{TEXT("--B\r\n" CD("\"x\"") " folded\r\n\r\nm" END), BAD, NULL, "a folded line"},
	{TEXT("--B\r\nContent-Disposition : form-data; name=model\r\n\r\nm" END), BAD, NULL,
		"a blank before the colon"},
	{TEXT("--B\r\n" CD("\"model\"") "Content-Transfer-Encoding: base64\r\n\r\nbQ==" END), BAD,
		NULL, "a value that is written in another way"},
	{TEXT("--B\r\n" CD("\"mo\0del\"") "\r\nm" END), BAD, NULL, "a NUL in a header"},
	{TEXT(""), CUT, NULL, "nothing"},
	{TEXT("--B\r\n" CD("\"model\"") "\r\nm"), CUT, NULL, "no boundary behind the value"},
	{TEXT("--B\r\n" CD("\"model\"") "\r\nm\r\n--B"), CUT, NULL, "nor a whole one"},
	{TEXT("--B\r\n" CD("\"x\"") "\r\nm\r\n--B-"), CUT, NULL, "half of the end"},
};

struct outcome {
	enum says says;
	struct bytes value;
	uint64_t beg, end;
};

static enum read_rc feed(struct multipart *m, const char *p, size_t n)
{
	char *copy = must_alloc(n + 1);
	struct fault f = {0};
	enum read_rc rc;
	uint64_t safe = multipart_safe(m);

	memcpy(copy, p, n);
	rc = multipart_feed(m, copy, n, &f);
	free(copy);
	if (rc == READ_FAIL) {
		assert_int_equal(f.status, 400);
		assert_true(f.text[0] != '\0');
	}
	assert_true(multipart_safe(m) >= safe && multipart_safe(m) <= m->at);
	return rc;
}

/* In pieces: the first of `first` bytes, all others of `step`. */
static struct outcome run(struct multipart *m, const struct row *r, size_t first, size_t step)
{
	struct outcome o = {.says = CUT};
	enum read_rc rc = READ_MORE;
	size_t at = 0;

	multipart_init(m, BYTES("B"), BYTES("model"));
	while (at < r->n && rc == READ_MORE) {
		size_t n = MIN(at == 0 ? first : step, r->n - at);

		rc = feed(m, r->in + at, n);
		at += n;
	}
	if (rc == READ_MORE) {
		assert_int_equal(multipart_end(m, NULL), READ_FAIL);
		return o;
	}
	o.says = rc == READ_FAIL ? BAD : m->found ? FOUND : NONE;
	if (m->found) {
		o.value = multipart_value(m);
		o.beg = m->beg;
		o.end = m->end;
		assert_int_equal(multipart_end(m, NULL), READ_DONE);
	}
	return o;
}

static void check(const struct row *r, size_t first, size_t step)
{
	struct multipart *m = must_alloc(sizeof(*m));
	struct outcome o = run(m, r, first, step);
	bool good = o.says == r->says;

	if (good && r->says == FOUND) {
		struct bytes value = bytes_str(r->value);

		good = bytes_eq(o.value, value) && o.end - o.beg == value.n &&
			bytes_eq(bytes_of(r->in + o.beg, value.n), value);
	}
	if (!good) {
		fail_msg("%s (pieces of %zu and %zu): got %d at %llu", r->reason, first, step,
			(int)o.says, (unsigned long long)o.beg);
	}
	free(m);
}

static void bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check(&rows[i], rows[i].n + 1, 1);
		check(&rows[i], 1, 1);
		check(&rows[i], 1, 3);
		for (size_t k = 1; k < rows[i].n; k++) {
			check(&rows[i], k, rows[i].n);
		}
	}
}

/* Bytes before multipart_safe are the client's whatever comes: the value is behind it until it is known. */
static void nothing_of_the_value_is_safe_before_it_is_whole(void **state)
{
	static const char in[] = FILE_PART "\r\n--B\r\n" CD("\"model\"") "\r\nabc\r\n--B\r\n";
	struct multipart *m = must_alloc(sizeof(*m));
	size_t n = sizeof(in) - 1;

	(void)state;
	multipart_init(m, BYTES("B"), BYTES("model"));
	for (size_t i = 0; i < n; i++) {
		enum read_rc rc = multipart_feed(m, in + i, 1, NULL);

		assert_int_equal(rc, i + 1 < n ? READ_MORE : READ_DONE);
		if (i + 1 < n) {
			assert_true(multipart_safe(m) <= n - strlen("abc\r\n--B\r\n"));
		}
	}
	assert_int_equal(multipart_safe(m), n);
	free(m);
}

static enum read_rc feed_many(struct multipart *m, const char *piece, size_t times)
{
	enum read_rc rc = READ_MORE;

	for (size_t i = 0; i < times && rc == READ_MORE; i++) {
		rc = multipart_feed(m, piece, strlen(piece), NULL);
	}
	return rc;
}

static void bounds(void **state)
{
	static const struct {
		const char *head, *piece;
		size_t good, bad;
		const char *reason;
	} limits[] = {
		{"--B\r\n" CD("model") "\r\n", "x", MULTIPART_VALUE_MAX, MULTIPART_VALUE_MAX + 1,
			"the value"},
		{"--B\r\nX:", "x", MULTIPART_LINE_MAX - 2, MULTIPART_LINE_MAX - 1, "a line"},
		{"--B\r\n", "X:12345\r\n", MULTIPART_HEADERS_MAX / 7, MULTIPART_HEADERS_MAX / 7 + 1,
			"headers of a part"},
		{"--B", "\r\n" CD("x") "\r\n\r\n--B", MULTIPART_PARTS_MAX, MULTIPART_PARTS_MAX + 1,
			"parts"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		for (size_t k = 0; k < 2; k++) {
			struct multipart *m = must_alloc(sizeof(*m));
			size_t times = k == 0 ? limits[i].good : limits[i].bad;
			enum read_rc rc;

			multipart_init(m, BYTES("B"), BYTES("model"));
			rc = multipart_feed(m, limits[i].head, strlen(limits[i].head), NULL);
			assert_int_equal(rc, READ_MORE);
			rc = feed_many(m, limits[i].piece, times);
			if (rc != (k == 0 ? READ_MORE : READ_FAIL)) {
				fail_msg("%s, %zu times", limits[i].reason, times);
			}
			free(m);
		}
	}
}

static const struct {
	const char *type;
	const char *boundary; /* NULL: no multipart/form-data; "": without a usable boundary */
	const char *reason;
} types[] = {
	{"multipart/form-data; boundary=abc", "abc", "the usual form"},
	{"Multipart/Form-Data;BOUNDARY=\"a b\"", "a b", "in quotes, a blank inside"},
	{"multipart/form-data; charset=utf-8; boundary=----x-1 ; a=b", "----x-1",
		"others beside it"},
	{"multipart/form-data; boundary=a=b?c/d:e", "a=b?c/d:e",
		"characters that are no token's, without quotes"},
	{"multipart/form-data; boundary=a;", "a", "a semicolon at the end"},
	{"multipart/form-data", "", "none"},
	{"multipart/form-data; boundary=", "", "an empty one"},
	{"multipart/form-data; boundary=\"\"", "", "in quotes too"},
	{"multipart/form-data; boundary=a; boundary=b", "", "two"},
	{"multipart/form-data; boundary=a; boundary=a", "", "even the same one twice"},
	{"multipart/form-data; boundary=\"a", "", "quotes without end"},
	{"multipart/form-data; boundary=\"a \"", "", "a blank at its end"},
	{"multipart/form-data; boundary=a{b", "", "no character of boundaries"},
	{"multipart/form-data; boundary=a boundary=b", "", "no semicolon between"},
	{"multipart/form-data boundary=a", NULL, "no semicolon before"},
	{"multipart/form-data; boundary="
	 "1234567890123456789012345678901234567890123456789012345678901234567890",
		"1234567890123456789012345678901234567890123456789012345678901234567890",
		"the longest"},
	{"multipart/form-data; boundary="
	 "12345678901234567890123456789012345678901234567890123456789012345678901",
		"", "longer"},
	{"multipart/mixed; boundary=a", NULL, "another type"},
	{"application/json", NULL, "something else"},
	{"", NULL, "nothing"},
};

static void boundaries(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		char room[MULTIPART_BOUNDARY_MAX];
		struct bytes b;
		bool is = multipart_boundary(bytes_str(types[i].type), room, &b);

		if (is != (types[i].boundary != NULL) ||
			(is && !bytes_eq(b, bytes_str(types[i].boundary)))) {
			fail_msg("%s: %s: got %d " BYTES_FMT, types[i].reason, types[i].type, is,
				BYTES_ARG(b));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(nothing_of_the_value_is_safe_before_it_is_whole),
		cmocka_unit_test(bounds),
		cmocka_unit_test(boundaries),
	};

	return cmocka_run_group_tests_name("wire/multipart", tests, NULL, NULL);
}
