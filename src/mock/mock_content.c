#include "mock/mock_content.h"

#define SENTENCE_MAX 65536u
/* Content events that the sentence has in any case. */
#define SENTENCE_EVENTS 5u
#define WORD "word "
#define FILLING 'x'
#define PIECE_DEFAULT 1000u

/* Events that must have gone before a fault comes: the sentence may be too short for them. */
static uint64_t events_before_fault(const struct mock_script *s)
{
	uint64_t n = 0;

	n = mock_script_has(s->stall) ? MAX(n, s->stall) : n;
	n = mock_script_has(s->cut) ? MAX(n, s->cut) : n;
	return mock_script_has(s->error_event) ? MAX(n, s->error_event) : n;
}

void mock_content_init(struct mock_content *c, const struct mock_script *script,
	const struct mock_ask *ask, struct bytes echo)
{
	uint64_t before = events_before_fault(script);

	*c = (struct mock_content){.kind = MOCK_SENTENCE, .piece = PIECE_DEFAULT};
	c->prompt_tokens = MAX(ask->said_words, 1u);
	text_init(&c->sentence, SENTENCE_MAX);
	if (mock_script_has(script->chunks) || mock_script_has(script->tokens)) {
		c->kind = MOCK_WORDS;
		c->n = mock_script_has(script->chunks) ? script->chunks : script->tokens;
		c->tokens = mock_script_has(script->tokens) ? script->tokens : c->n;
	} else if (mock_script_has(script->size) || mock_script_has(script->bigevent)) {
		c->kind = MOCK_BYTES;
		c->n = mock_script_has(script->bigevent) ? script->bigevent : script->size;
		c->piece = mock_script_has(script->bigevent) ? MAX(c->n, 1u) : PIECE_DEFAULT;
		c->tokens = c->n / 4 + 1;
	} else if (mock_script_has(script->echo)) {
		text_add_bytes(&c->sentence, echo);
		c->piece = SENTENCE_MAX; /* all in one */
		c->tokens = echo.n / 4 + 1;
	} else if (before > SENTENCE_EVENTS) {
		c->kind = MOCK_WORDS;
		c->n = c->tokens = before + 1;
	} else {
		text_addf(&c->sentence, "Hello from the sluice mock. You said: %s", ask->said);
		c->tokens = 7 + ask->said_words;
	}
}

void mock_content_done(struct mock_content *c)
{
	text_done(&c->sentence);
}

static void add_filling(struct text *out, uint64_t n)
{
	char block[1024];

	memset(block, FILLING, sizeof(block));
	for (; n != 0; n -= MIN(n, sizeof(block))) {
		text_add(out, block, (size_t)MIN(n, sizeof(block)));
	}
}

void mock_content_all(const struct mock_content *c, struct text *out)
{
	switch (c->kind) {
	case MOCK_SENTENCE:
		text_add_json(out, text_bytes(&c->sentence));
		break;
	case MOCK_WORDS:
		for (uint64_t i = 0; i < c->n && !text_full(out); i++) {
			text_add_str(out, WORD);
		}
		break;
	case MOCK_BYTES:
		add_filling(out, c->n);
		break;
	}
}

bool mock_content_has_more(const struct mock_content *c)
{
	return c->at < (c->kind == MOCK_SENTENCE ? c->sentence.n : c->n);
}

/* One word of the sentence with the blank behind it, or all of an echo. */
static void next_of_sentence(struct mock_content *c, struct text *out)
{
	struct bytes rest = bytes_of(c->sentence.p + c->at, c->sentence.n - (size_t)c->at);
	struct bytes word = bytes_cut(&rest, ' ');

	if (rest.p != NULL) {
		word.n++;
	}
	if (c->piece == SENTENCE_MAX) {
		word = text_bytes(&c->sentence);
	}
	text_add_json(out, word);
	c->at += word.n;
}

void mock_content_next(struct mock_content *c, struct text *out)
{
	uint64_t n;

	switch (c->kind) {
	case MOCK_SENTENCE:
		next_of_sentence(c, out);
		break;
	case MOCK_WORDS:
		text_add_str(out, WORD);
		c->at++;
		break;
	case MOCK_BYTES:
		n = MIN(c->n - c->at, c->piece);
		add_filling(out, n);
		c->at += n;
		break;
	}
}
