/*
 * Why an answer is a failure, by what vendors say (hook classify of proxy/dialect.h).
 */
#ifndef AI_FAILURES_H
#define AI_FAILURES_H

#include "proxy/failure.h"

void failures_classify(const struct failure_facts *facts, struct failure *out);

#endif
