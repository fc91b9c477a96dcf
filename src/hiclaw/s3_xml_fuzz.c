#include "hiclaw/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Both kinds of document; what was listed has keys, and as many as it says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of((const char *)data, size);
	struct s3_listing list = {0};
	struct s3_error error;
	struct arena a;
	size_t n = 0;

	arena_init(&a, 1 << 20);
	if (s3_xml_list(&a, text, &list, NULL) == 0) {
		for (const struct s3_object *o = list.first; o != NULL; o = o->next, n++) {
			ASSERT(o->key.n != 0);
		}
		for (const struct s3_object *o = list.first_prefix; o != NULL; o = o->next, n++) {
			ASSERT(o->key.n != 0);
		}
		ASSERT(n == list.n && (!list.truncated || list.next.n != 0));
	}
	ASSERT(s3_xml_error(text, &error) == (error.code[0] != '\0'));
	arena_done(&a);
	return 0;
}
