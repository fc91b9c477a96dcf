/*
 * What the system says of itself: version, public configuration, the text of higress-config, dashboards
 * (console-api.md §3.1, §3.14).
 */
#ifndef CONSOLE_EP_SYSTEM_H
#define CONSOLE_EP_SYSTEM_H

#include "console/act.h"

void ep_system_info(struct act *a);    /* GET /system/info */
void ep_system_config(struct act *a);  /* GET /system/config */
void ep_system_higress(struct act *a); /* GET /system/higress-config */
void ep_system_put_higress(struct act *a);
void ep_system_dashboard(struct act *a); /* GET /dashboard/info */
void ep_system_put_dashboard(struct act *a);

#endif
