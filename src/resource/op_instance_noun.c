/* Plugin instances by a name of their own, so that they are listed, kept and put back like other objects. */
#include "resource/op_int.h"

static const char *const words[] = {[OP_GLOBAL] = "GLOBAL",
	[OP_DOMAIN] = "DOMAIN",
	[OP_ROUTE] = "ROUTE",
	[OP_SERVICE] = "SERVICE"};
static const char *const lists[] = {
	[OP_DOMAIN] = "domain", [OP_ROUTE] = "ingress", [OP_SERVICE] = "service"};

struct instance_name {
	enum op_scope scope;
	struct bytes target, plugin;
};

static bool split(struct bytes name, struct instance_name *out)
{
	struct bytes word = bytes_cut(&name, '/');

	out->target = bytes_cut(&name, '/');
	out->plugin = name;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (bytes_eq(word, bytes_str(words[i]))) {
			out->scope = (enum op_scope)i;
			return out->plugin.n != 0 && (out->target.n == 0) == (i == OP_GLOBAL);
		}
	}
	return false;
}

static enum op_rc refuse(struct op *o, struct bytes name)
{
	return op_refuse(o, OP_INVALID,
		"a plugin instance is named SCOPE/TARGET/PLUGIN, as ROUTE/shop/basic-auth, and not " BYTES_FMT,
		BYTES_ARG(name));
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	struct instance_name p;

	(void)mode;
	return split(name, &p) ? op_instance_save(o, p.scope, p.target, p.plugin, body)
			       : refuse(o, name);
}

static enum op_rc remove_instance(struct op *o, struct bytes name)
{
	struct instance_name p;

	return split(name, &p) ? op_instance_remove(o, p.scope, p.target, p.plugin)
			       : refuse(o, name);
}

static struct doc *read_instance(struct op *o, struct bytes name)
{
	struct doc *d = NULL;
	struct instance_name p;

	if (!split(name, &p) || op_instance_read(o, p.scope, p.target, p.plugin, &d) != OP_OK) {
		return NULL;
	}
	if (!doc_given(doc_get(o->arena, d, "pluginVersion"))) {
		return NULL; /* nothing is configured */
	}
	doc_set(o->arena, d, "name", doc_string(o->arena, name));
	return d;
}

/* --- names -------------------------------------------------------------------------------------- */

/* Where something is configured. */
static void add(struct op *o, struct strings *out, enum op_scope scope, struct bytes target,
	struct bytes plugin)
{
	struct bytes name = op_textf(o, "%s/" BYTES_FMT "/" BYTES_FMT, words[scope],
		BYTES_ARG(target), BYTES_ARG(plugin));

	if (read_instance(o, name) != NULL) {
		out->v[out->n++] = name;
	}
}

/* A rule of one target is an instance; others a person wrote. */
static void add_rule(struct op *o, struct strings *out, const struct doc *rule, struct bytes plugin)
{
	const struct doc *only = NULL;
	enum op_scope scope = OP_GLOBAL;
	size_t n = 0;

	for (size_t i = OP_DOMAIN; i < ARRAY_LEN(lists); i++) {
		const struct doc *targets = doc_get(o->arena, rule, lists[i]);

		for (const struct doc *t = doc_first(o->arena, targets); t != NULL; t = t->next) {
			only = t;
			scope = (enum op_scope)i;
			n++;
		}
	}
	if (n == 1 && only->type == DOC_STRING && only->text.n != 0) {
		add(o, out, scope, only->text, plugin);
	}
}

/* No more than there are. */
static size_t most(struct op *o)
{
	struct draft_walk w = {0};
	const struct doc *root, *rules;
	struct bytes name;
	size_t n = 1;

	while (draft_next(&o->draft, &w, RESOURCE_WASMPLUGIN, &name, &root)) {
		rules = doc_at(o->arena, root, "spec.matchRules");
		n += 1 + (rules != NULL ? rules->n : 0);
	}
	return n;
}

static struct strings list(struct op *o)
{
	struct strings out = {.v = arena_alloc(o->arena, most(o) * sizeof(*out.v))};
	struct draft_walk w = {0};
	const struct doc *root;
	struct bytes name, plugin;

	while (out.v != NULL && draft_next(&o->draft, &w, RESOURCE_WASMPLUGIN, &name, &root)) {
		if (!op_instance_is_in(o, name, root, &plugin)) {
			continue;
		}
		add(o, &out, OP_GLOBAL, BYTES(""), plugin);
		for (const struct doc *r =
				doc_first(o->arena, doc_at(o->arena, root, "spec.matchRules"));
			r != NULL; r = r->next) {
			add_rule(o, &out, r, plugin);
		}
	}
	op_sort_names(&out);
	return out;
}

const struct op_noun op_instance = {"plugin-instance", save, remove_instance, read_instance, list};
