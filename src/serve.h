/*
 * `sluice serve`: puts the gateway, the store and the threads together.
 */
#ifndef SERVE_H
#define SERVE_H

/* Returns the exit code. */
int serve_main(int argc, char **argv);

#endif
