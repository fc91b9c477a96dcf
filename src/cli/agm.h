/*
 * The monitor's API (monitor-api.md) of a running gateway, for commands: `sluice agm`, which the scripts of HiClaw's
 * skill call, and `sluice model`. Where the server is and who asks comes from where all commands have it
 * (cli/remote.h), else from HiClaw's environment.
 *
 * agm.c opens and asks; the commands are in agm_switch.c, agm_show.c, agm_provider.c, agm_copies.c and agm_install.c.
 */
#ifndef CLI_AGM_H
#define CLI_AGM_H

#include "cli/noun_command.h"
#include "cli/remote.h"
#include "hiclaw/env.h"
#include "hiclaw/names.h"

struct agm {
	struct args given;
	struct arena arena;
	struct env env;
	struct remote remote;
	bool is_script; /* the words and exit codes of the skill's scripts: `sluice agm` */
	bool may_start; /* start the server when there is none */
};

/* Reads HiClaw's environment; given and is_script are set. */
void agm_begin(struct agm *x);
void agm_end(struct agm *x);
/*
 * Finds the server: the one that is named; for scripts else the first that answers as ours of the monitor on this
 * machine, the Console's address and the gateway's; when there is none the monitor is started, unless
 * SLUICE_NO_AUTOSTART=1. COMMAND_DONE, or the exit code after a sentence.
 */
MUST_CHECK int agm_open(struct agm *x);
/* Whether what answers at that URL is sluice: any status of GET /ni_status/health that is its. Asked of nobody else:
 * no credentials are sent. */
bool agm_is_ours(struct agm *x, const char *url);
/* Whether a Console answers at that URL that is not ours. No credentials are sent. */
bool agm_is_higress(struct agm *x, const char *url);
/* "http://127.0.0.1:18080", in the arena. */
const char *agm_monitor_url(struct agm *x);

struct agm_question {
	const char *method, *path; /* path begins behind "/ni_status" */
	struct bytes name;         /* one more segment; empty: none */
	const char *behind;        /* behind the name, with the query; NULL: nothing */
	const struct doc *body;
};
/* COMMAND_DONE: an answer of any status. */
MUST_CHECK int agm_ask(struct agm *x, const struct agm_question *q, struct remote_answer *out);
/* The same; COMMAND_DONE is a success, else what the server said was said of `what`. */
MUST_CHECK int agm_get(
	struct agm *x, const struct agm_question *q, const char *what, struct remote_answer *out);
/* The code of a refusal: "PROVIDER_NOT_FOUND"; empty: none. */
struct bytes agm_code(struct agm *x, const struct remote_answer *got);

/* A line of the scripts' log: "[hiclaw 2026-01-31 12:00:00] text" on standard output. */
void agm_log(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Texts of the server for printf: what a terminal would obey is replaced, NUL-terminated, in the arena. */
const char *agm_words(struct agm *x, struct bytes b);
/* The same of a member, fallback when it is absent; numbers and booleans as JSON has them. */
const char *agm_member(struct agm *x, const struct doc *d, const char *path, const char *fallback);
/* One line of JSON, as it came, secrets masked. */
void agm_print_json(struct agm *x, struct doc *d);
/* As a table with noun's columns, or as --json and --yaml say. */
void agm_print(struct agm *x, const struct noun *noun, struct doc *d);

/* "manager" or "worker:NAME", for scripts; a bare name too where not is_script. False: said. */
bool agm_target(struct agm *x, const char *text, struct names_target *out);
/* The path of a target below "/ni_status": "/assignment/manager", or "/assignment/workers/" and its name. */
void agm_target_path(const struct names_target *t, struct agm_question *q);

/* --- commands: exit codes; given is read, agm_open was called where the row says so --------------------------------- */

extern const struct arg_table agm_switch_options, agm_create_options, agm_test_options,
	agm_model_options, agm_target_options, agm_route_options, agm_copies_options,
	agm_install_options;

int agm_set_model(struct agm *x);
int agm_unset(struct agm *x);
int agm_get_assignment(struct agm *x);
int agm_assignment(struct agm *x);
int agm_assignments(struct agm *x);
int agm_list_providers(struct agm *x);
int agm_create_provider(struct agm *x);
int agm_test_provider(struct agm *x);
int agm_models(struct agm *x);
int agm_routes(struct agm *x);
int agm_reload(struct agm *x);
int agm_status(struct agm *x);
int agm_workers(struct agm *x);
int agm_wake(struct agm *x);
int agm_sleep(struct agm *x);
int agm_copies(struct agm *x);
int agm_install(struct agm *x);

#endif
