/*
 * Scripts of HiClaw end with 0 or 1 and write their usage to standard output; set-model ignores words that it does not
 * know. What is new keeps the manners of all other commands.
 */
#include "cli/agm_command.h"

#include <stdlib.h>

#include "cli/agm.h"
#include "cli/agm_monitor.h"
#include "cli/command.h"
#include "base/nearest.h"

static const struct arg_row json_rows[] = {
	{"--json", NULL, "JSON in place of lines.", false},
};
static const struct arg_table json_options = {json_rows, ARRAY_LEN(json_rows)};

struct verb {
	const char *name, *words, *help;
	const struct arg_table *options, *output;
	bool is_script;  /* its usage is the script's */
	bool opens;      /* its function finds the server itself, or needs none */
	bool is_lenient; /* words that are not known are passed over */
	int (*run)(struct agm *x);
};

static const struct verb agm_verbs[] = {
	{"set-model", "", "gives the Manager or a Worker a model, tested before",
		&agm_switch_options, NULL, true, true, true, agm_set_model},
	{"get-assignment", " TARGET", "the model of manager or worker:NAME", NULL, &json_options,
		true, true, false, agm_get_assignment},
	{"list-providers", "", "providers, their types and how many keys they have", NULL,
		&json_options, true, false, false, agm_list_providers},
	{"create-provider", "", "makes a provider, with its routes", &agm_create_options, NULL,
		true, true, false, agm_create_provider},
	{"monitor", " [start|stop|status|restart|run]", "the server as a process of its own", NULL,
		NULL, true, true, true, agm_monitor},
	{"install", "", "makes the monitor reachable through the gateway", &agm_install_options,
		NULL, true, true, false, agm_install},
	{"test-provider", " NAME", "asks a provider for its models", &agm_test_options,
		&json_options, false, false, false, agm_test_provider},
	{"models", "", "models whose limits are known", &agm_model_options, &noun_command_output,
		false, false, false, agm_models},
	{"routes", "", "AI routes, and where a model's requests go", &agm_route_options,
		&noun_command_output, false, false, false, agm_routes},
	{"reload", " [TARGET]", "makes an agent read its configuration again", &agm_target_options,
		&json_options, false, false, false, agm_reload},
	{"status", "", "gateway, Manager, routing, what sluice is attached to", NULL,
		&noun_command_output, false, false, false, agm_status},
	{"workers", "", "Workers, what they do and how that is known", NULL, &noun_command_output,
		false, false, false, agm_workers},
	{"wake", " NAME", "wakes a Worker up, through the controller", NULL, NULL, false, false,
		false, agm_wake},
	{"sleep", " NAME", "sends a Worker to sleep", NULL, NULL, false, false, false, agm_sleep},
	{"backup", " {list|create|show|restore|delete|download|import} [ID|FILE]",
		"copies of everything that is managed", &agm_copies_options, &noun_command_output,
		false, true, false, agm_copies},
};

static const struct verb model_verbs[] = {
	{"get", " [TARGET]", "what is assigned to one, and what it uses", &agm_target_options,
		&noun_command_output, false, false, false, agm_assignment},
	{"set", "", "assigns a model; the Manager's is tested before", &agm_switch_options, NULL,
		false, true, false, agm_set_model},
	{"list", "", "all assignments", NULL, &noun_command_output, false, false, false,
		agm_assignments},
	{"unset", " [TARGET]", "assigns nothing any more; files and routes stay",
		&agm_target_options, NULL, false, false, false, agm_unset},
	{"test", " PROVIDER", "asks a provider for its models", &agm_test_options, &json_options,
		false, false, false, agm_test_provider},
	{"reload", " [TARGET]", "makes an agent read its configuration again", &agm_target_options,
		&json_options, false, false, false, agm_reload},
	{"known", "", "models whose limits are known", &agm_model_options, &noun_command_output,
		false, false, false, agm_models},
};

struct verbs {
	const char *command;
	const struct verb *v;
	size_t n;
};
static const struct verbs of_agm = {"agm", agm_verbs, ARRAY_LEN(agm_verbs)};
static const struct verbs of_model = {"model", model_verbs, ARRAY_LEN(model_verbs)};

/* --- finding -------------------------------------------------------------------------------------- */

/* NULL: wrong usage, said. */
static const struct verb *find_verb(const struct verbs *all, const char *name)
{
	struct nearest best = {NULL, 0};

	if (name == NULL) {
		fprintf(stderr, "sluice %s: say what to do (sluice %s --help)\n", all->command,
			all->command);
		return NULL;
	}
	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->v[i].name, name) == 0) {
			return &all->v[i];
		}
		nearest_offer(&best, bytes_str(name), all->v[i].name);
	}
	fprintf(stderr, "sluice %s: \"%.64s\" is nothing that can be done", all->command, name);
	if (best.name != NULL) {
		fprintf(stderr, ", did you mean %s?", best.name);
	}
	fprintf(stderr, " (sluice %s --help)\n", all->command);
	return NULL;
}

static const struct arg_row *known(const struct arg_table *const *tables, const char *word)
{
	for (; *tables != NULL; tables++) {
		for (size_t i = 0; i < (*tables)->n; i++) {
			if (strcmp((*tables)->v[i].name, word) == 0) {
				return &(*tables)->v[i];
			}
		}
	}
	return NULL;
}

/* Only options that are known, with their values: the scripts have always passed over other words, one by one. -1: a
 * value is missing. */
static int keep_known(const struct arg_table *const *tables, int argc, char **argv, char **kept)
{
	int n = 0;

	kept[n++] = argv[0];
	for (int i = 1; i < argc; i++) {
		const struct arg_row *row = known(tables, argv[i]);

		if (row == NULL) {
			fprintf(stderr, "warning: \"%.64s\" is ignored\n", argv[i]);
			continue;
		}
		kept[n++] = argv[i];
		if (row->arg == NULL) {
			continue;
		}
		if (i + 1 == argc) {
			return -1;
		}
		kept[n++] = argv[++i];
	}
	return n;
}

/* --- running -------------------------------------------------------------------------------------- */

/* Scripts end with 1 where commands end with 2. */
static int exit_code(const struct verb *v, int rc)
{
	return v->is_script && rc == COMMAND_USAGE ? COMMAND_NO : rc;
}

static int run_verb(struct agm *x, const struct verb *v)
{
	int rc = COMMAND_DONE;

	agm_begin(x);
	if (!v->opens) {
		rc = agm_open(x);
	}
	rc = rc == COMMAND_DONE ? v->run(x) : rc;
	agm_end(x);
	return exit_code(v, rc);
}

static int read_args(
	struct agm *x, const struct verb *v, const char *command, int argc, char **argv)
{
	const struct arg_table *tables[] = {&remote_args, v->options, v->output, NULL};
	char **kept;
	int rc, n;

	if (v->options == NULL) {
		tables[1] = v->output;
		tables[2] = NULL;
	}
	if (!v->is_lenient || v->run == agm_monitor) {
		return args_read(&x->given, command, tables, argc, argv, stderr);
	}
	kept = must_alloc(((size_t)argc + 1) * sizeof(*kept));
	n = keep_known(tables, argc, argv, kept);
	if (n < 0) {
		n = 1; /* then what is needed is missing: the command says its usage */
	}
	rc = args_read(&x->given, command, tables, n, kept, stderr);
	free(kept);
	return rc;
}

/* create-provider's own words for what it does not know. */
static bool check_create(const struct verb *v, int argc, char **argv)
{
	const struct arg_table *tables[] = {&remote_args, v->options, NULL};

	for (int i = 2; i < argc; i++) {
		const struct arg_row *row = known(tables, argv[i]);

		if (row == NULL) {
			printf("Unknown option: %.200s\n", argv[i]);
			return false;
		}
		i += row->arg != NULL;
	}
	return true;
}

static bool takes_words(const struct verb *v)
{
	return v->words[0] != '\0';
}

static int run(const struct verbs *all, int argc, char **argv)
{
	const struct verb *v = find_verb(all, argc > 1 ? argv[1] : NULL);
	struct agm x = {.may_start = all == &of_agm};
	char command[64];
	int rc;

	if (v == NULL) {
		return COMMAND_USAGE;
	}
	x.is_script = all == &of_agm;
	snprintf(command, sizeof(command), "%s %s", all->command, v->name);
	if (v->run == agm_create_provider && !check_create(v, argc, argv)) {
		return COMMAND_NO;
	}
	if (read_args(&x, v, command, argc - 1, argv + 1) != 0) {
		return exit_code(v, COMMAND_USAGE);
	}
	if (x.given.n_words != 0 && !takes_words(v)) {
		fprintf(stderr, "sluice %s: \"%.64s\" is too much (sluice %s --help)\n", command,
			x.given.words[0], all->command);
		rc = exit_code(v, COMMAND_USAGE);
	} else {
		rc = run_verb(&x, v);
	}
	args_done(&x.given);
	return rc;
}

int agm_command_main(int argc, char **argv)
{
	return run(&of_agm, argc, argv);
}

int agm_command_model_main(int argc, char **argv)
{
	return run(&of_model, argc, argv);
}

/* --- help ----------------------------------------------------------------------------------------- */

static void help_verbs(const struct verbs *all, FILE *out)
{
	for (size_t i = 0; i < all->n; i++) {
		fprintf(out, "  %s%s\n      %s\n", all->v[i].name, all->v[i].words, all->v[i].help);
	}
	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].options != NULL) {
			fprintf(out, "\nOptions of %s:\n", all->v[i].name);
			args_help(all->v[i].options, out);
		}
	}
	fputs("\nOptions:\n", out);
	args_help(&noun_command_output, out);
	remote_help(out);
}

void agm_command_help(FILE *out)
{
	fputs("What the scripts of HiClaw's skill ai-gateway-management call, under their names,\n"
	      "flags and exit codes.\n\n",
		out);
	help_verbs(&of_agm, out);
	fputs("\nWhere nothing names a server it is looked for: the monitor's port of this machine\n"
	      "(MONITOR_PORT, else 18080), HICLAW_AI_GATEWAY_ADMIN_URL, HICLAW_AI_GATEWAY_URL; when\n"
	      "none answers it is started, unless SLUICE_NO_AUTOSTART=1. Who asks is the administrator\n"
	      "of HICLAW_ADMIN_USER and HICLAW_ADMIN_PASSWORD, else the Manager with\n"
	      "HICLAW_MANAGER_GATEWAY_KEY. Pid file and log are in SLUICE_MONITOR_DIR, else /tmp.\n",
		out);
}

void agm_command_model_help(FILE *out)
{
	help_verbs(&of_model, out);
	fputs("\nA TARGET is manager, worker:NAME or a Worker's NAME; without one it is the Manager. Where\n"
	      "no password is set HICLAW_ADMIN_PASSWORD is, else HICLAW_MANAGER_GATEWAY_KEY.\n",
		out);
}
