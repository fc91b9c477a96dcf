/*
 * A model server for tests and demos: OpenAI's, Anthropic's and vendors' paths, streamed and not, with
 * faults that the model's name asks for (mock_script.h), and a record of what it saw. `sluice mock`
 * runs one; tests may run one on a loop of their own. Shares no code with what it is used to judge.
 */
#ifndef MOCK_MOCK_H
#define MOCK_MOCK_H

#include <stdio.h>

#include "base/bytes.h"
#include "base/err.h"
#include "http/limits.h"
#include "net/loop.h"
#include "base/seg.h"

struct mock;

struct mock_counts {
	uint64_t total;       /* model requests, those of the fast path included */
	uint64_t complete;    /* answered to the end */
	uint64_t client_gone; /* the client left before that */
	uint64_t cut;         /* the mock cut them, as it was asked to */
	uint32_t open;        /* now */
};

/* loop and pool must outlive it; limits NULL: the defaults. */
struct mock *mock_new(struct loop *loop, struct segpool *pool, const struct http_limits *limits);
/* Listens; *bound gets the address with the port the system chose. May be called several times. */
MUST_CHECK int mock_listen(struct mock *m, const struct sys_addr *addr, struct sys_addr *bound);
/* What the next requests get, in the words of mock_sequence.h; ERR_SYNTAX and a sentence when it is none. */
MUST_CHECK int mock_plan(struct mock *m, struct bytes sequence, struct fault *fault);
const struct mock_counts *mock_counts(const struct mock *m);
/* Ends everything at once. */
void mock_free(struct mock *m);

/* The command. argv[0] is "mock"; the exit code. */
int mock_main(int argc, char **argv, const char *version);
/* Its options and the words of model names. */
void mock_help(FILE *out);

#endif
