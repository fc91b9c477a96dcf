/*
 * Why an answer is a failure, by what vendors say (hook classify of proxy/dialect.h; the rows are
 * ai/failure_table.h's). Whom it blames is decided in this order: a page instead of an answer; codes of the error
 * object; its message; the status. A 5xx is the upstream's own fault whatever else it mentions.
 */
#ifndef AI_FAILURES_H
#define AI_FAILURES_H

#include "proxy/failure.h"

/* The compiled question to errors, for facts->query; one for the process's life. */
struct json_query *failures_query(void);

/* Sets class and retry_after_ms of *out. */
void failures_classify(const struct failure_facts *facts, struct failure *out);

#endif
