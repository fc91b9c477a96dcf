/* The addresses of sys.h: pure, so they are not replaced in the simulated world. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "net/sys.h"

static void set_v4(struct sys_addr *out, const struct in_addr *ip, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = *ip};

	memset(out, 0, sizeof(*out));
	memcpy(&out->u, &sin, sizeof(sin));
	out->len = sizeof(sin);
}

static void set_v6(struct sys_addr *out, const struct in6_addr *ip, uint16_t port)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *ip};

	memset(out, 0, sizeof(*out));
	memcpy(&out->u, &sin6, sizeof(sin6));
	out->len = sizeof(sin6);
}

int sys_addr_parse(struct sys_addr *out, const char *host, size_t host_n, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr ip4;
	struct in6_addr ip6;
	bool brackets = host_n >= 2 && host[0] == '[' && host[host_n - 1] == ']';

	if (brackets) {
		host++;
		host_n -= 2;
	}
	if (host_n == 0 || host_n >= sizeof(text) || memchr(host, '\0', host_n) != NULL) {
		return ERR_SYNTAX;
	}
	memcpy(text, host, host_n);
	text[host_n] = '\0';
	if (!brackets && inet_pton(AF_INET, text, &ip4) == 1) {
		set_v4(out, &ip4, port);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &ip6) == 1) {
		set_v6(out, &ip6, port);
		return 0;
	}
	return ERR_SYNTAX;
}

/* Behind the family, where a pointer may stand. */
#define PATH_AT 8u
static_assert(
	PATH_AT + sizeof(const char *) <= sizeof(((struct sys_addr *)0)->u), "room for a path");

int sys_addr_unix(struct sys_addr *out, const char *path)
{
	struct sockaddr_un un;

	if (path[0] == '\0' || strlen(path) >= sizeof(un.sun_path)) {
		return ERR_LIMIT;
	}
	memset(out, 0, sizeof(*out));
	out->u.sa.sa_family = AF_UNIX;
	memcpy(out->u.room + PATH_AT, &path, sizeof(path));
	out->len = sizeof(out->u.room);
	return 0;
}

const char *sys_addr_path(const struct sys_addr *a)
{
	const char *path = NULL;

	if (a->u.sa.sa_family == AF_UNIX) {
		memcpy(&path, a->u.room + PATH_AT, sizeof(path));
	}
	return path;
}

/* The port is at the same place in both families (RFC 3493 leaves that open, Linux does not). */
static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	"one place for the port");

void sys_addr_set_port(struct sys_addr *a, uint16_t port)
{
	uint16_t be = htons(port);

	memcpy(a->u.room + offsetof(struct sockaddr_in, sin_port), &be, sizeof(be));
}

uint16_t sys_addr_port(const struct sys_addr *a)
{
	uint16_t be;

	memcpy(&be, a->u.room + offsetof(struct sockaddr_in, sin_port), sizeof(be));
	return ntohs(be);
}

size_t sys_addr_format(const struct sys_addr *a, char out[SYS_ADDR_TEXT])
{
	bool v6 = a->u.sa.sa_family == AF_INET6;
	size_t at = v6 ? offsetof(struct sockaddr_in6, sin6_addr)
		       : offsetof(struct sockaddr_in, sin_addr);
	const char *path = sys_addr_path(a);
	char ip[INET6_ADDRSTRLEN];
	int n;

	if (path != NULL) {
		n = snprintf(out, SYS_ADDR_TEXT, "unix:%.*s", SYS_ADDR_TEXT - 6, path);
		return (size_t)n;
	}
	if (inet_ntop(v6 ? AF_INET6 : AF_INET, a->u.room + at, ip, sizeof(ip)) == NULL) {
		ip[0] = '\0';
	}
	n = snprintf(out, SYS_ADDR_TEXT, v6 ? "[%s]:%u" : "%s:%u", ip, sys_addr_port(a));
	ASSERT(n > 0 && n < SYS_ADDR_TEXT);
	return (size_t)n;
}
