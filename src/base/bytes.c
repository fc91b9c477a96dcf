#include "base/bytes.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Eight bytes with the letters among them in lower case: bit 7 of a byte is set by the first sum from 'A'
 * on, by the second behind 'Z', and not looked at above 0x7f. */
static uint64_t lower_word(uint64_t w)
{
	uint64_t low = w & EACH(0x7f);
	uint64_t letters =
		(low + EACH(0x80 - 'A')) & ~(low + EACH(0x80 - 'Z' - 1)) & ~w & EACH(0x80);

	return w | letters >> 2;
}

static uint64_t load(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static bool same_word(const char *a, const char *b)
{
	uint64_t x = load(a);
	uint64_t y = load(b);

	return x == y || lower_word(x) == lower_word(y);
}

/* The last word overlaps the one before it. */
bool bytes_same_nocase(const char *a, const char *b, size_t n)
{
	if (n >= 8) {
		for (size_t i = 0; i < n - 8; i += 8) {
			if (!same_word(a + i, b + i)) {
				return false;
			}
		}
		return same_word(a + n - 8, b + n - 8);
	}
	for (size_t i = 0; i < n; i++) {
		if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i])) {
			return false;
		}
	}
	return true;
}

struct bytes bytes_trim(struct bytes s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) {
		s.n--;
	}
	return s;
}

int bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = MIN(a.n, b.n);
	int c = n != 0 ? memcmp(a.p, b.p, n) : 0;

	if (c != 0) {
		return c;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

struct bytes bytes_cut(struct bytes *rest, char sep)
{
	const char *at = rest->n != 0 ? memchr(rest->p, sep, rest->n) : NULL;
	struct bytes head = *rest;

	if (at == NULL) {
		*rest = (struct bytes){NULL, 0};
		return head;
	}
	head.n = (size_t)(at - rest->p);
	rest->p = at + 1;
	rest->n -= head.n + 1;
	return head;
}

bool bytes_eq_secret(struct bytes a, struct bytes b)
{
	unsigned char diff = 0;

	if (a.n != b.n) {
		return false;
	}
	for (size_t i = 0; i < a.n; i++) {
		diff |= (unsigned char)((unsigned char)a.p[i] ^ (unsigned char)b.p[i]);
	}
	__asm__ volatile("" : "+r"(diff));
	return diff == 0;
}

char *bytes_dup(struct bytes s)
{
	char *copy = must_alloc(s.n + 1);

	if (s.n != 0) {
		memcpy(copy, s.p, s.n);
	}
	return copy;
}
