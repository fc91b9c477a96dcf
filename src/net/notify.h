/*
 * What systemd wants to hear of a service (sd_notify(3)): datagrams to the socket that NOTIFY_SOCKET
 * names. Without one nothing is sent. Nobody waits for it, and a lost datagram is no failure.
 */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/base.h"

struct notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t to_len;
};

/* Reads NOTIFY_SOCKET: a path, or a name that begins with @ (abstract). */
void notify_init(struct notify *n);
void notify_done(struct notify *n);
bool notify_is_heard(const struct notify *n);
/* "READY=1\nSTATUS=…": lines of NAME=VALUE. One that is longer than 1 KB is cut. */
void notify_send(const struct notify *n, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* How often a sign of life (WATCHDOG=1) is due at the latest, in microseconds; 0: nobody asks. */
uint64_t notify_watchdog_us(void);

#endif
