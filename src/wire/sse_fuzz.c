#include "wire/sse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One event as it is written down: the number of its data lines, its name, its data. */
static void write_down(struct text *log, unsigned lines, struct bytes name, struct bytes data)
{
	text_addf(log, "[%u|", lines);
	text_add_bytes(log, name);
	text_add_char(log, '|');
	text_add_bytes(log, data);
	text_add_char(log, ']');
}

/* raw: all bytes of the event. first: the stream's, which may begin with a byte order mark. */
static void note_event(struct text *log, const struct sse_event *ev, struct bytes raw, bool first)
{
	struct text joined;
	text_init(&joined, raw.n + 1);
	ASSERT(ev->raw_n == raw.n && ev->data_off + ev->data_n <= raw.n);
	ASSERT(ev->name_off + ev->name_n <= raw.n);
	struct bytes data = bytes_of(raw.p + ev->data_off, ev->data_n);
	if (ev->data_lines > 1) {
		/* A mark in mid-stream belongs to a name. */
		size_t skip = !first && bytes_starts(raw, BYTES("\xef\xbb\xbf")) ? 1 : 0;
		sse_event_data(bytes_of(raw.p + skip, raw.n - skip), &joined);
		ASSERT(bytes_starts(text_bytes(&joined), data));
		data = text_bytes(&joined);
	}
	ASSERT(ev->done == (ev->data_lines == 1 && bytes_eq(data, BYTES("[DONE]"))));
	write_down(log, ev->data_lines, bytes_of(raw.p + ev->name_off, ev->name_n), data);
	text_done(&joined);
}

/* Reads of `step` bytes, in memory that is gone afterwards. */
static void feed_in_steps(struct bytes in, size_t step, struct text *log)
{
	struct sse s;
	struct sse_event ev;
	size_t at = 0, begin = 0;
	sse_init(&s);
	while (at < in.n) {
		size_t n = MIN(step, in.n - at);
		char *piece = must_alloc(n);
		size_t done = 0, used;
		memcpy(piece, in.p + at, n);
		while (sse_feed(&s, bytes_of(piece + done, n - done), &used, &ev) == READ_DONE) {
			done += used;
			note_event(log, &ev, bytes_of(in.p + begin, at + done - begin), begin == 0);
			begin = at + done;
		}
		ASSERT(done + used == n);
		free(piece);
		at += n;
	}
	if (sse_finish(&s, &ev)) {
		note_event(log, &ev, bytes_of(in.p + begin, in.n - begin), begin == 0);
	}
	ASSERT(!sse_in_event(&s));
}

/* The rest of a line behind `name:` and a blank; p NULL when it is another field. */
static struct bytes field_value(struct bytes line, struct bytes name)
{
	struct bytes rest = line;
	if (!bytes_eq(bytes_cut(&rest, ':'), name)) {
		return (struct bytes){NULL, 0};
	}
	if (rest.p == NULL) {
		return bytes_of(line.p + line.n, 0);
	}
	return rest.n > 0 && rest.p[0] == ' ' ? bytes_of(rest.p + 1, rest.n - 1) : rest;
}

/* Cuts the first line off, without its end. */
static struct bytes cut_line(struct bytes *rest)
{
	size_t n = 0;
	while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r') {
		n++;
	}
	struct bytes line = bytes_of(rest->p, n);
	if (n + 1 < rest->n && memcmp(rest->p + n, "\r\n", 2) == 0) {
		n++;
	}
	n += n < rest->n ? 1 : 0;
	*rest = bytes_of(rest->p + n, rest->n - n);
	return line;
}

/* WHATWG HTML §9.2.6 read plainly: line by line over all the text. */
static void read_plainly(struct bytes in, struct text *log)
{
	struct text data;
	struct bytes name = {"", 0};
	unsigned lines = 0;
	text_init(&data, in.n + 1);
	if (bytes_starts(in, BYTES("\xef\xbb\xbf"))) {
		in = bytes_of(in.p + 3, in.n - 3);
	}
	while (in.n > 0) {
		struct bytes line = cut_line(&in);
		struct bytes value = field_value(line, BYTES("data"));
		if (value.p != NULL) {
			text_add(&data, "\n", lines++ > 0 ? 1 : 0);
			text_add_bytes(&data, value);
		}
		value = field_value(line, BYTES("event"));
		if (value.p != NULL) {
			name = value;
		}
		if (line.n == 0 || in.n == 0) {
			write_down(log, lines, name, text_bytes(&data));
			text_clear(&data);
			name.n = 0;
			lines = 0;
		}
	}
	text_done(&data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = {1, 2, 3, 5, 17};
	struct bytes in = bytes_of((const char *)data, size);
	struct text want, got;
	size_t room = 16 * size + 64;
	text_init(&want, room);
	text_init(&got, room);
	read_plainly(in, &want);
	feed_in_steps(in, size > 0 ? size : 1, &got);
	ASSERT(bytes_eq(text_bytes(&want), text_bytes(&got)));
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		text_clear(&got);
		feed_in_steps(in, steps[i], &got);
		ASSERT(bytes_eq(text_bytes(&want), text_bytes(&got)));
	}
	ASSERT(!text_full(&want) && !text_full(&got));
	text_done(&want);
	text_done(&got);
	return 0;
}
