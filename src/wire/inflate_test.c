/* Every input whole, byte by byte, split at each point, and with room for one byte at a time. */
#include "wire/inflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/text.h"

#define GZIP_WRAPPING 16
#define PLAIN "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi hi hi hi\"}]}"

/* What an honest sender makes of it. */
static struct text pack(struct bytes plain, int wrapping, int level)
{
	z_stream z = {0};
	struct text out;
	char room[4096];
	int rc;

	assert_int_equal(
		deflateInit2(&z, level, Z_DEFLATED, 15 + wrapping, 8, Z_DEFAULT_STRATEGY), Z_OK);
	text_init(&out, 1 << 20);
	z.next_in = (Bytef *)(uintptr_t)plain.p;
	z.avail_in = (uInt)plain.n;
	do {
		z.next_out = (Bytef *)room;
		z.avail_out = sizeof(room);
		rc = deflate(&z, Z_FINISH);
		text_add(&out, room, sizeof(room) - z.avail_out);
	} while (rc == Z_OK);
	assert_int_equal(rc, Z_STREAM_END);
	deflateEnd(&z);
	return out;
}

/* Feeds one piece, with `room` bytes of room at a time. */
static enum read_rc feed(
	struct inflate *z, struct bytes in, size_t room, struct text *out, struct fault *f)
{
	enum read_rc rc;
	struct inflate_room r;

	do {
		char *place = malloc(room);

		assert_non_null(place);
		r = (struct inflate_room){place, room};
		rc = inflate_feed(z, &in, &r, f);
		text_add(out, place, room - r.n);
		free(place);
		assert_true(rc != READ_MORE || in.n == 0 || r.n == 0);
	} while (rc == READ_MORE && (in.n != 0 || r.n == 0));
	return rc;
}

/* The input in pieces of `first`, then `step` bytes. */
static enum read_rc read_in(struct bytes in, enum inflate_format format, const size_t steps[3],
	struct text *out, struct fault *f)
{
	struct inflate *z = inflate_new(format);
	enum read_rc rc = READ_MORE;
	size_t n = steps[0];

	assert_non_null(z);
	*f = (struct fault){0};
	text_clear(out);
	while (in.n != 0 && rc != READ_FAIL) {
		size_t piece = MIN(n, in.n);
		char *copy = malloc(piece + 1); /* of its own: what reads behind it is found */

		assert_non_null(copy);
		memcpy(copy, in.p, piece);
		rc = feed(z, bytes_of(copy, piece), steps[2], out, f);
		free(copy);
		in = bytes_of(in.p + piece, in.n - piece);
		n = steps[1];
	}
	if (rc != READ_FAIL) {
		rc = inflate_end(z, f);
	}
	inflate_free(z);
	return rc;
}

/* want: the plain text; NULL: it is refused. */
static void check(struct bytes in, enum inflate_format format, const char *want, const char *reason)
{
	struct text out;
	struct fault f;

	text_init(&out, 1 << 20);
	for (size_t split = 0; split <= in.n; split++) {
		const size_t steps[][3] = {{split + 1, in.n + 1, 4096}, {split + 1, 1, 1},
			{1, 1, 4096}, {in.n, 1, split + 1}};

		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			enum read_rc rc = read_in(in, format, steps[i], &out, &f);

			if ((rc == READ_DONE) != (want != NULL)) {
				fail_msg("%s: %s (split %zu)", reason, f.text, split);
			}
			if (want != NULL && !bytes_eq(text_bytes(&out), bytes_str(want))) {
				fail_msg("%s: other bytes (split %zu)", reason, split);
			}
			if (want == NULL && (f.err != ERR_SYNTAX || f.status != 400)) {
				fail_msg("%s: no fault (split %zu)", reason, split);
			}
		}
	}
	text_done(&out);
}

static void what_senders_make(void **state)
{
	static const char *const plains[] = {"", "{}", PLAIN};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plains); i++) {
		for (int level = 0; level <= 9; level += 3) {
			struct text gz = pack(bytes_str(plains[i]), GZIP_WRAPPING, level);
			struct text z = pack(bytes_str(plains[i]), 0, level);

			check(text_bytes(&gz), INFLATE_GZIP, plains[i], "gzip");
			check(text_bytes(&z), INFLATE_ZLIB, plains[i], "deflate");
			check(text_bytes(&gz), INFLATE_ZLIB, NULL, "gzip that says it is deflate");
			check(text_bytes(&z), INFLATE_GZIP, NULL, "deflate that says it is gzip");
			text_done(&gz);
			text_done(&z);
		}
	}
}

/* A header with name, comment and its own checksum is gzip too. */
static void a_header_with_everything(void **state)
{
	static const char name_flag[] =
		"\x1f\x8b\x08\x08\0\0\0\0\0\xff"
		"body.json";
	struct text gz = pack(BYTES(PLAIN), GZIP_WRAPPING, 6);
	struct text out;

	(void)state;
	text_init(&out, 4096);
	text_add(&out, name_flag, sizeof(name_flag)); /* with its NUL */
	text_add(&out, gz.p + 10, gz.n - 10);
	check(text_bytes(&out), INFLATE_GZIP, PLAIN, "a header with a file name");
	text_done(&out);
	text_done(&gz);
}

static void damage(void **state)
{
	struct text gz = pack(BYTES(PLAIN), GZIP_WRAPPING, 6);
	struct text twice;

	(void)state;
	text_init(&twice, 4096);
	for (size_t n = 0; n < gz.n; n++) {
		check(bytes_of(gz.p, n), INFLATE_GZIP, NULL, "cut off");
	}
	text_add_bytes(&twice, text_bytes(&gz));
	text_add_char(&twice, '\0');
	check(text_bytes(&twice), INFLATE_GZIP, NULL, "a byte behind the end");
	text_clear(&twice);
	text_add_bytes(&twice, text_bytes(&gz));
	text_add_bytes(&twice, text_bytes(&gz));
	check(text_bytes(&twice), INFLATE_GZIP, NULL, "two members");
	gz.p[gz.n - 1] ^= 1;
	check(text_bytes(&gz), INFLATE_GZIP, NULL, "another length in the trailer");
	gz.p[gz.n - 1] ^= 1;
	gz.p[gz.n - 5] ^= 1;
	check(text_bytes(&gz), INFLATE_GZIP, NULL, "another checksum in the trailer");
	text_done(&twice);
	text_done(&gz);
	check(BYTES(PLAIN), INFLATE_GZIP, NULL, "not compressed at all");
	check(BYTES("\x78\xbb\0\0\0\1\0\0"), INFLATE_ZLIB, NULL, "a preset dictionary");
}

/* What comes out is bounded by the room, however much there would be. */
static void a_bomb_fills_the_room_and_no_more(void **state)
{
	size_t n = 1 << 20;
	char *zeros = calloc(1, n);
	struct text gz;
	struct inflate *z = inflate_new(INFLATE_GZIP);
	char room[1000];
	struct inflate_room out = {room, sizeof(room)};
	struct bytes in;
	struct fault f;

	(void)state;
	assert_non_null(zeros);
	assert_non_null(z);
	gz = pack(bytes_of(zeros, n), GZIP_WRAPPING, 9);
	in = text_bytes(&gz);
	assert_true(in.n < n / 500);
	assert_int_equal(inflate_feed(z, &in, &out, &f), READ_MORE);
	assert_int_equal(out.n, 0);
	assert_true(in.n > 0);
	assert_int_equal(inflate_end(z, &f), READ_FAIL);
	inflate_free(z);
	inflate_free(NULL);
	text_done(&gz);
	free(zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_senders_make),
		cmocka_unit_test(a_header_with_everything),
		cmocka_unit_test(damage),
		cmocka_unit_test(a_bomb_fills_the_room_and_no_more),
	};

	return cmocka_run_group_tests_name("wire/inflate", tests, NULL, NULL);
}
