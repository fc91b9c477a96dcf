/*
 * Destinations of Ingresses. That a service does not exist is said where routes are compiled; here, what
 * was probably meant: of the registries the one whose name begins alike for longest, which stands beside
 * the place where the name would be among them in order.
 */
#include "plan/lint_int.h"

/* Names that begin alike for so long are worth a guess: "llm-" is in all of them. */
#define CLOSE_MIN 6u

static size_t common_prefix(struct bytes a, struct bytes b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n]) {
		n++;
	}
	return n;
}

/* p NULL: none is close. */
static struct bytes closest(const struct lint *l, struct bytes name)
{
	struct bytes best = {0};
	size_t most = CLOSE_MIN - 1;
	size_t from = 0;
	size_t to = l->n_sorted;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (bytes_cmp(l->sorted[mid], name) < 0) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	for (size_t i = from != 0 ? from - 1 : 0; i < l->n_sorted && i <= from; i++) {
		size_t n = common_prefix(l->sorted[i], name);

		if (n > most) {
			best = l->sorted[i];
			most = n;
		}
	}
	return best;
}

static void check_guess(struct lint *l, const struct object *o, const struct pair *d,
	const struct destination_line *line)
{
	struct bytes near = closest(l, line->service);
	const struct registry *r = near.p != NULL ? map_get(&l->services, near) : NULL;
	struct finding at = build_warning(o, d->at, "destination-port-mismatch");

	if (r == NULL || line->port == 0 || r->port == line->port) {
		return;
	}
	findings_add(l->findings, &at,
		"the destination has port %u; the registry that is probably meant, " BYTES_FMT
		", has port %llu: write that one",
		line->port, BYTES_ARG(near), (unsigned long long)r->port);
}

/* Any sum is shared out in proportion (higress-resources.md §5.5); who wrote it meant percents. */
static void check_weights(struct lint *l, const struct object *o, const struct pair *d,
	const struct destination_line *lines, size_t n)
{
	struct finding at = build_warning(o, d->at, "weights-sum");
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum += lines[i].weight;
	}
	if (n > 1 && sum != 100) {
		findings_add(l->findings, &at,
			"the weights add up to %llu, so each is taken as a part of that; make them "
			"add up to 100",
			(unsigned long long)sum);
	}
}

static void check_ingress(struct lint *l, const struct object *o)
{
	struct destination_line *lines;
	const struct pair *d;
	size_t n = lint_destination(l, o, &lines, &d);

	if (n == 0) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (map_get(&l->services, lines[i].service) == NULL) {
			check_guess(l, o, d, &lines[i]);
		}
	}
	check_weights(l, o, d, lines, n);
}

void lint_destinations(struct lint *l)
{
	size_t from;
	size_t n = snapshot_kind(l->snapshot, RESOURCE_INGRESS, &from);

	for (size_t i = from; i < from + n; i++) {
		check_ingress(l, l->snapshot->objects[i]);
	}
}
