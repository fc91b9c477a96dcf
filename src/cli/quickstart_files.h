/*
 * The resources of a small but complete gateway (one provider, one consumer, one AI route for every
 * host) as files in Higress's canonical form, exactly as its Console would leave them. Pure.
 */
#ifndef CLI_QUICKSTART_FILES_H
#define CLI_QUICKSTART_FILES_H

#include "base/text.h"

#define QUICKSTART_FILES 6u

/* A member of the provider's entry; value is YAML. */
struct quickstart_member {
	const char *key;
	const char *value;
};

struct quickstart_files {
	const char *provider;   /* its name and the id of its entry: [a-z0-9-]+ */
	const char *type;       /* "openai" */
	const char *credential; /* apiTokens; NULL: none. Printable ASCII without blanks */
	bool is_static;         /* the registry's type: static or dns */
	const char *domain;     /* "api.openai.com", "127.0.0.1:9000" */
	uint16_t port;          /* of a dns registry; a static one has 80 */
	const char *protocol;   /* "https" */
	const struct quickstart_member *members; /* of the type, in order of their keys */
	size_t n_members;
	const char *consumer;     /* [a-z0-9-]+ */
	const char *consumer_key; /* [A-Za-z0-9-]+ */
	const char *route;        /* [a-z0-9-]+ */
	const char *created;      /* "2026-01-01T00:00:00Z" */
};

/* Path of file i (< QUICKSTART_FILES) below the root, "ingresses/ai-route-x.internal.yaml", appended to
 * path, and its content appended to out. In the order in which they should be written: nothing refers
 * to a later one. */
void quickstart_files_make(
	const struct quickstart_files *q, size_t i, struct text *path, struct text *out);

/* A string as YAML writes it where a plain one would be read as something else. */
void quickstart_files_scalar(struct text *out, struct bytes value);

#endif
