/* What HiClaw's part needs of the process: its environment, read before the sandbox; its state; what was said last. */
#include <stdio.h>
#include <stdlib.h>

#include "ai/providers.h"
#include "base/log.h"
#include "base/recent.h"
#include "base/tail.h"
#include "cli/version.h"
#include "serve_int.h"

#define ENV_MAX ((size_t)4 << 20)
/* Of the program's own log. */
#define LINES_OWN 2000u
/* Of the access log: a line of an ordinary request has 600 bytes. */
#define BYTES_ACCESS ((size_t)1 << 20)

static bool serves(void *arg)
{
	const struct serve *s = arg;

	return s->ready && !s->draining;
}

/* Before the sandbox, which lets nothing be made where nothing is. */
static void make_backup_dir(const struct env *e)
{
	struct fault f;

	if (e->backup_dir.n != 0 && file_make_dir(e->backup_dir.p, 0700, &f) != 0) {
		log_error("serve", "SLUICE_BACKUP_DIR: %s; backups cannot be made", f.text);
	}
}

void serve_hiclaw_read(struct serve *s)
{
	struct serve_hiclaw *h = &s->hiclaw;
	struct fault f;
	struct text t;

	arena_init(&h->arena, ENV_MAX);
	env_read(&h->arena, &env_of_process, &h->env);
	h->alias = (struct plan_alias){BYTES(ENV_OLD_DOMAIN), h->env.gateway_domain};
	make_backup_dir(&h->env);
	host_load_open(&h->load, &host_load_usual);
	process_open(&h->process);
	h->opened = true;
	text_init(&t, 65536);
	text_addf(&t, "%s/hiclaw", s->settings.state);
	h->state_dir = must_strdup(text_cstr(&t));
	text_done(&t);
	if (file_make_dir(h->state_dir, 0700, &f) != 0) {
		log_error("serve", "%s; assignments of models are not kept", f.text);
	}
	h->log = recent_new(LINES_OWN);
	log_keep(h->log);
	if (s->opts.access_log) {
		h->access = tail_new(BYTES_ACCESS);
		s->log.kept = h->access;
	}
}

void serve_hiclaw_start(struct serve *s)
{
	struct serve_hiclaw *h = &s->hiclaw;

	h->hiclaw = hiclaw_new(&(struct hiclaw_opts){
		.manage = s->manage,
		.gateway = s->gateway,
		.jobs = s->jobs,
		.writer = serve_writer(s),
		.higress = bytes_str(s->settings.higress_console),
		.types = &provider_types,
		.env = &h->env,
		.attached = s->settings.hiclaw,
		.root = s->settings.resources,
		.journal = s->backups,
		.state_dir = h->state_dir,
		.load = &h->load,
		.process = &h->process,
		.version = version_text(),
		.started_ms = s->started_ms,
		.gateway_addresses = text_bytes(&s->addresses),
		.console_addresses = text_bytes(&s->console_addresses),
		.monitor_addresses = text_bytes(&s->monitor_addresses),
		.log = h->log,
		.access = h->access,
		.origins = bytes_str(s->settings.monitor_origins),
		.legacy_status = s->settings.monitor_legacy_status,
		.serves = serves,
		.arg = s,
	});
}

void serve_hiclaw_done(struct serve *s)
{
	struct serve_hiclaw *h = &s->hiclaw;

	if (!h->opened) {
		return;
	}
	log_keep(NULL);
	recent_free(h->log);
	tail_free(h->access);
	host_load_close(&h->load);
	process_close(&h->process);
	arena_done(&h->arena);
	free(h->state_dir);
}
