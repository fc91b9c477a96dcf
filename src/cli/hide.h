/*
 * Secrets in what commands print: strings below keys that name credentials are cut down to what tells two of them
 * apart. The masks are those that the management API takes for "unchanged" when they come back.
 */
#ifndef CLI_HIDE_H
#define CLI_HIDE_H

#include "wire/doc.h"

enum hide_how {
	HIDE_MASK, /* "sk-******xyz" */
	HIDE_DIGEST, /* "sk-******xyz (7c9a40d2)": another secret reads differently, for comparisons */
};

/* In place, at any depth. Secrets of Kubernetes are hidden as a whole. References ("${secret.name.field}") and
 * empty texts stay. */
void hide_secrets(struct arena *a, struct doc *d, enum hide_how how);
/* The mask of one text, in the arena. */
struct bytes hide_text(struct arena *a, struct bytes secret, enum hide_how how);

#endif
