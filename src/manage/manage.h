/*
 * The management listeners, on control's loop: servers of their own, with their own memory, so that nothing
 * that happens here takes anything from the data path. Rooms above answer the calls (console: the Console's
 * API); they do not know one another, so what they share is here: calls, who asks, bodies, the administrator.
 */
#ifndef MANAGE_MANAGE_H
#define MANAGE_MANAGE_H

#include "manage/account.h"
#include "manage/call.h"
#include "net/jobs.h"

/* MANAGE_INSIDE: what came to the gateway's listeners and is for management (plan/inside.h). */
enum manage_door { MANAGE_CONSOLE, MANAGE_MONITOR, MANAGE_INSIDE, MANAGE_DOORS };

/* Somebody who answers calls; embedded in what that is. */
struct manage_app {
	struct manage_app *next;
	/* Begins with the call, or leaves it alone: false, and nothing was done. */
	bool (*begin)(struct manage_app *app, struct call *c);
};

struct manage *manage_new(struct loop *control);
/* They are asked in this order. The app is the caller's and outlives the listeners. */
void manage_add(struct manage *m, struct manage_app *app);
/* Where slow work is done; before the loops run. */
void manage_set_jobs(struct manage *m, struct jobs *jobs);
struct jobs *manage_jobs(const struct manage *m);
struct loop *manage_loop(const struct manage *m);
MUST_CHECK int manage_listen(struct manage *m, enum manage_door door, const struct sys_addr *addr,
	struct sys_addr *bound);

/* The header and its value by which the gateway is known at MANAGE_INSIDE; before anybody listens there. The texts
 * are the caller's. */
void manage_set_secret(struct manage *m, struct bytes header, struct bytes secret);

/* The administrator as he is: control only, take a reference to keep it. NULL before the first set. */
struct account *manage_account(const struct manage *m);
/* One reference goes over. */
void manage_set_account(struct manage *m, struct account *a);

/* Where a call came in. */
enum manage_door manage_door(const struct call *c);

/*
 * When the process ends: ends all calls and closes the doors. Nobody asks the apps from now on, also when those that
 * are freed let the loop turn. NULL is allowed.
 */
void manage_stop(struct manage *m);
/* When the apps are gone; before the loop is freed. NULL is allowed. */
void manage_free(struct manage *m);

#endif
