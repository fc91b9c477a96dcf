#include "plan/discovered.h"

#include <stdlib.h>

#include "plan/build.h"

/* Between two questions: what Higress has when nothing is said, and what it takes. */
#define REFRESH_S 30
#define REFRESH_MIN_S 10
#define REFRESH_MAX_S 600
#define NS_PER_S 1000000000

bool discovered_type(struct bytes type, enum instances_kind *out)
{
	static const struct {
		const char *type;
		enum instances_kind kind;
	} types[] = {{"nacos", INSTANCES_NACOS}, {"nacos2", INSTANCES_NACOS},
		{"nacos3", INSTANCES_NACOS3}, {"consul", INSTANCES_CONSUL},
		{"eureka", INSTANCES_EUREKA}, {"zookeeper", INSTANCES_ZOOKEEPER}};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (bytes_eq(type, bytes_str(types[i].type))) {
			*out = types[i].kind;
			return true;
		}
	}
	return false;
}

/* --- names -------------------------------------------------------------------------------------- */

static char dashed(char c)
{
	return c == '_' || c == '/' ? '-' : ascii_lower(c);
}

/* Cuts ".<part>" off the end of *name; something must be left. */
static bool cut_part(struct bytes *name, struct bytes part)
{
	size_t left;

	if (name->n < part.n + 2) {
		return false;
	}
	left = name->n - part.n;
	for (size_t i = 0; i < part.n; i++) {
		if (dashed(name->p[left + i]) != dashed(part.p[i])) {
			return false;
		}
	}
	if (name->p[left - 1] != '.') {
		return false;
	}
	name->n = left - 1;
	return true;
}

static bool cut_group(const struct registry *r, struct bytes *name, struct bytes *group)
{
	for (size_t i = 0; i < r->nacos_groups.n; i++) {
		if (cut_part(name, r->nacos_groups.v[i])) {
			*group = r->nacos_groups.v[i];
			return true;
		}
	}
	*group = BYTES("DEFAULT_GROUP");
	return r->nacos_groups.n == 0 && cut_part(name, *group);
}

/* A path without the '/' at its end, and what stands for it in names. */
static bool cut_path(struct bytes path, struct bytes *name, struct bytes *out)
{
	path = bytes_trim(path);
	while (bytes_ends(path, BYTES("/"))) {
		path.n--;
	}
	*out = path;
	return path.n == 0 ||
		(bytes_starts(path, BYTES("/")) &&
			cut_part(name, bytes_of(path.p + 1, path.n - 1)));
}

/* Spring Cloud's own path first, as Higress has it; those that are given count beside it. */
static bool cut_paths(const struct registry *r, struct bytes *name, struct bytes *out)
{
	if (cut_path(BYTES("/services"), name, out)) {
		return true;
	}
	for (size_t i = 0; i < r->zk_paths.n; i++) {
		if (cut_path(r->zk_paths.v[i], name, out)) {
			return true;
		}
	}
	return false;
}

static bool cut_name(const struct registry *r, struct bytes *name, struct discovered *d)
{
	switch (d->kind) {
	case INSTANCES_NACOS:
	case INSTANCES_NACOS3:
		d->texts[DISCOVERED_NAMESPACE] =
			r->nacos_namespace.n != 0 ? r->nacos_namespace : BYTES("public");
		return cut_part(name, BYTES("nacos")) &&
			cut_part(name, d->texts[DISCOVERED_NAMESPACE]) &&
			cut_group(r, name, &d->texts[DISCOVERED_GROUP]);
	case INSTANCES_CONSUL:
		d->texts[DISCOVERED_DATACENTER] = r->consul_datacenter;
		d->texts[DISCOVERED_TAG] = r->consul_tag;
		return cut_part(name, BYTES("consul")) &&
			(r->consul_datacenter.n == 0 || cut_part(name, r->consul_datacenter));
	case INSTANCES_ZOOKEEPER:
		return cut_part(name, BYTES("zookeeper")) &&
			cut_paths(r, name, &d->texts[DISCOVERED_PATH]);
	case INSTANCES_EUREKA:
		break;
	}
	return cut_part(name, BYTES("eureka"));
}

/* Console writes seconds; Higress itself counts in nanoseconds. */
static unsigned refresh_of(int64_t written)
{
	int64_t s = written >= NS_PER_S ? written / NS_PER_S : written;

	return (unsigned)(s <= 0 ? REFRESH_S : MIN(MAX(s, REFRESH_MIN_S), REFRESH_MAX_S));
}

bool discovered_match(
	const struct registry *r, struct bytes name, struct arena *a, struct discovered *out)
{
	struct discovered d = {.port = (uint16_t)r->port};
	struct bytes host = r->domain;

	if (!discovered_type(r->type, &d.kind) || !cut_name(r, &name, &d)) {
		return false;
	}
	if (bytes_starts(host, BYTES("[")) && bytes_ends(host, BYTES("]"))) {
		host = bytes_of(host.p + 1, host.n - 2);
	}
	d.refresh_s =
		refresh_of(d.kind == INSTANCES_CONSUL ? r->consul_refresh_s : r->nacos_refresh_s);
	d.texts[DISCOVERED_REGISTRY] = r->name;
	d.texts[DISCOVERED_HOST] = host;
	d.texts[DISCOVERED_SERVICE] = name;
	for (size_t i = 0; i < DISCOVERED_TEXTS; i++) {
		d.texts[i] = build_text(a, d.texts[i].p != NULL ? d.texts[i] : BYTES(""));
	}
	*out = d;
	return true;
}

/* --- kept by a cell ----------------------------------------------------------------------------- */

bool discovered_equal(const struct discovered *x, const struct discovered *y)
{
	bool same = x->kind == y->kind && x->tls == y->tls && x->port == y->port &&
		x->refresh_s == y->refresh_s;

	for (size_t i = 0; same && i < DISCOVERED_TEXTS; i++) {
		same = bytes_eq(x->texts[i], y->texts[i]);
	}
	return same;
}

struct discovered *discovered_copy(const struct discovered *d)
{
	struct discovered *copy;
	size_t n = sizeof(*copy);
	char *at;

	for (size_t i = 0; i < DISCOVERED_TEXTS; i++) {
		n += d->texts[i].n + 1;
	}
	copy = must_alloc(n);
	*copy = *d;
	at = (char *)(copy + 1);
	for (size_t i = 0; i < DISCOVERED_TEXTS; i++) {
		size_t len = d->texts[i].n;

		if (len != 0) {
			memcpy(at, d->texts[i].p, len);
		}
		at[len] = '\0';
		copy->texts[i] = bytes_of(at, len);
		at += len + 1;
	}
	return copy;
}

/* --- requests ----------------------------------------------------------------------------------- */

/* All but RFC 3986's unreserved bytes. */
static void add_escaped(struct text *out, struct bytes s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char low = ascii_lower(s.p[i]);

		if ((low >= 'a' && low <= 'z') || ascii_digit(low) || strchr("-._~", c) != NULL) {
			text_add_char(out, s.p[i]);
		} else {
			text_add_char(out, '%');
			text_add_char(out, hex[c >> 4]);
			text_add_char(out, hex[c & 15]);
		}
	}
}

static void add_parameter(struct text *out, const char *name, struct bytes value)
{
	if (value.n != 0) {
		text_addf(out, "&%s=", name);
		add_escaped(out, value);
	}
}

static void add_nacos(const struct discovered *d, struct text *out)
{
	if (d->kind == INSTANCES_NACOS3) {
		text_add_str(out, "/nacos/v3/client/ns/instance/list?serviceName=");
		add_escaped(out, d->texts[DISCOVERED_SERVICE]);
		add_parameter(out, "groupName", d->texts[DISCOVERED_GROUP]);
	} else {
		text_add_str(out, "/nacos/v1/ns/instance/list?serviceName=");
		add_escaped(out, d->texts[DISCOVERED_GROUP]);
		text_add_str(out, "%40%40");
		add_escaped(out, d->texts[DISCOVERED_SERVICE]);
	}
	add_parameter(out, "namespaceId", d->texts[DISCOVERED_NAMESPACE]);
	text_add_str(out, "&healthyOnly=true");
}

void discovered_target(const struct discovered *d, struct bytes token, struct text *out)
{
	switch (d->kind) {
	case INSTANCES_NACOS:
	case INSTANCES_NACOS3:
		add_nacos(d, out);
		add_parameter(out, "accessToken", token);
		return;
	case INSTANCES_CONSUL:
		text_add_str(out, "/v1/health/service/");
		add_escaped(out, d->texts[DISCOVERED_SERVICE]);
		text_add_str(out, "?passing=true");
		add_parameter(out, "dc", d->texts[DISCOVERED_DATACENTER]);
		add_parameter(out, "tag", d->texts[DISCOVERED_TAG]);
		return;
	case INSTANCES_ZOOKEEPER:
		text_add_bytes(out, d->texts[DISCOVERED_PATH]);
		text_add_char(out, '/');
		text_add_bytes(out, d->texts[DISCOVERED_SERVICE]);
		return;
	case INSTANCES_EUREKA:
		break;
	}
	text_add_str(out, "/eureka/apps/");
	add_escaped(out, d->texts[DISCOVERED_SERVICE]);
}

bool discovered_logs_in(const struct discovered *d)
{
	return (d->kind == INSTANCES_NACOS || d->kind == INSTANCES_NACOS3) &&
		d->texts[DISCOVERED_USER].n != 0;
}

void discovered_login(const struct discovered *d, struct text *target, struct text *body)
{
	text_add_str(target,
		d->kind == INSTANCES_NACOS3 ? "/nacos/v3/auth/user/login" : "/nacos/v1/auth/login");
	text_add_str(body, "username=");
	add_escaped(body, d->texts[DISCOVERED_USER]);
	add_parameter(body, "password", d->texts[DISCOVERED_SECRET]);
}
