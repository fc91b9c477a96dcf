#include "cli/version.h"

#include <stdio.h>

#include <openssl/crypto.h>

#ifndef SLUICE_VERSION
#define SLUICE_VERSION "0.0.0"
#endif

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#define EXIT_USAGE 2

const char *version_text(void)
{
	return SLUICE_VERSION;
}

int version_main(int argc, char **argv)
{
	if (argc > 1) {
		fprintf(stderr, "sluice version: \"%.80s\" is no option; there is none\n", argv[1]);
		return EXIT_USAGE;
	}
	printf("sluice %s\ncompiler: %s\nopenssl: %s\n", version_text(), COMPILER,
		OpenSSL_version(OPENSSL_VERSION));
	return 0;
}
