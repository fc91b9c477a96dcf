/* Whether the process serves (monitor-api.md 4.1); who is known is told more. */
#include "base/clock.h"
#include "hiclaw/attachments.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"

static void add_details(struct ask *k, struct doc *d, bool healthy)
{
	struct arena *a = &k->arena;
	const struct hiclaw *h = k->hiclaw;
	uint64_t up_ms = clock_wall_ms() - h->opts.started_ms;
	static const struct {
		const char *name;
		enum attachment which;
	} attached[] = {{"controller", ATTACHMENT_CONTROLLER}, {"storage", ATTACHMENT_S3},
		{"openclaw", ATTACHMENT_OPENCLAW}};
	struct bytes detail;
	struct doc *checks;

	doc_set(a, d, "version", doc_str(a, h->opts.version));
	doc_set(a, d, "uptimeSeconds", doc_int(a, (int64_t)(up_ms / 1000)));
	checks = doc_need_map(a, d, "checks");
	doc_set(a, checks, "gateway", doc_str(a, healthy ? "ok" : "down"));
	for (size_t i = 0; i < ARRAY_LEN(attached); i++) {
		doc_set(a, checks, attached[i].name,
			doc_str(a,
				attachment_state_text(attachments_get(
					h->attachments, attached[i].which, &detail))));
	}
	doc_set(a, checks, "store", doc_str(a, gateway_plan(h->gateway) != NULL ? "ok" : "down"));
}

void mon_health(struct ask *k)
{
	const struct hiclaw *h = k->hiclaw;
	bool healthy = h->opts.serves(h->opts.arg);
	struct doc *d = doc_map(&k->arena);

	doc_set(&k->arena, d, "status", doc_str(&k->arena, healthy ? "healthy" : "unhealthy"));
	if (k->who > MONITOR_STRANGER) {
		add_details(k, d, healthy);
	}
	ask_reply(k, healthy ? 200 : 503, d);
}
