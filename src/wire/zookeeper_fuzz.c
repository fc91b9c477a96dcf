#include "wire/zookeeper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each frame as an answer of each kind: what is found lies in it, what is refused says why. */
static void read_frame(struct bytes frame)
{
	struct fault fault = {0};
	struct zookeeper_answer a = {0};
	struct bytes node;
	struct text names;
	size_t n = 0;

	text_init(&names, SIZE_MAX);
	if (zookeeper_read_session(frame, &fault) != 0) {
		ASSERT(fault.text[0] != '\0');
	}
	if (zookeeper_read_answer(frame, &a, &fault) == 0) {
		ASSERT(a.body.n <= frame.n && (a.code == 0 || a.body.n == 0));
		if (zookeeper_read_children(a.body, 1000, &names, &n, &fault) == 0) {
			size_t ends = 0;

			for (size_t i = 0; i < names.n; i++) {
				ends += names.p[i] == '\0';
			}
			ASSERT(n <= 1000 && ends == n);
		} else {
			ASSERT(names.n == 0 && fault.text[0] != '\0');
		}
		if (zookeeper_read_data(a.body, &node, &fault) == 0) {
			ASSERT(node.n <= a.body.n);
		}
	}
	text_done(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of((const char *)data, size);
	struct fault fault = {0};
	struct bytes frame;
	size_t used;
	enum read_rc rc;

	while ((rc = zookeeper_frame(in, &frame, &used, &fault)) == READ_DONE) {
		ASSERT(used >= 4 && used <= in.n && frame.n + 4 == used);
		read_frame(frame);
		in = bytes_of(in.p + used, in.n - used);
	}
	ASSERT(rc == READ_MORE || fault.text[0] != '\0');
	return 0;
}
