/*
 * A description of an HTTP API (OpenAPI 3, Swagger 2; JSON or YAML) as the tools of an MCP server: an operation each, its
 * parameters and the members of its body as arguments, the request as a template (console-api.md §3.13.2).
 *
 * References are followed inside of the document only. What a schema refers to is written out in its place, since a
 * tool stands alone; a document can refer to itself, so both depth and the number of nodes are bounded.
 */
#include "resource/op_int.h"
#include "wire/yaml_write.h"

/* Attack: schemas that refer to themselves; below it they are only a type. */
#define DEPTH_MAX 10u
/* Attack: references that double at each level. */
#define NODES_MAX 50000u
/* Attack: a chain of references without an end. */
#define REFS_MAX 32u
#define TEXT_MAX ((size_t)16 << 20)

struct conversion {
	struct op *o;
	const struct doc *root;
	bool swagger; /* 2.0 */
	size_t nodes;
};

static struct bytes text_of(struct conversion *c, const struct doc *m, const char *key)
{
	return op_scalar(doc_get(c->o->arena, m, key));
}

static void put(struct conversion *c, struct doc *m, const char *key, struct bytes v)
{
	if (v.n > 0) {
		doc_set(c->o->arena, m, key, doc_string(c->o->arena, v));
	}
}

static void put_copy(struct conversion *c, struct doc *m, const char *key, const struct doc *from)
{
	const struct doc *v = doc_get(c->o->arena, from, key);

	if (doc_given(v)) {
		doc_set(c->o->arena, m, key, doc_copy(c->o->arena, v));
	}
}

/* --- references --------------------------------------------------------------------------------- */

/* RFC 6901: ~1 is a slash, ~0 a tilde. */
static struct bytes unescaped(struct conversion *c, struct bytes s)
{
	char *p = arena_alloc(c->o->arena, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; p != NULL && i < s.n; i++) {
		if (s.p[i] == '~' && i + 1 < s.n && (s.p[i + 1] == '0' || s.p[i + 1] == '1')) {
			p[n++] = s.p[++i] == '1' ? '/' : '~';
		} else {
			p[n++] = s.p[i];
		}
	}
	return p != NULL ? bytes_of(p, n) : BYTES("");
}

/* What a node stands for; NULL: it refers to nothing that is here. */
static const struct doc *meant(struct conversion *c, const struct doc *d)
{
	for (size_t turns = 0; turns < REFS_MAX; turns++) {
		struct bytes ref = text_of(c, d, "$ref");

		if (ref.n == 0) {
			return d;
		}
		if (!bytes_starts(ref, BYTES("#/"))) {
			return NULL;
		}
		ref = bytes_of(ref.p + 2, ref.n - 2);
		d = c->root;
		while (ref.p != NULL && d != NULL) {
			d = doc_get_bytes(c->o->arena, d, unescaped(c, bytes_cut(&ref, '/')));
		}
	}
	return NULL;
}

/* --- schemas ------------------------------------------------------------------------------------ */

/* Of a list of types (OpenAPI 3.1) the first that is not "null". */
static struct bytes type_of(struct conversion *c, const struct doc *schema)
{
	const struct doc *type = doc_get(c->o->arena, schema, "type");
	const struct doc *i = doc_first(c->o->arena, type);

	while (i != NULL && bytes_eq(op_scalar(i), BYTES("null"))) {
		i = i->next;
	}
	if (type != NULL && type->type == DOC_LIST) {
		return op_scalar(i);
	}
	if (!doc_given(type) && doc_given(doc_get(c->o->arena, schema, "properties"))) {
		return BYTES("object");
	}
	return op_scalar(type);
}

static void describe(struct conversion *c, const struct doc *schema, struct doc *out, size_t depth);

static struct doc *described(struct conversion *c, const struct doc *schema, size_t depth)
{
	struct doc *out = doc_map(c->o->arena);

	describe(c, meant(c, schema), out, depth);
	return out;
}

static void add_required(struct conversion *c, const struct doc *schema, struct doc *out)
{
	const struct doc *r = doc_first(c->o->arena, doc_get(c->o->arena, schema, "required"));

	for (; r != NULL; r = r->next) {
		if (r->type == DOC_STRING) {
			doc_append(c->o->arena, doc_need_list(c->o->arena, out, "required"),
				doc_string(c->o->arena, r->text));
		}
	}
}

static void add_properties(
	struct conversion *c, const struct doc *schema, struct doc *out, size_t depth)
{
	const struct doc *p = doc_first(c->o->arena, doc_get(c->o->arena, schema, "properties"));

	for (; p != NULL && c->nodes < NODES_MAX; p = p->next) {
		doc_set_bytes(c->o->arena, doc_need_map(c->o->arena, out, "properties"), p->key,
			described(c, p, depth + 1));
	}
	if (depth < DEPTH_MAX) {
		add_required(c, schema, out);
	}
}

/* Members of out that a schema says; allOf is the sum of its parts. */
static void describe(struct conversion *c, const struct doc *schema, struct doc *out, size_t depth)
{
	struct arena *a = c->o->arena;
	const struct doc *part = doc_first(a, doc_get(a, schema, "allOf"));

	c->nodes++;
	put(c, out, "type", type_of(c, schema));
	put(c, out, "description", text_of(c, schema, "description"));
	put_copy(c, out, "enum", schema);
	put_copy(c, out, "default", schema);
	if (depth >= DEPTH_MAX || c->nodes >= NODES_MAX) {
		return;
	}
	for (; part != NULL && c->nodes < NODES_MAX; part = part->next) {
		describe(c, meant(c, part), out, depth + 1);
	}
	if (doc_given(doc_get(a, schema, "items"))) {
		doc_set(a, out, "items", described(c, doc_get(a, schema, "items"), depth + 1));
	}
	add_properties(c, schema, out, depth);
}

/* --- arguments ---------------------------------------------------------------------------------- */

/* name, description, type, required, default, enum, items, properties, position: in this order. */
static void add_argument(struct conversion *c, struct doc *args, struct bytes name,
	const struct doc *schema, bool required)
{
	static const char *const members[] = {
		"description", "type", "default", "enum", "items", "properties"};
	struct arena *a = c->o->arena;
	struct doc *arg = doc_map(a);

	doc_set(a, arg, "name", doc_string(a, name));
	doc_set(a, arg, "description", doc_str(a, ""));
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		put_copy(c, arg, members[i], schema);
		if (i == 1 && required) {
			doc_set(a, arg, "required", doc_bool(a, true));
		}
	}
	doc_append(a, args, arg);
}

static struct doc *last_of(struct conversion *c, struct doc *list)
{
	struct doc *v = doc_first(c->o->arena, list);

	while (v != NULL && v->next != NULL) {
		v = v->next;
	}
	return v;
}

static bool lists(struct conversion *c, const struct doc *texts, struct bytes text)
{
	const struct doc *v = doc_first(c->o->arena, texts);

	while (v != NULL && !bytes_eq(op_scalar(v), text)) {
		v = v->next;
	}
	return v != NULL;
}

static bool is_true(struct conversion *c, const struct doc *m, const char *key)
{
	const struct doc *v = doc_get(c->o->arena, m, key);

	return v != NULL && v->type == DOC_BOOL && v->boolean;
}

/* Each member of a body is an argument; a body that is a list is one, called items. */
static void add_body(
	struct conversion *c, struct doc *args, const struct doc *schema, const struct doc *of)
{
	struct arena *a = c->o->arena;
	struct doc *whole = described(c, schema, 0);
	const struct doc *required = doc_get(a, whole, "required");
	const struct doc *p = doc_first(a, doc_get(a, whole, "properties"));

	if (bytes_eq(text_of(c, whole, "type"), BYTES("array"))) {
		add_argument(c, args, BYTES("items"), whole, is_true(c, of, "required"));
		put(c, last_of(c, args), "description", text_of(c, of, "description"));
		doc_set(a, last_of(c, args), "position", doc_str(a, "body"));
		return;
	}
	for (; p != NULL; p = p->next) {
		add_argument(c, args, p->key, p, lists(c, required, p->key));
		doc_set(a, last_of(c, args), "position", doc_str(a, "body"));
	}
}

static void add_parameter(struct conversion *c, struct doc *args, const struct doc *p)
{
	struct arena *a = c->o->arena;
	struct bytes in = text_of(c, p, "in"), name = text_of(c, p, "name");
	const struct doc *schema = doc_get(a, p, "schema");
	struct doc *shape;

	if (bytes_eq(in, BYTES("body"))) {
		add_body(c, args, schema, p);
		return;
	}
	if (name.n == 0) {
		return;
	}
	shape = described(c, doc_given(schema) ? schema : p, 0);
	put(c, shape, "description", text_of(c, p, "description"));
	add_argument(c, args, name, shape, is_true(c, p, "required"));
	doc_set(a, last_of(c, args), "position",
		bytes_eq(in, BYTES("formData")) ? doc_str(a, "body") : doc_string(a, in));
}

static bool same_parameter(struct conversion *c, const struct doc *x, const struct doc *y)
{
	return bytes_eq(text_of(c, x, "name"), text_of(c, y, "name")) &&
		bytes_eq(text_of(c, x, "in"), text_of(c, y, "in"));
}

/* Those of the path count for each of its operations, unless the operation has its own of the name. */
static void add_parameters(struct conversion *c, struct doc *args, const struct doc *of_path,
	const struct doc *of_operation)
{
	struct arena *a = c->o->arena;

	for (const struct doc *p = doc_first(a, of_path); p != NULL; p = p->next) {
		const struct doc *own = doc_first(a, of_operation);

		while (own != NULL && !same_parameter(c, meant(c, own), meant(c, p))) {
			own = own->next;
		}
		if (own == NULL) {
			add_parameter(c, args, meant(c, p));
		}
	}
	for (const struct doc *p = doc_first(a, of_operation); p != NULL; p = p->next) {
		add_parameter(c, args, meant(c, p));
	}
}

/* --- requests ----------------------------------------------------------------------------------- */

static struct bytes without_slash(struct bytes s)
{
	if (bytes_ends(s, BYTES("/"))) {
		s.n--;
	}
	return s;
}

static struct bytes base_url(struct conversion *c)
{
	struct arena *a = c->o->arena;
	const struct doc *scheme = doc_first(a, doc_get(a, c->root, "schemes"));
	struct bytes host = text_of(c, c->root, "host");

	if (!c->swagger) {
		return without_slash(
			text_of(c, doc_first(a, doc_get(a, c->root, "servers")), "url"));
	}
	if (host.n == 0) {
		return without_slash(text_of(c, c->root, "basePath"));
	}
	return without_slash(op_textf(c->o, BYTES_FMT "://" BYTES_FMT BYTES_FMT,
		BYTES_ARG(scheme != NULL ? op_scalar(scheme) : BYTES("https")), BYTES_ARG(host),
		BYTES_ARG(text_of(c, c->root, "basePath"))));
}

/* The media type that is sent, with its schema: JSON where there is a choice. NULL: no body. */
static const struct doc *media_of(struct conversion *c, const struct doc *content)
{
	const struct doc *first = doc_first(c->o->arena, content), *m = first;

	while (m != NULL && !bytes_starts(m->key, BYTES("application/json"))) {
		m = m->next;
	}
	return m != NULL ? m : first;
}

static void add_header(struct conversion *c, struct doc *request, struct bytes type)
{
	struct doc *header = doc_map(c->o->arena);

	doc_set(c->o->arena, header, "key", doc_str(c->o->arena, "Content-Type"));
	doc_set(c->o->arena, header, "value", doc_string(c->o->arena, type));
	doc_append(c->o->arena, doc_need_list(c->o->arena, request, "headers"), header);
}

static void add_security(struct conversion *c, struct doc *request, const struct doc *operation)
{
	struct arena *a = c->o->arena;
	const struct doc *security = doc_get(a, operation, "security");
	const struct doc *scheme;

	if (security == NULL) {
		security = doc_get(a, c->root, "security");
	}
	scheme = doc_first(a, doc_first(a, security));
	if (scheme != NULL) {
		doc_set(a, doc_need_map(a, request, "security"), "id", doc_string(a, scheme->key));
	}
}

/* What Swagger 2 sends: the first of `consumes`, of the operation or of all. */
static struct bytes consumed(struct conversion *c, const struct doc *operation)
{
	struct arena *a = c->o->arena;
	const struct doc *own = doc_first(a, doc_get(a, operation, "consumes"));
	const struct doc *all = doc_first(a, doc_get(a, c->root, "consumes"));

	return own != NULL    ? op_scalar(own)
		: all != NULL ? op_scalar(all)
			      : BYTES("application/json");
}

static bool has_body_argument(struct conversion *c, const struct doc *args)
{
	const struct doc *v = doc_first(c->o->arena, args);

	while (v != NULL && !bytes_eq(text_of(c, v, "position"), BYTES("body"))) {
		v = v->next;
	}
	return v != NULL;
}

static struct bytes upper(struct conversion *c, struct bytes s)
{
	char *p = arena_alloc(c->o->arena, s.n + 1);

	for (size_t i = 0; p != NULL && i < s.n; i++) {
		p[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - ('a' - 'A')) : s.p[i];
	}
	return p != NULL ? bytes_of(p, s.n) : BYTES("");
}

static void add_request(
	struct conversion *c, struct doc *tool, const struct doc *path, const struct doc *operation)
{
	struct arena *a = c->o->arena;
	const struct doc *args = doc_get(a, tool, "args");
	const struct doc *body = meant(c, doc_get(a, operation, "requestBody"));
	const struct doc *media = media_of(c, doc_get(a, body, "content"));
	struct doc *request = doc_need_map(a, tool, "requestTemplate");

	doc_set(a, request, "url",
		doc_string(a,
			op_textf(c->o, BYTES_FMT BYTES_FMT, BYTES_ARG(base_url(c)),
				BYTES_ARG(path->key))));
	doc_set(a, request, "method", doc_string(a, upper(c, operation->key)));
	if (media != NULL) {
		add_header(c, request, media->key);
	} else if (c->swagger && has_body_argument(c, args)) {
		add_header(c, request, consumed(c, operation));
	}
	if (bytes_eq(text_of(c, described(c, doc_get(a, media, "schema"), DEPTH_MAX), "type"),
		    BYTES("array"))) {
		doc_set(a, request, "body", doc_str(a, "{{.args.items}}"));
	}
	add_security(c, request, operation);
}

/* --- answers ------------------------------------------------------------------------------------ */

/* The schema of the first success; NULL: none is described. */
static const struct doc *answer_of(struct conversion *c, const struct doc *operation)
{
	struct arena *a = c->o->arena;
	const struct doc *r = doc_first(a, doc_get(a, operation, "responses")), *answer;

	while (r != NULL && !bytes_starts(r->key, BYTES("2"))) {
		r = r->next;
	}
	answer = meant(c, r);
	return c->swagger ? doc_get(a, answer, "schema")
			  : doc_get(a, media_of(c, doc_get(a, answer, "content")), "schema");
}

static void tell_fields(struct conversion *c, struct text *t, const struct doc *shape, size_t depth)
{
	struct arena *a = c->o->arena;
	const struct doc *items = doc_get(a, shape, "items");
	const struct doc *p = doc_first(a, doc_get(a, items != NULL ? items : shape, "properties"));

	for (; p != NULL; p = p->next) {
		for (size_t i = 0; i < depth; i++) {
			text_add_str(t, "  ");
		}
		text_addf(t, "- " BYTES_FMT " (" BYTES_FMT "%s)", BYTES_ARG(p->key),
			BYTES_ARG(text_of(c, p, "type")), items != NULL ? ", of each item" : "");
		if (text_of(c, p, "description").n > 0) {
			text_addf(t, ": " BYTES_FMT, BYTES_ARG(text_of(c, p, "description")));
		}
		text_add_char(t, '\n');
		tell_fields(c, t, p, depth + 1);
	}
}

/* What stands in front of an answer, so that a model knows its fields; clients want an object as the schema. */
static void add_answer(struct conversion *c, struct doc *tool, const struct doc *operation)
{
	struct arena *a = c->o->arena;
	const struct doc *schema = answer_of(c, operation);
	struct doc *response = doc_need_map(a, tool, "responseTemplate"), *shape;
	struct text t;

	if (!doc_given(schema)) {
		return;
	}
	shape = described(c, schema, 0);
	text_init(&t, TEXT_MAX);
	tell_fields(c, &t, shape, 0);
	if (t.n > 0) {
		doc_set(a, response, "prependBody",
			doc_string(a,
				op_textf(c->o,
					"Fields of the answer:\n\n" BYTES_FMT "\nThe answer:\n\n",
					BYTES_ARG(text_bytes(&t)))));
	}
	text_done(&t);
	if (bytes_eq(text_of(c, shape, "type"), BYTES("object"))) {
		doc_set(a, tool, "outputSchema", shape);
	}
}

/* --- tools -------------------------------------------------------------------------------------- */

static const char *const methods[] = {
	"get", "post", "put", "delete", "options", "head", "patch", "trace"};

static bool is_method(struct bytes key)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (bytes_eq(key, bytes_str(methods[i]))) {
			return true;
		}
	}
	return false;
}

/* Letters, digits, "_" and "-"; what else there is becomes one "_". */
static struct bytes clean(struct conversion *c, struct bytes s)
{
	char *p = arena_alloc(c->o->arena, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; p != NULL && i < s.n; i++) {
		char ch = ascii_lower(s.p[i]);

		if (ascii_digit(ch) || (ch >= 'a' && ch <= 'z') || ch == '-') {
			p[n++] = s.p[i];
		} else if (n > 0 && p[n - 1] != '_') {
			p[n++] = '_';
		}
	}
	while (n > 0 && p[n - 1] == '_') {
		n--;
	}
	return p != NULL ? bytes_of(p, n) : BYTES("");
}

static struct bytes tool_name(
	struct conversion *c, const struct doc *path, const struct doc *operation)
{
	struct bytes id = text_of(c, operation, "operationId");

	return clean(c,
		id.n > 0 ? id
			 : op_textf(c->o, BYTES_FMT "_" BYTES_FMT, BYTES_ARG(operation->key),
				   BYTES_ARG(path->key)));
}

static struct bytes description_of(struct conversion *c, const struct doc *operation)
{
	struct bytes summary = text_of(c, operation, "summary");
	struct bytes more = text_of(c, operation, "description");

	if (summary.n == 0 || more.n == 0) {
		return summary.n > 0 ? summary : more;
	}
	return op_textf(c->o, BYTES_FMT " - " BYTES_FMT, BYTES_ARG(summary), BYTES_ARG(more));
}

static struct doc *tool_of(struct conversion *c, const struct doc *path, const struct doc *of_path,
	const struct doc *operation)
{
	struct arena *a = c->o->arena;
	const struct doc *body = meant(c, doc_get(a, operation, "requestBody"));
	const struct doc *media = media_of(c, doc_get(a, body, "content"));
	struct doc *tool = doc_map(a), *args;

	doc_set(a, tool, "name", doc_string(a, tool_name(c, path, operation)));
	doc_set(a, tool, "description", doc_string(a, description_of(c, operation)));
	args = doc_need_list(a, tool, "args");
	add_parameters(
		c, args, doc_get(a, of_path, "parameters"), doc_get(a, operation, "parameters"));
	if (media != NULL) {
		add_body(c, args, doc_get(a, media, "schema"), body);
	}
	add_request(c, tool, path, operation);
	add_answer(c, tool, operation);
	return tool;
}

static void add_schemes(struct conversion *c, struct doc *server)
{
	struct arena *a = c->o->arena;
	const struct doc *all = c->swagger ? doc_get(a, c->root, "securityDefinitions")
					   : doc_at(a, c->root, "components.securitySchemes");

	for (const struct doc *s = doc_first(a, all); s != NULL; s = s->next) {
		const struct doc *scheme = meant(c, s);
		struct doc *out = doc_map(a);
		bool basic = c->swagger && bytes_eq(text_of(c, scheme, "type"), BYTES("basic"));

		doc_set(a, out, "id", doc_string(a, s->key));
		put(c, out, "type", basic ? BYTES("http") : text_of(c, scheme, "type"));
		put(c, out, "scheme", basic ? BYTES("basic") : text_of(c, scheme, "scheme"));
		put(c, out, "in", text_of(c, scheme, "in"));
		put(c, out, "name", text_of(c, scheme, "name"));
		doc_append(a, doc_need_list(a, server, "securitySchemes"), out);
	}
}

static struct doc *all_tools(struct conversion *c)
{
	struct arena *a = c->o->arena;
	struct doc *out = doc_map(a), *tools;

	doc_set(a, doc_need_map(a, out, "server"), "name", doc_str(a, "openapi-server"));
	add_schemes(c, doc_get(a, out, "server"));
	tools = doc_need_list(a, out, "tools");
	for (const struct doc *p = doc_first(a, doc_get(a, c->root, "paths")); p != NULL;
		p = p->next) {
		const struct doc *of_path = meant(c, p);

		for (const struct doc *m = doc_first(a, of_path); m != NULL; m = m->next) {
			if (is_method(m->key) && m->type == DOC_MAP) {
				doc_append(a, tools, tool_of(c, p, of_path, m));
			}
		}
	}
	return out;
}

/* --- the whole ---------------------------------------------------------------------------------- */

static enum op_rc parse(struct op *o, struct bytes text, struct doc **out)
{
	const struct json_value *v;
	struct fault fault = {0};
	struct yaml_doc y;

	v = json_parse(o->arena, text, &fault);
	if (v != NULL) {
		*out = doc_of_json(o->arena, v);
		return OP_OK;
	}
	if (yaml_parse(o->arena, text, &y, &fault) != 0) {
		return op_refuse(o, OP_INVALID, "content is neither JSON nor YAML: %s", fault.text);
	}
	*out = doc_of_yaml(o->arena, y.root);
	return OP_OK;
}

enum op_rc op_tools_convert(struct op *o, struct bytes text, struct bytes *out)
{
	struct conversion c = {.o = o};
	struct doc *root = NULL, *tools;
	enum op_rc rc = parse(o, text, &root);
	struct text t;

	if (rc != OP_OK) {
		return rc;
	}
	c.root = root;
	c.swagger = text_of(&c, root, "swagger").n > 0;
	if ((!c.swagger && text_of(&c, root, "openapi").n == 0) ||
		doc_first(o->arena, doc_get(o->arena, root, "paths")) == NULL) {
		return op_refuse(o, OP_INVALID,
			"content is no OpenAPI document: it needs a member openapi (or swagger), "
			"and paths");
	}
	tools = all_tools(&c);
	if (c.nodes >= NODES_MAX) {
		return op_refuse(o, OP_LIMIT,
			"the schemas of the document have more than %u parts once they are written "
			"out: convert it in pieces",
			NODES_MAX);
	}
	text_init(&t, TEXT_MAX);
	yaml_write_in_order(o->arena, &t, tools);
	if (text_full(&t)) {
		rc = op_refuse(o, OP_LIMIT, "the tools take more than 16 MiB");
	} else {
		*out = arena_copy(o->arena, text_bytes(&t));
	}
	text_done(&t);
	return rc;
}
