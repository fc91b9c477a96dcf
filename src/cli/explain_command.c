/*
 * The request is written as HTTP and read by the gateway's own parser, so that fields mean here what they
 * mean there.
 */
#include "cli/explain_command.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/explain_print.h"
#include "base/nearest.h"
#include "cli/tree.h"
#include "hiclaw/env.h"
#include "plan/consumers.h"
#include "plan/explain.h"
#include "wire/h1.h"

/* Longest model that the gateway takes. */
#define MODEL_MAX 512u

struct options {
	const char *resources, *host, *path, *method, *model, *key, *consumer, *prompt;
	struct text fields, query;
	char **paths; /* instead of --resources */
	size_t n_paths;
	bool json, tls, hiclaw;
	char key_room[AUTH_VALUE_MAX + 2];
};

/* --- options ------------------------------------------------------------------------------------ */

enum kind { TEXT, SWITCH, FIELD, PARAMETER };

static const struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *arg, *help;
} rows[] = {
	{"resources", TEXT, offsetof(struct options, resources), "DIR",
		"Root of a Higress file store; the same as a PATH, which may be whatever lint takes. "
		"Without both SLUICE_RESOURCES, else ./data/resources."},
	{"host", TEXT, offsetof(struct options, host), "HOST",
		"Whom the request is for, with a port where the client writes one. Required."},
	{"path", TEXT, offsetof(struct options, path), "PATH",
		"Its path, which may have a query. Required."},
	{"method", TEXT, offsetof(struct options, method), "METHOD",
		"POST where a model is named, else GET."},
	{"header", FIELD, 0, "K=V", "A header field; may be repeated."},
	{"query", PARAMETER, 0, "K=V", "A query parameter; may be repeated."},
	{"model", TEXT, offsetof(struct options, model), "MODEL",
		"The model that the body names. Without it a POST has a body that names none."},
	{"prompt", TEXT, offsetof(struct options, prompt), "TEXT",
		"The last message of the user, which automatic routing looks at."},
	{"key", TEXT, offsetof(struct options, key), "KEY",
		"A consumer's key, wherever the configuration looks for one; - reads a line from "
		"standard input."},
	{"consumer", TEXT, offsetof(struct options, consumer), "NAME",
		"Instead of a key: the name of the consumer who calls."},
	{"tls", SWITCH, offsetof(struct options, tls), NULL, "The request comes over TLS."},
	{"hiclaw", SWITCH, offsetof(struct options, hiclaw), NULL,
		"As serve --hiclaw, for which " ENV_OLD_DOMAIN " is another name of "
		"HICLAW_AI_GATEWAY_DOMAIN."},
	{"json", SWITCH, offsetof(struct options, json), NULL,
		"One JSON object; docs/explain.md lists its members."},
};

void explain_command_help(FILE *out)
{
	fputs("Reads resource files as serve does and says which route, consumer, provider, model and\n"
	      "upstream a request would get, and why each other route was refused. Nothing is sent.\n"
	      "\nOptions:\n",
		out);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fprintf(out, "  --%s%s%s\n      %s\n", rows[i].name, rows[i].arg != NULL ? " " : "",
			rows[i].arg != NULL ? rows[i].arg : "", rows[i].help);
	}
	fputs("\nExit code: 0 the request would be sent on, 1 the gateway would answer it itself, 2 "
	      "wrong\nusage.\n",
		out);
}

static bool usage(const char *fmt, ...) PRINTF_LIKE(1, 2);

static bool usage(const char *fmt, ...)
{
	va_list ap;

	fputs("sluice explain: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; sluice explain --help shows how\n", stderr);
	return false;
}

static const struct row *find_row(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (bytes_eq(bytes_str(rows[i].name), name)) {
			return &rows[i];
		}
	}
	return NULL;
}

static bool unknown(const char *given, struct bytes name)
{
	struct nearest near = {NULL, 0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		nearest_offer(&near, name, rows[i].name);
	}
	return near.name != NULL ? usage("\"%.80s\" is no option, --%s is", given, near.name)
				 : usage("\"%.80s\" is no option", given);
}

/* K=V, or as headers are written: K: V. */
static bool add_field(struct options *o, const char *value)
{
	const char *at = strpbrk(value, "=:");
	struct bytes name, v;

	if (at == NULL) {
		return usage("--header wants NAME=VALUE, not \"%.80s\"", value);
	}
	name = bytes_of(value, (size_t)(at - value));
	v = bytes_trim(bytes_str(at + 1));
	if (!h1_is_token(name) || !h1_is_value(v)) {
		return usage("\"%.80s\" cannot be a header field", value);
	}
	text_add_bytes(&o->fields, name);
	text_add_str(&o->fields, ": ");
	text_add_bytes(&o->fields, v);
	text_add_str(&o->fields, "\r\n");
	return true;
}

static bool take(struct options *o, const struct row *row, const char *value)
{
	char *to = (char *)o + row->offset;

	switch (row->kind) {
	case TEXT:
		memcpy(to, &value, sizeof(value));
		return true;
	case SWITCH:
		*(bool *)(void *)to = true;
		return true;
	case FIELD:
		return add_field(o, value);
	case PARAMETER:
		text_add_char(&o->query, '&');
		text_add_str(&o->query, value);
		return true;
	}
	return false;
}

static bool read_options(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct bytes rest = bytes_str(argv[i]);
		const struct row *row;
		struct bytes name;

		if (rest.n == 1 || rest.p[0] != '-') {
			o->paths[o->n_paths++] = argv[i];
			continue;
		}
		if (!bytes_starts(rest, BYTES("--"))) {
			return usage("\"%.80s\" is no option", argv[i]);
		}
		rest = bytes_of(rest.p + 2, rest.n - 2);
		name = bytes_cut(&rest, '=');
		row = find_row(name);
		if (row == NULL) {
			return unknown(argv[i], name);
		}
		if (row->kind == SWITCH && rest.p != NULL) {
			return usage("--%s takes no value", row->name);
		}
		if (row->kind != SWITCH && rest.p == NULL && ++i == argc) {
			return usage("--%s wants a value: %s", row->name, row->arg);
		}
		if (!take(o, row, rest.p != NULL ? rest.p : argv[i])) {
			return false;
		}
	}
	return true;
}

static bool read_key(struct options *o)
{
	if (o->key == NULL || strcmp(o->key, "-") != 0) {
		return true;
	}
	if (fgets(o->key_room, sizeof(o->key_room), stdin) == NULL) {
		return usage("standard input holds no key");
	}
	o->key_room[strcspn(o->key_room, "\r\n")] = '\0';
	o->key = o->key_room;
	return true;
}

static bool check_options(struct options *o)
{
	if (o->host == NULL || o->path == NULL) {
		return usage("--%s is missing", o->host == NULL ? "host" : "path");
	}
	if (o->key != NULL && o->consumer != NULL) {
		return usage("--key and --consumer say the same; give one of them");
	}
	if (o->model != NULL && strlen(o->model) > MODEL_MAX) {
		return usage("a model has at most %u bytes", MODEL_MAX);
	}
	if (o->n_paths != 0) {
		return (o->resources == NULL ||
			       usage("--resources and \"%.80s\" say the same; give one of them",
				       o->paths[0])) &&
			read_key(o);
	}
	if (o->resources == NULL) {
		o->resources = getenv("SLUICE_RESOURCES");
	}
	if (o->resources == NULL || o->resources[0] == '\0') {
		o->resources = "./data/resources";
	}
	o->paths[o->n_paths++] = (char *)(uintptr_t)o->resources;
	return read_key(o);
}

/* --- the request -------------------------------------------------------------------------------- */

struct request {
	struct text head;
	struct field room[H1_FIELDS_MAX];
	struct explain_field fields[H1_FIELDS_MAX];
	struct explain_request rq;
};

static const char *method_for(const struct options *o)
{
	return o->method != NULL ? o->method : o->model != NULL ? "POST" : "GET";
}

static void write_head(const struct options *o, struct text *t)
{
	struct bytes query = text_bytes(&o->query);

	text_addf(t, "%s %s", method_for(o), o->path);
	if (query.n != 0) {
		text_add_char(t, strchr(o->path, '?') == NULL ? '?' : '&');
		text_add_bytes(t, bytes_of(query.p + 1, query.n - 1));
	}
	text_addf(t, " HTTP/1.1\r\nHost: %s\r\n", o->host);
	text_add_bytes(t, text_bytes(&o->fields));
	text_add_str(t, "\r\n");
}

static bool takes_body(struct bytes method)
{
	return bytes_eq(method, BYTES("POST")) || bytes_eq(method, BYTES("PUT")) ||
		bytes_eq(method, BYTES("PATCH"));
}

/* False: the gateway would not even look for a route; said on stderr. */
static bool make_request(struct request *r, const struct options *o)
{
	struct h1_head head = {.fields = r->room};
	size_t scanned = 0;
	size_t used;
	struct fault f = {0};
	struct bytes host;
	uint16_t port;

	text_init(&r->head, SIZE_MAX);
	write_head(o, &r->head);
	if (h1_parse_request(&head, text_bytes(&r->head), &scanned, &used, &f) != READ_DONE ||
		used != r->head.n || url_parse_target(&r->rq.url, head.target, &f) != 0 ||
		url_parse_authority(bytes_str(o->host), &host, &port) != 0) {
		return usage("this is no request that can be sent: %s",
			f.text[0] != '\0' ? f.text : "the host is no name or address");
	}
	for (unsigned i = 0; i < head.n_fields; i++) {
		const struct field *at = &head.fields[i];

		r->fields[i] = (struct explain_field){bytes_of(r->head.p + at->name, at->name_n),
			bytes_of(r->head.p + at->value, at->value_n), at->id, at->hop};
	}
	r->rq.url.host = r->rq.url.host.n != 0 ? r->rq.url.host : host;
	r->rq.authority = bytes_str(o->host);
	r->rq.method = head.method;
	r->rq.fields = r->fields;
	r->rq.n_fields = head.n_fields;
	r->rq.tls = o->tls;
	r->rq.has_body = head.framing != H1_NO_BODY || o->model != NULL || o->prompt != NULL ||
		takes_body(head.method);
	r->rq.model = bytes_str(o->model);
	r->rq.text = o->prompt != NULL ? bytes_str(o->prompt) : (struct bytes){NULL, 0};
	r->rq.key = bytes_str(o->key);
	r->rq.consumer = bytes_str(o->consumer);
	return true;
}

/* --- the command -------------------------------------------------------------------------------- */

/* What cannot be read is left out, as serve would; lint says what and where. */
static void warn(const struct tree *t, const struct plan *p)
{
	size_t n = 0;

	for (const struct finding *f = t->findings.first; f != NULL; f = f->next) {
		n += f->level == FINDING_ERROR;
	}
	for (const struct finding *f = p->findings.first; f != NULL; f = f->next) {
		n += f->level == FINDING_ERROR;
	}
	if (n != 0) {
		fprintf(stderr,
			"sluice explain: the resources have %zu errors, and what they concern is left "
			"out; sluice lint names them\n",
			n);
	}
}

static bool is_consumer(const struct plan *p, struct bytes name)
{
	for (const struct consumer_set *s = p->consumer_sets; s != NULL; s = s->next) {
		if (consumers_find(s->consumers, name) != NULL) {
			return true;
		}
	}
	return name.n == 0;
}

static struct plan *compile(
	const struct snapshot *s, const struct provider_types *types, bool hiclaw)
{
	struct plan_alias alias = {BYTES(ENV_OLD_DOMAIN), BYTES("")};
	const struct plan_env env = {
		.types = types, .seed = {1, 2}, .alias = hiclaw ? &alias : NULL};
	struct arena a;
	struct plan *p;
	struct env e;

	arena_init(&a, SIZE_MAX);
	if (hiclaw) {
		env_read(&a, &env_of_process, &e);
		alias.of = e.gateway_domain;
	}
	p = plan_compile(s, &env);
	arena_done(&a);
	return p;
}

static int explain_tree(const struct tree *t, const struct provider_types *types,
	const struct options *o, const struct request *r)
{
	struct plan *p = compile(t->snapshot, types, o->hiclaw);
	struct explain e;
	struct explain_print print = {.e = &e,
		.rq = &r->rq,
		.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL};
	struct arena a;
	struct text out;

	warn(t, p);
	arena_init(&a, SIZE_MAX);
	if (!is_consumer(p, r->rq.consumer)) {
		fprintf(stderr,
			"sluice explain: neither key-auth nor basic-auth knows a consumer %s, so nobody "
			"calls\n",
			o->consumer);
	}
	explain_request(p, &r->rq, &a, &e);
	text_init(&out, SIZE_MAX);
	if (o->json) {
		explain_print_json(&print, &out);
	} else {
		explain_print_text(&print, &out);
	}
	fwrite(out.p, 1, out.n, stdout);
	text_done(&out);
	arena_done(&a);
	plan_free(p);
	return e.status == 0 ? COMMAND_DONE : COMMAND_NO;
}

static int explain(const struct provider_types *types, struct options *o)
{
	struct request *r = must_alloc(sizeof(*r));
	int rc = COMMAND_USAGE;
	struct tree t;

	memset(r, 0, sizeof(*r));
	if (check_options(o) && make_request(r, o) && tree_read(&t, o->paths, o->n_paths, stderr)) {
		rc = explain_tree(&t, types, o, r);
		tree_done(&t);
	}
	text_done(&r->head);
	free(r);
	return rc;
}

int explain_command_main(const struct provider_types *types, int argc, char **argv)
{
	struct options o = {.paths = must_alloc(((size_t)argc + 1) * sizeof(char *))};
	int rc;

	text_init(&o.fields, SIZE_MAX);
	text_init(&o.query, SIZE_MAX);
	rc = read_options(&o, argc, argv) ? explain(types, &o) : COMMAND_USAGE;
	text_done(&o.fields);
	text_done(&o.query);
	free(o.paths);
	return rc;
}
