/*
 * JSON5 (spec.json5.org), the JSON that people write: comments, commas behind the last item, keys without
 * quotes, strings in single quotes, numbers as +1, .5 and 0x10, a byte order mark, any line ends. For
 * configuration of other programs, which is edited and not rewritten (wire/json5_edit.h): every key and
 * every value knows its place.
 *
 * What comes from clients is JSON and is read by wire/json.h, which is strict.
 */
#ifndef WIRE_JSON5_H
#define WIRE_JSON5_H

#include "wire/json.h"

/* hiclaw-integration.md 5.4: configuration of agents has some 10 KB and is 8 levels deep; more than this
 * is another file by mistake, or made to spend our memory. */
#define JSON5_TEXT_MAX ((size_t)4 << 20)
#define JSON5_DEPTH_MAX 64u
/* A value takes 50 times the bytes of the shortest spelling: this bounds a tree to 20 MB. */
#define JSON5_VALUES_MAX 200000u
/* For the arena: tree, keys and strings of any text within the limits. */
#define JSON5_ARENA_MAX ((size_t)32 << 20)

/*
 * The tree, or NULL with the fault set: ERR_SYNTAX or ERR_LIMIT, fault.where is the line, the text names
 * line and column (1-based, in characters) and quotes nothing. The text must outlive the tree. Strings and
 * keys are unescaped, lone surrogates become U+FFFD; numbers are as written, Infinity and NaN among them.
 * Of duplicate keys both are kept; json_get finds the last, which is the one that counts.
 */
struct json_value *json5_parse(struct arena *a, struct bytes text, struct fault *fault);
/* The number as a non-negative integer: as json_number_u64, and +1, 5. and 0x10 as well. */
MUST_CHECK bool json5_number_u64(struct bytes literal, uint64_t *out);

#endif
