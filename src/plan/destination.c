#include "plan/destination.h"

#include "base/num.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The next word of *rest, "" at its end. */
static struct bytes next_word(struct bytes *rest)
{
	size_t beg = 0;
	size_t end;
	struct bytes word;

	while (beg < rest->n && is_blank(rest->p[beg])) {
		beg++;
	}
	end = beg;
	while (end < rest->n && !is_blank(rest->p[end])) {
		end++;
	}
	word = bytes_of(rest->p + beg, end - beg);
	*rest = bytes_of(rest->p + end, rest->n - end);
	return word;
}

/* The last colon separates a port only when a port stands behind it: "a:b:com.x:1.0.:nacos" has none. */
static void split_address(struct bytes address, struct destination_line *out)
{
	size_t colon = address.n;
	uint64_t port;

	out->service = address;
	while (colon > 0 && address.p[colon - 1] != ':') {
		colon--;
	}
	if (colon > 1 &&
		num_parse_u64(bytes_of(address.p + colon, address.n - colon), 65535, &port) &&
		port != 0) {
		out->service.n = colon - 1;
		out->port = (uint16_t)port;
	}
}

static bool parse_line(struct bytes line, struct destination_line *out)
{
	struct bytes word = next_word(&line);
	uint64_t weight = 100;

	*out = (struct destination_line){.weight = 100};
	if (bytes_ends(word, BYTES("%"))) {
		word.n--;
		if (!num_parse_u64(word, DESTINATION_WEIGHT_MAX, &weight)) {
			return false;
		}
		out->weighted = true;
		out->weight = (unsigned)weight;
		word = next_word(&line);
	}
	split_address(word, out);
	out->subset = next_word(&line);
	return out->service.n != 0;
}

int destination_parse(struct bytes text, struct arena *a, struct destination_line **out,
	size_t *n_out, struct fault *fault)
{
	struct destination_line *lines;
	struct bytes rest = text;
	size_t n_lines = 1;
	size_t n = 0;
	size_t where = 0;

	for (size_t i = 0; i < text.n; i++) {
		n_lines += text.p[i] == '\n';
	}
	if (n_lines > DESTINATION_MAX) {
		return fault_set(fault, ERR_LIMIT, 0, DESTINATION_MAX, "more than %u destinations",
			DESTINATION_MAX);
	}
	lines = arena_must(a, n_lines * sizeof(*lines));
	while (rest.p != NULL) {
		struct bytes line = bytes_cut(&rest, '\n');
		struct bytes look = line;

		where++;
		if (next_word(&look).n == 0) {
			continue;
		}
		if (!parse_line(line, &lines[n])) {
			return fault_set(fault, ERR_SYNTAX, 0, where,
				"line %zu has no weight and service name", where);
		}
		n++;
	}
	*out = lines;
	*n_out = n;
	return 0;
}
