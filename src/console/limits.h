/*
 * Limits of the management listener.
 */
#ifndef CONSOLE_LIMITS_H
#define CONSOLE_LIMITS_H

/* Accident: a scraper that opens a connection for each scrape and closes none. Above it the listener
 * rests. Few people and programs manage a gateway. */
#define CONSOLE_CONNECTIONS_MAX 256u
/* What heads and bodies of requests may take at once. */
#define CONSOLE_MEMORY ((size_t)16 << 20)
/* Attack: readers of /metrics that take a page, which may be many MB, and do not read it. */
#define CONSOLE_PAGES_MAX 4u

#endif
