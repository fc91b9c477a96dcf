#include "hiclaw/mon_before.h"

#include "base/clock.h"
#include "base/log.h"
#include "hiclaw/backup_agents.h"
#include "hiclaw/backup_file.h"
#include "hiclaw/mon_assignment.h"
#include "hiclaw/monitor_int.h"

struct before {
	const struct ops_item *items;
	size_t n;
	void (*next)(struct ask *k);
	struct backup_places places;
	struct doc *document;
	char id[JOURNAL_ID_N + 1];
	int rc;
};

static void changed(struct ask *k)
{
	struct before *b = k->before;

	if (k->ops.status == 0) {
		memcpy(k->ops.backup, b->id, sizeof(b->id));
	}
	b->next(k);
}

static void kept(struct ask *k)
{
	struct before *b = k->before;

	if (b->rc != 0) {
		log_error("hiclaw", "no backup before " BYTES_FMT " " BYTES_FMT ": %s",
			BYTES_ARG(k->method), BYTES_ARG(k->path), k->fault.text);
		b->id[0] = '\0';
	}
	if (b->rc != 0 && k->hiclaw->env->backup_required) {
		ask_fail(k, HICLAW_INTERNAL,
			"Nothing was changed, because no backup could be made: the log says why");
		return;
	}
	monitor_change(k, b->items, b->n, changed);
}

/* A jobs thread. The same as the last one is not kept twice. */
static void keep(struct ask *k)
{
	struct before *b = k->before;
	struct doc *last = backup_file_newest(&k->arena, b->places.dir, b->id);
	struct doc *entry;

	if (last != NULL &&
		doc_equal(&k->arena, doc_get(&k->arena, last, "sections"),
			doc_get(&k->arena, b->document, "sections"))) {
		b->rc = 0;
		return;
	}
	b->rc = backup_file_store(&k->arena, &b->places, b->document, b->id, &entry, &k->fault);
	if (b->rc == 0) {
		backup_file_prune(b->places.dir, k->hiclaw->env->backup_keep);
	}
}

static void read_all(struct ask *k)
{
	struct before *b = k->before;
	struct arena *a = &k->arena;
	struct doc *d = doc_map(a), *sections = backup_doc_sections(a, k->ops.lists);
	struct text why;

	text_init(&why, 4096);
	text_addf(
		&why, "before " BYTES_FMT " " BYTES_FMT, BYTES_ARG(k->method), BYTES_ARG(k->path));
	doc_set(a, d, "format", doc_str(a, BACKUP_DOC_FORMAT));
	doc_set(a, d, "version", doc_int(a, BACKUP_DOC_VERSION));
	doc_set(a, d, "createdAt", mon_assignment_time(k, clock_wall_ms()));
	doc_set(a, d, "reason", doc_string_copy(a, text_bytes(&why)));
	doc_set(a, d, "actor", doc_string(a, k->actor));
	doc_set(a, d, "auto", doc_bool(a, true));
	text_done(&why);
	doc_set(a, sections, "assignments", backup_agents_section(a, k->hiclaw->agents));
	doc_set(a, d, "sections", sections);
	b->document = d;
	ask_job(k, keep, kept);
}

void mon_before_change(
	struct ask *k, const struct ops_item *items, size_t n, void (*next)(struct ask *k))
{
	struct before *b = arena_must(&k->arena, sizeof(*b));
	struct text dir;

	text_init(&dir, 8192);
	text_addf(&dir, "%s/agent-backups", k->hiclaw->opts.state_dir);
	*b = (struct before){.items = items, .n = n, .next = next};
	b->places.dir = arena_copy(&k->arena, text_bytes(&dir)).p;
	text_done(&dir);
	k->before = b;
	ask_read(k, (1u << OPS_NOUNS) - 1, read_all);
}
