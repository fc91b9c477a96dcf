/*
 * Distance of Damerau and Levenshtein in its "optimal string alignment" form: three rows of the table
 * are enough, because a swap of neighbours looks two rows back.
 */
#include "base/nearest.h"

static size_t least(size_t a, size_t b, size_t c)
{
	return MIN(MIN(a, b), c);
}

size_t nearest_distance(struct bytes a, struct bytes b)
{
	size_t rows[3][NEAREST_NAME_MAX + 1];

	if (a.n > NEAREST_NAME_MAX || b.n > NEAREST_NAME_MAX) {
		return MAX(a.n, b.n);
	}
	for (size_t j = 0; j <= b.n; j++) {
		rows[0][j] = j;
	}
	for (size_t i = 1; i <= a.n; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3];
		const size_t *above2 = rows[(i + 1) % 3];
		char ca = ascii_lower(a.p[i - 1]);

		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			char cb = ascii_lower(b.p[j - 1]);

			row[j] = least(row[j - 1] + 1, above[j] + 1, above[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == ascii_lower(b.p[j - 2]) &&
				cb == ascii_lower(a.p[i - 2])) {
				row[j] = MIN(row[j], above2[j - 2] + 1);
			}
		}
	}
	return rows[a.n % 3][b.n];
}

void nearest_offer(struct nearest *n, struct bytes given, const char *name)
{
	struct bytes known = bytes_str(name);
	size_t distance = nearest_distance(given, known);

	/* Every letter replaced is no likeness. */
	if (distance >= MAX(given.n, known.n)) {
		return;
	}
	if (n->name == NULL || distance < n->distance) {
		n->name = name;
		n->distance = distance;
	}
}

const char *nearest_slip(const struct nearest *n, struct bytes given)
{
	return n->name != NULL && n->distance <= 1 + given.n / 6 ? n->name : NULL;
}
