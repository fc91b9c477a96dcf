/*
 * Option tables: one row per option says its name, type, default, range and help, and is the only
 * source for reading flags, environment and configuration file, for --help and for the reference page.
 *
 * A flag wins over the environment, that over the file, that over the default. Used by commands at
 * start; errors are sentences on the given stream that name the option and the remedy.
 */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include <stdio.h>

#include "base/bytes.h"
#include "net/sys.h"

/* Rows of one table. */
#define OPTIONS_MAX 64u
/* Addresses of one option. */
#define OPTION_ADDRESSES_MAX 64u
/* Bytes of a configuration file; real ones have about a hundred lines. */
#define OPTION_FILE_MAX (1024u * 1024u)

enum option_type {
	OPTION_STRING,    /* char *, heap or NULL */
	OPTION_PATH,      /* char *, heap or NULL; not empty */
	OPTION_ADDRESSES, /* struct option_addresses; repeatable, or separated by commas */
	OPTION_NUMBER,    /* uint32_t or uint64_t */
	OPTION_BYTES,     /* the same; 65536, 64K, 100M, 2G */
	OPTION_DURATION,  /* the same, in milliseconds; 0, 250ms, 30s */
	OPTION_ENUM,      /* unsigned, index into choices */
	OPTION_BOOL       /* bool */
};

struct option_addresses {
	struct sys_addr *v;
	size_t n;
};

struct option {
	const char *name; /* --name, and the key of the file */
	const char *env;  /* environment variable, NULL: none */
	enum option_type type;
	bool is_limit;        /* --limit name=value, and a key below `limits:` of the file */
	bool flag_only;       /* not in the file */
	bool secret;          /* its value is never printed */
	const char *arg;      /* what --help calls the value; NULL for OPTION_BOOL */
	uint64_t min, max;    /* numbers, bytes, durations; both inclusive */
	const char *choices;  /* OPTION_ENUM: "error|warn|info" */
	const char *fallback; /* default as a user would write it; NULL: what the target holds */
	const char *computed; /* for --help: how the default comes about; the caller computes it */
	const char *help;     /* one sentence */
	size_t offset, size;  /* of the member of the target */
};

struct option_table {
	const char *command; /* "serve" */
	const struct option *rows;
	size_t n; /* at most OPTIONS_MAX */
};

/* offset and size of a row. */
#define OPTION_MEMBER(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

enum option_source {
	OPTION_FROM_NOTHING,
	OPTION_FROM_DEFAULT,
	OPTION_FROM_FILE,
	OPTION_FROM_ENV,
	OPTION_FROM_FLAG
};

struct options {
	const struct option_table *table;
	void *target;
	FILE *err;
	uint8_t source[OPTIONS_MAX]; /* enum option_source of each row's value */
};

/* The target's string and address members must be empty. err may be NULL: nothing is said. */
void options_init(struct options *o, const struct option_table *table, void *target, FILE *err);

/*
 * Each reads one source. They may come in any order, since a value never replaces one of a source that
 * wins over it (yet it is checked). 0, or ERR_SYNTAX (the sentence was written).
 * argv[0] is the command; what is no option is refused.
 */
MUST_CHECK int options_read_flags(struct options *o, int argc, char **argv);
MUST_CHECK int options_read_env(struct options *o);
MUST_CHECK int options_read_file(struct options *o, const char *path);
MUST_CHECK int options_read_defaults(struct options *o);

/* Frees strings and addresses of the target and empties the members. */
void options_done(const struct option_table *table, void *target);

/* The values as a configuration file, each with where it comes from. */
void options_print(const struct options *o, FILE *out);
/* Every option with its help; defaults that no row states are taken from `defaults`, a target that
 * only its initialiser has filled. */
void options_help(const struct option_table *table, const void *defaults, FILE *out);

#endif
