/*
 * `sluice agm backup`: copies of everything that the monitor manages (monitor-api.md 6.6): gateway objects, assignments,
 * agents' configurations. `sluice backup` is the same of the resources alone.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "base/file.h"
#include "cli/agm.h"
#include "cli/command.h"
#include "wire/json.h"

#define DOCUMENT_MAX ((size_t)16 << 20)

static const struct arg_row rows[] = {
	{"--reason", "TEXT", "Why it is made.", false},
	{"--section", "NAME", "Goes back in this section alone: providers, aiRoutes, ...", true},
	{"--merge", NULL, "Keeps what the backup does not have.", false},
	{"--dry-run", NULL, "Only says what would be done.", false},
	{"--masked", NULL, "A download with masked secrets, in place of one without.", false},
	{"-o", "FILE", "Where a download goes, 0600. Default: standard output.", false},
};
const struct arg_table agm_copies_options = {rows, ARRAY_LEN(rows)};

/* --- cells ---------------------------------------------------------------------------------------- */

static void put_text(struct arena *a, const struct doc *o, const char *key, struct text *out)
{
	const struct doc *v = doc_get(a, o, key);

	if (v != NULL && v->type == DOC_INT) {
		text_addf(out, "%lld", (long long)v->integer);
	} else if (v != NULL && v->type == DOC_BOOL) {
		text_add_str(out, v->boolean ? "automatic" : "by hand");
	} else {
		text_add_bytes(out, doc_text(v, BYTES("")));
	}
}

static void put_id(struct arena *a, const struct doc *o, struct text *out)
{
	put_text(a, o, "id", out);
}

static void put_auto(struct arena *a, const struct doc *o, struct text *out)
{
	put_text(a, o, "auto", out);
}

static void put_actor(struct arena *a, const struct doc *o, struct text *out)
{
	put_text(a, o, "actor", out);
}

static void put_reason(struct arena *a, const struct doc *o, struct text *out)
{
	put_text(a, o, "reason", out);
}

static void put_size(struct arena *a, const struct doc *o, struct text *out)
{
	put_text(a, o, "size", out);
}

static const struct noun_column columns[] = {{"ID", put_id}, {"MADE", put_auto}, {"BY", put_actor},
	{"WHY", put_reason}, {"BYTES", put_size}};
static const struct noun copies = {
	.plural = "agm", .label = "backup", .columns = columns, .n_columns = ARRAY_LEN(columns)};

/* --- verbs ---------------------------------------------------------------------------------------- */

struct run {
	struct agm *x;
	const char *word; /* id or file; NULL: none */
	struct remote_answer got;
};

static int ask(struct run *r, const char *method, const char *behind, const struct doc *body)
{
	struct agm_question q = {.method = method,
		.path = "/backups",
		.name = bytes_str(r->word),
		.behind = behind,
		.body = body};

	return agm_get(r->x, &q, r->word != NULL ? agm_words(r->x, bytes_str(r->word)) : "backups",
		&r->got);
}

static int run_list(struct run *r)
{
	int rc = ask(r, "GET", NULL, NULL);
	struct doc *list;

	if (rc == COMMAND_DONE) {
		list = doc_get(&r->x->arena, r->got.whole, "backups");
		agm_print(r->x, &copies, list != NULL ? list : doc_list(&r->x->arena));
	}
	return rc;
}

static int run_create(struct run *r)
{
	const char *reason = args_value(&r->x->given, "--reason");
	struct doc *body = doc_map(&r->x->arena);
	int rc;

	if (reason != NULL) {
		doc_set(&r->x->arena, body, "reason", doc_str(&r->x->arena, reason));
	}
	rc = ask(r, "POST", NULL, body);
	if (rc == COMMAND_DONE) {
		printf("backup %s created\n", agm_member(r->x, r->got.whole, "backup.id", "?"));
	}
	return rc;
}

/* "  providers: added one, two; removed three": of a section in which anything is another. */
static bool print_section(struct run *r, const struct doc *section)
{
	static const char *const kinds[] = {"added", "changed", "removed"};
	struct arena *a = &r->x->arena;
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct doc *name = doc_first(a, doc_get(a, section, kinds[i]));
		const char *between = " ";

		if (name == NULL) {
			continue;
		}
		printf(any ? "; %s" : "  %s: %s", any ? kinds[i] : agm_words(r->x, section->key),
			kinds[i]);
		any = true;
		for (; name != NULL; name = name->next, between = ", ") {
			printf("%s%s", between, agm_words(r->x, doc_text(name, BYTES("?"))));
		}
	}
	return any;
}

/* What a restore changes, or would; warnings behind it. */
static void print_change(struct run *r, const struct doc *change)
{
	struct arena *a = &r->x->arena;
	const struct doc *w = doc_first(a, doc_get(a, r->got.whole, "warnings"));
	bool any = false;

	for (const struct doc *s = doc_first(a, change); s != NULL; s = s->next) {
		if (print_section(r, s)) {
			putchar('\n');
			any = true;
		}
	}
	if (!any) {
		puts("  nothing: all is as it was then");
	}
	for (; w != NULL; w = w->next) {
		fprintf(stderr, "sluice %s: warning: %s\n", r->x->given.command,
			agm_words(r->x, doc_text(w, BYTES("?"))));
	}
}

static int run_show(struct run *r)
{
	int rc = ask(r, "GET", "/diff", NULL);

	if (rc == COMMAND_DONE) {
		agm_print_json(r->x, r->got.whole);
	}
	return rc;
}

static void say_restored(struct run *r, bool dry)
{
	const char *before = agm_member(r->x, r->got.whole, "backupId", "");

	printf(dry ? "going back to %s would change\n" : "backup %s restored\n",
		agm_words(r->x, bytes_str(r->word)));
	print_change(r, doc_get(&r->x->arena, r->got.whole, dry ? "diff" : "restored"));
	if (before[0] != '\0') {
		printf("the way back: %s\n", before);
	}
}

static int run_restore(struct run *r)
{
	struct arena *a = &r->x->arena;
	const struct args *given = &r->x->given;
	struct doc *body = doc_map(a);
	struct doc *sections = doc_list(a);
	const char *name;
	size_t at = 0;
	int rc;

	while ((name = args_next(given, "--section", &at)) != NULL) {
		doc_append(a, sections, doc_str(a, name));
	}
	if (sections->n != 0) {
		doc_set(a, body, "sections", sections);
	}
	doc_set(a, body, "mode", doc_str(a, args_has(given, "--merge") ? "merge" : "replace"));
	doc_set(a, body, "dryRun", doc_bool(a, args_has(given, "--dry-run")));
	rc = ask(r, "POST", "/restore", body);
	if (rc == COMMAND_DONE && args_has(given, "--json")) {
		agm_print_json(r->x, r->got.whole);
	} else if (rc == COMMAND_DONE) {
		say_restored(r, args_has(given, "--dry-run"));
	}
	return rc;
}

static int run_delete(struct run *r)
{
	int rc = ask(r, "DELETE", NULL, NULL);

	if (rc == COMMAND_DONE) {
		printf("backup %s deleted\n", agm_words(r->x, bytes_str(r->word)));
	}
	return rc;
}

static int run_download(struct run *r)
{
	bool masked = args_has(&r->x->given, "--masked");
	const char *path = args_value(&r->x->given, "-o");
	int rc = ask(r, "GET", masked ? "?secrets=masked" : "?secrets=none", NULL);
	struct json_writer w;
	struct text t;
	struct fault f;

	if (rc != COMMAND_DONE) {
		return rc;
	}
	text_init(&t, DOCUMENT_MAX);
	json_writer_init(&w, &t);
	doc_put_json(&r->x->arena, &w, r->got.whole);
	text_add_char(&t, '\n');
	if (path == NULL) {
		fwrite(t.p, 1, t.n, stdout);
	} else if (file_write_atomic(path, text_bytes(&t), 0600, &f) != 0) {
		fprintf(stderr, "sluice %s: %s\n", r->x->given.command, f.text);
		rc = COMMAND_NO;
	}
	text_done(&t);
	return rc;
}

static int run_import(struct run *r)
{
	struct arena *a = &r->x->arena;
	const struct json_value *v = NULL;
	const char *path = r->word;
	struct text t;
	struct fault f = {0};
	int rc;

	text_init(&t, DOCUMENT_MAX);
	if (file_read(path, DOCUMENT_MAX, &t, NULL, &f) == 0) {
		v = json_parse(a, arena_copy(a, text_bytes(&t)), &f);
	}
	text_done(&t);
	if (v == NULL) {
		fprintf(stderr, "sluice %s: %.200s: %s\n", r->x->given.command, path, f.text);
		return COMMAND_USAGE;
	}
	r->word = "import";
	rc = ask(r, "POST", NULL, doc_of_json(a, v));
	if (rc == COMMAND_DONE) {
		printf("backup %s imported\n", agm_member(r->x, r->got.whole, "backup.id", "?"));
	}
	return rc;
}

int agm_copies(struct agm *x)
{
	static const struct {
		const char *name;
		bool takes_word;
		int (*run)(struct run *r);
	} verbs[] = {{"list", false, run_list}, {"create", false, run_create},
		{"show", true, run_show}, {"restore", true, run_restore},
		{"delete", true, run_delete}, {"download", true, run_download},
		{"import", true, run_import}};
	const char *verb = x->given.n_words != 0 ? x->given.words[0] : "";
	struct run r = {.x = x};
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verb, verbs[i].name) == 0 &&
			x->given.n_words == (verbs[i].takes_word ? 2u : 1u)) {
			r.word = verbs[i].takes_word ? x->given.words[1] : NULL;
			rc = agm_open(x);
			return rc == COMMAND_DONE ? verbs[i].run(&r) : rc;
		}
	}
	fprintf(stderr,
		"sluice %s: say what to do: list, create, show ID, restore ID, delete ID, download ID or import FILE\n",
		x->given.command);
	return COMMAND_USAGE;
}
