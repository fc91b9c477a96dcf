/*
 * Backups (monitor-api.md 6.6). Automatic ones are what the store keeps before every change, and what a switch keeps
 * before it begins; a person's are documents of their own. All are shown, compared and restored in the same way: as API
 * objects, in one change, which the store journals like any other.
 */
#define _GNU_SOURCE
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/seal.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/mask.h"
#include "hiclaw/mon_assignment.h"
#include "hiclaw/mon_backups.h"
#include "hiclaw/mon_change.h"
#include "hiclaw/mon_claw.h"
#include "wire/base64.h"

#define REASON_MAX 500u
#define PASSPHRASE_MIN 8u
#define TEXT_MAX ((size_t)256 << 20)

static void give_up(struct ask *k)
{
	struct keeping *b = k->state;

	text_done(&b->out);
	if (k->passphrase.n != 0) {
		explicit_bzero((char *)(uintptr_t)k->passphrase.p, k->passphrase.n);
	}
}

static const char *below(struct ask *k, const char *dir, const char *name)
{
	struct bytes path;
	struct text t;

	text_init(&t, 8192);
	text_addf(&t, "%s/%s", dir, name);
	path = arena_copy(&k->arena, text_bytes(&t));
	text_done(&t);
	return path.p;
}

static struct keeping *begin(struct ask *k)
{
	struct keeping *b = arena_must(&k->arena, sizeof(*b));
	const struct hiclaw *h = k->hiclaw;

	b->places = (struct backup_places){.dir = h->env->backup_dir.n != 0
			? h->env->backup_dir.p
			: below(k, h->opts.state_dir, "backups"),
		.switches = below(k, h->opts.state_dir, "agent-backups"),
		.root = h->opts.root,
		.journal = h->opts.remote == NULL ? h->opts.journal : NULL};
	k->state = b;
	k->done = give_up;
	return b;
}

/* With the id of the path; NULL: refused. */
struct keeping *mon_backups_begin(struct ask *k)
{
	struct keeping *b;

	if (!journal_is_id(k->params[0])) {
		ask_fail(k, HICLAW_INVALID_NAME, "A backup is named as 20261121T150405Z-0f423f");
		return NULL;
	}
	b = begin(k);
	b->id = k->params[0];
	k->snapshot = k->hiclaw->opts.writer.snapshot(k->hiclaw->opts.writer.arg);
	return b;
}

void mon_backups_refuse(struct ask *k, int rc)
{
	if (rc == ERR_NOT_FOUND) {
		ask_fail(k, HICLAW_BACKUP_NOT_FOUND, "Backup not found");
		return;
	}
	if (rc == ERR_REFUSED) {
		ask_fail(k, HICLAW_CONFLICT, "%s", k->fault.text);
		return;
	}
	log_error("hiclaw", BYTES_FMT " " BYTES_FMT ": %s", BYTES_ARG(k->method),
		BYTES_ARG(k->path), k->fault.text);
	ask_fail(k, HICLAW_INTERNAL, "The backup could not be read or written: the log says why");
}

/* --- list ---------------------------------------------------------------------------------------------------------- */

static void list_files(struct ask *k)
{
	struct keeping *b = k->state;

	b->rc = backup_file_list(&k->arena, &b->places, &b->list, &k->fault);
}

static void listed(struct ask *k)
{
	struct keeping *b = k->state;
	struct doc *d = ask_success(k);

	if (b->rc != 0) {
		mon_backups_refuse(k, b->rc);
		return;
	}
	doc_set(&k->arena, d, "backups", b->list);
	ask_reply(k, 200, d);
}

void mon_backups_list(struct ask *k)
{
	begin(k);
	ask_job(k, list_files, listed);
}

/* --- made ---------------------------------------------------------------------------------------------------------- */

static void store(struct ask *k)
{
	struct keeping *b = k->state;

	b->rc = backup_file_store(
		&k->arena, &b->places, b->document, b->new_id, &b->entry, &k->fault);
}

static void stored(struct ask *k)
{
	struct keeping *b = k->state;
	struct doc *d = ask_success(k);

	if (b->rc != 0) {
		mon_backups_refuse(k, b->rc);
		return;
	}
	mon_change_log(k, "create backup", bytes_str(b->new_id), "done", NULL, NULL);
	mon_change_say(k, EVENT_BACKUP, bytes_str(b->new_id), "created");
	doc_set(&k->arena, d, "backup", b->entry);
	ask_reply(k, 201, d);
}

struct doc *mon_backups_about(struct ask *k, struct bytes reason)
{
	struct arena *a = &k->arena;
	struct doc *d = doc_map(a);

	doc_set(a, d, "format", doc_str(a, BACKUP_DOC_FORMAT));
	doc_set(a, d, "version", doc_int(a, BACKUP_DOC_VERSION));
	doc_set(a, d, "createdAt", mon_assignment_time(k, clock_wall_ms()));
	doc_set(a, d, "reason", doc_string(a, reason));
	doc_set(a, d, "actor", doc_string(a, k->actor));
	doc_set(a, d, "auto", doc_bool(a, false));
	return d;
}

struct doc *mon_backups_sections(struct ask *k, const struct keeping *b)
{
	struct doc *sections = backup_doc_sections(&k->arena, b->now);

	doc_set(&k->arena, sections, "assignments",
		backup_agents_section(&k->arena, k->hiclaw->agents));
	if (b->claw != NULL) {
		doc_set(&k->arena, sections, "openclaw", doc_copy(&k->arena, b->claw));
	}
	return sections;
}

static void create_all(struct ask *k)
{
	struct keeping *b = k->state;

	b->document = mon_backups_about(k, b->reason);
	doc_set(&k->arena, b->document, "sections", mon_backups_sections(k, b));
	ask_job(k, store, stored);
}

static void create_read(struct ask *k)
{
	struct keeping *b = k->state;

	memcpy(b->now, k->ops.lists, sizeof(b->now));
	mon_claw_read(k, &b->claw, create_all);
}

void mon_backups_create(struct ask *k)
{
	struct keeping *b = begin(k);

	if (!ask_text(k, "reason", &b->reason)) {
		return;
	}
	if (b->reason.n > REASON_MAX) {
		ask_fail_field(k, "reason", "The reason is longer than %u bytes", REASON_MAX);
		return;
	}
	ask_read(k, MON_BACKUPS_NOUNS, create_read);
}

/* --- taken away ---------------------------------------------------------------------------------------------------- */

static void put_base64(struct ask *k, struct doc *d, const char *key, const void *p, size_t n)
{
	char *room = arena_alloc(&k->arena, base64_size(n) + 1);

	if (room != NULL) {
		size_t len = base64_encode(room, bytes_of(p, n));

		doc_set(&k->arena, d, key, doc_string(&k->arena, bytes_of(room, len)));
	}
}

static void put_json(struct ask *k, const struct doc *d, struct text *out)
{
	struct json_writer w;

	text_init(out, TEXT_MAX);
	json_writer_init(&w, out);
	doc_put_json(&k->arena, &w, d);
}

/* What it was made with stands in it, so that another program can open it. */
static struct doc *sealed(struct ask *k, const struct doc *plain)
{
	struct arena *a = &k->arena;
	struct doc *d = doc_map(a);
	struct text text, closed;
	struct seal s;

	put_json(k, plain, &text);
	text_init(&closed, TEXT_MAX);
	seal_close(&s, k->passphrase, text_bytes(&text), &closed);
	doc_set(a, d, "format", doc_str(a, BACKUP_DOC_SEALED));
	doc_set(a, d, "version", doc_int(a, BACKUP_DOC_VERSION));
	doc_set(a, d, "kdf", doc_str(a, "scrypt"));
	doc_set(a, d, "n", doc_int(a, SEAL_N));
	doc_set(a, d, "r", doc_int(a, SEAL_R));
	doc_set(a, d, "p", doc_int(a, SEAL_P));
	doc_set(a, d, "cipher", doc_str(a, "aes-256-gcm"));
	put_base64(k, d, "salt", s.salt, sizeof(s.salt));
	put_base64(k, d, "nonce", s.nonce, sizeof(s.nonce));
	put_base64(k, d, "data", closed.p, closed.n);
	explicit_bzero(text.p, text.n);
	text_done(&text);
	text_done(&closed);
	return d;
}

/* Configurations and files hold secrets in places that nobody knows. */
static struct doc *shown(struct ask *k, const struct keeping *b)
{
	static const char *const whole[] = {
		"openclaw", "files", "objects", "settings", "mcpServers", "pluginInstances"};
	struct arena *a = &k->arena;
	bool masked = b->secrets == SECRETS_MASKED;
	struct doc *d = masked ? mask_object(a, b->document) : mask_strip(a, b->document);
	struct doc *sections = doc_get(a, d, "sections");

	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		doc_drop(a, sections, whole[i]);
	}
	doc_set(a, d, "secrets", doc_str(a, masked ? "masked" : "none"));
	return d;
}

void mon_backups_load(struct ask *k)
{
	struct keeping *b = k->state;

	b->rc = backup_file_load(
		&k->arena, &b->places, k->snapshot, b->id, &b->document, &k->fault);
}

static void load_for_download(struct ask *k)
{
	struct keeping *b = k->state;

	mon_backups_load(k);
	if (b->rc == 0) {
		put_json(k, b->secrets == SECRETS_SEALED ? sealed(k, b->document) : shown(k, b),
			&b->out);
	}
}

static void download(struct ask *k)
{
	struct keeping *b = k->state;
	struct header disposition = {BYTES("Content-Disposition"), {NULL, 0}};
	struct text name, out;

	if (b->rc != 0) {
		mon_backups_refuse(k, b->rc);
		return;
	}
	text_init(&name, 256);
	text_addf(&name, "attachment; filename=\"sluice-backup-" BYTES_FMT ".json\"",
		BYTES_ARG(b->id));
	disposition.value = arena_copy(&k->arena, text_bytes(&name));
	text_done(&name);
	out = b->out;
	b->out = (struct text){.max = 0};
	ask_reply_file(k, "application/json; charset=utf-8", &out, &disposition, 1);
}

void mon_backups_get(struct ask *k)
{
	struct bytes how = ask_query(k, "secrets");
	struct keeping *b = mon_backups_begin(k);

	if (b == NULL) {
		return;
	}
	if (bytes_eq(how, BYTES("encrypted"))) {
		b->secrets = SECRETS_SEALED;
	} else if (bytes_eq(how, BYTES("masked"))) {
		b->secrets = SECRETS_MASKED;
	} else if (how.n != 0 && !bytes_eq(how, BYTES("none"))) {
		ask_fail_field(k, "secrets", "secrets is none, masked or encrypted");
		return;
	}
	if (b->secrets == SECRETS_SEALED && k->passphrase.n < PASSPHRASE_MIN) {
		ask_fail_field(k, "X-Backup-Passphrase",
			"X-Backup-Passphrase has to have at least %u characters", PASSPHRASE_MIN);
		return;
	}
	ask_job(k, load_for_download, download);
}

/* --- brought ------------------------------------------------------------------------------------------------------- */

static bool take_base64(struct ask *k, const char *key, void *out, size_t n, struct bytes *whole)
{
	struct bytes text = doc_text(doc_get(&k->arena, k->body, key), BYTES(""));
	char *room = arena_alloc(&k->arena, text.n + 1);
	ptrdiff_t got = room != NULL ? base64_decode(room, text) : -1;

	if (got < 0 || (out != NULL && (size_t)got != n)) {
		return false;
	}
	if (out != NULL) {
		memcpy(out, room, n);
	} else {
		*whole = bytes_of(room, (size_t)got);
	}
	return true;
}

static bool has_number(struct ask *k, const char *key, int64_t want)
{
	const struct doc *d = doc_get(&k->arena, k->body, key);

	return d != NULL && d->type == DOC_INT && d->integer == want;
}

/* NULL and b->why: it does not open. */
static struct doc *opened(struct ask *k, struct keeping *b)
{
	const struct json_value *v = NULL;
	struct bytes data, kept;
	struct text plain;
	struct seal s;

	if (!has_number(k, "n", SEAL_N) || !has_number(k, "r", SEAL_R) ||
		!has_number(k, "p", SEAL_P) ||
		!take_base64(k, "salt", s.salt, sizeof(s.salt), NULL) ||
		!take_base64(k, "nonce", s.nonce, sizeof(s.nonce), NULL) ||
		!take_base64(k, "data", NULL, 0, &data)) {
		b->why = "the encrypted backup is damaged, or of another version";
		return NULL;
	}
	text_init(&plain, TEXT_MAX);
	if (!seal_open(&s, k->passphrase, data, &plain)) {
		b->why = "X-Backup-Passphrase does not open this backup";
	} else {
		kept = arena_copy(&k->arena, text_bytes(&plain));
		v = kept.p != NULL ? json_parse(&k->arena, kept, NULL) : NULL;
		b->why = "the encrypted backup holds no backup";
	}
	text_done(&plain);
	return v != NULL && v->type == JSON_OBJECT ? doc_of_json(&k->arena, v) : NULL;
}

static void import_here(struct ask *k)
{
	struct keeping *b = k->state;
	struct bytes format = doc_peek(k->body, "format", BYTES(""));
	struct doc *given = bytes_eq(format, BYTES(BACKUP_DOC_SEALED)) ? opened(k, b) : k->body;
	struct bytes reason, secrets;
	struct doc *taken = given != NULL ? backup_doc_import(&k->arena, given, &b->why) : NULL;

	if (taken == NULL) {
		return;
	}
	reason = doc_peek(taken, "reason", BYTES(""));
	secrets = doc_peek(taken, "secrets", BYTES(""));
	b->document = mon_backups_about(k, reason.n != 0 ? reason : BYTES("imported"));
	if (secrets.n != 0) {
		doc_set(&k->arena, b->document, "secrets", doc_string(&k->arena, secrets));
	}
	doc_set(&k->arena, b->document, "sections",
		doc_copy(&k->arena, doc_get(&k->arena, taken, "sections")));
	store(k);
}

static void imported(struct ask *k)
{
	const struct keeping *b = k->state;

	if (b->document == NULL) {
		ask_fail(k, HICLAW_INVALID_REQUEST, "%s", b->why);
		return;
	}
	stored(k);
}

void mon_backups_import(struct ask *k)
{
	begin(k);
	ask_job(k, import_here, imported);
}

/* --- removed ------------------------------------------------------------------------------------------------------- */

static void remove_file(struct ask *k)
{
	struct keeping *b = k->state;

	b->rc = backup_file_remove(&b->places, b->id, &k->fault);
}

static void removed(struct ask *k)
{
	const struct keeping *b = k->state;

	if (b->rc != 0) {
		mon_backups_refuse(k, b->rc);
		return;
	}
	mon_change_log(k, "delete backup", b->id, "done", NULL, NULL);
	mon_change_say(k, EVENT_BACKUP, b->id, "removed");
	ask_reply(k, 200, ask_success(k));
}

void mon_backups_remove(struct ask *k)
{
	if (mon_backups_begin(k) != NULL) {
		ask_job(k, remove_file, removed);
	}
}
