#ifndef HICLAW_MON_METRICS_H
#define HICLAW_MON_METRICS_H

/* For usage_new: an event for those who listen. arg: the struct hiclaw. */
void mon_metrics_say(void *arg);

#endif
