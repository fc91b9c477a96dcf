/*
 * All findings are gathered before the first is told, so that they come in the order of files and lines,
 * whoever found them. Findings are printed here and nowhere else: their texts quote names that a person,
 * or somebody else, wrote.
 */
#include "cli/lint_command.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/tree.h"
#include "plan/lint.h"
#include "wire/json.h"

struct told {
	const struct finding *f;
	struct bytes path;
	uint32_t line;
};

struct lint_options {
	bool strict, json, info;
};

static const char *const levels[] = {
	[FINDING_ERROR] = "error", [FINDING_WARNING] = "warning", [FINDING_INFO] = "info"};

/* --- what is told ------------------------------------------------------------------------------- */

/* Whether a finding says that something is missing or serves nothing, which a file that cannot be read may explain:
 * told then, it would advise to remove what is right. */
static bool is_of_absence(const struct finding *f)
{
	static const char *const codes[] = {"ai-route-domain", "ai-route-unknown-consumer",
		"ai-route-unknown-provider", "ai-route-without-ingress", "allow-unknown-consumer",
		"consumer-unused", "destination-unknown-service", "domain-missing", "domain-unused",
		"fallback-unused", "fallback-without-route", "fallback-without-target",
		"ingress-without-ai-route", "model-router-missing", "provider-service-unknown",
		"provider-unbound", "provider-unused", "rule-unknown-ingress",
		"rule-unknown-service", "service-unused", "upstream-without-provider"};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (f->level != FINDING_ERROR && strcmp(f->code, codes[i]) == 0) {
			return true;
		}
	}
	return false;
}

static int by_place(const void *a, const void *b)
{
	const struct told *x = a;
	const struct told *y = b;
	int c = bytes_cmp(x->path, y->path);

	if (c == 0) {
		c = (x->line > y->line) - (x->line < y->line);
	}
	if (c == 0) {
		c = (x->f->column > y->f->column) - (x->f->column < y->f->column);
	}
	if (c == 0) {
		c = strcmp(x->f->code, y->f->code);
	}
	return c != 0 ? c : bytes_cmp(x->f->text, y->f->text);
}

struct gathered {
	const struct tree *tree;
	struct told *v;
	size_t n;
	size_t kept_back; /* until what cannot be read is mended */
};

/* own: they are the tree's, whose places are told already. */
static void gather(struct gathered *g, const struct findings *f, bool own, bool info)
{
	for (const struct finding *at = f->first; at != NULL; at = at->next) {
		struct told *to = &g->v[g->n];

		if (at->level == FINDING_INFO && !info) {
			continue;
		}
		if (g->tree->n_unread != 0 && is_of_absence(at)) {
			g->kept_back++;
			continue;
		}
		to->f = at;
		to->line = at->line;
		to->path = own ? at->file : tree_place(g->tree, at, &to->line);
		g->n++;
	}
}

/* The same thing may be found for every route of an Ingress. */
static size_t without_repetition(struct told *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || by_place(&v[kept - 1], &v[i]) != 0) {
			v[kept++] = v[i];
		}
	}
	return kept;
}

/* --- printing ----------------------------------------------------------------------------------- */

/* Without what a terminal would obey: C0, DEL, and C1 as UTF-8 has it (C2 80 to C2 9F). */
static void put_printable(struct bytes b, FILE *out)
{
	for (size_t i = 0; i < b.n; i++) {
		unsigned char c = (unsigned char)b.p[i];
		unsigned char next = i + 1 < b.n ? (unsigned char)b.p[i + 1] : 0;

		if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
			i++;
			c = '?';
		}
		fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
	}
}

static void print_text(const struct told *v, size_t n)
{
	bool colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	static const char *const colours[] = {
		[FINDING_ERROR] = "31", [FINDING_WARNING] = "33", [FINDING_INFO] = "36"};

	for (size_t i = 0; i < n; i++) {
		put_printable(v[i].path, stdout);
		printf(":%u:%u: ", v[i].line, v[i].f->column);
		if (colour) {
			printf("\033[%sm%s\033[0m: ", colours[v[i].f->level],
				levels[v[i].f->level]);
		} else {
			printf("%s: ", levels[v[i].f->level]);
		}
		put_printable(v[i].f->text, stdout);
		printf(" (%s)\n", v[i].f->code);
	}
}

static void print_json(const struct gathered *g, const size_t *count)
{
	const struct told *v = g->v;
	struct json_writer w;
	struct text t;

	text_init(&t, SIZE_MAX);
	json_writer_init(&w, &t);
	json_open_object(&w);
	json_key(&w, "findings");
	json_open_array(&w);
	for (size_t i = 0; i < g->n; i++) {
		json_open_object(&w);
		json_key(&w, "file");
		json_put_string(&w, v[i].path);
		json_key(&w, "line");
		json_put_u64(&w, v[i].line);
		json_key(&w, "column");
		json_put_u64(&w, v[i].f->column);
		json_key(&w, "level");
		json_put_str(&w, levels[v[i].f->level]);
		json_key(&w, "code");
		json_put_str(&w, v[i].f->code);
		json_key(&w, "text");
		json_put_string(&w, v[i].f->text);
		json_close_object(&w);
	}
	json_close_array(&w);
	json_key(&w, "errors");
	json_put_u64(&w, count[FINDING_ERROR]);
	json_key(&w, "warnings");
	json_put_u64(&w, count[FINDING_WARNING]);
	json_key(&w, "keptBack");
	json_put_u64(&w, g->kept_back);
	json_close_object(&w);
	fwrite(t.p, 1, t.n, stdout);
	fputc('\n', stdout);
	text_done(&t);
}

static void print_sum(const struct gathered *g, const size_t *count)
{
	size_t errors = count[FINDING_ERROR];
	size_t warnings = count[FINDING_WARNING];

	fprintf(stderr, "%zu resource%s: %zu error%s, %zu warning%s\n", g->tree->n_files,
		g->tree->n_files == 1 ? "" : "s", errors, errors == 1 ? "" : "s", warnings,
		warnings == 1 ? "" : "s");
	if (g->kept_back != 0) {
		fprintf(stderr,
			"%zu more that may come of what could not be read %s kept back; mend that "
			"first\n",
			g->kept_back, g->kept_back == 1 ? "is" : "are");
	}
}

static int tell(struct gathered *g, const struct lint_options *o)
{
	size_t count[3] = {0};

	qsort(g->v, g->n, sizeof(*g->v), by_place);
	g->n = without_repetition(g->v, g->n);
	for (size_t i = 0; i < g->n; i++) {
		count[g->v[i].f->level]++;
	}
	if (o->json) {
		print_json(g, count);
	} else {
		print_text(g->v, g->n);
		print_sum(g, count);
	}
	return count[FINDING_ERROR] != 0 || (o->strict && count[FINDING_WARNING] != 0)
		? COMMAND_NO
		: COMMAND_DONE;
}

/* --- the command -------------------------------------------------------------------------------- */

static int lint_tree(
	struct tree *t, const struct provider_types *types, const struct lint_options *o)
{
	const struct plan_env env = {.types = types, .seed = {1, 2}};
	struct plan *p = plan_compile(t->snapshot, &env);
	struct gathered g = {.tree = t};
	struct findings vain;
	int rc;

	findings_init(&vain, &t->arena);
	lint_resources(t->snapshot, p, &vain);
	g.v = must_alloc((t->findings.n + p->findings.n + vain.n + 1) * sizeof(*g.v));
	gather(&g, &t->findings, true, o->info);
	gather(&g, &p->findings, false, o->info);
	gather(&g, &vain, false, o->info);
	rc = tell(&g, o);
	free(g.v);
	plan_free(p);
	return rc;
}

void lint_command_help(FILE *out)
{
	fputs("A PATH is a directory of resources as Higress keeps them, a directory of one kind, a\n"
	      "file, a bundle of documents, or - for a bundle on standard input. Findings go to\n"
	      "standard output, one to a line: file:line:column: level: text (code). docs/lint.md\n"
	      "explains the codes.\n\nOptions:\n"
	      "  --strict\n      Warnings count as errors.\n"
	      "  --info\n      Tell also what is only worth knowing.\n"
	      "  --json\n      One JSON object: findings, errors, warnings, keptBack.\n"
	      "  --\n      What follows is a PATH, even if it begins with a dash.\n\n"
	      "Exit code: 0 nothing to mend, 1 errors were found, 2 wrong usage.\n",
		out);
}

/* The paths are moved to the front of argv. False: wrong usage, said on stderr. */
static bool read_options(struct lint_options *o, int argc, char **argv, size_t *n)
{
	bool only_paths = false;

	*n = 0;
	for (int i = 1; i < argc; i++) {
		if (only_paths || argv[i][0] != '-' || strcmp(argv[i], "-") == 0) {
			argv[(*n)++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			only_paths = true;
		} else if (strcmp(argv[i], "--strict") == 0) {
			o->strict = true;
		} else if (strcmp(argv[i], "--json") == 0) {
			o->json = true;
		} else if (strcmp(argv[i], "--info") == 0) {
			o->info = true;
		} else {
			fprintf(stderr,
				"sluice lint: \"%.80s\" is no option; sluice lint --help lists them\n",
				argv[i]);
			return false;
		}
	}
	if (*n == 0) {
		fputs("sluice lint: name at least one file or directory of resources\n", stderr);
	}
	return *n != 0;
}

int lint_command_main(const struct provider_types *types, int argc, char **argv)
{
	struct lint_options o = {0};
	struct tree t;
	size_t n;
	int rc;

	if (!read_options(&o, argc, argv, &n) || !tree_read(&t, argv, n, stderr)) {
		return COMMAND_USAGE;
	}
	rc = lint_tree(&t, types, &o);
	tree_done(&t);
	return rc;
}
