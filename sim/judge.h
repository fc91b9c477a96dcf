/*
 * Judges the gateway by plan/explain.h: an observer between the subject and meter_observer that asks, for
 * each exchange of each story, what explain says about the same request, and reports a difference as a
 * wrong-doing of the product. So the stories show as well that the two never disagree.
 */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include "proxy/dialect.h"

extern const struct observer judge_observer;

#endif
