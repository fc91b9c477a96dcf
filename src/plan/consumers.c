#include "plan/consumers.h"

#include <stdlib.h>

#include "plan/auth.h"
#include "plan/build.h"
#include "wire/base64.h"
#include "wire/h1.h"

/* Everything comes from one file, which is bounded (RESOURCE_FILE_MAX). */
#define ARENA_MAX ((size_t)1 << 34)

/* Indices into consumers.places. */
struct place_set {
	uint8_t v[AUTH_PLACES_MAX];
	size_t n;
	bool full;
};

/* What a configuration says about where keys stand. */
struct key_names {
	const struct yaml_node *keys; /* list, or NULL: the usual ones */
	bool in_header, in_query;
};

/* Keys of credentials that are put a while later, when their places in the table have come from memory. */
#define WAITING_MAX 32u
struct waiting {
	struct bytes key; /* place, value */
	uint64_t hash;
	struct consumer *who;
	const struct yaml_node *of;
	bool last; /* of the keys that this credential has */
};

struct compiling {
	struct consumers *out;
	struct waiting waiting[WAITING_MAX];
	size_t n_waiting;
	bool shared; /* a key of the credential whose keys are being put is somebody else's */
	const struct object *where;
	struct arena *arena;
	struct findings *findings;
	struct key_names global;
	struct place_set global_places; /* filled when the first consumer needs them */
	bool global_known;
};

/* --- members ------------------------------------------------------------------------------------ */

static void refuse_all(struct compiling *c, const struct yaml_node *n, const char *text)
{
	bool basic = c->out->plugin == AUTH_BASIC;
	struct finding at = build_error(
		c->where, build_place(n), basic ? "basic-auth-invalid" : "key-auth-invalid");

	findings_add(c->findings, &at,
		"%s: %s; until it is corrected the routes that it protects answer 503",
		auth_plugin_name(c->out->plugin), text);
	c->out->invalid = true;
}

static void refuse_entry(struct compiling *c, const struct yaml_node *n, const char *text)
{
	struct finding at = build_error(c->where, build_place(n), "consumer-invalid");

	findings_add(
		c->findings, &at, "%s: %s; it is left out", auth_plugin_name(c->out->plugin), text);
}

/* true, false or, when there is no such member, def. */
static int read_bool(struct compiling *c, const struct yaml_node *map, const char *key, int def)
{
	const struct yaml_node *n = yaml_get(map, key);
	char text[64];

	if (n == NULL || n->type == YAML_NULL) {
		return def;
	}
	if (n->type == YAML_BOOL) {
		return n->boolean;
	}
	if (n->type == YAML_STRING &&
		(bytes_eq(n->text, BYTES("true")) || bytes_eq(n->text, BYTES("false")))) {
		return bytes_eq(n->text, BYTES("true"));
	}
	struct text t;
	text_init_fixed(&t, text, sizeof(text));
	text_addf(&t, "%s must be true or false", key);
	refuse_all(c, n, text_cstr(&t));
	return true;
}

static const struct yaml_node *read_list(
	struct compiling *c, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);

	if (n == NULL || n->type == YAML_NULL) {
		return NULL;
	}
	if (n->type != YAML_SEQ) {
		char text[64];
		struct text t;

		text_init_fixed(&t, text, sizeof(text));
		text_addf(&t, "%s must be a list", key);
		refuse_all(c, n, text_cstr(&t));
		return NULL;
	}
	return n->n != 0 ? n : NULL;
}

static struct key_names read_key_names(
	struct compiling *c, const struct yaml_node *map, const struct key_names *def)
{
	struct key_names k;

	k.keys = read_list(c, map, "keys");
	k.in_header = read_bool(c, map, "in_header", def->in_header) != 0;
	k.in_query = read_bool(c, map, "in_query", def->in_query) != 0;
	if (!k.in_header && !k.in_query) {
		refuse_all(c, map, "in_header and in_query cannot both be false");
	}
	return k;
}

/* --- places ------------------------------------------------------------------------------------- */

static void add_place(
	struct compiling *c, struct place_set *set, enum key_source source, struct bytes name)
{
	struct consumers *out = c->out;
	size_t i = 0;

	while (i < out->n_places &&
		(out->places[i].source != source ||
			!(source == KEY_IN_HEADER ? bytes_eq_nocase(out->places[i].name, name)
						  : bytes_eq(out->places[i].name, name)))) {
		i++;
	}
	if (i == AUTH_PLACES_MAX || set->n == AUTH_PLACES_MAX) {
		set->full = true;
		return;
	}
	if (i == out->n_places) {
		out->places[i].source = source;
		out->places[i].name = source == KEY_IN_HEADER ? build_lower(c->arena, name)
							      : build_text(c->arena, name);
		out->places[i].field_id =
			source == KEY_IN_HEADER ? (uint8_t)field_id_of(out->places[i].name) : 0;
		out->n_places++;
	}
	set->v[set->n++] = (uint8_t)i;
}

static void add_usual_places(struct compiling *c, struct place_set *set, const struct key_names *k)
{
	static const char *const headers[] = {
		"authorization", "x-api-key", "api-key", "x-goog-api-key"};

	for (size_t i = 0; k->in_header && i < ARRAY_LEN(headers); i++) {
		add_place(c, set, KEY_IN_HEADER, bytes_str(headers[i]));
	}
	if (k->in_query) {
		add_place(c, set, KEY_IN_QUERY, BYTES("key"));
	}
}

static struct place_set places_of(struct compiling *c, const struct key_names *k)
{
	struct place_set set = {.n = 0};

	if (k->keys == NULL) {
		add_usual_places(c, &set, k);
		return set;
	}
	for (const struct yaml_node *n = k->keys->items; n != NULL; n = n->next) {
		struct bytes name = {0};

		if (!build_scalar(n, "a key name", c->where, c->findings, &name) ||
			bytes_trim(name).n == 0) {
			continue;
		}
		if (k->in_header) {
			add_place(c, &set, KEY_IN_HEADER, bytes_trim(name));
		}
		if (k->in_query) {
			add_place(c, &set, KEY_IN_QUERY, bytes_trim(name));
		}
	}
	return set;
}

/* --- consumers ---------------------------------------------------------------------------------- */

static bool is_bearer_place(const struct key_name *k)
{
	return k->source == KEY_IN_HEADER && k->field_id == FIELD_AUTHORIZATION;
}

/* "user:password", or that in Base64. p NULL: it is neither. */
static struct bytes user_and_password(struct compiling *c, struct bytes value)
{
	char *room;
	ptrdiff_t n;

	if (memchr(value.p, ':', value.n) != NULL) {
		return value;
	}
	room = arena_must(c->arena, value.n + 4);
	memcpy(room, value.p, value.n);
	while (value.n % 4 != 0) {
		room[value.n++] = '=';
	}
	n = base64_decode(room, bytes_of(room, value.n));
	return n > 0 && memchr(room, ':', (size_t)n) != NULL ? bytes_of(room, (size_t)n)
							     : (struct bytes){NULL, 0};
}

/* The value as it is compared; p NULL: a finding was made. */
static struct bytes comparable(struct compiling *c, const struct yaml_node *n, struct bytes value)
{
	if (c->out->plugin == AUTH_KEY) {
		value = auth_normal(value, c->out->strict);
	}
	if (value.n == 0 || value.n > AUTH_VALUE_MAX) {
		refuse_entry(c, n,
			value.n == 0 ? "a credential is empty"
				     : "a credential is above 8192 bytes");
		return (struct bytes){NULL, 0};
	}
	if (c->out->plugin == AUTH_BASIC) {
		value = user_and_password(c, value);
		if (value.p == NULL) {
			refuse_entry(
				c, n, "a credential must be user:password, plain or in Base64");
		}
	}
	return value;
}

static void put_waiting(struct compiling *c)
{
	struct consumers *out = c->out;

	for (size_t i = 0; i < c->n_waiting; i++) {
		const struct waiting *w = &c->waiting[i];
		const struct consumer *other = map_add_hash(&out->by_key, w->key, w->hash, w->who);
		struct finding at =
			build_warning(c->where, build_place(w->of), "credential-shared");

		c->shared = c->shared || (other != NULL && other != w->who);
		if (w->last && c->shared) {
			findings_add(c->findings, &at,
				"%s: an earlier consumer has this credential too and is the one that is "
				"recognised; give " BYTES_FMT " another",
				auth_plugin_name(out->plugin), BYTES_ARG(w->who->name));
		}
		c->shared = c->shared && !w->last;
	}
	c->n_waiting = 0;
}

static void add_waiting(struct compiling *c, const struct waiting *w)
{
	if (c->n_waiting == WAITING_MAX) {
		put_waiting(c);
	}
	c->waiting[c->n_waiting++] = *w;
	map_prefetch(&c->out->by_key, w->hash);
}

static void add_credential(struct compiling *c, struct consumer *who, const struct place_set *set,
	const struct yaml_node *n)
{
	struct consumers *out = c->out;
	struct bytes value = {0};

	if (!build_scalar(n, "a credential", c->where, c->findings, &value)) {
		return;
	}
	value = comparable(c, n, value);
	if (value.p == NULL) {
		return;
	}
	for (size_t i = 0; i < set->n; i++) {
		char *key = arena_must(c->arena, value.n + 2);
		struct waiting w = {.key = bytes_of(key, value.n + 1),
			.who = who,
			.of = n,
			.last = i + 1 == set->n};

		key[0] = (char)set->v[i];
		memcpy(key + 1, value.p, value.n);
		w.hash = hash_bytes(&out->by_key.seed, w.key);
		add_waiting(c, &w);
		if (is_bearer_place(&out->places[set->v[i]])) {
			out->bearer_place = set->v[i];
		}
	}
}

/* The consumer of that name; two entries of one name are one consumer. */
static struct consumer *consumer_named(struct compiling *c, struct bytes name)
{
	struct consumer *who = &c->out->v[c->out->n];
	struct consumer *other;

	who->name = build_text(c->arena, name);
	other = map_add(&c->out->by_name, who->name, who);
	if (other != NULL) {
		return other;
	}
	c->out->n++;
	return who;
}

static void add_credentials(struct compiling *c, struct consumer *who, const struct place_set *set,
	const struct yaml_node *list)
{
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		add_credential(c, who, set, n);
	}
}

static const struct place_set *global_places(struct compiling *c)
{
	if (!c->global_known) {
		if (c->out->plugin == AUTH_BASIC) {
			add_place(c, &c->global_places, KEY_IN_HEADER, BYTES("authorization"));
		} else {
			c->global_places = places_of(c, &c->global);
		}
		c->global_known = true;
	}
	return &c->global_places;
}

static bool is_given(const struct yaml_node *n)
{
	return n != NULL && n->type != YAML_NULL;
}

struct members { /* of an entry; NULL: absent */
	const struct yaml_node *name, *credential, *credentials, *keys;
};

/* In one walk: there may be 100,000 entries. */
static struct members members_of(const struct yaml_node *entry)
{
	struct members m = {NULL, NULL, NULL, NULL};

	if (entry->type != YAML_MAP) {
		return m;
	}
	for (const struct yaml_node *n = entry->items; n != NULL; n = n->next) {
		struct bytes key = n->key->text;

		if (bytes_eq(key, BYTES("name"))) {
			m.name = n;
		} else if (bytes_eq(key, BYTES("keys"))) {
			m.keys = n;
		} else if (bytes_eq(key, BYTES("credentials"))) {
			m.credentials = n;
		} else if (bytes_eq(key, BYTES("credential"))) {
			m.credential = n;
		}
	}
	return m;
}

static void add_consumer(struct compiling *c, const struct yaml_node *entry)
{
	const struct members members = members_of(entry);
	const struct yaml_node *one = members.credential;
	const struct yaml_node *many = members.credentials;
	const struct place_set *set;
	struct place_set own;
	struct bytes name = {0};
	struct consumer *who;

	if (entry->type != YAML_MAP ||
		!build_scalar(members.name, "name", c->where, c->findings, &name) || name.n == 0) {
		refuse_entry(c, entry, "a consumer needs a name");
		return;
	}
	if (is_given(one) == is_given(many) || (is_given(many) && many->type != YAML_SEQ)) {
		refuse_entry(c, entry, "a consumer needs either credential or a list credentials");
		return;
	}
	if (c->out->plugin == AUTH_KEY && is_given(members.keys)) {
		struct key_names names = read_key_names(c, entry, &c->global);

		own = names.keys != NULL ? places_of(c, &names) : *global_places(c);
		set = &own;
	} else {
		set = global_places(c);
	}
	if (set->full || set->n == 0) {
		refuse_entry(c, entry,
			set->full ? "the consumers have more than 64 different key names"
				  : "a consumer needs a key name");
		return;
	}
	who = consumer_named(c, name);
	if (is_given(one)) {
		add_credential(c, who, set, one);
	} else {
		add_credentials(c, who, set, many);
	}
}

/* --- the whole ---------------------------------------------------------------------------------- */

/* It stands in WWW-Authenticate. */
static void read_realm(struct compiling *c, const struct yaml_node *node, struct bytes realm)
{
	struct finding at = build_warning(c->where, build_place(node), "bad-value");

	if (h1_is_value(realm)) {
		c->out->realm = build_text(c->arena, realm);
	} else {
		findings_add(c->findings, &at,
			"realm has characters that no header may hold; the default is used");
	}
}

static void read_settings(struct compiling *c, const struct yaml_node *config)
{
	static const struct key_names everywhere = {.in_header = true, .in_query = true};
	struct consumers *out = c->out;
	struct bytes realm = {0};

	out->global_auth = read_bool(c, config, "global_auth", -1);
	out->strict = read_bool(c, config, "strictCredential", false) != 0;
	if (build_scalar(yaml_get(config, "realm"), "realm", c->where, c->findings, &realm) &&
		realm.n != 0) {
		read_realm(c, yaml_get(config, "realm"), realm);
	}
	if (out->plugin == AUTH_KEY) {
		c->global = read_key_names(c, config, &everywhere);
	} else if (read_bool(c, config, "encrypted", false) != 0) {
		refuse_all(c, yaml_get(config, "encrypted"),
			"encrypted passwords are not supported; write them plainly");
	}
}

/* Entries whose names are fetched before it is their turn. */
#define AHEAD 4u

static const struct yaml_node *fetch_ahead(const struct compiling *c, const struct yaml_node *entry)
{
	const struct members m = members_of(entry);

	if (m.name != NULL) {
		map_prefetch(&c->out->by_name, hash_bytes(&c->out->by_name.seed, m.name->text));
	}
	return entry->next;
}

static void add_consumers(struct compiling *c, const struct yaml_node *first)
{
	const struct yaml_node *ahead = first;

	for (unsigned i = 0; i < AHEAD && ahead != NULL; i++) {
		ahead = fetch_ahead(c, ahead);
	}
	for (const struct yaml_node *n = first; n != NULL; n = n->next) {
		if (ahead != NULL) {
			ahead = fetch_ahead(c, ahead);
		}
		add_consumer(c, n);
	}
}

static void read_people(struct compiling *c, const struct yaml_node *config)
{
	const struct yaml_node *consumers = read_list(c, config, "consumers");
	const struct yaml_node *credentials = read_list(c, config, "credentials");

	if (consumers != NULL && credentials != NULL) {
		refuse_all(c, credentials, "consumers and credentials exclude each other");
		return;
	}
	if (credentials != NULL) {
		c->out->v = arena_must(c->arena, sizeof(*c->out->v));
		add_credentials(c, consumer_named(c, BYTES("")), global_places(c), credentials);
	} else if (consumers != NULL) {
		c->out->v = arena_must(c->arena, consumers->n * sizeof(*c->out->v));
		map_reserve(&c->out->by_key, consumers->n);
		map_reserve(&c->out->by_name, consumers->n);
		add_consumers(c, consumers->items);
	}
	put_waiting(c);
}

static struct consumers *new_set(enum auth_plugin plugin, const struct hash_seed *seed)
{
	struct consumers *out = must_alloc(sizeof(*out));

	out->plugin = plugin;
	atomic_init(&out->refs, 1);
	arena_init(&out->arena, ARENA_MAX);
	findings_init(&out->findings, &out->arena);
	map_init(&out->by_key, seed);
	out->bearer_place = -1;
	map_init(&out->by_name, seed);
	out->places = arena_must(&out->arena, AUTH_PLACES_MAX * sizeof(*out->places));
	out->realm = BYTES("MSE Gateway");
	out->global_auth = -1;
	return out;
}

static void note_origin(
	struct consumers *out, const struct yaml_node *config, const struct object *where)
{
	out->of.file = arena_copy(&out->arena, where->file);
	memcpy(out->of.hash, where->hash, sizeof(out->of.hash));
	out->of.config = config->end;
	out->of.line = config->line;
	out->of.column = config->column;
	if (where->kind == RESOURCE_WASMPLUGIN && where->u.wasmplugin.config == config) {
		memcpy(out->of.config_hash, where->u.wasmplugin.config_hash,
			sizeof(out->of.config_hash));
	}
}

struct consumers *consumers_compile(enum auth_plugin plugin, const struct yaml_node *config,
	const struct object *where, const struct hash_seed *seed)
{
	struct consumers *out = new_set(plugin, seed);
	struct compiling c = {
		.out = out, .where = where, .arena = &out->arena, .findings = &out->findings};

	if (config == NULL || config->type == YAML_NULL) {
		return out;
	}
	note_origin(out, config, where);
	if (config->type != YAML_MAP) {
		refuse_all(&c, config, "the configuration must be a map");
		out->global_auth = 1;
		return out;
	}
	read_settings(&c, config);
	read_people(&c, config);
	return out;
}

bool consumers_are_in(const struct yaml_node *config)
{
	return is_given(yaml_get(config, "consumers")) || is_given(yaml_get(config, "credentials"));
}

const struct consumer *consumers_find(const struct consumers *c, struct bytes name)
{
	return map_get(&c->by_name, name);
}

bool consumers_are_anonymous(const struct consumers *c)
{
	return c->n == 1 && c->v[0].name.n == 0;
}

/* What else is in the file, and what version it is, may have changed. */
static bool is_same_config(
	const struct consumers *c, const struct yaml_node *config, const struct object *where)
{
	static const uint64_t unknown[2] = {0, 0};

	return where->kind == RESOURCE_WASMPLUGIN && where->u.wasmplugin.config == config &&
		memcmp(c->of.config_hash, unknown, sizeof(unknown)) != 0 &&
		memcmp(c->of.config_hash, where->u.wasmplugin.config_hash, sizeof(unknown)) == 0 &&
		c->of.line == config->line && c->of.column == config->column;
}

bool consumers_are_of(const struct consumers *c, const struct yaml_node *config,
	const struct object *where, const struct hash_seed *seed)
{
	bool same_file = config != NULL && c->of.config == config->end &&
		memcmp(c->of.hash, where->hash, sizeof(c->of.hash)) == 0;

	return config != NULL && c->of.config != 0 &&
		(same_file || is_same_config(c, config, where)) &&
		bytes_eq(c->of.file, where->file) &&
		memcmp(&c->by_key.seed, seed, sizeof(*seed)) == 0;
}

struct consumers *consumers_ref(struct consumers *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void consumers_unref(struct consumers *c)
{
	if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1) {
		return;
	}
	map_done(&c->by_key);
	map_done(&c->by_name);
	arena_done(&c->arena);
	free(c);
}

bool plan_has_consumer(const struct plan *p, struct bytes name)
{
	const struct consumer_set *s = p->consumer_sets;

	while (s != NULL && map_get(&s->consumers->by_name, name) == NULL) {
		s = s->next;
	}
	return s != NULL;
}
