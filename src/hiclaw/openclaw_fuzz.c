/*
 * The input: a byte that chooses the wish, then a configuration. A switch that was made is made for good.
 */
#include "hiclaw/copaw.h"
#include "hiclaw/openclaw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void switch_it(struct bytes text, uint8_t choice)
{
	struct openclaw_wish wish = {
		.model = (choice & 1) != 0 ? BYTES("m") : BYTES("hiclaw-gateway/glm-5"),
		.base_url = BYTES("http://gw/v1"),
		.api_key = (choice & 2) != 0 ? BYTES("k") : BYTES(""),
		.key_in_file = (choice & 4) != 0,
	};
	struct openclaw_switch first = {0}, second = {0};
	struct openclaw_view view;
	struct fault f = {0};
	struct arena a;
	enum config_code code;

	wish.sources.given.context_window = (choice & 8) != 0 ? 1000 : 0;
	wish.sources.given.input = (choice & 16) != 0 ? MODEL_INPUT_IMAGE : 0;
	arena_init(&a, 4 * CONFIG_ARENA_MAX);
	code = openclaw_switch(&a, text, &wish, &first, &f);
	ASSERT((code == CONFIG_OK) == (f.text[0] == '\0') && code != CONFIG_BUSY);
	if (code == CONFIG_OK) {
		ASSERT(first.config.changed == !bytes_eq(text, first.config.text));
		ASSERT(openclaw_switch(&a, first.config.text, &wish, &second, &f) == CONFIG_OK &&
			!second.config.changed);
		ASSERT(openclaw_read(&a, first.config.text, &view, &f) == 0 &&
			bytes_eq(view.model, first.model) && view.has_entry);
	}
	arena_done(&a);
}

static void switch_copaw(struct bytes text)
{
	struct config_text first = {0}, second = {0};
	struct arena a;

	arena_init(&a, 4 * CONFIG_ARENA_MAX);
	if (copaw_switch_providers(&a, text, BYTES("m"), &first, NULL) == CONFIG_OK) {
		ASSERT(copaw_switch_providers(&a, first.text, BYTES("m"), &second, NULL) ==
				CONFIG_OK &&
			!second.changed);
	}
	if (copaw_switch_config(&a, text, 5, &first, NULL) == CONFIG_OK) {
		ASSERT(copaw_switch_config(&a, first.text, 5, &second, NULL) == CONFIG_OK &&
			!second.changed);
	}
	arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1) {
		struct bytes text = bytes_of((const char *)data + 1, size - 1);

		switch_it(text, data[0]);
		switch_copaw(text);
	}
	return 0;
}
