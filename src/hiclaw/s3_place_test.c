#include "hiclaw/s3_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_endpoints(void **state)
{
	static const struct {
		const char *in, *host, *reason; /* host NULL: refused */
		bool tls;
		unsigned port;
	} rows[] = {
		{"http://fs-local.hiclaw.io:8080", "fs-local.hiclaw.io", "HI-29: not the gateway",
			false, 9000},
		{"http://127.0.0.1:9000", "127.0.0.1", "the default", false, 9000},
		{"http://minio.hiclaw.svc:9000/", "minio.hiclaw.svc", "a slash behind it", false,
			9000},
		{"https://s3.example.com", "s3.example.com", "TLS's own port", true, 443},
		{"http://s3.example.com", "s3.example.com", "HTTP's own port", false, 80},
		{"oss-cn-hangzhou.aliyuncs.com", "oss-cn-hangzhou.aliyuncs.com", "a bare name",
			true, 443},
		{"minio:8080", "minio", "a bare name with the gateway's port", true, 9000},
		{" http://minio:9000 ", "minio", "blanks around it", false, 9000},
		{"http://[::1]:9000", "::1", "an address with brackets", false, 9000},
		{"http://minio:9000/bucket", NULL, "a path", false, 0},
		{"http://u:secret@minio:9000", NULL, "user information", false, 0},
		{"ftp://minio", NULL, "another scheme", false, 0},
		{"http://minio:99999", NULL, "a port that is none", false, 0},
		{"", NULL, "nothing", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct s3_place p = {0};
		struct fault why = {0};
		int rc = s3_place_endpoint(&p, bytes_str(rows[i].in), &why);

		if ((rc == 0) != (rows[i].host != NULL)) {
			fail_msg("%s: %d", rows[i].reason, rc);
		}
		if (rc != 0) {
			assert_null(strstr(why.text, "secret"));
			assert_string_equal(p.host, "");
		} else if (strcmp(p.host, rows[i].host) != 0 || p.tls != rows[i].tls ||
			p.port != rows[i].port) {
			fail_msg("%s: %s %u", rows[i].reason, p.host, p.port);
		}
	}
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *in, *bucket, *prefix, *reason; /* bucket NULL: refused */
	} rows[] = {
		{"hiclaw/hiclaw-storage", "hiclaw-storage", "",
			"the default: an alias and a bucket"},
		{"hiclaw/mybucket/pre", "mybucket", "pre/", "HI-30: keys below a prefix"},
		{"hiclaw/mybucket/a/b/", "mybucket", "a/b/", "of two elements, with a slash"},
		{"hiclaw/mybucket/", "mybucket", "", "a slash, no prefix"},
		{"hiclaw", NULL, NULL, "no bucket"},
		{"hiclaw/", NULL, NULL, "an empty bucket"},
		{"hiclaw/a..b", NULL, NULL, "two dots"},
		{"hiclaw/a b", NULL, NULL, "a blank"},
		{"", NULL, NULL, "nothing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct s3_place p = {0};
		struct fault why = {0};
		int rc = s3_place_prefix(&p, bytes_str(rows[i].in), &why);

		if ((rc == 0) != (rows[i].bucket != NULL)) {
			fail_msg("%s: %d", rows[i].reason, rc);
		}
		if (rc == 0 &&
			(strcmp(p.bucket, rows[i].bucket) != 0 ||
				strcmp(p.prefix, rows[i].prefix) != 0)) {
			fail_msg("%s: %s %s", rows[i].reason, p.bucket, p.prefix);
		}
	}
}

static void test_addresses(void **state)
{
	static const struct {
		const char *endpoint, *prefix, *key, *host, *path, *reason;
		enum s3_style style;
	} rows[] = {
		{"http://minio:9000", "h/b", "agents/w/model.json", "minio:9000",
			"/b/agents/w/model.json", "MinIO: in the path", S3_STYLE_AUTO},
		{"http://minio:9000", "h/b/pre", "k", "minio:9000", "/b/pre/k", "below the prefix",
			S3_STYLE_AUTO},
		{"http://minio:9000", "h/b/pre", "", "minio:9000", "/b", "the bucket has no prefix",
			S3_STYLE_AUTO},
		{"oss-cn-hangzhou.aliyuncs.com", "h/b", "k", "b.oss-cn-hangzhou.aliyuncs.com", "/k",
			"OSS: in the host", S3_STYLE_AUTO},
		{"oss-cn-hangzhou.aliyuncs.com", "h/b", "", "b.oss-cn-hangzhou.aliyuncs.com", "/",
			"OSS: the bucket", S3_STYLE_AUTO},
		{"oss-cn-hangzhou.aliyuncs.com", "h/b", "k", "oss-cn-hangzhou.aliyuncs.com", "/b/k",
			"as configured: in the path", S3_STYLE_PATH},
		{"http://minio", "h/b", "k", "b.minio", "/k", "as configured: in the host",
			S3_STYLE_HOST},
		{"http://[::1]:9000", "h/b", "k", "[::1]:9000", "/b/k", "brackets", S3_STYLE_AUTO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct s3_place p = {.style = rows[i].style};
		struct text host, path;

		assert_int_equal(s3_place_endpoint(&p, bytes_str(rows[i].endpoint), NULL), 0);
		assert_int_equal(s3_place_prefix(&p, bytes_str(rows[i].prefix), NULL), 0);
		text_init(&host, 512);
		text_init(&path, 512);
		s3_place_put_host(&p, true, &host);
		s3_place_put_path(&p, bytes_str(rows[i].key), &path);
		if (strcmp(text_cstr(&host), rows[i].host) != 0 ||
			strcmp(text_cstr(&path), rows[i].path) != 0) {
			fail_msg("%s: %s %s", rows[i].reason, host.p, path.p);
		}
		text_done(&host);
		text_done(&path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
