#include "wire/base64.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct {
	const char *in, *want; /* NULL: refused */
	const char *reason;
} rows[] = {
	{"", "", "nothing is the empty value"},
	{"Zg==", "f", "RFC 4648 §10"},
	{"Zm8=", "fo", "RFC 4648 §10"},
	{"Zm9v", "foo", "RFC 4648 §10"},
	{"Zm9vYg==", "foob", "RFC 4648 §10"},
	{"Zm9v\nYmFy\n", "foobar", "a literal block of YAML keeps its line breaks"},
	{"Zm\r\n9v\r\n", "foo", "a line break may stand inside of a group"},
	{"\n", "", "a line break alone is nothing"},
	{"Zg=\n=", "f", "between two signs of padding, too"},
	{"+/+/", "\xfb\xff\xbf", "the two last signs of the alphabet"},
	{"-_-_", NULL, "the alphabet of URLs is another one"},
	{"Zg", NULL, "padding is missing"},
	{"Zg=", NULL, "half of the padding is missing"},
	{"Z", NULL, "one character is no byte"},
	{"Z===", NULL, "nor with padding"},
	{"====", NULL, "padding of nothing"},
	{"=", NULL, "padding of nothing"},
	{"Zg==Zg==", NULL, "padding is at the end only: two values were put together"},
	{"Zg=v", NULL, "a sign behind padding"},
	{"Zm9v=", NULL, "padding that nothing needs"},
	{"Zm9v====", NULL, "padding that nothing needs"},
	{"Zh==", NULL, "bits that no byte takes: it was cut or changed"},
	{"Zm9=", NULL, "bits that no byte takes"},
	{"Zm9v Zm9v", NULL, "a folded block of YAML has blanks: Kubernetes refuses it too"},
	{" Zm9v", NULL, "a blank before it"},
	{"Zm\t9v", NULL, "a tab"},
	{"-----BEGIN CERTIFICATE-----", NULL, "PEM where its base64 should stand"},
	{"Zm9\xc3", NULL, "a byte above ASCII"},
};

/* Memory ends where the text ends, and its decoded form where it may at most. */
static ptrdiff_t decode(const char *in, size_t n, char **out)
{
	char *copy = malloc(n != 0 ? n : 1);
	ptrdiff_t got;

	assert_non_null(copy);
	*out = malloc(n / 4 * 3 + 1);
	assert_non_null(*out);
	memcpy(copy, in, n);
	got = base64_decode(*out, bytes_of(copy, n));
	free(copy);
	return got;
}

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = rows[i].want != NULL ? strlen(rows[i].want) : 0;
		char *out;
		ptrdiff_t got = decode(rows[i].in, strlen(rows[i].in), &out);

		if (rows[i].want == NULL
				? got != -1
				: got != (ptrdiff_t)n || memcmp(out, rows[i].want, n) != 0) {
			fail_msg("'%s' (%s): %td", rows[i].in, rows[i].reason, got);
		}
		free(out);
	}
}

/* What is encoded is what OpenSSL encodes, and is read back, of every length and byte, also in place. */
static void all_lengths(void **state)
{
	unsigned char in[300], text[500];
	char ours[500];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++) {
		in[i] = (unsigned char)(i * 7 + i / 37);
	}
	for (int n = 0; n <= (int)sizeof(in); n++) {
		int length = EVP_EncodeBlock(text, in, n);
		char *out;

		assert_int_equal(base64_encode(ours, bytes_of((char *)in, (size_t)n)), length);
		assert_memory_equal(ours, text, (size_t)length);
		assert_int_equal(decode((const char *)text, (size_t)length, &out), n);
		assert_memory_equal(out, in, (size_t)n);
		free(out);
		assert_int_equal(
			base64_decode((char *)text, bytes_of((char *)text, (size_t)length)), n);
		assert_memory_equal(text, in, (size_t)n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(all_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
