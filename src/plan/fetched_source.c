#include "plan/fetched_source.h"

#include "plan/plan.h"

void fetched_source_add(struct text *key, struct bytes text)
{
	text_add_bytes(key, bytes_cut(&text, '\0'));
	text_add_char(key, '\0');
}

void fetched_source_add_endpoints(struct text *key, const struct service *s)
{
	for (size_t i = 0; i < MIN(s->n_endpoints, (size_t)FETCHED_ENDPOINTS); i++) {
		fetched_source_add(key, s->endpoints[i].host);
		text_add_u64(key, s->endpoints[i].port);
		text_add_char(key, '\0');
	}
}
