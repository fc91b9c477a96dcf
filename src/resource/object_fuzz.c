#include "resource/object.h"

#define ARENA_MAX ((size_t)1 << 28)

static void check_findings(const struct findings *f)
{
	struct text line;
	size_t n = 0;

	text_init(&line, 1 << 16);
	for (const struct finding *x = f->first; x != NULL; x = x->next) {
		ASSERT(x->line >= 1 && x->column >= 1 && x->text.n != 0 && x->code != NULL);
		text_clear(&line);
		finding_format(x, &line);
		ASSERT(memchr(line.p, '\n', line.n) == NULL);
		n++;
	}
	ASSERT(n <= f->n);
	text_done(&line);
}

/* The same bytes as a file of every kind: what is read must be whole, what is not must say why. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
		struct arena arena;
		struct findings why;
		struct object *o;

		arena_init(&arena, ARENA_MAX);
		findings_init(&why, &arena);
		o = object_read((enum resource_kind)kind, BYTES("x/a.yaml"),
			bytes_of((const char *)data, size), &why);
		ASSERT((o == NULL) == (why.errors != 0));
		check_findings(o != NULL ? &o->findings : &why);
		if (o != NULL) {
			ASSERT(o->findings.errors == 0 && o->root != NULL);
			ASSERT(pairs_get(&o->meta.labels, "a").n <= size);
		}
		object_unref(o);
		arena_done(&arena);
	}
	return 0;
}
