/*
 * The management API of a running gateway, for commands: where it is, who asks, one request after the other.
 *
 * Server, name and password come from --server and --username, from SLUICE_SERVER, SLUICE_USERNAME and
 * SLUICE_PASSWORD, or from the file ~/.config/sluice/config.yaml (keys server, username, password), which nobody
 * else may be able to read. There is no option for the password: others see command lines.
 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <stdio.h>

#include "cli/args.h"
#include "wire/doc.h"
#include "wire/url.h"

/* --server and --username. */
extern const struct arg_table remote_args;

struct remote_settings {
	char *server, *username, *password;
};

/* What serves where nothing was said; NULL: the usual. */
struct remote_opts {
	const char *server, *username, *password;
	const char *bearer;  /* asks in place of a name when there is no password */
	unsigned timeout_ms; /* 0: 60 s */
};

struct remote {
	struct remote_settings settings;
	bool server_named; /* by an option, the environment or the file */
	bool by_bearer;
	struct url url; /* of server */
	char *host;     /* without brackets */
	char *authorization;
	const char *command; /* for sentences */
	unsigned timeout_ms;
	FILE *err;
};

struct remote_answer {
	unsigned status;
	struct doc *whole;    /* as it came; NULL: nothing */
	struct doc *data;     /* without its envelope; NULL: nothing, or null */
	struct bytes message; /* of a refusal */
	struct bytes etag;    /* empty: none */
};

/* An exit code; unless it is COMMAND_DONE a sentence was written and there is nothing to close. */
MUST_CHECK int remote_open(struct remote *r, const struct args *a, FILE *err);
MUST_CHECK int remote_open_as(
	struct remote *r, const struct args *a, const struct remote_opts *opts, FILE *err);
void remote_close(struct remote *r);
/* Asks another server from here on, which was found. COMMAND_USAGE after a sentence: it is no URL. */
MUST_CHECK int remote_move(struct remote *r, const char *server);

struct remote_call {
	const char *method;
	struct bytes path;      /* with its query, encoded */
	const struct doc *body; /* NULL: none */
	struct bytes if_match;  /* empty: none */
};

/* COMMAND_DONE: there is an answer of the API, of any status; texts and documents are in the arena. Else the
 * exit code, after a sentence. */
MUST_CHECK int remote_ask(struct remote *r, struct arena *a, const struct remote_call *call,
	struct remote_answer *out);
/* Whether it is a success. */
static inline bool remote_is_good(const struct remote_answer *a)
{
	return a->status >= 200 && a->status < 300;
}
/* Says what the server said of `what` ("provider \"a\""); COMMAND_NO. */
int remote_refused(const struct remote *r, const struct remote_answer *a, const char *what);

/* What came from a server, for a terminal: without what it would obey, cut where it is long. */
void remote_put_words(struct bytes b, FILE *out);
/* Appends name as one segment of a path. */
void remote_segment(struct text *path, struct bytes name);
/* The options and the file, for --help. */
void remote_help(FILE *out);

#endif
