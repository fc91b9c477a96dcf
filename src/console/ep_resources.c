/*
 * An object that is applied takes the place of the one that is there as a whole, but for what the store keeps
 * in its metadata: so the same files can be applied again and again, and to several gateways. Whether the objects
 * can be served is the question of the commit, which tries them before a file is touched.
 */
#include "console/ep_resources.h"

#include "wire/url.h"
#include "wire/yaml_write.h"

/* Longer ones do not fit a file name with ".yaml.tmp". */
#define NAME_MAX_BYTES 246u

/* What the store says about an object, not the person who wrote it. */
static const char *const kept_by_store[] = {
	"resourceVersion", "creationTimestamp", "managedFields", "uid", "generation", "selfLink"};

/* --- reading ------------------------------------------------------------------------------------ */

static struct doc *show(struct act *a, const struct object *o)
{
	struct doc *out = doc_map(a->arena);
	struct text text;

	text_init(&text, RESOURCE_FILE_MAX);
	yaml_write(a->arena, &text, doc_of_yaml(a->arena, o->root));
	doc_set(a->arena, out, "kind", doc_str(a->arena, resource_kind_name(o->kind)));
	doc_set(a->arena, out, "name", doc_string(a->arena, o->meta.name));
	doc_set(a->arena, out, "file", doc_string(a->arena, o->file));
	doc_set(a->arena, out, "version", doc_string(a->arena, o->meta.version));
	doc_set(a->arena, out, "text", doc_string_copy(a->arena, text_bytes(&text)));
	text_done(&text);
	return out;
}

static int kind_called(struct bytes name)
{
	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		if (bytes_eq(name, bytes_str(resource_kind_name((enum resource_kind)k)))) {
			return k;
		}
	}
	return -1;
}

void ep_resources_list(struct act *a)
{
	const struct snapshot *s = a->op->draft.base;
	struct bytes kind = act_query(a, "kind");
	size_t n = s != NULL ? s->n : 0;
	size_t from, count;
	size_t first = 0;

	if (kind.n != 0) {
		int k = kind_called(kind);

		if (k < 0) {
			act_refuse(a, 400, "there is no kind of resources " BYTES_FMT,
				BYTES_ARG(bytes_of(kind.p, MIN(kind.n, 64))));
			return;
		}
		n = s != NULL ? snapshot_kind(s, (enum resource_kind)k, &first) : 0;
	}
	if (!act_page(a, n, &from, &count)) {
		return;
	}
	a->data = doc_list(a->arena);
	for (size_t i = from; i < from + count; i++) {
		doc_append(a->arena, a->data, show(a, s->objects[first + i]));
	}
}

/* --- checks ------------------------------------------------------------------------------------- */

struct named { /* what an item of the request is about */
	enum resource_kind kind;
	struct bytes name;
};

static bool can_be_file(struct bytes name)
{
	bool good = name.n != 0 && name.n <= NAME_MAX_BYTES && name.p[0] != '.';

	for (size_t i = 0; i < name.n && good; i++) {
		unsigned char c = (unsigned char)name.p[i];

		good = c > 0x20 && c != 0x7f && c != '/';
	}
	return good;
}

/* where: "resources", for the sentence. False: refused. */
static bool take_name(struct act *a, const char *where, size_t i, struct bytes kind,
	struct bytes name, struct named *out)
{
	int k = kind_called(kind);

	if (k < 0) {
		act_refuse(a, 400, "%s[%zu]: the gateway knows no kind \"" BYTES_FMT "\"", where, i,
			BYTES_ARG(bytes_of(kind.p, MIN(kind.n, 64))));
		return false;
	}
	if (!can_be_file(name)) {
		act_refuse(a, 400,
			"%s[%zu]: a name has 1 to %u characters without blanks and slashes, and "
			"does not begin with a dot",
			where, i, NAME_MAX_BYTES);
		return false;
	}
	*out = (struct named){(enum resource_kind)k, name};
	return true;
}

/* product.md §7: addresses that come through an API. False: refused. */
static bool check_domain(struct act *a, struct bytes registry, struct bytes domain)
{
	const char *why = NULL;
	struct bytes rest = domain;

	while (rest.p != NULL) {
		struct bytes host = bytes_trim(bytes_cut(&rest, ','));
		struct bytes name = host;
		uint16_t port;

		if (url_parse_authority(host, &name, &port) != 0) {
			name = host;
		}
		if (!a->op->address_allowed(a->op->arg, name, &why)) {
			act_refuse(a, 400,
				"McpBridge, entry " BYTES_FMT ": the address " BYTES_FMT
				" is refused: %s",
				BYTES_ARG(registry), BYTES_ARG(name),
				why != NULL ? why : "it is not allowed");
			return false;
		}
	}
	return true;
}

static bool check_entries(struct act *a, const struct doc *list, const char *address)
{
	for (const struct doc *r = doc_first(a->arena, list); r != NULL; r = r->next) {
		if (!check_domain(a, doc_text(doc_get(a->arena, r, "name"), BYTES("")),
			    doc_text(doc_get(a->arena, r, address), BYTES("")))) {
			return false;
		}
	}
	return true;
}

static bool check_addresses(struct act *a, const struct named *n, const struct doc *object)
{
	if (n->kind != RESOURCE_MCPBRIDGE || a->op->address_allowed == NULL) {
		return true;
	}
	return check_entries(a, doc_at(a->arena, object, "spec.registries"), "domain") &&
		check_entries(a, doc_at(a->arena, object, "spec.proxies"), "serverAddress");
}

static bool check_object(struct act *a, size_t i, const struct doc *object, struct named *out)
{
	struct bytes space;

	if (object->type != DOC_MAP) {
		act_refuse(a, 400, "resources[%zu] is no object", i);
		return false;
	}
	if (!take_name(a, "resources", i, doc_text(doc_get(a->arena, object, "kind"), BYTES("")),
		    doc_text(doc_at(a->arena, object, "metadata.name"), BYTES("")), out)) {
		return false;
	}
	space = doc_text(doc_at(a->arena, object, "metadata.namespace"), BYTES("" NAMESPACE));
	if (!bytes_eq(space, BYTES("" NAMESPACE))) {
		act_refuse(a, 400, "%s " BYTES_FMT ": its namespace must be " NAMESPACE,
			resource_kind_name(out->kind), BYTES_ARG(out->name));
		return false;
	}
	return check_addresses(a, out, object);
}

/* --- writing ------------------------------------------------------------------------------------ */

static bool is_kept(struct bytes key)
{
	for (size_t i = 0; i < ARRAY_LEN(kept_by_store); i++) {
		if (bytes_eq(key, bytes_str(kept_by_store[i]))) {
			return true;
		}
	}
	return false;
}

/* Without what only the store says; with what the store says about the one that is there. */
static void settle(struct act *a, struct doc *object, const struct doc *there)
{
	struct arena *arena = a->arena;
	struct doc *meta = doc_need_map(arena, object, "metadata");

	for (size_t i = 0; i < ARRAY_LEN(kept_by_store); i++) {
		doc_drop(arena, meta, kept_by_store[i]);
	}
	doc_set(arena, meta, "namespace", doc_str(arena, NAMESPACE));
	if (!doc_given(doc_get(arena, object, "apiVersion")) && there != NULL) {
		doc_set(arena, object, "apiVersion",
			doc_copy(arena, doc_get(arena, there, "apiVersion")));
	}
	for (const struct doc *m = doc_first(arena, doc_get(arena, there, "metadata")); m != NULL;
		m = m->next) {
		if (is_kept(m->key)) {
			doc_set_bytes(arena, meta, m->key, doc_copy(arena, m));
		}
	}
}

static void put(struct act *a, const struct named *n, struct doc *object)
{
	const struct doc *there = draft_look(&a->op->draft, n->kind, n->name);

	settle(a, object, there);
	if (there == NULL || !doc_equal(a->arena, there, object)) {
		draft_replace(&a->op->draft, n->kind, n->name, object);
	}
}

static bool is_list(struct act *a, const char *key, const struct doc *list)
{
	if (doc_given(list) && list->type != DOC_LIST) {
		act_refuse(a, 400, "%s must be a list", key);
	} else if (list != NULL && list->n > EP_RESOURCES_MAX) {
		act_refuse(a, 400, "%s has more than %u members: send them in parts", key,
			EP_RESOURCES_MAX);
	}
	return !act_refused(a);
}

/* A node of a list is moved into the draft, so the list is walked with care. */
void ep_resources_apply(struct act *a)
{
	struct doc *resources = doc_get(a->arena, a->body, "resources");
	struct doc *gone = doc_get(a->arena, a->body, "remove");
	struct named name;
	size_t i = 0;

	if (!is_list(a, "resources", resources) || !is_list(a, "remove", gone)) {
		return;
	}
	if (!doc_given(resources) && !doc_given(gone)) {
		act_refuse(a, 400, "the body needs a list of resources, or of what to remove");
		return;
	}
	for (struct doc *r = doc_first(a->arena, resources); r != NULL; r = r->next, i++) {
		if (!check_object(a, i, r, &name)) {
			return;
		}
		put(a, &name, doc_copy(a->arena, r));
	}
	i = 0;
	for (struct doc *r = doc_first(a->arena, gone); r != NULL; r = r->next, i++) {
		if (!take_name(a, "remove", i, doc_text(doc_get(a->arena, r, "kind"), BYTES("")),
			    doc_text(doc_get(a->arena, r, "name"), BYTES("")), &name)) {
			return;
		}
		draft_remove(&a->op->draft, name.kind, name.name);
	}
}

void ep_resources_answer(struct act *a)
{
	a->data = doc_list(a->arena);
	for (struct doc *r = doc_first(a->arena, doc_get(a->arena, a->body, "resources"));
		r != NULL; r = r->next) {
		struct doc *out = doc_map(a->arena);
		struct named name;

		if (!check_object(a, 0, r, &name)) {
			return;
		}
		doc_set(a->arena, out, "kind", doc_str(a->arena, resource_kind_name(name.kind)));
		doc_set(a->arena, out, "name", doc_string(a->arena, name.name));
		doc_set(a->arena, out, "version",
			doc_string(a->arena, draft_version(&a->op->draft, name.kind, name.name)));
		doc_append(a->arena, a->data, out);
	}
}
