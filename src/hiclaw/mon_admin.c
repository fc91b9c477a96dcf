/* The API of the plugin's reference (monitor-api.md 5): the same objects in other envelopes. */
#include "hiclaw/endpoints.h"
#include "hiclaw/mon_providers.h"

static void list_read(struct ask *k)
{
	struct doc *d = ask_success(k);

	doc_set(&k->arena, d, "data", mon_providers_all(k));
	ask_reply(k, 200, d);
}

void mon_admin_list(struct ask *k)
{
	k->failed = "Failed to list providers";
	ask_read(k, 1u << OPS_PROVIDER | 1u << OPS_AI_ROUTE, list_read);
}

void mon_admin_get(struct ask *k)
{
	mon_providers_get(k);
}
