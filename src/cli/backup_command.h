/*
 * `sluice backup {list,create,show,restore,delete}`: what a running gateway keeps of its resources before they change.
 */
#ifndef CLI_BACKUP_COMMAND_H
#define CLI_BACKUP_COMMAND_H

#include <stdio.h>

int backup_command_main(int argc, char **argv);
void backup_command_help(FILE *out);

#endif
