#include "base/bytes.h"

struct bytes bytes_str(const char *s)
{
	return (struct bytes){s, s != NULL ? strlen(s) : 0};
}

bool bytes_eq_nocase(struct bytes a, struct bytes b)
{
	if (a.n != b.n) {
		return false;
	}
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] != b.p[i] && ascii_lower(a.p[i]) != ascii_lower(b.p[i])) {
			return false;
		}
	}
	return true;
}

bool bytes_starts(struct bytes s, struct bytes prefix)
{
	return s.n >= prefix.n && bytes_eq(bytes_of(s.p, prefix.n), prefix);
}

bool bytes_starts_nocase(struct bytes s, struct bytes prefix)
{
	return s.n >= prefix.n && bytes_eq_nocase(bytes_of(s.p, prefix.n), prefix);
}

bool bytes_ends(struct bytes s, struct bytes suffix)
{
	return s.n >= suffix.n && bytes_eq(bytes_of(s.p + s.n - suffix.n, suffix.n), suffix);
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
