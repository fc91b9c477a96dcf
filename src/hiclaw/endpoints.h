/* What the table of the monitor API calls (monitor-api.md 4 to 6); each answers its ask. */
#ifndef HICLAW_ENDPOINTS_H
#define HICLAW_ENDPOINTS_H

#include "hiclaw/monitor.h"

/* mon_health.c */
void mon_health(struct ask *k);
/* mon_providers.c */
void mon_providers_list(struct ask *k);
void mon_providers_get(struct ask *k);
void mon_providers_create(struct ask *k);
void mon_providers_replace(struct ask *k);
void mon_providers_remove(struct ask *k);
/* mon_admin.c */
void mon_admin_list(struct ask *k);
void mon_admin_get(struct ask *k);
void mon_admin_create(struct ask *k);
void mon_admin_replace(struct ask *k);
/* mon_routes.c */
void mon_routes(struct ask *k);
/* mon_assignment.c */
void mon_assignment_manager(struct ask *k);
void mon_assignment_worker(struct ask *k);
void mon_assignment_workers(struct ask *k);
void mon_assignment_all(struct ask *k);
/* mon_set_model.c */
void mon_set_manager(struct ask *k);
void mon_set_worker(struct ask *k);
void mon_set_model(struct ask *k);
void mon_reload(struct ask *k);
void mon_leave_manager(struct ask *k);
void mon_leave_worker(struct ask *k);
/* mon_metrics.c */
void mon_metrics(struct ask *k);
void mon_usage(struct ask *k);
/* mon_test_provider.c */
void mon_test_provider(struct ask *k);
void mon_models(struct ask *k);
/* mon_status.c */
void mon_status(struct ask *k);
/* mon_workers.c */
void mon_workers_list(struct ask *k);
void mon_workers_get(struct ask *k);
void mon_workers_wake(struct ask *k);
void mon_workers_sleep(struct ask *k);
/* mon_events.c */
void mon_events(struct ask *k);
/* mon_backups.c */
void mon_backups_list(struct ask *k);
void mon_backups_create(struct ask *k);
void mon_backups_import(struct ask *k);
void mon_backups_get(struct ask *k);
void mon_backups_diff(struct ask *k);
void mon_backups_restore(struct ask *k);
void mon_backups_remove(struct ask *k);
/* mon_logs.c */
void mon_logs(struct ask *k);
void mon_history(struct ask *k);

#endif
