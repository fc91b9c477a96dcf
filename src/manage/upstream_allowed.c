#include "manage/upstream_allowed.h"

#include "net/sys.h"

static const char metadata[] = "this is where clouds give out credentials of the machine";
static const char link_local[] = "link-local addresses belong to the machine's own network";

/* Addresses outside of 169.254/16 and fe80::/10 (Alibaba Cloud, AWS over IPv6). */
static const unsigned char alibaba[4] = {100, 100, 100, 200};
static const unsigned char aws[16] = {
	0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};

static const char *refuse_v4(const unsigned char a[4])
{
	if (memcmp(a, alibaba, sizeof(alibaba)) == 0) {
		return metadata;
	}
	if (a[0] == 169 && a[1] == 254) {
		return a[2] == 169 && a[3] == 254 ? metadata : link_local;
	}
	return NULL;
}

static const char *refuse_v6(const unsigned char a[16])
{
	/* ::ffff:1.2.3.4, and 64:ff9b::1.2.3.4 of translators */
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	static const unsigned char translated[12] = {0x00, 0x64, 0xff, 0x9b};

	if (memcmp(a, mapped, sizeof(mapped)) == 0 ||
		memcmp(a, translated, sizeof(translated)) == 0) {
		return refuse_v4(a + 12);
	}
	if (memcmp(a, aws, sizeof(aws)) == 0) {
		return metadata;
	}
	return a[0] == 0xfe && (a[1] & 0xc0) == 0x80 ? link_local : NULL;
}

/* Names that clouds resolve for their machines. */
static const char *refuse_name(struct bytes host)
{
	static const char *const names[] = {"metadata.google.internal", "metadata.goog", "metadata",
		"instance-data", "instance-data.ec2.internal"};

	while (host.n != 0 && host.p[host.n - 1] == '.') {
		host.n--;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (bytes_eq_nocase(host, bytes_str(names[i]))) {
			return metadata;
		}
	}
	return NULL;
}

bool upstream_allowed(void *arg, struct bytes host, const char **why)
{
	struct sys_addr a;
	const char *reason;

	(void)arg;
	if (sys_addr_parse(&a, host.p, host.n, 1) != 0) {
		reason = refuse_name(host);
	} else if (a.u.sa.sa_family == AF_INET) {
		reason = refuse_v4((const unsigned char *)a.u.room + 4); /* struct sockaddr_in */
	} else {
		reason = refuse_v6((const unsigned char *)a.u.room + 8); /* struct sockaddr_in6 */
	}
	if (reason != NULL) {
		*why = reason;
	}
	return reason == NULL;
}
