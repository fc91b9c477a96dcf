/*
 * A line of help that begins with two blanks and a dash is an option, the word behind it what it takes: options that
 * a command gets are completed without a second list of them. Two blanks and a word, then two blanks or a NAME, is a
 * subcommand.
 */
#define _GNU_SOURCE
#include "cli/completion.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct found { /* in a command's help */
	FILE *to[4];
	char *text[4];
	size_t size[4];
};

enum { OPTIONS, WITH_FILES, WITH_VALUES, WORDS };

static bool is_file_arg(struct bytes arg)
{
	static const char *const names[] = {"FILE", "DIR", "PATH", "PATH|-|off"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (bytes_eq(arg, bytes_str(names[i]))) {
			return true;
		}
	}
	return false;
}

static bool is_word(struct bytes w)
{
	if (w.n == 0 || w.p[0] == '-') {
		return false;
	}
	for (size_t i = 0; i < w.n; i++) {
		if ((w.p[i] < 'a' || w.p[i] > 'z') && w.p[i] != '-') {
			return false;
		}
	}
	return true;
}

/* Whether the list has the word: every row of limits names the same option. */
static bool has(FILE *list, char *const *text, struct bytes word)
{
	struct bytes rest;

	fflush(list);
	rest = bytes_str(*text);
	while (rest.p != NULL) {
		if (bytes_eq(bytes_cut(&rest, ' '), word)) {
			return true;
		}
	}
	return false;
}

static void read_line(struct found *f, struct bytes line)
{
	struct bytes rest, name, arg;

	if (!bytes_starts(line, BYTES("  ")) || line.n < 4 || line.p[2] == ' ') {
		return;
	}
	rest = bytes_of(line.p + 2, line.n - 2);
	name = bytes_cut(&rest, ' ');
	arg = rest.p != NULL ? bytes_cut(&rest, ' ') : BYTES("");
	if (name.p[0] == '-' && name.n > 1 && !bytes_eq(name, BYTES("--")) &&
		!has(f->to[OPTIONS], &f->text[OPTIONS], name)) {
		fprintf(f->to[OPTIONS], " " BYTES_FMT, BYTES_ARG(name));
		if (arg.n != 0 && arg.p[0] != '(') {
			fprintf(f->to[is_file_arg(arg) ? WITH_FILES : WITH_VALUES], "|" BYTES_FMT,
				BYTES_ARG(name));
		}
	} else if (is_word(name) && (arg.n == 0 || (arg.p[0] >= 'A' && arg.p[0] <= 'Z'))) {
		fprintf(f->to[WORDS], " " BYTES_FMT, BYTES_ARG(name));
	}
}

static void read_help(const struct command *c, struct found *f)
{
	char *text = NULL;
	size_t n = 0;
	FILE *help = open_memstream(&text, &n);
	struct bytes rest;

	ASSERT(help != NULL);
	if (c->details != NULL) {
		c->details(help);
	}
	fclose(help);
	rest = bytes_of(text, n);
	while (rest.p != NULL && rest.n != 0) {
		read_line(f, bytes_cut(&rest, '\n'));
	}
	free(text);
}

/* A pattern of case: "|-f|-o" without its first bar; nothing matches an empty one. */
static const char *pattern(const char *list)
{
	return list[0] != '\0' ? list + 1 : "''";
}

static void put_command(const struct command *c, FILE *out)
{
	struct found f = {0};

	for (size_t i = 0; i < ARRAY_LEN(f.to); i++) {
		f.to[i] = open_memstream(&f.text[i], &f.size[i]);
		ASSERT(f.to[i] != NULL);
	}
	read_help(c, &f);
	for (size_t i = 0; i < ARRAY_LEN(f.to); i++) {
		fclose(f.to[i]);
	}
	fprintf(out,
		"\t%s)\n\t\tcase $prev in\n\t\t%s) files=yes ;;\n\t\t%s) words= ;;\n\t\t*) "
		"words='%s --help' ;;\n\t\tesac\n",
		c->name, pattern(f.text[WITH_FILES]), pattern(f.text[WITH_VALUES]),
		f.size[OPTIONS] != 0 ? f.text[OPTIONS] + 1 : "");
	if (f.size[WORDS] != 0) {
		fprintf(out, "\t\t[ \"$COMP_CWORD\" -eq 2 ] && words='%s --help'\n",
			f.text[WORDS] + 1);
	}
	fputs("\t\t;;\n", out);
	for (size_t i = 0; i < ARRAY_LEN(f.to); i++) {
		free(f.text[i]);
	}
}

void completion_bash(const struct command_table *t, FILE *out)
{
	fputs("# Completion of sluice for bash, made by `sluice completion bash`. To use it:\n"
	      "#   source <(sluice completion bash)\n"
	      "_sluice() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal words= files=\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '",
		out);
	for (size_t i = 0; i < t->n; i++) {
		fprintf(out, "%s%s", i != 0 ? " " : "", t->v[i].name);
	}
	fputs("' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n", out);
	for (size_t i = 0; i < t->n; i++) {
		put_command(&t->v[i], out);
	}
	fputs("\tesac\n"
	      "\tif [ -n \"$files\" ] || { [ \"${COMP_WORDS[1]}\" = lint ] && [ \"${cur#-}\" = "
	      "\"$cur\" ]; }; then\n"
	      "\t\tcompopt -o filenames 2>/dev/null\n"
	      "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	      "\telse\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "\tfi\n"
	      "}\n"
	      "complete -F _sluice sluice\n",
		out);
}

int completion_main(const struct command_table *t, int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "bash") != 0) {
		fputs("sluice completion: name the shell: sluice completion bash\n", stderr);
		return COMMAND_USAGE;
	}
	completion_bash(t, stdout);
	return COMMAND_DONE;
}
