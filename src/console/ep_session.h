/*
 * Log-in, the administrator's account, the first initialisation (console-api.md §1).
 */
#ifndef CONSOLE_EP_SESSION_H
#define CONSOLE_EP_SESSION_H

#include "console/act.h"

void ep_session_init(struct act *a);            /* POST /system/init */
void ep_session_login(struct act *a);           /* POST /session/login */
void ep_session_logout(struct act *a);          /* GET /session/logout */
void ep_session_info(struct act *a);            /* GET /user/info */
void ep_session_change_password(struct act *a); /* POST /user/changePassword */

/* At start, before anything listens: an administrator from the environment (HICLAW_ADMIN_USER,
 * HICLAW_ADMIN_PASSWORD), unless there is one. Saves it. *made: whether. */
MUST_CHECK int ep_session_seed(
	struct account **account, const char *path, bool *made, struct fault *fault);

#endif
