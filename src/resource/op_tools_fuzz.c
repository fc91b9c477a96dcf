#include "resource/op_int.h"
#include "wire/yaml.h"

#define ARENA_MAX ((size_t)1 << 28)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The tools of any document are YAML, and what is refused says why. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes out = BYTES("");
	struct fault fault = {0};
	struct arena arena;
	struct yaml_doc y;
	enum op_rc rc;
	struct op op;

	arena_init(&arena, ARENA_MAX);
	op_init(&op, NULL, &arena);
	rc = op_tools_convert(&op, bytes_of((const char *)data, size), &out);
	ASSERT((rc == OP_OK) == (op.why.n == 0));
	if (rc == OP_OK && !arena_full(&arena)) {
		ASSERT(yaml_parse(&arena, out, &y, &fault) == 0 || arena_full(&arena));
		ASSERT(arena_full(&arena) || yaml_get(y.root, "tools") != NULL);
	}
	op_done(&op);
	arena_done(&arena);
	return 0;
}
