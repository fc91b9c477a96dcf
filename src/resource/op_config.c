/*
 * The ConfigMap higress-config: sections that are YAML in themselves, and of `higress` the block mcpServer, which
 * holds the servers of databases.
 *
 * The Console reads that text, and prints the whole of it anew in the style of its YAML library: texts in double
 * quotes, keys in their order. So do we where it can lose nothing. A text with comments, or with anything that
 * another spelling could stand for, is changed span by span instead: a person wrote it.
 */
#include "resource/op_int.h"
#include "wire/yaml_edit.h"

#define TEXT_MAX ((size_t)4 << 20)
/* Where the Console's library breaks texts in quotes, at blanks. */
#define WIDTH 80u

static const char *const names[] = {"higress", "mesh", "meshNetworks"};

/* What a fresh Higress has of it, as far as it means something here. */
static const char *const defaults[] = {
	"downstream:\n"
	"  connectionBufferLimits: 32768\n"
	"  http2:\n"
	"    initialConnectionWindowSize: 1048576\n"
	"    initialStreamWindowSize: 65535\n"
	"    maxConcurrentStreams: 100\n"
	"  idleTimeout: 180\n"
	"  maxRequestHeadersKb: 60\n"
	"  routeTimeout: 0\n"
	"upstream:\n"
	"  connectionBufferLimits: 10485760\n"
	"  idleTimeout: 10",
	"accessLogEncoding: TEXT",
	"networks: {}",
};

const char *op_config_section(size_t i)
{
	return i < ARRAY_LEN(names) ? names[i] : NULL;
}

static struct bytes text_of(struct op *o, const struct doc *root, size_t i)
{
	const struct doc *v = doc_get(o->arena, doc_get(o->arena, root, "data"), names[i]);
	struct bytes text = doc_text(v, BYTES(""));

	return text.n > 0 ? text : bytes_str(defaults[i]);
}

struct bytes op_config_text(struct op *o, const char *section)
{
	const struct doc *root = draft_look(&o->draft, RESOURCE_CONFIGMAP, OP_CONFIG);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(section, names[i]) == 0) {
			return text_of(o, root, i);
		}
	}
	return BYTES("");
}

void op_config_put(struct op *o, const char *section, struct bytes text)
{
	struct doc *root = draft_need(&o->draft, RESOURCE_CONFIGMAP, OP_CONFIG);
	struct doc *data = doc_need_map(o->arena, root, "data");

	op_mark(o, root, OP_CONFIG);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct bytes now = strcmp(section, names[i]) == 0 ? text : text_of(o, root, i);

		doc_set(o->arena, data, names[i], doc_string(o->arena, now));
	}
}

/* --- the Console's style ------------------------------------------------------------------------ */

static bool is_plain_text(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] > 0x7e) {
			return false;
		}
	}
	return true;
}

/* A key that the library writes without quotes, beyond doubt. */
static bool is_plain_key(struct bytes s)
{
	struct yaml_node n;

	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		bool letter = c >= 'a' && c <= 'z';

		if (!letter && (i == 0 || (!ascii_digit(c) && memchr("_-./", c, 4) == NULL))) {
			return false;
		}
	}
	return s.n > 0 && yaml_resolve(s, &n) == YAML_STRING;
}

static bool add_quoted(struct text *out, struct bytes s, size_t column)
{
	bool breaks = false;

	for (size_t i = 0; i < s.n; i++) {
		breaks |= s.p[i] == ' ' || s.p[i] == '"' || s.p[i] == '\\';
	}
	if (!is_plain_text(s) || (breaks && column + s.n + 2 > WIDTH)) {
		return false;
	}
	text_add_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\') {
			text_add_char(out, '\\');
		}
		text_add_char(out, s.p[i]);
	}
	text_add_char(out, '"');
	return true;
}

/* The text that a number or boolean has in JSON, and no other that a person may have written for it. */
static bool add_scalar(struct op *o, struct text *out, const struct doc *d, size_t column)
{
	struct bytes text;

	switch (d->type) {
	case DOC_STRING:
		return add_quoted(out, d->text, column);
	case DOC_INT:
		text = op_textf(o, "%lld", (long long)d->integer);
		break;
	case DOC_BOOL:
		text = bytes_str(d->boolean ? "true" : "false");
		break;
	case DOC_NULL:
	case DOC_FLOAT:
	case DOC_LIST:
	case DOC_MAP:
		return false;
	}
	text_add_bytes(out, text);
	return d->origin == NULL || bytes_eq(text, d->origin->text);
}

static void add_blanks(struct text *out, size_t n)
{
	while (n-- > 0) {
		text_add_char(out, ' ');
	}
}

static bool add_map(struct op *o, struct text *out, const struct doc *m, size_t indent);

/* Behind "key:" or "-"; the line is ended. */
static bool add_value(struct op *o, struct text *out, const struct doc *v, size_t indent, size_t at)
{
	const struct doc *first = doc_first(o->arena, v);
	bool good = true;

	if (first == NULL && (v->type == DOC_LIST || v->type == DOC_MAP)) {
		text_add_str(out, v->type == DOC_LIST ? " []\n" : " {}\n");
		return true;
	}
	if (v->type == DOC_MAP) {
		text_add_char(out, '\n');
		return add_map(o, out, v, indent + 2);
	}
	if (v->type != DOC_LIST) {
		text_add_char(out, ' ');
		good = add_scalar(o, out, v, at + 1);
		text_add_char(out, '\n');
		return good;
	}
	text_add_char(out, '\n');
	for (; first != NULL && good; first = first->next) {
		add_blanks(out, indent);
		text_add_str(out, "- ");
		if (first->type == DOC_MAP && doc_first(o->arena, first) != NULL) {
			good = add_map(o, out, first, indent + 2);
		} else {
			good = add_scalar(o, out, first, indent + 2);
			text_add_char(out, '\n');
		}
	}
	return good;
}

/* The first line of a list's item has its "- " already. */
static bool add_map(struct op *o, struct text *out, const struct doc *m, size_t indent)
{
	for (const struct doc *v = doc_first(o->arena, m); v != NULL; v = v->next) {
		if (!is_plain_key(v->key)) {
			return false;
		}
		if (out->n == 0 || out->p[out->n - 1] == '\n') {
			add_blanks(out, indent);
		}
		text_addf(out, BYTES_FMT ":", BYTES_ARG(v->key));
		if (!add_value(o, out, v, indent, indent + v->key.n + 1)) {
			return false;
		}
	}
	return true;
}

bool op_config_print(struct op *o, const struct doc *root, struct bytes *out)
{
	struct text t;
	bool good;

	text_init(&t, TEXT_MAX);
	good = root != NULL && root->type == DOC_MAP && add_map(o, &t, root, 0) && !text_full(&t);
	if (good) {
		*out = arena_copy(o->arena, text_bytes(&t));
	}
	text_done(&t);
	return good;
}

/* --- mcpServer ---------------------------------------------------------------------------------- */

enum op_rc op_config_open(struct op *o, struct op_config *c)
{
	struct bytes text = op_config_text(o, "higress");
	struct fault fault = {0};
	struct yaml_doc y;

	if (yaml_parse(o->arena, text, &y, &fault) != 0 ||
		(y.root != NULL && y.root->type != YAML_MAP && y.root->type != YAML_NULL)) {
		return op_refuse(o, OP_INVALID,
			"the section higress of the ConfigMap higress-config is no YAML mapping%s%s: "
			"mend it first",
			fault.text[0] != '\0' ? ": " : "", fault.text);
	}
	c->text = text;
	c->y = y.root;
	c->root = y.root != NULL && y.root->type == YAML_MAP ? doc_of_yaml(o->arena, y.root)
							     : doc_map(o->arena);
	return OP_OK;
}

/* In the order in which the Console's own object has them. */
static void add_redis(struct op *o, struct doc *m)
{
	struct doc *redis = doc_need_map(o->arena, m, "redis");

	doc_set(o->arena, redis, "address", doc_str(o->arena, "your.redis.host:6379"));
	doc_set(o->arena, redis, "password", doc_str(o->arena, "your_password"));
	doc_set(o->arena, redis, "db", doc_int(o->arena, 0));
	doc_set(o->arena, redis, "username", doc_str(o->arena, "your_username"));
}

struct doc *op_config_mcp(struct op *o, struct op_config *c)
{
	struct arena *a = o->arena;
	struct doc *m = doc_need_map(a, c->root, "mcpServer");
	bool lacks = false;

	if (!doc_given(doc_get(a, m, "enable"))) {
		doc_set(a, m, "enable", doc_bool(a, true));
		lacks = true;
	}
	if (!doc_given(doc_get(a, m, "redis"))) {
		add_redis(o, m);
		lacks = true;
	}
	lacks |= bytes_trim(op_scalar(doc_get(a, m, "sse_path_suffix"))).n == 0;
	if (lacks) {
		doc_need_list(a, m, "servers");
	}
	if (bytes_trim(op_scalar(doc_get(a, m, "sse_path_suffix"))).n == 0) {
		doc_set(a, m, "sse_path_suffix", doc_str(a, "/sse"));
	}
	return m;
}

static bool has_comment(struct bytes text)
{
	return text.n > 0 && memchr(text.p, '#', text.n) != NULL;
}

enum op_rc op_config_close(struct op *o, struct op_config *c, struct bytes *out)
{
	struct fault fault = {0};
	struct text t;
	int rc = 0;

	*out = c->text;
	if (arena_full(o->arena) || (c->y != NULL && doc_is_yaml(o->arena, c->root, c->y))) {
		return OP_OK; /* of a full arena nothing is written */
	}
	if (!has_comment(c->text) && op_config_print(o, c->root, out)) {
		return OP_OK;
	}
	text_init(&t, TEXT_MAX);
	rc = yaml_edit(o->arena, c->text, c->y, c->root, &t, NULL, &fault);
	if (rc == 0) {
		*out = arena_copy(o->arena, text_bytes(&t));
	}
	text_done(&t);
	return rc == 0 ? OP_OK
		       : op_refuse(o, OP_INVALID,
				 "the section higress of the ConfigMap higress-config cannot be "
				 "changed piece by piece: %s",
				 fault.text);
}
