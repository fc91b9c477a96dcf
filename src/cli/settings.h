/*
 * What `sluice serve` was told: flags, environment and configuration file, checked and complete.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/option.h"
#include "http/limits.h"

enum settings_log_format { SETTINGS_LOG_AUTO, SETTINGS_LOG_TEXT, SETTINGS_LOG_JSON };
enum settings_switch { SETTINGS_OFF, SETTINGS_ON };
enum settings_error_format { SETTINGS_ERROR_JSON, SETTINGS_ERROR_PLAIN };

/* Strings are owned; unless said otherwise they are never NULL after settings_parse. */
struct settings {
	char *data, *resources, *state;
	struct option_addresses gateway, console, monitor;
	struct option_addresses gateway_tls; /* may be none */
	char *metrics_token;                 /* may be NULL; at least 16 visible characters */
	bool hiclaw, manage_on_gateway;
	char *higress_console; /* URL of the Console that is managed; NULL: our own resources */
	char *monitor_origins; /* of pages that may ask the monitor; may be NULL: none */
	bool monitor_legacy_status;
	bool init_open;            /* initialisation by anybody */
	uint32_t workers;          /* at least 1 */
	uint32_t busy_poll_us;     /* 0: off */
	uint64_t memory_max;       /* bytes, of all workers together */
	unsigned log_level;        /* enum log_level */
	unsigned log_format;       /* enum settings_log_format, never AUTO */
	char *access_log;          /* path, "-" (standard output) or "off" */
	unsigned access_decisions; /* enum access_decisions (proxy/gateway.h) */
	char *config;              /* may be NULL */
	char *ready_file;          /* may be NULL */
	uint32_t drain_ms;
	unsigned error_format; /* enum settings_error_format */
	char *upstream_ca;     /* may be NULL: only the system's authorities */
	char *user;            /* NAME or NAME:GROUP; may be NULL: who started the program */
	unsigned sandbox;      /* enum settings_switch */
	char *explain_token;   /* opens x-sluice-explain; may be NULL: nobody */
	bool check;            /* print what is in force, read the resources, then exit */

	struct http_limits http;
	uint32_t series_max;     /* that a worker counts apart */
	uint64_t body_max;       /* bytes of a gathered body */
	uint32_t first_byte_ms;  /* of a streamed answer; 0: off. A provider's own value wins */
	uint32_t answer_ms;      /* of any other answer */
	uint32_t stream_idle_ms; /* between two bytes of a streamed answer; 0: off */

	uint8_t source[OPTIONS_MAX]; /* for settings_print */
};

/* Reads argv (argv[0] is the command), the environment and the configuration file. 0; or the exit code
 * of a wrong usage, after a sentence on err (may be NULL), and nothing to free. */
MUST_CHECK int settings_parse(int argc, char **argv, struct settings *out, FILE *err);
/* Safe on a zeroed one. */
void settings_done(struct settings *s);

/* Effective settings as a configuration file with where each value comes from, and the memory bound. */
void settings_print(const struct settings *s, FILE *out);
void settings_help(FILE *out);

/* The budget of one worker's segment pool: so much that with the reserve of a fifth that a pool lends
 * beyond its budget all workers together stay below memory_max. */
size_t settings_worker_budget(const struct settings *s);

#endif
