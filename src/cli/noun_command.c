/*
 * create refuses what is there and delete what is not, although the API does neither: a person who mistypes a name
 * wants to know. update without -f reads the object, changes what the options say and writes it with its tag, so that
 * somebody else's change in between is not lost.
 */
#define _GNU_SOURCE
#include "cli/noun_command.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/hide.h"
#include "base/nearest.h"
#include "cli/provider_probe.h"
#include "cli/remote.h"
#include "wire/yaml_write.h"

#define ARENA_MAX ((size_t)2 << 30)
#define OUT_MAX ((size_t)1 << 30)
#define BODY_FILE_MAX ((size_t)16 << 20)
#define WHAT_MAX 320

static const struct arg_row output_rows[] = {
	{"--json", NULL, "JSON in place of a table.", false},
	{"--yaml", NULL, "YAML in place of a table.", false},
	{"--show-secrets", NULL, "Credentials are not masked.", false},
};
const struct arg_table noun_command_output = {output_rows, ARRAY_LEN(output_rows)};

static const struct arg_row file_rows[] = {
	{"-f", "FILE",
		"The whole object as YAML or JSON, in place of options; - is standard input.",
		false},
};
static const struct arg_table file_table = {file_rows, ARRAY_LEN(file_rows)};

static const struct arg_row test_rows[] = {
	{"--model", "NAME", "Asks for one token of this model, not for the list of models.", false},
};
static const struct arg_table test_table = {test_rows, ARRAY_LEN(test_rows)};

struct run {
	const struct noun *noun;
	const struct provider_types *types;
	struct args given;
	struct remote remote;
	struct arena arena;
	struct bytes name;   /* empty: none was given */
	char what[WHAT_MAX]; /* provider "openai" */
};

/* --- output ------------------------------------------------------------------------------------- */

size_t noun_command_width(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) != 0) {
		return 0;
	}
	return size.ws_col;
}

static void fill_cells(
	struct arena *a, const struct noun *noun, const struct doc *objects, struct bytes *cells)
{
	size_t n = 0;

	for (const struct doc *o = objects; o != NULL; o = o->next) {
		for (size_t i = 0; i < noun->n_columns; i++) {
			struct text cell;

			text_init(&cell, 65536);
			noun->columns[i].put(a, o, &cell);
			cells[n++] = arena_copy(a, text_bytes(&cell));
			text_done(&cell);
		}
	}
}

static void put_table(struct arena *a, const struct noun *noun, const struct doc *d, size_t width,
	struct text *out)
{
	bool is_list = d->type == DOC_LIST;
	struct columns c = {.n = noun->n_columns, .n_rows = is_list ? d->n : 1};
	struct bytes *cells = must_alloc((c.n * c.n_rows + 1) * sizeof(*cells));
	struct doc one = *d;

	one.next = NULL;
	fill_cells(a, noun, is_list ? doc_first(a, d) : &one, cells);
	for (size_t i = 0; i < c.n; i++) {
		c.titles[i] = noun->columns[i].title;
	}
	c.cells = cells;
	columns_write(out, &c, width);
	free(cells);
}

void noun_command_print(struct arena *a, const struct noun *noun, const struct args *given,
	struct doc *d, FILE *out)
{
	struct json_writer w;
	struct text t;

	text_init(&t, OUT_MAX);
	if (!args_has(given, "--show-secrets")) {
		hide_secrets(a, d, HIDE_MASK);
	}
	if (args_has(given, "--json")) {
		json_writer_init(&w, &t);
		doc_put_json(a, &w, d);
		text_add_char(&t, '\n');
	} else if (args_has(given, "--yaml")) {
		yaml_write_in_order(a, &t, d);
	} else {
		put_table(a, noun, d, noun_command_width(out), &t);
	}
	fwrite(t.p, 1, t.n, out);
	text_done(&t);
}

static bool wants_object(const struct run *r)
{
	return args_has(&r->given, "--json") || args_has(&r->given, "--yaml");
}

/* --- requests ----------------------------------------------------------------------------------- */

/* name empty: of all of them. */
static int ask(struct run *r, const char *method, struct bytes name, const struct doc *body,
	struct bytes if_match, struct remote_answer *out)
{
	struct remote_call call = {.method = method, .body = body, .if_match = if_match};
	struct text path;
	int rc;

	text_init(&path, 65536);
	text_add_str(&path, r->noun->path);
	if (name.n != 0) {
		text_add_char(&path, '/');
		remote_segment(&path, name);
	}
	call.path = text_bytes(&path);
	rc = remote_ask(&r->remote, &r->arena, &call, out);
	text_done(&path);
	return rc;
}

static int get(struct run *r, struct remote_answer *out)
{
	return ask(r, "GET", r->name, NULL, BYTES(""), out);
}

/* What was written, and what was done to it. */
static int tell_saved(struct run *r, struct remote_answer *got, const char *done)
{
	if (!remote_is_good(got)) {
		return remote_refused(&r->remote, got, r->what);
	}
	if (wants_object(r) && got->data != NULL) {
		noun_command_print(&r->arena, r->noun, &r->given, got->data, stdout);
	} else {
		printf("%s %s\n", r->what, done);
	}
	return COMMAND_DONE;
}

/* --- bodies ------------------------------------------------------------------------------------- */

static bool read_input(const char *path, struct text *out, struct fault *f)
{
	char room[65536];
	size_t n;

	if (strcmp(path, "-") != 0) {
		return file_read(path, BODY_FILE_MAX, out, NULL, f) == 0;
	}
	while (!text_full(out) && (n = fread(room, 1, sizeof(room), stdin)) != 0) {
		text_add(out, room, n);
	}
	if (text_full(out)) {
		fault_set(f, ERR_LIMIT, 0, 0, "the input is above 16 MiB");
	}
	return !text_full(out);
}

/* The object of -f; NULL: said. */
static struct doc *body_of_file(struct run *r)
{
	const char *path = args_value(&r->given, "-f");
	struct fault f = {0};
	struct doc *d = NULL;
	struct text t;

	text_init(&t, BODY_FILE_MAX);
	if (read_input(path, &t, &f)) {
		d = noun_body_read(&r->arena, arena_copy(&r->arena, text_bytes(&t)), &f);
	}
	text_done(&t);
	if (d == NULL) {
		fprintf(stderr, "sluice %s: %s: %s\n", r->given.command, path, f.text);
	}
	return d;
}

static void set_what(struct run *r, struct bytes name)
{
	int n = snprintf(r->what, sizeof(r->what), "%s \"", r->noun->label);

	for (size_t i = 0; i < name.n && n < WHAT_MAX - 2; i++) {
		unsigned char c = (unsigned char)name.p[i];

		r->what[n++] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
	}
	r->what[n++] = '"';
	r->what[n] = '\0';
}

static int usage(const struct run *r, const char *why)
{
	fprintf(stderr, "sluice %s: %s (sluice %s --help)\n", r->given.command, why,
		r->noun->plural);
	return COMMAND_USAGE;
}

/* The name of the object in the file against the one on the command line. */
static int settle_name(struct run *r, struct doc *body)
{
	struct bytes said = doc_text(doc_get(&r->arena, body, "name"), BYTES(""));

	if (r->name.n == 0) {
		r->name = said;
	}
	if (r->name.n == 0) {
		return usage(
			r, "the object has no name: put it into the file, or behind the command");
	}
	if (said.n != 0 && !bytes_eq(said, r->name)) {
		return usage(r, "the name in the file is another one than on the command line");
	}
	doc_set(&r->arena, body, "name", doc_string(&r->arena, r->name));
	set_what(r, r->name);
	return COMMAND_DONE;
}

/* --- commands ----------------------------------------------------------------------------------- */

static int run_list(struct run *r)
{
	struct remote_answer got;
	int rc = ask(r, "GET", BYTES(""), NULL, BYTES(""), &got);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (!remote_is_good(&got) || got.data == NULL) {
		return remote_refused(&r->remote, &got, r->noun->plural);
	}
	noun_command_print(&r->arena, r->noun, &r->given, got.data, stdout);
	return COMMAND_DONE;
}

static int run_get(struct run *r)
{
	struct remote_answer got;
	int rc = get(r, &got);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (!remote_is_good(&got) || got.data == NULL) {
		return remote_refused(&r->remote, &got, r->what);
	}
	noun_command_print(&r->arena, r->noun, &r->given, got.data, stdout);
	return COMMAND_DONE;
}

/* A key that was made here is shown once: nobody knows it yet. */
static void tell_key(struct run *r, const struct doc *body)
{
	const struct doc *credential =
		doc_first(&r->arena, doc_get(&r->arena, body, "credentials"));
	const struct doc *key = doc_first(&r->arena, doc_get(&r->arena, credential, "values"));

	if (r->noun == &noun_of_consumers && !args_has(&r->given, "-f") &&
		!args_has(&r->given, "--key") && !args_has(&r->given, "--key-env")) {
		printf("key: " BYTES_FMT "\n", BYTES_ARG(doc_text(key, BYTES(""))));
	}
}

static int new_body(struct run *r, struct doc **out)
{
	struct doc *body;
	int rc;

	if (args_has(&r->given, "-f")) {
		body = body_of_file(r);
		if (body == NULL) {
			return COMMAND_USAGE;
		}
		rc = settle_name(r, body);
	} else if (r->name.n == 0) {
		return usage(r, "a NAME is missing");
	} else {
		body = doc_map(&r->arena);
		doc_set(&r->arena, body, "name", doc_string(&r->arena, r->name));
		rc = r->noun->fill(&r->arena, &r->given, true, body, stderr) == 0 ? COMMAND_DONE
										  : COMMAND_USAGE;
	}
	if (rc == COMMAND_DONE) {
		*out = body;
	}
	return rc;
}

static int run_create(struct run *r)
{
	struct remote_answer got;
	struct doc *body = NULL;
	int rc = new_body(r, &body);

	rc = rc == COMMAND_DONE ? get(r, &got) : rc;
	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (remote_is_good(&got)) {
		fprintf(stderr, "sluice %s: %s is there already: change it with sluice %s update\n",
			r->given.command, r->what, r->noun->plural);
		return COMMAND_NO;
	}
	rc = ask(r, "POST", BYTES(""), body, BYTES(""), &got);
	rc = rc == COMMAND_DONE ? tell_saved(r, &got, "created") : rc;
	if (rc == COMMAND_DONE && !wants_object(r)) {
		tell_key(r, body);
	}
	return rc;
}

static int run_update(struct run *r)
{
	struct remote_answer got;
	struct doc *body = NULL;
	struct bytes tag;
	int rc;

	if (args_has(&r->given, "-f")) {
		rc = new_body(r, &body);
		if (rc != COMMAND_DONE) {
			return rc;
		}
	} else if (r->name.n == 0) {
		return usage(r, "a NAME is missing");
	}
	rc = get(r, &got);
	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (!remote_is_good(&got) || got.data == NULL) {
		return remote_refused(&r->remote, &got, r->what);
	}
	tag = body == NULL ? got.etag : BYTES("");
	if (body == NULL) {
		body = got.data;
		if (r->noun->fill(&r->arena, &r->given, false, body, stderr) != 0) {
			return COMMAND_USAGE;
		}
	}
	rc = ask(r, "PUT", r->name, body, tag, &got);
	return rc == COMMAND_DONE ? tell_saved(r, &got, "updated") : rc;
}

static int run_delete(struct run *r)
{
	struct remote_answer got;
	int rc = get(r, &got);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (!remote_is_good(&got)) {
		return remote_refused(&r->remote, &got, r->what);
	}
	rc = ask(r, "DELETE", r->name, NULL, BYTES(""), &got);
	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (!remote_is_good(&got)) {
		return remote_refused(&r->remote, &got, r->what);
	}
	printf("%s deleted\n", r->what);
	return COMMAND_DONE;
}

static int run_test(struct run *r)
{
	return provider_probe_run(
		&r->remote, &r->arena, r->types, r->name, args_value(&r->given, "--model"), stdout);
}

enum words { WORDS_NONE, WORDS_NAME, WORDS_NAME_OR_FILE };

static const struct verb {
	const char *name;
	enum words words;
	bool writes; /* takes the options of the noun, and -f */
	int (*run)(struct run *r);
} verbs[] = {
	{"list", WORDS_NONE, false, run_list},
	{"get", WORDS_NAME, false, run_get},
	{"create", WORDS_NAME_OR_FILE, true, run_create},
	{"update", WORDS_NAME_OR_FILE, true, run_update},
	{"delete", WORDS_NAME, false, run_delete},
	{"test", WORDS_NAME, false, run_test},
};

static bool has_verb(const struct noun *noun, const struct verb *v)
{
	return v->run != run_test || noun == &noun_of_providers;
}

/* NULL: wrong usage, said. */
static const struct verb *find_verb(const struct noun *noun, const char *name)
{
	struct nearest best = {NULL, 0};

	for (size_t i = 0; i < ARRAY_LEN(verbs) && name != NULL; i++) {
		if (has_verb(noun, &verbs[i])) {
			if (strcmp(verbs[i].name, name) == 0) {
				return &verbs[i];
			}
			nearest_offer(&best, bytes_str(name), verbs[i].name);
		}
	}
	if (name == NULL) {
		fprintf(stderr, "sluice %s: say what to do: list, get, create, update or delete\n",
			noun->plural);
	} else {
		fprintf(stderr, "sluice %s: \"%.64s\" is nothing that can be done", noun->plural,
			name);
		if (best.name != NULL) {
			fprintf(stderr, ", did you mean %s?", best.name);
		}
		fprintf(stderr, " (sluice %s --help)\n", noun->plural);
	}
	return NULL;
}

static int check_words(struct run *r, const struct verb *v)
{
	bool needs = v->words == WORDS_NAME ||
		(v->words == WORDS_NAME_OR_FILE && !args_has(&r->given, "-f"));

	if (r->given.n_words > (v->words == WORDS_NONE ? 0u : 1u)) {
		return usage(r, v->words == WORDS_NONE ? "it takes no NAME" : "one NAME at a time");
	}
	if (needs && (r->given.n_words == 0 || r->given.words[0][0] == '\0')) {
		return usage(r, "a NAME is missing");
	}
	if (r->given.n_words == 1) {
		r->name = bytes_str(r->given.words[0]);
		set_what(r, r->name);
	}
	for (size_t i = 0; i < r->noun->options->n && args_has(&r->given, "-f"); i++) {
		if (args_has(&r->given, r->noun->options->v[i].name)) {
			return usage(r, "-f brings the whole object: leave the other options out");
		}
	}
	return COMMAND_DONE;
}

static int run_verb(struct run *r, const struct verb *v)
{
	int rc = check_words(r, v);

	rc = rc == COMMAND_DONE ? remote_open(&r->remote, &r->given, stderr) : rc;
	if (rc != COMMAND_DONE) {
		return rc;
	}
	rc = v->run(r);
	remote_close(&r->remote);
	return rc;
}

int noun_command_main(
	const struct noun *noun, const struct provider_types *types, int argc, char **argv)
{
	const struct verb *v = find_verb(noun, argc > 1 ? argv[1] : NULL);
	const struct arg_table *tables[ARGS_TABLES_MAX + 1] = {&remote_args, &noun_command_output};
	struct run r = {.noun = noun, .types = types};
	char command[64];
	int rc;

	if (v == NULL) {
		return COMMAND_USAGE;
	}
	if (v->writes) {
		tables[2] = noun->options;
		tables[3] = &file_table;
	} else if (v->run == run_test) {
		tables[2] = &test_table;
	}
	snprintf(command, sizeof(command), "%s %s", noun->plural, v->name);
	if (args_read(&r.given, command, tables, argc - 1, argv + 1, stderr) != 0) {
		return COMMAND_USAGE;
	}
	arena_init(&r.arena, ARENA_MAX);
	rc = run_verb(&r, v);
	arena_done(&r.arena);
	args_done(&r.given);
	return rc;
}

/* --- help --------------------------------------------------------------------------------------- */

void noun_command_help(const struct noun *noun, FILE *out)
{
	bool is_provider = noun == &noun_of_providers;

	fprintf(out,
		"  list           all of them\n"
		"  get NAME       one of them; --yaml shows all of it\n"
		"  create NAME    by the options below, or by -f FILE\n"
		"  update NAME    what the options say, the rest stays; -f FILE replaces it\n"
		"  delete NAME\n%s"
		"\nOptions of create and update:\n",
		is_provider ? "  test NAME      asks the vendor, from this machine\n" : "");
	args_help(noun->options, out);
	args_help(&file_table, out);
	if (is_provider) {
		fputs("\nOptions of test:\n", out);
		args_help(&test_table, out);
	}
	fputs("\nOptions:\n", out);
	args_help(&noun_command_output, out);
	remote_help(out);
}
