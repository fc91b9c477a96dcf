#include "cli/backup_command.h"

#include "cli/command.h"
#include "base/nearest.h"
#include "cli/noun_command.h"
#include "cli/remote.h"

#define ARENA_MAX ((size_t)1 << 30)
#define PATH "/v1/backups"

static const struct arg_row create_rows[] = {
	{"--reason", "TEXT", "Why it was made, for those who read the list.", false},
};
static const struct arg_table create_table = {create_rows, ARRAY_LEN(create_rows)};

static const struct arg_row restore_rows[] = {
	{"--dry-run", NULL, "Only says what would be done.", false},
};
static const struct arg_table restore_table = {restore_rows, ARRAY_LEN(restore_rows)};

struct run {
	struct args given;
	struct remote remote;
	struct arena arena;
	const char *id; /* NULL: none was given */
};

/* --- columns ------------------------------------------------------------------------------------ */

static void put_member(struct arena *a, const struct doc *o, const char *key, struct text *out)
{
	text_add_bytes(out, doc_text(doc_get(a, o, key), BYTES("")));
}

static void put_id(struct arena *a, const struct doc *o, struct text *out)
{
	put_member(a, o, "id", out);
}

static void put_actor(struct arena *a, const struct doc *o, struct text *out)
{
	put_member(a, o, "actor", out);
}

/* A person's reason, or the request before which it was made. */
static void put_what(struct arena *a, const struct doc *o, struct text *out)
{
	put_member(a, o, "reason", out);
	if (out->n == 0) {
		put_member(a, o, "what", out);
	}
}

static void put_number(struct arena *a, const struct doc *o, const char *key, struct text *out)
{
	const struct doc *n = doc_get(a, o, key);

	if (n != NULL && n->type == DOC_INT) {
		text_addf(out, "%lld", (long long)n->integer);
	}
}

static void put_files(struct arena *a, const struct doc *o, struct text *out)
{
	put_number(a, o, "files", out);
}

static void put_size(struct arena *a, const struct doc *o, struct text *out)
{
	put_number(a, o, "size", out);
}

static const struct noun_column columns[] = {{"ID", put_id}, {"MADE BY", put_actor},
	{"BEFORE, OR WHY", put_what}, {"FILES", put_files}, {"BYTES", put_size}};
static const struct noun backups = {.plural = "backup",
	.label = "backup",
	.path = PATH,
	.columns = columns,
	.n_columns = ARRAY_LEN(columns)};

/* --- requests ----------------------------------------------------------------------------------- */

/* COMMAND_DONE: a success. */
static int ask(struct run *r, const char *method, const char *behind, const struct doc *body,
	struct remote_answer *out)
{
	struct remote_call call = {.method = method, .body = body};
	struct text path;
	int rc;

	text_init(&path, 65536);
	text_add_str(&path, PATH);
	if (r->id != NULL) {
		text_add_char(&path, '/');
		remote_segment(&path, bytes_str(r->id));
		text_add_str(&path, behind);
	}
	call.path = text_bytes(&path);
	rc = remote_ask(&r->remote, &r->arena, &call, out);
	text_done(&path);
	if (rc == COMMAND_DONE && !remote_is_good(out)) {
		rc = remote_refused(&r->remote, out, r->id != NULL ? r->id : "backups");
	}
	return rc;
}

static int run_list(struct run *r)
{
	struct remote_answer got;
	int rc = ask(r, "GET", "", NULL, &got);

	if (rc == COMMAND_DONE && got.data != NULL) {
		noun_command_print(&r->arena, &backups, &r->given, got.data, stdout);
	}
	return rc;
}

/* Names are those of files that anybody may have made: nothing that a terminal would obey. */
static void put_member_plain(struct run *r, const struct doc *o, const char *key)
{
	struct bytes b = doc_text(doc_get(&r->arena, o, key), BYTES(""));

	for (size_t i = 0; i < b.n; i++) {
		unsigned char c = (unsigned char)b.p[i];
		bool c1 = c == 0xc2 && i + 1 < b.n && (unsigned char)b.p[i + 1] < 0xa0;

		putchar(c < 0x20 || c == 0x7f || c1 ? '?' : c);
		i += c1;
	}
}

static int run_create(struct run *r)
{
	const char *reason = args_value(&r->given, "--reason");
	struct doc *body = doc_map(&r->arena);
	struct remote_answer got;
	int rc;

	if (reason != NULL) {
		doc_set(&r->arena, body, "reason", doc_str(&r->arena, reason));
	}
	rc = ask(r, "POST", "", body, &got);
	if (rc == COMMAND_DONE) {
		fputs("backup ", stdout);
		put_member_plain(r, got.data, "id");
		puts(" created");
	}
	return rc;
}

static void tell_files(struct run *r, const struct doc *data)
{
	const struct doc *files = doc_get(&r->arena, data, "files");

	for (const struct doc *f = doc_first(&r->arena, files); f != NULL; f = f->next) {
		put_member_plain(r, f, "change");
		putchar(' ');
		put_member_plain(r, f, "kind");
		putchar('/');
		put_member_plain(r, f, "name");
		putchar('\n');
	}
}

static int run_show(struct run *r)
{
	struct remote_answer got;
	int rc = ask(r, "GET", "", NULL, &got);

	if (rc == COMMAND_DONE) {
		tell_files(r, got.data);
	}
	return rc;
}

static int run_restore(struct run *r)
{
	struct remote_answer got;
	int rc;

	if (args_has(&r->given, "--dry-run")) {
		return run_show(r);
	}
	rc = ask(r, "POST", "/restore", NULL, &got);
	if (rc == COMMAND_DONE) {
		tell_files(r, got.data);
		printf("the resources are as they were at backup %s\n", r->id);
	}
	return rc;
}

static int run_delete(struct run *r)
{
	struct remote_answer got;
	int rc = ask(r, "DELETE", "", NULL, &got);

	if (rc == COMMAND_DONE) {
		printf("backup %s deleted\n", r->id);
	}
	return rc;
}

/* --- the command -------------------------------------------------------------------------------- */

static const struct verb {
	const char *name;
	bool needs_id;
	const struct arg_table *options;
	int (*run)(struct run *r);
} verbs[] = {
	{"list", false, &noun_command_output, run_list},
	{"create", false, &create_table, run_create},
	{"show", true, NULL, run_show},
	{"restore", true, &restore_table, run_restore},
	{"delete", true, NULL, run_delete},
};

/* NULL: wrong usage, said. */
static const struct verb *find_verb(const char *name)
{
	struct nearest best = {NULL, 0};

	for (size_t i = 0; i < ARRAY_LEN(verbs) && name != NULL; i++) {
		if (strcmp(verbs[i].name, name) == 0) {
			return &verbs[i];
		}
		nearest_offer(&best, bytes_str(name), verbs[i].name);
	}
	if (name == NULL) {
		fputs("sluice backup: say what to do: list, create, show, restore or delete\n",
			stderr);
		return NULL;
	}
	fprintf(stderr, "sluice backup: \"%.64s\" is nothing that can be done", name);
	if (best.name != NULL) {
		fprintf(stderr, ", did you mean %s?", best.name);
	}
	fputs(" (sluice backup --help)\n", stderr);
	return NULL;
}

static int run_verb(struct run *r, const struct verb *v)
{
	size_t n = v->needs_id ? 1 : 0;
	int rc;

	if (r->given.n_words != n || (n != 0 && r->given.words[0][0] == '\0')) {
		fprintf(stderr, "sluice %s: %s (sluice backup --help)\n", r->given.command,
			n != 0 ? "one ID is needed: sluice backup list shows them"
			       : "it takes no ID");
		return COMMAND_USAGE;
	}
	r->id = n != 0 ? r->given.words[0] : NULL;
	rc = remote_open(&r->remote, &r->given, stderr);
	if (rc == COMMAND_DONE) {
		rc = v->run(r);
		remote_close(&r->remote);
	}
	return rc;
}

int backup_command_main(int argc, char **argv)
{
	const struct verb *v = find_verb(argc > 1 ? argv[1] : NULL);
	const struct arg_table *tables[] = {&remote_args, v != NULL ? v->options : NULL, NULL};
	struct run r = {0};
	char command[64];
	int rc;

	if (v == NULL) {
		return COMMAND_USAGE;
	}
	snprintf(command, sizeof(command), "backup %s", v->name);
	if (args_read(&r.given, command, tables, argc - 1, argv + 1, stderr) != 0) {
		return COMMAND_USAGE;
	}
	arena_init(&r.arena, ARENA_MAX);
	rc = run_verb(&r, v);
	arena_done(&r.arena);
	args_done(&r.given);
	return rc;
}

void backup_command_help(FILE *out)
{
	fputs("  list          the newest first; one is made before every change\n"
	      "  create        a complete copy, which stays until it is deleted\n"
	      "  show ID       what going back to it would do\n"
	      "  restore ID    goes back to the moment before that change, undoing it and all later ones\n"
	      "  delete ID\n\nOptions of create:\n",
		out);
	args_help(&create_table, out);
	fputs("\nOptions of restore:\n", out);
	args_help(&restore_table, out);
	fputs("\nOptions:\n", out);
	args_help(&noun_command_output, out);
	remote_help(out);
}
