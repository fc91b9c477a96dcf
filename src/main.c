#include "registry.h"

int main(int argc, char **argv)
{
	return command_dispatch(&registry_commands, argc, argv);
}
