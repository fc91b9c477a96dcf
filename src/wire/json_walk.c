/*
 * What may stand where (RFC 8259 §2–§6), and which of it is wanted.
 *
 * One loop over tokens and seven states between them; no recursion, a bit per open container. Containers on
 * wanted paths are "tracked", from the top down; once a container is open that is not, nothing inside it is
 * compared with anything until it closes.
 *
 * Nearly all tokens of a request or an answer are short: keys, numbers, words, identifiers. So what is plain and
 * short is taken in passing, with the state in registers, and members in a row by a loop of their own that asks
 * once for each whether there are enough bytes. The last bytes of a piece are therefore walked in a copy with
 * zeros behind it, where each token ends. All else goes to json_token.c, which alone refuses scalars. (An index of
 * all quotes and brackets, made by blocks of 64 bytes and walked afterwards, was considered: to make it costs as
 * much as the walk. Compiled for wider registers it was no quicker.) The file is long because all of it becomes one
 * function.
 */
#include "wire/json_int.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

/* What is looked at without asking for each byte: two strings of SHORT_MAX with their quotes, a colon, two blanks, a
 * comma and a byte behind it. */
#define ROOM 80
#define SHORT_MAX 32

#define ALWAYS_INLINE static inline __attribute__((always_inline))

struct reach {
	const char *end; /* of the piece, or of its copied end */
	const char
		*limit; /* what begins before it has ROOM bytes to be read, of the text or zeros */
};

/* What the loop keeps in registers. s has it when another file's function is called. */
struct walk {
	struct json_scan *s;
	struct reach reach;
	const struct json_node *in; /* the container at hand when it is tracked, else NULL */
	const struct json_node *at; /* where the next value stands; NULL: nowhere wanted */
	uint64_t kinds;             /* of containers: 1 is an object */
	unsigned state;             /* enum json_state */
};

/* --- what was found ------------------------------------------------------------------------------- */

/* json_scan_report, without a call where one want is met in any case and there is room. */
ALWAYS_INLINE bool report(struct json_scan *s, const struct json_node *node,
	const struct json_hit *hit, struct bytes text)
{
	struct json_hits *h = s->hits;

	if (node->literals != 0 || (node->wants & (node->wants - 1)) != 0 || h->n >= h->cap) {
		return json_scan_report(s, node, hit, text);
	}
	h->v[h->n] = *hit;
	h->v[h->n].want = (uint8_t)__builtin_ctz(node->wants);
	h->n++;
	return true;
}

/* --- containers ----------------------------------------------------------------------------------- */

/* A bit for each open container is in w->kinds, the innermost one's lowest; those of the outer 64 are in s when there
 * are more. */
static_assert(JSON_DEPTH_MAX == 128, "two words");

ALWAYS_INLINE bool in_object(const struct walk *w)
{
	return (w->kinds & 1) != 0;
}

ALWAYS_INLINE const char *open_container(struct walk *w, const char *p, bool object)
{
	struct json_scan *s = w->s;

	if (s->depth == JSON_DEPTH_MAX) {
		return json_scan_refuse(
			s, ERR_LIMIT, json_scan_offset(s, p), "nested more than 128 deep");
	}
	if (s->depth == 64) {
		s->outer_kinds = w->kinds;
	}
	s->depth++;
	w->kinds = w->kinds << 1 | object;
	w->state = object ? JSON_AT_FIRST_KEY : JSON_AT_FIRST_VALUE;
	w->in = w->at;
	if (w->at != NULL) {
		s->tracked++;
		s->level_node[s->tracked] = w->at;
		s->level_beg[s->tracked] = json_scan_offset(s, p);
		w->at = object ? NULL : w->at->first;
	}
	return p + 1;
}

/* The innermost tracked container, at hand and wanted, ends before p. */
ALWAYS_INLINE bool report_container(struct walk *w, const char *p)
{
	struct json_scan *s = w->s;
	const struct json_hit hit = {.beg = s->level_beg[s->tracked],
		.end = json_scan_offset(s, p),
		.type = in_object(w) ? JSON_OBJECT : JSON_ARRAY,
		.empty = s->top_empty};

	return report(s, w->in, &hit, bytes_of(NULL, 0));
}

ALWAYS_INLINE const char *close_container(struct walk *w, const char *p, bool empty)
{
	struct json_scan *s = w->s;

	/* The last one to close is the top. */
	s->top_empty = empty;
	p++;
	if (w->in != NULL) {
		if (w->in->wants != 0 && !report_container(w, p)) {
			return NULL;
		}
		s->tracked--;
	}
	s->depth--;
	w->in = s->tracked == s->depth ? s->level_node[s->tracked] : NULL;
	w->kinds = s->depth != 64 ? w->kinds >> 1 : s->outer_kinds;
	w->state = s->depth != 0 ? JSON_AT_NEXT : JSON_AT_END;
	return p;
}

/* --- running over scalars ------------------------------------------------------------------------- */

#if defined(__x86_64__)
/* A bit for each of 16 bytes that ends a plain string or is not plain. */
ALWAYS_INLINE uint64_t stops_16(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
	/* Signed: bytes above 0x7f are less, too. */
	__m128i fine = _mm_cmpgt_epi8(v, _mm_set1_epi8(0x1f));

	return (unsigned)_mm_movemask_epi8(_mm_andnot_si128(_mm_or_si128(quote, slash), fine)) ^
		0xffffull;
}
#else
static uint64_t stops_16(const char *p)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '"' || c == '\\' || c < 0x20 || c > 0x7f) {
			return 1ull << i;
		}
	}
	return 0;
}
#endif

/* To the first of SHORT_MAX bytes that is no plain text, or behind them. */
ALWAYS_INLINE const char *skip_short(const char *p)
{
	uint64_t stops = stops_16(p);

	static_assert(SHORT_MAX == 32, "twice 16");
	if (stops != 0) {
		return p + __builtin_ctzll(stops);
	}
	return p + 16 + __builtin_ctzll(stops_16(p + 16) | 1ull << 16);
}

/* Over digits; at least one, else NULL. */
ALWAYS_INLINE const char *skip_digits(const char *p, const char *end)
{
	const char *beg = p;

	while (p < end && ascii_digit(*p)) {
		p++;
	}
	return p != beg ? p : NULL;
}

/* Over a number that ends before the piece does: number = [ minus ] int [ frac ] [ exp ] (RFC 8259 §6). NULL: it is
 * cut or wrong. */
ALWAYS_INLINE const char *skip_number(const char *p, const char *end)
{
	p += *p == '-';
	p = p < end && *p == '0' ? p + 1 : skip_digits(p, end);
	if (p != NULL && p < end && *p == '.') {
		p = skip_digits(p + 1, end);
	}
	if (p != NULL && p < end && (*p | 0x20) == 'e') {
		p++;
		p = skip_digits(p + (p < end && (*p == '+' || *p == '-')), end);
	}
	return p != end ? p : NULL;
}

/* --- values --------------------------------------------------------------------------------------- */

/* A scalar as it is found; what stands behind it is in state `behind`. */
struct scalar {
	const char *beg;
	enum json_type type;
	bool escaped;
	enum json_state behind;
};

/* A whole scalar ends before p. */
ALWAYS_INLINE const char *end_scalar(struct walk *w, const struct scalar *v, const char *p)
{
	struct json_scan *s = w->s;

	w->state = v->behind;
	if (w->at != NULL && w->at->wants != 0) {
		const struct json_hit hit = {.beg = json_scan_offset(s, v->beg),
			.end = json_scan_offset(s, p),
			.type = (uint8_t)v->type,
			.escaped = v->escaped};

		/* The text is one only when it is a string, and else not looked at. */
		return report(s, w->at, &hit, bytes_of(v->beg + 1, (size_t)(p - v->beg) - 2))
			? p
			: NULL;
	}
	return p;
}

/* What another file's function left behind. */
ALWAYS_INLINE const char *come_back(struct walk *w, const char *p)
{
	w->state = w->s->state;
	w->at = w->s->node;
	return p;
}

ALWAYS_INLINE void go_away(struct walk *w, const char *p)
{
	w->s->node = w->at;
	w->s->beg = json_scan_offset(w->s, p);
}

/* The string v is plain up to p, and longer, or it has escapes, is cut or wrong. */
ALWAYS_INLINE const char *take_long(struct walk *w, struct scalar *v, const char *p)
{
	bool escaped = false;

	p = w->s->run(p, w->reach.end, &escaped);
	if (p < w->reach.end && *p == '"' && (!escaped || w->at == NULL || w->at->literals == 0)) {
		v->escaped = escaped;
		return end_scalar(w, v, p + 1);
	}
	go_away(w, v->beg);
	return come_back(w, json_take_string(w->s, v->beg + 1, w->reach.end, false));
}

ALWAYS_INLINE const char *take_string(struct walk *w, const char *p, enum json_state behind)
{
	struct scalar v = {.beg = p, .type = JSON_STRING, .behind = behind};

	p = skip_short(p + 1);
	return *p == '"' ? end_scalar(w, &v, p + 1) : take_long(w, &v, p);
}

ALWAYS_INLINE const char *take_number(struct walk *w, const char *p, enum json_state behind)
{
	struct scalar v = {.beg = p, .type = JSON_NUMBER, .behind = behind};

	p = skip_number(p, w->reach.end);
	if (p != NULL) {
		return end_scalar(w, &v, p);
	}
	go_away(w, v.beg);
	return come_back(w, json_start_number(w->s, v.beg, w->reach.end));
}

ALWAYS_INLINE const char *take_word(struct walk *w, struct scalar *v, struct bytes word)
{
	if ((size_t)(w->reach.end - v->beg) >= word.n && memcmp(v->beg, word.p, word.n) == 0) {
		return end_scalar(w, v, v->beg + word.n);
	}
	go_away(w, v->beg);
	return come_back(w, json_start_word(w->s, v->beg, w->reach.end, v->type));
}

/* By its first byte; what begins no value is refused soon. */
static enum json_type type_of(char c)
{
	static const uint8_t types[128] = {['"'] = JSON_STRING,
		['{'] = JSON_OBJECT,
		['['] = JSON_ARRAY,
		['t'] = JSON_TRUE,
		['f'] = JSON_FALSE,
		['n'] = JSON_NULL};

	return c == '-' || ascii_digit(c) ? JSON_NUMBER : (enum json_type)types[c & 0x7f];
}

ALWAYS_INLINE const char *take_value(struct walk *w, const char *p)
{
	bool top = w->s->depth == 0;
	struct scalar v = {.beg = p, .behind = top ? JSON_AT_END : JSON_AT_NEXT};

	if (top) {
		w->s->top = (uint8_t)type_of(*p);
		w->s->top_at = json_scan_offset(w->s, p);
	}
	switch (*p) {
	case '"':
		return take_string(w, p, v.behind);
	case '{':
		return open_container(w, p, true);
	case '[':
		return open_container(w, p, false);
	case 't':
		v.type = JSON_TRUE;
		return take_word(w, &v, BYTES("true"));
	case 'f':
		v.type = JSON_FALSE;
		return take_word(w, &v, BYTES("false"));
	case 'n':
		v.type = JSON_NULL;
		return take_word(w, &v, BYTES("null"));
	default:
		return *p == '-' || ascii_digit(*p)
			? take_number(w, p, v.behind)
			: json_scan_refuse_byte(w->s, p, "expected a value");
	}
}

/* --- members as machines write them --------------------------------------------------------------- */

/* How many of eight bytes are digits, from the first one on. */
ALWAYS_INLINE unsigned count_digits(const char *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t each = 0x0101010101010101ull;
	uint64_t x;

	/* A digit becomes 0..9, and what is more than that gets its highest bit, as does what had it. The carry of a
	 * byte reaches those behind it only. */
	memcpy(&x, p, 8);
	x ^= each * '0';
	x = (x | (x + each * (0x80 - 10))) & each * 0x80;
	return x != 0 ? (unsigned)__builtin_ctzll(x) / 8 : 8;
#else
	unsigned n = 0;

	while (n < 8 && ascii_digit(p[n])) {
		n++;
	}
	return n;
#endif
}

/* json_key_head of less than eight bytes, where eight can be read. */
ALWAYS_INLINE uint64_t short_head(const char *key, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	static const uint64_t masks[8] = {0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff,
		0xffffffffffff, 0xffffffffffffff};
	uint64_t head;

	memcpy(&head, key, 8);
	return head & masks[n];
#else
	return json_key_head(bytes_of(key, n));
#endif
}

/* Whether two keys of 17 to 32 bytes are the same but for their first and last eight. */
ALWAYS_INLINE bool same_middle(const char *a, const char *b, size_t n)
{
	return memcmp(a + 8, b + 8, 8) == 0 && memcmp(a + n - 16, b + n - 16, 8) == 0;
}

/* The place behind a key of n <= SHORT_MAX bytes, of which eight can be read wherever it ends. */
ALWAYS_INLINE const struct json_node *step(const struct json_node *at, const char *key, size_t n)
{
	const struct json_edge *e;
	uint64_t head, tail = 0;

	if (at == NULL || (at->lengths >> n & 1) == 0) {
		return NULL;
	}
	if (n < 8) {
		head = short_head(key, n);
	} else {
		memcpy(&head, key, 8);
		memcpy(&tail, key + n - 8, 8);
	}
	e = &at->edges[at->first_of[n]];
	do {
		if (e->head == head && e->tail == tail &&
			(n <= 16 || same_middle(e->key.p, key, n))) {
			return e->node;
		}
		e++;
	} while (e->key.n == n);
	return NULL;
}

/* What may follow a number, as far as that is common. */
ALWAYS_INLINE bool ends_number(char c)
{
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r';
}

/* Over at most 16 digits, and a few behind a point. NULL: it is another number, or none, or wrong. */
ALWAYS_INLINE const char *skip_few_digits(const char *p)
{
	unsigned n = count_digits(p);
	bool good = n == 1 || (n != 0 && *p != '0');

	n += n == 8 ? count_digits(p + 8) : 0;
	if (p[n] == '.' && ascii_digit(p[n + 1])) {
		n += 1 + count_digits(p + n + 1);
	}
	return good && ends_number(p[n]) ? p + n : NULL;
}

/* Over the value at p when it is a few digits or a word. NULL: it is not. */
ALWAYS_INLINE const char *skip_plain(const char *p, enum json_type *type)
{
	if (*p <= '9') {
		*type = JSON_NUMBER;
		return skip_few_digits(p);
	}
	if (memcmp(p, "null", 4) == 0) {
		*type = JSON_NULL;
		return p + 4;
	}
	if (memcmp(p, "true", 4) == 0) {
		*type = JSON_TRUE;
		return p + 4;
	}
	*type = JSON_FALSE;
	return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

ALWAYS_INLINE const char *skip_blank(const char *p)
{
	return __builtin_expect(*p == ' ', 0) ? p + 1 : p;
}

/* What opens at p, and the object that opens an array. Behind it stands a key, a value or an end. */
ALWAYS_INLINE const char *open_members(struct walk *w, const char *p)
{
	if (*p == '[') {
		p = open_container(w, p, false);
		if (p == NULL || p >= w->reach.limit || *p != '{') {
			return p;
		}
	}
	return open_container(w, p, true);
}

/* Over what closes at p, a comma behind it and, in an array, the brace behind that. p: nothing of it stands there. */
ALWAYS_INLINE const char *close_members(struct walk *w, const char *p)
{
	while (*p == (in_object(w) ? '}' : ']')) {
		p = close_container(w, p, false);
		if (p == NULL || w->state != JSON_AT_NEXT || p >= w->reach.limit) {
			return p;
		}
	}
	if (*p != ',') {
		return p;
	}
	p = skip_blank(p + 1);
	if (in_object(w)) {
		w->state = JSON_AT_KEY;
		return p;
	}
	w->state = JSON_AT_VALUE;
	w->at = w->in != NULL ? w->in->rest : NULL;
	return p < w->reach.limit && *p == '{' ? open_container(w, p, true) : p;
}

/* A member's value; nothing is taken, and p returned, when it is neither a string, a container, a few digits nor a
 * word: then it is looked at more closely elsewhere. */
ALWAYS_INLINE const char *take_common(struct walk *w, const char *p)
{
	struct scalar v = {.beg = p, .behind = JSON_AT_NEXT};

	if (*p == '"') {
		return take_string(w, p, JSON_AT_NEXT);
	}
	if ((*p | 0x20) == '{') {
		return open_members(w, p);
	}
	p = skip_plain(p, &v.type);
	return p != NULL ? end_scalar(w, &v, p) : v.beg;
}

/*
 * From a place for a key over members with a short plain key, and all kinds of values, with at most one blank behind
 * the colon and the comma. Stops before a token that is something else, in the state for it.
 */
ALWAYS_INLINE const char *take_members(struct walk *w, const char *p)
{
	while (p < w->reach.limit && *p == '"') {
		const char *q = skip_short(p + 1);

		w->state = JSON_AT_KEY;
		if (*q != '"') {
			return p;
		}
		w->at = step(w->in, p + 1, (size_t)(q - p) - 1);
		w->state = JSON_AT_COLON;
		p = q + 1;
		if (*p != ':') {
			return p;
		}
		w->state = JSON_AT_VALUE;
		p = take_common(w, skip_blank(p + 1));
		if (p == NULL || p >= w->reach.limit) {
			return p;
		}
		if (w->state == JSON_AT_NEXT) {
			if (*p == ',') {
				w->state = JSON_AT_KEY;
				p = skip_blank(p + 1);
				continue;
			}
			p = close_members(w, p);
			if (p == NULL) {
				return p;
			}
		}
		if (w->state != JSON_AT_KEY && w->state != JSON_AT_FIRST_KEY) {
			return p;
		}
	}
	return p;
}

/* --- tokens --------------------------------------------------------------------------------------- */

ALWAYS_INLINE const char *take_key(struct walk *w, const char *p)
{
	const char *beg = p + 1;

	if (*p != '"') {
		return json_scan_refuse_byte(w->s, p, "expected a key in quotes");
	}
	return come_back(w, json_take_string(w->s, beg, w->reach.end, true));
}

/* Commas and ends of containers. */
ALWAYS_INLINE const char *take_next(struct walk *w, const char *p)
{
	const char *q = close_members(w, p);

	return q != p ? q
		      : json_scan_refuse_byte(w->s, p,
				in_object(w) ? "expected ',' or '}'" : "expected ',' or ']'");
}

ALWAYS_INLINE bool is_blank(char c)
{
	return (unsigned char)c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

/* The token at p, which is not blank, or as much of it as there is. */
ALWAYS_INLINE const char *take_token(struct walk *w, const char *p)
{
	switch ((enum json_state)w->state) {
	case JSON_AT_FIRST_KEY:
		return *p == '}' ? close_container(w, p, true) : take_key(w, p);
	case JSON_AT_KEY:
		return take_key(w, p);
	case JSON_AT_COLON:
		w->state = JSON_AT_VALUE;
		return *p == ':' ? p + 1
				 : json_scan_refuse_byte(w->s, p, "expected ':' behind a key");
	case JSON_AT_FIRST_VALUE:
		if (*p == ']') {
			return close_container(w, p, true);
		}
		return take_value(w, p);
	case JSON_AT_VALUE:
		return take_value(w, p);
	case JSON_AT_NEXT:
		return take_next(w, p);
	case JSON_AT_END:
	case JSON_IN_KEY:
	case JSON_IN_STRING:
	case JSON_IN_NUMBER:
	case JSON_IN_WORD:
	case JSON_FAILED:
		break;
	}
	return json_scan_refuse_byte(w->s, p, "something stands behind the value");
}

/* From p to the limit at least, at most to the end. */
ALWAYS_INLINE const char *take_tokens(struct walk *w, const char *p)
{
	while (p != NULL && p < w->reach.limit) {
		if (is_blank(*p)) {
			p++;
			continue;
		}
		if (w->state == JSON_AT_KEY || w->state == JSON_AT_FIRST_KEY) {
			p = take_members(w, p);
			if (p == NULL || p >= w->reach.limit || is_blank(*p)) {
				continue;
			}
		}
		p = take_token(w, p);
	}
	return p;
}

/* The bytes from p on, at most ROOM, and the piece's last, are copied; zeros stand behind the copy. Returns where. */
ALWAYS_INLINE const char *copy_last(struct walk *w, const char *p, char copy[2 * ROOM])
{
	struct json_scan *s = w->s;
	const char *end = w->reach.end;
	size_t n = (size_t)(end - p);
	char *to = copy;

	memset(copy, 0, 2 * ROOM);
	if (end - s->piece >= ROOM) {
		memcpy(copy, end - ROOM, ROOM); /* of a fixed size: that is no call */
		to = copy + ROOM - n;
	} else {
		memcpy(copy, p, n);
	}
	s->at = json_scan_offset(s, p);
	s->piece = to;
	w->reach = (struct reach){.end = to + n, .limit = to + n};
	return to;
}

bool json_walk(struct json_scan *s, const char *p, const char *end)
{
	char copy[2 * ROOM];
	struct walk w = {.s = s,
		.reach = {.end = end, .limit = end - p > ROOM ? end - ROOM : p},
		.in = s->tracked == s->depth ? s->level_node[s->tracked] : NULL,
		.at = s->node,
		.kinds = s->kinds,
		.state = s->state};

	for (;;) {
		p = take_tokens(&w, p);
		if (p == NULL) {
			return false;
		}
		if (p == w.reach.end) {
			break;
		}
		p = copy_last(&w, p, copy);
	}
	s->state = (uint8_t)w.state;
	s->node = w.at;
	s->kinds = w.kinds;
	return true;
}
