#include "hiclaw/backup_doc.h"

#include "hiclaw/mask.h"

/* In an order in which each can be made: what others name comes before them. Removed in the opposite one. */
static const struct section {
	enum ops_noun noun;
	const char *name;
} sections_table[] = {
	{OPS_SETTINGS, "settings"},
	{OPS_CERTIFICATE, "certificates"},
	{OPS_DOMAIN, "domains"},
	{OPS_SOURCE, "serviceSources"},
	{OPS_PROVIDER, "providers"},
	{OPS_CONSUMER, "consumers"},
	{OPS_AI_ROUTE, "aiRoutes"},
	{OPS_ROUTE, "routes"},
	{OPS_MCP_SERVER, "mcpServers"},
	{OPS_PLUGIN, "plugins"},
	{OPS_INSTANCE, "pluginInstances"},
};

const char *backup_doc_section(enum ops_noun noun)
{
	for (size_t i = 0; i < ARRAY_LEN(sections_table); i++) {
		if (sections_table[i].noun == noun) {
			return sections_table[i].name;
		}
	}
	return NULL;
}

bool backup_doc_is_section(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(sections_table); i++) {
		if (bytes_eq(name, bytes_str(sections_table[i].name))) {
			return true;
		}
	}
	return bytes_eq(name, BYTES("assignments")) || bytes_eq(name, BYTES("openclaw"));
}

static struct doc *without_version(struct arena *a, const struct doc *d)
{
	struct doc *copy = doc_copy(a, d);

	doc_drop(a, copy, "version");
	return copy;
}

/* Sources and routes that the gateway makes of other objects, and takes away with them. */
static bool is_derived(struct bytes name)
{
	return bytes_ends(name, BYTES(".internal"));
}

struct doc *backup_doc_sections(struct arena *a, struct doc *const lists[OPS_NOUNS])
{
	struct doc *out = doc_map(a);

	for (size_t i = 0; i < ARRAY_LEN(sections_table); i++) {
		struct doc *list = lists[sections_table[i].noun] != NULL
			? doc_need_list(a, out, sections_table[i].name)
			: NULL;

		for (const struct doc *d = doc_first(a, lists[sections_table[i].noun]); d != NULL;
			d = d->next) {
			if (!is_derived(doc_peek(d, "name", BYTES("")))) {
				doc_append(a, list, without_version(a, d));
			}
		}
	}
	return out;
}

struct doc *backup_doc_counts(struct arena *a, const struct doc *sections)
{
	struct doc *out = doc_map(a);

	for (const struct doc *s = doc_first(a, sections); s != NULL; s = s->next) {
		if (s->type == DOC_LIST || s->type == DOC_MAP) {
			doc_set_bytes(a, out, s->key, doc_int(a, (int64_t)s->n));
		}
	}
	return out;
}

/* --- from outside -------------------------------------------------------------------------------------------------- */

static bool are_objects(struct arena *a, const struct doc *list)
{
	for (const struct doc *d = doc_first(a, list); d != NULL; d = d->next) {
		if (d->type != DOC_MAP || doc_peek(d, "name", BYTES("")).n == 0) {
			return false;
		}
	}
	return list->type == DOC_LIST;
}

/* The list in an answer of the Console, or what is a list already; NULL: neither. */
static struct doc *list_of(struct arena *a, struct doc *v)
{
	struct doc *data = v != NULL && v->type == DOC_MAP ? doc_get(a, v, "data") : v;

	return data != NULL && are_objects(a, data) ? data : NULL;
}

static struct doc *import_ours(struct arena *a, struct doc *given, const char **why)
{
	const struct doc *version = doc_get(a, given, "version");
	const struct doc *sections = doc_get(a, given, "sections");

	if (version == NULL || version->type != DOC_INT || version->integer != BACKUP_DOC_VERSION ||
		sections == NULL || sections->type != DOC_MAP) {
		*why = "the backup is of another version";
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(sections_table); i++) {
		const struct doc *list = doc_get(a, sections, sections_table[i].name);

		if (list != NULL && !are_objects(a, list)) {
			*why = "a section of the backup is no list of objects with names";
			return NULL;
		}
	}
	return given;
}

/* What the original page called routes were AI routes. */
static struct doc *import_page(struct arena *a, struct doc *given, const char **why)
{
	static const char *const names[][2] = {
		{"providers", "providers"}, {"routes", "aiRoutes"}, {"consumers", "consumers"}};
	struct doc *out = doc_map(a);
	struct doc *sections = doc_need_map(a, out, "sections");

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct doc *v = doc_get(a, given, names[i][0]);
		struct doc *list = list_of(a, v);

		if (doc_given(v) && list == NULL) {
			*why = "providers, routes and consumers have to be lists of objects with names, or "
			       "the Console's answers with them";
			return NULL;
		}
		if (list != NULL) {
			doc_set(a, sections, names[i][1], doc_copy(a, list));
		}
	}
	return out;
}

struct doc *backup_doc_import(struct arena *a, struct doc *given, const char **why)
{
	if (bytes_eq(doc_peek(given, "format", BYTES("")), BYTES(BACKUP_DOC_FORMAT))) {
		return import_ours(a, given, why);
	}
	if (doc_get(a, given, "providers") != NULL && doc_get(a, given, "format") == NULL) {
		return import_page(a, given, why);
	}
	*why = "this is no backup";
	return NULL;
}

/* --- compared ------------------------------------------------------------------------------------------------------ */

struct comparing {
	struct arena *a;
	struct backup_doc_change *out;
	enum backup_doc_mode mode;
};

static struct doc *find(struct arena *a, const struct doc *list, struct bytes name)
{
	struct doc *d = doc_first(a, list);

	while (d != NULL && !bytes_eq(doc_peek(d, "name", BYTES("")), name)) {
		d = d->next;
	}
	return d;
}

static void put_item(struct comparing *c, const struct ops_item *item)
{
	c->out->items[c->out->n_items++] = *item;
}

static void say(struct comparing *c, struct doc *section, const char *what, struct bytes name)
{
	doc_append(c->a, doc_need_list(c->a, section, what), doc_string(c->a, name));
}

static void save_section(struct comparing *c, const struct section *s, const struct doc *list,
	const struct doc *now, struct doc *diff)
{
	for (const struct doc *d = doc_first(c->a, list); d != NULL; d = d->next) {
		struct bytes name = doc_peek(d, "name", BYTES(""));
		const struct doc *old = find(c->a, now, name);
		struct doc *body = without_version(c->a, d);

		if (is_derived(name)) {
			continue;
		}
		if (old != NULL) {
			mask_restore(c->a, body, old);
		}
		mask_forget(c->a, body); /* it must not become a key that everybody can read */
		if (old != NULL) {
			mask_fill(c->a, body, old);
		}
		if (old != NULL && doc_equal(c->a, body, without_version(c->a, old))) {
			continue;
		}
		say(c, diff, old == NULL ? "added" : "changed", name);
		put_item(c, &(struct ops_item){s->noun, OPS_SAVE, name, body});
	}
}

static bool may_go(const struct section *s, struct bytes name)
{
	return !is_derived(name) &&
		!(s->noun == OPS_CONSUMER && bytes_eq(name, BYTES("manager"))) &&
		!(s->noun == OPS_DOMAIN && bytes_eq(name, BYTES("higress-default-domain")));
}

static void remove_section(struct comparing *c, const struct section *s, const struct doc *list,
	const struct doc *now, struct doc *diff)
{
	for (const struct doc *d = doc_first(c->a, now); d != NULL; d = d->next) {
		struct bytes name = doc_peek(d, "name", BYTES(""));

		if (find(c->a, list, name) == NULL && may_go(s, name)) {
			say(c, diff, "removed", name);
			put_item(c, &(struct ops_item){s->noun, OPS_REMOVE, name, NULL});
		}
	}
}

static size_t count(struct doc *const now[OPS_NOUNS], struct arena *a, const struct doc *sections)
{
	size_t n = 1;

	for (size_t i = 0; i < ARRAY_LEN(sections_table); i++) {
		const struct doc *list = doc_get(a, sections, sections_table[i].name);
		const struct doc *old = now[sections_table[i].noun];

		n += (list != NULL ? list->n : 0) + (old != NULL ? old->n : 0);
	}
	return n;
}

void backup_doc_compare(struct arena *a, const struct doc *sections,
	struct doc *const now[OPS_NOUNS], unsigned wanted, enum backup_doc_mode mode,
	struct backup_doc_change *out)
{
	struct comparing c = {a, out, mode};

	*out = (struct backup_doc_change){.diff = doc_map(a)};
	out->items = arena_must(a, count(now, a, sections) * sizeof(*out->items));
	for (size_t i = 0; i < 2 * ARRAY_LEN(sections_table); i++) {
		bool saves = i < ARRAY_LEN(sections_table);
		const struct section *s =
			&sections_table[saves ? i : 2 * ARRAY_LEN(sections_table) - 1 - i];
		const struct doc *list = doc_get(a, sections, s->name);
		struct doc *diff;

		if ((wanted & 1u << s->noun) == 0 || list == NULL) {
			continue; /* a backup without the section says nothing of it */
		}
		diff = doc_need_map(a, out->diff, s->name);
		if (saves) {
			doc_need_list(a, diff, "added");
			doc_need_list(a, diff, "changed");
			doc_need_list(a, diff, "removed");
			save_section(&c, s, list, now[s->noun], diff);
		} else if (mode == BACKUP_DOC_REPLACE) {
			remove_section(&c, s, list, now[s->noun], diff);
		}
	}
}
