/*
 * Which sluice this is.
 */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

/* "0.1.0". */
const char *version_text(void);
/* `sluice version`: version, compiler, libraries; one fact a line. */
int version_main(int argc, char **argv);

#endif
