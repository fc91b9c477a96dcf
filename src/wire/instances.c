/*
 * Shapes, as the registries' own HTTP interfaces document them:
 *   nacos 1, 2  {"hosts": [{"ip", "port", "weight", "healthy", "enabled", "metadata"}]}
 *   nacos 3     {"code": 0, "data": [the same]}
 *   consul      [{"Node": {"Address"}, "Service": {"Address", "Port", "Weights", "Meta"}, "Checks"}]
 *   zookeeper   {"address", "port", "sslPort", "payload": {"metadata": {"instance_status", "protocol"}}}
 *   eureka      {"application": {"instance": [{"ipAddr", "status", "port": {"$", "@enabled"}, …}]}}
 * A member of another type than these makes the answer none: whoever asked keeps what he had. Members that
 * are absent have the value that the registry documents for them.
 */
#include "wire/instances.h"

#include "base/num.h"
#include "wire/json.h"

struct reading {
	struct arena *arena;
	struct instances *out;
	struct fault *fault;
};

static int wrong(struct fault *f, const struct json_value *v, const char *what)
{
	return fault_set(
		f, ERR_SYNTAX, 0, v != NULL ? v->beg : 0, "%s is not what it should be", what);
}

/* --- members, each absent or of its type -------------------------------------------------------- */

static bool is_given(const struct json_value *v)
{
	return v != NULL && v->type != JSON_NULL;
}

static int read_text(
	const struct reading *r, const struct json_value *of, const char *key, struct bytes *out)
{
	const struct json_value *v = json_get(of, key);

	if (!is_given(v)) {
		*out = BYTES("");
		return 0;
	}
	if (v->type != JSON_STRING) {
		return wrong(r->fault, v, key);
	}
	*out = v->text;
	return 0;
}

/* Eureka writes booleans as strings. */
static int read_bool(
	const struct reading *r, const struct json_value *of, const char *key, bool *out)
{
	const struct json_value *v = json_get(of, key);

	if (!is_given(v)) {
		return 0;
	}
	if (v->type == JSON_TRUE || v->type == JSON_FALSE) {
		*out = v->type == JSON_TRUE;
		return 0;
	}
	if (v->type == JSON_STRING &&
		(bytes_eq(v->text, BYTES("true")) || bytes_eq(v->text, BYTES("false")))) {
		*out = bytes_eq(v->text, BYTES("true"));
		return 0;
	}
	return wrong(r->fault, v, key);
}

static int read_port(
	const struct reading *r, const struct json_value *of, const char *key, uint16_t *out)
{
	const struct json_value *v = json_get(of, key);
	uint64_t port = 0;
	bool good = true;

	if (is_given(v)) {
		good = v->type == JSON_NUMBER    ? json_number_u64(v->text, &port)
			: v->type == JSON_STRING ? num_parse_u64(v->text, 65535, &port)
						 : false;
	}
	if (!good || port > 65535) {
		return wrong(r->fault, v, key);
	}
	*out = (uint16_t)port;
	return 0;
}

/* No digit but 0 before the exponent. Below 0 nobody has a weight. */
static bool is_nothing(struct bytes number)
{
	for (size_t i = 0; i < number.n && number.p[i] != 'e' && number.p[i] != 'E'; i++) {
		if (number.p[i] >= '1' && number.p[i] <= '9') {
			return number.p[0] == '-';
		}
	}
	return true;
}

static int read_weight(
	const struct reading *r, const struct json_value *of, const char *key, bool *takes)
{
	const struct json_value *v = json_get(of, key);

	if (!is_given(v)) {
		return 0;
	}
	if (v->type != JSON_NUMBER) {
		return wrong(r->fault, v, key);
	}
	*takes = *takes && !is_nothing(v->text);
	return 0;
}

/* --- one instance ------------------------------------------------------------------------------- */

typedef int instance_reader(const struct reading *r, const struct json_value *of,
	struct instance *out, bool *takes_traffic);

static int read_nacos(const struct reading *r, const struct json_value *of, struct instance *out,
	bool *takes_traffic)
{
	bool healthy = true;
	bool enabled = true;

	if (read_text(r, of, "ip", &out->address) != 0 ||
		read_port(r, of, "port", &out->port) != 0 ||
		read_bool(r, of, "healthy", &healthy) != 0 ||
		read_bool(r, of, "enabled", &enabled) != 0 ||
		read_weight(r, of, "weight", takes_traffic) != 0 ||
		read_text(r, json_get(of, "metadata"), "protocol", &out->protocol) != 0) {
		return ERR_SYNTAX;
	}
	*takes_traffic = *takes_traffic && healthy && enabled;
	out->tls_port = out->port;
	return 0;
}

/* A service that gave no address has that of its node. */
static int read_consul(const struct reading *r, const struct json_value *of, struct instance *out,
	bool *takes_traffic)
{
	const struct json_value *service = json_get(of, "Service");
	const struct json_value *checks = json_get(of, "Checks");

	if (service == NULL || service->type != JSON_OBJECT) {
		return wrong(r->fault, of, "Service");
	}
	if (read_text(r, service, "Address", &out->address) != 0 ||
		(out->address.n == 0 &&
			read_text(r, json_get(of, "Node"), "Address", &out->address) != 0) ||
		read_port(r, service, "Port", &out->port) != 0 ||
		read_weight(r, json_get(service, "Weights"), "Passing", takes_traffic) != 0 ||
		read_text(r, json_get(service, "Meta"), "protocol", &out->protocol) != 0) {
		return ERR_SYNTAX;
	}
	for (const struct json_value *c = checks != NULL ? checks->items : NULL; c != NULL;
		c = c->next) {
		struct bytes status;

		if (read_text(r, c, "Status", &status) != 0) {
			return ERR_SYNTAX;
		}
		*takes_traffic = *takes_traffic && bytes_eq(status, BYTES("passing"));
	}
	out->tls_port = out->port;
	return 0;
}

static int read_eureka_port(const struct reading *r, const struct json_value *of, const char *key,
	bool enabled, uint16_t *out)
{
	const struct json_value *port = json_get(of, key);

	if (!is_given(port)) {
		*out = 0;
		return 0;
	}
	if (port->type != JSON_OBJECT || read_port(r, port, "$", out) != 0 ||
		read_bool(r, port, "@enabled", &enabled) != 0) {
		return wrong(r->fault, port, key);
	}
	*out = enabled ? *out : 0;
	return 0;
}

static int read_eureka(const struct reading *r, const struct json_value *of, struct instance *out,
	bool *takes_traffic)
{
	struct bytes status;

	if (read_text(r, of, "ipAddr", &out->address) != 0 ||
		read_text(r, of, "status", &status) != 0 ||
		read_eureka_port(r, of, "port", true, &out->port) != 0 ||
		read_eureka_port(r, of, "securePort", false, &out->tls_port) != 0 ||
		read_text(r, json_get(of, "metadata"), "protocol", &out->protocol) != 0) {
		return ERR_SYNTAX;
	}
	*takes_traffic = bytes_eq(status, BYTES("UP"));
	out->tls_port = out->tls_port != 0 ? out->tls_port : out->port;
	return 0;
}

/* What Spring Cloud's discovery writes into a node. */
static int read_spring(const struct reading *r, const struct json_value *of, struct instance *out,
	bool *takes_traffic)
{
	const struct json_value *metadata = json_get(json_get(of, "payload"), "metadata");
	struct bytes status;

	if (read_text(r, of, "address", &out->address) != 0 ||
		read_port(r, of, "port", &out->port) != 0 ||
		read_port(r, of, "sslPort", &out->tls_port) != 0 ||
		read_text(r, metadata, "instance_status", &status) != 0 ||
		read_text(r, metadata, "protocol", &out->protocol) != 0) {
		return ERR_SYNTAX;
	}
	*takes_traffic = status.n == 0 || bytes_eq(status, BYTES("UP"));
	out->tls_port = out->tls_port != 0 ? out->tls_port : out->port;
	return 0;
}

/* --- all ---------------------------------------------------------------------------------------- */

static int read_one(struct reading *r, instance_reader *read, const struct json_value *of)
{
	struct instance *at = &r->out->v[r->out->n];
	bool takes_traffic = true;

	if (of->type != JSON_OBJECT) {
		return wrong(r->fault, of, "an instance");
	}
	*at = (struct instance){0};
	if (read(r, of, at, &takes_traffic) != 0) {
		return ERR_SYNTAX;
	}
	r->out->n += takes_traffic;
	return 0;
}

static int read_list(struct reading *r, instance_reader *read, const struct json_value *list)
{
	if (list->n > INSTANCES_MAX) {
		return fault_set(r->fault, ERR_LIMIT, 0, INSTANCES_MAX,
			"there are more than %u instances", INSTANCES_MAX);
	}
	r->out->v = arena_must(r->arena, (list->n + 1) * sizeof(*r->out->v));
	r->out->n_all = list->n;
	for (const struct json_value *i = list->items; i != NULL; i = i->next) {
		if (read_one(r, read, i) != 0) {
			return ERR_SYNTAX;
		}
	}
	return 0;
}

/* One alone is not always in a list. */
static int read_application(struct reading *r, const struct json_value *all)
{
	const struct json_value *app = json_get(all, "application");
	const struct json_value *list = json_get(app, "instance");

	if (list != NULL && list->type == JSON_OBJECT) {
		r->out->v = arena_must(r->arena, sizeof(*r->out->v));
		r->out->n_all = 1;
		return read_one(r, read_eureka, list);
	}
	if (list == NULL || list->type != JSON_ARRAY) {
		return wrong(r->fault, app, "application.instance");
	}
	return read_list(r, read_eureka, list);
}

static const struct json_value *list_of_nacos3(const struct json_value *all)
{
	const struct json_value *code = json_get(all, "code");
	uint64_t n;

	if (code == NULL || code->type != JSON_NUMBER || !json_number_u64(code->text, &n) ||
		n != 0) {
		return NULL;
	}
	return json_get(all, "data");
}

static int read_lists(struct reading *r, enum instances_kind kind, const struct json_value *all)
{
	const struct json_value *list = kind == INSTANCES_CONSUL ? all
		: kind == INSTANCES_NACOS3                       ? list_of_nacos3(all)
								 : json_get(all, "hosts");

	if (list == NULL || list->type != JSON_ARRAY) {
		return wrong(r->fault, list, "the list of instances");
	}
	return read_list(r, kind == INSTANCES_CONSUL ? read_consul : read_nacos, list);
}

int instances_read(enum instances_kind kind, struct bytes json, struct arena *a,
	struct instances *out, struct fault *f)
{
	struct instances found = {0};
	struct reading r = {a, &found, f};
	const struct json_value *all;
	int rc;

	if (json.n > INSTANCES_ANSWER_MAX) {
		return fault_set(f, ERR_LIMIT, 0, INSTANCES_ANSWER_MAX, "the answer is too large");
	}
	all = json_parse(a, json, f);
	if (all == NULL) {
		return ERR_SYNTAX;
	}
	rc = kind == INSTANCES_EUREKA ? read_application(&r, all) : read_lists(&r, kind, all);
	if (rc == 0) {
		*out = found;
	}
	return rc;
}

int instances_read_nodes(const struct bytes *nodes, size_t n, struct arena *a,
	struct instances *out, struct fault *f)
{
	struct instances found = {.v = arena_must(a, (n + 1) * sizeof(*found.v)), .n_all = n};
	struct reading r = {a, &found, f};

	for (size_t i = 0; i < n; i++) {
		const struct json_value *one = json_parse(a, nodes[i], f);

		if (one == NULL || read_one(&r, read_spring, one) != 0) {
			return ERR_SYNTAX;
		}
	}
	*out = found;
	return 0;
}

int instances_read_token(
	struct bytes json, struct arena *a, struct bytes *token, uint64_t *ttl_s, struct fault *f)
{
	const struct json_value *all = json_parse(a, json, f);
	const struct json_value *ttl = json_get(all, "tokenTtl");
	struct bytes text = json_text(json_get(all, "accessToken"), BYTES(""));
	uint64_t seconds = 0;

	if (all == NULL) {
		return ERR_SYNTAX;
	}
	if (text.n == 0 || text.n > INSTANCES_TOKEN_MAX) {
		return wrong(f, NULL, "accessToken");
	}
	if (is_given(ttl) && (ttl->type != JSON_NUMBER || !json_number_u64(ttl->text, &seconds))) {
		return wrong(f, ttl, "tokenTtl");
	}
	*token = text;
	*ttl_s = seconds;
	return 0;
}
