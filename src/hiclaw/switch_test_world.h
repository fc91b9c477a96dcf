/*
 * For tests: a HiClaw with a Manager, the Worker alice, a gateway with two providers, storage and a controller, of which
 * everything that stays is in one directory: a process that ends leaves it as the next one finds it. What may fail does
 * so when it is told.
 */
#ifndef HICLAW_SWITCH_TEST_WORLD_H
#define HICLAW_SWITCH_TEST_WORLD_H

#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/num.h"
#include "hiclaw/switch_int.h"

#define WORLD_HEARD_MAX ((size_t)1 << 20)
#define WORLD_NOW 1700000000000u

struct world {
	char dir[64];
	struct loop *loop;
	struct jobs *jobs;
	struct hiclaw h;
	struct env env;
	struct manage_ops ops;
	struct watch listener;
	int listening;
	char url[64];
	struct s3_credentials *credentials;
	struct arena arena;
	/* what fails */
	bool no_storage, no_controller, not_reachable, refused;
	unsigned s3_status, cr_status, conflicts, ops_status;
	/* what is seen */
	bool busy;
	const char *observed;
	uint64_t wall_ms;
	unsigned reached, changes, s3_puts, cr_puts, reloads;
	/* the last run */
	struct switch_request rq;
	unsigned done;
};

/* The world that callbacks without an argument are of. */
static struct world *world_now;

/* --- files -------------------------------------------------------------------------------------------- */

static const char *world_path(struct world *w, const char *name)
{
	static char rooms[4][512];
	static unsigned at;
	char *p = rooms[at++ % 4];

	snprintf(p, 512, "%s/%s", w->dir, name);
	return p;
}

/* Not synced: processes end here, machines do not. */
UNUSED static void world_write(struct world *w, const char *name, const char *text)
{
	FILE *f = fopen(world_path(w, name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

/* NULL: there is none. In the world's arena. */
static const char *world_read(struct world *w, const char *name)
{
	struct text t;
	const char *p = NULL;

	text_init(&t, 8 << 20);
	if (file_read(world_path(w, name), 8 << 20, &t, NULL, NULL) == 0) {
		p = arena_copy(&w->arena, text_bytes(&t)).p;
		p = p != NULL ? p : "";
	}
	text_done(&t);
	return p;
}

static const char *world_object(const char *key)
{
	static char name[1024];

	snprintf(name, sizeof(name), "objects/%s", key);
	for (char *p = name + 8; *p != '\0'; p++) {
		*p = *p == '/' ? '!' : *p;
	}
	return name;
}

#define WORLD_CONFIG(model)                                                                      \
	"{\n  \"models\": {\n    \"providers\": {\n      \"hiclaw-gateway\": {\n"                \
	"        \"baseUrl\": \"http://aigw:8080/v1\",\n        \"apiKey\": \"k\",\n"            \
	"        \"api\": \"openai-completions\",\n        \"models\": [\n"                      \
	"          { \"id\": \"" model "\", \"name\": \"" model                                  \
	"\", \"reasoning\": true,\n"                                                             \
	"            \"contextWindow\": 200000, \"maxTokens\": 64000, \"input\": [\"text\"] }\n" \
	"        ]\n      }\n    }\n  },\n  \"agents\": {\n    \"defaults\": {\n"                \
	"      \"model\": { \"primary\": \"hiclaw-gateway/" model                                \
	"\" },\n"                                                                                \
	"      \"models\": { \"hiclaw-gateway/" model "\": { \"alias\": \"" model                \
	"\" } }\n"                                                                               \
	"    }\n  }\n}\n"

/* The primary model of a configuration, "" when there is none. */
UNUSED static const char *world_primary(struct world *w, const char *name)
{
	const char *text = world_read(w, name);
	struct openclaw_view v;

	if (text == NULL || openclaw_read(&w->arena, bytes_str(text), &v, NULL) != 0) {
		return "";
	}
	return arena_copy(&w->arena, v.model.p != NULL ? v.model : v.primary).p;
}

/* The model of a record. */
UNUSED static const char *world_record(struct world *w, const char *name)
{
	const char *text = world_read(w, name);
	struct record r;

	if (text == NULL || record_read(&w->arena, bytes_str(text), &r, NULL) != 0) {
		return "";
	}
	return arena_copy(&w->arena, r.model).p;
}

/* --- the gateway -------------------------------------------------------------------------------------- */

#define WORLD_LISTS                                                                          \
	"{\"providers\":[{\"name\":\"qwen\",\"type\":\"qwen\",\"tokens\":[\"a\"]},"          \
	"{\"name\":\"deepseek\",\"type\":\"deepseek\",\"tokens\":[\"b\"]},"                  \
	"{\"name\":\"bare\",\"type\":\"qwen\",\"tokens\":[]}],"                              \
	"\"consumers\":[{\"name\":\"manager\"},{\"name\":\"worker-alice\",\"credentials\":[" \
	"{\"type\":\"key-auth\",\"source\":\"BEARER\",\"values\":[\"alice-key\"]}]}],"       \
	"\"routes\":[{\"name\":\"default-ai-route\",\"version\":\"1\",\"domains\":[],"       \
	"\"pathPredicate\":{\"matchType\":\"PRE\",\"matchValue\":\"/v1\"},"                  \
	"\"upstreams\":[{\"provider\":\"qwen\",\"weight\":100,\"modelMapping\":{}}],"        \
	"\"authConfig\":{\"enabled\":true,\"allowedConsumers\":[\"manager\",\"worker-alice\"]}}]}"

static struct doc *world_lists(struct world *w, struct arena *a)
{
	const char *text = world_read(w, "gateway.json");

	return doc_of_json(a, json_parse(a, bytes_str(text), NULL));
}

static void ops_answer(struct job *j)
{
	struct ops_call *c = CONTAINER_OF(j, struct ops_call, job);

	c->on_done(c);
}

static void ops_work(struct job *j)
{
	(void)j;
}

static void ops_soon(struct world *w, struct ops_call *c)
{
	c->job = (struct job){.home = w->loop, .work = ops_work, .on_done = ops_answer};
	jobs_submit(w->jobs, &c->job);
}

static void ops_read(struct manage_ops *o, struct ops_call *c)
{
	struct world *w = CONTAINER_OF(o, struct world, ops);
	struct doc *all = world_lists(w, c->arena);

	c->lists[OPS_PROVIDER] = doc_get(c->arena, all, "providers");
	c->lists[OPS_CONSUMER] = doc_get(c->arena, all, "consumers");
	c->lists[OPS_AI_ROUTE] = doc_get(c->arena, all, "routes");
	c->lists[OPS_SOURCE] = doc_list(c->arena);
	ops_soon(w, c);
}

static struct doc *route_of(struct arena *a, struct doc *routes, struct bytes name)
{
	struct doc *d = doc_first(a, routes);

	while (d != NULL && !bytes_eq(doc_peek(d, "name", BYTES("")), name)) {
		d = d->next;
	}
	return d;
}

static void apply_item(struct arena *a, struct doc *routes, const struct ops_item *i)
{
	struct doc *was = route_of(a, routes, i->name);
	struct doc *now = i->body != NULL ? doc_copy(a, i->body) : NULL;

	assert_int_equal(i->noun, OPS_AI_ROUTE);
	if (i->verb == OPS_REMOVE) {
		doc_remove(a, routes, was);
		return;
	}
	doc_set(a, now, "version", doc_str(a, "2"));
	if (was != NULL) {
		doc_replace(a, routes, was, now);
	} else {
		doc_append(a, routes, now);
	}
}

static void ops_change(struct manage_ops *o, struct ops_call *c)
{
	struct world *w = CONTAINER_OF(o, struct world, ops);
	struct doc *all = world_lists(w, c->arena);
	struct json_writer jw;
	struct text t;

	w->changes++;
	c->status = w->conflicts != 0 ? 409 : w->ops_status;
	w->conflicts -= w->conflicts != 0;
	text_init(&c->why, 256);
	text_add_str(&c->why, "told to fail");
	if (c->status == 0) {
		for (size_t i = 0; i < c->n_items; i++) {
			apply_item(c->arena, doc_get(c->arena, all, "routes"), &c->items[i]);
		}
		text_init(&t, 1 << 20);
		json_writer_init(&jw, &t);
		doc_put_json(c->arena, &jw, all);
		world_write(w, "gateway.json", text_cstr(&t));
		text_done(&t);
		snprintf(c->backup, sizeof(c->backup), "20231114T221320Z-%06x", w->changes);
	}
	ops_soon(w, c);
}

/* The provider to which the default route sends, and whether another route is there. */
UNUSED static const char *world_default(struct world *w)
{
	struct doc *all = world_lists(w, &w->arena);
	struct doc *r =
		route_of(&w->arena, doc_get(&w->arena, all, "routes"), BYTES("default-ai-route"));
	struct doc *u = doc_first(&w->arena, doc_get(&w->arena, r, "upstreams"));

	return arena_copy(&w->arena, doc_peek(u, "provider", BYTES(""))).p;
}

/* Whether some route goes to the provider. */
static bool world_serves(struct world *w, struct bytes provider)
{
	struct doc *all = world_lists(w, &w->arena);
	struct doc *r = doc_first(&w->arena, doc_get(&w->arena, all, "routes"));
	struct doc *u = NULL;

	for (; r != NULL; r = r->next) {
		u = doc_first(&w->arena, doc_get(&w->arena, r, "upstreams"));
		if (u != NULL && bytes_eq(doc_peek(u, "provider", BYTES("")), provider)) {
			return true;
		}
	}
	return false;
}

/* --- the gateway's answers ---------------------------------------------------------------------------- */

static void reach_soon(struct task *t);
static struct task reach_task;
static struct reach *reach_now;

static void reach_soon(struct task *t)
{
	struct reach *r = reach_now;

	(void)t;
	r->ok = !world_now->not_reachable;
	r->status = r->ok ? 200 : 401;
	r->kind = r->ok ? REACH_OK : REACH_AUTH;
	snprintf(r->why, sizeof(r->why), "%s", r->ok ? "" : "the provider refuses the key");
	r->on_done(r);
}

static void world_reach(struct gateway *g, struct reach *r)
{
	(void)g;
	world_now->reached++;
	reach_now = r;
	loop_again(world_now->loop, &reach_task, reach_soon);
}

static void world_reach_cancel(struct reach *r)
{
	(void)r;
	loop_again_cancel(&reach_task);
}

static int world_resolve(struct hiclaw *h, const struct resolve_request *rq, struct arena *a,
	struct resolve_answer *out)
{
	bool reached = rq->provider.n == 0 || world_serves(world_now, rq->provider);

	(void)h;
	(void)a;
	*out = (struct resolve_answer){.allowed = !world_now->refused,
		.reached = reached && !world_now->refused,
		.provider = rq->provider.n != 0 ? rq->provider : BYTES("qwen"),
		.text = BYTES("the consumer is not allowed")};
	return 0;
}

static bool world_consumer(struct hiclaw *h, struct bytes consumer, struct usage_consumer *out)
{
	(void)h;
	*out = (struct usage_consumer){.in_flight = world_now->busy,
		.last_ms = world_now->observed != NULL ? 1 : 0,
		.last_model = bytes_str(world_now->observed)};
	return bytes_starts(consumer, BYTES("worker-")) || world_now->observed != NULL;
}

static uint64_t world_wall(void)
{
	return world_now->wall_ms;
}

/* --- storage, controller, the Manager's program ------------------------------------------------------- */

struct world_conn {
	struct world *w;
	struct watch watch;
	char *heard;
	size_t n;
};

static struct bytes field_of(struct bytes head, const char *name)
{
	while (head.n != 0) {
		struct bytes value = bytes_cut(&head, '\n');
		struct bytes key = bytes_cut(&value, ':');

		if (value.p != NULL && bytes_eq_nocase(key, bytes_str(name))) {
			value.n -= value.n != 0 && value.p[value.n - 1] == '\r';
			return bytes_trim(value);
		}
	}
	return bytes_of(NULL, 0);
}

struct exchange {
	struct bytes method, path, head, body;
	unsigned status;
	struct text out, fields;
};

static void etag_of(struct bytes content, char out[24])
{
	unsigned char digest[DIGEST_SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE];

	digest_sha256(digest, content);
	digest_hex(hex, digest);
	snprintf(out, 24, "\"v-%.16s\"", hex);
}

static void serve_object(struct world *w, struct exchange *x)
{
	char key[512], etag[24] = "";
	const char *now;
	struct bytes match = field_of(x->head, "if-match");
	bool only_new = field_of(x->head, "if-none-match").p != NULL;

	snprintf(key, sizeof(key), BYTES_FMT, BYTES_ARG(x->path));
	now = world_read(w, world_object(key));
	if (now != NULL) {
		etag_of(bytes_str(now), etag);
	}
	if (w->s3_status != 0) {
		x->status = w->s3_status;
	} else if (bytes_eq(x->method, BYTES("PUT"))) {
		x->status = (only_new && now != NULL) ||
				(match.p != NULL && !bytes_eq(match, bytes_str(etag)))
			? 412
			: 200;
		if (x->status == 200) {
			w->s3_puts++;
			world_write(w, world_object(key), arena_copy(&w->arena, x->body).p);
			etag_of(x->body, etag);
		}
	} else {
		x->status = now != NULL ? 200 : 404;
		text_add_str(&x->out, now != NULL ? now : "");
	}
	if (etag[0] != '\0') {
		text_addf(&x->fields, "ETag: %s\r\n", etag);
	}
}

/* "manager" or "alice" -> the model of the resource. */
static const char *world_cr(struct world *w, const char *name)
{
	char file[128];
	const char *text;

	snprintf(file, sizeof(file), "cr-%s", name);
	text = world_read(w, file);
	return text != NULL ? text : "";
}

static void put_cr(struct world *w, const char *name, struct bytes body)
{
	char file[128];
	struct json_value *v = json_parse(&w->arena, body, NULL);

	w->cr_puts++;
	snprintf(file, sizeof(file), "cr-%s", name);
	world_write(w, file, arena_copy(&w->arena, json_text(json_get(v, "model"), BYTES(""))).p);
}

static void serve_controller(struct world *w, struct exchange *x)
{
	bool put = bytes_eq(x->method, BYTES("PUT"));

	x->status = 200;
	if (w->cr_status != 0 && put) {
		x->status = w->cr_status;
		text_add_str(&x->out, "{\"message\":\"told to fail\"}");
	} else if (bytes_eq(x->path, BYTES("managers")) && !put) {
		text_addf(&x->out, "{\"managers\":[{\"name\":\"default\",\"model\":\"%s\"}]}",
			world_cr(w, "manager"));
	} else if (bytes_eq(x->path, BYTES("workers/alice/status"))) {
		text_addf(&x->out,
			"{\"name\":\"alice\",\"phase\":\"Running\",\"model\":\"%s\","
			"\"team\":\"%s\"}",
			world_cr(w, "alice"), w->cr_status == 409 ? "t" : "");
	} else if (bytes_eq(x->path, BYTES("managers/default")) && put) {
		put_cr(w, "manager", x->body);
	} else if (bytes_eq(x->path, BYTES("workers/alice")) && put) {
		put_cr(w, "alice", x->body);
	} else {
		x->status = 404;
	}
}

static void serve_team(struct world *w, struct exchange *x)
{
	x->status = 200;
	if (bytes_eq(x->method, BYTES("PUT"))) {
		world_write(w, "team", arena_copy(&w->arena, x->body).p);
	} else {
		text_add_str(&x->out,
			"{\"name\":\"alice\",\"leader\":{\"name\":\"lead\",\"model\":\"a\"},"
			"\"workers\":[{\"name\":\"alice\",\"model\":\"qwen3.5-plus\"}],"
			"\"extra\":1}");
	}
}

static void serve(struct world *w, struct exchange *x)
{
	struct bytes p = x->path;

	if (bytes_starts(p, BYTES("/bucket/"))) {
		x->path = bytes_of(p.p + 8, p.n - 8);
		serve_object(w, x);
	} else if (bytes_eq(p, BYTES("/api/v1/teams/t"))) {
		serve_team(w, x);
	} else if (bytes_starts(p, BYTES("/api/v1/"))) {
		x->path = bytes_of(p.p + 8, p.n - 8);
		serve_controller(w, x);
	} else {
		w->reloads += bytes_eq(p, BYTES("/api/reload"));
		x->status = bytes_eq(p, BYTES("/healthz")) ? 200 : 404;
	}
}

static void conn_free(void *p)
{
	struct world_conn *c = p;

	free(c->heard);
	free(c);
}

static void conn_answer(struct world_conn *c, struct bytes head, struct bytes body)
{
	struct bytes line = head;
	struct exchange x = {.head = head, .body = body};
	char start[128];
	int fd = c->watch.fd, n;

	text_init(&x.out, 8 << 20);
	text_init(&x.fields, 4096);
	line = bytes_cut(&line, '\r');
	x.method = bytes_cut(&line, ' ');
	x.path = bytes_cut(&line, ' ');
	serve(c->w, &x);
	n = snprintf(start, sizeof(start),
		"HTTP/1.1 %u X\r\nConnection: close\r\nContent-Length: %zu\r\n", x.status, x.out.n);
	assert_int_equal(write(fd, start, (size_t)n), n);
	assert_int_equal(write(fd, x.fields.p, x.fields.n), x.fields.n);
	assert_int_equal(write(fd, "\r\n", 2), 2);
	if (!bytes_eq(x.method, BYTES("HEAD")) && x.out.n != 0) {
		assert_int_equal(write(fd, x.out.p, x.out.n), x.out.n);
	}
	text_done(&x.out);
	text_done(&x.fields);
	loop_unwatch(c->w->loop, &c->watch);
	close(fd);
	loop_free_later(c->w->loop, c, conn_free);
}

static void on_conn(struct watch *watch)
{
	struct world_conn *c = CONTAINER_OF(watch, struct world_conn, watch);
	const char *end;
	uint64_t length = 0;
	struct bytes head, v;
	ssize_t n;

	while ((n = read(watch->fd, c->heard + c->n, WORLD_HEARD_MAX - c->n)) > 0) {
		c->n += (size_t)n;
	}
	end = memmem(c->heard, c->n, "\r\n\r\n", 4);
	if (end == NULL) {
		return;
	}
	head = bytes_of(c->heard, (size_t)(end + 2 - c->heard));
	v = field_of(head, "content-length");
	assert_true(v.p == NULL || num_parse_u64(v, WORLD_HEARD_MAX, &length));
	if (c->n >= (size_t)(end + 4 - c->heard) + length) {
		conn_answer(c, head, bytes_of(end + 4, length));
	}
}

static void on_accept(struct watch *watch)
{
	struct world *w = CONTAINER_OF(watch, struct world, listener);
	struct sys_addr from;
	int fd;

	while ((fd = sys_accept(watch->fd, &from)) >= 0) {
		struct world_conn *c = must_alloc(sizeof(*c));

		c->w = w;
		c->heard = must_alloc(WORLD_HEARD_MAX);
		assert_int_equal(loop_watch(w->loop, &c->watch, fd, on_conn), 0);
	}
}

/* --- life ----------------------------------------------------------------------------------------------- */

static struct bytes world_bytes(struct world *w, const char *name)
{
	return bytes_str(arena_copy(&w->arena, bytes_str(world_path(w, name))).p);
}

static void world_env(struct world *w)
{
	w->env = (struct env){.gateway_url = BYTES("http://aigw:8080"),
		.version = BYTES("1.1"),
		.default_model = BYTES("qwen3.6-plus"),
		.manager_runtime = BYTES("openclaw"),
		.agents_dir = world_bytes(w, "agents"),
		.creds_dir = world_bytes(w, "creds"),
		.configs = {world_bytes(w, "workspace/openclaw.json")},
		.n_configs = 1,
		.secrets = {.manager_key = BYTES("mgr-key")},
		.backup_keep = 50};
}

static void world_listen(struct world *w)
{
	struct sys_addr any, addr;

	assert_int_equal(sys_addr_parse(&any, "127.0.0.1", 9, 0), 0);
	w->listening = sys_listen(&any, 64, &addr);
	assert_true(w->listening >= 0);
	assert_int_equal(loop_watch_listener(w->loop, &w->listener, w->listening, on_accept), 0);
	snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u", sys_addr_port(&addr));
}

static void world_storage(struct world *w)
{
	struct s3_opts o = {
		.fetcher = w->h.fetcher, .jobs = w->jobs, .credentials = w->credentials};

	assert_int_equal(s3_place_endpoint(&o.place, bytes_str(w->url), NULL), 0);
	assert_int_equal(s3_place_bucket(&o.place, BYTES("bucket"), NULL), 0);
	w->h.s3 = s3_new(&o);
}

static const char *world_join(struct world *w, const char *rest)
{
	char room[128];

	snprintf(room, sizeof(room), "%s%s", w->url, rest);
	return arena_copy(&w->arena, bytes_str(room)).p;
}

/* A process that begins: what was told of the world before stays. */
static void world_start(struct world *w)
{
	world_now = w;
	arena_init(&w->arena, (size_t)256 << 20);
	w->loop = loop_new();
	w->jobs = jobs_new(1);
	world_listen(w);
	world_env(w);
	w->env.reload_url = bytes_str(world_join(w, "/api/reload"));
	w->env.probe_url = bytes_str(world_join(w, "/healthz"));
	w->ops = (struct manage_ops){ops_read, ops_change};
	w->h = (struct hiclaw){.env = &w->env,
		.loop = w->loop,
		.jobs = w->jobs,
		.ops = &w->ops,
		.fetcher = fetcher_new(w->loop, 1 << 22, false, NULL)};
	w->h.opts.attached = true;
	w->h.opts.state_dir = world_bytes(w, "state").p;
	w->credentials = s3_credentials_new(&(struct s3_credentials_opts){
		.loop = w->loop, .fs_access = BYTES("id"), .fs_secret = BYTES("secret")});
	if (!w->no_storage) {
		world_storage(w);
	}
	if (!w->no_controller) {
		w->h.controller =
			controller_new(w->h.fetcher, bytes_str(w->url), BYTES("token"), NULL);
	}
	w->h.agents = agents_open(w->h.opts.state_dir, w->jobs, w->loop);
	w->h.switches = switches_new(&w->h);
	w->h.switches->world = (struct switch_world){.reach = world_reach,
		.reach_cancel = world_reach_cancel,
		.resolve = world_resolve,
		.consumer = world_consumer,
		.wall_ms = world_wall};
}

static void world_stop(struct world *w)
{
	jobs_end(w->jobs);
	switches_stop(w->h.switches);
	controller_free(w->h.controller);
	s3_free(w->h.s3);
	s3_credentials_free(w->credentials);
	fetcher_free(w->h.fetcher);
	loop_unwatch(w->loop, &w->listener);
	close(w->listening);
	switches_free(w->h.switches);
	agents_close(w->h.agents);
	jobs_free(w->jobs);
	loop_free(w->loop);
	arena_done(&w->arena);
	w->h.s3 = NULL;
	w->h.controller = NULL;
}

static void world_make(struct world *w)
{
	static const char *const dirs[] = {"state", "objects", "agents", "agents/alice",
		"agents/manager", "workspace", "creds"};

	*w = (struct world){.dir = "/tmp/switch-test-XXXXXX", .wall_ms = WORLD_NOW};
	assert_non_null(mkdtemp(w->dir));
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		assert_int_equal(mkdir(world_path(w, dirs[i]), 0700), 0);
	}
	world_write(w, "gateway.json", WORLD_LISTS);
	world_write(w, "workspace/openclaw.json", WORLD_CONFIG("qwen3.5-plus"));
	world_write(w, world_object("agents/manager/openclaw.json"), WORLD_CONFIG("qwen3.5-plus"));
	world_write(w, world_object("agents/alice/openclaw.json"), WORLD_CONFIG("qwen3.5-plus"));
	world_write(w, "agents/alice/openclaw.json", WORLD_CONFIG("qwen3.5-plus"));
	world_write(w, "cr-manager", "qwen3.5-plus");
	world_write(w, "cr-alice", "qwen3.5-plus");
}

UNUSED static void world_begin(struct world *w)
{
	world_make(w);
	world_start(w);
}

static bool world_remove(void *arg, const char *name)
{
	char path[1024];
	struct file_stat st;

	snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name);
	if (!file_is_link(path) && file_stat(path, &st) == 0 && st.is_dir) {
		assert_int_equal(file_list(path, world_remove, path, NULL), 0);
		assert_int_equal(file_remove_dir(path), 0);
	} else {
		assert_int_equal(file_remove(path), 0);
	}
	return true;
}

static void world_clear(struct world *w)
{
	assert_int_equal(file_list(w->dir, world_remove, w->dir, NULL), 0);
	assert_int_equal(file_remove_dir(w->dir), 0);
}

static void world_end(struct world *w)
{
	world_stop(w);
	world_clear(w);
}

/* --- runs ----------------------------------------------------------------------------------------------- */

static void world_done(struct switch_request *rq)
{
	((struct world *)rq->arg)->done++;
}

static void world_wait(struct world *w)
{
	for (unsigned turns = 0; w->done == 0; turns++) {
		assert_true(turns < 100000);
		loop_turn(w->loop, 1000);
	}
}

/* Until nothing is under way any more. */
static void world_settle(struct world *w)
{
	for (unsigned turns = 0; turns < 100000; turns++) {
		if (list_empty(&w->h.switches->runs) && turns > 20) {
			return;
		}
		loop_turn(w->loop, list_empty(&w->h.switches->runs) ? 1 : 1000);
	}
	fail_msg("runs do not end");
}

static struct switch_request world_request(
	struct world *w, const char *target, const char *provider, const char *model)
{
	return (struct switch_request){.target = bytes_str(target),
		.provider = bytes_str(provider),
		.model = bytes_str(model),
		.actor = BYTES("admin"),
		.arena = &w->arena,
		.on_done = world_done,
		.arg = w};
}

/* Asks and waits; the answer's code. */
static enum hiclaw_code world_ask(struct world *w, struct switch_request rq)
{
	w->rq = rq;
	w->done = 0;
	switch_start(w->h.switches, &w->rq);
	assert_int_equal(w->done, 0);
	world_wait(w);
	return w->rq.code;
}

UNUSED static enum hiclaw_code world_switch(
	struct world *w, const char *target, const char *provider, const char *model)
{
	return world_ask(w, world_request(w, target, provider, model));
}

UNUSED static void world_look(struct world *w)
{
	switches_look(w->h.switches);
	world_settle(w);
}

/* The answer as JSON. */
UNUSED static const char *world_answer(struct world *w, const struct doc *d)
{
	struct json_writer jw;
	struct text t;
	const char *p;

	text_init(&t, 1 << 20);
	json_writer_init(&jw, &t);
	doc_put_json(&w->arena, &jw, d);
	p = arena_copy(&w->arena, text_bytes(&t)).p;
	text_done(&t);
	return p;
}

static const struct agent *world_agent(struct world *w, const char *target)
{
	return agents_find(w->h.agents, bytes_str(target));
}

#endif
