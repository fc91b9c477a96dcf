#include "hiclaw/own_listener.h"

#include "base/num.h"
#include "hiclaw/env.h"

/* Bytes of an IPv4 address, also of one that is mapped into IPv6; NULL: it is none. */
static const unsigned char *v4_of(const struct sys_addr *a)
{
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	const unsigned char *v6 = (const unsigned char *)a->u.room + 8; /* struct sockaddr_in6 */

	if (a->u.sa.sa_family == AF_INET) {
		return (const unsigned char *)a->u.room + 4; /* struct sockaddr_in */
	}
	return memcmp(v6, mapped, sizeof(mapped)) == 0 ? v6 + 12 : NULL;
}

static bool is_all(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0) {
			return false;
		}
	}
	return true;
}

/* 0.0.0.0 and ::, to which the system connects as to loopback. */
static bool is_any(const struct sys_addr *a)
{
	const unsigned char *v4 = v4_of(a);

	return v4 != NULL ? is_all(v4, 4) : is_all((const unsigned char *)a->u.room + 8, 16);
}

static bool is_loopback(const struct sys_addr *a)
{
	const unsigned char *v4 = v4_of(a), *v6 = (const unsigned char *)a->u.room + 8;

	return v4 != NULL ? v4[0] == 127 : is_all(v6, 15) && v6[15] == 1;
}

static bool is_same(const struct sys_addr *x, const struct sys_addr *y)
{
	const unsigned char *v4 = v4_of(x), *other = v4_of(y);

	if (v4 != NULL || other != NULL) {
		return v4 != NULL && other != NULL && memcmp(v4, other, 4) == 0;
	}
	return memcmp((const unsigned char *)x->u.room + 8, (const unsigned char *)y->u.room + 8,
		       16) == 0;
}

/* "\"127.0.0.1:8080\"" */
static bool read_item(struct bytes item, struct sys_addr *at, uint64_t *port)
{
	size_t n;

	item = bytes_trim(item);
	if (item.n < 2) {
		return false;
	}
	item = bytes_of(item.p + 1, item.n - 2);
	n = item.n;
	while (n > 0 && item.p[n - 1] != ':') {
		n--;
	}
	return n > 1 && num_parse_u64(bytes_of(item.p + n, item.n - n), UINT16_MAX, port) &&
		sys_addr_parse(at, item.p, n - 1, 1) == 0;
}

static bool is_name_of_ours(const struct own_listener *o, struct bytes host)
{
	while (host.n > 0 && host.p[host.n - 1] == '.') {
		host.n--;
	}
	return bytes_eq_nocase(host, BYTES("localhost")) ||
		(host.n > 10 &&
			bytes_eq_nocase(bytes_of(host.p + host.n - 10, 10), BYTES(".localhost"))) ||
		(o->domain.n != 0 &&
			(bytes_eq_nocase(host, o->domain) ||
				bytes_eq_nocase(host, BYTES(ENV_OLD_DOMAIN))));
}

static bool is_at(const struct own_listener *o, const struct sys_addr *listens, struct bytes host)
{
	struct sys_addr a;

	if (sys_addr_parse(&a, host.p, host.n, 1) != 0) {
		return is_name_of_ours(o, host) &&
			(is_any(listens) || is_loopback(listens) ||
				!bytes_ends(host, BYTES("localhost")));
	}
	return is_same(&a, listens) || (is_any(&a) && is_loopback(listens)) ||
		(is_any(listens) &&
			(is_loopback(&a) || is_any(&a) || (o->is_here != NULL && o->is_here(&a))));
}

bool own_listener_is(const struct own_listener *o, struct bytes host, unsigned port)
{
	for (size_t i = 0; i < OWN_LISTENER_LISTS; i++) {
		struct bytes rest = o->lists[i];

		while (rest.n != 0) {
			struct sys_addr at;
			uint64_t n;

			if (read_item(bytes_cut(&rest, ','), &at, &n) && n == port &&
				is_at(o, &at, host)) {
				return true;
			}
		}
	}
	return false;
}
