/* Access lines as their reader sees them: nothing is known here of how they are made. */
#include <stdio.h>

#include "base/num.h"
#include "sim/trial.h"

/* What stands behind "name": in an object without objects in it; empty: there is no such member. */
static struct bytes member(struct bytes object, const char *name)
{
	char key[40];
	size_t n = (size_t)snprintf(key, sizeof(key), "\"%s\":", name);
	struct bytes rest = object;

	for (; rest.n > n; rest = bytes_of(rest.p + 1, rest.n - 1)) {
		if (memcmp(rest.p, key, n) == 0) {
			struct bytes v = bytes_of(rest.p + n, rest.n - n);
			char end = v.p[0] == '"' ? '"' : ',';
			size_t from = end == '"';
			size_t i = from;

			while (i < v.n && v.p[i] != end && v.p[i] != '}') {
				i++;
			}
			return bytes_of(v.p + from, i - from);
		}
	}
	return BYTES("");
}

static unsigned number(struct bytes object, const char *name)
{
	uint64_t v = 0;

	IGNORE(num_parse_u64(member(object, name), UINT32_MAX, &v)); /* 0: not there */
	return (unsigned)v;
}

static bool is_true(struct bytes object, const char *name)
{
	return bytes_eq(member(object, name), BYTES("true"));
}

static void copy(struct bytes b, char *out, size_t n)
{
	snprintf(out, n, BYTES_FMT, BYTES_ARG(b));
}

/* "p3" */
static unsigned provider_of(struct bytes object)
{
	struct bytes b = member(object, "provider");

	return b.n == 2 ? (unsigned)(b.p[1] - '0') : TRIAL_PROVIDERS;
}

/* "10.0.3.2:80", or the service's name when there was no connection to speak of. */
static unsigned endpoint_of(struct bytes object, bool *none)
{
	struct bytes b = member(object, "upstream");

	*none = !bytes_ends(b, BYTES(":80"));
	return *none || b.n < 4 ? TRIAL_ENDPOINTS : (unsigned)(b.p[b.n - 4] - '1');
}

static void read_try(struct bytes object, struct trial_try *out)
{
	struct bytes credential = member(object, "credential");

	copy(member(object, "class"), out->class, sizeof(out->class));
	out->status = number(object, "status");
	out->provider = provider_of(object);
	out->endpoint = endpoint_of(object, &out->no_connection);
	out->key = credential.n == 4 ? (unsigned)(credential.p[1] - '0') : TRIAL_KEYS;
	out->ms = number(object, "ms");
}

/* Takes "tries":[…] out of the line. */
static struct bytes cut_tries(struct bytes *line)
{
	struct bytes key = BYTES(",\"tries\":[");

	for (size_t i = 0; i + key.n < line->n; i++) {
		if (memcmp(line->p + i, key.p, key.n) == 0) {
			struct bytes tries = bytes_of(line->p + i + key.n, line->n - i - key.n);

			line->n = i;
			return tries;
		}
	}
	return BYTES("");
}

static void read_line(struct bytes line, struct trial_told *out)
{
	struct bytes all = line;
	struct bytes tries = cut_tries(&line);

	out->there++;
	out->status = number(line, "status");
	out->attempts = number(line, "attempts");
	out->provider = provider_of(line);
	out->endpoint = endpoint_of(line, &out->no_connection);
	copy(member(line, "reason"), out->reason, sizeof(out->reason));
	copy(member(line, "failure"), out->class, sizeof(out->class));
	out->aborted = is_true(all, "client_abort");
	out->cut = is_true(all, "cut");
	while (tries.n != 0 && tries.p[0] == '{' && out->n_tries < TRIAL_SCRIPT) {
		struct bytes object = bytes_cut(&tries, '}');

		read_try(object, &out->tries[out->n_tries++]);
		if (tries.n != 0 && tries.p[0] == ',') {
			tries = bytes_of(tries.p + 1, tries.n - 1);
		}
	}
}

void trial_told(struct bytes log, unsigned i, struct trial_told *out)
{
	char id[32];

	*out = (struct trial_told){.there = 0};
	snprintf(id, sizeof(id), "trial-%u", i);
	while (log.p != NULL && log.n != 0) {
		struct bytes line = bytes_cut(&log, '\n');

		if (bytes_eq(member(line, "request_id"), bytes_str(id))) {
			read_line(line, out);
		}
	}
}
