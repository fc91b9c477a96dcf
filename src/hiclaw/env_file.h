/*
 * Files of KEY=VALUE lines, as HiClaw writes its secrets and its shell reads them (hiclaw-integration.md 3.1).
 * They are read, never run: what a shell would expand stays as it is written.
 */
#ifndef HICLAW_ENV_FILE_H
#define HICLAW_ENV_FILE_H

#include "base/arena.h"
#include "base/err.h"

/* HiClaw's have ten lines; more is another file by mistake. */
#define ENV_FILE_TEXT_MAX ((size_t)64 << 10)
#define ENV_FILE_PAIRS_MAX 256u
/* Keys and certificates fit; a value becomes a header or a credential. */
#define ENV_FILE_VALUE_MAX 8192u

struct env_pair {
	struct bytes key, value;
};

struct env_file { /* zeroed: none */
	struct env_pair v[ENV_FILE_PAIRS_MAX];
	size_t n;
	size_t bad_lines, first_bad; /* lines that are no assignment; number of the first, from 1 */
};

/*
 * Lines: nothing, a comment (#), or [export] KEY=VALUE. A value is made of pieces without a blank between
 * them: 'as it is', "with \" \\ \$ \` as escapes", bare characters with \ before what is meant literally;
 * behind it blanks and a comment. Line ends may be CR LF. Other lines (a blank inside a bare value, a quote
 * that the line does not close, control characters, values beyond the limit) are counted and left out, as a
 * shell would go on behind them. Values are in the arena. ERR_LIMIT: the file as a whole is too long or has
 * too many pairs; *out is untouched.
 */
MUST_CHECK int env_file_read(
	struct arena *a, struct bytes text, struct env_file *out, struct fault *fault);
/* The last of that key, as in a shell; empty when there is none or it is empty. */
struct bytes env_file_get(const struct env_file *f, struct bytes key);

#endif
