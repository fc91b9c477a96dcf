#include "console/ep_routes.h"

#include "console/ep_nouns.h"

/* Stands for every host (§3.5). */
#define DEFAULT_DOMAIN "higress-default-domain"

/* Without opening the object: a list of one domain's routes must not build all ten thousand of them. */
static bool is_of_domain(struct act *a, struct bytes route, struct bytes domain)
{
	const struct object *o = snapshot_get(a->op->draft.base, RESOURCE_INGRESS, route);

	for (size_t i = 0; o != NULL && i < o->u.ingress.n_rules; i++) {
		struct bytes host = o->u.ingress.rules[i].host;

		if (host.n == 0 ? bytes_eq(domain, BYTES(DEFAULT_DOMAIN))
				: bytes_eq_nocase(host, domain)) {
			return true;
		}
	}
	return false;
}

static void list_domain(struct act *a, struct bytes domain)
{
	struct strings names = op_route.list(a->op);
	size_t from, count, n = 0;

	for (size_t i = 0; i < names.n; i++) {
		if (is_of_domain(a, names.v[i], domain)) {
			names.v[n++] = names.v[i];
		}
	}
	if (!act_page(a, n, &from, &count)) {
		return;
	}
	a->data = doc_list(a->arena);
	for (size_t i = from; i < from + count; i++) {
		doc_append(a->arena, a->data, op_route.read(a->op, names.v[i]));
	}
}

void ep_routes_list(struct act *a)
{
	struct bytes domain = act_query(a, "domainName");

	if (domain.n == 0) {
		ep_nouns_list(a);
	} else if (bytes_eq_nocase(act_query(a, "all"), BYTES("true"))) {
		act_refuse(a, 400, "domainName and all=true exclude each other");
	} else {
		list_domain(a, domain);
	}
}

void ep_routes_of_domain(struct act *a)
{
	list_domain(a, a->params[0]);
}
