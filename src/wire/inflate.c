#include "wire/inflate.h"

#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

/* zlib's way to ask for the gzip wrapping; 15 is the largest window, the only one every sender knows. */
#define WINDOW_BITS 15
#define GZIP_WRAPPING 16

struct inflate {
	z_stream z;
	bool ended, failed;
	struct fault fault; /* why it failed */
};

struct inflate *inflate_new(enum inflate_format format)
{
	struct inflate *z = calloc(1, sizeof(*z));

	if (z == NULL) {
		return NULL;
	}
	if (inflateInit2(&z->z, WINDOW_BITS + (format == INFLATE_GZIP ? GZIP_WRAPPING : 0)) !=
		Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

void inflate_free(struct inflate *z)
{
	if (z == NULL) {
		return;
	}
	inflateEnd(&z->z);
	free(z);
}

static enum read_rc fail(struct inflate *z, enum err err, const char *text, struct fault *fault)
{
	z->failed = true;
	fault_set(&z->fault, err, 400, z->z.total_in, "%s", text);
	if (fault != NULL) {
		*fault = z->fault;
	}
	return READ_FAIL;
}

/* One call of zlib, which counts in 32 bits. */
static int step(struct inflate *z, struct bytes *in, struct inflate_room *out)
{
	uInt in_n = (uInt)MIN(in->n, (size_t)UINT_MAX);
	uInt out_n = (uInt)MIN(out->n, (size_t)UINT_MAX);
	int rc;

	z->z.next_in = (const Bytef *)in->p;
	z->z.avail_in = in_n;
	z->z.next_out = (Bytef *)out->p;
	z->z.avail_out = out_n;
	rc = inflate(&z->z, Z_NO_FLUSH);
	in->p += in_n - z->z.avail_in;
	in->n -= in_n - z->z.avail_in;
	out->p += out_n - z->z.avail_out;
	out->n -= out_n - z->z.avail_out;
	return rc;
}

enum read_rc inflate_feed(
	struct inflate *z, struct bytes *in, struct inflate_room *out, struct fault *fault)
{
	while (!z->failed && !z->ended) {
		int rc = step(z, in, out);

		if (rc == Z_STREAM_END) {
			z->ended = true;
		} else if (rc == Z_BUF_ERROR || (rc == Z_OK && (in->n == 0 || out->n == 0))) {
			return READ_MORE;
		} else if (rc == Z_MEM_ERROR) {
			return fail(z, ERR_MEMORY, "there is no memory to decompress with", fault);
		} else if (rc != Z_OK) {
			return fail(z, ERR_SYNTAX, "the compressed bytes are damaged", fault);
		}
	}
	if (z->ended && in->n != 0 && !z->failed) {
		return fail(
			z, ERR_SYNTAX, "something follows the end of the compressed bytes", fault);
	}
	if (z->failed && fault != NULL) {
		*fault = z->fault;
	}
	return z->failed ? READ_FAIL : READ_DONE;
}

enum read_rc inflate_end(const struct inflate *z, struct fault *fault)
{
	if (z->ended && !z->failed) {
		return READ_DONE;
	}
	if (z->failed && fault != NULL) {
		*fault = z->fault;
	} else {
		fault_set(fault, ERR_SYNTAX, 400, z->z.total_in,
			"the compressed bytes end too early");
	}
	return READ_FAIL;
}
