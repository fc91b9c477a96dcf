#include "wire/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define LIT(text) text, sizeof(text) - 1
#define HELD_MAX 4096

/* A caller: keeps the raw bytes of the event in progress and writes down what it was told. */
struct caller {
	struct sse sse;
	char held[HELD_MAX];
	size_t held_n;
	struct text raw; /* the raw bytes of all events, one behind the other */
	struct text log; /* "[lines|name|data]" per event, "!" behind the lines when done */
	bool failed;
};

static void caller_init(struct caller *c)
{
	sse_init(&c->sse);
	c->held_n = 0;
	c->failed = false;
	text_init(&c->raw, 1 << 20);
	text_init(&c->log, 1 << 20);
}

static void caller_done(struct caller *c)
{
	text_done(&c->raw);
	text_done(&c->log);
}

static void check_first_line(const struct caller *c, const struct sse_event *ev, struct bytes data)
{
	struct bytes first = bytes_of(c->held + ev->data_off, ev->data_n);
	assert_true(ev->data_off + ev->data_n <= ev->raw_n);
	assert_true(ev->data_lines > 1 ? bytes_starts(data, first) : bytes_eq(data, first));
	assert_int_equal(ev->done, ev->data_lines == 1 && bytes_eq(data, BYTES("[DONE]")));
}

static void write_down(struct caller *c, const struct sse_event *ev)
{
	struct text data;
	text_init(&data, HELD_MAX);
	assert_int_equal(ev->raw_n, c->held_n);
	sse_event_data(bytes_of(c->held, c->held_n), &data);
	if (ev->data_lines > 0) {
		check_first_line(c, ev, text_bytes(&data));
	} else {
		assert_int_equal(data.n, 0);
	}
	text_addf(&c->log, "[%u%s|", (unsigned)ev->data_lines, ev->done ? "!" : "");
	assert_true(ev->name_off + ev->name_n <= ev->raw_n);
	text_add(&c->log, c->held + ev->name_off, ev->name_n);
	text_add_char(&c->log, '|');
	text_add_bytes(&c->log, text_bytes(&data));
	text_add_char(&c->log, ']');
	text_add(&c->raw, c->held, c->held_n);
	c->held_n = 0;
	text_done(&data);
}

/* One read, in memory of its own that is gone afterwards. */
static void caller_read(struct caller *c, const char *in, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);
	enum read_rc rc = READ_DONE;
	size_t at = 0;
	assert_non_null(copy);
	memcpy(copy, in, n);
	while (rc == READ_DONE && !c->failed) {
		struct sse_event ev;
		size_t used = 0;
		rc = sse_feed(&c->sse, bytes_of(copy + at, n - at), &used, &ev);
		assert_true(used <= n - at && (rc != READ_MORE || used == n - at));
		assert_true(c->held_n + used <= HELD_MAX);
		memcpy(c->held + c->held_n, copy + at, used);
		c->held_n += used;
		at += used;
		c->failed = rc == READ_FAIL;
		if (rc == READ_DONE) {
			write_down(c, &ev);
		}
	}
	free(copy);
}

/* A clean end. */
static void caller_end(struct caller *c)
{
	struct sse_event ev;
	bool in_event = sse_in_event(&c->sse);
	if (sse_finish(&c->sse, &ev)) {
		assert_true(in_event);
		write_down(c, &ev);
	}
	assert_false(sse_in_event(&c->sse));
	assert_false(sse_finish(&c->sse, &ev));
	text_add(&c->raw, c->held, c->held_n);
}

/* The first read has `first` bytes, the others `step`. */
static void run(
	const char *in, size_t n, size_t first, size_t step, const char *want, const char *reason)
{
	struct caller c;
	caller_init(&c);
	for (size_t at = 0, piece = first; at < n; at += piece, piece = step) {
		caller_read(&c, in + at, MIN(piece, n - at));
	}
	caller_end(&c);
	if (strcmp(text_cstr(&c.log), want) != 0) {
		fail_msg("'%s' (%s), first read %zu: %s instead of %s", in, reason, first,
			text_cstr(&c.log), want);
	}
	assert_true(bytes_eq(text_bytes(&c.raw), bytes_of(in, n)));
	caller_done(&c);
}

/* Whole, byte by byte, split at every point. */
static void run_all_ways(const char *in, size_t n, const char *want, const char *reason)
{
	run(in, n, n, n, want, reason);
	run(in, n, 1, 1, want, reason);
	for (size_t at = 1; at < n; at++) {
		run(in, n, at, n, want, reason);
	}
}

static void framing(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		size_t n;
		const char *want;
		const char *reason;
	} rows[] = {
		{LIT(""), "", "nothing"},
		{LIT("data: x\n\n"), "[1||x]", "LF"},
		{LIT("data: x\r\n\r\n"), "[1||x]", "CR LF"},
		{LIT("data: x\r\r"), "[1||x]", "CR"},
		{LIT("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\n"),
			"[1||a][1||b][1||c][1||d]", "each kind in turn"},
		{LIT("data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\n"),
			"[1||a][1||b][1||c][1||d]", "kinds mixed inside a terminator"},
		{LIT("data: a\n\r\n\ndata: b\n\n"), "[1||a][0||][1||b]",
			"CR LF LF is two empty lines"},
		{LIT("data: a\r\rdata: b\r\n\r\n"), "[1||a][1||b]", "CR CR, then CR LF"},
		{LIT("data:x\n\n"), "[1||x]", "no blank behind the colon"},
		{LIT("data:  x \n\n"), "[1|| x ]", "one blank is cut off, no more"},
		{LIT("data:\tx\n\n"), "[1||\tx]", "a tab is no blank"},
		{LIT("data: a: b\n\n"), "[1||a: b]", "a colon in the value"},
		{LIT("data: a\ndata: b\ndata:\ndata: d\n\n"), "[4||a\nb\n\nd]", "lines are joined"},
		{LIT("data\n\n"), "[1||]", "a name alone is a field with an empty value"},
		{LIT("data\ndata\n\n"), "[2||\n]", "twice"},
		{LIT("data:\n\n"), "[1||]", "an empty value"},
		{LIT("data: \n\n"), "[1||]", "a value of the blank that is cut off"},
		{LIT(": ping\n\n"), "[0||]", "a comment"},
		{LIT(":\n\n"), "[0||]", "an empty comment"},
		{LIT(":data: x\n\n"), "[0||]", "a comment that looks like data"},
		{LIT("data: x\n: in between\ndata: y\n\n"), "[2||x\ny]",
			"a comment inside an event"},
		{LIT("\n"), "[0||]", "an empty event"},
		{LIT("\n\n\r\n"), "[0||][0||][0||]", "three empty events"},
		{LIT("event: ping\n\n"), "[0|ping|]", "an event without data"},
		{LIT("event: a\ndata: x\n\n"), "[1|a|x]", "name before data"},
		{LIT("data: x\nevent:a\n\n"), "[1|a|x]", "name behind data"},
		{LIT("event: a\nevent: b\ndata: x\n\n"), "[1|b|x]", "the last name counts"},
		{LIT("event: a\nevent\ndata: x\n\n"), "[1||x]", "a name that is taken back"},
		{LIT("event: a\n\ndata: x\n\n"), "[0|a|][1||x]",
			"a name does not outlive its event"},
		{LIT("id: 7\nretry: 10\nfoo: bar\ndata: x\n\n"), "[1||x]", "other fields"},
		{LIT("oops\n\n"), "[0||]", "a line without a colon is ignored"},
		{LIT("oops\ndata: x\n\n"), "[1||x]", "the same before data"},
		{LIT("dat: x\n\n"), "[0||]", "a name's beginning"},
		{LIT("datax: x\n\n"), "[0||]", "a name and more"},
		{LIT("data x: x\n\n"), "[0||]", "a blank in the name"},
		{LIT(" data: x\n\n"), "[0||]", "a blank before the name"},
		{LIT("Data: x\nEVENT: y\n\n"), "[0||]", "names have case"},
		{LIT("data : x\n\n"), "[0||]", "a blank before the colon"},
		{LIT("\xef\xbb\xbf"
		     "data: x\n\n"),
			"[1||x]", "a byte order mark"},
		{LIT("\xef\xbb\xbf\xef\xbb\xbf"
		     "data: x\n\n"),
			"[0||]", "only one is taken off"},
		{LIT("\xef\xbb\xbf\n\ndata: x\n\n"), "[0||][0||][1||x]", "a mark and empty lines"},
		{LIT("\xef\xbb\xbf"
		     "data: [DONE]\n\n"),
			"[1!||[DONE]]", "a mark before the end"},
		{LIT("\xef\xbb"
		     "data: x\n\n"),
			"[0||]", "two thirds of a mark belong to the name"},
		{LIT("\n\xef\xbb\xbf: x\n\n"), "[0||][0||]", "a mark that is not at the beginning"},
		{LIT("\xef\xbb\xbf"), "", "nothing but a mark"},
		{LIT("data: [DONE]\n\n"), "[1!||[DONE]]", "done"},
		{LIT("data:[DONE]\r\n\r\n"), "[1!||[DONE]]", "done without the blank"},
		{LIT("data:  [DONE]\n\n"), "[1|| [DONE]]", "two blanks: other data"},
		{LIT("data: [DONE] \n\n"), "[1||[DONE] ]", "a blank behind: other data"},
		{LIT("data: [DONE\n\n"), "[1||[DONE]", "cut short: other data"},
		{LIT("data: [done]\n\n"), "[1||[done]]", "other case: other data"},
		{LIT("data: [DONE]\ndata: x\n\n"), "[2||[DONE]\nx]",
			"one of two lines: other data"},
		{LIT("data: x\ndata: [DONE]\n\n"), "[2||x\n[DONE]]",
			"one of two lines: other data"},
		{LIT("data: [DONE]\n\ndata: x\n\n"), "[1!||[DONE]][1||x]", "data after the end"},
		{LIT("data: [DONE]\n\ndata: [DONE]\n\n"), "[1!||[DONE]][1!||[DONE]]",
			"ended twice"},
		{LIT("data: x"), "[1||x]", "a clean end delivers an event without its line end"},
		{LIT("data: x\n"), "[1||x]", "or without its empty line"},
		{LIT("data: x\r"), "[1||x]", "the same with CR"},
		{LIT("data: a\n\ndata: b\r\n"), "[1||a][1||b]", "behind another event"},
		{LIT("data: [DONE]"), "[1!||[DONE]]", "done without a line end"},
		{LIT("event: a"), "[0|a|]", "a name at a clean end"},
		{LIT(": x"), "[0||]", "a comment at a clean end"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run_all_ways(rows[i].in, rows[i].n, rows[i].want, rows[i].reason);
	}
}

/* Lengths around what is looked at in one step, so that each line end falls on each place in it. */
static void lines_of_every_length(void **state)
{
	(void)state;
	static const char *const ends[] = {"\n\n", "\r\n\r\n", "\r\r"};
	for (size_t n = 0; n < 150; n++) {
		char in[256] = "data:";
		char want[256] = "[1||";
		memset(in + 5, 'v', n);
		memset(want + 4, 'v', n);
		want[4 + n] = ']';
		for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
			size_t end_n = strlen(ends[i]);
			memcpy(in + 5 + n, ends[i], end_n);
			run_all_ways(in, 5 + n + end_n, want, "a line of another length");
		}
	}
}

/* Any byte but LF and CR is data, NUL too. */
static void every_byte_can_be_data(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char in[] =
			"data: 0123456789?0123456789 and more than is looked at in one step, which is 64 bytes"
			"\n\n";
		struct sse s;
		struct sse_event ev;
		size_t used;
		if (c == '\n' || c == '\r') {
			continue;
		}
		in[16] = (char)c;
		sse_init(&s);
		assert_int_equal(sse_feed(&s, bytes_of(in, sizeof(in) - 1), &used, &ev), READ_DONE);
		assert_int_equal(ev.raw_n, sizeof(in) - 1);
		assert_int_equal(ev.data_off, 6);
		assert_int_equal(ev.data_n, sizeof(in) - 9);
	}
}

/* Ten thousand in one read, then the count and the last of them. */
static void many_events_in_one_read(void **state)
{
	(void)state;
	static const char event[] = "event: e\r\ndata: {\"n\":1}\r\n\r\n";
	const size_t event_n = sizeof(event) - 1;
	const size_t many = 10000;
	char *in = malloc(many * event_n);
	struct sse s;
	struct sse_event ev;
	size_t at = 0, used, n = 0;
	assert_non_null(in);
	for (size_t i = 0; i < many; i++) {
		memcpy(in + i * event_n, event, event_n);
	}
	sse_init(&s);
	while (sse_feed(&s, bytes_of(in + at, many * event_n - at), &used, &ev) == READ_DONE) {
		assert_int_equal(ev.raw_n, event_n);
		assert_int_equal(ev.data_n, 7);
		assert_int_equal(ev.name_n, 1);
		at += used;
		n++;
	}
	assert_int_equal(n, many);
	assert_false(sse_in_event(&s));
	free(in);
}

/* Feeds n times the same byte, one by one; the first result that is not READ_MORE, and when. */
static enum read_rc feed_many(struct sse *s, char c, size_t n, size_t *fed)
{
	struct sse_event ev;
	size_t used;
	enum read_rc rc = READ_MORE;
	for (*fed = 0; *fed < n && rc == READ_MORE; (*fed)++) {
		rc = sse_feed(s, bytes_of(&c, 1), &used, &ev);
	}
	return rc;
}

static void a_large_event_in_small_reads(void **state)
{
	(void)state;
	const size_t large = 10u * 1000 * 1000;
	struct sse s;
	struct sse_event ev;
	size_t used, fed;
	sse_init(&s);
	assert_int_equal(sse_feed(&s, BYTES("data: "), &used, &ev), READ_MORE);
	assert_int_equal(feed_many(&s, 'x', large, &fed), READ_MORE);
	assert_int_equal(sse_feed(&s, BYTES("\n\n"), &used, &ev), READ_DONE);
	assert_int_equal(ev.raw_n, large + 8);
	assert_int_equal(ev.data_off, 6);
	assert_int_equal(ev.data_n, large);
	assert_int_equal(ev.data_lines, 1);
}

static void an_event_without_end_meets_the_limit(void **state)
{
	(void)state;
	struct sse s;
	struct sse_event ev;
	size_t used, fed;
	sse_init(&s);
	/* one line, byte by byte */
	assert_int_equal(feed_many(&s, 'x', SSE_EVENT_MAX + 1, &fed), READ_FAIL);
	assert_true(fed <= SSE_EVENT_MAX && fed >= SSE_EVENT_MAX - 2);
	assert_int_equal(sse_feed(&s, BYTES("\n\n"), &used, &ev), READ_FAIL);
	assert_int_equal(used, 0);
	assert_false(sse_finish(&s, &ev));
	/* many short lines, in larger reads */
	static char lines[65536];
	memset(lines, 'x', sizeof(lines));
	for (size_t i = 1; i < sizeof(lines); i += 2) {
		lines[i] = '\n';
	}
	sse_init(&s);
	size_t reads = 0;
	while (sse_feed(&s, bytes_of(lines, sizeof(lines)), &used, &ev) == READ_MORE) {
		reads++;
		assert_true(reads <= SSE_EVENT_MAX / sizeof(lines));
	}
	assert_true(reads >= SSE_EVENT_MAX / sizeof(lines) - 1);
}

/* The largest that passes is the same whole and in two reads. */
static void the_largest_event(void **state)
{
	(void)state;
	char *in = malloc(SSE_EVENT_MAX);
	struct sse s;
	struct sse_event ev;
	size_t used;
	assert_non_null(in);
	memset(in, 'x', SSE_EVENT_MAX);
	memcpy(in + SSE_EVENT_MAX - 3, "\n\n", 2);
	sse_init(&s);
	assert_int_equal(sse_feed(&s, bytes_of(in, SSE_EVENT_MAX - 1), &used, &ev), READ_DONE);
	assert_int_equal(ev.raw_n, SSE_EVENT_MAX - 1);
	assert_int_equal(sse_feed(&s, bytes_of(in, 1000), &used, &ev), READ_MORE);
	assert_int_equal(
		sse_feed(&s, bytes_of(in + 1000, SSE_EVENT_MAX - 1001), &used, &ev), READ_DONE);
	assert_int_equal(ev.raw_n, SSE_EVENT_MAX - 1);
	free(in);
}

static void in_event_says_whether_one_was_begun(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		bool want;
		const char *reason;
	} rows[] = {
		{"", false, "nothing came"},
		{"d", true, "a line was begun"},
		{"data: x\n", true, "a line ended"},
		{"data: x\r\n", true, "a line ended"},
		{"data: x\r\n\r", false, "the event ended at its CR"},
		{"data: x\r\n\r\n", false, "the event ended"},
		{"data: x\n\n:", true, "the next was begun"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sse s;
		struct sse_event ev;
		struct bytes in = bytes_str(rows[i].in);
		size_t used;
		sse_init(&s);
		while (sse_feed(&s, in, &used, &ev) == READ_DONE) {
			in = bytes_of(in.p + used, in.n - used);
		}
		if (sse_in_event(&s) != rows[i].want) {
			fail_msg("'%s' (%s)", rows[i].in, rows[i].reason);
		}
	}
	/* The LF of a terminator that was cut begins no event. */
	struct sse s;
	struct sse_event ev;
	size_t used;
	sse_init(&s);
	assert_int_equal(sse_feed(&s, BYTES("data: x\r\n\r"), &used, &ev), READ_DONE);
	assert_int_equal(ev.raw_n, 10);
	assert_int_equal(sse_feed(&s, BYTES("\n"), &used, &ev), READ_MORE);
	assert_false(sse_in_event(&s));
	assert_int_equal(sse_feed(&s, BYTES("data: y\n\n"), &used, &ev), READ_DONE);
	assert_int_equal(ev.raw_n, 10);
	assert_int_equal(ev.data_off, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing),
		cmocka_unit_test(lines_of_every_length),
		cmocka_unit_test(every_byte_can_be_data),
		cmocka_unit_test(many_events_in_one_read),
		cmocka_unit_test(a_large_event_in_small_reads),
		cmocka_unit_test(an_event_without_end_meets_the_limit),
		cmocka_unit_test(the_largest_event),
		cmocka_unit_test(in_event_says_whether_one_was_begun),
	};
	return cmocka_run_group_tests_name("sse", tests, NULL, NULL);
}
