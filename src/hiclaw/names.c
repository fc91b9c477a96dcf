#include "hiclaw/names.h"

#include <stdlib.h>

#include "hiclaw/model_traits.h"
#include "wire/url.h"

#define PROVIDER_MAX 63u
/* How OpenClaw calls the provider that the gateway is. */
#define GATEWAY_PREFIX BYTES("hiclaw-gateway/")

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || ascii_digit(c);
}

static struct bytes behind(struct bytes s, struct bytes prefix)
{
	return bytes_of(s.p + prefix.n, s.n - prefix.n);
}

/* --- agents ------------------------------------------------------------------------------------------ */

static bool is_reserved(struct bytes name)
{
	static const char *const reserved[] = {"manager", "default", "shared", "workers"};

	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		if (bytes_eq(name, bytes_str(reserved[i]))) {
			return true;
		}
	}
	return false;
}

bool names_is_worker(struct bytes name)
{
	if (name.n == 0 || name.n > NAMES_WORKER_MAX || name.p[0] == '-' || is_reserved(name)) {
		return false;
	}
	for (size_t i = 0; i < name.n; i++) {
		if (!is_lower(name.p[i]) && name.p[i] != '-') {
			return false;
		}
	}
	return true;
}

bool names_of_consumer(struct bytes consumer, struct bytes *worker_out)
{
	struct bytes name;

	if (!bytes_starts(consumer, NAMES_CONSUMER_PREFIX)) {
		return false;
	}
	name = behind(consumer, NAMES_CONSUMER_PREFIX);
	if (!names_is_worker(name)) {
		return false;
	}
	*worker_out = name;
	return true;
}

int names_target(struct bytes text, struct names_target *out, struct fault *fault)
{
	const struct bytes prefix = BYTES("worker:");
	struct bytes name = bytes_starts(text, prefix) ? behind(text, prefix) : text;

	if (bytes_eq(text, BYTES("manager"))) {
		*out = (struct names_target){.kind = NAMES_MANAGER};
		return 0;
	}
	if (!names_is_worker(name)) {
		return fault_set(fault, ERR_SYNTAX, 400, 0,
			"The target is \"manager\" or the name of a Worker: 1 to 63 lower-case "
			"letters, digits and dashes, and not a reserved name");
	}
	*out = (struct names_target){.kind = NAMES_WORKER, .worker = name};
	return 0;
}

int names_segment(struct bytes raw, struct names_room *room, struct bytes *out, struct fault *fault)
{
	ptrdiff_t n;

	if (raw.n > sizeof(room->p)) {
		return fault_set(fault, ERR_LIMIT, 400, 0, "The name in the path is too long");
	}
	n = url_decode(room->p, raw, false, false);
	if (n <= 0) {
		return fault_set(fault, ERR_SYNTAX, 400, 0,
			n == 0 ? "The path has no name" : "The path has an escape that is none");
	}
	for (ptrdiff_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)room->p[i];

		if (c < ' ' || c == 0x7f || c == '/') {
			return fault_set(fault, ERR_SYNTAX, 400, 0,
				"The name in the path holds a slash or a control character");
		}
	}
	*out = bytes_of(room->p, (size_t)n);
	return 0;
}

/* --- providers, models --------------------------------------------------------------------------------- */

bool names_is_provider(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!is_lower(ascii_lower(c)) && (i == 0 || (c != '.' && c != '_' && c != '-'))) {
			return false;
		}
	}
	return name.n > 0 && name.n <= PROVIDER_MAX && !bytes_ends(name, BYTES(".dns")) &&
		!bytes_ends(name, BYTES(".static"));
}

int names_model(struct bytes id, struct bytes *out, struct fault *fault)
{
	struct bytes bare = bytes_starts(id, GATEWAY_PREFIX) ? behind(id, GATEWAY_PREFIX) : id;

	if (!model_id_is_valid(bare)) {
		return fault_set(fault, ERR_SYNTAX, 400, 0,
			"A model id has 1 to 256 bytes without blanks, quotes and control "
			"characters");
	}
	*out = bare;
	return 0;
}

/* --- sorted items ----------------------------------------------------------------------------------- */

int names_order(const void *x, const void *y)
{
	const struct bytes *a = x, *b = y;

	return bytes_cmp(*a, *b);
}

void *names_find(const void *v, size_t n, size_t size, struct bytes name)
{
	return n != 0 ? bsearch(&name, v, n, size, names_order) : NULL;
}
