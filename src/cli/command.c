#include "cli/command.h"

#include "cli/help.h"
#include "base/nearest.h"

const struct command *command_find(const struct command_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->v[i].name, name) == 0) {
			return &t->v[i];
		}
	}
	return NULL;
}

int command_unknown(const struct command_table *t, const char *name, FILE *err)
{
	struct nearest best = {NULL, 0};

	for (size_t i = 0; i < t->n; i++) {
		nearest_offer(&best, bytes_str(name), t->v[i].name);
	}
	fprintf(err, "sluice: there is no command \"%.64s\"", name);
	if (best.name != NULL) {
		fprintf(err, ", did you mean %s?", best.name);
	}
	fputs(" (sluice help lists all)\n", err);
	return COMMAND_USAGE;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			return true;
		}
	}
	return false;
}

int command_dispatch(const struct command_table *t, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";
	const struct command *c;

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		help_overview(t, argc > 1 ? stdout : stderr);
		return argc > 1 ? COMMAND_DONE : COMMAND_USAGE;
	}
	if (strcmp(name, "--version") == 0) {
		name = "version";
	}
	c = command_find(t, name);
	if (c == NULL) {
		return command_unknown(t, name, stderr);
	}
	if (asks_for_help(argc - 1, argv + 1)) {
		help_command(c, stdout);
		return COMMAND_DONE;
	}
	return c->run(argc - 1, argv + 1);
}
