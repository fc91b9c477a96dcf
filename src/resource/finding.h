/*
 * What was found wrong or odd in resources: always with a place, a level, a code and what to do.
 */
#ifndef RESOURCE_FINDING_H
#define RESOURCE_FINDING_H

#include <stdio.h>

#include "base/arena.h"
#include "base/text.h"

enum finding_level { FINDING_ERROR, FINDING_WARNING, FINDING_INFO };

struct finding {
	struct finding *next;
	enum finding_level level;
	struct bytes file; /* as the directory names it: "ingresses/a.yaml" */
	uint32_t line, column;
	const char *code;  /* static: "unknown-field", "string-expected" … */
	struct bytes text; /* one sentence: what, and what to do */
};

struct findings {
	struct arena *arena; /* holds them */
	struct finding *first, **end;
	size_t n, errors;
};

void findings_init(struct findings *f, struct arena *a);
void findings_add(struct findings *f, const struct finding *at, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* `file:line:column: level: text (code)` without newline. */
void finding_format(const struct finding *f, struct text *out);
/* Each on a line of its own, as finding_format has it. */
void findings_print(const struct findings *f, FILE *out);

#endif
