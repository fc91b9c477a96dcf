/*
 * Wasm plugins (console-api.md §3.11): those that are built in, as the catalogue and the WasmPlugins of the store have
 * them, and custom ones, which are WasmPlugins of their own. None of them is run here as such: what the gateway does
 * itself is in plan and filter.
 */
#include "resource/op_int.h"

#define P "higress.io/"
#define LABEL_NAME P "wasm-plugin-name"
#define LABEL_VERSION P "wasm-plugin-version"
#define LABEL_CATEGORY P "wasm-plugin-category"
#define LABEL_BUILT_IN P "wasm-plugin-built-in"
#define NOTE_TITLE P "wasm-plugin-title"
#define NOTE_DESCRIPTION P "wasm-plugin-description"
#define NOTE_ICON P "wasm-plugin-icon"
#define VERSION_DEFAULT BYTES("1.0.0")
#define NAME_MAX_CHARS 63u

static const struct op_shape_row rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"pluginVersion", OP_SHAPE_TEXT, NULL},
	{"version", OP_SHAPE_TEXT, NULL},
	{"category", OP_SHAPE_TEXT, NULL},
	{"title", OP_SHAPE_TEXT, NULL},
	{"description", OP_SHAPE_TEXT, NULL},
	{"builtIn", OP_SHAPE_BOOL, NULL},
	{"productCovered", OP_SHAPE_BOOL, NULL},
	{"icon", OP_SHAPE_TEXT, NULL},
	{"readmeUrl", OP_SHAPE_TEXT, NULL},
	{"imageRepository", OP_SHAPE_TEXT, NULL},
	{"imageVersion", OP_SHAPE_TEXT, NULL},
	{"imagePullPolicy", OP_SHAPE_TEXT, NULL},
	{"imagePullSecret", OP_SHAPE_TEXT, NULL},
	{"phase", OP_SHAPE_TEXT, NULL},
	{"priority", OP_SHAPE_INT, NULL},
};
static const struct op_shape shape = {rows, ARRAY_LEN(rows)};

/* The first of each list is what is dropped on disk, and "" means. */
static const char *const phases[] = {"UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS", NULL};
static const char *const policies[] = {"UNSPECIFIED_POLICY", "IfNotPresent", "Always", NULL};

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

static void put(struct op *o, struct doc *m, const char *key, struct bytes v)
{
	doc_set(o->arena, m, key, v.n > 0 ? doc_string(o->arena, v) : doc_null(o->arena));
}

/* NULL: it is none of them. */
static const char *word_of(const char *const *words, struct bytes s)
{
	if (s.n == 0 || bytes_eq_nocase(s, BYTES("unspecified")) ||
		bytes_eq_nocase(s, BYTES("default"))) {
		return words[0];
	}
	for (size_t i = 0; words[i] != NULL; i++) {
		if (bytes_eq_nocase(s, bytes_str(words[i]))) {
			return words[i];
		}
	}
	return NULL;
}

/* --- addresses of images ------------------------------------------------------------------------ */

static size_t scheme_at(struct bytes url)
{
	for (size_t i = 0; i + 3 <= url.n; i++) {
		if (memcmp(url.p + i, "://", 3) == 0) {
			return i;
		}
	}
	return url.n;
}

/* The tag stands behind the last colon, but for files that are fetched as such. */
static void show_url(struct op *o, struct doc *out, struct bytes url)
{
	size_t scheme = scheme_at(url), colon = url.n;
	bool image = scheme == url.n || bytes_starts(url, BYTES("oci://"));
	struct bytes rest = url, tag = BYTES("");

	while (colon > 0 && url.p[colon - 1] != ':') {
		colon--;
	}
	if (image && colon > 0 && (scheme == url.n || colon - 1 > scheme)) {
		rest = bytes_of(url.p, colon - 1);
		tag = bytes_of(url.p + colon, url.n - colon);
	}
	put(o, out, "imageRepository", rest);
	put(o, out, "imageVersion", tag);
}

static struct bytes url_of(struct op *o, const struct doc *given)
{
	struct bytes repository = text_of(o, given, "imageRepository");
	struct bytes tag = text_of(o, given, "imageVersion");

	return op_textf(o, "%s" BYTES_FMT "%s" BYTES_FMT,
		scheme_at(repository) == repository.n ? "oci://" : "", BYTES_ARG(repository),
		bytes_trim(tag).n > 0 ? ":" : "",
		BYTES_ARG(bytes_trim(tag).n > 0 ? tag : BYTES("")));
}

/* --- read --------------------------------------------------------------------------------------- */

static bool is_built_in(struct op *o, const struct doc *labels)
{
	return bytes_eq(text_of(o, labels, LABEL_BUILT_IN), BYTES("true"));
}

static void show_spec(struct op *o, struct doc *out, const struct doc *root)
{
	struct arena *a = o->arena;
	const struct doc *spec = doc_get(a, root, "spec"), *priority = doc_get(a, spec, "priority");
	const char *phase = word_of(phases, text_of(o, spec, "phase"));
	const char *policy = word_of(policies, text_of(o, spec, "imagePullPolicy"));

	show_url(o, out, text_of(o, spec, "url"));
	put(o, out, "imagePullPolicy", bytes_str(policy != NULL ? policy : policies[0]));
	put(o, out, "imagePullSecret", text_of(o, spec, "imagePullSecret"));
	put(o, out, "phase", bytes_str(phase != NULL ? phase : phases[0]));
	doc_set(a, out, "priority", doc_given(priority) ? doc_copy(a, priority) : doc_null(a));
}

static struct doc *show_custom(struct op *o, const struct doc *root)
{
	struct arena *a = o->arena;
	const struct doc *labels = doc_at(a, root, "metadata.labels");
	const struct doc *notes = doc_at(a, root, "metadata.annotations");
	struct doc *out = doc_map(a);

	put(o, out, "name", text_of(o, labels, LABEL_NAME));
	put(o, out, "pluginVersion", text_of(o, labels, LABEL_VERSION));
	doc_set(a, out, "version", op_version(o, root));
	put(o, out, "category", text_of(o, labels, LABEL_CATEGORY));
	put(o, out, "title", text_of(o, notes, NOTE_TITLE));
	put(o, out, "description", text_of(o, notes, NOTE_DESCRIPTION));
	doc_set(a, out, "builtIn", doc_bool(a, is_built_in(o, labels)));
	put(o, out, "icon", text_of(o, notes, NOTE_ICON));
	show_spec(o, out, root);
	return op_shape_show(o, &shape, out);
}

static bool is_covered(const char *name)
{
	static const char *const covered[] = {
		"ai-proxy", "model-router", "model-mapper", "mcp-server", "key-auth"};

	for (size_t i = 0; i < ARRAY_LEN(covered); i++) {
		if (strcmp(name, covered[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* The next WasmPlugin that is ours and says whose it is. */
static bool next_of(struct op *o, struct draft_walk *w, struct bytes *name, const struct doc **root)
{
	while (draft_next(&o->draft, w, RESOURCE_WASMPLUGIN, name, root)) {
		const struct doc *labels = doc_at(o->arena, *root, "metadata.labels");

		if (op_is_ours(o, *root) && text_of(o, labels, LABEL_NAME).n > 0) {
			return true;
		}
	}
	return false;
}

static bool is_of(struct op *o, const struct doc *root, struct bytes plugin, bool built_in)
{
	const struct doc *labels = doc_at(o->arena, root, "metadata.labels");

	return bytes_eq(text_of(o, labels, LABEL_NAME), plugin) &&
		is_built_in(o, labels) == built_in;
}

/* Image, phase and priority are those of its WasmPlugin, where there is one. */
static struct doc *show_built_in(struct op *o, const struct op_plugin *p, struct bytes lang)
{
	struct arena *a = o->arena;
	struct doc *out = doc_map(a);
	const struct doc *root;
	struct draft_walk w = {0};
	struct bytes name;

	put(o, out, "name", bytes_str(p->name));
	put(o, out, "pluginVersion", bytes_str(p->version));
	put(o, out, "category", bytes_str(p->category));
	put(o, out, "title", op_catalogue_title(p, lang));
	put(o, out, "description", op_catalogue_description(p, lang));
	doc_set(a, out, "builtIn", doc_bool(a, true));
	doc_set(a, out, "productCovered", doc_bool(a, is_covered(p->name)));
	put(o, out, "icon", bytes_str(p->icon));
	show_url(o, out, op_plugin_url(o, p));
	put(o, out, "phase", bytes_str(p->phase != NULL ? p->phase : phases[0]));
	doc_set(a, out, "priority", doc_int(a, p->priority));
	while (next_of(o, &w, &name, &root)) {
		if (is_of(o, root, bytes_str(p->name), true)) {
			show_spec(o, out, root);
		}
	}
	return op_shape_show(o, &shape, out);
}

/* Of several versions of a custom plugin the one of the highest priority; NULL: there is none. */
static const struct doc *find_custom(struct op *o, struct bytes plugin, struct bytes *name)
{
	const struct doc *root, *best = NULL, *priority;
	struct draft_walk w = {0};
	struct bytes each;
	int64_t top = 0;

	while (next_of(o, &w, &each, &root)) {
		if (!is_of(o, root, plugin, false)) {
			continue;
		}
		priority = doc_at(o->arena, root, "spec.priority");
		if (best == NULL || (doc_given(priority) && priority->integer > top)) {
			best = root;
			*name = each;
			top = doc_given(priority) ? priority->integer : 0;
		}
	}
	return best;
}

struct doc *op_wasm_plugin_read(struct op *o, struct bytes name, struct bytes lang)
{
	const struct op_plugin *p = op_plugin_find(name);
	const struct doc *root;
	struct bytes object;

	if (p != NULL) {
		return show_built_in(o, p, lang);
	}
	root = find_custom(o, name, &object);
	return root != NULL ? show_custom(o, root) : NULL;
}

static struct doc *read_plugin(struct op *o, struct bytes name)
{
	return op_wasm_plugin_read(o, name, BYTES(""));
}

struct doc *op_wasm_plugin_list(struct op *o, struct bytes lang)
{
	struct doc *out = doc_list(o->arena);
	struct strings names = op_list_prefixed(o, RESOURCE_WASMPLUGIN, BYTES(""));

	for (size_t i = 0; op_catalogue_name(i) != NULL; i++) {
		doc_append(o->arena, out,
			show_built_in(o, op_plugin_find(bytes_str(op_catalogue_name(i))), lang));
	}
	for (size_t i = 0; i < names.n; i++) {
		const struct doc *root = draft_look(&o->draft, RESOURCE_WASMPLUGIN, names.v[i]);
		const struct doc *labels = doc_at(o->arena, root, "metadata.labels");
		struct bytes plugin = text_of(o, labels, LABEL_NAME);

		if (plugin.n > 0 && !(is_built_in(o, labels) && op_plugin_find(plugin) != NULL)) {
			doc_append(o->arena, out, show_custom(o, root));
		}
	}
	return out;
}

bool op_wasm_plugin_schema(struct op *o, struct bytes name, struct bytes lang, struct doc **out)
{
	struct bytes object;

	if (op_plugin_find(name) == NULL && find_custom(o, name, &object) == NULL) {
		return false;
	}
	*out = doc_map(o->arena);
	doc_set(o->arena, *out, "schema", op_catalogue_schema(o, name, lang));
	return true;
}

struct doc *op_wasm_plugin_readme(struct op *o, struct bytes name, struct bytes lang)
{
	const struct op_plugin *p = op_plugin_find(name);

	return p != NULL ? doc_string(o->arena, op_catalogue_readme(o, p, lang)) : NULL;
}

/* --- save --------------------------------------------------------------------------------------- */

static bool is_name(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (!ascii_digit(c) && (c < 'a' || c > 'z') && c != '-') {
			return false;
		}
	}
	return s.n > 0 && s.n <= NAME_MAX_CHARS && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

static enum op_rc check_words(struct op *o, struct doc *given)
{
	const char *phase = word_of(phases, text_of(o, given, "phase"));
	const char *policy = word_of(policies, text_of(o, given, "imagePullPolicy"));

	if (policy == NULL) {
		return op_refuse(o, OP_INVALID,
			"imagePullPolicy must be UNSPECIFIED_POLICY, IfNotPresent or Always");
	}
	if (phase == NULL) {
		return op_refuse(
			o, OP_INVALID, "phase must be UNSPECIFIED_PHASE, AUTHN, AUTHZ or STATS");
	}
	put(o, given, "phase", bytes_str(phase));
	put(o, given, "imagePullPolicy", bytes_str(policy));
	return OP_OK;
}

static enum op_rc check_plugin(struct op *o, struct bytes name, struct doc *given)
{
	static const char *const needed[] = {"title", "category", "imageRepository"};
	struct bytes version = text_of(o, given, "pluginVersion");

	if (!is_name(name)) {
		return op_refuse(o, OP_INVALID,
			"a plugin's name has 1 to %u letters, digits and hyphens, and neither begins "
			"nor ends with a hyphen",
			NAME_MAX_CHARS);
	}
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (bytes_trim(text_of(o, given, needed[i])).n == 0) {
			return op_refuse(o, OP_INVALID, "%s must be given", needed[i]);
		}
	}
	if (version.n == 0) {
		put(o, given, "pluginVersion", VERSION_DEFAULT);
		version = VERSION_DEFAULT;
	}
	if (check_words(o, given) != OP_OK) {
		return OP_INVALID;
	}
	return op_check_file_name(o, "plugin",
		op_textf(o, BYTES_FMT "-" BYTES_FMT, BYTES_ARG(name), BYTES_ARG(version)));
}

static void set_or_drop(struct op *o, struct doc *m, const char *key, struct bytes v, bool there)
{
	if (there) {
		doc_set(o->arena, m, key, doc_string(o->arena, v));
	} else {
		doc_drop(o->arena, m, key);
	}
}

static void write_image(struct op *o, struct doc *spec, const struct doc *given)
{
	struct bytes phase = text_of(o, given, "phase"),
		     policy = text_of(o, given, "imagePullPolicy");
	struct bytes secret = text_of(o, given, "imagePullSecret");
	const struct doc *priority = doc_get(o->arena, given, "priority");

	doc_set(o->arena, spec, "url", doc_string(o->arena, url_of(o, given)));
	set_or_drop(o, spec, "phase", phase, !bytes_eq(phase, bytes_str(phases[0])));
	set_or_drop(o, spec, "imagePullPolicy", policy, !bytes_eq(policy, bytes_str(policies[0])));
	set_or_drop(o, spec, "imagePullSecret", secret, secret.n > 0);
	if (doc_given(priority)) {
		doc_set(o->arena, spec, "priority", doc_copy(o->arena, priority));
	} else {
		doc_drop(o->arena, spec, "priority");
	}
}

static void write_custom(
	struct op *o, struct bytes object, struct bytes name, const struct doc *given)
{
	bool made = draft_look(&o->draft, RESOURCE_WASMPLUGIN, object) == NULL;
	struct doc *root = draft_need(&o->draft, RESOURCE_WASMPLUGIN, object);
	struct doc *labels = op_labels(o, root), *notes = op_annotations(o, root);
	struct doc *spec = doc_need_map(o->arena, root, "spec");
	struct bytes said = text_of(o, given, "description"), icon = text_of(o, given, "icon");

	op_mark(o, root, object);
	doc_set(o->arena, labels, LABEL_NAME, doc_string(o->arena, name));
	doc_set(o->arena, labels, LABEL_VERSION,
		doc_string(o->arena, text_of(o, given, "pluginVersion")));
	doc_set(o->arena, labels, LABEL_CATEGORY, doc_str(o->arena, "custom"));
	doc_set(o->arena, labels, LABEL_BUILT_IN, doc_str(o->arena, "false"));
	doc_set(o->arena, notes, NOTE_TITLE, doc_string(o->arena, text_of(o, given, "title")));
	set_or_drop(o, notes, NOTE_DESCRIPTION, said, said.n > 0);
	set_or_drop(o, notes, NOTE_ICON, icon, icon.n > 0);
	write_image(o, spec, given);
	doc_set(o->arena, spec, "failStrategy", doc_str(o->arena, "FAIL_OPEN"));
	if (!doc_given(doc_get(o->arena, spec, "defaultConfigDisable"))) {
		doc_set(o->arena, spec, "defaultConfigDisable", doc_bool(o->arena, true));
	}
	if (made) {
		doc_need_map(o->arena, root, "status");
	}
}

static enum op_rc create(struct op *o, struct bytes name, const struct doc *given, bool built_in)
{
	struct bytes object = op_textf(o, BYTES_FMT "-" BYTES_FMT, BYTES_ARG(name),
		BYTES_ARG(text_of(o, given, "pluginVersion")));

	if (built_in || op_plugin_find(name) != NULL) {
		return op_refuse(o, OP_EXISTS,
			"the plugin " BYTES_FMT " is built in: give a custom one another name",
			BYTES_ARG(name));
	}
	if (draft_look(&o->draft, RESOURCE_WASMPLUGIN, object) != NULL) {
		return op_refuse(
			o, OP_EXISTS, "the plugin " BYTES_FMT " exists already", BYTES_ARG(object));
	}
	write_custom(o, object, name, given);
	return OP_OK;
}

/* Another pluginVersion moves the plugin: what is configured goes along. */
static void move(struct op *o, struct bytes from, struct bytes to, struct bytes name,
	const struct doc *given)
{
	struct arena *a = o->arena;
	const struct doc *old =
		doc_get(a, draft_look(&o->draft, RESOURCE_WASMPLUGIN, from), "spec");
	struct doc *root = draft_need(&o->draft, RESOURCE_WASMPLUGIN, to);
	struct doc *spec = doc_need_map(a, root, "spec");
	static const char *const kept[] = {"defaultConfig", "defaultConfigDisable", "matchRules"};

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const struct doc *v = doc_get(a, old, kept[i]);

		if (doc_given(v)) {
			doc_set(a, spec, kept[i], doc_copy(a, v));
		}
	}
	doc_need_map(a, root, "status");
	write_custom(o, to, name, given);
	draft_remove(&o->draft, RESOURCE_WASMPLUGIN, from);
}

static enum op_rc update_custom(
	struct op *o, struct bytes name, const struct doc *given, const struct doc *body)
{
	struct bytes object = op_textf(o, BYTES_FMT "-" BYTES_FMT, BYTES_ARG(name),
		BYTES_ARG(text_of(o, given, "pluginVersion")));
	struct bytes there = object;
	enum op_rc rc;

	if (op_plugin_find(name) != NULL) {
		return op_refuse(o, OP_IN_USE,
			"the plugin " BYTES_FMT
			" is built in: say builtIn true to change its image",
			BYTES_ARG(name));
	}
	if (find_custom(o, name, &there) == NULL) {
		return op_refuse(o, OP_MISSING, "there is no plugin " BYTES_FMT, BYTES_ARG(name));
	}
	if (draft_look(&o->draft, RESOURCE_WASMPLUGIN, object) != NULL) {
		there = object;
	}
	rc = op_check_version(o, RESOURCE_WASMPLUGIN, there, body);
	if (rc != OP_OK) {
		return rc;
	}
	if (bytes_eq(there, object)) {
		write_custom(o, object, name, given);
	} else {
		move(o, there, object, name, given);
	}
	return OP_OK;
}

/* Image, phase and priority, of the one that users have instances in and of the gateway's own. */
static enum op_rc update_built_in(struct op *o, struct bytes name, const struct doc *given)
{
	const struct op_plugin *p = op_plugin_find(name);
	struct doc *root;

	if (p == NULL) {
		return op_refuse(
			o, OP_IN_USE, "the plugin " BYTES_FMT " is not built in", BYTES_ARG(name));
	}
	root = op_plugin_need(o, p, false);
	write_image(o, doc_need_map(o->arena, root, "spec"), given);
	if (op_plugin_look(o, p, true) != NULL) {
		root = op_plugin_need(o, p, true);
		write_image(o, doc_need_map(o->arena, root, "spec"), given);
	}
	return OP_OK;
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	struct doc *given = NULL;
	enum op_rc rc = op_shape_take(o, &shape, body, &given);
	const struct doc *said;
	bool built_in;

	rc = rc != OP_OK ? rc : check_plugin(o, name, given);
	if (rc != OP_OK) {
		return rc;
	}
	said = doc_get(o->arena, given, "builtIn");
	built_in = doc_given(said) && said->boolean;
	if (mode == OP_CREATE) {
		return create(o, name, given, built_in);
	}
	return built_in ? update_built_in(o, name, given) : update_custom(o, name, given, body);
}

/* --- remove ------------------------------------------------------------------------------------- */

static enum op_rc remove_plugin(struct op *o, struct bytes name)
{
	struct bytes object;

	if (op_plugin_find(name) != NULL) {
		return op_refuse(o, OP_IN_USE,
			"the plugin " BYTES_FMT " is built in and cannot be removed",
			BYTES_ARG(name));
	}
	while (find_custom(o, name, &object) != NULL &&
		draft_remove(&o->draft, RESOURCE_WASMPLUGIN, object)) {
		/* every version */
	}
	return OP_OK;
}

static bool is_custom(struct op *o, struct bytes object)
{
	const struct doc *root = draft_look(&o->draft, RESOURCE_WASMPLUGIN, object);
	const struct doc *labels = doc_at(o->arena, root, "metadata.labels");

	return op_is_ours(o, root) && text_of(o, labels, LABEL_NAME).n > 0 &&
		!is_built_in(o, labels);
}

/* Names of custom ones: those that can be removed. */
static struct strings list(struct op *o)
{
	struct strings objects = op_list_kept(o, RESOURCE_WASMPLUGIN, is_custom);

	for (size_t i = 0; i < objects.n; i++) {
		const struct doc *root = draft_look(&o->draft, RESOURCE_WASMPLUGIN, objects.v[i]);

		objects.v[i] = text_of(o, doc_at(o->arena, root, "metadata.labels"), LABEL_NAME);
	}
	op_sort_names(&objects);
	return objects;
}

const struct op_noun op_wasm_plugin = {"wasm-plugin", save, remove_plugin, read_plugin, list};
