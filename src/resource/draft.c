/*
 * Every object that was asked for has an entry, so that all see the same document. The list is in the
 * order of first touch: an entry that is only looked at moves to the end when it is opened.
 */
#define _POSIX_C_SOURCE 200809L

#include "resource/draft.h"

#include <time.h>

#include "base/num.h"

#define BUCKETS_MIN 64u

void draft_init(struct draft *d, const struct snapshot *base, struct arena *arena)
{
	*d = (struct draft){.base = base, .arena = arena};
}

/* --- entries ------------------------------------------------------------------------------------ */

/* As many as there are objects: an operation may look at each. False: the arena is full. */
static bool make_buckets(struct draft *d)
{
	size_t n = BUCKETS_MIN;

	while (d->base != NULL && n < d->base->n) {
		n *= 2;
	}
	d->buckets = arena_alloc(d->arena, n * sizeof(struct change *));
	d->n_buckets = d->buckets != NULL ? n : 0;
	return d->buckets != NULL;
}

static uint32_t hash_of(enum resource_kind kind, struct bytes name)
{
	uint32_t h = 2166136261u ^ (uint32_t)kind; /* FNV-1a; the table is not the network's */

	for (size_t i = 0; i < name.n; i++) {
		h = (h ^ (unsigned char)name.p[i]) * 16777619u;
	}
	return h;
}

static void link_last(struct draft *d, struct change *c)
{
	c->next = NULL;
	c->prev = d->last;
	*(d->last != NULL ? &d->last->next : &d->first) = c;
	d->last = c;
	d->n++;
}

static void unlink_change(struct draft *d, struct change *c)
{
	*(c->prev != NULL ? &c->prev->next : &d->first) = c->next;
	*(c->next != NULL ? &c->next->prev : &d->last) = c->prev;
	d->n--;
}

static struct object *base_object(const struct draft *d, enum resource_kind kind, struct bytes name)
{
	return d->base != NULL ? snapshot_get(d->base, kind, name) : NULL;
}

/* The entry, made when there is none. NULL: the arena is full. */
static struct change *entry(struct draft *d, enum resource_kind kind, struct bytes name)
{
	struct change **bucket;
	struct change *c;

	if (d->buckets == NULL && !make_buckets(d)) {
		return NULL;
	}
	bucket = &d->buckets[hash_of(kind, name) & (d->n_buckets - 1)];
	c = *bucket;
	while (c != NULL && (c->kind != kind || !bytes_eq(c->name, name))) {
		c = c->same_bucket;
	}
	if (c != NULL) {
		return c;
	}
	c = arena_alloc(d->arena, sizeof(*c));
	if (c == NULL) {
		return NULL;
	}
	*c = (struct change){.kind = kind,
		.name = name,
		.before = base_object(d, kind, name),
		.same_bucket = *bucket};
	if (c->before != NULL) {
		c->name = c->before->meta.name;
		c->root = c->before->root != NULL ? doc_of_yaml(d->arena, c->before->root)
						  : doc_map(d->arena);
	}
	*bucket = c;
	link_last(d, c);
	return c;
}

static void touch(struct draft *d, struct change *c)
{
	if (!c->touched) {
		c->touched = true;
		unlink_change(d, c);
		link_last(d, c);
	}
}

/* --- objects ------------------------------------------------------------------------------------ */

const struct doc *draft_look(struct draft *d, enum resource_kind kind, struct bytes name)
{
	const struct change *c = entry(d, kind, name);

	return c != NULL ? c->root : NULL;
}

struct doc *draft_open(struct draft *d, enum resource_kind kind, struct bytes name)
{
	struct change *c = entry(d, kind, name);

	if (c == NULL || c->root == NULL) {
		return NULL;
	}
	touch(d, c);
	return c->root;
}

static const char *api_version(enum resource_kind kind)
{
	static const char *const versions[] = {
		[RESOURCE_CONFIGMAP] = "v1",
		[RESOURCE_INGRESS] = "networking.k8s.io/v1",
		[RESOURCE_MCPBRIDGE] = "networking.higress.io/v1",
		[RESOURCE_WASMPLUGIN] = "extensions.higress.io/v1alpha1",
		[RESOURCE_SECRET] = "v1",
		[RESOURCE_ENVOYFILTER] = "networking.istio.io/v1alpha3",
	};
	static_assert(ARRAY_LEN(versions) == RESOURCE_KIND_COUNT, "one for each kind");

	return versions[kind];
}

static void fill_head(struct draft *d, struct change *c)
{
	struct arena *a = d->arena;
	struct doc *meta;

	if (!doc_given(doc_get(a, c->root, "apiVersion"))) {
		doc_set(a, c->root, "apiVersion", doc_str(a, api_version(c->kind)));
	}
	doc_set(a, c->root, "kind", doc_str(a, resource_kind_name(c->kind)));
	meta = doc_need_map(a, c->root, "metadata");
	doc_set(a, meta, "name", doc_string(a, c->name));
	doc_set(a, meta, "namespace", doc_str(a, NAMESPACE));
}

struct doc *draft_need(struct draft *d, enum resource_kind kind, struct bytes name)
{
	struct change *c = entry(d, kind, name);

	if (c == NULL) {
		return NULL;
	}
	touch(d, c);
	if (c->root == NULL) {
		c->root = doc_map(d->arena);
		fill_head(d, c);
	}
	return c->root;
}

static void keep_metadata(struct draft *d, const struct doc *old, struct doc *root)
{
	struct doc *meta = doc_need_map(d->arena, root, "metadata");

	for (const struct doc *m = doc_first(d->arena, doc_get(d->arena, old, "metadata"));
		m != NULL; m = m->next) {
		if (!bytes_eq(m->key, BYTES("labels")) && !bytes_eq(m->key, BYTES("annotations")) &&
			doc_get_bytes(d->arena, meta, m->key) == NULL) {
			doc_set_bytes(d->arena, meta, m->key, doc_copy(d->arena, m));
		}
	}
}

void draft_replace(struct draft *d, enum resource_kind kind, struct bytes name, struct doc *root)
{
	struct change *c = entry(d, kind, name);

	if (c == NULL || root == NULL || root->type != DOC_MAP) {
		return;
	}
	touch(d, c);
	keep_metadata(d, c->root, root);
	c->root = root;
	fill_head(d, c);
}

bool draft_remove(struct draft *d, enum resource_kind kind, struct bytes name)
{
	struct change *c = entry(d, kind, name);

	if (c == NULL || c->root == NULL) {
		return false;
	}
	touch(d, c);
	c->root = NULL;
	return true;
}

struct bytes draft_version(const struct draft *d, enum resource_kind kind, struct bytes name)
{
	const struct object *o = base_object(d, kind, name);

	return o != NULL ? o->meta.version : BYTES("");
}

bool draft_next(struct draft *d, struct draft_walk *w, enum resource_kind kind, struct bytes *name,
	const struct doc **root)
{
	size_t from = 0;
	size_t n = d->base != NULL ? snapshot_kind(d->base, kind, &from) : 0;

	while (w->at < n) {
		struct bytes at = d->base->objects[from + w->at++]->meta.name;
		const struct doc *found = draft_look(d, kind, at);

		if (found != NULL) {
			*name = at;
			*root = found;
			return true;
		}
	}
	/* Made ones are touched when they are made, so they never move. */
	for (const struct change *c = w->made != NULL ? w->made->next : d->first; c != NULL;
		c = c->next) {
		if (c->before == NULL && c->root != NULL && c->kind == kind) {
			w->made = c;
			*name = c->name;
			*root = c->root;
			return true;
		}
	}
	return false;
}

/* --- the end ------------------------------------------------------------------------------------ */

static struct doc *timestamp(struct arena *a, int64_t now_s)
{
	time_t t = (time_t)now_s;
	struct tm tm = {0};
	char s[32];

	gmtime_r(&t, &tm);
	return doc_string_copy(a, bytes_of(s, strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%SZ", &tm)));
}

static struct doc *version_text(struct arena *a, uint64_t version)
{
	char s[NUM_U64_MAX];

	return doc_string_copy(a, bytes_of(s, num_format_u64(s, version)));
}

/* Whether it is a change at all. */
static bool settle(struct draft *d, struct change *c, bool again)
{
	if (!c->touched || (c->before == NULL && c->root == NULL)) {
		return false;
	}
	if (c->root == NULL) {
		c->what = CHANGE_REMOVE;
		return true;
	}
	c->what = c->before != NULL ? CHANGE_UPDATE : CHANGE_CREATE;
	return c->before == NULL || again || !doc_is_yaml(d->arena, c->root, c->before->root);
}

static void stamp(struct draft *d, struct change *c, int64_t now_s)
{
	struct arena *a = d->arena;
	struct doc *meta = doc_need_map(a, c->root, "metadata");
	uint64_t version = 0;

	if (c->before == NULL) {
		fill_head(d, c);
		doc_set(a, meta, "creationTimestamp", timestamp(a, now_s));
	} else {
		if (c->before->meta.creation.n != 0 &&
			!doc_given(doc_get(a, meta, "creationTimestamp"))) {
			doc_set(a, meta, "creationTimestamp",
				doc_string(a, c->before->meta.creation));
		}
		if (!num_parse_u64(c->before->meta.version, UINT64_MAX - 1, &version)) {
			version = 0; /* none, or nobody's: counted from the beginning */
		}
	}
	doc_set(a, meta, "resourceVersion", version_text(a, version + 1));
}

int draft_finish(struct draft *d, int64_t now_s, bool again)
{
	struct change *next;

	for (struct change *c = d->first; c != NULL; c = next) {
		next = c->next;
		if (!settle(d, c, again)) {
			unlink_change(d, c);
		} else if (c->root != NULL) {
			stamp(d, c, now_s);
		}
	}
	return arena_full(d->arena) ? ERR_LIMIT : 0;
}
