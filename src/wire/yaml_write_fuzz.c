/*
 * The input is YAML, and also a text to be written: what is written is read as what it was, and what was
 * written once is canonical.
 */
#include "wire/yaml_write.h"

#include "base/text.h"
#include "wire/yaml_emit.h"

#define ARENA_MAX ((size_t)1 << 28)
#define TEXT_MAX ((size_t)1 << 24)

static void check(struct arena *a, const struct doc *d, bool sorted)
{
	struct text once, twice;
	struct yaml_doc doc;
	struct fault fault = {0};

	text_init(&once, TEXT_MAX);
	text_init(&twice, TEXT_MAX);
	if (sorted) {
		yaml_write(a, &once, d);
	} else {
		yaml_write_in_order(a, &once, d);
	}
	if (!text_full(&once) && !arena_full(a)) {
		ASSERT(yaml_parse(a, text_bytes(&once), &doc, &fault) == 0);
		ASSERT(doc_is_yaml(a, d, doc.root));
		if (sorted) {
			yaml_write(a, &twice, doc_of_yaml(a, doc.root));
			ASSERT(bytes_eq(text_bytes(&once), text_bytes(&twice)));
		}
	}
	text_done(&once);
	text_done(&twice);
}

static void check_flow(struct arena *a, const struct doc *d)
{
	struct text once;
	struct yaml_emit e;
	struct yaml_doc doc;
	struct fault fault = {0};

	text_init(&once, TEXT_MAX);
	yaml_emit_init(&e, a, &once);
	e.one_line = true;
	yaml_emit_flow(&e, d);
	text_add_char(&once, '\n');
	if (!text_full(&once) && !arena_full(a)) {
		ASSERT(yaml_parse(a, text_bytes(&once), &doc, &fault) == 0);
		ASSERT(doc_is_yaml(a, d, doc.root));
	}
	text_done(&once);
}

static bool is_utf8(struct bytes s)
{
	size_t n;

	for (size_t i = 0; i < s.n; i += n) {
		n = text_utf8(s.p + i, s.n - i);
		if (n == 0) {
			return false;
		}
	}
	return true;
}

/* The text as a value, as a key, and deep inside. */
static void check_string(struct arena *a, struct bytes s)
{
	struct doc *d = doc_map(a), *list = doc_need_list(a, d, "list");

	doc_append(a, list, doc_string(a, s));
	doc_append(a, list, doc_list(a));
	doc_append(a, list->last, doc_string(a, s));
	doc_set(a, doc_need_map(a, d, "map"), "key", doc_string(a, s));
	doc_set_bytes(a, d, s, doc_string(a, s));
	check(a, d, true);
	check(a, doc_string(a, s), true);
	check_flow(a, d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of((const char *)data, size);
	struct arena a;
	struct yaml_doc doc;
	struct fault fault = {0};

	arena_init(&a, ARENA_MAX);
	if (size < 900 && is_utf8(text)) {
		check_string(&a, text);
	}
	if (yaml_parse(&a, text, &doc, &fault) == 0 && doc.root != NULL) {
		check(&a, doc_of_yaml(&a, doc.root), true);
		check(&a, doc_of_yaml(&a, doc.root), false);
		check_flow(&a, doc_of_yaml(&a, doc.root));
	}
	arena_done(&a);
	return 0;
}
