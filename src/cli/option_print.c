/* The two faces of an option table that people read: effective values, and help. */
#include "cli/option.h"

#include "cli/option_value.h"

/* Options have few characters; a list of 64 addresses fits. */
#define VALUE_MAX 8192u
/* Columns of help before a line is broken. */
#define HELP_WIDTH 96

static const char *source_name(enum option_source s)
{
	static const char *const names[] = {"default", "default", "file", "environment", "flag"};

	return names[s];
}

/* Words that may need quotes in YAML get them always. */
static void print_value(const struct option *row, struct text *value, FILE *out)
{
	struct text quoted;

	if (row->type != OPTION_STRING && row->type != OPTION_PATH &&
		row->type != OPTION_ADDRESSES) {
		fputs(text_cstr(value), out);
		return;
	}
	text_init(&quoted, 6 * VALUE_MAX);
	text_add_json(&quoted, text_bytes(value));
	fprintf(out, "\"%s\"", text_cstr(&quoted));
	text_done(&quoted);
}

static void print_rows(const struct options *o, bool limits, FILE *out)
{
	struct text value;

	text_init(&value, VALUE_MAX);
	for (size_t i = 0; i < o->table->n; i++) {
		const struct option *row = &o->table->rows[i];

		text_clear(&value);
		if (row->secret) {
			fprintf(out, "# %s: %s\n", row->name,
				o->source[i] > OPTION_FROM_DEFAULT ? "set, and not shown"
								   : "not set");
			continue;
		}
		if (row->is_limit == limits && !row->flag_only &&
			option_value_format(row, o->target, &value)) {
			fprintf(out, "%s%s: ", limits ? "  " : "", row->name);
			print_value(row, &value, out);
			fprintf(out, " # %s\n", source_name((enum option_source)o->source[i]));
		}
	}
	text_done(&value);
}

static bool has_limits(const struct option_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		if (table->rows[i].is_limit) {
			return true;
		}
	}
	return false;
}

void options_print(const struct options *o, FILE *out)
{
	print_rows(o, false, out);
	if (has_limits(o->table)) {
		fputs("limits:\n", out);
		print_rows(o, true, out);
	}
}

/* --- help --------------------------------------------------------------------------------------- */

/* Words of `text` on lines of HELP_WIDTH, indented. */
static void print_wrapped(struct bytes text, FILE *out)
{
	int column = 0;

	while (text.p != NULL) {
		struct bytes word = bytes_cut(&text, ' ');

		if (column == 0 || column + 1 + (int)word.n > HELP_WIDTH) {
			fputs(column == 0 ? "      " : "\n      ", out);
			column = 6;
		} else {
			fputc(' ', out);
			column++;
		}
		fprintf(out, BYTES_FMT, BYTES_ARG(word));
		column += (int)word.n;
	}
	fputc('\n', out);
}

static void add_default(const struct option *row, const void *defaults, struct text *t)
{
	if (row->computed != NULL) {
		text_addf(t, " Default: %s.", row->computed);
	} else if (row->fallback != NULL) {
		text_addf(t, " Default: %s.", row->fallback);
	} else if (row->type != OPTION_BOOL) {
		size_t before = t->n;

		text_add_str(t, " Default: ");
		if (option_value_format(row, defaults, t)) {
			text_add_char(t, '.');
		} else {
			t->n = before;
		}
	}
}

static void print_row(const struct option *row, const void *defaults, FILE *out)
{
	struct text t;

	fprintf(out, row->is_limit ? "  --limit %s" : "  --%s", row->name);
	if (row->arg != NULL) {
		fprintf(out, row->is_limit ? "=%s" : " %s", row->arg);
	}
	if (row->type == OPTION_ADDRESSES) {
		fputs(" (repeatable)", out);
	}
	fputc('\n', out);
	text_init(&t, VALUE_MAX);
	text_add_str(&t, row->help);
	if (row->type == OPTION_ENUM) {
		text_addf(&t, " One of %s.", row->choices);
	}
	add_default(row, defaults, &t);
	if (row->env != NULL) {
		text_addf(&t, " Environment: %s.", row->env);
	}
	print_wrapped(text_bytes(&t), out);
	text_done(&t);
}

void options_help(const struct option_table *table, const void *defaults, FILE *out)
{
	for (int limits = 0; limits <= 1; limits++) {
		if (limits == 0 || has_limits(table)) {
			fputs(limits == 0 ? "Options:\n" : "\nLimits:\n", out);
		}
		for (size_t i = 0; i < table->n; i++) {
			if (table->rows[i].is_limit == (limits != 0)) {
				print_row(&table->rows[i], defaults, out);
			}
		}
	}
}
