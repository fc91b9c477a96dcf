/*
 * What the mock says: a sentence, so many words, or so many bytes; whole or piece by piece.
 */
#ifndef MOCK_MOCK_CONTENT_H
#define MOCK_MOCK_CONTENT_H

#include "base/text.h"
#include "mock/mock_ask.h"
#include "mock/mock_script.h"

struct mock_content {
	enum { MOCK_SENTENCE, MOCK_WORDS, MOCK_BYTES } kind;
	struct text sentence;
	uint64_t n;     /* of words or bytes */
	uint64_t piece; /* bytes of one piece */
	uint64_t at;    /* words or bytes that were taken */
	uint64_t tokens, prompt_tokens;
};

/* echo: what MOCK_SENTENCE is when the script asks for it; copied. */
void mock_content_init(struct mock_content *c, const struct mock_script *script,
	const struct mock_ask *ask, struct bytes echo);
void mock_content_done(struct mock_content *c);

/* All of it as the inside of a JSON string, appended to out. */
void mock_content_all(const struct mock_content *c, struct text *out);
bool mock_content_has_more(const struct mock_content *c);
/* The next piece likewise. */
void mock_content_next(struct mock_content *c, struct text *out);

#endif
