#include "console/ep_system.h"

#include "wire/yaml_write.h"

#define TEXT_MAX ((size_t)4 << 20)

static void set_text(struct act *a, struct doc *map, const char *key, struct bytes value)
{
	doc_set(a->arena, map, key, doc_string(a->arena, value));
}

void ep_system_info(struct act *a)
{
	struct doc *d = doc_map(a->arena);
	struct doc *capabilities = doc_list(a->arena);

	doc_append(a->arena, capabilities, doc_str(a->arena, "config.ingress.v1"));
	doc_set(a->arena, d, "version", doc_str(a->arena, a->env->version));
	doc_set(a->arena, d, "capabilities", capabilities);
	a->data = d;
}

/* --- public configuration ----------------------------------------------------------------------- */

static bool is_switch(struct bytes key)
{
	static const char *const keys[] = {"system.initialized", "dashboard.builtin",
		"chat.enabled", "admin.password-change.disabled", "route.default.initialized"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (bytes_eq(key, bytes_str(keys[i]))) {
			return true;
		}
	}
	return false;
}

void ep_system_config(struct act *a)
{
	struct doc *d = doc_map(a->arena);
	const struct pairs *configs = &a->account->configs;

	set_text(a, d, "mode", BYTES("standalone"));
	set_text(a, d, "index.redirect-target", BYTES("/ai/route"));
	doc_set(a->arena, d, "dashboard.builtin", doc_bool(a->arena, false));
	for (size_t i = 0; i < configs->n; i++) {
		const struct pair *c = &configs->v[i];

		if (is_switch(c->key)) {
			doc_set_bytes(a->arena, d, c->key,
				doc_bool(a->arena, bytes_eq_nocase(c->value, BYTES("true"))));
		} else {
			doc_set_bytes(a->arena, d, c->key, doc_string(a->arena, c->value));
		}
	}
	doc_set(a->arena, d, "system.initialized", doc_bool(a->arena, a->account->initialized));
	a->data = d;
}

/* --- higress-config ----------------------------------------------------------------------------- */

/* Blanks in front of line breaks would make a writer leave the literal form. */
static struct bytes without_trailing_blanks(struct act *a, struct bytes s)
{
	char *p = arena_alloc(a->arena, s.n + 1);
	size_t n = 0;

	if (p == NULL) {
		return s;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n') {
			while (n != 0 &&
				(p[n - 1] == ' ' || p[n - 1] == '\t' || p[n - 1] == '\r')) {
				n--;
			}
		}
		p[n++] = s.p[i];
	}
	while (n != 0 && (p[n - 1] == ' ' || p[n - 1] == '\n' || p[n - 1] == '\t')) {
		n--;
	}
	return bytes_of(p, n);
}

/* The text that clients edit by line (T7): the block is literal whatever is in it, with its content below
 * a fixed column. */
static void put_block(struct text *out, const char *key, struct bytes value)
{
	struct bytes rest = value;

	text_addf(out, "  %s: |-\n", key);
	while (rest.p != NULL) {
		struct bytes line = bytes_cut(&rest, '\n');

		if (line.n != 0) {
			text_addf(out, "    " BYTES_FMT, BYTES_ARG(line));
		}
		text_add_char(out, '\n');
	}
}

/* A literal block is only what its text is when it begins with no blank and holds nothing unprintable. */
static bool fits_block(struct bytes v)
{
	if (v.n == 0 || v.p[0] == ' ' || v.p[0] == '\n' || v.p[0] == '\t') {
		return false;
	}
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

/* Two columns further in, every line: the value keeps its meaning in every style. */
static void put_indented(struct text *out, struct bytes lines)
{
	struct bytes rest = lines;

	while (rest.n != 0) {
		struct bytes line = bytes_cut(&rest, '\n');

		if (line.n != 0) {
			text_addf(out, "  " BYTES_FMT, BYTES_ARG(line));
		}
		text_add_char(out, '\n');
	}
}

static void put_entry(struct act *a, struct text *out, const char *key, struct bytes value)
{
	struct doc *one;
	struct text t;

	value = without_trailing_blanks(a, value);
	if (fits_block(value) &&
		(memchr(value.p, '\n', value.n) != NULL || strcmp(key, "meshNetworks") != 0)) {
		put_block(out, key, value);
		return;
	}
	one = doc_map(a->arena);
	doc_set(a->arena, one, key, doc_string(a->arena, value));
	text_init(&t, TEXT_MAX);
	yaml_write(a->arena, &t, one);
	put_indented(out, text_bytes(&t));
	text_done(&t);
}

static bool is_section(struct bytes key)
{
	for (size_t i = 0; op_config_section(i) != NULL; i++) {
		if (bytes_eq(key, bytes_str(op_config_section(i)))) {
			return true;
		}
	}
	return false;
}

static void write_config(struct act *a, const struct doc *root, struct text *out)
{
	struct bytes version =
		doc_text(doc_at(a->arena, root, "metadata.resourceVersion"), BYTES("0"));

	text_addf(out,
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: higress-config\n  namespace: " NAMESPACE
		"\n  resourceVersion: \"" BYTES_FMT "\"\ndata:\n",
		BYTES_ARG(version));
	for (size_t i = 0; op_config_section(i) != NULL; i++) {
		put_entry(
			a, out, op_config_section(i), op_config_text(a->op, op_config_section(i)));
	}
	for (const struct doc *d = doc_first(a->arena, doc_get(a->arena, root, "data")); d != NULL;
		d = d->next) {
		if (!is_section(d->key) && d->type == DOC_STRING) {
			struct bytes key = arena_copy(a->arena, d->key);

			put_entry(a, out, key.p != NULL ? key.p : "", d->text);
		}
	}
}

void ep_system_higress(struct act *a)
{
	const struct doc *root = draft_look(&a->op->draft, RESOURCE_CONFIGMAP, OP_CONFIG);
	struct text t;

	text_init(&t, TEXT_MAX);
	write_config(a, root, &t);
	/* Clients edit lines of it; the last needs no line break. */
	a->data = doc_string_copy(a->arena, bytes_trim(text_bytes(&t)));
	text_done(&t);
}

static bool parse(struct act *a, struct bytes text, struct yaml_doc *out, const char *what)
{
	struct fault f;

	if (yaml_parse(a->arena, text, out, &f) != 0) {
		act_refuse(a, 400, "%s is no YAML: %s", what, f.text);
		return false;
	}
	return true;
}

/* False: refused. */
static bool check_sections(struct act *a, const struct yaml_node *data)
{
	for (size_t i = 0; op_config_section(i) != NULL; i++) {
		const char *name = op_config_section(i);
		const struct yaml_node *s = yaml_get(data, name);
		struct yaml_doc inner;

		if (s == NULL || s->type != YAML_STRING || bytes_trim(s->text).n == 0) {
			act_refuse(a, 400, "data.%s is missing or empty", name);
			return false;
		}
		if (!parse(a, s->text, &inner, name)) {
			return false;
		}
	}
	return true;
}

static bool check_version(struct act *a, const struct yaml_node *version)
{
	struct bytes stored = draft_version(&a->op->draft, RESOURCE_CONFIGMAP, OP_CONFIG);

	if (stored.n == 0) {
		stored = BYTES("0");
	}
	if (version == NULL || version->text.n == 0) {
		act_refuse(a, 400, "metadata.resourceVersion is missing");
		return false;
	}
	if (!bytes_eq(version->text, stored)) {
		act_refuse(a, 409,
			"the configuration has changed since it was read (version " BYTES_FMT
			"); read it again",
			BYTES_ARG(stored));
		return false;
	}
	return true;
}

static bool check_config(struct act *a, const struct yaml_node *root)
{
	const struct yaml_node *kind = yaml_get(root, "kind");

	if (kind == NULL || !bytes_eq(kind->text, BYTES("ConfigMap"))) {
		act_refuse(a, 400, "the text is not that of a ConfigMap");
		return false;
	}
	return check_sections(a, yaml_get(root, "data")) &&
		check_version(a, yaml_get(yaml_get(root, "metadata"), "resourceVersion"));
}

void ep_system_put_higress(struct act *a)
{
	struct bytes text = act_member(a, "config");
	struct yaml_doc y;
	struct doc *root, *data;

	if (text.n == 0) {
		act_refuse(a, 400, "config is missing or empty");
		return;
	}
	if (!parse(a, text, &y, "config") || !check_config(a, y.root)) {
		return;
	}
	root = draft_need(&a->op->draft, RESOURCE_CONFIGMAP, OP_CONFIG);
	data = doc_need_map(a->arena, root, "data");
	for (const struct yaml_node *n = yaml_get(y.root, "data")->items; n != NULL; n = n->next) {
		if (n->type == YAML_STRING && n->key != NULL) {
			doc_set_bytes(a->arena, data, n->key->text,
				doc_string(a->arena, without_trailing_blanks(a, n->text)));
		}
	}
}

/* --- dashboards --------------------------------------------------------------------------------- */

static bool dashboard_key(struct act *a, struct text *key)
{
	struct bytes type = act_query(a, "type");

	text_add_str(key, "dashboard.url");
	if (type.n == 0 || bytes_eq_nocase(type, BYTES("MAIN"))) {
		return true;
	}
	if (!bytes_eq_nocase(type, BYTES("AI")) && !bytes_eq_nocase(type, BYTES("LOG"))) {
		act_refuse(a, 400, "type must be MAIN, AI or LOG");
		return false;
	}
	text_add_str(key, bytes_eq_nocase(type, BYTES("AI")) ? ".ai" : ".log");
	return true;
}

static void give_dashboard(struct act *a, const struct account *account, struct text *key)
{
	struct bytes url = pairs_get(&account->configs, text_cstr(key));
	struct doc *d = doc_map(a->arena);

	doc_set(a->arena, d, "builtIn", doc_bool(a->arena, false));
	doc_set(a->arena, d, "uid", doc_null(a->arena));
	doc_set(a->arena, d, "url",
		url.n != 0 ? doc_string_copy(a->arena, url) : doc_null(a->arena));
	a->data = d;
}

void ep_system_dashboard(struct act *a)
{
	struct text key;

	text_init(&key, 64);
	if (dashboard_key(a, &key)) {
		give_dashboard(a, a->account, &key);
	}
	text_done(&key);
}

void ep_system_put_dashboard(struct act *a)
{
	struct bytes url = act_member(a, "url");
	struct account *next;
	struct fault f;
	struct text key;

	text_init(&key, 64);
	if (url.n == 0) {
		act_refuse(a, 400, "url is missing");
	} else if (dashboard_key(a, &key)) {
		next = account_with_config(a->account, text_bytes(&key), url);
		if (account_save(next, a->env->account_path, &f) == 0) {
			a->account_next = next;
			give_dashboard(a, next, &key);
		} else {
			account_unref(next);
			act_refuse(a, 500, "nothing was changed: %s", f.text);
		}
	}
	text_done(&key);
}
