/* Characters are counted, not bytes. The widest column gives way first, a place at a time, so narrow ones stay whole. */
#include "cli/columns.h"

#define GAP 2u

struct letter {
	size_t n;     /* bytes */
	size_t width; /* places */
	bool obeyed;  /* a terminal would act on it */
};

static uint32_t code_of(const char *p, size_t n)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = (unsigned char)p[0] & first[n];

	for (size_t i = 1; i < n; i++) {
		code = code << 6 | ((unsigned char)p[i] & 0x3f);
	}
	return code;
}

/* Hangul, CJK, kana, full-width forms, emoji. */
static bool is_wide(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
		(c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
		(c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
		(c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
}

static struct letter letter_at(struct bytes b, size_t at)
{
	size_t n = text_utf8(b.p + at, b.n - at);
	uint32_t c;

	if (n == 0) {
		return (struct letter){1, 1, true};
	}
	c = code_of(b.p + at, n);
	return (struct letter){n, is_wide(c) ? 2 : 1, c < 0x20 || (c >= 0x7f && c < 0xa0)};
}

size_t columns_width(struct bytes text)
{
	size_t width = 0;

	for (size_t at = 0; at < text.n;) {
		struct letter l = letter_at(text, at);

		width += l.width;
		at += l.n;
	}
	return width;
}

/* At most `room` places; the number that was used. */
static size_t put_cell(struct text *out, struct bytes cell, size_t room)
{
	bool cut = columns_width(cell) > room;
	size_t used = 0;

	for (size_t at = 0; at < cell.n;) {
		struct letter l = letter_at(cell, at);

		if (used + l.width > room - cut) {
			break;
		}
		if (l.obeyed) {
			text_add_char(out, '?');
		} else {
			text_add(out, cell.p + at, l.n);
		}
		used += l.width;
		at += l.n;
	}
	if (cut) {
		text_add_str(out, "…");
		used++;
	}
	return used;
}

static void put_row(struct text *out, const struct bytes *cells, const size_t *widths, size_t n)
{
	size_t pending = 0; /* blanks, written when something follows them */

	for (size_t i = 0; i < n; i++) {
		size_t used;

		if (cells[i].n != 0) {
			for (; pending > 0; pending--) {
				text_add_char(out, ' ');
			}
		}
		used = put_cell(out, cells[i], widths[i]);
		pending += widths[i] - used + GAP;
	}
	text_add_char(out, '\n');
}

static size_t narrowest(const struct columns *c, size_t i)
{
	return MAX(columns_width(bytes_str(c->titles[i])), COLUMNS_NARROWEST);
}

/* The column that gives way next; c->n: none can. */
static size_t widest(const struct columns *c, const size_t *widths)
{
	size_t best = c->n;

	for (size_t i = 0; i < c->n; i++) {
		if (widths[i] > narrowest(c, i) && (best == c->n || widths[i] > widths[best])) {
			best = i;
		}
	}
	return best;
}

static void settle_widths(const struct columns *c, size_t width, size_t *widths)
{
	size_t total = (c->n - 1) * GAP;

	for (size_t i = 0; i < c->n; i++) {
		widths[i] = columns_width(bytes_str(c->titles[i]));
		for (size_t row = 0; row < c->n_rows; row++) {
			widths[i] = MAX(widths[i], columns_width(c->cells[row * c->n + i]));
		}
		total += widths[i];
	}
	while (width != 0 && total > width) {
		size_t i = widest(c, widths);

		if (i == c->n) {
			return;
		}
		widths[i]--;
		total--;
	}
}

void columns_write(struct text *out, const struct columns *c, size_t width)
{
	struct bytes titles[COLUMNS_MAX];
	size_t widths[COLUMNS_MAX];

	ASSERT(c->n > 0 && c->n <= COLUMNS_MAX);
	settle_widths(c, width, widths);
	for (size_t i = 0; i < c->n; i++) {
		titles[i] = bytes_str(c->titles[i]);
	}
	put_row(out, titles, widths, c->n);
	for (size_t row = 0; row < c->n_rows; row++) {
		put_row(out, c->cells + row * c->n, widths, c->n);
	}
}
