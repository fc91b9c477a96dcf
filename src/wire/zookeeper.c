#include "wire/zookeeper.h"

/* Record types that are no questions. */
#define OP_END (-11)
/* A password of a session that does not exist yet. */
#define PASSWORD_N 16u

/* --- writing ------------------------------------------------------------------------------------ */

static void put_i32(struct text *out, int32_t v)
{
	uint32_t u = (uint32_t)v;
	const char room[4] = {(char)(u >> 24), (char)(u >> 16), (char)(u >> 8), (char)u};

	text_add(out, room, sizeof(room));
}

static void put_zeros(struct text *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text_add_char(out, '\0');
	}
}

void zookeeper_put_connect(struct text *out, uint32_t timeout_ms)
{
	put_i32(out, 4 + 8 + 4 + 8 + 4 + (int32_t)PASSWORD_N + 1);
	put_zeros(out, 4 + 8); /* the protocol's version, the last change that was seen */
	put_i32(out, (int32_t)timeout_ms);
	put_zeros(out, 8); /* no session yet */
	put_i32(out, (int32_t)PASSWORD_N);
	put_zeros(out, PASSWORD_N);
	text_add_char(out, '\1'); /* a server that can only be read from will do */
}

void zookeeper_put_question(struct text *out, int32_t xid, enum zookeeper_op op, struct bytes path)
{
	put_i32(out, 4 + 4 + 4 + (int32_t)path.n + 1);
	put_i32(out, xid);
	put_i32(out, (int32_t)op);
	put_i32(out, (int32_t)path.n);
	text_add_bytes(out, path);
	text_add_char(out, '\0');
}

void zookeeper_put_end(struct text *out, int32_t xid)
{
	put_i32(out, 4 + 4);
	put_i32(out, xid);
	put_i32(out, OP_END);
}

/* --- reading ------------------------------------------------------------------------------------ */

static int cut_off(struct fault *f)
{
	return fault_set(f, ERR_SYNTAX, 0, 0, "a record of its answer is cut off");
}

/* Takes a number off the front. */
static bool take_i32(struct bytes *in, int32_t *out)
{
	uint32_t v = 0;

	if (in->n < 4) {
		return false;
	}
	for (size_t i = 0; i < 4; i++) {
		v = v << 8 | (unsigned char)in->p[i];
	}
	*in = bytes_of(in->p + 4, in->n - 4);
	*out = (int32_t)v;
	return true;
}

static bool skip(struct bytes *in, size_t n)
{
	if (in->n < n) {
		return false;
	}
	*in = bytes_of(in->p + n, in->n - n);
	return true;
}

/* A length and as many bytes; -1 is none. */
static bool take_buffer(struct bytes *in, struct bytes *out)
{
	struct bytes rest = *in;
	int32_t n;

	if (!take_i32(&rest, &n) || n < -1) {
		return false;
	}
	n = n == -1 ? 0 : n;
	if (rest.n < (size_t)n) {
		return false;
	}
	*out = bytes_of(rest.p, (size_t)n);
	*in = bytes_of(rest.p + n, rest.n - (size_t)n);
	return true;
}

enum read_rc zookeeper_frame(struct bytes in, struct bytes *frame, size_t *used, struct fault *f)
{
	struct bytes rest = in;
	int32_t n;

	if (!take_i32(&rest, &n)) {
		return READ_MORE;
	}
	if (n < 0 || (size_t)n > ZOOKEEPER_FRAME_MAX) {
		fault_set(f, ERR_SYNTAX, 0, 0, "it does not speak ZooKeeper's protocol");
		return READ_FAIL;
	}
	if (rest.n < (size_t)n) {
		return READ_MORE;
	}
	*frame = bytes_of(rest.p, (size_t)n);
	*used = 4 + (size_t)n;
	return READ_DONE;
}

int zookeeper_read_session(struct bytes frame, struct fault *f)
{
	int32_t version, timeout_ms;
	struct bytes password;

	if (!take_i32(&frame, &version) || !take_i32(&frame, &timeout_ms) || !skip(&frame, 8) ||
		!take_buffer(&frame, &password)) {
		return cut_off(f);
	}
	if (timeout_ms <= 0) {
		return fault_set(f, ERR_REFUSED, 0, 0, "it gives no session");
	}
	return 0;
}

int zookeeper_read_answer(struct bytes frame, struct zookeeper_answer *out, struct fault *f)
{
	struct zookeeper_answer a;

	if (!take_i32(&frame, &a.xid) || !skip(&frame, 8) || !take_i32(&frame, &a.code)) {
		return cut_off(f);
	}
	a.body = a.code == ZOOKEEPER_OK ? frame : BYTES("");
	*out = a;
	return 0;
}

static int read_names(struct bytes body, size_t max, struct text *out, size_t *n, struct fault *f)
{
	int32_t count;
	size_t taken = 0;

	if (!take_i32(&body, &count) || count < -1) {
		return cut_off(f);
	}
	if (count > 0 && (size_t)count > max) {
		return fault_set(f, ERR_LIMIT, 0, 0, "there are more than %zu nodes", max);
	}
	for (int32_t i = 0; i < count; i++) {
		struct bytes name;

		if (!take_buffer(&body, &name)) {
			return cut_off(f);
		}
		if (name.n != 0 && memchr(name.p, '\0', name.n) == NULL) {
			text_add_bytes(out, name);
			text_add_char(out, '\0');
			taken++;
		}
	}
	*n = taken;
	return 0;
}

int zookeeper_read_children(
	struct bytes body, size_t max, struct text *out, size_t *n, struct fault *f)
{
	struct text names;
	int rc;

	text_init(&names, ZOOKEEPER_FRAME_MAX);
	rc = read_names(body, max, &names, n, f);
	if (rc == 0) {
		text_add_bytes(out, text_bytes(&names));
	}
	text_done(&names);
	return rc;
}

int zookeeper_read_data(struct bytes body, struct bytes *out, struct fault *f)
{
	return take_buffer(&body, out) ? 0 : cut_off(f);
}
