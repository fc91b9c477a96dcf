/*
 * The tables that wire the rooms together. Included by main.c, serve.c and the simulated world only.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "cli/command.h"

extern const struct command_table registry_commands;

#endif
