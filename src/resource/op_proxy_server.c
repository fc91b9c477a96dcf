/*
 * Proxy servers: entries of the McpBridge's proxies (higress-resources.md §2.6, §3.6).
 */
#include "resource/op_int.h"

#define PROXIES "proxies"
#define NAME_LONGEST 63u

static const struct op_shape_row rows[] = {
	{"type", OP_SHAPE_TEXT, NULL},
	{"name", OP_SHAPE_TEXT, NULL},
	{"version", OP_SHAPE_TEXT, NULL},
	{"serverAddress", OP_SHAPE_TEXT, NULL},
	{"serverPort", OP_SHAPE_INT, NULL},
	{"connectTimeout", OP_SHAPE_INT, NULL},
};
static const struct op_shape shape = {rows, ARRAY_LEN(rows)};

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

/* --- checks ------------------------------------------------------------------------------------- */

/* ^[a-z][a-z0-9-_.]{0,62}$ */
static bool is_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		bool letter = name.p[i] >= 'a' && name.p[i] <= 'z';

		if (!letter &&
			(i == 0 ||
				(!ascii_digit(name.p[i]) && name.p[i] != '-' && name.p[i] != '_' &&
					name.p[i] != '.'))) {
			return false;
		}
	}
	return name.n > 0 && name.n <= NAME_LONGEST;
}

bool op_proxy_name(struct op *o, struct bytes name)
{
	return name.n == 0 || is_name(name) || op_bridge_find(o, PROXIES, name) != NULL;
}

static enum op_rc check_name(struct op *o, struct bytes name)
{
	if (bytes_ends(name, BYTES(".internal"))) {
		return op_refuse(o, OP_READ_ONLY,
			"names of proxy servers that end in \".internal\" are the gateway's own");
	}
	return is_name(name) ? OP_OK
			     : op_refuse(o, OP_INVALID,
				       "the name of the proxy server must begin with a letter and "
				       "consist of at most 63 of a-z, 0-9, \"-\", \"_\" and \".\"");
}

static enum op_rc check_proxy(struct op *o, const struct doc *given)
{
	struct bytes address = text_of(o, given, "serverAddress");
	const struct doc *port = doc_get(o->arena, given, "serverPort");
	const struct doc *timeout = doc_get(o->arena, given, "connectTimeout");

	struct bytes type = text_of(o, given, "type");

	if (bytes_trim(type).n == 0 || !op_is_word(bytes_trim(type)) || type.n > NAME_LONGEST) {
		return op_refuse(o, OP_INVALID, "type must be given, in one word: http");
	}
	if (!op_host_is_ipv4(address) && !op_host_is_dotted(address)) {
		return op_refuse(o, OP_INVALID,
			"serverAddress must be an IPv4 address or a host name in lower case with "
			"at least one dot");
	}
	if (!doc_given(port) || port->integer < 1 || port->integer > 65535) {
		return op_refuse(o, OP_INVALID, "serverPort must be given, between 1 and 65535");
	}
	if (doc_given(timeout) && timeout->integer < 0) {
		return op_refuse(
			o, OP_INVALID, "connectTimeout must not be negative (milliseconds)");
	}
	return op_host_allowed(o, "serverAddress", address);
}

/* The first registry that goes through the proxy; empty: none. */
static struct bytes user_of(struct op *o, struct bytes name)
{
	const struct doc *r = doc_first(o->arena,
		doc_at(o->arena, draft_look(&o->draft, RESOURCE_MCPBRIDGE, MCPBRIDGE_NAME),
			"spec.registries"));

	for (; r != NULL; r = r->next) {
		if (bytes_eq(doc_peek(r, "proxyName", BYTES("")), name)) {
			return doc_peek(r, "name", BYTES("(without a name)"));
		}
	}
	return BYTES("");
}

/* --- operations --------------------------------------------------------------------------------- */

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	static const char *const managed[] = {
		"type", "serverAddress", "serverPort", "connectTimeout", NULL};
	struct doc *given = NULL, *want = doc_map(o->arena);
	enum op_rc rc = check_name(o, name);

	rc = rc != OP_OK ? rc : op_shape_take(o, &shape, body, &given);
	rc = rc != OP_OK ? rc : check_proxy(o, given);
	if (rc != OP_OK) {
		return rc;
	}
	if (mode == OP_CREATE && op_bridge_find(o, PROXIES, name) != NULL) {
		return op_refuse(o, OP_EXISTS, "the proxy server " BYTES_FMT " exists already",
			BYTES_ARG(name));
	}
	if (!bytes_eq_nocase(bytes_trim(text_of(o, given, "type")), BYTES("http"))) {
		op_warn(o,
			"the type of the proxy server " BYTES_FMT
			" is not http: nothing goes through it",
			BYTES_ARG(name));
	}
	for (const char *const *key = managed; *key != NULL; key++) {
		const struct doc *v = doc_get(o->arena, given, *key);

		if (doc_given(v)) {
			doc_set(o->arena, want, *key, doc_copy(o->arena, v));
		}
	}
	op_bridge_put(o, PROXIES, name, want, managed);
	return OP_OK;
}

static enum op_rc remove_proxy(struct op *o, struct bytes name)
{
	struct bytes user = user_of(o, name);
	enum op_rc rc = bytes_ends(name, BYTES(".internal")) ? check_name(o, name) : OP_OK;

	if (rc != OP_OK || op_bridge_find(o, PROXIES, name) == NULL) {
		return rc;
	}
	if (user.n > 0) {
		return op_refuse(o, OP_IN_USE,
			"the proxy server " BYTES_FMT
			" is still in use: the service source " BYTES_FMT " goes through it",
			BYTES_ARG(name), BYTES_ARG(user));
	}
	op_bridge_remove(o, PROXIES, name);
	return OP_OK;
}

static struct doc *read_proxy(struct op *o, struct bytes name)
{
	const struct doc *entry = op_bridge_find(o, PROXIES, name);
	struct doc *out;

	if (entry == NULL) {
		return NULL;
	}
	out = op_shape_show(o, &shape, entry);
	doc_set(o->arena, out, "version",
		op_version(o, draft_look(&o->draft, RESOURCE_MCPBRIDGE, MCPBRIDGE_NAME)));
	return out;
}

static struct strings list(struct op *o)
{
	return op_bridge_names(o, PROXIES);
}

const struct op_noun op_proxy_server = {"proxy-server", save, remove_proxy, read_proxy, list};
