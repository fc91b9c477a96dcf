/*
 * Running through strings in blocks of 64 bytes.
 *
 * A block becomes masks, a bit per byte, and is settled whole: escapes, their hexadecimal digits and
 * UTF-8 sequences are checked by shifting masks, so a block costs the same with ten escapes as with
 * one. (A stop per escape was measured first: real prompts are full of \n and \", and the stops cost
 * more than the bytes.) No state is carried over: when a character or escape is cut by the end of a
 * block, the next block begins at its first byte.
 *
 * Nothing is refused here. Where a block has a fault, running stops before it, and json_string.c, which
 * looks at every byte, says what is wrong. So a fault is described in one place only.
 */
#include "wire/json_int.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
#endif

#define BLOCK 64
#define ODD 0xaaaaaaaaaaaaaaaaull
/* An escape or character that the block cuts begins behind this byte: 6 bytes are \uXXXX. */
#define CUT_BEHIND (BLOCK - 6)
/* Not a place in a block. */
#define TO_SETTLE (BLOCK + 1)

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Every block needs these. */
struct plain {
	uint64_t quote, slash;
	uint64_t low;  /* below 0x20 */
	uint64_t high; /* above 0x7f */
};

/* Only blocks with a backslash. */
struct escapes {
	uint64_t simple; /* one of "\/bfnrt; of interest behind a backslash only */
	uint64_t u;
	uint64_t hex;
};

ALWAYS_INLINE unsigned lowest(uint64_t mask)
{
	return mask != 0 ? (unsigned)__builtin_ctzll(mask) : BLOCK;
}

ALWAYS_INLINE unsigned highest(uint64_t mask)
{
	return 63u - (unsigned)__builtin_clzll(mask);
}

/* Bits 0..n. */
ALWAYS_INLINE uint64_t up_to(unsigned n)
{
	return n >= BLOCK - 1 ? ~0ull : (2ull << n) - 1;
}

/*
 * Bytes that stand behind an escaping backslash. In a run of backslashes every second one is escaped;
 * the byte behind the run is, when the run's length is odd. Adding a run's first bit to the run clears
 * it and carries into the bit behind, so all runs that begin at even places are treated by one addition
 * and the others by another.
 */
ALWAYS_INLINE uint64_t escaped_bytes(uint64_t slash)
{
	uint64_t starts = slash & ~(slash << 1);
	uint64_t even_sum = slash + (starts & ~ODD);
	uint64_t even_runs = slash & ~even_sum;
	uint64_t odd_runs = slash & even_sum;
	uint64_t behind_even = even_sum & ~slash;
	uint64_t behind_odd = (odd_runs + (starts & ODD)) & ~slash;

	return ((even_runs | behind_even) & ODD) | ((odd_runs | behind_odd) & ~ODD);
}

/*
 * Takes escaped quotes out of m->quote. Returns the byte where clean running ends on account of
 * escapes or quotes or control characters, BLOCK when it does not.
 */
ALWAYS_INLINE unsigned settle_escapes(struct plain *m, uint64_t behind, const struct escapes *e)
{
	uint64_t u = behind & e->u;
	uint64_t digits = u << 1 | u << 2 | u << 3 | u << 4;
	uint64_t bad = (behind & ~(e->simple | e->u)) | (digits & ~e->hex);
	uint64_t first = m->slash & ~behind;
	unsigned n;

	m->quote &= ~behind;
	n = lowest(m->quote | m->low | bad);
	if (n < BLOCK) {
		/* The bad byte may be a backslash itself: its own does not count. */
		return (bad >> n & 1) != 0 ? highest(first & up_to(n) >> 1) : n;
	}
	if ((first >> 63) != 0) {
		return 63;
	}
	return (u >> 60) != 0 ? lowest(u & ~0ull << 60) - 1 : BLOCK;
}

/* RFC 3629 §4: E0 A0..BF, ED 80..9F, F0 90..BF, F4 80..8F. p[i] is one of the four and i < 63. */
ALWAYS_INLINE bool narrow_is_good(const char *p, unsigned i)
{
	unsigned char a = (unsigned char)p[i];
	unsigned char b = (unsigned char)p[i + 1];

	return a == 0xe0 ? b >= 0xa0 : a == 0xed ? b < 0xa0 : a == 0xf0 ? b >= 0x90 : b < 0x90;
}

/* --- masks by looking at bytes: any machine ------------------------------------------------------- */

/* Bit 7 of each byte says whether that byte of x is zero. */
ALWAYS_INLINE uint64_t zero_bytes(uint64_t x)
{
	const uint64_t low7 = 0x7f7f7f7f7f7f7f7full;

	return ~(((x & low7) + low7) | x | low7);
}

/* Bit 7 of each byte becomes one bit: the multiplication moves the eight next to each other. */
ALWAYS_INLINE uint64_t gather_bits(uint64_t x)
{
	return (x >> 7) * 0x0102040810204080ull >> 56;
}

ALWAYS_INLINE struct plain plain_portable(const char *p)
{
	const uint64_t each = 0x0101010101010101ull;
	struct plain m = {0};

	for (unsigned i = 0; i < BLOCK; i += 8) {
		uint64_t x;

		memcpy(&x, p + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		x = __builtin_bswap64(x);
#endif
		m.quote |= gather_bits(zero_bytes(x ^ each * '"')) << i;
		m.slash |= gather_bits(zero_bytes(x ^ each * '\\')) << i;
		m.low |= gather_bits(zero_bytes(x & each * 0xe0)) << i;
		m.high |= gather_bits(x & each * 0x80) << i;
	}
	return m;
}

ALWAYS_INLINE bool is_simple_escape(char c)
{
	return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' ||
		c == 't';
}

ALWAYS_INLINE bool is_hex(char c)
{
	return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

static struct escapes escapes_portable(const char *p, uint64_t behind)
{
	struct escapes e = {0};

	for (; behind != 0; behind &= behind - 1) {
		unsigned i = lowest(behind);

		e.simple |= (uint64_t)is_simple_escape(p[i]) << i;
		if (p[i] != 'u') {
			continue;
		}
		e.u |= 1ull << i;
		for (unsigned k = i + 1; k <= i + 4 && k < BLOCK; k++) {
			e.hex |= (uint64_t)is_hex(p[k]) << k;
		}
	}
	return e;
}

static bool is_next(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Bytes of the well-formed sequence at p, of which n are there (RFC 3629 §4); 0: wrong or cut. */
ALWAYS_INLINE unsigned sequence_length(const char *p, unsigned n)
{
	unsigned char c = (unsigned char)*p;

	if (c >= 0xe0 && c < 0xf0) {
		return n >= 3 && is_next(p[1]) && is_next(p[2]) &&
				((c != 0xe0 && c != 0xed) || narrow_is_good(p, 0))
			? 3
			: 0;
	}
	if (c < 0xe0) {
		return c >= 0xc2 && n >= 2 && is_next(p[1]) ? 2 : 0;
	}
	return c < 0xf5 && n >= 4 && is_next(p[1]) && is_next(p[2]) && is_next(p[3]) &&
			((c != 0xf0 && c != 0xf4) || narrow_is_good(p, 0))
		? 4
		: 0;
}

/* settle_utf8 without masks: sequence by sequence, stepping over what is ASCII. */
static unsigned walk_utf8(const char *p, unsigned n, uint64_t high)
{
	unsigned at = lowest(high);

	while (at < n) {
		unsigned len = sequence_length(p + at, n - at);

		if (len == 0) {
			return at;
		}
		at += len;
		if (at < n && (high >> at & 1) == 0) {
			at = lowest(high & ~up_to(at));
		}
	}
	return n;
}

/* What all ways do with a block that has escapes or bytes above 0x7f, when no wide registers help. */
ALWAYS_INLINE unsigned settle_portable(const char *p, struct plain *m, bool *escaped)
{
	unsigned n = lowest(m->quote | m->low);

	if (m->slash != 0) {
		uint64_t behind = escaped_bytes(m->slash);
		struct escapes e = escapes_portable(p, behind);

		n = settle_escapes(m, behind, &e);
		*escaped = *escaped || (n != 0 && (m->slash & up_to(n - 1)) != 0);
	}
	if (m->high != 0 && lowest(m->high) < n) {
		n = walk_utf8(p, n, m->high);
	}
	return n;
}

/* The end of a piece: zeros behind it stop the run like any control character. */
static const char *run_tail(const char *p, const char *end, bool *escaped)
{
	char block[BLOCK] = {0};
	struct plain m;

	memcpy(block, p, (size_t)(end - p));
	m = plain_portable(block);
	return p + settle_portable(block, &m, escaped);
}

const char *json_run_portable(const char *p, const char *end, bool *escaped)
{
	while (end - p >= BLOCK) {
		struct plain m = plain_portable(p);
		unsigned n = settle_portable(p, &m, escaped);

		p += n;
		if (n <= CUT_BEHIND) {
			return p;
		}
	}
	return p < end && *p != '"' ? run_tail(p, end, escaped) : p;
}

#if defined(__x86_64__)

/* --- 16 bytes at a time: every machine of this kind ------------------------------------------------ */

ALWAYS_INLINE uint64_t bits16(__m128i v)
{
	return (uint32_t)_mm_movemask_epi8(v);
}

ALWAYS_INLINE struct plain plain_sse2(const char *p)
{
	struct plain m = {0};

	for (unsigned i = 0; i < BLOCK; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);

		m.quote |= bits16(_mm_cmpeq_epi8(v, _mm_set1_epi8('"'))) << i;
		m.slash |= bits16(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))) << i;
		m.low |= bits16(low) << i;
		m.high |= bits16(v) << i;
	}
	return m;
}

const char *json_run_sse2(const char *p, const char *end, bool *escaped)
{
	while (end - p >= BLOCK) {
		struct plain m = plain_sse2(p);
		unsigned n = settle_portable(p, &m, escaped);

		p += n;
		if (n <= CUT_BEHIND) {
			return p;
		}
	}
	return p < end && *p != '"' ? run_tail(p, end, escaped) : p;
}

/* --- 32 bytes at a time ----------------------------------------------------------------------------- */

struct wide {
	__m256i a, b;
};

AVX2 ALWAYS_INLINE uint64_t bits32(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(a) |
		(uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

AVX2 ALWAYS_INLINE uint64_t eq_wide(const struct wide *w, char c)
{
	__m256i k = _mm256_set1_epi8(c);

	return bits32(_mm256_cmpeq_epi8(w->a, k), _mm256_cmpeq_epi8(w->b, k));
}

/* Bytes that are at least k, as unsigned. */
AVX2 ALWAYS_INLINE uint64_t ge_wide(const struct wide *w, unsigned char least)
{
	__m256i k = _mm256_set1_epi8((char)least);

	return bits32(_mm256_cmpeq_epi8(_mm256_max_epu8(w->a, k), w->a),
		_mm256_cmpeq_epi8(_mm256_max_epu8(w->b, k), w->b));
}

AVX2 ALWAYS_INLINE struct wide load_wide(const char *p)
{
	return (struct wide){_mm256_loadu_si256((const __m256i *)(const void *)p),
		_mm256_loadu_si256((const __m256i *)(const void *)(p + 32))};
}

AVX2 ALWAYS_INLINE struct plain plain_avx2(const struct wide *w)
{
	return (struct plain){.quote = eq_wide(w, '"'),
		.slash = eq_wide(w, '\\'),
		.low = ~ge_wide(w, 0x20),
		.high = bits32(w->a, w->b)};
}

/*
 * The kind of each byte, found by its two halves: kinds that both tables name. 1, 2, 4, 8: the simple
 * escapes with high half 2, 5, 6, 7; 16, 32, 64: hexadecimal digits with 3, 4, 6.
 */
AVX2 ALWAYS_INLINE __m256i kinds(__m256i v)
{
	const __m256i by_high = _mm256_setr_epi8(0, 0, 1, 16, 32, 2, 4 | 64, 8, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 1, 16, 32, 2, 4 | 64, 8, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i by_low =
		_mm256_setr_epi8(16, 16 | 96, 1 | 4 | 8 | 16 | 96, 16 | 96, 8 | 16 | 96, 16 | 96,
			4 | 16 | 96, 16, 16, 16, 0, 0, 2, 0, 4, 1, 16, 16 | 96, 1 | 4 | 8 | 16 | 96,
			16 | 96, 8 | 16 | 96, 16 | 96, 4 | 16 | 96, 16, 16, 16, 0, 0, 2, 0, 4, 1);
	const __m256i half = _mm256_set1_epi8(15);
	__m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), half);

	return _mm256_and_si256(_mm256_shuffle_epi8(by_low, _mm256_and_si256(v, half)),
		_mm256_shuffle_epi8(by_high, high));
}

AVX2 ALWAYS_INLINE __m256i has_kind(__m256i kind, char any)
{
	return _mm256_cmpgt_epi8(
		_mm256_and_si256(kind, _mm256_set1_epi8(any)), _mm256_setzero_si256());
}

AVX2 ALWAYS_INLINE struct escapes escapes_avx2(const struct wide *w)
{
	__m256i a = kinds(w->a);
	__m256i b = kinds(w->b);

	return (struct escapes){.simple = bits32(has_kind(a, 15), has_kind(b, 15)),
		.u = eq_wide(w, 'u'),
		.hex = bits32(has_kind(a, 112), has_kind(b, 112))};
}

/* Only blocks with a byte above 0x7f. */
struct utf8 {
	uint64_t next;   /* 80..BF */
	uint64_t lead;   /* C2..F4: what starts a sequence */
	uint64_t three;  /* E0..F4: has a third byte */
	uint64_t four;   /* F0..F4: has a fourth */
	uint64_t narrow; /* E0, ED, F0, F4: the second byte is bounded closer */
	uint64_t never;  /* C0, C1, F5..FF */
};

AVX2 ALWAYS_INLINE struct utf8 utf8_avx2(const struct wide *w, uint64_t high)
{
	uint64_t c0 = ge_wide(w, 0xc0);
	uint64_t c2 = ge_wide(w, 0xc2);
	uint64_t e0 = ge_wide(w, 0xe0);
	uint64_t f0 = ge_wide(w, 0xf0);
	uint64_t f5 = ge_wide(w, 0xf5);

	return (struct utf8){.next = high & ~c0,
		.lead = c2 & ~f5,
		.three = e0 & ~f5,
		.four = f0 & ~f5,
		.narrow = eq_wide(w, (char)0xe0) | eq_wide(w, (char)0xed) | eq_wide(w, (char)0xf0) |
			eq_wide(w, (char)0xf4),
		.never = (c0 & ~c2) | f5};
}

/* n is where the block ends so far; returns where it ends on account of UTF-8. */
ALWAYS_INLINE unsigned settle_utf8(const char *p, unsigned n, const struct utf8 *m)
{
	uint64_t due = m->lead << 1 | m->three << 2 | m->four << 3;
	uint64_t bad = ((due ^ m->next) | m->never) & up_to(n);
	uint64_t narrow = m->narrow & up_to(n);
	uint64_t cut;

	/* What follows a byte at 63 is seen when the next block begins at it. */
	for (narrow &= ~(1ull << 63); narrow != 0; narrow &= narrow - 1) {
		unsigned i = lowest(narrow);

		if (!narrow_is_good(p, i)) {
			bad |= 1ull << i;
		}
	}
	if (bad != 0) {
		unsigned at = lowest(bad);
		bool missing = (due & ~m->next) >> at & 1;

		return MIN(n, missing ? highest(m->lead & up_to(at) >> 1) : at);
	}
	if (n < BLOCK) {
		return n;
	}
	cut = (m->lead & 1ull << 63) | (m->three & 3ull << 62) | (m->four & 7ull << 61);
	return lowest(cut);
}

AVX2 ALWAYS_INLINE unsigned settle_avx2(const char *p, bool *escaped)
{
	struct wide w = load_wide(p);
	struct plain m = plain_avx2(&w);
	unsigned n = lowest(m.quote | m.low);

	if (m.slash != 0) {
		struct escapes e = escapes_avx2(&w);

		n = settle_escapes(&m, escaped_bytes(m.slash), &e);
		*escaped = *escaped || (n != 0 && (m.slash & up_to(n - 1)) != 0);
	}
	if (m.high != 0 && lowest(m.high) < n) {
		struct utf8 u = utf8_avx2(&w, m.high);

		n = settle_utf8(p, n, &u);
	}
	return n;
}

/*
 * What is escaped in nearly all blocks, but for quotes: none of the rarer \b and \u. A byte is looked up by its low half,
 * where n t / \ f r have places of their own.
 */
AVX2 ALWAYS_INLINE uint64_t common_escapes(const struct wide *w)
{
	const __m256i by_low = _mm256_setr_epi8(-1, 0, 'r', 0, 't', 0, 'f', 0, 0, 0, 0, 0, '\\', 0,
		'n', '/', -1, 0, 'r', 0, 't', 0, 'f', 0, 0, 0, 0, 0, '\\', 0, 'n', '/');

	return bits32(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(by_low, w->a), w->a),
		_mm256_cmpeq_epi8(_mm256_shuffle_epi8(by_low, w->b), w->b));
}

/*
 * A block of ASCII with common escapes: most are, and need no more work. Returns where the next one begins: BLOCK, or
 * one less when an escape is cut. Or where the closing quote stands, or TO_SETTLE.
 */
AVX2 ALWAYS_INLINE unsigned skip_common(const char *p, bool *escaped)
{
	struct wide w = load_wide(p);
	__m256i low = _mm256_set1_epi8(0x1f);
	/* Signed: bytes above 0x7f are less, too. */
	__m256i fine = _mm256_and_si256(_mm256_cmpgt_epi8(w.a, low), _mm256_cmpgt_epi8(w.b, low));
	uint64_t quote = eq_wide(&w, '"');
	uint64_t slash = eq_wide(&w, '\\');
	uint64_t behind, stop;
	unsigned n;

	if (_mm256_movemask_epi8(fine) != -1) {
		return TO_SETTLE;
	}
	if (slash == 0) {
		return lowest(quote);
	}
	behind = (slash & slash << 1) != 0 ? escaped_bytes(slash) : slash << 1;
	/* A quote that is not escaped, or what is escaped and neither a quote nor a common letter. */
	stop = (quote ^ behind) & ~common_escapes(&w);
	if (stop == 0) {
		*escaped = true;
		return (slash & ~behind) >> (BLOCK - 1) == 0 ? BLOCK : BLOCK - 1;
	}
	n = lowest(stop);
	if ((quote >> n & 1) == 0) {
		return TO_SETTLE;
	}
	*escaped = *escaped || (slash & ((1ull << n) - 1)) != 0;
	return n;
}

AVX2 static __attribute__((noinline)) const char *run_tail_avx2(
	const char *p, const char *end, bool *escaped)
{
	char block[BLOCK] = {0};

	memcpy(block, p, (size_t)(end - p));
	return p + settle_avx2(block, escaped);
}

/* From a block that has to be settled. */
AVX2 static __attribute__((noinline)) const char *run_rest_avx2(
	const char *p, const char *end, bool *escaped)
{
	while (end - p >= BLOCK) {
		unsigned n = skip_common(p, escaped);

		/* A constant, so that the next block need not wait for what is known of this one. */
		if (n == BLOCK) {
			p += BLOCK;
			continue;
		}
		if (n == TO_SETTLE) {
			n = settle_avx2(p, escaped);
		}
		p += n;
		if (n <= CUT_BEHIND) {
			return p;
		}
	}
	return p < end && *p != '"' ? run_tail_avx2(p, end, escaped) : p;
}

AVX2 const char *json_run_avx2(const char *p, const char *end, bool *escaped)
{
	while (end - p >= BLOCK) {
		unsigned n = skip_common(p, escaped);

		if (n == BLOCK) {
			p += BLOCK;
			continue;
		}
		if (n > BLOCK) {
			return run_rest_avx2(p, end, escaped);
		}
		p += n;
		if (n <= CUT_BEHIND) {
			return p;
		}
	}
	return p < end && *p != '"' ? run_tail_avx2(p, end, escaped) : p;
}

#endif

const struct json_run *json_runs(size_t *n_out)
{
	static const struct json_run ways[] = {
#if defined(__x86_64__)
		{"avx2", json_run_avx2},
		{"sse2", json_run_sse2},
#endif
		{"portable", json_run_portable},
	};
	size_t skip = 0;

#if defined(__x86_64__)
	/* A load and a test: the processor was asked once, before main. */
	if (!__builtin_cpu_supports("avx2")) {
		skip = 1;
	}
#endif
	*n_out = ARRAY_LEN(ways) - skip;
	return ways + skip;
}
