/*
 * The signer against botocore's, which the same requests are given to; skipped where that is not installed.
 */
#define _GNU_SOURCE
#include "wire/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"

#define N_CASES 300u
#define TEXT_N 24u
#define JUDGE "python3 tests/differential/sigv4_judge.py"
#define DATE "20261121T190000Z"
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct one {
	char path[TEXT_N], text[4][2][TEXT_N], secret[TEXT_N];
	struct sigv4_pair query[2], fields[5];
	struct sigv4 r;
};

static unsigned next(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 12) % below;
}

/* At least one character of `from`; NULL: any byte but NUL. */
static struct bytes fill(char out[TEXT_N], unsigned *seed, const char *from)
{
	size_t n = 1 + next(seed, TEXT_N - 1);

	for (size_t i = 0; i < n; i++) {
		out[i] = (char)(from != NULL ? from[next(seed, (unsigned)strlen(from))]
					     : (char)(1 + next(seed, 255)));
	}
	return bytes_of(out, n);
}

static void make(struct one *o, unsigned *seed)
{
	static const struct bytes methods[] = {{"GET", 3}, {"PUT", 3}, {"HEAD", 4}, {"DELETE", 6}};

	o->path[0] = '/';
	o->r.path = bytes_of(o->path, fill(o->text[3][0], seed, NULL).n);
	memcpy(o->path + 1, o->text[3][0], o->r.path.n - 1);
	for (size_t i = 0; i < ARRAY_LEN(o->query); i++) {
		o->query[i].name = fill(o->text[i][0], seed, NULL);
		o->query[i].value = fill(o->text[i][1], seed, NULL);
	}
	o->fields[0] = (struct sigv4_pair){BYTES("Host"), BYTES("host.test")};
	o->fields[1] = (struct sigv4_pair){BYTES("x-amz-date"), BYTES(DATE)};
	o->fields[2] = (struct sigv4_pair){BYTES("x-amz-content-sha256"), BYTES(EMPTY_HASH)};
	o->fields[3].name = BYTES("X-Amz-Security-Token");
	o->fields[3].value = fill(o->text[2][0], seed, "abcXYZ+/=019");
	o->fields[4].name = BYTES("if-match");
	o->fields[4].value = fill(o->text[2][1], seed, "ab \"-");
	o->r = (struct sigv4){.method = methods[next(seed, 4)],
		.path = o->r.path,
		.query = o->query,
		.n_query = next(seed, 3),
		.fields = o->fields,
		.n_fields = 3 + next(seed, 3),
		.payload = BYTES(EMPTY_HASH),
		.region = BYTES("eu-west-1"),
		.service = BYTES("s3"),
		.date = BYTES(DATE),
		.key_id = BYTES("AKID"),
		.secret = fill(o->secret, seed, "abc/+9")};
}

static void put_hex(FILE *f, struct bytes b)
{
	fputc('"', f);
	for (size_t i = 0; i < b.n; i++) {
		fprintf(f, "%02x", (unsigned char)b.p[i]);
	}
	fputc('"', f);
}

static void put_plain(FILE *f, struct bytes b)
{
	struct text t;

	text_init(&t, 4096);
	text_add_json(&t, b);
	fprintf(f, "\"%s\"", text_cstr(&t));
	text_done(&t);
}

static void put(FILE *f, const struct one *o)
{
	fprintf(f,
		"{\"method\":\"" BYTES_FMT "\",\"date\":\"" DATE "\",\"payload\":\"" EMPTY_HASH
		"\",\"secret\":",
		BYTES_ARG(o->r.method));
	put_plain(f, o->r.secret);
	fputs(",\"path\":", f);
	put_hex(f, o->r.path);
	fputs(",\"query\":[", f);
	for (size_t i = 0; i < o->r.n_query; i++) {
		fputs(i == 0 ? "[" : ",[", f);
		put_hex(f, o->query[i].name);
		fputc(',', f);
		put_hex(f, o->query[i].value);
		fputc(']', f);
	}
	fputs("],\"fields\":[", f);
	for (size_t i = 0; i < o->r.n_fields; i++) {
		fputs(i == 0 ? "[" : ",[", f);
		put_plain(f, o->fields[i].name);
		fputc(',', f);
		put_plain(f, o->fields[i].value);
		fputc(']', f);
	}
	fputs("]}\n", f);
}

static void compare(FILE *judged, unsigned seed)
{
	static struct one o;
	char line[128];

	for (unsigned i = 0; i < N_CASES; i++) {
		struct text out;

		make(&o, &seed);
		text_init(&out, 4096);
		assert_int_equal(sigv4_authorization(&o.r, &out), 0);
		assert_non_null(fgets(line, sizeof(line), judged));
		if (!bytes_ends(text_bytes(&out), bytes_of(line, strlen(line) - 1))) {
			struct text canonical;

			text_init(&canonical, 4096);
			sigv4_canonical(&o.r, &canonical);
			fail_msg("case %u: %s judged %s%s", i, text_cstr(&out), line,
				text_cstr(&canonical));
		}
		text_done(&out);
	}
}

static void test_like_botocore(void **state)
{
	char name[] = "/tmp/sigv4-judge-XXXXXX";
	static struct one o;
	char command[128];
	unsigned seed = 7;
	FILE *judged;
	FILE *cases;
	int fd;

	(void)state;
	if (system("python3 -c 'import botocore.auth' 2>/dev/null") != 0) {
		skip();
	}
	fd = mkstemp(name);
	assert_true(fd >= 0);
	cases = fdopen(fd, "w");
	for (unsigned i = 0; i < N_CASES; i++) {
		make(&o, &seed);
		put(cases, &o);
	}
	fclose(cases);
	snprintf(command, sizeof(command), JUDGE " < %s", name);
	judged = popen(command, "r");
	assert_non_null(judged);
	compare(judged, 7);
	assert_int_equal(pclose(judged), 0);
	unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_botocore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
