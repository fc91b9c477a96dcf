/*
 * Any resources make a plan, any request to it has an answer, and lint finds no error of its own. The input: files, separated by NUL,
 * each a digit for its kind and its YAML. Higher digits are the kinds again, with the names that the
 * Console gives to the record and the Ingress of one AI route.
 */
#include "plan/auth.h"
#include "plan/lint.h"
#include "plan/world.h"

static const struct capability caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"}, {API_RETRIEVE_FILE, "/v1/files/{id}"}};
static const struct capability direct[] = {{API_CHAT_COMPLETIONS, "/chat/completions"}};
static const struct provider_key keys[] = {
	{.name = "url", .type = KEY_URL}, {.name = "port", .type = KEY_PORT}};
static const struct provider_type rows[] = {{.name = "openai",
	.default_host = "h",
	.auth = AUTH_BEARER,
	.custom_url = true,
	.custom_url_key = "url",
	.unsupported_passes = true,
	.caps = caps,
	.n_caps = ARRAY_LEN(caps),
	.direct = direct,
	.n_direct = ARRAY_LEN(direct),
	.keys = keys,
	.n_keys = ARRAY_LEN(keys)}};
static const struct provider_types types = {rows, ARRAY_LEN(rows)};

static void add(struct world *w, struct bytes file, unsigned number)
{
	static const char *const ends[] = {"0", "1", ".internal", ".fallback.internal"};
	char name[60];
	unsigned kind;
	bool of_route;
	struct object *o;

	if (file.n == 0) {
		return;
	}
	kind = (unsigned char)(file.p[0] - '0') % RESOURCE_KIND_COUNT;
	of_route = (unsigned char)(file.p[0] - '0') >= RESOURCE_KIND_COUNT;
	snprintf(name, sizeof(name), "%s/%s%s.yaml", resource_dir((enum resource_kind)kind),
		kind == RESOURCE_CONFIGMAP && !of_route ? "domain-n" : "ai-route-n",
		!of_route                          ? ends[number % ARRAY_LEN(ends)]
			: kind == RESOURCE_INGRESS ? ".internal"
						   : "");
	if (kind == RESOURCE_MCPBRIDGE) {
		snprintf(name, sizeof(name), "mcpbridges/default.yaml");
	}
	o = object_read((enum resource_kind)kind, bytes_str(name), bytes_of(file.p + 1, file.n - 1),
		&w->findings);
	if (o != NULL) {
		snapshot_put(w->snapshot, o);
	}
}

static void lint(const struct world *w, const struct plan *p)
{
	struct findings found;
	struct arena a;

	arena_init(&a, (size_t)1 << 34);
	findings_init(&found, &a);
	lint_resources(w->snapshot, p, &found);
	ASSERT(found.errors == 0);
	arena_done(&a);
}

static void use(const struct route *r, struct bytes path)
{
	struct auth_header h[] = {{BYTES("authorization"), BYTES("Bearer k"), 0},
		{BYTES("x-api-key"), BYTES("k"), 0}};
	struct auth_query q = {h, ARRAY_LEN(h), BYTES("key=k&a=%6b")};
	struct auth_hit hit;
	struct text t;
	bool found = auth_identify(r->auth.consumers, &q, &hit);

	IGNORE(auth_verdict(&r->auth, found ? hit.consumer : NULL)); /* any will do */
	text_init(&t, 1 << 20);
	route_rewrite_path(r, path, &t);
	ASSERT((uint64_t)r->spread.period * r->spread.unit == r->total_weight);
	for (unsigned pick = 0; pick < r->total_weight && pick < 1000; pick++) {
		const struct destination *d = route_pick(r, pick);
		struct bytes suffix;

		ASSERT(d != NULL && d->service->n_endpoints != 0);
		if (d->provider != NULL &&
			provider_path(d->provider, api_of_path(path, &suffix), path, BYTES("a=b"),
				&t) == 0) {
			ASSERT(t.n != 0);
		}
	}
	text_done(&t);
}

static struct bytes header_of(void *of, struct bytes name)
{
	IGNORE(of);
	return bytes_ends(name, BYTES("a")) ? BYTES("aaaaaaaab") : (struct bytes){NULL, 0};
}

/* More than eight files of a few kilobytes hold. */
#define ASK_MAX 10000u

static void ask(const struct plan *p, struct bytes path)
{
	static const char *const models[] = {"", "a", "b/aaaaaaaaaaaaaaaaaaaaaaaac", "gpt-4o"};
	const struct route *out[ASK_MAX], *leaders[ASK_MAX];
	const struct route_query q = {.host = BYTES("a.com"),
		.path = path,
		.method = METHOD_POST,
		.query = BYTES("a=aaaaab&b"),
		.header = header_of};
	size_t n = MIN(plan_candidates(p, &q, out, ASK_MAX), ASK_MAX);
	size_t n_leaders = MIN(plan_leaders(p, &q, leaders, ASK_MAX), ASK_MAX);

	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		const struct route_model m = {
			bytes_str(models[i]), bytes_str(models[i]), bytes_str(models[i])};
		const struct route *r = plan_choose(out, n, &m);

		ASSERT(r == plan_choose(leaders, n_leaders, &m));
		if (r != NULL) {
			use(r, path);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {
		"/", "/v1/chat/completions", "/a/v1/files/f", "/%2F//x", "*", ""};
	static const char *const names[] = {"", "a.com", "x.a.com", ".", "x.y.zimomo.com"};
	struct bytes rest = bytes_of((const char *)data, size);
	struct plan *p;
	struct world w;

	if (size == 0 || size > 100000) {
		return 0;
	}
	world_init(&w);
	for (unsigned i = 0; rest.p != NULL && i < 8; i++) {
		add(&w, bytes_cut(&rest, '\0'), i);
	}
	p = world_plan(&w, &types);
	lint(&w, p);
	world_done(&w);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct certificate *c = plan_certificate(p, bytes_str(names[i]));

		ASSERT(c == NULL || (atomic_load(&c->refs) == 1 && c->leaf != NULL));
	}
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		ask(p, bytes_str(paths[i]));
	}
	plan_free(p);
	return 0;
}
