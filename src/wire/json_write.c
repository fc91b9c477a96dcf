#include "wire/json.h"

void json_writer_init(struct json_writer *w, struct text *out)
{
	*w = (struct json_writer){.out = out};
}

/* What stands between the value or key that comes and the one before. */
static void separate(struct json_writer *w)
{
	unsigned d = w->depth - 1;
	uint64_t bit = 1ull << (d & 63);

	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->depth == 0) {
		return;
	}
	if ((w->has_item[d >> 6] & bit) != 0) {
		text_add_char(w->out, ',');
	}
	w->has_item[d >> 6] |= bit;
}

static void open_with(struct json_writer *w, char c)
{
	separate(w);
	ASSERT(w->depth < JSON_DEPTH_MAX);
	w->has_item[w->depth >> 6] &= ~(1ull << (w->depth & 63));
	w->depth++;
	text_add_char(w->out, c);
}

static void close_with(struct json_writer *w, char c)
{
	ASSERT(w->depth != 0 && !w->after_key);
	w->depth--;
	text_add_char(w->out, c);
}

void json_open_object(struct json_writer *w)
{
	open_with(w, '{');
}

void json_close_object(struct json_writer *w)
{
	close_with(w, '}');
}

void json_open_array(struct json_writer *w)
{
	open_with(w, '[');
}

void json_close_array(struct json_writer *w)
{
	close_with(w, ']');
}

void json_key_bytes(struct json_writer *w, struct bytes key)
{
	ASSERT(w->depth != 0 && !w->after_key);
	json_put_string(w, key);
	text_add_char(w->out, ':');
	w->after_key = true;
}

void json_key(struct json_writer *w, const char *key)
{
	json_key_bytes(w, bytes_str(key));
}

void json_put_string(struct json_writer *w, struct bytes s)
{
	separate(w);
	text_add_char(w->out, '"');
	text_add_json(w->out, s);
	text_add_char(w->out, '"');
}

void json_put_str(struct json_writer *w, const char *s)
{
	json_put_string(w, bytes_str(s));
}

void json_put_u64(struct json_writer *w, uint64_t v)
{
	separate(w);
	text_add_u64(w->out, v);
}

void json_put_i64(struct json_writer *w, int64_t v)
{
	separate(w);
	if (v < 0) {
		text_add_char(w->out, '-');
	}
	/* Unsigned negation also knows the least value, which has no positive twin. */
	text_add_u64(w->out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void json_put_bool(struct json_writer *w, bool v)
{
	separate(w);
	text_add_str(w->out, v ? "true" : "false");
}

void json_put_null(struct json_writer *w)
{
	separate(w);
	text_add_str(w->out, "null");
}

void json_put_raw(struct json_writer *w, struct bytes json)
{
	separate(w);
	text_add_bytes(w->out, json);
}
