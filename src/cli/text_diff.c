/*
 * Myers, "An O(ND) difference algorithm and its variations" (1986), with all of its rows kept: the way back is read
 * from them. What both texts begin and end with is cut off first.
 */
#include "cli/text_diff.h"

#include <stdlib.h>

#define CONTEXT 3u

struct lines {
	struct bytes *v;
	size_t n;
};

enum mark { MARK_SAME = ' ', MARK_GONE = '-', MARK_NEW = '+' };

struct script { /* a mark for each line that is shown, in order */
	char *v;
	size_t n;
};

static struct lines split(struct bytes text)
{
	struct lines out = {NULL, 0};
	size_t cap = 1;

	for (size_t i = 0; i < text.n; i++) {
		cap += text.p[i] == '\n';
	}
	out.v = must_alloc((cap + 1) * sizeof(*out.v));
	while (text.n != 0) {
		out.v[out.n++] = bytes_cut(&text, '\n');
	}
	return out;
}

/* One row of the search: how far each diagonal from -d to d comes. */
static bool search_row(
	const struct lines *x, const struct lines *y, const int *before, int *row, int d)
{
	int n = (int)x->n;
	int m = (int)y->n;

	for (int k = -d; k <= d; k += 2) {
		bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);
		int i = d == 0 ? 0 : down ? before[k + 1] : before[k - 1] + 1;

		while (i < n && i - k < m && bytes_eq(x->v[i], y->v[i - k])) {
			i++;
		}
		row[k] = i;
		if (i >= n && i - k >= m) {
			return true;
		}
	}
	return false;
}

/* Reads the way back from the last row; marks are put down from the end. */
static void walk_back(struct script *s, int *const *rows, int d, int i, int j)
{
	size_t at = s->n;

	for (; d > 0; d--) {
		const int *before = rows[d - 1];
		int k = i - j;
		bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);
		int pi = down ? before[k + 1] : before[k - 1];
		int pj = pi - (down ? k + 1 : k - 1);

		while (i > pi + !down && j > pj + down) {
			s->v[--at] = MARK_SAME;
			i--;
			j--;
		}
		s->v[--at] = down ? MARK_NEW : MARK_GONE;
		i = pi;
		j = pj;
	}
	while (i > 0) {
		s->v[--at] = MARK_SAME;
		i--;
	}
	memmove(s->v, s->v + at, s->n - at);
	s->n -= at;
}

static void replace_all(struct script *s, size_t gone, size_t made)
{
	memset(s->v, MARK_GONE, gone);
	memset(s->v + gone, MARK_NEW, made);
	s->n = gone + made;
}

static struct script search(const struct lines *x, const struct lines *y)
{
	struct script s = {must_alloc(x->n + y->n + 1), x->n + y->n};
	int most = (int)MIN(x->n + y->n, (size_t)TEXT_DIFF_EDITS_MAX);
	int **rows = must_alloc(((size_t)most + 1) * sizeof(*rows));
	int **starts = must_alloc(((size_t)most + 1) * sizeof(*starts));
	bool found = false;
	int d;

	for (d = 0; d <= most && !found; d++) {
		starts[d] = must_alloc((2 * (size_t)d + 3) * sizeof(**rows));
		rows[d] = starts[d] + d + 1;
		found = search_row(x, y, d != 0 ? rows[d - 1] : NULL, rows[d], d);
	}
	if (found) {
		walk_back(&s, rows, d - 1, (int)x->n, (int)y->n);
	} else {
		replace_all(&s, x->n, y->n);
	}
	for (int k = 0; k < d; k++) {
		free(starts[k]);
	}
	free(rows);
	free(starts);
	return s;
}

/* --- hunks -------------------------------------------------------------------------------------- */

struct whole { /* the texts, and the script of all their lines */
	struct lines x, y;
	struct script s;
};

/* Where the hunk that begins at `from` ends: behind it are more same lines than two contexts have. */
static size_t hunk_end(const struct script *s, size_t from)
{
	size_t same = 0;
	size_t end = from;

	for (size_t i = from; i < s->n && same <= 2 * CONTEXT; i++) {
		same = s->v[i] == MARK_SAME ? same + 1 : 0;
		end = same == 0 ? i + 1 : end;
	}
	return MIN(end + CONTEXT, s->n);
}

static void put_hunk(
	struct text *out, const struct whole *w, size_t from, size_t to, size_t i, size_t j)
{
	size_t gone = 0;
	size_t made = 0;

	for (size_t k = from; k < to; k++) {
		gone += w->s.v[k] != MARK_NEW;
		made += w->s.v[k] != MARK_GONE;
	}
	text_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", gone != 0 ? i + 1 : i, gone,
		made != 0 ? j + 1 : j, made);
	for (size_t k = from; k < to; k++) {
		struct bytes line = w->s.v[k] == MARK_NEW ? w->y.v[j] : w->x.v[i];

		text_add_char(out, w->s.v[k]);
		text_add_bytes(out, line);
		text_add_char(out, '\n');
		i += w->s.v[k] != MARK_NEW;
		j += w->s.v[k] != MARK_GONE;
	}
}

static void put_hunks(struct text *out, const struct whole *w)
{
	size_t i = 0;
	size_t j = 0;
	size_t done = 0;

	for (size_t k = 0; k < w->s.n; k++) {
		if (k >= done && w->s.v[k] != MARK_SAME) {
			size_t back = MIN(CONTEXT, k - done);

			done = hunk_end(&w->s, k);
			put_hunk(out, w, k - back, done, i - back, j - back);
		}
		i += w->s.v[k] != MARK_NEW;
		j += w->s.v[k] != MARK_GONE;
	}
}

void text_diff(struct text *out, struct bytes before, struct bytes after)
{
	struct whole w = {split(before), split(after), {NULL, 0}};
	struct lines x = w.x;
	struct lines y = w.y;
	struct script middle;
	size_t head = 0;
	size_t tail = 0;

	while (head < MIN(x.n, y.n) && bytes_eq(x.v[head], y.v[head])) {
		head++;
	}
	while (tail < MIN(x.n, y.n) - head && bytes_eq(x.v[x.n - 1 - tail], y.v[y.n - 1 - tail])) {
		tail++;
	}
	x = (struct lines){x.v + head, x.n - head - tail};
	y = (struct lines){y.v + head, y.n - head - tail};
	middle = search(&x, &y);
	w.s = (struct script){must_alloc(head + middle.n + tail + 1), head + middle.n + tail};
	memset(w.s.v, MARK_SAME, w.s.n);
	memcpy(w.s.v + head, middle.v, middle.n);
	put_hunks(out, &w);
	free(middle.v);
	free(w.s.v);
	free(w.x.v);
	free(w.y.v);
}
