/*
 * What the two halves of explain.h share.
 */
#ifndef PLAN_EXPLAIN_INT_H
#define PLAN_EXPLAIN_INT_H

#include "plan/explain.h"

/* The verdict of the plugins that ask who calls, in the order in which the exchange asks them; *by: whose it is. */
enum auth_verdict explain_judge_auth(
	const struct explain_decided *d, const struct route *r, enum auth_plugin *by);

#endif
