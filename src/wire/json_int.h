/*
 * What the json_*.c files share: the compiled query, the scanner's state, the three ways to run
 * through a string. For these files and their tests only.
 */
#ifndef WIRE_JSON_INT_H
#define WIRE_JSON_INT_H

#include "wire/json.h"

/* Keys and elements in one wanted path (json.h names the number). Bounds the scanner's state. */
#define JSON_PATH_MAX 16u

/* --- query -------------------------------------------------------------------------------------- */

struct json_node;

struct json_edge {
	uint64_t head, tail; /* json_key_head, json_key_tail */
	struct bytes key;
	const struct json_node *node;
};

/* One place in a text that is wanted, or lies on the way to one. */
struct json_node {
	const struct json_node *first, *rest; /* of an array's elements; NULL: nowhere wanted */
	const struct json_edge *edges;        /* by length; the last one, of length 0, is none */
	uint64_t lengths;                     /* bit n: an edge's key has n bytes */
	uint32_t wants;                       /* bit i: want i ends here */
	uint32_t literals;                    /* those of them that have an `equals` */
	uint8_t first_of[JSON_KEY_MAX + 1]; /* [n]: the first edge with a key of n bytes, if any */
	struct json_node *older;            /* of the same query */
};

struct json_query {
	const char *(*run)(const char *p, const char *end, bool *escaped); /* this machine's best */
	struct json_node *newest;
	const struct json_node *top; /* NULL: nothing is wanted */
	struct bytes equals[JSON_WANTS_MAX];
	char *paths[JSON_WANTS_MAX]; /* keys of edges point into these */
	size_t n;
};

/* A key's first eight bytes, zeros behind a shorter one, and its last eight when it has as many: keys of one
 * length up to 16 with the same head and tail are the same. */
static inline uint64_t json_key_head(struct bytes key)
{
	uint64_t head = 0;

	memcpy(&head, key.p, MIN(key.n, sizeof(head)));
	return head;
}

static inline uint64_t json_key_tail(struct bytes key)
{
	return key.n < 8 ? 0 : json_key_head(bytes_of(key.p + key.n - 8, 8));
}

/* Whether the place has any member whose key has n bytes. */
static inline bool json_node_has_length(const struct json_node *at, size_t n)
{
	return n <= JSON_KEY_MAX && (at->lengths >> n & 1) != 0;
}

/* The place behind `key` in an object at `at`; NULL: nowhere wanted. */
const struct json_node *json_query_step(const struct json_node *at, struct bytes key);

/* Room for one more, to be filled; NULL when max hits are there already. */
MUST_CHECK struct json_hit *json_hits_room(struct json_hits *h);

/* --- running through strings --------------------------------------------------------------------- */

/*
 * From p, inside a string and between two characters, to the closing quote or to the last place
 * between two characters from where bytes must be looked at one by one: a fault, or a piece that ends.
 * What lies before the returned place is without fault. *escaped is set when a backslash was passed.
 */
const char *json_run_portable(const char *p, const char *end, bool *escaped);
const char *json_run_sse2(const char *p, const char *end, bool *escaped);
const char *json_run_avx2(const char *p, const char *end, bool *escaped);

struct json_run {
	const char *name;
	const char *(*run)(const char *p, const char *end, bool *escaped);
};

/* The ways this machine can go, best first; i < *n_out. */
const struct json_run *json_runs(size_t *n_out);

/* --- scanner's state ------------------------------------------------------------------------------ */

enum json_state {
	JSON_AT_VALUE,
	JSON_AT_FIRST_VALUE, /* or ] */
	JSON_AT_KEY,
	JSON_AT_FIRST_KEY, /* or } */
	JSON_AT_COLON,
	JSON_AT_NEXT, /* a comma or the closing bracket */
	JSON_AT_END,  /* nothing but blanks */
	JSON_IN_KEY,  /* from here on: inside a token that the last piece did not end */
	JSON_IN_STRING,
	JSON_IN_NUMBER,
	JSON_IN_WORD,
	JSON_FAILED
};

/* A string that is read byte by byte, because it spans pieces or has a fault. */
struct json_string {
	uint16_t unit; /* value of a \u escape so far */
	uint16_t high; /* a high surrogate that waits for its other half; 0: none */
	uint8_t escape; /* 0 none, 1 behind the backslash, 2..5: that many minus one digits to come */
	uint8_t more;   /* bytes to come of a UTF-8 sequence */
	uint8_t have;   /* bytes of it that were seen */
	uint8_t lo, hi; /* bounds of its next byte */
	bool escaped;
	bool keep;      /* its text matters and still fits */
	uint8_t kept_n; /* bytes of kept, unescaped; more than JSON_KEY_MAX: it matches nothing */
	char kept[JSON_KEY_MAX + 1];
};

struct json_scan {
	const struct json_query *query;
	struct json_hits *hits;
	const struct json_node *node; /* where the next value stands; NULL: nowhere wanted */
	const char *(*run)(const char *p, const char *end, bool *escaped);
	const char *piece;    /* first byte of the piece at hand */
	uint64_t at;          /* its offset in the text */
	uint64_t kinds;       /* a bit per open container, the innermost's lowest: 1 is an object */
	uint64_t outer_kinds; /* of the outer 64 when there are more */
	uint64_t beg;         /* first byte of the scalar in progress */
	uint64_t top_at;
	uint64_t fault_at;
	const char *fault_text; /* static storage */
	const char *word;       /* rest of true, false or null */
	enum err fault_err;
	unsigned depth;   /* open containers */
	unsigned tracked; /* how many of them, from the top, lie on wanted paths */
	uint8_t state;
	uint8_t type; /* of the scalar in progress */
	uint8_t number;
	uint8_t top;
	bool top_empty;
	struct json_string str;
	const struct json_node
		*level_node[JSON_PATH_MAX + 2]; /* of the tracked containers; [0] is none */
	uint64_t level_beg[JSON_PATH_MAX + 2];
};
static_assert(sizeof(struct json_scan) <= JSON_SCAN_SIZE, "owners embed the scanner");

static inline uint64_t json_scan_offset(const struct json_scan *s, const char *p)
{
	return s->at + (uint64_t)(p - s->piece);
}

/* Notes the failure at that offset; returns NULL. text has static storage. */
const char *json_scan_refuse(struct json_scan *s, enum err err, uint64_t at, const char *text);

static inline const char *json_scan_refuse_byte(
	struct json_scan *s, const char *p, const char *text)
{
	return json_scan_refuse(s, ERR_SYNTAX, json_scan_offset(s, p), text);
}

/* A value that stands at `node` was found: hit without its want; text: of a string whose text matters.
 * False: refused, too many. */
MUST_CHECK bool json_scan_report(struct json_scan *s, const struct json_node *node,
	const struct json_hit *hit, struct bytes text);

/* --- between tokens ------------------------------------------------------------------------------- */

/* From a place between two tokens to the end of the piece. False: refused. Leaves s->piece and s->at of the bytes that it
 * looked at last. */
MUST_CHECK bool json_walk(struct json_scan *s, const char *p, const char *end);

/* --- scalars: each returns where it stands, NULL when it refused, and sets the state ---------------- */

/* p is behind the opening quote. */
const char *json_take_string(struct json_scan *s, const char *p, const char *end, bool key);
/* The string's beginning lies in an earlier piece. */
const char *json_resume_string(struct json_scan *s, const char *p, const char *end, bool key);
const char *json_start_number(struct json_scan *s, const char *p, const char *end);
const char *json_take_number(struct json_scan *s, const char *p, const char *end);
const char *json_start_word(
	struct json_scan *s, const char *p, const char *end, enum json_type type);
const char *json_take_word(struct json_scan *s, const char *p, const char *end);

/* --- strings byte by byte ------------------------------------------------------------------------- */

void json_string_start(struct json_string *str, bool keep);
/*
 * Takes bytes until the string is over, or the piece, or quick running is possible again. NULL: refused.
 * *over: the closing quote was passed.
 */
const char *json_string_feed(struct json_scan *s, const char *p, const char *end, bool *over);
/* Whether a character, an escape or an unescaped text is unfinished. */
bool json_string_busy(const struct json_string *str);

#endif
