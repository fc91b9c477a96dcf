/*
 * What filters that ask who calls have in common: the credential is looked up once per set of consumers,
 * and what held it is not sent on, also on routes that ask nobody.
 */
#ifndef FILTER_CREDENTIAL_H
#define FILTER_CREDENTIAL_H

#include "plan/decide.h"
#include "proxy/exchange.h"

/* Who of these calls; NULL: nobody. Its plugin's last answer is remembered. */
const struct consumer *credential_look_up(struct exchange *x, const struct consumers *c);

#endif
