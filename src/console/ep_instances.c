#include "console/ep_instances.h"

struct subject {
	enum op_scope scope;
	struct bytes target; /* empty: global */
	struct bytes plugin; /* empty: of a list */
};

static struct subject subject_of(const struct act *a)
{
	static const struct {
		const char *prefix;
		enum op_scope scope;
	} scopes[] = {
		{"/v1/domains/", OP_DOMAIN},
		{"/v1/routes/", OP_ROUTE},
		{"/v1/services/", OP_SERVICE},
	};

	for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
		if (bytes_starts(bytes_str(a->endpoint->path), bytes_str(scopes[i].prefix))) {
			return (struct subject){scopes[i].scope, a->params[0], a->params[1]};
		}
	}
	return (struct subject){OP_GLOBAL, BYTES(""), a->params[0]};
}

void ep_instances_list(struct act *a)
{
	struct subject s = subject_of(a);
	struct doc *list = NULL;

	if (act_op(a, op_instance_list(a->op, s.scope, s.target, &list))) {
		act_give_list(a, list);
	}
}

void ep_instances_get(struct act *a)
{
	struct subject s = subject_of(a);

	act_op(a, op_instance_read(a->op, s.scope, s.target, s.plugin, &a->data));
}

void ep_instances_put(struct act *a)
{
	struct subject s = subject_of(a);

	if (a->body == NULL) {
		act_refuse(a, 400, "the request needs a JSON object as its body");
		return;
	}
	act_op(a, op_instance_save(a->op, s.scope, s.target, s.plugin, a->body));
}

void ep_instances_remove(struct act *a)
{
	struct subject s = subject_of(a);

	act_op(a, op_instance_remove(a->op, s.scope, s.target, s.plugin));
}
