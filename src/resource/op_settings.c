/* The ConfigMap higress-config as one object: texts that are YAML in themselves, each by the name of its section. */
#include "resource/op_int.h"

static bool is_section(struct bytes key)
{
	for (size_t i = 0; op_config_section(i) != NULL; i++) {
		if (bytes_eq(key, bytes_str(op_config_section(i)))) {
			return true;
		}
	}
	return false;
}

static enum op_rc check_text(struct op *o, const struct doc *d)
{
	struct fault fault = {0};
	struct yaml_doc y;

	if (d->type != DOC_STRING) {
		return op_refuse(
			o, OP_INVALID, "data." BYTES_FMT " has to be a text", BYTES_ARG(d->key));
	}
	if (is_section(d->key) && yaml_parse(o->arena, d->text, &y, &fault) != 0) {
		return op_refuse(o, OP_INVALID, "data." BYTES_FMT " is no YAML: %s",
			BYTES_ARG(d->key), fault.text);
	}
	return OP_OK;
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	const struct doc *data = doc_get(o->arena, body, "data");
	enum op_rc rc = OP_OK;
	struct doc *root, *into;

	(void)mode;
	if (!bytes_eq(name, OP_CONFIG) || data == NULL || data->type != DOC_MAP) {
		return op_refuse(o, OP_INVALID,
			"settings are one object, higress-config, with a map of texts as its data");
	}
	for (const struct doc *d = doc_first(o->arena, data); d != NULL && rc == OP_OK;
		d = d->next) {
		rc = check_text(o, d);
	}
	if (rc != OP_OK) {
		return rc;
	}
	root = draft_need(&o->draft, RESOURCE_CONFIGMAP, OP_CONFIG);
	op_mark(o, root, OP_CONFIG);
	into = doc_need_map(o->arena, root, "data");
	for (struct doc *d = doc_first(o->arena, into), *next; d != NULL; d = next) {
		next = d->next;
		if (doc_get_bytes(o->arena, data, d->key) == NULL) {
			doc_drop_bytes(o->arena, into, d->key);
		}
	}
	for (const struct doc *d = doc_first(o->arena, data); d != NULL; d = d->next) {
		doc_set_bytes(o->arena, into, d->key, doc_string(o->arena, d->text));
	}
	return OP_OK;
}

/* A gateway goes by the usual settings without it. */
static enum op_rc remove_settings(struct op *o, struct bytes name)
{
	if (bytes_eq(name, OP_CONFIG)) {
		draft_remove(&o->draft, RESOURCE_CONFIGMAP, OP_CONFIG);
	}
	return OP_OK;
}

static struct doc *read_settings(struct op *o, struct bytes name)
{
	const struct doc *root = bytes_eq(name, OP_CONFIG)
		? draft_look(&o->draft, RESOURCE_CONFIGMAP, OP_CONFIG)
		: NULL;
	struct doc *out, *data;

	if (root == NULL) {
		return NULL;
	}
	out = doc_map(o->arena);
	doc_set(o->arena, out, "name", doc_string(o->arena, OP_CONFIG));
	data = doc_need_map(o->arena, out, "data");
	for (const struct doc *d = doc_first(o->arena, doc_get(o->arena, root, "data")); d != NULL;
		d = d->next) {
		if (d->type == DOC_STRING) {
			doc_set_bytes(o->arena, data, d->key, doc_string(o->arena, d->text));
		}
	}
	return out;
}

static struct strings list(struct op *o)
{
	struct strings out = {0};

	if (draft_look(&o->draft, RESOURCE_CONFIGMAP, OP_CONFIG) != NULL) {
		out.v = arena_alloc(o->arena, sizeof(*out.v));
		out.n = out.v != NULL;
	}
	if (out.n != 0) {
		out.v[0] = OP_CONFIG;
	}
	return out;
}

const struct op_noun op_settings = {"settings", save, remove_settings, read_settings, list};
