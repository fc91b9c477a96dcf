#include "console/ep_nouns.h"

#include "base/digest.h"

const struct act_noun noun_domain = {&op_domain, "domain"};
const struct act_noun noun_provider = {&op_provider, "provider"};
const struct act_noun noun_consumer = {&op_consumer, "consumer"};
const struct act_noun noun_ai_route = {&op_ai_route, "AI route"};
const struct act_noun noun_route = {&op_route, "route"};
const struct act_noun noun_source = {&op_source, "service source"};
const struct act_noun noun_certificate = {&op_certificate, "certificate"};
const struct act_noun noun_proxy_server = {&op_proxy_server, "proxy server"};
const struct act_noun noun_mcp_server = {&op_mcp_server, "MCP server"};
const struct act_noun noun_wasm_plugin = {&op_wasm_plugin, "plugin"};

#define VERSION_MAX 64u

/* --- entity tags -------------------------------------------------------------------------------- */

/* Whether a version is one as stores write it. A file's may be anything, and it becomes part of a header. */
static bool is_plain(struct bytes version)
{
	for (size_t i = 0; i < version.n; i++) {
		char c = version.p[i];

		if (!(ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') && !ascii_digit(c) &&
			c != '-' && c != '.' && c != '_') {
			return false;
		}
	}
	return version.n != 0 && version.n <= VERSION_MAX;
}

/* A strong tag of what GET shows; of a version where there is one, so that people may write it. */
static struct bytes etag_of(struct act *a, const struct doc *object)
{
	struct bytes version = doc_text(doc_get(a->arena, object, "version"), BYTES(""));
	unsigned char digest[DIGEST_SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE];
	struct json_writer w;
	struct text t;
	struct bytes tag;

	text_init(&t, RESOURCE_FILE_MAX);
	if (!is_plain(version)) {
		json_writer_init(&w, &t);
		doc_put_json(a->arena, &w, object);
		digest_sha256(digest, text_bytes(&t));
		digest_hex(hex, digest);
		version = bytes_of(hex, 16);
		text_clear(&t);
	}
	text_addf(&t, "\"" BYTES_FMT "\"", BYTES_ARG(version));
	tag = arena_copy(a->arena, text_bytes(&t));
	text_done(&t);
	return tag.p != NULL ? tag : BYTES("");
}

/* RFC 9110 §13.1.1. */
static bool names_tag(struct bytes list, struct bytes tag)
{
	struct bytes rest = list;

	while (rest.p != NULL) {
		struct bytes one = bytes_trim(bytes_cut(&rest, ','));

		if (bytes_eq(one, tag) || bytes_eq(one, BYTES("*"))) {
			return true;
		}
	}
	return false;
}

/* False: refused. before may be NULL. */
static bool check_tag(struct act *a, const struct doc *before)
{
	if (a->if_match.p == NULL ||
		(before != NULL && names_tag(a->if_match, etag_of(a, before)))) {
		return true;
	}
	act_refuse(a, 412, "the %s has changed since it was read; read it again",
		a->endpoint->noun->label);
	return false;
}

/* --- reading ------------------------------------------------------------------------------------ */

void ep_nouns_list(struct act *a)
{
	const struct op_noun *noun = a->endpoint->noun->op;
	struct strings names = noun->list(a->op);
	size_t from, count;

	if (!act_page(a, names.n, &from, &count)) {
		return;
	}
	a->data = doc_list(a->arena);
	for (size_t i = from; i < from + count; i++) {
		/* One that cannot be read must not hide the others (T27). */
		doc_append(a->arena, a->data, noun->read(a->op, names.v[i]));
	}
}

static void give(struct act *a, struct bytes name)
{
	a->data = a->endpoint->noun->op->read(a->op, name);
	if (a->data != NULL) {
		a->etag = etag_of(a, a->data);
	}
}

void ep_nouns_get(struct act *a)
{
	give(a, a->params[0]);
	if (a->data == NULL) {
		act_missing(a);
	}
}

/* --- writing ------------------------------------------------------------------------------------ */

static bool is_utf8(struct bytes s)
{
	size_t n;

	for (size_t i = 0; i < s.n; i += n) {
		n = text_utf8(s.p + i, s.n - i);
		if (n == 0) {
			return false;
		}
	}
	return true;
}

/* The name of the object that is meant: §2.7 for PUT, the body's for POST. p NULL: refused. */
static struct bytes settle_name(struct act *a)
{
	struct bytes said = act_member(a, "name");
	struct bytes path = a->params[0];

	if (path.p != NULL && !is_utf8(path)) {
		act_refuse(a, 400, "the name in the path is no UTF-8");
		return bytes_of(NULL, 0);
	}
	if (path.p == NULL) {
		if (said.n == 0) {
			act_refuse(a, 400, "the %s needs a name", a->endpoint->noun->label);
			return bytes_of(NULL, 0);
		}
		return said;
	}
	if (said.n == 0 && a->endpoint->name == ACT_NAME_NEEDED_ELSE_REPLACED) {
		act_refuse(a, 400,
			"the %s needs a name in the body; is this what GET answered, with its envelope?",
			a->endpoint->noun->label);
		return bytes_of(NULL, 0);
	}
	if (said.n != 0 && a->endpoint->name == ACT_NAME_FILLED_OR_400 && !bytes_eq(said, path)) {
		act_refuse(a, 400, "the name in the body is not that of the path");
		return bytes_of(NULL, 0);
	}
	return path;
}

static void save(struct act *a, enum op_mode mode)
{
	const struct act_noun *noun = a->endpoint->noun;
	struct doc *before;
	struct bytes name;

	if (a->body == NULL) {
		act_refuse(a, 400, "the request needs a JSON object as its body");
		return;
	}
	name = settle_name(a);
	if (name.p == NULL) {
		return;
	}
	doc_set(a->arena, a->body, "name", doc_string(a->arena, name));
	before = noun->op->read(a->op, name);
	if (check_tag(a, before)) {
		act_op(a, noun->op->save(a->op, mode, name, a->body));
	}
}

void ep_nouns_create(struct act *a)
{
	save(a, OP_CREATE);
}

void ep_nouns_replace(struct act *a)
{
	save(a, OP_UPDATE);
}

void ep_nouns_remove(struct act *a)
{
	const struct act_noun *noun = a->endpoint->noun;

	if (a->if_match.p != NULL && !check_tag(a, noun->op->read(a->op, a->params[0]))) {
		return;
	}
	act_op(a, noun->op->remove(a->op, a->params[0]));
}

void ep_nouns_answer(struct act *a)
{
	struct bytes name = settle_name(a);

	if (name.p != NULL) {
		give(a, name);
	}
}

struct bytes ep_nouns_name(const struct act *a)
{
	if (a->endpoint->noun == NULL) {
		return BYTES("");
	}
	return a->params[0].p != NULL ? a->params[0]
				      : doc_text(doc_get(a->arena, a->data, "name"), BYTES(""));
}

struct doc *ep_nouns_object(struct act *a)
{
	struct bytes name = ep_nouns_name(a);

	return name.n != 0 ? a->endpoint->noun->op->read(a->op, name) : NULL;
}
