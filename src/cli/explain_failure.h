/*
 * The part of an explanation that says where a request goes when its attempts fail, found by sending it on its course
 * (plan/course.h) through upstreams that all fail in the same way.
 */
#ifndef CLI_EXPLAIN_FAILURE_H
#define CLI_EXPLAIN_FAILURE_H

#include "cli/explain_print.h"
#include "wire/json.h"

/* Lines; nothing when nothing would be tried again. */
void explain_failure_text(const struct explain_print *p, struct text *out);
/* The member "on_failure": a list of moves by class. */
void explain_failure_json(const struct explain_print *p, struct json_writer *w);

#endif
