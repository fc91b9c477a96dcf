/*
 * One HTTP request and its whole answer, for commands: a loop of its own until it is there. Blocking.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "http/fetch.h"

/* The longest answer that is read: what a server of 100,000 consumers exports. */
#define ASK_ANSWER_MAX ((size_t)512 << 20)

/* What f->rc then says: FETCH_DONE, and fetch_done is the caller's to call; else f->why, and nothing is to be given
 * back. The request is filled but for answer_max and on_done. */
enum fetch_rc ask(struct fetch *f);

#endif
