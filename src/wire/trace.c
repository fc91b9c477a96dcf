/*
 * W3C Trace Context, Recommendation of 23 November 2021, §3.2:
 *
 *   traceparent     = version "-" version-format
 *   version         = 2HEXDIGLC ; "ff" is forbidden
 *   version-format  = trace-id "-" parent-id "-" trace-flags ; of version 00
 *   trace-id        = 32HEXDIGLC ; not all zero
 *   parent-id       = 16HEXDIGLC ; not all zero
 *   trace-flags     = 2HEXDIGLC
 *
 * A higher version has the same beginning, and when there is more, a "-" behind it.
 */
#include "wire/trace.h"

#include "base/num.h"

#define ID_AT 3u
#define SPAN_AT 36u
#define FLAGS_AT 53u

/* n lower-case hexadecimal digits. */
static bool read_hex(const char *p, size_t n, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (ascii_digit(p[i])) {
			v = v << 4 | (uint64_t)(p[i] - '0');
		} else if (p[i] >= 'a' && p[i] <= 'f') {
			v = v << 4 | (uint64_t)(p[i] - 'a' + 10);
		} else {
			return false;
		}
	}
	*out = v;
	return true;
}

bool trace_parse(struct bytes value, struct trace *out)
{
	struct trace t;
	uint64_t version;
	uint64_t flags;

	if (value.n < TRACE_PARENT_N || !read_hex(value.p, 2, &version) || version == 0xff) {
		return false;
	}
	if (value.n > TRACE_PARENT_N && (version == 0 || value.p[TRACE_PARENT_N] != '-')) {
		return false;
	}
	if (value.p[ID_AT - 1] != '-' || value.p[SPAN_AT - 1] != '-' ||
		value.p[FLAGS_AT - 1] != '-') {
		return false;
	}
	if (!read_hex(value.p + ID_AT, 16, &t.id[0]) ||
		!read_hex(value.p + ID_AT + 16, 16, &t.id[1]) ||
		!read_hex(value.p + SPAN_AT, 16, &t.span) ||
		!read_hex(value.p + FLAGS_AT, 2, &flags)) {
		return false;
	}
	if ((t.id[0] | t.id[1]) == 0 || t.span == 0) {
		return false;
	}
	t.flags = flags & TRACE_SAMPLED;
	*out = t;
	return true;
}

void trace_format_id(const struct trace *t, char out[TRACE_ID_N])
{
	num_format_hex16(out, t->id[0]);
	num_format_hex16(out + 16, t->id[1]);
}

void trace_format(const struct trace *t, char out[TRACE_PARENT_N])
{
	memcpy(out, "00-", ID_AT);
	trace_format_id(t, out + ID_AT);
	out[SPAN_AT - 1] = '-';
	num_format_hex16(out + SPAN_AT, t->span);
	out[FLAGS_AT - 1] = '-';
	out[FLAGS_AT] = '0';
	out[FLAGS_AT + 1] = (t->flags & TRACE_SAMPLED) != 0 ? '1' : '0';
}
