#include "cli/declare_plan.h"

#include <stdlib.h>

#include "base/hash.h"
#include "resource/draft.h"

/* What a store says about an object, not the person who wrote it. */
static const char *const of_store[] = {
	"resourceVersion", "creationTimestamp", "managedFields", "uid", "generation", "selfLink"};

struct stored {
	enum resource_kind kind;
	struct bytes name;
	struct doc *object;
	bool wanted;
};

static int kind_called(struct bytes name)
{
	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		if (bytes_eq(name, bytes_str(resource_kind_name((enum resource_kind)k)))) {
			return k;
		}
	}
	return -1;
}

/* Both sides alike. The name is the file's, whatever the document says: so it is for the gateway. */
static struct doc *normal(
	struct arena *a, const struct yaml_node *root, enum resource_kind kind, struct bytes name)
{
	struct doc *d = doc_of_yaml(a, root);
	struct doc *meta = doc_need_map(a, d, "metadata");

	for (size_t i = 0; i < ARRAY_LEN(of_store); i++) {
		doc_drop(a, meta, of_store[i]);
	}
	doc_set(a, d, "kind", doc_str(a, resource_kind_name(kind)));
	doc_set(a, meta, "name", doc_string(a, name));
	if (!doc_given(doc_get(a, meta, "namespace"))) {
		doc_set(a, meta, "namespace", doc_str(a, NAMESPACE));
	}
	return d;
}

static struct bytes key_of(struct arena *a, enum resource_kind kind, struct bytes name)
{
	struct bytes key;
	struct text t;

	text_init(&t, 65536);
	text_addf(&t, "%u/" BYTES_FMT, (unsigned)kind, BYTES_ARG(name));
	key = arena_copy(a, text_bytes(&t));
	text_done(&t);
	return key;
}

/* ERR_UNSUPPORTED: a kind of a newer server, which is none of our business. */
static int read_stored(struct arena *a, const struct doc *d, struct stored *out, struct fault *f)
{
	struct bytes name = doc_text(doc_get(a, d, "name"), BYTES(""));
	int kind = kind_called(doc_text(doc_get(a, d, "kind"), BYTES("")));
	struct yaml_doc y;
	struct fault why;

	if (kind < 0) {
		return ERR_UNSUPPORTED;
	}
	if (yaml_parse(a, doc_text(doc_get(a, d, "text"), BYTES("")), &y, &why) != 0) {
		return fault_set(f, ERR_SYNTAX, 0, 0,
			"%s/%.*s of the gateway cannot be read: %.60s",
			resource_kind_name((enum resource_kind)kind), (int)MIN(name.n, 60), name.p,
			why.text);
	}
	*out = (struct stored){(enum resource_kind)kind, name,
		normal(a, y.root, (enum resource_kind)kind, name), false};
	return 0;
}

static void put(struct declare_plan *p, const struct declare_item *item)
{
	p->v[p->n++] = *item;
	p->count[item->what]++;
}

static void put_wanted(
	struct declare_plan *p, struct arena *a, const struct object *o, struct stored *there)
{
	struct declare_item item = {.kind = o->kind, .name = o->meta.name};

	item.after = normal(a, o->root, o->kind, o->meta.name);
	if (there == NULL) {
		item.what = DECLARE_CREATE;
	} else {
		there->wanted = true;
		item.before = there->object;
		if (!doc_given(doc_get(a, item.after, "apiVersion"))) {
			doc_set(a, item.after, "apiVersion",
				doc_copy(a, doc_get(a, item.before, "apiVersion")));
		}
		item.what = doc_equal(a, item.before, item.after) ? DECLARE_SAME : DECLARE_CHANGE;
	}
	put(p, &item);
}

static int index_stored(struct arena *a, const struct doc *list, struct stored *v, size_t *n,
	struct map *by_name, struct fault *f)
{
	for (const struct doc *d = doc_first(a, list); d != NULL; d = d->next) {
		int rc = read_stored(a, d, &v[*n], f);

		if (rc == 0) {
			map_put(by_name, key_of(a, v[*n].kind, v[*n].name), &v[*n]);
			(*n)++;
		} else if (rc != ERR_UNSUPPORTED) {
			return rc;
		}
	}
	return 0;
}

int declare_plan_make(struct declare_plan *p, struct arena *a, const struct snapshot *wanted,
	const struct doc *stored, bool prune, struct fault *f)
{
	static const struct hash_seed seed = {0x6465636c, 0x617265};
	size_t n_list = stored != NULL ? stored->n : 0;
	struct stored *v = must_alloc((n_list + 1) * sizeof(*v));
	struct map by_name;
	size_t n = 0;
	int rc;

	*p = (struct declare_plan){.v = must_alloc((wanted->n + n_list + 1) * sizeof(*p->v))};
	map_init(&by_name, &seed);
	rc = index_stored(a, stored, v, &n, &by_name, f);
	for (size_t i = 0; i < wanted->n && rc == 0; i++) {
		const struct object *o = wanted->objects[i];

		put_wanted(p, a, o, map_get(&by_name, key_of(a, o->kind, o->meta.name)));
	}
	for (size_t i = 0; i < n && rc == 0 && prune; i++) {
		if (!v[i].wanted) {
			put(p,
				&(struct declare_item){
					DECLARE_REMOVE, v[i].kind, v[i].name, v[i].object, NULL});
		}
	}
	map_done(&by_name);
	free(v);
	return rc;
}

void declare_plan_done(struct declare_plan *p)
{
	free(p->v);
	*p = (struct declare_plan){0};
}
