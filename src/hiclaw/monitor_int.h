/* Between the files of the monitor's dispatch only. */
#ifndef HICLAW_MONITOR_INT_H
#define HICLAW_MONITOR_INT_H

#include "hiclaw/hiclaw_int.h"
#include "hiclaw/monitor.h"

/* Of a head; p NULL: there is none of that name. */
struct bytes monitor_field(const struct head *h, const char *name);

/* --- monitor_who.c ------------------------------------------------------------------------------------------ */

/* Whether a page of another site asks (2.5); answered when it is. *allowed: its origin is on the list. */
bool monitor_refuse_site(struct ask *k);
/* The origin of the request is on the list of those that may. */
bool monitor_origin_allowed(const struct hiclaw *h, struct bytes origin);
/* Finds out who asks and calls on_known, at once or later; or answers. */
void monitor_identify(struct ask *k, void (*on_known)(struct ask *k));

/* --- monitor.c ---------------------------------------------------------------------------------------------- */

/* The call, for the answer; NULL: the client has left. */
struct call *monitor_take_call(struct ask *k);
/* When nothing is away any more. */
void monitor_free_ask(struct ask *k);

/* --- monitor_answer.c --------------------------------------------------------------------------------------- */

/* ask_change, when what was there is kept. */
void monitor_change(
	struct ask *k, const struct ops_item *items, size_t n, void (*next)(struct ask *k));

#endif
