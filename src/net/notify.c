#define _GNU_SOURCE
#include "net/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"

#define MESSAGE_MAX 1024

/* False: no address of the two kinds. */
static bool read_address(struct notify *n, const char *text)
{
	size_t len = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || len < 2 || len >= sizeof(n->to.sun_path)) {
		return false;
	}
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, text, len);
	if (text[0] == '@') {
		n->to.sun_path[0] = '\0';
	}
	/* Abstract names have no end but their length; paths are counted with their zero. */
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (text[0] == '/'));
	return true;
}

void notify_init(struct notify *n)
{
	const char *address = getenv("NOTIFY_SOCKET");

	*n = (struct notify){.fd = -1};
	if (address != NULL && read_address(n, address)) {
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
}

void notify_done(struct notify *n)
{
	if (n->fd >= 0) {
		close(n->fd);
	}
	n->fd = -1;
}

bool notify_is_heard(const struct notify *n)
{
	return n->fd >= 0;
}

void notify_send(const struct notify *n, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list args;
	int len;

	if (n->fd < 0) {
		return;
	}
	va_start(args, fmt);
	len = vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	ASSERT(len >= 0);
	/* The manager may be gone, or busy with others: it asks again in its own way. */
	IGNORE(sendto(n->fd, message, MIN((size_t)len, sizeof(message) - 1), MSG_NOSIGNAL,
		(const struct sockaddr *)&n->to, n->to_len));
}

uint64_t notify_watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t n;

	if (us == NULL || !num_parse_u64(bytes_str(us), UINT64_MAX / 2, &n)) {
		return 0;
	}
	if (pid != NULL) {
		uint64_t whose;

		if (!num_parse_u64(bytes_str(pid), INT32_MAX, &whose) ||
			whose != (uint64_t)getpid()) {
			return 0; /* inherited from a service above us */
		}
	}
	return n;
}
