#include "resource/op_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read of a text, and may stand in a configuration, makes a text of which the same is read. */
static void check(struct op *o, const struct op_dsn_type *t, struct bytes dsn)
{
	struct doc *config = op_dsn_parse(o, t, dsn), *again;
	struct bytes built;

	if (op_dsn_check(o, t, config) != OP_OK) {
		ASSERT(o->why.n > 0);
		return;
	}
	built = op_dsn_build(o, t, config);
	again = op_dsn_parse(o, t, built);
	/* Of what is not encoded, a name may hold what separates: then the text is the same, at least. */
	ASSERT(doc_equal(o->arena, config, again) || op_dsn_check(o, t, again) != OP_OK ||
		bytes_eq(built, op_dsn_build(o, t, again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"mysql", "postgres", "sqlite", "clickhouse"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct arena arena;
		struct op op;

		arena_init(&arena, (size_t)1 << 24);
		op_init(&op, NULL, &arena);
		check(&op, op_dsn_type_stored(bytes_str(words[i])),
			bytes_of((const char *)data, size));
		op_done(&op);
		arena_done(&arena);
	}
	return 0;
}
