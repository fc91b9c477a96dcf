#include "console/ep_services.h"

#include <stdlib.h>

struct service {
	const struct registry *registry;
	struct bytes name; /* "<source>.<type>" */
};

/* By name, then port; all are in one namespace. */
static int order(const void *x, const void *y)
{
	const struct service *a = x;
	const struct service *b = y;
	int by_name = bytes_cmp(a->name, b->name);

	if (by_name != 0) {
		return by_name;
	}
	return a->registry->port < b->registry->port ? -1 : a->registry->port > b->registry->port;
}

static struct bytes name_of(struct act *a, const struct registry *r)
{
	struct bytes name;
	struct text t;

	text_init(&t, 1024);
	text_addf(&t, BYTES_FMT "." BYTES_FMT, BYTES_ARG(r->name), BYTES_ARG(r->type));
	name = arena_copy(a->arena, text_bytes(&t));
	text_done(&t);
	return name.p != NULL ? name : BYTES("");
}

static struct doc *endpoints_of(struct act *a, struct bytes domain)
{
	struct doc *list = doc_list(a->arena);
	struct bytes rest = domain;

	while (rest.p != NULL) {
		struct bytes one = bytes_trim(bytes_cut(&rest, ','));

		if (one.n != 0) {
			doc_append(a->arena, list, doc_string(a->arena, one));
		}
	}
	return list;
}

static struct doc *show(struct act *a, const struct service *s)
{
	const struct registry *r = s->registry;
	struct doc *d = doc_map(a->arena);

	doc_set(a->arena, d, "name", doc_string(a->arena, s->name));
	doc_set(a->arena, d, "namespace", doc_str(a->arena, "mcp"));
	doc_set(a->arena, d, "port", doc_int(a->arena, (int64_t)r->port));
	doc_set(a->arena, d, "version", doc_null(a->arena));
	doc_set(a->arena, d, "endpoints", endpoints_of(a, r->domain));
	doc_set(a->arena, d, "protocol",
		r->protocol.n != 0 ? doc_string(a->arena, r->protocol) : doc_str(a->arena, "http"));
	return d;
}

static bool is_resolved(const struct registry *r)
{
	return bytes_eq(r->type, BYTES("static")) || bytes_eq(r->type, BYTES("dns"));
}

void ep_services_list(struct act *a)
{
	const struct object *bridge =
		snapshot_get(a->op->draft.base, RESOURCE_MCPBRIDGE, BYTES("default"));
	struct doc *list = doc_list(a->arena);
	const struct mcpbridge *m = bridge != NULL ? &bridge->u.mcpbridge : NULL;
	struct service *v = NULL;
	size_t n = 0;

	if (m != NULL) {
		v = arena_alloc(a->arena, (m->n_registries + 1) * sizeof(*v));
	}
	for (size_t i = 0; v != NULL && i < m->n_registries; i++) {
		if (is_resolved(&m->registries[i])) {
			v[n++] = (struct service){&m->registries[i], name_of(a, &m->registries[i])};
		}
	}
	if (n != 0) {
		qsort(v, n, sizeof(*v), order);
	}
	for (size_t i = 0; i < n; i++) {
		doc_append(a->arena, list, show(a, &v[i]));
	}
	act_give_list(a, list);
}
