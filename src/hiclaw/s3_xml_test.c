#include "hiclaw/s3_xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define LIST HEAD "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define END "</ListBucketResult>"
#define OBJECT(key)                                                                \
	"<Contents><Key>" key                                                      \
	"</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"              \
	"<ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><Size>12</Size>" \
	"<Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>"
#define PREFIX(key) "<CommonPrefixes><Prefix>" key "</Prefix></CommonPrefixes>"

/* Keys joined by '|', prefixes behind a '#'. */
static void show(const struct s3_listing *l, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (const struct s3_object *o = l->first; o != NULL; o = o->next) {
		n += (size_t)snprintf(out + n, size - n, BYTES_FMT "|", BYTES_ARG(o->key));
	}
	for (const struct s3_object *o = l->first_prefix; o != NULL; o = o->next) {
		n += (size_t)snprintf(out + n, size - n, "#" BYTES_FMT, BYTES_ARG(o->key));
	}
}

static void test_lists(void **state)
{
	static const struct {
		const char *in, *want, *reason; /* want NULL: refused */
		enum err err;
	} rows[] = {
		{LIST "<Name>b</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>" END,
			"", "nothing there", 0},
		{LIST OBJECT("a/b") OBJECT("c &amp; d") PREFIX("e/") END, "a/b|c & d|#e/",
			"objects and prefixes", 0},
		{LIST OBJECT("a") OBJECT("agents/.gitkeep") OBJECT("a%2F.gitkeep")
				OBJECT(".gitkeep") OBJECT("x.gitkeep") END,
			"a|x.gitkeep|", "placeholders of empty directories", 0},
		{LIST OBJECT("a%2Bb+c%E4%B8%AD") "<EncodingType>url</EncodingType>" END,
			"a+b c\xe4\xb8\xad|", "encoded, and says so behind the keys", 0},
		{LIST OBJECT("a%2Bb+c") END, "a%2Bb+c|", "not encoded", 0},
		{LIST OBJECT("\xe4\xb8\xad \xf0\x9f\x98\x80") END, "\xe4\xb8\xad \xf0\x9f\x98\x80|",
			"UTF-8 as it is", 0},
		{LIST "<EncodingType>url</EncodingType>" OBJECT("a%2") END, NULL, "a bad escape",
			ERR_SYNTAX},
		{LIST "<Contents><Size>1</Size></Contents>" END, NULL, "no key", ERR_SYNTAX},
		{LIST "<Contents><Key>a</Key><Size>-1</Size></Contents>" END, NULL, "a size of -1",
			ERR_SYNTAX},
		{LIST "<IsTruncated>true</IsTruncated>" END, NULL, "goes on, and not where",
			ERR_SYNTAX},
		{HEAD "<Error><Code>NoSuchBucket</Code></Error>", NULL, "another document",
			ERR_SYNTAX},
		{"{\"a\":1}", NULL, "no XML", ERR_SYNTAX},
		{"", NULL, "nothing", ERR_SYNTAX},
		{LIST OBJECT("a"), NULL, "cut", ERR_SYNTAX},
		{LIST "<a>" END, NULL, "not closed", ERR_SYNTAX},
		{HEAD "<!DOCTYPE x [<!ENTITY e \"aaaa\"><!ENTITY f \"&e;&e;\">]>"
		      "<ListBucketResult><Name>&f;</Name></ListBucketResult>",
			NULL, "entities that grow", ERR_REFUSED},
		{HEAD "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>"
		      "<ListBucketResult><Name>&e;</Name></ListBucketResult>",
			NULL, "an entity from elsewhere", ERR_REFUSED},
		{LIST "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>1</a></a></a></a></a></a></a></a></a>"
		      "</a></a></a></a></a></a>" END,
			"", "sixteen levels", 0},
		{LIST "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>1</a></a></a></a></a></a></a></a>"
		      "</a></a></a></a></a></a></a></a>" END,
			NULL, "one level more", ERR_LIMIT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct s3_listing list = {0};
		struct fault why = {0};
		char shown[256];
		struct arena a;
		int rc;

		arena_init(&a, 1 << 16);
		rc = s3_xml_list(&a, bytes_str(rows[i].in), &list, &why);
		show(&list, shown, sizeof(shown));
		if (rc != (int)rows[i].err ||
			(rows[i].want != NULL && strcmp(shown, rows[i].want) != 0)) {
			fail_msg("%s: %d %s (%s)", rows[i].reason, rc, shown, why.text);
		}
		arena_done(&a);
	}
}

static void test_members(void **state)
{
	struct s3_listing list = {0};
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 16);
	assert_int_equal(
		s3_xml_list(&a,
			BYTES(LIST "<IsTruncated>true</IsTruncated><NextContinuationToken>a=b"
				   "</NextContinuationToken>" OBJECT("k") END),
			&list, NULL),
		0);
	assert_true(list.truncated && list.n == 1);
	assert_true(bytes_eq(list.next, BYTES("a=b")));
	assert_true(bytes_eq(list.first->etag, BYTES("\"0cc175b9c0f1b6a831c399e269772661\"")));
	assert_true(bytes_eq(list.first->modified, BYTES("2026-01-01T00:00:00.000Z")));
	assert_int_equal(list.first->size, 12);
	/* The next page comes behind it, and only its keys are decoded. */
	assert_int_equal(
		s3_xml_list(&a, BYTES(LIST "<EncodingType>url</EncodingType>" OBJECT("%25") END),
			&list, NULL),
		0);
	assert_true(!list.truncated && list.n == 2 && list.next.n == 0);
	assert_true(bytes_eq(list.first->next->key, BYTES("%")));
	arena_done(&a);
}

static void test_limits(void **state)
{
	struct s3_listing list = {0};
	struct arena a;
	struct text t;

	(void)state;
	text_init(&t, 2 * S3_XML_MAX);
	text_add_str(&t, LIST "<Name>");
	for (size_t i = 0; i <= S3_XML_TEXT_MAX; i++) {
		text_add_char(&t, 'a');
	}
	text_add_str(&t, "</Name>" END);
	arena_init(&a, 64);
	assert_int_equal(s3_xml_list(&a, text_bytes(&t), &list, NULL), ERR_LIMIT);
	assert_int_equal(s3_xml_list(&a, BYTES(LIST OBJECT("a") END), &list, NULL), ERR_LIMIT);
	while (t.n <= S3_XML_MAX) {
		text_add_str(
			&t, "                                                                ");
	}
	assert_int_equal(s3_xml_list(&a, text_bytes(&t), &list, NULL), ERR_LIMIT);
	arena_done(&a);
	text_done(&t);
}

static void test_errors(void **state)
{
	static const struct {
		const char *in, *code, *message, *region, *reason;
	} rows[] = {
		{HEAD "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong region</Message>"
		      "<Region>eu-west-1</Region><RequestId>1</RequestId></Error>",
			"AuthorizationHeaderMalformed", "wrong region", "eu-west-1", "all of it"},
		{"<Error><Code>NoSuchKey</Code></Error>", "NoSuchKey", "", "", "only a code"},
		{"<Error><Code>A</Code><Message>a\nb&#127;c</Message></Error>", "A", "abc", "",
			"control characters"},
		{"<Error><Message>m</Message></Error>", "", "", "", "no code"},
		{"<Error><a><Code>A</Code></a></Error>", "", "", "", "a code of something else"},
		{"<html><body>502</body></html>", "", "", "", "a page of a proxy"},
		{"", "", "", "", "nothing"},
		{"<!DOCTYPE Error><Error><Code>A</Code></Error>", "", "", "", "a document type"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct s3_error e;
		bool is = s3_xml_error(bytes_str(rows[i].in), &e);

		if (is != (rows[i].code[0] != '\0') || strcmp(e.code, rows[i].code) != 0 ||
			strcmp(e.message, rows[i].message) != 0 ||
			strcmp(e.region, rows[i].region) != 0) {
			fail_msg("%s: %s, %s, %s", rows[i].reason, e.code, e.message, e.region);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
