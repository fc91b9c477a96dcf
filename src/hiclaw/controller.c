#define _DEFAULT_SOURCE /* explicit_bzero */
#include "hiclaw/controller.h"

#include <stdlib.h>

#include "base/num.h"
#include "wire/sigv4.h"
#include "wire/url.h"

#define CONNECT_MS 5000u
#define TOTAL_MS 15000u
#define URL_MAX 2048u
#define TOKEN_MAX ((size_t)16 << 10)
#define BODY_MAX ((size_t)1 << 20)
#define HOST_MAX 255u
#define BEARER "Bearer "

struct controller {
	struct fetcher *fetcher;
	bool tls;
	char host[HOST_MAX + 1];
	uint16_t port;
	char *authority; /* of the Host field */
	char *base;      /* path in front of ours, without a slash at its end */
	struct text authorization;
	struct list calls;
};

/* --- life --------------------------------------------------------------------------------------- */

void controller_set_token(struct controller *c, struct bytes token)
{
	if (c->authorization.n != 0) {
		explicit_bzero(c->authorization.p, c->authorization.n);
	}
	text_done(&c->authorization);
	text_init(&c->authorization, TOKEN_MAX);
	token = bytes_trim(token);
	if (token.n != 0) {
		text_add_str(&c->authorization, BEARER);
		text_add_bytes(&c->authorization, token);
	}
}

struct controller *controller_new(
	struct fetcher *fr, struct bytes url, struct bytes token, struct fault *fault)
{
	struct controller *c;
	struct bytes host;
	struct url u;

	if (url.n > URL_MAX || url_parse(&u, url, NULL) != 0 || u.query.p != NULL ||
		u.host.n > HOST_MAX) {
		IGNORE(fault_set(fault, ERR_SYNTAX, 0, 0,
			"the address of the controller is no http(s)://host:port"));
		return NULL;
	}
	c = must_alloc(sizeof(*c));
	c->fetcher = fr;
	c->tls = bytes_eq_nocase(u.scheme, BYTES("https"));
	c->port = u.port != 0 ? u.port : c->tls ? 443 : 80;
	host = u.host.p[0] == '[' ? bytes_of(u.host.p + 1, u.host.n - 2) : u.host;
	memcpy(c->host, host.p, host.n);
	/* As it is written, the port with it. */
	c->authority = bytes_dup(bytes_of(u.host.p,
		u.path.n != 0 ? (size_t)(u.path.p - u.host.p)
			      : (size_t)(url.p + url.n - u.host.p)));
	while (u.path.n != 0 && u.path.p[u.path.n - 1] == '/') {
		u.path.n--;
	}
	c->base = bytes_dup(u.path);
	list_init(&c->calls);
	controller_set_token(c, token);
	return c;
}

static void leave(struct controller_call *call)
{
	fetch_cancel(&call->fetch);
	loop_again_cancel(&call->task);
	list_remove(&call->link);
	call->controller = NULL;
}

void controller_free(struct controller *c)
{
	if (c == NULL) {
		return;
	}
	while (!list_empty(&c->calls)) {
		leave(CONTAINER_OF(c->calls.next, struct controller_call, link));
	}
	controller_set_token(c, bytes_of(NULL, 0));
	text_done(&c->authorization);
	free(c->authority);
	free(c->base);
	free(c);
}

void controller_cancel(struct controller_call *call)
{
	if (call->controller != NULL) {
		leave(call);
	}
}

/* The tree of an answer with keys has its texts in the body or in the arena: the latter are few bytes that
 * were escaped, and are not reached here. */
void controller_call_done(struct controller_call *call)
{
	ASSERT(call->controller == NULL);
	if (call->fetch.body_in.n != 0) {
		explicit_bzero(call->fetch.body_in.p, call->fetch.body_in.n);
	}
	fetch_done(&call->fetch);
	text_done(&call->target);
	text_done(&call->body);
	arena_done(&call->arena);
	call->answer = NULL;
}

/* --- answers ------------------------------------------------------------------------------------ */

static enum controller_rc rc_of(unsigned status)
{
	switch (status) {
	case 401:
	case 403:
		return CONTROLLER_FORBIDDEN;
	case 404:
		return CONTROLLER_NOT_FOUND;
	case 409:
		return CONTROLLER_CONFLICT;
	case 502:
	case 503:
	case 504:
		return CONTROLLER_UNREACHABLE;
	default:
		return status >= 200 && status < 300 ? CONTROLLER_OK : CONTROLLER_REFUSED;
	}
}

/* The controller's own words, unless they are no text of one line. */
static void say_why(struct controller_call *call)
{
	struct bytes said = json_text(json_get(call->answer, "message"), BYTES(""));

	for (size_t i = 0; i < said.n; i++) {
		if ((unsigned char)said.p[i] < 0x20 || said.p[i] == 0x7f) {
			said.n = i;
		}
	}
	said.n = MIN(said.n, 96);
	while (said.n != 0 && ((unsigned char)said.p[said.n - 1] & 0x80) != 0) {
		said.n--; /* no half of a character */
	}
	IGNORE(fault_set(&call->why, ERR_REFUSED, (int)call->status, 0,
		"the controller answered %u%s" BYTES_FMT, call->status, said.n != 0 ? ": " : "",
		BYTES_ARG(said)));
}

static void read_answer(struct controller_call *call)
{
	struct bytes body = text_bytes(&call->fetch.body_in);
	struct fault fault;

	call->rc = rc_of(call->status);
	call->answer = bytes_trim(body).n != 0 ? json_parse(&call->arena, body, &fault) : NULL;
	if (call->rc != CONTROLLER_OK) {
		say_why(call);
	} else if (call->answer == NULL && !call->plain && bytes_trim(body).n != 0) {
		call->rc = CONTROLLER_BROKEN;
		IGNORE(fault_set(&call->why, ERR_SYNTAX, (int)call->status, 0,
			"the controller answered %u with what is no JSON", call->status));
	}
}

static void on_fetched(struct fetch *f)
{
	struct controller_call *call = f->arg;

	leave(call);
	call->status = f->rc == FETCH_DONE ? f->status : 0;
	if (f->rc == FETCH_DONE) {
		read_answer(call);
	} else {
		call->rc = CONTROLLER_UNREACHABLE;
		IGNORE(fault_set(&call->why, f->why.err, 0, 0,
			"the controller cannot be reached: %.100s", f->why.text));
	}
	call->on_done(call);
}

static void on_refused(struct task *t)
{
	struct controller_call *call = CONTAINER_OF(t, struct controller_call, task);

	leave(call);
	call->rc = CONTROLLER_REFUSED;
	IGNORE(fault_set(&call->why, ERR_SYNTAX, 0, 0,
		"what the controller should be asked has no name, or is too large"));
	call->on_done(call);
}

/* --- requests ----------------------------------------------------------------------------------- */

static void begin(struct controller *c, struct controller_call *call, const char *path)
{
	ASSERT(call->controller == NULL);
	call->controller = c;
	call->answer = NULL;
	call->status = 0;
	call->why = (struct fault){0};
	call->refused = call->plain = false;
	list_append(&c->calls, &call->link);
	text_init(&call->target, URL_MAX + 4 * CONTROLLER_NAME_MAX);
	text_init(&call->body, BODY_MAX);
	arena_init(&call->arena, CONTROLLER_TREE_MAX);
	text_add_str(&call->target, c->base);
	text_add_str(&call->target, path);
}

/* One segment of the path: never a part of it. */
static void add_name(struct controller_call *call, struct bytes name)
{
	bool dots = bytes_eq(name, BYTES(".")) || bytes_eq(name, BYTES(".."));

	if (name.n == 0 || name.n > CONTROLLER_NAME_MAX || dots ||
		memchr(name.p, '/', name.n) != NULL) {
		call->refused = true;
	} else {
		sigv4_path(&call->target, name);
	}
}

static void dispatch(struct controller_call *call, struct bytes method)
{
	struct controller *c = call->controller;
	struct fetch *f = &call->fetch;

	if (call->refused || text_full(&call->target) || text_full(&call->body)) {
		loop_again(fetcher_loop(c->fetcher), &call->task, on_refused);
		return;
	}
	*f = (struct fetch){.tls = c->tls,
		.host = c->host,
		.port = c->port,
		.method = method,
		.target = text_bytes(&call->target),
		.connect_ms = CONNECT_MS,
		.timeout_ms = TOTAL_MS,
		.answer_max = CONTROLLER_ANSWER_MAX,
		.on_done = on_fetched,
		.arg = call};
	fetch_add(f, BYTES("Host"), bytes_str(c->authority));
	fetch_add(f, BYTES("Accept"), BYTES("application/json"));
	if (c->authorization.n != 0) {
		fetch_add(f, BYTES("Authorization"), text_bytes(&c->authorization));
	}
	if (call->body.n != 0) {
		fetch_add(f, BYTES("Content-Type"), BYTES("application/json"));
		f->body = text_bytes(&call->body);
	} else if (!bytes_eq(method, BYTES("GET"))) {
		f->body = BYTES("");
	}
	fetch_start(c->fetcher, f);
}

static void get(struct controller *c, struct controller_call *call, const char *path)
{
	begin(c, call, path);
	dispatch(call, BYTES("GET"));
}

void controller_health(struct controller *c, struct controller_call *call)
{
	begin(c, call, "/healthz");
	call->plain = true;
	dispatch(call, BYTES("GET"));
}

void controller_version(struct controller *c, struct controller_call *call)
{
	get(c, call, "/api/v1/version");
}

void controller_status(struct controller *c, struct controller_call *call)
{
	get(c, call, "/api/v1/status");
}

void controller_workers(struct controller *c, struct controller_call *call)
{
	get(c, call, "/api/v1/workers");
}

void controller_managers(struct controller *c, struct controller_call *call)
{
	get(c, call, "/api/v1/managers");
}

void controller_worker_status(struct controller *c, struct controller_call *call, struct bytes name)
{
	begin(c, call, "/api/v1/workers/");
	add_name(call, name);
	text_add_str(&call->target, "/status");
	dispatch(call, BYTES("GET"));
}

static void set_model(struct controller_call *call, struct bytes name, struct bytes model)
{
	struct json_writer w;

	add_name(call, name);
	json_writer_init(&w, &call->body);
	json_open_object(&w);
	json_key(&w, "model");
	json_put_string(&w, model);
	json_close_object(&w);
	dispatch(call, BYTES("PUT"));
}

void controller_worker_set_model(
	struct controller *c, struct controller_call *call, struct bytes name, struct bytes model)
{
	begin(c, call, "/api/v1/workers/");
	set_model(call, name, model);
}

void controller_manager_set_model(
	struct controller *c, struct controller_call *call, struct bytes name, struct bytes model)
{
	begin(c, call, "/api/v1/managers/");
	set_model(call, name, model);
}

void controller_team(struct controller *c, struct controller_call *call, struct bytes name)
{
	begin(c, call, "/api/v1/teams/");
	add_name(call, name);
	dispatch(call, BYTES("GET"));
}

void controller_team_update(
	struct controller *c, struct controller_call *call, struct bytes name, struct bytes body)
{
	begin(c, call, "/api/v1/teams/");
	add_name(call, name);
	text_add_bytes(&call->body, body);
	dispatch(call, BYTES("PUT"));
}

void controller_worker_act(struct controller *c, struct controller_call *call, struct bytes name,
	enum controller_action action)
{
	static const char *const paths[] = {[CONTROLLER_WAKE] = "/wake",
		[CONTROLLER_SLEEP] = "/sleep",
		[CONTROLLER_ENSURE_READY] = "/ensure-ready"};

	begin(c, call, "/api/v1/workers/");
	add_name(call, name);
	text_add_str(&call->target, paths[action]);
	dispatch(call, BYTES("POST"));
}

void controller_keys(struct controller *c, struct controller_call *call)
{
	begin(c, call, "/api/v1/credentials/sts");
	dispatch(call, BYTES("POST"));
}

/* --- what answers say --------------------------------------------------------------------------- */

static struct bytes member(const struct json_value *v, const char *key)
{
	return json_text(json_get(v, key), BYTES(""));
}

bool controller_worker_read(const struct json_value *v, struct controller_worker *out)
{
	const struct json_value *managed = json_get(v, "containerManaged");

	*out = (struct controller_worker){.name = member(v, "name"),
		.phase = member(v, "phase"),
		.state = member(v, "state"),
		.model = member(v, "model"),
		.runtime = member(v, "runtime"),
		.image = member(v, "image"),
		.container_state = member(v, "containerState"),
		.matrix_user = member(v, "matrixUserID"),
		.room = member(v, "roomID"),
		.message = member(v, "message"),
		.team = member(v, "team"),
		.role = member(v, "role"),
		.managed = managed != NULL && managed->type == JSON_TRUE};
	return out->name.n != 0;
}

const struct json_value *controller_first(const struct json_value *answer)
{
	const struct json_value *list = json_get(answer, "workers");

	if (list == NULL) {
		list = json_get(answer, "managers");
	}
	return list != NULL && list->type == JSON_ARRAY ? list->items : NULL;
}

bool controller_keys_read(const struct json_value *v, struct controller_keys *out)
{
	const struct json_value *expires = json_get(v, "expires_in_sec");

	*out = (struct controller_keys){.id = member(v, "access_key_id"),
		.secret = member(v, "access_key_secret"),
		.token = member(v, "security_token"),
		.endpoint = member(v, "oss_endpoint"),
		.bucket = member(v, "oss_bucket"),
		.expiration = member(v, "expiration")};
	if (expires != NULL && expires->type == JSON_NUMBER) {
		IGNORE(json_number_u64(expires->text, &out->expires_s)); /* 0 then */
	}
	return out->id.n != 0 && out->secret.n != 0;
}
