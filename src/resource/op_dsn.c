/*
 * How a database is reached: the members of an MCP server's dbConfig as the one text that the server's own drivers
 * take (console-api.md §3.13.1), and back. The forms are those of the drivers:
 *
 *     mysql       user:password@tcp(host:port)/dbname?k=v      neither user nor password is encoded
 *     postgres    postgres://user:password@host:port/dbname?k=v
 *     clickhouse  tcp://host:port?k=v&username=…&password=…&database=…
 *     sqlite      a path
 */
#include "base/num.h"
#include "resource/op_int.h"
#include "wire/url.h"

/* Attack: a body is a client's; every member has a limit of its own, this one is above their sum. */
#define DSN_MAX (256u * 1024u)
#define PARAMS_MAX 64u

enum form { FORM_MYSQL, FORM_POSTGRES, FORM_CLICKHOUSE, FORM_SQLITE };

struct op_dsn_type {
	const char *name, *word;
	enum form form;
	unsigned user_max, dbname_max;
	bool user_needed, dbname_needed, host_needed;
};

static const struct op_dsn_type types[] = {
	{"MYSQL", "mysql", FORM_MYSQL, 32, 64, true, true, true},
	{"POSTGRESQL", "postgres", FORM_POSTGRES, 63, 63, true, true, true},
	{"SQLITE", "sqlite", FORM_SQLITE, 128, 1024, false, true, false},
	{"CLICKHOUSE", "clickhouse", FORM_CLICKHOUSE, 256, 255, false, false, true},
};

const struct op_dsn_type *op_dsn_type_of(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (bytes_eq_nocase(name, bytes_str(types[i].name))) {
			return &types[i];
		}
	}
	return NULL;
}

const struct op_dsn_type *op_dsn_type_stored(struct bytes word)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (bytes_eq_nocase(word, bytes_str(types[i].word))) {
			return &types[i];
		}
	}
	return NULL;
}

const char *op_dsn_type_name(const struct op_dsn_type *t)
{
	return t->name;
}

const char *op_dsn_type_word(const struct op_dsn_type *t)
{
	return t->word;
}

static struct bytes member(struct op *o, const struct doc *m, const char *key)
{
	return op_scalar(doc_get(o->arena, m, key));
}

/* --- checks ------------------------------------------------------------------------------------- */

static bool printable(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] > 0x7e) {
			return false;
		}
	}
	return true;
}

static enum op_rc check_text(
	struct op *o, const struct doc *config, const char *key, bool needed, unsigned max)
{
	struct bytes v = member(o, config, key);

	if (needed && bytes_trim(v).n == 0) {
		return op_refuse(o, OP_INVALID, "dbConfig.%s must be given", key);
	}
	if (!printable(v) || v.n > max) {
		return op_refuse(o, OP_INVALID,
			"dbConfig.%s must be printable ASCII of at most %u characters", key, max);
	}
	return OP_OK;
}

/* Whether there is nothing but these characters, of any case. */
static bool only(struct bytes s, const char *chars)
{
	for (size_t i = 0; i < s.n; i++) {
		if (memchr(chars, ascii_lower(s.p[i]), strlen(chars)) == NULL) {
			return false;
		}
	}
	return true;
}

/* Labels of letters, digits and hyphens; an address of either kind. */
static bool is_host(struct bytes host)
{
	struct bytes rest = host;

	if (bytes_starts(host, BYTES("[")) && bytes_ends(host, BYTES("]"))) {
		return only(bytes_of(host.p + 1, host.n - 2), "0123456789abcdef:.");
	}
	if (host.n > 0 && memchr(host.p, ':', host.n) != NULL) {
		return only(host, "0123456789abcdef:.");
	}
	if (bytes_ends(host, BYTES("."))) {
		rest.n--;
	}
	while (rest.p != NULL) {
		struct bytes label = bytes_cut(&rest, '.');

		if (label.n == 0 || label.n > 63 || label.p[0] == '-' ||
			label.p[label.n - 1] == '-') {
			return false;
		}
		for (size_t i = 0; i < label.n; i++) {
			char c = ascii_lower(label.p[i]);

			if (!ascii_digit(c) && c != '-' && (c < 'a' || c > 'z')) {
				return false;
			}
		}
	}
	return true;
}

static enum op_rc check_place(struct op *o, const struct doc *config)
{
	struct bytes host = bytes_trim(member(o, config, "host")), name = host;
	enum op_rc rc = check_text(o, config, "host", true, 253);
	uint64_t port;

	if (rc == OP_OK && !is_host(host)) {
		rc = op_refuse(
			o, OP_INVALID, "dbConfig.host must be the name or address of a host");
	}
	if (rc == OP_OK &&
		(!num_parse_u64(bytes_trim(member(o, config, "port")), 65535, &port) ||
			port == 0)) {
		rc = op_refuse(o, OP_INVALID, "dbConfig.port must be between 1 and 65535");
	}
	if (bytes_starts(name, BYTES("[")) && bytes_ends(name, BYTES("]"))) {
		name = bytes_of(name.p + 1, name.n - 2);
	}
	return rc != OP_OK ? rc : op_host_allowed(o, "dbConfig.host", name);
}

static bool is_param_name(struct bytes key)
{
	for (size_t i = 0; i < key.n; i++) {
		char c = ascii_lower(key.p[i]);

		if (!ascii_digit(c) && (c < 'a' || c > 'z') && memchr("._-", c, 3) == NULL) {
			return false;
		}
	}
	return key.n > 0 && key.n <= 64;
}

static enum op_rc check_params(struct op *o, const struct doc *config)
{
	const struct doc *params = doc_get(o->arena, config, "otherParams");

	if (params != NULL && params->n > PARAMS_MAX) {
		return op_refuse(
			o, OP_INVALID, "dbConfig.otherParams: more than %u entries", PARAMS_MAX);
	}
	for (const struct doc *p = doc_first(o->arena, params); p != NULL; p = p->next) {
		struct bytes v = op_scalar(p);

		if (!is_param_name(bytes_trim(p->key))) {
			return op_refuse(o, OP_INVALID,
				"dbConfig.otherParams: a key has 1 to 64 letters, digits, dots, "
				"underscores and hyphens");
		}
		if (!doc_given(p) || p->type == DOC_LIST || p->type == DOC_MAP || v.n > 512 ||
			!printable(v)) {
			return op_refuse(o, OP_INVALID,
				"dbConfig.otherParams: " BYTES_FMT
				" must be printable ASCII of at most 512 characters",
				BYTES_ARG(p->key));
		}
	}
	return OP_OK;
}

/* What the driver would take for another part of the text. */
static enum op_rc check_mysql(struct op *o, const struct doc *config)
{
	struct bytes user = member(o, config, "username"), name = member(o, config, "dbname");

	if (memchr(user.p, ':', user.n) != NULL || memchr(name.p, '/', name.n) != NULL ||
		memchr(name.p, '?', name.n) != NULL) {
		return op_refuse(o, OP_INVALID,
			"dbConfig: for MySQL the username holds no colon, and dbname neither a slash "
			"nor a question mark");
	}
	return OP_OK;
}

enum op_rc op_dsn_check(struct op *o, const struct op_dsn_type *t, const struct doc *config)
{
	enum op_rc rc = t->host_needed ? check_place(o, config) : OP_OK;

	rc = rc != OP_OK ? rc : check_text(o, config, "username", t->user_needed, t->user_max);
	rc = rc != OP_OK ? rc : check_text(o, config, "dbname", t->dbname_needed, t->dbname_max);
	rc = rc != OP_OK ? rc : check_text(o, config, "password", false, 256);
	rc = rc != OP_OK || t->form != FORM_MYSQL ? rc : check_mysql(o, config);
	return rc != OP_OK ? rc : check_params(o, config);
}

/* --- built -------------------------------------------------------------------------------------- */

/* As Java's URLEncoder does it, with %20 for a blank. */
static void add_encoded(struct text *t, struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (ascii_digit(c) || (c >= 'a' && c <= 'z') || memchr(".-*_", c, 4) != NULL) {
			text_add_char(t, s.p[i]);
		} else {
			text_addf(t, "%%%02X", (unsigned char)s.p[i]);
		}
	}
}

static void add_param(struct text *t, bool *any, struct bytes key, struct bytes value)
{
	if (value.n == 0) {
		return;
	}
	text_add_char(t, *any ? '&' : '?');
	add_encoded(t, key);
	text_add_char(t, '=');
	add_encoded(t, value);
	*any = true;
}

static void add_params(struct op *o, struct text *t, const struct doc *config, bool *any)
{
	const struct doc *p = doc_first(o->arena, doc_get(o->arena, config, "otherParams"));

	for (; p != NULL; p = p->next) {
		add_param(t, any, p->key, op_scalar(p));
	}
}

static void add_place(struct op *o, struct text *t, const struct doc *config)
{
	struct bytes host = bytes_trim(member(o, config, "host"));
	struct bytes port = bytes_trim(member(o, config, "port"));
	bool bare = host.n > 0 && memchr(host.p, ':', host.n) != NULL && host.p[0] != '[';

	text_addf(t, bare ? "[" BYTES_FMT "]" : BYTES_FMT, BYTES_ARG(host));
	text_addf(t, port.n > 0 ? ":" BYTES_FMT : BYTES_FMT, BYTES_ARG(port));
}

static void add_mysql(struct op *o, struct text *t, const struct doc *config)
{
	struct bytes user = member(o, config, "username"), pass = member(o, config, "password");
	bool any = false;

	text_add_bytes(t, user);
	text_addf(t, pass.n > 0 ? ":" BYTES_FMT : BYTES_FMT, BYTES_ARG(pass));
	text_add_str(t, t->n > 0 ? "@tcp(" : "tcp(");
	add_place(o, t, config);
	text_addf(t, ")/" BYTES_FMT, BYTES_ARG(member(o, config, "dbname")));
	add_params(o, t, config, &any);
}

static void add_postgres(struct op *o, struct text *t, const struct doc *config)
{
	struct bytes user = member(o, config, "username"), pass = member(o, config, "password");
	bool any = false;

	text_add_str(t, "postgres://");
	if (user.n > 0) {
		add_encoded(t, user);
		text_add_str(t, pass.n > 0 ? ":" : "");
		add_encoded(t, pass);
		text_add_char(t, '@');
	}
	add_place(o, t, config);
	text_add_char(t, '/');
	add_encoded(t, member(o, config, "dbname"));
	add_params(o, t, config, &any);
}

static void add_clickhouse(struct op *o, struct text *t, const struct doc *config)
{
	bool any = false;

	text_add_str(t, "tcp://");
	add_place(o, t, config);
	add_params(o, t, config, &any);
	add_param(t, &any, BYTES("username"), member(o, config, "username"));
	add_param(t, &any, BYTES("password"), member(o, config, "password"));
	add_param(t, &any, BYTES("database"), member(o, config, "dbname"));
}

struct bytes op_dsn_build(struct op *o, const struct op_dsn_type *t, const struct doc *config)
{
	struct bytes out;
	struct text text;

	text_init(&text, DSN_MAX);
	switch (t->form) {
	case FORM_MYSQL:
		add_mysql(o, &text, config);
		break;
	case FORM_POSTGRES:
		add_postgres(o, &text, config);
		break;
	case FORM_CLICKHOUSE:
		add_clickhouse(o, &text, config);
		break;
	case FORM_SQLITE:
		text_add_bytes(&text, member(o, config, "dbname"));
		break;
	}
	out = arena_copy(o->arena, text_bytes(&text));
	text_done(&text);
	return out;
}

/* --- read --------------------------------------------------------------------------------------- */

/* What cannot be decoded is shown as it is. */
static struct bytes decoded(struct op *o, struct bytes s)
{
	char *p = arena_alloc(o->arena, s.n + 1);
	ptrdiff_t n = p != NULL ? url_decode(p, s, true, false) : -1;

	return n >= 0 ? bytes_of(p, (size_t)n) : s;
}

static void put(struct op *o, struct doc *out, const char *key, struct bytes v)
{
	if (v.p != NULL && v.n > 0) {
		doc_set(o->arena, out, key, doc_string(o->arena, v));
	}
}

/* Cuts what stands in front of the first `at`; p NULL: there is none. */
static struct bytes cut_front(struct bytes *rest, char at)
{
	const char *p = rest->n > 0 ? memchr(rest->p, at, rest->n) : NULL;
	struct bytes front = bytes_of(NULL, 0);

	if (p != NULL) {
		front = bytes_of(rest->p, (size_t)(p - rest->p));
		*rest = bytes_of(p + 1, rest->n - front.n - 1);
	}
	return front;
}

static void put_user(struct op *o, struct doc *out, struct bytes info, bool encoded)
{
	struct bytes pass = info, user = cut_front(&pass, ':');

	if (user.p == NULL) {
		user = info;
		pass = BYTES("");
	}
	put(o, out, "username", encoded ? decoded(o, user) : user);
	put(o, out, "password", encoded ? decoded(o, pass) : pass);
}

static void put_place(struct op *o, struct doc *out, struct bytes place)
{
	struct bytes host = place, port = BYTES("");

	for (size_t i = place.n; i > 0 && place.p[i - 1] != ']'; i--) {
		if (place.p[i - 1] == ':') {
			host = bytes_of(place.p, i - 1);
			port = bytes_of(place.p + i, place.n - i);
			break;
		}
	}
	if (bytes_starts(host, BYTES("[")) && bytes_ends(host, BYTES("]"))) {
		host = bytes_of(host.p + 1, host.n - 2);
	}
	put(o, out, "host", host);
	put(o, out, "port", port);
}

/* own: "username", "password" and "database" are members. */
static void put_params(struct op *o, struct doc *out, struct bytes query, bool own)
{
	struct doc *params = doc_map(o->arena);

	while (query.n > 0) {
		struct bytes value = bytes_cut(&query, '&'), key = cut_front(&value, '=');

		if (key.p == NULL) {
			key = value;
			value = BYTES("");
		}
		key = decoded(o, key);
		value = decoded(o, value);
		if (own && (bytes_eq(key, BYTES("username")) || bytes_eq(key, BYTES("password")))) {
			doc_set_bytes(o->arena, out, key, doc_string(o->arena, value));
		} else if (own && bytes_eq(key, BYTES("database"))) {
			put(o, out, "dbname", value);
		} else if (key.n > 0) {
			doc_set_bytes(o->arena, params, key, doc_string(o->arena, value));
		}
	}
	if (doc_first(o->arena, params) != NULL) {
		doc_set(o->arena, out, "otherParams", params);
	}
}

/* Index of the last `c`; s.n: there is none. */
static size_t last_of(struct bytes s, char c)
{
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != c) {
		i--;
	}
	return i > 0 ? i - 1 : s.n;
}

/* As the driver reads it: behind the last slash is the name, before the last "@" who logs in. */
static void read_mysql(struct op *o, struct doc *out, struct bytes dsn)
{
	size_t slash = last_of(dsn, '/'), at;
	struct bytes left = bytes_of(dsn.p, slash), query, name, place;

	if (slash == dsn.n) {
		return;
	}
	at = last_of(left, '@');
	if (at < left.n) {
		put_user(o, out, bytes_of(left.p, at), false);
		left = bytes_of(left.p + at + 1, left.n - at - 1);
	}
	place = left;
	if (cut_front(&place, '(').p != NULL && bytes_ends(place, BYTES(")"))) {
		put_place(o, out, bytes_of(place.p, place.n - 1));
	}
	query = bytes_of(dsn.p + slash + 1, dsn.n - slash - 1);
	name = cut_front(&query, '?');
	put(o, out, "dbname", name.p != NULL ? name : query);
	put_params(o, out, name.p != NULL ? query : BYTES(""), false);
}

/* scheme://[user[:password]@]place[/dbname][?query] */
static void read_url(struct op *o, struct doc *out, struct bytes dsn, bool own)
{
	struct bytes rest = dsn, query, path;
	size_t at;

	if (cut_front(&rest, '/').p == NULL || !bytes_starts(rest, BYTES("/"))) {
		return;
	}
	query = bytes_of(rest.p + 1, rest.n - 1);
	rest = cut_front(&query, '?');
	if (rest.p == NULL) {
		rest = query;
		query = BYTES("");
	}
	path = rest;
	rest = cut_front(&path, '/');
	if (rest.p == NULL) {
		rest = path;
		path = BYTES("");
	}
	at = last_of(rest, '@');
	if (at < rest.n) {
		put_user(o, out, bytes_of(rest.p, at), true);
		rest = bytes_of(rest.p + at + 1, rest.n - at - 1);
	}
	put_place(o, out, rest);
	put(o, out, "dbname", decoded(o, path));
	put_params(o, out, query, own);
}

struct doc *op_dsn_parse(struct op *o, const struct op_dsn_type *t, struct bytes dsn)
{
	struct doc *out = doc_map(o->arena);

	switch (t->form) {
	case FORM_MYSQL:
		read_mysql(o, out, bytes_trim(dsn));
		break;
	case FORM_POSTGRES:
		read_url(o, out, bytes_trim(dsn), false);
		break;
	case FORM_CLICKHOUSE:
		read_url(o, out, bytes_trim(dsn), true);
		break;
	case FORM_SQLITE:
		put(o, out, "dbname", dsn);
		break;
	}
	return out;
}
