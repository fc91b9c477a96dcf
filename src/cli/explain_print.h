/*
 * An explanation for a terminal, and as one JSON object whose members stay as they are.
 */
#ifndef CLI_EXPLAIN_PRINT_H
#define CLI_EXPLAIN_PRINT_H

#include "plan/explain.h"

struct explain_print {
	const struct explain *e;
	const struct explain_request *rq;
	bool colour;
};

void explain_print_text(const struct explain_print *p, struct text *out);
void explain_print_json(const struct explain_print *p, struct text *out);

#endif
