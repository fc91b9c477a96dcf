/*
 * Puts the page's modules together: bundle OUT.mjs ENTRY.mjs FILE.mjs...
 *
 * A browser asks for a module only when it has read who wants it, and six at a time. One file is one question.
 * Each module becomes a function that is called once and gives what the module exports; they stand in an order
 * in which each finds what it imports. What the entry exports the whole exports.
 *
 * Not a parser of the language: the page keeps its imports and exports to a line each, in the forms that are
 * named below, and whatever else is met is refused. Modules that import each other in a circle are refused too.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MAX 96
#define EXPORTS_MAX (16u << 10)
#define TEXT_MAX (1u << 20)
#define NAME_MAX_ 64

enum mark { UNSEEN, UNDER_WAY, WRITTEN };

struct module {
	char name[NAME_MAX_]; /* of the file, without its end */
	char *text;
	char exports[EXPORTS_MAX]; /* "a, b, " */
	enum mark mark;
};

struct bundle {
	struct module v[MODULES_MAX];
	int n;
	FILE *out;
};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "bundle: %s: %s\n", what, why);
	exit(1);
}

static void load(struct module *m, const char *path)
{
	FILE *in = fopen(path, "rb");
	const char *name = strrchr(path, '/');
	size_t n;

	name = name != NULL ? name + 1 : path;
	n = strcspn(name, ".");
	m->text = calloc(1, TEXT_MAX);
	if (in == NULL || m->text == NULL || n >= sizeof(m->name)) {
		fail(path, "cannot be read");
	}
	memcpy(m->name, name, n);
	if (fread(m->text, 1, TEXT_MAX - 1, in) == TEXT_MAX - 1 || ferror(in)) {
		fail(path, "is too large, or broken");
	}
	fclose(in);
}

static struct module *find(struct bundle *b, const char *name, size_t n)
{
	for (int i = 0; i < b->n; i++) {
		if (strlen(b->v[i].name) == n && memcmp(b->v[i].name, name, n) == 0) {
			return &b->v[i];
		}
	}
	return NULL;
}

static int starts(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* --- lines that import ----------------------------------------------------------------------------- */

/* The module of "... from './NAME.mjs';" at the end of the line. */
static struct module *source_of(
	struct bundle *b, const struct module *m, const char *line, size_t n)
{
	static const char before[] = " from './", after[] = ".mjs';";
	const char *at = strstr(line, before);
	const char *name = at != NULL ? at + sizeof(before) - 1 : NULL;
	const char *end = name != NULL ? strstr(name, after) : NULL;
	struct module *of = NULL;

	if (end != NULL && end + sizeof(after) - 1 == line + n) {
		of = find(b, name, (size_t)(end - name));
	}
	if (of == NULL) {
		fail(m->name,
			"an import is no \"import ... from './NAME.mjs';\" of a file of the page");
	}
	return of;
}

/* "import { a, b as c } from" and "import * as d from". */
static void write_import(struct bundle *b, const struct module *m, const char *line, size_t n)
{
	const struct module *of = source_of(b, m, line, n);
	const char *p = line + strlen("import ");
	const char *end = strstr(p, " from ");

	if (starts(p, "* as ")) {
		p += strlen("* as ");
		fprintf(b->out, "const %.*s = $%s;\n", (int)(end - p), p, of->name);
		return;
	}
	if (*p != '{' || end[-1] != '}') {
		fail(m->name, "an import has neither { names } nor * as a name");
	}
	fputs("const ", b->out);
	while (p < end) {
		if (starts(p, " as ")) {
			fputs(": ", b->out);
			p += strlen(" as ");
		} else {
			fputc(*p++, b->out);
		}
	}
	fprintf(b->out, " = $%s;\n", of->name);
}

/* --- lines that export ----------------------------------------------------------------------------- */

static void add_export(struct module *m, const char *name, size_t n)
{
	size_t used = strlen(m->exports);

	if (n == 0 || used + n + 3 > sizeof(m->exports)) {
		fail(m->name, "an export has no name, or there are too many");
	}
	memcpy(m->exports + used, name, n);
	memcpy(m->exports + used + n, ", ", 3);
}

static size_t identifier(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_' || p[n] == '$') {
		n++;
	}
	return n;
}

/* The declaration behind "export ", whose name is noted; or "export { a, b };", of which nothing is left. What may
 * change later (let) is refused: whoever imports it would keep the first value. */
static void write_export(struct bundle *b, struct module *m, const char *line, size_t n)
{
	static const char *const kinds[] = {"const ", "function ", "async function ", "class "};
	const char *p = line + strlen("export ");

	if (starts(p, "{ ")) {
		for (p += 2; *p != '}'; p += strspn(p, ", ")) {
			size_t len = identifier(p);

			add_export(m, p, len);
			p += len;
		}
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (starts(p, kinds[i])) {
			const char *name = p + strlen(kinds[i]);

			add_export(m, name, identifier(name));
			fprintf(b->out, "%.*s\n", (int)(line + n - p), p);
			return;
		}
	}
	fail(m->name, "an export is no const, function, class or { names }");
}

/* --- modules --------------------------------------------------------------------------------------- */

static void write_module(struct bundle *b, struct module *m);

static void write_what_it_imports(struct bundle *b, const struct module *m)
{
	for (const char *line = m->text; *line != '\0';) {
		size_t n = strcspn(line, "\n");

		if (starts(line, "import ")) {
			write_module(b, source_of(b, m, line, n));
		}
		line += n + (line[n] == '\n');
	}
}

static void write_module(struct bundle *b, struct module *m)
{
	if (m->mark == WRITTEN) {
		return;
	}
	if (m->mark == UNDER_WAY) {
		fail(m->name, "imports what imports it");
	}
	m->mark = UNDER_WAY;
	write_what_it_imports(b, m);
	fprintf(b->out, "const $%s = (() => {\n", m->name);
	for (const char *line = m->text; *line != '\0';) {
		size_t n = strcspn(line, "\n");

		if (starts(line, "import ")) {
			write_import(b, m, line, n);
		} else if (starts(line, "export ")) {
			write_export(b, m, line, n);
		} else {
			fprintf(b->out, "%.*s\n", (int)n, line);
		}
		line += n + (line[n] == '\n');
	}
	fprintf(b->out, "return { %s};\n})();\n", m->exports);
	m->mark = WRITTEN;
}

int main(int argc, char **argv)
{
	struct bundle *b = calloc(1, sizeof(*b));

	if (argc < 3 || argc - 2 > MODULES_MAX || b == NULL) {
		fail("usage", "bundle OUT.mjs ENTRY.mjs FILE.mjs...");
	}
	for (; b->n < argc - 2; b->n++) {
		load(&b->v[b->n], argv[b->n + 2]);
	}
	b->out = fopen(argv[1], "w");
	if (b->out == NULL) {
		fail(argv[1], "cannot be written");
	}
	write_module(b, &b->v[0]);
	for (int i = 0; i < b->n; i++) {
		if (b->v[i].mark != WRITTEN) {
			fail(b->v[i].name, "is imported by nobody");
		}
	}
	if (b->v[0].exports[0] != '\0') {
		fprintf(b->out, "export const { %s} = $%s;\n", b->v[0].exports, b->v[0].name);
	}
	if (fclose(b->out) != 0) {
		fail(argv[1], "cannot be written");
	}
	return 0;
}
