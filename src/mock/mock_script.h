/*
 * What a model name asks the mock to do: "mock-cut-3", "mock-crlf+chunks-5", "bench-sse-100". The words
 * and their help are one table.
 */
#ifndef MOCK_MOCK_SCRIPT_H
#define MOCK_MOCK_SCRIPT_H

#include <stdio.h>

#include "base/bytes.h"
#include "base/err.h"

#define MOCK_SCRIPT_UNSET UINT64_MAX

/* Every number is MOCK_SCRIPT_UNSET when its word was not said; words without a number are 1. */
struct mock_script {
	uint64_t status;                 /* answer with this error status */
	uint64_t quota, context, filter; /* answer with this kind of error */
	uint64_t retry_after;            /* what Retry-After says, in seconds */
	uint64_t no_retry_after;
	uint64_t refuse; /* ms that no connection is accepted, and those that are open are reset */
	uint64_t reset;  /* the connection is reset before the head */
	uint64_t silent; /* no answer at all */
	uint64_t delay;  /* ms before the head */
	uint64_t stall;  /* events, then nothing for ever */
	uint64_t cut;    /* events, then half an event and the connection is cut */
	uint64_t halt;   /* events, then half an event, then nothing for ever */
	uint64_t error_event; /* events, then an error event and a clean end */
	uint64_t chunks;      /* content events */
	uint64_t slow;        /* ms between events */
	uint64_t tokens;      /* words of content, and completion tokens */
	uint64_t size;        /* bytes of content, in pieces */
	uint64_t bigevent;    /* bytes of content in one event */
	uint64_t json_as_sse, json_error, html, malformed, short_body, to_close;
	uint64_t nodone, afterdone, doubledone;
	uint64_t crlf, comments, multiline;
	uint64_t usage_in_choices, nousage;
	uint64_t echo;
	uint64_t bench;     /* fast path: fixed answer, nothing recorded */
	uint64_t bench_sse; /* fast path: this many events of 300 bytes */
};

/* A name that begins neither with "mock" nor with "bench" asks for nothing. ERR_SYNTAX with a sentence
 * for an unknown word and for a number that is missing, not wanted or too large. */
MUST_CHECK int mock_script_parse(struct bytes model, struct mock_script *out, struct fault *fault);

/* "status-503+delay-5", without a family's name in front. The same, and at least one word. */
MUST_CHECK int mock_script_parse_words(
	struct bytes words, struct mock_script *out, struct fault *fault);

static inline bool mock_script_has(uint64_t number)
{
	return number != MOCK_SCRIPT_UNSET;
}

/* The words with their help, a line each. */
void mock_script_help(FILE *out);

#endif
