/*
 * Hosts as API objects name them (console-api.md §3.7.1).
 */
#include <arpa/inet.h>

#include "resource/op_int.h"

/* RFC 1035 §2.3.4 */
#define LABEL_MAX 63u
#define NAME_LONGEST 253u

static bool is_address(int family, struct bytes s)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char address[16];

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL) {
		return false;
	}
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, address) == 1;
}

bool op_host_is_ipv4(struct bytes s)
{
	return is_address(AF_INET, s);
}

bool op_host_is_ipv6(struct bytes s)
{
	return is_address(AF_INET6, s);
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* more: what it may hold inside besides letters and digits. */
static bool is_label(struct bytes s, const char *more, bool *letters_only)
{
	bool letter = false;

	*letters_only = true;
	for (size_t i = 0; i < s.n; i++) {
		bool edge = i == 0 || i == s.n - 1;

		if (is_lower(s.p[i])) {
			letter = true;
		} else if (ascii_digit(s.p[i]) ||
			(!edge && s.p[i] != '\0' && strchr(more, s.p[i]) != NULL)) {
			*letters_only = false;
		} else {
			return false;
		}
	}
	/* What holds no letter could be taken for an address. */
	return s.n > 0 && s.n <= LABEL_MAX && (letter || more[0] == '-');
}

bool op_host_is_dotted(struct bytes s)
{
	bool letters = false;
	size_t n = 0;
	struct bytes label = s;

	if (s.n > NAME_LONGEST) {
		return false;
	}
	while (s.p != NULL) {
		label = bytes_cut(&s, '.');
		if (!is_label(label, "-", &letters)) {
			return false;
		}
		n++;
	}
	return n > 1 && letters && label.n > 1;
}

bool op_host_is_single(struct bytes s)
{
	bool letters;

	return is_label(s, "_-", &letters);
}

enum op_rc op_host_allowed(struct op *o, const char *what, struct bytes host)
{
	const char *why = NULL;

	if (o->address_allowed == NULL || o->address_allowed(o->arg, host, &why)) {
		return OP_OK;
	}
	return op_refuse(o, OP_INVALID, "%s: the address " BYTES_FMT " is refused: %s", what,
		BYTES_ARG(host), why != NULL ? why : "it is not allowed");
}
