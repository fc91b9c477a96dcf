/* Who may ask. Nothing here believes a header that a proxy would set: one makes a request foreign. */
#include "manage/access.h"

/* The address part of "127.0.0.1:5" or "[::1]:5". */
static bool is_loopback(const char *peer)
{
	return bytes_starts(bytes_str(peer), BYTES("127.")) ||
		bytes_starts(bytes_str(peer), BYTES("[::1]:"));
}

static bool was_forwarded(const struct head *h)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		enum field_id id = (enum field_id)h->fields[i].id;

		if (id == FIELD_FORWARDED || id == FIELD_X_FORWARDED || id == FIELD_VIA ||
			id == FIELD_X_REAL_IP) {
			return true;
		}
	}
	return false;
}

/* A name that nobody's DNS server answers for. */
static bool is_own_name(struct bytes host)
{
	struct sys_addr literal;

	return sys_addr_parse(&literal, host.p, host.n, 1) == 0 ||
		bytes_eq_nocase(host, BYTES("localhost")) ||
		bytes_eq_nocase(host, BYTES("localhost."));
}

bool access_is_local(const struct call *c)
{
	struct bytes host = c->url.host;
	uint16_t port;

	if (!is_loopback(call_peer(c)) || was_forwarded(c->head)) {
		return false;
	}
	if (host.n == 0 && url_parse_authority(head_get(c->head, FIELD_HOST), &host, &port) != 0) {
		return false;
	}
	return is_own_name(host);
}

static struct bytes field_of(const struct head *h, struct bytes name)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (bytes_eq_nocase(head_name(h, i), name)) {
			return head_value(h, i);
		}
	}
	return bytes_of(NULL, 0);
}

/* Whether an origin (RFC 6454 §7: "https://name:8443", or "null") is of that authority. Schemes are not
 * compared: in front of us TLS may have ended. */
static bool is_origin_of(struct bytes origin, struct bytes authority)
{
	struct bytes host, own;
	uint16_t port, own_port;

	if (bytes_starts_nocase(origin, BYTES("https://"))) {
		origin = bytes_of(origin.p + 8, origin.n - 8);
	} else if (bytes_starts_nocase(origin, BYTES("http://"))) {
		origin = bytes_of(origin.p + 7, origin.n - 7);
	} else {
		return false;
	}
	return url_parse_authority(origin, &host, &port) == 0 &&
		url_parse_authority(authority, &own, &own_port) == 0 &&
		bytes_eq_nocase(host, own) && port == own_port;
}

enum access_site access_site(const struct call *c)
{
	const struct head *h = c->head;
	struct bytes site = field_of(h, BYTES("sec-fetch-site"));
	struct bytes origin = field_of(h, BYTES("origin"));
	struct bytes first = field_of(h, BYTES("x-forwarded-host"));

	/* What the browser found out itself; it says so where it trusts the connection. */
	if (site.p != NULL) {
		return bytes_eq(site, BYTES("same-origin")) ? ACCESS_OWN_PAGE
			: bytes_eq(site, BYTES("none"))     ? ACCESS_NO_PAGE
							    : ACCESS_OTHER_PAGE;
	}
	if (origin.p == NULL) {
		return ACCESS_NO_PAGE;
	}
	/* A page cannot set the second without asking (CORS), which is answered to nobody. */
	return is_origin_of(origin, head_get(h, FIELD_HOST)) ||
			is_origin_of(origin, bytes_trim(bytes_cut(&first, ',')))
		? ACCESS_OWN_PAGE
		: ACCESS_OTHER_PAGE;
}

bool access_is_other_site(const struct call *c)
{
	struct bytes method = c->head->method;

	return !bytes_eq(method, BYTES("GET")) && !bytes_eq(method, BYTES("HEAD")) &&
		access_site(c) == ACCESS_OTHER_PAGE;
}

bool access_is_loopback(const struct call *c)
{
	return is_loopback(call_peer(c));
}

bool access_has_token(const struct call *c, const char *token)
{
	struct bytes given = head_get(c->head, FIELD_AUTHORIZATION);

	if (token == NULL || given.n < 7 || !bytes_starts_nocase(given, BYTES("Bearer "))) {
		return false;
	}
	return bytes_eq_secret(bytes_trim(bytes_of(given.p + 7, given.n - 7)), bytes_str(token));
}
