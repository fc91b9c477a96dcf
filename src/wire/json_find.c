#include "wire/json.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

/* Places that are looked at together. */
#define WINDOW 16u

static bool stands_at(const char *p, struct bytes name)
{
	return p[0] == '"' && p[name.n + 1] == '"' && memcmp(p + 1, name.p, name.n) == 0;
}

#if defined(__x86_64__)
/* Of the places from p on those where the name's first letter and its last but one are: quotes stand everywhere. */
static inline __m128i candidates(const char *p, struct bytes name)
{
	__m128i first = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
	__m128i later = _mm_loadu_si128((const __m128i *)(const void *)(p + name.n - 1));

	return _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8(name.p[0])),
		_mm_cmpeq_epi8(later, _mm_set1_epi8(name.p[name.n - 2])));
}

static inline unsigned bits(__m128i v)
{
	return (unsigned)_mm_movemask_epi8(v);
}

/* How many windows from p on have no candidate; at most n. Two at once: most texts have few. */
static size_t skip_windows(const char *p, size_t n, struct bytes name)
{
	size_t i = 0;

	while (n - i >= 2 &&
		bits(_mm_or_si128(candidates(p + i * WINDOW, name),
			candidates(p + (i + 1) * WINDOW, name))) == 0) {
		i += 2;
	}
	return i;
}

static const char *find_in_window(const char *p, struct bytes name)
{
	for (unsigned at = bits(candidates(p, name)); at != 0; at &= at - 1) {
		const char *q = p + __builtin_ctz(at);

		if (stands_at(q, name)) {
			return q;
		}
	}
	return NULL;
}
#else
static size_t skip_windows(const char *p, size_t n, struct bytes name)
{
	(void)p;
	(void)n;
	(void)name;
	return 0;
}

static const char *find_in_window(const char *p, struct bytes name)
{
	for (unsigned i = 0; i < WINDOW; i++) {
		if (stands_at(p + i, name)) {
			return p + i;
		}
	}
	return NULL;
}
#endif

const char *json_find_name(struct bytes text, struct bytes name)
{
	size_t at = 0;
	size_t places;

	ASSERT(name.n >= 2);
	if (text.n < name.n + 2) {
		return NULL;
	}
	places = text.n - name.n - 1;
	while (places - at >= WINDOW) {
		const char *found;

		at += skip_windows(text.p + at, (places - at) / WINDOW, name) * WINDOW;
		if (places - at < WINDOW) {
			break;
		}
		found = find_in_window(text.p + at, name);
		if (found != NULL) {
			return found;
		}
		at += WINDOW;
	}
	for (; at < places; at++) {
		if (stands_at(text.p + at, name)) {
			return text.p + at;
		}
	}
	return NULL;
}
