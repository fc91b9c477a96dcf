/*
 * What filters that ask who calls have in common: the credential is looked up once per set of consumers,
 * and what held it is not sent on, also on routes that ask nobody.
 */
#ifndef FILTER_CREDENTIAL_H
#define FILTER_CREDENTIAL_H

#include "plan/decide.h"
#include "proxy/exchange.h"

/* Who calls, for the rules of plan/decide.h. Each plugin's last answer is remembered. */
struct decide_caller credential_caller(struct exchange *x);

#endif
