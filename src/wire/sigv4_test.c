#include "wire/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/err.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define PUT_HASH "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

#define ROW_PAIRS_MAX 6u

struct row {
	const char *method, *path;
	const char *query[2 * ROW_PAIRS_MAX + 1]; /* name, value, ... */
	const char *fields[2 * ROW_PAIRS_MAX + 1];
	const char *payload;
	const char *want; /* the signature */
	const char *reason;
};

/* Both sets are AWS's: the S3 guide's examples, and the suite of signature version 4 for any service. */
#define S3_FIELDS                                                                   \
	"Host", "examplebucket.s3.amazonaws.com", "x-amz-date", "20130524T000000Z", \
		"x-amz-content-"                                                    \
		"sha256"
#define ANY_FIELDS "Host", "example.amazonaws.com", "X-Amz-Date", "20150830T123600Z"

static const struct row s3_rows[] = {
	{"GET", "/test.txt", {NULL}, {S3_FIELDS, EMPTY_HASH, "Range", "bytes=0-9"}, EMPTY_HASH,
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		"GET of an object, a range"},
	{"PUT", "/test$file.text", {NULL},
		{S3_FIELDS, PUT_HASH, "Date", "Fri, 24 May 2013 00:00:00 GMT",
			"x-amz-storage-class", "REDUCED_REDUNDANCY"},
		PUT_HASH, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
		"PUT: a '$' in the key, a body"},
	{"GET", "/", {"lifecycle", ""}, {S3_FIELDS, EMPTY_HASH}, EMPTY_HASH,
		"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
		"a parameter without a value"},
	{"GET", "/", {"prefix", "J", "max-keys", "2"}, {S3_FIELDS, EMPTY_HASH}, EMPTY_HASH,
		"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
		"a list: parameters are sorted"},
};

static const struct row any_rows[] = {
	{"GET", "/", {NULL}, {ANY_FIELDS}, EMPTY_HASH,
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", "get-vanilla"},
	{"POST", "/", {NULL}, {ANY_FIELDS}, EMPTY_HASH,
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", "post-vanilla"},
	{"GET", "/", {"Param2", "value2", "Param1", "value1"}, {ANY_FIELDS}, EMPTY_HASH,
		"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
		"get-vanilla-query-order-key-case"},
	{"GET", "/\xe1\x88\xb4", {NULL}, {ANY_FIELDS}, EMPTY_HASH,
		"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85", "get-utf8"},
	{"GET", "/", {"\xe1\x88\xb4", "bar"}, {ANY_FIELDS}, EMPTY_HASH,
		"2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
		"get-vanilla-utf8-query"},
	{"GET", "/", {NULL}, {ANY_FIELDS, "My-Header1", " value1", "My-Header2", " \"a   b   c\""},
		EMPTY_HASH, "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
		"get-header-value-trim: runs of blanks are one"},
	{"GET", "/", {NULL},
		{ANY_FIELDS, "My-Header1", "value2", "My-Header1", "value2", "My-Header1",
			"value1"},
		EMPTY_HASH, "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
		"get-header-key-duplicate: one line, as they come"},
};

struct case_of {
	struct sigv4 r;
	struct sigv4_pair query[ROW_PAIRS_MAX], fields[ROW_PAIRS_MAX];
};

static size_t take(struct sigv4_pair *out, const char *const *from)
{
	size_t n = 0;

	for (; from[2 * n] != NULL; n++) {
		out[n] = (struct sigv4_pair){bytes_str(from[2 * n]), bytes_str(from[2 * n + 1])};
	}
	return n;
}

static void make(struct case_of *c, const struct row *row, bool s3)
{
	c->r = (struct sigv4){
		.method = bytes_str(row->method),
		.path = bytes_str(row->path),
		.query = c->query,
		.n_query = take(c->query, row->query),
		.fields = c->fields,
		.n_fields = take(c->fields, row->fields),
		.payload = bytes_str(row->payload),
		.region = BYTES("us-east-1"),
		.service = s3 ? BYTES("s3") : BYTES("service"),
		.date = s3 ? BYTES("20130524T000000Z") : BYTES("20150830T123600Z"),
		.key_id = s3 ? BYTES("AKIAIOSFODNN7EXAMPLE") : BYTES("AKIDEXAMPLE"),
		.secret = s3 ? BYTES("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
			     : BYTES("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
	};
}

static void run_row(const struct row *row, bool s3)
{
	struct case_of c;
	struct text out;

	make(&c, row, s3);
	text_init(&out, 4096);
	assert_int_equal(sigv4_authorization(&c.r, &out), 0);
	if (!bytes_ends(text_bytes(&out), bytes_str(row->want))) {
		struct text canonical;

		text_init(&canonical, 4096);
		sigv4_canonical(&c.r, &canonical);
		fail_msg("%s: %s\n%s", row->reason, text_cstr(&out), text_cstr(&canonical));
	}
	text_done(&out);
}

static void test_published_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(s3_rows); i++) {
		run_row(&s3_rows[i], true);
	}
	for (size_t i = 0; i < ARRAY_LEN(any_rows); i++) {
		run_row(&any_rows[i], false);
	}
}

static void test_whole_field(void **state)
{
	struct case_of c;
	struct text out;

	(void)state;
	make(&c, &s3_rows[0], true);
	text_init(&out, 4096);
	assert_int_equal(sigv4_authorization(&c.r, &out), 0);
	assert_string_equal(text_cstr(&out),
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
		"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature="
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	text_done(&out);
}

static void test_paths(void **state)
{
	static const struct {
		const char *in, *want, *reason;
	} rows[] = {
		{"/a b/c", "/a%20b/c", "a blank is not '+', a slash stays"},
		{"/a+b", "/a%2Bb", "'+' is no blank"},
		{"/\xe4\xb8\xad\xe6\x96\x87.json", "/%E4%B8%AD%E6%96%87.json",
			"non-ASCII, byte by byte"},
		{"/a%20b", "/a%2520b", "encoded once: a '%' is a character of the key"},
		{"/-._~AZaz09", "/-._~AZaz09", "what is never encoded"},
		{"//a/../b", "//a/../b", "S3 does not tidy paths"},
		{"/a=b&c?d#e", "/a%3Db%26c%3Fd%23e", "what would end the path"},
		{"/\x01\x7f", "/%01%7F", "controls"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text out;

		text_init(&out, 256);
		sigv4_path(&out, bytes_str(rows[i].in));
		if (strcmp(text_cstr(&out), rows[i].want) != 0) {
			fail_msg("%s: %s", rows[i].reason, text_cstr(&out));
		}
		text_done(&out);
	}
}

static void test_query(void **state)
{
	static const struct sigv4_pair pairs[] = {
		{{"a", 1}, {"/ +", 3}},
		{{"\xc3\xa9", 2}, {"", 0}},
		{{"a", 1}, {"", 0}},
		{{"A", 1}, {"1", 1}},
	};
	struct text out;

	(void)state;
	text_init(&out, 256);
	sigv4_query(&out, pairs, ARRAY_LEN(pairs));
	/* By encoded name ("%C3" before "A"), then value; the slash is encoded here. */
	assert_string_equal(text_cstr(&out), "%C3%A9=&A=1&a=&a=%2F%20%2B");
	text_done(&out);
}

static void test_date(void **state)
{
	char out[SIGV4_DATE_N];

	(void)state;
	sigv4_date(out, 1369353600000u);
	assert_memory_equal(out, "20130524T000000Z", SIGV4_DATE_N);
}

static void test_limits(void **state)
{
	char *longer = must_alloc(SIGV4_TEXT_MAX + 1);
	char small[16];
	struct case_of c;
	struct text out;

	(void)state;
	memset(longer, 'a', SIGV4_TEXT_MAX + 1);
	text_init(&out, 4096);
	make(&c, &s3_rows[0], true);
	c.r.path = bytes_of(longer, SIGV4_TEXT_MAX + 1);
	assert_int_equal(sigv4_authorization(&c.r, &out), ERR_LIMIT);
	make(&c, &s3_rows[0], true);
	c.r.secret = bytes_of(longer, SIGV4_TEXT_MAX + 1);
	assert_int_equal(sigv4_authorization(&c.r, &out), ERR_LIMIT);
	text_done(&out);
	make(&c, &s3_rows[0], true);
	text_init_fixed(&out, small, sizeof(small));
	assert_int_equal(sigv4_authorization(&c.r, &out), ERR_LIMIT);
	free(longer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_vectors),
		cmocka_unit_test(test_whole_field),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
