/*
 * Consumers: entries of the default configuration of key-auth.internal (higress-resources.md §3.3). There can be
 * 100,000: the others are looked at without being opened.
 */
#include "resource/name_index.h"
#include "resource/op_int.h"
#include "wire/h1.h"

/* Attack: each value is compared with those of every other consumer. */
#define VALUES_MAX 100u
#define NAME_MAX_BYTES 253u

static const struct op_shape_row credential_rows[] = {
	{"type", OP_SHAPE_TEXT, NULL},
	{"source", OP_SHAPE_TEXT, NULL},
	{"key", OP_SHAPE_TEXT, NULL},
	{"values", OP_SHAPE_TEXTS, NULL},
};
static const struct op_shape credential_shape = {credential_rows, ARRAY_LEN(credential_rows)};

static const struct op_shape_row rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"credentials", OP_SHAPE_OBJECTS, &credential_shape},
};
static const struct op_shape shape = {rows, ARRAY_LEN(rows)};

#define BEARER "Bearer "

struct credential {
	struct bytes source, key; /* key empty for BEARER */
	struct doc *stored;       /* texts as they are stored */
};

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

static const struct doc *consumers(struct op *o)
{
	return doc_at(o->arena, op_plugin_look(o, &op_plugin_key_auth, true),
		"spec.defaultConfig.consumers");
}

/* The list as it was read, when nobody has opened it yet: then it stands in that object of the base. */
static const struct yaml_node *as_read(struct op *o, const struct doc *list, struct object **of)
{
	if (list == NULL || !list->closed) {
		return NULL;
	}
	*of = o->draft.base != NULL ? snapshot_get(o->draft.base, RESOURCE_WASMPLUGIN,
					      op_plugin_object(o, &op_plugin_key_auth, true))
				    : NULL;
	return list->origin;
}

/* To change: opens the list. */
static struct doc *find(struct op *o, const struct doc *list, struct bytes name)
{
	struct object *of;
	const struct yaml_node *read = as_read(o, list, &of), *at = NULL;
	struct doc *v;

	if (read != NULL) {
		at = name_index_find(of, read, name);
		if (at == NULL) {
			return NULL;
		}
	}
	v = doc_first(o->arena, list);
	while (v != NULL &&
		(at != NULL ? v->origin != at : !bytes_eq(doc_peek(v, "name", BYTES("")), name))) {
		v = v->next;
	}
	return v;
}

/* To look at: a list of 100,000 stays closed. */
static const struct doc *look(struct op *o, struct bytes name)
{
	const struct doc *list = consumers(o);
	struct object *of;
	const struct yaml_node *read = as_read(o, list, &of), *at;

	if (read == NULL) {
		return find(o, list, name);
	}
	at = name_index_find(of, read, name);
	return at != NULL ? doc_of_yaml(o->arena, at) : NULL;
}

/* --- read --------------------------------------------------------------------------------------- */

static bool flag(struct op *o, const struct doc *entry, const char *key)
{
	const struct doc *v = doc_get(o->arena, entry, key);

	return v != NULL && v->type == DOC_BOOL && v->boolean;
}

/* Stored texts, those of the old member `credential` too. */
static struct doc *stored_texts(struct op *o, const struct doc *entry)
{
	const struct doc *v = doc_first(o->arena, doc_get(o->arena, entry, "credentials"));
	struct bytes old = text_of(o, entry, "credential");
	struct doc *out = doc_list(o->arena);
	bool there = false;

	for (; v != NULL; v = v->next) {
		there |= bytes_eq(v->text, old);
		doc_append(o->arena, out, doc_string(o->arena, v->text));
	}
	if (old.n > 0 && !there) {
		doc_append(o->arena, out, doc_string(o->arena, old));
	}
	return out;
}

/* False: the Console does not see the entry. */
static bool read_credential(struct op *o, const struct doc *entry, struct credential *out)
{
	bool bearer = flag(o, entry, "in_header");

	*out = (struct credential){.stored = stored_texts(o, entry)};
	for (const struct doc *k = doc_first(o->arena, doc_get(o->arena, entry, "keys")); k != NULL;
		k = k->next) {
		if (bytes_trim(k->text).n > 0) {
			out->key = k->text;
		}
	}
	if (!bearer) {
		out->source = BYTES("QUERY");
		return flag(o, entry, "in_query");
	}
	bearer = bytes_eq(out->key, BYTES("Authorization"));
	for (const struct doc *v = doc_first(o->arena, out->stored); v != NULL; v = v->next) {
		bearer &= bytes_starts(v->text, BYTES(BEARER));
	}
	out->source = bearer ? BYTES("BEARER") : BYTES("HEADER");
	out->key = bearer ? BYTES("") : out->key;
	return true;
}

static struct doc *show_values(struct op *o, const struct credential *c)
{
	struct doc *out = doc_list(o->arena);
	bool bearer = bytes_eq(c->source, BYTES("BEARER"));
	size_t cut = bearer ? sizeof(BEARER) - 1 : 0;

	for (const struct doc *v = doc_first(o->arena, c->stored); v != NULL; v = v->next) {
		struct bytes text = bytes_of(v->text.p + cut, v->text.n - cut);

		doc_append(o->arena, out, doc_string(o->arena, bearer ? bytes_trim(text) : text));
	}
	return out;
}

static struct doc *read_consumer(struct op *o, struct bytes name)
{
	struct arena *a = o->arena;
	const struct doc *entry = look(o, name);
	struct doc *out = doc_map(a), *item = doc_map(a);
	struct credential c;

	if (entry == NULL || !read_credential(o, entry, &c)) {
		return NULL;
	}
	doc_set(a, item, "type", doc_str(a, "key-auth"));
	doc_set(a, item, "source", doc_string(a, c.source));
	doc_set(a, item, "key", c.key.n > 0 ? doc_string(a, c.key) : doc_null(a));
	doc_set(a, item, "values", show_values(o, &c));
	doc_set(a, out, "name", doc_string(a, name));
	doc_append(a, doc_need_list(a, out, "credentials"), item);
	return out;
}

/* --- list --------------------------------------------------------------------------------------- */

static bool yaml_flag(const struct yaml_node *entry, const char *key)
{
	const struct yaml_node *v = yaml_get(entry, key);

	return v != NULL && v->type == YAML_BOOL && v->boolean;
}

static bool is_shown(const struct yaml_node *entry)
{
	return yaml_flag(entry, "in_header") || yaml_flag(entry, "in_query");
}

static bool is_visible(struct op *o, const struct doc *entry)
{
	if (entry->closed && entry->origin != NULL) {
		return is_shown(entry->origin);
	}
	return flag(o, entry, "in_header") || flag(o, entry, "in_query");
}

/* Of a list that the draft has opened. */
static struct strings list_opened(struct op *o, const struct doc *all)
{
	struct strings out = {0};
	size_t n = 0;

	out.v = all != NULL && all->n > 0 ? arena_alloc(o->arena, all->n * sizeof(*out.v)) : NULL;
	for (const struct doc *v = doc_first(o->arena, all); out.v != NULL && v != NULL;
		v = v->next) {
		struct bytes name = doc_peek(v, "name", BYTES(""));

		if (name.n > 0 && is_visible(o, v)) {
			out.v[out.n++] = name;
		}
	}
	op_sort_names(&out);
	for (size_t i = 0; i < out.n; i++) {
		if (n == 0 || !bytes_eq(out.v[n - 1], out.v[i])) {
			out.v[n++] = out.v[i];
		}
	}
	out.n = n;
	return out;
}

static struct strings list(struct op *o)
{
	const struct doc *all = consumers(o);
	struct object *of = NULL;
	const struct yaml_node *read = as_read(o, all, &of);
	const struct name_index *x =
		read != NULL && of != NULL ? name_index_need(of, read, is_shown) : NULL;

	return x != NULL ? (struct strings){.v = x->shown, .n = x->n_shown} : list_opened(o, all);
}

/* --- save: checks ------------------------------------------------------------------------------- */

static enum op_rc check_consumer_name(struct op *o, struct bytes name)
{
	if (bytes_trim(name).n == 0 || name.n > NAME_MAX_BYTES || !op_is_line(name) ||
		memchr(name.p, '/', name.n) != NULL || bytes_eq(name, BYTES(".")) ||
		bytes_eq(name, BYTES(".."))) {
		return op_refuse(o, OP_INVALID,
			"the name of the consumer must be given, without \"/\" and control "
			"characters, in at most %u bytes, and not be . or ..",
			NAME_MAX_BYTES);
	}
	return OP_OK;
}

/* source and key of c, which hold the stored ones, as the body has them. */
static enum op_rc take_source(struct op *o, const struct doc *given, struct credential *c)
{
	static const char *const sources[] = {"BEARER", "HEADER", "QUERY"};
	struct bytes source = text_of(o, given, "source"),
		     key = bytes_trim(text_of(o, given, "key"));
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		known |= bytes_eq(source, bytes_str(sources[i]));
	}
	if (!known) {
		return op_refuse(
			o, OP_INVALID, "credentials: source must be BEARER, HEADER or QUERY");
	}
	c->source = source;
	c->key = bytes_eq(source, BYTES("BEARER")) ? BYTES("") : key;
	if (c->key.n == 0 && !bytes_eq(source, BYTES("BEARER"))) {
		return op_refuse(o, OP_INVALID,
			"credentials: key must be given for HEADER and QUERY: the name of the header "
			"or parameter");
	}
	if (!op_is_word(c->key) || c->key.n > NAME_MAX_BYTES ||
		(bytes_eq(source, BYTES("HEADER")) && !h1_is_token(c->key))) {
		return op_refuse(o, OP_INVALID,
			"credentials: key must be the name of a header or parameter, without blanks");
	}
	return OP_OK;
}

/* Values of the body as they are stored; none: those that are there stay. */
static enum op_rc take_values(struct op *o, const struct doc *given, struct credential *c)
{
	const struct doc *values = doc_get(o->arena, given, "values");
	const char *prefix = bytes_eq(c->source, BYTES("BEARER")) ? BEARER : "";
	struct doc *out = doc_list(o->arena);

	if (values != NULL && values->n > VALUES_MAX) {
		return op_refuse(
			o, OP_LIMIT, "credentials: at most %u values are taken", VALUES_MAX);
	}
	for (const struct doc *v = doc_first(o->arena, values); v != NULL; v = v->next) {
		if (v->text.n == 0 || !op_is_line(v->text)) {
			return op_refuse(o, OP_INVALID,
				"credentials: a value must not be empty or hold control characters");
		}
		doc_append(o->arena, out,
			doc_string(
				o->arena, op_textf(o, "%s" BYTES_FMT, prefix, BYTES_ARG(v->text))));
	}
	c->stored = out;
	return OP_OK;
}

static bool is_among(struct op *o, const struct doc *texts, struct bytes text)
{
	for (const struct doc *t = doc_first(o->arena, texts); t != NULL; t = t->next) {
		if (t->text.n == text.n && bytes_eq(t->text, text)) {
			return true;
		}
	}
	return false;
}

/* The same of an entry as it was read. Each member is met once: there may be 100,000 entries. */
static bool shares_read(struct op *o, const struct yaml_node *entry, const struct doc *texts)
{
	for (const struct yaml_node *m = entry->items; m != NULL; m = m->next) {
		if (bytes_eq(m->key->text, BYTES("credential")) && m->type == YAML_STRING &&
			is_among(o, texts, m->text)) {
			return true;
		}
		if (!bytes_eq(m->key->text, BYTES("credentials"))) {
			continue;
		}
		for (const struct yaml_node *v = m->items; v != NULL; v = v->next) {
			if (is_among(o, texts, v->text)) {
				return true;
			}
		}
	}
	return false;
}

/* Whether an entry has one of the texts; it is not opened when it is closed. */
static bool shares(struct op *o, const struct doc *entry, const struct doc *texts)
{
	const struct doc *v;

	if (entry->closed && entry->origin != NULL) {
		return entry->type == DOC_MAP && shares_read(o, entry->origin, texts);
	}
	v = doc_first(o->arena, doc_get(o->arena, entry, "credentials"));
	for (; v != NULL; v = v->next) {
		if (is_among(o, texts, v->text)) {
			return true;
		}
	}
	return is_among(o, texts, doc_peek(entry, "credential", BYTES("")));
}

static enum op_rc refuse_shared(struct op *o, struct bytes other)
{
	return op_refuse(o, OP_INVALID,
		"credentials: a value is the consumer " BYTES_FMT
		"'s already: each credential must be of one consumer",
		BYTES_ARG(other));
}

static enum op_rc check_others(struct op *o, struct bytes name, const struct credential *c)
{
	const struct doc *all = consumers(o);
	struct object *of;
	const struct yaml_node *read = as_read(o, all, &of);
	const struct doc *v = read == NULL ? doc_first(o->arena, all) : NULL;

	for (const struct yaml_node *e = read != NULL ? read->items : NULL; e != NULL;
		e = e->next) {
		if (e->type == YAML_MAP && shares_read(o, e, c->stored) &&
			!bytes_eq(name_index_name(e), name)) {
			return refuse_shared(o, name_index_name(e));
		}
	}
	for (; v != NULL; v = v->next) {
		struct bytes other = doc_peek(v, "name", BYTES(""));

		if (!bytes_eq(other, name) && shares(o, v, c->stored)) {
			return refuse_shared(o, other);
		}
	}
	return OP_OK;
}

/* The first credential that counts. */
static const struct doc *key_auth_of(struct op *o, const struct doc *given)
{
	const struct doc *c = doc_first(o->arena, doc_get(o->arena, given, "credentials"));

	while (c != NULL && !bytes_eq(text_of(o, c, "type"), BYTES("key-auth"))) {
		c = c->next;
	}
	return c;
}

/* Values that a consumer has go on under another source: BEARER's have a word in front. */
static struct doc *restored(
	struct op *o, const struct credential *was, const struct credential *now)
{
	const char *prefix = bytes_eq(now->source, BYTES("BEARER")) ? BEARER : "";
	struct doc *out = doc_list(o->arena);

	for (const struct doc *v = doc_first(o->arena, show_values(o, was)); v != NULL;
		v = v->next) {
		doc_append(o->arena, out,
			doc_string(
				o->arena, op_textf(o, "%s" BYTES_FMT, prefix, BYTES_ARG(v->text))));
	}
	return out;
}

static enum op_rc check_credential(struct op *o, enum op_mode mode, struct bytes name,
	const struct doc *given, struct credential *out)
{
	const struct doc *credential = key_auth_of(o, given), *entry = look(o, name);
	struct credential was;
	bool there;
	enum op_rc rc;

	if (credential == NULL) {
		return op_refuse(o, OP_INVALID,
			"credentials: one of type key-auth must be given, with source and values");
	}
	there = entry != NULL && read_credential(o, entry, &was);
	rc = take_source(o, credential, out);
	if (rc == OP_OK && there) {
		op_mask_restore_list(
			o, doc_get(o->arena, credential, "values"), show_values(o, &was));
	}
	rc = rc != OP_OK ? rc : take_values(o, credential, out);
	if (rc != OP_OK) {
		return rc;
	}
	if (doc_first(o->arena, out->stored) == NULL && mode == OP_UPDATE && there) {
		out->stored = restored(o, &was, out);
	}
	if (doc_first(o->arena, out->stored) == NULL) {
		return op_refuse(o, OP_INVALID, "credentials: values must be given");
	}
	return check_others(o, name, out);
}

/* --- save: writing ------------------------------------------------------------------------------ */

static void fill_entry(
	struct op *o, struct doc *entry, struct bytes name, const struct credential *c)
{
	struct arena *a = o->arena;
	bool query = bytes_eq(c->source, BYTES("QUERY"));
	struct doc *keys = doc_list(a);

	doc_append(a, keys, doc_string(a, c->key.n > 0 ? c->key : BYTES("Authorization")));
	doc_set(a, entry, "name", doc_string(a, name));
	doc_set(a, entry, "credentials", c->stored);
	doc_set(a, entry, "keys", keys);
	doc_set(a, entry, "in_header", doc_bool(a, !query));
	doc_set(a, entry, "in_query", doc_bool(a, query));
	doc_drop(a, entry, "credential");
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	struct credential c = {0};
	struct doc *given, *all, *entry;
	enum op_rc rc = check_consumer_name(o, name);

	rc = rc != OP_OK ? rc : op_shape_take(o, &shape, body, &given);
	rc = rc != OP_OK ? rc : check_credential(o, mode, name, given, &c);
	if (rc != OP_OK) {
		return rc;
	}
	all = doc_need_list(o->arena,
		op_auth_defaults(o, op_plugin_need(o, &op_plugin_key_auth, true)), "consumers");
	entry = find(o, all, name);
	if (entry != NULL) {
		fill_entry(o, entry, name, &c);
		return OP_OK;
	}
	entry = doc_map(o->arena);
	fill_entry(o, entry, name, &c);
	doc_append(o->arena, all, entry);
	return OP_OK;
}

/* --- delete ------------------------------------------------------------------------------------- */

static enum op_rc check_lists(struct op *o, struct bytes name)
{
	const struct doc *root = op_plugin_look(o, &op_plugin_key_auth, true);
	const struct doc *r = doc_first(o->arena, doc_at(o->arena, root, "spec.matchRules"));

	if (is_among(o, doc_at(o->arena, root, "spec.defaultConfig.allow"), name)) {
		return op_refuse(o, OP_IN_USE,
			"the consumer " BYTES_FMT
			" is still in use: it is in the allow list of all routes",
			BYTES_ARG(name));
	}
	for (; r != NULL; r = r->next) {
		if (is_among(o, doc_at(o->arena, r, "config.allow"), name)) {
			const struct doc *ingress = doc_get(o->arena, r, "ingress");
			struct bytes route =
				doc_text(doc_first(o->arena, ingress), BYTES("(none)"));

			return op_refuse(o, OP_IN_USE,
				"the consumer " BYTES_FMT
				" is still in use: take it out of the allow list of the route " BYTES_FMT
				" first",
				BYTES_ARG(name), BYTES_ARG(route));
		}
	}
	return OP_OK;
}

static enum op_rc remove_consumer(struct op *o, struct bytes name)
{
	struct doc *all, *entry;
	enum op_rc rc;

	if (look(o, name) == NULL) {
		return OP_OK;
	}
	rc = check_lists(o, name);
	if (rc != OP_OK) {
		return rc;
	}
	all = doc_at(o->arena, op_plugin_need(o, &op_plugin_key_auth, true),
		"spec.defaultConfig.consumers");
	while ((entry = find(o, all, name)) != NULL) {
		doc_remove(o->arena, all, entry);
	}
	return OP_OK;
}

const struct op_noun op_consumer = {"consumer", save, remove_consumer, read_consumer, list};
