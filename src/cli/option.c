/*
 * How the sources meet: every source may be read in any order, because each row remembers where its
 * value came from and only a source of at least that rank replaces it. (The file can only be read after
 * flags and environment, which say where it is.)
 */
#include "cli/option.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/nearest.h"
#include "cli/option_value.h"
#include "wire/yaml.h"

/* Nodes and text of a configuration file take about forty times its bytes at worst. */
#define FILE_ARENA_MAX (64u * 1024u * 1024u)
/* Longest piece of user input that an error message repeats. */
#define QUOTE_MAX 80u

/* Where a value stands, for messages. */
struct origin {
	enum option_source source;
	const char *name; /* flag, variable or file */
	uint32_t line;    /* of the file */
};

/* --- messages ----------------------------------------------------------------------------------- */

static void text_add_quoted(struct text *t, struct bytes value)
{
	text_add_char(t, '"');
	text_add_json(t, bytes_of(value.p, MIN(value.n, QUOTE_MAX)));
	text_add_str(t, value.n > QUOTE_MAX ? "...\"" : "\"");
}

static void say_where(struct text *t, const struct options *o, const struct origin *at)
{
	text_addf(t, "sluice %s: %s", o->table->command, at->name);
	if (at->line != 0) {
		text_addf(t, ":%u", at->line);
	}
	text_add_str(t, ": ");
}

/* Ends the sentence and writes it. */
static int complain(const struct options *o, struct text *t)
{
	text_add_char(t, '\n');
	if (o->err != NULL) {
		fputs(text_cstr(t), o->err);
	}
	text_done(t);
	return ERR_SYNTAX;
}

static int complain_value(const struct options *o, const struct origin *at,
	const struct option *row, struct bytes value, const char *want)
{
	struct text t;

	text_init(&t, 4096);
	say_where(&t, o, at);
	if (at->source == OPTION_FROM_FILE || row->is_limit) {
		text_addf(&t, "%s: ", row->name);
	}
	text_add_quoted(&t, value);
	text_addf(&t, " %s", want);
	return complain(o, &t);
}

PRINTF_LIKE(3, 4)
static int complain_plain(const struct options *o, const struct origin *at, const char *fmt, ...)
{
	struct text t;
	va_list ap;

	text_init(&t, 4096);
	say_where(&t, o, at);
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	return complain(o, &t);
}

static const struct option *find(const struct options *o, struct bytes name, bool limits)
{
	for (size_t i = 0; i < o->table->n; i++) {
		const struct option *row = &o->table->rows[i];

		if (row->is_limit == limits && bytes_eq(name, bytes_str(row->name))) {
			return row;
		}
	}
	return NULL;
}

static const char *nearest_row(const struct options *o, struct bytes given, bool limits)
{
	struct nearest best = {NULL, 0};

	for (size_t i = 0; i < o->table->n; i++) {
		const struct option *row = &o->table->rows[i];

		if (row->is_limit == limits) {
			nearest_offer(&best, given, row->name);
		}
	}
	return best.name;
}

static int complain_unknown(
	const struct options *o, const struct origin *at, struct bytes given, bool limits)
{
	const char *dashes = at->source == OPTION_FROM_FLAG && !limits ? "--" : "";
	const char *best = nearest_row(o, given, limits);
	const char *what = limits ? "limit" : at->source == OPTION_FROM_FILE ? "key" : "option";
	struct text t;

	if (!limits && find(o, given, true) != NULL) {
		return complain_plain(o, at, BYTES_FMT " is a limit: %s" BYTES_FMT "%s",
			BYTES_ARG(given), at->source == OPTION_FROM_FILE ? "put " : "--limit ",
			BYTES_ARG(given),
			at->source == OPTION_FROM_FILE ? " below limits" : "=VALUE");
	}
	text_init(&t, 4096);
	say_where(&t, o, at);
	text_addf(&t, "unknown %s %s", what, dashes);
	text_add_json(&t, bytes_of(given.p, MIN(given.n, QUOTE_MAX)));
	if (best != NULL) {
		text_addf(&t, ", did you mean %s%s?", dashes, best);
	}
	text_addf(&t, " (sluice %s --help lists all)", o->table->command);
	return complain(o, &t);
}

/* --- one value ---------------------------------------------------------------------------------- */

void options_init(struct options *o, const struct option_table *table, void *target, FILE *err)
{
	ASSERT(table->n <= OPTIONS_MAX);
	*o = (struct options){.table = table, .target = target, .err = err};
}

/* A value from a better source clears what a lesser one said; one of the same source replaces it, or
 * is added to a list. */
static int put(
	struct options *o, const struct origin *at, const struct option *row, struct bytes value)
{
	uint8_t *source = &o->source[row - o->table->rows];
	bool store = at->source >= *source;
	char want[OPTION_WANT_MAX];

	if (store && at->source > *source && row->type == OPTION_ADDRESSES) {
		option_value_clear(row, o->target);
	}
	if (!option_value_set(row, value, o->target, store, want)) {
		return complain_value(o, at, row, value, want);
	}
	if (store) {
		*source = (uint8_t)at->source;
	}
	return 0;
}

/* --- flags -------------------------------------------------------------------------------------- */

/* "NAME=VALUE" of --limit. */
static int put_limit(struct options *o, const struct origin *at, struct bytes pair)
{
	struct bytes value = pair;
	struct bytes name = bytes_cut(&value, '=');
	const struct option *row = find(o, name, true);

	if (row == NULL) {
		return complain_unknown(o, at, name, true);
	}
	if (value.p == NULL) {
		return complain_plain(
			o, at, "%s needs a value: --limit %s=%s", row->name, row->name, row->arg);
	}
	return put(o, at, row, value);
}

/* The flag at argv[*i], which is moved to its last word. */
static int read_flag(struct options *o, int argc, char **argv, int *i)
{
	struct bytes value = bytes_str(argv[*i] + 2);
	struct bytes name = bytes_cut(&value, '=');
	bool is_limit = bytes_eq(name, BYTES("limit"));
	const struct option *row = find(o, name, false);
	char shown[NEAREST_NAME_MAX + 3];
	struct origin at = {OPTION_FROM_FLAG, shown, 0};

	if (row == NULL && !is_limit) {
		at.name = "command line";
		return complain_unknown(o, &at, name, false);
	}
	snprintf(shown, sizeof(shown), "--%s", is_limit ? "limit" : row->name);
	if (value.p == NULL && !is_limit && row->type == OPTION_BOOL) {
		return put(o, &at, row, BYTES("true"));
	}
	if (value.p == NULL) {
		if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0) {
			return complain_plain(
				o, &at, "needs a value: %s", is_limit ? "NAME=VALUE" : row->arg);
		}
		value = bytes_str(argv[++*i]);
	}
	return is_limit ? put_limit(o, &at, value) : put(o, &at, row, value);
}

static int complain_no_option(const struct options *o, const struct origin *at, const char *word)
{
	struct text t;

	text_init(&t, 4096);
	say_where(&t, o, at);
	text_add_quoted(&t, bytes_str(word));
	text_addf(&t, " is no option (sluice %s --help)", o->table->command);
	return complain(o, &t);
}

int options_read_flags(struct options *o, int argc, char **argv)
{
	const struct origin line = {OPTION_FROM_FLAG, "command line", 0};
	int rc = 0;

	for (int i = 1; i < argc && rc == 0; i++) {
		if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0') {
			rc = read_flag(o, argc, argv, &i);
		} else {
			rc = complain_no_option(o, &line, argv[i]);
		}
	}
	return rc;
}

/* --- environment and defaults ------------------------------------------------------------------- */

int options_read_env(struct options *o)
{
	for (size_t i = 0; i < o->table->n; i++) {
		const struct option *row = &o->table->rows[i];
		const char *value = row->env != NULL ? getenv(row->env) : NULL;
		struct origin at = {OPTION_FROM_ENV, row->env, 0};

		/* Empty means unset: container definitions cannot leave a variable out. */
		if (value != NULL && value[0] != '\0') {
			int rc = put(o, &at, row, bytes_str(value));

			if (rc != 0) {
				return rc;
			}
		}
	}
	return 0;
}

int options_read_defaults(struct options *o)
{
	const struct origin at = {OPTION_FROM_DEFAULT, "default", 0};

	for (size_t i = 0; i < o->table->n; i++) {
		const struct option *row = &o->table->rows[i];

		if (row->fallback != NULL) {
			int rc = put(o, &at, row, bytes_str(row->fallback));

			if (rc != 0) {
				return rc;
			}
		} else if (o->source[i] == OPTION_FROM_NOTHING) {
			o->source[i] = OPTION_FROM_DEFAULT;
		}
	}
	return 0;
}

/* --- file --------------------------------------------------------------------------------------- */

static bool is_scalar(const struct yaml_node *n)
{
	return n->type != YAML_SEQ && n->type != YAML_MAP && n->type != YAML_NULL;
}

/* Values are taken as they are written, not as YAML resolves them: `access-log: off` is the word. */
static int put_node(struct options *o, struct origin *at, const struct option *row,
	const struct yaml_node *value)
{
	int rc = 0;

	at->line = value->line;
	if (is_scalar(value)) {
		return put(o, at, row, value->text);
	}
	if (value->type != YAML_SEQ || row->type != OPTION_ADDRESSES) {
		return complain_plain(o, at, "%s needs %s", row->name,
			row->type == OPTION_ADDRESSES ? "an address or a list of them"
						      : "one plain value");
	}
	for (const struct yaml_node *item = value->items; item != NULL && rc == 0;
		item = item->next) {
		at->line = item->line;
		rc = is_scalar(item)
			? put(o, at, row, item->text)
			: complain_plain(o, at, "%s: an item is no address", row->name);
	}
	return rc;
}

static int put_map(struct options *o, struct origin *at, const struct yaml_node *map, bool limits)
{
	int rc = 0;

	for (const struct yaml_node *v = map->items; v != NULL && rc == 0; v = v->next) {
		struct bytes name = v->key->text;
		const struct option *row = find(o, name, limits);

		at->line = v->key->line;
		if (!limits && bytes_eq(name, BYTES("limits")) && v->type == YAML_MAP) {
			rc = put_map(o, at, v, true);
		} else if (!limits && bytes_eq(name, BYTES("limits"))) {
			rc = complain_plain(o, at, "limits needs a map of names and values");
		} else if (row == NULL) {
			rc = complain_unknown(o, at, name, limits);
		} else if (row->flag_only) {
			rc = complain_plain(o, at, "%s is for the command line only", row->name);
		} else {
			rc = put_node(o, at, row, v);
		}
	}
	return rc;
}

static int put_file(struct options *o, struct origin *at, struct bytes text)
{
	struct fault fault = {0};
	struct yaml_doc doc;
	struct arena arena;
	int rc;

	arena_init(&arena, FILE_ARENA_MAX);
	rc = yaml_parse(&arena, text, &doc, &fault);
	if (rc != 0) {
		at->line = (uint32_t)fault.where;
		rc = complain_plain(o, at, "%s", fault.text);
	} else if (doc.more) {
		at->line = doc.more_line;
		rc = complain_plain(o, at, "a second document begins here; one is read");
	} else if (doc.root != NULL && doc.root->type == YAML_MAP) {
		rc = put_map(o, at, doc.root, false);
	} else if (doc.root != NULL && doc.root->type != YAML_NULL) {
		at->line = doc.root->line;
		rc = complain_plain(o, at, "the file must hold a map of option names and values");
	}
	arena_done(&arena);
	return rc;
}

int options_read_file(struct options *o, const char *path)
{
	struct origin at = {OPTION_FROM_FILE, path, 0};
	struct fault fault = {0};
	struct text text;
	int rc;

	text_init(&text, OPTION_FILE_MAX);
	rc = file_read(path, OPTION_FILE_MAX, &text, NULL, &fault);
	rc = rc != 0 ? complain_plain(o, &at, "%s", fault.text)
		     : put_file(o, &at, text_bytes(&text));
	text_done(&text);
	return rc;
}

/* --- end ---------------------------------------------------------------------------------------- */

void options_done(const struct option_table *table, void *target)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct option *row = &table->rows[i];

		if (row->type == OPTION_STRING || row->type == OPTION_PATH ||
			row->type == OPTION_ADDRESSES) {
			option_value_clear(row, target);
		}
	}
}
