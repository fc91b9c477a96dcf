/*
 * The tables that wire the rooms together. Included by main.c, serve.c and the simulated world only.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "cli/command.h"
#include "console/console.h"

extern const struct command_table registry_commands;
extern const struct console_endpoints registry_endpoints;
extern const struct act_endpoints registry_acts;

#endif
