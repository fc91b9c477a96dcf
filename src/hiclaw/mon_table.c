/* The table of the monitor API (monitor-api.md 2.2, 3, 5, 6): methods, paths, rights. */
#include "hiclaw/endpoints.h"

#define S "/ni_status"
#define A "/_admin/api"

static const struct monitor_endpoint rows[] = {
	{"GET", S "/health", MONITOR_ANYBODY, 0, mon_health},
	{"GET", S "/providers", MONITOR_READ, 0, mon_providers_list},
	{"POST", S "/create-provider", MONITOR_ASSIGN, 0, mon_providers_create},
	{"GET", S "/providers/{name}", MONITOR_READ, 0, mon_providers_get},
	{"PUT", S "/providers/{name}", MONITOR_ADMIN, 0, mon_providers_replace},
	{"DELETE", S "/providers/{name}", MONITOR_ADMIN, 0, mon_providers_remove},
	{"GET", S "/route", MONITOR_READ, 0, mon_routes},
	{"GET", S "/assignment", MONITOR_READ, 0, mon_assignment_all},
	{"GET", S "/assignment/manager", MONITOR_READ, 0, mon_assignment_manager},
	{"GET", S "/assignment/workers", MONITOR_READ, 0, mon_assignment_workers},
	{"GET", S "/assignment/workers/{name}", MONITOR_AGENT, 0, mon_assignment_worker},
	{"GET", S "/workers", MONITOR_READ, 0, mon_workers_list},
	{"GET", S "/workers/{name}", MONITOR_READ, 0, mon_workers_get},
	{"POST", S "/workers/{name}/wake", MONITOR_ADMIN, 0, mon_workers_wake},
	{"POST", S "/workers/{name}/sleep", MONITOR_ADMIN, 0, mon_workers_sleep},
	{"GET", S "/events", MONITOR_READ, 0, mon_events},
	{"GET", S "/backups", MONITOR_READ, 0, mon_backups_list},
	{"POST", S "/backups", MONITOR_ADMIN, 0, mon_backups_create},
	{"POST", S "/backups/import", MONITOR_ADMIN, MONITOR_BODY_MAX_BACKUP, mon_backups_import},
	{"GET", S "/backups/{id}", MONITOR_ADMIN, 0, mon_backups_get},
	{"DELETE", S "/backups/{id}", MONITOR_ADMIN, 0, mon_backups_remove},
	{"GET", S "/backups/{id}/diff", MONITOR_ADMIN, 0, mon_backups_diff},
	{"POST", S "/backups/{id}/restore", MONITOR_ADMIN, MONITOR_BODY_MAX_BACKUP,
		mon_backups_restore},
	{"GET", S "/logs", MONITOR_ADMIN, 0, mon_logs},
	{"GET", S "/history", MONITOR_READ, 0, mon_history},
	{"GET", A "/providers", MONITOR_ADMIN, 0, mon_admin_list},
	{"POST", A "/providers", MONITOR_ADMIN, 0, mon_admin_create},
	{"GET", A "/providers/{name}", MONITOR_ADMIN, 0, mon_admin_get},
	{"PUT", A "/providers/{name}", MONITOR_ADMIN, 0, mon_admin_replace},
	{"GET", A "/assignment", MONITOR_READ, 0, mon_assignment_all},
	{"GET", A "/assignment/manager", MONITOR_READ, 0, mon_assignment_manager},
	{"GET", A "/assignment/workers", MONITOR_READ, 0, mon_assignment_workers},
	{"GET", A "/assignment/workers/{name}", MONITOR_READ, 0, mon_assignment_worker},
	{"DELETE", A "/providers/{name}", MONITOR_ADMIN, 0, mon_providers_remove},
};

const struct monitor_endpoints monitor_table = {rows, ARRAY_LEN(rows)};
