/*
 * state/audit.log: a line of JSON for every write and log-in: when, who, from where, which request, which
 * object, which of its fields changed and what was kept of it. Names of fields, never a value: any may be a secret.
 */
#ifndef CONSOLE_AUDIT_H
#define CONSOLE_AUDIT_H

#include "console/act.h"

/* Above it the file becomes audit.log.1, in place of the one before. */
#define AUDIT_FILE_MAX ((uint64_t)16 << 20)
/* Fields named in one line. */
#define AUDIT_FIELDS_MAX 64u

/* A jobs thread. What cannot be written is said in the log; it fails nothing. */
void audit_change(struct act *a, const struct commit *c);
/* Of what the console keeps itself: "initialised", "password changed", "log-in" … */
void audit_event(struct act *a, const char *event, bool good);

/* Paths of the members in which two API objects differ, comma-separated, appended to out. */
void audit_fields(
	struct arena *a, const struct doc *before, const struct doc *after, struct text *out);

#endif
