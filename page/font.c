/*
 * Makes the page's pixel font: font IN.font OUT.ttf. IN.font holds a glyph per line, its code in hexadecimal and
 * its rows. A pixel is an eighth of the em, so that sizes that are multiples of eight pixels are crisp.
 *
 * What a TrueType file needs and no more: outlines of rectangles, no hints. OpenType specification 1.9.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLYPHS_MAX 200
#define ROWS 8
#define COLUMNS 8
#define PIXEL 128 /* units */
#define EM (8 * PIXEL)
#define ASCENT (6 * PIXEL)
#define DESCENT (2 * PIXEL)
#define SPACE (3 * PIXEL)
#define FILE_MAX (256u << 10)

struct bytes_out {
	unsigned char *p;
	size_t n;
};

struct glyph {
	unsigned code;
	int width; /* pixels */
	unsigned char rows[ROWS][COLUMNS];
	int n_rows;
};

static void fail(const char *why)
{
	fprintf(stderr, "font: %s\n", why);
	exit(1);
}

static void put(struct bytes_out *o, uint32_t v, int size)
{
	if (o->n + 4 > FILE_MAX) {
		fail("the font grows too large");
	}
	while (size-- > 0) {
		o->p[o->n++] = (unsigned char)(v >> (8 * size));
	}
}

static struct bytes_out new_bytes(void)
{
	struct bytes_out o = {calloc(1, FILE_MAX), 0};

	if (o.p == NULL) {
		fail("there is no memory");
	}
	return o;
}

/* --- reading ------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct glyph *x = a, *y = b;

	return (x->code > y->code) - (x->code < y->code);
}

static void read_rows(struct glyph *g, const char *at)
{
	int x = 0;

	for (; *at != '\0' && *at != '\n'; at++) {
		if (*at == ' ') {
			g->n_rows++;
			x = 0;
			continue;
		}
		if (g->n_rows >= ROWS || x >= COLUMNS) {
			fail("a glyph is too large");
		}
		g->rows[g->n_rows][x++] = *at == '#';
		g->width = x > g->width ? x : g->width;
	}
	g->n_rows++;
}

/* A code point in hexadecimal; rest: what follows it. */
static unsigned read_code(const char *line, const char **rest)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned code = 0;
	const char *digit;

	for (; *line != '\0' && (digit = strchr(digits, *line)) != NULL; line++) {
		code = code * 16 + (unsigned)(digit - digits);
	}
	*rest = line;
	return code;
}

static int read_glyphs(const char *path, struct glyph *v)
{
	FILE *in = fopen(path, "r");
	char line[256];
	int n = 0;

	if (in == NULL) {
		fail("the glyphs cannot be read");
	}
	v[n++] = (struct glyph){.code = ' '};
	while (fgets(line, sizeof(line), in) != NULL) {
		const char *rest;
		unsigned code;

		if (line[0] == '#' || line[0] == '\n') {
			continue;
		}
		code = read_code(line, &rest);
		if (*rest != ' ' || n + 2 > GLYPHS_MAX) {
			fail("a line is no glyph");
		}
		v[n] = (struct glyph){.code = code};
		read_rows(&v[n], rest + 1);
		n++;
		if (code >= 'A' && code <= 'Z') {
			v[n] = v[n - 1];
			v[n++].code = code + 'a' - 'A';
		}
	}
	fclose(in);
	qsort(v, (size_t)n, sizeof(*v), compare);
	return n;
}

/* --- outlines ------------------------------------------------------------------------------------ */

struct box {
	int x, y, w, h; /* pixels, y from the top */
};

/* Runs of a row; equal ones below each other are one, so that no seam shows between them. */
static int boxes_of(const struct glyph *g, struct box *v)
{
	int n = 0;

	for (int y = 0; y < g->n_rows; y++) {
		for (int x = 0; x < g->width; x++) {
			struct box b = {x, y, 0, 1};
			int i;

			while (x < g->width && g->rows[y][x]) {
				x++;
				b.w++;
			}
			for (i = 0; i < n; i++) {
				if (v[i].x == b.x && v[i].w == b.w && v[i].y + v[i].h == y) {
					break;
				}
			}
			if (b.w != 0 && i < n) {
				v[i].h++;
			} else if (b.w != 0) {
				v[n++] = b;
			}
		}
	}
	return n;
}

static void put_outline(struct bytes_out *o, const struct glyph *g)
{
	struct box v[ROWS * COLUMNS];
	int n = boxes_of(g, v), x = 0, y = 0;

	if (n == 0) {
		return;
	}
	put(o, (uint32_t)n, 2);
	put(o, 0, 2);
	put(o, (uint32_t)(5 - g->n_rows) * PIXEL, 2);
	put(o, (uint32_t)g->width * PIXEL, 2);
	put(o, 5 * PIXEL, 2);
	for (int i = 0; i < n; i++) {
		put(o, (uint32_t)(4 * i + 3), 2);
	}
	put(o, 0, 2);
	for (int i = 0; i < 4 * n; i++) {
		put(o, 1, 1); /* on the curve, both coordinates as words */
	}
	for (int axis = 0; axis < 2; axis++) {
		for (int i = 0; i < 4 * n; i++) {
			const struct box *b = &v[i / 4];
			int left = b->x, right = b->x + b->w, top = 5 - b->y, low = 5 - b->y - b->h;
			int to = axis == 0 ? (i % 4 < 2 ? left : right)
					   : (i % 4 == 1 || i % 4 == 2 ? top : low);
			int *at = axis == 0 ? &x : &y;

			put(o, (uint32_t)((to - *at) * PIXEL), 2);
			*at = to;
		}
	}
	while (o->n % 4 != 0) {
		put(o, 0, 1);
	}
}

static int advance(const struct glyph *g)
{
	return g->width == 0 ? SPACE : (g->width + 1) * PIXEL;
}

/* --- tables -------------------------------------------------------------------------------------- */

struct table {
	const char *tag;
	struct bytes_out o;
};

enum { T_OS2, T_CMAP, T_GLYF, T_HEAD, T_HHEA, T_HMTX, T_LOCA, T_MAXP, T_NAME, T_POST, TABLES };

/* Glyph 0, for what is missing, is the space: such characters come from another font. */
static void make_glyphs(struct table *t, const struct glyph *v, int n)
{
	put(&t[T_LOCA].o, 0, 4);
	put(&t[T_LOCA].o, 0, 4);
	put(&t[T_HMTX].o, SPACE, 2);
	put(&t[T_HMTX].o, 0, 2);
	for (int i = 0; i < n; i++) {
		put_outline(&t[T_GLYF].o, &v[i]);
		put(&t[T_LOCA].o, (uint32_t)t[T_GLYF].o.n, 4);
		put(&t[T_HMTX].o, (uint32_t)advance(&v[i]), 2);
		put(&t[T_HMTX].o, 0, 2);
	}
}

/* Format 4: a segment per glyph, and the last one that has to be. */
static void make_cmap(struct bytes_out *o, const struct glyph *v, int n)
{
	uint32_t segments = (uint32_t)n + 1, search = 1, log = 0;

	while (search * 2 <= segments) {
		search *= 2;
		log++;
	}
	put(o, 0, 2);
	put(o, 1, 2);
	put(o, 3, 2);
	put(o, 1, 2);
	put(o, 12, 4);
	put(o, 4, 2);
	put(o, 16 + 8 * segments, 2);
	put(o, 0, 2);
	put(o, 2 * segments, 2);
	put(o, 2 * search, 2);
	put(o, log, 2);
	put(o, 2 * (segments - search), 2);
	for (int i = 0; i < n; i++) {
		put(o, v[i].code, 2);
	}
	put(o, 0xffff, 2);
	put(o, 0, 2);
	for (int i = 0; i < n; i++) {
		put(o, v[i].code, 2);
	}
	put(o, 0xffff, 2);
	for (int i = 0; i < n; i++) {
		put(o, (uint32_t)(i + 1) - v[i].code, 2);
	}
	put(o, 1, 2);
	for (int i = 0; i <= n; i++) {
		put(o, 0, 2);
	}
}

static void make_head(struct table *t, int n)
{
	static const uint32_t head[][2] = {{0x00010000, 4}, {0x00010000, 4}, {0, 4},
		{0x5F0F3CF5, 4}, {3, 2}, {EM, 2}, {0, 4}, {0, 4}, {0, 4}, {0, 4}, {0, 2},
		{(uint32_t)-DESCENT, 2}, {EM, 2}, {ASCENT, 2}, {0, 2}, {8, 2}, {2, 2}, {1, 2},
		{0, 2}};
	static const uint32_t hhea[][2] = {{0x00010000, 4}, {ASCENT, 2}, {(uint32_t)-DESCENT, 2},
		{0, 2}, {EM, 2}, {0, 2}, {0, 2}, {EM, 2}, {1, 2}, {0, 2}, {0, 2}, {0, 4}, {0, 4},
		{0, 2}};
	static const uint32_t maxp[] = {0, 256, 64, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0};

	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
		put(&t[T_HEAD].o, head[i][0], (int)head[i][1]);
	}
	for (size_t i = 0; i < sizeof(hhea) / sizeof(hhea[0]); i++) {
		put(&t[T_HHEA].o, hhea[i][0], (int)hhea[i][1]);
	}
	put(&t[T_HHEA].o, (uint32_t)n + 1, 2);
	put(&t[T_MAXP].o, 0x00010000, 4);
	put(&t[T_MAXP].o, (uint32_t)n + 1, 2);
	for (size_t i = 1; i < sizeof(maxp) / sizeof(maxp[0]); i++) {
		put(&t[T_MAXP].o, maxp[i], 2);
	}
	put(&t[T_POST].o, 0x00030000, 4);
	for (int i = 0; i < 7; i++) {
		put(&t[T_POST].o, 0, 4);
	}
}

static void make_os2(struct bytes_out *o, const struct glyph *v, int n)
{
	static const uint32_t metrics[] = {4, 6 * PIXEL, 400, 5, 0, 5 * PIXEL, 5 * PIXEL, 0,
		2 * PIXEL, 5 * PIXEL, 5 * PIXEL, 0, 2 * PIXEL, PIXEL, 2 * PIXEL, 0};

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		put(o, metrics[i], 2);
	}
	for (int i = 0; i < 10 + 16; i++) {
		put(o, 0, 1);
	}
	put(o, 0x736c7563, 4); /* "sluc" */
	put(o, 0x40, 2);
	put(o, v[0].code, 2);
	put(o, v[n - 1].code, 2);
	put(o, ASCENT, 2);
	put(o, (uint32_t)-DESCENT, 2);
	put(o, 0, 2);
	put(o, ASCENT, 2);
	put(o, DESCENT, 2);
	put(o, 1, 4);
	put(o, 0, 4);
	put(o, 5 * PIXEL, 2);
	put(o, 5 * PIXEL, 2);
	put(o, 0, 2);
	put(o, ' ', 2);
	put(o, 1, 2);
}

static void make_name(struct bytes_out *o)
{
	static const char *const names[] = {"Sluice Pixel", "Regular", "SluicePixel-1",
		"Sluice Pixel", "Version 1.0", "SluicePixel-Regular"};
	uint32_t at = 0;

	put(o, 0, 2);
	put(o, 6, 2);
	put(o, 6 + 6 * 12, 2);
	for (uint32_t i = 0; i < 6; i++) {
		uint32_t size = 2 * (uint32_t)strlen(names[i]);

		put(o, 3, 2);
		put(o, 1, 2);
		put(o, 0x409, 2);
		put(o, i + 1, 2);
		put(o, size, 2);
		put(o, at, 2);
		at += size;
	}
	for (int i = 0; i < 6; i++) {
		for (const char *c = names[i]; *c != '\0'; c++) {
			put(o, (unsigned char)*c, 2);
		}
	}
}

static uint32_t checksum(const struct bytes_out *o)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < o->n; i += 4) {
		sum += (uint32_t)o->p[i] << 24 | (uint32_t)o->p[i + 1] << 16 |
			(uint32_t)o->p[i + 2] << 8 | o->p[i + 3];
	}
	return sum;
}

static void write_font(const struct table *t, const char *path)
{
	struct bytes_out o = new_bytes();
	size_t at = 12 + 16 * TABLES, head_at = 0;
	uint32_t rest;
	FILE *out;

	put(&o, 0x00010000, 4);
	put(&o, TABLES, 2);
	put(&o, 128, 2);
	put(&o, 3, 2);
	put(&o, TABLES * 16 - 128, 2);
	for (int i = 0; i < TABLES; i++) {
		for (int k = 0; k < 4; k++) {
			put(&o, (unsigned char)t[i].tag[k], 1);
		}
		put(&o, checksum(&t[i].o), 4);
		put(&o, (uint32_t)at, 4);
		put(&o, (uint32_t)t[i].o.n, 4);
		head_at = i == T_HEAD ? at : head_at;
		at += (t[i].o.n + 3) / 4 * 4;
	}
	for (int i = 0; i < TABLES; i++) {
		for (size_t k = 0; k < (t[i].o.n + 3) / 4 * 4; k++) {
			put(&o, t[i].o.p[k], 1);
		}
	}
	rest = 0xB1B0AFBA - checksum(&o);
	for (int k = 0; k < 4; k++) {
		o.p[head_at + 8 + (size_t)k] = (unsigned char)(rest >> (24 - 8 * k));
	}
	out = fopen(path, "wb");
	if (out == NULL || fwrite(o.p, 1, o.n, out) != o.n || fclose(out) != 0) {
		fail("the font cannot be written");
	}
	free(o.p);
}

int main(int argc, char **argv)
{
	static struct glyph v[GLYPHS_MAX];
	static const char *const tags[TABLES] = {
		"OS/2", "cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "name", "post"};
	struct table t[TABLES];
	int n;

	if (argc != 3) {
		fail("font IN.font OUT.ttf");
	}
	n = read_glyphs(argv[1], v);
	for (int i = 0; i < TABLES; i++) {
		t[i] = (struct table){tags[i], new_bytes()};
	}
	make_glyphs(t, v, n);
	make_cmap(&t[T_CMAP].o, v, n);
	make_head(t, n);
	make_os2(&t[T_OS2].o, v, n);
	make_name(&t[T_NAME].o);
	write_font(t, argv[2]);
	for (int i = 0; i < TABLES; i++) {
		free(t[i].o.p);
	}
	return 0;
}
