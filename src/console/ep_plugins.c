#include "console/ep_plugins.h"

void ep_plugins_list(struct act *a)
{
	act_give_list(a, op_wasm_plugin_list(a->op, act_query(a, "lang")));
}

void ep_plugins_get(struct act *a)
{
	a->data = op_wasm_plugin_read(a->op, a->params[0], act_query(a, "lang"));
	if (a->data == NULL) {
		act_missing(a);
	}
}

void ep_plugins_config(struct act *a)
{
	if (!op_wasm_plugin_schema(a->op, a->params[0], act_query(a, "lang"), &a->data)) {
		act_missing(a);
	}
}

void ep_plugins_readme(struct act *a)
{
	a->data = op_wasm_plugin_readme(a->op, a->params[0], act_query(a, "lang"));
	if (a->data == NULL) {
		act_missing(a);
	}
}
