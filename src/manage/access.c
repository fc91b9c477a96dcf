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

bool access_has_token(const struct call *c, const char *token)
{
	struct bytes given = head_get(c->head, FIELD_AUTHORIZATION);

	if (token == NULL || given.n < 7 || !bytes_starts_nocase(given, BYTES("Bearer "))) {
		return false;
	}
	return bytes_eq_secret(bytes_trim(bytes_of(given.p + 7, given.n - 7)), bytes_str(token));
}
