#include "plan/context.h"

#include "base/num.h"
#include "plan/plan.h"
#include "wire/url.h"

#define KEY_MAX (FETCHED_TLS_NAME_MAX + 3 * CONTEXT_URL_MAX + FETCHED_ENDPOINTS_MAX)

struct reading {
	const struct object *where;
	struct arena *arena;
	struct findings *findings;
};

static bool refuse(
	const struct reading *r, const struct yaml_node *at, const char *code, const char *text)
{
	struct finding f = build_error(r->where, build_place(at), code);

	findings_add(r->findings, &f, "context: %s", text);
	return false;
}

/* "" when it is absent or no scalar. */
static struct bytes member(
	const struct reading *r, const struct yaml_node *context, const char *key)
{
	struct bytes text = {"", 0};

	IGNORE(build_scalar(yaml_get(context, key), key, r->where, r->findings, &text));
	return bytes_trim(text);
}

static struct bytes join(struct arena *a, struct bytes front, struct bytes back)
{
	char *p = arena_must(a, front.n + back.n + 1);

	memcpy(p, front.p, front.n);
	memcpy(p + front.n, back.p, back.n);
	return bytes_of(p, front.n + back.n);
}

static bool read_url(
	const struct reading *r, const struct yaml_node *node, struct context_source *out)
{
	struct bytes text = member(r, node, "fileUrl");
	struct fault fault;
	struct url url;
	const char *end;

	if (text.n > CONTEXT_URL_MAX || url_parse(&url, text, &fault) != 0) {
		return refuse(r, yaml_get(node, "fileUrl"), "bad-value",
			"fileUrl is an http or https URL of at most 2048 bytes");
	}
	end = url.host.p + url.host.n;
	if (url.port != 0) { /* ":port" follows */
		do {
			end++;
		} while (end < text.p + text.n && ascii_digit(*end));
	}
	out->host = build_text(r->arena, bytes_of(url.host.p, (size_t)(end - url.host.p)));
	out->name = build_lower(r->arena, url.host);
	if (bytes_starts(out->name, BYTES("["))) {
		out->name = bytes_of(out->name.p + 1, out->name.n - 2);
	}
	out->target = join(r->arena, url.path.n != 0 ? url.path : BYTES("/"),
		url.query.p != NULL ? bytes_of(url.query.p - 1, url.query.n + 1) : BYTES(""));
	return true;
}

static bool read_timeout(
	const struct reading *r, const struct yaml_node *n, struct context_source *out)
{
	out->source.timeout_ms = CONTEXT_TIMEOUT_MS;
	if (n == NULL || n->type == YAML_NULL) {
		return true;
	}
	if (!yaml_u64(n, &out->source.timeout_ms)) {
		return refuse(r, n, "bad-value", "timeout is a number of milliseconds");
	}
	if (out->source.timeout_ms == 0) {
		out->source.timeout_ms = CONTEXT_TIMEOUT_MS;
	}
	out->source.timeout_ms = MIN(out->source.timeout_ms, CONTEXT_TIMEOUT_MAX_MS);
	return true;
}

bool context_compile(struct context_source **out, const struct yaml_node *entry,
	const struct object *where, struct arena *a, struct findings *f)
{
	static const char *const needed[] = {"fileUrl", "serviceName", "servicePort"};
	const struct reading r = {where, a, f};
	const struct yaml_node *node = yaml_get(entry, "context");
	struct context_source *c;
	uint64_t port;

	*out = NULL;
	if (node == NULL || node->type == YAML_NULL || (node->type == YAML_MAP && node->n == 0)) {
		return true;
	}
	if (node->type != YAML_MAP) {
		return refuse(&r, node, "map-expected", "it must be a map");
	}
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		const struct yaml_node *n = yaml_get(node, needed[i]);

		if (n == NULL || n->type == YAML_NULL || n->text.n == 0) {
			return refuse(&r, node, "key-missing",
				"it needs fileUrl, serviceName and servicePort");
		}
	}
	/* A number, also in quotes. */
	if (!num_parse_u64(yaml_get(node, "servicePort")->text, 65535, &port) || port == 0) {
		return refuse(&r, yaml_get(node, "servicePort"), "port-expected",
			"servicePort must be a port, 1 to 65535");
	}
	c = arena_must(a, sizeof(*c));
	*c = (struct context_source){.source = {.kind = FETCHED_CONTEXT},
		.service = build_text(a, member(&r, node, "serviceName")),
		.port = (uint16_t)port,
		.where = where,
		.at = build_place(node)};
	if (!read_url(&r, node, c) || !read_timeout(&r, yaml_get(entry, "timeout"), c)) {
		return false;
	}
	*out = c;
	return true;
}

/* --- services ----------------------------------------------------------------------------------- */

static struct bytes key_of(const struct context_source *c, const struct service *s, struct arena *a)
{
	struct bytes name = s->sni.n != 0 ? s->sni : c->name;
	struct bytes key;
	struct text t;

	text_init(&t, KEY_MAX);
	fetched_source_add(&t, s->tls ? BYTES("1") : BYTES("0"));
	name.n = MIN(name.n, (size_t)FETCHED_TLS_NAME_MAX);
	fetched_source_add(&t, name);
	fetched_source_add(&t, c->host);
	fetched_source_add(&t, c->target);
	fetched_source_add_endpoints(&t, s);
	ASSERT(!text_full(&t));
	key = build_text(a, text_bytes(&t));
	text_done(&t);
	return key;
}

void context_find_services(struct context_source *list, const struct map *services, struct arena *a,
	struct findings *f)
{
	for (struct context_source *c = list; c != NULL; c = c->next) {
		const struct service *s = map_get(services, c->service);
		struct finding at = build_warning(c->where, c->at, "provider-service-unknown");

		c->where = NULL;
		if (s == NULL || s->n_endpoints == 0) {
			findings_add(f, &at,
				"context: no registry gives the service " BYTES_FMT
				"; chats go on without the file: create the service source",
				BYTES_ARG(c->service));
			continue;
		}
		if (s->port != c->port) {
			findings_add(f, &at,
				"context: the service " BYTES_FMT
				" has port %u, which is used here; Higress would look for "
				"port %u and not find it",
				BYTES_ARG(c->service), s->port, c->port);
		}
		c->source.key = key_of(c, s, a);
	}
}
