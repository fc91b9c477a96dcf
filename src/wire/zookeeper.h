/*
 * ZooKeeper's protocol, as much of it as a client needs that reads nodes: frames of a length and a record, all
 * numbers big endian (zookeeper.jute). Bytes in, facts out; who asks is proxy/zookeeper_ask.h.
 */
#ifndef WIRE_ZOOKEEPER_H
#define WIRE_ZOOKEEPER_H

#include "base/err.h"
#include "base/text.h"

/* What servers take and give by default (jute.maxbuffer), and the length in front. */
#define ZOOKEEPER_FRAME_MAX ((size_t)1 << 20)

enum zookeeper_op { ZOOKEEPER_GET_DATA = 4, ZOOKEEPER_GET_CHILDREN = 8 };

/* What an answer says; all others are failures of which only the number is told. */
#define ZOOKEEPER_OK 0
#define ZOOKEEPER_NO_NODE (-101)
#define ZOOKEEPER_NO_PERMISSION (-102)

/* Each appends one frame. A new session, which the server forgets after timeout_ms of silence. */
void zookeeper_put_connect(struct text *out, uint32_t timeout_ms);
/* xid: the number that the answer bears, above 0. No watch is set. */
void zookeeper_put_question(struct text *out, int32_t xid, enum zookeeper_op op, struct bytes path);
void zookeeper_put_end(struct text *out, int32_t xid);

/* The first frame of what came. READ_DONE: *frame is its inside, *used the bytes that it took. READ_MORE: it is
 * not whole. READ_FAIL: its length is none. */
MUST_CHECK enum read_rc zookeeper_frame(
	struct bytes in, struct bytes *frame, size_t *used, struct fault *f);

/* The first answer. ERR_REFUSED: the server gives no session. */
MUST_CHECK int zookeeper_read_session(struct bytes frame, struct fault *f);

struct zookeeper_answer {
	int32_t xid, code;
	struct bytes body; /* only with the code 0 */
};

MUST_CHECK int zookeeper_read_answer(
	struct bytes frame, struct zookeeper_answer *out, struct fault *f);
/* The names of a node's children, each with a NUL behind it, appended to out; names with one in it are none. At
 * most max, else ERR_LIMIT; *n is how many. On failure nothing is appended. */
MUST_CHECK int zookeeper_read_children(
	struct bytes body, size_t max, struct text *out, size_t *n, struct fault *f);
/* What a node holds; it points into body. */
MUST_CHECK int zookeeper_read_data(struct bytes body, struct bytes *out, struct fault *f);

#endif
