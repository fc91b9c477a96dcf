/* All at a glance (monitor-api.md 6.4). */
#include "base/clock.h"
#include "hiclaw/attachments.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/mon_change.h"
#include "hiclaw/workers.h"

#define DEFAULT_ROUTE BYTES("default-ai-route")

/* Items of a JSON list, as the ready file has them. */
static struct doc *addresses(struct ask *k, struct bytes items)
{
	struct bytes kept;
	struct text t;

	text_init(&t, 16384);
	text_addf(&t, "[" BYTES_FMT "]", BYTES_ARG(items));
	kept = arena_copy(&k->arena, text_bytes(&t));
	text_done(&t);
	return doc_of_json(&k->arena, kept.p != NULL ? json_parse(&k->arena, kept, NULL) : NULL);
}

static void add_gateway(struct ask *k, struct doc *d)
{
	struct arena *a = &k->arena;
	const struct hiclaw_opts *o = &k->hiclaw->opts;
	struct doc *g = doc_need_map(a, d, "gateway");
	struct doc *listeners;

	doc_set(a, g, "state", doc_str(a, o->serves(o->arg) ? "ok" : "down"));
	listeners = doc_need_map(a, g, "listeners");
	doc_set(a, listeners, "gateway", addresses(k, o->gateway_addresses));
	doc_set(a, listeners, "console", addresses(k, o->console_addresses));
	doc_set(a, listeners, "monitor",
		o->monitor_addresses.n != 0 ? addresses(k, o->monitor_addresses)
					    : doc_str(a, "unavailable"));
	doc_set(a, d, "monitor_listener",
		doc_str(a, o->monitor_addresses.n != 0 ? "ok" : "unavailable"));
	doc_set(a, g, "version", doc_str(a, o->version));
	doc_set(a, g, "uptimeSeconds",
		doc_int(a, (int64_t)((clock_wall_ms() - o->started_ms) / 1000)));
	doc_set(a, doc_need_map(a, d, "console"), "state", doc_str(a, "ok"));
}

static struct doc *text_or_null(struct arena *a, struct bytes s)
{
	return s.n != 0 ? doc_string_copy(a, s) : doc_null(a);
}

static void add_manager(struct ask *k, struct doc *d)
{
	struct arena *a = &k->arena;
	const struct hiclaw *h = k->hiclaw;
	const struct agent *g = agents_find(h->agents, BYTES("manager"));
	struct doc *m = doc_need_map(a, d, "manager");
	struct bytes path, model = BYTES(""), provider = BYTES("");
	enum attachment_state file =
		attachments_get(h->attachments, ATTACHMENT_MANAGER_FILE, &path);

	if (g != NULL) {
		model = g->configured.n != 0 ? g->configured : g->model;
		provider = g->provider;
	}
	doc_set(a, m, "state", doc_str(a, attachment_state_text(file)));
	doc_set(a, m, "runtime", doc_string(a, h->env->manager_runtime));
	doc_set(a, m, "configPath", file == ATTACHMENT_OK ? text_or_null(a, path) : doc_null(a));
	doc_set(a, m, "model", text_or_null(a, model));
	doc_set(a, m, "provider", text_or_null(a, provider));
	doc_set(a, m, "assignmentState",
		doc_str(a,
			agent_state_text(g != NULL && g->assigned ? g->state : AGENT_UNMANAGED)));
	doc_set(a, m, "reloadable",
		doc_bool(a,
			attachments_get(h->attachments, ATTACHMENT_OPENCLAW, &path) ==
				ATTACHMENT_OK));
}

static void add_routing(struct ask *k, struct doc *d, const struct doc *routes)
{
	struct arena *a = &k->arena;
	struct doc *m = doc_need_map(a, d, "routing");
	struct bytes provider = BYTES("");
	int64_t dedicated = 0;

	for (const struct doc *r = doc_first(a, routes); r != NULL; r = r->next) {
		struct bytes name = doc_peek(r, "name", BYTES(""));

		if (bytes_eq(name, DEFAULT_ROUTE)) {
			provider = doc_peek(
				doc_first(a, doc_get(a, r, "upstreams")), "provider", provider);
		} else if (bytes_ends(name, BYTES("-ai-route"))) {
			dedicated++;
		}
	}
	doc_set(a, m, "mode", doc_str(a, dedicated != 0 ? "multi" : "single"));
	doc_set(a, m, "default", text_or_null(a, provider));
	doc_set(a, m, "dedicated", doc_int(a, dedicated));
}

static void add_counts(struct ask *k, struct doc *d)
{
	static const struct {
		const char *name;
		enum ops_noun noun;
	} rows[] = {{"providers", OPS_PROVIDER}, {"routes", OPS_AI_ROUTE},
		{"consumers", OPS_CONSUMER}, {"domains", OPS_DOMAIN}};
	struct doc *m = doc_need_map(&k->arena, d, "counts");
	const struct worker *all;

	doc_set(&k->arena, m, "workers",
		doc_int(&k->arena, (int64_t)workers_now(k->hiclaw->workers, &all)));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		doc_set(&k->arena, m, rows[i].name,
			doc_int(&k->arena, (int64_t)k->ops.lists[rows[i].noun]->n));
	}
}

static void add_attachments(struct ask *k, struct doc *d)
{
	struct arena *a = &k->arena;
	struct doc *m = doc_need_map(a, d, "attachments");

	for (unsigned i = 0; i < ATTACHMENTS; i++) {
		struct doc *one = doc_need_map(a, m, attachment_name((enum attachment)i));
		struct bytes detail;
		enum attachment_state s =
			attachments_get(k->hiclaw->attachments, (enum attachment)i, &detail);

		doc_set(a, one, "state", doc_str(a, attachment_state_text(s)));
		doc_set(a, one, "detail", text_or_null(a, detail));
	}
}

static void add_warnings(struct ask *k, struct doc *d)
{
	struct arena *a = &k->arena;
	struct doc *pending = doc_need_list(a, d, "pendingSync");
	struct doc *warnings = doc_need_list(a, d, "warnings");
	const struct agents *agents = k->hiclaw->agents;
	const struct bytes *said;
	size_t n = workers_warnings(k->hiclaw->workers, &said);
	struct bytes unlisted = workers_storage_warning(k->hiclaw->workers);

	for (size_t i = 0; i < agents_count(agents); i++) {
		const struct agent *g = agents_at(agents, i);

		if (g->assigned && !g->synced) {
			doc_append(a, pending, doc_string_copy(a, g->target));
		}
	}
	for (size_t i = 0; i < n; i++) {
		doc_append(a, warnings, doc_string_copy(a, said[i]));
	}
	if (unlisted.n != 0) {
		struct text t;

		text_init(&t, 1024);
		text_addf(&t, "Workers of the object storage are not listed: " BYTES_FMT,
			BYTES_ARG(unlisted));
		doc_append(a, warnings, doc_string_copy(a, text_bytes(&t)));
		text_done(&t);
	}
	for (size_t i = 0; i < k->hiclaw->env->n_warnings; i++) {
		doc_append(a, warnings, doc_string(a, k->hiclaw->env->warnings[i]));
	}
	if (k->hiclaw->opts.monitor_addresses.n == 0) {
		doc_append(a, warnings,
			doc_str(a,
				"the monitor's own address is taken: what it serves is on the "
				"console's and the gateway's"));
	}
}

static void status_read(struct ask *k)
{
	struct doc *d = ask_success(k);

	add_gateway(k, d);
	add_manager(k, d);
	add_routing(k, d, k->ops.lists[OPS_AI_ROUTE]);
	add_counts(k, d);
	add_attachments(k, d);
	add_warnings(k, d);
	ask_reply(k, 200, d);
}

void mon_status(struct ask *k)
{
	ask_read(k, 1u << OPS_PROVIDER | 1u << OPS_AI_ROUTE | 1u << OPS_CONSUMER | 1u << OPS_DOMAIN,
		status_read);
}
