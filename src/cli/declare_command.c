/*
 * Files and gateway are compared here, object by object, without what only a store says about them (versions, times);
 * what differs is sent as one change, so that it is served as a whole or refused as a whole. Nothing is removed
 * unless --prune says so.
 */
#include "cli/declare_command.h"

#include <stdlib.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/declare_plan.h"
#include "cli/hide.h"
#include "cli/remote.h"
#include "cli/text_diff.h"
#include "cli/tree.h"
#include "wire/yaml_write.h"

#define ARENA_MAX ((size_t)4 << 30)
#define OUT_MAX ((size_t)1 << 30)
#define PATH_MAX_BYTES 4096u

static const struct arg_row file_rows[] = {
	{"-f", "PATH",
		"A file of resources, a bundle of them, a directory as Higress keeps it; - is a "
		"bundle on standard input.",
		true},
	{"--prune", NULL, "Resources that PATH does not have are removed.", false},
};
static const struct arg_table file_table = {file_rows, ARRAY_LEN(file_rows)};

static const struct arg_row apply_rows[] = {
	{"--dry-run", NULL, "Only says what would be done.", false},
};
static const struct arg_table apply_table = {apply_rows, ARRAY_LEN(apply_rows)};

static const struct arg_row diff_rows[] = {
	{"--show-secrets", NULL, "Credentials are not masked.", false},
};
static const struct arg_table diff_table = {diff_rows, ARRAY_LEN(diff_rows)};

static const struct arg_row export_rows[] = {
	{"-o", "DIR",
		"Writes a directory as Higress keeps it, a file for each resource; without it a "
		"bundle goes to standard output.",
		false},
};
static const struct arg_table export_table = {export_rows, ARRAY_LEN(export_rows)};

struct run {
	struct args given;
	struct remote remote;
	struct arena arena;
	struct tree tree;
	struct declare_plan plan;
};

/* --- what is there, what shall be --------------------------------------------------------------- */

/* The gateway's list: {kind, name, file, version, text}. */
static int read_stored(struct run *r, const struct doc **out)
{
	const struct remote_call call = {.method = "GET", .path = BYTES("/v1/resources")};
	struct remote_answer got;
	int rc = remote_ask(&r->remote, &r->arena, &call, &got);

	if (rc == COMMAND_DONE && (!remote_is_good(&got) || got.data == NULL)) {
		rc = remote_refused(&r->remote, &got, "its resources");
	}
	if (rc == COMMAND_DONE) {
		*out = got.data;
	}
	return rc;
}

static void tell_finding(const struct finding *f)
{
	fprintf(stderr, BYTES_FMT ":%u: ", BYTES_ARG(f->file), f->line);
	for (size_t i = 0; i < f->text.n; i++) {
		unsigned char c = (unsigned char)f->text.p[i];

		fputc(c < 0x20 || c == 0x7f ? '?' : c, stderr);
	}
	fputc('\n', stderr);
}

static int check_tree(const struct run *r)
{
	for (const struct finding *f = r->tree.findings.first; f != NULL; f = f->next) {
		if (f->level == FINDING_ERROR) {
			tell_finding(f);
		}
	}
	if (r->tree.findings.errors != 0) {
		fprintf(stderr,
			"sluice %s: nothing is done with files that cannot be read: mend them\n",
			r->given.command);
		return COMMAND_NO;
	}
	if (r->tree.snapshot->n == 0) {
		fprintf(stderr,
			"sluice %s: there is no resource in it: name a file or a directory "
			"of resources\n",
			r->given.command);
		return COMMAND_USAGE;
	}
	return COMMAND_DONE;
}

/* The tree is read, and r->tree to be done with, when this is COMMAND_DONE or COMMAND_NO. */
static int read_tree(struct run *r)
{
	size_t n = args_count(&r->given, "-f");
	char **paths = must_alloc((n + 1) * sizeof(*paths));
	size_t at = 0;
	bool good;

	for (size_t i = 0; i < n; i++) {
		paths[i] = (char *)(uintptr_t)args_next(&r->given, "-f", &at);
	}
	good = tree_read(&r->tree, paths, n, stderr);
	free(paths);
	return good ? COMMAND_DONE : COMMAND_USAGE;
}

static int make_plan(struct run *r)
{
	const struct doc *stored = NULL;
	struct fault f;
	int rc = read_stored(r, &stored);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (declare_plan_make(&r->plan, &r->arena, r->tree.snapshot, stored,
		    args_has(&r->given, "--prune"), &f) != 0) {
		fprintf(stderr, "sluice %s: %s\n", r->given.command, f.text);
		return COMMAND_NO;
	}
	return COMMAND_DONE;
}

/* --- apply -------------------------------------------------------------------------------------- */

static const char *const done_words[] = {[DECLARE_SAME] = "unchanged",
	[DECLARE_CREATE] = "created",
	[DECLARE_CHANGE] = "changed",
	[DECLARE_REMOVE] = "removed"};

static void tell_plan(const struct run *r)
{
	const size_t *n = r->plan.count;

	for (size_t i = 0; i < r->plan.n; i++) {
		const struct declare_item *d = &r->plan.v[i];

		if (d->what != DECLARE_SAME) {
			printf("%s/" BYTES_FMT " %s\n", resource_kind_name(d->kind),
				BYTES_ARG(d->name), done_words[d->what]);
		}
	}
	printf("%zu created, %zu changed, %zu removed, %zu unchanged%s\n", n[DECLARE_CREATE],
		n[DECLARE_CHANGE], n[DECLARE_REMOVE], n[DECLARE_SAME],
		args_has(&r->given, "--dry-run") ? " (nothing was done)" : "");
}

static struct doc *body_of(struct run *r)
{
	struct arena *a = &r->arena;
	struct doc *body = doc_map(a);
	struct doc *put = doc_need_list(a, body, "resources");
	struct doc *gone = doc_need_list(a, body, "remove");

	for (size_t i = 0; i < r->plan.n; i++) {
		const struct declare_item *d = &r->plan.v[i];

		if (d->what == DECLARE_CREATE || d->what == DECLARE_CHANGE) {
			doc_append(a, put, d->after);
		} else if (d->what == DECLARE_REMOVE) {
			struct doc *name = doc_map(a);

			doc_set(a, name, "kind", doc_str(a, resource_kind_name(d->kind)));
			doc_set(a, name, "name", doc_string(a, d->name));
			doc_append(a, gone, name);
		}
	}
	return body;
}

static int apply(struct run *r)
{
	struct remote_call call = {.method = "PUT", .path = BYTES("/v1/resources")};
	struct remote_answer got;
	int rc = make_plan(r);

	if (rc == COMMAND_DONE && !args_has(&r->given, "--dry-run") &&
		r->plan.count[DECLARE_SAME] != r->plan.n) {
		call.body = body_of(r);
		rc = remote_ask(&r->remote, &r->arena, &call, &got);
		if (rc == COMMAND_DONE && !remote_is_good(&got)) {
			rc = remote_refused(&r->remote, &got, "nothing was changed");
		}
	}
	if (rc == COMMAND_DONE) {
		tell_plan(r);
	}
	return rc;
}

/* --- diff --------------------------------------------------------------------------------------- */

static void put_document(struct run *r, struct doc *d, struct text *out)
{
	if (d != NULL && !args_has(&r->given, "--show-secrets")) {
		d = doc_copy(&r->arena, d);
		hide_secrets(&r->arena, d, HIDE_DIGEST);
	}
	if (d != NULL) {
		yaml_write(&r->arena, out, d);
	}
}

static void tell_difference(struct run *r, const struct declare_item *d)
{
	const char *dir = resource_dir(d->kind);
	struct text before, after, out;

	text_init(&before, OUT_MAX);
	text_init(&after, OUT_MAX);
	text_init(&out, OUT_MAX);
	put_document(r, d->before, &before);
	put_document(r, d->after, &after);
	if (d->what == DECLARE_CREATE) {
		text_add_str(&out, "--- /dev/null\n");
	} else {
		text_addf(&out, "--- gateway/%s/" BYTES_FMT ".yaml\n", dir, BYTES_ARG(d->name));
	}
	if (d->what == DECLARE_REMOVE) {
		text_add_str(&out, "+++ /dev/null\n");
	} else {
		text_addf(&out, "+++ files/%s/" BYTES_FMT ".yaml\n", dir, BYTES_ARG(d->name));
	}
	text_diff(&out, text_bytes(&before), text_bytes(&after));
	fwrite(out.p, 1, out.n, stdout);
	text_done(&before);
	text_done(&after);
	text_done(&out);
}

static int diff(struct run *r)
{
	int rc = make_plan(r);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	for (size_t i = 0; i < r->plan.n; i++) {
		if (r->plan.v[i].what != DECLARE_SAME) {
			tell_difference(r, &r->plan.v[i]);
		}
	}
	return r->plan.count[DECLARE_SAME] == r->plan.n ? COMMAND_DONE : COMMAND_NO;
}

/* --- export ------------------------------------------------------------------------------------- */

/* A name comes from the server: it must stay where it is put. */
static bool is_file_name(struct bytes name)
{
	return name.n != 0 && name.n < 250 && name.p[0] != '.' &&
		memchr(name.p, '/', name.n) == NULL && memchr(name.p, '\0', name.n) == NULL;
}

static int write_one(struct run *r, const char *dir, const struct doc *d, struct fault *f)
{
	struct bytes file = doc_text(doc_get(&r->arena, d, "file"), BYTES(""));
	struct bytes text = doc_text(doc_get(&r->arena, d, "text"), BYTES(""));
	struct bytes name = file;
	struct bytes kind = bytes_cut(&name, '/');
	char path[PATH_MAX_BYTES];
	int n, rc;

	if (resource_kind_of_dir(kind) < 0 || !is_file_name(name)) {
		return fault_set(f, ERR_REFUSED, 0, 0,
			"the gateway names a file that cannot be one: %.*s", (int)MIN(file.n, 80),
			file.p);
	}
	n = snprintf(path, sizeof(path), "%s/" BYTES_FMT, dir, BYTES_ARG(kind));
	if (n < 0 || (size_t)n + name.n + 2 > sizeof(path)) {
		return fault_set(f, ERR_LIMIT, 0, 0, "the path of a file is too long");
	}
	rc = file_make_dir(path, 0700, f);
	if (rc == 0) {
		snprintf(path + n, sizeof(path) - (size_t)n, "/" BYTES_FMT, BYTES_ARG(name));
		rc = file_write_atomic(path, text, 0600, f);
	}
	return rc;
}

static int export_files(struct run *r, const char *dir, const struct doc *stored)
{
	struct fault f;
	size_t n = 0;

	for (const struct doc *d = doc_first(&r->arena, stored); d != NULL; d = d->next, n++) {
		if (write_one(r, dir, d, &f) != 0) {
			fprintf(stderr, "sluice export: %s\n", f.text);
			return COMMAND_NO;
		}
	}
	printf("%zu resources written to %s\n", n, dir);
	return COMMAND_DONE;
}

static int export_all(struct run *r)
{
	const char *dir = args_value(&r->given, "-o");
	const struct doc *stored = NULL;
	int rc = read_stored(r, &stored);
	bool first = true;

	if (rc != COMMAND_DONE || dir != NULL) {
		return rc != COMMAND_DONE ? rc : export_files(r, dir, stored);
	}
	for (const struct doc *d = doc_first(&r->arena, stored); d != NULL; d = d->next) {
		struct bytes text = doc_text(doc_get(&r->arena, d, "text"), BYTES(""));

		fputs(first ? "" : "---\n", stdout);
		fwrite(text.p, 1, text.n, stdout);
		first = false;
	}
	return COMMAND_DONE;
}

/* --- the commands ------------------------------------------------------------------------------- */

static int run_remote(struct run *r, int (*run)(struct run *r))
{
	int rc = remote_open(&r->remote, &r->given, stderr);

	if (rc == COMMAND_DONE) {
		rc = run(r);
		remote_close(&r->remote);
	}
	return rc;
}

static int run_with_files(struct run *r, int (*run)(struct run *r))
{
	int rc;

	if (!args_has(&r->given, "-f")) {
		fprintf(stderr, "sluice %s: -f PATH is missing\n", r->given.command);
		return COMMAND_USAGE;
	}
	rc = read_tree(r);
	if (rc != COMMAND_DONE) {
		return rc;
	}
	rc = check_tree(r);
	rc = rc == COMMAND_DONE ? run_remote(r, run) : rc;
	declare_plan_done(&r->plan);
	tree_done(&r->tree);
	return rc;
}

static int run_command(const char *name, const struct arg_table *own, bool files,
	int (*run)(struct run *r), char *const *argv, int argc)
{
	const struct arg_table *tables[] = {&remote_args, own, files ? &file_table : NULL, NULL};
	struct run r = {0};
	int rc;

	if (args_read(&r.given, name, tables, argc, (char **)(uintptr_t)argv, stderr) != 0) {
		return COMMAND_USAGE;
	}
	arena_init(&r.arena, ARENA_MAX);
	if (r.given.n_words != 0) {
		fprintf(stderr, "sluice %s: \"%.80s\" is no option of it; paths come behind %s\n",
			name, r.given.words[0], files ? "-f" : "-o");
		rc = COMMAND_USAGE;
	} else {
		rc = files ? run_with_files(&r, run) : run_remote(&r, run);
	}
	arena_done(&r.arena);
	args_done(&r.given);
	return rc;
}

int declare_command_apply(int argc, char **argv)
{
	return run_command("apply", &apply_table, true, apply, argv, argc);
}

int declare_command_diff(int argc, char **argv)
{
	return run_command("diff", &diff_table, true, diff, argv, argc);
}

int declare_command_export(int argc, char **argv)
{
	return run_command("export", &export_table, false, export_all, argv, argc);
}

/* --- help --------------------------------------------------------------------------------------- */

void declare_command_apply_help(FILE *out)
{
	fputs("What differs from the gateway's resources is written as one change: it is served as a\n"
	      "whole, or refused as a whole with the reason. Versions and times in the files are\n"
	      "passed over.\n\nOptions:\n",
		out);
	args_help(&file_table, out);
	args_help(&apply_table, out);
	remote_help(out);
}

void declare_command_diff_help(FILE *out)
{
	fputs("Shows what sluice apply would change, as diff -u does; - is the gateway. Masked\n"
	      "credentials end in eight digits of their SHA-256, so that another one shows.\n"
	      "\nOptions:\n",
		out);
	args_help(&file_table, out);
	args_help(&diff_table, out);
	remote_help(out);
	fputs("\nExit code: 0 nothing would change, 1 something would, 2 wrong usage, 3 the server\n"
	      "could not be reached.\n",
		out);
}

void declare_command_export_help(FILE *out)
{
	fputs("Writes every resource as the file store of Higress does. Credentials are part of them:\n"
	      "files are readable by their owner only.\n\nOptions:\n",
		out);
	args_help(&export_table, out);
	remote_help(out);
}
