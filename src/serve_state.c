/*
 * state/: the administrator, sessions' key, the audit log, backups. A gateway whose state cannot be used goes
 * on serving; what needs it says so.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "cli/version.h"
#include "console/ep_session.h"
#include "manage/upstream_allowed.h"
#include "net/sys.h"
#include "registry.h"
#include "serve_int.h"

/* Without letters and digits that look like others; 32 of them, so that a byte picks evenly. */
static const char code_letters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

#define FINDINGS_MAX ((size_t)16 << 20)

/* What a change that was cut short has left. */
static void recover(const struct serve *s)
{
	struct findings found;
	struct arena arena;

	arena_init(&arena, FINDINGS_MAX);
	findings_init(&found, &arena);
	IGNORE(commit_recover(s->settings.resources, s->backups, &found)); /* it says so itself */
	for (const struct finding *f = found.first; f != NULL; f = f->next) {
		log_line(f->level == FINDING_ERROR ? LOG_ERROR : LOG_WARN, "store",
			BYTES_FMT ": " BYTES_FMT, BYTES_ARG(f->file), BYTES_ARG(f->text));
	}
	arena_done(&arena);
}

static void make_code(struct serve *s)
{
	unsigned char random[SERVE_CODE_SIZE - 1];

	random_secret(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		s->setup_code[i] = code_letters[random[i] % 32];
	}
	s->setup_code[sizeof(random)] = '\0';
}

/* Nobody can log in yet: says how to change that. */
static void say_setup(struct serve *s)
{
	if (s->settings.init_open) {
		log_warn("serve",
			"nobody administers this gateway yet, and whoever reaches the management "
			"listener first may (--init-open): POST /system/init");
		return;
	}
	make_code(s);
	log_info("serve",
		"nobody administers this gateway yet: POST /system/init from this machine, or from "
		"elsewhere with setupCode %s",
		s->setup_code);
}

static int load_account(struct serve *s)
{
	struct fault f;
	bool made = false;
	int rc = account_load(s->account_path, &s->account, &f);

	if (rc == ERR_NOT_FOUND) {
		s->account = account_new();
		rc = account_save(s->account, s->account_path, &f);
		if (rc != 0) {
			log_error("serve",
				"%s; management will refuse what it cannot keep, and sessions end with "
				"the process",
				f.text);
			return 0;
		}
	}
	rc = rc == 0 ? ep_session_seed(&s->account, s->account_path, &made, &f) : rc;
	if (rc != 0) {
		fprintf(stderr, "sluice serve: %s; mend or remove it\n", f.text);
		return 1;
	}
	if (made) {
		log_info("serve", "administrator " BYTES_FMT " is set from the environment",
			BYTES_ARG(s->account->name));
	}
	return 0;
}

int serve_state_open(struct serve *s)
{
	const char *dir = s->settings.state;
	struct act_env env;
	struct fault f;

	s->backups = must_path(dir, "backups");
	s->account_path = must_path(dir, "console.json");
	s->audit_path = must_path(dir, "audit.log");
	if (file_make_dir(dir, 0700, &f) != 0) {
		log_error("serve", "%s; changes through management are refused", f.text);
	}
	recover(s);
	if (load_account(s) != 0) {
		return 1;
	}
	if (!s->account->initialized) {
		say_setup(s);
	}
	env = (struct act_env){.version = version_text(),
		.endpoints = &registry_acts,
		.account_path = s->account_path,
		.audit_path = s->audit_path,
		.address_allowed = upstream_allowed,
		.root = s->settings.resources,
		.backups = s->backups,
		.setup_code = s->settings.init_open ? NULL : s->setup_code};
	console_set_env(s->console, &env);
	manage_set_account(s->manage, s->account);
	s->account = NULL;
	return 0;
}

void serve_state_done(struct serve *s)
{
	account_unref(s->account);
	free(s->backups);
	free(s->account_path);
	free(s->audit_path);
}
