/*
 * JSON (RFC 8259): a strict incremental scanner that reports where wanted values stand, a tree in an
 * arena, a writer. Nothing is ever re-serialised that was not edited: numbers, escapes, blanks and
 * key order of a scanned text stay as they are, because edits are splices (wire/splice.h).
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

/* behaviours: depth 128 passes, 129 is refused, a million costs no stack. */
#define JSON_DEPTH_MAX 128u
/* Wanted paths of one query, and the longest key in one. */
#define JSON_WANTS_MAX 32u
#define JSON_KEY_MAX 63u

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/* --- scanner ------------------------------------------------------------------------------------ */

/*
 * A path: keys joined by '.', "[]" for every element of an array, "[0]" for the first:
 * "model", "stream_options.include_usage", "messages[].role", "choices[0].usage.total_tokens".
 * equals: when not NULL only strings that are (after unescaping) exactly this text are reported.
 */
struct json_want {
	const char *path;
	const char *equals;
};

/* Compiled wants: immutable, shared between threads. */
struct json_query;
/* n <= JSON_WANTS_MAX; wants are copied. A path that breaks the grammar above, has more than 16 keys
 * and elements, or an `equals` longer than JSON_KEY_MAX is asserted against. */
struct json_query *json_query_new(const struct json_want *wants, size_t n);
void json_query_free(struct json_query *q);

struct json_hit {
	uint64_t beg, end; /* offsets of the value in the text; a string's include its quotes */
	uint8_t want;      /* index into the query's wants */
	uint8_t type;      /* enum json_type */
	bool escaped;      /* a string with a backslash in it */
	bool empty;        /* an object or array without members */
};

/* Values found, in order of their end. Inline room first, then the heap up to max. */
struct json_hits {
	struct json_hit *v;
	size_t n, cap, max;
	bool heap;
};

void json_hits_init(struct json_hits *h, struct json_hit *room, size_t room_n, size_t max);
void json_hits_done(struct json_hits *h);
/* The first hit of that want, NULL when there is none; *n_out (may be NULL) how many there are. */
const struct json_hit *json_hits_get(const struct json_hits *h, unsigned want, size_t *n_out);

struct json_scan; /* opaque but of known size, so that owners can embed it */
#define JSON_SCAN_SIZE 512
struct json_scan_room {
	_Alignas(16) char bytes[JSON_SCAN_SIZE];
};

/* hits may be NULL when query is. The scan keeps both pointers. */
struct json_scan *json_scan_init(
	struct json_scan_room *room, const struct json_query *query, struct json_hits *hits);
/* Takes the next n bytes. READ_MORE: fine so far (also when the top value is complete: only blanks may
 * follow). READ_FAIL: fault.where is the offset in the whole text, fault.err ERR_SYNTAX or ERR_LIMIT
 * (depth, hits), fault.status 400; the text of a fault never quotes the input. Once failed, it stays
 * so. Keys are compared after unescaping. Text must be UTF-8 (RFC 3629); lone surrogate escapes are
 * accepted, since they are the client's own. No byte order mark. */
MUST_CHECK enum read_rc json_scan_feed(
	struct json_scan *s, const char *p, size_t n, struct fault *fault);
/* The text is over: READ_DONE or READ_FAIL. */
MUST_CHECK enum read_rc json_scan_end(struct json_scan *s, struct fault *fault);
/* Of the top value; only after at least one byte of it was fed. */
enum json_type json_scan_top(const struct json_scan *s);
/* Offset of the top value's first byte. */
uint64_t json_scan_top_at(const struct json_scan *s);
/* Whether the top value is an object or array without members (valid after json_scan_end). */
bool json_scan_top_empty(const struct json_scan *s);

/* All at once. */
MUST_CHECK int json_scan_all(
	const struct json_query *q, struct bytes text, struct json_hits *hits, struct fault *fault);

/* The first place in the text where the name stands in quotes; NULL: none. It may be a member or something else, and
 * the text anything: this tells texts apart that need no scan, many times quicker than one. At least two bytes. */
const char *json_find_name(struct bytes text, struct bytes name);
/* The inside of a string literal (between its quotes), unescaped, appended to out. Lone surrogates
 * become U+FFFD. raw must have come from a successful scan. */
void json_unescape(struct bytes raw, struct text *out);
/* A number literal as a non-negative integer: 12, 12.0 and 1.2e1 are; -1, 1.5 and 2^64 are not. */
MUST_CHECK bool json_number_u64(struct bytes literal, uint64_t *out);

/* --- tree --------------------------------------------------------------------------------------- */

struct json_value {
	enum json_type type;
	struct bytes text; /* string: unescaped; number: the literal; in the arena or the input */
	struct json_value *items; /* array elements or object values, linked by next */
	struct json_value *next;
	struct bytes key;        /* of an object's value, unescaped */
	size_t n;                /* number of items */
	size_t beg, end;         /* offsets in the input */
	size_t key_beg, key_end; /* the key's, quotes included; both 0 where there is none */
};

/* NULL and *fault on failure. The input must outlive the tree. Of duplicate keys both are kept;
 * json_get finds the last. */
struct json_value *json_parse(struct arena *a, struct bytes text, struct fault *fault);
/* NULL when v is NULL, no object, or has no such member. */
const struct json_value *json_get(const struct json_value *v, const char *key);
/* Text of a string value, def when v is NULL or no string. */
struct bytes json_text(const struct json_value *v, struct bytes def);

/* --- writer ------------------------------------------------------------------------------------- */

/* Writes into a text; commas are its business. Nesting at most JSON_DEPTH_MAX (asserted). */
struct json_writer {
	struct text *out;
	uint64_t has_item[2]; /* a bit per depth */
	unsigned depth;
	bool after_key;
};

void json_writer_init(struct json_writer *w, struct text *out);
void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_bytes(struct json_writer *w, struct bytes key);
void json_put_string(struct json_writer *w, struct bytes s);
void json_put_str(struct json_writer *w, const char *s);
void json_put_u64(struct json_writer *w, uint64_t v);
void json_put_i64(struct json_writer *w, int64_t v);
void json_put_bool(struct json_writer *w, bool v);
void json_put_null(struct json_writer *w);
/* Text that is JSON already. */
void json_put_raw(struct json_writer *w, struct bytes json);

#endif
