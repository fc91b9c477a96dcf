#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"

void text_init(struct text *t, size_t max)
{
	*t = (struct text){.max = max};
}

void text_init_fixed(struct text *t, char *storage, size_t cap)
{
	*t = (struct text){.p = storage, .cap = cap, .max = cap, .fixed = true};
}

void text_init_with(struct text *t, char *storage, size_t cap, size_t max)
{
	*t = (struct text){.p = storage, .cap = cap, .max = max, .fixed = true};
}

void text_done(struct text *t)
{
	if (!t->fixed) {
		free(t->p);
	}
	*t = (struct text){.max = t->max};
}

void text_clear(struct text *t)
{
	t->n = 0;
	t->full = false;
}

/* The text has to move; what the caller's storage held goes with it. */
static void move_to(struct text *t, size_t cap)
{
	char *old = t->p;

	t->p = must_realloc(t->fixed ? NULL : old, cap);
	if (t->fixed && t->n != 0) {
		memcpy(t->p, old, t->n);
	}
	t->fixed = false;
	t->cap = cap;
}

static bool grow(struct text *t, size_t n)
{
	size_t need;
	size_t cap = MAX(t->cap, (size_t)64);

	if (t->full || !num_add(t->n, n, &need) || need > t->max) {
		t->full = true;
		return false;
	}
	while (cap < need) {
		cap = cap > t->max / 2 ? t->max : cap * 2;
	}
	move_to(t, cap);
	return true;
}

/* Room for n more bytes, or the text is full from now on. There may be a byte beyond the maximum, which
 * is for the NUL. */
static bool reserve(struct text *t, size_t n)
{
	return (n <= MIN(t->cap, t->max) - t->n && !t->full) || grow(t, n);
}

void text_add(struct text *t, const char *p, size_t n)
{
	if (n != 0 && reserve(t, n)) {
		bytes_put(t->p + t->n, bytes_of(p, n));
		t->n += n;
	}
}

void text_add_bytes(struct text *t, struct bytes b)
{
	text_add(t, b.p, b.n);
}

void text_add_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_add_char(struct text *t, char c)
{
	if (reserve(t, 1)) {
		t->p[t->n++] = c;
	}
}

void text_add_u64(struct text *t, uint64_t v)
{
	char tmp[NUM_U64_MAX];

	text_add(t, tmp, num_format_u64(tmp, v));
}

void text_addv(struct text *t, const char *fmt, va_list ap)
{
	va_list again;
	char small[256];
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	ASSERT(n >= 0);
	if ((size_t)n < sizeof(small)) {
		text_add(t, small, (size_t)n);
	} else if (reserve(t, (size_t)n)) {
		/* Not in place: the NUL of vsnprintf would need a byte that may be beyond the maximum. */
		char *large = must_alloc((size_t)n + 1);

		vsnprintf(large, (size_t)n + 1, fmt, again);
		text_add(t, large, (size_t)n);
		free(large);
	}
	va_end(again);
}

void text_addf(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_addv(t, fmt, ap);
	va_end(ap);
}

void text_add_utf8(struct text *out, unsigned code)
{
	char c[4];
	size_t n = 0;

	if (code < 0x80) {
		c[n++] = (char)code;
	} else {
		if (code < 0x800) {
			c[n++] = (char)(0xc0 | code >> 6);
		} else {
			if (code < 0x10000) {
				c[n++] = (char)(0xe0 | code >> 12);
			} else {
				c[n++] = (char)(0xf0 | code >> 18);
				c[n++] = (char)(0x80 | (code >> 12 & 0x3f));
			}
			c[n++] = (char)(0x80 | (code >> 6 & 0x3f));
		}
		c[n++] = (char)(0x80 | (code & 0x3f));
	}
	text_add(out, c, n);
}

/* RFC 3629 §4. */
size_t text_utf8(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t len;

	if (s[0] < 0x80) {
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4) {
		return 0;
	}
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n < len) {
		return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return len;
}

/* How many bytes at the front stand in a JSON string as they are. */
static size_t plain_ascii(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
		i++;
	}
	return i;
}

void text_add_json(struct text *t, struct bytes b)
{
	for (size_t i = 0; i < b.n;) {
		unsigned char c = (unsigned char)b.p[i];
		size_t len = plain_ascii(b.p + i, b.n - i);

		if (len != 0) {
			/* As far as there is room, like all that follows; one byte too many says that it is full. */
			len = MAX(MIN(len, t->max - t->n), 1u);
			text_add(t, b.p + i, len);
			i += len;
		} else if (c == '"' || c == '\\') {
			text_add(t, c == '"' ? "\\\"" : "\\\\", 2);
			i++;
		} else if (c == '\n') {
			text_add(t, "\\n", 2);
			i++;
		} else if (c < 0x20 || c == 0x7f) {
			text_addf(t, "\\u%04x", c);
			i++;
		} else if ((len = text_utf8(b.p + i, b.n - i)) != 0) {
			text_add(t, b.p + i, len);
			i += len;
		} else {
			text_add_str(t, "\xef\xbf\xbd");
			i++;
		}
	}
}

const char *text_cstr(struct text *t)
{
	bool full = t->full;

	if (t->n < t->cap) {
		t->p[t->n] = '\0';
		return t->p;
	}
	/* The NUL does not count against the maximum of heap texts. */
	if (t->fixed && t->cap == t->max) {
		return "";
	}
	move_to(t, t->n + 1);
	t->p[t->n] = '\0';
	t->full = full;
	return t->p;
}
