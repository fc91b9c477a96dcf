/*
 * Several texts that are looked for at once, in bytes that may come in pieces (Aho and Corasick, 1975): the cost of
 * a byte does not depend on how many texts there are. For lists of a configuration.
 */
#ifndef BASE_KEYWORDS_H
#define BASE_KEYWORDS_H

#include "base/arena.h"
#include "base/bytes.h"

/* Accident: a list that somebody generates. The table has two bytes for each state and each class of bytes, so
 * these make 8 MB at most; ten words have about 2 KB. */
#define KEYWORDS_MAX 1024u
#define KEYWORDS_BYTES_MAX 16384u

/* Immutable, shared between threads, and part of an arena. */
struct keywords;

/* What was read so far; zero at the beginning. */
struct keywords_state {
	uint16_t at;
};

/* None of the texts is empty. nocase: ASCII letters are the same in either case. NULL: there are more of them, or
 * more bytes in them, than the limits allow. What is made is in the arena, the texts are not kept. */
const struct keywords *keywords_new(
	const struct bytes *texts, size_t n, bool nocase, struct arena *a);

#define KEYWORDS_NONE SIZE_MAX
/* Goes on with the next bytes: the index of a text that ends in them, of several that end first at the same
 * byte one; KEYWORDS_NONE: none does. Behind a hit the state is not to be used any more. */
size_t keywords_find(const struct keywords *k, struct keywords_state *state, struct bytes next);

#endif
